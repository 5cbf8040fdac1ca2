"""What a press of a button can be refused with: one class each, as in errors.py."""

from bot.desk.errors import CobrowseError


class TryAgainRefused(CobrowseError):
    """A Try again button that does nothing for this press."""


class NotYours(TryAgainRefused):
    """Only the requester may press it."""


class TriedAlready(TryAgainRefused):
    """It works once."""


class RequestGone(TryAgainRefused):
    """The request is not known any more."""


class EndedAlready(CobrowseError):
    """It has ended, or its time has run out."""


class SharedAlready(CobrowseError):
    """It stands in that channel."""
