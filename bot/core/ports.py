"""Define the Protocols through which the core reaches storage, Slack, Genesys, the metrics and the traces.

Each method of a repository may raise StorageUnavailableError.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, TypeVar

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
    OtherSession,
    PendingAuthorization,
    PersonKey,
    PostedMessage,
    Request,
    RequestId,
    RequestState,
    Session,
    SessionId,
    SessionRecord,
    SessionState,
    SlackUser,
    TeamId,
    UserId,
    WaitNotice,
)
from bot.core.results import Result

G = TypeVar("G")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])

JOIN_SECONDS = 10.0
"""For this long after a session's creation, the same command of the same person gets this session again."""
NO_HTTP_STATUS = "none"
"""The metric label of a call that got no HTTP response."""


# -- Storage --


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as stored. A finished start has a `session` or a `failure`.

    `session_over`: the session has ended, or its time is up by the store's clock; its link may be deleted.
    """

    request: Request
    state: RequestState
    failure: CobrowseError | None = None
    session: Session | None = None
    session_over: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of `accept`.

    - `is_new`: False if a request with the same key is already stored, because Slack has delivered it before.
    - `duplicate_of`: an earlier request by the same person with the same text, target and channel. The bot is creating
      the session of that earlier request, or created it at most JOIN_SECONDS ago. The new request gets that session,
      too. None if there is no such request.
    - `state`: `creating` if the bot can create the session at once, else `accepted`.
    - `linked`: the agent's host by an administrator's link, None if there is no link, "" if the agent's two ids are
      linked to different hosts.
    - `other_open`: the newest open session of the agent, None if the agent has none.
    """

    is_new: bool
    duplicate_of: RequestId | None = None
    state: RequestState = RequestState.ACCEPTED
    linked: HostId | None = None
    other_open: OtherSession | None = None


class RequestRepository(Protocol):
    """Stores requests. Each repository belongs to one process.

    This process carries out the requests that the repository accepts.
    """

    @property
    def shared(self) -> bool:
        """Return whether several replicas can use the database at once.

        They then take over each other's requests after a crash.
        """

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Store the request durably. Raises MaybeAcceptedError when the store does not confirm the write.

        `agent`: the agent if the session can be created at once; the request is then stored as `creating`.
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
        """Move a request durably from one state to another, and store its session or failure in the same write.

        Return False and change nothing if another process owns the request or its state is not `from_`. If a session
        with the same id is already stored, update the stored session. Do not update it if this request is a duplicate
        of the request that created it. The state `answered` deletes the response_url. Raises UnusableAnswerError when
        the session's id is stored for another team, host, requester or agent: the same transaction makes the request
        `failed` with this error.
        """

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        """Return the request with this id, also if another process owns it; None if it is not stored."""

    async def orphans(self) -> Sequence[StoredRequest]:
        """Take over the unfinished requests of processes that have ended. Return these requests, oldest first."""

    async def sweep(self) -> None:
        """Delete the join URLs of ended sessions, and all rows older than the retention time."""


class HostCache(Protocol):
    """Stores the Genesys host of each person, across restarts."""

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        """Return this person's host by an administrator's link; None if there is no link.

        A link for this team comes before a link for any team. `is_exact`: take a link for this team only.
        """

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        """Return the host that a rule found for this person earlier, and for how many more seconds the host is valid.

        Return None if no rule found a host, or if its time is over.
        """

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Store the host that a rule found for this person, for `seconds`."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Delete the host that a rule found for this person."""


class HostLinkRepository(Protocol):
    """Stores the links that administrators made from people to hosts."""

    async def links(self) -> Sequence[HostLink]:
        """Return all links, sorted by user."""

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Add or change these links in one transaction. Call `on_progress` with the size of each batch written."""

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        """Delete a person's link, and return whether it existed. `team_id` None means the link for every team."""


