"""Simulate what users do in Slack: type commands, press buttons, submit modals, use shortcuts and workflow steps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack import payloads
from bot.sandbox.slack.delivery.dispatch import Dispatcher
from bot.sandbox.slack.models import APP_ID, COMMAND, Ack, ApiError, Delivery, Kind, Message, Step
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.shapes import command_origin, find_element, interaction, new_trigger_id
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.view_state import (
    STATEFUL,
    IncompleteFormError,
    Value,
    initial_values,
    set_values,
    state_of,
    validation_errors,
    value_payload,
)
from bot.sandbox.slack.views import View, Views
from bot.sandbox.slack.workflow_steps import Execution, Executions
from bot.sandbox.slack.workspace import SLACKBOT, Workspace


class UserActions:
    """Simulates what users do in Slack. A method that returns a Delivery sends a payload to the bot.

    `url`: the URL of the sandbox's Slack, with which response_urls begin; "" before the server starts.
    """

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        executions: Executions,
        response_urls: ResponseUrls,
        dispatcher: Dispatcher,
    ) -> None:
        self.workspace = workspace
        self.views = views
        self.runs = executions
        self.response_urls = response_urls
        self.dispatcher = dispatcher
        self.url = ""

    # commands, buttons, shortcuts

    async def command(
        self,
        user_id: str,
        text: str,
        *,
        channel_id: str | None = None,
        team_id: str | None = None,
        command: str | None = None,
        trigger_id: str | None = None,
        escape: bool = True,
    ) -> Delivery:
        """Send a slash command as a user.

        - `text`: the text after the name of the command.
        - `channel_id`: the channel in which the user types the command; None for the first channel.
        - `team_id`: the Slack workspace in which the user types the command. If None, it is the user's own workspace
          for an external user, and the workspace of the channel for any other user.
        - `command`: the name of the command; None for `/cobrowse`.
        - `trigger_id`: the trigger id in the payload; None for a new trigger id.
        - `escape`: True to put mentions, channels and links in `text` in angle brackets, such as `<@U0ANA|ana>`, as
          Slack does with `should_escape: true` in the manifest. False to send `text` unchanged.
        """
        channel = channel_id or next(iter(self.workspace.channels))
        trigger = trigger_id or new_trigger_id()
        payload = {
            **command_origin(self.workspace, user_id, channel, team_id),
            "command": command or COMMAND,
            "text": (self.workspace.format_typed_text(text) if escape else text).strip(),
            "api_app_id": APP_ID,
            "is_enterprise_install": str(self.workspace.is_org_wide).lower(),
            "response_url": self.url + self.response_urls.make(user_id, channel, trigger),
            "trigger_id": trigger,
        }
        return await self.send(payload, "slash_commands")

    async def press(
        self,
        user_id: str,
        target: Message | View,
        action_id: str,
        *,
        block_id: str | None = None,
        response_url: bool = True,
        chosen: Value = None,
        values: Mapping[Any, Value] | None = None,
        team_id: str | None = None,
    ) -> Delivery:
        """Press a button, or choose an option, in a message, a modal or a Home tab.

        - `target`: the message or view.
        - `action_id`: the action id of the button, menu or other element.
        - `block_id`: the block that contains the element; None to search all blocks.
        - `response_url`: whether the payload of a press in a message has a response_url.
        - `chosen`: the new value of the element, such as the value of an option or a user id; None for a button.
        - `values`: the new values of other inputs in `target`. A key is a block_id, an action_id or a tuple (block_id,
          action_id).
        - `team_id`: the Slack workspace of a press in a view; None for the first Slack workspace of the sandbox. A
          press in a message ignores `team_id`.

        Raises LookupError for an unknown element, input or option.
        """
        block, element = find_element(target.blocks, action_id, block_id)
        action = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"]}
        action |= {key: element[key] for key in ("text", "value", "style") if key in element}
        action |= value_payload(element, chosen)
        filled = target.values if isinstance(target, View) else initial_values(target.blocks)
        set_values(target.blocks, filled, values or {})
        if element["type"] in STATEFUL:
            set_values(target.blocks, filled, {(block["block_id"], action_id): chosen})
        if isinstance(target, View):
            payload = payloads.view_actions(self.workspace, user_id, target, team_id)
        else:
            payload = interaction(self.workspace, user_id, target)
            payload["state"] = state_of(target.blocks, filled)
        payload["actions"] = [{**action, "action_ts": self.workspace.next_ts()}]
        if response_url and isinstance(target, Message):
            path = self.response_urls.make(user_id, target.channel, payload["trigger_id"], target)
            payload["response_url"] = self.url + path
        return await self.send(payload, "interactive")

    async def shortcut(self, user_id: str, callback_id: str, *, team_id: str | None = None) -> Delivery:
        """Use the global shortcut `callback_id`.

        `team_id`: the Slack workspace in which the user is; None for the first Slack workspace of the sandbox.
        """
        return await self.send(payloads.shortcut(self.workspace, user_id, callback_id, team_id), "interactive")

    async def message_shortcut(self, user_id: str, message: Message, callback_id: str) -> Delivery:
        """Use the shortcut `callback_id` in the menu of a message."""
        payload = payloads.message_action(self.workspace, user_id, message, callback_id)
        path = self.response_urls.make(user_id, message.channel, payload["trigger_id"])
        return await self.send({**payload, "response_url": self.url + path}, "interactive")

    def post_message(self, user_id: str, channel_id: str, text: str) -> Message:
        """Post a message of a user to a channel, and return the message. The bot gets no payload."""
        return self.workspace.add(channel_id, self.workspace.format_typed_text(text), [], via="person", user=user_id)

    # modals, the Home tab, workflows

    async def submit(self, user_id: str, view: View, values: Mapping[Any, Value] | None = None) -> Delivery:
        """Fill in and submit a modal. Apply the bot's acknowledgement to the modal.

        `values`: the new values of inputs. A key is a block_id, an action_id or a tuple (block_id, action_id).

        Raises IncompleteFormError if the value of an input is invalid. Raises LookupError for an unknown input or
        option, or if the user does not have the modal open.
        """
        if not view.is_open or view.user_id != user_id:
            raise LookupError("this person has no such modal open")
        set_values(view.blocks, view.values, values or {})
        view.errors = validation_errors(view.blocks, view.values)
        if view.errors:
            self.views.changed(view)
            raise IncompleteFormError(view.errors)
        delivery = await self.send(payloads.view_submission(self.workspace, view), "interactive")
        await self._apply_ack(view, delivery)
        return delivery

    async def _apply_ack(self, view: View, delivery: Delivery) -> None:
        await asyncio.sleep(self.views.ack_delay_seconds)
        self.views.apply_ack(view, Ack(delivery.acked, delivery.status, delivery.body, delivery.error))

    async def close(self, user_id: str, view: View, *, clear: bool = False) -> Delivery | None:
        """Close a modal and all modals that lie on top of the modal.

        If the modal has `notify_on_close`, send the payload `view_closed` to the bot, and return the record of the
        delivery. Otherwise return None.

        `clear`: True to close all modals of the user. The field `clear_on_close` of the modal has the same effect.

        Raises LookupError if the user does not have the modal open.
        """
        stack = self.views.modals_of(user_id)
        if view not in stack:
            raise LookupError("this person has no such modal open")
        is_cleared = clear or bool(view.body.get("clear_on_close"))
        payload = payloads.view_closed(self.workspace, view, is_cleared=is_cleared)
        self.views.close(stack[0] if is_cleared else view)
        return await self.send(payload, "interactive") if view.body.get("notify_on_close") else None

    async def open_home(self, user_id: str, tab: str = "home", *, team_id: str | None = None) -> Delivery:
        """Open a tab of the app as a user, and send the event `app_home_opened` to the bot.

        - `tab`: "home" or "messages".
        - `team_id`: the Slack workspace in which the user is; None for the first Slack workspace of the sandbox.
        """
        home = self.views.home(user_id)
        return await self.event(payloads.app_home_opened(self.workspace, user_id, tab, home, team_id), team_id)

    async def function_executed(
        self, callback_id: str, inputs: Mapping[str, Any], *, team_id: str | None = None
    ) -> Execution:
        """Start a workflow step, and return the execution.

        The bot completes the execution later, with outputs or with an error.

        - `callback_id`: the id of the workflow step in the app's manifest.
        - `inputs`: the values of the inputs, by name.
        - `team_id`: the Slack workspace of the workflow; None for the first Slack workspace of the sandbox.
        """
        execution = self.runs.start(callback_id, inputs)
        step = self.runs.steps.get(callback_id, Step(callback_id, callback_id))
        execution.delivery = await self.event(payloads.function_executed(execution, step), team_id)
        self.runs.changed(execution)
        return execution

    # deliveries

    async def event(self, event: dict[str, Any], team_id: str | None = None) -> Delivery:
        """Send an event to the bot. If the bot does not acknowledge the event, start retries in the background.

        - `event`: the event without the payload `event_callback` around it.
        - `team_id`: the Slack workspace of the event; None for the first Slack workspace of the sandbox.
        """
        return await self.dispatcher.dispatch_event(payloads.event_callback(self.workspace, event, team_id))

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the payload of an earlier delivery again, as the next retry.

        If the payload is a submission of a modal that is still open, apply the bot's acknowledgement to the modal.
        """
        payload = delivery.payload
        again = await self.send(payload, delivery.kind, retry=delivery.retry + 1)
        if payload.get("type") == "view_submission":
            with contextlib.suppress(ApiError):
                await self._apply_ack(self.views.find(payload["view"]["id"], None), again)
        return again

    async def send(self, payload: dict[str, Any], kind: Kind, *, retry: int = 0) -> Delivery:
        """Deliver a payload, wait for the acknowledgement, and return a record of the delivery.

        If the payload is a slash command, add the message in the acknowledgement to the channel. Only the user sees the
        message, unless its `response_type` is `in_channel`. If the bot did not acknowledge the slash command, or if the
        message is invalid, show the user Slack's error.

        - `kind`: `slash_commands`, `events_api`, or `interactive` for presses, shortcuts and modals.
        - `retry`: 0 for the first delivery, 1 for the first retry, and so on.
        """
        user = payload.get("user_id") or (payload.get("user") or {}).get("id")
        if user and payload.get("trigger_id"):
            self.views.register_trigger(str(payload["trigger_id"]), self.workspace.own_id(str(user)))
        delivery = await self.dispatcher.dispatch(payload, kind, retry)
        if kind == "slash_commands":
            self._show_response(delivery)
        return delivery

    def _show_response(self, delivery: Delivery) -> None:
        body, error, trigger = delivery.body if delivery.acked else None, delivery.error, delivery.trigger_id
        channel = str(delivery.payload.get("channel_id", ""))
        user_id = str(delivery.payload.get("user_id", ""))
        if error is None and not body:
            return
        content = {"text": body} if isinstance(body, str) else body or {}
        try:
            text, blocks = read_message(content) if error is None else ("", [])
        except BlockError as found:
            if found.code == "no_text":
                return
            error = found.code
        if error is not None:
            line = f'{delivery.payload.get("command")} failed with the error "{error}"'
            self.workspace.add(channel, line, [], via="slackbot", user=SLACKBOT, visible_to=user_id, trigger_id=trigger)
            return
        reader = None if content.get("response_type") == "in_channel" else user_id
        self.workspace.add(channel, text, blocks, via="ack", visible_to=reader, trigger_id=trigger)
