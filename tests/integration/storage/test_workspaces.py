"""Several workspaces on one database, and one of them attacks: it finds, changes and counts nothing of another one."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import HostNotFoundError
from bot.core.models import (
    ChannelId,
    ConversationId,
    Host,
    HostId,
    LinkedAccount,
    MembershipStatus,
    NoticeKind,
    PendingAuthorization,
    PostedMessage,
    PostedMessageKind,
    RequestId,
    RequestKind,
    RequestState,
    SessionId,
    SessionPhase,
    SessionRecord,
    SessionState,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.ports import Accepted, HostCache, HostLinkRepository, RequestRepository
from bot.storage.repositories.accounts import AccountTable
from bot.storage.repositories.notices import NoticeTable
from bot.storage.repositories.people import PeopleTable
from bot.storage.repositories.sessions import SessionTable
from bot.storage.repositories.watches import WatchTable
from bot.storage.schema import TABLES
from bot.storage.scope import SEPARATOR
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, die, request, run_sql, session, taken_over

database = storage_support.database
BEN = UserId("U0BEN")
URL = "https://hooks.slack.com/commands/secret"
CHANNEL = ChannelId("C0CARE")
AGENT = SlackUser(TEAM, ANA, "Ana", MembershipStatus.MEMBER)
Forge = Callable[[str], str]
Call = Callable[[Any, Forge], Awaitable[Any]]


async def fill(view: Any) -> None:
    """Store something in every table, with the same ids in each workspace, and names that tell the workspace."""
    of = f"of {view._scope.name}"
    open_one = request(id=RequestId("r-1"), key="command:1", name="Checkout")
    await view.accept(open_one)
    one = replace(session("s-1"), name=of, conversation_id=ConversationId("c-1"))
    assert await view.advance(open_one.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    await view.accept(request(id=RequestId("r-2"), key="command:2", kind=RequestKind.END))
    failed = request(id=RequestId("r-3"), key="command:3", target=BEN)
    await view.accept(failed)
    no_host = HostNotFoundError(BEN, is_target=True, tried=())
    await view.advance(failed.id, RequestState.ACCEPTED, RequestState.FAILED, failure=no_host)
    await view.advance(failed.id, RequestState.FAILED, RequestState.ANSWERED)
    await view.sessions.add_post(post())
    await view.watches.watch(SessionId("s-1"), URL, 2, 60, 0)
    await view.link([(TEAM, ANA, HostId(f"linked {of}")), (None, BEN, HostId(f"any {of}"))])
    await view.keep_found(TEAM, ANA, Host(HOST, of), 3600)
    await view.connections.begin(PendingAuthorization((TEAM, ANA), TEAM, None, f"verifier {of}"), "hash", 600)
    await view.connections.connect(LinkedAccount((TEAM, ANA), HOST, f"token {of}"))
    found = await view.notices.find(NoticeKind.FAULT, "fault")
    assert await view.notices.save(replace(found, team_id=TEAM, data={"of": of, "people": [ANA]}))


def post(session_id: str = "s-1", ts: str = "1.1") -> PostedMessage:
    return PostedMessage(SessionId(session_id), CHANNEL, ts, PostedMessageKind.SHARED, RequestId("r-1"))


async def rows_of(store: Any, name: str) -> dict[str, list[str]]:
    """Return everything that a workspace has stored."""
    return {
        table: sorted(
            map(str, await run_sql(store, f"SELECT * FROM {table} WHERE workspace = :workspace", workspace=name))
        )
        for table in TABLES
    }


async def holding(view: Any, my: Forge) -> Any:
    async with view.connections.holding((my(TEAM), ANA)) as locked:
        if locked:
            await locked.renew("stolen")
        return locked


async def notice(view: Any, my: Forge) -> Any:
    """Return a notice with a victim's key as if the attacker had read it."""
    blank = await view.notices.find(NoticeKind.FAULT, my("fault"))
    return replace(blank, team_id=my(TEAM), version=1, takes=1, data={"of": "the attacker"})


