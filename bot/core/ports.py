"""Define the Protocols through which the core reaches storage, Slack, Genesys and the metrics.

Each method of a repository may raise StorageUnavailableError.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import (
    ConversationId,
    CreateSessionRequest,
    DirectoryUser,
    Host,
    HostId,
    HostLink,
    LinkedAccount,
    LockedAccount,
    Notice,
    NoticeKind,
    NoticeMessage,
    PendingAuthorization,
    PersonKey,
    PostedMessage,
    Request,
    RequestId,
    RequestState,
    Session,
    SessionId,
    SessionRecord,
    SessionStatus,
    SlackUser,
    TeamId,
    UserId,
    WaitNotice,
)
from bot.core.results import Result

G = TypeVar("G")

JOIN_SECONDS = 10.0
"""How long after a session was created the same person gets it again when they repeat the command."""
NO_HTTP_STATUS = "none"
"""The metric label of a call that got no HTTP response."""


# -- Storage --


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as the store holds it.

    It ends with a `session` or a `failure`. `session_over`: the session has ended, or its time is up by the store's
    clock; its link may be wiped.
    """

    request: Request
    state: RequestState
    failure: CobrowseError | None = None
    session: Session | None = None
    session_over: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of storing a request. `is_new` is False when its key is already stored.

    `duplicate_of` is a request by the same person with the same text, target and channel, whose session is being
    created or was created at most JOIN_SECONDS ago: the new request gets that session. Otherwise `state` is `creating`
    if the session can be created at once, and `linked` is the host that an administrator linked the agent to.
    """

    is_new: bool
    duplicate_of: RequestId | None = None
    state: RequestState = RequestState.ACCEPTED
    linked: HostId | None = None


class RequestRepository(Protocol):
    """Stores requests. Each repository belongs to one process, which runs the requests that it accepts."""

    @property
    def shared(self) -> bool:
        """Return whether replicas share the database; they take over the requests of a replica that seems dead."""

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Store the request durably. Raises MaybeAcceptedError when the store does not confirm it.

        `agent`: given when the session can be created at once; the request is then stored as `creating`.
        """

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        """Move a request durably from one state to another, and store its session or failure with it.

        Return False, and change nothing, when the request is not this process's or not in `from_`. A session with a
        stored id updates that session, unless the request is a duplicate of the one that created it. An answered
        request loses its response_url. Raises UnusableAnswerError when the id is stored for another team, host,
        requester or agent: the same transaction makes the request `failed` with this error.
        """

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        """Return a request of any process."""

    async def orphans(self) -> Sequence[StoredRequest]:
        """Take over the unfinished requests of processes that have ended, and return them, oldest first."""

    async def sweep(self) -> None:
        """Wipe the join URLs of ended sessions; delete rows older than the retention time."""


class HostCache(Protocol):
    """Stores the Genesys host of each person, across restarts."""

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        """Return the host that an administrator linked this person to: for this team, else for any team."""

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        """Return the host that a rule found for this person earlier, and its remaining lifetime in seconds."""

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Store a found host for `seconds`."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Delete the found host."""


