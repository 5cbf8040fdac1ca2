"""Errors: why a request did not do what it was for. The messages stand in bot/slack/messages.

    SetupError: the bot cannot run as it is set up; for the terminal
    CobrowseError: base of what a person can be told
        NotAcceptedError: the request was not stored
            NotReadyError, RateLimitedError, StorageUnavailableError, MaybeAcceptedError
        PermissionDeniedError: the person may not do this
            OtherWorkspaceError, ChannelNotAllowedError, NotAMemberError, NotListedError, StepsOffError,
            RoleRequiredError, SessionAccessError, SignInRejectedError
        ServiceError: the session service did not do it; has the service's reference
            TokenRefusedError, LoginRefusedError, PermissionMissingError, InvalidHostError,
            UnknownApplicationError, BadRequestError, ServiceBusyError, QueueTooLongError, ServiceFailedError,
            OutcomeUnknownError, ServiceUnreachableError, UnusableAnswerError, UnknownSessionError,
            ConversationActiveError, SignInRequiredError, SignInExpiredError, UserPermissionMissingError,
            SignInFailedError, NoConversationError, NotInConversationError, SeveralConversationsError,
            ConversationKindError
        others
            HostNotFoundError, SlackUnavailableError, UnexpectedError, NoOpenSessionError,
            SeveralOpenSessionsError, ShareRefusedError, ShareUnknownError, MessageNotPostedError,
            NobodyNamedError, SessionActionError, RetryRejectedError, SendRejectedError, AccountLinkError,
            HostLinkError, InterruptedRequestError

Each has a stable `code`. Logs, metrics, the audit log and the database hold the code,
never the name of a class. No error holds a secret.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from bot.core.models import ChannelId, ConversationId, HostId, MembershipStatus, TeamId, UserId
from bot.core.validation.conversations import LiveConversation

WEB_PAGE = "a web page in place of an answer"
"""What stands for OAuth's error word when a gateway or firewall answered."""
_ABOUT_ADDRESS = re.compile(
    r"(?<!e-mail )(?<!email )\b(?:ip|address(?:es)?|(?:allow|white|block)-?list\w*|cidr)\b", re.I
)


class SetupError(Exception):
    """The bot cannot run as it is set up. The text says what is wrong and what to do; it holds no secret.

    `code` is stable; a class may have one for all its errors, and an error one that is more precise.
    """

    code = "setup_invalid"

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code or type(self).code

    @property
    def line(self) -> str:
        """The sentence with its code, as the command line prints it."""
        return f"{self} [{self.code}]"


class CobrowseError(Exception):
    """Base of all of them.

    `code` is the stable name of the error in the log, metrics, audit log and database. It never changes; the class may.
    `try_again`: whether asking again, unchanged, may help.
    """

    codes: ClassVar[tuple[str, ...]] = ()
    """The codes that a class with several takes. Each says which reason an error of it has."""
    code: str = "error"
    try_again: bool = False

    def __str__(self) -> str:
        return self.code

    @classmethod
    def possible_codes(cls) -> tuple[str, ...]:
        """Return every code that an error of this class can have."""
        return cls.codes or (cls.code,)


class NotAcceptedError(CobrowseError):
    """The request was not stored, as far as is known."""

    code = "not_accepted"


@dataclass(eq=False)
class NotReadyError(NotAcceptedError):
    """The bot is stopping, or has too many requests under way."""

    codes = ("shutting_down", "overloaded")
    code: str = field()


@dataclass(eq=False)
class RateLimitedError(NotAcceptedError):
    """More than `limit` starts, sends or inquiries in a minute; the next may come in `wait_seconds`.

    `everybody`: the limit is that of the whole workspace, else of one person.
    """

    codes = ("too_many_starts", "too_many_sends", "too_many_inquiries")
    code: str = field()
    limit: int
    wait_seconds: float
    everybody: bool = False


class StorageUnavailableError(NotAcceptedError):
    """The store could not write."""

    code = "storage_unavailable"


class MaybeAcceptedError(NotAcceptedError):
    """The store did not take it, as far as this replica knows: it may be in there, and come to its outcome yet."""

    code = "maybe_accepted"


