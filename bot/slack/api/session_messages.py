"""Post messages about sessions to channels and people, and update them when the customer joins or the session ends.

The store records each message, so each replica can update each message.
https://docs.slack.dev/reference/methods/chat.update
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import (
    SessionActionError,
    SharingError,
    SlackUnavailableError,
    StorageUnavailableError,
)
from bot.core.models import (
    ChannelId,
    PostedMessage,
    PostedMessageKind,
    Request,
    RequestKind,
    SessionId,
    SessionRecord,
    UserId,
)
from bot.core.ports import EditResult, PostedMessageRepository
from bot.core.start_details import details_of
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.core.validation.display import is_safe_url
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import GONE, DirectMessages, UnconfirmedPostError
from bot.slack.api.directory import Readers
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_ANSWER, NO_CODE, Group, explain, is_of, passes
from bot.slack.messages.blocks import Message
from bot.slack.messages.session_card import DIRECT_MESSAGE, CardRenderer

log = logging.getLogger(__name__)

LATER = (Group.RATE_LIMIT, Group.FAULT, Group.MOVING, Group.TOKEN)
"""Groups of Slack's error codes after which a later update of the message can succeed. After Slack's other error codes,
every later update fails, too."""
REFUSED = {Group.UNINVITED: "uninvited", Group.ARCHIVED: "closed", Group.CLOSED: "closed", Group.THREAD: "thread"}


class SlackSessionMessages:
    """Posts and updates messages about sessions in Slack.

    - `once`: a Web API client that never repeats a call, so that no message is posted twice.
    - `places`: checks whether the bot may post a session card in a channel.
    - `book`: stores which messages show a session.
    - `cards_for`: returns the renderer of session cards for a reader.
    - `readers`: fetches the language of each reader.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        once: AsyncWebClient,
        direct: DirectMessages,
        places: ChannelDirectory,
        book: PostedMessageRepository,
        cards_for: Callable[[UserId], CardRenderer],
        readers: Readers = Readers(),  # noqa: B008 - knows nobody
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._cards_for, self._readers, self._timing = cards_for, readers, timing
        self._web, self._once, self._direct, self._places, self._book = web, once, direct, places, book

    async def is_shareable(self, channel_id: ChannelId) -> bool:
        """Return whether the bot may post session cards, with their links, for everybody in a channel.

        Return False if Slack does not answer.
        """
        try:
            await self._places.check_shareable(channel_id)
        except (SharingError, SlackUnavailableError):
            return False
        return True

    async def share(self, record: SessionRecord, request: Request) -> None:
        posts = await self._book.posts(record.session.id)
        here = [
            post for post in posts if post.kind is PostedMessageKind.SHARED and post.channel_id == request.channel_id
        ]
        if mine := [post for post in here if post.request_id == request.id]:  # this request was interrupted by a crash
            if any(post.ts for post in mine):
                return
            await self._book.drop_post(mine[0])
            raise SharingError("share_outcome_unknown")
        if here:
            raise SessionActionError("already_shared", permalink=await self._permalink(here[0]))
        if request.is_group_message:
            raise SharingError("share_refused", "group")
        await self._places.check_shareable(request.channel_id)
        intent = PostedMessage(record.session.id, request.channel_id, "", PostedMessageKind.SHARED, request.id)
        if not await self._book.add_post(intent):  # another request is posting the session now
            raise SessionActionError("already_shared")
        ts = await self._post(record, request, intent)
        await self._remember(
            PostedMessage(intent.session_id, intent.channel_id, ts, PostedMessageKind.SHARED, request.id)
        )
        await self._drop(intent)

    async def _permalink(self, post: PostedMessage) -> str:
        """Return the URL of a posted message.

        Return "" if the message is still being posted, or if Slack returns no valid URL within
        `SlackTiming.permalink_timeout`.
        https://docs.slack.dev/reference/methods/chat.getPermalink
        """
        if not post.ts:
            return ""
        try:
            async with asyncio.timeout(self._timing.permalink_timeout):
                answer = await self._once.chat_getPermalink(channel=post.channel_id, message_ts=post.ts)
            address = str(answer["permalink"])
        except (SlackApiError, *CALL_ERRORS, *MALFORMED_ERRORS):
            return ""
        return address if is_safe_url(address) else ""

    async def _drop(self, intent: PostedMessage) -> None:
        with suppress(StorageUnavailableError):  # a later clean-up deletes it
            await self._book.drop_post(intent)

    async def _post(self, record: SessionRecord, request: Request, intent: PostedMessage) -> str:
        message = self._cards_for(request.requester).shared(record, request.requester)
        thread = details_of(request.argument).thread if request.kind is RequestKind.START else ""
        try:
            async with asyncio.timeout(self._timing.post_timeout):
                answer = await self._once.chat_postMessage(
                    channel=request.channel_id, thread_ts=thread or None, **message.payload()
                )
            return str(answer["ts"])
        except SlackApiError as error:
            await self._drop(intent)
            code = error_code(error)
            row = explain(code)
            if row.group in REFUSED:
                raise SharingError("share_refused", REFUSED[row.group]) from None
            if not code or row.maybe_done:
                raise SharingError("share_outcome_unknown") from None
            raise SharingError("message_not_posted", slack_error=code, passes=row.passes) from None
        except (*CALL_ERRORS, *MALFORMED_ERRORS):
            await self._drop(intent)
            raise SharingError("share_outcome_unknown") from None

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        cards = self._cards_for(user_id)
        try:
            channel_id, ts = await self._direct.post(user_id, cards.of_record(record, user_id, DIRECT_MESSAGE))
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
            raise SharingError("message_not_posted", slack_error=code, passes=passes(code)) from None
        except UnconfirmedPostError:
            raise SharingError("share_outcome_unknown", is_direct=True) from None
        except (*CALL_ERRORS, *MALFORMED_ERRORS):
            raise SharingError("message_not_posted", slack_error=NO_ANSWER) from None
        await self.remember(record.session.id, channel_id, ts)

    async def remember(self, session_id: SessionId, channel_id: ChannelId, ts: str) -> None:
        """Record that a direct message shows a session, so that the bot can update the message later. Never raises."""
        await self._remember(PostedMessage(session_id, channel_id, ts, PostedMessageKind.DIRECT))

    async def _remember(self, post: PostedMessage) -> None:
        try:
            await self._book.add_post(post)
        except StorageUnavailableError:
            log.warning("a message about a session will not be changed", extra={"fields": {"session": post.session_id}})

    async def mark_ended(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        is_public = post.kind is PostedMessageKind.SHARED
        return await self._update(
            post, record, lambda reader: self._cards_for(reader).closed(record, is_public=is_public)
        )

    async def mark_joined(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        is_public = post.kind is PostedMessageKind.SHARED

        def render(reader: UserId) -> Message:
            cards = self._cards_for(reader)
            if not record.is_gone:  # others can still join by the link
                return cards.shared(record, None) if is_public else cards.of_record(record, reader, DIRECT_MESSAGE)
            return cards.joined(record, None if is_public else reader, is_public=is_public)

        return await self._update(post, record, render)

    async def _update(
        self, post: PostedMessage, record: SessionRecord, render: Callable[[UserId], Message]
    ) -> EditResult:
        """Update a message. Return the outcome.

        The outcome is EditResult.SILENT if the update takes more than `SlackTiming.edit_timeout` seconds. If
        Slack has replaced the id of the direct-message channel, use the new id.

        `render`: builds the message for its reader.
        """
        try:
            async with asyncio.timeout(self._timing.edit_timeout):
                reader = await self._reader(post, record)
                if reader is None:
                    return EditResult.UNWELL
                await self._readers.learn(reader)
                message = render(reader)
                edit, code = await self._edit(post, post.channel_id, message)
                if code in GONE and post.kind is PostedMessageKind.DIRECT:
                    edit = await self._edit_where_it_is_now(post, record, message)
        except TimeoutError:
            self._log_unchanged(post, "timed_out")
            return EditResult.SILENT
        return edit

    async def _reader(self, post: PostedMessage, record: SessionRecord) -> UserId | None:
        """Return the person for whom to render a message: the requester or the agent; None if Slack cannot say it now.

        A message in a channel is rendered for the requester. A direct message is rendered for the requester if it is in
        the requester's direct-message channel, else for the agent. The store does not record the reader. So ask Slack
        for this channel if it is not cached, for example after a restart.

        Raises TimeoutError if the call times out, but no other error of the call.
        """
        if post.kind is PostedMessageKind.SHARED or record.requester == record.agent:
            return record.requester
        try:
            channel_id = await self._direct.channel(record.requester)
        except TimeoutError:
            raise
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            code = error_code(error) if isinstance(error, SlackApiError) else ""
            if code and not is_of(code, *LATER):
                return record.agent  # Slack has no direct messages with the requester
            self._log_unchanged(post, error_label(error))
            return None
        return record.requester if channel_id == post.channel_id else record.agent

    async def _edit_where_it_is_now(self, post: PostedMessage, record: SessionRecord, message: Message) -> EditResult:
        """Update a direct message after Slack has replaced the id of its channel. Return the outcome.

        The store does not record who reads the message, so try the agent's channel first, then the requester's. If
        neither has a new id, return EditResult.DONE.
        """
        edit = EditResult.DONE
        for user_id in {record.agent: None, record.requester: None}:
            with suppress(SlackApiError, SlackClientError, aiohttp.ClientError, *MALFORMED_ERRORS):
                channel = await self._direct.channel(user_id, instead_of=post.channel_id)
                if channel != post.channel_id:
                    edit, code = await self._edit(post, channel, message)
                    if not code:
                        break
        return edit

    async def _edit(self, post: PostedMessage, channel_id: ChannelId, message: Message) -> tuple[EditResult, str]:
        """Make one attempt to update a message. Return the outcome, and an error code; "" on success.

        The code is Slack's, or a label such as `connection_lost` if Slack sent none. Raises TimeoutError if the call
        times out, but no other error of the call.
        """
        try:
            await self._web.chat_update(channel=channel_id, ts=post.ts, text=message.text, blocks=message.blocks)
        except TimeoutError:
            raise
        except SlackApiError as error:
            code = error_code(error)
            edit = EditResult.UNWELL if not code or is_of(code, *LATER) else EditResult.DONE
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            edit, code = EditResult.UNWELL, error_label(error)
        else:
            return EditResult.DONE, ""
        self._log_unchanged(post, code)
        return edit, code or NO_CODE

    def _log_unchanged(self, post: PostedMessage, code: str) -> None:
        log.warning("a message was not changed", extra={"fields": {"session": post.session_id, "error": code}})
