"""Texts for customers: their allowed placeholders, how these are filled, and who gets which language."""

import pytest

from bot.core.customer_texts import MAX_TEXT_LENGTH, CustomerText, CustomerTexts, check_text
from bot.core.errors import SendRejectedError
from bot.core.validation.contact import ContactChannel

SMS, EMAIL = ContactChannel.SMS, ContactChannel.EMAIL
TEXTS = CustomerTexts(
    CustomerText("Tap: {joinUrl}", "Your link", "Click: {joinUrl}"),
    others={
        "de": CustomerText("{company}: {agent} wartet: {joinUrl}"),
        "fr": CustomerText("Touchez: {joinUrl}", "De {agent}", "Cliquez: {joinUrl}"),
    },
    company="Example Shop",
)


def test_link_is_taken_as_it_is() -> None:
    link = "https://example.com/{joinUrl}%s{agent}"
    assert TEXTS.fill(check_text("{0} {joinUrl} {}"), link) == f"{{0}} {link} {{}}"


def test_company_and_agent_are_filled() -> None:
    text = TEXTS.in_language(SMS, "de").sms
    assert TEXTS.fill(text, "https://j", "Ana\nAgent") == "Example Shop: Ana Agent wartet: https://j"


def test_language_without_a_text_gets_the_default() -> None:
    for language in ("", "es", "xx"):
        assert TEXTS.in_language(SMS, language).sms == "Tap: {joinUrl}"
    assert TEXTS.in_language(EMAIL, "de").email == "Click: {joinUrl}"


def test_languages_are_those_with_a_text_for_the_medium() -> None:
    assert TEXTS.languages(SMS) == ("en", "de", "fr")
    assert TEXTS.languages(EMAIL) == ("en", "fr")


def test_agent_is_named_where_the_text_or_the_subject_names_them() -> None:
    assert [TEXTS.names_agent(SMS, each) for each in ("en", "de", "fr")] == [False, True, False]
    assert [TEXTS.names_agent(EMAIL, each) for each in ("en", "de", "fr")] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no link", "exactly once"),
        ("{joinUrl} {joinUrl}", "exactly once"),
        ("{joinURL}", "exactly once"),
        ("{joinUrl} from {agents}", "holds {agents}"),
        ("{company}: {joinUrl}", "COBROWSE_COMPANY is not set"),
        ("x" * 700 + "{joinUrl}", "665 characters"),
        ("x" * 640 + "{joinUrl} {agent}", "665 characters"),
    ],
)
def test_text_that_cannot_be_filled_is_a_fault(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_text(text)


def test_subject_holds_no_link() -> None:
    assert check_text("Your link", has_link=False) == "Your link"
    with pytest.raises(ValueError, match="must not hold"):
        check_text("{joinUrl}", has_link=False)


def test_message_has_at_most_the_characters_genesys_takes() -> None:
    assert len(TEXTS.fill("{joinUrl}", "x" * MAX_TEXT_LENGTH)) == MAX_TEXT_LENGTH
    with pytest.raises(SendRejectedError, match=r"^text_too_long$"):
        TEXTS.fill("{joinUrl}", "x" * (MAX_TEXT_LENGTH + 1))
