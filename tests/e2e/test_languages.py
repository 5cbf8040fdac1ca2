"""Each reader gets messages in the reader's language, without a further call to Slack.

The languages of these tests are made up: marks around a sentence show its language.
"""

from pathlib import Path
from typing import Any

import pytest

from bot.core.timing import CoreTiming, NoticeTiming
from bot.sandbox.slack.server import Message
from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support.accounts import asks_to_connect, open_connecting, opens, signs_in
from tests.support.app import (
    ADA,
    ANA,
    BEN,
    BILLING,
    CARE,
    SAM,
    Journey,
    is_failure,
    is_notice,
    open_bot_between,
    open_journey,
    open_servers,
)
from tests.support.pseudo import languages_in, write_languages
from tests.support.session_buttons import END, POST, presses
from tests.support.views import asks_for_a_form, opens_home
from tests.support.workflow import over

QUICK = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1))
LOCALES = {ANA: "fr-FR", BEN: "es-MX", SAM: "de-DE", ADA: "ja-JP"}
SECONDS = 6.0


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("locales")
    write_languages(directory)
    return directory


def choose_locales(journey: Journey) -> None:
    for person, locale in LOCALES.items():
        journey.slack.workspace.set_locale(person, locale)


def language_of(shown: Message | Any) -> set[str]:
    """Return the languages of all texts in a message."""
    return languages_in([shown.text, shown.blocks])


async def test_requester_and_agent_read_their_own_languages(catalogues: Path) -> None:
    async with open_journey(locales=catalogues) as journey:
        choose_locales(journey)
        card = await journey.asks("@ana Checkout", who=SAM)
        (note,) = journey.slack.seen_by(ANA)
    assert language_of(card) == {"de"}
    assert language_of(note) == {"fr"}
    assert not is_failure(card)


async def test_warm_command_asks_slack_no_more_than_without_languages(catalogues: Path) -> None:
    async with open_journey(locales=catalogues) as journey:
        choose_locales(journey)
        await journey.asks("One")
        before = len(journey.slack.calls)
        assert language_of(await journey.asks("Two")) == {"fr"}
        calls = [call.method for call in journey.slack.calls[before:]]
    assert "users.info" not in calls
    assert len(calls) == 1, calls


async def test_acknowledgement_uses_the_language_that_is_remembered(catalogues: Path) -> None:
    async with open_journey(locales=catalogues) as journey:
        choose_locales(journey)
        first = await journey.slack.command(ANA, "@ana @ben")
        asked = journey.slack.count("users.info")
        await journey.asks("One")
        second = await journey.slack.command(ANA, "@ana @ben")
    assert languages_in(first.body) == set()
    assert asked == 0
    assert languages_in(second.body) == {"fr"}


async def test_errors_and_questions_are_in_the_requesters_language(catalogues: Path) -> None:
    async with open_journey(locales=catalogues, COBROWSE_CHANNELS=BILLING, COBROWSE_ADMINS=ADA) as journey:
        choose_locales(journey)
        refused = await journey.asks("One", who=ANA, channel_id=CARE)  # before Slack was asked who this is
        unmapped = await journey.asks("why", who=BEN)
    assert is_failure(refused)
    assert language_of(refused) == {"fr"}
    assert language_of(unmapped) == {"es"}


async def test_form_and_home_tab_are_in_the_language_of_who_opens_them(catalogues: Path) -> None:
    async with open_journey(locales=catalogues) as journey:
        choose_locales(journey)
        await journey.asks("One", who=SAM)
        form = await asks_for_a_form(journey, SAM)
        assert languages_in(form.body) == {"de"}
        home = await opens_home(journey, ADA)
        assert languages_in(home.blocks) == {"ja"}


