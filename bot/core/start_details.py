"""What a request that starts a session takes beside the name (pure).

That is whom its link goes to, in which thread it is posted, or which command it may mean. It is the `argument` of the
request, so that a restart loses nothing. The argument is encrypted, and gone with the answer.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
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
    """The customer's address that the card offers the link to, or why it offers none, a thread, or a doubtful command.

    `send_to` is a number in E.164 or an e-mail address; `rejected` says why an address is not kept. `fingerprint`
    tells two addresses apart without showing them. `unless`: a command that the name means when it names one of the
    requester's open sessions. `thread` is Slack's id of the message in whose thread the session is posted. `replaces`
    is the id of the open session of the same conversation which this one replaces.
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
        if self.send_to:
            return f"{_SEND} {self.fingerprint} {self.send_to}"
        if self.rejected:
            return f"{_NOT_SENT} {self.fingerprint} {self.rejected.code} {self.rejected.detail}"
        if self.replaces:
            return f"{_REPLACE} {self.replaces}"
        if self.thread:
            return f"{_THREAD} {self.thread}"
        return f"{_UNLESS} {self.unless}" if self.unless else None


NO_DETAILS = StartDetails()


def details_of(argument: str | None) -> StartDetails:
    """Decode a request's argument. Return NO_DETAILS for any other text."""
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
        return StartDetails(thread=first)
    return StartDetails(unless=first) if kind == _UNLESS else NO_DETAILS


def without_address(argument: str | None) -> str | None:
    """Return an argument in a form that contains no address: the fingerprint if it holds one, else the argument."""
    details = details_of(argument)
    return details.fingerprint if details.send_to else argument


def fingerprint(address: str, key: bytes) -> str:
    """Return a keyed hash of an e-mail address or phone number. Nobody can guess the address without the key."""
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:_HASH_LENGTH]
