"""Errors: why a request did not do what it was for. The messages stand in bot/slack/messages.

    SetupError               the bot cannot run as it is set up: for the terminal
    CobrowseError            base of what a person can be told
    ├─ NotAcceptedError      the request was not stored
    ├─ PermissionDeniedError the person may not do this
    ├─ ServiceError          the session service did not do it; has the service's reference
    └─ others                no host, no such session, a button that does nothing, an interrupted request …

Each has a stable `code`. Logs, metrics, the audit log and the database hold the code,
never the name of a class. No error holds a secret.
"""

import re
from dataclasses import dataclass
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

    code: ClassVar[str] = "error"
    try_again = False

    def __str__(self) -> str:
        return self.code


class NotAcceptedError(CobrowseError):
    """The request was not stored, as far as is known."""

    code = "not_accepted"


class ShuttingDownError(NotAcceptedError):
    """The bot is stopping."""

    code = "shutting_down"


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


@dataclass(eq=False)
class MayNotActForOthersError(PermissionDeniedError):
    """Neither supervisor nor administrator."""

    code = "may_not_act_for_others"
    target: UserId


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
    """401, also with a token fetched anew."""

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
"""The id is known already, for another team, host, requester or agent. The store decides this: desk.store.Store."""


class UnknownSessionError(ServiceError):
    """The service knows no session by this id, or cannot end it on demand."""

    code = "session_unknown_to_service"


@dataclass(eq=False)
class RequestInterruptedError(CobrowseError):
    """The bot stopped in the middle; `maybe_created` when the create was under way, so nobody knows."""

    code = "interrupted"
    maybe_created: bool
    try_again = True


class NotStartedError(CobrowseError):
    """The request was accepted, and the store could not note that its create goes out: so it did not."""

    code = "not_started"
    try_again = True


class SessionOverError(CobrowseError):
    """The bot stopped when the session was there, and by the time it came back the session had ended."""

    code = "session_over"
    try_again = True


@dataclass(eq=False)
class UnexpectedError(CobrowseError):
    """A fault of our own; `maybe_created` when the create was under way."""

    code = "unexpected"
    maybe_created: bool = False
    try_again = True


class TryAgainRefusedError(CobrowseError):
    """A Try again button that does nothing for this press."""

    code = "retry_refused"


class NotYoursError(TryAgainRefusedError):
    """Only the requester may press it."""

    code = "not_your_request"


class TriedAlreadyError(TryAgainRefusedError):
    """It works once."""

    code = "already_retried"


class RequestGoneError(TryAgainRefusedError):
    """The request is not known any more."""

    code = "request_forgotten"


class EndedAlreadyError(CobrowseError):
    """It has ended, or its time has run out."""

    code = "already_ended"


class SharedAlreadyError(CobrowseError):
    """It stands in that channel."""

    code = "already_shared"


@dataclass(eq=False)
class NoOpenSessionError(CobrowseError):
    """The person has no open session; nor had any that is remembered, unless `ever`."""

    code = "no_open_session"
    ever: bool = True


class SessionNotFoundError(CobrowseError):
    """Nobody here made a session of this id, or it is forgotten."""

    code = "session_not_found"


@dataclass(eq=False)
class SeveralOpenSessionsError(CobrowseError):
    """Which of them is to be ended? Their ids and names, newest first."""

    code = "several_open_sessions"
    sessions: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class MayNotEndError(PermissionDeniedError):
    """Only its host, its requester, a supervisor or an administrator."""

    code = "may_not_end"
    agent: UserId
    requester: UserId


@dataclass(eq=False)
class MayNotReadError(PermissionDeniedError):
    """Only its host and its requester may have the link."""

    code = "may_not_read_link"
    agent: UserId
    requester: UserId


class LeadsOnlyError(PermissionDeniedError):
    """For supervisors and administrators."""

    code = "supervisors_only"


class AdminsOnlyError(PermissionDeniedError):
    """For administrators."""

    code = "administrators_only"


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


