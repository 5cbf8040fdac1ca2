"""The journeys at LOG_LEVEL=DEBUG in a process of its own: nothing that is a secret stands in what it writes."""

import asyncio
import re
import signal
from pathlib import Path

from journey import ANA, BEN, BILLING, SAM, UNA, Servers, ended, is_note, running

from bot.sandbox import world
from bot.sandbox.slack import Delivery

MARK = "Zanzibar checkout"
"""In every session's name: payloads are not logged, so no word of one may be."""
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
        self._authorizations: list[str] = []
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
            "trigger ids": [each.trigger_id for each in self._deliveries if each.trigger_id],
            "payloads": [MARK, "Zanzibar", "customer-care", "trigger_id"],
        }


async def test_no_secret_is_logged_whatever_happens(tmp_path: Path) -> None:
    """Socket Mode with lines of text, and HTTP with lines of JSON, side by side."""
    await asyncio.gather(_logs_nothing(tmp_path, http=False), _logs_nothing(tmp_path, http=True))


async def _logs_nothing(directory: Path, *, http: bool) -> None:
    environ = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json" if http else "text"}
    async with running(directory, http=http, environ=environ) as (servers, process):
        told = Told(servers)
        await _journeys(servers, told)
        if not http:
            await servers.slack.disconnect_sockets("refresh_requested", seconds=0.1)
            await asyncio.sleep(0.3)
            await servers.slack.connected()
            await told.asks()
        process.send_signal(signal.SIGTERM)
        code, out, err = await ended(process, 20)

    assert code == 0
    assert out == ""
    assert err.count("answered") > 10
    assert "Traceback" in err  # some of it went as wrong as can be
    secrets = told.secrets()
    assert all(secrets.values())
    for kind, values in secrets.items():
        for value in values:
            assert len(value) >= 6
            assert value not in err, kind
    assert not re.search(r"\beyJ[\w-]{10,}", err)  # an assertion
    for word in ("PRIVATE KEY", "client_assertion", "response_url=", "access_token"):
        assert word not in err


async def _journeys(servers: Servers, told: Told) -> None:
    """What can go well and wrong between a person and a link."""
    for text, who in ((MARK, ANA), ("whoami", ANA), ("help", ANA), (MARK, UNA), (f"@ben {MARK}", SAM), (MARK, BEN)):
        await told.asks(text, who=who)
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
