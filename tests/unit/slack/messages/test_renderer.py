"""The look of messages: all text is escaped, Slack's limits hold, and the join URL is only where it is allowed."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import errors
from bot.core.models import (
    Host,
    Identity,
    MembershipStatus,
    Session,
    SessionStarted,
    SlackUser,
    WaitNotice,
)
from bot.core.validation.conversations import GenesysApp
from bot.slack.command_parser import New, NotUnderstood, Query, Reason, Start, clean_name, parse
from bot.slack.messages.ambiguity import parse_error
from bot.slack.messages.blocks import FAILURE_BLOCK, OPEN_ACTION, SESSION_BLOCK, Message
from bot.slack.messages.catalogue.sentence import ENGLISH, Filled, Markup
from bot.slack.messages.error_copy import SOMEBODY, fault_name
from bot.slack.messages.failures.buttons import TRY_AGAIN_ACTION
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, contact_markup
from tests.support.rendered_messages import (
    DATE,
    ENDS,
    JOIN_URL,
    WORDS,
    assert_fit_for_slack,
    request,
    some,
    texts,
    unsafe,
)

HOST = Host("2f7b0c9e-0000-4000-8000-000000000001", "hosts file")
PREFORMATTED, MENU_URL = "rich_text_preformatted.elements/text.text", "overflow.options/.url"
SENDS = Capabilities(sends=True)
FOR_ADMINISTRATORS = MessageRenderer("/cobrowse", Markup("<#C0HELP>"), can_repair=lambda user_id: user_id == "U0ANA")


def started(name: str = "Checkout", told: bool | None = None, **more: Any) -> SessionStarted:
    session = {"id": "sess-1", "status": "open", "host_id": HOST.id, "name": name, "ends_at": ENDS}
    session |= {"join_url": JOIN_URL} | more
    return SessionStarted(Session(**session), told)


def places(node: object, wanted: str, path: str = "") -> Iterator[str]:
    """Yield the place of each occurrence of a string in a message, as types and keys."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, wanted, f"{path}/{node.get('type', '')}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from places(value, wanted, path)
    elif wanted in str(node):
        yield "/".join(path.split("/")[-2:])


def menu(message: Message) -> dict[str, Any]:
    """Return the options of a card's menu by their values."""
    found = [each for each in actions(message).values() if each["type"] == "overflow"]
    return {option["value"]: option for each in found for option in each["options"]}


def actions(message: Message) -> dict[str, Any]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {button["action_id"]: button for row in rows for button in row}


def failures(words: str) -> list[errors.CobrowseError]:
    return [
        errors.BadRequestError(status=400, words=words[:300], reference=words[:64] or None),
        errors.UnknownApplicationError(application_id=words, known=(words,) * 20),
        errors.LoginRefusedError(oauth_error=words),
        errors.PermissionMissingError(needs=words),
        errors.InvalidHostError(host_id=words),
        errors.SlackUnavailableError(words),
        errors.UnusableAnswerError(why=words, acted=True),
        errors.UnusableAnswerError(why=words),
        errors.HostNotFoundError("U0BEN", True, (errors.RuleMiss(words, words),)),
    ]


@some
@given(unsafe, st.booleans(), st.sampled_from([None, True, False]))
def test_no_session_name_gets_out_unescaped(name, for_another, told):
    asked = request(target="U0BEN") if for_another else request()
    outcome = started(clean_name(name) or name[:100] or "-", told)
    for message in (WORDS.answer(asked, outcome), WORDS.cards_for(None).for_agent(asked, outcome.session)):
        assert_fit_for_slack(message)


@some
@given(unsafe)
def test_no_word_of_the_service_gets_out_unescaped(words):
    for error in failures(words):
        for words_of in (WORDS, FOR_ADMINISTRATORS):
            assert_fit_for_slack(words_of.answer(request(), error))
    assert_fit_for_slack(
        WORDS.answer(
            request(), Identity(SlackUser("T0", "U0ANA", "Ana", MembershipStatus.MEMBER), Host(HOST.id, words))
        )
    )
    assert_fit_for_slack(WORDS.card(request(), started(id=words[:200] or "-")))  # no longer id is taken from Genesys


@some
@given(unsafe)
def test_no_typed_word_gets_out_unescaped(typed):
    typed = re.sub("(?i)<@|[uw]", "", typed)  # a person whom they name becomes one of our mentions
    for text in (f"hepl{typed}", f"end {typed}", f"@{typed}", f"Checkout for <@U0BEN> {typed}", f"{typed} a@b.example"):
        command = parse(text)
        if not isinstance(command, Start | Query | New):
            assert_fit_for_slack(parse_error(command, "ref7ref7ref7", ENGLISH))
    assert_fit_for_slack(
        MessageRenderer(contact=contact_markup(typed)).failure(errors.UnexpectedError(), "ref7ref7ref7")
    )


