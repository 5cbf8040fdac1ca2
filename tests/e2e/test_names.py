"""Names wherever they are shown or stored: on one line, without characters that hide or reorder text."""

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import sessions as service
from bot.config import settings
from bot.core.access import Workspace
from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, RequestId, TeamId
from bot.core.validation.conversations import LiveConversation
from bot.core.validation.display import clean, one_line
from bot.genesys.api.live_conversations import _customer
from bot.genesys.api.permissions import read_permissions
from bot.slack.api.directory import read_person
from bot.slack.command_parser import Start, clean_name, parse, plain_name
from bot.slack.messages.blocks import escape
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.conversation_choice import picker
from bot.slack.messages.error_copy import Addressee
from tests.support.app import ANA, BEN, Journey, open_servers, words
from tests.support.cases import each_case
from tests.support.cli import typed
from tests.support.slack_users import user
from tests.support.views import asks_for_a_form, with_all_fields

TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
"""A word that nobody sees and a language model reads."""
EVIL = f"Web\u202e\x1b[31m\u2028\u200f\u200e\u061c\u2066\u0085{TAGS}\U000e0001\u200b\ufeff\u00ad\u2060\u2800\u3164 app"
GOOD = "Web[31m app"
HIDDEN = set(EVIL) - set("Web[31m app")


def shown(thing: Any) -> str:
    """Return all text that a person reads in these blocks, without values."""
    if isinstance(thing, dict):
        return "\n".join(shown(value) for name, value in thing.items() if name != "value")
    if isinstance(thing, list):
        return "\n".join(map(shown, thing))
    return str(thing)


def test_a_name_keeps_what_can_be_seen() -> None:
    assert clean(EVIL) == GOOD


@each_case(
    "name",
    [
        "Checkout help",
        "Zoë & Jürgen <3",
        "👩‍💻 Team ❤️",
        "می‌خواهم",
        "नमस्ते",
        "葛\U000e0100飾区",
        "العميل ١٢٣",
        "שלום",
        "ﷺ ok",
        "١\u06dd",
        "한국어",
        "e\u0301",
    ],
)
def test_a_name_in_any_script_stays_as_it_is(name: str) -> None:
    assert clean(name) == name
    assert plain_name(name) == name


@given(st.text())
def test_a_clean_name_hides_nothing_and_stays_clean(text: str) -> None:
    name = clean(text)
    assert clean(name) == name
    assert len(name) <= 100
    assert not HIDDEN & set(name)
    assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [
        c
        for c in name
        if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    ]


@each_case("hidden", sorted(HIDDEN - {"\u2028", "\x85"}))
def test_each_hidden_character_goes(hidden: str) -> None:
    assert clean(f"a{hidden}b") == "ab"
    assert parse(f"a{hidden}b c") == Start(name="ab c")
    assert clean_name(f"a{hidden}b") == "ab"
    assert plain_name(f"a{hidden}b") == "ab"


@pytest.mark.parametrize(
    "text", ["", " ", EVIL.replace("Web", "").replace("[31m", "").replace("app", ""), "\u200d\u200c"]
)
def test_a_name_of_hidden_characters_is_none(text: str) -> None:
    assert clean(text) == ""
    assert plain_name(text) is None


def test_ascii_is_left_alone() -> None:
    assert one_line("a  b") == "a  b"


async def test_a_session_is_called_by_what_was_seen(journey: Journey) -> None:
    message = await journey.asks(EVIL)
    (created,) = journey.genesys.sessions.values()
    assert created.name == GOOD
    assert not HIDDEN & set(shown(message.blocks) + message.text) - {"\n"}


async def test_an_application_is_shown_by_what_can_be_seen(journey: Journey) -> None:
    journey.genesys.applications["evil-app"] = EVIL
    message = await journey.asks("apps", who=BEN)
    assert "`evil-app` Web[31m app" in words(message)
    assert not HIDDEN & set(words(message)) - {"\n"}
    view = await with_all_fields(journey, ANA, await asks_for_a_form(journey, ANA))
    assert "Web[31m app (evil-app)" in shown(view.body)
    assert not HIDDEN & set(shown(view.body)) - {"\n"}


async def test_the_command_line_shows_applications_by_what_can_be_seen(tmp_path: Path) -> None:
    """Escape sequences would control the terminal."""
    async with open_servers() as servers:
        servers.genesys.applications = {"evil-app": EVIL}
        run = await typed(tmp_path, ["applications"], servers.environ)
    assert (run.code, run.out) == (0, "evil-app\tWeb[31m app\n")


def test_a_persons_name_is_cleaned() -> None:
    person = read_person(user(profile={"real_name": EVIL}), Workspace(TeamId("T0HOME")))
    assert person.name == GOOD


def test_customers_name_is_cleaned_at_entry_and_when_shown() -> None:
    assert _customer([{"purpose": "customer", "name": EVIL}]) == GOOD
    one = LiveConversation(ConversationId("c" * 8), datetime.now(UTC), EVIL)
    message = picker(SeveralConversationsError(candidates=(one, one)), Addressee(ENGLISH), RequestId("r" * 12))
    assert f"Start with {GOOD}" in shown(message.blocks)
    assert not HIDDEN & set(shown(message.blocks)) - {"\n"}


def test_a_roles_name_is_cleaned() -> None:
    assert read_permissions({"grants": [{"role": {"name": EVIL}}]}).names == (GOOD,)


def test_whatever_is_escaped_hides_nothing() -> None:
    """The store may hold names from before the bot cleaned them."""
    assert " ".join(escape(f"<{EVIL}>").split()) == f"&lt;{GOOD}&gt;"


HOST = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Checkout \t help ", "Checkout help"),
        ("\x1b[31mCheckout\x1b[0m\r\nhelp\x07", "[31mCheckout[0m help"),
        ("\u202eCheckout", "Checkout"),
        ("x" * 300, "x" * 100),
        ("<b> & Söhne", "<b> & Söhne"),
        ("\x00", "Co-browse session"),
        ("   ", "Co-browse session"),
    ],
)
async def test_command_line_name_is_cleaned_like_one_from_slack(typed: str, name: str) -> None:
    async with open_servers() as servers:
        await service.start(settings.load_part(settings.read_service_alone, servers.environ), HOST, typed, None, None)
        assert [create.body["sessionName"] for create in servers.genesys.creates] == [name]
