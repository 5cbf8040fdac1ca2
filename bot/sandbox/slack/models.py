"""What the sandbox's Slack is made of: people, channels, messages, the log of calls and the record of one delivery.

Plain data only; who may see or change what is the workspace's business (`slack_workspace.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

KEEP = 10_000
"""How many entries each growing list keeps."""

Args = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class SlackUser:
    """A person of the workspace, or an outsider (`is_stranger`, or another `team_id`)."""

    id: str
    name: str
    real_name: str
    email: str | None = None
    team_id: str = "T0SANDBOX"
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool = True
    tz: str = "Europe/Berlin"
    enterprise_user_id: str | None = None
    """Their id in the Enterprise Grid."""
    answers_as: str | None = None
    """The id that `users.info` shows in place of the one that was asked for."""


@dataclass(frozen=True)
class SlackChannel:
    """A channel everybody of the workspace is in; outsiders are in it when it is shared with their company."""

    id: str
    name: str
    bot_is_member: bool = True
    is_ext_shared: bool = False
    is_private: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A shortcut of the app's manifest: `global` in the lightning menu, `message` in each message's menu."""

    callback_id: str
    name: str
    type: Literal["global", "message"]


@dataclass(frozen=True)
class Parameter:
    """An input or an output of a step; `type` is one of Slack's, such as `string` or `slack#/types/user_id`."""

    name: str
    title: str
    type: str = "string"
    is_required: bool = True


@dataclass(frozen=True)
class Step:
    """A step for Workflow Builder that the app's manifest declares as a function."""

    callback_id: str
    name: str
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()


@dataclass(eq=False)
class Message:
    """One message; compared by identity, because an update changes it in place.

    `visible_to` is the one reader of an ephemeral message, `at` is `time.monotonic()`, `via` is `ack`, `response_url`,
    `chat.postEphemeral`, `chat.postMessage`, `slackbot` (Slack's own failure line) or `person`.
    """

    ts: str
    channel: str
    user: str
    visible_to: str | None
    text: str
    blocks: list[dict[str, Any]]
    via: str
    at: float = field(default_factory=time.monotonic)
    replaced: bool = False
    deleted: bool = False
    trigger_id: str | None = None


@dataclass
class ApiCall:
    """One call the bot made: a Web API method, or `response_url`. `args` never holds the token."""

    method: str
    args: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    ok: bool = False
    error: str | None = "pending"


@dataclass(frozen=True)
class Answer:
    """What came back for one payload: the HTTP status (None over a socket) and the ack's body."""

    acked: bool
    status: int | None = None
    body: dict[str, Any] | str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One payload handed to the bot and what became of it.

    `error` is what Slack would say when it failed, `retry` how often the same payload was delivered before.
    """

    acked: bool
    ack_ms: float
    status: int | None
    body: dict[str, Any] | str | None
    trigger_id: str
    payload: dict[str, Any]
    kind: Kind
    error: str | None = None
    retry: int = 0


class CallLog:
    """The newest calls, and a line of traffic for each exchange, which never holds a secret."""

    def __init__(self, on_traffic: Callable[[dict[str, Any]], None] | None) -> None:
        self.calls: list[ApiCall] = []
        self._on_traffic = on_traffic

    def begin(self, method: str, args: dict[str, Any]) -> ApiCall:
        call = ApiCall(method, args)
        self.calls.append(call)
        trim(self.calls)
        return call

    def end(self, call: ApiCall, status: int | None, error: str | None) -> None:
        call.ok, call.error = error is None, error
        self.traffic("bot", "Slack", call.method, status=status, seconds=time.monotonic() - call.at, note=error or "ok")

    def traffic(self, sender: str, receiver: str, what: str, *, status: int | None, seconds: float, note: str) -> None:
        if self._on_traffic is not None:
            ms = round(seconds * 1000, 1)
            entry = {"from": sender, "to": receiver, "what": what, "status": status, "ms": ms, "note": note}
            self._on_traffic(entry)


class ApiError(Exception):
    """A refusal of the Web API: an error code of Slack's, with what more its answer says."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def bad_arguments(sentence: str) -> ApiError:
    """Return the refusal of a call whose arguments are wrong, as Slack words it."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {sentence}"]})


def required(args: Args, name: str) -> str:
    """Return an argument that the call must have."""
    if not args.get(name):
        raise bad_arguments(f"missing required field: {name}")
    return str(args[name])


def trim(entries: list[Any]) -> None:
    """Drop the oldest entries of a list that has grown too long."""
    if len(entries) > KEEP:
        del entries[: len(entries) - KEEP]