@pytest.mark.parametrize("offset", range(5))
def test_long_text_is_not_cut_inside_an_escaped_character(offset):
    error = errors.UnknownApplicationError(application_id="x" * (100 + offset), known=("&" * 900,) * 20)
    assert_fit_for_slack(FOR_ADMINISTRATORS.failure(error, "ref7ref7ref7", reader="U0ANA"))


def test_very_long_session_id_still_fits_the_card():
    assert_fit_for_slack(WORDS.card(request(), started(id="s" * 200)))


def test_long_application_ids_leave_room_for_what_to_do():
    error = errors.UnknownApplicationError(application_id="x" * 400, known=tuple(f"{i}" * 300 for i in range(20)))
    message = FOR_ADMINISTRATORS.failure(error, "ref7ref7ref7", reader="U0ANA")
    assert "COBROWSE_APPLICATION_ID" in message.blocks[0]["text"]["text"]


@pytest.mark.parametrize("asked", [request(), request(target="U0BEN")], ids=["for oneself", "for another"])
def test_join_url_stands_only_where_it_is_copied_and_in_the_menu(asked):
    for message in (WORDS.card(asked, started(told=False)), WORDS.cards_for(None).for_agent(asked, started().session)):
        assert list(places(message.payload(), JOIN_URL)) == [PREFORMATTED, MENU_URL]
        assert "join.example" not in message.text
        assert menu(message)["preview"]["url"] == JOIN_URL


def test_a_join_url_too_long_for_the_menu_can_still_be_copied():
    url = "https://join.example/" + "x" * 2980
    message = WORDS.card(request(), started(join_url=url))
    assert list(places(message.payload(), url)) == [PREFORMATTED]
    assert "preview" in menu(WORDS.card(request(), started(join_url=url[:3000])))


def test_nothing_is_unfurled():
    payload = WORDS.card(request(), started()).payload()
    assert (payload["unfurl_links"], payload["unfurl_media"]) == (False, False)


def test_card_is_name_and_end_then_the_link_then_the_buttons():
    message = replace(WORDS, features=SENDS).card(request(reply_url="x"), started("Checkout"))
    title, link, row = message.blocks
    assert (title["block_id"], title["text"]["text"]) == (
        SESSION_BLOCK,
        f":large_green_circle: *Checkout* · ends {DATE}",
    )
    assert link["type"] == "rich_text"
    assert list(actions(message)) == ["send_to_customer", "ask_end_session", "session_menu"]
    assert [each.get("style") for each in row["elements"]] == ["primary", None, None]
    assert row["block_id"] == "card-sess-1"
    assert list(menu(message)) == ["post", "copy", "preview", "details"]
    assert "Checkout" in message.text


def test_card_shows_no_id():
    for message in (
        WORDS.card(request(), started()),
        WORDS.cards_for(None).for_agent(request(target="U0BEN"), started().session),
    ):
        said = "\n".join(texts(message))
        assert not any(part in said for part in ("sess-1", HOST.id, "ref7ref7ref7"))


@pytest.mark.parametrize(("code", "shown"), [("785004579", "785 004 579"), ("1234567", "1 234 567"), ("AB12", "AB12")])
def test_code_comes_first_and_large(code, shown):
    message = WORDS.card(request(), started(join_url=f"https://help.example.com/join#{code}", join_code=code))
    ask, large, link = message.blocks[1:4]
    assert ask["text"]["text"] == "Ask them to open *help.example.com/join* and type:"
    assert (large["type"], large["text"]["text"]) == ("header", shown)
    assert link["type"] == "rich_text"
    assert "join by" in message.blocks[0]["text"]["text"]


def test_code_in_the_path_of_a_link_is_not_read_out_with_it():
    message = WORDS.card(request(), started(join_url="https://help.example.com/j/AB12", join_code="AB12"))
    assert "open *help.example.com* and type" in message.blocks[1]["text"]["text"]


def test_code_without_a_link_leads_to_the_messenger():
    message = WORDS.card(request(), started(join_url="", join_code="785004579"))
    assert "Messenger" in message.blocks[1]["text"]["text"]
    assert [block["type"] for block in message.blocks] == ["section", "section", "header", "actions"]
    assert [each["type"] for each in message.blocks[-1]["elements"]] == ["button", "button"]  # a menu needs two options


