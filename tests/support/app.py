"""Run the sandbox's Slack and Genesys for one test, and the real bot between them, over real sockets.

Tests use `Journey` for what people do and read. They use the two servers directly for everything else.
"""

import asyncio
import contextlib
import os
import random
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from bot import server as serve
from bot.app import open_bot
from bot.config import settings
from bot.core.timing import (
    RECEIVER_BOUNDS,
    SECRET_TIMING,
    CoreTiming,
    GenesysTiming,
    ReceiverBounds,
    SecretTiming,
    SlackTiming,
)
from bot.sandbox import world
from bot.sandbox.genesys.server import SandboxGenesys
from bot.sandbox.slack.server import Delivery, Message, SandboxSlack, SlackChannel, SlackUser
from bot.slack.manifest import ALL_FEATURES, build
from bot.slack.messages.catalogue.languages import LOCALES
from tests.support.forked import Forked, forked

ANA, BEN, UNA, SAM, GUS, ADA = "U0ANA", "U0BEN", "U0UNA", "U0SAM", "U0GUS", "U0ADA"
OUTSIDER, GONE, ROBOT, SINGLE = "U0OUT", "U0GONE", "U0ROB", "U0SINGLE"
CARE, BILLING, SHARED = "C0CARE", "C0BILLING", "C0SHARED"
HOSTS = {ANA: "1" * 8, BEN: "2" * 8, SAM: "3" * 8}
"""How each person's host id begins."""
MORE_USERS = (
    SlackUser(OUTSIDER, "olga", "Olga Other", "ana@example.com", team_id="T0OTHER", is_stranger=True),
    SlackUser(GONE, "gone", "Gone Person", "gone@example.com", deleted=True),
    SlackUser(ROBOT, "rob", "Rob Robot", is_bot=True),
    SlackUser(SINGLE, "sue", "Sue Single", "sue@example.com", is_restricted=True, is_ultra_restricted=True),
)
MORE_CHANNELS = (SlackChannel(SHARED, "partners", is_ext_shared=True),)
ANSWER_TIMEOUT, START_SECONDS = 6.0, 30.0
CONFIG_TOKEN = "xoxe.xoxp-1-of-the-tests"
EVENTS_URL = "https://bot.example.com/slack/events"
NO_KEY = {"STORE_ENCRYPTION_KEY": "", "COBROWSE_SMS_FROM": "", "COBROWSE_EMAIL_FROM": ""}
"""On top of an environment: the database is readable, so nothing is sent to customers."""
QUICK_GENESYS = GenesysTiming(first_backoff_seconds=0.02)
QUICK_SLACK = SlackTiming(repeat_seconds=0.01, view_settle_seconds=0.3)
"""Retries that no Retry-After asked for come at once; their number stays as it is."""
ROOT = str(Path(__file__).parents[2])
BotProcess = Process | Forked


@dataclass(frozen=True, slots=True)
class Servers:
    """The running servers of the sandbox, and the environment that connects a bot to them."""

    slack: SandboxSlack
    genesys: SandboxGenesys
    keys: world.Keys
    environ: dict[str, str]


@dataclass(frozen=True, slots=True)
class Journey:
    """The servers and a bot that is ready. `url` is the URL of the bot; "" over Socket Mode."""

    slack: SandboxSlack
    genesys: SandboxGenesys
    keys: world.Keys
    url: str
    finish: Callable[[], Awaitable[None]]

    async def asks(self, text: str = "", *, who: str = ANA, **how: Any) -> Message:
        """Send the command, and return the first message with its outcome. Wait notices do not count."""
        before = len(self.slack.messages)
        delivery = await self.slack.command(who, text, **how)
        assert delivery.acked, delivery.error
        return await self.reads(who, before)

    async def reads(self, who: str, before: int) -> Message:
        """Return the first outcome that this person sees. Ignore the first `before` messages."""

        def found() -> Message | None:
            new = self.slack.messages[before:]
            return next(
                (
                    each
                    for each in new
                    if not is_note(each) and not is_notice(each) and self.slack.workspace.can_see(who, each)
                ),
                None,
            )

        return await self.slack.workspace.until(found, ANSWER_TIMEOUT)

    async def tries_again(self, message: Message, *, who: str = ANA) -> Delivery:
        """Press *Try again*, and wait for its outcome."""
        before, was = len(self.slack.messages), message.text
        delivery = await self.slack.press(who, message, "try_again")
        assert delivery.acked, delivery.error

        def is_answered() -> bool:
            return message.text != was or any(not is_notice(each) for each in self.slack.messages[before:])

        await self.slack.workspace.until(is_answered, ANSWER_TIMEOUT)
        return delivery


