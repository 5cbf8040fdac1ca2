"""Define the data of the core: people, hosts, requests, sessions, posted messages and linked accounts.

All classes are frozen. Fields that hold a secret are left out of every repr, so no log line or traceback shows them.
"""

import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

TeamId = NewType("TeamId", str)
"""The id of a Slack workspace, `T…`, or of an Enterprise Grid organization, `E…`."""
UserId = NewType("UserId", str)
"""The id of a Slack user, `U…` or `W…`. The id is unique within a team only, so people are keyed by (TeamId, UserId).
"""
ChannelId = NewType("ChannelId", str)
"""The id of a Slack conversation, `C…`, `G…` or `D…`."""
HostId = NewType("HostId", str)
"""The id of a Genesys user, a lower-case UUID."""
SessionId = NewType("SessionId", str)
"""The session service's id of a session. The bot does not interpret it."""
ConversationId = NewType("ConversationId", str)
"""The id of a conversation in Genesys Cloud, a lower-case UUID."""
RequestId = NewType("RequestId", str)
"""The bot's id of a request: twelve characters that a person can read out over the phone."""
PersonKey = tuple[TeamId, UserId]
HostLink = tuple[TeamId | None, UserId, HostId]
"""An administrator's link from a user to a host. The team is None if the link is for every team."""

_READABLE = "abcdefghijklmnopqrstuvwxyz234567"
NAME_LENGTH = 100
"""The maximum length of a session name, in characters."""


class Role(StrEnum):
    """The role of a member of the workspace.

    All members may start sessions for themselves. Supervisors and administrators may do more.
    """

    MEMBER = "member"
    SUPERVISOR = "supervisor"
    ADMIN = "administrator"


class MembershipStatus(StrEnum):
    """The relation of a Slack user to the workspace. Only a MEMBER may do anything."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OUTSIDER = "outsider"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A Slack user. `email` is None unless Slack holds a confirmed email address; `name` is for display only.

    `locale` is the language in which the user reads Slack, such as `fr-FR`; "" if Slack does not return it.

    In an Enterprise Grid one person can have two ids. `user_id` is then the person's main id, whichever of the two was
    looked up, and `other_id` is the second id. `workspaces`: if the bot serves a whole organization, the person's
    workspaces in it. The store may hold rows about the person under each of them. `has_unconfirmed_email`: Slack shows
    an email address but does not call it confirmed.
    """

    team_id: TeamId
    user_id: UserId
    name: str
    standing: MembershipStatus
    email: str | None = field(default=None, repr=False)
    other_id: UserId | None = None
    has_unconfirmed_email: bool = False
    locale: str = ""
    workspaces: tuple[TeamId, ...] = ()

    @property
    def team_ids(self) -> tuple[TeamId, ...]:
        """Return the ids of the team and workspaces under which the store may hold rows about this person."""
        return tuple(dict.fromkeys((self.team_id, *self.workspaces)))

    @property
    def ids(self) -> tuple[UserId, ...]:
        """Return all Slack ids of this person: one, or two in an Enterprise Grid."""
        return (self.user_id, self.other_id) if self.other_id else (self.user_id,)