def test_menu_opens_the_conversation_in_genesys():
    words = replace(WORDS, features=Capabilities(in_conversations=True, genesys_app=GenesysApp("apps.example.com")))
    conversation = "2f7b0c9e-0000-4000-8000-00000000000a"
    shown = menu(words.card(request(reply_url="x"), started(conversation_id=conversation)))
    assert list(shown) == ["post", "copy", "preview", "genesys", "details"]
    assert GenesysApp("apps.example.com").conversation_id(shown["genesys"]["url"]) == conversation
    assert "genesys" not in menu(words.card(request(), started()))


@pytest.mark.parametrize(("told", "part"), [(True, "<@U0BEN> has this link too"), (False, "I couldn’t reach <@U0BEN>")])
def test_a_supervisor_reads_whether_the_agent_was_told(told, part):
    said = "\n".join(texts(WORDS.card(request(target="U0BEN"), started(told=told))))
    assert part in said
    assert "*For <@U0BEN>* · Checkout" in said


def test_the_agent_reads_who_started_the_session():
    message = WORDS.cards_for(None).for_agent(request(target="U0BEN"), started().session)
    assert "<@U0ANA> started “Checkout” for you" in message.text
    assert DATE in "\n".join(texts(message))


@pytest.mark.parametrize("error", failures("words"), ids=lambda error: error.code)
def test_failure_has_a_reference_and_a_retry_where_it_may_help(error):
    message = WORDS.answer(request(), error)
    assert message.blocks[0]["block_id"] == FAILURE_BLOCK
    assert "Reference `ref7ref7ref7`" in message.blocks[-1]["elements"][0]["text"]
    can_be_repeated = error.try_again or fault_name(error) is not None
    assert (TRY_AGAIN_ACTION in actions(message)) == can_be_repeated
    if can_be_repeated:
        assert actions(message)[TRY_AGAIN_ACTION]["value"] == "ref7ref7ref7"
    assert actions(WORDS.failure(error, "ref7ref7ref7", is_repeatable=False)) == {}


def test_service_failure_carries_the_services_reference():
    said = WORDS.failure(errors.ServiceBusyError(reference="corr-7"), "ref7ref7ref7").blocks[-1]["elements"][0]["text"]
    assert "`ref7ref7ref7`" in said
    assert "`corr-7`" in said


@pytest.mark.parametrize(
    ("seconds", "part"),
    [
        (None, "Starting"),
        (0.2, "in about 1 second."),
        (30.4, "in about 30 seconds."),
        (179, "in about 3 minutes."),
        (math.inf, "in a few minutes."),
    ],
)
def test_a_note_says_that_it_is_waiting_and_about_how_long(seconds, part):
    message = WORDS.note(request(), WaitNotice(seconds))
    assert part in message.text
    assert_fit_for_slack(message)


@pytest.mark.parametrize("command", list(map(NotUnderstood, Reason)), ids=str)
def test_unclear_command_gets_the_reason(command):
    message = parse_error(command, "ref7ref7ref7", ENGLISH)
    assert_fit_for_slack(message)
    assert "No session was started" not in message.text
    assert "quotes" not in json.dumps(message.blocks)


@pytest.mark.parametrize(
    ("contact", "markup"),
    [
        ("U0BEN", "<@U0BEN>"),
        ("W0BEN", "<@W0BEN>"),
        ("C0HELP", "<#C0HELP>"),
        ("UNIT4", "UNIT4"),
        ("", SOMEBODY),
        ("IT <it@x.example>", "IT <it@x.example>"),
        ("SUPPORT", "SUPPORT"),
    ],
)
def test_contact_is_a_mention_for_an_id_and_text_otherwise(contact, markup):
    assert contact_markup(contact) == markup


@pytest.mark.parametrize(
    ("admins", "markup"), [(("U0ADA",), "<@U0ADA>"), (("U0SUE", "U0ADA", "U0ZOE"), "<@U0ADA> or <@U0SUE>")]
)
def test_administrators_are_the_contact_where_none_is_set(admins, markup):
    contact = contact_markup("", admins)
    assert (ENGLISH.fill(contact) if isinstance(contact, Filled) else contact) == markup
    assert contact_markup("U0BEN", admins) == "<@U0BEN>"


def test_a_contact_that_is_text_is_escaped_once():
    contact = contact_markup("IT <it@x.example> & co")
    failure = MessageRenderer(contact=contact).failure(errors.UnexpectedError(), "ref7ref7ref7")
    assert "tell IT &lt;it@x.example&gt; &amp; co." in failure.text


def test_a_fault_of_genesys_leads_to_its_status_page():
    row = actions(WORDS.failure(errors.ServiceFailedError(), "ref7ref7ref7"))
    assert row[OPEN_ACTION]["url"].startswith("https://status.")
    assert list(row) == [TRY_AGAIN_ACTION, OPEN_ACTION]
