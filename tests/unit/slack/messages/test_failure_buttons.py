"""The buttons below an error: at most one is highlighted, and each helps with this error."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core import errors
from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import HostId, Notice, NoticeKind, RequestKind, Role, Session, SessionRecord
from bot.core.results import AccessReport, AdministratorsTold, SendPreview
from bot.core.stored_errors import to_record
from bot.core.use_cases.help_requests import with_help_request
from bot.core.validation.contact import read_address
from bot.slack.messages.blocks import OPEN_ACTION, Message
from bot.slack.messages.catalogue.sentence import mention
from bot.slack.messages.error_copy import fault_name
from bot.slack.messages.failures.buttons import (
    PASTE_ACTION,
    START_WITH_ACTIONS,
    TELL_ACTION,
    TRY_AGAIN_ACTION,
    read_start_with,
)
from bot.slack.messages.help import HELP_SESSIONS_ACTION, HELP_START_ACTION, Capabilities
from bot.slack.messages.notices.access import ASK_ACTION, CONNECT_ACTION
from bot.slack.messages.renderer import MessageRenderer, contact_markup
from bot.slack.messages.session_card import START_NEW_ACTION
from tests.support.cases import each_case
from tests.support.errors import ERRORS, HOST, name_of
from tests.support.rendered_messages import ENDS, WORDS, request

GENESYS = "https://apps.mypurecloud.com/directory/"
TELLS = replace(WORDS, can_tell=True, has_administrators=True, contact_name=lambda: "Ada Admin", genesys_url=GENESYS)
TELLING = replace(TELLS, telling=lambda error: ("U0ADA",))
FAULTS = [error for error in ERRORS if fault_name(error)]
UNKNOWN = errors.UnknownApplicationError(
    application_id="web2", known=("web", "shop", "x" * 200, "desk", "kiosk"), names=("Web", "Shop & Co", "", "", "K")
)


def record() -> SessionRecord:
    """Return an open session."""
    session = Session(id="s-1", status="active", host_id=HOST, name="Checkout", ends_at=ENDS, join_url="https://join.x")
    return SessionRecord(session=session, team_id="T0", requester="U0ANA", agent="U0ANA", is_over=False)


def row(message: Message) -> list[dict[str, Any]]:
    """Return the buttons of a message, in their order."""
    return [each for block in message.blocks if block["type"] == "actions" for each in block["elements"]]


def labels(message: Message) -> list[str]:
    return [each["text"]["text"] for each in row(message)]


def actions(message: Message) -> list[str]:
    return [each["action_id"] for each in row(message)]


@each_case("words", [WORDS, TELLS, TELLING], ids=["nobody", "asks", "telling"])
@each_case("error", ERRORS, ids=name_of)
@each_case("kind", [RequestKind.START, RequestKind.STATUS, RequestKind.SEND])
def test_at_most_one_button_is_highlighted_and_no_action_twice(words: MessageRenderer, error: Any, kind: Any):
    message = words.answer(request(kind=kind), error)
    found = row(message)
    assert sum("style" in each for each in found) == (1 if found else 0)
    for block in message.blocks:
        ids = [each["action_id"] for each in block.get("elements", ()) if "action_id" in each]
        assert len(ids) == len(set(ids))
    assert all(len(each["text"]["text"]) <= 75 for each in found)


@each_case("error", FAULTS, ids=name_of)
@each_case("kind", [RequestKind.START, RequestKind.STATUS, RequestKind.SEND])
def test_every_fault_has_a_button(error: CobrowseError, kind: RequestKind):
    for words in (WORDS, TELLS, TELLING):
        assert row(words.answer(request(kind=kind), error))


def test_fault_that_nobody_was_told_about_can_be_passed_on():
    message = TELLS.answer(request(), errors.TokenRefusedError())
    assert labels(message) == ["Tell Ada Admin"]
    assert row(message)[0]["value"] == "ref7ref7ref7"
    assert labels(replace(TELLS, contact_name=lambda: "").answer(request(), errors.TokenRefusedError())) == [
        "Tell an administrator"
    ]
    long = replace(TELLS, contact_name=lambda: "A" * 80)
    assert labels(long.answer(request(), errors.TokenRefusedError())) == ["Tell an administrator"]


def test_button_names_nobody_else_than_the_text_does():
    """The contact is no administrator, so the button would name the first administrator."""
    named = replace(TELLS, contact=mention("U0HELP"), access_contact=mention("U0ADA"))
    message = named.answer(request(), errors.TokenRefusedError())
    assert "<@U0HELP>" in message.text
    assert labels(message) == ["Tell an administrator"]
    same = replace(named, contact=mention("U0ADA"))
    assert labels(same.answer(request(), errors.TokenRefusedError())) == ["Tell Ada Admin"]


def test_fault_that_the_bot_passes_on_leads_to_genesys():
    message = TELLING.answer(request(), errors.TokenRefusedError())
    assert labels(message) == ["Open Genesys"]
    assert row(message)[0]["url"] == GENESYS
    assert "I’m telling <@U0ADA> now." in message.text
    told = replace(TELLS, told=lambda error: ("U0ADA",))
    assert labels(told.answer(request(), errors.TokenRefusedError())) == ["Open Genesys"]
    assert labels(replace(TELLING, genesys_url="").answer(request(), errors.TokenRefusedError())) == ["Try again"]


def test_link_that_could_not_be_sent_leads_to_the_list_that_has_it():
    message = TELLING.answer(request(kind=RequestKind.SEND), errors.TokenRefusedError())
    assert actions(message) == [HELP_SESSIONS_ACTION]


def test_request_that_was_not_stored_cannot_be_passed_on():
    assert TELL_ACTION not in actions(TELLS.failure(errors.TokenRefusedError(), "ref7ref7ref7", reader="U0ANA"))


def test_who_can_repair_a_fault_has_no_button_for_it():
    admin = replace(TELLS, can_repair=lambda user_id: True)
    assert row(admin.answer(request(), errors.TokenRefusedError())) == []


@pytest.mark.parametrize(
    "error",
    [
        errors.RoleRequiredError("administrators_only"),
        errors.AccountLinkError("connect_off", "client"),
        errors.SendRejectedError("sending_off", "sms"),
    ],
    ids=name_of,
)
def test_what_only_administrators_can_do_has_a_button_that_asks_them(error: CobrowseError):
    assert labels(TELLS.answer(request(kind=RequestKind.CONNECT), error)) == ["Ask Ada Admin"]
    assert labels(WORDS.answer(request(kind=RequestKind.CONNECT), error)) == []


def test_what_nobody_needs_has_no_button_that_asks():
    needless = errors.AccountLinkError("connect_off", "needless")
    assert row(TELLS.answer(request(kind=RequestKind.CONNECT), needless)) == []


@pytest.mark.parametrize(
    ("error", "label", "action"),
    [
        (errors.SessionActionError("no_open_session", ever=False), "Start one", HELP_START_ACTION),
        (errors.SessionActionError("no_open_session"), "Start one", HELP_START_ACTION),
        (errors.SessionActionError("session_not_found"), "My sessions", HELP_SESSIONS_ACTION),
        (errors.SessionActionError("already_ended"), "Start a new one", HELP_START_ACTION),
        (errors.SessionActionError("link_used_up"), "Start a new one", HELP_START_ACTION),
        (errors.SessionActionError("link_used_up", record=record()), "Start a new one", START_NEW_ACTION),
        (errors.SessionActionError("already_ended", record=record()), "Start a new one", START_NEW_ACTION),
        (
            errors.SessionActionError("already_shared", permalink="https://x.slack.com/archives/C0/p1"),
            "Go to message",
            OPEN_ACTION,
        ),
    ],
    ids=lambda value: name_of(value) if isinstance(value, CobrowseError) else str(value),
)
def test_a_refusal_has_the_button_for_the_next_step(error: CobrowseError, label: str, action: str):
    message = WORDS.answer(request(kind=RequestKind.STATUS), error)
    assert (labels(message), actions(message)) == ([label], [action])


def test_a_refusal_about_somebody_else_starts_nothing():
    assert row(WORDS.answer(request(), errors.SessionActionError("no_open_session", agent="U0BEN"))) == []
    assert row(WORDS.answer(request(), errors.SessionActionError("already_shared"))) == []


def test_sign_in_is_a_link():
    for error in (
        errors.SignInRequiredError(off="", address="https://login.example.com/x?state=s"),
        errors.SignInExpiredError(address="https://login.example.com/x?state=s"),
    ):
        message = WORDS.answer(request(), error)
        assert labels(message) == ["Sign in", "Try again"]
        assert row(message)[0]["url"].startswith("https://login.example.com/")
        assert "login.example.com" not in message.text
        assert "address" not in to_record(error)
        assert "login.example.com" not in repr(error)


def test_other_applications_are_on_offer():
    message = TELLING.answer(request(), UNKNOWN)
    assert labels(message) == ["Start with Web", "Start with Shop & Co", "Start with desk"]
    assert actions(message) == list(START_WITH_ACTIONS)
    assert read_start_with(row(message)[1]["value"]) == ("ref7ref7ref7", "shop", None)
    assert labels(TELLS.answer(request(), UNKNOWN))[-1] == "Tell Ada Admin"


def test_interaction_can_be_pasted_where_the_form_takes_one():
    error = errors.NoUsableConversationError(code="no_conversation")
    words = replace(WORDS, features=Capabilities(in_conversations=True))
    assert actions(words.answer(request(), error)) == [PASTE_ACTION, TRY_AGAIN_ACTION]
    assert actions(words.answer(request(view_id="V1"), error)) == [TRY_AGAIN_ACTION]  # the form has the field
    assert "paste its link" in words.answer(request(), error).text


@pytest.mark.parametrize("outcome", [AccessReport("U0ANA", Role.MEMBER, None, None, (RuleMiss("same email", "no"),))])
def test_own_report_asks_to_be_connected_in_the_second_person(outcome: AccessReport):
    message = TELLS.answer(request(kind=RequestKind.WHY), outcome)
    assert "Your Slack account isn’t connected" in message.text
    assert actions(message) == [ASK_ACTION]
    about = AccessReport("U0BEN", Role.MEMBER, None, None, ())
    of_ben = TELLS.answer(request(kind=RequestKind.WHY, target="U0BEN"), about)
    assert "<@U0BEN> isn’t connected" in of_ben.text
    assert labels(of_ben) == ["Ask to connect them"]


def test_own_refusal_is_in_the_second_person():
    refused = errors.ChannelNotAllowedError("C0LOUNGE", ("C0DESK",))
    message = WORDS.answer(request(kind=RequestKind.WHY), AccessReport("U0ANA", None, refused, None, ()))
    assert "Nobody can start co-browse in this channel." in message.text
    assert "<@U0ANA>" not in message.text


def test_user_groups_of_administrators_are_named():
    assert contact_markup("", (), groups=("S0LEADS",)) == "<!subteam^S0LEADS>"
    assert contact_markup("", ("U0ADA",), groups=("S0LEADS",)) == "<@U0ADA>"
    assert contact_markup("U0BEN", (), groups=("S0LEADS",)) == "<@U0BEN>"


def test_host_that_genesys_refuses_reads_it_in_the_second_person():
    own = WORDS.answer(request(), errors.InvalidHostError(host_id=HostId(HOST)))
    assert "Genesys won’t let you co-browse. Nothing was started." in own.text
    other = WORDS.answer(request(target="U0BEN"), errors.InvalidHostError(host_id=HostId(HOST), own=False))
    assert "Genesys won’t let this agent co-browse." in other.text


def test_sessions_that_are_left_out_of_the_question_are_counted():
    shown = SendPreview((record(), record()), read_address("name@example.com"), more=3)
    message = WORDS.answer(request(kind=RequestKind.PROPOSE), shown)
    assert "3 more open sessions aren’t shown." in str(message.blocks)
    assert HELP_SESSIONS_ACTION in actions(message)
    whole = WORDS.answer(request(kind=RequestKind.PROPOSE), replace(shown, more=0))
    assert "more open session" not in str(whole.blocks)


def notice_of(error: CobrowseError, **failed: Any) -> Notice:
    new = Notice(kind=NoticeKind.HELP, key="x", team_id="T0", opened_at=ENDS, read_at=ENDS)
    made = with_help_request(new, request(**failed), error)
    assert made
    return made


def test_administrators_read_who_wants_what_and_can_do_it():
    notice = notice_of(errors.RoleRequiredError("administrators_only"), kind=RequestKind.LINK, target="U0BEN")
    message = TELLS.notice(notice, ENDS, "U0ADA")
    assert message.text == "<@U0ANA> asks to connect <@U0BEN> to Genesys."
    assert actions(message) == [CONNECT_ACTION]
    notice = notice_of(errors.AccountLinkError("connect_off", "key"), kind=RequestKind.CONNECT)
    message = TELLS.notice(notice, ENDS, "U0ADA")
    assert "<@U0ANA> wants to sign in to Genesys" in message.text
    assert "STORE_ENCRYPTION_KEY" in str(message.blocks)
    assert "ref7ref7ref7" in str(message.blocks)


def test_administrators_are_asked_once_a_day():
    notice = notice_of(errors.AccountLinkError("connect_off", "key"))
    assert with_help_request(notice, request(id="ref8"), errors.AccountLinkError("connect_off", "key")) is None


def test_person_reads_who_was_told():
    assert TELLS.answer(request(kind=RequestKind.TELL), AdministratorsTold(("U0ADA",))).text == "I’ve told <@U0ADA>."
    waiting = TELLS.answer(request(kind=RequestKind.TELL), AdministratorsTold())
    assert waiting.text == "I’m telling <#C0HELP> now."
