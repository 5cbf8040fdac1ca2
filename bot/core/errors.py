"""Define every error that the bot reports to people, and SetupError for a bot that cannot run.

    SetupError: the bot cannot run with its set-up; shown in the terminal
    CobrowseError: base class of the errors that the bot reports to people
        NotAcceptedError: the request was not stored, or perhaps not stored
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
"""The value of `LoginRefusedError.oauth_error` if a gateway or firewall answered with HTML instead of OAuth's JSON."""
_ABOUT_ADDRESS = re.compile(
    r"(?<!e-mail )(?<!email )\b(?:ip|address(?:es)?|(?:allow|white|block)-?list\w*|cidr)\b", re.I
)


class SetupError(Exception):
    """The bot cannot run with its set-up.

    - `sentence`: what is wrong and how to fix it, without secrets. It is the text of the exception.
    - `code`: the stable name of the error. If the constructor gets "", the error has the code of its class.
    """

    code = "setup_invalid"

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code or type(self).code

    @property
    def line(self) -> str:
        """Return the line that the command line prints: `sentence`, then `code` in square brackets."""
        return f"{self} [{self.code}]"


class CobrowseError(Exception):
    """Base class of the errors that the bot reports to people.

    - `code`: the stable name of the error in logs, metrics, audit log and database. A code is never renamed.
    - `try_again`: True if the same request can succeed later.
    - `is_failure`: False if Genesys and the set-up of the bot work: the person may not do this, or has to do something
      first, such as to sign in or to choose a conversation.
    """

    code: str = "error"
    try_again: bool = False
    is_failure: bool = True

    def __str__(self) -> str:
        return self.code

    @classmethod
    def possible_codes(cls) -> tuple[str, ...]:
        """Return all codes that an error of this class can have."""
        return get_args(inspect.get_annotations(cls).get("code")) or (cls.code,)


def _only(*codes: str) -> dict[str, tuple[str, ...]]:
    """Return metadata for a dataclass field: the database stores the field only for errors with one of `codes`.

    Without `codes`, the database never stores the field.
    """
    return {"codes": codes}


class NotAcceptedError(CobrowseError):
    """The bot did not store the request, or does not know whether it stored the request.

    Each subclass stands for one reason.
    """

    code = "not_accepted"


@dataclass(eq=False)
class NotReadyError(NotAcceptedError):
    """The bot accepts no requests now.

    `code` is shutting_down (the bot is stopping) or overloaded (it already processes its maximum number of requests).
    """

    code: Literal["shutting_down", "overloaded"] = field()


@dataclass(eq=False)
class RateLimitedError(NotAcceptedError):
    """The person or the workspace has reached a limit of `limit` requests per minute.

    - `code`: which requests the limit counts: starts, sends (messages to customers) or inquiries.
    - `wait_seconds`: the time until the next such request is possible.
    - `everybody`: True if the limit is for the whole workspace, False if it is for one person.
    """

    code: Literal["too_many_starts", "too_many_sends", "too_many_inquiries"] = field()
    limit: int
    wait_seconds: float
    everybody: bool = False


class StorageUnavailableError(NotAcceptedError):
    """A read or write of the database failed."""

    code = "storage_unavailable"


class MaybeAcceptedError(NotAcceptedError):
    """The database did not confirm in time that it stored the request.

    The bot processes the request if it was stored.
    """

    code = "maybe_accepted"


class PermissionDeniedError(CobrowseError):
    """The person may not do what they requested.

    Each subclass stands for one reason.
    """

    code = "not_permitted"
    is_failure = False


@dataclass(eq=False)
class OtherWorkspaceError(PermissionDeniedError):
    """The command came from a Slack workspace that this bot does not serve."""

    code = "wrong_workspace"
    team_id: TeamId


@dataclass(eq=False)
class ChannelNotAllowedError(PermissionDeniedError):
    """The setting COBROWSE_CHANNELS does not list the channel.

    - `allowed`: the listed channels.
    - `is_sharing`: True if the person wanted to post a session's link there, False to start a session.
    """

    code = "channel_not_allowed"
    channel_id: ChannelId
    allowed: tuple[ChannelId, ...]
    is_sharing: bool = False


