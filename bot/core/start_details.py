"""Encode and decode the details of a START request as text, the request's `argument` (pure).

The details are, for example, the customer's address or the thread in which to post the session. The store encrypts the
argument, and deletes it after the answer. So a restart loses no details.
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.core.errors import SendRejectedError

_SEND, _NOT_SENT, _UNLESS, _THREAD, _REPLACE = "send", "unsent", "unless", "thread", "replace"
_HASH_LENGTH = 32
_REJECTIONS: tuple[Literal["sending_off", "invalid_address", "country_not_allowed"], ...] = (
    "sending_off",
    "invalid_address",
    "country_not_allowed",
)


@dataclass(frozen=True, slots=True)
class StartDetails:
    """The details of a START request, apart from the session's name. Each is empty by default.

    Of `send_to`, `rejected`, `unless` and `replaces`, at most one is set.

    - `send_to`: the customer's phone number in E.164, or email address. The session's card has a button that sends the
      link there.
    - `rejected`: the reason why the bot cannot send to the typed address. The details then do not contain the address.
    - `fingerprint`: a hash of the address, set with `send_to` and `rejected`. It tells two addresses apart without
      showing them.
    - `unless`: a command word. The request means this command if its name mentions an open session of the requester.
    - `thread`: Slack's id of the message in whose thread to post the session.
    - `replaces`: the id of the open session in the same conversation that the new session replaces.
    """

    send_to: str = field(default="", repr=False)
    rejected: SendRejectedError | None = None
    fingerprint: str = ""
    unless: str = ""
    thread: str = ""
    replaces: str = ""

    @property
    def argument(self) -> str | None:
        """Return the details as a request's argument; None when there are none."""
        if self.thread:
            rest = replace(self, thread="").argument
            return f"{_THREAD} {self.thread} {rest}" if rest else f"{_THREAD} {self.thread}"
        if self.send_to:
            return f"{_SEND} {self.fingerprint} {self.send_to}"
        if self.rejected:
            return f"{_NOT_SENT} {self.fingerprint} {self.rejected.code} {self.rejected.detail}"
        if self.replaces:
            return f"{_REPLACE} {self.replaces}"
        return f"{_UNLESS} {self.unless}" if self.unless else None


NO_DETAILS = StartDetails()


def details_of(argument: str | None) -> StartDetails:
    """Decode the `argument` of a START request, which `StartDetails.argument` encoded.

    Return NO_DETAILS for None and for any other text.
    """
    kind, _, rest = (argument or "").partition(" ")
    first, _, more = rest.partition(" ")
    if kind == _SEND:
        return StartDetails(send_to=more, fingerprint=first)
    if kind == _NOT_SENT:
        code, _, detail = more.partition(" ")
        known = next((each for each in _REJECTIONS if each == code), _REJECTIONS[0])
        return StartDetails(rejected=SendRejectedError(known, detail), fingerprint=first)
    if kind == _REPLACE:
        return StartDetails(replaces=first)
    if kind == _THREAD:
        return replace(details_of(more), thread=first)
    return StartDetails(unless=first) if kind == _UNLESS else NO_DETAILS


def without_address(argument: str | None) -> str | None:
    """Remove the customer's address from the `argument` of a START request.

    If the argument holds an address, return only the thread and the address's fingerprint. Return any other argument
    unchanged.
    """
    details = details_of(argument)
    return f"{details.thread} {details.fingerprint}".strip() if details.send_to else argument


def fingerprint(address: str, key: bytes) -> str:
    """Return a hash of an email address or phone number, made with the secret `key`.

    Without the key, nobody can guess the address.
    """
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:_HASH_LENGTH]