async def record(view: Any, my: Forge) -> SessionRecord:
    """Return a victim's session as if the attacker had read it."""
    now = (await view.notices.find(NoticeKind.FAULT, "none")).read_at
    return SessionRecord(
        session=replace(session(), id=SessionId(my("s-1"))),
        team_id=TeamId(my(TEAM)),
        requester=ANA,
        agent=ANA,
        is_over=False,
        request_id=RequestId(my("r-1")),
        channel_id=CHANNEL,
        started_at=now,
        read_at=now,
    )


async def accepted(view: Any, my: Forge) -> Any:
    """Type the victim's command with the victim's key."""
    asked = request(id=RequestId(my("r-1")), key=my("command:1"), name="Checkout", team_id=TeamId(my(TEAM)))
    return await view.accept(asked, replace(AGENT, team_id=TeamId(my(TEAM))))


async def accepted_of_two_ids(view: Any, my: Forge) -> Any:
    asked = request(id=RequestId(my("r-0")), key=my("command:0"), team_id=TeamId(my(TEAM)))
    return await view.accept(asked, replace(AGENT, team_id=TeamId(my(TEAM)), other_id=BEN))


async def taken(view: Any, my: Forge) -> Any:
    return await view.notices.take(await notice(view, my), 30)


async def saved(view: Any, my: Forge) -> Any:
    return await view.notices.save(await notice(view, my))


async def told(view: Any, my: Forge) -> Any:
    return await view.notices.store_messages(await notice(view, my), 30)


async def joined(view: Any, my: Forge) -> Any:
    return await view.sessions.record_joined(await record(view, my), None, 900)


async def over(view: Any, my: Forge) -> Any:
    return await view.sessions.record_over(await record(view, my), SessionState(SessionPhase.OVER))


async def found_notice(view: Any, my: Forge) -> Any:
    return (await view.notices.find(NoticeKind.FAULT, my("fault"))).data


async def forgotten(view: Any, my: Forge) -> Any:
    gone = await view.people.forget(ANA, None)
    return gone.deleted, gone.anonymized, gone.sessions, gone.requests


async def meant(view: Any, my: Forge) -> Any:
    asked = request(id=RequestId(my("r-2")), team_id=TeamId(my(TEAM)), kind=RequestKind.END)
    return await view.sessions.meant_by(asked, 9)


async def exported(view: Any, my: Forge) -> Any:
    return {table: rows for table, rows in (await view.people.export(ANA, None)).items() if rows}


async def connected(view: Any, my: Forge) -> None:
    await view.connections.connect(LinkedAccount((TeamId(my(TEAM)), ANA), HOST, "the attacker's token"))


async def begun(view: Any, my: Forge) -> None:
    pending = PendingAuthorization((TeamId(my(TEAM)), ANA), TeamId(my(TEAM)), None, "the attacker's verifier")
    await view.connections.begin(pending, my("hash"), 600)


async def linked_for_all(view: Any, my: Forge) -> Any:
    return await view.link([(TeamId(my(TEAM)), ANA, HOST), (None, BEN, HOST)])