@dataclass(eq=False)
class PersonNotAllowedError(PermissionDeniedError):
    """A person may not start or host sessions.

    `code` is one of these:

    - not_a_member: the person is a guest, a bot, deactivated or an outsider; `standing` says which.
    - not_listed: the setting COBROWSE_MEMBERS does not list the person.

    `is_target`: False if the person made the request, True if somebody else or a workflow made it for the person.
    """

    code: Literal["not_a_member", "not_listed"] = field()
    user_id: UserId
    standing: MembershipStatus = field(default=MembershipStatus.MEMBER, metadata=_only("not_a_member"))
    is_target: bool = field(kw_only=True)


class MissReason(StrEnum):
    """The reasons why the bot finds no Genesys user for a person or an email address."""

    NOT_LISTED = "not_listed"
    """No row of the hosts file is for the person."""
    TWO_HOSTS = "two_hosts"
    """The person's two Slack ids have different hosts."""
    NO_EMAIL = "no_email"
    EMAIL_UNCONFIRMED = "email_unconfirmed"
    EMAIL_NOT_ASCII = "email_not_ascii"
    DOMAIN_NOT_ALLOWED = "domain_not_allowed"
    NO_USER = "no_user"
    SEVERAL_USERS = "several_users"
    OTHER_EMAIL = "other_email"
    """Genesys returned a user whose email address is not the one that the bot searched for."""
    USER_INACTIVE = "user_inactive"
    USERS_INACTIVE = "users_inactive"
    ID_NOT_UUID = "id_not_uuid"


@dataclass(frozen=True, slots=True)
class RuleMiss:
    """The reason why a host rule found no host for a person.

    - `rule`: the name of the host rule.
    - `why`: a MissReason. A database row from an earlier version of the bot holds a sentence instead.
    - `people`: the person's two Slack ids, if the reason is that the ids have different hosts; else empty.
    """

    rule: str
    why: str
    people: tuple[UserId, ...] = ()


@dataclass(eq=False)
class HostNotFoundError(CobrowseError):
    """No host rule finds a host for the person.

    - `is_target`: True if another person or a workflow made the request, False if this person did.
    - `tried`: the reason of each host rule that the bot tried and that found no host, in the order of the rules.
    """

    code = "host_not_found"
    is_failure = False
    user_id: UserId
    is_target: bool
    tried: tuple[RuleMiss, ...]


PERSON_LOOKUP = "person"
"""The name of the look-up that reads a Slack user."""


@dataclass(eq=False)
class SlackUnavailableError(CobrowseError):
    """Slack did not answer a look-up, or refused it.

    - `slack_error`: Slack's error code; the bot's own description if there is no usable answer.
    - `passes`: True if the look-up can succeed later without a change to the set-up.
    - `subject`: the id of the user or the user group that the bot looked up. For another look-up, the name of the Web
      API method, or "".
    """

    code = "slack_unavailable"
    slack_error: str
    passes: bool = True
    subject: str = ""
    try_again = True

    def __post_init__(self) -> None:
        self.try_again = self.passes

    @property
    def lookup(self) -> str:
        """Return the name of the look-up that failed: PERSON_LOOKUP for each user, else `subject`."""
        return PERSON_LOOKUP if self.subject[:1] in ("U", "W") else self.subject


@dataclass(eq=False, kw_only=True)
class ServiceError(CobrowseError):
    """A call to Genesys failed, or its outcome is unknown.

    `reference`: Genesys's correlation id; None if there is none.
    """

    code = "service_error"
    reference: str | None = None


class TokenRefusedError(ServiceError):
    """Genesys answered 401 to a call with the bot's token, and again to the same call with a new token."""

    code = "token_refused"


