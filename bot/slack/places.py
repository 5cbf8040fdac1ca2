"""Slack conversations, as far as sharing needs to know them. https://docs.slack.dev/reference/methods/conversations.info

Asked anew each time: sharing is rare, and a channel that has just been opened to others must not pass for what it was.
"""

import asyncio

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.errors import SlackUnavailable
from bot.desk.models import ChannelId
from bot.desk.session_errors import ShareRefused
from bot.slack.answers import MISSHAPEN, TROUBLE, error_code

ANSWER_SECONDS = 5.0
OUTSIDE = ("is_ext_shared", "is_pending_ext_shared")
_HIDDEN = ("channel_not_found", "missing_scope", "not_in_channel")


class Places:
    """Asks Slack."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web

    async def check_shareable(self, channel_id: ChannelId) -> None:
        """Raises ShareRefused where people of other organisations read it, or we cannot see that; SlackUnavailable."""
        if not channel_id.startswith(("C", "G")):
            raise ShareRefused("direct")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                channel = (await self._web.conversations_info(channel=channel_id))["channel"]
            outside, archived = any(channel.get(word) for word in OUTSIDE), channel.get("is_archived")
        except SlackApiError as error:
            if error_code(error) in _HIDDEN:
                raise ShareRefused("uninvited") from None
            raise SlackUnavailable(error_code(error) or "an error") from None
        except (*TROUBLE, *MISSHAPEN):
            raise SlackUnavailable("no answer") from None
        if outside or archived:
            raise ShareRefused("outside" if outside else "closed")