ATTACKS: dict[str, tuple[Call, Any]] = {
    # First those that read or need a row, then those that write the attacker's own row.
    "find": (lambda view, my: view.find(my("r-1")), None),
    "find_by_key": (lambda view, my: view.find_by_key(my("command:1")), None),
    "orphans": (lambda view, my: view.orphans(), []),
    "advance": (lambda view, my: view.advance(my("r-1"), RequestState.CREATED, RequestState.ANSWERED), False),
    "advance with a session": (
        lambda view, my: view.advance(
            my("r-2"), RequestState.ACCEPTED, RequestState.CREATED, session=session(my("s-1"))
        ),
        False,
    ),
    "linked": (lambda view, my: view.linked(my(TEAM), ANA), None),
    "linked for every team": (lambda view, my: view.linked(my(TEAM), BEN), None),
    "found": (lambda view, my: view.found(my(TEAM), ANA), None),
    "drop_found": (lambda view, my: view.drop_found(my(TEAM), ANA), None),
    "links": (lambda view, my: view.links(), []),
    "unlink": (lambda view, my: view.unlink(my(TEAM), ANA), False),
    "unlink for every team": (lambda view, my: view.unlink(None, BEN), False),
    "unlink for a forged team": (lambda view, my: view.unlink(my(""), BEN), False),
    "sessions.session": (lambda view, my: view.sessions.session(my("s-1")), None),
    "sessions.last_session": (lambda view, my: view.sessions.last_session(my(TEAM), ANA), None),
    "sessions.open_sessions": (lambda view, my: view.sessions.open_sessions(my(TEAM), ANA, 9), []),
    "sessions.live_sessions": (lambda view, my: view.sessions.live_sessions(my(TEAM), [], 9, 0), ([], 0)),
    "sessions.open_by_conversation": (lambda view, my: view.sessions.open_by_conversation(my(TEAM), [ANA]), {}),
    "sessions.meant_by": (meant, []),
    "sessions.name_ending": (lambda view, my: view.sessions.name_ending(my("r-2"), "s-9"), None),
    "sessions.end_session": (lambda view, my: view.sessions.end_session(my("s-1"), my("r-2")), False),
    "sessions.record_joined": (joined, False),
    "sessions.keep_joined": (lambda view, my: view.sessions.keep_joined(my("s-1"), 9000), None),
    "sessions.record_over": (over, False),
    "sessions.add_post": (lambda view, my: view.sessions.add_post(post(my("s-1"), "2.2")), False),
    "sessions.posts": (lambda view, my: view.sessions.posts(my("s-1")), []),
    "sessions.take_due_posts": (lambda view, my: view.sessions.take_due_posts(9), []),
    "sessions.postpone_post": (lambda view, my: view.sessions.postpone_post(post(my("s-1"))), None),
    "sessions.drop_post": (lambda view, my: view.sessions.drop_post(post(my("s-1"))), None),
    "watches.watch": (lambda view, my: view.watches.watch(my("s-1"), URL, 2, 60, 0), False),
    "watches.take_due": (lambda view, my: view.watches.take_due(9, 60), []),
    "watches.pause": (lambda view, my: view.watches.pause(my("s-1"), 900, looked=True), None),
    "watches.hasten": (lambda view, my: view.watches.hasten(ConversationId("c-1")), []),
    "watches.hasten all": (lambda view, my: view.watches.hasten(None), []),
    "watches.watched": (lambda view, my: view.watches.watched(9), []),
    "watches.take_reply": (lambda view, my: view.watches.take_reply(my("s-1"), is_last=False), None),
    "watches.take_reply for the last time": (lambda view, my: view.watches.take_reply(my("s-1"), is_last=True), None),
    "connections.take": (lambda view, my: view.connections.take(my("hash")), None),
    "connections.connection": (lambda view, my: view.connections.connection((my(TEAM), ANA)), None),
    "connections.disconnect": (lambda view, my: view.connections.disconnect((my(TEAM), ANA)), None),
    "connections.holding": (holding, None),
    "notices.find": (found_notice, {}),
    "notices.save": (saved, False),
    "notices.pending": (lambda view, my: view.notices.pending(9), []),
    "notices.take": (taken, None),
    "notices.store_messages": (told, False),
    "notices.without_host": (lambda view, my: view.notices.without_host(my(TEAM), 3600, 9), []),
    "notices.outcomes": (lambda view, my: view.notices.outcomes(my(TEAM), 3600), []),
    "people.export": (exported, {}),
    "people.forget": (forgotten, ({}, {}, 0, 0)),
    "accept": (accepted, Accepted(True, state=RequestState.CREATING)),
    "accept of two ids": (accepted_of_two_ids, Accepted(True, state=RequestState.CREATING)),
    "link": (linked_for_all, None),
    "keep_found": (lambda view, my: view.keep_found(my(TEAM), ANA, Host(HOST, "the attacker's rule"), 60), None),
    "connections.begin": (begun, None),
    "connections.connect": (connected, None),
}
"""Each method of each repository: how an attacker calls it with the victim's ids, and what it returns then."""
WHOLE = {"sweep", "shared"}
"""What every workspace does for the whole database, or with nothing that is stored."""


def as_it_is(text: str) -> str:
    return text


def methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


