"""A Delivery with all that it is made of, beside the fake Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.models import TeamId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages
from bot.slack.api.responder import SlackResponder, new_http_session
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.messages.renderer import MessageRenderer
from bot.storage.open import open_store


@asynccontextmanager
async def open_delivery(
    web: AsyncWebClient, http: aiohttp.ClientSession | None = None, timing: SlackTiming = SLACK_TIMING
) -> AsyncIterator[SlackResponder]:
    """Its sessions are remembered in its own store."""
    async with open_store("memory:") as store, new_http_session() as own:
        direct = DirectMessages(web)
        session_messages = SlackSessionMessages(
            web, web, direct, ChannelDirectory(web, Workspace(TeamId("T0SANDBOX"))), store.sessions
        )
        yield SlackResponder(web, http or own, MessageRenderer(), direct, session_messages, timing=timing)
