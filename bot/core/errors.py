"""Define every error that the bot reports to people, and SetupError for a bot that cannot run.

    SetupError: the bot cannot run with its set-up; shown in the terminal
    CobrowseError: base class of the errors that the bot reports to people
        NotAcceptedError: the request was not stored
            NotReadyError, RateLimitedError, StorageUnavailableError, MaybeAcceptedError
        PermissionDeniedError: the person may not do this
            OtherWorkspaceError, ChannelNotAllowedError, PersonNotAllowedError, StepsOffError, RoleRequiredError,
            SessionAccessError, SignInRejectedError
        ServiceError: a call to Genesys failed, or its outcome is unknown; has Genesys's correlation id
            TokenRefusedError, LoginRefusedError, PermissionMissingError, InvalidHostError,
            UnknownApplicationError, CreateCallMissingError, BadRequestError, ServiceBusyError, QueueTooLongError,
            ServiceFailedError, OutcomeUnknownError, ServiceUnreachableError, UnusableAnswerError, UnknownSessionError,
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

from bot.core.models import ChannelId, ConversationId, HostId, MembershipStatus, SessionRecord, TeamId, UserId
from bot.core.validation.conversations import LiveConversation

WEB_PAGE = "a web page in place of an answer"
"""The value of `oauth_error` when a gateway or firewall answered with HTML instead of OAuth's JSON."""
_ABOUT_ADDRESS = re.compile(
    r"(?<!e-mail )(?<!email )\b(?:ip|address(?:es)?|(?:allow|white|block)-?list\w*|cidr)\b", re.I
)


class SetupError(Exception):
    """The bot cannot run with its set-up.

    The text says in one sentence what is wrong and how to fix it, without secrets. `code` is stable. A class can set
    one code for all its errors; a single error can set a more precise one.
    """

    code = "setup_invalid"

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code or type(self).code

    @property
    def line(self) -> str:
        """Return the text followed by the code, as the command line prints it."""
        return f"{self} [{self.code}]"


class CobrowseError(Exception):
    """Base class of the errors that the bot reports to people.

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
    """Return metadata for a dataclass field that is used only by errors with one of these codes.

    The stored record of an error with another code omits the field. Without `codes`, the field is never stored.
    """
    return {"codes": codes}


class NotAcceptedError(CobrowseError):
    """The bot did not store the request, as far as this replica knows.

    This is the base class of the errors that say why.
    """

    code = "not_accepted"


@dataclass(eq=False)
class NotReadyError(NotAcceptedError):
    """The bot accepts no request now: it is stopping, or already processes its maximum number of requests."""

    code: Literal["shutting_down", "overloaded"] = field()


@dataclass(eq=False)
class RateLimitedError(NotAcceptedError):
    """A limit of `limit` requests per minute is reached; the next request is possible in `wait_seconds`.

    `everybody`: True if the limit is for the whole workspace, False if it is for one person.
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
    """The person may not do what they asked for. This is the base class of the errors that say why."""

    code = "not_permitted"


@dataclass(eq=False)
class OtherWorkspaceError(PermissionDeniedError):
    """The command came from a Slack workspace that this bot does not serve."""

    code = "wrong_workspace"
    team_id: TeamId


@dataclass(eq=False)
class ChannelNotAllowedError(PermissionDeniedError):
    """COBROWSE_CHANNELS does not list the channel. `allowed` holds the listed channels."""

    code = "channel_not_allowed"
    channel_id: ChannelId
    allowed: tuple[ChannelId, ...]


@dataclass(eq=False)
class PersonNotAllowedError(PermissionDeniedError):
    """A person may not start or host sessions.

    `code` is one of these:

    - not_a_member: the person is a guest, a bot, deactivated or an outsider; `standing` says which.
    - not_listed: COBROWSE_MEMBERS does not list the person.

    `is_target`: somebody else asked for a session that this person would host.
    """

    code: Literal["not_a_member", "not_listed"] = field()
    user_id: UserId
    standing: MembershipStatus = field(default=MembershipStatus.MEMBER, metadata=_only("not_a_member"))
    is_target: bool = field(kw_only=True)


class MissReason(StrEnum):
    """The reasons why an email address or a host rule gives no Genesys user."""

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
    """A host rule found no host for a person.

    `why` is a MissReason. In a database row that an earlier version of the bot wrote, it is a sentence instead. Neither
    holds an email address. `people` holds the Slack users whom the reason concerns.
    """

    rule: str
    why: str
    people: tuple[UserId, ...] = ()


@dataclass(eq=False)
class HostNotFoundError(CobrowseError):
    """No host rule maps the person to a Genesys user. `tried` holds each rule's reason, in the order of the rules.

    `is_target`: somebody else asked for a session that this person would host.
    """

    code = "host_not_found"
    user_id: UserId
    is_target: bool
    tried: tuple[RuleMiss, ...]


