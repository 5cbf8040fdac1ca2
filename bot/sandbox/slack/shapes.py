"""Build users, messages, channels, and the payloads of commands and button presses, in Slack's shapes."""

from __future__ import annotations

import datetime
import secrets
import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.sandbox.slack.models import APP_ID, Message, SlackUser
from bot.sandbox.slack.validation.elements import elements_of
from bot.sandbox.slack.workspace import Workspace

Shape = dict[str, Any]
OTHER_TEAM_ID = "T0OTHER"
"""The team id of another organization. Channels with `is_ext_shared` are shared with this organization."""


def user_object(user: SlackUser) -> Shape:
    """Return a user in the shape of `users.info`, without the fields `locale` and `enterprise_user`."""
    profile = {
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "team": user.team_id,
    }
    if user.email is not None:
        profile["email"] = user.email
    shape: Shape = {"id": user.id, "team_id": user.team_id, "name": user.name, "deleted": user.deleted}
    shape |= {"profile": profile, "is_bot": user.is_bot, "is_app_user": False, "updated": 1_767_225_600}
    if user.is_stranger:
        shape["is_stranger"] = True
    if user.deleted:
        return shape
    zone = {"tz": user.tz, "tz_label": user.tz, "tz_offset": _offset_seconds(user.tz)}
    rank = {"is_admin": user.is_admin, "is_owner": False, "is_primary_owner": False}
    guest = {"is_restricted": user.is_restricted, "is_ultra_restricted": user.is_ultra_restricted}
    mail = {"is_email_confirmed": user.is_email_confirmed, "who_can_share_contact_card": "EVERYONE"}
    return {**shape, "real_name": user.real_name, "color": "9f69e7", **zone, **rank, **guest, **mail}


def workspace_user_object(workspace: Workspace, user: SlackUser, *, has_locale: bool = False) -> Shape:
    """Return a user in the shape of `users.info`.

    The field `enterprise_user` is present if the user has an `enterprise_user_id`. It is also present if the app is
    installed org-wide and the user is not external.

    `has_locale`: True to include the field `locale`.
    """
    shape = user_object(user) | ({"locale": user.locale} if has_locale else {})
    if user.reported_id:
        shape["id"] = user.reported_id
    if user.enterprise_user_id or (workspace.is_org_wide and not workspace.is_external(user)):
        grid: Shape = {"id": user.enterprise_user_id or user.id, "teams": list(user.team_ids), "is_admin": False}
        shape["enterprise_user"] = grid | {"enterprise_id": workspace.enterprise_id or "E0SANDBOX"}
    return shape


def message_object(workspace: Workspace, message: Message) -> Shape:
    """Return a message in the shape of Slack's API responses and interaction payloads."""
    shape: Shape = {"type": "message", "user": message.user, "ts": message.ts}
    shape["team"] = workspace.team_of(message.channel)
    if message.user == workspace.bot_user_id:
        shape |= {"bot_id": bot_id(workspace), "app_id": APP_ID}
    if message.thread_ts:
        shape["thread_ts"] = message.thread_ts
    return {**shape, "text": message.text, "blocks": message.blocks}


