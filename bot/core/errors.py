"""Everything a person can be told instead of a link: one class each, with what its sentence needs to know.

    CobrowseError
    ├─ NotAccepted            nothing was stored: Draining · StoreUnavailable · TooManyStarts · TooManySends ·
    │                         TooManyInquiries · TooManyUnderWay; perhaps it was: MaybeAccepted
    ├─ Refused                OtherWorkspace · ChannelNotAllowed · NotAMember · NotListed · MayNotActForOthers
    │                         StepsOff · MayNotEnd · MayNotRead · LeadsOnly · AdminsOnly ·
    │                         ConnectDenied · NotThatPerson
    ├─ NobodyNamed            a workflow's step without a person
    ├─ HostNotFound           no rule of the chain maps the person
    ├─ SlackUnavailable       Slack would not say who somebody is
    ├─ ServiceError           the session service; carries its reference
    │  ├─ SignInRefused · OAuthRefused · Forbidden                          the bot's own set-up
    │  ├─ InvalidHost · UnknownApplication · BadRequest                     this order
    │  ├─ NoConversation · NotInConversation · SeveralConversations ·
    │  │  CannotCobrowse                                                    which conversation it is for
    │  ├─ UserContextNeeded · ConnectAgain · PersonLacks · SignInFailed     a person's own sign-in (connect_errors.py)
    │  ├─ Busy · TooManyWaiting · ServiceFault · OutcomeUnknown · Unreachable · UnusableAnswer
    │  │                      NoSuchSession
    ├─ TryAgainRefused        NotYours · TriedAlready · RequestGone
    ├─ NothingOpen · SessionNotFound · SeveralOpen · EndedAlready           which session, and is it there
    ├─ SharedAlready · ShareRefused · ShareUnknown · NotPosted              telling others of it
    ├─ NotLinked · NoSuchHost · ConnectOff · NotConnected · ConnectLinkGone who hosts as whom, and by which sign-in
    ├─ SendingOff · BadAddress · CountryNotAllowed · NoLinkToSend · LinkUsedUp · TextTooLong   to a customer
    │  ConversationActive     Genesys sends nothing beside an SMS conversation; a ServiceError
    ├─ Interrupted            the bot stopped while the request was being worked
    ├─ NotBegun               the store went away before the create went out
    ├─ SessionOver            the bot stopped before the link was told, and came back too late
    └─ Unexpected             a fault of ours; the traceback is in the log

The sentences themselves stand in slack/sentences.py. None of these holds a secret. Beside them stands SetupError: what
whoever starts the bot is told, in the terminal.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from bot.core.models import ChannelId, HostId, MembershipStatus, TeamId, UserId

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


class NotAccepted(CobrowseError):
    """The request was not stored, as far as is known."""

    code = "not_accepted"


class Draining(NotAccepted):
    """The bot is stopping."""

    code = "shutting_down"


class StoreUnavailable(NotAccepted):
    """The store could not write."""

    code = "storage_unavailable"


class MaybeAccepted(NotAccepted):
    """The store did not take it, as far as this replica knows: it may be in there, and come to its outcome yet."""

    code = "maybe_accepted"


class Refused(CobrowseError):
    """The person may not do this."""

    code = "not_permitted"


@dataclass(eq=False)
class OtherWorkspace(Refused):
    """The command came from a workspace this bot does not serve."""

    code = "wrong_workspace"
    team_id: TeamId


@dataclass(eq=False)
class ChannelNotAllowed(Refused):
    """Outside COBROWSE_CHANNELS."""

    code = "channel_not_allowed"
    channel_id: ChannelId
    allowed: tuple[ChannelId, ...]


@dataclass(eq=False)
class NotAMember(Refused):
    """A guest, bot, deactivated person or outsider; `is_target` when it is whom the session was for."""

    code = "not_a_member"
    user_id: UserId
    standing: MembershipStatus
    is_target: bool


@dataclass(eq=False)
class NotListed(Refused):
    """Outside COBROWSE_MEMBERS."""

    code = "not_listed"
    user_id: UserId
    is_target: bool


@dataclass(eq=False)
class MayNotActForOthers(Refused):
    """Neither supervisor nor administrator."""

    code = "may_not_act_for_others"
    target: UserId


@dataclass(frozen=True, slots=True)
class RuleMiss:
    """A rule of the host chain that did not map a person, and why, in words that hold no address."""

    rule: str
    why: str


@dataclass(eq=False)
class HostNotFound(CobrowseError):
    """No rule maps the person to a Genesys host."""

    code = "host_not_found"
    user_id: UserId
    is_target: bool
    tried: tuple[RuleMiss, ...]


@dataclass(eq=False)
class SlackUnavailable(CobrowseError):
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


class SignInRefused(ServiceError):
    """401, also with a token fetched anew."""

    code = "token_refused"


@dataclass(eq=False, kw_only=True)
class OAuthRefused(ServiceError):
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
class Forbidden(ServiceError):
    """403: the client lacks the scope or permission `needs`.

    `words`: the service's own, where they name a division; cut at 300 characters and not escaped.
    """

    code = "permission_missing"
    needs: str
    words: str = ""


@dataclass(eq=False, kw_only=True)
class InvalidHost(ServiceError):
    """The service does not take this user as a host."""

    code = "invalid_host"
    host_id: HostId


@dataclass(eq=False, kw_only=True)
class UnknownApplication(ServiceError):
    """No such application; `known` are the ids there are, empty when that could not be learnt."""

    code = "unknown_application"
    application_id: str
    known: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class BadRequest(ServiceError):
    """Any other 4xx; `words` are the service's own, cut at 300 characters and not escaped."""

    code = "bad_request"
    status: int
    words: str


