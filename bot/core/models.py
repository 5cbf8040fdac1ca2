"""Define the data of the core: people, hosts, requests, sessions, posted messages and linked accounts.

All classes are frozen. Their `repr` leaves out all fields that hold a secret.
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
"""A host link: a Slack user, given by team and user id, and the Genesys user as whom the Slack user hosts sessions.

The team is None if the link applies to the user id in every team."""

_READABLE = "abcdefghijklmnopqrstuvwxyz234567"
NAME_LENGTH = 100
"""The maximum length of a session name, in characters."""


class Role(StrEnum):
    """The role of a member of the workspace.

    Members may start sessions for themselves. The glossary says what supervisors and administrators may do.
    """

    MEMBER = "member"
    SUPERVISOR = "supervisor"
    ADMIN = "administrator"


class MembershipStatus(StrEnum):
    """How a Slack user belongs to the workspace. Only a MEMBER may use the bot."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OUTSIDER = "outsider"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A Slack user.

    - `team_id`: the Slack workspace or organization to which the bot token belongs; "" if Slack does not know the user.
    - `user_id`: the person's main id.
    - `other_id`: the second id of a person who has two ids in an Enterprise Grid organization; else None.
    - `name`: for display only.
    - `standing`: how the user belongs to the workspace.
    - `email`: the confirmed email address; None if Slack returned no confirmed address.
    - `has_unconfirmed_email`: True if Slack returned an email address that is not confirmed; `email` is then None.
    - `locale`: the language in which the person reads Slack, such as `fr-FR`; "" if unknown.
    - `workspaces`: the person's Slack workspaces if the bot serves a whole organization; else empty.
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
        """Return the team ids under which to search the database for this person: `team_id`, then `workspaces`."""
        return tuple(dict.fromkeys((self.team_id, *self.workspaces)))

    @property
    def ids(self) -> tuple[UserId, ...]:
        """Return all Slack ids of this person: the main id, then the second id if there is one."""
        return (self.user_id, self.other_id) if self.other_id else (self.user_id,)


@dataclass(frozen=True, slots=True)
class Host:
    """A Genesys user who can host sessions. `rule`: the name of the host rule that found the user."""

    id: HostId
    rule: str


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A Genesys user in the answer to a search for users.

    - `name`: for display only; "" if unknown.
    - `is_certain`: False if Genesys did not say whether the user is active.

    If Genesys found more users than it returned, the last user in the list is a placeholder. Its `id` is "", and its
    `is_certain` is False.
    """

    id: str
    active: bool
    email: str = field(repr=False)
    is_certain: bool = True
    name: str = ""


class RequestKind(StrEnum):
    """The kinds of requests, one for each action that people can request. Most are named after their command."""

    START = "start"
    WHOAMI = "whoami"
    HELP = "help"
    LAST = "last"
    STATUS = "status"
    LIST = "list"
    END = "end"
    SHARE = "share"
    """Post the card of a session in the request's channel."""
    DIRECT = "direct"
    """Send the card of a session to the requester as a direct message."""
    APPS = "apps"
    LINK = "link"
    UNLINK = "unlink"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    WHY = "why"
    PROPOSE = "propose"
    """Show the requester a preview of a message to a customer. The button *Send* then makes a SEND request, and
    *Cancel* makes a CANCEL request."""
    SEND = "send"
    CANCEL = "cancel"
    """Send nothing, because the requester pressed *Cancel* in a preview."""
    STEP = "step"
    """Start a session for a step of a Slack workflow."""
    RECHECK = "recheck"
    """Test whether a fault is fixed, after a press of *Check again*."""
    ASK = "ask"
    """Ask the administrators to connect a person to a Genesys user."""
    TELL = "tell"
    """Tell the administrators about a failed request."""


STARTS = (RequestKind.START, RequestKind.STEP)
"""The kinds of requests that create a session."""


