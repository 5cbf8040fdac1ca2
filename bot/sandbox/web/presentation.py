"""Convert messages, users, views and traffic entries to JSON for the sandbox's page, and stream events to the page."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack.server import Execution, Message, SlackUser, Step, View
from bot.sandbox.slack.view_state import Values, initial_values

KEEP_ALIVE_SECONDS = 15
SECRET_PATTERN = re.compile(
    r"""
    xox[a-z]-[\w-]+ | xapp-[\w-]+                   # Slack's tokens
    | eyJ[\w-]+(?:\.[\w-]*)*                        # a JSON web token
    | (?:bearer|basic)\s+[\w.~+/=-]+                # an Authorization header
    | [\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+         # an email address
    | (?:https?|wss?)://\S+                         # any URL: join URLs, response_urls, tickets
    | /response/[\w-]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
TRAFFIC_FIELDS = ("from", "to", "operation", "method", "path", "status", "ms", "note")


def mask_secrets(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields TRAFFIC_FIELDS of a traffic entry, and `at`: the present time in seconds since 1970.

    In the result, `•••` replaces each text that looks like a token, an email address or a URL.

    A traffic entry describes one HTTP request or payload between the bot and the sandbox's Slack or Genesys.
    """
    fields = {
        key: SECRET_PATTERN.sub("•••", value) if isinstance(value, str) else value for key, value in entry.items()
    }
    return {"at": time.time(), **{key: fields[key] for key in TRAFFIC_FIELDS if key in fields}}


def message_json(message: Message) -> dict[str, Any]:
    """Return a message as JSON for the sandbox's page.

    The field `values` has the initial values of the message's inputs, by block_id and action_id.
    """
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "ephemeral": message.visible_to is not None,
        "thread": message.thread_ts,
        "text": message.text,
        "blocks": message.blocks,
        "replaced": message.replaced,
        "values": _nested(initial_values(message.blocks)),
    }


def user_json(user: SlackUser) -> dict[str, Any]:
    """Return a user's name and handle for the sandbox's page, and whether the user is an app or is deleted."""
    return {"name": user.real_name, "handle": user.name, "app": user.is_bot, "deleted": user.deleted}


@dataclass
class ConversationChoice:
    """The page's menu for the number of live conversations of each agent.

    - `choices`: the options, as the page shows them.
    - `chosen`: the current option, one of `choices`.
    - `choose`: a function that changes the number of live conversations. It gets the new option.
    """

    choices: tuple[str, ...]
    chosen: str
    choose: Callable[[str], None]

    def as_json(self) -> dict[str, Any]:
        """Return the menu as JSON for the sandbox's page: its options and its current option."""
        return {"choices": self.choices, "chosen": self.chosen}


def view_json(view: View) -> dict[str, Any]:
    """Return a modal or Home tab as JSON for the sandbox's page.

    The field `values` has the values of the view's inputs, by block_id and action_id.
    """
    texts = {key: (view.body.get(key) or {}).get("text") for key in ("title", "submit", "close")}
    fields = {"id": view.id, **texts, "blocks": view.blocks, "values": _nested(view.values)}
    return {
        **fields,
        "stacked": view.previous_view_id is not None,
        "errors": view.errors,
        "submit_error": view.submit_error,
    }


def _nested(values: Values) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (block_id, action_id), value in values.items():
        nested.setdefault(block_id, {})[action_id] = value
    return nested


def step_json(step: Step) -> dict[str, Any]:
    """Return the id, the name and the inputs of a workflow step, as JSON for the sandbox's page."""
    return {"callback_id": step.callback_id, "name": step.name, "inputs": [asdict(each) for each in step.inputs]}


def execution_json(execution: Execution) -> dict[str, Any]:
    """Return the execution of a workflow step as JSON for the sandbox's page.

    The field `acked` is True if the bot acknowledged the event that starts the step, and False if the delivery of the
    event failed. The field is None if neither has happened yet.
    """
    fields = {"id": execution.id, "status": execution.status, "outputs": execution.outputs, "error": execution.error}
    return {**fields, "acked": execution.delivery.acked if execution.delivery else None}


class EventStream:
    """Sends server-sent events to one browser window that shows the sandbox's page.

    - `person`: the id of the acting user: the Slack user whose view the page shows.
    - `events`: the name and the data of each event that is not sent yet. None instead of an event ends the stream.
    """

    def __init__(self, person: str) -> None:
        self.person = person
        self.events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue(1000)

    def push(self, event: str, data: Any) -> None:
        """Queue an event for sending. If the queue is full, drop the event and end the stream.

        The page then opens a new stream, which begins with the complete state.
        """
        try:
            self.events.put_nowait((event, data))
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        while self.events.full():
            self.events.get_nowait()
        self.events.put_nowait(None)

    async def send(self, response: web.StreamResponse) -> None:
        """Write events to the response. After a call of `close`, write the queued events and return.

        Raises ConnectionError if the page is closed.
        """
        while True:
            try:
                event = await asyncio.wait_for(self.events.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:
                return
            await response.write(f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n".encode())
