"""Define the Protocols through which the core reaches storage, Slack, Genesys, the metrics and the traces.

Each method of a repository raises StorageUnavailableError if the database fails.
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
    """A request as stored. A start that has ended has a `session` or a `failure`.

    `session_over`: whether the session has ended, or its time is up by the store's clock. Its link may then be deleted.
    """

    request: Request
    state: RequestState
    failure: CobrowseError | None = None
    session: Session | None = None
    session_over: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What RequestRepository.accept found while it stored a request.

    - `is_new`: False if a request with the same key is already stored, because Slack has delivered it before.
    - `duplicate_of`: an earlier request by the same person with the same text, target and channel. The bot is creating
      the session of that earlier request, or created it at most JOIN_SECONDS ago. The new request gets that session,
      too. None if there is no such request.
    - `state`: `creating` if the bot can create the session at once, else `accepted`.
    - `linked`: the host to which an administrator linked the agent. None if there is no link, "" if the agent's two ids
      are linked to different hosts.
    - `other_open`: the newest open session of the agent, None if the agent has none.
    """

    is_new: bool
    duplicate_of: RequestId | None = None
    state: RequestState = RequestState.ACCEPTED
    linked: HostId | None = None
    other_open: OtherSession | None = None


class RequestRepository(Protocol):
    """Stores the requests of one process, which carries out the requests that it accepts.

    Another process can take these requests over only when this process has ended.
    """

    @property
    def shared(self) -> bool:
        """Return whether several replicas can use the database at the same time.

        If so, a replica takes over the requests of another one after a crash.
        """

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Store a new request durably. Raises MaybeAcceptedError when the store does not confirm the write.

        `agent`: the agent if the session can be created at once. The request is then stored as `creating`.
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
        """Move a request durably from the state `from_` to the state `to`.

        Store its session or failure in the same write. Return False and change nothing if another process owns the
        request or its state is not `from_`. If a session with the same id is already stored, update the stored session.
        Do not update it if this request is a duplicate of the request that created it. The state `answered` deletes the
        response_url. Raises UnusableAnswerError when the session's id is stored for another team, host, requester or
        agent: the same transaction makes the request `failed` with this error.
        """

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        """Return the request with this id, whichever process owns it. Return None if it is not stored."""

    async def orphans(self) -> Sequence[StoredRequest]:
        """Take over the unfinished requests of processes that have ended. Return these requests, oldest first."""

    async def sweep(self) -> None:
        """Delete the join URLs of ended sessions, and all rows older than the retention time."""


class HostCache(Protocol):
    """Stores which Genesys user hosts each person's sessions, across restarts."""

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        """Return the host to which an administrator linked this person; None if there is no link.

        A link for this team comes before a link for any team. `is_exact`: take a link for this team only.
        """

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        """Return the stored host of this person, and for how many more seconds it is valid.

        A host rule found it earlier. Return None if none is stored, or if its time is over.
        """

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Store the host that a host rule found for this person, for `seconds`."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Delete the stored host that a host rule found for this person. Keep the administrators' links."""


class HostLinkRepository(Protocol):
    """Stores the links that administrators made from people to hosts."""

    async def links(self) -> Sequence[HostLink]:
        """Return all links, sorted by user."""

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Add or change these links in one transaction.

        After each batch, call `on_progress` with the number of links in it.
        """

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        """Delete a person's link. Return True if there was one. `team_id` None means the link for every team."""


