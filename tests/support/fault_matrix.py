"""Run the bot for the fault matrix: over TLS, with a front that injects faults before each upstream.

Tests pass the time to the bot: caches and tokens expire when a test moves the clock, and no test waits for long.
"""

import asyncio
import contextlib
import inspect
import logging
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from slack_sdk.http_retry import async_handler, builtin_async_handlers

from bot import server as serve
from bot.app import open_bot
from bot.config import settings
from bot.core.cache import Cache
from bot.core.hosts.resolver import HostResolver
from bot.core.timing import GENESYS_TIMING, CoreTiming, GenesysTiming, SlackTiming
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.client import GenesysClient
from bot.genesys.rate_limit import RateLimiter
from bot.genesys.retry import send_with_retry
from bot.sandbox.slack.server import Message
from bot.slack.api.directory import SlackDirectory
from bot.slack.api.response_url import ResponseUrls, SilentHosts
from tests.support.app import ANA, ANSWER_TIMEOUT, Servers, is_note, is_notice, open_servers
from tests.support.certificates import new_authority
from tests.support.conversations import SECRET
from tests.support.faulty_server import Front, opened

QUICK_SECONDS = 0.25
WAY_SECONDS = 2.0
SLOW = ("slow headers", "slow body")
WAYS = ("chat.postEphemeral", "/response/", "chat.postMessage", "conversations.open")
"""With a fault on one of these all else is healthy, and has its usual time."""
TWO_DAYS = 172_800.0
TIMING = GenesysTiming()
"""Of the bot in the world; `impatient` shortens it, and SLACK."""
USUAL_SLACK = SlackTiming(post_timeout=WAY_SECONDS, identify_retry_seconds=0.01)
SLACK = replace(USUAL_SLACK)
FRESH_HOSTS = CoreTiming(host_cache_seconds=0.0)  # the store has a clock of its own


@dataclass
class Clock:
    """The real clock, plus the time that was skipped."""

    skipped: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for up to 10 ms, and move the clock by `seconds`."""
        self.skipped += seconds
        await asyncio.sleep(min(seconds, 0.01))


@dataclass
class World:
    """A bot that is ready, and the fronts before its upstreams."""

    servers: Servers
    clock: Clock
    fronts: dict[str, Front]
    caplog: pytest.LogCaptureFixture

    async def outcome(self, who: str, text: str) -> Message | None:
        """Send a command, wait until the log says that it has ended, and return its outcome.

        Return None if nobody was told.
        """
        slack = self.servers.slack
        before, ended = len(slack.messages), self.ended()
        assert (await slack.command(who, text)).acked
        await self.until_ended(ended + 1)
        seen = [each for each in slack.messages[before:] if slack.workspace.can_see(who, each)]
        new = [each for each in seen if not is_note(each) and not is_notice(each)]
        return next(iter(new), None)

    async def struck(self, front: Front, fault: str, on: str, who: str, text: str) -> Message | None:
        """Return the outcome of a command that meets a fault.

        On a busy machine, a time-out may end the command before it reaches the fault, because earlier calls take
        longer, too. Then send the command again, up to four times.
        """
        if fault not in SLOW:
            return await self.outcome(who, text)
        for number in range(5):
            with impatient(on):
                message = await self.outcome(who, f"{text} {number}" if number else text)
            if front.seen_of(on):
                break
            self.clock.skipped += 200_000
        return message

    async def press(self, message: Message, action: str) -> None:
        """Press a button, and wait until the request of this press has ended."""
        ended = self.ended()
        assert (await self.servers.slack.press(ANA, message, action)).acked
        await self.until_ended(ended + 1)

    async def until_ended(self, count: int) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while self.ended() < count:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.005)

    def ended(self) -> int:
        return sum(record.name == "bot.core.requests.events" for record in self.caplog.records)

    def unforeseen(self) -> list[str]:
        """Return the log messages that have a traceback. An expected error has none."""
        return [f"{record.message}: {record.exc_info[1]!r}" for record in self.caplog.records if record.exc_info]


def _defaults(function: Any) -> dict[str, Any]:
    """Return the defaults of a function's keyword-only arguments, so that tests can change them."""
    defaults: dict[str, Any] = function.__kwdefaults__
    return defaults


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace every clock and every sleep that decides how long something is cached or waited for."""
    made = Clock()
    for thing in (TokenAuth, HostResolver, SlackDirectory, Cache, RateLimiter, SilentHosts):
        monkeypatch.setitem(_defaults(vars(thing)["__init__"]), "clock", made)
    for function in (send_with_retry, GenesysClient.__init__, RateLimiter.__init__):
        monkeypatch.setitem(_defaults(function), "sleep", made.sleep)
    monkeypatch.setitem(_defaults(ResponseUrls.__init__), "sleep", made.sleep)
    for module in (async_handler, builtin_async_handlers):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=made.sleep))
    return made


@contextmanager
def impatient(on: str = "") -> Iterator[None]:
    """Shorten the time-outs of calls during a `with` block.

    Opening a direct message keeps its time-out unless `on` is that call, because it takes longer on a busy machine.
    """
    if on not in WAYS:
        shorten(TIMING, call_timeout=QUICK_SECONDS, token_timeout=QUICK_SECONDS)
        shorten(SLACK, lookup_timeout=QUICK_SECONDS)
    shorten(SLACK, agent_timeout=QUICK_SECONDS)
    if on == "conversations.open":
        shorten(SLACK, open_timeout=QUICK_SECONDS / 2)
    try:
        yield
    finally:
        for timing, usual in ((TIMING, GENESYS_TIMING), (SLACK, USUAL_SLACK)):
            shorten(timing, **asdict(usual))


def shorten(timing: GenesysTiming | SlackTiming, **seconds: Any) -> None:
    """Change the time-outs of a running bot, which reads them at each call."""
    for name, value in seconds.items():
        object.__setattr__(timing, name, value)


def trust(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    """Make this process trust the certificates in a file, as SSL_CERT_FILE does for a separate process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.create_default_context(cafile=str(trusted))
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", context)
    assert "use_dns_cache" in inspect.signature(aiohttp.TCPConnector.__init__).parameters
    monkeypatch.setitem(_defaults(aiohttp.TCPConnector.__init__), "use_dns_cache", False)