class PermissionDeniedError(CobrowseError):
    """The person may not do this."""

    code = "not_permitted"


@dataclass(eq=False)
class OtherWorkspaceError(PermissionDeniedError):
    """The command came from a workspace this bot does not serve."""

    code = "wrong_workspace"
    team_id: TeamId


@dataclass(eq=False)
class ChannelNotAllowedError(PermissionDeniedError):
    """Outside COBROWSE_CHANNELS."""

    code = "channel_not_allowed"
    channel_id: ChannelId
    allowed: tuple[ChannelId, ...]


@dataclass(eq=False)
class NotAMemberError(PermissionDeniedError):
    """A guest, bot, deactivated person or outsider; `is_target` when it is whom the session was for."""

    code = "not_a_member"
    user_id: UserId
    standing: MembershipStatus
    is_target: bool


@dataclass(eq=False)
class NotListedError(PermissionDeniedError):
    """Outside COBROWSE_MEMBERS."""

    code = "not_listed"
    user_id: UserId
    is_target: bool


@dataclass(frozen=True, slots=True)
class RuleMiss:
    """A rule of the host chain that did not map a person, and why, in words that hold no address."""

    rule: str
    why: str


@dataclass(eq=False)
class HostNotFoundError(CobrowseError):
    """No rule maps the person to a Genesys host."""

    code = "host_not_found"
    user_id: UserId
    is_target: bool
    tried: tuple[RuleMiss, ...]


@dataclass(eq=False)
class SlackUnavailableError(CobrowseError):
    """Slack did not answer a look-up; `slack_error` is Slack's own error word.

    `passes`: whether it passes by itself.
    """

    code = "slack_unavailable"
    slack_error: str
    passes: bool = True
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes


@dataclass(eq=False, kw_only=True)
class ServiceError(CobrowseError):
    """The session service did not do it. `reference` is its correlation id, for its support and our log."""

    code = "service_error"
    reference: str | None = None


class TokenRefusedError(ServiceError):
    """401, also with a new token."""

    code = "token_refused"


@dataclass(eq=False, kw_only=True)
class LoginRefusedError(ServiceError):
    """The login refused this client: `oauth_error` is OAuth's error word, such as invalid_client.

    `words`: the login's own description, cut at 300 characters and not escaped; it holds no secret that was sent.
    """

    code = "oauth_refused"
    oauth_error: str
    words: str = ""

    @property
    def is_about_address(self) -> bool:
        """Whether the login may refuse the network address that the bot calls from."""
        if self.oauth_error in ("access_denied", WEB_PAGE):
            return True
        return self.oauth_error != "invalid_scope" and bool(_ABOUT_ADDRESS.search(self.words))


@dataclass(eq=False, kw_only=True)
class PermissionMissingError(ServiceError):
    """403: the client lacks the scope or permission `needs`.

    `words`: the service's own, where they name a division; cut at 300 characters and not escaped.
    """

    code = "permission_missing"
    needs: str
    words: str = ""


@dataclass(eq=False, kw_only=True)
class InvalidHostError(ServiceError):
    """The service does not take this user as a host."""

    code = "invalid_host"
    host_id: HostId


@dataclass(eq=False, kw_only=True)
class UnknownApplicationError(ServiceError):
    """No such application; `known` are the ids there are, empty when that could not be learnt."""

    code = "unknown_application"
    application_id: str
    known: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class BadRequestError(ServiceError):
    """Any other 4xx; `words` are the service's own, cut at 300 characters and not escaped."""

    code = "bad_request"
    status: int
    words: str


@dataclass(eq=False, kw_only=True)
class ServiceBusyError(ServiceError):
    """429 or 503 for longer than we wait. It did not act. `retry_after`: in how many seconds it may, if it said so."""

    code = "service_busy"
    retry_after: float | None = None
    try_again = True


@dataclass(eq=False, kw_only=True)
class QueueTooLongError(ServiceError):
    """So many wait for the service's rate limit that this one's turn would come too late: in about `wait_seconds`."""

    code = "queue_too_long"
    wait_seconds: float
    try_again = True


