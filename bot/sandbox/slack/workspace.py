"""The state of the sandbox's Slack: who is there, who is in which channel, what was said and who can see it.

Knows nothing of HTTP or sockets; the servers around it translate.
"""

from __future__ import annotations

import asyncio
import copy
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bot.sandbox.slack.models import ApiError, Message, SlackChannel, SlackUser, trim
from bot.sandbox.slack.validation.elements import elements_of

SLACKBOT = "USLACKBOT"
MENTION = re.compile(r"(?<!\S)@([A-Za-z0-9][A-Za-z0-9._-]*)")
CHANNEL = re.compile(r"(?<!\S)#([a-z0-9][a-z0-9_-]*)")
LINK = re.compile(r"(?<!\S)(https?://\S+)")

T = TypeVar("T")


class Workspace:
    """People, channels, direct messages and everything said in them."""

    def __init__(
        self,
        users: Sequence[SlackUser],
        channels: Sequence[SlackChannel],
        usergroups: Mapping[str, Sequence[str]],
        team_id: str,
        bot_user_id: str,
    ) -> None:
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.usergroups = {group: list(members) for group, members in usergroups.items()}
        self.team_id = team_id
        self.bot_user_id = bot_user_id
        self.enterprise_id: str | None = None
        self.is_org_wide = False
        """Whether the bot's token is for the whole organisation; then `enterprise_id` is set."""
        self.messages: list[Message] = []
        self.listeners: list[Callable[[Message], None]] = []
        self._ims: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._live: Counter[str] = Counter()
        self._waiting: dict[asyncio.Future[None], str | None] = {}
        self._last_ts = 0

    # who and where

    def open_im(self, user_id: str) -> str:
        """Return the id of the direct message between the bot and a person; the same one every time."""
        if user_id not in self._ims:
            im = f"D0{user_id[1:]}" if f"D0{user_id[1:]}" not in self._owners else "D" + secrets.token_hex(5).upper()
            self._ims[user_id], self._owners[im] = im, user_id
        return self._ims[user_id]

    def move_im(self, user_id: str) -> str:
        """Give a direct message another id, as when the workspace joins an organisation; what was said moves along."""
        old, new = self.open_im(user_id), "D" + secrets.token_hex(5).upper()
        del self._owners[old]
        self._ims[user_id], self._owners[new] = new, user_id
        for message in self.messages:
            if message.channel == old:
                message.channel = new
        self._live[new] = self._live.pop(old, 0)
        return new

    def has_im(self, user_id: str) -> bool:
        return user_id in self._ims

    def im_owner(self, channel_id: str) -> str | None:
        return self._owners.get(channel_id)

    def exists(self, channel_id: str) -> bool:
        return channel_id in self.channels or channel_id in self._owners

    def person(self, user_id: str) -> SlackUser:
        """Return somebody who exists; ApiError `user_not_found` otherwise."""
        if user_id not in self.users:
            raise ApiError("user_not_found")
        return self.users[user_id]

    def is_outsider(self, user: SlackUser) -> bool:
        return user.is_stranger or user.team_id != self.team_id

    def is_member(self, user_id: str, channel_id: str) -> bool:
        """Tell whether a person is in a channel: everybody is, outsiders only where it is shared."""
        channel = self.channels.get(channel_id)
        if channel is None:
            return self._owners.get(channel_id) == user_id
        if user_id == self.bot_user_id:
            return channel.bot_is_member
        user = self.users.get(user_id)
        return user is not None and not user.deleted and (channel.is_ext_shared or not self.is_outsider(user))

    # what was said

    def next_ts(self) -> str:
        """Return a time stamp that is later than every one before."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def add(
        self,
        channel: str,
        text: str,
        blocks: list[dict[str, Any]],
        *,
        via: str,
        user: str | None = None,
        visible_to: str | None = None,
        trigger_id: str | None = None,
    ) -> Message:
        """Put a message into a channel; blocks and buttons without an id get one, as Slack does."""
        author = self.bot_user_id if user is None else user
        message = Message(self.next_ts(), channel, author, visible_to, text, with_ids(blocks), via)
        message.trigger_id = trigger_id
        self.messages.append(message)
        trim(self.messages)
        self._live[_key(message)] += 1
        self._changed(message)
        return message

    def replace(self, message: Message, text: str, blocks: list[dict[str, Any]]) -> None:
        message.text, message.blocks, message.replaced = text, with_ids(blocks), True
        self._changed(message)

    def delete(self, message: Message) -> None:
        if not message.deleted:
            message.deleted = True
            self._live[_key(message)] -= 1
            self._changed(message)

    def can_see(self, user_id: str, message: Message) -> bool:
        if message.deleted:
            return False
        if message.visible_to is not None:
            return message.visible_to == user_id
        return self.is_member(user_id, message.channel)

    def seen_by(self, user_id: str) -> list[Message]:
        return [message for message in self.messages if self.can_see(user_id, message)]

    # waiting

    async def next_message(self, user_id: str, after: int, timeout: float) -> Message:  # noqa: ASYNC109 - see until
        def wanted() -> Message | None:
            places = [channel for channel in (*self.channels, *self._owners) if self.is_member(user_id, channel)]
            if self._live[user_id] + sum(self._live[place] for place in places) <= after:
                return None
            seen = self.seen_by(user_id)
            return seen[after] if len(seen) > after else None

        return await self.until(wanted, timeout, only_for=user_id)

    async def until(
        self,
        condition: Callable[[], T | None],
        timeout: float,  # noqa: ASYNC109 - what tests expect of a wait
        *,
        only_for: str | None = None,
    ) -> T:
        """Wait until the condition, asked again after each change, gives something; TimeoutError when it does not."""
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                future = asyncio.get_running_loop().create_future()
                self._waiting[future] = only_for
                try:
                    await future
                finally:
                    self._waiting.pop(future, None)
        return value

    def _changed(self, message: Message) -> None:
        self.wake(message.visible_to)
        for listener in list(self.listeners):
            listener(message)

    def wake(self, concerned: str | None = None) -> None:
        """Let everybody who waits look again, or only those who wait for what this person sees."""
        for future, only_for in list(self._waiting.items()):
            others = concerned is not None and only_for not in (None, concerned)
            if not others and not future.done():
                future.set_result(None)

    # what a person types

    def typed(self, text: str) -> str:
        """Write a typed text as Slack sends it: entities, and known people, channels and links in angle brackets."""
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = LINK.sub(r"<\1>", text)
        text = CHANNEL.sub(self._channel_reference, text)
        return MENTION.sub(self._mention, text)

    def _mention(self, match: re.Match[str]) -> str:
        handles = {user.name.lower(): user for user in self.users.values()}
        name = match[1]
        while name and name.lower() not in handles:
            if name[-1] not in "._-":
                return match[0]
            name = name[:-1]
        if not name:
            return match[0]
        user = handles[name.lower()]
        return f"<@{user.id}|{user.name}>{match[1][len(name) :]}"

    def _channel_reference(self, match: re.Match[str]) -> str:
        found = next((channel for channel in self.channels.values() if channel.name == match[1]), None)
        return match[0] if found is None else f"<#{found.id}|{found.name}>"


def _key(message: Message) -> str:
    return message.channel if message.visible_to is None else message.visible_to


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the blocks with an id for each block and element that has none, as Slack gives them."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks
