"""Store the executions of workflow steps: their inputs, and the outputs or errors that the bot reports.

https://docs.slack.dev/workflows/workflow-steps
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.slack.models import ApiError, Delivery, Step, trim_entries

TEXTS = ("string", "slack#/types/user_id", "slack#/types/channel_id", "slack#/types/message_ts")
NUMBERS = ("number", "integer", "slack#/types/timestamp")


def _token() -> str:
    return f"xwfp-sandbox-{secrets.token_hex(12)}"


@dataclass(eq=False)
class Execution:
    """One execution of a workflow step.

    - `callback_id`: the id of the workflow step in the app's manifest.
    - `inputs`: the values of the inputs, by name.
    - `bot_access_token`: the token with which the bot can call the Web API for this execution.
    - `outputs`: the values of the outputs, by name, if `status` is "succeeded", else {}.
    - `error`: the error that the bot reported if `status` is "failed", else None.
    - `delivery`: the delivery of the event that starts the execution; None until the bot has acknowledged the event or
      the delivery has failed.
    """

    callback_id: str
    inputs: dict[str, Any]
    id: str = field(default_factory=lambda: f"Fx{secrets.token_hex(5).upper()}")
    workflow_id: str = field(default_factory=lambda: f"Wx{secrets.token_hex(5).upper()}")
    bot_access_token: str = field(default_factory=_token)
    status: Literal["running", "succeeded", "failed"] = "running"
    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    delivery: Delivery | None = None


class Executions:
    """Holds the newest MAX_ENTRIES executions, and the workflow steps that the app's manifest declares.

    - `all`: the executions, oldest first.
    - `steps`: the workflow steps, by callback id.
    - `listeners`: the functions to call with an execution when it starts and after each change of it.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = {step.callback_id: step for step in steps}
        self.all: list[Execution] = []
        self.listeners: list[Callable[[Execution], None]] = []

    def start(self, callback_id: str, inputs: Mapping[str, Any]) -> Execution:
        execution = Execution(callback_id, dict(inputs))
        self.all.append(execution)
        trim_entries(self.all)
        self.changed(execution)
        return execution

    def find_by_token(self, token: str) -> Execution | None:
        """Return the execution with the bot access token `token`; None if there is no such execution."""
        return next(
            (one for one in self.all if secrets.compare_digest(one.bot_access_token.encode(), token.encode())), None
        )

    def succeed(self, execution_id: str, outputs: Any) -> None:
        execution = self._running(execution_id)
        execution.outputs = self._validate_outputs(execution, outputs)
        execution.status = "succeeded"
        self.changed(execution)

    def fail(self, execution_id: str, error: str) -> None:
        execution = self._running(execution_id)
        execution.status, execution.error = "failed", error
        self.changed(execution)

    def _running(self, execution_id: str) -> Execution:
        execution = next((one for one in self.all if one.id == execution_id), None)
        if execution is None:
            raise ApiError("function_execution_not_found")
        if execution.status != "running":
            raise ApiError("execution_not_in_running_state")
        return execution

    def _validate_outputs(self, execution: Execution, outputs: Any) -> dict[str, Any]:
        if not isinstance(outputs, dict):
            raise ApiError("parameter_validation_failed")
        step = self.steps.get(execution.callback_id)
        declared = {output.name: output for output in step.outputs} if step else {}
        wrong = [f"unknown output: {name}" for name in outputs if step and name not in declared]
        for name, output in declared.items():
            if name in outputs and not _matches_type(outputs[name], output.type):
                wrong.append(f"{name} is no {output.type}")
            elif name not in outputs and output.is_required:
                wrong.append(f"missing required output: {name}")
        if wrong:
            messages = [f"[ERROR] {sentence}" for sentence in wrong]
            raise ApiError("parameter_validation_failed", response_metadata={"messages": messages})
        return outputs

    def changed(self, execution: Execution) -> None:
        for listener in list(self.listeners):
            listener(execution)


def _matches_type(value: Any, kind: str) -> bool:
    if kind in TEXTS:
        return isinstance(value, str)
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return True