@asynccontextmanager
async def open_servers(*, http: bool = False, grid: bool = False, **how: Any) -> AsyncIterator[Servers]:
    """Start Slack and Genesys without a bot. `how` holds the arguments of SandboxGenesys.

    `grid`: Slack is an Enterprise Grid organization.
    """
    keys = world.Keys()
    slack = SandboxSlack(
        bot_token=keys.bot_token,
        app_token=keys.app_token,
        signing_secret=keys.signing_secret,
        users=(*world.SLACK_USERS, *MORE_USERS),
        channels=(*world.CHANNELS, *MORE_CHANNELS),
        usergroups={"S0LEADS": [BEN]},
        shortcuts=world.SHORTCUTS,
        steps=world.STEPS,
        config_token=CONFIG_TOKEN,
        manifest=build(replace(ALL_FEATURES, over_http=http, url=EVENTS_URL if http else "")),
    )
    usual = {"public_key_pem": keys.public_pem, "client_id": "sandbox-client", "org_id": "sandbox-org"}
    genesys = SandboxGenesys(**{**usual, "users": world.GENESYS_USERS, **how})
    await slack.start()
    await genesys.start()
    try:
        environ = world.environ(keys, slack.api_url, genesys.url, http=http) | {
            "SHUTDOWN_SECONDS": "4",
            "COBROWSE_HELP_CONTACT": SAM,
            "SLACK_CONFIG_TOKEN": CONFIG_TOKEN,
        }
        if grid:
            environ |= world.turn_into_grid(slack)
        yield Servers(slack, genesys, keys, environ)
    finally:
        await genesys.stop()
        await slack.stop()


@asynccontextmanager
async def open_journey(
    *,
    http: bool = False,
    grid: bool = False,
    token_seconds: int = 86400,
    timing: CoreTiming | None = None,
    genesys_timing: GenesysTiming = QUICK_GENESYS,
    slack_timing: SlackTiming = QUICK_SLACK,
    secret_timing: SecretTiming = SECRET_TIMING,
    bounds: ReceiverBounds = RECEIVER_BOUNDS,
    locales: Path = LOCALES,
    **environ: str,
) -> AsyncIterator[Journey]:
    """Start the servers and the bot. `environ` holds variables to add to the bot's environment."""
    async with (
        open_servers(http=http, grid=grid, token_seconds=token_seconds) as servers,
        open_bot_between(
            servers,
            servers.environ | environ,
            http=http,
            timing=timing,
            genesys_timing=genesys_timing,
            slack_timing=slack_timing,
            secret_timing=secret_timing,
            bounds=bounds,
            locales=locales,
        ) as opened,
    ):
        yield opened


