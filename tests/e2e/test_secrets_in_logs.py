"""The journeys at LOG_LEVEL=DEBUG in a separate process: no secret is in anything that the bot writes.

That is the log with its tracebacks, the audit log, the metrics, the traces, and the encrypted database of SQLite or
Postgres. The traces hold no id of a person either.
"""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography.fernet import Fernet

from tests.support.app import ANA, BEN, BILLING, SAM, UNA, Servers, ended, free_port, running
from tests.support.collector import open_collector, people_of, traced
from tests.support.conversations import PUBLIC
from tests.support.postgres import new_database
from tests.support.secret_search import EMAIL, MARK, NUMBER, Told, of_postgres, of_sqlite, shown
from tests.support.session_buttons import COPY, END, POST

IN_THE_DATABASE = ("trigger ids", "payloads")
"""Kinds of which the database holds what it needs: the names of sessions, and by which key a request came."""
FAULTS = (
    "401",
    "403",
    "invalid-host",
    "bad-request",
    "502",
    "dropped",
    "cut",
    "no-join-url",
    "http-join-url",
    "redirect",
)


CHOSEN = ("GENESYS_COBROWSE_API", "GENESYS_REGION", "COBROWSE_JOIN_URL_TEMPLATE")
IN_CONVERSATIONS = {name: PUBLIC[name] for name in CHOSEN}


async def test_no_secret_is_logged_whatever_happens(tmp_path: Path) -> None:
    """Two bots run side by side.

    One uses Socket Mode, text logs, SQLite and sessions with links. The other uses HTTP, JSON logs, Postgres and
    sessions in conversations.
    """
    async with new_database() as url:
        file = tmp_path / "bot.db"
        await asyncio.gather(
            _logs_nothing(tmp_path, f"sqlite:///{file}", lambda: of_sqlite(file), {}, http=False),
            _logs_nothing(tmp_path, url, lambda: of_postgres(url), IN_CONVERSATIONS, http=True),
        )


async def _logs_nothing(
    directory: Path, url: str, dumped: Callable[[], Awaitable[str]], more: dict[str, str], *, http: bool
) -> None:
    audit, health_port, key = directory / f"audit-{http}.log", free_port(), Fernet.generate_key()
    environ = {
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json" if http else "text",
        "AUDIT_LOG": str(audit),
        "HEALTH_PORT": str(health_port),
        "DATABASE_URL": url,
        "STORE_ENCRYPTION_KEY": key.decode(),
        "COBROWSE_ADMINS": SAM,
        "COBROWSE_PERSON_STARTS_PER_MINUTE": "0",
        "COBROWSE_PERSON_INQUIRIES_PER_MINUTE": "0",
        **more,
    }
    async with (
        open_collector() as collector,
        running(directory, http=http, environ=environ | traced(collector)) as (servers, process),
    ):
        servers.genesys.conversations.set_live_count("one")
        told = Told(servers)
        await _journeys(servers, told)
        if not http:
            await servers.slack.disconnect_sockets("refresh_requested", seconds=0.1)
            await asyncio.sleep(0.3)
            await servers.slack.connected()
            await told.asks()
        left = {"metrics": await shown(f"http://127.0.0.1:{health_port}"), "database": await dumped()}
        process.send_signal(signal.SIGTERM)
        code, out, err = await ended(process, 20)

    assert code == 0
    assert out == ""
    assert err.count("answered") > 10
    assert "Traceback" in err  # some of it went as wrong as can be
    left |= {"log": err, "audit log": audit.read_text(), "database at the end": await dumped()}
    left["traces"] = collector.text()
    assert left["traces"].count("cobrowse.request.outcome") > 10
    assert not [each for each in people_of(servers) if each in left["traces"]]
    assert left["audit log"].count('"decision": "allowed"') > 8
    assert left["audit log"].count('"decision": "refused"') > 1
    assert left["metrics"].count("cobrowse_requests_total{") > 8
    assert left["database"].count("sealed:") > 8
    secrets = told.secrets() | {"key of the database": [key.decode()]}
    assert all(secrets.values())
    for kind, values in secrets.items():
        for value in values:
            assert len(value) >= 6
            for where, text in left.items():
                if not (kind in IN_THE_DATABASE and where.startswith("database")):
                    assert value not in text, (kind, where)
    assert not re.search(r"\beyJ[\w-]{10,}", err)  # an assertion
    for word in ("PRIVATE KEY", "client_assertion", "response_url=", "access_token"):
        assert not any(word in text for text in left.values())


async def _journeys(servers: Servers, told: Told) -> None:
    """Do everything that people can do with a link, with successes and errors."""
    for text, who in ((MARK, ANA), ("whoami", ANA), ("help", ANA), (MARK, UNA), (f"@ben {MARK}", SAM), (MARK, BEN)):
        await told.asks(text, who=who)
    await told.asks(f"for @ana {MARK}", who=SAM)
    await told.asks("link @una una@example.com", who=SAM)
    await told.asks("last", who=ANA)
    await told.asks()
    await told.joins()
    await told.asks("last")
    await told.asks()
    for address in (NUMBER, EMAIL):
        await told.asks_and_sends(address)
    for action in (COPY, POST, END):
        await told.asks()  # the conversation of an earlier card has ended
        await told.presses_on(action)
    for agent in (BEN, UNA, None):
        await told.runs(agent=agent, name=MARK)
    for fault in FAULTS:
        await servers.genesys.inject_fault(None)
        await servers.genesys.inject_fault(fault)
        await told.asks()
    await servers.genesys.inject_fault(None)
    await told.presses()
    await told.presses()
    for call, fault in (("token", "invalid_client"), ("token", "cut"), ("token", "not-json"), ("token", None)):
        servers.genesys.revoke_tokens()
        if fault:
            await servers.genesys.inject_fault(fault, on=call, times=1)
        await told.asks()
        await servers.genesys.inject_fault(None)
    for fault, times in (("404", 2), ("drop", 1), ("invalid_blocks", 2)):
        servers.slack.inject_fault("response_url", fault, times=times)
        await told.asks()
        await told.asks(channel_id=BILLING)
        servers.slack.inject_fault("response_url", None)
    servers.slack.inject_fault("users.info", "internal_error")
    await told.asks(who="U0GUS")
    servers.slack.inject_fault("users.info", None)
    hidden = {"text": MARK, "response_url": "http://127.0.0.1:9/response/nothing-listens-there"}
    for payload, kind in (
        ({"command": "/other", "user_id": ANA, "channel_id": "C0CARE", **hidden}, "slash_commands"),
        ({"command": "/cobrowse", **hidden}, "slash_commands"),
        ({"type": "block_actions", "actions": [{"action_id": "x", "block_id": MARK}], **hidden}, "interactive"),
        ({"type": "event_callback", "event": {"type": "message", "text": MARK}}, "events_api"),
    ):
        await told.sends(payload, kind)


async def test_a_search_for_secrets_would_find_one(tmp_path: Path) -> None:
    """The servers saw the same secrets, so the search in the other test looks for the right texts."""
    async with running(tmp_path, http=False, environ={"LOG_LEVEL": "DEBUG"}) as (servers, _):
        told = Told(servers)
        await told.asks()
        seen = str([message.blocks for message in servers.slack.messages])
        assert all(url in seen for url in told.secrets()["join URLs"])
        assert MARK in seen
