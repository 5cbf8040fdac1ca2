"""The journeys at LOG_LEVEL=DEBUG in a process of its own: nothing that is a secret stands in what it leaves behind.

That is the log with its tracebacks, the audit log, the metrics, and the encrypted database.
"""

import asyncio
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from journey import ANA, BEN, BILLING, SAM, UNA, Servers, ended, free_port, is_note, running
from test_health import get

from bot.sandbox import world
from bot.sandbox.slack import Delivery, Execution
from bot.slack.steps import CALLBACK_ID

MARK = "Zanzibar checkout"
"""In every session's name: payloads are not logged, so no word of one may be."""
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


class Told:
    """A stay in the world of a bot: what was sent to it, and everything it must keep to itself."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._deliveries: list[Delivery] = []
        self._tickets: list[str] = []
        self._executions: list[Execution] = []
        make = servers.slack.sockets.ticket

        def ticket() -> str:
            self._tickets.append(made := make())
            return made

        servers.slack.sockets.ticket = ticket  # type: ignore[method-assign]

    async def asks(self, text: str = MARK, *, who: str = ANA, channel_id: str | None = None) -> None:
        slack = self._servers.slack
        before = len(slack.messages)
        if MARK in text:  # with the same words they would be given the session of before
            text = f"{text} {len(self._deliveries)}"
        self._deliveries.append(await slack.command(who, text, channel_id=channel_id))
        await slack.workspace.until(lambda: [each for each in slack.messages[before:] if not is_note(each)], 15)

    async def presses(self) -> None:
        slack = self._servers.slack
        message = next(message for message in reversed(slack.seen_by(ANA)) if "try_again" in str(message.blocks))
        self._deliveries.append(await slack.press(ANA, message, "try_again"))
        await asyncio.sleep(0.2)

    async def presses_on(self, action: str) -> None:
        """A button of the newest card, and what comes of it."""
        slack = self._servers.slack
        before = len(slack.messages)
        message = next(message for message in reversed(slack.seen_by(ANA)) if action in str(message.blocks))
        self._deliveries.append(await slack.press(ANA, message, action))
        await slack.workspace.until(lambda: len(slack.messages) > before or message.replaced, 15)

    async def runs(self, **inputs: Any) -> None:
        """The step of a workflow."""
        execution = await self._servers.slack.function_executed(CALLBACK_ID, inputs)
        self._executions.append(execution)
        await self._servers.slack.workspace.until(lambda: execution.status != "running", 15)

    async def sends(self, payload: dict[str, object], kind: str) -> None:
        self._deliveries.append(await self._servers.slack.send(payload, kind))  # type: ignore[arg-type]

    def secrets(self) -> dict[str, list[str]]:
        """Every secret there was, by its kind."""
        servers = self._servers
        keys: world.Keys = servers.keys
        urls = [str(each.payload["response_url"]) for each in self._deliveries if "response_url" in each.payload]
        joins = [session.join_url for session in servers.genesys.sessions.values()]
        return {
            "keys": [keys.bot_token, keys.app_token, keys.signing_secret, "a-client-secret"],
            "private key": [line for line in keys.private_pem.splitlines() if line],
            "access tokens": [each.headers["Authorization"].split()[1] for each in servers.genesys.creates],
            "response_urls": [part for url in urls for part in (url, url.rsplit("/", 1)[1])],
            "join URLs": [part for url in joins for part in (url, url.rsplit("/", 1)[1])],
            "addresses": [*(user.email for user in world.SLACK_USERS if user.email), "@example.com"],
            "tickets": [*self._tickets, "ticket="],
            "tokens of steps": [each.bot_access_token for each in self._executions],
            "trigger ids": [each.trigger_id for each in self._deliveries if each.trigger_id],
            "payloads": [MARK, "Zanzibar", "customer-care", "trigger_id"],
        }


async def test_no_secret_is_logged_whatever_happens(tmp_path: Path) -> None:
    """Socket Mode with lines of text, and HTTP with lines of JSON, side by side."""
    await asyncio.gather(_logs_nothing(tmp_path, http=False), _logs_nothing(tmp_path, http=True))


async def _logs_nothing(directory: Path, *, http: bool) -> None:
    directory = directory / ("http" if http else "socket")
    directory.mkdir()
    audit, database, health_port, key = (
        directory / "audit.log",
        directory / "bot.db",
        free_port(),
        Fernet.generate_key(),
    )
    environ = {
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json" if http else "text",
        "AUDIT_LOG": str(audit),
        "HEALTH_PORT": str(health_port),
        "DATABASE_URL": f"sqlite:///{database}",
        "STORE_ENCRYPTION_KEY": key.decode(),
        "COBROWSE_ADMINS": SAM,
        "COBROWSE_PERSON_STARTS_PER_MINUTE": "0",
    }
    async with running(directory, http=http, environ=environ) as (servers, process):
        told = Told(servers)
        await _journeys(servers, told)
        if not http:
            await servers.slack.disconnect_sockets("refresh_requested", seconds=0.1)
            await asyncio.sleep(0.3)
            await servers.slack.connected()
            await told.asks()
        left = {"metrics": await shown(f"http://127.0.0.1:{health_port}"), "database": dumped(database)}
        process.send_signal(signal.SIGTERM)
        code, out, err = await ended(process, 20)

    assert code == 0
    assert out == ""
    assert err.count("answered") > 10
    assert "Traceback" in err  # some of it went as wrong as can be
    left |= {"log": err, "audit log": audit.read_text(), "database at the end": dumped(database)}
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


async def shown(url: str) -> str:
    """Whatever can be asked for without being asked who one is."""
    return "\n".join([str(await get(url + path)) for path in ("/metrics", "/readyz", "/healthz")])


def dumped(path: Path) -> str:
    """All that stands in the database, and all that its files hold beside, deleted rows and the log of writes too."""
    connection = sqlite3.connect(path)
    text = "\n".join(connection.iterdump())
    connection.close()
    return text + "".join(each.read_bytes().decode("latin-1") for each in path.parent.glob(f"{path.name}*"))


async def _journeys(servers: Servers, told: Told) -> None:
    """What can go well and wrong between a person and a link."""
    for text, who in ((MARK, ANA), ("whoami", ANA), ("help", ANA), (MARK, UNA), (f"@ben {MARK}", SAM), (MARK, BEN)):
        await told.asks(text, who=who)
    await told.asks(f"for @ana {MARK}", who=SAM)
    await told.asks("link @una una@example.com", who=SAM)
    await told.asks("last", who=ANA)
    for action in ("send_session", "share_session", "end_session"):
        await told.presses_on(action)
    for agent in (BEN, UNA, None):
        await told.runs(agent=agent, name=MARK)
    for fault in FAULTS:
        await servers.genesys.misbehave(None)
        await servers.genesys.misbehave(fault)
        await told.asks()
    await servers.genesys.misbehave(None)
    await told.presses()
    await told.presses()
    for call, fault in (("token", "invalid_client"), ("token", "cut"), ("token", "not-json"), ("token", None)):
        await servers.genesys.misbehave("403", times=1)  # the token is dropped
        await told.asks()
        if fault:
            await servers.genesys.misbehave(fault, on=call, times=1)
        await told.asks()
        await servers.genesys.misbehave(None)
    for fault, times in (("404", 2), ("drop", 1), ("invalid_blocks", 2)):
        servers.slack.misbehave("response_url", fault, times=times)
        await told.asks()
        await told.asks(channel_id=BILLING)
        servers.slack.misbehave("response_url", None)
    servers.slack.misbehave("users.info", "internal_error")
    await told.asks(who="U0GUS")
    servers.slack.misbehave("users.info", None)
    hidden = {"text": MARK, "response_url": "http://127.0.0.1:9/response/nothing-listens-there"}
    for payload, kind in (
        ({"command": "/other", "user_id": ANA, "channel_id": "C0CARE", **hidden}, "slash_commands"),
        ({"command": "/cobrowse", **hidden}, "slash_commands"),
        ({"type": "block_actions", "actions": [{"action_id": "x", "block_id": MARK}], **hidden}, "interactive"),
        ({"type": "event_callback", "event": {"type": "message", "text": MARK}}, "events_api"),
    ):
        await told.sends(payload, kind)


async def test_a_search_for_secrets_would_find_one(tmp_path: Path) -> None:
    """The same words are in what the servers saw, so the search above looks for the right things."""
    async with running(tmp_path, http=False, environ={"LOG_LEVEL": "DEBUG"}) as (servers, _):
        told = Told(servers)
        await told.asks()
        seen = str([message.blocks for message in servers.slack.messages])
        assert all(url in seen for url in told.secrets()["join URLs"])
        assert MARK in seen
