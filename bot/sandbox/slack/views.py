"""Hold the modals and Home tabs of the sandbox's Slack.

https://docs.slack.dev/surfaces/modals and https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.models import MAX_ENTRIES, Ack, ApiError
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.validation.views import read_view
from bot.sandbox.slack.view_state import Values, initial_values
from bot.sandbox.slack.workspace import with_ids

SUBMIT_FAILED = "We had some trouble connecting. Try again?"
MAX_STACKED_VIEWS = 3


@dataclass(eq=False)
class View:
    """A modal or Home tab in the sandbox's Slack.

    Views are compared by identity, because an update changes a view in place.

    - `body`: the view that the bot sent.
    - `root_view_id`: the id of the lowest open modal of the user; for a Home tab, its own id.
    - `previous_view_id`: the id of the modal directly below; None for the lowest modal and for a Home tab.
    - `hash`: a text that changes with each update. A call of the bot can contain the last hash that the bot knows. The
      call fails if the view has another hash.
    - `values`: the values of the inputs.
    - `errors`: the error messages at the inputs, by block_id.
    - `submit_error`: Slack's message after a failed submission; None if the last submission did not fail.
    """

    id: str
    user_id: str
    body: dict[str, Any]
    root_view_id: str
    previous_view_id: str | None = None
    hash: str = ""
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    submit_error: str | None = None
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
        """Replace the body of the view, and delete the error messages.

        An input of the new body keeps the value of the old input with the same block_id and action_id. Any other input
        of the new body gets its initial value.
        """
        self.body = {**body, "blocks": with_ids(body["blocks"])}
        self.values = initial_values(self.blocks, self.values)
        self.hash = f"{int(time.time())}.{secrets.token_urlsafe(6)}"
        self.errors, self.submit_error = {}, None


class Views:
    """Holds the open modals and the Home tab of each user.

    - `trigger_seconds`: how long a trigger id is valid.
    - `listeners`: the functions that get a view after each change.
    """

    def __init__(self) -> None:
        self.trigger_seconds = 3.0
        self.ack_delay_seconds = 0.0
        """How long a submitted modal stays unchanged after the bot's acknowledgement, in seconds. With a delay, a call
        of views.update can change the modal before the acknowledgement does."""
        self.listeners: list[Callable[[View], None]] = []
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._triggers: dict[str, tuple[str, float]] = {}
        self._used_triggers: dict[str, None] = {}

    def modals_of(self, user_id: str) -> list[View]:
        """Return the open modals of a user. The topmost modal is the last item."""
        return list(self._stacks.get(user_id, []))

    def home(self, user_id: str) -> View | None:
        return self._homes.get(user_id)

    # triggers

    def register_trigger(self, trigger_id: str, user_id: str) -> None:
        """Allow the bot to use a trigger id for one call of views.open or views.push within `trigger_seconds`.

        Do nothing if the trigger id was registered before.

        `user_id`: the user who sees the modal.
        """
        self._triggers.setdefault(trigger_id, (user_id, time.monotonic()))
        while len(self._triggers) > MAX_ENTRIES:
            del self._triggers[next(iter(self._triggers))]

    def _use_trigger(self, trigger_id: str) -> str:
        if trigger_id not in self._triggers:
            raise ApiError("invalid_trigger_id")
        user_id, given_at = self._triggers[trigger_id]
        if trigger_id in self._used_triggers:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() - given_at > self.trigger_seconds:
            raise ApiError("expired_trigger_id")
        self._used_triggers[trigger_id] = None
        while len(self._used_triggers) > MAX_ENTRIES:
            del self._used_triggers[next(iter(self._used_triggers))]
        return user_id

    # Web API methods

    def open(self, trigger_id: str, body: dict[str, Any]) -> View:
        """Open a modal, and close the user's other modals.

        - `trigger_id`: a trigger id from a payload. The user who caused the payload sees the modal.
        - `body`: the modal that the bot sent.

        Raises ApiError if the trigger id is unknown, used or expired, or if another open view has the same external id.
        """
        self._check_external_id(body)
        user_id = self._use_trigger(trigger_id)
        for other in self.modals_of(user_id):
            self._remove(other)
        return self._stack(user_id, body)

    def push(self, trigger_id: str, body: dict[str, Any]) -> View:
        """Put a modal on top of the user's open modals.

        - `trigger_id`: a trigger id from a payload. The user who caused the payload sees the modal.
        - `body`: the modal that the bot sent.

        Raises ApiError if the trigger id is unknown, used or expired, if another open view has the same external id, or
        if the user has 0 or MAX_STACKED_VIEWS open modals.
        """
        self._check_external_id(body)
        user_id = self._use_trigger(trigger_id)
        return self.push_on(user_id, body)

    def push_on(self, user_id: str, body: dict[str, Any]) -> View:
        """Put a modal on top of the open modals of a user.

        `body`: the modal that the bot sent.

        Raises ApiError if the user has 0 or MAX_STACKED_VIEWS open modals.
        """
        stack = self._stacks.get(user_id)
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= MAX_STACKED_VIEWS:
            raise ApiError("push_limit_reached")
        return self._stack(user_id, body)

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """Return the open view with the id `view_id`.

        If `view_id` is None or "", return the open view with the external id `external_id`.

        Raises ApiError (`not_found`) if there is no such view.
        """
        open_views = [view for stack in (*self._stacks.values(), self._homes.values()) for view in stack]
        for view in open_views:
            if view_id == view.id or (not view_id and external_id and external_id == view.body.get("external_id")):
                return view
        raise ApiError("not_found")

    def update(self, view: View, body: dict[str, Any], known_hash: str | None = None) -> View:
        """Replace the body of a view, and return the view.

        - `body`: the new view that the bot sent.
        - `known_hash`: the argument `hash` of the bot's call; None to skip the check of the hash.

        Raises ApiError (`hash_conflict`) if `known_hash` is not the hash of the view. Raises ApiError
        (`duplicate_external_id`) if another open view has the same external id.
        """
        if known_hash and known_hash != view.hash:
            raise ApiError("hash_conflict")
        self._check_external_id(body, view)
        view.show(body)
        self.changed(view)
        return view

    def publish(self, user_id: str, body: dict[str, Any], known_hash: str | None = None) -> View:
        """Create or replace the Home tab of a user, and return the Home tab.

        - `body`: the Home tab that the bot sent.
        - `known_hash`: the argument `hash` of the bot's call; None to skip the check of the hash.

        Raises ApiError (`hash_conflict`) if the user has no Home tab with the hash `known_hash`. Raises ApiError
        (`duplicate_external_id`) if another open view has the same external id.
        """
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

    def _check_external_id(self, body: dict[str, Any], ignored: View | None = None) -> None:
        wanted = body.get("external_id")
        open_views = [view for stack in (*self._stacks.values(), self._homes.values()) for view in stack]
        if wanted and any(view.body.get("external_id") == wanted for view in open_views if view is not ignored):
            raise ApiError("duplicate_external_id")

    # closing and acks

    def close(self, view: View) -> None:
        """Close a modal and all modals that lie on top of the modal."""
        stack = self._stacks.get(view.user_id, [])
        if view in stack:
            for each in reversed(stack[stack.index(view) :]):
                self._remove(each)

    def _remove(self, view: View) -> None:
        view.is_open = False
        self._stacks[view.user_id].remove(view)
        self.changed(view)

    def apply_ack(self, view: View, answer: Ack) -> None:
        """Change a submitted modal as the bot's acknowledgement says. Do nothing if the modal is closed.

        An acknowledgement without content closes the modal. The field `response_action` of an acknowledgement can show
        errors (`errors`), replace the modal (`update`), open a modal on top (`push`), or close all modals of the user
        (`clear`). If the bot did not acknowledge the submission, or if the content is invalid, the modal stays and
        shows SUBMIT_FAILED.
        """
        if not view.is_open:
            return
        body = answer.body if answer.acked else "failed"
        view.errors, view.submit_error = {}, None
        try:
            self._apply_response_action(view, body or {})
        except (ApiError, BlockError):
            view.submit_error = SUBMIT_FAILED
        self.changed(view)

    def _apply_response_action(self, view: View, body: dict[str, Any] | str) -> None:
        if not isinstance(body, dict):
            raise ApiError("invalid_response_action")
        match body.get("response_action"):
            case None if not body:
                self.close(view)
            case "clear":
                self.close(self.modals_of(view.user_id)[0])
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
