"""Direct messages from the bot. https://docs.slack.dev/reference/methods/conversations.open"""

import asyncio

from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.cache import Cache
from bot.desk.models import ChannelId, UserId
from bot.slack.blocks import Message

OPEN_SECONDS = 12.0
KEPT_SECONDS = 86_400.0
CACHE_SIZE = 20_000


class DirectMessages:
    """Posts to people. Every method raises what slack_sdk raises."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._channels: Cache[UserId, ChannelId] = Cache(seconds=KEPT_SECONDS, size=CACHE_SIZE)

    async def post(self, user_id: UserId, message: Message) -> tuple[ChannelId, str]:
        """Where it stands now: the channel, and Slack's name of it there (`ts`)."""
        channel = await self._channels.get(user_id, lambda: self._open(user_id))
        answer = await self._web.chat_postMessage(channel=channel, **message.payload())
        return channel, str(answer["ts"])

    async def _open(self, user_id: UserId) -> ChannelId:
        async with asyncio.timeout(OPEN_SECONDS):  # whoever asks later joins this call, so it may not hang
            response = await self._web.conversations_open(users=user_id)
        return ChannelId(str(response["channel"]["id"]))
