"""The customer's language: the agent chooses it wherever a link is sent, if texts in several languages are set."""

from collections.abc import AsyncIterator

import pytest

from tests.support.app import ANA, ANSWER_TIMEOUT, SAM, Journey, buttons, link, open_journey, words
from tests.support.conversations import KEY, talk
from tests.support.customer_messages import EMAIL_ADDRESS, NUMBER
from tests.support.live import told
from tests.support.message_buttons import presses

TEXTS = {
    "COBROWSE_COMPANY": "Example Shop",
    "COBROWSE_SMS_TEXT_DE": "{company}: {agent} möchte Ihren Bildschirm sehen: {joinUrl}",
    "COBROWSE_EMAIL_TEXT_FR": "Partagez votre écran : {joinUrl}",
    "COBROWSE_EMAIL_SUBJECT_FR": "Votre lien de {agent}",
}
CHOOSE = "customer_language"


@pytest.fixture
async def shop() -> AsyncIterator[Journey]:
    async with open_journey(http=True, **TEXTS) as opened:
        yield opened


async def test_usual_text_names_company_and_agent(shop: Journey) -> None:
    card = await shop.asks("Checkout")
    await presses(shop, await shop.asks(f"send {NUMBER}"), "send_link")
    (sms,) = shop.genesys.outbox.sent
    assert sms.text == f"Example Shop: tap to share your screen with Ana Agent: {link(card)}"


async def test_question_of_a_command_lets_the_agent_choose(shop: Journey) -> None:
    card = await shop.asks("Checkout")
    question = await shop.asks(f"send {NUMBER}")
    menu = buttons(question)[CHOOSE]
    assert [each["text"]["text"] for each in menu["options"]] == ["English", "German"]
    await presses(shop, question, "send_link", values={CHOOSE: "de"})
    (sms,) = shop.genesys.outbox.sent
    assert sms.text == f"Example Shop: Ana Agent möchte Ihren Bildschirm sehen: {link(card)}"


async def test_card_with_an_address_lets_the_agent_choose(shop: Journey) -> None:
    card = await shop.asks(f"{EMAIL_ADDRESS} Checkout")
    await presses(shop, card, "send_offered_link", values={CHOOSE: "fr"})
    (mail,) = shop.genesys.outbox.sent
    assert (mail.subject, mail.text) == ("Votre lien de Ana Agent", f"Partagez votre écran : {link(card)}")


async def test_dialog_lets_the_agent_choose(shop: Journey) -> None:
    card = await shop.asks("Checkout")
    await shop.slack.press(ANA, card, "send_to_customer")
    (form,) = await shop.slack.workspace.until(lambda: shop.slack.views_of(ANA), ANSWER_TIMEOUT)
    await shop.slack.submit(ANA, form, {"to": NUMBER})
    assert "Customer’s language" in words(form)
    await shop.slack.submit(ANA, form, {CHOOSE: "de"})
    (sms,) = await shop.slack.workspace.until(lambda: shop.genesys.outbox.sent, ANSWER_TIMEOUT)
    assert sms.text == f"Example Shop: Ana Agent möchte Ihren Bildschirm sehen: {link(card)}"


async def test_one_text_asks_nothing() -> None:
    async with open_journey() as journey:
        await journey.asks("Checkout")
        assert CHOOSE not in buttons(await journey.asks(f"send {NUMBER}"))


@pytest.mark.parametrize(
    ("address", "chosen", "setting"),
    [(EMAIL_ADDRESS, {}, "COBROWSE_EMAIL_TEXT"), (NUMBER, {CHOOSE: "de"}, "COBROWSE_SMS_TEXT_DE")],
)
async def test_administrator_reads_which_text_is_too_long(address: str, chosen: dict[str, str], setting: str) -> None:
    long_texts = dict.fromkeys(("COBROWSE_EMAIL_TEXT", "COBROWSE_SMS_TEXT_DE"), "x" * 640 + " {joinUrl}")
    texts = {"COBROWSE_SMS_TEXT": "Link: {joinUrl}", "COBROWSE_ADMINS": SAM} | long_texts
    page = {"COBROWSE_JOIN_URL_TEMPLATE": f"https://help.example.com/{'p' * 150}#{{joinCode}}"}
    async with open_journey(**KEY | texts | page) as journey:
        talk(journey)
        await journey.asks("Warranty")
        await presses(journey, await journey.asks(f"send {address}"), "send_link", values=chosen)
        assert f"Shorten `{setting}`." in words(await told(journey, "longer than 765", who=SAM))
        assert journey.genesys.outbox.sent == []
