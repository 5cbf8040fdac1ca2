"""Run the sandbox: the imitations of Slack and Genesys, and the real bot.

`run_once` runs one command and returns the messages that the user sees. `serve_page` serves the sandbox's page until
the process gets SIGINT or SIGTERM.
"""

import asyncio
import contextlib
import errno
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot import server as serve
from bot.app import open_bot
from bot.config import settings
from bot.core.timing import SLACK_TIMING
from bot.observability import logging as logs
from bot.sandbox import world
from bot.sandbox.genesys import faults as genesys_faults
from bot.sandbox.genesys.api.conversations import LIVE_COUNTS
from bot.sandbox.genesys.server import SandboxGenesys
from bot.sandbox.plain_text import Answer
from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.web.presentation import ConversationChoice
from bot.sandbox.web.server import SandboxPage, listen
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
    "no-subscriptions": {"on": "subscriptions"},
    "events-missing": {"on": "events"},
    "events-doubled": {"on": "events"},
    "events-late": {"on": "events"},
    "events-reordered": {"on": "events"},
    "socket-closes": {"on": "sockets"},
}
"""The simulated faults of Genesys that a person can choose with `--genesys` or on the sandbox's page, by name. Each
value has the keyword arguments for `SandboxGenesys.inject_fault`. The fault 429 affects only one call, so that the
retry succeeds."""
WHOLE_CLIENT = ("401", "403")
"""The faults that concern the bot's OAuth client, not only the creation of sessions. With such a fault, the call that
describes the bot's access token (`GET /api/v2/tokens/me`) fails, too."""
PUBLIC_ONLY = (
    "user-context",
    "no-subscriptions",
    "events-missing",
    "events-doubled",
    "events-late",
    "events-reordered",
    "socket-closes",
)
"""The faults that exist only with the public Genesys Cloud API, which has signed-in users and notifications."""
SESSIONS_ONLY = ("unknown-application", "no-join-url")
"""The faults that exist only with the API of the session service, which has applications and join URLs."""

__all__ = ["FAULTS", "LIVE_COUNTS", "ROLES", "faults_of", "open_page", "open_sandbox", "run_once", "serve_page"]

TIMING = replace(SLACK_TIMING, people_cache_seconds=1.0)
"""The durations that the bot's Slack code uses in the sandbox. The bot caches data about a Slack user for one
second. If a person selects another language on the sandbox's page, the bot uses it after that second."""
Traffic = Callable[[dict[str, Any]], None]


