"""What a press of a button can be refused with: one class each, as in errors.py."""

from bot.core.errors import CobrowseError


class TryAgainRefused(CobrowseError):
    """A Try again button that does nothing for this press."""

    code = "retry_refused"


class NotYours(TryAgainRefused):
    """Only the requester may press it."""

    code = "not_your_request"


class TriedAlready(TryAgainRefused):
    """It works once."""

    code = "already_retried"


class RequestGone(TryAgainRefused):
    """The request is not known any more."""

    code = "request_forgotten"


class EndedAlready(CobrowseError):
    """It has ended, or its time has run out."""

    code = "already_ended"


class SharedAlready(CobrowseError):
    """It stands in that channel."""

    code = "already_shared"
