"""Check whether a session may be posted in a channel.

The bot posts a session only if Slack's conversation object shows that no other organization reads the channel. If a
required field is missing, the bot does not post. The result is not cached, because a channel can be opened to another
organization at any time. https://docs.slack.dev/reference/methods/conversations.info and
https://docs.slack.dev/reference/objects/conversation-object
"""

import asyncio
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.errors import SharingError, SlackUnavailableError
from bot.core.models import ChannelId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code
from bot.slack.error_codes import NO_ANSWER, NO_CODE, Group, is_of, passes

GROUP_MESSAGE_PREFIX = "mpdm-"
"""The prefix of a group message's name. The bot recognizes a group message by its name."""
EXTERNAL_FLAGS = ("is_ext_shared", "is_pending_ext_shared")
REQUIRED_FLAGS = (*EXTERNAL_FLAGS, "is_shared", "is_org_shared")
"""Boolean fields that a conversation object must have. If one is missing, the bot posts no session in the channel."""
EXTERNAL_TEAM_FIELDS = (
    "connected_team_ids",
    "connected_limited_team_ids",
    "pending_connected_team_ids",
    "pending_shared",
)
"""Fields with the team ids of other organizations that share the channel or are invited to share it."""
_HIDDEN = (Group.UNINVITED, Group.SCOPE)


class ChannelDirectory:
    """Finds out from Slack who reads a channel, and so whether the bot may post a session there.

    `home`: the bot's Slack workspace.
    """

    def __init__(self, web: AsyncWebClient, home: Workspace, timing: SlackTiming = SLACK_TIMING) -> None:
        self._web, self._home, self._timing = web, home, timing

    async def check_shareable(self, channel_id: ChannelId) -> None:
        """Check that the bot may post a session in this channel.

        Raises SharingError if the bot may not post. The error has one of these reasons (`why`):

        - "direct": the channel is a direct message.
        - "uninvited": Slack does not let the bot see the channel.
        - "outside", "unclear" or "closed": see `share_refusal`.

        Raises SlackUnavailableError if the call fails, or if Slack's answer has an unexpected form.
        """
        if not channel_id.startswith(("C", "G")):
            raise SharingError("share_refused", "direct")
        try:
            async with asyncio.timeout(self._timing.channel_timeout):
                channel = (await self._web.conversations_info(channel=channel_id))["channel"]
            why = share_refusal(channel, self._home)
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
            if is_of(code, *_HIDDEN):
                raise SharingError("share_refused", "uninvited") from None
            raise SlackUnavailableError(code, passes(code)) from None
        except (*CALL_ERRORS, *MALFORMED_ERRORS):
            raise SlackUnavailableError(NO_ANSWER) from None
        if why:
            raise SharingError("share_refused", why)


def share_refusal(channel: dict[str, Any], home: Workspace) -> str | None:
    """Return the reason why a session may not be posted in a channel; None if it may be posted (pure).

    - "outside": people outside the bot's Slack workspace and its organization can read the channel or are invited to
      it, or Slack does not say who shares the channel.
    - "unclear": one of the fields REQUIRED_FLAGS is missing or not a boolean.
    - "closed": the channel is archived, and neither "outside" nor "unclear" applies.

    `channel` is Slack's conversation object. `home` is the bot's Slack workspace. Raises AttributeError if `channel` is
    not a dict. Raises TypeError if a field with ids has an unexpected type.
    """
    ours = {home.team_id, home.enterprise_id} - {None}
    foreign = any(set(channel.get(name) or ()) - ours for name in EXTERNAL_TEAM_FIELDS)
    if foreign or any(channel.get(name) for name in EXTERNAL_FLAGS):
        return "outside"
    if any(type(channel.get(name)) is not bool for name in REQUIRED_FLAGS):
        return "unclear"
    if not _is_within(channel, home):
        return "outside"
    return "closed" if channel.get("is_archived") else None


def _is_within(channel: dict[str, Any], home: Workspace) -> bool:
    """Return whether all readers of the channel belong to the bot's Slack workspace or to its organization.

    Return False if Slack does not say which organization shares the channel.
    """
    if channel["is_shared"] and not channel["is_org_shared"]:
        return False  # Slack does not say which organization shares it
    if channel["is_org_shared"] or home.org_wide:  # members of any workspace of the organization may read it
        return bool(home.enterprise_id) and (channel.get("enterprise_id") or home.enterprise_id) == home.enterprise_id
    readers = {*(channel.get("shared_team_ids") or ()), channel.get("conversation_host_id") or home.team_id}
    return readers <= {home.team_id, home.enterprise_id}