class SessionRepository(Protocol):
    """Stores the sessions that the bot created.

    A method that reads one session raises UnexpectedError when its row is unreadable.
    """

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id, ended or not; None if it is not stored."""

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        """Return the newest session that this person requested or hosts; None if there is none."""

    async def open_sessions(self, team_id: TeamId, user_id: UserId, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` open sessions that this person requested or hosts, newest first."""

    async def live_sessions(
        self, team_id: TeamId, agents: Sequence[UserId], most: int, skipped: int
    ) -> tuple[Sequence[SessionRecord], int]:
        """Return one page of a workspace's open sessions, sorted by agent, and how many there are on all pages.

        The page leaves out the first `skipped` sessions and holds at most `most`. `agents`: the ids of one person, for
        a list of the sessions that this person hosts; empty for everybody's sessions.
        """

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        """Return the newest open session of each conversation, out of those that one person hosts.

        `user_ids`: all Slack ids of this person.
        """

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` sessions that an END request without a session id may mean, newest first.

        These are sessions that the requester started or hosts, that were open when the request arrived, and that are
        still open. After a crash, the session that this request has already ended is one of them.
        """

    async def name_ending(self, request_id: RequestId, session_id: SessionId) -> None:
        """Store which session an END request without an id is about to end: the id becomes the request's argument."""

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        """Mark a session as ended by the request `by` (None if no request ended it), and delete its link.

        Return whether it was open.
        """

    async def record_joined(self, record: SessionRecord, joined_at: datetime | None, seconds: float) -> bool:
        """Store that the customer has joined an open session. Return whether this is new.

        Keep the session open for at least `seconds` from now. If several replicas call this, one of them gets True.
        Return False if the session's id stands for a newer session since `record` was read.
        """

    async def keep_joined(self, session_id: SessionId, seconds: float) -> None:
        """Keep an open session that the customer has joined open for at least `seconds` from now."""

    async def record_over(self, record: SessionRecord, state: SessionState) -> bool:
        """Store the final state of a session, as Genesys reports it, and delete its link. Return whether this is new.

        Return False if a person has ended the session from Slack, or if its id stands for a newer session since
        `record` was read. If several replicas call this, one gets True.
        """


@dataclass(frozen=True, slots=True)
class StartOutcome:
    """The counts of the starts that ended with one code. `code` is the error's code, "" for no error.

    `sessions`: how many sessions these starts created. `without_session`: how many of these starts got no session.
    """

    code: str
    sessions: int
    without_session: int


class StartHistory(Protocol):
    """Reads how many starts of a period succeeded or failed, and why they failed."""

    async def outcomes(self, team_id: TeamId, seconds: float) -> Sequence[StartOutcome]:
        """Count the starts in a workspace in the last `seconds`.

        Return one StartOutcome for each code with which they ended. `seconds` must not exceed the retention time.
        """

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        """Return at most `most` people whose start found no Genesys user in the last `seconds`, newest first.

        Each person comes with the time of that start.
        """


class PostedMessageRepository(Protocol):
    """Stores the Slack messages that show sessions, so that the bot can update them."""

    async def add_post(self, post: PostedMessage) -> bool:
        """Store the record of a posted message. Return False if it is already stored."""

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        """Return the stored messages that show this session."""

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        """Return at most `most` messages of ended sessions.

        Reserve them for this replica for a minute, to update them.
        """

    async def postpone_post(self, post: PostedMessage) -> None:
        """Keep the record of a message that was updated, for another update when its session ends."""

    async def drop_post(self, post: PostedMessage) -> None:
        """Delete the record of a message that was updated, or that can never be updated."""

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id, which a message shows; None if the session is not stored.

        Raises UnexpectedError for an unreadable row.
        """


class AccountRepository(Protocol):
    """Stores pending sign-ins and linked Genesys accounts."""

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        """Store a pending sign-in for `seconds`, in place of the person's earlier one.

        `state_hash` is the hash of the OAuth state, by which `take` finds the sign-in.
        """

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        """Delete and return the pending sign-in with this hash of its state; None if it is unknown or expired.

        If several replicas call this at the same time, only one of them gets the sign-in.
        """

    async def connect(self, connection: LinkedAccount) -> None:
        """Store a linked account, in place of the person's earlier one."""

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        """Return a person's linked account; None if there is none."""

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        """Delete and return a person's linked account; None if there is none."""

    def holding(self, person: PersonKey) -> AbstractAsyncContextManager[LockedAccount | None]:
        """Lock a person's account until the `with` block ends. Yield the account, None if there is none.

        An exception in the block undoes the block's writes.
        """


class NoticeRepository(Protocol):
    """Stores notices and their messages."""

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        """Return the notice of this kind with this key; if none is stored, a new notice with version 0."""

    async def save(self, notice: Notice) -> bool:
        """Store a notice as its next version.

        Return False if another replica or task has changed the notice since it was read.
        """

    async def pending(self, most: int) -> Sequence[Notice]:
        """Return at most `most` notices that are not over or have messages to post or update.

        The notices with messages to post or update come first.
        """

    async def take(self, notice: Notice, seconds: float) -> Notice | None:
        """Reserve a notice for this replica for `seconds`, to send its messages, and return it.

        Return None if another replica has reserved the notice, if the pause after its last messages is not over, or if
        all its messages are up to date.
        """

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        """Store the messages and `shown` of a notice that this replica reserved. Reserve it for `seconds` from now.

        Return False and change nothing if another replica has reserved the notice since.
        """


# -- Slack --


class MemberDirectory(Protocol):
    """Reads Slack users and user groups. `person` and `in_group` may raise SlackUnavailableError."""

    async def person(self, user_id: UserId) -> SlackUser:
        """Return a Slack user."""

    def known_id(self, user_id: UserId) -> UserId:
        """Return SlackUser's `user_id` for this id, without a call to Slack; the id itself if it is not known yet."""

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool:
        """Return whether a user is in a user group. `team_id` is the workspace of the request."""

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        """Return a Slack user without a call to Slack; None when the user is not cached."""

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool | None:
        """Return whether a user is in a user group, without a call to Slack; None when the answer is not cached."""

    async def members(self, group_id: str, team_id: TeamId) -> frozenset[UserId]:
        """Return the users in a user group. Raises SlackUnavailableError."""


class Notifier(Protocol):
    """Sends interim messages to the requester. Its method never raises."""

    async def note(self, request: Request, note: WaitNotice) -> None:
        """Post an interim message to the requester.

        The message says that the request still waits, or that the bot still processes it.
        """


class Responder(Notifier, Protocol):
    """Sends results to people. Its methods never raise."""

    async def answer(self, request: Request, outcome: Result) -> bool:
        """Post the result to the requester; return whether it was delivered."""

    async def tell_agent(self, request: Request, session: Session) -> bool:
        """Send the agent a session that somebody else started for them. Return whether the message was delivered."""

    def shorten_deadlines(self) -> None:
        """Give all current and later posts a short time-out, because the process is stopping."""


class EditResult(Enum):
    """The outcome of updating one posted message."""

    DONE = "done"
    """Nothing is left to do: Slack updated the message, or can never update it."""
    SILENT = "silent"
    """Slack did not answer in time. The update is tried again later."""
    UNWELL = "unwell"
    """Slack has an outage, or limits the bot's calls. The update is tried again later."""


class SessionMessages(Protocol):
    """Posts messages about a session that can be updated when the session ends."""

    async def share(self, record: SessionRecord, request: Request) -> None:
        """Post a public message in the request's channel, or in the thread that a START request names.

        Post it once for each request. Raises SharingError if the message may not be posted there, or if it is not
        certain that it was posted. Raises SessionActionError if the channel already shows the session. Raises
        SlackUnavailableError, StorageUnavailableError.
        """

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        """Post the session to a user as a direct message. Raises SharingError."""

    async def mark_ended(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message, so that it shows the end of its session. Return the outcome. Never raises."""

    async def mark_joined(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message, so that it says that the customer joined. Return the outcome. Never raises."""


class SessionNames(Protocol):
    """Makes names for sessions without a name, in the agent's language, because the agent reads the name in Genesys."""

    def of_agent(self, agent: SlackUser) -> str:
        """Return the usual name for a session of this agent. The name contains the agent's name."""

    def neutral(self, agent: SlackUser) -> str:
        """Return a session's name that contains no person's name, in this agent's language."""


class StateMessages(Protocol):
    """Tells requesters about their sessions."""

    async def tell_state(self, record: SessionRecord, reply_url: str) -> bool:
        """Post the session's new state to a response_url of its requester, once. Return whether it was delivered."""


class NoticeMessages(Protocol):
    """Sends the messages of a notice. Its methods never raise."""

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        """Post the notice to a user or channel. Return None if the bot has to try again later."""

    async def edit(self, notice: Notice, message: NoticeMessage) -> EditResult:
        """Update a message to show the notice as it is now, and return the outcome.

        A message from before the notice's `opened_at` then says that a newer message replaces it.
        """


# -- Genesys --


class CallHooks(Protocol):
    """Callbacks that the Genesys client calls while it sends a call. Each may raise an exception to stop the call."""

    @property
    def fairness_key(self) -> str:
        """Return a key that stands for the requester who caused the call. The rate limiter serves the keys in turn."""

    async def before_send(self) -> None:
        """Prepare for a call that the Genesys client is about to send."""

    async def on_wait(self, seconds: float) -> None:
        """Handle a wait of `seconds` before the call, for the rate limit or because Genesys asked for a later retry."""


class OpenSessionError(Exception):
    """The host's conversation already has an open session, which a new session would replace. Nothing was created.

    `customer` is the name of the customer in the conversation, "" if unknown. This name is never stored.
    """

    def __init__(self, session_id: SessionId, customer: str) -> None:
        super().__init__(session_id)
        self.session_id, self.customer = session_id, customer


class SessionsApi(Protocol):
    """Creates, reads and ends sessions at the session service.

    Each method that calls the service may raise ServiceError.
    """

    @property
    def can_send_now(self) -> bool:
        """Return whether `create` would send its call now, without a wait for the rate limit."""

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a session. Raises OpenSessionError if an open session would be replaced."""

    @property
    def tells_states(self) -> bool:
        """Return whether the service can report that a customer joined."""

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        """Return a session's state; UNKNOWN_STATE if the service does not report it.

        `live`: nobody waits for the answer, so the call goes out only while calls for people need no wait. Otherwise
        raises ServiceBusyError without a call.
        """

    async def end(self, session_id: SessionId) -> str | None:
        """End a session. Return the service's correlation id, None if it sent none.

        Raises UnknownSessionError when the service does not know the session or cannot end it.
        """


@dataclass(frozen=True, slots=True)
class WatchedSession:
    """An open session whose state the bot watches for its agent. `conversation_id` is None in the default service.

    `looks`: how often the bot has asked Genesys about it.
    """

    id: SessionId
    host_id: HostId
    conversation_id: ConversationId | None = None
    looks: int = 0


class WatchRepository(Protocol):
    """Stores which open sessions the bot watches. All times are by the store's clock."""

    async def watch(
        self, session_id: SessionId, reply_url: str | None, uses: int, reply_seconds: float, seconds: float
    ) -> bool:
        """Watch an open session from `seconds` from now on, unless it is watched. Return whether that is new.

        `reply_url`: the response_url to tell the requester by, which takes `uses` messages for `reply_seconds`.
        """

    async def take_due(self, most: int, lease_seconds: float) -> Sequence[WatchedSession]:
        """Reserve at most `most` sessions that are due for this replica, for `lease_seconds`, and return them."""

    async def pause(self, session_id: SessionId, seconds: float, *, looked: bool) -> None:
        """Make a session due again after `seconds`, or at once if a hint about it came since it was taken.

        `looked`: count a look at it.
        """

    async def hasten(self, conversation_id: ConversationId | None) -> int:
        """Make the sessions of this conversation due at once, before all others. Return how many those are.

        None makes all sessions due, in their usual order.
        """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` watched sessions, newest first."""

    async def take_reply(self, session_id: SessionId, *, is_last: bool) -> str | None:
        """Count one use of the session's response_url, and return it; None if it takes no message any more.

        `is_last`: stop watching the session. If several replicas call this at the same time, only one gets it.
        """


class LiveHints(Protocol):
    """Takes hints that sessions may have changed, and knows which sessions are watched.

    A hint can be late, doubled, wrong or missing: the bot reads the state from Genesys before it tells anybody.
    """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` sessions that the bot watches, newest first, whichever replica created them.

        Raises StorageUnavailableError.
        """

    def changed(self, conversation_id: ConversationId) -> None:
        """Look soon at the watched sessions of this conversation. Never raises and never blocks."""

    def uncovered(self) -> None:
        """Look soon at all watched sessions, because hints may be lost. Never raises and never blocks."""


