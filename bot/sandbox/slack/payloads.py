"""The payloads of modals, Home tabs, shortcuts and events, in Slack's shapes.

https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events
"""

from __future__ import annotations

import secrets
import time

from bot.sandbox.slack.models import Message, Parameter, Step
from bot.sandbox.slack.shapes import Shape, actor, bot_id, channel_reference, message_object, new_trigger_id
from bot.sandbox.slack.view_state import state_of
from bot.sandbox.slack.views import View
from bot.sandbox.slack.workflow_steps import Execution
from bot.sandbox.slack.workspace import Workspace

HOME_TITLE = {"type": "plain_text", "text": "View Title", "emoji": True}


def view_object(workspace: Workspace, view: View, app_id: str) -> Shape:
    """Return a view as answers and payloads show it."""
    body = view.body
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
        "app_id": app_id,
        "external_id": body.get("external_id", ""),
        "app_installed_team_id": workspace.team_id,
        "bot_id": bot_id(workspace),
    }


def view_submission(workspace: Workspace, view: View, app_id: str) -> Shape:
    """Return the payload of a modal that was sent; it has no response_url."""
    shown = {"view": view_object(workspace, view, app_id), "response_urls": []}
    head = {"type": "view_submission", "api_app_id": app_id, "trigger_id": new_trigger_id()}
    return {**head, **actor(workspace, view.user_id), **shown}


def view_closed(workspace: Workspace, view: View, app_id: str, *, is_cleared: bool) -> Shape:
    """Return the payload of a modal that was closed; it has no trigger_id."""
    shown = {"view": view_object(workspace, view, app_id), "is_cleared": is_cleared}
    return {"type": "view_closed", "api_app_id": app_id, **actor(workspace, view.user_id), **shown}


def view_actions(workspace: Workspace, user_id: str, view: View, app_id: str) -> Shape:
    """Return a `block_actions` payload of a modal or a Home tab without its actions: it has no response_url."""
    container = {"type": "view", "view_id": view.id}
    head = {"type": "block_actions", "api_app_id": app_id, "trigger_id": new_trigger_id(), "container": container}
    return {**head, **actor(workspace, user_id), "view": view_object(workspace, view, app_id)}


def shortcut(workspace: Workspace, user_id: str, callback_id: str) -> Shape:
    """Return the payload of a global shortcut; it has neither a channel nor a response_url."""
    head = {"type": "shortcut", "callback_id": callback_id, "trigger_id": new_trigger_id()}
    return {**head, **actor(workspace, user_id), "action_ts": workspace.next_ts()}


def message_action(workspace: Workspace, user_id: str, message: Message, callback_id: str, app_id: str) -> Shape:
    """Return the payload of a message shortcut, its response_url not yet in it."""
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "trigger_id": new_trigger_id(),
        **actor(workspace, user_id),
        "action_ts": workspace.next_ts(),
        "channel": channel_reference(workspace, message.channel),
        "message_ts": message.ts,
        "message": message_object(workspace, message, app_id),
    }


# events


def event_callback(workspace: Workspace, event: Shape, app_id: str) -> Shape:
    """Return the envelope an event comes in."""
    install = {"enterprise_id": None, "team_id": workspace.team_id, "user_id": workspace.bot_user_id, "is_bot": True}
    return {
        "token": "sandbox",
        "team_id": workspace.team_id,
        "api_app_id": app_id,
        "event": {**event, "event_ts": workspace.next_ts()},
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [{**install, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
    }


def app_home_opened(workspace: Workspace, user_id: str, tab: str, home: View | None, app_id: str) -> Shape:
    """Return the event; it holds the Home tab once there is one."""
    event = {"type": "app_home_opened", "user": user_id, "channel": workspace.open_im(user_id), "tab": tab}
    return {**event, "view": view_object(workspace, home, app_id)} if home and tab == "home" else event


def function_executed(execution: Execution, step: Step, app_id: str) -> Shape:
    """Return the event that a workflow has come to this step."""
    function = {
        "id": f"Fn{app_id[1:]}",
        "callback_id": step.callback_id,
        "title": step.name,
        "description": "",
        "type": "app",
        "input_parameters": [_parameter(each) for each in step.inputs],
        "output_parameters": [_parameter(each) for each in step.outputs],
        "app_id": app_id,
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
