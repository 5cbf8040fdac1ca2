"""Define the results of successful requests, one class for each kind of result.

Each class has a `code` like the errors: its stable name in the log, the metrics and the audit log.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.core.errors import CobrowseError, PermissionDeniedError, RuleMiss
from bot.core.models import (
    ChannelId,
    Host,
    HostId,
    Identity,
    OtherSession,
    RequestKind,
    Role,
    SessionRecord,
    SessionStarted,
    UserId,
)
from bot.core.validation.contact import ContactAddress


@dataclass(frozen=True, slots=True)
class Help:
    """The commands that a person in this role can type."""

    code = "help"
    role: Role


@dataclass(frozen=True, slots=True)
class CommandSuggested:
    """The bot started no session, because the typed session name is probably a command.

    The name begins with the word `command`, and contains the names of the requester's open sessions `records`.
    """

    code = "command_suggested"
    command: str
    records: tuple[SessionRecord, ...]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The bot started no session, because the conversation has an open session that a new one would replace.

    `record` has the link of the open session if the requester may read it. `customer` is the customer's name, "" if
    unknown.
    """

    code = "session_open_already"
    record: SessionRecord
    customer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LastSession:
    """The requester's newest session, with its link if the session is open."""

    code = "last_session"
    record: SessionRecord


ON_CARD = "card."
"""Marks an END request from the card of another session. The argument of this request is the id of the session to end,
a space, ON_CARD and the id of the card's session."""


class ListKind(StrEnum):
    """The kinds of lists of sessions. A kind says whose sessions a list shows, in which order and where."""

    OWN = "own"
    """The requester's own sessions, newest first."""
    END = "end"
    """The requester's own sessions, or the sessions of a named agent, to choose which session to end."""
    LIVE = "live"
    """The open sessions of the workspace, sorted by agent."""
    HOME = "home"
    """The open sessions of the workspace, sorted by agent, on the Home tab."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list of sessions. The list's buttons carry it as text. `number` is the page's number, from 0.

    `agent`: the list holds only the sessions that this person hosts; None for everybody's.
    """

    kind: ListKind = ListKind.OWN
    number: int = 0
    agent: UserId | None = None

    def __str__(self) -> str:
        return f"{self.kind}.{self.number}.{self.agent or ''}"

    @property
    def size(self) -> int:
        """Return the maximum number of sessions on a page.

        A message has 50 blocks at most. In a list by agent, each agent's name takes a block, too.
        """
        return 20 if self.kind is ListKind.LIVE else 10

    @property
    def is_live(self) -> bool:
        """Return whether the page lists sessions of the whole workspace or of a named agent.

        False: only the reader's sessions.
        """
        return self.kind in (ListKind.LIVE, ListKind.HOME) or self.agent is not None

    @classmethod
    def read(cls, text: str | None, default: ListKind) -> "ListPage":
        """Decode a page from the text of a button. Return the first page of the kind `default` for any other text."""
        kind, _, rest = (text or "").partition(".")
        number, _, agent = rest.partition(".")
        if kind not in set(ListKind) or not re.fullmatch("[0-9]{1,4}", number):
            return cls(default)
        return cls(ListKind(kind), int(number), UserId(agent) if agent else None)