class SessionRepository(Protocol):
    """Stores the sessions that the bot created.

    A method that reads one session raises UnexpectedError when its row is unreadable.
    """

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id, open or ended; None if it is not stored."""

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        """Return the newest session that this person requested or hosts; None if there is none."""

    async def open_sessions(self, team_id: TeamId, user_id: UserId, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` open sessions that this person requested or hosts, newest first."""

    async def live_sessions(
        self, team_id: TeamId, agents: Sequence[UserId], most: int, skipped: int
    ) -> tuple[Sequence[SessionRecord], int]:
        """Return one page of a workspace's open sessions, sorted by agent, and the number of sessions on all pages.

        The page leaves out the first `skipped` sessions and holds at most `most`. `agents`: the ids of one person, for
        a list of the sessions that this person hosts; empty for everybody's sessions.
        """

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        """Return the open sessions that one person hosts, by conversation.

        Of each conversation, return the newest session. `user_ids`: all Slack ids of this person.
        """

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        """Return the sessions that an END request without a session id may mean, newest first, at most `most`.

        These are sessions that the requester started or hosts, that were open when the request arrived, and that are
        still open. After a crash, the session that this request has already ended is one of them.
        """

    async def name_ending(self, request_id: RequestId, session_id: SessionId) -> None:
        """Store which session an END request is about to end. The session's id becomes the request's argument."""

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        """Mark a session as ended by the request `by` (None if no request ended it), and delete its link.

        Return True if the session was open, False if it had ended already.
        """

    async def record_joined(self, record: SessionRecord, joined_at: datetime | None, seconds: float) -> bool:
        """Store that the customer has joined an open session. Return whether this was new to the store.

        Keep the session open for at least `seconds` from now. If several replicas call this, one of them gets True.
        Return False if a newer session got the same id since `record` was read.
        """

    async def keep_joined(self, session_id: SessionId, seconds: float) -> None:
        """Keep an open session open for at least `seconds` from now, because the customer is still in it."""

    async def record_over(self, record: SessionRecord, state: SessionState) -> bool:
        """Store the final state of a session, as Genesys reports it, and delete its link. Return whether this was new.

        Return False if a person has already ended the session from Slack, or if a newer session got the same id since
        `record` was read. If several replicas call this, one of them gets True.
        """


@dataclass(frozen=True, slots=True)
class StartOutcome:
    """How often starts ended with one outcome. `code` is the error's code, "" for no error.

    `sessions`: how many sessions these starts created. `without_session`: how many of these starts got no session.
    """

    code: str
    sessions: int
    without_session: int


class StartHistory(Protocol):
    """Reads how many starts succeeded or failed in a period, and why they failed."""

    async def outcomes(self, team_id: TeamId, seconds: float) -> Sequence[StartOutcome]:
        """Count the starts in a workspace in the last `seconds`, one StartOutcome for each outcome.

        `seconds` must not exceed the retention time.
        """

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        """Return the people whose start failed in the last `seconds` because they have no Genesys user, newest first.

        Return at most `most` people, each with the time of that start.
        """


class PostedMessageRepository(Protocol):
    """Stores the Slack messages that show sessions, so that the bot can update them."""

    async def add_post(self, post: PostedMessage) -> bool:
        """Store the record of a posted message. Return False if it is already stored."""

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        """Return the stored messages that show this session."""

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        """Return at most `most` messages that have to be updated. Reserve them for this replica for a minute."""

    async def postpone_post(self, post: PostedMessage) -> None:
        """Mark a message as up to date for now. It is due again when its session ends."""

    async def drop_post(self, post: PostedMessage) -> None:
        """Delete the record of a message that shows the end of its session, or that can never be updated."""

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session that a message shows, by its id; None if the session is not stored.

        Raises UnexpectedError if the session's row is unreadable.
        """


class AccountRepository(Protocol):
    """Stores pending sign-ins and linked Genesys accounts."""

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        """Store a sign-in that has begun, for `seconds`. It replaces the person's earlier one.

        `state_hash` is the hash of the OAuth state, by which `take` finds the sign-in.
        """

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        """Delete and return the pending sign-in whose OAuth state has this hash; None if it is unknown or expired.

        If several replicas call this at the same time, only one of them gets the sign-in.
        """

    async def connect(self, connection: LinkedAccount) -> None:
        """Store a linked account. It replaces the person's earlier one."""

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        """Return a person's linked account; None if there is none."""

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        """Delete and return a person's linked account; None if there is none."""

    def holding(self, person: PersonKey) -> AbstractAsyncContextManager[LockedAccount | None]:
        """Lock a person's account until the `with` block ends, and yield it. Yield None if the person has none.

        An exception in the block undoes the block's writes.
        """