@dataclass(eq=False)
class SlackUnavailableError(CobrowseError):
    """Slack did not answer a look-up. `slack_error` is Slack's error code.

    `passes`: whether the problem can end without a change to the set-up.
    """

    code = "slack_unavailable"
    slack_error: str
    passes: bool = True
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes


@dataclass(eq=False, kw_only=True)
class ServiceError(CobrowseError):
    """A call to Genesys failed, or its outcome is unknown.

    `reference` is Genesys's correlation id, None if there is none.
    """

    code = "service_error"
    reference: str | None = None


class TokenRefusedError(ServiceError):
    """Genesys refused the bot's token with a 401, and then a new token too."""

    code = "token_refused"


@dataclass(eq=False, kw_only=True)
class LoginRefusedError(ServiceError):
    """Genesys's login refused the bot's OAuth client (oauth_refused) or a person's sign-in (connect_failed).

    `oauth_error`: OAuth's error code, such as invalid_client. `words`: the login's description, cut at 300 characters
    and not escaped for Slack; every secret that was sent is removed.
    """

    code: Literal["oauth_refused", "connect_failed"] = "oauth_refused"
    oauth_error: str
    words: str = ""

    @property
    def is_about_address(self) -> bool:
        """Return whether Genesys may have refused the login because of the bot's IP address."""
        if self.oauth_error in ("access_denied", WEB_PAGE):
            return True
        return self.oauth_error != "invalid_scope" and bool(_ABOUT_ADDRESS.search(self.words))


@dataclass(eq=False, kw_only=True)
class PermissionMissingError(ServiceError):
    """Genesys answered 403, because the scope or permission named `needs` is missing.

    `code` is one of these:

    - permission_missing: the bot's OAuth client lacks it.
    - user_permission_missing: the host's own account lacks it. `own`: whether the host is the requester.

    `words`: Genesys's message if it names a division, else "". It is cut at 300 characters and not escaped for Slack.
    """

    code: Literal["permission_missing", "user_permission_missing"] = "permission_missing"
    needs: str
    own: bool = field(default=True, metadata=_only("user_permission_missing"))
    words: str = ""


@dataclass(eq=False, kw_only=True)
class InvalidHostError(ServiceError):
    """Genesys does not accept this user as a host.

    `own`: whether the host is the requester.
    """

    code = "invalid_host"
    host_id: HostId
    own: bool = True


@dataclass(eq=False, kw_only=True)
class UnknownApplicationError(ServiceError):
    """Genesys has no application with the requested id.

    `known` holds the ids of all applications, () when they could not be read. `names` holds their names in the same
    order.
    """

    code = "unknown_application"
    application_id: str
    known: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class CreateCallMissingError(ServiceError):
    """Genesys answered 404 to the call that creates a session, so this organization does not have that call."""

    code = "create_call_missing"


@dataclass(eq=False, kw_only=True)
class BadRequestError(ServiceError):
    """Genesys answered with a 4xx status for which there is no more specific error.

    `words` is Genesys's message, cut at 300 characters and not escaped for Slack.
    """

    code = "bad_request"
    status: int
    words: str