@dataclass(frozen=True, slots=True)
class SessionList:
    """One page of open sessions. `total`: how many sessions there are on all pages.

    - `ended`: the session that a press in this list has ended.
    - `viewer_ids`: all Slack ids of the requester if the list has only sessions that they host or started; else empty.
    """

    code = "session_list"
    records: tuple[SessionRecord, ...]
    page: ListPage = ListPage()
    total: int = 0
    ended: SessionRecord | None = None
    viewer_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session has ended. `reference` is the service's correlation id, None if there is none.

    If the requester pressed the button in a list, `listing` holds the sessions that are still open. If the button was
    on the card of another session, `card` is that other session. Then `other_open` is the newest open session of the
    agent of `card`, apart from `card` itself.
    """

    code = "session_ended"
    record: SessionRecord
    reference: str | None = None
    listing: SessionList | None = None
    card: SessionRecord | None = None
    other_open: OtherSession | None = None


@dataclass(frozen=True, slots=True)
class SessionShared:
    """The session was posted in the channel."""

    code = "session_shared"
    record: SessionRecord
    channel_id: ChannelId


@dataclass(frozen=True, slots=True)
class SentDirect:
    """The bot sent the session to the requester as a direct message."""

    code = "session_sent_to_self"
    record: SessionRecord


@dataclass(frozen=True, slots=True)
class SendPreview:
    """A preview of a message to a customer, which the requester has to confirm. It sends the link of one of `records`.

    `address` is the customer's address. `more` is the number of further open sessions, which `records` leaves out.
    """

    code = "send_proposed"
    records: tuple[SessionRecord, ...]
    address: ContactAddress
    more: int = 0


@dataclass(frozen=True, slots=True)
class CustomerMessageSent:
    """The session's link was sent to a customer. `reference` is the service's correlation id, None if there is none."""

    code = "link_sent"
    record: SessionRecord
    address: ContactAddress
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class SendCancelled:
    """The requester cancelled a message to a customer in its preview. The bot has sent nothing."""

    code = "send_cancelled"


@dataclass(frozen=True, slots=True)
class Applications:
    """All applications in Genesys: `found` holds pairs of id and name.

    `used` is the id that new sessions use by default.
    """

    code = "application_list"
    found: tuple[tuple[str, str], ...]
    used: str


@dataclass(frozen=True, slots=True)
class HostLinked:
    """An administrator linked a person to a host. If `host_id` is None, the administrator removed the link.

    `name` is the host's name, "" if unknown.
    """

    code = "host_linked"
    user_id: UserId
    host_id: HostId | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccessRequested:
    """The bot asked the administrators to connect a person to a Genesys user.

    `is_new` is False if the person's earlier request, made at `asked_at`, is still open. `is_connected`: the person is
    already connected, so the bot asked nobody.
    """

    code = "access_requested"
    user_id: UserId
    is_new: bool = False
    asked_at: datetime | None = None
    is_connected: bool = False


@dataclass(frozen=True, slots=True)
class AdministratorsTold:
    """The bot tells the administrators about a failed request, because the requester asked for that.

    `readers` are the users and channels for which Slack accepted the message.
    """

    code = "administrators_told"
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The result of the command why: whether a person could start a session, and if not, why not.

    `refusal` is the error if the person may not start a session; `role` is then None. `host` is None if there was a
    refusal or no rule found a host; in the second case `missed` holds each rule's reason. `session`: the newest open
    session that the person hosts, with its state; None if there is none.
    """

    code = "access_report"
    user_id: UserId
    role: Role | None
    refusal: PermissionDeniedError | None
    host: Host | None
    missed: tuple[RuleMiss, ...]
    session: SessionRecord | None = None


class FaultState(StrEnum):
    """The possible results of *Check again*, which tests whether a fault of the set-up is fixed."""

    FAILING = "failing"
    REPAIRED = "repaired"
    UNKNOWN = "unknown"
    """Only the next request of the kind that failed can show whether the fault is fixed."""


@dataclass(frozen=True, slots=True)
class FaultChecked:
    """An administrator pressed *Check again*, and the bot has tested whether a fault of the set-up is fixed."""

    code = "fault_checked"
    state: FaultState


@dataclass(frozen=True, slots=True)
class SignInOffered:
    """A link for the person's sign-in to Genesys. `address` is its URL, a secret.

    The link is valid until the time `until`. `already`: the person has already linked an account, which a new sign-in
    replaces.
    """

    code = "connect_offered"
    address: str = field(repr=False)
    until: datetime
    already: bool


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """The person has signed in, and so linked the Genesys account of their host."""

    code = "connected"
    host_id: HostId


@dataclass(frozen=True, slots=True)
class AccountUnlinked:
    """The person has unlinked their own Genesys account. `host_id` is its user in Genesys."""

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
    RequestKind.RECHECK,
)
"""Kinds of requests that change nothing. After the answer, such a request is stored only so that the bot recognizes a
second delivery of it by Slack."""

Success = (
    SessionStarted
    | Identity
    | Help
    | CommandSuggested
    | OpenSession
    | LastSession
    | SessionList
    | SessionEnded
    | SessionShared
    | SentDirect
    | SendPreview
    | CustomerMessageSent
    | SendCancelled
    | Applications
    | HostLinked
    | AccessRequested
    | AdministratorsTold
    | AccessReport
    | FaultChecked
    | SignInOffered
    | AccountLinked
    | AccountUnlinked
)
Result = Success | CobrowseError