def faults_of(conversations: str | None) -> list[str]:
    """Return the keys of FAULTS that can be switched on for one of the two Genesys APIs.

    `conversations`: None for the separate session service; any other value for the public Genesys Cloud API.
    """
    others = SESSIONS_ONLY if conversations else PUBLIC_ONLY
    return [name for name in FAULTS if name not in others]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox.

    - `slack`, `genesys`: the imitations of Slack and Genesys.
    - `finish`: an async function that waits until the bot has completed all accepted requests, and stops the bot.
    """

    slack: SandboxSlack
    genesys: SandboxGenesys
    finish: Callable[[], Awaitable[None]]

    async def inject_fault(self, fault: str | None) -> None:
        """Switch off all simulated faults of the sandbox's Genesys, and switch on `fault`.

        `fault`: a key of FAULTS; None to switch on no fault.
        """
        await self.genesys.inject_fault(None)
        self.genesys.conversations.requires_user = fault == "user-context"
        self.genesys.applications = world.OTHER_APPLICATIONS if fault == "unknown-application" else world.APPLICATIONS
        if fault in FAULTS and fault not in ("unknown-application", "user-context"):
            await self.genesys.inject_fault(fault, **FAULTS[fault])
        if fault in WHOLE_CLIENT:
            await self.genesys.inject_fault(fault, on="me")


@asynccontextmanager
async def open_sandbox(
    *, http: bool, conversations: str | None = None, grid: bool = False, on_traffic: Traffic | None = None
) -> AsyncIterator[Sandbox]:
    """Start the imitations of Slack and Genesys, and the bot. Stop all of them when the `with` block ends.

    - `http`: True to send payloads to the bot by HTTP, False for Socket Mode.
    - `conversations`: which Genesys API the bot uses: None for the API of the session service; a key of LIVE_COUNTS for
      the public Genesys Cloud API. The key selects the number of live conversations for each agent.
    - `grid`: True for an Enterprise Grid organization with two Slack workspaces, False for a single Slack workspace.
    - `on_traffic`: a function that gets a dict about each HTTP request and payload between the bot and the imitations;
      None to report nothing. `CallLog` in slack/models.py and `SandboxGenesys` list the keys of the dict.
    """
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
        if grid:
            environ |= world.turn_into_grid(slack)
        if conversations is not None:
            environ |= world.public_environ(keys, genesys.url)
            genesys.conversations.set_live_count(conversations)
            connect, genesys.user_login.client = world.connect_environ(keys, _free_port())
            environ |= connect  # also over Socket Mode, where `connect` answers that it needs HTTP
        loaded = settings.load(environ)
        async with _running(loaded, slack) as finish:
            yield Sandbox(slack, genesys, finish)
    finally:
        await genesys.stop()
        await slack.stop()


@asynccontextmanager
async def _running(loaded: settings.Settings, slack: SandboxSlack) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Run the real bot during the `with` block. The block begins when the bot can receive commands.

    Yield an async function that waits until the bot has completed all accepted requests, and stops the bot.
    """
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serving() -> None:
        async with open_bot(loaded, slack_timing=TIMING) as bot:
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
    line: str,
    role: str,
    *,
    fault: str | None = None,
    http: bool = False,
    conversations: str | None = None,
    locale: str | None = None,
    grid: bool = False,
) -> Answer:
    """Start a sandbox, send a command to the bot, and stop the sandbox.

    Return the messages that the user sees after the bot has completed the command.

    - `line`: the command, such as `/cobrowse help`.
    - `role`: the role of the user who sends the command, a key of ROLES.
    - `fault`: the simulated fault of the sandbox's Genesys, a key of FAULTS; None for no fault.
    - `http`: True to send payloads to the bot by HTTP, False for Socket Mode.
    - `conversations`: which Genesys API the bot uses: None for the API of the session service; a key of LIVE_COUNTS for
      the public Genesys Cloud API. The key selects the number of live conversations for each agent.
    - `locale`: the language of the user in Slack, such as `fr-FR`; None for English.
    - `grid`: True for an Enterprise Grid organization with two Slack workspaces, False for a single Slack workspace.
    """
    logs.set_up("ERROR", as_json=False)
    person = ROLES[role]
    async with open_sandbox(http=http, conversations=conversations, grid=grid) as sandbox:
        await sandbox.inject_fault(fault)
        if locale:
            sandbox.slack.workspace.set_locale(person, locale)
        command, _, text = line.strip().partition(" ")
        delivery = await sandbox.slack.command(person, text, command=command)
        await sandbox.finish()
        names = {user.id: user.real_name for user in world.SLACK_USERS}
        return Answer(sandbox.slack.seen_by(person), delivery.ack_ms, names)


@asynccontextmanager
async def open_page(
    port: int,
    *,
    fault: str | None = None,
    http: bool = False,
    conversations: str | None = None,
    grid: bool = False,
    from_make: bool = False,
) -> AsyncIterator[SandboxPage]:
    """Start the sandbox and the sandbox's page. Stop the sandbox and the page when the `with` block ends.

    - `port`: the port of the page on localhost.
    - `fault`: the simulated fault of the sandbox's Genesys, a key of FAULTS; None for no fault.
    - `http`: True to send payloads to the bot by HTTP, False for Socket Mode.
    - `conversations`: which Genesys API the bot uses: None for the API of the session service; a key of LIVE_COUNTS for
      the public Genesys Cloud API. The key selects the number of live conversations for each agent.
    - `grid`: True for an Enterprise Grid organization with two Slack workspaces, False for a single Slack workspace.
    - `from_make`: True if the person typed `make sandbox`, False for `cobrowse-bot sandbox`. The text of StartError
      suggests typing this command again, with a free port.

    Raises StartError if the page cannot listen on the port. In this case, the sandbox does not start.
    """
    pages: list[SandboxPage] = []

    def on_traffic(entry: dict[str, Any]) -> None:
        for page in pages:
            page.traffic(entry)

    with _listen(port, from_make) as listener:
        opening = open_sandbox(http=http, conversations=conversations, grid=grid, on_traffic=on_traffic)
        async with opening as sandbox:
            await sandbox.inject_fault(fault)
            page = _page_of(sandbox, fault, conversations)
            await page.start(listener)
            pages.append(page)
            try:
                yield page
            finally:
                await page.stop()


