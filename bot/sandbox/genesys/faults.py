"""The faults the sandbox's Genesys can be told to show, and which of them strike now.

What a fault does with a call is genesys_behaviour.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.genesys.errors import ACTIVE_CONVERSATION, OTHER_DIVISION, USER_CONTEXT, OAuthError
from bot.sandbox.genesys.fault_effects import (
    Act,
    Behave,
    cut,
    down,
    dropped,
    gateway,
    join_url,
    redirect,
    refuse,
    reset,
    silent,
    slow,
    spoil,
    without,
)

_ASKED = ("token", "search", "applications", "query", "conversation", "read", "me", "roles")
CALLS = (*_ASKED, "create", "sms", "email", "end")


@dataclass(frozen=True)
class _Kind:
    sentence: str
    behave: Behave
    how: Mapping[str, Any] = field(default_factory=dict)  # the words it understands, with their defaults
    on: tuple[str, ...] = CALLS
    times: int | None = None


_RUDE = "Not like this: <!channel> <@U00000000> *see* <https://example.com|here> & `there`. " + "And so on. " * 40
_ACTS_NOT, _WORDS = {"acts": False}, {"words": ""}
_ACTS, _BUSY, _PAGE = {"acts": True}, {"retry_after": 1}, "<html><body><h1>Welcome</h1></body></html>"
_BROKEN = refuse(500, "Internal server error.", "internal.server.error")
_LINKS, _API = ("create", "read"), CALLS[1:]

_KINDS: Mapping[str, _Kind] = {
    "slow": _Kind("It answers, but takes its time.", slow, {"seconds": 3.0}),
    "silent": _Kind("It acts, and never answers.", silent),
    "401": _Kind("It refuses the token.", refuse(401, "Invalid login credentials.", "bad.credentials"), on=_API),
    "403": _Kind(
        "The client lacks the scope for co-browse sessions.",
        refuse(403, "Missing required scope: cobrowse:session:write", "missing.permissions"),
        on=_API,
    ),
    "division": _Kind(
        "The client's role holds in another division only.",
        refuse(403, OTHER_DIVISION, "missing.division.permission"),
        _WORDS,
        on=_API,
    ),
    "active-conversation": _Kind(
        "The customer is in an SMS conversation already.",
        refuse(400, ACTIVE_CONVERSATION),
        _WORDS,
        on=("sms",),
    ),
    "invalid-host": _Kind("It does not accept the host.", refuse(400, "Invalid Host User"), on=("create",)),
    "unknown-application": _Kind(
        "It does not know the application.", refuse(400, "Application Not Found"), on=("create",)
    ),
    "user-context": _Kind(
        "It does this for people only, not for an OAuth client.",
        refuse(400, USER_CONTEXT),
        on=_API,
    ),
    "bad-request": _Kind("It finds fault with the request, in words full of mark-up.", refuse(400, _RUDE)),
    "429": _Kind(
        "Too many requests: it does not act and asks to wait.",
        refuse(429, "Rate limit exceeded.", "too.many.requests"),
        _BUSY,
    ),
    "503": _Kind(
        "It is busy: it does not act and asks to wait.",
        refuse(503, "The service is busy.", "service.unavailable"),
        _BUSY,
    ),
    "500-twice": _Kind("Two calls fail inside it, the third works.", _BROKEN, {"acts": False}, times=2),
    "500": _Kind("Every call fails inside it.", _BROKEN, {"acts": False}),
    "502": _Kind("It acts, but the gateway before it says 502.", gateway(502, "Bad Gateway"), _ACTS),
    "504": _Kind("It acts, but the gateway before it says 504.", gateway(504, "Gateway Time-out"), _ACTS),
    "408": _Kind("It acts, but the gateway before it says 408.", gateway(408, "Request Time-out"), _ACTS),
    "dropped": _Kind("It acts, and closes the connection without an answer.", dropped),
    "reset": _Kind("It acts, and resets the connection without an answer.", reset),
    "cut": _Kind("It acts, and closes the connection in the middle of its answer.", cut, on=CALLS[:-1]),
    "no-join-url": _Kind("Its answer holds no join URL.", without("joinUrl"), on=_LINKS),
    "no-join-code": _Kind("Its answer holds no join code.", without("joinCode"), on=_LINKS),
    "no-id": _Kind("Its answer holds no session id.", without("id"), on=_LINKS),
    "not-json": _Kind(
        "It acts, and answers with a web page.", spoil(lambda _: web.Response(text=_PAGE, content_type="text/html"))
    ),
    "not-object": _Kind("It acts, and answers with a JSON list.", spoil(lambda body: web.json_response([body]))),
    "http-join-url": _Kind(
        "The join URL is not encrypted.", join_url("http://example.com/join/not-encrypted"), on=_LINKS
    ),
    "js-join-url": _Kind("The join URL is a script.", join_url("javascript:alert(1)"), on=_LINKS),
    "redirect": _Kind("It sends the caller elsewhere.", redirect),
    "down": _Kind("It cannot be reached at all.", down),
    "invalid_client": _Kind(
        "The sign-in does not know the client.",
        refuse(401, "Client authentication failed.", "invalid_client", OAuthError),
        _WORDS,
        on=("token",),
    ),
    "invalid_scope": _Kind(
        "The sign-in does not grant the scope.",
        refuse(400, "The requested scope is invalid.", "invalid_scope", OAuthError),
        on=("token",),
    ),
    "unauthorized_client": _Kind(
        "The client may not sign in this way.",
        refuse(400, "The client may not use this grant.", "unauthorized_client", OAuthError),
        _WORDS,
        on=("token",),
    ),
    "access_denied": _Kind(
        "The sign-in does not take calls from this address.",
        refuse(403, "The IP address 203.0.113.7 is not in the client's allowed list.", "access_denied", OAuthError),
        _WORDS,
        on=("token",),
    ),
    "firewall": _Kind("A firewall before it says 403.", gateway(403, "Forbidden"), _ACTS_NOT),
    "no-token": _Kind("The sign-in answers without a token.", without("access_token"), on=("token",)),
}

FAULTS: Mapping[str, str] = {name: kind.sentence for name, kind in _KINDS.items()}
"""Every fault `misbehave` knows, each with one plain sentence for people."""


@dataclass
class Fault:
    """A fault that was asked for; `left` is how many more calls it hits (None: until it is changed)."""

    name: str
    how: Mapping[str, Any]
    left: int | None

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse | None:
        return await _KINDS[self.name].behave(request, act, self.how)


class Faults:
    """The faults in force, one for each call; `down` strikes every call."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    @property
    def down(self) -> Fault | None:
        return next((fault for fault in self._faults.values() if fault.name == "down"), None)

    def clear(self) -> None:
        self._faults.clear()

    def set(self, on: str, name: str, times: int | None, how: Mapping[str, Any]) -> None:
        """Raises ValueError for a fault, a call or a word that does not exist, or that do not go together."""
        if name not in _KINDS:
            raise ValueError(f"No such fault: {name}. There are: {', '.join(_KINDS)}")
        kind = _KINDS[name]
        if on not in kind.on:
            raise ValueError(f"{name} cannot strike {on!r}, only: {', '.join(kind.on)}")
        if unknown := set(how) - set(kind.how):
            raise ValueError(f"{name} does not understand {', '.join(sorted(unknown))}")
        if times is not None and times < 1:
            raise ValueError("times counts the calls that are hit: 1 or more")
        left = kind.times if times is None else times
        self._faults[on] = Fault(name, {**kind.how, **how}, None if name == "down" else left)

    def strike(self, call: str) -> Fault | None:
        """The fault this call meets, counted."""
        fault = self.down or self._faults.get(call)
        if fault is not None and fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                del self._faults[call]
        return fault
