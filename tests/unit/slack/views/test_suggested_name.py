"""The name that the message shortcut suggests: the first line, without Slack's markup, and never an address."""

import time

from bot.core.models import NAME_LENGTH
from bot.slack.views.suggested_name import suggested_name
from tests.support.cases import each_case

NAMES = {
    "Customer 4711 needs help": "Customer 4711 needs help",
    "\n\n  Customer 4711  needs help \nand more": "Customer 4711 needs help",
    "*Checkout* is _broken_ for `Carla` ~today~": "Checkout is broken for Carla today",
    "*_Checkout_* broken": "Checkout broken",
    "snake_case_name and 2*3*4 stay": "snake_case_name and 2*3*4 stay",
    "&gt; R&amp;D &lt;asks&gt;": "R&D <asks>",
    "<@U0ANA|ana> cannot log in": "@ana cannot log in",
    "<@U0ANA> cannot log in": "cannot log in",
    "see <#C0CARE|customer-care> please": "see #customer-care please",
    "<!here> refund page is down :warning:": "refund page is down",
    "<!subteam^S0LEADS|@leads> look": "@leads look",
    "open <https://shop.example/cart|the cart> again": "open the cart again",
    "due <!date^1767225600^{date}|1 Jan>": "due 1 Jan",
    "• first item": "first item",
    "- - nested": "nested",
    ":tada:\nsecond line": "second line",
    "Order of 2026-11-29 is lost": "Order of 2026-11-29 is lost",
    "\u202eevil\u200b": "evil",
    "": "",
    "<@U0ANA>": "",
}
ADDRESSES = (
    "call +14155550123 now",
    "call +1 (415) 555-0123",
    "call 415-555-0123",
    "call 0171 1234567",
    "mail carla@example.com",
    "mail <mailto:carla@example.com|Carla>",
    "call <tel:+14155550123|Carla>",
    "CARLA＠EXAMPLE.COM writes",
    "x" * 120 + " carla@example.com",
    "word " * 300 + "+49 171 1234567",
    "Carla <b>carla@example.com</b>",
    "*carla@example.com*",
)


@each_case(("text", "name"), NAMES.items())
def test_first_line_is_the_name_without_markup(text: str, name: str) -> None:
    assert suggested_name(text) == name


@each_case("text", ADDRESSES)
def test_line_with_an_address_suggests_nothing(text: str) -> None:
    assert suggested_name(f"{text}\nsecond line") == ""


def test_number_of_a_configured_country_counts_without_a_plus() -> None:
    assert suggested_name("ring 20 12 34", ("DK",)) == "ring 20 12 34"
    assert suggested_name("ring 20 12 34 56", ("DK",)) == ""


def test_long_line_is_cut_between_words() -> None:
    name = suggested_name("word " * 60)
    assert len(name) <= NAME_LENGTH
    assert name.endswith("word")
    assert len(suggested_name("ä" * 300)) == NAME_LENGTH
    assert suggested_name("ä " * 3000) == ""


@each_case("text", ("*a " * 13_333, "*item one " * 4_000, ":tada:\n" + "_id=12 level=info " * 2_200))
def test_long_line_of_open_marks_takes_no_time(text: str) -> None:
    began = time.process_time()
    assert suggested_name(text) == ""
    assert time.process_time() - began < 0.5