@dataclass(eq=False, kw_only=True)
class LoginRefusedError(ServiceError):
    """Genesys's login refused an OAuth client or a person's sign-in.

    - `code`: oauth_refused for the bot's OAuth client, connect_client_refused for the OAuth client for people's
      sign-ins, connect_failed for a person's sign-in.
    - `oauth_error`: OAuth's error code, such as invalid_client; WEB_PAGE if a web page came in place of an answer.
    - `words`: the login's description of the error: at most 300 characters, and not escaped for Slack. The bot has
      removed the secrets that it sent to the login.
    """

    code: Literal["oauth_refused", "connect_client_refused", "connect_failed"] = "oauth_refused"
    oauth_error: str
    words: str = ""

    @property
    def is_about_address(self) -> bool:
        """Return True if the login's answer suggests that Genesys does not allow the bot's IP address.

        Such an answer is a web page, has the code access_denied, or mentions an IP address or an allow list.
        """
        if self.oauth_error in ("access_denied", WEB_PAGE):
            return True
        return self.oauth_error != "invalid_scope" and bool(_ABOUT_ADDRESS.search(self.words))


@dataclass(eq=False, kw_only=True)
class PermissionMissingError(ServiceError):
    """Genesys answered 403, because a scope or permission is missing.

    - `code`: permission_missing if the bot's OAuth client lacks the scope or permission; user_permission_missing if the
      host's linked account lacks it.
    - `needs`: the name of the missing scope or permission.
    - `own`: for user_permission_missing, True if the host is the requester.
    - `words`: Genesys's message if it mentions a division (a part of a Genesys organization), otherwise "". At most 300
      characters, not escaped for Slack. The permission can be missing in this division only.
    """

    code: Literal["permission_missing", "user_permission_missing"] = "permission_missing"
    needs: str
    own: bool = field(default=True, metadata=_only("user_permission_missing"))
    words: str = ""


@dataclass(eq=False, kw_only=True)
class InvalidHostError(ServiceError):
    """Genesys does not accept a user as a host.

    `host_id`: the user. `own`: True if the user is the requester.
    """

    code = "invalid_host"
    host_id: HostId
    own: bool = True


@dataclass(eq=False, kw_only=True)
class UnknownApplicationError(ServiceError):
    """Genesys has no application with the requested id.

    - `known`: the ids of all applications; empty if the bot could not read the applications.
    - `names`: the names of all applications, in the order of `known`.
    """

    code = "unknown_application"
    application_id: str
    known: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class CreateCallMissingError(ServiceError):
    """Genesys answered 404 to the create call: the Genesys organization does not have the API that creates sessions."""

    code = "create_call_missing"


@dataclass(eq=False, kw_only=True)
class BadRequestError(ServiceError):
    """Genesys answered with a 4xx status that no other error covers.

    - `words`: Genesys's message, at most 300 characters and not escaped for Slack.
    - `maybe_acted`: True if Genesys may have carried out an earlier attempt of the same call.
    """

    code = "bad_request"
    status: int
    words: str
    maybe_acted: bool = field(default=False, metadata=_only())


@dataclass(eq=False, kw_only=True)
class ServiceBusyError(ServiceError):
    """A call had no effect, because Genesys is too busy or the rate limit is reached.

    The reason is one of these:

    - Genesys answered 429 or 503 to the call and to all its retries.
    - The bot did not send the call, because of the rate limit or a hold.
    - The call only reads, and took longer than the bot waits for a form or the Home tab.

    `retry_after`: how many seconds to wait before another try; None if unknown.
    """

    code = "service_busy"
    retry_after: float | None = None
    try_again = True


@dataclass(eq=False, kw_only=True)
class QueueTooLongError(ServiceError):
    """The bot did not send a call, because the request would have to wait too long for Genesys.

    `RunTiming.max_wait_seconds` is the limit. `wait_seconds`: the expected wait.
    """

    code = "queue_too_long"
    wait_seconds: float
    try_again = True


class ServiceFailedError(ServiceError):
    """Genesys answered 500 to a call and to all its retries.

    Also, in a background look: Genesys answered 429 or 503, and did not say for how long to wait.
    """

    code = "service_fault"
    try_again = True


