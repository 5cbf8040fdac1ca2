"""Open a Socket Mode receiver with the sandbox's Slack, and wait for changes of its sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp

from bot.config import settings
from bot.core.access import Workspace
from bot.core.models import TeamId, UserId
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responder import new_web_client
from bot.slack.app import new_bolt_app
from bot.slack.receivers.socket_mode import SocketModeReceiver
from tests.support.app import Servers


@asynccontextmanager
async def new_receiver(servers: Servers, listen: Any = None, **how: Any) -> AsyncIterator[SocketModeReceiver]:
    """Make a receiver for the servers' Slack. `listen` is the listener of the command."""
    loaded = settings.load(servers.environ)
    async with aiohttp.ClientSession() as http:
        web = new_web_client(loaded.slack.app_token, loaded.slack.api_url, http, waits=False, repeats=False)
        identity = BotIdentity(Workspace(TeamId("T0SANDBOX")), "B0BOT", UserId("U0BOT"))
        app: AsyncApp = new_bolt_app(identity, lambda: loaded.slack.bot_token, web)
        if listen:
            app.command("/cobrowse")(listen)
        receiver = SocketModeReceiver(app, loaded.slack.app_token, web, lambda url: None, **how)
        try:
            yield receiver
        finally:
            await receiver.close()


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until `holds` returns True. Nothing signals a change of a socket."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


def opened(servers: Servers) -> int:
    """Return how many sockets the bot has requested so far."""
    return servers.slack.count("apps.connections.open")
