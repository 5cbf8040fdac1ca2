"""What can go wrong with sessions that exist: one class each, as in errors.py, where the tree of all of them stands."""

from dataclasses import dataclass

from bot.core.errors import CobrowseError, Refused
from bot.core.models import UserId


@dataclass(eq=False)
class NothingOpen(CobrowseError):
    """The person has no open session; nor had any that is remembered, unless `ever`."""

    code = "no_open_session"
    ever: bool = True


class SessionNotFound(CobrowseError):
    """Nobody here made a session of this id, or it is forgotten."""

    code = "session_not_found"


@dataclass(eq=False)
class SeveralOpen(CobrowseError):
    """Which of them is to be ended? Their ids and names, newest first."""

    code = "several_open_sessions"
    sessions: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class MayNotEnd(Refused):
    """Only its host, its requester, a supervisor or an administrator."""

    code = "may_not_end"
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class MayNotRead(Refused):
    """Only its host and its requester may have the link."""

    code = "may_not_read_link"
    agent: UserId
    requester: UserId


class LeadsOnly(Refused):
    """For supervisors and administrators."""

    code = "supervisors_only"


class AdminsOnly(Refused):
    """For administrators."""

    code = "administrators_only"


@dataclass(eq=False)
class ShareRefused(CobrowseError):
    """The session cannot be shown in that channel.

    `why`: "outside", "unclear", "uninvited", "closed", "direct" or "group".
    """

    code = "share_refused"
    why: str


@dataclass(eq=False)
class ShareUnknown(CobrowseError):
    """Nobody knows whether the session was shared, so it was not shared again; `is_direct`: with one's own self."""

    code = "share_outcome_unknown"
    is_direct: bool = False


@dataclass(eq=False)
class NotPosted(CobrowseError):
    """Slack did not take a message about a session; `slack_error` is Slack's own error word.

    `passes`: whether it passes by itself.
    """

    code = "message_not_posted"
    slack_error: str
    passes: bool = True
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes


class NotLinked(CobrowseError):
    """There was no link to remove."""

    code = "not_linked"


@dataclass(eq=False)
class NoSuchHost(CobrowseError):
    """No Genesys user can be linked by this address; `why` in a few words."""

    code = "no_such_host"
    why: str
