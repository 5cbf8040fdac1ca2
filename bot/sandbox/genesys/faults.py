"""Define the simulated faults of the sandbox's Genesys, and select the fault that affects a call.

fault_effects.py defines the effects of the faults on calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.genesys.errors import ACTIVE_CONVERSATION, OTHER_DIVISION, USER_CONTEXT, OAuthError
from bot.sandbox.genesys.fault_effects import (
    Effect,
    Process,
    change_body,
    cut,
    down,
    dropped,
    gateway_error,
    no_effect,
    redirect,
    refuse,
    reset,
    silent,
    slow,
    with_join_url,
    without_field,
)

_QUERIES = ("token", "search", "applications", "query", "conversation", "read", "me", "roles", "topics", "channels")
CALLS = (*_QUERIES, "create", "sms", "email", "subscriptions", "end")


@dataclass(frozen=True)
class _FaultType:
    """A type of simulated fault.

    - `effect`: what the fault does to a call; `no_effect` for a fault that affects events or WebSockets of
      notification channels. api/notifications.py simulates such a fault.
    - `options`: the options that the fault accepts, each with its default value.
    - `on`: the kinds of calls that the fault can affect, such as "create". The kinds "events" and "sockets" stand for
      the events and the WebSockets of notification channels.
    - `times`: the default number of calls that the fault affects; None for no limit.
    """

    description: str
    effect: Effect = no_effect
    options: Mapping[str, Any] = field(default_factory=dict)  # the options it accepts, with their defaults
    on: tuple[str, ...] = CALLS
    times: int | None = None


_MARKUP_MESSAGE = (
    "Not like this: <!channel> <@U00000000> *see* <https://example.com|here> & `there`. " + "And so on. " * 40
)
_NOT_PROCESSED, _MESSAGE = {"processes": False}, {"message": ""}
_PROCESSED, _RETRY_AFTER, _HTML = {"processes": True}, {"retry_after": 1}, "<html><body><h1>Welcome</h1></body></html>"
_SERVER_ERROR = refuse(500, "Internal server error.", "internal.server.error")
_SESSION_CALLS, _API_CALLS = ("create", "read"), CALLS[1:]

_FAULT_TYPES: dict[str, _FaultType] = {
    "slow": _FaultType("It answers late.", slow, {"seconds": 3.0}),
    "silent": _FaultType("It processes the call and never answers.", silent),
    "401": _FaultType(
        "It refuses the token.", refuse(401, "Invalid login credentials.", "bad.credentials"), on=_API_CALLS
    ),
    "403": _FaultType(
        "The client lacks the scope for co-browse sessions.",
        refuse(403, "Missing required scope: cobrowse:session:write", "missing.permissions"),
        on=_API_CALLS,
    ),
    "division": _FaultType(
        "The client has its role in another division only.",
        refuse(403, OTHER_DIVISION, "missing.division.permission"),
        _MESSAGE,
        on=_API_CALLS,
    ),
    "active-conversation": _FaultType(
        "The customer already has an SMS conversation.",
        refuse(400, ACTIVE_CONVERSATION),
        _MESSAGE,
        on=("sms",),
    ),
    "invalid-host": _FaultType("It does not accept the host.", refuse(400, "Invalid Host User"), on=("create",)),
    "unknown-application": _FaultType(
        "It does not know the application.", refuse(400, "Application Not Found"), on=("create",)
    ),
    "404": _FaultType(
        "It does not have the call, as public Genesys Cloud.",
        refuse(404, "HTTP 404 Not Found", "not.found"),
        on=("create", "applications"),
    ),
    "user-context": _FaultType(
        "It accepts this call from signed-in users only, not from an OAuth client.",
        refuse(400, USER_CONTEXT),
        on=_API_CALLS,
    ),
    "bad-request": _FaultType("It rejects the request with a message full of markup.", refuse(400, _MARKUP_MESSAGE)),
    "429": _FaultType(
        "Too many requests: it does not process the call and asks to wait.",
        refuse(429, "Rate limit exceeded.", "too.many.requests"),
        _RETRY_AFTER,
    ),
    "503": _FaultType(
        "It is busy: it does not process the call and asks to wait.",
        refuse(503, "The service is busy.", "service.unavailable"),
        _RETRY_AFTER,
    ),
    "500-twice": _FaultType(
        "Two calls fail with an internal error, the third works.", _SERVER_ERROR, {"processes": False}, times=2
    ),
    "500": _FaultType("Every call fails with an internal error.", _SERVER_ERROR, {"processes": False}),
    "502": _FaultType(
        "It processes the call, but its gateway answers 502.", gateway_error(502, "Bad Gateway"), _PROCESSED
    ),
    "504": _FaultType(
        "It processes the call, but its gateway answers 504.", gateway_error(504, "Gateway Time-out"), _PROCESSED
    ),
    "408": _FaultType(
        "It processes the call, but its gateway answers 408.", gateway_error(408, "Request Time-out"), _PROCESSED
    ),
    "dropped": _FaultType("It processes the call and closes the connection without an answer.", dropped),
    "reset": _FaultType("It processes the call and resets the connection without an answer.", reset),
    "cut": _FaultType(
        "It processes the call and closes the connection in the middle of its answer.", cut, on=CALLS[:-1]
    ),
    "no-join-url": _FaultType("Its answer holds no join URL.", without_field("joinUrl"), on=_SESSION_CALLS),
    "no-join-code": _FaultType("Its answer holds no join code.", without_field("joinCode"), on=_SESSION_CALLS),
    "no-id": _FaultType("Its answer holds no session id.", without_field("id"), on=_SESSION_CALLS),
    "not-json": _FaultType(
        "It processes the call and answers with a web page.",
        change_body(lambda _: web.Response(text=_HTML, content_type="text/html")),
    ),
    "not-object": _FaultType(
        "It processes the call and answers with a JSON list.", change_body(lambda body: web.json_response([body]))
    ),
    "http-join-url": _FaultType(
        "The join URL is not encrypted.", with_join_url("http://example.com/join/not-encrypted"), on=_SESSION_CALLS
    ),
    "js-join-url": _FaultType("The join URL is a script.", with_join_url("javascript:alert(1)"), on=_SESSION_CALLS),
    "redirect": _FaultType("It redirects the caller.", redirect),
    "down": _FaultType("It cannot be reached.", down),
    "invalid_client": _FaultType(
        "The token endpoint does not know the client.",
        refuse(401, "Client authentication failed.", "invalid_client", OAuthError),
        _MESSAGE,
        on=("token",),
    ),
    "invalid_scope": _FaultType(
        "The token endpoint does not grant the scope.",
        refuse(400, "The requested scope is invalid.", "invalid_scope", OAuthError),
        on=("token",),
    ),
    "unauthorized_client": _FaultType(
        "The client may not use this grant.",
        refuse(400, "The client may not use this grant.", "unauthorized_client", OAuthError),
        _MESSAGE,
        on=("token",),
    ),
    "access_denied": _FaultType(
        "The token endpoint rejects calls from this address.",
        refuse(403, "The IP address 203.0.113.7 is not in the client's allowed list.", "access_denied", OAuthError),
        _MESSAGE,
        on=("token",),
    ),
    "firewall": _FaultType("A firewall answers 403.", gateway_error(403, "Forbidden"), _NOT_PROCESSED),
    "no-token": _FaultType("The token endpoint answers without a token.", without_field("access_token"), on=("token",)),
}

_FAULT_TYPES |= {
    "no-subscriptions": _FaultType(
        "The client may subscribe to nobody's conversations.",
        refuse(403, "Insufficient permissions to subscribe to the topics.", "not.authorized"),
        on=("subscriptions",),
    ),
    "events-missing": _FaultType("An event of a channel is lost.", on=("events",)),
    "events-doubled": _FaultType("A channel sends each event twice.", on=("events",)),
    "events-late": _FaultType("A channel sends its events late.", options={"seconds": 3.0}, on=("events",)),
    "events-reordered": _FaultType(
        "A channel sends an event after the next one, or after some seconds.",
        options={"seconds": 3.0},
        on=("events",),
    ),
    "socket-closes": _FaultType("It closes each WebSocket of a channel.", options={"seconds": 60.0}, on=("sockets",)),
}

FAULTS: Mapping[str, str] = {name: fault_type.description for name, fault_type in _FAULT_TYPES.items()}
"""The names of the faults that `inject_fault` accepts, each with a description for the sandbox's page."""