@dataclass(eq=False, kw_only=True)
class ServiceBusyError(ServiceError):
    """Genesys answered 429 or 503 until the bot stopped retrying, so the call had no effect.

    `retry_after`: how many seconds Genesys asked the bot to wait, None if it did not say.
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
    """Genesys answered 500 to a call, and to its retries if there were any."""

    code = "service_fault"
    try_again = True


class OutcomeUnknownError(ServiceError):
    """The call was sent, but Genesys did not say whether it carried it out. So a session may exist."""

    code = "outcome_unknown"
    try_again = True


class ServiceUnreachableError(ServiceError):
    """No connection to Genesys could be opened, so nothing was sent."""

    code = "service_unreachable"
    try_again = True


@dataclass(eq=False, kw_only=True)
class UnusableAnswerError(ServiceError):
    """Genesys's answer cannot be used. `why` is the reason, in a few words.

    `acted`: the answer was a 2xx to a call that creates something, so a session may exist.
    """

    code = "unusable_answer"
    why: str
    acted: bool = False
    try_again = True


ID_TAKEN = "a session with the id of another session"
"""The value of `UnusableAnswerError.why` when the new session's id is already stored for another team, host, requester
or agent. `RequestRepository.advance` checks this."""


class UnknownSessionError(ServiceError):
    """Genesys does not know the session, or says that it cannot be ended."""

    code = "session_unknown_to_service"


@dataclass(eq=False)
class UnexpectedError(CobrowseError):
    """The bot failed in a way that the code does not expect.

    `maybe_created`: whether a session may have been created.
    """

    code = "unexpected"
    maybe_created: bool = False
    try_again = True


@dataclass(eq=False)
class SharingError(CobrowseError):
    """The bot did not post a message about a session, or does not know whether it did.

    `code` is one of these:

    - share_refused: the bot does not share sessions in this channel. `why` is "outside" (people of other organizations
      read it), "unclear" (Slack does not say whether they do), "uninvited" (the bot is not in it), "closed" (it is
      archived or takes no messages), "thread" (Slack accepts no reply to the message), "direct" (it is a direct
      message) or "group" (it is a group message).
    - share_outcome_unknown: Slack gave no clear answer, and the bot does not post twice. `is_direct`: whether the
      message was a direct message.
    - message_not_posted: Slack refused the message. `slack_error` is Slack's error code. `passes`: whether the problem
      can end without a change to the set-up.
    """

    code: Literal["share_refused", "share_outcome_unknown", "message_not_posted"] = field()
    why: str = field(default="", metadata=_only("share_refused"))
    is_direct: bool = field(default=False, metadata=_only("share_outcome_unknown"), kw_only=True)
    slack_error: str = field(default="", metadata=_only("message_not_posted"), kw_only=True)
    passes: bool = field(default=True, metadata=_only("message_not_posted"), kw_only=True)

    def __post_init__(self) -> None:
        self.try_again = self.code == "message_not_posted" and self.passes


class ConversationActiveError(ServiceError):
    """The company already has an active SMS conversation with this customer, so Genesys sends no new message.

    `join_url` is the link that the message would have contained. Only the answer in Slack shows it; it is never stored.
    """

    code = "conversation_active"
    join_url = ""


OFF = ("needless", "client", "socket", "key")
"""Reasons why nobody can connect a Genesys account. needless: sessions need no person's sign-in · client: the bot has
no OAuth client for people · socket: the bot serves no HTTP · key: the bot has no encryption key."""


@dataclass(eq=False, kw_only=True)
class SignInRequiredError(ServiceError):
    """Genesys requires a person's own sign-in for the call. The token of the bot's OAuth client is not enough.

    `own`: whether the host is the requester. `off`: why the host cannot sign in (one of OFF), "" if the host can.
    `address`: the requester's sign-in link, a secret that is not stored with the error; "" if there is none.
    """

    code = "connect_required"
    own: bool = True
    off: str = "client"
    address: str = field(default="", metadata=_only(), repr=False)

    def __post_init__(self) -> None:
        self.try_again = not self.off  # once they have connected


@dataclass(eq=False, kw_only=True)
class SignInExpiredError(ServiceError):
    """Genesys no longer accepts the host's sign-in; the host has to connect again.

    `own` and `address` are as in SignInRequiredError.
    """

    code = "reconnect_required"
    own: bool = True
    address: str = field(default="", metadata=_only(), repr=False)
    try_again = True


@dataclass(eq=False, kw_only=True)
class NoUsableConversationError(ServiceError):
    """The host is in no conversation in which co-browse can start.

    `code` is one of these:

    - no_conversation: Genesys lists no conversation of the host. The list lags by some seconds.
    - not_in_conversation: the conversation that the requester named is over, unknown, or without the host.
    - conversation_kind_not_supported: Genesys does not co-browse in these `kinds`, such as "chat" or INTERNAL.
    """

    code: Literal["no_conversation", "not_in_conversation", "conversation_kind_not_supported"] = field()
    conversation_id: ConversationId = field(default=ConversationId(""), metadata=_only("not_in_conversation"))
    kinds: tuple[str, ...] = field(default=(), metadata=_only("conversation_kind_not_supported"))

    def __post_init__(self) -> None:
        self.try_again = self.code == "no_conversation"


@dataclass(eq=False, kw_only=True)
class SeveralConversationsError(ServiceError):
    """The host is in several conversations, so the requester has to choose one of `candidates`, latest first."""

    code = "several_conversations"
    candidates: tuple[LiveConversation, ...]


INTERNAL = "internal"
"""The name of the kind of conversation in which no customer takes part."""


class StepsOffError(PermissionDeniedError):
    """A workflow asked for a session, but the setting COBROWSE_WORKFLOW_STEPS does not allow workflows to do so."""

    code = "workflow_steps_off"


class NobodyNamedError(CobrowseError):
    """The input of a workflow step names no person."""

    code = "workflow_agent_missing"


@dataclass(eq=False)
class RoleRequiredError(PermissionDeniedError):
    """The requester's role does not allow this request.

    `target` is the agent that the requester named; only the code may_not_act_for_others sets it.
    """

    code: Literal["supervisors_only", "administrators_only", "may_not_act_for_others", "may_not_check"] = field()
    target: UserId | None = None


@dataclass(eq=False)
class SessionAccessError(PermissionDeniedError):
    """The requester may not end this session of other people, or may not read its link.

    `agent` and `requester` are the people of the session. Only these two may read the session's link. Supervisors and
    administrators may end the session, too.
    """

    code: Literal["may_not_end", "may_not_read_link"] = field()
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class SessionActionError(CobrowseError):
    """There is no session on which the bot can carry out the request.

    `code` is one of these:

    - no_open_session: the person has no open session. `ever`: whether the database still holds ended sessions of the
      person.
    - several_open_sessions: the person has to choose one of `sessions`, pairs of id and name, newest first.
    - session_not_found: the database holds no session with this id for the requester's workspace.
    - already_ended: the session has ended.
    - already_shared: the session is already posted in this channel.
    - no_link_to_send: the session has a join code and no join URL.
    - link_used_up: nobody else can join with the link.
    - customer_joined: the customer has joined, and nobody else can join with the link.

    `agent`: with the first two codes, the agent whose sessions were searched; None if the requester's were. `record`:
    with the other codes, the session; None if it is unknown. `records`: the sessions to choose from, if they are known.
    `permalink`: with already_shared, the URL of the message that shows the session; "" if it is unknown. The database
    stores none of `record`, `records` and `permalink`.
    """

    code: Literal[
        "no_open_session",
        "several_open_sessions",
        "session_not_found",
        "already_ended",
        "already_shared",
        "no_link_to_send",
        "link_used_up",
        "customer_joined",
    ] = field()
    ever: bool = field(default=True, metadata=_only("no_open_session"), kw_only=True)
    sessions: tuple[tuple[str, str], ...] = field(default=(), metadata=_only("several_open_sessions"), kw_only=True)
    agent: UserId | None = field(default=None, metadata=_only("no_open_session", "several_open_sessions"), kw_only=True)
    record: SessionRecord | None = field(default=None, metadata=_only(), kw_only=True, repr=False)
    records: tuple[SessionRecord, ...] = field(default=(), metadata=_only(), kw_only=True, repr=False)
    permalink: str = field(default="", metadata=_only(), kw_only=True, repr=False)


@dataclass(eq=False)
class RetryRejectedError(CobrowseError):
    """The bot ignores a press of *Try again*. `code` says why.

    The request is another person's, was already retried, or is no longer stored.
    """

    code: Literal["not_your_request", "already_retried", "request_forgotten"] = field()


@dataclass(eq=False)
class SendRejectedError(CobrowseError):
    """The bot cannot send a link to a customer.

    `code` is one of these, and `detail` depends on it:

    - sending_off: "sms" or "email", the medium that the settings switch off.
    - invalid_address: "none" (no text), "neither" (no phone number or email address), "country" (no country code, and
      no single country fits), "number" (not a valid phone number), "sms" (a number that takes no SMS) or "email" (not a
      valid email address).
    - country_not_allowed: the ISO code of the phone number's country, "" if it has none.
    - text_too_long: the maximum length in characters.
    """

    code: Literal["sending_off", "invalid_address", "country_not_allowed", "text_too_long"] = field()
    detail: str


@dataclass(eq=False)
class AccountLinkError(CobrowseError):
    """The bot cannot link or unlink a Genesys user.

    `code` is one of these:

    - connect_off: nobody can connect an account here; `why` is one of OFF.
    - not_connected: the person has connected no account.
    - connect_link_expired: the sign-in link is too old, was used, or is unknown.
    - not_linked: no administrator linked the person to a host.
    - no_such_host: an administrator's email address finds no host; `why` is the reason, in a few words.
    """

    code: Literal["connect_off", "not_connected", "connect_link_expired", "not_linked", "no_such_host"] = field()
    why: str = ""


@dataclass(eq=False)
class SignInRejectedError(PermissionDeniedError):
    """A sign-in to Genesys links no account. `reference` is Genesys's correlation id, None if there is none.

    `code` is one of these:

    - connect_denied: the person declined the sign-in.
    - connect_wrong_user: the Genesys user who signed in is not the person's host.
    """

    code: Literal["connect_denied", "connect_wrong_user"] = field()
    reference: str | None = None


@dataclass(eq=False)
class InterruptedRequestError(CobrowseError):
    """The bot stopped, or lost its database, while it processed the request.

    `code` is one of these:

    - interrupted: `maybe_created` says whether the create call may have been sent, so that a session may exist.
    - not_started: the database could not record that the create call goes out, so the bot did not send it.
    - session_over: the session ended before the requester got its link.
    """

    code: Literal["interrupted", "not_started", "session_over"] = field()
    maybe_created: bool = False
    try_again = True
