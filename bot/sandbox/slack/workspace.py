"""Hold the state of the sandbox's Slack: users, channels, messages, and who can see each message.

This module uses no HTTP and no sockets.
"""

from __future__ import annotations

import asyncio
import copy
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.sandbox.slack.models import BOT_USER_ID, TEAM_ID, ApiError, Message, SlackChannel, SlackUser, trim_entries
from bot.sandbox.slack.validation.elements import elements_of

SLACKBOT = "USLACKBOT"
MENTION = re.compile(r"(?<!\S)@([A-Za-z0-9][A-Za-z0-9._-]*)")
CHANNEL = re.compile(r"(?<!\S)#([a-z0-9][a-z0-9_-]*)")
LINK = re.compile(r"(?<!\S)(https?://\S+)")

T = TypeVar("T")


class Workspace:
    """Holds the users, channels, direct messages and messages of the sandbox's Slack.

    - `team_id`: the id of the first (or only) Slack workspace.
    - `teams`: the names of the Slack workspaces, by id.
    - `enterprise_id`: the id of the Enterprise Grid organization; None for a single Slack workspace.
    - `usergroups`: the user ids of the members of each user group, by the id of the user group.
    - `group_teams`: the id of a user group's Slack workspace, by the id of the user group. User groups of the first
      Slack workspace are missing here.
    - `listeners`: the functions that get each new message, and each message that was changed or deleted.
    """

    def __init__(
        self,
        users: Sequence[SlackUser],
        channels: Sequence[SlackChannel],
        usergroups: Mapping[str, Sequence[str]],
    ) -> None:
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.usergroups = {group: list(members) for group, members in usergroups.items()}
        self.team_id = TEAM_ID
        self.teams = {TEAM_ID: "Sandbox"}
        self.group_teams: dict[str, str] = {}
        self.bot_user_id = BOT_USER_ID
        self.enterprise_id: str | None = None
        self.is_org_wide = False
        """Whether the bot's token is valid for the whole organization. If True, `enterprise_id` is not None."""
        self.messages: list[Message] = []
        self.listeners: list[Callable[[Message], None]] = []
        self._ims: dict[str, str] = {}
        self._im_owners: dict[str, str] = {}
        self._visible_counts: Counter[str] = Counter()
        self._waiters: dict[asyncio.Future[None], str | None] = {}
        self._last_ts = 0

    # users and channels

    def set_locale(self, user_id: str, locale: str) -> None:
        """Change a user's language in Slack.

        `locale`: Slack's name of the new language, such as `fr-FR`.
        """
        self.users[user_id] = replace(self.users[user_id], locale=locale)

    def open_im(self, user_id: str) -> str:
        """Return the id of the direct-message channel between the bot and a user.

        Create the channel if it does not exist.
        """
        user_id = self.own_id(user_id)
        if user_id not in self._ims:
            im = f"D0{user_id[1:]}" if f"D0{user_id[1:]}" not in self._im_owners else "D" + secrets.token_hex(5).upper()
            self._ims[user_id], self._im_owners[im] = im, user_id
        return self._ims[user_id]

    def move_im(self, user_id: str) -> str:
        """Give the direct-message channel between the bot and a user a new id. Return the new id.

        Slack can change the id when a workspace joins an Enterprise Grid organization.
        """
        old, new = self.open_im(user_id), "D" + secrets.token_hex(5).upper()
        del self._im_owners[old]
        self._ims[user_id], self._im_owners[new] = new, user_id
        for message in self.messages:
            if message.channel == old:
                message.channel = new
        self._visible_counts[new] = self._visible_counts.pop(old, 0)
        return new

    def has_im(self, user_id: str) -> bool:
        return user_id in self._ims

    def im_owner(self, channel_id: str) -> str | None:
        return self._im_owners.get(channel_id)

    def exists(self, channel_id: str) -> bool:
        return channel_id in self.channels or channel_id in self._im_owners

    def require_user(self, user_id: str) -> SlackUser:
        """Return the user with the id `user_id`. Raises ApiError (`user_not_found`) if there is no such user."""
        user = self.users.get(self.own_id(user_id))
        if user is None:
            raise ApiError("user_not_found")
        return user

    def own_id(self, user_id: str) -> str:
        """Return a user's main id, which is the user's key in `users`. Return an unknown id unchanged.

        In an Enterprise Grid organization, a user can have two ids. `user_id` can be either of them.
        """
        if user_id in self.users:
            return user_id
        return next((user.id for user in self.users.values() if user.enterprise_user_id == user_id), user_id)

    def id_in(self, user_id: str, team_id: str) -> str:
        """Return the user id that payloads from the Slack workspace `team_id` use for a user.

        If the app is installed org-wide, Slack workspaces other than the first use the user's second id, `W…`. In any
        other case, or if the user has no second id, return `user_id`.

        `user_id`: the user's main id, `U…`.
        """
        user = self.users.get(user_id)
        if user is None or not user.enterprise_user_id or not self.is_org_wide:
            return user_id
        return user_id if team_id == self.team_id else user.enterprise_user_id

    def team_of(self, channel_id: str) -> str:
        """Return the id of a channel's Slack workspace.

        For a direct message or an unknown channel, return the id of the first Slack workspace.
        """
        channel = self.channels.get(channel_id)
        return channel.team_id if channel else self.team_id

    def is_external(self, user: SlackUser) -> bool:
        return user.is_stranger or user.team_id not in self.teams

    def is_member(self, user_id: str, channel_id: str) -> bool:
        """Return True if a user is a member of a channel or direct message, otherwise False.

        A user is a member of all channels of the user's Slack workspaces, and of all channels with `is_org_shared` or
        `is_ext_shared`. An external user is a member only of channels with `is_ext_shared`. A deleted or unknown user
        is not a member of any channel. The bot is a member of the channels with `bot_is_member`. The only member of a
        direct message is the user to whom the bot writes.
        """
        user_id, channel = self.own_id(user_id), self.channels.get(channel_id)
        if channel is None:
            return self._im_owners.get(channel_id) == user_id
        if user_id == self.bot_user_id:
            return channel.bot_is_member
        user = self.users.get(user_id)
        if user is None or user.deleted:
            return False
        is_here = channel.is_org_shared or channel.team_id in user.team_ids
        return channel.is_ext_shared or (is_here and not self.is_external(user))

    # messages

    def next_ts(self) -> str:
        """Return a new message timestamp, such as "1700000000.000001", that is later than all earlier ones."""
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
        thread_ts: str | None = None,
    ) -> Message:
        """Add a message to a channel, and return the message.

        If a block has no `block_id` or an element has no `action_id`, it gets a random one.

        - `via`: where the message comes from, such as `chat.postMessage`. Message lists the values.
        - `user`: the id of the author; None for the bot.
        - `visible_to`: the id of the only user who sees an ephemeral message; None for any other message.
        - `trigger_id`: the trigger id of the command or press that caused the message; None if there is none.
        - `thread_ts`: the id of the message that starts the thread of a reply; None if the message is not a reply.
        """
        author = self.bot_user_id if user is None else user
        visible_to = visible_to and self.own_id(visible_to)
        message = Message(self.next_ts(), channel, author, visible_to, text, with_ids(blocks), via)
        message.trigger_id, message.thread_ts = trigger_id, thread_ts
        self.messages.append(message)
        trim_entries(self.messages)
        self._visible_counts[_count_key(message)] += 1
        self._changed(message)
        return message

    def replace(self, message: Message, text: str, blocks: list[dict[str, Any]]) -> None:
        message.text, message.blocks, message.replaced = text, with_ids(blocks), True
        self._changed(message)

    def delete(self, message: Message) -> None:
        if not message.deleted:
            message.deleted = True
            self._visible_counts[_count_key(message)] -= 1
            self._changed(message)

    def can_see(self, user_id: str, message: Message) -> bool:
        if message.deleted:
            return False
        if message.visible_to is not None:
            return message.visible_to == self.own_id(user_id)
        return self.is_member(user_id, message.channel)

    def seen_by(self, user_id: str) -> list[Message]:
        return [message for message in self.messages if self.can_see(user_id, message)]

    # waiting

    async def next_message(self, user_id: str, after: int, timeout: float) -> Message:  # noqa: ASYNC109 - see until
        def message_after() -> Message | None:
            channels = [channel for channel in (*self.channels, *self._im_owners) if self.is_member(user_id, channel)]
            if self._visible_counts[user_id] + sum(self._visible_counts[channel] for channel in channels) <= after:
                return None
            seen = self.seen_by(user_id)
            return seen[after] if len(seen) > after else None

        return await self.until(message_after, timeout, only_for=user_id)

    async def until(
        self,
        condition: Callable[[], T | None],
        timeout: float,  # noqa: ASYNC109 - what tests expect of a wait
        *,
        only_for: str | None = None,
    ) -> T:
        """Wait until `condition` returns a true value, and return this value.

        - `condition`: is called at once and after each change in the sandbox's Slack.
        - `only_for`: the id of a user. After a change that only another user can see, `condition` is not called. If
          `only_for` is None, `condition` is called after every change.

        Raises TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                future = asyncio.get_running_loop().create_future()
                self._waiters[future] = only_for
                try:
                    await future
                finally:
                    self._waiters.pop(future, None)
        return value

    def _changed(self, message: Message) -> None:
        self.notify_waiters(message.visible_to)
        for listener in list(self.listeners):
            listener(message)

    def notify_waiters(self, user_id: str | None = None) -> None:
        """Make waiting calls of `until` check their condition again, after a change in the sandbox's Slack.

        `user_id`: the only user who can see the change. Calls of `until` with another user as `only_for` then do not
        check their condition. If `user_id` is None, all waiting calls check their condition.
        """
        for future, only_for in list(self._waiters.items()):
            others = user_id is not None and only_for not in (None, user_id)
            if not others and not future.done():
                future.set_result(None)

    # typed text

    def format_typed_text(self, text: str) -> str:
        """Format a text as Slack formats the text that a user types.

        Replace `&`, `<` and `>` by HTML entities. Put URLs, and mentions of known users and channels, in angle
        brackets, such as `<@U0ANA|ana>`.
        """
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


def _count_key(message: Message) -> str:
    return message.channel if message.visible_to is None else message.visible_to


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a copy of `blocks` in which each block has a `block_id` and each element an `action_id`.

    The copy has random values where `blocks` has none. Images get no `action_id`.
    """
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks
