"""Slack conversations, as far as sharing needs to know them. https://docs.slack.dev/reference/methods/conversations.info"""

import asyncio

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.cache import Cache
from bot.desk.errors import SlackUnavailable
from bot.desk.models import ChannelId
from bot.desk.session_errors import ShareRefused
from bot.slack.answers import error_code

KEPT_SECONDS = 60.0
CACHE_SIZE = 5_000
ANSWER_SECONDS = 5.0
OUTSIDE = ("is_ext_shared", "is_pending_ext_shared", "is_org_shared_pending")
_HIDDEN = ("channel_not_found", "missing_scope", "not_in_channel")


class Places:
    """Asks Slack, and keeps the answer for a minute."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._outside: Cache[ChannelId, bool] = Cache(seconds=KEPT_SECONDS, size=CACHE_SIZE)

    async def reaches_outside(self, channel_id: ChannelId) -> bool:
        """Whether people of other organisations read it. Raises ShareRefused if hidden, SlackUnavailable."""
        return await self._outside.get(channel_id, lambda: self._ask(channel_id))

    async def _ask(self, channel_id: ChannelId) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._web.conversations_info(channel=channel_id)
            channel = answer["channel"]
            return any(channel.get(word) for word in OUTSIDE)
        except SlackApiError as error:
            if error_code(error) in _HIDDEN:
                raise ShareRefused("uninvited") from None
            raise SlackUnavailable(error_code(error) or "an error") from None
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError, AttributeError):
            raise SlackUnavailable("no answer") from None