@dataclass(eq=False, kw_only=True)
class Busy(ServiceError):
    """429 or 503 for longer than we wait. It did not act. `retry_after`: in how many seconds it may, if it said so."""

    code = "service_busy"
    retry_after: float | None = None
    try_again = True


@dataclass(eq=False, kw_only=True)
class TooManyWaiting(ServiceError):
    """So many wait for the service's rate limit that this one's turn would come too late: in about `wait_seconds`."""

    code = "queue_too_long"
    wait_seconds: float
    try_again = True


class ServiceFault(ServiceError):
    """500, also when asked again twice."""

    code = "service_fault"
    try_again = True


class OutcomeUnknown(ServiceError):
    """The request went out and no usable word came back: a session may exist or not."""

    code = "outcome_unknown"
    try_again = True


class Unreachable(ServiceError):
    """No connection came about, so nothing was asked."""

    code = "service_unreachable"
    try_again = True


@dataclass(eq=False, kw_only=True)
class UnusableAnswer(ServiceError):
    """An answer that is of no use; `why` in a few words. `acted`: it was a 2xx to a create, so a session may exist."""

    code = "unusable_answer"
    why: str
    acted: bool = False
    try_again = True


ID_TAKEN = "a session by the id of another one"
"""The id is known already, for another team, host, requester or agent. The store decides this: desk.store.Store."""


class NoSuchSession(ServiceError):
    """The service knows no session by this id, or cannot end it on demand."""

    code = "session_unknown_to_service"


@dataclass(eq=False)
class Interrupted(CobrowseError):
    """The bot stopped in the middle; `maybe_created` when the create was under way, so nobody knows."""

    code = "interrupted"
    maybe_created: bool
    try_again = True


class NotBegun(CobrowseError):
    """The request was accepted, and the store could not note that its create goes out: so it did not."""

    code = "not_started"
    try_again = True


class SessionOver(CobrowseError):
    """The bot stopped when the session was there, and by the time it came back the session had ended."""

    code = "session_over"
    try_again = True


@dataclass(eq=False)
class Unexpected(CobrowseError):
    """A fault of our own; `maybe_created` when the create was under way."""

    code = "unexpected"
    maybe_created: bool = False
    try_again = True
