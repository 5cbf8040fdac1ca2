"""Every error has a sentence of its own: what happened, and what to do next."""

import re
from datetime import UTC, datetime

import pytest

from bot.core import errors
from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import MembershipStatus
from bot.core.validation.conversations import LiveConversation
from bot.slack.messages.blocks import escape
from bot.slack.messages.error_copy import error_copy

HOST = "2f7b0c9e-0000-4000-8000-000000000001"
CONTACT = "<#C0HELP>"
REF = "corr-7"
CARLA = LiveConversation("2f7b0c9e-0000-4000-8000-00000000000a", datetime.now(UTC), "Carla <C> & co")
DEFAULT_CONTACT = LiveConversation("2f7b0c9e-0000-4000-8000-00000000000b", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
ERRORS = [
    errors.NotReadyError("shutting_down"),
    errors.StorageUnavailableError(),
    errors.MaybeAcceptedError(),
    errors.RateLimitedError("too_many_starts", limit=6, wait_seconds=20, everybody=False),
    errors.RateLimitedError("too_many_inquiries", limit=30, wait_seconds=20),
    errors.NotReadyError("overloaded"),
    errors.OtherWorkspaceError("T0OTHER"),
    errors.ChannelNotAllowedError("C0LOUNGE", ("C0DESK", "C0CARE")),
    *(
        errors.PersonNotAllowedError("not_a_member", "U0BEN", standing, is_target=is_target)
        for standing in MembershipStatus
        for is_target in (True, False)
    ),
    errors.PersonNotAllowedError("not_listed", "U0BEN", is_target=True),
    errors.PersonNotAllowedError("not_listed", "U0BEN", is_target=False),
    errors.RoleRequiredError("may_not_act_for_others", "U0BEN"),
    errors.HostNotFoundError("U0BEN", True, (RuleMiss("hosts file", "not listed"),)),
    errors.HostNotFoundError("U0BEN", False, (RuleMiss("hosts file", "not listed"), RuleMiss("same e-mail", "none"))),
    errors.HostNotFoundError("U0BEN", False, ()),
    errors.SlackUnavailableError("ratelimited"),
    errors.TokenRefusedError(reference=REF),
    errors.LoginRefusedError(oauth_error="invalid_client", reference=REF),
    errors.LoginRefusedError(oauth_error="invalid_scope", reference=REF),
    errors.PermissionMissingError(needs="cobrowse:session:write", reference=REF),
    errors.InvalidHostError(host_id=HOST, reference=REF),
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
    errors.UnknownSessionError(reference=REF),
    errors.NoUsableConversationError(code="no_conversation", reference=REF),
    errors.NoUsableConversationError(code="not_in_conversation", conversation_id=HOST, reference=REF),
    errors.SeveralConversationsError(candidates=(CARLA, DEFAULT_CONTACT), reference=REF),
    errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat", "internal", "unheard-of")),
    *(
        errors.SignInRequiredError(reference=REF, own=own, off=off)
        for own in (True, False)
        for off in ("", *errors.OFF)
    ),
    *(errors.SignInExpiredError(reference=REF, own=own) for own in (True, False)),
    *(
        errors.PermissionMissingError(code="user_permission_missing", needs="conversation:cobrowse:add", own=own)
        for own in (True, False)
    ),
    *(errors.AccountLinkError("connect_off", why) for why in errors.OFF),
    errors.AccountLinkError("not_connected"),
    errors.AccountLinkError("connect_link_expired"),
    errors.SignInRejectedError("connect_denied"),
    errors.SignInRejectedError("connect_wrong_user", REF),
    errors.LoginRefusedError(code="connect_failed", oauth_error="invalid_grant", reference=REF),
    errors.RetryRejectedError("not_your_request"),
    errors.RetryRejectedError("already_retried"),
    errors.RetryRejectedError("request_forgotten"),
    errors.SessionActionError("already_ended"),
    errors.SessionActionError("already_shared"),
    errors.SessionActionError("no_open_session"),
    errors.SessionActionError("no_open_session", ever=False),
    errors.SessionActionError("session_not_found"),
    errors.SessionActionError("several_open_sessions", sessions=(("s-1", "Checkout <b>"), ("s-2", "Refund"))),
    errors.SessionAccessError("may_not_end", "U0BEN", "U0ANA"),
    errors.SessionAccessError("may_not_read_link", "U0BEN", "U0BEN"),
    errors.RoleRequiredError("supervisors_only"),
    errors.RoleRequiredError("administrators_only"),
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
    errors.SendRejectedError("text_too_long", "765"),
    errors.ConversationActiveError(reference=REF),
]
BASES = {
    errors.CobrowseError,
    errors.NotAcceptedError,
    errors.PermissionDeniedError,
    errors.ServiceError,
}
MAY_BE_TRIED_AGAIN = {
    "slack_unavailable",
    "reconnect_required",
    "service_busy",
    "queue_too_long",
    "service_fault",
    "outcome_unknown",
    "service_unreachable",
    "unusable_answer",
    "no_conversation",
    "message_not_posted",
    "interrupted",
    "not_started",
    "session_over",
    "unexpected",
}


def classes(base: type[CobrowseError]) -> set[type[CobrowseError]]:
    return {base}.union(*(classes(below) for below in base.__subclasses__()))


def name_of(error: CobrowseError) -> str:
    return error.code


def words(error: CobrowseError) -> str:
    said = error_copy(error, CONTACT)
    return f"{said.what} {said.next}"


def test_these_tests_know_every_error_there_is():
    every = {(each, code) for each in classes(CobrowseError) - BASES for code in each.possible_codes()}
    assert {(type(error), error.code) for error in ERRORS} == every


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_every_error_says_what_happened_and_what_to_do(error):
    said = error_copy(error, CONTACT)
    assert said.what.endswith((".", "”"))
    assert said.next.endswith((".", ".)"))
    assert said.what[0].isupper() or said.what.startswith("<@")
    assert "None" not in said.what + said.next


def test_no_two_errors_are_told_alike():
    said = {name_of(error): error_copy(error, CONTACT).what for error in ERRORS}
    assert len(set(said.values())) == len(said)


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_only_a_fault_of_our_own_gets_the_general_sentence(error):
    general = error_copy(CobrowseError(), CONTACT)
    assert (error_copy(error, CONTACT) == general) == isinstance(error, errors.UnexpectedError)


def test_retry_is_offered_where_it_may_help_and_nowhere_else():
    assert {error.code for error in ERRORS if error.try_again} == MAY_BE_TRIED_AGAIN | {"connect_required"}


@pytest.mark.parametrize("error", [e for e in ERRORS if isinstance(e, errors.PermissionDeniedError)], ids=name_of)
def test_a_refusal_says_whom_to_ask(error):
    assert CONTACT in error_copy(error, CONTACT).next


@pytest.mark.parametrize(
    "error",
    [
        errors.TokenRefusedError(),
        errors.LoginRefusedError(oauth_error="invalid_client"),
        errors.PermissionMissingError(needs="x:y"),
        errors.HostNotFoundError("U0BEN", False, ()),
        errors.InvalidHostError(host_id=HOST),
        errors.UnknownApplicationError(application_id="web2"),
        errors.UnusableAnswerError(why="no JSON"),
        errors.UnexpectedError(),
    ],
    ids=name_of,
)
def test_problem_for_an_administrator_names_who_can_fix_it(error):
    assert CONTACT in error_copy(error, CONTACT).next


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            errors.PermissionMissingError(needs="cobrowse:session:write"),
            ["`cobrowse:session:write`", "OAuth", "no restart"],
        ),
        (errors.InvalidHostError(host_id=HOST), [HOST, "active", "licence"]),
        (errors.UnknownApplicationError(application_id="web2", known=("web", "shop")), ["`web2`", "`web`", "`shop`"]),
        (errors.UnknownApplicationError(application_id="web2"), ["`web2`", "could not be read"]),
        (errors.BadRequestError(status=422, words="<!channel> & co"), ["422", "&lt;!channel&gt; &amp; co"]),
        (errors.LoginRefusedError(oauth_error="invalid_client"), ["invalid_client", "key or secret"]),
        (errors.LoginRefusedError(oauth_error="invalid_scope"), ["invalid_scope", "GENESYS_SCOPES"]),
        (errors.LoginRefusedError(oauth_error="x", words="<!here> & co"), ["(x): “&lt;!here&gt; &amp; co”"]),
        (errors.LoginRefusedError(oauth_error="unauthorized_client"), ["Client Credentials"]),
        (errors.LoginRefusedError(oauth_error="access_denied"), ["network address"]),
        (errors.LoginRefusedError(oauth_error=errors.WEB_PAGE), ["a web page", "network address"]),
        (
            errors.PermissionMissingError(needs="x:y", words="not in <Billing>"),
            ["not in &lt;Billing&gt;", "`x:y`", "that division"],
        ),
        (
            errors.PermissionMissingError(code="user_permission_missing", needs="x:y", words="not in <Billing>"),
            ["&lt;Billing&gt;", "`x:y`", "division"],
        ),
        (
            errors.LoginRefusedError(code="connect_failed", oauth_error="x", words="<!here>"),
            ["(x)", "“&lt;!here&gt;”", CONTACT],
        ),
        (
            errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat",)),
            ["a web chat", "no session", "calls", "messages"],
        ),
        (
            errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat", "email")),
            ["a web chat and an e-mail"],
        ),
        (
            errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("internal",)),
            ["without a customer"],
        ),
        (errors.ServiceFailedError(), ["try again in a few minutes", "status."]),
        (errors.ServiceBusyError(), ["No session was created"]),
        (errors.ServiceUnreachableError(), ["cannot reach Genesys", "no session was created"]),
        (errors.OutcomeUnknownError(), ["Nobody knows", "not asked for again"]),
        (errors.InterruptedRequestError("interrupted", True), ["restarted", "Nobody knows"]),
        (errors.InterruptedRequestError("interrupted", False), ["restarted", "No session was created"]),
        (errors.UnusableAnswerError(why="no id", acted=True), ["no id", "Nobody knows"]),
        (errors.UnusableAnswerError(why="a redirect (302)"), ["a redirect (302)", "No session was created"]),
        (errors.NoUsableConversationError(code="no_conversation"), ["no customer", "few seconds", "id or address"]),
        (
            errors.NoUsableConversationError(code="not_in_conversation", conversation_id=HOST),
            [HOST, "not connected", "no session"],
        ),
        (
            errors.SeveralConversationsError(candidates=(CARLA, DEFAULT_CONTACT)),
            ["Carla &lt;C&gt; &amp; co", f"`{CARLA.id}`"],
        ),
        (
            errors.SeveralConversationsError(candidates=(CARLA, DEFAULT_CONTACT)),
            ["a customer since", "02 Jan 03:04 UTC"],
        ),
        (errors.SeveralConversationsError(candidates=(CARLA,) * 12), ["and 2 more"]),
        (errors.SignInRequiredError(), ["signed in", CONTACT, "GENESYS_CONNECT_CLIENT_ID"]),
        (errors.SignInRequiredError(off="socket"), ["signed in", CONTACT, "BOT_MODE"]),
        (errors.SignInRequiredError(off="key"), ["signed in", CONTACT, "STORE_ENCRYPTION_KEY"]),
        (errors.SignInRequiredError(off=""), ["signed in", "`/cobrowse connect`"]),
        (errors.SignInRequiredError(off="", own=False), ["Ask the agent", "`/cobrowse connect`"]),
        (errors.LoginRefusedError(code="connect_failed", oauth_error="<b>"), ["&lt;b&gt;", CONTACT]),
        (errors.UnknownSessionError(), ["ends by itself"]),
        (errors.ChannelNotAllowedError("C0LOUNGE", ("C0DESK", "C0CARE")), ["<#C0DESK>", "<#C0CARE>"]),
        (errors.RoleRequiredError("may_not_act_for_others", "U0BEN"), ["<@U0BEN>", "supervisor", "none was started"]),
        (errors.SlackUnavailableError("<oops>"), ["&lt;oops&gt;"]),
        (
            errors.SessionActionError("several_open_sessions", sessions=(("s-1", "Checkout <b>"),)),
            ["none was ended", "`s-1` Checkout &lt;b&gt;"],
        ),
        (errors.SessionAccessError("may_not_end", "U0BEN", "U0ANA"), ["<@U0BEN> and <@U0ANA>", "supervisors", CONTACT]),
        (errors.SessionAccessError("may_not_read_link", "U0BEN", "U0BEN"), ["only <@U0BEN> may have the link"]),
        (errors.SharingError("message_not_posted", slack_error="<oops>"), ["&lt;oops&gt;"]),
        (errors.AccountLinkError("no_such_host", "<why>"), ["&lt;why&gt;"]),
        (errors.SharingError("share_outcome_unknown"), ["nobody knows", "not shared again"]),
    ],
    ids=lambda value: name_of(value) if isinstance(value, CobrowseError) else "",
)
def test_a_sentence_holds_what_its_reader_needs(error, parts):
    assert not [part for part in parts if part.lower() not in words(error).lower()]