@dataclass(frozen=True, slots=True)
class Host:
    """A Genesys user who can host sessions. `rule` is the name of the host rule that found the user."""

    id: HostId
    rule: str


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A Genesys user, as a search of the users returns it. `name` is for display only.

    `is_certain` is False in two cases: Genesys's answer counts this user but does not list it, or the answer does not
    say whether the user is active.
    """

    id: str
    active: bool
    email: str = field(repr=False)
    is_certain: bool = True
    name: str = ""


class RequestKind(StrEnum):
    """The kinds of requests, one for each action that people can request."""

    START = "start"
    WHOAMI = "whoami"
    HELP = "help"
    LAST = "last"
    STATUS = "status"
    LIST = "list"
    END = "end"
    SHARE = "share"
    DIRECT = "direct"
    APPS = "apps"
    LINK = "link"
    UNLINK = "unlink"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    WHY = "why"
    PROPOSE = "propose"
    SEND = "send"
    CANCEL = "cancel"
    """A press of *Cancel*: the bot does not send the link that it has asked about."""
    STEP = "step"
    RECHECK = "recheck"
    ASK = "ask"
    TELL = "tell"


STARTS = (RequestKind.START, RequestKind.STEP)
"""The kinds of requests that create a session."""


CARD_KEY, ROW_KEY, START_NEW_KEY = "card:", "row:", "start-new:"
"""How a request's `key` begins: CARD_KEY if its button is on a session card, ROW_KEY if it is in a list of sessions,
START_NEW_KEY if it is *Start a new one*."""


class RequestState(StrEnum):
    """The state of a request: accepted, creating, created or failed, then answered.

    A request that creates nothing skips `creating` and `created`. A request whose call has to wait goes back from
    `creating` to `accepted`.
    """

    ACCEPTED = "accepted"
    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class OtherSession:
    """The agent's newest session that is still open when another session of this agent starts.

    `ends_at` is None if the customer is in the session, because its end is not known then. `count` is the number of the
    agent's open sessions, without the one that starts.
    """

    id: SessionId
    name: str
    ends_at: datetime | None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of one person. If Slack delivers a command or press twice, both deliveries are one request.

    - `key`: Slack's id of the command or button press; all deliveries of one invocation have the same key.
    - `target`: the agent whom the requester named; None if the requester is the agent.
    - `argument`: the parameter of kinds that need one, such as an id, a customer's address or encoded StartDetails.
    - `application_id`, `timeout_seconds`: None selects the default of the settings.
    - `conversation_id`: the Genesys conversation in which to co-browse, None for the host's only one.
    - `channel_id`: "" if the request came from no channel.
    - `view_id`: the open modal that shows the answer, None if the request came from no modal.
    - `trace_context`: the trace of the request, as W3C's `traceparent[, tracestate]`; None without one.
    - `reply_url`: Slack's response_url, a secret.
    - `replaces`: whether the answer replaces the message with the pressed button.
    - `duplicate_of`: the earlier request that shares its session with this one.
    - `is_group_message`: whether the request came from a group message, where the bot cannot post. This is not stored.
    - `other_open`: the agent's newest session that is open when the request is accepted. This is not stored.
    """

    id: RequestId
    key: str
    kind: RequestKind
    team_id: TeamId
    enterprise_id: TeamId | None
    channel_id: ChannelId
    requester: UserId
    accepted_at: datetime
    target: UserId | None = None
    name: str | None = None
    argument: str | None = field(default=None, repr=False)
    application_id: str | None = None
    timeout_seconds: int | None = None
    conversation_id: ConversationId | None = None
    reply_url: str | None = field(default=None, repr=False)
    replaces: bool = False
    view_id: str | None = None
    trace_context: str | None = None
    duplicate_of: RequestId | None = None
    is_group_message: bool = field(default=False, compare=False)
    other_open: OtherSession | None = field(default=None, compare=False)

    @property
    def is_on_card(self) -> bool:
        """Return whether the pressed button is on a session's card. The result then replaces the card."""
        return self.replaces and self.key.startswith(CARD_KEY)

    @property
    def is_in_list(self) -> bool:
        """Return whether the pressed button is in a list of sessions. The result then replaces the list."""
        return self.replaces and self.key.startswith(ROW_KEY)

    @property
    def agent(self) -> UserId:
        """Return the agent: `target`, or the requester if there is no `target`."""
        return self.target or self.requester

    @property
    def for_another(self) -> bool:
        """Return whether the session is for an agent who is not the requester.

        Return False if requesters name themselves.
        """
        return self.agent != self.requester

    def repeated(self, press: "Request") -> "Request":
        """Return a new request that carries this one out again, after a person has pressed a button.

        The button is *Try again*, or one that chooses a conversation. `press` is the request that the button made. The
        new request takes the id, key, time, response_url, modal and trace of `press`, and also its application,
        conversation and argument, if `press` has them.
        """
        return replace(
            self,
            id=press.id,
            key=press.key,
            accepted_at=press.accepted_at,
            application_id=press.application_id or self.application_id,
            conversation_id=press.conversation_id or self.conversation_id,
            argument=press.argument or self.argument,
            reply_url=press.reply_url,
            replaces=press.replaces,
            view_id=press.view_id,
            trace_context=press.trace_context,
            is_group_message=press.is_group_message,
            duplicate_of=None,
        )


