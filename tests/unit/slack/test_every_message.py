"""Every message, view and page in every language: all text is translated, and no text exceeds Slack's limits."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pytest

from bot.core.results import Success
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.views import read_view
from bot.slack.messages.blocks import Message
from bot.slack.messages.catalogue.languages import load_languages
from bot.slack.messages.catalogue.sentence import Language
from tests.support import everything
from tests.support.cases import each_case
from tests.support.pseudo import english_in, longest_language, pseudo_languages, shown

Build = Callable[[Language], Iterator[tuple[str, Any]]]
MESSAGES: dict[str, Build] = {
    "answers": everything.answers,
    "errors": everything.error_messages,
    "notices": everything.notices,
    "others": everything.other_messages,
}
VIEWS: dict[str, Build] = {"modals": everything.views, "home tabs": everything.home_tabs}
TYPED = (
    *("/cobrowse", "connect", "end", "help", "last", "list", "status", "why", "hepl", "please", "Müller"),
    *("@agent", "@ben", "@here"),
)
"""What people type: commands stay English."""
THEIRS = (
    *("@U0BEN", "&lt;@U0ANA&gt;", "&lt;@U0BEN&gt;", "&lt;#C0DESK&gt;", "&lt;#C0CARE&gt;", "b.example", "JP", "UTC"),
    *("Carla <C> & co", "Carla  & co", "Carla &lt;C&gt; &amp; co", "access_denied", "invalid_client", "invalid_grant"),
    *("invalid_scope", "unauthorized_client", "Client &lt;b&gt; is blocked.", "no &lt;b&gt; &amp; c", "corr-7"),
    *("not in &lt;Billing&gt;", "web, shop", "web", "shop", "2f7b0c9e-0000-4000-8000-00000000000"),
)
"""Names, ids and the words of Genesys."""
OLD = ("no Genesys user has it", "none", "not listed", "a session without an id")
"""What rows of earlier versions hold."""
KNOWN = (*TYPED, *THEIRS, *OLD)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Language:
    return pseudo_languages(tmp_path_factory.mktemp("locales"))["de"]


def texts(built: Message | dict[str, Any]) -> list[str]:
    return [built.text, *shown(built.blocks)] if isinstance(built, Message) else list(shown(built))


def test_these_tests_know_every_kind_of_result() -> None:
    assert {type(each) for each in everything.RESULTS} == set(get_args(Success))


@pytest.mark.parametrize("name", [*MESSAGES, *VIEWS])
def test_no_text_escapes_translation(name: str, made_up: Language) -> None:
    build = (MESSAGES | VIEWS)[name]
    found = {text: called for called, built in build(made_up) for text in english_in(texts(built), *KNOWN)}
    assert found == {}


def test_no_field_error_and_no_page_escapes_translation(made_up: Language) -> None:
    assert english_in([text for _, text in everything.field_errors(made_up)], *KNOWN) == []
    pages = [re.sub(r"<style>.*?</style>|<[^>]+>|html", " ", text, flags=re.S) for _, text in everything.pages(made_up)]
    assert english_in(pages, *KNOWN) == []


def test_english_outside_the_catalogue_is_found() -> None:
    assert english_in(["⟨ｘ⟩ and ⟨ｙ⟩", "⟨ｘ {a} supervisor⟩", "⟨ｘ⟩ · :tada: <@U0ANA> `/cobrowse end`"]) == [
        "⟨ｘ⟩ and ⟨ｙ⟩",
        "⟨ｘ {a} supervisor⟩",
    ]


def assert_fit(built: Message | dict[str, Any]) -> None:
    if isinstance(built, Message):
        read_message(built.payload())
    else:
        read_view(built, built["type"])


LANGUAGES: Mapping[str, Language] = load_languages()


@each_case("code", [*LANGUAGES, "longest"])
@each_case("name", [*MESSAGES, *VIEWS])
def test_slack_takes_everything_in_every_language(name: str, code: str) -> None:
    """The longest language fills each label up to its limit, so a limit that is too high fails here."""
    language = longest_language() if code == "longest" else LANGUAGES[code]
    each_once = {repr(built): (called, built) for called, built in (MESSAGES | VIEWS)[name](language)}
    for called, built in each_once.values():
        try:
            assert_fit(built)
        except Exception as error:
            raise AssertionError(f"{called}: {error} {built}") from error