class OutcomeUnknownError(ServiceError):
    """The bot sent a call and got no clear answer. Genesys may have carried out the call."""

    code = "outcome_unknown"
    try_again = True


class ServiceUnreachableError(ServiceError):
    """The bot could not connect to Genesys, or got no clear answer to a call that creates nothing."""

    code = "service_unreachable"
    try_again = True


@dataclass(eq=False, kw_only=True)
class UnusableAnswerError(ServiceError):
    """The bot cannot use Genesys's answer.

    - `why`: the reason, in a few words.
    - `acted`: True if Genesys may have created the session or sent the message to a customer, because the answer had a
      2xx status.
    """

    code = "unusable_answer"
    why: str
    acted: bool = False
    try_again = True


ID_TAKEN = "a session with the id of another session"
"""The value of `UnusableAnswerError.why` if the database already holds a session with the id of the new session.

The stored session differs from the new session in the team, the host, the requester or the agent."""


@dataclass(eq=False, kw_only=True)
class UnknownSessionError(ServiceError):
    """Genesys does not know the session, or the bot cannot read or end the session.

    The second case occurs if Genesys answers 405, if the settings contain no deployment id, or if the session's id
    cannot be part of a URL.

    `in_conversation`: True if the session belongs to a conversation. Such a session can outlast its `ends_at`.
    """

    code = "session_unknown_to_service"
    in_conversation: bool = False


@dataclass(eq=False)
class UnexpectedError(CobrowseError):
    """The bot failed because of an error in its code, or could not decode a row of the database.

    `maybe_created`: True if a session may have been created.
    """

    code = "unexpected"
    maybe_created: bool = False
    try_again = True


@dataclass(eq=False)
class SharingError(CobrowseError):
    """The bot did not post a message about a session, or does not know whether Slack posted it.

    `code` is one of these:

    - share_refused: the bot does not post in the requested place. `why` is "outside" (people of other organizations
      read the channel), "unclear" (Slack does not say who reads the channel), "uninvited" (the bot is not in the
      channel), "closed" (the channel is archived or accepts no messages), "thread" (Slack accepts no reply to the
      message), "direct" (the place is a direct message) or "group" (the place is a group message).
    - share_outcome_unknown: Slack gave no clear answer. The bot does not try again, because the message could then
      appear twice. `is_direct`: True for a direct message.
    - message_not_posted: Slack refused the message. `slack_error`: Slack's error code. `passes`: True if Slack can
      accept the message later without a change to the set-up.
    """

    code: Literal["share_refused", "share_outcome_unknown", "message_not_posted"] = field()
    why: str = field(default="", metadata=_only("share_refused"))
    is_direct: bool = field(default=False, metadata=_only("share_outcome_unknown"), kw_only=True)
    slack_error: str = field(default="", metadata=_only("message_not_posted"), kw_only=True)
    passes: bool = field(default=True, metadata=_only("message_not_posted"), kw_only=True)

    def __post_init__(self) -> None:
        self.try_again = self.code == "message_not_posted" and self.passes


class ConversationActiveError(ServiceError):
    """Genesys sends no SMS, because the company already has an active SMS conversation with this customer.

    `join_url`: the session's link, for the answer in Slack; "" if the code that sends the SMS has not set it. The
    database does not store it.
    """

    code = "conversation_active"
    is_failure = False
    join_url = ""


OFF = ("needless", "client", "socket", "key")
"""Reasons why nobody can connect a Genesys account. needless: the session service needs no linked accounts · client:
the bot has no OAuth client for people · socket: the bot serves no HTTP · key: the bot has no encryption key."""


@dataclass(eq=False, kw_only=True)
class SignInRequiredError(ServiceError):
    """Genesys accepts the call only with the host's own sign-in, not with the token of the bot's OAuth client.

    - `own`: True if the host is the requester.
    - `off`: why the host cannot sign in, one of the reasons in OFF; "" if the host can sign in.
    - `address`: the requester's sign-in link, a secret that is not stored; "" if there is no link.
    """

    code = "connect_required"
    own: bool = True
    off: str = "client"
    address: str = field(default="", metadata=_only(), repr=False)
    is_failure = False  # only an error with `off` is one

    def __post_init__(self) -> None:
        self.try_again = not self.off  # once they have connected
        self.is_failure = bool(self.off)


