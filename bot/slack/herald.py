"""Tells about sessions where it can be changed later, in a channel or a direct message; changes it when they end.

https://docs.slack.dev/reference/methods/chat.update . Where a session was told is remembered, so that it is told that
it is over by whichever replica lives then.
"""

import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.errors import SlackUnavailable, StoreUnavailable
from bot.desk.models import ChannelId, SessionId, UserId
from bot.desk.posts import close_posts
from bot.desk.press_errors import SharedAlready
from bot.desk.remembered import Post, PostBook, PostKind, SessionRecord
from bot.desk.session_errors import ShareRefused
from bot.slack.answers import MISSHAPEN, TROUBLE, error_code
from bot.slack.cards import closed_card, direct_card, shared_card
from bot.slack.direct import DirectMessages
from bot.slack.places import Places

log = logging.getLogger(__name__)

LATER = ("ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
"""Slack's words for what passes; with any other one, the message cannot be changed."""
UNINVITED = ("not_in_channel", "channel_not_found", "is_archived", "restricted_action")


class Herald:
    """Keeps to desk.register.Herald and desk.posts.Editor."""

    def __init__(self, web: AsyncWebClient, direct: DirectMessages, places: Places, book: PostBook) -> None:
        self._web, self._direct, self._places, self._book = web, direct, places, book

    async def share(self, record: SessionRecord, channel_id: ChannelId, sharer: UserId) -> None:
        if await self._stands(record, PostKind.SHARED, channel_id):
            raise SharedAlready
        if await self._places.reaches_outside(channel_id):
            raise ShareRefused("outside")
        message = shared_card(record, sharer)
        try:
            answer = await self._web.chat_postMessage(
                channel=channel_id, text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False
            )
        except SlackApiError as error:
            if error_code(error) in UNINVITED:
                raise ShareRefused("uninvited") from None
            raise SlackUnavailable(error_code(error) or "an error") from None
        except (*TROUBLE, *MISSHAPEN):
            raise SlackUnavailable("no answer") from None
        await self.remember(record.session.id, channel_id, str(answer["ts"]), PostKind.SHARED)

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        message = direct_card(record)
        try:
            channel_id, ts = await self._direct.post(user_id, message)
        except SlackApiError as error:
            raise SlackUnavailable(error_code(error) or "an error") from None
        except (*TROUBLE, *MISSHAPEN):
            raise SlackUnavailable("no answer") from None
        await self.remember(record.session.id, channel_id, ts, PostKind.DIRECT)

    async def remember(self, session_id: SessionId, channel_id: ChannelId, ts: str, kind: PostKind) -> None:
        """That a message speaks of a session. Raises nothing: the message is there, which is what counts."""
        try:
            await self._book.add_post(Post(session_id, channel_id, ts, kind))
        except StoreUnavailable:
            log.warning("a message about a session will not be changed", extra={"fields": {"session": session_id}})

    async def retire(self, record: SessionRecord) -> None:
        try:
            for post in await self._book.posts(record.session.id):
                if await self.close(post, record):
                    await self._book.drop_post(post)
        except StoreUnavailable:
            log.warning("the store is away")  # housekeeping does it later

    async def close_posts(self) -> None:
        """Those of all sessions that are over. Raises StoreUnavailable."""
        await close_posts(self._book, self)

    async def close(self, post: Post, record: SessionRecord) -> bool:
        message = closed_card(record, shared=post.kind is PostKind.SHARED)
        fields: dict[str, object] = {"session": post.session_id}
        try:
            await self._web.chat_update(channel=post.channel_id, ts=post.ts, text=message.text, blocks=message.blocks)
        except SlackApiError as error:
            code = error_code(error)
            log.warning("a message was not changed", extra={"fields": fields | {"error": code}})
            return code not in LATER
        except (*TROUBLE, *MISSHAPEN) as error:
            log.warning("a message was not changed", extra={"fields": fields | {"error": type(error).__name__}})
            return False
        return True

    async def _stands(self, record: SessionRecord, kind: PostKind, channel_id: ChannelId) -> bool:
        posts = await self._book.posts(record.session.id)
        return any(post.kind is kind and post.channel_id == channel_id for post in posts)
