"""Starts the sandbox: its Slack, its Genesys, and the real bot connected to both over real sockets.

Either for one command, whose answer is printed, or with the page, until it is stopped.
"""

import asyncio
import contextlib
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot import server as serve
from bot.app import open_bot
from bot.config import settings
from bot.observability import logging as logs
from bot.sandbox import world
from bot.sandbox.genesys import faults as genesys_faults
from bot.sandbox.genesys.api.conversations import CHOICES
from bot.sandbox.genesys.server import SandboxGenesys
from bot.sandbox.plain_text import Answer
from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.web.presentation import ConversationChoice
from bot.sandbox.web.server import SandboxPage
from bot.sandbox.world import ROLES
from bot.slack.receivers.http import PATH

FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 4.0},
    "401": {},
    "403": {},
    "invalid-host": {},
    "unknown-application": {},
    "429": {"times": 1, "retry_after": 5},
    "500-twice": {},
    "500": {},
    "dropped": {},
    "no-join-url": {},
    "down": {},
    "user-context": {},
    "active-conversation": {"on": "sms"},
}
"""What one can make Genesys do, and how it does it here: a limit that never lifts would only make one wait."""
PUBLIC_ONLY, SESSIONS_ONLY = ("user-context",), ("unknown-application", "no-join-url")
"""Conversations know neither applications nor join URLs, and sessions need no person who has signed in."""

__all__ = ["CHOICES", "FAULTS", "ROLES", "faults_of", "open_page", "open_sandbox", "run_once", "serve_page"]

Traffic = Callable[[dict[str, Any]], None]


def faults_of(conversations: str | None) -> list[str]:
    """Those of FAULTS that the API in use can have."""
    others = SESSIONS_ONLY if conversations else PUBLIC_ONLY
    return [name for name in FAULTS if name not in others]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The two servers, and a way to end the bot: it finishes what it has accepted."""

    slack: SandboxSlack
    genesys: SandboxGenesys
    finish: Callable[[], Awaitable[None]]

    async def misbehave(self, fault: str | None) -> None:
        """Makes Genesys do one of FAULTS, and nothing else; None: behave."""
        await self.genesys.misbehave(None)
        self.genesys.conversations.only_people = fault == "user-context"
        self.genesys.applications = world.OTHER_APPLICATIONS if fault == "unknown-application" else world.APPLICATIONS
        if fault in FAULTS and fault not in ("unknown-application", "user-context"):
            await self.genesys.misbehave(fault, **FAULTS[fault])


@asynccontextmanager
async def open_sandbox(
    *, http: bool, conversations: str | None = None, on_traffic: Traffic | None = None
) -> AsyncIterator[Sandbox]:
    """Everything started and connected. With one of CHOICES as `conversations` the public Genesys Cloud API is used."""
    keys = world.Keys()
    slack = SandboxSlack(
        bot_token=keys.bot_token,
        app_token=keys.app_token,
        signing_secret=keys.signing_secret,
        users=world.SLACK_USERS,
        channels=world.CHANNELS,
        shortcuts=world.SHORTCUTS,
        steps=world.STEPS,
        on_traffic=on_traffic,
    )
    genesys = SandboxGenesys(
        public_key_pem=keys.public_pem,
        client_id="sandbox-client",
        org_id="sandbox-org",
        client_secret=keys.client_secret,
        users=world.GENESYS_USERS,
        on_traffic=on_traffic,
    )
    await slack.start()
    await genesys.start()
    try:
        environ = world.environ(keys, slack.api_url, genesys.url, http=http)
        if conversations is not None:
            environ |= world.public_environ(keys, genesys.url)
            genesys.conversations.choose(conversations)
            connect, genesys.people.client = world.connect_environ(keys, _free_port())
            environ |= connect  # over Socket Mode, too: there `connect` says that it takes HTTP
        loaded = settings.load(environ)
        async with _running(loaded, slack) as finish:
            yield Sandbox(slack, genesys, finish)
    finally:
        await genesys.stop()
        await slack.stop()


@asynccontextmanager
async def _running(loaded: settings.Settings, slack: SandboxSlack) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The real bot, ready for commands."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serving() -> None:
        async with open_bot(loaded) as bot:
            await serve.run(bot, stop, on_ready=port.set_result)

    task = asyncio.create_task(serving())

    async def finish() -> None:
        stop.set()
        await task

    first: list[asyncio.Future[Any]] = [task, port]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    if loaded.slack.mode == "http":
        slack.events_url = f"http://127.0.0.1:{port.result()}{PATH}"
    else:
        await slack.connected()
    try:
        yield finish
    finally:
        await finish()


async def run_once(
    line: str, role: str, *, fault: str | None = None, http: bool = False, conversations: str | None = None
) -> Answer:
    """Types one command, and returns all that the person reads, once the bot has answered."""
    logs.set_up("ERROR", as_json=False)
    person = ROLES[role]
    async with open_sandbox(http=http, conversations=conversations) as sandbox:
        await sandbox.misbehave(fault)
        command, _, text = line.strip().partition(" ")
        delivery = await sandbox.slack.command(person, text, command=command)
        await sandbox.finish()
        names = {user.id: user.real_name for user in world.SLACK_USERS}
        return Answer(sandbox.slack.seen_by(person), delivery.ack_ms, names)


@asynccontextmanager
async def open_page(
    port: int, *, fault: str | None = None, http: bool = False, conversations: str | None = None
) -> AsyncIterator[SandboxPage]:
    """The sandbox with its page. Raises PermissionDeniedError when the port cannot be had."""
    pages: list[SandboxPage] = []

    def on_traffic(entry: dict[str, Any]) -> None:
        for page in pages:
            page.traffic(entry)

    async with open_sandbox(http=http, conversations=conversations, on_traffic=on_traffic) as sandbox:
        faults = {name: genesys_faults.FAULTS[name] for name in faults_of(conversations)}
        people = list(world.LABELS.items())
        page = SandboxPage(slack=sandbox.slack, people=people, faults=faults, set_fault=sandbox.misbehave)
        await sandbox.misbehave(fault)
        page.fault = fault
        page.outbox = f"{sandbox.genesys.url}/outbox"
        if conversations is not None:
            page.talk = ConversationChoice(tuple(CHOICES), conversations, sandbox.genesys.conversations.choose)
        try:
            await page.start(port=port)
        except OSError as error:
            raise serve.StartError(
                f"Cannot listen on port {port} ({error.strerror}). Choose another: --port."
            ) from None
        pages.append(page)
        try:
            yield page
        finally:
            await page.stop()


async def serve_page(
    port: int, *, fault: str | None = None, http: bool = False, conversations: str | None = None
) -> None:
    """Serves the page until told to stop."""
    logs.set_up("INFO", as_json=False)
    opening = open_page(port, fault=fault, http=http, conversations=conversations)
    async with serve.until_signalled() as stop, opening as page:
        print(f"\n  The sandbox is open: {page.url}\n  Ctrl+C ends it.\n", flush=True)  # noqa: T201 - for a person
        _show(page.url)
        await stop.wait()


def _free_port() -> int:
    """A port that nobody has: where browsers come back to has to be known before the bot listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _show(url: str) -> None:
    """Opens the page for somebody at a terminal with a screen; a browser inside the terminal would take it over."""
    if not sys.stdout.isatty():
        return
    with contextlib.suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(url)