def test_every_method_of_every_repository_is_attacked() -> None:
    parts = {
        "sessions": SessionTable,
        "watches": WatchTable,
        "connections": AccountTable,
        "notices": NoticeTable,
        "people": PeopleTable,
    }
    known = {f"{part}.{name}" for part, kind in parts.items() for name in methods(kind)}
    known |= (methods(RequestRepository) | methods(HostCache) | methods(HostLinkRepository)) - WHOLE
    assert {attack.partition(" ")[0] for attack in ATTACKS} == known


@pytest.mark.parametrize(
    ("victim", "attacker", "prefix"),
    [
        ("eu", "us", ""),
        ("eu", "", ""),
        ("", "eu", ""),
        ("eu", "us", f"eu{SEPARATOR}"),
        ("eu", "", f"eu{SEPARATOR}"),
        ("", "eu", SEPARATOR),
        ("eu", "e", f"u{SEPARATOR}"),
    ],
)
async def test_workspace_gets_at_nothing_of_another_one(
    database: Database, victim: str, attacker: str, prefix: str
) -> None:
    store = await database.open()
    await fill(store.in_workspace(victim))
    before = await rows_of(store, victim)
    assert all(before.values()), "the victim has something in each table"
    attacking = store.in_workspace(attacker)
    await database.age(0.01)  # what is due at once is due
    before = await rows_of(store, victim)
    for name, (attack, expected) in ATTACKS.items():
        assert await attack(attacking, lambda text: f"{prefix}{text}") == expected, name
        assert await rows_of(store, victim) == before, name


@pytest.mark.parametrize(("victim", "other"), [("eu", "us"), ("eu", ""), ("", "eu")])
async def test_workspaces_with_the_same_ids_live_side_by_side(database: Database, victim: str, other: str) -> None:
    """The second one does everything with its own rows, which have the ids, keys, people and hashes of the first."""
    store = await database.open()
    await fill(store.in_workspace(victim))
    before = await rows_of(store, victim)
    second = store.in_workspace(other)
    await fill(second)
    assert await rows_of(store, victim) == before
    of, kept = f"of {other}", await second.find(RequestId("r-1"))
    assert (kept.request.key, kept.request.team_id, kept.session.name) == ("command:1", TEAM, of)
    assert (await second.sessions.session(SessionId("s-1"))).session.name == of
    assert await second.linked(TEAM, ANA) == f"linked {of}"
    assert await second.linked(TEAM, BEN) == f"any {of}"
    assert [each[:2] for each in await second.links()] == [(TEAM, ANA), (None, BEN)]
    assert (await second.found(TEAM, ANA))[0].rule == of
    assert (await second.notices.find(NoticeKind.FAULT, "fault")).data["of"] == of
    again = await second.accept(request(id=RequestId("r-9"), name="Checkout"), AGENT)
    assert (again.linked, again.other_open.id, again.other_open.name) == (f"linked {of}", "s-1", of)
    assert not (await second.accept(request(key="command:1"))).is_new
    assert [each.id for each in await second.watches.watched(9)] == ["s-1"]
    assert (await second.connections.take("hash")).verifier == f"verifier {of}"
    assert (await second.connections.connection((TEAM, ANA))).refresh_token == f"token {of}"
    for name, (attack, _) in ATTACKS.items():
        await attack(second, as_it_is)
        assert await rows_of(store, victim) == before, name
    assert (await second.people.forget(ANA, None)).is_complete is False
    assert await rows_of(store, victim) == before


async def test_duplicate_is_one_of_the_same_workspace_alone(database: Database) -> None:
    store = await database.open()
    eu, us = store.in_workspace("eu"), store.in_workspace("us")
    first = request(name="Checkout")
    assert (await eu.accept(first)).is_new
    assert (await us.accept(request(name="Checkout"))).duplicate_of is None
    assert (await eu.accept(request(name="Checkout"))).duplicate_of == first.id


async def test_id_that_looks_like_one_of_a_workspace_is_kept_apart(database: Database) -> None:
    """A Genesys organization may give any id. The workspace without a name reads its own ones back as they were."""
    store = await database.open()
    eu, forged = store.in_workspace("eu"), SessionId(f"eu{SEPARATOR}s-1")
    await fill(eu)
    before = await rows_of(store, "eu")
    asked = request()
    await store.accept(asked)
    assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(forged))
    assert (await store.sessions.session(forged)).session.id == forged
    assert (await store.find(asked.id)).session.id == forged
    assert await store.sessions.end_session(forged, None)
    assert await rows_of(store, "eu") == before


