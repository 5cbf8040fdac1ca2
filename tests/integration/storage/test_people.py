"""What is stored about one person is exported and forgotten, on both databases; what is about others stays."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.errors import HostNotFoundError, RuleMiss
from bot.core.models import (
    ChannelId,
    Host,
    LinkedAccount,
    Notice,
    NoticeKind,
    NoticeMessage,
    PendingAuthorization,
    PostedMessage,
    PostedMessageKind,
    RequestKind,
    RequestState,
    SessionId,
    TeamId,
    UserId,
)
from bot.core.use_cases.access_requests import AccessRequest, read_access, write_access
from bot.core.use_cases.faults import read_fault
from bot.core.use_cases.help_requests import help_key, read_help, with_help_request
from bot.storage.schema import TABLES
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, request, run_sql, session

database = storage_support.database
BEN, SAM, OTHER = UserId("U0BEN"), UserId("U0SAM"), TeamId("T0OTHER")
HOUR = 3600.0
NOW = datetime.now(UTC)


async def answered(store: Any, session_id: str = "", **changes: Any) -> Any:
    """Store a request that has been answered, with a session if it has an id."""
    made = request(**changes)
    await store.accept(made)
    state = RequestState.ACCEPTED
    if session_id:
        of = session(session_id)
        await store.advance(made.id, state, RequestState.CREATED, session=of)
        state = RequestState.CREATED
    await store.advance(made.id, state, RequestState.ANSWERED)
    return made


async def notice(
    store: Any, kind: NoticeKind, key: str, data: dict[str, Any], *readers: str, over: bool = True
) -> None:
    found = replace(await store.notices.find(kind, key), team_id=TEAM, data=data)
    assert await store.notices.save(replace(found, over_at=found.read_at if over else None))
    taken = await store.notices.take(await store.notices.find(kind, key), 30)
    told = tuple(
        NoticeMessage(reader=each, channel_id=ChannelId(f"D{each}"), ts="1.1", version=1, opened_at=taken.opened_at)
        for each in readers
    )
    assert await store.notices.store_messages(replace(taken, messages=told, shown=1), 0)


def fault(*people: str, checked_by: str = "") -> dict[str, Any]:
    at = NOW.timestamp()
    data = {"error": {"code": "service_fault"}, "since": at, "last": at, "people": list(people), "hurt": list(people)}
    return {**data, "kinds": ["start"], "references": [["r1", ""]], "checked_by": checked_by or None, "checked_at": at}


def access(person: UserId, *, asked_by: UserId | None = None, connected_by: UserId | None = None) -> dict[str, Any]:
    tried = (RuleMiss("same email", "several_users", (asked_by or person, SAM)),)
    asked = AccessRequest(
        person=(TEAM, person), ids=(person,), request_id="r1", asked_by=asked_by, connected_by=connected_by, tried=tried
    )
    return write_access(asked)


async def ask_help(store: Any, person: UserId, target: UserId | None, *readers: str) -> str:
    """Store a HELP notice as a press on *Tell* or *Ask* does. Return its key."""
    failed, error = request(requester=person, target=target), HostNotFoundError(target or person, bool(target), ())
    asked = with_help_request(await store.notices.find(NoticeKind.HELP, ""), failed, error)
    assert asked
    key = help_key(failed, error)
    await notice(store, NoticeKind.HELP, key, dict(asked.data), *readers)
    return key


async def everything(store: Any) -> str:
    """Return all rows of all tables as text."""
    found = {}
    for table in TABLES:
        found[table] = await run_sql(store, f"SELECT * FROM {table}")
    return json.dumps(found, default=str)


async def fill(store: Any, person: UserId) -> None:
    """Store one of everything about a person, all of it finished."""
    await answered(store, f"own-{person}", requester=person)
    await store.watches.watch(SessionId(f"own-{person}"), "https://hooks.slack.com/secret-watch", 2, 60, 5)
    await store.sessions.end_session(SessionId(f"own-{person}"), None)
    await store.link([(None, person, HOST), (OTHER, person, HOST)])
    await store.keep_found(TEAM, person, Host(HOST, "same email"), 60)
    await store.connections.begin(
        PendingAuthorization((TEAM, person), TEAM, None, "secret-verifier"), f"hash {person}", 600
    )
    await store.connections.connect(LinkedAccount((TEAM, person), HOST, "secret-refresh"))
    await notice(store, NoticeKind.ACCESS, f"{TEAM} {person}", access(person), SAM)


async def test_everything_about_a_person_is_exported_without_secrets(database: Database) -> None:
    store = await database.open()
    for person in (ANA, BEN):
        await fill(store, person)
    await notice(store, NoticeKind.FAULT, "f", fault(ANA, BEN), ANA)
    await answered(store, requester=SAM, target=ANA, kind=RequestKind.END, argument="carla@example.com")
    found = await store.people.export(ANA, None)
    counts = {name: len(rows) for name, rows in found.items()}
    assert counts == {
        **{
            "requests": 2,
            "sessions": 1,
            "posts": 0,
            "watches": 1,
            "found_hosts": 1,
            "links": 2,
            "connects": 1,
            "connections": 1,
        },
        **{"notices": 2, "named_in_failures": 0},
    }
    (mine,) = found["sessions"]
    assert (mine["agent"], mine["host_id"]) == (ANA, HOST)
    assert datetime.fromisoformat(mine["ends_at"]).tzinfo
    about, among = found["notices"]
    assert about["data"]["person"] == [TEAM, ANA]
    assert among["named_as"] == ["hurt", "people"]
    assert among["messages_to_person"] == [{"channel_id": f"D{ANA}", "ts": "1.1"}]
    text = json.dumps(found)
    secrets = (
        "secret-verifier",
        "secret-watch",
        "secret-refresh",
        "secret-reply",
        "secret-join",
        "carla",
        f"hash {ANA}",
    )
    assert [word for word in (BEN, *secrets) if word in text] == []
    assert found["connections"][0]["refresh_token"] == "(a secret, not exported)"


async def test_everything_about_a_person_is_forgotten_and_others_stay(database: Database) -> None:
    store = await database.open()
    for person in (ANA, BEN):
        await fill(store, person)
    await answered(store, "for-ben", requester=ANA, target=BEN)
    await store.sessions.end_session(SessionId("for-ben"), None)
    await database.age(2 * HOUR)
    before = await store.people.export(BEN, None)
    result = await store.people.forget(ANA, None)
    assert result.is_complete
    assert result.deleted == {
        **{
            "requests": 2,
            "sessions": 2,
            "watches": 1,
            "found_hosts": 1,
            "links": 2,
            "connects": 1,
            "connections": 1,
            "notices": 1,
        }
    }
    assert ANA not in await everything(store)
    after = await store.people.export(BEN, None)
    gone = {"requests": 1, "sessions": 1}  # what Ana started for Ben
    assert {name: len(before[name]) - len(after[name]) for name in before} == {
        name: gone.get(name, 0) for name in before
    }
    again = await store.people.forget(ANA, None)
    assert (again.deleted, again.anonymized, again.is_complete) == ({}, {}, True)


async def test_forgotten_person_is_in_no_row(database: Database) -> None:
    store = await database.open()
    await fill(store, ANA)
    failure = HostNotFoundError(BEN, False, (RuleMiss("same email", "several_users", (ANA, SAM)),))
    asked = request(requester=BEN)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.FAILED, failure=failure)
    await store.advance(asked.id, RequestState.FAILED, RequestState.ANSWERED)
    await notice(store, NoticeKind.FAULT, "f", fault(ANA, BEN, checked_by=ANA), ANA, SAM)
    await notice(store, NoticeKind.FAULT, "alone", fault(ANA), SAM)
    await notice(store, NoticeKind.ACCESS, f"{TEAM} {BEN}", access(BEN, asked_by=ANA, connected_by=ANA), ANA)
    ended = {"session_id": "s", "name": "n", "agent": BEN, "ender": ANA, "at": 1.0, "for_all": True, "channel_id": ""}
    await notice(store, NoticeKind.ENDED, "s", ended, BEN)
    assert len((await store.people.export(ANA, None))["named_in_failures"]) == 1
    result = await store.people.forget(ANA, None)
    assert result.anonymized == {"requests": 2, "notices": 2}  # one request is younger than an hour
    assert ANA not in await everything(store)
    among = await store.notices.find(NoticeKind.FAULT, "f")
    assert (read_fault(among.data).people, read_fault(among.data).checked_by) == ((BEN,), None)
    assert [message.reader for message in among.messages] == [SAM]
    assert among.shown == among.version  # nothing is sent again
    of_ben = read_access((await store.notices.find(NoticeKind.ACCESS, f"{TEAM} {BEN}")).data)
    assert (of_ben.asked_by, of_ben.connected_by, of_ben.tried[0].people) == (None, None, (SAM,))
    for kind, key in ((NoticeKind.FAULT, "alone"), (NoticeKind.ENDED, "s"), (NoticeKind.ACCESS, f"{TEAM} {ANA}")):
        assert (await store.notices.find(kind, key)).version == 0
    kept = await store.find(asked.id)
    assert kept.failure.tried[0].people == (SAM,)


@pytest.mark.parametrize(("person", "asker", "named_as"), [(ANA, ANA, None), (BEN, None, ["error", "target"])])
async def test_request_for_help_goes_with_a_forgotten_person(
    database: Database, person: UserId, asker: UserId | None, named_as: list[str] | None
) -> None:
    store = await database.open()
    key = await ask_help(store, ANA, BEN, SAM)
    others = await ask_help(store, SAM, None, ANA, BEN)
    (mine, among) = (await store.people.export(person, None))["notices"]
    assert (mine.get("data", {}).get("person"), mine.get("named_as")) == (asker, named_as)
    assert (among.keys() & {"data", "named_as"}, len(among["messages_to_person"])) == (set(), 1)
    result = await store.people.forget(person, None)
    assert (result.deleted, result.anonymized) == ({"notices": 1}, {"notices": 1})
    assert person not in await everything(store)
    assert (await store.notices.find(NoticeKind.HELP, key)).version == 0
    assert read_help((await store.notices.find(NoticeKind.HELP, others)).data).person == SAM


async def test_request_for_help_without_a_person_can_be_exported_and_forgotten(database: Database) -> None:
    """Versions before this one took out the person, and kept the notice."""
    store = await database.open()
    await notice(store, NoticeKind.HELP, "key", {"error": {"code": "x"}, "person": None, "target": BEN, "request": "r"})
    assert (await store.people.export(BEN, None))["notices"][0]["named_as"] == ["target"]
    assert (await store.people.forget(BEN, None)).anonymized == {"notices": 1}
    assert BEN not in await everything(store)


async def test_open_session_and_open_request_stay_until_they_are_over(database: Database) -> None:
    store = await database.open()
    made = await answered(store, "open")
    waiting = request()
    await store.accept(waiting)
    await store.sessions.add_post(
        PostedMessage(SessionId("open"), ChannelId("C0CARE"), "1.1", PostedMessageKind.SHARED, made.id)
    )
    result = await store.people.forget(ANA, None)
    assert (result.is_complete, result.sessions, result.requests, result.deleted) == (False, 1, 1, {})
    assert timedelta(minutes=25) < result.open_until - datetime.now(UTC) < timedelta(minutes=35)
    record = await store.sessions.session(SessionId("open"))
    assert (record.agent, record.session.join_url) == (ANA, session().join_url)
    assert (await store.find(made.id)).request.requester == ANA

    await store.sessions.end_session(SessionId("open"), None)  # its message does not say so yet
    await store.advance(waiting.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    result = await store.people.forget(ANA, None)
    assert (result.sessions, result.requests, result.deleted) == (1, 0, {})
    (due,) = await store.sessions.take_due_posts(5)
    await store.sessions.drop_post(due)
    result = await store.people.forget(ANA, None)
    assert (result.is_complete, result.deleted) == (True, {"sessions": 1})
    assert ANA not in await everything(store)


async def test_request_that_is_answered_meanwhile_is_forgotten_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await database.open()
    waiting = request()
    await store.accept(waiting)
    fetch = store.people._database.fetch

    async def fetch_and_answer(name: str, values: Mapping[str, Any]) -> Any:
        rows = await fetch(name, values)
        if name == "anonymize_requests":
            await store.advance(waiting.id, RequestState.ACCEPTED, RequestState.ANSWERED)
        return rows

    monkeypatch.setattr(store.people._database, "fetch", fetch_and_answer)
    result = await store.people.forget(ANA, None)
    assert result.is_complete
    assert ANA not in await everything(store)


async def test_message_that_is_given_up_does_not_keep_its_session(database: Database) -> None:
    store = await database.open()
    made = await answered(store, "open")
    await store.sessions.add_post(
        PostedMessage(SessionId("open"), ChannelId("C0CARE"), "1.1", PostedMessageKind.SHARED, made.id)
    )
    await database.age(25 * HOUR)
    result = await store.people.forget(ANA, None)
    assert (result.is_complete, result.deleted) == (True, {"posts": 1, "sessions": 1, "requests": 1})


async def test_second_delivery_after_forgetting_is_not_a_new_request(database: Database) -> None:
    store = await database.open()
    made = await answered(store, kind=RequestKind.END, key="command:1")
    result = await store.people.forget(ANA, None)
    assert result.anonymized == {"requests": 1}
    assert not (await store.accept(replace(made, id=request().id))).is_new
    assert (await store.find(made.id)).request.requester == "forgotten"
    await database.age(2 * HOUR)
    await store.sweep()
    assert await store.find(made.id) is None


@pytest.mark.parametrize("given", [TEAM, OTHER])
async def test_with_a_team_its_rows_and_all_notices_are_forgotten(database: Database, given: TeamId) -> None:
    """A notice may be about people of several Slack workspaces, and has the id of one of them."""
    store = await database.open()
    await fill(store, ANA)
    await answered(store, requester=ANA, team_id=OTHER)
    await answered(store, requester=ANA, team_id=OTHER, enterprise_id=TEAM)
    await notice(store, NoticeKind.FAULT, "f", fault(ANA, BEN), SAM)
    await database.age(2 * HOUR)
    found = await store.people.export(ANA, given)
    result = await store.people.forget(ANA, given)
    here = {"requests": 2, "sessions": 1, "watches": 1, "found_hosts": 1, "links": 1, "connects": 1, "connections": 1}
    assert result.deleted == {"notices": 1, **(here if given == TEAM else {"requests": 2, "links": 2})}
    assert result.anonymized == {"notices": 1}
    assert {name: len(found[name]) for name in result.deleted} == {**result.deleted, "notices": 2}
    assert (await store.people.export(ANA, None))["notices"] == []


async def test_many_rows_are_forgotten_in_small_writes(database: Database) -> None:
    store = await database.open()
    insert = """INSERT INTO requests (id, key, owner, state, kind, team_id, channel_id, requester, replaces, same,
        accepted_at) VALUES (:id, :id, 1, 'answered', 'start', 'T', 'C', 'U0ANA', false, :id, 1) RETURNING id"""
    for number in range(1100):
        await run_sql(store, insert, id=f"r{number}")
    assert (await store.people.forget(ANA, None)).deleted == {"requests": 1100}


async def test_unreadable_notice_that_names_the_person_is_deleted(database: Database) -> None:
    store = await database.open()
    await notice(store, NoticeKind.FAULT, "f", fault(ANA, BEN), SAM)
    await run_sql(store, "UPDATE notices SET data = :data RETURNING key", data='{"people": ["U0ANA"')
    assert (await store.people.forget(ANA, None)).deleted == {"notices": 1}


async def test_longer_id_is_another_person(database: Database) -> None:
    store = await database.open()
    await notice(store, NoticeKind.FAULT, "f", fault(UserId("U0ANA2"), BEN), SAM)
    result = await store.people.forget(ANA, None)
    assert (result.deleted, result.anonymized) == ({}, {})


async def test_replica_cannot_write_a_forgotten_person_back(database: Database) -> None:
    store = await database.open()
    await notice(store, NoticeKind.FAULT, "f", fault(ANA, BEN), SAM, over=False)
    read: Notice = await store.notices.find(NoticeKind.FAULT, "f")
    await store.people.forget(ANA, None)
    assert not await store.notices.save(replace(read, data=fault(ANA, BEN, SAM)))
    assert not await store.notices.store_messages(read, 0)
    assert ANA not in await everything(store)
