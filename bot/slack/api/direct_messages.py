"""Send direct messages from the bot. https://docs.slack.dev/reference/methods/conversations.open

The bot caches the id of each direct-message channel for a day. Slack can replace such an id, for example when the
workspace joins an organisation. Then the bot asks Slack for the new id and posts again.
"""

import asyncio

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.cache import Cache
from bot.core.models import ChannelId, UserId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_CODE, Group, codes_of, explain, is_of
from bot.slack.messages.blocks import Message

CACHE_SIZE = 20_000


GONE = codes_of(Group.UNINVITED, Group.ARCHIVED)
"""Slack's error codes for a cached direct-message channel that the bot can no longer use."""


class UnconfirmedPostError(SlackClientError):
    """Nobody knows whether Slack posted a message. The text is Slack's error code or a label from `error_label`."""

    code = "post_unknown"


class DirectMessages:
    """Post direct messages to users. Each method may raise slack_sdk's exceptions and TimeoutError."""

    def __init__(self, web: AsyncWebClient, timing: SlackTiming = SLACK_TIMING) -> None:
        self._web, self._timing = web, timing
        self.is_off = False
        """True when Slack refused the newest direct message because the app's Messages tab is off."""
        self._channels: Cache[UserId, ChannelId] = Cache(seconds=timing.direct_cache_seconds, size=CACHE_SIZE)

    async def post(self, user_id: UserId, message: Message) -> tuple[ChannelId, str]:
        """Post a message to a user and return its channel and `ts`.

        Raises UnconfirmedPostError when Slack may have posted the message.
        """
        kept = self._channels.peek(user_id)
        channel = kept or await self.channel(user_id)
        try:
            return await self._post(channel, message)
        except SlackApiError as error:
            if kept is None or error_code(error) not in GONE:
                raise
        return await self._post(await self.channel(user_id, instead_of=channel), message)

    async def channel(self, user_id: UserId, *, instead_of: ChannelId | None = None) -> ChannelId:
        """Return the id of the direct-message channel with a user.

        `instead_of` is an id that Slack no longer accepts; the cache drops it.
        """
        if instead_of and self._channels.peek(user_id) == instead_of:
            self._channels.forget(user_id)
        return await self._channels.get(user_id, lambda: self._open(user_id))

    async def _post(self, channel: ChannelId, message: Message) -> tuple[ChannelId, str]:
        try:
            async with asyncio.timeout(self._timing.post_timeout):  # the session's time-out restarts with each byte
                answer = await self._web.chat_postMessage(channel=channel, **message.payload())
            self.is_off = False
            return channel, str(answer["ts"])
        except SlackApiError as error:
            code = error_code(error)
            self.is_off = is_of(code, Group.DIRECT_OFF)
            if code and not explain(code).maybe_done:
                raise
            raise UnconfirmedPostError(code or NO_CODE) from None
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            raise UnconfirmedPostError(error_label(error)) from None

    async def _open(self, user_id: UserId) -> ChannelId:
        async with asyncio.timeout(self._timing.open_timeout):  # other callers wait for the same call
            response = await self._web.conversations_open(users=user_id)
        return ChannelId(str(response["channel"]["id"]))