@dataclass(eq=False, kw_only=True)
class SignInExpiredError(ServiceError):
    """Genesys no longer accepts the host's sign-in. The host has to sign in again.

    - `own`: True if the host is the requester.
    - `address`: the requester's sign-in link, a secret that is not stored; "" if there is no link.
    """

    code = "reconnect_required"
    own: bool = True
    address: str = field(default="", metadata=_only(), repr=False)
    try_again = True
    is_failure = False


@dataclass(eq=False, kw_only=True)
class NoUsableConversationError(ServiceError):
    """The host is in no conversation in which a co-browse session can start.

    `code` is one of these:

    - no_conversation: Genesys lists no conversation of the host. A new conversation appears in the list after some
      seconds.
    - not_in_conversation: the conversation `conversation_id`, which the requester named, is over or unknown, or the
      host is not in it.
    - conversation_kind_not_supported: Genesys does not co-browse in conversations of these `kinds`, such as "chat".

    `own`: for the first two codes, True if the host is the requester.
    """

    code: Literal["no_conversation", "not_in_conversation", "conversation_kind_not_supported"] = field()
    conversation_id: ConversationId = field(default=ConversationId(""), metadata=_only("not_in_conversation"))
    kinds: tuple[str, ...] = field(default=(), metadata=_only("conversation_kind_not_supported"))
    own: bool = field(default=True, metadata=_only("no_conversation", "not_in_conversation"))
    is_failure = False

    def __post_init__(self) -> None:
        self.try_again = self.code == "no_conversation"


@dataclass(eq=False, kw_only=True)
class SeveralConversationsError(ServiceError):
    """The host is in several conversations, so the requester has to choose one.

    `candidates`: these conversations, newest first.
    """

    code = "several_conversations"
    is_failure = False
    candidates: tuple[LiveConversation, ...]


INTERNAL = "internal"
"""The entry in `NoUsableConversationError.kinds` for conversations without a customer."""


class StepsOffError(PermissionDeniedError):
    """A workflow requested a session, but the setting COBROWSE_WORKFLOW_STEPS does not allow this."""

    code = "workflow_steps_off"


class NobodyNamedError(CobrowseError):
    """The input of a workflow step names no person."""

    code = "workflow_agent_missing"


@dataclass(eq=False)
class RoleRequiredError(PermissionDeniedError):
    """The requester's role does not allow this request.

    `code` is one of these:

    - supervisors_only: only supervisors and administrators may request this. `target`: the agent whose session the
      requester wanted to end; None for any other request.
    - administrators_only: only administrators may request this.
    - may_not_act_for_others: only supervisors and administrators may start a session for another agent. `target`: the
      agent whom the requester named.
    - may_not_check: only administrators may press *Check again*.
    """

    code: Literal["supervisors_only", "administrators_only", "may_not_act_for_others", "may_not_check"] = field()
    target: UserId | None = None