class LiveSource(Protocol):
    """Pushes hints that sessions may have changed. It runs in each replica, and works in the one that leads."""

    def covers(self, session: WatchedSession) -> bool:
        """Return whether hints about this session arrive now; the bot then asks Genesys about it less often."""

    async def run(self, hints: LiveHints, leader: "LeaderLock") -> None:
        """Push hints while this replica leads, until the task is cancelled. Never raises another exception."""


class LeaderLock(Protocol):
    """Lets one replica do what only one may do. Another replica takes over when the process of the first ends."""

    async def is_leader(self) -> bool:
        """Return whether this replica leads; take the lock if no replica has it. Never raises and never waits long."""


class SetupProbe(Protocol):
    """Finds out whether a fault of the set-up is fixed, without creating a session or sending a message."""

    async def is_repaired(self, error: CobrowseError) -> bool | None:
        """Return whether the call that failed with `error` would succeed now; None if only the next call can tell."""


class ApplicationCatalog(Protocol):
    """Lists the applications that a session can use."""

    async def applications(self) -> Sequence[tuple[str, str]]:
        """Return the applications as pairs of id and name. Raises ServiceError."""


class MessageSender(Protocol):
    """Sends messages to customers.

    Both methods return the service's correlation id, None if it sent none. Both raise ServiceError; the subclass
    OutcomeUnknownError means that the message may have been sent.
    """

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """Send an SMS from the phone number `sender` to the phone number `to`."""

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """Send an email from the address `sender` to the address `to`."""


