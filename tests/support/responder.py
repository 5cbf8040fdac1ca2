"""Make a responder with all its parts for the sandbox's Slack, and find out how its answers were sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.errors import InterruptedRequestError
from bot.core.models import TeamId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.sandbox.slack.server import SandboxSlack
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages
from bot.slack.api.responder import SlackResponder, new_http_session, new_web_client
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.messages.renderer import MessageRenderer
from bot.storage.open import open_store
from tests.support.app import open_servers

LOST = InterruptedRequestError("interrupted", maybe_created=False)
"""The outcome of a request that a restart cut short, before any session could be created."""


@asynccontextmanager
async def open_delivery(
    web: AsyncWebClient, http: aiohttp.ClientSession | None = None, timing: SlackTiming = SLACK_TIMING
) -> AsyncIterator[SlackResponder]:
    """Yield a responder whose session messages are in a temporary store."""
    async with open_store("memory:") as store, new_http_session() as own:
        direct = DirectMessages(web)
        words = MessageRenderer()
        channels = ChannelDirectory(web, Workspace(TeamId("T0SANDBOX")))
        session_messages = SlackSessionMessages(web, web, direct, channels, store.sessions, cards_for=words.cards_for)
        yield SlackResponder(web, http or own, words, direct, session_messages, timing=timing)


@asynccontextmanager
async def deliveries() -> AsyncIterator[tuple[SandboxSlack, SlackResponder]]:
    """Start Slack, and make a responder that answers there."""
    async with open_servers() as servers, new_http_session() as http:
        web = new_web_client(servers.keys.bot_token, servers.slack.api_url, http)
        async with open_delivery(web, http) as delivery:
            yield servers.slack, delivery


def ways(slack: SandboxSlack) -> list[str]:
    """Return the Web API methods that the bot called, in order."""
    return [call.method for call in slack.calls]