def new_request_id() -> RequestId:
    """Return a new random id of twelve letters and digits (60 bits). People can hardly confuse them.

    It is not a secret.
    """
    return RequestId("".join(random.choices(_READABLE, k=12)))  # noqa: S311


def team_of(request: Request) -> TeamId:
    """Return the id under which to store a request's sessions: the Enterprise Grid's, else the workspace's.

    In a Grid, people may press a button in another workspace than the one where the command was typed. User ids are
    unique in the whole Grid.
    """
    return request.enterprise_id or request.team_id


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One execution of the bot's step in a Slack workflow.

    `workflow_execution_id` is the id of the workflow's execution, "" if Slack sent none. Slack sends no id of the
    workflow, so administrators search Slack for the id of the workflow's execution. The request holds both ids, so any
    replica can complete the step.
    """

    execution_id: str
    workflow_execution_id: str = ""

    @property
    def key(self) -> str:
        """Return the key of the step's request. Slack's repeated deliveries of one execution have the same key."""
        return f"step:{self.execution_id}"

    @property
    def argument(self) -> str:
        """Return both ids as text, which is the `argument` of the step's request.

        The text differs for each execution. So the requests of two executions are never duplicates, and two customers
        never share a session.
        """
        return f"{self.execution_id} {self.workflow_execution_id}".strip()


def step_of(request: Request) -> WorkflowStep | None:
    """Return the workflow step that made a request; None if no workflow made it."""
    if request.kind is not RequestKind.STEP or not request.argument:
        return None
    execution_id, _, workflow_execution_id = request.argument.partition(" ")
    return WorkflowStep(execution_id, workflow_execution_id)


def is_unasked(request: Request) -> bool:
    """Return True if a workflow, or somebody other than the agent, asked for the session.

    The bot then notifies the agent.
    """
    return request.for_another or request.kind is RequestKind.STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessionRequest:
    """The parameters of a session to create.

    `context` says where the session was asked for: "slack" or "command-line". `conversation_id` is for services whose
    sessions belong to conversations; with None, the service finds the host's conversation. `agent` is the host's Slack
    user, None outside Slack. `for_another`: whether somebody else or a workflow asked for the session. `open_sessions`:
    the host's open sessions by conversation; the service must replace none of them.
    """

    host_id: HostId
    name: str
    application_id: str = ""
    application_type: str
    timeout_seconds: int
    request_id: RequestId
    context: str
    conversation_id: ConversationId | None = None
    agent: SlackUser | None = None
    for_another: bool = False
    open_sessions: Mapping[ConversationId, SessionId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionDefaults:
    """The default application and time-out of a session.

    `phone_countries` (ISO codes) help to find phone numbers in session names: a number without a plus counts if it is
    valid in one of these countries. A session name that contains a phone number is replaced by a neutral one.
    """

    application_id: str = "web"
    application_type: str = "web"
    timeout_seconds: int = 1800
    phone_countries: Collection[str] = ()

    def order(self, request: Request, agent: SlackUser, host: Host, name: str) -> CreateSessionRequest:
        """Return the parameters of the session to create for a request.

        The defaults fill in what the request does not set. `name` is the session's name.
        """
        return CreateSessionRequest(
            host_id=host.id,
            name=name[:NAME_LENGTH],
            application_id=request.application_id or self.application_id,
            application_type=self.application_type,
            timeout_seconds=request.timeout_seconds or self.timeout_seconds,
            request_id=request.id,
            context="slack",
            conversation_id=request.conversation_id,
            agent=agent,
            for_another=is_unasked(request),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that the service has created. It ends at `ends_at` at the latest, when its time-out is over.

    `join_url` is the customer's link and `join_code` the customer's code; both are secrets. If the service returns a
    code, `ends_at` is the time when the code expires, and `join_url` may be "". `reference` is the service's
    correlation id. `lasts_seconds` is the time from the service's answer to `ends_at`, independent of the bot's clock;
    None for a session that was read from the store. `conversation_id` is the session's conversation, if it is known.
    `is_call`: whether that conversation is a phone call; None if it is not known.
    """

    id: SessionId
    status: str
    host_id: HostId
    name: str
    application_id: str = ""
    ends_at: datetime
    join_url: str = field(repr=False)
    join_code: str = field(default="", repr=False)
    reference: str | None = None
    lasts_seconds: float | None = field(default=None, compare=False)
    conversation_id: ConversationId | None = field(default=None, compare=False)
    is_call: bool | None = None


