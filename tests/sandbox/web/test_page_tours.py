"""The guided tours and the phone preview, in a real browser with the real bot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.run import ROLES, open_page
from tests.support import sandbox_page
from tests.support.accessibility import violations
from tests.support.sandbox_page import has_focus, say, too_faint, window

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
browser, port = sandbox_page.browser, sandbox_page.port
TOURS = ("Agent on the phone", "Genesys fails", "A supervisor ends it", "New agent without a user")


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any, port: int) -> AsyncIterator[Any]:
    faults: list[str] = []
    listeners = {"pageerror": lambda error: faults.append(str(error))}
    async with open_page(port) as served, window(browser, served.url, listeners, reduced_motion="reduce") as page:
        await page.get_by_role("heading", name="# customer-care").wait_for()
        yield page
    assert faults == []


def tours(page: Any) -> Any:
    return page.locator("#tours")


async def press_next(page: Any) -> None:
    """Press the button of the step with the mouse, unless it is busy, gone or covered."""
    from playwright.async_api import TimeoutError as NotPressedError

    with suppress(NotPressedError):  # a step that is done already passes by itself: its button may be gone
        await tours(page).locator(".primary:not([aria-busy])").click(timeout=500)


async def taken(page: Any, title: str) -> list[str]:
    """Take the tour by its button only, as somebody with a mouse does, and leave it. Return its sentences."""
    await tours(page).get_by_role("button", name=title).click()
    steps = tours(page).get_by_role("listitem")
    over = tours(page).get_by_role("button", name="Other tours")
    async with asyncio.timeout(60):
        while not await over.is_visible():
            await press_next(page)
            await asyncio.sleep(0.1)
    assert not await page.get_by_role("alert").is_visible()
    sentences = [text.removeprefix("Done: ") for text in await steps.all_inner_texts()]
    await over.click()
    assert await has_focus(tours(page).get_by_role("button", name=TOURS[0]))
    assert await tours(page).get_by_role("button").all_inner_texts() == list(TOURS)
    assert 4 <= len(sentences) <= 10
    for sentence in sentences:
        assert sentence.endswith(".")
        assert sentence.count(".") == 1
        assert len(sentence.split()) <= 16
    return sentences


async def test_the_tour_of_a_failure_leads_to_its_end(page: Any) -> None:
    await taken(page, "Genesys fails")


async def test_the_phone_tour_sends_the_link_and_ends_the_session(page: Any) -> None:
    await taken(page, "Agent on the phone")
    traffic = await page.get_by_role("table", name="Traffic").inner_text()
    assert traffic.count("POST /api/v2/conversations/cobrowse") == 1
    assert "DELETE" in traffic
    await page.locator("summary", has_text="The customer's phone").click()
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="What Genesys has sent to customers").click()
    assert "4155550123" in await (await opened.value).inner_text("body")


async def test_the_customers_phone_gets_the_link_and_opens_it(page: Any) -> None:
    await page.get_by_text("The customer's phone").click()
    phone = page.frame_locator('iframe[title="The customer\'s phone"]')
    await phone.get_by_text("No messages yet.").wait_for()
    assert await violations(page) == []
    await say(page, "/cobrowse Checkout help")
    await page.get_by_role("article").locator("pre").first.wait_for()
    link = await page.locator("article pre").first.inner_text()
    await say(page, "/cobrowse send +14155550123")
    await page.locator("[data-action=send_link]").click()
    await phone.get_by_role("link", name=link).click()
    await phone.get_by_text("Ana Agent").wait_for()


async def test_the_tour_of_a_new_agent_ends_with_a_link_for_her(page: Any) -> None:
    await taken(page, "New agent without a user")
    assert await page.get_by_label("Act as").input_value() == ROLES["unmapped"]
    await page.get_by_role("article").last.locator("pre").wait_for()
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()
    await page.get_by_role("article").filter(has_text="You’re connected to Genesys").wait_for()


async def test_a_dialog_that_is_closed_early_keeps_the_step(page: Any) -> None:
    await tours(page).get_by_role("button", name="New agent without a user").click()
    step, dialog = tours(page).locator("[aria-current=step]"), page.get_by_role("dialog")
    for text in ("Una is new", "She asks", "One press asks", "Ada is the", "The bot has told", "She opens the dialog"):
        await step.get_by_text(text).wait_for()
        await press_next(page)
    await step.get_by_text("She finds Una").wait_for()
    await dialog.get_by_role("heading").wait_for()
    await dialog.locator("input").first.press("Escape")
    await dialog.wait_for(state="hidden")
    await asyncio.sleep(0.5)
    assert await step.get_by_text("She finds Una").is_visible()
    await tours(page).get_by_role("button", name="Do it for me").click()
    await step.get_by_text("Una has a message that she can start now.").wait_for()


async def test_the_tour_of_a_supervisor_ends_the_agents_session(page: Any) -> None:
    sentences = await taken(page, "A supervisor ends it")
    assert any(each.endswith("from the menu of its row.") for each in sentences)
    assert await page.get_by_label("Act as").input_value() == ROLES["agent"]
    assert await page.locator("[data-action^=send_to_customer]").count() == 0
    assert "DELETE" in await page.get_by_role("table", name="Traffic").inner_text()
    told = page.get_by_role("article").filter(has_text="ended your session Card payment")
    await told.wait_for()


async def test_a_step_done_by_hand_counts_too(page: Any) -> None:
    await tours(page).get_by_role("button", name="Agent on the phone").click()
    step = tours(page).locator("[aria-current=step]")
    await step.get_by_text("She types /cobrowse").wait_for()
    await say(page, "/browse")
    await page.get_by_text("is not a valid command").wait_for()
    assert "She types /cobrowse" in await step.inner_text()
    await say(page, "/cobrowse Checkout help")
    await step.get_by_text("Only she sees the answer").wait_for()
    await tours(page).get_by_role("button", name="Leave the tour").click()
    assert await step.count() == 0


async def test_a_step_the_page_cannot_do_asks_the_person(page: Any) -> None:
    await tours(page).get_by_role("button", name="Genesys fails").click()
    step = tours(page).locator("[aria-current=step]")
    await page.get_by_label("The session service").select_option(value="down")
    await step.get_by_text("Ana asks for a session").wait_for()
    await say(page, "/cobrowse help")  # an answer that has nothing to try again
    await step.get_by_text("Genesys works again").wait_for()
    await page.get_by_label("The session service").select_option(value="")
    await step.get_by_text("She tries again").wait_for()
    await tours(page).get_by_role("button", name="Do it for me").click()
    await page.get_by_role("alert").get_by_text("Do this step yourself.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_phone_preview_is_as_wide_as_a_phone_and_stays(page: Any, scheme: str) -> None:
    await page.emulate_media(color_scheme=scheme)
    await say(page, "/cobrowse Checkout help")
    shown = page.get_by_role("article").filter(has=page.locator("pre"))
    await shown.wait_for()
    toggle = page.get_by_role("button", name="Phone width")
    await toggle.click()
    assert await toggle.get_attribute("aria-pressed") == "true"
    assert (await page.get_by_role("main").bounding_box())["width"] == 375
    assert await shown.get_by_role("button", name="Copy").count() == 0
    assert await page.get_by_role("log").evaluate("node => node.scrollWidth <= node.clientWidth")
    assert await too_faint(page.locator("body")) == []
    assert await violations(page, [scheme]) == []
    await page.reload()
    await shown.wait_for()
    assert (await page.get_by_role("main").bounding_box())["width"] == 375
    await say(page, "/cobrowse new")
    dialog = page.get_by_role("dialog")
    await dialog.locator("input").first.wait_for()
    assert (await dialog.bounding_box())["width"] == 375
    assert await violations(page, [scheme]) == []
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    await toggle.click()
    assert "phone" not in page.url
    assert (await page.get_by_role("main").bounding_box())["width"] > 600
