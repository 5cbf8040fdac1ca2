"""Define every error that a person can read about, and SetupError for a bot that cannot run.

    SetupError: the bot cannot run as it is set up; for the terminal
    CobrowseError: base of what a person can be told
        NotAcceptedError: the request was not stored
            NotReadyError, RateLimitedError, StorageUnavailableError, MaybeAcceptedError
        PermissionDeniedError: the person may not do this
            OtherWorkspaceError, ChannelNotAllowedError, PersonNotAllowedError, StepsOffError, RoleRequiredError,
            SessionAccessError, SignInRejectedError
        ServiceError: Genesys did not do it; has Genesys's correlation id
            TokenRefusedError, LoginRefusedError, PermissionMissingError, InvalidHostError,
            UnknownApplicationError, BadRequestError, ServiceBusyError, QueueTooLongError, ServiceFailedError,
            OutcomeUnknownError, ServiceUnreachableError, UnusableAnswerError, UnknownSessionError,
            ConversationActiveError, SignInRequiredError, SignInExpiredError, NoUsableConversationError,
            SeveralConversationsError
        others
            HostNotFoundError, SlackUnavailableError, UnexpectedError, SharingError, NobodyNamedError,
            SessionActionError, RetryRejectedError, SendRejectedError, AccountLinkError, InterruptedRequestError

Each error has a stable `code`. Logs, metrics, the audit log and the database hold the code, never the name of a class.
A class with several codes lists them in the type of its field `code`. No error holds a secret. The sentences that
people read are in bot/slack/messages.
"""

import inspect
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, get_args

from bot.core.models import ChannelId, ConversationId, HostId, MembershipStatus, TeamId, UserId
from bot.core.validation.conversations import LiveConversation

WEB_PAGE = "a web page in place of an answer"
"""Replaces OAuth's error code when a gateway or firewall answered with HTML."""
_ABOUT_ADDRESS = re.compile(
    r"(?<!e-mail )(?<!email )\b(?:ip|address(?:es)?|(?:allow|white|block)-?list\w*|cidr)\b", re.I
)


class SetupError(Exception):
    """The bot cannot run as it is set up. The text says what is wrong and what to do; it holds no secret.

    `code` is stable. A class can set one code for all its errors; a single error can set a more precise one.
    """

    code = "setup_invalid"

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code or type(self).code

    @property
    def line(self) -> str:
        """Return the sentence with its code, as the command line prints it."""
        return f"{self} [{self.code}]"


class CobrowseError(Exception):
    """Base class of the errors that a person can be told.

    `code` is the stable name of the error in logs, metrics, audit log and database. Classes can be renamed, codes
    cannot. `try_again`: whether the same request may succeed later.
    """

    code: str = "error"
    try_again: bool = False

    def __str__(self) -> str:
        return self.code

    @classmethod
    def possible_codes(cls) -> tuple[str, ...]:
        """Return every code that an error of this class can have."""
        return get_args(inspect.get_annotations(cls).get("code")) or (cls.code,)


def _only(*codes: str) -> dict[str, tuple[str, ...]]:
    """Mark a dataclass field that only errors with these codes have. The stored form of other codes omits it."""
    return {"codes": codes}


class NotAcceptedError(CobrowseError):
    """The request was not stored, as far as this replica knows."""

    code = "not_accepted"


@dataclass(eq=False)
class NotReadyError(NotAcceptedError):
    """The bot is stopping, or processes as many requests as it can."""

    code: Literal["shutting_down", "overloaded"] = field()


@dataclass(eq=False)
class RateLimitedError(NotAcceptedError):
    """A limit of `limit` requests per minute is reached; the next request is possible in `wait_seconds`.

    `everybody`: the whole workspace shares this limit; else it is one person's.
    """

    code: Literal["too_many_starts", "too_many_sends", "too_many_inquiries"] = field()
    limit: int
    wait_seconds: float
    everybody: bool = False


class StorageUnavailableError(NotAcceptedError):
    """The database did not answer, or refused the write."""

    code = "storage_unavailable"


class MaybeAcceptedError(NotAcceptedError):
    """The database did not confirm the write in time. The request may be stored, and may still be processed."""

    code = "maybe_accepted"


class PermissionDeniedError(CobrowseError):
    """The person may not do this."""

    code = "not_permitted"


@dataclass(eq=False)
class OtherWorkspaceError(PermissionDeniedError):
    """The command came from a Slack workspace that this bot does not serve."""

    code = "wrong_workspace"
    team_id: TeamId


