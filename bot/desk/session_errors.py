"""What can go wrong with sessions that exist: one class each, as in errors.py, where the tree of all of them stands."""

from dataclasses import dataclass

from bot.desk.errors import CobrowseError, Refused
from bot.desk.models import UserId


@dataclass(eq=False)
class NothingOpen(CobrowseError):
    """The person has no open session; nor had any that is remembered, unless `ever`."""

    ever: bool = True


class SessionNotFound(CobrowseError):
    """Nobody here made a session of this id, or it is forgotten."""


@dataclass(eq=False)
class SeveralOpen(CobrowseError):
    """Which of them is to be ended? Their ids and names, newest first."""

    sessions: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class MayNotEnd(Refused):
    """Only its host, its requester, a supervisor or an administrator."""

    agent: UserId
    requester: UserId


@dataclass(eq=False)
class MayNotRead(Refused):
    """Only its host and its requester may have the link."""

    agent: UserId
    requester: UserId


class LeadsOnly(Refused):
    """For supervisors and administrators."""


class AdminsOnly(Refused):
    """For administrators."""


@dataclass(eq=False)
class ShareRefused(CobrowseError):
    """The session cannot be shown in that channel; `why`: "outside", "uninvited", "closed" or "direct"."""

    why: str


class ShareUnknown(CobrowseError):
    """Nobody knows whether the session was shared, so it was not shared again."""


@dataclass(eq=False)
class NotPosted(CobrowseError):
    """Slack did not take a message about a session; `code` is Slack's own error word."""

    code: str
    try_again = True


class NotLinked(CobrowseError):
    """There was no link to remove."""


@dataclass(eq=False)
class NoSuchHost(CobrowseError):
    """No Genesys user can be linked by this address; `why` in a few words."""

    why: str
