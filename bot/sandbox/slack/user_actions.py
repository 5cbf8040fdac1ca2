"""What people do in the sandbox's Slack: type, press, choose, fill in, run a workflow; each act becomes a payload.

The payloads' shapes are in `slack_shapes` and `slack_payloads`, their way to the bot in `slack_courier`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack import payloads
from bot.sandbox.slack.delivery.dispatch import EventDelivery
from bot.sandbox.slack.models import Answer, Delivery, Kind, Message, Step
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.shapes import command_origin, find_element, interaction, new_trigger_id
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.view_state import IncompleteError, Value, as_shown, fill, initial_values, problems, state_of
from bot.sandbox.slack.views import View, Views
from bot.sandbox.slack.workflow_steps import Execution, Executions
from bot.sandbox.slack.workspace import SLACKBOT, Workspace


class UserActions:
    """Everybody in the workspace; each method is one act of one person, and waits for the bot's ack."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        executions: Executions,
        response_urls: ResponseUrls,
        courier: EventDelivery,
        *,
        app_id: str,
        command: str,
    ) -> None:
        self.workspace = workspace
        self.views = views
        self.runs = executions
        self.response_urls = response_urls
        self.courier = courier
        self.app_id = app_id
        self.command_name = command
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
        """Type the command; with `escape`, mentions and entities come as `should_escape: true` makes them."""
        channel = channel_id or next(iter(self.workspace.channels))
        trigger = trigger_id or new_trigger_id()
        payload = {
            **command_origin(self.workspace, user_id, channel, team_id),
            "command": command or self.command_name,
            "text": (self.workspace.typed(text) if escape else text).strip(),
            "api_app_id": self.app_id,
            "is_enterprise_install": str(self.workspace.is_org_wide).lower(),
            "response_url": self.url + self.response_urls.make(user_id, channel, trigger),
            "trigger_id": trigger,
        }
        return await self.send(payload, "slash_commands")

    async def press(
        self,
        user_id: str,
        thing: Message | View,
        action_id: str,
        *,
        block_id: str | None = None,
        response_url: bool = True,
        chosen: Value = None,
        values: Mapping[Any, Value] | None = None,
    ) -> Delivery:
        """Press a button of a message, a modal or a Home tab, or choose something; LookupError when it is not there.

        `chosen` is for a select: an option's value or a user's id. `values` is what else was filled in in a view.
        """
        block, element = find_element(thing.blocks, action_id, block_id)
        action = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"]}
        action |= {key: element[key] for key in ("text", "value", "style") if key in element}
        action |= as_shown(element, chosen)
        filled = thing.values if isinstance(thing, View) else initial_values(thing.blocks)
        fill(thing.blocks, filled, values or {})
        if element["type"] != "button":
            fill(thing.blocks, filled, {action_id: chosen})
        if isinstance(thing, View):
            payload = payloads.view_actions(self.workspace, user_id, thing, self.app_id)
        else:
            payload = interaction(self.workspace, user_id, thing, self.app_id)
            payload["state"] = state_of(thing.blocks, filled)
        payload["actions"] = [{**action, "action_ts": self.workspace.next_ts()}]
        if response_url and isinstance(thing, Message):
            path = self.response_urls.make(user_id, thing.channel, payload["trigger_id"], thing)
            payload["response_url"] = self.url + path
        return await self.send(payload, "interactive")

    async def shortcut(self, user_id: str, callback_id: str) -> Delivery:
        """Choose a global shortcut in the lightning menu."""
        return await self.send(payloads.shortcut(self.workspace, user_id, callback_id), "interactive")

    async def message_shortcut(self, user_id: str, message: Message, callback_id: str) -> Delivery:
        """Choose a shortcut in a message's menu; its response_url only adds messages."""
        payload = payloads.message_action(self.workspace, user_id, message, callback_id, self.app_id)
        path = self.response_urls.make(user_id, message.channel, payload["trigger_id"])
        return await self.send({**payload, "response_url": self.url + path}, "interactive")

    def say(self, user_id: str, channel_id: str, text: str) -> Message:
        """Post what a person typed as an ordinary message; the bot hears nothing of it."""
        return self.workspace.add(channel_id, self.workspace.typed(text), [], via="person", user=user_id)

    # modals, the Home tab, workflows

    async def submit(self, user_id: str, view: View, values: Mapping[Any, Value] | None = None) -> Delivery:
        """Fill in a modal, by block_id or action_id, send it, and do with it what the ack says.

        Raises IncompleteError with what Slack itself tells of the fields, LookupError for a field, an
        option or a modal
        that is not there.
        """
        if not view.is_open or view.user_id != user_id:
            raise LookupError("this person has no such modal open")
        fill(view.blocks, view.values, values or {})
        view.errors = problems(view.blocks, view.values)
        if view.errors:
            self.views.changed(view)
            raise IncompleteError(view.errors)
        payload = payloads.view_submission(self.workspace, view, self.app_id)
        delivery = await self.send(payload, "interactive")
        answer = Answer(delivery.acked, delivery.status, delivery.body, delivery.error)
        self.views.take_answer(view, answer)
        return delivery

    async def close(self, user_id: str, view: View, *, everything: bool = False) -> Delivery | None:
        """Close a modal, or with `everything` all that are stacked; None unless the bot asked to be told."""
        stack = self.views.of(user_id)
        if view not in stack:
            raise LookupError("this person has no such modal open")
        is_cleared = everything or bool(view.body.get("clear_on_close"))
        payload = payloads.view_closed(self.workspace, view, self.app_id, is_cleared=is_cleared)
        self.views.close(stack[0] if is_cleared else view)
        return await self.send(payload, "interactive") if view.body.get("notify_on_close") else None

    async def open_home(self, user_id: str, tab: str = "home") -> Delivery:
        """Open the app's Home tab, or its `messages`."""
        home = self.views.home(user_id)
        return await self.event(payloads.app_home_opened(self.workspace, user_id, tab, home, self.app_id))

    async def function_executed(self, callback_id: str, inputs: Mapping[str, Any]) -> Execution:
        """Run a workflow that has this step; what comes of it is in the Execution, later."""
        execution = self.runs.start(callback_id, inputs)
        step = self.runs.steps.get(callback_id, Step(callback_id, callback_id))
        execution.delivery = await self.event(payloads.function_executed(execution, step, self.app_id))
        self.runs.changed(execution)
        return execution

    # deliveries

    async def event(self, event: dict[str, Any]) -> Delivery:
        """Tell the bot of an event; one that is not acknowledged comes again, as `courier` says."""
        return await self.courier.carry_event(payloads.event_callback(self.workspace, event, self.app_id))

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same payload again, ids and response_url included, in a new envelope or freshly signed."""
        return await self.send(delivery.payload, delivery.kind, retry=delivery.retry + 1)

    async def send(self, payload: dict[str, Any], kind: Kind, *, retry: int = 0) -> Delivery:
        """Deliver any payload, wait for the ack, and show the person what Slack would show."""
        user = payload.get("user_id") or (payload.get("user") or {}).get("id")
        if user and payload.get("trigger_id"):
            self.views.give_trigger(str(payload["trigger_id"]), str(user))
        delivery = await self.courier.carry(payload, kind, retry)
        if kind == "slash_commands":
            self._show(delivery)
        return delivery

    def _show(self, delivery: Delivery) -> None:
        body, error, trigger = delivery.body if delivery.acked else None, delivery.error, delivery.trigger_id
        channel = str(delivery.payload.get("channel_id", ""))
        user_id = str(delivery.payload.get("user_id", ""))
        if error is None and not body:
            return
        said = {"text": body} if isinstance(body, str) else body or {}
        try:
            text, blocks = read_message(said) if error is None else ("", [])
        except BlockError as found:
            if found.code == "no_text":
                return
            error = found.code
        if error is not None:
            line = f'{delivery.payload.get("command")} failed with the error "{error}"'
            self.workspace.add(channel, line, [], via="slackbot", user=SLACKBOT, visible_to=user_id, trigger_id=trigger)
            return
        reader = None if said.get("response_type") == "in_channel" else user_id
        self.workspace.add(channel, text, blocks, via="ack", visible_to=reader, trigger_id=trigger)
