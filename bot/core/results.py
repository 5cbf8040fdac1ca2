"""What a request can end with, beside the errors: one class for each thing a person can be told or shown.

Each has a `code`, as the errors have: its stable name in the log, metrics and audit log.
"""

from dataclasses import dataclass, field
from datetime import datetime

from bot.core.errors import CobrowseError, PermissionDeniedError, RuleMiss
from bot.core.models import ChannelId, Host, HostId, Identity, RequestKind, Role, SessionRecord, SessionStarted, UserId
from bot.core.validation.contact import ContactAddress


@dataclass(frozen=True, slots=True)
class Help:
    """What there is to type, for somebody in this role."""

    code = "help"
    role: Role


@dataclass(frozen=True, slots=True)
class LastSession:
    """One session once more, with its link if it is still open."""

    code = "last_session"
    record: SessionRecord


@dataclass(frozen=True, slots=True)
class SessionList:
    """Open sessions: the requester's own, newest first, or those of the whole workspace, by host.

    `cut`: there are more than these.
    """

    code = "session_list"
    records: tuple[SessionRecord, ...]
    everybodys: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over now; `reference` is the service's."""

    code = "session_ended"
    record: SessionRecord
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class SessionShared:
    """The session stands in the channel, for all in it."""

    code = "session_shared"
    record: SessionRecord
    channel_id: ChannelId


@dataclass(frozen=True, slots=True)
class SentDirect:
    """The session stands in a direct message to the requester."""

    code = "session_sent_to_self"
    record: SessionRecord


@dataclass(frozen=True, slots=True)
class SendPreview:
    """A link could be sent to this address: that of one of these sessions, if the person says so."""

    code = "send_proposed"
    records: tuple[SessionRecord, ...]
    address: ContactAddress


@dataclass(frozen=True, slots=True)
class CustomerMessageSent:
    """The session's link is on its way to a customer; `reference` is the service's, for who asks where it is."""

    code = "link_sent"
    record: SessionRecord
    address: ContactAddress
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Applications:
    """Ids and names of the applications there are, and the one that sessions are for."""

    code = "application_list"
    found: tuple[tuple[str, str], ...]
    used: str


@dataclass(frozen=True, slots=True)
class HostLinked:
    """Somebody is linked to a host now; to none (None) when the link was removed."""

    code = "host_linked"
    user_id: UserId
    host_id: HostId | None


@dataclass(frozen=True, slots=True)
class AccessReport:
    """Why somebody may or may not start a session of their own, and as which host: a dry run.

    Who is refused has no role; who has no host has the rules that missed.
    """

    code = "access_report"
    user_id: UserId
    role: Role | None
    refusal: PermissionDeniedError | None
    host: Host | None
    missed: tuple[RuleMiss, ...]


@dataclass(frozen=True, slots=True)
class SignInOffered:
    """Where the person signs in to Genesys, a secret, until when, and whether they are connected already."""

    code = "connect_offered"
    address: str = field(repr=False)
    until: datetime
    already: bool


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """The person has signed in to Genesys, as the host that they are."""

    code = "connected"
    host_id: HostId


@dataclass(frozen=True, slots=True)
class AccountUnlinked:
    """The bot acts as this host no more."""

    code = "disconnected"
    host_id: HostId


INQUIRIES = (
    RequestKind.HELP,
    RequestKind.WHOAMI,
    RequestKind.LAST,
    RequestKind.STATUS,
    RequestKind.LIST,
    RequestKind.APPS,
    RequestKind.WHY,
    RequestKind.PROPOSE,
)
"""Kinds that change nothing: once answered, nobody needs to know of them but to tell a second delivery."""

Success = (
    SessionStarted
    | Identity
    | Help
    | LastSession
    | SessionList
    | SessionEnded
    | SessionShared
    | SentDirect
    | SendPreview
    | CustomerMessageSent
    | Applications
    | HostLinked
    | AccessReport
    | SignInOffered
    | AccountLinked
    | AccountUnlinked
)
Result = Success | CobrowseError
