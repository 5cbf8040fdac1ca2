"""Slack conversations, as far as sharing needs to know them. https://docs.slack.dev/reference/methods/conversations.info

A session is shared only where Slack says in each field that speaks of it that nobody of another organisation reads it:
https://docs.slack.dev/reference/objects/conversation-object . A field that is missing, or contradicts another, refuses.
Asked anew each time: sharing is rare, and a channel that has just been opened to others must not pass for what it was.
"""

import asyncio
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.errors import ShareRefusedError, SlackUnavailableError
from bot.core.models import ChannelId
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.error_codes import NO_ANSWER, NO_CODE, Group, is_of, passes

ANSWER_SECONDS = 5.0
GROUP_MESSAGE = "mpdm-"
"""How Slack begins the name of a direct message between several people."""
OUTSIDE = ("is_ext_shared", "is_pending_ext_shared")
SAID = (*OUTSIDE, "is_shared", "is_org_shared")
"""What Slack says of every channel: true or false."""
CONNECTED = ("connected_team_ids", "connected_limited_team_ids", "pending_connected_team_ids", "pending_shared")
"""Workspaces of other organisations, invited ones too."""
_HIDDEN = (Group.UNINVITED, Group.SCOPE)


class ChannelDirectory:
    """Asks Slack. `home` is the bot's own workspace."""

    def __init__(self, web: AsyncWebClient, home: Workspace) -> None:
        self._web, self._home = web, home

    async def check_shareable(self, channel_id: ChannelId) -> None:
        """Raise ShareRefusedError where outsiders may read, or SlackUnavailableError."""
        if not channel_id.startswith(("C", "G")):
            raise ShareRefusedError("direct")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                channel = (await self._web.conversations_info(channel=channel_id))["channel"]
            why = obstacle(channel, self._home)
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
            if is_of(code, *_HIDDEN):
                raise ShareRefusedError("uninvited") from None
            raise SlackUnavailableError(code, passes(code)) from None
        except (*TROUBLE, *MISSHAPEN):
            raise SlackUnavailableError(NO_ANSWER) from None
        if why:
            raise ShareRefusedError(why)


def is_group_message(channel_name: object) -> bool:
    """Return whether a channel of this name is a group message: its id may be that of a channel (pure)."""
    return isinstance(channel_name, str) and channel_name.startswith(GROUP_MESSAGE)


def obstacle(channel: dict[str, Any], home: Workspace) -> str | None:
    """Say why nothing may be shared there: "outside", "unclear" or "closed"; None when it may (pure).

    `channel` is a conversation object. Raises MISSHAPEN.
    """
    ours = {home.team_id, home.enterprise_id} - {None}
    foreign = any(set(channel.get(name) or ()) - ours for name in CONNECTED)
    if foreign or any(channel.get(name) for name in OUTSIDE):
        return "outside"
    if any(type(channel.get(name)) is not bool for name in SAID):
        return "unclear"
    if not _is_within(channel, home):
        return "outside"
    return "closed" if channel.get("is_archived") else None


def _is_within(channel: dict[str, Any], home: Workspace) -> bool:
    """Whether it belongs to our workspace alone, or to workspaces of our own organisation alone."""
    if channel["is_shared"] and not channel["is_org_shared"]:
        return False  # with whom, nothing says
    if channel["is_org_shared"] or home.org_wide:  # the readers may be of any of the organisation's workspaces
        return bool(home.enterprise_id) and (channel.get("enterprise_id") or home.enterprise_id) == home.enterprise_id
    readers = {*(channel.get("shared_team_ids") or ()), channel.get("conversation_host_id") or home.team_id}
    return readers <= {home.team_id, home.enterprise_id}