@pytest.mark.parametrize("column", ["team_id", "same_as", "session_id"])
async def test_row_with_an_id_of_another_workspace_is_not_read(
    database: Database, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = await database.open()
    for name in ("", "eu"):
        view = store.in_workspace(name)
        await fill(view)
        statement = f"UPDATE requests SET {column} = 'us|stolen' WHERE workspace = :workspace"
        await run_sql(store, statement, workspace=name)
        assert await view.find(RequestId("r-1")) is None
    assert [each.getMessage() for each in caplog.records] == ["a row of the database cannot be read"] * 2


async def test_work_of_a_workspace_that_nobody_runs_is_left_alone(database: Database) -> None:
    store = await database.open()
    await fill(store.in_workspace("gone"))
    await die(store)
    await database.age(100)
    again = await database.open(exclusive=False)
    before = await rows_of(again, "gone")
    for name in ("", "eu"):
        view = again.in_workspace(name)
        unfinished = request(id=RequestId(f"of {name}"))
        await view.accept(unfinished)
    await die(again)
    last = await database.open(exclusive=False)
    for name in ("", "eu"):
        view = last.in_workspace(name)
        ((found,),) = await taken_over(view)
        assert found.request.id == f"of {name}"
        assert await view.sessions.take_due_posts(9) == []
        assert await view.watches.take_due(9, 60) == []
        assert await view.notices.pending(9) == []
    assert await rows_of(last, "gone") == before


async def test_each_workspace_takes_over_its_own_requests(database: Database) -> None:
    store = await database.open()
    for name in ("", "eu", "us"):
        await fill(store.in_workspace(name))
    await die(store)
    again = await database.open(exclusive=False)
    for name in ("us", "", "eu"):
        view = again.in_workspace(name)
        (kept,) = await taken_over(view)
        assert [(each.request.id, each.request.team_id) for each in kept] == [("r-1", TEAM), ("r-2", TEAM)]
        assert kept[0].session.name == f"of {name}"
        assert await view.advance(RequestId("r-1"), RequestState.CREATED, RequestState.ANSWERED)
        assert await view.orphans() == []


async def test_what_is_about_the_whole_database_is_the_same_everywhere(database: Database) -> None:
    store = await database.open()
    for name in ("", "eu"):
        await fill(store.in_workspace(name))
    assert await store.in_workspace("us").is_leader() == await store.is_leader()
    assert await store.in_workspace("eu").secrets.count() == await store.secrets.count()
    assert (await store.secrets.count()).newest >= 10


async def test_old_rows_of_a_workspace_that_nobody_runs_are_deleted(database: Database) -> None:
    """Only an administrator deletes a link."""
    store = await database.open()
    for name in ("", "gone"):
        await fill(store.in_workspace(name))
    await database.age(29 * 86_400)
    await store.in_workspace("us").sweep()
    left = await rows_of(store, "gone")
    assert [len(left[table]) for table in ("requests", "posts", "watches")] == [3, 1, 0]
    await database.age(4 * 86_400)
    await store.in_workspace("us").sweep()
    left = await rows_of(store, "gone")
    assert {table for table in TABLES if left[table]} == {"links"}


async def test_old_rows_from_before_the_workspaces_are_deleted(database: Database) -> None:
    """They are of the single bot that ran here before. When it runs itself, its unfinished work waits for it."""
    store = await database.open()
    await fill(store)
    await database.age(33 * 86_400)
    await store.sweep()
    left = await rows_of(store, "")
    assert [len(left[table]) for table in ("requests", "posts")] == [2, 1]
    await store.in_workspace("us").sweep()
    left = await rows_of(store, "")
    assert {table for table in TABLES if left[table]} == {"links"}


@pytest.mark.parametrize("name", ["EU", "-eu", "eu|us", "e u", "x" * 32, "eu\n"])
async def test_malformed_name_of_a_workspace_is_refused(database: Database, name: str) -> None:
    store = await database.open()
    with pytest.raises(ValueError, match="no name of a workspace"):
        store.in_workspace(name)