def command_origin(workspace: Workspace, user_id: str, channel_id: str, team_id: str | None) -> dict[str, str]:
    """Return the fields of a command's payload that name the user, the Slack workspace and the channel.

    `team_id`: the Slack workspace in which the user typed the command. If None, it is the user's own workspace for an
    external user, and the workspace of the channel for any other user.
    """
    user, channel = workspace.users.get(workspace.own_id(user_id)), workspace.channels.get(channel_id)
    grid = {"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}
    if team_id is None:
        team_id = user.team_id if user and workspace.is_external(user) else workspace.team_of(channel_id)
    return {
        **grid,
        "token": "sandbox",
        "team_id": team_id,
        "team_domain": "sandbox",
        "channel_id": channel_id,
        "channel_name": channel.name if channel else "directmessage",
        "user_id": workspace.id_in(user_id, team_id),
        "user_name": user.name if user else user_id.lower(),
    }


def actor(workspace: Workspace, user_id: str, team_id: str | None = None) -> Shape:
    """Return the fields of an interaction payload that name the user and the Slack workspace.

    `team_id`: the Slack workspace of the interaction; None for `workspace.team_id`.

    If the app is installed org-wide, the field `team` is null.
    """
    user, team_id = workspace.users.get(workspace.own_id(user_id)), team_id or workspace.team_id
    handle = user.name if user else user_id.lower()
    own = user.team_id if user else workspace.team_id
    if workspace.is_org_wide and own in workspace.teams:
        own = workspace.enterprise_id or own
    return {
        "token": "sandbox",
        "team": None if workspace.is_org_wide else {"id": team_id, "domain": "sandbox"},
        "user": {"id": workspace.id_in(user_id, team_id), "username": handle, "name": handle, "team_id": own},
        "enterprise": {"id": workspace.enterprise_id} if workspace.enterprise_id else None,
        "is_enterprise_install": workspace.is_org_wide,
    }


def interaction(workspace: Workspace, user_id: str, message: Message) -> Shape:
    """Return the payload `block_actions` of a press in a message, without the field `actions`.

    The payload has the field `message` only if the message is not ephemeral.
    """
    container = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
    payload: Shape = {
        "type": "block_actions",
        "api_app_id": APP_ID,
        "container": {**container, "is_ephemeral": message.visible_to is not None},
        "trigger_id": new_trigger_id(),
        **actor(workspace, user_id, workspace.team_of(message.channel)),
        "channel": channel_reference(workspace, message.channel),
    }
    if message.visible_to is None:
        payload["message"] = message_object(workspace, message)
    return payload


def channel_reference(workspace: Workspace, channel_id: str) -> Shape:
    """Return the id and the name of a channel, in the shape of interaction payloads."""
    channel = workspace.channels.get(channel_id)
    return {"id": channel_id, "name": channel.name if channel else "directmessage"}


def channel_object(workspace: Workspace, channel_id: str) -> Shape:
    """Return a channel, or a direct message with the bot, in the shape of `conversations.info`."""
    shape: Shape = {"id": channel_id, "created": 1_767_225_600, "is_archived": False, "is_org_shared": False}
    channel = workspace.channels.get(channel_id)
    if channel is None:
        return {**shape, "is_im": True, "user": workspace.im_owner(channel_id), "is_user_deleted": False}
    kind = {"is_channel": not channel.is_private, "is_group": channel.is_private, "is_im": False, "is_mpim": False}
    others = [OTHER_TEAM_ID] if channel.is_ext_shared else []
    own = list(workspace.teams) if channel.is_org_shared else [channel.team_id]
    shared = {
        "is_shared": channel.is_ext_shared or channel.is_org_shared,
        "is_org_shared": channel.is_org_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "shared_team_ids": [*own, *others],
    }
    if others:
        shared |= {"connected_team_ids": [channel.team_id, *others], "conversation_host_id": channel.team_id}
    if workspace.enterprise_id:
        shared["enterprise_id"] = workspace.enterprise_id
    names = {"name": channel.name, "name_normalized": channel.name, "context_team_id": channel.team_id}
    return {**shape, **names, **kind, **shared, "is_private": channel.is_private, "is_member": channel.bot_is_member}


def new_trigger_id() -> str:
    """Return a new trigger id in Slack's form."""
    return f"{time.time_ns() // 1_000_000}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"


def find_element(blocks: list[Shape], action_id: str, block_id: str | None) -> tuple[Shape, Shape]:
    """Return the block that contains the element with the action id `action_id`, and the element.

    `block_id`: the block to search; None for all blocks.

    Raises LookupError if there is no such element.
    """
    for block in blocks:
        for element in elements_of(block):
            if element.get("action_id") == action_id and block_id in (None, block.get("block_id")):
                return block, element
    raise LookupError(f"there is no {action_id} to press")


def bot_id(workspace: Workspace) -> str:
    """Return the app's bot id (`B…`), which differs from the bot's user id (`U…`)."""
    return "B" + workspace.bot_user_id[1:]


def _offset_seconds(zone: str) -> int:
    try:
        offset = datetime.datetime.now(ZoneInfo(zone)).utcoffset()
    except ZoneInfoNotFoundError:
        return 0
    return int(offset.total_seconds()) if offset else 0
