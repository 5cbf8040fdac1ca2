"""The sandbox's page in a real browser, with the real bot, held to axe-core: no fault on any surface, light or dark."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.run import ROLES, open_page
from tests.support import sandbox_page
from tests.support.accessibility import axe_source, violations
from tests.support.sandbox_page import say

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
browser = sandbox_page.browser


@pytest_asyncio.fixture(loop_scope="module", params=["light", "dark"])
async def page(browser: Any, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    axe_source()
    async with open_page(0) as served:
        context = await browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme=request.param, reduced_motion="reduce"
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        await page.goto(served.url)
        await page.get_by_role("heading", name="# customer-care").wait_for()
        yield page
        await context.close()


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
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")


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