class NoticeRepository(Protocol):
    """Stores notices and their messages."""

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        """Return the notice of this kind with this key; if none is stored, a new notice with version 0."""

    async def save(self, notice: Notice) -> bool:
        """Store a changed notice, with the next version number.

        Return False and change nothing if another replica or task has changed the notice since it was read.
        """

    async def pending(self, most: int) -> Sequence[Notice]:
        """Return at most `most` notices that are not over, or that have messages to post or update.

        The notices with messages to post or update come first.
        """

    async def take(self, notice: Notice, seconds: float) -> Notice | None:
        """Reserve a notice for this replica for `seconds`, so that only this replica sends its messages.

        Return the notice. Return None if another replica has reserved the notice, if the pause after its last messages
        is not over, or if all its messages are up to date.
        """

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        """Store the messages and `shown` of a notice that this replica has reserved.

        Extend the reservation by `seconds` from now. Return False and change nothing if another replica has reserved
        the notice meanwhile.
        """


# -- Slack --


class MemberDirectory(Protocol):
    """Reads Slack users and user groups. `person` and `in_group` raise SlackUnavailableError if the look-up fails."""

    async def person(self, user_id: UserId) -> SlackUser:
        """Return the Slack user with this id."""

    def known_id(self, user_id: UserId) -> UserId:
        """Return the main id of the person who has this Slack id, without a call to Slack.

        Return `user_id` unchanged if Slack has not yet told the bot the person's ids.
        """

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool:
        """Return whether a user is in a user group. `team_id` is the workspace of the request that asks."""

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        """Return a Slack user without a call to Slack; None when the user is not cached."""

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool | None:
        """Return whether a user is in a user group, without a call to Slack; None when the answer is not cached."""

    async def members(self, group_id: str, team_id: TeamId) -> frozenset[UserId]:
        """Return the ids of the users in a user group. Raises SlackUnavailableError if the look-up fails."""


class Notifier(Protocol):
    """Sends interim messages to the requester. Its method never raises."""

    async def note(self, request: Request, note: WaitNotice) -> None:
        """Post an interim message: the request still waits for Genesys, or the bot still processes it."""


class Responder(Notifier, Protocol):
    """Sends results to people. Its methods never raise."""

    async def answer(self, request: Request, outcome: Result) -> bool:
        """Post the result to the requester. Return whether Slack accepted the message."""

    async def tell_agent(self, request: Request, session: Session) -> bool:
        """Show the agent a session that somebody else started for them. Return whether Slack accepted the message."""

    def shorten_deadlines(self) -> None:
        """Give all current and later posts a short time-out, because the process is stopping."""


class EditResult(Enum):
    """The result of an update of one posted message."""

    DONE = "done"
    """Nothing is left to do: Slack updated the message, or can never update it."""
    SILENT = "silent"
    """Slack did not answer in time. The update is tried again later."""
    UNWELL = "unwell"
    """Slack has an outage, or limits the bot's calls. The update is tried again later."""


