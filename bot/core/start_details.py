"""Encode and decode the details of a START request, which the request holds as its `argument` (pure)."""

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
    """The details of a START request, such as the customer's address. Each detail is empty by default.

    At most one of `send_to`, `rejected`, `unless` and `replaces` is set.

    - `send_to`: the customer's address. The session card has a button that sends the link to this address.
    - `rejected`: why the bot cannot send the link to the typed address.
    - `fingerprint`: a hash of the typed address, by which the bot recognizes duplicate requests. Set if `send_to` or
      `rejected` is set.
    - `unless`: the command that the requester may have meant by the session name. For the name "stop Checkout demo",
      this is "end". If the name contains the name of an open session of the requester, such as "Checkout", the bot
      starts no session. It asks the requester what they meant.
    - `thread`: Slack's id of the message in whose thread to post the session.
    - `replaces`: the id of the open session that the new session replaces.
    """

    send_to: str = field(default="", repr=False)
    rejected: SendRejectedError | None = None
    fingerprint: str = ""
    unless: str = ""
    thread: str = ""
    replaces: str = ""

    @property
    def argument(self) -> str | None:
        """Return the details as text, for the `argument` of a request; None if all details are empty."""
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
    """Decode the `argument` of a START request.

    `StartDetails.argument` encodes the details. Return NO_DETAILS for None, and for a text with an unknown first word.
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
    """Return a text that replaces the `argument` of a START request in the search for duplicate requests.

    If `argument` contains the customer's address, the text contains only the hash of the address. If `argument` also
    names a thread, the text begins with the thread's id and a space. `details_of` cannot decode the text. Return any
    other `argument` unchanged.
    """
    details = details_of(argument)
    return f"{details.thread} {details.fingerprint}".strip() if details.send_to else argument


def fingerprint(address: str, key: bytes) -> str:
    """Return a hash of a customer's address, made with the secret `key` (HMAC-SHA256)."""
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:_HASH_LENGTH]
