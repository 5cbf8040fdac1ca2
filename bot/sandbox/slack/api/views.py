"""Imitate the methods views.* and functions.* of Slack's Web API.

https://docs.slack.dev/reference/methods#views
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.models import ApiError, Args, invalid_arguments, required_argument
from bot.sandbox.slack.payloads import view_object
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.validation.views import read_view
from bot.sandbox.slack.views import View, Views
from bot.sandbox.slack.workflow_steps import Executions
from bot.sandbox.slack.workspace import Workspace


class ViewMethods:
    """Implements the Web API methods views.* and functions.*.

    `methods`: for the name of each method, the function that runs the method.
    """

    def __init__(self, workspace: Workspace, views: Views, executions: Executions) -> None:
        self._workspace = workspace
        self._views = views
        self._executions = executions
        self.methods: dict[str, Callable[[Args], Args]] = {
            "views.open": self._open,
            "views.push": self._push,
            "views.update": self._update,
            "views.publish": self._publish,
            "functions.completeSuccess": self._complete_success,
            "functions.completeError": self._complete_error,
        }

    def _open(self, args: Args) -> Args:
        trigger, view = required_argument(args, "trigger_id"), _view(args, "modal")
        return self._shown(self._views.open(trigger, view))

    def _push(self, args: Args) -> Args:
        trigger, view = required_argument(args, "trigger_id"), _view(args, "modal")
        return self._shown(self._views.push(trigger, view))

    def _update(self, args: Args) -> Args:
        if not (args.get("view_id") or args.get("external_id")):
            raise invalid_arguments("either view_id or external_id is needed")
        view = self._views.find(args.get("view_id"), args.get("external_id"))
        return self._shown(self._views.update(view, _view(args, view.body["type"]), args.get("hash")))

    def _publish(self, args: Args) -> Args:
        user_id = self._workspace.own_id(required_argument(args, "user_id"))
        user = self._workspace.users.get(user_id)
        if user is None or user.deleted or self._workspace.is_external(user):
            raise ApiError("invalid_arguments", response_metadata={"messages": ["invalid `user_id`"]})
        return self._shown(self._views.publish(user_id, _view(args, "home"), args.get("hash")))

    def _shown(self, view: View) -> Args:
        return {"view": view_object(self._workspace, view)}

    def _complete_success(self, args: Args) -> Args:
        execution_id, outputs = required_argument(args, "function_execution_id"), args.get("outputs")
        if outputs is None:
            raise invalid_arguments("missing required field: outputs")
        self._executions.succeed(execution_id, _json(outputs))
        return {}

    def _complete_error(self, args: Args) -> Args:
        self._executions.fail(required_argument(args, "function_execution_id"), required_argument(args, "error"))
        return {}


def _view(args: Args, kind: str) -> dict[str, Any]:
    if args.get("view") is None:
        raise invalid_arguments("missing required field: view")
    try:
        return read_view(args["view"], kind)
    except BlockError as error:
        if error.code == "invalid_arguments":
            raise invalid_arguments(str(error)) from error
        raise ApiError(error.code) from error


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise invalid_arguments("must be JSON [json-pointer:/outputs]") from None