class HostDirectory(Protocol):
    """Searches Genesys users."""

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the users with exactly this email address, active or not. Raises ServiceError.

        If more users may have the address than were read, the last element is a placeholder with `is_certain` False.
        """

    async def search(self, text: str, most: int) -> tuple[Sequence[DirectoryUser], bool]:
        """Return at most `most` active users whose name or email address contains `text`, and whether there are more.

        Raises ServiceError; this is a PermissionMissingError if the bot may not search.
        """

    async def name_of(self, host_id: HostId) -> str:
        """Return a user's name; "" if Genesys does not return it. Never raises."""

    def known_name(self, host_id: HostId) -> str:
        """Return a user's name from the cache; "" if it is not cached."""


class Announce(Protocol):
    """Notifies the person and the administrators that a person was linked to a host."""

    async def __call__(self, person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
        """Send the messages, and return the Genesys user's name, "" if unknown. May raise StorageUnavailableError.

        `is_answer`: notify the person even if they have not asked for access, because an administrator chose them from
        the list of people without a host.
        """


class HostRule(Protocol):
    """A rule that maps people to hosts."""

    @property
    def name(self) -> str:
        """Return the name of this rule in logs, the audit log and the database. Messages show a translation of it."""

    @property
    def costs_a_call(self) -> bool:
        """Return whether this rule has to call Genesys to find a host."""

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        """Return the person's host, or the reason why this rule finds none. Raises ServiceError."""


class OAuthClient(Protocol[G]):
    """Signs people in to Genesys with their own accounts. `G` is the type of a grant, the result of one sign-in.

    `off` is the reason why nobody can sign in, one of OFF in errors.py; "" when people can.
    """

    off: str

    def address(self, state: str, verifier: str) -> str:
        """Return the URL where a person signs in.

        `state` is a random text that the browser brings back. `verifier` is the PKCE code verifier; the URL contains
        its hash.
        """

    async def sign_in(self, code: str, verifier: str) -> tuple[G, HostId | None, str | None]:
        """Exchange the code of a sign-in for a grant. Raises ServiceError.

        Return the grant, the Genesys user who signed in (None if unknown), and the service's correlation id (None if it
        sent none).
        """

    async def give_back(self, grant: G) -> None:
        """Revoke a grant that the bot does not store, if possible. Never raises."""

    def keep(self, person: PersonKey, host_id: HostId, grant: G) -> None:
        """Use this grant from now on for calls on behalf of this person and host."""

    def refresh_token_of(self, grant: G) -> str:
        """Return the grant's refresh token, so that the caller can store it."""

    async def sign_out(self, was: LinkedAccount) -> None:
        """Revoke the tokens of an account that was deleted from the store, if possible. Never raises."""


# -- Metrics --


RELOADS = RELOADED, UNREADABLE, INVALID, REFUSED = "ok", "unreadable", "invalid", "refused"
"""What becomes of a changed file of a secret: the bot uses the new value, cannot read the file, finds that the value
cannot be one, or learns from the service that it does not accept the value."""
FILE_RELOADS = RELOADED, UNREADABLE, INVALID
"""What becomes of a changed file of workspaces: the bot uses it, cannot read it, or cannot use it as a whole."""


class Metrics:
    """Counts events; never raises and never blocks. This base class counts nothing; subclasses override its methods.

    Arguments become metric labels, so they have few values: never a person, a session, an email address or a URL.
    """

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement to Slack.

        `seconds`: the time from reading Slack's payload to sending the acknowledgement.
        """

    def called(self, needs: str, status: str, seconds: float) -> None:
        """Count a call to Genesys.

        `needs`: the scope or permission that the call needs. `status`: its HTTP status or NO_HTTP_STATUS. `seconds`:
        how long it took.
        """

    def waited(self, seconds: float) -> None:
        """Record how long a call to Genesys waited for the rate limit."""

    def renewed(self, outcome: str) -> None:
        """Count a request to the login for a Genesys token. `outcome`: "ok", or the code of the error."""

    def reconnected(self) -> None:
        """Count a Socket Mode connection that replaces an earlier connection."""

    def connection_failed(self, reason: str) -> None:
        """Count a Socket Mode connection that did not open, or that lived less than 30 seconds."""

    def store_failed(self) -> None:
        """Count a database read or write that failed."""

    def secret_reloaded(self, name: str, result: str) -> None:
        """Count a changed file of a secret. `name`: the secret's setting. `result`: one of RELOADS."""

    def live_look(self, result: str) -> None:
        """Count a look at a watched session. `result`: the new state, or "unchanged", "failed" or "busy"."""

    def live_event(self, kind: str) -> None:
        """Count an event of a notification channel, by its kind."""

    def live_connected(self, *, is_up: bool) -> None:
        """Record whether notifications arrive in this process. Only the replica that leads calls this."""


NULL_METRICS = Metrics()


# -- Traces --


class Tracer:
    """Records the steps of requests as spans of traces. This base class records nothing; subclasses override methods.

    Each method takes a function or an object, and returns what to use in its place. The base class returns what it got,
    so a tracer that is off costs nothing. No span holds a person, a link, an address or a text that somebody wrote.
    """

    exemplar: Callable[[], dict[str, str] | None] | None = None
    """Returns the ids of the present trace and span for the metrics, or None. It is None if the tracer is off."""
    subscribers: Sequence[Callable[[Any], None]] = ()
    """Record the events of requests (core/requests/events.py): the outcome of each."""

    def receiving(self, dispatch: F, *, over_http: bool) -> F:
        """Trace the handling of a payload from Slack until its acknowledgement. A trace begins here."""
        return dispatch

    def storing(self, store: "RequestRepository") -> "RequestRepository":
        """Trace the writes of a repository, and store with each request which trace it belongs to."""
        return store

    def processing(self, process: F) -> F:
        """Trace the processing of a stored request. After a crash, this continues the stored trace."""
        return process

    def resolving(self, look_up: F) -> F:
        """Trace the search for the Genesys host of a person."""
        return look_up

    def waiting(self, acquire: F) -> F:
        """Trace the wait for the rate limit."""
        return acquire

    def calling_genesys(self, transport: T) -> T:
        """Trace the HTTP requests that a transport sends to Genesys."""
        return transport

    def calling_slack(self, api_call: F) -> F:
        """Trace the calls of Slack's Web API."""
        return api_call

    def posting(self, post: F) -> F:
        """Trace the posts to response_urls."""
        return post


NULL_TRACER = Tracer()
