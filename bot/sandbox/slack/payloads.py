"""Build the payloads of modals, Home tabs, shortcuts and events in Slack's shapes.

https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events
"""

from __future__ import annotations

import secrets
import time

from bot.sandbox.slack.models import APP_ID, Message, Parameter, Step
from bot.sandbox.slack.shapes import Shape, actor, bot_id, channel_reference, message_object, new_trigger_id
from bot.sandbox.slack.view_state import state_of
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workflow_steps import Execution
from bot.sandbox.slack.workspace import Workspace

HOME_TITLE = {"type": "plain_text", "text": "View Title", "emoji": True}


def view_object(workspace: Workspace, view: View) -> Shape:
    """Return a modal or Home tab in the shape of Slack's API responses and payloads."""
    body = view.body
    installed = workspace.enterprise_id if workspace.is_org_wide else workspace.team_id
    return {
        "id": view.id,
        "team_id": workspace.team_id,
        "type": body["type"],
        "blocks": view.blocks,
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": view.callback_id,
        "state": state_of(view.blocks, view.values),
        "hash": view.hash,
        "title": body.get("title", HOME_TITLE),
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "previous_view_id": view.previous_view_id,
        "root_view_id": view.root_view_id,
        "app_id": APP_ID,
        "external_id": body.get("external_id", ""),
        "app_installed_team_id": installed,
        "bot_id": bot_id(workspace),
    }


def view_submission(workspace: Workspace, view: View) -> Shape:
    """Return the payload `view_submission` that Slack sends when a user submits a modal."""
    shown = {"view": view_object(workspace, view), "response_urls": []}
    head = {"type": "view_submission", "api_app_id": APP_ID, "trigger_id": new_trigger_id()}
    return {**head, **actor(workspace, view.user_id), **shown}


def view_closed(workspace: Workspace, view: View, *, is_cleared: bool) -> Shape:
    """Return the payload `view_closed` that Slack sends when a user closes a modal.

    `is_cleared`: whether the user closed all open modals.
    """
    shown = {"view": view_object(workspace, view), "is_cleared": is_cleared}
    return {"type": "view_closed", "api_app_id": APP_ID, **actor(workspace, view.user_id), **shown}


def view_actions(workspace: Workspace, user_id: str, view: View, team_id: str | None = None) -> Shape:
    """Return the payload `block_actions` of a press in a modal or Home tab, without the field `actions`.

    `team_id`: the Slack workspace in which the user pressed; None for `workspace.team_id`.
    """
    container = {"type": "view", "view_id": view.id}
    head = {"type": "block_actions", "api_app_id": APP_ID, "trigger_id": new_trigger_id(), "container": container}
    return {**head, **actor(workspace, user_id, team_id), "view": view_object(workspace, view)}


def shortcut(workspace: Workspace, user_id: str, callback_id: str, team_id: str | None = None) -> Shape:
    """Return the payload `shortcut` that Slack sends when a user selects the global shortcut `callback_id`.

    `team_id`: the Slack workspace in which the user selected the shortcut; None for `workspace.team_id`.
    """
    head = {"type": "shortcut", "callback_id": callback_id, "trigger_id": new_trigger_id()}
    return {**head, **actor(workspace, user_id, team_id), "action_ts": workspace.next_ts()}


def message_action(workspace: Workspace, user_id: str, message: Message, callback_id: str) -> Shape:
    """Return the payload `message_action` that Slack sends when a user selects a shortcut in the menu of a message.

    The payload lacks the field `response_url`.

    `callback_id`: the id of the shortcut.
    """
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "trigger_id": new_trigger_id(),
        **actor(workspace, user_id, workspace.team_of(message.channel)),
        "action_ts": workspace.next_ts(),
        "channel": channel_reference(workspace, message.channel),
        "message_ts": message.ts,
        "message": message_object(workspace, message),
    }


# events


def event_callback(workspace: Workspace, event: Shape, team_id: str | None = None) -> Shape:
    """Return the payload `event_callback`, in which Slack sends the event `event`.

    `team_id`: the Slack workspace of the event; None for `workspace.team_id`.
    """
    team_id, is_org_wide = team_id or workspace.team_id, workspace.is_org_wide
    install: Shape = {"enterprise_id": workspace.enterprise_id, "team_id": None if is_org_wide else team_id}
    install |= {"user_id": workspace.bot_user_id, "is_bot": True, "is_enterprise_install": is_org_wide}
    grid = {"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}
    return {
        "token": "sandbox",
        "team_id": team_id,
        **grid,
        "api_app_id": APP_ID,
        "event": {**event, "event_ts": workspace.next_ts()},
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [install],
        "is_ext_shared_channel": False,
    }


def app_home_opened(
    workspace: Workspace, user_id: str, tab: str, home: View | None, team_id: str | None = None
) -> Shape:
    """Return the event `app_home_opened` that Slack sends when a user opens a tab of the app.

    - `tab`: "home" or "messages".
    - `home`: the user's Home tab, for the field `view`; None if the bot has not published one. For the tab "messages",
      `home` is ignored.
    - `team_id`: the Slack workspace in which the user opened the tab; None for `workspace.team_id`.
    """
    user = workspace.id_in(user_id, team_id or workspace.team_id)
    event = {"type": "app_home_opened", "user": user, "channel": workspace.open_im(user_id), "tab": tab}
    return {**event, "view": view_object(workspace, home)} if home and tab == "home" else event


def function_executed(execution: Execution, step: Step) -> Shape:
    """Return the event `function_executed` that starts a workflow step."""
    function = {
        "id": f"Fn{APP_ID[1:]}",
        "callback_id": step.callback_id,
        "title": step.name,
        "description": "",
        "type": "app",
        "input_parameters": [_parameter(each) for each in step.inputs],
        "output_parameters": [_parameter(each) for each in step.outputs],
        "app_id": APP_ID,
        "date_created": 1_767_225_600,
        "date_updated": 1_767_225_600,
        "date_deleted": 0,
    }
    return {
        "type": "function_executed",
        "function": function,
        "inputs": execution.inputs,
        "function_execution_id": execution.id,
        "workflow_execution_id": execution.workflow_id,
        "bot_access_token": execution.bot_access_token,
    }


def _parameter(parameter: Parameter) -> Shape:
    about = {"name": parameter.name, "title": parameter.title, "description": ""}
    return {"type": parameter.type, **about, "is_required": parameter.is_required}