class ServiceFailedError(ServiceError):
    """500, also when asked again twice."""

    code = "service_fault"
    try_again = True


class OutcomeUnknownError(ServiceError):
    """The request went out and no usable word came back: a session may exist or not."""

    code = "outcome_unknown"
    try_again = True


class ServiceUnreachableError(ServiceError):
    """No connection came about, so nothing was asked."""

    code = "service_unreachable"
    try_again = True


@dataclass(eq=False, kw_only=True)
class UnusableAnswerError(ServiceError):
    """An answer that is of no use; `why` in a few words. `acted`: it was a 2xx to a create, so a session may exist."""

    code = "unusable_answer"
    why: str
    acted: bool = False
    try_again = True


ID_TAKEN = "a session by the id of another one"
"""The id is known already, for another team, host, requester or agent. `RequestRepository.advance` decides this."""


class UnknownSessionError(ServiceError):
    """The service knows no session by this id, or cannot end it on demand."""

    code = "session_unknown_to_service"


@dataclass(eq=False)
class UnexpectedError(CobrowseError):
    """A fault of our own; `maybe_created` when the create was under way."""

    code = "unexpected"
    maybe_created: bool = False
    try_again = True


@dataclass(eq=False)
class NoOpenSessionError(CobrowseError):
    """The person has no open session; nor had any that is remembered, unless `ever`."""

    code = "no_open_session"
    ever: bool = True


@dataclass(eq=False)
class SeveralOpenSessionsError(CobrowseError):
    """Which of them is to be ended? Their ids and names, newest first."""

    code = "several_open_sessions"
    sessions: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class ShareRefusedError(CobrowseError):
    """The session cannot be shown in that channel.

    `why`: "outside", "unclear", "uninvited", "closed", "direct" or "group".
    """

    code = "share_refused"
    why: str


@dataclass(eq=False)
class ShareUnknownError(CobrowseError):
    """Nobody knows whether the session was shared, so it was not shared again; `is_direct`: with one's own self."""

    code = "share_outcome_unknown"
    is_direct: bool = False


@dataclass(eq=False)
class MessageNotPostedError(CobrowseError):
    """Slack did not take a message about a session; `slack_error` is Slack's own error word.

    `passes`: whether it passes by itself.
    """

    code = "message_not_posted"
    slack_error: str
    passes: bool = True
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes


class ConversationActiveError(ServiceError):
    """The customer is in an SMS conversation with the company already, so that Genesys sends nothing beside it.

    `join_url` is the link that was to be sent. It is for the answer alone: no record of the error holds it.
    """

    code = "conversation_active"
    join_url = ""


OFF = ("needless", "client", "socket", "key")
"""Why nobody can connect: sessions take no sign-in of a person; no OAuth client, no HTTP, no encryption key is set."""


@dataclass(eq=False, kw_only=True)
class SignInRequiredError(ServiceError):
    """Genesys does this only for a person who is signed in, and not for an OAuth client.

    `own`: the host is who asked. `off`: why the host cannot connect, one of OFF; "" when they can.
    """

    code = "connect_required"
    own: bool = True
    off: str = "client"

    def __post_init__(self) -> None:
        self.try_again = not self.off  # once they have connected


@dataclass(eq=False, kw_only=True)
class SignInExpiredError(ServiceError):
    """Genesys takes the host's own sign-in no more. `own`: the host is who asked."""

    code = "reconnect_required"
    own: bool = True
    try_again = True


@dataclass(eq=False, kw_only=True)
class UserPermissionMissingError(ServiceError):
    """403 to the host's own token: their account lacks the permission `needs`. `own`: the host is who asked.

    `words`: Genesys's own, where they name a division; not escaped.
    """

    code = "user_permission_missing"
    needs: str
    own: bool = True
    words: str = ""


@dataclass(eq=False, kw_only=True)
class SignInFailedError(ServiceError):
    """Genesys's login did not complete a sign-in; `oauth_error` is OAuth's error word, `words` its description."""

    code = "connect_failed"
    oauth_error: str
    words: str = ""


