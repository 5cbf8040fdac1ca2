"""Store sessions and the messages that show them. Contract for both databases."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.core.models import (
    PostedMessage,
    PostedMessageKind,
    Request,
    RequestKind,
    RequestState,
    Session,
    TeamId,
    UserId,
    new_request_id,
)
from bot.core.start_details import StartDetails, fingerprint
from tests.support import storage
from tests.support.storage import ANA, TEAM, Database, column, die, request, session, stored

database = storage.database
BEN, SAM, ORG = UserId("U0BEN"), UserId("U0SAM"), TeamId("E0ORG")


@pytest.fixture
async def store(database: Database) -> Any:
    return await database.open()


async def made(store: Any, name: str, minutes: float = 30, **changes: Any) -> Session:
    """Store a session that somebody started."""
    asked, one = request(**changes), session(name, minutes)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    return one


async def asks(store: Any, kind: RequestKind = RequestKind.END, who: UserId = ANA, **changes: Any) -> Request:
    asked = request(kind=kind, requester=who, **changes)
    await store.accept(asked)
    return asked


async def ids(found: Any) -> list[str]:
    return [record.session.id for record in await found]


async def test_a_session_is_remembered_with_whose_it_is_and_its_link(store: Any) -> None:
    one = await made(store, "s-1", requester=SAM, target=ANA)
    record = await store.sessions.session("s-1")
    assert record.session == one
    assert (record.team_id, record.requester, record.agent) == (TEAM, SAM, ANA)
    assert (record.is_over, record.ended_by) == (False, None)
    assert await store.sessions.session("s-2") is None


@pytest.mark.parametrize("is_call", [True, False, None])
async def test_kind_of_conversation_is_kept(store: Any, is_call: bool | None) -> None:
    asked, one = request(), replace(session("s-1"), is_call=is_call)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    assert (await store.sessions.session("s-1")).session.is_call is is_call
    assert (await store.find(asked.id)).session.is_call is is_call
    again = replace(asked, id=new_request_id(), key="command:again")
    accepted = await store.accept(again)
    assert accepted.duplicate_of == asked.id
    await store.advance(
        again.id, RequestState.ACCEPTED, RequestState.CREATED, session=replace(one, is_call=not is_call)
    )
    assert (await store.sessions.session("s-1")).session.is_call is is_call


async def test_start_brings_the_newest_of_the_agents_open_sessions_and_their_number(store: Any) -> None:
    assert (await store.accept(request())).other_open is None
    await made(store, "s-1", minutes=-1)  # its time is up
    await made(store, "s-2")
    found = (await store.accept(request())).other_open
    assert (found.id, found.name, found.count) == ("s-2", "Checkout", 1)
    await made(store, "s-3", requester=SAM, target=ANA)
    newest = replace(session("s-4", 20), name="Deal 7 of 9")
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=newest)
    await made(store, "s-5", requester=ANA, target=BEN)  # somebody else's
    found = (await store.accept(request())).other_open
    assert (found.id, found.name, found.count) == ("s-4", "Deal 7 of 9", 3)
    assert abs((found.ends_at - newest.ends_at).total_seconds()) < 0.01
    assert (await store.accept(request(kind=RequestKind.STATUS))).other_open is None
    assert (await store.accept(request(enterprise_id=ORG))).other_open is None


async def test_last_session_is_the_newest_requested_or_hosted(store: Any, database: Database) -> None:
    assert await store.sessions.last_session(TEAM, ANA) is None
    for name, who in (
        ("own", {}),
        ("given", {"requester": ANA, "target": BEN}),
        ("got", {"requester": SAM, "target": ANA}),
    ):
        await made(store, name, **who)
        assert (await store.sessions.last_session(TEAM, ANA)).session.id == name
        await database.age(1)
    await made(store, "of others", requester=BEN)
    assert (await store.sessions.last_session(TEAM, ANA)).session.id == "got"
    assert (await store.sessions.last_session(TEAM, SAM)).session.id == "got"
    assert await store.sessions.last_session(TeamId("T0OTHER"), ANA) is None


async def test_open_sessions_are_listed_newest_first(store: Any, database: Database) -> None:
    for name, who in (("a", {}), ("b", {"requester": BEN}), ("c", {"requester": SAM, "target": ANA}), ("short", {})):
        await made(store, name, 3 if name == "short" else 30, **who)
        await database.age(1)
    await made(store, "elsewhere", team_id=TeamId("T0OTHER"))
    table = store.sessions
    assert await ids(table.open_sessions(TEAM, ANA, 9)) == ["short", "c", "a"]
    assert await ids(table.open_sessions(TEAM, SAM, 9)) == ["c"]
    assert await ids(table.open_sessions(TEAM, ANA, 2)) == ["short", "c"]
    await table.end_session("c", None)
    await database.age(300)
    assert await ids(table.open_sessions(TEAM, ANA, 9)) == ["a"]


async def test_live_sessions_are_paged_by_agent_and_counted(store: Any, database: Database) -> None:
    for name, who in (("a", {}), ("b", {"requester": BEN}), ("c", {"requester": SAM, "target": ANA}), ("short", {})):
        await made(store, name, 3 if name == "short" else 30, **who)
        await database.age(1)
    await made(store, "elsewhere", team_id=TeamId("T0OTHER"))

    async def page(agents: tuple[str, ...] = (), most: int = 9, skipped: int = 0) -> tuple[list[str], int]:
        found, total = await store.sessions.live_sessions(TEAM, agents, most, skipped)
        return [record.session.id for record in found], total

    assert await page() == (["short", "c", "a", "b"], 4)
    assert await page(most=3) == (["short", "c", "a"], 4)
    assert await page(most=3, skipped=3) == (["b"], 4)
    assert await page(most=3, skipped=6) == ([], 0)
    assert await page((BEN,)) == (["b"], 1)
    assert await page(("W0ANA", ANA)) == (["short", "c", "a"], 3)  # a person of a Grid has two ids
    assert await page((SAM,)) == ([], 0)
    await store.sessions.end_session("c", None)
    await database.age(300)
    assert await page() == (["a", "b"], 2)


async def test_session_is_found_from_each_workspace_of_a_grid(store: Any) -> None:
    await made(store, "s-1", enterprise_id=ORG)
    asked = await asks(store, enterprise_id=ORG, team_id=TeamId("T0OTHER"))
    assert await ids(store.sessions.open_sessions(ORG, ANA, 9)) == ["s-1"]
    assert await ids(store.sessions.meant_by(asked, 9)) == ["s-1"]
    assert await ids(store.sessions.open_sessions(TEAM, ANA, 9)) == []


async def test_an_ended_session_is_over_once_and_its_link_is_gone(store: Any, database: Database) -> None:
    await made(store, "s-1")
    asked = await asks(store)
    assert await store.sessions.end_session("s-1", asked.id)
    assert not await store.sessions.end_session("s-1", None)
    record = await store.sessions.session("s-1")
    assert (record.is_over, record.ended_by, record.session.join_url) == (True, asked.id, "")
    assert (record.ender, record.channel_id) == (asked.requester, asked.channel_id)
    assert record.ended_at >= record.started_at
    assert await column(database, "join_url") == {None}


async def test_a_session_whose_time_is_up_is_over_and_cannot_be_ended(store: Any, database: Database) -> None:
    await made(store, "s-1", 1)
    await database.age(61)
    record = await store.sessions.session("s-1")
    assert (record.is_over, record.session.join_url) == (True, "")
    assert not await store.sessions.end_session("s-1", None)


async def test_end_means_the_sessions_open_when_it_came_in(store: Any, database: Database) -> None:
    await made(store, "before")
    await database.age(1)
    asked = await asks(store)
    await database.age(1)
    await made(store, "after")
    await made(store, "of others", requester=BEN)
    assert await ids(store.sessions.meant_by(asked, 9)) == ["before"]
    await store.sessions.end_session("before", asked.id)
    assert await ids(store.sessions.meant_by(asked, 9)) == ["before"]  # ended by this very request
    other = await asks(store)
    assert await ids(store.sessions.meant_by(other, 9)) == ["after"]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (RequestKind.LINK, None),
        (RequestKind.PROPOSE, None),
        (RequestKind.SEND, None),
        (RequestKind.END, "ana@example.com"),
    ],
)
async def test_an_address_is_sealed_and_gone_with_the_answer(
    database: Database, kind: RequestKind, kept: str | None
) -> None:
    store = await database.open(keys=[Fernet.generate_key().decode()])
    asked = await asks(store, kind, argument="ana@example.com")
    assert "ana@example.com" not in await stored(database)
    assert (await store.find(asked.id)).request.argument == "ana@example.com"
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    assert (await store.find(asked.id)).request.argument == kept


async def test_address_of_a_start_is_in_no_hash_and_gone_with_the_answer(database: Database) -> None:
    store = await database.open(keys=[Fernet.generate_key().decode()])
    found = [fingerprint(address, b"key") for address in ("ana@example.com", "ben@example.com")]
    details = StartDetails(send_to="ana@example.com", fingerprint=found[0])
    asked = await asks(store, RequestKind.START, argument=details.argument)
    assert "ana@example.com" not in await stored(database)
    again = replace(asked, id="again", key="again")
    other = replace(asked, id="other", key="other", argument=replace(details, fingerprint=found[1]).argument)
    assert (await store.accept(again)).duplicate_of == asked.id
    assert (await store.accept(other)).duplicate_of is None
    moved = replace(again, id="moved", key="moved", argument=replace(details, send_to="x@example.com").argument)
    assert (await store.accept(moved)).duplicate_of in (asked.id, "again")  # only the keyed hash counts
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    assert (await store.find(asked.id)).request.argument is None


async def test_form_request_survives_a_restart(database: Database) -> None:
    before = await database.open()
    asked = request(application_id="shop", timeout_seconds=600, argument="x", channel_id="")
    await before.accept(asked)
    await die(before)
    (kept,) = await (await database.open()).orphans()
    assert replace(kept.request, accepted_at=asked.accepted_at) == asked


async def test_only_a_start_has_its_like(store: Any) -> None:
    first = await asks(store, RequestKind.LINK, argument="ana@example.com")
    again = replace(first, id="again", key="again")
    assert (await store.accept(again)).duplicate_of is None
    assert (await store.accept(replace(first, id="start", key="start", kind=RequestKind.START))).duplicate_of is None


# -- messages --


def post(ts: str = "1.1", **changes: Any) -> PostedMessage:
    return replace(PostedMessage("s-1", "C0CARE", ts, PostedMessageKind.SHARED, "r-1"), **changes)


async def test_message_is_stored_once_and_updated_when_a_session_ends(store: Any, database: Database) -> None:
    await made(store, "s-1", 2)
    table, other = store.sessions, post("1.2", kind=PostedMessageKind.DIRECT, request_id=None)
    assert await table.add_post(post())
    assert not await table.add_post(post())
    await table.add_post(other)
    assert await table.posts("s-1") == [post(), other]
    assert await table.take_due_posts(9) == []
    await database.age(121)
    assert set(await table.take_due_posts(9)) == {post(), other}
    await table.drop_post(post())
    assert await table.posts("s-1") == [other]


async def test_message_is_updated_when_its_session_ends_around_it(store: Any) -> None:
    await made(store, "s-1")
    await store.sessions.add_post(post("1.1"))
    await store.sessions.end_session("s-1", None)
    await store.sessions.add_post(post("1.2"))
    assert set(await store.sessions.take_due_posts(9)) == {post("1.1"), post("1.2")}


async def test_taken_message_is_reserved_for_a_minute(store: Any, database: Database) -> None:
    await made(store, "s-1", 1)
    for number in range(5):
        await store.sessions.add_post(post(f"1.{number}"))
    await database.age(61)
    other = (await database.open() if database.url else store).sessions
    first, second = await store.sessions.take_due_posts(3), await other.take_due_posts(9)
    assert (len(first), len(second), len({*first, *second})) == (3, 2, 5)
    assert [*await store.sessions.take_due_posts(9), *await other.take_due_posts(9)] == []
    await database.age(61)
    assert len(await store.sessions.take_due_posts(9)) == 5


async def test_post_that_was_only_intended_comes_up_after_a_minute(store: Any, database: Database) -> None:
    await made(store, "s-1")
    assert await store.sessions.add_post(post(""))
    assert not await store.sessions.add_post(post("", request_id="another"))
    assert await store.sessions.take_due_posts(9) == []
    await database.age(61)
    assert await store.sessions.take_due_posts(9) == [post("")]
