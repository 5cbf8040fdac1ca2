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
"""How many seconds after a session's creation a duplicate request still gets this session."""
NO_HTTP_STATUS = "none"
"""The metric label of a call that got no HTTP response."""


# -- Storage --


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request, as the database holds it.

    - `failure`: the error with which the request failed; None if the request has not failed. An UnexpectedError if the
      request's row cannot be decoded.
    - `session`: the session that the request created; None if the database holds no such session.
    - `session_over`: True if `session` has ended, or if its planned end has passed by the database's clock.
    """

    request: Request
    state: RequestState
    failure: CobrowseError | None = None
    session: Session | None = None
    session_over: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of `RequestRepository.accept`.

    - `is_new`: False if a request with the same key was already stored.
    - `duplicate_of`: the id of the earlier request whose session the new request gets; None if the new request gets a
      new session. The earlier request has the same requester, text, target and channel. Its session is not created yet,
      or is open and at most JOIN_SECONDS old.
    - `state`: CREATING if the bot can create the session at once, else ACCEPTED.
    - `linked`: the host to which an administrator linked the agent. None means that there is no link, or that `accept`
      got no agent. "" means that the agent's two Slack ids are linked to different hosts.
    - `other_open`: the newest open session of the agent of a START request; None if there is none, and for other kinds
      of requests.
    """

    is_new: bool
    duplicate_of: RequestId | None = None
    state: RequestState = RequestState.ACCEPTED
    linked: HostId | None = None
    other_open: OtherSession | None = None


class RequestRepository(Protocol):
    """Stores requests in the database.

    The process that stores a request also processes the request. Another process can take the request over only after
    the first process has ended.
    """

    @property
    def shared(self) -> bool:
        """Return whether several replicas can use the database at the same time."""

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Store a request. Change nothing if a request with the same key is already stored.

        Raises MaybeAcceptedError if the database does not confirm the write.

        `agent`: the agent of a start, if the bot can create the session at once; None for all other requests. A request
        with `agent` is stored as CREATING, unless it is a duplicate request. Any other request is stored as ACCEPTED.
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
        """Change the state of a request from `from_` to `to`. Return True if the state was stored.

        Return False and change nothing if another process owns the request, or if the request's state is not `from_`.

        If `to` is ANSWERED, delete the request's response_url. Also delete the argument of a LINK, PROPOSE, SEND or
        START request, because this argument can contain a phone number or an email address.

        - `session`: a session to store in the same write. A stored session with the same id is updated, except if the
          request is a duplicate request that gets this session. If the stored session belongs to another team, host,
          requester or agent, store the request as FAILED with an UnusableAnswerError, and raise this error.
        - `failure`: an error to store in the same write.
        """

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        """Return the request with this id; None if the request is not stored."""

    async def find_by_key(self, key: str) -> StoredRequest | None:
        """Return the request with this key; None if no request with this key is stored."""

    async def orphans(self) -> Sequence[StoredRequest]:
        """Take over the unfinished requests of processes that have ended. Return these requests, oldest first."""

    async def sweep(self) -> None:
        """Delete the join URLs and join codes of ended sessions, and the rows whose retention time is over.

        Inquiries and watched sessions have shorter retention times than the other rows. Host links have none.
        """


class HostCache(Protocol):
    """Stores the host that a host rule found for a person, for a limited time. Also reads host links."""

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        """Return the host of this person's host link; None if there is no link.

        A link for this team comes before a link for every team. `is_exact`: True to ignore links for every team.
        """

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        """Return the host that `keep_found` stored for this person, and the seconds until it expires.

        Return None if no host is stored, or if it has expired.
        """

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Store the host that a host rule found for this person. It expires after `seconds`."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Delete the host that `keep_found` stored for this person."""