@dataclass
class Fault:
    """A simulated fault that is switched on.

    `remaining`: how many more calls the fault affects; None for no limit.
    """

    name: str
    options: Mapping[str, Any]
    remaining: int | None

    async def answer(self, request: web.Request, process: Process) -> web.StreamResponse | None:
        return await _FAULT_TYPES[self.name].effect(request, process, self.options)


class Faults:
    """Holds the simulated faults that are switched on: at most one for each kind of call.

    A fault stays on until `remaining` is 0, until `clear` is called, or until `set` switches on another fault for the
    same kind. The fault `down` affects calls of every kind. The kinds "events" and "sockets" stand for the events and
    the WebSockets of notification channels.
    """

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    @property
    def down(self) -> Fault | None:
        return next((fault for fault in self._faults.values() if fault.name == "down"), None)

    def clear(self) -> None:
        self._faults.clear()

    def set(self, on: str, name: str, times: int | None, options: Mapping[str, Any]) -> None:
        """Switch on the fault `name` for calls of the kind `on`. Switch off the previous fault of this kind.

        - `times`: the number of calls that the fault affects; None for the default of the fault. The fault `down`
          ignores `times`.
        - `options`: the options of the fault, such as `seconds`. A missing option gets the default value.

        Raises ValueError for an unknown fault or option, for a kind of call that the fault cannot affect, or if `times`
        is below 1.
        """
        if name not in _FAULT_TYPES:
            raise ValueError(f"No such fault: {name}. There are: {', '.join(_FAULT_TYPES)}")
        fault_type = _FAULT_TYPES[name]
        if on not in fault_type.on:
            raise ValueError(f"{name} cannot affect {on!r}, only: {', '.join(fault_type.on)}")
        if unknown := set(options) - set(fault_type.options):
            raise ValueError(f"{name} does not understand {', '.join(sorted(unknown))}")
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more")
        remaining = fault_type.times if times is None else times
        self._faults[on] = Fault(name, {**fault_type.options, **options}, None if name == "down" else remaining)

    def next_fault(self, call: str) -> Fault | None:
        """Return the fault that affects a new call of the kind `call`; None if no fault affects the call.

        Lower `remaining` of the fault by one, unless `remaining` is None. Switch the fault off when `remaining` is 0.
        """
        fault = self.down or self._faults.get(call)
        if fault is not None and fault.remaining is not None:
            fault.remaining -= 1
            if fault.remaining == 0:
                del self._faults[call]
        return fault
