"""One journey in each language with the real bot and the real catalogues."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.messages.catalogue.languages import load_languages, translated
from bot.slack.messages.catalogue.sentence import ENGLISH, Language
from bot.slack.messages.session_card import END, NEUTRAL_NAME, USUAL_NAME
from bot.slack.views.session_form import TITLE
from tests.support.app import ANA, BEN, GUS, SAM, Journey, buttons, is_failure, link, open_journey, words
from tests.support.views import asks_for_a_form, opens_home

LOCALES = {"es": "es-MX", "pt_BR": "pt-BR", "fr": "fr-CA", "de": "de-AT", "ja": "ja-JP"}
ENGLISH_WORDS = (" the ", "Try again", "You ", "Your ", " your ", "customer")
"""Words that each English text of this journey has one of."""


@pytest.fixture(scope="module")
def languages() -> Mapping[str, Language]:
    return load_languages()


def english_in(shown: Any) -> list[str]:
    text = words(shown)
    return [word for word in ENGLISH_WORDS if word in text]


@pytest.mark.parametrize("code", translated())
async def test_agent_reads_card_lists_form_and_refusals(code: str, languages: Mapping[str, Language]) -> None:
    language = languages[code]
    async with open_journey() as journey:
        await locale_of(journey, code)
        card = await journey.asks("Checkout")
        assert link(card)
        assert buttons(card)["ask_end_session"]["text"]["text"] == language.say(END)
        form = await asks_for_a_form(journey, ANA)
        assert form.body["title"]["text"] == language.say(TITLE)
        for text in ("status", "help", "why", "last"):
            assert english_in(await journey.asks(text)) == [], text
        home = await opens_home(journey, ANA)
        assert [word for word in ENGLISH_WORDS if word in str(home.blocks)] == []
        await journey.genesys.inject_fault("500")
        failed = await journey.asks("Broken")
        assert is_failure(failed)
        assert english_in(failed) == []
        journey.slack.workspace.set_locale(GUS, LOCALES[code])
        assert english_in(await journey.asks("Guest", who=GUS)) == []


@pytest.mark.parametrize("code", translated())
async def test_session_without_a_name_has_one_in_the_agents_language(
    code: str, languages: Mapping[str, Language]
) -> None:
    """It is the same for everybody: Genesys, a supervisor who reads English, and perhaps the customer."""
    usual = languages[code].say(USUAL_NAME, name="Ana Agent")
    async with open_journey() as journey:
        await locale_of(journey, code)
        assert usual in words(await journey.asks("@ana", who=SAM))
        assert usual in words(await journey.asks())
        users = journey.slack.workspace.users
        users[BEN] = replace(users[BEN], real_name="ben@example.com", locale=LOCALES[code])
        await journey.asks(who=BEN)
        names = [create.body["sessionName"] for create in journey.genesys.creates]
    assert usual != ENGLISH.say(USUAL_NAME, name="Ana Agent")
    assert names == [usual, usual, languages[code].say(NEUTRAL_NAME)]


@pytest.mark.parametrize("code", translated())
async def test_question_in_an_ack_is_in_the_configured_language(code: str, languages: Mapping[str, Language]) -> None:
    """The bot asks Slack nothing first, because the acknowledgement has no time for a look-up."""
    async with open_journey(COBROWSE_LANGUAGE=code) as journey:
        delivery = await journey.slack.command(ANA, "status Carla")
        assert journey.slack.count("users.info") == 0
        (asked, row) = delivery.body["blocks"]
    assert "Did you mean" not in asked["text"]["text"]
    assert "status" in asked["text"]["text"]
    assert all("Start one" not in button["text"]["text"] for button in row["elements"])


async def locale_of(journey: Journey, code: str) -> None:
    """Set Ana's language in Slack, and let the bot learn it from her first command."""
    journey.slack.workspace.set_locale(ANA, LOCALES[code])
