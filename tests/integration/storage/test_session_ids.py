"""A session id that the service gives again: renewed for the same people, refused for others, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.errors import ID_TAKEN, UnusableAnswerError
from bot.core.models import HostId, Request, RequestState, Session, TeamId, UserId
from tests.support import storage
from tests.support.storage import ANA, TEAM, Database, die, request, run_sql, session

database = storage.database
BEN, SAM = UserId("U0BEN"), UserId("U0SAM")
OTHER_HOST = HostId("22222222-2222-4222-8222-222222222222")


@pytest.fixture
async def store(database: Database) -> Any:
    return await database.open()


def second(**changes: Any) -> Session:
    """Return a session with the same id, another link and another name."""
    link = {"join_url": "https://join.example/second", "join_code": "code-2", "name": "Second"}
    return replace(session(), **link, reference="g-1", **changes)


async def created(store: Any, one: Session, **changes: Any) -> Request:
    asked = request(**changes)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=one)
    return asked


@pytest.mark.parametrize(
    ("host", "changes"),
    [
        (None, {"requester": BEN}),
        (None, {"requester": SAM, "target": ANA}),
        (None, {"team_id": TeamId("T0OTHER")}),
        (None, {"enterprise_id": TeamId("E0ORG")}),
        (None, {"target": BEN}),
        (OTHER_HOST, {}),
    ],
    ids=["requester", "supervisor", "team", "organization", "agent", "host"],
)
async def test_known_id_for_somebody_else_fails_the_request(
    database: Database, store: Any, host: HostId | None, changes: dict[str, Any]
) -> None:
    anas = await created(store, session())
    asked = request(**changes)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    one = second(host_id=host) if host else second()
    with pytest.raises(UnusableAnswerError) as refused:
        await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=one)
    assert (refused.value.acted, refused.value.reference, refused.value.why) == (True, "g-1", ID_TAKEN)
    await die(store)  # the same transaction failed it
    after = await database.open()
    kept = await after.find(asked.id)
    assert (kept.state, type(kept.failure), kept.session) == (RequestState.FAILED, UnusableAnswerError, None)
    assert kept.failure.acted
    assert (await after.find(anas.id)).session == session()
    assert (await after.sessions.session("s-1")).session == session()


async def test_known_id_is_not_refused_to_who_does_not_own_the_request(database: Database, store: Any) -> None:
    await created(store, session())
    asked = request(requester=BEN)
    await store.accept(asked)
    assert not await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=second())
    assert (await store.find(asked.id)).state is RequestState.ACCEPTED


@pytest.mark.parametrize("change", ["state = 'accepted'", "owner = owner + 1"], ids=["state", "owner"])
async def test_refused_created_leaves_no_session(store: Any, change: str) -> None:
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    await run_sql(store, f"UPDATE requests SET {change} WHERE id = :id", id=asked.id)
    assert not await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session())
    assert await store.sessions.session("s-1") is None
    assert list(await run_sql(store, "SELECT id FROM sessions")) == []
    kept = await store.find(asked.id)
    assert (kept.state, kept.session) == (RequestState.ACCEPTED if "state" in change else RequestState.CREATING, None)


@pytest.mark.parametrize("ended", [False, True])
async def test_known_id_for_the_same_people_renews_the_session(database: Database, store: Any, ended: bool) -> None:
    first = await created(store, session(minutes=5))
    await database.age(60)
    if ended:
        await store.sessions.end_session("s-1", first.id)
    one = second(ends_at=session().ends_at + timedelta(minutes=30))
    again = await created(store, one)
    record = await store.sessions.last_session(TEAM, ANA)
    assert (record.session, record.is_over, record.ended_by) == (replace(one, reference=None), False, None)
    kept = await store.find(again.id)
    assert (kept.session, kept.session_over) == (replace(one, reference=None), False)
    asked = request(requester=ANA)
    await store.accept(asked)
    assert [each.session.id for each in await store.sessions.meant_by(asked, 9)] == ["s-1"]


async def test_duplicate_request_shares_a_renewed_session(database: Database, store: Any) -> None:
    await created(store, session(), name="Deal")
    await database.age(60)
    await created(store, second(), name="Deal")
    repeated = request(name="Deal")
    accepted = await store.accept(repeated)
    assert accepted.duplicate_of
    shared = (await store.find(accepted.duplicate_of)).session
    assert shared.join_url == second().join_url
    assert await store.advance(repeated.id, RequestState.ACCEPTED, RequestState.CREATED, session=shared)
    assert (await store.find(repeated.id)).session == shared


async def test_duplicate_request_does_not_reopen_an_ended_session(store: Any) -> None:
    await created(store, session(), name="Deal")
    read = (await store.sessions.session("s-1")).session
    repeated = request(name="Deal")
    assert (await store.accept(repeated)).duplicate_of
    await store.sessions.end_session("s-1", None)
    assert await store.advance(repeated.id, RequestState.ACCEPTED, RequestState.CREATED, session=read)
    assert (await store.sessions.session("s-1")).is_over
    assert (await store.find(repeated.id)).session_over


@pytest.mark.parametrize(
    "changes",
    [{"requester": BEN}, {"requester": SAM, "target": ANA}, {"target": BEN}, {"team_id": TeamId("T0OTHER")}],
    ids=["requester", "supervisor", "agent", "team"],
)
async def test_row_with_anothers_session_id_opens_nothing(
    database: Database, store: Any, changes: dict[str, Any]
) -> None:
    """Write the row as an older version did, or as somebody who can write to the database does."""
    await created(store, session())
    asked = request(**changes)
    await store.accept(asked)
    await run_sql(store, "UPDATE requests SET session_id = 's-1', state = 'created' WHERE id = :id", id=asked.id)
    assert (await store.find(asked.id)).session is None
