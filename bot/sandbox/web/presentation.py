"""What the sandbox's page is shown of a message, a person and an exchange between servers, and one open page.

The last line of defence for secrets in the traffic table: senders leave them out, this masks what they forgot.
"""

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

KEEP_ALIVE_SECONDS = 15
SECRETS = re.compile(
    r"""
    xox[a-z]-[\w-]+ | xapp-[\w-]+                   # Slack's tokens
    | eyJ[\w-]+(?:\.[\w-]*)*                        # a JSON web token
    | (?:bearer|basic)\s+[\w.~+/=-]+                # an Authorization header
    | [\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+         # an e-mail address
    | (?:https?|wss?)://\S+                         # any URL: join URLs, response_urls, tickets
    | /response/[\w-]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
SHOWN = ("from", "to", "what", "method", "path", "status", "ms", "note")


def masked(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a traffic entry the page shows, with what looks like a secret taken out."""
    shown = {key: SECRETS.sub("•••", value) if isinstance(value, str) else value for key, value in entry.items()}
    return {"at": time.time(), **{key: shown[key] for key in SHOWN if key in shown}}


def message_view(message: Message) -> dict[str, Any]:
    """Return a message as the page draws it."""
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "ephemeral": message.visible_to is not None,
        "text": message.text,
        "blocks": message.blocks,
        "replaced": message.replaced,
    }


def person_view(user: SlackUser) -> dict[str, Any]:
    """Return a person as the page names them."""
    return {"name": user.real_name, "handle": user.name, "app": user.is_bot, "deleted": user.deleted}


@dataclass
class ConversationChoice:
    """How many live conversations each agent has, of several choices."""

    choices: tuple[str, ...]
    chosen: str
    choose: Callable[[str], None]

    def view(self) -> dict[str, Any]:
        """For the page."""
        return {"choices": self.choices, "chosen": self.chosen}


def surface_view(view: View) -> dict[str, Any]:
    """Return a modal or a Home tab as the page draws it; `values` by block_id, then by action_id."""
    values: dict[str, dict[str, Any]] = {}
    for (block_id, action_id), value in view.values.items():
        values.setdefault(block_id, {})[action_id] = value
    words = {key: (view.body.get(key) or {}).get("text") for key in ("title", "submit", "close")}
    shown = {"id": view.id, **words, "blocks": view.blocks, "values": values}
    return {**shown, "stacked": view.previous_view_id is not None, "errors": view.errors, "trouble": view.trouble}


def step_view(step: Step) -> dict[str, Any]:
    """Return a workflow step as the page offers it."""
    return {"callback_id": step.callback_id, "name": step.name, "inputs": [asdict(each) for each in step.inputs]}


def run_view(execution: Execution) -> dict[str, Any]:
    """Return a run of a step; `taken` is whether the bot acknowledged it, None while it has time to."""
    shown = {"id": execution.id, "status": execution.status, "outputs": execution.outputs, "error": execution.error}
    return {**shown, "taken": execution.delivery.acked if execution.delivery else None}


class Viewer:
    """One open page: whom it acts as, and the events it has still to be sent."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue(1000)

    def push(self, event: str, data: Any) -> None:
        """Queue an event; a page that reads too slowly is let go, and starts afresh when it connects again."""
        try:
            self.events.put_nowait((event, data))
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        while self.events.full():
            self.events.get_nowait()
        self.events.put_nowait(None)

    async def send(self, response: web.StreamResponse) -> None:
        """Write the events as they come, until the page is let go; ConnectionError when it was closed."""
        while True:
            try:
                event = await asyncio.wait_for(self.events.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:
                return
            await response.write(f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n".encode())