@pytest.fixture
async def world(
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """Start the bot over HTTP. Sockets are not part of the fault matrix.

    The fixture's parameter holds further variables of the bot's environment.
    """
    caplog.set_level(logging.INFO, "bot.core.requests.events")
    authority = new_authority(tmp_path)
    trust(monkeypatch, authority.trusted)
    async with open_servers(http=True, client_secret=SECRET) as servers:
        upstreams = {"slack": servers.slack.url, "genesys": servers.genesys.url}
        fronts = {name: Front(f"{name}.test", url, authority, tmp_path) for name, url in upstreams.items()}
        fronts["hooks"] = Front("hooks.slack.com", servers.slack.url, authority, tmp_path, usual_port=True)
        servers.slack.url, servers.genesys.url = fronts["hooks"].url, fronts["genesys"].url
        async with opened(*fronts.values()):
            async with _running(servers, fronts["slack"].url, getattr(request, "param", {})):
                yield World(servers, clock, fronts, caplog)
            for front in fronts.values():
                assert not [line for line in front.seen if "/elsewhere" in line]


@asynccontextmanager
async def _running(servers: Servers, slack_url: str, more: Mapping[str, str]) -> AsyncIterator[None]:
    urls = {"GENESYS_API_URL": servers.genesys.url, "GENESYS_LOGIN_URL": servers.genesys.url}
    urls["COBROWSE_HELP_CONTACT"] = ANA  # who reads the detail of a fault
    supervisors = {"COBROWSE_SUPERVISORS": "U0SAM S0LEADS"}
    loaded = settings.load({**servers.environ, **urls, **supervisors, "SLACK_API_URL": f"{slack_url}/api/", **more})
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def serving() -> None:
        async with open_bot(loaded, FRESH_HOSTS, genesys_timing=TIMING, slack_timing=SLACK) as bot:
            await serve.run(bot, stop, on_ready=port.set_result)

    task = asyncio.create_task(serving())
    await asyncio.wait([task, port], return_when=asyncio.FIRST_COMPLETED)
    servers.slack.events_url = f"http://127.0.0.1:{port.result()}/slack/events"
    try:
        yield
    finally:
        stop.set()
        with contextlib.suppress(serve.StartError):
            await task
