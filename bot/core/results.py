"""Define the results of successful requests, one class for each kind of result.

Each class has a `code`: its stable name in the log, the metrics and the audit log.
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
    """Result of help: the bot lists the commands that a person with the role `role` can type."""

    code = "help"
    role: Role


@dataclass(frozen=True, slots=True)
class CommandSuggested:
    """The bot started no session, because the typed session name is probably a command.

    - `command`: the command word with which the name begins.
    - `records`: the requester's open sessions whose names occur in the typed name.
    """

    code = "command_suggested"
    command: str
    records: tuple[SessionRecord, ...]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The bot started no session, because the new session would replace the session `record` in the same conversation.

    - `record`: the open session, without its link if the requester may not read it.
    - `customer`: the customer's name; "" if unknown.
    """

    code = "session_open_already"
    record: SessionRecord
    customer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LastSession:
    """The session that the requester named, or the requester's newest session.

    `record`: without the link if the session is over or nobody can join any more.
    """

    code = "last_session"
    record: SessionRecord


ON_CARD = "card."
"""Marks an END request from a session card on which the person chose to end another session. The request's `argument`
is: the id of the session to end, a space, ON_CARD, and the id of the card's session."""


class ListKind(StrEnum):
    """The kinds of lists of sessions."""

    OWN = "own"
    """The open sessions that the requester hosts, then those that the requester started for others."""
    END = "end"
    """The open sessions of the requester or of a named agent. The requester chooses the session to end."""
    LIVE = "live"
    """The open sessions of the workspace, sorted by agent."""
    HOME = "home"
    """The open sessions of the workspace, sorted by agent, on the Home tab."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list of sessions. The buttons of the list hold the page as text.

    - `number`: the page's number, from 0.
    - `agent`: the only agent whose sessions the list holds; None if the list holds all sessions of its kind.
    """

    kind: ListKind = ListKind.OWN
    number: int = 0
    agent: UserId | None = None

    def __str__(self) -> str:
        return f"{self.kind}.{self.number}.{self.agent or ''}"

    @property
    def size(self) -> int:
        """Return the maximum number of sessions on a page: 20 if the kind of the list is LIVE, else 10."""
        return 20 if self.kind is ListKind.LIVE else 10

    @property
    def is_live(self) -> bool:
        """Return whether this is a list for supervisors and administrators, with sessions of other people.

        Such a list holds the open sessions of the workspace or of one named agent.
        """
        return self.kind in (ListKind.LIVE, ListKind.HOME) or self.agent is not None

    @classmethod
    def read(cls, text: str | None, default: ListKind) -> "ListPage":
        """Decode the page that the text of a button holds.

        Return the first page of the kind `default` if `text` is None or holds no page.
        """
        kind, _, rest = (text or "").partition(".")
        number, _, agent = rest.partition(".")
        if kind not in set(ListKind) or not re.fullmatch("[0-9]{1,4}", number):
            return cls(default)
        return cls(ListKind(kind), int(number), UserId(agent) if agent else None)