class SessionPhase(StrEnum):
    """The progress of a session, as Genesys reports it: waiting for the customer, joined, over or unused."""

    UNKNOWN = "unknown"
    """Genesys does not say."""
    WAITING = "waiting"
    """The customer can join, and has not joined yet."""
    JOINED = "joined"
    """The customer has joined, and the session goes on."""
    OVER = "over"
    """The session is over."""
    UNUSED = "unused"
    """Nobody can join any more, and the customer never joined."""


class SessionEnding(StrEnum):
    """How a session ended, if the customer had joined it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SessionState:
    """The state of a session, as Genesys reports it. What Genesys does not report is None, "" or UNKNOWN.

    - `joined_at`: when the customer joined. `ended_at`: when the session was over.
    - `ending`: how the session ended.
    - `is_link_dead`: nobody else can join. This is known even if the phase is unknown.
    - `viewer_url`: the address at which the host sees the customer's screen, a secret of the host.
    """

    phase: SessionPhase = SessionPhase.UNKNOWN
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    ending: SessionEnding | None = None
    is_link_dead: bool = False
    viewer_url: str = field(default="", repr=False)

    @property
    def is_final(self) -> bool:
        """Return whether this state is the last one: the session is over, or nobody joined it in time."""
        return self.phase in (SessionPhase.OVER, SessionPhase.UNUSED)


UNKNOWN_STATE = SessionState()


class LiveMode(StrEnum):
    """How the bot learns that a customer joined: not at all, by asking Genesys, or by Genesys's notifications."""

    OFF = "off"
    POLL = "poll"
    PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as stored.

    - `session`: the session as created. The link is "" once nobody else can join, and in the copy for a person who may
      not see the link.
    - `request_id`: the request that created the session.
    - `channel_id`: the channel of that request, "" if it is unknown.
    - `ended_by`, `ender`: the request that ended the session, and the requester of that request; None if no request
      ended it.
    - `ended_at`: when the session ended; None if it is open or its time ran out.
    - `read_at`: when the record was read, by the store's clock. `session.ends_at` is by the same clock.
    - `state`: the session's state as Genesys last reported it.
    - `is_gone`: nobody else can join, although the session may go on.
    """

    session: Session
    team_id: TeamId
    requester: UserId
    agent: UserId
    is_over: bool
    request_id: RequestId | None = None
    channel_id: ChannelId = ChannelId("")
    started_at: datetime | None = field(default=None, compare=False)
    ended_by: RequestId | None = None
    ender: UserId | None = None
    ended_at: datetime | None = field(default=None, compare=False)
    is_gone: bool = False
    read_at: datetime | None = field(default=None, compare=False)
    state: SessionState = field(default=UNKNOWN_STATE, compare=False)

    def concerns(self, *user_ids: UserId) -> bool:
        """Return whether one of these ids belongs to the session's requester or agent.

        Only the requester and the agent may read the link.
        """
        return self.requester in user_ids or self.agent in user_ids

    def seen_by(self, *user_ids: UserId) -> "SessionRecord":
        """Return the record as a person with these ids may see it.

        The requester and the agent see everything. For anybody else, return a copy without the link.
        """
        if self.concerns(*user_ids):
            return self
        state = replace(self.state, viewer_url="")
        return replace(self, session=replace(self.session, join_url="", join_code=""), state=state)


class PostedMessageKind(StrEnum):
    """The audience of a posted message: everybody in a channel (SHARED), or one person (DIRECT)."""

    SHARED = "shared"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A Slack message about a session, which the bot can update later.

    `ts` is the message's id within its channel, "" before it is posted. `request_id` is the request that shared the
    session in the channel, None for any other message.
    """

    session_id: SessionId
    channel_id: ChannelId
    ts: str
    kind: PostedMessageKind
    request_id: RequestId | None = None