@dataclass(eq=False)
class ChannelNotAllowedError(PermissionDeniedError):
    """COBROWSE_CHANNELS does not list the channel. `allowed` are the channels that it lists."""

    code = "channel_not_allowed"
    channel_id: ChannelId
    allowed: tuple[ChannelId, ...]


@dataclass(eq=False)
class PersonNotAllowedError(PermissionDeniedError):
    """A person may not start or host sessions.

    not_a_member: a guest, bot, deactivated person or outsider, as `standing` says · not_listed: COBROWSE_MEMBERS does
    not list the person. `is_target`: the person is the agent for whom somebody else asked.
    """

    code: Literal["not_a_member", "not_listed"] = field()
    user_id: UserId
    standing: MembershipStatus = field(default=MembershipStatus.MEMBER, metadata=_only("not_a_member"))
    is_target: bool = field(kw_only=True)


class MissReason(StrEnum):
    """Why an address, or a host rule, leads to no Genesys user."""

    NOT_LISTED = "not_listed"
    TWO_HOSTS = "two_hosts"
    NO_EMAIL = "no_email"
    EMAIL_UNCONFIRMED = "email_unconfirmed"
    EMAIL_NOT_ASCII = "email_not_ascii"
    DOMAIN_NOT_ALLOWED = "domain_not_allowed"
    NO_USER = "no_user"
    SEVERAL_USERS = "several_users"
    OTHER_EMAIL = "other_email"
    USER_INACTIVE = "user_inactive"
    USERS_INACTIVE = "users_inactive"
    ID_NOT_UUID = "id_not_uuid"


@dataclass(frozen=True, slots=True)
class RuleMiss:
    """A host rule that found no host for a person.

    `why` is a MissReason, or in an old row the sentence of an earlier version; it holds no e-mail address. `people`:
    the Slack users that the reason is about.
    """

    rule: str
    why: str
    people: tuple[UserId, ...] = ()


@dataclass(eq=False)
class HostNotFoundError(CobrowseError):
    """No host rule maps the person to a Genesys user. `tried` holds each rule's reason, in the order of the rules."""

    code = "host_not_found"
    user_id: UserId
    is_target: bool
    tried: tuple[RuleMiss, ...]


@dataclass(eq=False)
class SlackUnavailableError(CobrowseError):
    """Slack did not answer a look-up. `slack_error` is Slack's error code.

    `passes`: whether the problem ends without a change to the set-up.
    """

    code = "slack_unavailable"
    slack_error: str
    passes: bool = True
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes


@dataclass(eq=False, kw_only=True)
class ServiceError(CobrowseError):
    """Genesys did not do what was asked. `reference` is its correlation id, for Genesys's support and for our log."""

    code = "service_error"
    reference: str | None = None


class TokenRefusedError(ServiceError):
    """Genesys answered 401, also with a new token."""

    code = "token_refused"


@dataclass(eq=False, kw_only=True)
class LoginRefusedError(ServiceError):
    """Genesys's login refused the bot's OAuth client (oauth_refused) or a person's sign-in (connect_failed).

    `oauth_error`: OAuth's error code, such as invalid_client. `words`: the login's description, cut at 300 characters
    and not escaped; every secret that was sent is removed.
    """

    code: Literal["oauth_refused", "connect_failed"] = "oauth_refused"
    oauth_error: str
    words: str = ""

    @property
    def is_about_address(self) -> bool:
        """Return whether the login may refuse the network address that the bot calls from."""
        if self.oauth_error in ("access_denied", WEB_PAGE):
            return True
        return self.oauth_error != "invalid_scope" and bool(_ABOUT_ADDRESS.search(self.words))


@dataclass(eq=False, kw_only=True)
class PermissionMissingError(ServiceError):
    """Genesys answered 403: a scope or permission, `needs`, is missing.

    permission_missing: the bot's OAuth client lacks it · user_permission_missing: the host's own account lacks it;
    `own`: the host is the requester. `words`: Genesys's message where it names a division, cut at 300 characters and
    not escaped.
    """

    code: Literal["permission_missing", "user_permission_missing"] = "permission_missing"
    needs: str
    own: bool = field(default=True, metadata=_only("user_permission_missing"))
    words: str = ""


@dataclass(eq=False, kw_only=True)
class InvalidHostError(ServiceError):
    """Genesys does not accept this user as a host."""

    code = "invalid_host"
    host_id: HostId


@dataclass(eq=False, kw_only=True)
class UnknownApplicationError(ServiceError):
    """Genesys has no application with this id. `known` are the ids that it has; empty when they could not be read."""

    code = "unknown_application"
    application_id: str
    known: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class BadRequestError(ServiceError):
    """Genesys answered any other 4xx. `words` is its message, cut at 300 characters and not escaped."""

    code = "bad_request"
    status: int
    words: str


