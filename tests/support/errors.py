"""List one error of every kind, for the tests of the sentences about errors."""

from datetime import UTC, datetime

from bot.core import errors
from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import (
    ChannelId,
    ConversationId,
    HostId,
    MembershipStatus,
    Session,
    SessionId,
    SessionRecord,
    TeamId,
    UserId,
)
from bot.core.validation.conversations import LiveConversation

HOST = "2f7b0c9e-0000-4000-8000-000000000001"
ANA, BEN = UserId("U0ANA"), UserId("U0BEN")
HELP = ChannelId("C0DESK")
REF = "corr-7"
CARLA = LiveConversation(ConversationId("2f7b0c9e-0000-4000-8000-00000000000a"), datetime.now(UTC), "Carla <C> & co")
NAMELESS = LiveConversation(
    ConversationId("2f7b0c9e-0000-4000-8000-00000000000b"), datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
)
CLOSED = SessionRecord(
    session=Session(
        id=SessionId("s-1"), status="open", host_id=HostId(HOST), name="Refund", ends_at=datetime.now(UTC), join_url=""
    ),
    team_id=TeamId("T0"),
    requester=ANA,
    agent=ANA,
    is_over=True,
)
"""A session in a conversation."""
ERRORS: list[CobrowseError] = [
    errors.NotReadyError("shutting_down"),
    errors.StorageUnavailableError(),
    errors.MaybeAcceptedError(),
    errors.RateLimitedError("too_many_starts", limit=6, wait_seconds=20, everybody=False),
    errors.RateLimitedError("too_many_inquiries", limit=30, wait_seconds=20),
    errors.NotReadyError("overloaded"),
    errors.OtherWorkspaceError(TeamId("T0OTHER")),
    *(errors.ChannelNotAllowedError(ChannelId("C0LOUNGE"), (HELP, ChannelId("C0CARE")), on) for on in (False, True)),
    *(
        errors.PersonNotAllowedError("not_a_member", BEN, standing, is_target=is_target)
        for standing in MembershipStatus
        for is_target in (True, False)
    ),
    errors.PersonNotAllowedError("not_listed", BEN, is_target=True),
    errors.PersonNotAllowedError("not_listed", BEN, is_target=False),
    errors.RoleRequiredError("may_not_act_for_others", BEN),
    errors.HostNotFoundError(BEN, True, (RuleMiss("hosts file", "not listed"),)),
    errors.HostNotFoundError(BEN, False, (RuleMiss("hosts file", "not listed"), RuleMiss("same email", "none"))),
    errors.HostNotFoundError(BEN, False, ()),
    errors.SlackUnavailableError("ratelimited"),
    errors.TokenRefusedError(reference=REF),
    errors.LoginRefusedError(oauth_error="invalid_client", reference=REF),
    errors.LoginRefusedError(oauth_error="invalid_scope", reference=REF),
    errors.PermissionMissingError(needs="cobrowse:session:write", reference=REF),
    *(errors.InvalidHostError(host_id=HostId(HOST), own=own, reference=REF) for own in (True, False)),
    errors.CreateCallMissingError(reference=REF),
    errors.UnknownApplicationError(application_id="web2", known=("web", "shop"), reference=REF),
    errors.UnknownApplicationError(application_id="web2", reference=REF),
    errors.BadRequestError(status=400, words="no <b> & c", reference=REF),
    errors.QueueTooLongError(wait_seconds=1560.0),
    *(errors.ServiceBusyError(reference=REF, retry_after=seconds) for seconds in (None, 0.0, 240.0, float("inf"))),
    errors.ServiceFailedError(reference=REF),
    errors.OutcomeUnknownError(reference=REF),
    errors.ServiceUnreachableError(reference=REF),
    errors.UnusableAnswerError(why="a session without an id", acted=True, reference=REF),
    errors.UnusableAnswerError(why="a redirect (302)", reference=REF),
    *(errors.UnknownSessionError(reference=REF, in_conversation=flag) for flag in (False, True)),
    *(errors.NoUsableConversationError(code="no_conversation", own=own, reference=REF) for own in (True, False)),
    *(
        errors.NoUsableConversationError(code="not_in_conversation", conversation_id=ConversationId(HOST), own=own)
        for own in (True, False)
    ),
    errors.SeveralConversationsError(candidates=(CARLA, NAMELESS), reference=REF),
    errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat", "internal", "unheard-of")),
    *(
        errors.SignInRequiredError(reference=REF, own=own, off=off)
        for own in (True, False)
        for off in ("", *errors.OFF)
    ),
    *(errors.SignInExpiredError(reference=REF, own=own) for own in (True, False)),
    errors.SignInRequiredError(reference=REF, off="", address="https://login.example.com/oauth"),
    errors.SignInExpiredError(reference=REF, address="https://login.example.com/oauth"),
    *(
        errors.PermissionMissingError(code="user_permission_missing", needs="conversation:cobrowse:add", own=own)
        for own in (True, False)
    ),
    *(errors.AccountLinkError("connect_off", why) for why in errors.OFF),
    errors.AccountLinkError("not_connected"),
    errors.AccountLinkError("connect_link_expired"),
    errors.SignInRejectedError("connect_denied"),
    errors.SignInRejectedError("connect_wrong_user", REF),
    errors.LoginRefusedError(code="connect_client_refused", oauth_error="invalid_client", reference=REF),
    errors.LoginRefusedError(code="connect_failed", oauth_error="invalid_grant", reference=REF),
    errors.RetryRejectedError("not_your_request"),
    errors.RetryRejectedError("already_retried"),
    errors.RetryRejectedError("request_forgotten"),
    *(errors.SessionActionError("already_ended", record=record) for record in (None, CLOSED)),
    errors.SessionActionError("no_open_session", agent=BEN),
    errors.SessionActionError("several_open_sessions", agent=BEN),
    errors.SessionActionError("already_shared"),
    errors.SessionActionError("no_open_session"),
    errors.SessionActionError("no_open_session", ever=False),
    errors.SessionActionError("session_not_found"),
    errors.SessionActionError("several_open_sessions", sessions=(("s-1", "Checkout <b>"), ("s-2", "Refund"))),
    errors.SessionAccessError("may_not_end", BEN, ANA),
    errors.SessionAccessError("may_not_read_link", BEN, BEN),
    *(errors.RoleRequiredError("supervisors_only", target) for target in (None, BEN)),
    errors.RoleRequiredError("administrators_only"),
    errors.RoleRequiredError("may_not_check"),
    *(errors.SharingError("share_refused", why) for why in ("outside", "uninvited", "closed", "direct")),
    errors.SharingError("share_outcome_unknown"),
    errors.SharingError("message_not_posted", slack_error="ratelimited"),
    errors.AccountLinkError("not_linked"),
    errors.AccountLinkError("no_such_host", "no Genesys user has it"),
    errors.InterruptedRequestError("interrupted", True),
    errors.InterruptedRequestError("interrupted", False),
    errors.InterruptedRequestError("not_started"),
    errors.InterruptedRequestError("session_over"),
    errors.UnexpectedError(),
    errors.NobodyNamedError(),
    errors.StepsOffError(),
    errors.RateLimitedError("too_many_sends", 5, 30),
    errors.SendRejectedError("sending_off", "sms"),
    *(errors.SendRejectedError("invalid_address", why) for why in ("none", "neither", "country")),
    errors.SendRejectedError("country_not_allowed", "JP"),
    errors.SessionActionError("no_link_to_send"),
    errors.SessionActionError("link_used_up"),
    errors.SessionActionError("customer_joined"),
    errors.SendRejectedError("text_too_long", "765"),
    errors.ConversationActiveError(reference=REF),
    errors.RateLimitedError("too_many_starts", limit=6, wait_seconds=200, everybody=True),
    errors.ChannelNotAllowedError(ChannelId(""), (HELP,)),
    errors.SlackUnavailableError("missing_scope", passes=False),
    *(
        errors.LoginRefusedError(oauth_error=code, words="Client <b> is blocked.", reference=REF)
        for code in ("access_denied", "unauthorized_client")
    ),
    errors.PermissionMissingError(needs="x:y", words="not in <Billing>"),
    errors.PermissionMissingError(code="user_permission_missing", needs="x:y", words="not in <Billing>", own=True),
    *(
        errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=(kind,))
        for kind in ("chat", "callback", "email", "social", "video", errors.INTERNAL)
    ),
    errors.SessionAccessError("may_not_read_link", BEN, ANA),
    *(errors.SharingError("share_refused", why) for why in ("unclear", "group", "thread")),
    errors.SharingError("share_outcome_unknown", is_direct=True),
    errors.SharingError("message_not_posted", slack_error="is_archived", passes=False),
    errors.UnexpectedError(maybe_created=True),
    errors.SendRejectedError("sending_off", "email"),
    *(errors.SendRejectedError("invalid_address", why) for why in ("number", "sms", "email")),
    errors.SendRejectedError("country_not_allowed", ""),
]
"""At least one error of each code, and of each variant that reads differently."""
BASES = {
    errors.CobrowseError,
    errors.NotAcceptedError,
    errors.PermissionDeniedError,
    errors.ServiceError,
}


def classes(base: type[CobrowseError]) -> set[type[CobrowseError]]:
    """Return a class and all its subclasses."""
    return {base}.union(*(classes(below) for below in base.__subclasses__()))


def name_of(error: CobrowseError) -> str:
    """Return the name of the test parameter for an error."""
    return error.code