class NoticeKind(StrEnum):
    """The kinds of notices: what a notice is about."""

    FAULT = "fault"
    """A fault exists that an administrator has to fix."""
    ENDED = "ended"
    """Somebody else has ended an agent's session. That agent gets the notice."""
    ACCESS = "access"
    """A person asks the administrators to be connected to a Genesys user."""
    WELCOME = "welcome"
    """An administrator has connected a person to a Genesys user. The person gets the notice."""
    HELP = "help"
    """A person asks the administrators for something that only administrators can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMessage:
    """A Slack message that shows a notice. `reader` is the id of the user or channel that gets it.

    `ts` is Slack's id of the message, "" if Slack accepts no message for this reader. `version` is the version of the
    notice that the message shows. `opened_at` is the notice's `opened_at` at the time when the message was posted.
    `is_over`: whether the message says that the notice is over.
    """

    reader: str
    channel_id: ChannelId
    ts: str
    version: int
    opened_at: datetime
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A fault, a request for access or another situation about which the bot sends people messages.

    The bot updates the messages when the situation changes. A notice is over when its situation has ended.

    - `key`: the id of the situation, unique among the notices of this kind.
    - `version`: 0 before the notice is stored; each change increases it.
    - `shown`: the version that all messages show.
    - `opened_at`: new messages replace the messages from before this time.
    - `over_at`: the time when the situation ended, None while it goes on.
    - `data`: the content of the messages, as JSON values.
    - `read_at`: the time when the notice was read. All times are by the store's clock.
    - `takes`: counts how often a replica reserved the notice to send its messages. It identifies the reservation.
    """

    kind: NoticeKind
    key: str
    team_id: TeamId
    opened_at: datetime
    read_at: datetime
    over_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    shown: int = 0
    takes: int = 0
    messages: tuple[NoticeMessage, ...] = ()

    @property
    def current(self) -> tuple[NoticeMessage, ...]:
        """Return the messages that were posted since `opened_at`, without the earlier messages that they replace."""
        return tuple(message for message in self.messages if message.opened_at == self.opened_at)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Result: a session was created.

    `agent_told`: whether the bot notified the agent, None if the agent typed the command. `rule`: the rule that found
    the host. `is_shared`: whether the session was posted in the requested thread, None if no thread was requested.
    `share_error`: the reason if it was not.
    """

    code = "session_started"
    session: Session
    agent_told: bool | None = None
    rule: str = ""
    is_shared: bool | None = None
    share_error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Result of whoami: the Genesys user who hosts the person's sessions.

    `connected`: whether the person has linked their own Genesys account by a sign-in; None if nobody can link one.
    """

    code = "identity"
    person: SlackUser
    host: Host
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """An interim message to a requester: Genesys takes the call in about `wait_seconds`.

    With `wait_seconds` None, the message says that the request is still being processed.
    """

    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """A sign-in that has not happened yet: a person has a sign-in link and has not used it.

    `team_id`, `enterprise_id`: where the person typed the command. `verifier`: the PKCE verifier, a secret.
    """

    person: PersonKey
    team_id: TeamId
    enterprise_id: TeamId | None
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """A person's own Genesys account. `refresh_token` is "" when the bot has no encryption key that can decrypt it."""

    person: PersonKey
    host_id: HostId
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """A linked account that is locked while one task renews its token. No other task or replica renews it meanwhile.

    `connection` is the account. `renew` stores a new refresh token, `drop` deletes the account. Both return False and
    do nothing if the account was changed or deleted meanwhile. Both raise StorageUnavailableError if the database
    fails.
    """

    connection: LinkedAccount
    renew: Callable[[str], Awaitable[bool]]
    drop: Callable[[], Awaitable[bool]]
