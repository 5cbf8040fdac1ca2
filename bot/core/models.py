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
"""A Slack workspace, `T…`, or an Enterprise Grid organisation, `E…`."""
UserId = NewType("UserId", str)
"""A Slack user, `U…` or `W…`. It is unique within a team only, so people are keyed by (TeamId, UserId)."""
ChannelId = NewType("ChannelId", str)
"""A Slack conversation, `C…`, `G…` or `D…`."""
HostId = NewType("HostId", str)
"""A Genesys user, a lower-case UUID."""
SessionId = NewType("SessionId", str)
"""The session service's id of a session. Opaque."""
ConversationId = NewType("ConversationId", str)
"""A conversation of Genesys Cloud, a lower-case UUID."""
RequestId = NewType("RequestId", str)
"""The bot's id of a request: twelve characters that a person can read out over the phone."""
PersonKey = tuple[TeamId, UserId]
HostLink = tuple[TeamId | None, UserId, HostId]
"""An administrator's link from a user to a host. The team is None if the link is for every team."""

_READABLE = "abcdefghijklmnopqrstuvwxyz234567"
NAME_LENGTH = 100
"""The maximum length of a session name, in characters."""


class Role(StrEnum):
    """The role of a member. It decides what the member may do beyond starting sessions for themselves."""

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
    """A Slack user. `email` is None unless Slack holds a confirmed e-mail address; `name` is for display only.

    In an Enterprise Grid one person can have two ids: `user_id` is the id that was looked up, `other_id` the second id.
    `has_unconfirmed_email`: Slack shows an e-mail address but does not call it confirmed.
    """

    team_id: TeamId
    user_id: UserId
    name: str
    standing: MembershipStatus
    email: str | None = field(default=None, repr=False)
    other_id: UserId | None = None
    has_unconfirmed_email: bool = False

    @property
    def ids(self) -> tuple[UserId, ...]:
        """Return all ids that Slack has for this person."""
        return (self.user_id, self.other_id) if self.other_id else (self.user_id,)


@dataclass(frozen=True, slots=True)
class Host:
    """A Genesys user who can host sessions. `rule` is the name of the rule that found this user."""

    id: HostId
    rule: str


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A Genesys user as the directory returns it. `name` is for display only.

    `is_certain` is False if the directory counted the user without returning it, or did not return its state.
    """

    id: str
    active: bool
    email: str = field(repr=False)
    is_certain: bool = True
    name: str = ""


class RequestKind(StrEnum):
    """The kinds of requests, one for each thing that people can ask for."""

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
    STEP = "step"
    RECHECK = "recheck"
    ASK = "ask"


STARTS = (RequestKind.START, RequestKind.STEP)
"""The kinds that create a session."""


class RequestState(StrEnum):
    """The state of a request: accepted <-> creating -> created -> answered, or failed -> answered."""

    ACCEPTED = "accepted"
    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing that one person asked for, once.

    `key` is Slack's own id of the invocation, so that what Slack delivers twice is one request. `target` is the agent
    that the session is for, None for the requester. `conversation_id` is the Genesys conversation to co-browse in, None
    for the host's only one. `reply_url` is Slack's response_url, a secret. `replaces`: the answer replaces the message
    whose button was pressed. `argument` is the parameter of kinds that need one: an id, an address, StartDetails.
    `application_id` and `timeout_seconds` are None for the settings' values. `channel_id` is "" where there is no
    channel. `view_id` is the open modal that shows the answer, None for a request that came from none. `duplicate_of`
    is the request whose session this one gets. `is_group_message`: it came from a group message, where the bot cannot
    post; this is not stored.
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
    duplicate_of: RequestId | None = None
    is_group_message: bool = field(default=False, compare=False)

    @property
    def agent(self) -> UserId:
        """Return the user who hosts the session."""
        return self.target or self.requester

    @property
    def for_another(self) -> bool:
        """Return whether the host is another person than the requester. A requester can also name themselves: False."""
        return self.agent != self.requester

    def repeated(self, press: "Request") -> "Request":
        """Return a copy that runs again after a press of *Try again* or of a conversation's button.

        Id, key, time, reply_url and view are those of `press`; so is the conversation, if `press` names one.
        """
        return replace(
            self,
            id=press.id,
            key=press.key,
            accepted_at=press.accepted_at,
            conversation_id=press.conversation_id or self.conversation_id,
            argument=press.argument or self.argument,
            reply_url=press.reply_url,
            replaces=press.replaces,
            view_id=press.view_id,
            is_group_message=press.is_group_message,
            duplicate_of=None,
        )


def new_request_id() -> RequestId:
    """Return a new random id of twelve letters and digits (60 bits), which are hard to confuse. It is not a secret."""
    return RequestId("".join(random.choices(_READABLE, k=12)))  # noqa: S311


def team_of(request: Request) -> TeamId:
    """Return the id under which a request's sessions are stored: the Enterprise Grid's, else the workspace's.

    In a Grid, people may press a button in another workspace than the one where the command was typed. User ids are
    unique in the whole Grid.
    """
    return request.enterprise_id or request.team_id


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One execution of the workflow step. `workflow_execution_id` is that of its workflow, "" if Slack sent none.

    Slack sends no id of the workflow, so administrators search Slack for the id of the workflow's execution. The
    request holds both ids, so any replica can complete the step.
    """

    execution_id: str
    workflow_execution_id: str = ""

    @property
    def key(self) -> str:
        """Return the key of the step's request. Slack's repeated deliveries of one execution have the same key."""
        return f"step:{self.execution_id}"

    @property
    def argument(self) -> str:
        """Return the argument of the step's request. It differs for each execution, so customers share no session."""
        return f"{self.execution_id} {self.workflow_execution_id}".strip()


