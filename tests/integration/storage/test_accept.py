"""Accept a request as `creating` in one write. Contract for both stores; Postgres is a real server."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.core.models import HostId, MembershipStatus, RequestState, SlackUser, TeamId, UserId, new_request_id
from tests.support import storage
from tests.support.storage import ANA, HOST, TEAM, Database, request, session

database = storage.database
AGENT = SlackUser(TEAM, ANA, "Ana Agent", MembershipStatus.MEMBER)


@pytest.fixture
async def store(database: Database) -> Any:
    return await database.open()


async def test_request_created_at_once_is_accepted_as_creating(store: Any) -> None:
    asked = request()
    accepted = await store.accept(asked, AGENT)
    assert (accepted.is_new, accepted.state, accepted.duplicate_of, accepted.linked) == (
        True,
        RequestState.CREATING,
        None,
        None,
    )
    assert (await store.find(asked.id)).state is RequestState.CREATING
    assert not await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert not (await store.accept(replace(asked, id=new_request_id()), AGENT)).is_new
    assert await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session())


async def test_with_it_comes_whom_an_administrator_linked_the_agent_to(store: Any) -> None:
    others = [
        SlackUser(TeamId("T0OTHER"), ANA, "Ana", MembershipStatus.MEMBER),
        SlackUser(TEAM, UserId("U0BEN"), "Ben", AGENT.standing),
    ]
    anywhere = HostId("22222222-2222-4222-8222-222222222222")
    await store.link([(TEAM, ANA, HOST)])
    assert [(await store.accept(request(), one)).linked for one in (AGENT, *others)] == [HOST, None, None]
    await store.link([(None, ANA, anywhere)])
    assert [(await store.accept(request(), one)).linked for one in (AGENT, *others)] == [HOST, anywhere, None]
    assert (await store.accept(request())).linked is None
    await store.unlink(TEAM, ANA)
    assert (await store.accept(request(), AGENT)).linked == anywhere


async def test_link_by_either_of_two_ids_comes_with_it(store: Any) -> None:
    other, twin = HostId("22222222-2222-4222-8222-222222222222"), UserId("W0ANA")
    both = replace(AGENT, other_id=twin)
    for team in (None, TEAM):  # a link for the team comes before one for every team
        await store.link([(team, twin, HOST)])
        assert (await store.accept(request(), both)).linked == HOST
        assert (await store.accept(request(), AGENT)).linked is None
        await store.link([(team, ANA, HOST)])
        assert (await store.accept(request(), both)).linked == HOST
        await store.link([(team, ANA, other)])
        assert (await store.accept(request(), both)).linked == ""
        await store.unlink(team, ANA)


async def test_link_for_any_workspace_of_the_agent_comes_with_it(store: Any) -> None:
    """Look under the organization and all workspaces, as HostResolver does. A link for every team comes last."""
    own, second = TeamId("T0OWN"), TeamId("T0SECOND")
    other, anywhere = HostId("22222222-2222-4222-8222-222222222222"), HostId("33333333-3333-4333-8333-333333333333")
    for twin in (None, UserId("W0ANA")):
        agent = replace(AGENT, team_id=TeamId("E0ORG"), other_id=twin, workspaces=(own, second))

        async def linked(agent: SlackUser = agent) -> HostId | None:
            found: HostId | None = (await store.accept(request(), agent)).linked
            return found

        assert await linked() is None
        await store.link([(None, ANA, anywhere), (TeamId("T0ELSE"), ANA, other)])
        assert await linked() == anywhere
        for team in agent.team_ids:
            await store.link([(team, twin or ANA, HOST)])
            assert await linked() == HOST
            await store.unlink(team, twin or ANA)
        await store.link([(own, ANA, HOST), (second, ANA, HOST)])
        assert await linked() == HOST
        await store.link([(second, ANA, other)])
        assert await linked() == ""
        for team in (own, second, None, TeamId("T0ELSE")):
            await store.unlink(team, ANA)


async def test_link_for_another_name_of_the_workspace_never_comes(store: Any) -> None:
    agent = replace(AGENT, team_id=TeamId("E0ORG"), workspaces=(TEAM,))
    other, ours = store.in_workspace("eu"), store.in_workspace("us")
    await other.link([(TEAM, ANA, HOST)])
    assert (await ours.accept(request(), agent)).linked is None
    assert (await store.accept(request(), agent)).linked is None
    assert (await other.accept(request(), agent)).linked == HOST


async def test_open_sessions_under_either_of_two_ids_come_with_it(store: Any) -> None:
    twin = UserId("W0ANA")
    both, asked = replace(AGENT, other_id=twin), request(requester=twin)
    await store.accept(asked, replace(AGENT, user_id=twin))
    assert await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session())
    assert (await store.accept(request(), AGENT)).other_open is None
    found = (await store.accept(request(), both)).other_open
    assert (found.id, found.count) == ("s-1", 1)
    own = request()
    await store.accept(own, both)
    assert await store.advance(own.id, RequestState.CREATING, RequestState.CREATED, session=session("s-2"))
    assert {(await store.accept(request(requester=each), both)).other_open.count for each in (ANA, twin)} == {2}


async def test_duplicate_of_a_request_being_created_stays_accepted(store: Any) -> None:
    first = request(name="Checkout")
    again = replace(first, id=new_request_id(), key="command:again")
    await store.accept(first, AGENT)
    accepted = await store.accept(again, AGENT)
    assert (accepted.is_new, accepted.state, accepted.duplicate_of) == (True, RequestState.ACCEPTED, first.id)
    kept = await store.find(again.id)
    assert (kept.state, kept.request.duplicate_of) == (RequestState.ACCEPTED, first.id)
    assert await store.advance(again.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())


async def test_one_of_many_equal_requests_on_all_replicas_creates(database: Database) -> None:
    """Use two stores where the database takes several. All others follow the one that was accepted first."""
    stores = [await database.open(), await database.open()] if database.url else [await database.open()]
    for number in range(20):
        repeats = [request(name=f"Deal {number}") for _ in range(12)]
        taken = [store.accept(repeated, AGENT) for repeated, store in zip(repeats, stores * 12, strict=False)]
        accepted = dict(zip((repeated.id for repeated in repeats), await asyncio.gather(*taken), strict=True))
        (first,) = [one for one, found in accepted.items() if found.duplicate_of is None]
        assert {one for one, found in accepted.items() if found.state is RequestState.CREATING} == {first}
        assert all(found.is_new for found in accepted.values())
        assert {found.duplicate_of for found in accepted.values()} <= {None, *accepted}


async def test_abandoned_request_does_not_keep_the_next_one_out(database: Database) -> None:
    store = await database.open()
    await store.accept(request(name="Deal"))
    await database.age(1801)
    again = request(name="Deal")
    accepted = await store.accept(again, AGENT)
    assert (accepted.is_new, accepted.duplicate_of, accepted.state) == (True, None, RequestState.CREATING)
    assert not (await store.accept(replace(again, id=new_request_id()), AGENT)).is_new