class SessionMessages(Protocol):
    """Posts messages about a session, and updates them when the customer joins or the session ends."""

    async def share(self, record: SessionRecord, request: Request) -> None:
        """Post a public message in the request's channel, or in the thread that a START request names.

        Post it once for each request. Raises SharingError if the message may not be posted there, or if it is not
        certain that it was posted. Raises SessionActionError if the channel already shows the session,
        SlackUnavailableError if a look-up in Slack fails, and StorageUnavailableError if the database fails.
        """

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        """Post the session to a user as a direct message. Raises SharingError if Slack does not accept the message."""

    async def mark_ended(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message, so that it shows the end of its session. Return the outcome. Never raises."""

    async def mark_joined(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message, so that it says that the customer joined. Return the outcome. Never raises."""


class SessionNames(Protocol):
    """Makes a name for each session that the requester has not named.

    Agents read it in Genesys, so it is in their language.
    """

    def of_agent(self, agent: SlackUser) -> str:
        """Return a name that contains the agent's name, for a session that the requester has not named."""

    def neutral(self, agent: SlackUser) -> str:
        """Return a name without any person's name, in this agent's language."""


class StateMessages(Protocol):
    """Tells requesters that the customer has joined their session, or that the session is over."""

    async def tell_state(self, record: SessionRecord, reply_url: str) -> bool:
        """Post the session's new state to a response_url of its requester, once.

        Return whether Slack accepted the message.
        """


class NoticeMessages(Protocol):
    """Sends the messages of a notice. Its methods never raise."""

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        """Post the notice to a user or channel, and return the message.

        Return None if the bot has to try again later.
        """

    async def edit(self, notice: Notice, message: NoticeMessage) -> EditResult:
        """Update a message to show the notice's current content, and return the outcome.

        If the message is older than the notice's `opened_at`, write into it that a newer message replaces it.
        """


# -- Genesys --


class CallHooks(Protocol):
    """Functions that the Genesys client calls before it sends a call to Genesys.

    If one raises an exception, nothing is sent.
    """

    @property
    def fairness_key(self) -> str:
        """Return a key that stands for the requester of the call. The rate limiter serves the keys in turn."""

    async def before_send(self) -> None:
        """Prepare for a call that is about to be sent."""

    async def on_wait(self, seconds: float) -> None:
        """React to a wait of `seconds` before the call. The rate limit or an answer of Genesys requires the wait."""


class OpenSessionError(Exception):
    """Raised when the host's conversation has an open session that a new one would replace. Nothing was created.

    `customer` is the name of the customer in the conversation, "" if unknown. This name is never stored.
    """

    def __init__(self, session_id: SessionId, customer: str) -> None:
        super().__init__(session_id)
        self.session_id, self.customer = session_id, customer


class SessionsApi(Protocol):
    """Creates, reads and ends sessions at the session service.

    Each method that calls the service raises ServiceError if the call fails.
    """

    @property
    def can_send_now(self) -> bool:
        """Return whether `create` could send its call now, without a wait for the rate limit."""

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a session. Raises OpenSessionError if the new session would replace an open one."""

    @property
    def tells_states(self) -> bool:
        """Return whether the service can report that a customer joined."""

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        """Return a session's state; UNKNOWN_STATE if the service does not report it.

        `live`: no person waits for the answer, so people's calls come first. If they would have to wait for the rate
        limit, raise ServiceBusyError without a call.
        """

    async def end(self, session_id: SessionId) -> str | None:
        """End a session. Return the service's correlation id, None if the service sent none.

        Raises UnknownSessionError when the service does not know the session or cannot end it.
        """


@dataclass(frozen=True, slots=True)
class WatchedSession:
    """An open session whose state the bot watches.

    `conversation_id` is None if sessions belong to no conversation. `looks`: how often the bot has asked Genesys for
    the session's state.
    """

    id: SessionId
    host_id: HostId
    conversation_id: ConversationId | None = None
    looks: int = 0


class WatchRepository(Protocol):
    """Stores which open sessions the bot watches, and when the next look at each is due, by the store's clock."""

    async def watch(
        self, session_id: SessionId, reply_url: str | None, uses: int, reply_seconds: float, seconds: float
    ) -> bool:
        """Begin to watch an open session. The first look is due in `seconds`. Return False if it is already watched.

        `reply_url`: the response_url to post new states to. It takes `uses` more messages, within `reply_seconds`.
        """

    async def take_due(self, most: int, lease_seconds: float) -> Sequence[WatchedSession]:
        """Return at most `most` sessions whose look is due. Reserve them for this replica for `lease_seconds`."""

    async def pause(self, session_id: SessionId, seconds: float, *, looked: bool) -> None:
        """Make the next look at a session due in `seconds`.

        Make it due at once if a hint came since the session was taken. `looked`: whether to count a look at the
        session.
        """

    async def hasten(self, conversation_id: ConversationId | None) -> int:
        """Make a look at the sessions of this conversation due at once, before all others. Return their number.

        With None, make a look at all sessions due, in their usual order.
        """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` watched sessions, newest first."""

    async def take_reply(self, session_id: SessionId, *, is_last: bool) -> str | None:
        """Count one use of the session's response_url, and return the URL. Return None if it takes no more messages.

        `is_last`: also stop watching the session. If several replicas call this at the same time, only one gets the
        URL.
        """


class LiveHints(Protocol):
    """Receives hints that sessions may have changed, and returns which sessions are watched.

    A hint can be late, doubled, wrong or missing: the bot reads the state from Genesys before it tells anybody.
    """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` sessions that the bot watches, of all replicas, newest first.

        Raises StorageUnavailableError if the database fails.
        """

    def changed(self, conversation_id: ConversationId) -> None:
        """Ask for an early look at the sessions of this conversation. Never raises and never blocks."""

    def uncovered(self) -> None:
        """Ask for an early look at all watched sessions, because hints may be lost. Never raises and never blocks."""


class LiveSource(Protocol):
    """A source of hints that sessions may have changed.

    Each replica runs it, but only the leading replica gets hints.
    """

    def covers(self, session: WatchedSession) -> bool:
        """Return whether hints about this session arrive now. If so, the bot asks Genesys about it less often."""

    async def run(self, hints: LiveHints, leader: "LeaderLock") -> None:
        """Pass hints on to `hints` while this is the leading replica. End only when the task is cancelled."""


class LeaderLock(Protocol):
    """Makes one of several replicas the leading replica. When its process ends, another replica takes over."""

    async def is_leader(self) -> bool:
        """Return whether this is the leading replica. If there is none, try to become the leading replica.

        Never raises and never waits long.
        """


class SetupProbe(Protocol):
    """Tests whether a fault of the set-up is fixed. Creates no session and sends no message."""

    async def is_repaired(self, error: CobrowseError) -> bool | None:
        """Return whether the call that failed with `error` would succeed now. None: only a real call can tell."""


class ApplicationCatalog(Protocol):
    """Lists the applications that a session can use."""

    async def applications(self) -> Sequence[tuple[str, str]]:
        """Return the applications as pairs of id and name. Raises ServiceError if the call fails."""


class MessageSender(Protocol):
    """Sends messages to customers.

    Both methods return the service's correlation id, None if the service sent none. Both raise ServiceError if the call
    fails, and its subclass OutcomeUnknownError if the message may have been sent.
    """

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """Send an SMS from the phone number `sender` to the phone number `to`."""

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """Send an email from the address `sender` to the address `to`."""


class HostDirectory(Protocol):
    """Searches Genesys users."""

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the users with exactly this email address, active or not. Raises ServiceError if the call fails.

        If more users may have the address than were read, the last element is a placeholder with `is_certain` False.
        """

    async def search(self, text: str, most: int) -> tuple[Sequence[DirectoryUser], bool]:
        """Return at most `most` active users whose name or email address contains `text`, and whether there are more.

        Raises ServiceError if the call fails: PermissionMissingError if the bot may not search.
        """

    async def name_of(self, host_id: HostId) -> str:
        """Return a user's name; "" if Genesys does not return a name. Never raises."""

    def known_name(self, host_id: HostId) -> str:
        """Return a user's name from the cache; "" if no name is cached."""


class Announce(Protocol):
    """A function that tells a person and the administrators that an administrator has linked the person to a host."""

    async def __call__(self, person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
        """Send the messages. Return the Genesys user's name, "" if unknown.

        `is_answer`: tell the person even if they have not asked for access, because an administrator chose them from
        the list of people without a host. Raises StorageUnavailableError if the database fails.
        """


class HostRule(Protocol):
    """A rule that maps people to hosts."""

    @property
    def name(self) -> str:
        """Return the name of this rule in logs, the audit log and the database. Messages show a translation of it."""

    @property
    def costs_a_call(self) -> bool:
        """Return whether this rule calls Genesys to find a host."""

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        """Return the person's host, or the reason why this rule finds none.

        Raises ServiceError if a call to Genesys fails.
        """


class OAuthClient(Protocol[G]):
    """Signs people in to Genesys with their own accounts. `G` is the type of the tokens that a sign-in gives.

    `off` is the reason why nobody can sign in, one of OFF in errors.py; "" when people can.
    """

    off: str

    def address(self, state: str, verifier: str) -> str:
        """Return the URL where a person signs in.

        `state` is a random text that the browser brings back. `verifier` is the PKCE code verifier; the URL contains
        its hash.
        """

    async def sign_in(self, code: str, verifier: str) -> tuple[G, HostId | None, str | None]:
        """Exchange an authorization code, which the browser has brought, for tokens: the grant.

        Return the grant, the Genesys user who signed in (None if unknown), and the service's correlation id (None if
        the service sent none). Raises ServiceError if Genesys refuses the code or does not answer.
        """

    async def give_back(self, grant: G) -> None:
        """Try to revoke a grant that the bot does not store. Never raises, even if Genesys does not answer."""

    def keep(self, person: PersonKey, host_id: HostId, grant: G) -> None:
        """Use this grant from now on for the calls that the bot makes for this person and host."""

    def refresh_token_of(self, grant: G) -> str:
        """Return the grant's refresh token, so that the caller can store it."""

    async def sign_out(self, was: LinkedAccount) -> None:
        """Try to revoke the tokens of an account that was deleted from the store.

        Never raises, even if Genesys does not answer.
        """


# -- Metrics --


RELOADS = RELOADED, UNREADABLE, INVALID, REFUSED = "ok", "unreadable", "invalid", "refused"
"""What becomes of a changed file of a secret: the bot uses the new value, cannot read the file, finds that
the value is malformed, or the service does not accept the value."""
FILE_RELOADS = RELOADED, UNREADABLE, INVALID
"""What becomes of a changed file of workspaces: the bot uses it, cannot read it, or cannot use it as a whole."""


class Metrics:
    """Counts events for monitoring. Never raises and never blocks. This base class counts nothing.

    Arguments become metric labels, so they have few values: never a person, a session, an email address or a URL.
    """

    def acknowledged(self, seconds: float) -> None:
        """Count one acknowledgement to Slack.

        `seconds`: the time from reading Slack's payload to sending the acknowledgement.
        """

    def called(self, needs: str, status: str, seconds: float) -> None:
        """Count one call to Genesys.

        `needs`: the scope or permission that the call needs. `status`: the HTTP status, or NO_HTTP_STATUS without an
        answer. `seconds`: how long the call took.
        """

    def waited(self, seconds: float) -> None:
        """Record how long a call to Genesys waited for the rate limit."""

    def renewed(self, outcome: str) -> None:
        """Count one request to Genesys's login for a token. `outcome`: "ok", or the code of the error."""

    def reconnected(self) -> None:
        """Count a Socket Mode connection that replaces an earlier connection."""

    def connection_failed(self, reason: str) -> None:
        """Count a Socket Mode connection that did not open, or that lived less than 30 seconds."""

    def store_failed(self) -> None:
        """Count a database read or write that failed."""

    def secret_reloaded(self, name: str, result: str) -> None:
        """Count one change of a file that holds a secret. `name`: the secret's setting. `result`: one of RELOADS."""

    def live_look(self, result: str) -> None:
        """Count one look at a watched session.

        `result`: the session's new state, or "unchanged", "failed" or "busy".
        """

    def live_event(self, kind: str) -> None:
        """Count one event that a notification channel has brought. `kind`: the kind of event."""

    def live_connected(self, *, is_up: bool) -> None:
        """Record whether notifications arrive in this process. Only the leading replica calls this."""


NULL_METRICS = Metrics()


# -- Traces --


class Tracer:
    """Records the steps of requests as spans of traces. This base class records nothing.

    Each method takes a function or an object, and returns what to use in its place. The base class returns its
    argument, so a tracer that is off costs nothing. No span holds a person, a link, an address or a text that somebody
    wrote.
    """

    exemplar: Callable[[], dict[str, str] | None] | None = None
    """Returns the ids of the present trace and span for the metrics, or None. It is None if the tracer is off."""
    subscribers: Sequence[Callable[[Any], None]] = ()
    """Record the events of requests (core/requests/events.py): the outcome of each."""

    def receiving(self, dispatch: F, *, over_http: bool) -> F:
        """Return a function that traces `dispatch`: the handling of a payload from Slack until its acknowledgement.

        A trace begins here. `over_http`: whether the payload came over HTTP, else over Socket Mode.
        """
        return dispatch

    def storing(self, store: "RequestRepository") -> "RequestRepository":
        """Return a repository that traces the writes of `store`. It also stores which trace each request belongs to."""
        return store

    def processing(self, process: F) -> F:
        """Return a function that traces `process`, which processes a stored request.

        After a crash it continues the stored trace.
        """
        return process

    def resolving(self, look_up: F) -> F:
        """Return a function that traces `look_up`, which searches the Genesys host of a person."""
        return look_up

    def waiting(self, acquire: F) -> F:
        """Return a function that traces `acquire`, which waits for the rate limit."""
        return acquire

    def calling_genesys(self, transport: T) -> T:
        """Return a transport that traces the HTTP requests that `transport` sends to Genesys."""
        return transport

    def calling_slack(self, api_call: F) -> F:
        """Return a function that traces `api_call`, which calls Slack's Web API."""
        return api_call

    def posting(self, post: F) -> F:
        """Return a function that traces `post`, which posts to response_urls."""
        return post


NULL_TRACER = Tracer()