@pytest.mark.parametrize(
    ("standing", "who"),
    [
        (MembershipStatus.GUEST, "guests"),
        (MembershipStatus.BOT, "bots"),
        (MembershipStatus.DEACTIVATED, "deactivated"),
        (MembershipStatus.OUTSIDER, "outside this workspace"),
    ],
)
@pytest.mark.parametrize("is_target", [True, False])
def test_person_refused_by_membership_reads_which(standing, who, is_target):
    said = error_copy(errors.PersonNotAllowedError("not_a_member", "U0BEN", standing, is_target=is_target), CONTACT)
    assert who in said.what.lower()
    assert ("<@U0BEN>" in said.what) == is_target


@pytest.mark.parametrize("is_target", [True, False])
def test_unlisted_or_unmapped_target_is_named(is_target):
    for error in (
        errors.PersonNotAllowedError("not_listed", "U0BEN", is_target=is_target),
        errors.HostNotFoundError("U0BEN", is_target, ()),
    ):
        assert ("<@U0BEN>" in words(error)) == is_target
        assert ("You are not" in words(error)) != is_target


def test_an_unmapped_person_reads_which_rules_were_tried():
    tried = (RuleMiss("hosts file", "not listed"), RuleMiss("same <e-mail>", "no & none"))
    said = error_copy(errors.HostNotFoundError("U0BEN", False, tried), CONTACT)
    assert "hosts file: not listed; same &lt;e-mail&gt;: no &amp; none" in said.next


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_own_text_of_an_error_is_its_code_alone(error):
    assert str(error) == error.code


def test_escaping_leaves_no_markup_and_is_undone_by_slack_once():
    assert escape("<!channel> & &lt;") == "&lt;!channel&gt; &amp; &amp;lt;"


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_errors_of_other_commands_say_nothing_of_a_start(error):
    said = error_copy(error, CONTACT, starting=False)
    assert said.what.endswith((".", "”"))
    assert said.next.endswith((".", ".)"))
    if not isinstance(error, STARTS_ONLY):
        assert not re.search(r"[Nn]o session was|was created|was started", said.what + said.next)


STARTS_ONLY = (
    errors.RateLimitedError,
    errors.StepsOffError,
    errors.RoleRequiredError,
    errors.InvalidHostError,
    errors.UnknownApplicationError,
    errors.NoUsableConversationError,
    errors.SeveralConversationsError,
    errors.SignInRequiredError,
    errors.InterruptedRequestError,
    errors.UnexpectedError,
)
"""Only a start ends with these, or with a create whose outcome is unknown."""