class HostLinkRepository(Protocol):
    """Stores the links from people to hosts that administrators manage."""

    async def links(self) -> Sequence[HostLink]:
        """Return all links, by user."""

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Add or change all of these links, or none. Call `on_progress` with the size of each batch written."""

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        """Delete a link; return whether it existed."""


class SessionRepository(Protocol):
    """Stores the sessions that the bot created.

    Reading one session raises UnexpectedError when its row is unreadable.
    """

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return a session, ended or not."""

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        """Return the newest session that this person requested or hosts."""

    async def open_sessions(self, team_id: TeamId, user_id: UserId | None, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` open sessions, newest first: this person's, or the workspace's for None."""

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        """Return the newest open session of each conversation in which a person with these ids is the agent."""

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` sessions of the requester that an end request may mean, newest first.

        These were open when the request arrived and still are, or this request has ended them before a crash.
        """

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        """Mark a session as ended and wipe its link; return whether it was open."""


class FailedStarts(Protocol):
    """Reads which starts failed."""

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        """Return who had no Genesys user within the last `seconds`, and their newest try, newest first."""


class PostedMessageRepository(Protocol):
    """Stores which Slack messages show a session."""

    async def add_post(self, post: PostedMessage) -> bool:
        """Store a message; return whether it is new."""

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        """Return the messages about a session."""

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        """Return at most `most` messages of ended sessions; reserve them for this replica for a minute."""

    async def drop_post(self, post: PostedMessage) -> None:
        """Delete the record of a message that was updated, or that cannot be updated."""

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session a message is about. Raises UnexpectedError when its row is unreadable."""


class AccountRepository(Protocol):
    """Stores pending sign-ins and linked Genesys accounts."""

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        """Store a pending sign-in for `seconds`; it replaces the person's earlier one."""

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        """Delete and return the unexpired sign-in with this state's hash. Only one caller in all replicas gets it."""

    async def connect(self, connection: LinkedAccount) -> None:
        """Store an account; it replaces the person's earlier one."""

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        """Return a person's account."""

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        """Delete a person's account, and return it."""

    def holding(self, person: PersonKey) -> AbstractAsyncContextManager[LockedAccount | None]:
        """Lock a person's account during a `with` block. A block that raises undoes its writes."""


class NoticeRepository(Protocol):
    """Stores notices, and which messages show them."""

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        """Return a notice; one of version 0 where there is none."""

    async def save(self, notice: Notice) -> bool:
        """Add or change a notice as its next version; return False when another writer changed it since it was read."""

    async def pending(self, most: int) -> Sequence[Notice]:
        """Return at most `most` notices: those whose messages are not up to date, then those that are not over."""

    async def take(self, notice: Notice, seconds: float) -> Notice | None:
        """Reserve a notice for this replica for `seconds`, to send its messages; None when it may not be sent now."""

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        """Store the messages and `shown` of a notice that this replica took; nobody takes it for `seconds`.

        Return False, and change nothing, when another replica has taken it since.
        """


# -- Slack --


class MemberDirectory(Protocol):
    """Reads Slack users and user groups. `person` and `in_group` may raise SlackUnavailableError."""

    async def person(self, user_id: UserId) -> SlackUser:
        """Return a Slack user."""

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool:
        """Return whether a user is in a user group."""

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        """Return a Slack user without a call to Slack; None when the user is not cached."""

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool | None:
        """Return whether a user is in a user group, without a call to Slack; None when the group is not cached."""

    async def members(self, group_id: str, team_id: TeamId) -> frozenset[UserId]:
        """Return the users in a user group. Raises SlackUnavailableError."""


class Notifier(Protocol):
    """Sends interim messages to the requester; never raises."""

    async def note(self, request: Request, note: WaitNotice) -> None:
        """Post a wait notice to the requester."""


class Responder(Notifier, Protocol):
    """Sends results to people; never raises."""

    async def answer(self, request: Request, outcome: Result) -> bool:
        """Post the result to the requester; return whether it was delivered."""

    async def tell_agent(self, request: Request, session: Session) -> bool:
        """Send the agent a session that somebody started for them; return whether the message was delivered."""

    def shorten_deadlines(self) -> None:
        """Shorten the deadline of all current and later posts, because the process is stopping."""


class EditResult(Enum):
    """The outcome of updating one posted message."""

    DONE = "done"
    """Slack updated it, or it can never be updated."""
    SILENT = "silent"
    """Slack did not answer in time."""
    UNWELL = "unwell"
    """Slack has an outage, or limits the bot's calls."""


class SessionMessages(Protocol):
    """Posts messages about a session that can be updated when the session ends."""

    async def share(self, record: SessionRecord, request: Request) -> None:
        """Post a public message in the request's channel, once for each request. A start may name a thread in it.

        Raises SharingError, SessionActionError, SlackUnavailableError, StorageUnavailableError.
        """

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        """Post a direct message. Raises SharingError."""

    async def mark_ended(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message to say that its session has ended. Never raises."""


class NoticeMessages(Protocol):
    """Sends the messages of a notice. Never raises."""

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        """Post the notice to a user or channel; None when it has to be tried again later."""

    async def edit(self, notice: Notice, message: NoticeMessage) -> EditResult:
        """Update a message; one from before the notice's `opened_at` says that a newer message follows it."""


# -- Genesys --


class CallHooks(Protocol):
    """Callbacks of a call to Genesys. Each may raise to stop the call."""

    @property
    def fairness_key(self) -> str:
        """Return the key of the caller; the rate limiter serves the callers in turn."""

    async def before_send(self) -> None:
        """Run just before the request is sent."""

    async def on_wait(self, seconds: float) -> None:
        """Run when the call has to wait `seconds` before it is sent or repeated: for the rate limit, or for Genesys."""


class OpenSessionError(Exception):
    """The host's conversation has an open session already, which a new one would replace. Nothing was created.

    `customer` is who the conversation is with, "" where that is not known. It is never stored.
    """

    def __init__(self, session_id: SessionId, customer: str) -> None:
        super().__init__(session_id)
        self.session_id, self.customer = session_id, customer


class SessionsApi(Protocol):
    """Creates, reads and ends sessions at the session service. Its methods raise ServiceError."""

    @property
    def can_send_now(self) -> bool:
        """Return whether a create would be sent without waiting for the rate limit."""

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a session. Raises OpenSessionError."""

    async def look(self, session_id: SessionId) -> SessionStatus:
        """Return a session's status; OPEN where the service has none."""

    async def end(self, session_id: SessionId) -> str | None:
        """End a session; return the service's reference. Raises UnknownSessionError when it cannot be ended."""


class SetupProbe(Protocol):
    """Tries whether a fault of the set-up is repaired, without a session or message."""

    async def is_repaired(self, error: CobrowseError) -> bool | None:
        """Return whether the call that failed would succeed now; None when only the next real call can tell."""


class ApplicationCatalog(Protocol):
    """Lists the applications that sessions can be for."""

    async def applications(self) -> Sequence[tuple[str, str]]:
        """Return ids and names. Raises ServiceError."""


class MessageSender(Protocol):
    """Sends messages to customers; returns the service's reference.

    Both methods raise ServiceError, and OutcomeUnknownError when nobody knows whether the message went out.
    """

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """Send an SMS."""

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """Send an e-mail."""


class HostDirectory(Protocol):
    """Searches Genesys users."""

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the users with exactly this address, active or not. Raises ServiceError.

        At most two of them have `is_certain`. If more users have the address, or may, one without it follows.
        """

    async def search(self, text: str, most: int) -> tuple[Sequence[DirectoryUser], bool]:
        """Return at most `most` active users whose name or address contains a text, and whether there are more.

        Raises ServiceError; PermissionMissingError when the bot may not search.
        """

    async def name_of(self, host_id: HostId) -> str:
        """Return a user's name, "" where Genesys does not say it. Never raises."""

    def known_name(self, host_id: HostId) -> str:
        """Return a user's name without a call to Genesys, "" where it is not known."""


class Announce(Protocol):
    """Tells everybody concerned that a person was linked to a host, and returns the host's name or ""."""

    async def __call__(self, person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
        """`is_answer`: the person is told even if they did not ask. May raise StorageUnavailableError."""


class HostRule(Protocol):
    """One way to map a person to a host."""

    @property
    def name(self) -> str:
        """Return the rule's name, as messages show it."""

    @property
    def costs_a_call(self) -> bool:
        """Return whether the rule calls Genesys."""

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        """Return the person's host, or why this rule maps none. Raises ServiceError."""


class OAuthClient(Protocol[G]):
    """Signs people in to Genesys with their own accounts. `G` is a grant: what one sign-in returns.

    `off` says why nobody can sign in, "" when people can.
    """

    off: str

    def address(self, state: str, verifier: str) -> str:
        """Return the URL where a person signs in."""

    async def sign_in(self, code: str, verifier: str) -> tuple[G, HostId | None, str | None]:
        """Return the grant, the Genesys user who signed in, and the service's reference. Raises ServiceError."""

    async def give_back(self, grant: G) -> None:
        """Revoke a grant, if possible. Never raises."""

    def keep(self, person: PersonKey, host_id: HostId, grant: G) -> None:
        """Use this grant for calls as this person and host."""

    def refresh_token_of(self, grant: G) -> str:
        """Return the grant's refresh token, which is stored."""

    async def sign_out(self, was: LinkedAccount) -> None:
        """Revoke a stored account, if possible. Never raises."""


# -- Metrics --


class Metrics:
    """Counts events; never raises and never blocks. This base class counts nothing; subclasses override its methods.

    Arguments become metric labels, so they have few values: they never name a person, a session or an address.
    """

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement to Slack, sent `seconds` after the payload was read."""

    def called(self, needs: str, status: str, seconds: float) -> None:
        """Count a call to Genesys by the scope or permission it needs, and its HTTP status or NO_HTTP_STATUS."""

    def waited(self, seconds: float) -> None:
        """Record how long a call to Genesys waited for the rate limit."""

    def renewed(self, outcome: str) -> None:
        """Count a request for a Genesys token by its outcome: "ok", or the error's code."""

    def reconnected(self) -> None:
        """Count a Socket Mode connection that replaces another one."""

    def connection_failed(self, reason: str) -> None:
        """Count a Socket Mode connection that did not open, or ended within seconds."""

    def store_failed(self) -> None:
        """Count a read or write that failed in the database."""


NULL_METRICS = Metrics()