@dataclass(eq=False, kw_only=True)
class ServiceBusyError(ServiceError):
    """Genesys answered 429 or 503 until the bot stopped retrying. It did nothing.

    `retry_after`: the seconds that Genesys asked to wait, None if it did not say.
    """

    code = "service_busy"
    retry_after: float | None = None
    try_again = True


@dataclass(eq=False, kw_only=True)
class QueueTooLongError(ServiceError):
    """The queue for Genesys's rate limit is too long: the wait would be about `wait_seconds`. Nothing was sent."""

    code = "queue_too_long"
    wait_seconds: float
    try_again = True


class ServiceFailedError(ServiceError):
    """Genesys answered 500, also to two retries."""

    code = "service_fault"
    try_again = True


class OutcomeUnknownError(ServiceError):
    """The call was sent and no usable answer came back: a session may exist or not."""

    code = "outcome_unknown"
    try_again = True


class ServiceUnreachableError(ServiceError):
    """No connection to Genesys could be opened, so nothing was sent."""

    code = "service_unreachable"
    try_again = True


@dataclass(eq=False, kw_only=True)
class UnusableAnswerError(ServiceError):
    """Genesys's answer cannot be used; `why` says it in a few words.

    `acted`: the answer was a 2xx to a call that creates something, so a session may exist.
    """

    code = "unusable_answer"
    why: str
    acted: bool = False
    try_again = True


ID_TAKEN = "a session by the id of another one"
"""`UnusableAnswerError.why` when the store has a session with this id for another team, host, requester or agent.

`RequestRepository.advance` decides this."""


class UnknownSessionError(ServiceError):
    """Genesys has no session with this id, or cannot end it on demand."""

    code = "session_unknown_to_service"


@dataclass(eq=False)
class UnexpectedError(CobrowseError):
    """The bot failed in a way that the code does not expect. `maybe_created`: the call that creates was under way."""

    code = "unexpected"
    maybe_created: bool = False
    try_again = True


@dataclass(eq=False)
class SharingError(CobrowseError):
    """A message about a session was not posted to a channel or a direct message, or nobody knows whether it was.

    share_refused: the channel is not allowed; `why` is "outside" (people of other organizations read it), "unclear"
    (Slack does not say whether they do), "uninvited" (the bot is not in it), "closed", "thread" (the message takes no
    reply), "direct" or "group" · share_outcome_unknown: Slack gave no clear answer, and the bot does not post twice;
    `is_direct`: it was a direct message · message_not_posted: Slack refused; `slack_error` is Slack's error code,
    `passes` whether the problem ends without a change to the set-up.
    """

    code: Literal["share_refused", "share_outcome_unknown", "message_not_posted"] = field()
    why: str = field(default="", metadata=_only("share_refused"))
    is_direct: bool = field(default=False, metadata=_only("share_outcome_unknown"), kw_only=True)
    slack_error: str = field(default="", metadata=_only("message_not_posted"), kw_only=True)
    passes: bool = field(default=True, metadata=_only("message_not_posted"), kw_only=True)

    def __post_init__(self) -> None:
        self.try_again = self.code == "message_not_posted" and self.passes


class ConversationActiveError(ServiceError):
    """The company already has an active SMS conversation with this customer, so Genesys sends no other message.

    `join_url` is the link that the message would have held. Only the answer in Slack shows it; it is never stored.
    """

    code = "conversation_active"
    join_url = ""


OFF = ("needless", "client", "socket", "key")
"""Why nobody can connect a Genesys account: sessions need no sign-in of a person (needless), or the bot has no OAuth
client for people (client), no HTTP (socket), or no encryption key (key)."""


@dataclass(eq=False, kw_only=True)
class SignInRequiredError(ServiceError):
    """Genesys does this only for a person who is signed in, and not for an OAuth client.

    `own`: the host is the requester. `off`: why the host cannot connect, one of OFF; "" when the host can.
    """

    code = "connect_required"
    own: bool = True
    off: str = "client"

    def __post_init__(self) -> None:
        self.try_again = not self.off  # once they have connected


@dataclass(eq=False, kw_only=True)
class SignInExpiredError(ServiceError):
    """Genesys no longer accepts the host's own sign-in. `own`: the host is the requester."""

    code = "reconnect_required"
    own: bool = True
    try_again = True


