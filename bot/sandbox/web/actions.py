"""What the acting person does on the sandbox's page, told to its Slack: type, press, fill in, choose, run a workflow.

The page itself is not trusted: whoever acts can do only what that person sees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack.server import Delivery, IncompleteError, Message, SandboxSlack, View

MISUNDERSTOOD = "The page sent something this server does not understand."


class PageActions:
    """The part of the page's server that takes what people do; `routes` is where."""

    def __init__(self, slack: SandboxSlack, people: Mapping[str, str]) -> None:
        self._slack = slack
        self._people = people
        acts = (self.say, self.press, self.shortcut, self.submit, self.close, self.home, self.run)
        self.routes = [web.post(f"/api/{act.__name__}", act) for act in acts]

    async def say(self, request: web.Request) -> web.Response:
        """Take a line from the composer: a command, or an ordinary message, which stays on this page."""
        given = await asked(request, "as", "channel", "text")
        person, channel, text = given["as"], given["channel"], given["text"].strip()
        if person not in self._people or not self._slack.workspace.is_member(person, channel):
            return web.Response(status=400, text="This person is not in that conversation.")
        if not text:
            return web.Response(status=400, text="There is nothing to send.")
        if not text.startswith("/"):
            self._slack.say(person, channel, text)
            return web.json_response({})
        name, _, rest = text.partition(" ")
        if name != self._slack.command_name:
            line = self._slack.workspace.typed(f"{name} is not a valid command.")
            self._slack.workspace.add(channel, line, [], via="slackbot", user="USLACKBOT", visible_to=person)
            return web.json_response({})
        return _told(await self._slack.command(person, rest, channel_id=channel))

    async def press(self, request: web.Request) -> web.Response:
        """Take a press of a button, or a choice, in a message or a view."""
        given, values = await asked(request, "as", "ts", "view", "action_id", "block_id"), await _values(request)
        person, ids = given["as"], (given["action_id"], given["block_id"])
        thing = self._view(person, given["view"]) if given["view"] else self._message(person, given["ts"])
        chosen = values.pop(ids, None)
        block_id = given["block_id"]
        try:
            filled = values if isinstance(thing, View) else None
            delivery = await self._slack.press(
                person, thing, given["action_id"], block_id=block_id, chosen=chosen, values=filled
            )
        except LookupError:
            return web.Response(status=404, text="The button is gone.")
        return _told(delivery)

    async def shortcut(self, request: web.Request) -> web.Response:
        """Take a choice in the lightning menu, or with `ts` in that message's menu."""
        given = await asked(request, "as", "callback_id", "ts")
        kind = "message" if given["ts"] else "global"
        known = {shortcut.callback_id for shortcut in self._slack.shortcuts if shortcut.type == kind}
        if given["as"] not in self._people or given["callback_id"] not in known:
            return web.Response(status=404, text="There is no such shortcut.")
        if not given["ts"]:
            return _told(await self._slack.shortcut(given["as"], given["callback_id"]))
        message = self._message(given["as"], given["ts"])
        return _told(await self._slack.message_shortcut(given["as"], message, given["callback_id"]))

    async def submit(self, request: web.Request) -> web.Response:
        """Take a modal that was filled in; what Slack says at its fields comes to the page as a change of the view."""
        given, values = await asked(request, "as", "view"), await _values(request)
        view = self._view(given["as"], given["view"])
        try:
            return _told(await self._slack.submit(given["as"], view, values))
        except IncompleteError:
            return web.json_response({"acked": None})
        except LookupError:
            return web.Response(status=404, text="The form has changed.")

    async def close(self, request: web.Request) -> web.Response:
        """Close a modal, or all that are stacked."""
        given = await asked(request, "as", "view", "everything")
        view = self._view(given["as"], given["view"])
        try:
            await self._slack.close(given["as"], view, everything=bool(given["everything"]))
        except LookupError:
            return web.Response(status=404, text="The dialog is gone.")
        return web.json_response({})

    async def home(self, request: web.Request) -> web.Response:
        """Open the Home tab."""
        person = (await asked(request, "as"))["as"]
        if person not in self._people:
            return web.Response(status=404, text="There is no such person here.")
        return _told(await self._slack.open_home(person))

    async def run(self, request: web.Request) -> web.Response:
        """Run a workflow step; what comes of it comes to the page as a change of the run."""
        name, inputs = (await asked(request, "callback_id"))["callback_id"], (await _body(request)).get("inputs")
        if name not in self._slack.runs.steps or not isinstance(inputs, dict):
            return web.Response(status=404, text="There is no such step.")
        execution = await self._slack.function_executed(name, inputs)
        return web.json_response({"id": execution.id})

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


def _told(delivery: Delivery) -> web.Response:
    return web.json_response({"acked": delivery.acked})


async def asked(request: web.Request, *names: str) -> dict[str, str]:
    """Return these texts of what the page sent; one that is missing is empty."""
    body = await _body(request)
    if any(not isinstance(body.get(name) or "", str) for name in names):
        raise web.HTTPBadRequest(text=MISUNDERSTOOD)
    return {name: body.get(name) or "" for name in names}


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text=MISUNDERSTOOD)
    return body


async def _values(request: web.Request) -> dict[tuple[str, str], Any]:
    """Return what was filled in, by block_id and action_id: texts, lists of texts, or None."""
    given = (await _body(request)).get("values") or {}
    if not isinstance(given, dict) or not all(isinstance(actions, dict) for actions in given.values()):
        raise web.HTTPBadRequest(text=MISUNDERSTOOD)
    values = {(block, name): value for block, actions in given.items() for name, value in actions.items()}
    for value in values.values():
        parts = value if isinstance(value, list) else [value]
        if not all(part is None or isinstance(part, str) for part in parts):
            raise web.HTTPBadRequest(text=MISUNDERSTOOD)
    return values