@asynccontextmanager
async def open_bot_between(
    servers: Servers,
    environ: dict[str, str],
    *,
    http: bool,
    timing: CoreTiming | None = None,
    genesys_timing: GenesysTiming = QUICK_GENESYS,
    slack_timing: SlackTiming = QUICK_SLACK,
    secret_timing: SecretTiming = SECRET_TIMING,
    bounds: ReceiverBounds = RECEIVER_BOUNDS,
    locales: Path = LOCALES,
) -> AsyncIterator[Journey]:
    """Start the bot with servers that already run."""
    loaded = settings.load(environ)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def serving() -> None:
        async with open_bot(
            loaded,
            timing,
            genesys_timing=genesys_timing,
            slack_timing=slack_timing,
            secret_timing=secret_timing,
            bounds=bounds,
            locales=locales,
        ) as bot:
            await serve.run(bot, stop, on_ready=port.set_result)

    task = asyncio.create_task(serving())

    async def finish() -> None:
        stop.set()
        await task

    await asyncio.wait([task, port], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    url = f"http://127.0.0.1:{port.result()}" if http else ""
    servers.slack.events_url = f"{url}/slack/events" if http else None
    try:
        if not http:
            await servers.slack.connected()
        yield Journey(servers.slack, servers.genesys, servers.keys, url, finish)
    finally:
        await servers.genesys.inject_fault(None)
        with contextlib.suppress(serve.StartError):
            await finish()


def is_note(message: Message) -> bool:
    """Return whether a message is a wait notice."""
    return any(":hourglass_flowing_sand:" in text for text in texts(message.blocks))


def is_notice(message: Message) -> bool:
    """Return whether a message is a notice, such as a notice of a fault to an administrator."""
    return any(block.get("block_id") == "notice" for block in message.blocks)


def is_failure(message: Message) -> bool:
    """Return whether a message reports an error."""
    return any(block.get("block_id") == "failure" for block in message.blocks)


def texts(thing: Any) -> Iterator[str]:
    """Yield every text in these blocks."""
    if isinstance(thing, dict):
        if isinstance(thing.get("text"), str):
            yield thing["text"]
        for value in thing.values():
            yield from texts(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from texts(value)


def words(message: Message) -> str:
    """Return all texts that a message shows, one on each line."""
    return "\n".join(texts(message.blocks)) or message.text


def link(message: Message) -> str:
    """Return the customer's link, the preformatted text of a message.

    Return the join code if the message has no link.
    """
    rich = [block for block in message.blocks if block["type"] == "rich_text"]
    if not rich and (large := [block for block in message.blocks if block["type"] == "header"]):
        return str(large[0]["text"]["text"]).replace(" ", "")
    assert len(rich) == 1, words(message)
    (element,) = rich[0]["elements"]
    assert element["type"] == "rich_text_preformatted"
    return "".join(part["text"] for part in element["elements"])


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    """Return a message's buttons by action_id."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {button["action_id"]: button for row in rows for button in row}


# -- The bot in a process of its own --


def free_port() -> int:
    """Return a port that nobody listens on. It is below the range from which the system picks ephemeral ports."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as bound, contextlib.suppress(OSError):
            bound.bind(("127.0.0.1", port))
            return port


async def start(directory: Path, environ: dict[str, str], *arguments: str, interpreter: bool = False) -> BotProcess:
    """Start `python -m bot` in a directory, with exactly this environment. The default command is `run`.

    `interpreter`: start a new interpreter instead of a fork. This costs a CPU second more; tests of the start need it.
    """
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environ}
    program = ["-m", "bot", *(arguments or ["run"])]
    if interpreter:
        return await asyncio.create_subprocess_exec(
            sys.executable, *program, cwd=directory, env=given, stdout=PIPE, stderr=PIPE
        )
    return await forked(program, directory=directory, environ=given)


async def ended(process: BotProcess, seconds: float = START_SECONDS) -> tuple[int | None, str, str]:
    """Wait until the process has ended. Return its exit code, its standard output and its standard error."""
    async with asyncio.timeout(seconds):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(
    directory: Path, *, http: bool, environ: dict[str, str] | None = None, interpreter: bool = False
) -> AsyncIterator[tuple[Servers, BotProcess]]:
    """Start a bot in a separate process, and yield it when it is ready."""
    async with open_servers(http=http) as servers:
        port = str(free_port())
        process = await start(directory, servers.environ | {"PORT": port} | (environ or {}), interpreter=interpreter)
        try:
            if http:
                await healthy(process, f"http://127.0.0.1:{(environ or {}).get('HEALTH_PORT', port)}/healthz")
                servers.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
            else:
                await servers.slack.connected(START_SECONDS)
            yield servers, process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def healthy(process: BotProcess, url: str) -> None:
    """Wait until the bot answers at the health URL `url`, or until the process has ended."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(url) as response:
                    assert response.status == 200
                    return
            await asyncio.sleep(0.05)
