"""Only error messages about failures have the line of references. Successes, questions and plain facts have none."""

import typing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.errors import CobrowseError, PersonNotAllowedError, SessionActionError
from bot.core.models import (
    Host,
    Identity,
    MembershipStatus,
    RequestKind,
    Role,
    SessionId,
    SessionRecord,
    SessionStarted,
    SlackUser,
    UserId,
    WaitNotice,
)
from bot.core.results import (
    AccessReport,
    AccessRequested,
    AccountLinked,
    AccountUnlinked,
    AdministratorsTold,
    Applications,
    CommandSuggested,
    CustomerMessageSent,
    FaultChecked,
    FaultState,
    Help,
    HostLinked,
    LastSession,
    ListKind,
    ListPage,
    OpenSession,
    SendCancelled,
    SendPreview,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
    SignInOffered,
    Success,
)
from bot.core.validation.contact import ContactAddress, ContactChannel
from bot.slack.command_parser import NotUnderstood, Reason, parse
from bot.slack.messages.ambiguity import chosen_already, parse_error, sent_already
from bot.slack.messages.blocks import Message
from bot.slack.messages.catalogue.errors import REFERENCE
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.views import confirmation, customer_message_form, session_form
from bot.slack.views.confirmation import Pressed
from tests.support.cases import each_case
from tests.support.errors import ERRORS, HOST, name_of
from tests.support.rendered_messages import WORDS, request
from tests.support.storage import ANA, TEAM, session

NUMBER = ContactAddress(ContactChannel.SMS, "+14155550123")
CHANNEL = request().channel_id
BEN = UserId("U0BEN")


def record(number: int = 1, *, is_over: bool = False, join_url: str = "https://join.example/x") -> SessionRecord:
    shown = replace(session(f"s-{number}"), join_url="" if is_over else join_url)
    return SessionRecord(session=shown, team_id=TEAM, requester=ANA, agent=BEN, is_over=is_over)


GONE = replace(record(), is_gone=True)
PLACE = Pressed(SessionId("s-1"), CHANNEL, None)
NO_FAILURE = {
    "no_open_session",
    "several_open_sessions",
    "session_not_found",
    "already_ended",
    "already_shared",
    "no_link_to_send",
    "link_used_up",
    "customer_joined",
    "not_your_request",
    "already_retried",
    "request_forgotten",
    "invalid_address",
    "several_conversations",
}
"""The codes of errors that are a question, or say a plain fact."""
RESULTS: list[Success] = [
    SessionStarted(session()),
    SessionStarted(session(), agent_told=False, is_shared=True),
    Identity(SlackUser(TEAM, ANA, "Ana", MembershipStatus.MEMBER), Host(HOST, "same email"), connected=True),
    *(Help(role) for role in Role),
    CommandSuggested("end", (record(),)),
    CommandSuggested("end", (record(), record(number=2))),
    CommandSuggested("list", (record(),)),
    OpenSession(record(), "Carla"),
    OpenSession(record(join_url=""), "Carla"),
    LastSession(record()),
    LastSession(record(is_over=True)),
    LastSession(GONE),
    SessionList((record(),), total=1),
    SessionList(()),
    SessionList((record(),), ListPage(ListKind.LIVE), 1),
    SessionEnded(record(is_over=True)),
    SessionEnded(record(is_over=True), listing=SessionList((record(),), total=1)),
    SessionEnded(record(is_over=True), card=record()),
    SessionShared(record(), CHANNEL),
    SentDirect(record()),
    SendPreview((record(),), NUMBER),
    SendPreview((record(), record(number=2)), NUMBER),
    CustomerMessageSent(record(), NUMBER),
    SendCancelled(),
    Applications((("web", "Web shop"),), "web"),
    Applications((), "web"),
    HostLinked(ANA, None),
    AccessRequested(ANA, is_new=True),
    AdministratorsTold(),
    AdministratorsTold((ANA,)),
    AccessReport(ANA, Role.MEMBER, None, Host(HOST, "same email"), ()),
    AccessReport(ANA, Role.MEMBER, None, None, ()),
    AccessReport(ANA, None, PersonNotAllowedError("not_listed", ANA, is_target=True), None, ()),
    *(FaultChecked(state) for state in FaultState),
    SignInOffered("https://login.example", datetime.now(UTC) + timedelta(minutes=10), already=False),
    AccountLinked(HOST),
    AccountUnlinked(HOST),
]
"""At least one result of every kind."""


def has_reference(shown: Any) -> bool:
    """Return whether a message or view contains the word "Reference"."""
    word = ENGLISH.say(REFERENCE, reference="").partition(" ")[0]
    return word in str(shown.payload() if isinstance(shown, Message) else shown)


def test_every_kind_of_result_is_here() -> None:
    assert {type(each) for each in RESULTS} == set(typing.get_args(Success))


@each_case("result", RESULTS, ids=lambda each: each.code)
@each_case("key", ["command:1", "card:1", "row:1"])
def test_what_went_well_has_no_reference(result: Success, key: str) -> None:
    asked = request(key=key, reply_url="x", replaces=True)
    for kind in (RequestKind.START, RequestKind.STATUS):
        assert not has_reference(WORDS.answer(replace(asked, kind=kind), result))


@each_case("error", ERRORS, ids=name_of)
def test_failure_has_a_reference_and_a_plain_fact_has_none(error: CobrowseError) -> None:
    assert has_reference(WORDS.answer(request(), error)) is (error.code not in NO_FAILURE)


def test_choice_of_a_session_to_end_has_no_reference() -> None:
    several = SessionActionError("several_open_sessions", records=(record(), record(number=2)))
    assert not has_reference(WORDS.answer(request(kind=RequestKind.END), several))


@pytest.mark.parametrize("seconds", [None, 5.0, 300.0])
@pytest.mark.parametrize("kind", [RequestKind.START, RequestKind.STATUS])
def test_note_about_a_wait_has_no_reference(kind: RequestKind, seconds: float | None) -> None:
    assert not has_reference(WORDS.note(request(kind=kind), WaitNotice(seconds)))


@pytest.mark.parametrize("found", [*map(NotUnderstood, Reason), parse("hepl"), parse("@nobody Deal")], ids=str)
def test_text_that_is_not_understood_has_no_reference(found: Any) -> None:
    assert not has_reference(parse_error(found, request().id, ENGLISH))


def test_dialogs_and_small_answers_have_no_reference() -> None:
    cards, language = WORDS.cards_for(ANA), ENGLISH
    form = session_form.form(
        session_form.Fields(CHANNEL, ANA, (("web", "Web"), ("shop", "Shop")), "web", 1800, thread="1767225600.000100"),
        language,
    )
    shown = [
        chosen_already(language),
        sent_already(language),
        session_form.loading("x", language),
        session_form.starting_view(language),
        form,
        confirmation.end_dialog(record(), PLACE, language, is_own=True),
        confirmation.post_dialog(record(), PLACE, language),
        confirmation.link(record(), ANA, cards),
        customer_message_form.form(PLACE, cards),
        customer_message_form.waiting(cards),
        cards.for_agent(request(target=BEN), session()),
        cards.shared(record(), ANA),
        cards.closed(record(is_over=True), is_public=True),
    ]
    assert [each for each in shown if has_reference(each)] == []


def test_support_finds_the_reference_in_the_details() -> None:
    assert has_reference(confirmation.details(replace(record(), request_id=request().id), ENGLISH))
    assert has_reference(session_form.not_opened(WORDS.addressee(None), request().id))