async def test_message_in_a_channel_is_in_the_sharers_language_and_its_end_too(catalogues: Path) -> None:
    async with open_journey(locales=catalogues) as journey:
        choose_locales(journey)
        card = await journey.asks("One", who=SAM)
        await presses(journey, card, POST, who=SAM)

        def shared() -> Message | None:
            return next((each for each in journey.slack.messages if each.channel == CARE and not each.visible_to), None)

        public = await journey.slack.workspace.until(shared, SECONDS)
        assert language_of(public) == {"de"}
        was = public.text
        await presses(journey, card, END, who=SAM)
        await journey.slack.workspace.until(lambda: public.text != was, SECONDS)
        assert language_of(public) == {"de"}


async def test_one_language_can_be_set_for_everybody(catalogues: Path) -> None:
    async with open_journey(locales=catalogues, COBROWSE_LANGUAGE="pt-BR") as journey:
        choose_locales(journey)
        refused = await journey.slack.command(ANA, "@ana @ben")
        card = await journey.asks("@ana Checkout", who=SAM)
        (note,) = journey.slack.seen_by(ANA)[-1:]
    assert languages_in(refused.body) == language_of(card) == language_of(note) == {"pt_BR"}


async def test_each_administrator_reads_a_notice_in_their_language(catalogues: Path) -> None:
    async with open_journey(
        locales=catalogues, http=True, timing=QUICK, COBROWSE_ADMINS=f"{ADA},{SAM}", COBROWSE_HELP_CONTACT=BILLING
    ) as journey:
        choose_locales(journey)
        await journey.genesys.inject_fault("401")
        await journey.asks()

        def told() -> list[Message] | None:
            found = [each for each in journey.slack.messages if is_notice(each)]
            return found if len(found) == 3 else None

        found = await journey.slack.workspace.until(told, SECONDS)
        readers = {journey.slack.workspace.im_owner(each.channel) or each.channel: language_of(each) for each in found}
        assert readers == {ADA: {"ja"}, SAM: {"de"}, BILLING: set()}
        await journey.genesys.inject_fault(None)
        was = {each: each.text for each in found}
        await journey.asks("Two", who=BEN)
        await journey.slack.workspace.until(lambda: all(each.text != was[each] for each in found), SECONDS)
        after = {journey.slack.workspace.im_owner(each.channel) or each.channel: language_of(each) for each in found}
        assert after == readers


async def test_workflow_shows_an_error_in_the_agents_language(catalogues: Path) -> None:
    async with open_journey(locales=catalogues, COBROWSE_WORKFLOW_STEPS="on") as journey:
        choose_locales(journey)
        await journey.genesys.inject_fault("invalid-host")
        execution = await journey.slack.function_executed(CALLBACK_ID, {"agent": BEN})
        await over(journey.slack, execution, SECONDS)
    assert execution.error
    assert languages_in(execution.error) == {"es"}
    assert "`" not in execution.error.partition("⟦")[2][-30:]


async def test_page_after_a_sign_in_is_in_the_language_of_whose_link_it_is(catalogues: Path) -> None:
    async with open_connecting(locales=catalogues) as journey:
        choose_locales(journey)
        page = await opens(await signs_in(await asks_to_connect(journey)))
        stranger = await opens(f"{journey.url}/genesys/callback?state=x&code=y")
    assert languages_in(page.text) == {"fr"}
    assert '<html lang="fr">' in page.html
    assert languages_in(stranger.text) == set()
    assert '<html lang="en">' in stranger.html


async def test_answer_after_a_restart_is_in_the_requesters_language(catalogues: Path, tmp_path: Path) -> None:
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
    async with open_servers() as servers:
        async with open_bot_between(servers, servers.environ | environ, http=False, locales=catalogues) as journey:
            choose_locales(journey)
            await journey.asks("One", who=SAM)
        async with open_bot_between(servers, servers.environ | environ, http=False, locales=catalogues) as journey:
            card = await journey.asks("last", who=SAM)
            before = len(journey.slack.messages)
            await journey.slack.press(BEN, card, END)  # whom this bot does not know yet
            refused = await journey.reads(BEN, before)
    assert language_of(card) == {"de"}
    assert language_of(refused) == {"es"}
