"""The sandbox's page in a real browser with the real bot: axe-core finds no fault on any surface, in light and dark."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.run import ROLES, open_page
from tests.support import sandbox_page
from tests.support.accessibility import axe_source, violations
from tests.support.sandbox_page import say, window

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
browser, port = sandbox_page.browser, sandbox_page.port


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any, port: int) -> AsyncIterator[Any]:
    """Yield the page without animations. `violations` checks it in light and in dark."""
    axe_source()
    async with open_page(port) as served, window(browser, served.url, reduced_motion="reduce") as page:
        await page.get_by_role("heading", name="# customer-care").wait_for()
        yield page


async def act_as(page: Any, role: str) -> None:
    await page.get_by_label("Act as").select_option(value=ROLES[role])
    await page.wait_for_function("id => document.getElementById('account').value === id", arg=ROLES[role])


async def test_the_empty_page_a_card_and_a_menu_have_no_fault(page: Any) -> None:
    assert await violations(page) == []
    await say(page, "My basket is empty")
    await say(page, "/cobrowse Checkout help")
    await page.get_by_role("article").nth(1).locator("pre").wait_for()
    await page.get_by_role("combobox", name="Message").fill("/")
    assert await violations(page) == []
    await page.get_by_role("button", name="More actions").first.click()
    assert await violations(page) == []


async def test_axe_finds_a_name_that_differs_from_what_is_shown(page: Any) -> None:
    await page.get_by_role("button", name="# billing").evaluate("node => { node.ariaLabel = 'Invoices'; }")
    (found,) = await violations(page)
    assert found.startswith("label-content-name-mismatch")


async def test_a_form_and_its_errors_have_no_fault(page: Any) -> None:
    await act_as(page, "supervisor")
    await say(page, "/cobrowse new")
    dialog = page.get_by_role("dialog")
    await dialog.locator("input, select").first.wait_for()
    assert await violations(page) == []
    await dialog.get_by_label("Name").fill("Call +14155550123")
    await dialog.get_by_role("button", name="Start", exact=True).click()
    await dialog.locator("[aria-invalid]").wait_for()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Discard").click()
    await dialog.wait_for(state="hidden")


async def test_the_customers_form_and_its_error_have_no_fault(page: Any) -> None:
    await say(page, "/cobrowse Checkout help")
    await page.locator("[data-action^=send_to_customer]").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("input").first.fill("nobody")
    assert await violations(page) == []
    await dialog.locator("[type=submit]").click()
    await dialog.locator("[aria-invalid]").wait_for()
    assert await violations(page) == []


@pytest.mark.parametrize("is_phone", [False, True], ids=["wide", "phone"])
async def test_lists_have_no_fault_and_fit(page: Any, is_phone: bool) -> None:
    if is_phone:
        await page.get_by_role("button", name="Phone width").click()
    await act_as(page, "supervisor")
    for text in (f"Refund {LONG_NAME}", f"@ana Card payment {LONG_NAME}", "@ben Basket"):
        await say(page, f"/cobrowse {text}")
        await article(page, text.removeprefix("@ana ").removeprefix("@ben ")).locator("pre").wait_for()
    for text, shows in LISTS.items():
        await say(page, f"/cobrowse {text}")
        shown = article(page, shows)
        await shown.wait_for()
        assert await page.get_by_role("log").evaluate("node => node.scrollWidth <= node.clientWidth")
        assert "reference" not in (await shown.inner_text()).lower()
        assert not UUID.search(await shown.inner_text())
    assert await violations(page) == []
    await article(page, "Live now: 3").get_by_role("button", name="More actions").first.click()
    assert await violations(page) == []


LONG_NAME = "of the order that came on Tuesday without its second half"
LISTS = {
    "status": "You started for others",
    "list": "Live now: 3",
    "end": "Which session should I end?",
    "last": "Basket · ends",
}
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.mark.parametrize(
    ("text", "shows"), [("hepl", "Did you mean"), ("end the game", "Basket"), ("Payment for @ben", "or for you")]
)
async def test_questions_have_no_fault(page: Any, text: str, shows: str) -> None:
    await say(page, "/cobrowse Basket")
    await article(page, "Basket · ends").wait_for()
    await say(page, f"/cobrowse {text}")
    await article(page, shows).locator(".button").first.wait_for()
    assert await violations(page) == []


async def test_each_step_of_the_connect_dialog_has_no_fault(page: Any) -> None:
    await act_as(page, "admin")
    await opens_home(page)
    await page.locator("[data-action=connect_people]").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("select").wait_for()
    assert await violations(page) == []
    await dialog.locator("[type=submit]").click()
    await dialog.locator("[aria-invalid]").wait_for()
    assert await violations(page) == []
    await dialog.locator("select").select_option(value=ROLES["unmapped"])
    await dialog.locator("[type=submit]").click()
    await dialog.locator("input").wait_for()
    assert await violations(page) == []
    await dialog.locator("input").fill("nobody at all")
    await dialog.locator("[type=submit]").click()
    await dialog.get_by_text("no active user").wait_for()
    assert await violations(page) == []
    await dialog.locator("input").fill("una")
    await dialog.locator("[type=submit]").click()
    await dialog.locator("[type=radio]").click()
    assert await violations(page) == []
    await dialog.locator("[type=submit]").click()
    await dialog.get_by_text("is connected to Genesys as").wait_for()
    assert await violations(page) == []


async def test_the_message_about_a_fault_has_no_fault(page: Any) -> None:
    await page.get_by_label("The session service").select_option(value="401")
    await say(page, "/cobrowse Checkout help")
    await article(page, "Reference").wait_for()
    await act_as(page, "admin")
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()
    shown = article(page, "Co-browse is failing for 1 person")
    await shown.wait_for()
    assert await violations(page) == []
    await opens_home(page)
    await page.get_by_role("tabpanel", name="Home").get_by_text("is failing for 1 person").wait_for()
    assert await violations(page) == []
    await page.get_by_label("The session service").select_option(value="")
    await page.get_by_role("tab", name="Messages").click()
    await shown.get_by_role("button", name="Check again").click()
    await article(page, "It works again").wait_for()
    assert await violations(page) == []


def article(page: Any, text: str) -> Any:
    """Return the newest message that contains this text."""
    return page.get_by_role("article").filter(has_text=text).last


async def opens_home(page: Any) -> None:
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_role("tabpanel", name="Home").locator("[data-action]").first.wait_for()


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin", "unmapped"])
async def test_the_home_tab_and_the_unread_message_have_no_fault(page: Any, role: str) -> None:
    await act_as(page, "supervisor")
    await say(page, "/cobrowse @ana Card payment")
    await page.get_by_role("article").locator("pre").wait_for()
    await act_as(page, role)
    assert await violations(page) == []
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()
    assert await violations(page) == []
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_role("tabpanel", name="Home").locator(".body").wait_for()
    assert await violations(page) == []


async def test_a_confirmation_has_no_fault(page: Any) -> None:
    await say(page, "/cobrowse Checkout help")
    await page.locator("[data-action^=ask_end]").first.click()
    await page.get_by_role("dialog").wait_for()
    assert await violations(page) == []


async def test_a_failure_and_its_traffic_have_no_fault(page: Any) -> None:
    await page.get_by_label("The session service").select_option(value="dropped")
    await say(page, "/cobrowse Checkout help")
    await page.get_by_role("article").locator(".button").first.wait_for()
    await page.get_by_text("Workflow", exact=True).click()
    assert await violations(page) == []
