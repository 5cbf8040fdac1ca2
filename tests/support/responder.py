"""A Delivery with all that it is made of, beside the fake Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Home
from bot.core.models import TeamId
from bot.slack.api.channels import Places
from bot.slack.api.direct_messages import DirectMessages
from bot.slack.api.responder import Delivery, new_http_session
from bot.slack.api.session_messages import Herald
from bot.slack.messages.renderer import Words
from bot.storage.open import open_store


@asynccontextmanager
async def open_delivery(web: AsyncWebClient, http: aiohttp.ClientSession | None = None) -> AsyncIterator[Delivery]:
    """Its sessions are remembered in a store of its own."""
    async with open_store("memory:") as store, new_http_session() as own:
        direct = DirectMessages(web)
        herald = Herald(web, web, direct, Places(web, Home(TeamId("T0SANDBOX"))), store.sessions)
        yield Delivery(web, http or own, Words(), direct, herald)