class NoConversationError(ServiceError):
    """The host is in no conversation now, as far as Genesys knows; its list runs some seconds behind."""

    code = "no_conversation"
    try_again = True


@dataclass(eq=False, kw_only=True)
class NotInConversationError(ServiceError):
    """The conversation that was asked for is over, or unknown, or the host is not connected to it."""

    code = "not_in_conversation"
    conversation_id: ConversationId


@dataclass(eq=False, kw_only=True)
class SeveralConversationsError(ServiceError):
    """The host is in more than one, so somebody has to choose; the latest comes first."""

    code = "several_conversations"
    candidates: tuple[LiveConversation, ...]


INTERNAL = "internal"
"""The kind of a conversation in which no customer takes part."""


@dataclass(eq=False, kw_only=True)
class ConversationKindError(ServiceError):
    """The host is in a conversation of a kind that Genesys co-browses in never: `kinds`, such as "chat" or INTERNAL."""

    code = "conversation_kind_not_supported"
    kinds: tuple[str, ...]


class StepsOffError(PermissionDeniedError):
    """COBROWSE_WORKFLOW_STEPS is off."""

    code = "workflow_steps_off"


class NobodyNamedError(CobrowseError):
    """The step's input names no person."""

    code = "workflow_agent_missing"


@dataclass(eq=False)
class RoleRequiredError(PermissionDeniedError):
    """The role of the person does not allow this. `target`: whom they wanted to act for."""

    codes = ("supervisors_only", "administrators_only", "may_not_act_for_others")
    code: str = field()
    target: UserId | None = None


@dataclass(eq=False)
class SessionAccessError(PermissionDeniedError):
    """The session belongs to others: only its agent and requester may have the link; supervisors may end it, too."""

    codes = ("may_not_end", "may_not_read_link")
    code: str = field()
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class SessionActionError(CobrowseError):
    """The session is not there for this action: unknown, ended, in that channel already, or without a usable link."""

    codes = ("session_not_found", "already_ended", "already_shared", "no_link_to_send", "link_used_up")
    code: str = field()


@dataclass(eq=False)
class RetryRejectedError(CobrowseError):
    """A *Try again* button does nothing: it is another person's, was used, or its request is forgotten."""

    codes = ("not_your_request", "already_retried", "request_forgotten")
    code: str = field()


@dataclass(eq=False)
class SendRejectedError(CobrowseError):
    """A link cannot be sent to a customer. `detail` depends on the code:

    sending_off: "sms" or "email" · invalid_address: "none", "neither", "country", "number", "sms" or "email" ·
    country_not_allowed: the ISO code, "" for none · text_too_long: the most characters that a text may have.
    """

    codes = ("sending_off", "invalid_address", "country_not_allowed", "text_too_long")
    code: str = field()
    detail: str


@dataclass(eq=False)
class AccountLinkError(CobrowseError):
    """A Genesys account cannot be linked or unlinked. connect_off: `why` is one of OFF."""

    codes = ("connect_off", "not_connected", "connect_link_expired")
    code: str = field()
    why: str = ""


@dataclass(eq=False)
class SignInRejectedError(PermissionDeniedError):
    """A sign-in links no account: somebody declined it, or the account is not the host of the person it was for.

    `reference`: Genesys's correlation id.
    """

    codes = ("connect_denied", "connect_wrong_user")
    code: str = field()
    reference: str | None = None


@dataclass(eq=False)
class HostLinkError(CobrowseError):
    """A link to a host cannot be set or removed. no_such_host: `why` in a few words."""

    codes = ("not_linked", "no_such_host")
    code: str = field()
    why: str = ""


@dataclass(eq=False)
class InterruptedRequestError(CobrowseError):
    """The bot stopped, or lost its database, while it processed the request.

    interrupted: `maybe_created` when the create was under way, so nobody knows · not_started: the store could not
    record that the create goes out, so it did not · session_over: the session ended before its link was told.
    """

    codes = ("interrupted", "not_started", "session_over")
    code: str = field()
    maybe_created: bool = False
    try_again = True
