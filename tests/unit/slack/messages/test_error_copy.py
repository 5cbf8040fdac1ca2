"""Every error has a sentence of its own: what happened, and what to do next."""

from datetime import UTC, datetime

import pytest

from bot.core import (
    connect_errors,
    conversation_errors,
    errors,
    press_errors,
    sending_errors,
    session_errors,
    workflow_steps,
)
from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import MembershipStatus
from bot.core.requests import limits
from bot.core.validation.conversations import LiveConversation
from bot.slack.messages.blocks import escape
from bot.slack.messages.error_copy import error_copy

HOST = "2f7b0c9e-0000-4000-8000-000000000001"
CONTACT = "<#C0HELP>"
REF = "corr-7"
CARLA = LiveConversation("2f7b0c9e-0000-4000-8000-00000000000a", datetime.now(UTC), "Carla <C> & co")
SOMEBODY = LiveConversation("2f7b0c9e-0000-4000-8000-00000000000b", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
ERRORS = [
    errors.Draining(),
    errors.StoreUnavailable(),
    errors.MaybeAccepted(),
    limits.TooManyStarts(most=6, wait_seconds=20, everybody=False),
    limits.TooManyInquiries(most=30, wait_seconds=20),
    limits.TooManyUnderWay(),
    errors.OtherWorkspace("T0OTHER"),
    errors.ChannelNotAllowed("C0LOUNGE", ("C0DESK", "C0CARE")),
    *(errors.NotAMember("U0BEN", standing, is_target) for standing in MembershipStatus for is_target in (True, False)),
    errors.NotListed("U0BEN", True),
    errors.NotListed("U0BEN", False),
    errors.MayNotActForOthers("U0BEN"),
    errors.HostNotFound("U0BEN", True, (RuleMiss("hosts file", "not listed"),)),
    errors.HostNotFound("U0BEN", False, (RuleMiss("hosts file", "not listed"), RuleMiss("same e-mail", "none"))),
    errors.HostNotFound("U0BEN", False, ()),
    errors.SlackUnavailable("ratelimited"),
    errors.SignInRefused(reference=REF),
    errors.OAuthRefused(oauth_error="invalid_client", reference=REF),
    errors.OAuthRefused(oauth_error="invalid_scope", reference=REF),
    errors.Forbidden(needs="cobrowse:session:write", reference=REF),
    errors.InvalidHost(host_id=HOST, reference=REF),
    errors.UnknownApplication(application_id="web2", known=("web", "shop"), reference=REF),
    errors.UnknownApplication(application_id="web2", reference=REF),
    errors.BadRequest(status=400, words="no <b> & c", reference=REF),
    errors.TooManyWaiting(wait_seconds=1560.0),
    *(errors.Busy(reference=REF, retry_after=seconds) for seconds in (None, 0.0, 240.0, float("inf"))),
    errors.ServiceFault(reference=REF),
    errors.OutcomeUnknown(reference=REF),
    errors.Unreachable(reference=REF),
    errors.UnusableAnswer(why="a session without an id", acted=True, reference=REF),
    errors.UnusableAnswer(why="a redirect (302)", reference=REF),
    errors.NoSuchSession(reference=REF),
    conversation_errors.NoConversation(reference=REF),
    conversation_errors.NotInConversation(conversation_id=HOST, reference=REF),
    conversation_errors.SeveralConversations(candidates=(CARLA, SOMEBODY), reference=REF),
    conversation_errors.CannotCobrowse(kinds=("chat", "internal", "unheard-of")),
    *(
        connect_errors.UserContextNeeded(reference=REF, own=own, off=off)
        for own in (True, False)
        for off in ("", *connect_errors.OFF)
    ),
    *(connect_errors.ConnectAgain(reference=REF, own=own) for own in (True, False)),
    *(connect_errors.PersonLacks(needs="conversation:cobrowse:add", own=own) for own in (True, False)),
    *map(connect_errors.ConnectOff, connect_errors.OFF),
    connect_errors.NotConnected(),
    connect_errors.ConnectLinkGone(),
    connect_errors.ConnectDenied(),
    connect_errors.NotThatPerson(REF),
    connect_errors.SignInFailed(oauth_error="invalid_grant", reference=REF),
    press_errors.NotYours(),
    press_errors.TriedAlready(),
    press_errors.RequestGone(),
    press_errors.EndedAlready(),
    press_errors.SharedAlready(),
    session_errors.NothingOpen(),
    session_errors.NothingOpen(ever=False),
    session_errors.SessionNotFound(),
    session_errors.SeveralOpen((("s-1", "Checkout <b>"), ("s-2", "Refund"))),
    session_errors.MayNotEnd("U0BEN", "U0ANA"),
    session_errors.MayNotRead("U0BEN", "U0BEN"),
    session_errors.LeadsOnly(),
    session_errors.AdminsOnly(),
    *map(session_errors.ShareRefused, ("outside", "uninvited", "closed", "direct")),
    session_errors.ShareUnknown(),
    session_errors.NotPosted("ratelimited"),
    session_errors.NotLinked(),
    session_errors.NoSuchHost("no Genesys user has it"),
    errors.Interrupted(True),
    errors.Interrupted(False),
    errors.NotBegun(),
    errors.SessionOver(),
    errors.Unexpected(),
    workflow_steps.NobodyNamed(),
    workflow_steps.StepsOff(),
    limits.TooManySends(5, 30),
    sending_errors.SendingOff("sms"),
    *(sending_errors.BadAddress(why) for why in ("none", "neither", "country")),
    sending_errors.CountryNotAllowed("JP"),
    sending_errors.NoLinkToSend(),
    sending_errors.LinkUsedUp(),
    sending_errors.TextTooLong(765),
    sending_errors.ConversationActive(reference=REF),
]
BASES = {
    errors.CobrowseError,
    errors.NotAccepted,
    errors.Refused,
    errors.ServiceError,
    press_errors.TryAgainRefused,
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
    return type(error).__name__


def words(error: CobrowseError) -> str:
    said = error_copy(error, CONTACT)
    return f"{said.what} {said.next}"


def test_these_tests_know_every_error_there_is():
    assert classes(CobrowseError) - BASES == {type(error) for error in ERRORS}


def test_every_error_stands_in_the_drawing_of_the_tree():
    assert not [each.__name__ for each in classes(CobrowseError) if each.__name__ not in (errors.__doc__ or "")]


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
    assert (error_copy(error, CONTACT) == general) == isinstance(error, errors.Unexpected)


def test_asking_again_is_offered_where_it_may_help_and_nowhere_else():
    assert {each.code for each in classes(CobrowseError) if each.try_again} == MAY_BE_TRIED_AGAIN


@pytest.mark.parametrize("error", [e for e in ERRORS if isinstance(e, errors.Refused)], ids=name_of)
def test_a_refusal_says_whom_to_ask(error):
    assert CONTACT in error_copy(error, CONTACT).next


@pytest.mark.parametrize(
    "error",
    [
        errors.SignInRefused(),
        errors.OAuthRefused(oauth_error="invalid_client"),
        errors.Forbidden(needs="x:y"),
        errors.HostNotFound("U0BEN", False, ()),
        errors.InvalidHost(host_id=HOST),
        errors.UnknownApplication(application_id="web2"),
        errors.UnusableAnswer(why="no JSON"),
        errors.Unexpected(),
    ],
    ids=name_of,
)
def test_what_the_person_cannot_mend_names_who_can(error):
    assert CONTACT in error_copy(error, CONTACT).next


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (errors.Forbidden(needs="cobrowse:session:write"), ["`cobrowse:session:write`", "OAuth", "no restart"]),
        (errors.InvalidHost(host_id=HOST), [HOST, "active", "licence"]),
        (errors.UnknownApplication(application_id="web2", known=("web", "shop")), ["`web2`", "`web`", "`shop`"]),
        (errors.UnknownApplication(application_id="web2"), ["`web2`", "could not be read"]),
        (errors.BadRequest(status=422, words="<!channel> & co"), ["422", "&lt;!channel&gt; &amp; co"]),
        (errors.OAuthRefused(oauth_error="invalid_client"), ["invalid_client", "key or secret"]),
        (errors.OAuthRefused(oauth_error="invalid_scope"), ["invalid_scope", "GENESYS_SCOPES"]),
        (errors.OAuthRefused(oauth_error="x", words="<!here> & co"), ["(x): “&lt;!here&gt; &amp; co”"]),
        (errors.OAuthRefused(oauth_error="unauthorized_client"), ["Client Credentials"]),
        (errors.OAuthRefused(oauth_error="access_denied"), ["network address"]),
        (errors.OAuthRefused(oauth_error=errors.WEB_PAGE), ["a web page", "network address"]),
        (errors.Forbidden(needs="x:y", words="not in <Billing>"), ["not in &lt;Billing&gt;", "`x:y`", "that division"]),
        (connect_errors.PersonLacks(needs="x:y", words="not in <Billing>"), ["&lt;Billing&gt;", "`x:y`", "division"]),
        (connect_errors.SignInFailed(oauth_error="x", words="<!here>"), ["(x)", "“&lt;!here&gt;”", CONTACT]),
        (conversation_errors.CannotCobrowse(kinds=("chat",)), ["a web chat", "no session", "calls", "messages"]),
        (conversation_errors.CannotCobrowse(kinds=("chat", "email")), ["a web chat and an e-mail"]),
        (conversation_errors.CannotCobrowse(kinds=("internal",)), ["without a customer"]),
        (errors.ServiceFault(), ["try again in a few minutes", "status."]),
        (errors.Busy(), ["No session was created"]),
        (errors.Unreachable(), ["cannot reach Genesys", "no session was created"]),
        (errors.OutcomeUnknown(), ["Nobody knows", "not asked for again"]),
        (errors.Interrupted(True), ["restarted", "Nobody knows"]),
        (errors.Interrupted(False), ["restarted", "No session was created"]),
        (errors.UnusableAnswer(why="no id", acted=True), ["no id", "Nobody knows"]),
        (errors.UnusableAnswer(why="a redirect (302)"), ["a redirect (302)", "No session was created"]),
        (conversation_errors.NoConversation(), ["no customer", "few seconds", "id or address"]),
        (conversation_errors.NotInConversation(conversation_id=HOST), [HOST, "not connected", "no session"]),
        (
            conversation_errors.SeveralConversations(candidates=(CARLA, SOMEBODY)),
            ["Carla &lt;C&gt; &amp; co", f"`{CARLA.id}`"],
        ),
        (
            conversation_errors.SeveralConversations(candidates=(CARLA, SOMEBODY)),
            ["a customer since", "02 Jan 03:04 UTC"],
        ),
        (conversation_errors.SeveralConversations(candidates=(CARLA,) * 12), ["and 2 more"]),
        (connect_errors.UserContextNeeded(), ["signed in", CONTACT, "GENESYS_CONNECT_CLIENT_ID"]),
        (connect_errors.UserContextNeeded(off="socket"), ["signed in", CONTACT, "BOT_MODE"]),
        (connect_errors.UserContextNeeded(off="key"), ["signed in", CONTACT, "STORE_ENCRYPTION_KEY"]),
        (connect_errors.UserContextNeeded(off=""), ["signed in", "`/cobrowse connect`"]),
        (connect_errors.UserContextNeeded(off="", own=False), ["Ask the agent", "`/cobrowse connect`"]),
        (connect_errors.SignInFailed(oauth_error="<b>"), ["&lt;b&gt;", CONTACT]),
        (errors.NoSuchSession(), ["ends by itself"]),
        (errors.ChannelNotAllowed("C0LOUNGE", ("C0DESK", "C0CARE")), ["<#C0DESK>", "<#C0CARE>"]),
        (errors.MayNotActForOthers("U0BEN"), ["<@U0BEN>", "supervisor", "none was started"]),
        (errors.SlackUnavailable("<oops>"), ["&lt;oops&gt;"]),
        (session_errors.SeveralOpen((("s-1", "Checkout <b>"),)), ["none was ended", "`s-1` Checkout &lt;b&gt;"]),
        (session_errors.MayNotEnd("U0BEN", "U0ANA"), ["<@U0BEN> and <@U0ANA>", "supervisors", CONTACT]),
        (session_errors.MayNotRead("U0BEN", "U0BEN"), ["only <@U0BEN> may have the link"]),
        (session_errors.NotPosted("<oops>"), ["&lt;oops&gt;"]),
        (session_errors.NoSuchHost("<why>"), ["&lt;why&gt;"]),
        (session_errors.ShareUnknown(), ["nobody knows", "not shared again"]),
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
def test_who_is_refused_for_their_standing_reads_which(standing, who, is_target):
    said = error_copy(errors.NotAMember("U0BEN", standing, is_target), CONTACT)
    assert who in said.what.lower()
    assert ("<@U0BEN>" in said.what) == is_target


@pytest.mark.parametrize("is_target", [True, False])
def test_who_is_not_listed_or_mapped_is_named_when_it_is_somebody_else(is_target):
    for error in (errors.NotListed("U0BEN", is_target), errors.HostNotFound("U0BEN", is_target, ())):
        assert ("<@U0BEN>" in words(error)) == is_target
        assert ("You are not" in words(error)) != is_target


def test_an_unmapped_person_reads_which_rules_were_tried():
    tried = (RuleMiss("hosts file", "not listed"), RuleMiss("same <e-mail>", "no & none"))
    said = error_copy(errors.HostNotFound("U0BEN", False, tried), CONTACT)
    assert "hosts file: not listed; same &lt;e-mail&gt;: no &amp; none" in said.next


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_own_text_of_an_error_is_its_code_alone(error):
    assert str(error) == error.code


def test_escaping_leaves_no_markup_and_is_undone_by_slack_once():
    assert escape("<!channel> & &lt;") == "&lt;!channel&gt; &amp; &amp;lt;"