@dataclass(eq=False, kw_only=True)
class NoUsableConversationError(ServiceError):
    """The host is in no conversation in which co-browse can start.

    no_conversation: Genesys lists none; its list lags some seconds · not_in_conversation: the conversation that the
    requester named is over, unknown, or without the host · conversation_kind_not_supported: Genesys never co-browses
    in `kinds`, such as "chat" or INTERNAL.
    """

    code: Literal["no_conversation", "not_in_conversation", "conversation_kind_not_supported"] = field()
    conversation_id: ConversationId = field(default=ConversationId(""), metadata=_only("not_in_conversation"))
    kinds: tuple[str, ...] = field(default=(), metadata=_only("conversation_kind_not_supported"))

    def __post_init__(self) -> None:
        self.try_again = self.code == "no_conversation"


@dataclass(eq=False, kw_only=True)
class SeveralConversationsError(ServiceError):
    """The host is in more than one conversation, so the requester has to choose. The latest comes first."""

    code = "several_conversations"
    candidates: tuple[LiveConversation, ...]


INTERNAL = "internal"
"""The kind of a conversation without a customer."""


class StepsOffError(PermissionDeniedError):
    """COBROWSE_WORKFLOW_STEPS is off."""

    code = "workflow_steps_off"


class NobodyNamedError(CobrowseError):
    """The input of a workflow step names no person."""

    code = "workflow_agent_missing"


@dataclass(eq=False)
class RoleRequiredError(PermissionDeniedError):
    """The requester's role does not allow this request.

    `target` is the agent whom the requester wanted to act for; only the code may_not_act_for_others sets it.
    """

    code: Literal["supervisors_only", "administrators_only", "may_not_act_for_others", "may_not_check"] = field()
    target: UserId | None = None


@dataclass(eq=False)
class SessionAccessError(PermissionDeniedError):
    """The session is another person's. Its agent and requester may read the link; supervisors may also end it."""

    code: Literal["may_not_end", "may_not_read_link"] = field()
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class SessionActionError(CobrowseError):
    """There is no session with which this can be done.

    no_open_session: the person has none; `ever`: the database still holds earlier ones · several_open_sessions: the
    person has to choose among `sessions`, pairs of id and name, newest first · `agent`: both are about this other
    person · session_not_found · already_ended ·
    already_shared: in that channel · no_link_to_send: the session has a code only · link_used_up.
    """

    code: Literal[
        "no_open_session",
        "several_open_sessions",
        "session_not_found",
        "already_ended",
        "already_shared",
        "no_link_to_send",
        "link_used_up",
    ] = field()
    ever: bool = field(default=True, metadata=_only("no_open_session"), kw_only=True)
    sessions: tuple[tuple[str, str], ...] = field(default=(), metadata=_only("several_open_sessions"), kw_only=True)
    agent: UserId | None = field(default=None, metadata=_only("no_open_session", "several_open_sessions"), kw_only=True)


@dataclass(eq=False)
class RetryRejectedError(CobrowseError):
    """A *Try again* button does nothing: it is another person's, was used, or its request is deleted."""

    code: Literal["not_your_request", "already_retried", "request_forgotten"] = field()


@dataclass(eq=False)
class SendRejectedError(CobrowseError):
    """A link cannot be sent to a customer. `detail` depends on the code:

    sending_off: "sms" or "email" · invalid_address: "none", "neither", "country", "number", "sms" or "email" ·
    country_not_allowed: the ISO code, "" for none · text_too_long: the maximum length in characters.
    """

    code: Literal["sending_off", "invalid_address", "country_not_allowed", "text_too_long"] = field()
    detail: str


@dataclass(eq=False)
class AccountLinkError(CobrowseError):
    """A Slack user cannot be linked to a Genesys user, or unlinked: by their own sign-in or by an administrator.

    connect_off: `why` is one of OFF · no_such_host: `why` in a few words · not_connected and connect_link_expired: own
    sign-in · not_linked: no administrator set a link.
    """

    code: Literal["connect_off", "not_connected", "connect_link_expired", "not_linked", "no_such_host"] = field()
    why: str = ""


@dataclass(eq=False)
class SignInRejectedError(PermissionDeniedError):
    """A sign-in to Genesys links no account. `reference`: Genesys's correlation id.

    connect_denied: somebody declined it · connect_wrong_user: the Genesys user who signed in is not the person's host.
    """

    code: Literal["connect_denied", "connect_wrong_user"] = field()
    reference: str | None = None


@dataclass(eq=False)
class InterruptedRequestError(CobrowseError):
    """The bot stopped, or lost its database, while it processed the request.

    interrupted: `maybe_created` when the call that creates was under way, so a session may exist · not_started: the
    database could not record that this call goes out, so it was not sent · session_over: the session ended before the
    requester got its link.
    """

    code: Literal["interrupted", "not_started", "session_over"] = field()
    maybe_created: bool = False
    try_again = True
