"""Define the data of the sandbox's Slack: users, channels, messages, the bot's calls, and deliveries to the bot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

TEAM_ID, APP_ID, BOT_USER_ID, BOT_NAME = "T0SANDBOX", "A0SANDBOX", "U0BOT", "cobrowse"
COMMAND = "/cobrowse"
MAX_ENTRIES = 10_000
"""The maximum length of each list that grows during a run, such as the messages. The newest entries are kept."""

Args = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class SlackUser:
    """A user in the sandbox's Slack.

    A user is external if `is_stranger` is True, or if `team_id` is not the id of one of the sandbox's Slack workspaces.

    - `name`: the user's handle, without `@`.
    - `other_teams`: the ids of the user's Slack workspaces besides `team_id`, in an Enterprise Grid organization.
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
    """The user's second id, in an Enterprise Grid organization; None if the user has no second id."""
    reported_id: str | None = None
    """The id that `users.info` returns for the user in place of `id`; None to return `id`."""
    other_teams: tuple[str, ...] = ()

    @property
    def team_ids(self) -> tuple[str, ...]:
        return (self.team_id, *self.other_teams)


@dataclass(frozen=True)
class SlackChannel:
    """A channel of the Slack workspace `team_id`. All users of this workspace are members.

    - `is_ext_shared`: whether users of other organizations are members, too.
    - `is_org_shared`: whether the users of all workspaces of the organization are members.
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
    """A shortcut in the manifest of the Slack app.

    - `callback_id`: the id of the shortcut, which payloads contain.
    - `type`: "global" for a shortcut in Slack's shortcuts menu, "message" for a shortcut in the menu of each message.
    """

    callback_id: str
    name: str
    type: Literal["global", "message"]


@dataclass(frozen=True)
class Parameter:
    """An input or output of a workflow step.

    `type`: Slack's name of the type, such as `string` or `slack#/types/user_id`.
    """

    name: str
    title: str
    type: str = "string"
    is_required: bool = True


@dataclass(frozen=True)
class Step:
    """A workflow step. The manifest of the Slack app declares the step as a function.

    `callback_id`: the id of the step in the manifest.
    """

    callback_id: str
    name: str
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()


@dataclass(eq=False)
class Message:
    """A message in the sandbox's Slack.

    Messages are compared by identity, because an update changes a message in place.

    - `ts`: Slack's timestamp of the message, which is also the id of the message.
    - `user`: the id of the author.
    - `visible_to`: the id of the only user who sees an ephemeral message; None for any other message.
    - `via`: where the message came from: `ack`, `response_url`, `chat.postEphemeral`, `chat.postMessage`, `slackbot`
      (an error of Slack) or `person` (typed by a user).
    - `at`: when the message was added, a `time.monotonic()` value.
    - `replaced`: whether the bot has replaced the text and the blocks of the message.
    - `trigger_id`: the trigger id of the command or press that caused the message; None if there is none.
    - `thread_ts`: the id of the message that starts the thread of a reply; None if the message is not a reply.
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
    """A record of one call of the bot to a Web API method or a response_url.

    - `method`: the name of the Web API method; `response_url` for a response_url.
    - `args`: the arguments of the call without the token.
    - `at`: when the call arrived, a `time.monotonic()` value.
    - `error`: "pending" before the response; None after a successful call. After a failed call, it is Slack's error
      code, or the effect of a simulated fault, such as `dropped` or `500`.
    """

    method: str
    args: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    ok: bool = False
    error: str | None = "pending"


@dataclass(frozen=True)
class Ack:
    """The outcome of sending a payload to the bot: the bot's response, or the error if there is no acknowledgement.

    - `acked`: whether the bot acknowledged the payload.
    - `status`: the HTTP status; None over Socket Mode or without a response.
    - `body`: the content of the response, as a dict if it is a JSON object; None if there is no content.
    - `error`: Slack's error code if `acked` is False, else None.
    """

    acked: bool
    status: int | None = None
    body: dict[str, Any] | str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A record of one delivery of a payload to the bot.

    - `acked`: whether the bot acknowledged the payload.
    - `ack_ms`: the time until the bot's response or until the failure, in milliseconds.
    - `status`: the HTTP status of the bot's response; None over Socket Mode or without a response.
    - `body`: the content of the bot's response, as a dict if it is a JSON object; None if there is no content.
    - `trigger_id`: the trigger id in the payload; "" if the payload has no trigger id.
    - `error`: Slack's error code if `acked` is False, else None.
    - `retry`: 0 for the first delivery, 1 for the first retry, and so on.
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
    """Records the bot's calls of Web API methods and response_urls, and reports calls and deliveries to `on_traffic`.

    - `calls`: the newest MAX_ENTRIES calls.
    - `on_traffic`: a function that gets a description of each call and each delivery: a dict with `from`, `to`,
      `operation`, `status`, `ms` and `note`, without secrets. None to report nothing.
    """

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
    """An error of a Web API method.

    - `code`: Slack's error code.
    - `more`: further fields of the error response.
    """

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def invalid_arguments(message: str) -> ApiError:
    """Return Slack's error `invalid_arguments`.

    `message`: which argument is invalid, and why.
    """
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})


def required_argument(args: Args, name: str) -> str:
    """Return the argument `name` as a string. Raises ApiError if the argument is missing or empty."""
    if not args.get(name):
        raise invalid_arguments(f"missing required field: {name}")
    return str(args[name])


def trim_entries(entries: list[Any]) -> None:
    """Delete the oldest entries of a list with more than MAX_ENTRIES entries. Keep the newest MAX_ENTRIES entries."""
    if len(entries) > MAX_ENTRIES:
        del entries[: len(entries) - MAX_ENTRIES]
