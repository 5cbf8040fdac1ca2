"""Send direct messages to people, and notices to people and channels.

The bot caches the id of each direct-message channel. Slack can replace such an id, for example when a Slack workspace
joins an organization. Slack then refuses the old id with an error in GONE, such as `channel_not_found`. The bot asks
Slack for the new id, and repeats the call.
https://docs.slack.dev/reference/methods/conversations.open
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.cache import Cache
from bot.core.errors import SharingError, SlackUnavailableError
from bot.core.models import ChannelId, Notice, NoticeMessage, UserId
from bot.core.ports import EditResult
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.directory import Readers
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_CODE, Group, codes_of, explain, is_of
from bot.slack.messages.blocks import Message

log = logging.getLogger(__name__)

CACHE_SIZE = 20_000
LATER = (Group.RATE_LIMIT, Group.FAULT, Group.MOVING, Group.TOKEN, Group.DIRECT_OFF, Group.SCOPE)
"""Groups of errors after which a later message to the same person or channel may succeed."""
Render = Callable[[Notice, datetime, str], Message]
"""A function that renders the message of a notice (pure). It gets the notice, the value that the notice's `opened_at`
had when the message was posted, and the id of the user or channel that reads the message."""

GONE = codes_of(Group.UNINVITED, Group.ARCHIVED)
"""Slack's error codes for a direct-message channel whose cached id is no longer valid."""


class UnconfirmedPostError(SlackClientError):
    """A call that posts a message failed, but Slack may have posted the message.

    The text of the exception is Slack's error code, or a short name of the error such as `timed_out`.
    """

    code = "post_unknown"


class DirectMessages:
    """Posts direct messages to users.

    The methods that call Slack raise one of CALL_ERRORS or MALFORMED_ERRORS if the call fails or times out.
    """

    def __init__(self, web: AsyncWebClient, timing: SlackTiming = SLACK_TIMING) -> None:
        self._web, self._timing = web, timing
        self.is_off = False
        """True if Slack's newest answer to a direct message is the error that the app's Messages tab is off."""
        self._channels: Cache[UserId, ChannelId] = Cache(seconds=timing.direct_cache_seconds, size=CACHE_SIZE)

    async def post(self, user_id: UserId, message: Message) -> tuple[ChannelId, str]:
        """Post a message to a user. Return the id of the channel and the `ts` of the message.

        Raises UnconfirmedPostError if the call failed, but Slack may have posted the message.
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
        """Return the id of the direct-message channel with a user, from the cache or from Slack.

        `instead_of`: an id that Slack no longer accepts. If the cache holds this id, the bot removes it from the cache.
        """
        if instead_of and self._channels.peek(user_id) == instead_of:
            self._channels.forget(user_id)
        return await self._channels.get(user_id, lambda: self._open(user_id))

    async def _post(self, channel: ChannelId, message: Message) -> tuple[ChannelId, str]:
        try:
            async with asyncio.timeout(self._timing.post_timeout):  # the pool's time-out restarts with each byte
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


class SlackNotices:
    """Posts and updates the messages of notices in Slack.

    A notice is not posted in a channel that people of other organizations read.

    - `render`: builds the message of a notice.
    - `readers`: fetches a person's language from Slack before a notice to the person is rendered.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        direct: DirectMessages,
        channels: ChannelDirectory,
        render: Render,
        readers: Readers = Readers(),  # noqa: B008 - knows nobody
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._readers = readers
        self._web, self._direct, self._channels = web, direct, channels
        self._render, self._timing = render, timing

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        await self._readers.learn(reader)
        try:
            channel_id, ts = await self._post(self._render(notice, notice.opened_at, reader), reader)
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
            self._log(notice, code)
            if code == NO_CODE or is_of(code, *LATER):
                return None
            channel_id, ts = ChannelId(""), ""  # Slack never accepts a message for this reader
        except SharingError as error:
            self._log(notice, error.why)
            channel_id, ts = ChannelId(""), ""
        except SlackUnavailableError as error:
            self._log(notice, error.slack_error)
            return None
        except UnconfirmedPostError as error:
            self._log(notice, str(error))
            return None
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            self._log(notice, error_label(error))
            return None
        return NoticeMessage(
            reader=reader,
            channel_id=channel_id,
            ts=ts,
            version=notice.version,
            opened_at=notice.opened_at,
            is_over=notice.over_at is not None,
        )

    async def _post(self, message: Message, reader: str) -> tuple[ChannelId, str]:
        if reader[0] not in "CG":
            return await self._direct.post(UserId(reader), message)
        await self._channels.check_shareable(ChannelId(reader))
        async with asyncio.timeout(self._timing.post_timeout):
            answer = await self._web.chat_postMessage(channel=reader, **message.payload())
        return ChannelId(str(answer["channel"])), str(answer["ts"])

    async def edit(self, notice: Notice, message: NoticeMessage) -> EditResult:
        await self._readers.learn(message.reader)
        shown = self._render(notice, message.opened_at, message.reader)
        try:
            async with asyncio.timeout(self._timing.edit_timeout):
                await self._update(message, shown)
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
            self._log(notice, code)
            return EditResult.UNWELL if code == NO_CODE or is_of(code, *LATER) else EditResult.DONE
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            self._log(notice, error_label(error))
            return EditResult.UNWELL
        return EditResult.DONE

    async def _update(self, message: NoticeMessage, shown: Message) -> None:
        """Update a message of a notice. If Slack has replaced the id of the direct-message channel, use the new id."""
        fields: dict[str, Any] = {"ts": message.ts, "text": shown.text, "blocks": shown.blocks}
        try:
            await self._web.chat_update(channel=message.channel_id, **fields)
        except SlackApiError as error:
            if message.reader[0] in "CG" or error_code(error) not in GONE:
                raise
            channel_id = await self._direct.channel(UserId(message.reader), instead_of=message.channel_id)
            if channel_id == message.channel_id:
                raise
            await self._web.chat_update(channel=channel_id, **fields)

    def _log(self, notice: Notice, code: str) -> None:
        log.warning("a notice was not delivered", extra={"fields": {"notice": notice.kind.value, "error": code}})