class NotLinkedError(CobrowseError):
    """There was no link to remove."""

    code = "not_linked"


@dataclass(eq=False)
class NoSuchHostError(CobrowseError):
    """No Genesys user can be linked by this address; `why` in a few words."""

    code = "no_such_host"
    why: str


@dataclass(eq=False)
class SendingOffError(CobrowseError):
    """The settings name no sender for this medium, "sms" or "email"."""

    code = "sending_off"
    medium: str


@dataclass(eq=False)
class InvalidAddressError(CobrowseError):
    """Neither a number nor an e-mail address that can be sent to; `why`: "none", "neither", "country", "number", "sms"
    or "email"."""

    code = "invalid_address"
    why: str


@dataclass(eq=False)
class CountryNotAllowedError(CobrowseError):
    """The number is of a country outside COBROWSE_SMS_COUNTRIES: its ISO code, "" for none."""

    code = "country_not_allowed"
    country: str


class NoLinkToSendError(CobrowseError):
    """The session has a code alone, which says nothing without the page it is typed into."""

    code = "no_link_to_send"


class LinkUsedUpError(CobrowseError):
    """The service knows the offer no more, so that its link would lead nowhere: see desk.remembered.Look."""

    code = "link_used_up"


@dataclass(eq=False)
class TextTooLongError(CobrowseError):
    """With the link in it the text has more than `most` characters."""

    code = "text_too_long"
    most: int


class ConversationActiveError(ServiceError):
    """The customer is in an SMS conversation with the company already, so that Genesys sends nothing beside it.

    `join_url` is the link that was to be sent. It is for the answer alone: no record of the error holds it.
    """

    code = "conversation_active"
    join_url = ""


OFF = ("needless", "client", "socket", "key")
"""Why nobody can connect: sessions take no sign-in of a person; no OAuth client, no HTTP, no encryption key is set."""


@dataclass(eq=False)
class ConnectOffError(CobrowseError):
    """Nobody can connect here; `why` is one of OFF."""

    code = "connect_off"
    why: str


class NotConnectedError(CobrowseError):
    """There is no connection to take away."""

    code = "not_connected"


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


class ConnectLinkGoneError(CobrowseError):
    """The link to connect is unknown, used, replaced by a newer one, or too old."""

    code = "connect_link_expired"


class ConnectDeniedError(PermissionDeniedError):
    """The person, or Genesys for them, said no to the sign-in."""

    code = "connect_denied"


@dataclass(eq=False)
class NotThatPersonError(PermissionDeniedError):
    """Whoever signed in is not the host of the person whom the link was for; `reference` is Genesys's."""

    code = "connect_wrong_user"
    reference: str | None = None


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


@dataclass(eq=False)
class TooManyStartsError(NotAcceptedError):
    """More than `most` sessions in a minute, by one person or by `everybody`; it may go on in `wait_seconds`."""

    code = "too_many_starts"
    most: int
    wait_seconds: float
    everybody: bool


@dataclass(eq=False)
class TooManySendsError(NotAcceptedError):
    """More than `most` links sent to customers in a minute by one person; it may go on in `wait_seconds`."""

    code = "too_many_sends"
    most: int
    wait_seconds: float


@dataclass(eq=False)
class TooManyInquiriesError(NotAcceptedError):
    """More than `most` commands and presses in a minute by one person that start and send nothing; it may go on in
    `wait_seconds`."""

    code: ClassVar[str] = "too_many_inquiries"
    most: int
    wait_seconds: float


class OverloadedError(NotAcceptedError):
    """So many requests are accepted and unanswered that no more are taken in now."""

    code = "overloaded"


class StepsOffError(PermissionDeniedError):
    """COBROWSE_WORKFLOW_STEPS is off."""

    code = "workflow_steps_off"


class NobodyNamedError(CobrowseError):
    """The step's input names no person."""

    code = "workflow_agent_missing"
