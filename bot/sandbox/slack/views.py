"""The modals and Home tabs of the sandbox's Slack: who has which open, what is in them, and what an ack does to them.

https://docs.slack.dev/surfaces/modals and https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.models import KEEP, Answer, ApiError
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.validation.views import read_view
from bot.sandbox.slack.view_state import Values, initial_values
from bot.sandbox.slack.workspace import with_ids

TROUBLE = "We had some trouble connecting. Try again?"
MOST_STACKED = 3


@dataclass(eq=False)
class View:
    """One modal or Home tab; compared by identity, because an update changes it in place.

    `body` is what the bot gave, `values` what is in its fields, `errors` what stands at its input blocks by block_id,
    `trouble` what Slack says of a submission that failed.
    """

    id: str
    user_id: str
    body: dict[str, Any]
    root_view_id: str
    previous_view_id: str | None = None
    hash: str = ""
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None
    is_open: bool = True

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.body["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        return str(self.body.get("callback_id", ""))

    @property
    def title(self) -> str:
        return str(self.body["title"]["text"]) if "title" in self.body else ""

    def show(self, body: dict[str, Any]) -> None:
        """Take a new body; fields that stay, by block_id and action_id, keep what was typed."""
        self.body = {**body, "blocks": with_ids(body["blocks"])}
        self.values = initial_values(self.blocks, self.values)
        self.hash = f"{int(time.time())}.{secrets.token_urlsafe(6)}"
        self.errors, self.trouble = {}, None


class Views:
    """Every person's open modals, the one on top last, and every person's Home tab."""

    def __init__(self) -> None:
        self.trigger_seconds = 3.0
        self.listeners: list[Callable[[View], None]] = []
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._triggers: dict[str, tuple[str, float]] = {}
        self._exchanged: dict[str, None] = {}

    def of(self, user_id: str) -> list[View]:
        """Return a person's open modals, the one they see last."""
        return list(self._stacks.get(user_id, []))

    def home(self, user_id: str) -> View | None:
        return self._homes.get(user_id)

    # triggers

    def give_trigger(self, trigger_id: str, user_id: str) -> None:
        """Let the bot open a modal for this person with it, once and soon; a delivery again gives no new time."""
        self._triggers.setdefault(trigger_id, (user_id, time.monotonic()))
        while len(self._triggers) > KEEP:
            del self._triggers[next(iter(self._triggers))]

    def _exchange(self, trigger_id: str) -> str:
        if trigger_id not in self._triggers:
            raise ApiError("invalid_trigger_id")
        user_id, given_at = self._triggers[trigger_id]
        if trigger_id in self._exchanged:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() - given_at > self.trigger_seconds:
            raise ApiError("expired_trigger_id")
        self._exchanged[trigger_id] = None
        while len(self._exchanged) > KEEP:
            del self._exchanged[next(iter(self._exchanged))]
        return user_id

    # what the bot does

    def open(self, trigger_id: str, body: dict[str, Any]) -> View:
        """Show a modal to whom the trigger came from, in place of any that is open."""
        self._check_external_id(body)
        user_id = self._exchange(trigger_id)
        for other in self.of(user_id):
            self._shut(other)
        return self._stack(user_id, body)

    def push(self, trigger_id: str, body: dict[str, Any]) -> View:
        """Show a modal on top of the open ones."""
        self._check_external_id(body)
        user_id = self._exchange(trigger_id)
        return self.push_on(user_id, body)

    def push_on(self, user_id: str, body: dict[str, Any]) -> View:
        """Show a modal on top of this person's."""
        stack = self._stacks.get(user_id)
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= MOST_STACKED:
            raise ApiError("push_limit_reached")
        return self._stack(user_id, body)

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """Return an open view; ApiError `not_found` for any other."""
        everything = [view for stack in (*self._stacks.values(), self._homes.values()) for view in stack]
        for view in everything:
            if view_id == view.id or (not view_id and external_id and external_id == view.body.get("external_id")):
                return view
        raise ApiError("not_found")

    def update(self, view: View, body: dict[str, Any], known_hash: str | None = None) -> View:
        """Change a view in place; ApiError `hash_conflict` when somebody changed it after the hash was told."""
        if known_hash and known_hash != view.hash:
            raise ApiError("hash_conflict")
        self._check_external_id(body, view)
        view.show(body)
        self.changed(view)
        return view

    def publish(self, user_id: str, body: dict[str, Any], known_hash: str | None = None) -> View:
        """Make or change a person's Home tab."""
        home = self._homes.get(user_id)
        if home is not None:
            return self.update(home, body, known_hash)
        if known_hash:
            raise ApiError("hash_conflict")
        self._check_external_id(body)
        view_id = _new_id()
        home = self._homes[user_id] = View(view_id, user_id, body, root_view_id=view_id)
        home.show(body)
        self.changed(home)
        return home

    def _stack(self, user_id: str, body: dict[str, Any]) -> View:
        stack, view_id = self._stacks.setdefault(user_id, []), _new_id()
        root, previous = (stack[0].id, stack[-1].id) if stack else (view_id, None)
        view = View(view_id, user_id, body, root, previous)
        view.show(body)
        stack.append(view)
        self.changed(view)
        return view

    def _check_external_id(self, body: dict[str, Any], but: View | None = None) -> None:
        wanted = body.get("external_id")
        everything = [view for stack in (*self._stacks.values(), self._homes.values()) for view in stack]
        if wanted and any(view.body.get("external_id") == wanted for view in everything if view is not but):
            raise ApiError("duplicate_external_id")

    # what becomes of a modal

    def close(self, view: View) -> None:
        """Take a modal away, with all on top of it."""
        stack = self._stacks.get(view.user_id, [])
        if view in stack:
            for each in reversed(stack[stack.index(view) :]):
                self._shut(each)

    def _shut(self, view: View) -> None:
        view.is_open = False
        self._stacks[view.user_id].remove(view)
        self.changed(view)

    def take_answer(self, view: View, answer: Answer) -> None:
        """Do what the ack of a submission says: nothing closes the modal; else errors, update, push or clear."""
        if not view.is_open:
            return
        body = answer.body if answer.acked else "failed"
        view.errors, view.trouble = {}, None
        try:
            self._act(view, body or {})
        except (ApiError, BlockError):
            view.trouble = TROUBLE
        self.changed(view)

    def _act(self, view: View, body: dict[str, Any] | str) -> None:
        if not isinstance(body, dict):
            raise ApiError("invalid_response_action")
        match body.get("response_action"):
            case None if not body:
                self.close(view)
            case "clear":
                self.close(self.of(view.user_id)[0])
            case "update":
                self.update(view, read_view(body.get("view"), "modal"))
            case "push":
                pushed = read_view(body.get("view"), "modal")
                self._check_external_id(pushed)
                self.push_on(view.user_id, pushed)
            case "errors":
                view.errors = _errors(view, body.get("errors"))
            case _:
                raise ApiError("invalid_response_action")

    def changed(self, view: View) -> None:
        for listener in list(self.listeners):
            listener(view)


def _errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise ApiError("invalid_response_action")
    return {block_id: str(sentence) for block_id, sentence in errors.items()}


def _new_id() -> str:
    return "V0" + secrets.token_hex(5).upper()