class HostLinkRepository(Protocol):
    """Stores host links."""

    async def links(self) -> Sequence[HostLink]:
        """Return all host links, sorted by user id."""

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Store these host links in one transaction. A link replaces an earlier link of the same team and user.

        The database gets the links in batches. `on_progress`: called after each batch. Its argument is the number of
        links in this batch.
        """

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        """Delete a host link. Return True if the link existed.

        `team_id`: None for the link that holds for every team.
        """


class SessionRepository(Protocol):
    """Stores the sessions that the bot created.

    A method that returns one session raises UnexpectedError if the session's row cannot be decoded. A method that
    returns several sessions leaves out such a session.
    """

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id, open or ended; None if the session is not stored."""

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        """Return the newest session, open or ended, whose requester or agent is this person; None if there is none."""

    async def open_sessions(self, team_id: TeamId, user_id: UserId, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` open sessions whose requester or agent is this person, newest first."""

    async def live_sessions(
        self, team_id: TeamId, agents: Sequence[UserId], most: int, skipped: int
    ) -> tuple[Sequence[SessionRecord], int]:
        """Return one page of the open sessions, and the number of open sessions on all pages.

        If the page is empty, this number is 0. The sessions are sorted by agent. Those of one agent are newest first.

        - `team_id`: the id of the Slack workspace or organization to which the sessions belong.
        - `agents`: all Slack ids of one agent, to list only the sessions of this agent; empty to list the sessions of
          all agents.
        - `most`: the maximum number of sessions on the page.
        - `skipped`: the number of sessions before the page.
        """

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        """Return an agent's open sessions by conversation. Of each conversation, return only the newest session.

        Leave out sessions whose conversation is unknown. `user_ids`: all Slack ids of the agent.
        """

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        """Return at most `most` sessions that an END request without a session id can mean, newest first.

        These are open sessions whose requester or agent is the requester of the END request. They were created before
        the request, and in the last 24 hours. If the request ended a session before a crash, also return this session.
        """

    async def name_ending(self, request_id: RequestId, session_id: SessionId) -> None:
        """Store the id of the session that an END request is about to end, as the argument of this request.

        After a crash, the bot processes the request again and ends the session in the argument.
        """

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        """Mark an open session as ended, and delete its join URL and join code. Return False if it is not open.

        `by`: the request that ended the session; None if no request ended the session.
        """

    async def record_joined(self, record: SessionRecord, joined_at: datetime | None, seconds: float) -> bool:
        """Store that the customer has joined a session. Return True if this was stored.

        If the session's planned end is earlier than `seconds` from now, move the planned end to that time.

        Return False and leave the session unchanged in these cases:

        - The session is already stored as joined or as ended.
        - The session service has used the same id again, and the newer session is stored.

        If several replicas call this method for one session, only one of them gets True.

        `joined_at`: when the customer joined; None if unknown.
        """

    async def keep_joined(self, session_id: SessionId, seconds: float) -> None:
        """Move the planned end of a session to `seconds` from now, if the planned end is earlier.

        Change nothing unless the session is stored as joined, and not as ended.
        """

    async def record_over(self, record: SessionRecord, state: SessionState) -> bool:
        """Store the final state of a session, as Genesys reports it, and delete its join URL and join code.

        Return True if this was stored. Return False and leave the session unchanged in these cases:

        - The session is already stored as ended.
        - The session service has used the same id again, and the newer session is stored.

        If several replicas call this method for one session, only one of them gets True.
        """


@dataclass(frozen=True, slots=True)
class StartOutcome:
    """The starts that ended with the same error code, or those without an error.

    - `code`: the error code; "" for the starts without an error.
    - `sessions`: how many different sessions these starts have. Duplicate requests share one session.
    - `without_session`: how many of these starts have no session.
    """

    code: str
    sessions: int
    without_session: int


class StartHistory(Protocol):
    """Counts the starts of a period by their outcome, and lists people for whom the bot found no host."""

    async def outcomes(self, team_id: TeamId, seconds: float) -> Sequence[StartOutcome]:
        """Count the starts in a Slack workspace or organization in the last `seconds`.

        Return one StartOutcome for each error code, and one for the starts without an error. `seconds`: at most the
        retention time.
        """

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        """Return the people for whom a request failed in the last `seconds` with the code `host_not_found`.

        Such a person is the target of the request, or the requester if there is no target. Return at most `most`
        people, each with the time of their newest such request, newest first.
        """


class PostedMessageRepository(Protocol):
    """Stores the Slack messages that show sessions, so that the bot can update them."""

    async def add_post(self, post: PostedMessage) -> bool:
        """Store that a Slack message shows a session. Return True if the entry was stored.

        Return False and change nothing if this entry is already stored, or if the session is not stored. If the `ts` of
        `post` is "", the bot is about to post the message. The entry is then due for an update in one minute, in case
        the bot crashes before it stores the `ts`.
        """

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        """Return the stored messages that show this session."""

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        """Return at most `most` messages that are due for an update, and reserve them for one minute.

        A message becomes due when its session ends or the customer joins. An entry with the `ts` "" becomes due one
        minute after it was stored. No other replica gets a reserved message.
        """

    async def postpone_post(self, post: PostedMessage) -> None:
        """Set the time of a message's next update: the end of its session, as the database holds it now."""

    async def drop_post(self, post: PostedMessage) -> None:
        """Delete the stored entry of a message. The message itself stays in Slack."""

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id; None if the session is not stored.

        Raises UnexpectedError if the session's row cannot be decoded.
        """


class AccountRepository(Protocol):
    """Stores sign-ins that people have not finished, and linked accounts."""

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        """Store a sign-in that a person has begun. The entry expires after `seconds`.

        The new entry replaces an earlier entry of the same person. `state_hash`: the hash of the OAuth state, by which
        `take` finds the entry.
        """

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        """Delete and return the sign-in whose OAuth state has this hash; None if the sign-in is unknown or expired.

        If several replicas call this method at the same time, one of them gets the sign-in and the others get None.
        """

    async def connect(self, connection: LinkedAccount) -> None:
        """Store a linked account, in place of an earlier account of the same person."""

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        """Return a person's linked account; None if there is none."""

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        """Delete a person's linked account and return it; None if there is none."""

    def holding(self, person: PersonKey) -> AbstractAsyncContextManager[LockedAccount | None]:
        """Lock a person's linked account until the `with` block ends, and yield the account; None if there is none.

        If the block raises an exception, all writes of the block are rolled back.
        """


class NoticeRepository(Protocol):
    """Stores notices, and the Slack messages that show them."""

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        """Return the notice of this kind with this key. If none is stored, return an empty notice with version 0.

        If the stored notice cannot be decoded, return an empty notice with its version, so that `save` can replace it.
        """

    async def save(self, notice: Notice) -> bool:
        """Store a changed notice, with the next higher version. `notice` itself keeps its version.

        Return False and change nothing if another replica or task has stored a newer version of the notice.
        """

    async def pending(self, most: int) -> Sequence[Notice]:
        """Return at most `most` notices that are not over, or that have messages to post or update.

        Faults come first. Among the faults, and among the others, those that have messages to post or update come
        first. Leave out notices that are over and that nobody has changed for a day.
        """

    async def take(self, notice: Notice, seconds: float) -> Notice | None:
        """Reserve a notice for this replica for `seconds`, so that no other replica sends messages about it.

        Return the notice as it is stored now. Return None and reserve nothing if an earlier reservation of the notice
        has not expired, or if no message of the notice has to be posted or updated.
        """

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        """Store the fields `messages` and `shown` of a notice that the caller has reserved with `take`.

        The reservation then expires in `seconds`. Return False and change nothing if another replica or task has
        reserved the notice in the meantime. The stored `takes` shows this: it differs from `notice.takes`.
        """


# -- Slack --


class MemberDirectory(Protocol):
    """Reads Slack users and user groups.

    `person`, `in_group` and `members` raise SlackUnavailableError if the look-up in Slack fails. `in_group` and
    `members` also raise it if no Slack workspace has the user group.
    """

    async def person(self, user_id: UserId) -> SlackUser:
        """Return the Slack user with this id. If Slack does not know the id, return a user with the status OUTSIDER."""

    def known_id(self, user_id: UserId) -> UserId:
        """Return the main id of the person who has this Slack id, without a call to Slack.

        Return `user_id` unchanged if the bot knows no other id of the person.
        """

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool:
        """Return whether a user is in a user group.

        `team_id`: the Slack workspace from which the request came. With an org-wide token, the bot looks for the group
        in this workspace first.
        """

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        """Return a Slack user from the cache; None if the user is not cached."""

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool | None:
        """Return from the cache whether a user is in a user group; None if the answer is not cached.

        `team_id`: the Slack workspace from which the request came.
        """

    async def members(self, group_id: str) -> frozenset[UserId]:
        """Return the ids of the users in a user group."""


class Notifier(Protocol):
    """Posts wait notices to requesters. Never raises."""

    async def note(self, request: Request, note: WaitNotice) -> None:
        """Post a wait notice to the requester. The caller may cancel the call when the request has a result."""


class Responder(Notifier, Protocol):
    """Posts results, and messages about new sessions, to people in Slack. Never raises."""

    async def answer(self, request: Request, outcome: Result) -> bool:
        """Post the result to the requester. Return whether Slack accepted the message."""

    async def tell_agent(self, request: Request, session: Session) -> bool:
        """Tell the agent that another person or a workflow started a session for them.

        Return whether Slack accepted the message.
        """

    def shorten_deadlines(self) -> None:
        """Use `SlackTiming.last_post_timeout` for all posts from now on, because the process is stopping.

        Posts in progress get this time-out, too.
        """


class EditResult(Enum):
    """The result of an update of one posted message."""

    DONE = "done"
    """Nothing is left to do: Slack updated the message, or can never update it."""
    SILENT = "silent"
    """Slack did not answer in time. The update is tried again later."""
    UNWELL = "unwell"
    """Slack could not update the message: it has an outage, limits the bot's calls, cannot be reached, or refuses the
    bot's token. The update is tried again later."""


class SessionMessages(Protocol):
    """Posts messages that show a session, and updates them."""

    async def share(self, record: SessionRecord, request: Request) -> None:
        """Post a session's card, with the link, for everybody in the request's channel.

        If a START request names a thread, post the card in this thread.

        Post at most one message for each request. Raises SharingError, with the reason, if the message was not posted
        or if it is not certain that Slack posted the message. Raises SessionActionError if the session is already
        posted in the channel, SlackUnavailableError if a look-up in Slack fails, and StorageUnavailableError if the
        database fails.
        """

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        """Send the session's card to a user as a direct message.

        Raises SharingError if the message was not posted, or if it is not certain that Slack posted the message.
        """

    async def mark_ended(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message to show that its session has ended. Never raises."""

    async def mark_joined(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Update a posted message to show that the customer has joined. Never raises."""


class SessionNames(Protocol):
    """Makes names for sessions, in the agent's language."""

    def of_agent(self, agent: SlackUser) -> str:
        """Return a session name that contains the agent's name."""

    def neutral(self, agent: SlackUser) -> str:
        """Return a session name that contains no person's name."""


class StateMessages(Protocol):
    """Posts the state of a session to the requester: the customer has joined, or the session is over."""

    async def tell_state(self, record: SessionRecord, reply_url: str) -> bool:
        """Post the state of a session to `reply_url`, a response_url of the requester.

        Return whether Slack accepted the message.
        """


class NoticeMessages(Protocol):
    """Posts and updates the messages of a notice. Never raises."""

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        """Post the notice to the user or channel with the id `reader`. Return the message.

        If Slack will never accept a message for this reader, return a message with the `ts` "". Return None if the post
        failed, and another try can succeed.
        """

    async def edit(self, notice: Notice, message: NoticeMessage) -> EditResult:
        """Update a message to show the notice's current content.

        If the message is older than the notice's `opened_at`, the new text says that a newer message replaces this one.
        """


# -- Genesys --


class CallHooks(Protocol):
    """The call hooks of one request.

    The Genesys client calls `before_send` before it sends a call, and `on_wait` when the call has to wait. If one of
    them raises an exception, the client does not send the call.
    """

    @property
    def fairness_key(self) -> str:
        """Return a text that identifies the requester. The rate limiter serves different requesters in turn."""

    async def before_send(self) -> None:
        """Do what has to be done just before the call is sent, such as storing the state `creating`."""

    async def on_wait(self, seconds: float) -> None:
        """Record that the call has to wait `seconds`: the rate limit is reached, or Genesys asked for a pause."""


class OpenSessionError(Exception):
    """Raised when a new session would replace the open session of the host's conversation. No session was created.

    - `record`: the open session, without its link if the customer has joined.
    - `customer`: the name of the customer in the conversation, "" if unknown. The name is never stored.
    """

    def __init__(self, record: SessionRecord, customer: str) -> None:
        super().__init__(record.session.id)
        self.record, self.customer = record, customer


class SessionsApi(Protocol):
    """Creates, reads and ends sessions at the session service.

    Methods that call the service raise ServiceError if the call fails.
    """

    @property
    def can_send_now(self) -> bool:
        """Return whether the rate limit allows a call now, without a wait."""

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a session.

        Raises OpenSessionError if the new session would replace an open session. `hooks`: called before the create call
        is sent, and when the create call has to wait.
        """

    @property
    def tells_states(self) -> bool:
        """Return whether the service can report that a customer has joined a session."""

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        """Return a session's state; UNKNOWN_STATE if the service does not report the state.

        `live`: True if the bot watches the session in the background; False if a person waits for the answer. With
        True, the bot sends no call that would delay people's calls, and raises ServiceBusyError instead. It also raises
        ServiceBusyError if the service asks for a pause, and does not wait itself.
        """

    async def end(self, record: SessionRecord) -> str | None:
        """End a session. Return the service's correlation id; None if the service sent none.

        Raises UnknownSessionError if the service does not know the session, or answers that it cannot end the session.
        Exception: if an earlier attempt of the same call has ended the session, return.
        """


@dataclass(frozen=True, slots=True)
class WatchedSession:
    """An open session whose state the bot reads in the background.

    - `conversation_id`: None if the session belongs to no conversation.
    - `looks`: how often the bot has looked at the session. Looks while it was a covered session do not count.
    """

    id: SessionId
    host_id: HostId
    conversation_id: ConversationId | None = None
    looks: int = 0


class WatchRepository(Protocol):
    """Stores which open sessions the bot watches, and when to look at each session next, by the database's clock."""

    async def watch(
        self, session_id: SessionId, reply_url: str | None, uses: int, reply_seconds: float, seconds: float
    ) -> bool:
        """Begin to watch an open session. Return False if the session is already watched, or is not open.

        - `reply_url`: a response_url of the requester, for messages about new states; None if there is none.
        - `uses`: how many messages the bot may still post to `reply_url`.
        - `reply_seconds`: for how many seconds from now Slack accepts messages at `reply_url`.
        - `seconds`: the time until the first look at the session.
        """

    async def take_due(self, most: int, lease_seconds: float) -> Sequence[WatchedSession]:
        """Return at most `most` sessions that are due for a look. Reserve them for this replica for `lease_seconds`.

        Take sessions with a new hint first, then those with the fewest looks. The order of the result is undefined.
        """

    async def pause(self, session_id: SessionId, seconds: float, *, looked: bool) -> None:
        """Set a session's next look to `seconds` from now. Call this method after `take_due` has returned the session.

        If a hint has come since `take_due`, the session stays due now. If the session's response_url has expired,
        delete the response_url.

        `looked`: True to add one to the session's number of looks.
        """

    async def hasten(self, conversation_id: ConversationId | None) -> Sequence[SessionId]:
        """Make the watched sessions of one conversation due for a look now, before all other sessions.

        Return the ids of the conversation's watched sessions.

        If `conversation_id` is None, make all watched sessions due now, in the usual order of `take_due`. In this case,
        return the ids of the sessions that were not due before.
        """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` watched sessions, newest first."""

    async def take_reply(self, session_id: SessionId, *, is_last: bool) -> str | None:
        """Return the response_url of a watched session, and count one message to this URL.

        Return None if the session is not watched, has no response_url, or the URL accepts no more messages.
        `is_last`: True to stop watching the session, too. If several replicas call this method with True at the same
        time, one of them gets the URL and the others get None.
        """


class LiveHints(Protocol):
    """Receives hints, which say that a conversation may have changed, and lists the watched sessions.

    A hint can be late, repeated, wrong or missing. So the bot reads the state from Genesys before it tells anybody.
    """

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        """Return at most `most` sessions that the bot watches, newest first. All replicas get the same list.

        Raises StorageUnavailableError if the database fails.
        """

    def changed(self, conversation_id: ConversationId) -> None:
        """Request an early look at the sessions of this conversation. Never raises and never blocks."""

    def uncovered(self) -> None:
        """Request an early look at all watched sessions, because hints may have been lost.

        Never raises and never blocks.
        """


class LiveSource(Protocol):
    """Receives Genesys's notifications and turns them into hints.

    `run` runs in every replica, but only the leading replica receives notifications.
    """

    def covers(self, session: WatchedSession) -> bool:
        """Return whether a session is a covered session: hints about it arrive now."""

    async def run(self, hints: LiveHints, leader: "LeaderLock") -> None:
        """Pass hints to `hints` while this replica is the leading replica. End only when the task is cancelled."""


class LeaderLock(Protocol):
    """Decides which one of several replicas is the leading replica.

    If the process of the leading replica ends, another replica becomes the leading replica.
    """

    async def is_leader(self) -> bool:
        """Return whether this replica is the leading replica.

        If there is no leading replica, first try to become the leading replica. Never raises.
        """


class SetupProbe(Protocol):
    """Tests whether the cause of an error is fixed. Creates no session and sends no message."""

    async def is_repaired(self, error: CobrowseError) -> bool | None:
        """Return True if the cause of `error` is fixed, False if it still exists, None if the bot cannot find out.

        The bot cannot find out if there is no test for the error, or if another problem makes the test fail. There is
        no test for an error that only the creation of a session can cause.
        """


class ApplicationCatalog(Protocol):
    """Lists the applications at the session service."""

    async def applications(self) -> Sequence[tuple[str, str]]:
        """Return the applications as pairs of id and name. Raises ServiceError if the call fails."""


class MessageSender(Protocol):
    """Sends messages to customers through Genesys.

    `sms` and `email` return Genesys's correlation id, None if Genesys sent none. They raise ServiceError if the call
    fails, and the subclass OutcomeUnknownError if Genesys may have sent the message although the call failed.
    """

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """Send an SMS from the phone number `sender` to the phone number `to`.

        Return Genesys's correlation id; None if Genesys sent none.
        """

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """Send an email from the address `sender` to the address `to`.

        Return Genesys's correlation id; None if Genesys sent none.
        """


class HostDirectory(Protocol):
    """Reads Genesys users."""

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the users with exactly this email address, active or not. Raises ServiceError if the call fails.

        If Genesys found more users than it returned, the last element is a placeholder with `is_certain` False.
        """

    async def search(self, text: str, most: int) -> tuple[Sequence[DirectoryUser], bool]:
        """Search active users by a part of their name or email address.

        Return at most `most` users, and whether Genesys found more users. Raises ServiceError if the call fails, and
        the subclass PermissionMissingError if the bot lacks the permission to search for users.
        """

    async def name_of(self, host_id: HostId) -> str:
        """Return a user's name; "" if Genesys does not return the name. Never raises."""

    def known_name(self, host_id: HostId) -> str:
        """Return a user's name from the cache; "" if the name is not cached."""


class Announce(Protocol):
    """A function that tells a person and the administrators about the person's new host link."""

    async def __call__(self, person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
        """Tell `person` and the administrators that an administrator linked `person` to the host `host_id`.

        The administrators get a message only if the person has an unfinished request for access. The person gets a
        message in the same case, or if `is_answer` is True. A person who linked themselves never gets a message. Return
        the host's name; "" if unknown. Raises StorageUnavailableError if the database fails.

        - `request`: the administrator's LINK request.
        - `is_answer`: True if the request came from the dialog that connects a person, False if it was typed.
        """


class HostRule(Protocol):
    """One way to find the host of a person."""

    @property
    def name(self) -> str:
        """Return the rule's name in logs, the audit log and the database."""

    @property
    def costs_a_call(self) -> bool:
        """Return whether this rule calls Genesys to find a host."""

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        """Return the person's host, or the reason why this rule finds no host.

        Raises ServiceError if a call to Genesys fails.
        """


class OAuthClient(Protocol[G]):
    """Signs people in to Genesys with their own accounts. `G` is the type of the tokens of one sign-in.

    `off`: the reason why nobody can sign in, one of OFF in bot/core/errors.py; "" if people can sign in.
    """

    off: str

    def address(self, state: str, verifier: str) -> str:
        """Return the URL of the page where a person signs in. Make no call to Genesys.

        - `state`: a random text that the browser brings back from Genesys.
        - `verifier`: the PKCE code verifier. The URL contains only its hash.
        """

    async def sign_in(self, code: str, verifier: str) -> tuple[G, HostId | None, str | None]:
        """Exchange an authorization code for tokens.

        Return the tokens, the id of the Genesys user who signed in (None if unknown), and Genesys's correlation id
        (None if Genesys sent none). `verifier`: the PKCE code verifier with which the method `address` made
        the URL of this sign-in. Raises ServiceError if Genesys refuses the code or does not answer.
        """

    async def give_back(self, grant: G) -> None:
        """Try to revoke tokens that the bot will not use. Never raises."""

    def keep(self, person: PersonKey, host_id: HostId, grant: G) -> None:
        """Use the tokens `grant` from now on for calls in the name of this person, whose host is `host_id`."""

    def refresh_token_of(self, grant: G) -> str:
        """Return the refresh token, for the caller to store."""

    async def sign_out(self, was: LinkedAccount) -> None:
        """Try to revoke the tokens of a linked account that was deleted from the database. Never raises."""


# -- Metrics --


RELOADS = RELOADED, UNREADABLE, INVALID, REFUSED = "ok", "unreadable", "invalid", "refused"
"""The results of reading a changed file that holds a secret. RELOADED: the bot uses the new value · UNREADABLE: the bot
cannot read the file · INVALID: the value is malformed · REFUSED: the service does not accept the value."""
FILE_RELOADS = RELOADED, UNREADABLE, INVALID
"""The results of reading a changed file of workspaces. RELOADED: the bot uses the file · UNREADABLE: the bot cannot
read the file · INVALID: the bot rejects the whole file."""


class Metrics:
    """Counts events for monitoring. Never raises and never blocks. This base class counts nothing.

    An argument that becomes a metric label never holds a person, a session, an email address or a URL.
    """

    def acknowledged(self, seconds: float) -> None:
        """Count one acknowledgement to Slack.

        `seconds`: the time from reading Slack's payload to sending the acknowledgement.
        """

    def called(self, needs: str, status: str, seconds: float) -> None:
        """Count one call to Genesys.

        - `needs`: the scope or permission that the call needs.
        - `status`: the HTTP status; NO_HTTP_STATUS if Genesys did not answer.
        - `seconds`: how long the call took.
        """

    def waited(self, seconds: float) -> None:
        """Record that a call to Genesys waited `seconds` for the rate limit."""

    def renewed(self, outcome: str) -> None:
        """Count one HTTP request to Genesys for a token of the bot's OAuth client.

        `outcome`: "ok" or the code of an error.
        """

    def reconnected(self) -> None:
        """Count a Socket Mode connection that replaces an earlier one."""

    def connection_failed(self, reason: str) -> None:
        """Count a Socket Mode connection that could not be opened, or that closed within 30 seconds.

        `reason`: one of FAILURE_REASONS in bot/slack/receivers/socket_mode.py.
        """

    def store_failed(self) -> None:
        """Count a database read or write that failed."""

    def secret_reloaded(self, name: str, result: str) -> None:
        """Count one change of a file that holds a secret.

        `name`: the name of the setting. `result`: one of RELOADS, which says whether the bot uses the new value.
        """

    def live_look(self, result: str) -> None:
        """Count one look at a watched session.

        `result`: the new phase of the session; "unchanged" if the phase is the same as before; "failed" if Genesys
        returned no state; "busy" if the rate limit allowed no call.
        """

    def live_event(self, kind: str) -> None:
        """Count one event of a notification channel.

        `kind` is one of these:

        - "event": Genesys reported a change of a conversation, and the report led to a hint.
        - "repeated": Genesys sent the same report again, so it led to no hint.
        - "unwatched": Genesys reported a change of a conversation that has no watched session.
        - "refused": Genesys refused the subscription to the conversations of one host.
        - "connected": the WebSocket opened.
        - "closing": Genesys announced that it will close the WebSocket.
        - "closed": the WebSocket closed.
        """

    def live_connected(self, *, is_up: bool) -> None:
        """Record whether all notification channels of this process are connected.

        The leading replica calls this method. A replica that stops being the leading replica calls it once with True,
        because a replica that does not lead needs no notification channel.
        """


NULL_METRICS = Metrics()


# -- Traces --


class Tracer:
    """Records the steps of requests as spans of traces. This base class records nothing.

    Each method takes a function or an object. The methods of a subclass return a replacement, which does the same and
    records spans. The methods of this base class return their argument unchanged. A span never contains a person, a
    link, an address or a text that a person typed.
    """

    exemplar: Callable[[], dict[str, str] | None] | None = None
    """A function that returns the ids of the current trace and span; None outside a recorded trace. The metrics store
    the ids together with each measured duration. The attribute itself is None if tracing is off."""
    subscribers: Sequence[Callable[[Any], None]] = ()
    """Functions that get the events of bot/core/requests/events.py and record the result of each request as a span."""

    def receiving(self, dispatch: F, *, over_http: bool) -> F:
        """Return a function that does the same as `dispatch` and begins a trace.

        `dispatch` handles one payload from Slack. `over_http`: True for payloads that come over HTTP, False for
        payloads that come over Socket Mode.
        """
        return dispatch

    def storing(self, store: "RequestRepository") -> "RequestRepository":
        """Return a repository that traces the writes of `store` and stores the trace context of each request."""
        return store

    def processing(self, process: F) -> F:
        """Return a function that does the same as `process` and continues the trace of the request.

        `process` processes a stored request.
        """
        return process

    def resolving(self, look_up: F) -> F:
        """Return a function that does the same as `look_up` and records a span.

        `look_up` finds the host of a person.
        """
        return look_up

    def waiting(self, acquire: F) -> F:
        """Return a function that does the same as `acquire` and records a span. `acquire` waits for the rate limit."""
        return acquire

    def calling_genesys(self, transport: T) -> T:
        """Return a transport that sends HTTP requests by `transport` and records a span for each HTTP request."""
        return transport

    def calling_slack(self, api_call: F) -> F:
        """Return a function that does the same as `api_call` and records a span. `api_call` calls Slack's Web API."""
        return api_call

    def posting(self, post: F) -> F:
        """Return a function that does the same as `post` and records a span. `post` posts to a response_url."""
        return post


NULL_TRACER = Tracer()