@dataclass(frozen=True, slots=True)
class SessionList:
    """One page of open sessions.

    - `total`: the number of sessions on all pages.
    - `ended`: the session that the requester ended by a press in this list; None if there was no such press.
    - `viewer_ids`: the requester's Slack ids, if the list holds only sessions that the requester hosts or started; else
      empty.
    """

    code = "session_list"
    records: tuple[SessionRecord, ...]
    page: ListPage = ListPage()
    total: int = 0
    ended: SessionRecord | None = None
    viewer_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session `record` is over: the bot ended it now, or it was over already.

    - `reference`: the service's correlation id; None if there is none.
    - `listing`: the list with the pressed button, after the session's end. None if the button was in no list, if the
      requester may not see the list, or if the bot cannot read it.
    - `card`: the session whose card had the pressed button, if that session is not `record`. None for any other button,
      if the requester may not see the card, or if the bot cannot read the session.
    - `other_open`: the newest open session of the agent of `card`, except `card` itself. None if there is no such
      session, or if `card` is None.
    """

    code = "session_ended"
    record: SessionRecord
    reference: str | None = None
    listing: SessionList | None = None
    card: SessionRecord | None = None
    other_open: OtherSession | None = None


@dataclass(frozen=True, slots=True)
class SessionShared:
    """The bot posted the session `record` in the channel `channel_id`."""

    code = "session_shared"
    record: SessionRecord
    channel_id: ChannelId


@dataclass(frozen=True, slots=True)
class SentDirect:
    """The bot sent the card of the session `record` to the requester as a direct message."""

    code = "session_sent_to_self"
    record: SessionRecord


@dataclass(frozen=True, slots=True)
class SendPreview:
    """A preview of a message to a customer. The bot sends the message after the requester has confirmed.

    - `records`: the sessions whose link the message can contain. If there are several, the requester chooses one.
    - `address`: the customer's address.
    - `more`: the number of open sessions that `records` leaves out.
    """

    code = "send_proposed"
    records: tuple[SessionRecord, ...]
    address: ContactAddress
    more: int = 0


@dataclass(frozen=True, slots=True)
class CustomerMessageSent:
    """The bot sent the session's link to a customer.

    - `reference`: Genesys's correlation id; None if there is none.
    - `setting`: the name of the setting with the text; "" if unknown.
    """

    code = "link_sent"
    record: SessionRecord
    address: ContactAddress
    reference: str | None = None
    setting: str = ""


@dataclass(frozen=True, slots=True)
class SendCancelled:
    """The requester pressed *Cancel* in the preview of a message to a customer. The bot has sent nothing."""

    code = "send_cancelled"


@dataclass(frozen=True, slots=True)
class Applications:
    """All applications at the session service.

    - `found`: the id and the name of each application.
    - `used`: the id of the application that new sessions use by default.
    """

    code = "application_list"
    found: tuple[tuple[str, str], ...]
    used: str


@dataclass(frozen=True, slots=True)
class HostLinked:
    """An administrator added or removed a host link.

    - `host_id`: the linked host; None if the link was removed.
    - `name`: the host's name; "" if unknown.
    """

    code = "host_linked"
    user_id: UserId
    host_id: HostId | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccessRequested:
    """Result of ASK: the bot asked the administrators to connect a person to a Genesys user, or had no need to ask.

    - `user_id`: the person.
    - `is_new`: True if the bot asked now. False if an earlier request for access is open, or the person is connected.
    - `asked_at`: the time of the open request for access; None if the person is connected.
    - `is_connected`: True if the person was connected already, so that the bot asked nobody.
    """

    code = "access_requested"
    user_id: UserId
    is_new: bool = False
    asked_at: datetime | None = None
    is_connected: bool = False


@dataclass(frozen=True, slots=True)
class AdministratorsTold:
    """The bot told the administrators about a failed request, because the requester pressed the button for that.

    `readers`: the users and channels for which Slack accepted the message.
    """

    code = "administrators_told"
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessReport:
    """Result of the command why: whether a person could start a session, and why or why not.

    - `role`: the person's role; None if there is a `refusal`.
    - `refusal`: why the person may not start a session; None if they may.
    - `host`: the person's host; None if there is a `refusal` or no rule found a host.
    - `missed`: why each host rule found no host; empty if there is a `host` or a `refusal`.
    - `session`: the newest open session that the person hosts; None if there is none.
    - `connected`: whether the person has linked their own Genesys account; None if nobody can link an account, or if
      there is no `host`.
    """

    code = "access_report"
    user_id: UserId
    role: Role | None
    refusal: PermissionDeniedError | None
    host: Host | None
    missed: tuple[RuleMiss, ...]
    session: SessionRecord | None = None
    connected: bool | None = None


class FaultState(StrEnum):
    """The results of *Check again*."""

    FAILING = "failing"
    REPAIRED = "repaired"
    UNKNOWN = "unknown"
    """The bot cannot test the fault. The next request of the kind that failed will show whether the fault is fixed."""


@dataclass(frozen=True, slots=True)
class FaultChecked:
    """Result of *Check again*: whether a fault is fixed.

    A request to tell the administrators about a failed request (TELL) also has this result if the fault is already
    fixed. The bot then tells the administrators nothing.
    """

    code = "fault_checked"
    state: FaultState


@dataclass(frozen=True, slots=True)
class SignInOffered:
    """A link for the person's sign-in to Genesys.

    - `address`: the URL of the link, a secret.
    - `until`: the time until which the link is valid.
    - `already`: True if the person has a linked account. A new sign-in replaces this account.
    """

    code = "connect_offered"
    address: str = field(repr=False)
    until: datetime
    already: bool


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """The person has signed in to Genesys, and so linked their own account."""

    code = "connected"
    host_id: HostId


@dataclass(frozen=True, slots=True)
class AccountUnlinked:
    """The person has unlinked their own Genesys account, the user `host_id`."""

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
"""The kinds of requests that only ask for information. The sweep deletes an answered request of these kinds one hour
after it was accepted. Until then, the bot recognizes a second delivery of the request by Slack."""

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