def step_of(request: Request) -> WorkflowStep | None:
    """Return the workflow step that a request came from; None if it came from no workflow."""
    if request.kind is not RequestKind.STEP or not request.argument:
        return None
    execution_id, _, workflow_execution_id = request.argument.partition(" ")
    return WorkflowStep(execution_id, workflow_execution_id)


def is_unasked(request: Request) -> bool:
    """Return whether somebody else or a workflow asked for the session, so the bot has to notify the host."""
    return request.for_another or request.kind is RequestKind.STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessionRequest:
    """The session that the session service has to create. `context` names the source ("slack", "command-line").

    `conversation_id` matters to a service whose sessions belong to conversations; None lets it find the host's.
    `agent` is the host's Slack user, None outside Slack. `for_another`: somebody else asked for the session.
    `open_sessions`: the host's open sessions by conversation; none of them is replaced.
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

    `phone_countries` (ISO codes): in a session name, a number without a plus that is valid in one of these countries
    counts as a phone number. Such a name is replaced.
    """

    application_id: str = "web"
    application_type: str = "web"
    timeout_seconds: int = 1800
    phone_countries: Collection[str] = ()

    def order(self, request: Request, agent: SlackUser, host: Host) -> CreateSessionRequest:
        """Build the session to create for a request from Slack."""
        return CreateSessionRequest(
            host_id=host.id,
            name=request.name or f"Co-browse with {agent.name}"[:NAME_LENGTH],
            application_id=request.application_id or self.application_id,
            application_type=self.application_type,
            timeout_seconds=request.timeout_seconds or self.timeout_seconds,
            request_id=request.id,
            context="slack",
            conversation_id=request.conversation_id,
            agent=agent,
            for_another=request.for_another,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that exists. `join_url` is the customer's link, a secret; at `ends_at` its time-out ends it.

    `join_code` is a secret, too. Where the service returns one, `ends_at` is when the code expires, and `join_url` may
    be empty. `reference` is the service's correlation id of the answer. `lasts_seconds` is the time from that answer to
    `ends_at`, independent of the bot's clock; None for a session read from the store. `conversation_id` is the
    conversation that the session belongs to, if it is known.
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


class SessionStatus(StrEnum):
    """The status of a session at the service."""

    OPEN = "open"
    GONE = "gone"
    """The join link no longer works: the customer used it, it was withdrawn, or the session ended."""
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as stored. Its link is "" when nobody else can join with it, and for people who may not see it.

    `ended_by` is the request that ended the session, None for any other end. `read_at` is the time of the read by the
    store's clock; `session.ends_at` is by the same clock.
    """

    session: Session
    team_id: TeamId
    requester: UserId
    agent: UserId
    is_over: bool
    ended_by: RequestId | None = None
    is_gone: bool = False
    read_at: datetime | None = field(default=None, compare=False)

    def concerns(self, *user_ids: UserId) -> bool:
        """Return whether one of these ids is the requester's or the host's. These two may read the link."""
        return self.requester in user_ids or self.agent in user_ids

    def seen_by(self, *user_ids: UserId) -> "SessionRecord":
        """Return the record as a person with these ids may see it: without the link unless it is their session."""
        return (
            self
            if self.concerns(*user_ids)
            else replace(self, session=replace(self.session, join_url="", join_code=""))
        )


class PostedMessageKind(StrEnum):
    """The audience of a posted message: a channel or one person."""

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
    """What a notice is about."""

    FAULT = "fault"
    """Something that an administrator has to repair."""
    ENDED = "ended"
    """Somebody else has ended an agent's session. The agent reads it."""
    ACCESS = "access"
    """A person asks the administrators to be connected to a Genesys user."""
    WELCOME = "welcome"
    """An administrator has connected a person, who is the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMessage:
    """A Slack message that shows a notice. `reader`: the user or channel that it is for.

    `ts` is Slack's id of the message, "" where Slack takes none for this reader. `version`: what it shows. `opened_at`:
    the notice's, at that time. `is_over`: it says that the matter is over.
    """

    reader: str
    channel_id: ChannelId
    ts: str
    version: int
    opened_at: datetime
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One matter that several people read about in messages which are edited as it goes on.

    `key` says which matter of its kind. `version` is 0 before it is stored, and grows with each change; `shown` is the
    version that all messages show. `opened_at`: messages from before it are replaced by new ones. `over_at`: since when
    the matter is over. `data`: what the messages say, as JSON values. All times are of the store's clock, and so is
    `read_at`, the time of the read. `takes` identifies the replica that sends the messages now.
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
        """Return the messages that replace earlier ones."""
        return tuple(message for message in self.messages if message.opened_at == self.opened_at)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Result: a session was created.

    `agent_told`: whether the bot notified the agent, None where the agent asked. `rule`: the rule that found the host.
    `is_shared`: whether the session was posted in the thread that was asked for, None where none was; `share_error`
    says why not.
    """

    code = "session_started"
    session: Session
    agent_told: bool | None = None
    rule: str = ""
    is_shared: bool | None = None
    share_error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Result of whoami: a person's host. `connected`: the person linked that account; None if nobody can link one."""

    code = "identity"
    person: SlackUser
    host: Host
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """An interim message: the request waits about `wait_seconds` for Genesys, or (None) is still being processed."""

    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """A sign-in link that the bot gave to a person and that is not used yet.

    `team_id`, `enterprise_id`: where the person typed the command. `verifier`: the PKCE verifier, a secret.
    """

    person: PersonKey
    team_id: TeamId
    enterprise_id: TeamId | None
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """A person's Genesys account. `refresh_token` is "" when none of the bot's encryption keys can decrypt it."""

    person: PersonKey
    host_id: HostId
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """A linked account under a lock, so that no other task or replica renews it at the same time.

    `renew` stores a new refresh token, `drop` deletes the account. Both return False and do nothing if the account was
    changed or deleted meanwhile. Both may raise StorageUnavailableError.
    """

    connection: LinkedAccount
    renew: Callable[[str], Awaitable[bool]]
    drop: Callable[[], Awaitable[bool]]
