"""The nouns of the house: person, host, request, session, and the outcomes a request can have.

All frozen. Fields that hold a secret are left out of every repr, so that no log line or traceback can show them.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

TeamId = NewType("TeamId", str)
"""A Slack workspace, `T…` (or an Enterprise Grid organisation, `E…`)."""
UserId = NewType("UserId", str)
"""A Slack user, `U…` or `W…`. Unique within a team only: key people on (TeamId, UserId)."""
ChannelId = NewType("ChannelId", str)
"""A Slack conversation, `C…`, `G…` or `D…`."""
HostId = NewType("HostId", str)
"""A Genesys user, a lower-case UUID."""
SessionId = NewType("SessionId", str)
"""What the session service calls a session. Opaque."""
ConversationId = NewType("ConversationId", str)
"""A conversation of Genesys Cloud, a lower-case UUID."""
RequestId = NewType("RequestId", str)
"""Our own reference, twelve characters that can be read out over a phone."""
_READABLE = "abcdefghijklmnopqrstuvwxyz234567"


NAME_LENGTH = 100
"""The longest session name, in characters."""


class Role(StrEnum):
    """What a member may do beyond starting sessions of their own."""

    MEMBER = "member"
    SUPERVISOR = "supervisor"
    ADMIN = "administrator"


class MembershipStatus(StrEnum):
    """What somebody is to the workspace. Only a member may do anything."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OUTSIDER = "outsider"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A Slack user. `email` is None unless Slack holds a confirmed address; `name` is for display only.

    In an Enterprise Grid one person has two ids: `user_id` is the one that was asked for, `other_id` the other one.
    `has_unconfirmed_email`: Slack shows an address, and does not call it confirmed.
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
        """All ids that Slack has for this person."""
        return (self.user_id, self.other_id) if self.other_id else (self.user_id,)


@dataclass(frozen=True, slots=True)
class Host:
    """A Genesys user who can host sessions, and the rule of the chain that found them."""

    id: HostId
    rule: str


class RequestKind(StrEnum):
    """What a request asks for."""

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


class RequestState(StrEnum):
    """Where a request is on its way; design: accepted <-> creating -> created -> answered, or failed -> answered."""

    ACCEPTED = "accepted"
    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing one person asked for, once.

    `key` is Slack's own id of the invocation, so that what is delivered twice is one request. `target` is whom the
    session is for, None for oneself; `conversation_id` which conversation it is for, None for the one there is.
    `reply_url` is Slack's response_url: a secret. `replaces` is true when the answer takes the place of the message
    whose button was pressed. `argument` is what a kind takes beside these: a session's id, an address. `application_id`
    and `timeout_seconds` are None for what the settings say. Without a `channel_id` it was asked for nowhere special.
    `is_group_message`: it was asked for in a group message, where the bot cannot be; this is not stored.
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
    same_as: RequestId | None = None
    is_group_message: bool = field(default=False, compare=False)

    @property
    def agent(self) -> UserId:
        """Whose session it is to be."""
        return self.target or self.requester

    @property
    def for_another(self) -> bool:
        """Whether somebody other than the requester is to host it. A mention of oneself is oneself."""
        return self.agent != self.requester

    def repeated(self, press: "Request") -> "Request":
        """The same wish once more, of the same person, to be answered where they pressed; a press may say for which
        conversation."""
        return replace(
            self,
            id=press.id,
            key=press.key,
            accepted_at=press.accepted_at,
            conversation_id=press.conversation_id or self.conversation_id,
            reply_url=press.reply_url,
            replaces=press.replaces,
            is_group_message=press.is_group_message,
            same_as=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessionRequest:
    """What the session service is asked for. `context` says where the wish came from ("slack", "command-line").

    `conversation_id` is for the service that has sessions inside of conversations: None leaves it to find the host's.
    `agent` is who the host is in Slack, None where no Slack is, and `for_another` whether somebody else asks.
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


@dataclass(frozen=True, slots=True)
class SessionDefaults:
    """What every session of this bot is made of: application and time-out."""

    application_id: str = "web"
    application_type: str = "web"
    timeout_seconds: int = 1800

    def order(self, request: Request, agent: SlackUser, host: Host) -> CreateSessionRequest:
        """What a request from Slack asks the service for."""
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
    """A session that exists. `join_url` is the customer's, and a secret; `ends_at` is when its time-out ends it.

    `join_code` is a secret, too: where the service gives one, `ends_at` is until when it can be used, and `join_url`
    may be empty. `reference` is the service's correlation id of the answer that brought it. `lasts_seconds` counts
    from then to `ends_at`, so that no clock of ours is needed; None for one that is read from the store.
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


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Outcome: the session; whether an agent it was started for could be told, None for oneself; the host's rule."""

    code = "session_started"
    session: Session
    agent_told: bool | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Outcome of whoami: which host somebody is, by which rule; None for `connected` where nobody can be."""

    code = "identity"
    person: SlackUser
    host: Host
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """A word in between: still working, or waiting for the service for about so many seconds."""

    wait_seconds: float | None = None


def new_request_id() -> RequestId:
    """Sixty random bits, in letters and digits that are not mistaken for each other. It is no secret."""
    return RequestId("".join(random.choices(_READABLE, k=12)))  # noqa: S311