def _page_of(sandbox: Sandbox, fault: str | None, conversations: str | None) -> SandboxPage:
    faults = {name: genesys_faults.FAULTS[name] for name in faults_of(conversations)}
    people = list(world.LABELS.items())
    page = SandboxPage(
        slack=sandbox.slack, people=people, locales=world.LOCALES, faults=faults, set_fault=sandbox.inject_fault
    )
    page.fault = fault
    page.outbox_url = f"{sandbox.genesys.url}/outbox"
    if conversations is not None:
        set_live_count = sandbox.genesys.conversations.set_live_count
        page.live_conversations = ConversationChoice(tuple(LIVE_COUNTS), conversations, set_live_count)
    return page


def _listen(port: int, from_make: bool) -> socket.socket:
    """Return a socket that listens on `port` of localhost.

    `from_make`: True if the person typed `make sandbox`, False for `cobrowse-bot sandbox`. The text of StartError
    suggests typing this command again, with a free port.

    Raises StartError if the socket cannot listen on the port.
    """
    try:
        return listen(port)
    except OSError as error:
        other = _next_free_port(port)
        command = f"make sandbox PORT={other}" if from_make else f"cobrowse-bot sandbox --port {other}"
        problem = f"Port {port} is in use" if error.errno == errno.EADDRINUSE else f"Port {port}: {error.strerror}"
        raise serve.StartError(f"{problem}. Try `{command}`.") from None


def _next_free_port(port: int) -> int:
    """Return the lowest free port above `port` that is at least 1024; 0 if there is no such port."""
    for other in range(max(port, 1023) + 1, 65536):
        with contextlib.suppress(OSError), listen(other):
            return other
    return 0


async def serve_page(
    port: int,
    *,
    fault: str | None = None,
    http: bool = False,
    conversations: str | None = None,
    grid: bool = False,
    from_make: bool = False,
) -> None:
    """Start the sandbox and the sandbox's page. Serve the page until the process gets SIGINT or SIGTERM.

    - `port`: the port of the page on localhost.
    - `fault`: the simulated fault of the sandbox's Genesys, a key of FAULTS; None for no fault.
    - `http`: True to send payloads to the bot by HTTP, False for Socket Mode.
    - `conversations`: which Genesys API the bot uses: None for the API of the session service; a key of LIVE_COUNTS for
      the public Genesys Cloud API. The key selects the number of live conversations for each agent.
    - `grid`: True for an Enterprise Grid organization, False for a single Slack workspace.
    - `from_make`: True if the person typed `make sandbox`, False for `cobrowse-bot sandbox`. The text of StartError
      suggests typing this command again, with a free port.

    Raises StartError if the page cannot listen on the port.
    """
    logs.set_up("INFO", as_json=False)
    opening = open_page(port, fault=fault, http=http, conversations=conversations, grid=grid, from_make=from_make)
    async with serve.until_signalled() as stop, opening as page:
        print(f"\n  The sandbox is open: {page.url}\n  Ctrl+C ends it.\n", flush=True)  # noqa: T201 - for a person
        _show(page.url)
        await stop.wait()


def _free_port() -> int:
    # The port must be known before the bot listens, because the redirect URI of sign-ins contains it.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _show(url: str) -> None:
    """Open `url` in a graphical browser.

    Do nothing if standard output is not a terminal, or if there is no graphical browser.
    """
    if not sys.stdout.isatty():
        return
    with contextlib.suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:  # a text browser, which would block the terminal
            browser.open(url)