@dataclass(eq=False)
class SessionAccessError(PermissionDeniedError):
    """A person may not end a session, or may not read the session's link.

    `agent`, `requester`: the agent of the session, and the requester who started it. Only these two people may read the
    link. Supervisors and administrators may end the session, too.
    """

    code: Literal["may_not_end", "may_not_read_link"] = field()
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class SessionActionError(CobrowseError):
    """There is no session on which the bot can carry out the request.

    `code` is one of these:

    - no_open_session: the requester, or `agent` if set, has no open session. `ever`: False if the database holds no
      session of this person, not even an ended one; True if it holds one, or if the bot did not search for it.
    - several_open_sessions: the requester, or `agent` if set, has several open sessions. The requester has to choose
      one. `sessions`: the ids and names of the newest open sessions, newest first. `records`: all open sessions; empty
      if unknown.
    - session_not_found: the database holds no session with this id for the requester's workspace.
    - already_ended: the session has ended.
    - already_shared: the session is already posted in the request's channel. `permalink`: the URL of the posted
      message, "" if unknown.
    - no_link_to_send: the session, or each of the person's open sessions, has no join URL.
    - link_used_up: nobody can join by the link any more, and Genesys does not report that the customer has joined.
    - customer_joined: the customer has joined, and nobody can join by the link any more.

    `agent`: the agent whom the requester named; None if the requester named nobody. Only the first two codes have it.
    `record`: the session that the code is about; None if the code is about no single session, or if it is unknown.

    The database does not store `record`, `records` and `permalink`.
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
    """The bot does not act on a press of a button below a failed request, such as *Try again*.

    `code` is one of these:

    - not_your_request: another person made the request.
    - already_retried: somebody has already repeated the request, or the request did not fail.
    - request_forgotten: the request is no longer stored.
    """

    code: Literal["not_your_request", "already_retried", "request_forgotten"] = field()


@dataclass(eq=False)
class SendRejectedError(CobrowseError):
    """The bot cannot send a link to a customer.

    `code` is one of these:

    - sending_off: the settings switch the medium off. `detail`: the medium, "sms" or "email".
    - invalid_address: `detail` is "none" (no text), "neither" (no phone number or email address), "country" (a number
      without a plus that is valid in none or in several of the configured countries), "number" (not a valid phone
      number), "sms" (a number that receives no SMS) or "email" (not a valid email address).
    - country_not_allowed: the settings do not list the number's country. `detail`: the country's ISO code, "" if the
      number has no country.
    - text_too_long: `detail` is the maximum length in characters. `setting`: the name of the setting with the text; ""
      if an earlier version of the bot stored the error.
    """

    code: Literal["sending_off", "invalid_address", "country_not_allowed", "text_too_long"] = field()
    detail: str
    setting: str = field(default="", metadata=_only("text_too_long"))


@dataclass(eq=False)
class AccountLinkError(CobrowseError):
    """The bot cannot link or unlink an account, or cannot change a host link.

    `code` is one of these:

    - connect_off: nobody can link an account. `why`: one of the reasons in OFF.
    - not_connected: the person has no linked account.
    - connect_link_expired: the sign-in link is too old, was used, or is unknown.
    - not_linked: the person has no host link.
    - no_such_host: the bot finds no host for the email address that an administrator typed. `why`: a MissReason.
    """

    code: Literal["connect_off", "not_connected", "connect_link_expired", "not_linked", "no_such_host"] = field()
    why: str = ""


@dataclass(eq=False)
class SignInRejectedError(PermissionDeniedError):
    """A person's sign-in to Genesys did not link an account.

    `code` is connect_denied (the person declined) or connect_wrong_user (the Genesys user who signed in is not the
    person's host). `reference`: Genesys's correlation id; None if there is none.
    """

    code: Literal["connect_denied", "connect_wrong_user"] = field()
    reference: str | None = None


@dataclass(eq=False)
class InterruptedRequestError(CobrowseError):
    """The bot stopped, or lost its database, while it processed the request.

    `code` is one of these:

    - interrupted: the bot stopped. `maybe_created`: True if the bot may have sent the call that creates a session or
      sends a message to a customer.
    - not_started: the database did not confirm in time that it stored the state `creating`, so the bot did not send
      the call to Genesys.
    - session_over: the session ended before the requester got its link.
    """

    code: Literal["interrupted", "not_started", "session_over"] = field()
    maybe_created: bool = False
    try_again = True


def may_have_acted(error: CobrowseError) -> bool:
    """Return whether a request that failed with this error may have created or sent something (pure).

    Return False if the request certainly had no effect.
    """
    match error:
        case OutcomeUnknownError() | UnusableAnswerError(acted=True) | UnexpectedError(maybe_created=True):
            return True
        case InterruptedRequestError(maybe_created=True) | InterruptedRequestError(code="session_over"):
            return True
        case SharingError(code="share_outcome_unknown"):
            return True
    return False