CARD_KEY, ROW_KEY, START_NEW_KEY, TRY_AGAIN_KEY = "card:", "row:", "start-new:", "try-again:"
"""The prefixes of a request's `key`, by the pressed button. CARD_KEY: a button on a session card · ROW_KEY: a button
in a list of sessions · START_NEW_KEY: *Start a new one* · TRY_AGAIN_KEY: *Try again*, or another press on a button that
works only once. The id of the failed request follows TRY_AGAIN_KEY, which can follow CARD_KEY or START_NEW_KEY."""


class RequestState(StrEnum):
    """The state of a request. The glossary says what each state means.

    - A start goes from `accepted` to `creating`, `created` and `answered`. So does a request that sends a message to a
      customer.
    - All other requests go from `accepted` to `answered`.
    - A request that ends with an error goes to `failed`, then to `answered`.
    - If the call to Genesys has to wait or is repeated, the request first goes back from `creating` to `accepted`.
    """

    ACCEPTED = "accepted"
    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class OtherSession:
    """An agent's newest open session besides the session on a session card. The card mentions this other session.

    - `ends_at`: when the other session ends; None if the customer has joined, because the end is then unknown.
    - `count`: how many open sessions the agent has besides the session on the card.
    """

    id: SessionId
    name: str
    ends_at: datetime | None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of one person.

    - `key`: the id of the command or press, in most cases after a prefix such as CARD_KEY. The id is Slack's, or the
      bot's for a button that works only once. Requests with the same key count as one, so a second delivery by Slack
      has no effect.
    - `team_id`, `enterprise_id`: the Slack workspace and the Enterprise Grid organization from which the request came.
      `enterprise_id` is None if there is no organization.
    - `accepted_at`: when the bot received the command or press.
    - `pressed_at`: when the person pressed the button, by Slack's clock; None if unknown. Not stored.
    - `target`: the person whom the requester named, such as the agent of a start; None if the request is about the
      requester.
    - `name`: the session name that the requester typed; None if they typed none.
    - `argument`: the text that some kinds of requests need, such as a session's id or a customer's address.
    - `application_id`, `timeout_seconds`: the application and the duration of the session to create. None selects the
      default of the settings.
    - `conversation_id`: the Genesys conversation in which to create the session. None if the requester named none. With
      the public API, the bot then uses the host's only live conversation. It refuses the start if the host has none or
      several.
    - `channel_id`: the Slack channel; "" if the request came from no channel.
    - `view_id`: Slack's id of the open modal that shows the answer; None if the request came from no modal.
    - `trace_context`: the request's trace, in the form of W3C's `traceparent[, tracestate]`; None if there is no trace.
    - `reply_url`: Slack's response_url, a secret; None if there is none.
    - `replaces`: True if the answer replaces the message that contains the pressed button.
    - `duplicate_of`: the earlier request whose session this request shares; None if this request gets a new session.
    - `is_group_message`: True if the request came from a group message, where the bot cannot post. Not stored.
    - `other_open`: the newest open session of the agent of a START request; None if there is none, and for other kinds
      of requests. Not stored.
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
    pressed_at: datetime | None = field(default=None, compare=False)
    other_open: OtherSession | None = field(default=None, compare=False)

    @property
    def is_on_card(self) -> bool:
        """Return True if two things hold: the pressed button is on a session card, and the answer replaces the card."""
        return self.replaces and self.key.startswith(CARD_KEY)

    @property
    def is_in_list(self) -> bool:
        """Return True if two things hold: the pressed button is in a list of sessions, and the answer replaces it."""
        return self.replaces and self.key.startswith(ROW_KEY)

    @property
    def agent(self) -> UserId:
        """Return the agent: `target`, or the requester if there is no `target`."""
        return self.target or self.requester

    @property
    def for_another(self) -> bool:
        """Return whether the agent is another person than the requester."""
        return bool(self.target) and self.target != self.requester

    def repeated(self, press: "Request") -> "Request":
        """Return the request that repeats this request after a press on a button such as *Try again*.

        `press`: the request that the listener made from the press.

        The result is a copy of this request, except for these fields:

        - `id`, `key`, `accepted_at`, `pressed_at`, `reply_url`, `replaces`, `view_id`, `trace_context` and
          `is_group_message` come from `press`.
        - `application_id`, `conversation_id` and `argument` come from `press` if `press` has a value for the field.
        - `duplicate_of` is None.
        """
        return replace(
            self,
            id=press.id,
            key=press.key,
            accepted_at=press.accepted_at,
            pressed_at=press.pressed_at,
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
    """Return a new random id of twelve letters and digits (60 bits). The id is not a secret."""
    return RequestId("".join(random.choices(_READABLE, k=12)))  # noqa: S311


def team_of(request: Request) -> TeamId:
    """Return the id of the request's Enterprise Grid organization; the id of its Slack workspace if there is none.

    The database holds the sessions of the request under this id.
    """
    # In a Grid, people may press a button in another workspace than the one where the command was typed.
    return request.enterprise_id or request.team_id


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One execution of the bot's step in a Slack workflow.

    - `execution_id`: Slack's id of the step's execution.
    - `workflow_execution_id`: Slack's id of the workflow's execution; "" if Slack sent none.
    """

    execution_id: str
    workflow_execution_id: str = ""

    @property
    def key(self) -> str:
        """Return the `key` of the step's request. Two deliveries of one execution have the same key."""
        return f"step:{self.execution_id}"

    @property
    def argument(self) -> str:
        """Return the text `execution_id workflow_execution_id`, for the `argument` of the step's request.

        The text is different for each execution, so the request of a step is never a duplicate request.
        """
        return f"{self.execution_id} {self.workflow_execution_id}".strip()


def step_of(request: Request) -> WorkflowStep | None:
    """Return the workflow step that made a request; None if no workflow step made the request."""
    if request.kind is not RequestKind.STEP or not request.argument:
        return None
    execution_id, _, workflow_execution_id = request.argument.partition(" ")
    return WorkflowStep(execution_id, workflow_execution_id)


def is_unasked(request: Request) -> bool:
    """Return True if the agent did not ask for the session: a workflow or another person requested it."""
    return request.for_another or request.kind is RequestKind.STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessionRequest:
    """The parameters of a session to create.

    - `context`: where the session was requested: "slack" or "command-line".
    - `conversation_id`: the Genesys conversation in which to create the session. None if the requester named none. With
      the public API, the bot then uses the host's only live conversation. The create fails if the host has none or
      several.
    - `agent`: the host's Slack user; None outside Slack.
    - `for_another`: True if somebody other than the agent, or a workflow, requested the session.
    - `open_sessions`: the host's open sessions that the new session must not replace, by conversation. In the public
      API, a new session replaces the open session in the same conversation.
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
    open_sessions: "Mapping[ConversationId, SessionRecord]" = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SessionDefaults:
    """The settings for new sessions: the default application, its type and the default time-out.

    `phone_countries`: the ISO codes of countries. A session gets a neutral name if the typed name contains a phone
    number. A number without a plus counts as a phone number only if it is valid in one of these countries.
    """

    application_id: str = "web"
    application_type: str = "web"
    timeout_seconds: int = 1800
    phone_countries: Collection[str] = ()

    def order(self, request: Request, agent: SlackUser, host: Host, name: str) -> CreateSessionRequest:
        """Return the parameters of the session to create for a request. Make no call to Genesys.

        If the request has no application or no time-out, use the default.

        `name`: the session's name. The result has its first NAME_LENGTH characters.
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
    """A session that the session service has created.

    - `status`: the session service's word for the status that the session had when it was created.
    - `ends_at`: the latest end of the session. If there is a `join_code`, the time at which the code expires.
    - `join_url`: the customer's link, a secret; "" if the service returns only a code.
    - `join_code`: the customer's code, a secret; "" if the service returns only a link.
    - `reference`: the service's correlation id; None if unknown.
    - `lasts_seconds`: how long the session lasts at most: the seconds from Genesys's answer to the create call until
      `ends_at`. None for a session that was read from the database.
    - `conversation_id`: the session's conversation; None if unknown.
    - `is_call`: True if the session's conversation is a phone call; None if unknown.
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
    """The progress of a session, as Genesys reports it."""

    UNKNOWN = "unknown"
    """Genesys does not report the progress."""
    WAITING = "waiting"
    """The customer can join, and has not joined yet."""
    JOINED = "joined"
    """The customer has joined, and the session goes on."""
    OVER = "over"
    """The session is over."""
    UNUSED = "unused"
    """Nobody can join any more, and the customer never joined."""


class SessionEnding(StrEnum):
    """How a session ended after the customer had joined it.

    - CUSTOMER: the customer left.
    - AGENT: the agent's side ended the session in Genesys.
    - TIMED_OUT: the session timed out.
    - FAILED: the connection failed.
    """

    CUSTOMER = "customer"
    AGENT = "agent"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SessionState:
    """The state of a session, as Genesys reports it. If Genesys does not report a value, the field has its default.

    - `joined_at`: when the customer joined.
    - `ended_at`: when the session ended.
    - `ending`: how the session ended.
    - `is_link_dead`: True if nobody can join the session any more.
    - `viewer_url`: the URL where the host sees the customer's screen, a secret of the host.
    """

    phase: SessionPhase = SessionPhase.UNKNOWN
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    ending: SessionEnding | None = None
    is_link_dead: bool = False
    viewer_url: str = field(default="", repr=False)

    @property
    def is_final(self) -> bool:
        """Return True if the phase is OVER or UNUSED. The state of such a session does not change any more."""
        return self.phase in (SessionPhase.OVER, SessionPhase.UNUSED)


UNKNOWN_STATE = SessionState()


class LiveMode(StrEnum):
    """How the bot learns that a customer has joined.

    OFF: not at all · POLL: it asks Genesys again and again · PUSH: Genesys notifies it.
    """

    OFF = "off"
    POLL = "poll"
    PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session, as the database holds it.

    - `session`: the session. Its `join_url` and `join_code` are "" if nobody can join any more, or if the record is for
      a person who may not read them.
    - `team_id`: the Enterprise Grid organization of the session's request; its Slack workspace if there is none.
    - `request_id`: the request that created the session; None if unknown.
    - `channel_id`: the channel of the request `request_id`; "" if unknown.
    - `started_at`: when the session was stored.
    - `is_over`: True if the session has ended or its time is up.
    - `ended_by`: the request that ended the session; None if no request ended the session.
    - `ender`: the requester of `ended_by`; None if unknown.
    - `ended_at`: when the session ended; None if the session is open or its time ran out.
    - `read_at`: when the record was read from the database.
    - `state`: the session's state as Genesys last reported it.
    - `is_gone`: True if the session is open and nobody can join by its link any more.

    `read_at` and `session.ends_at` are by the database's clock.
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

    @property
    def may_continue(self) -> bool:
        """Return whether people who have joined may still be in the session after the bot has ended it.

        This is so for a session in a conversation, unless Genesys has reported its end.
        """
        return not self.session.application_id and self.state.phase is not SessionPhase.OVER

    def concerns(self, *user_ids: UserId) -> bool:
        """Return whether one of these ids is the id of the session's requester or agent."""
        return self.requester in user_ids or self.agent in user_ids

    def seen_by(self, *user_ids: UserId) -> "SessionRecord":
        """Return the record without the secrets that the person with these Slack ids may not read.

        Only the requester and the agent may read the join URL, the join code and the viewer URL. For other people,
        these are "".
        """
        if self.concerns(*user_ids):
            return self
        state = replace(self.state, viewer_url="")
        return replace(self, session=replace(self.session, join_url="", join_code=""), state=state)


class PostedMessageKind(StrEnum):
    """Who can read a posted message: everybody in a channel (SHARED) or one person (DIRECT)."""

    SHARED = "shared"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A Slack message that shows a session. The bot can update the message later.

    - `ts`: Slack's id of the message in its channel; "" before the message is posted.
    - `request_id`: the SHARE or START request that posted the message in a channel; None for a direct message.
    """

    session_id: SessionId
    channel_id: ChannelId
    ts: str
    kind: PostedMessageKind
    request_id: RequestId | None = None


class NoticeKind(StrEnum):
    """What a notice is about."""

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
    """A Slack message that shows a notice.

    - `reader`: the id of the user or channel that gets the message.
    - `ts`: Slack's id of the message; "" if Slack has refused the message and will never accept it.
    - `version`: the version of the notice that the message shows.
    - `opened_at`: the value of the notice's `opened_at` at the time of the post. It differs from the present one if the
      notice has got new messages since.
    - `is_over`: True if the message says that the notice is over.
    """

    reader: str
    channel_id: ChannelId
    ts: str
    version: int
    opened_at: datetime
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A matter that goes on, such as a fault, and the messages about it.

    - `key`: the id of the matter, unique among the notices of one kind.
    - `opened_at`: when the matter began, or when the bot last decided to post new messages about it. New messages
      replace the old ones, because Slack notifies nobody of an updated message.
    - `over_at`: when the matter ended; None while the matter goes on.
    - `data`: the content of the messages, as JSON values.
    - `version`: 0 before the notice is stored. Each change adds 1.
    - `shown`: the newest version that all messages show; less than `version` if a message has to be posted or updated.
    - `takes`: how often a replica has reserved the notice, to send its messages. The number identifies the newest
      reservation.
    - `read_at`: when the notice was read from the database.

    All times are by the database's clock.
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
        """Return the notice's messages that were posted for the present `opened_at`. Leave out older messages."""
        return tuple(message for message in self.messages if message.opened_at == self.opened_at)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Result: a session was created.

    - `agent_told`: whether Slack accepted the message that notifies the agent; None if the agent needs no notification.
    - `rule`: the name of the host rule that found the host; "" if unknown.
    - `is_shared`: whether the session was posted in a thread; None if the request names no thread.
    - `share_error`: why the session was not posted in the thread; None if `is_shared` is True or None.
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

    `connected`: whether the person has linked their own Genesys account; None if nobody can link an account.
    """

    code = "identity"
    person: SlackUser
    host: Host
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """An interim message to a requester: the request waits for Genesys, or is still being processed.

    `wait_seconds`: how long the request has to wait for Genesys; None if the request is being processed.
    """

    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """A sign-in that a person has not finished. The person has a sign-in link, and has not used the link.

    - `team_id`, `enterprise_id`: the Slack workspace and organization where the person requested the link.
    - `verifier`: the PKCE code verifier, a secret.
    """

    person: PersonKey
    team_id: TeamId
    enterprise_id: TeamId | None
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """A linked account: a person's own Genesys account, after a sign-in in the browser.

    `refresh_token`: a secret; "" if the bot has no encryption key that can decrypt it.
    """

    person: PersonKey
    host_id: HostId
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """A linked account that one task has locked, so that no other task of any replica renews its token.

    - `connection`: the account.
    - `renew`: stores a new refresh token.
    - `drop`: deletes the account.

    `renew` and `drop` return True if they changed the database. They return False and change nothing if another task
    has changed or deleted the account. They raise StorageUnavailableError if the database fails.
    """

    connection: LinkedAccount
    renew: Callable[[str], Awaitable[bool]]
    drop: Callable[[], Awaitable[bool]]
