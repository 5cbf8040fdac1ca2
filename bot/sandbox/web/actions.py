"""Handle the POST requests of the sandbox's page: messages, presses, modals, shortcuts and workflow steps.

The page shows one user's view of Slack. This user is called the acting user. The field `as` of each HTTP request
except `/api/run-step` is the acting user's id. An HTTP request can use only messages and views that the acting user
sees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack.models import COMMAND
from bot.sandbox.slack.server import Delivery, IncompleteFormError, Message, SandboxSlack, View

BAD_REQUEST_TEXT = "The server does not understand this request."


class PageActions:
    """Carries out in the sandbox's Slack what a person does on the page as the acting user, such as a press.

    The field `acked` of the HTTP response says whether the bot acknowledged the payload of the action. The field is
    missing or None if the bot gets no payload. It is missing in the responses of `close` and `run_step`.

    `routes`: one route for each action. The path is `/api/` and the name of the handler, such as `/api/run-step`.
    """

    def __init__(self, slack: SandboxSlack, people: Mapping[str, str], *, has_read_only_messages: bool) -> None:
        self._slack = slack
        self._people = people
        self._has_read_only_messages = has_read_only_messages
        handlers = (self.message, self.press, self.shortcut, self.submit, self.close, self.home, self.run_step)
        self.routes = [web.post(f"/api/{handler.__name__.replace('_', '-')}", handler) for handler in handlers]

    async def message(self, request: web.Request) -> web.Response:
        """Send the text that the acting user typed: a slash command or a message.

        A text that begins with `/` is a slash command. Any other text is a message. The bot gets no payload for a
        message.
        """
        fields = await read_fields(request, "as", "channel", "text")
        person, channel, text = fields["as"], fields["channel"], fields["text"].strip()
        if person not in self._people or not self._slack.workspace.is_member(person, channel):
            return web.Response(status=400, text="This person is not in that conversation.")
        if self._has_read_only_messages and self._slack.workspace.im_owner(channel):
            return web.Response(status=400, text="Sending messages to this app has been turned off.")
        if not text:
            return web.Response(status=400, text="There is nothing to send.")
        if not text.startswith("/"):
            self._slack.post_message(person, channel, text)
            return web.json_response({})
        name, _, rest = text.partition(" ")
        if name != COMMAND:
            line = self._slack.workspace.format_typed_text(f"{name} is not a valid command.")
            self._slack.workspace.add(channel, line, [], via="slackbot", user="USLACKBOT", visible_to=person)
            return web.json_response({})
        return _ack_response(await self._slack.command(person, rest, channel_id=channel))

    async def press(self, request: web.Request) -> web.Response:
        """Press a button, or choose an option, in a message or a view.

        The field `chosen` of the HTTP request has the option that was chosen in an overflow menu; "" for any other
        element. The field `values` has the values of all inputs in the message or view.
        """
        fields = await read_fields(request, "as", "team", "ts", "view", "action_id", "block_id", "chosen")
        values = await _read_values(request)
        person, action_id, block_id = fields["as"], fields["action_id"], fields["block_id"]
        target = self._view(person, fields["view"]) if fields["view"] else self._message(person, fields["ts"])
        chosen = values.pop((block_id, action_id), None) or fields["chosen"] or None
        try:
            delivery = await self._slack.press(
                person,
                target,
                action_id,
                block_id=block_id,
                chosen=chosen,
                values=values,
                team_id=self._team(fields["team"]),
            )
        except LookupError:
            return web.Response(status=404, text="The button is gone.")
        return _ack_response(delivery)

    async def shortcut(self, request: web.Request) -> web.Response:
        """Use a global shortcut, or a message shortcut if the HTTP request has the field `ts` (the id of a message)."""
        fields = await read_fields(request, "as", "team", "callback_id", "ts")
        kind = "message" if fields["ts"] else "global"
        known = {shortcut.callback_id for shortcut in self._slack.shortcuts if shortcut.type == kind}
        if fields["as"] not in self._people or fields["callback_id"] not in known:
            return web.Response(status=404, text="There is no such shortcut.")
        if not fields["ts"]:
            team_id = self._team(fields["team"])
            return _ack_response(await self._slack.shortcut(fields["as"], fields["callback_id"], team_id=team_id))
        message = self._message(fields["as"], fields["ts"])
        return _ack_response(await self._slack.message_shortcut(fields["as"], message, fields["callback_id"]))

    async def submit(self, request: web.Request) -> web.Response:
        """Submit a modal.

        If an input is invalid, the bot gets no payload, and `acked` is None. The event `modals` then brings Slack's
        error messages to the page, over the page's event stream.
        """
        fields, values = await read_fields(request, "as", "view"), await _read_values(request)
        view = self._view(fields["as"], fields["view"])
        try:
            return _ack_response(await self._slack.submit(fields["as"], view, values))
        except IncompleteFormError:
            return web.json_response({"acked": None})
        except LookupError:
            return web.Response(status=404, text="The form has changed.")

    async def close(self, request: web.Request) -> web.Response:
        """Close a modal. If the HTTP request has the field `clear`, close all modals of the acting user."""
        fields = await read_fields(request, "as", "view", "clear")
        view = self._view(fields["as"], fields["view"])
        try:
            await self._slack.close(fields["as"], view, clear=bool(fields["clear"]))
        except LookupError:
            return web.Response(status=404, text="The dialog is gone.")
        return web.json_response({})

    async def home(self, request: web.Request) -> web.Response:
        """Open the app's Home tab as the acting user."""
        fields = await read_fields(request, "as", "team")
        person = fields["as"]
        if person not in self._people:
            return web.Response(status=404, text="There is no such person here.")
        return _ack_response(await self._slack.open_home(person, team_id=self._team(fields["team"])))

    async def run_step(self, request: web.Request) -> web.Response:
        """Start a workflow step. Return the id of its execution.

        The event `execution` brings the result to the page later, over the page's event stream.
        """
        name = (await read_fields(request, "callback_id"))["callback_id"]
        inputs = (await _read_body(request)).get("inputs")
        if name not in self._slack.runs.steps or not isinstance(inputs, dict):
            return web.Response(status=404, text="There is no such step.")
        execution = await self._slack.function_executed(name, inputs)
        return web.json_response({"id": execution.id})

    def _team(self, team_id: str) -> str | None:
        """Return `team_id` if the sandbox has a Slack workspace with this id, else None."""
        return team_id if team_id in self._slack.workspace.teams else None

    def _message(self, person: str, ts: str) -> Message:
        visible = self._slack.seen_by(person) if person in self._people else []
        for message in visible:
            if message.ts == ts:
                return message
        raise web.HTTPNotFound(text="The message is gone.")

    def _view(self, person: str, view_id: str) -> View:
        home = self._slack.home_of(person)
        for view in (*self._slack.views_of(person), *([home] if home else [])):
            if view.id == view_id and person in self._people:
                return view
        raise web.HTTPNotFound(text="The dialog is gone.")


