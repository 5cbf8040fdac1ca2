"""Define the data of the sandbox's Slack: users, channels, messages, the bot's calls, and deliveries to the bot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

TEAM_ID, APP_ID, BOT_USER_ID, BOT_NAME = "T0SANDBOX", "A0SANDBOX", "U0BOT", "cobrowse"
COMMAND = "/cobrowse"
MAX_ENTRIES = 10_000
"""The maximum length of each list that grows."""

Args = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class SlackUser:
    """A user in the sandbox's Slack. With `is_stranger` or another organization's `team_id`, it is an external user.

    `other_teams`: the user's further workspaces in an Enterprise Grid.
    """

    id: str
    name: str
    real_name: str
    email: str | None = None
    team_id: str = TEAM_ID
    deleted: bool = False
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool = True
    tz: str = "Europe/Berlin"
    locale: str = "en-US"
    enterprise_user_id: str | None = None
    """The user's id in the Enterprise Grid, None if the user is in none."""
    reported_id: str | None = None
    """The id that `users.info` returns instead of the requested id; None for the requested id."""
    other_teams: tuple[str, ...] = ()

    @property
    def team_ids(self) -> tuple[str, ...]:
        return (self.team_id, *self.other_teams)


@dataclass(frozen=True)
class SlackChannel:
    """A channel of the workspace `team_id`.

    The members are all users of the workspace, and external users if the channel is shared (`is_ext_shared`). If
    `is_org_shared`, the users of all workspaces of the Enterprise Grid are members.
    """

    id: str
    name: str
    bot_is_member: bool = True
    is_ext_shared: bool = False
    is_private: bool = False
    team_id: str = TEAM_ID
    is_org_shared: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A shortcut of the app's manifest.

    A `global` shortcut is in the lightning menu, a `message` shortcut in the menu of each message.
    """

    callback_id: str
    name: str
    type: Literal["global", "message"]


@dataclass(frozen=True)
class Parameter:
    """An input or output of a workflow step.

    `type` is Slack's name of its type, such as `string` or `slack#/types/user_id`.
    """

    name: str
    title: str
    type: str = "string"
    is_required: bool = True


@dataclass(frozen=True)
class Step:
    """A step for workflows. The app's manifest declares it as a function."""

    callback_id: str
    name: str
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()


@dataclass(eq=False)
class Message:
    """A message in the sandbox's Slack.

    Messages are compared by identity, because an update changes a message in place. `thread_ts` is the id of the
    message that a reply belongs to, None if this is not a reply. `visible_to` is the only reader of an ephemeral
    message, None for other messages. `at` is a `time.monotonic()` value. `via` says how the message came: `ack`,
    `response_url`, `chat.postEphemeral`, `chat.postMessage`, `slackbot` (Slack's own error line) or `person`.
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
    thread_ts: str | None = None


@dataclass
class ApiCall:
    """A record of the bot's call of a Web API method or a response_url. `args` never contains the token.

    `at` is a `time.monotonic()` value. `error` is "pending" until the call has its response, None after a success.
    """

    method: str
    args: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    ok: bool = False
    error: str | None = "pending"


@dataclass(frozen=True)
class Ack:
    """The bot's response to a payload. `acked`: whether the response acknowledges the payload.

    `status` is the HTTP status, None over a socket. `body` is the content of the ack. `error` is Slack's error code if
    there was no ack.
    """

    acked: bool
    status: int | None = None
    body: dict[str, Any] | str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A record of one delivery of a payload to the bot.

    `error` is Slack's error code if the delivery failed. `retry` is the number of earlier deliveries of this payload.
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
    """Records the bot's newest calls, and passes each call and delivery, without secrets, to `on_traffic`."""

    def __init__(self, on_traffic: Callable[[dict[str, Any]], None] | None) -> None:
        self.calls: list[ApiCall] = []
        self._on_traffic = on_traffic

    def begin(self, method: str, args: dict[str, Any]) -> ApiCall:
        call = ApiCall(method, args)
        self.calls.append(call)
        trim_entries(self.calls)
        return call

    def end(self, call: ApiCall, status: int | None, error: str | None) -> None:
        call.ok, call.error = error is None, error
        self.traffic("bot", "Slack", call.method, status=status, seconds=time.monotonic() - call.at, note=error or "ok")

    def traffic(
        self, sender: str, receiver: str, operation: str, *, status: int | None, seconds: float, note: str
    ) -> None:
        if self._on_traffic is not None:
            ms = round(seconds * 1000, 1)
            entry = {"from": sender, "to": receiver, "operation": operation, "status": status, "ms": ms, "note": note}
            self._on_traffic(entry)


class ApiError(Exception):
    """An error of a Web API method. `code` is Slack's error code; `more` holds further fields of the response."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def invalid_arguments(message: str) -> ApiError:
    """Return Slack's error for a call with invalid arguments. `message` says which argument is invalid, and why."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})


def required_argument(args: Args, name: str) -> str:
    """Return the argument `name` as text. Raises ApiError if it is missing or empty."""
    if not args.get(name):
        raise invalid_arguments(f"missing required field: {name}")
    return str(args[name])


def trim_entries(entries: list[Any]) -> None:
    """Delete all but the newest MAX_ENTRIES entries of a list."""
    if len(entries) > MAX_ENTRIES:
        del entries[: len(entries) - MAX_ENTRIES]