def _ack_response(delivery: Delivery) -> web.Response:
    return web.json_response({"acked": delivery.acked})


async def read_fields(request: web.Request, *names: str) -> dict[str, str]:
    """Return the fields `names` of the JSON body of an HTTP request; "" for a missing field.

    Raises HTTPBadRequest if the body is not a JSON object or if a field is not a string.
    """
    body = await _read_body(request)
    if any(not isinstance(body.get(name) or "", str) for name in names):
        raise web.HTTPBadRequest(text=BAD_REQUEST_TEXT)
    return {name: body.get(name) or "" for name in names}


async def _read_body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text=BAD_REQUEST_TEXT)
    return body


async def _read_values(request: web.Request) -> dict[tuple[str, str], Any]:
    """Return the values of the inputs in the JSON body of an HTTP request, by pairs of block_id and action_id.

    Return {} if the field `values` is missing. Raises HTTPBadRequest if the body or the field has an unexpected shape,
    or if a value is not a string, a list of strings or None.
    """
    blocks = (await _read_body(request)).get("values") or {}
    if not isinstance(blocks, dict) or not all(isinstance(actions, dict) for actions in blocks.values()):
        raise web.HTTPBadRequest(text=BAD_REQUEST_TEXT)
    values = {(block, name): value for block, actions in blocks.items() for name, value in actions.items()}
    for value in values.values():
        parts = value if isinstance(value, list) else [value]
        if not all(part is None or isinstance(part, str) for part in parts):
            raise web.HTTPBadRequest(text=BAD_REQUEST_TEXT)
    return values
