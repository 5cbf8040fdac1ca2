"""The sandbox's page in a real browser: where it must look and act like Slack, and has nothing that Slack lacks."""

from typing import Any

import pytest

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_page
from tests.support.sandbox_page import card, has_focus, say
from tests.support.toy_bot import BEN, CARD, ToyBot, section

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port
OPACITY = "node => getComputedStyle(node).opacity"


async def test_the_copy_icon_is_seen_under_the_pointer_only(page: Any) -> None:
    shown = await card(page)
    copy = shown.get_by_role("button", name="Copy")
    await page.mouse.move(0, 0)
    assert await copy.evaluate(OPACITY) == "0"
    await shown.locator("pre").hover()
    assert await copy.evaluate(OPACITY) == "1"
    assert await copy.inner_text() == ""


async def test_a_phone_has_no_copy_icon(browser: Any, page: Any, served: Any) -> None:
    context = await browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 375, "height": 700})
    phone = await context.new_page()
    await phone.goto(served.url)
    await phone.get_by_role("heading", name="# helpdesk").wait_for()
    shown = await card(phone)
    assert await shown.locator("pre").is_visible()
    assert await shown.get_by_role("button", name="Copy").count() == 0
    await context.close()


async def test_nobody_can_write_in_the_apps_messages_tab(page: Any) -> None:
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()
    await page.get_by_text("Sending messages to this app has been turned off.").wait_for()
    assert await page.get_by_role("combobox", name="Message").count() == 0
    assert await has_focus(page.get_by_role("log"))
    assert "Type" not in await page.get_by_role("log").inner_text()
    await page.get_by_role("navigation").get_by_role("button", name="# talk").click()
    assert await has_focus(page.get_by_role("combobox", name="Message #talk"))


async def test_the_address_keeps_the_person_over_a_reload(page: Any, served: Any) -> None:
    assert page.url == f"{served.url}/?as=ana"
    await page.get_by_label("Act as").select_option(value=BEN)
    await page.wait_for_url("**/?as=ben")
    await page.reload()
    await until_selected(page, BEN)
    await page.goto(f"{served.url}/?as=ana")
    await until_selected(page, "U0ANA")


async def until_selected(page: Any, person: str) -> None:
    await page.wait_for_function("id => document.getElementById('account').value === id", arg=person)


@pytest.mark.parametrize("is_over", [False, True])
async def test_the_focus_stays_on_the_card_whose_button_was_pressed(
    page: Any, slack: SandboxSlack, bot: ToyBot, is_over: bool
) -> None:
    for number in (1, 2):
        await say(page, "/cobrowse Checkout")
        await page.get_by_role("article").nth(number - 1).wait_for()
    second = page.get_by_role("article").nth(1)
    await second.get_by_role("button", name="End session").focus()
    slack.workspace.replace(slack.seen_by("U0ANA")[1], "new", [section("It has changed."), *([] if is_over else CARD)])
    await second.get_by_text("It has changed.").wait_for()
    assert await has_focus(second if is_over else second.get_by_role("button", name="End session"))


async def test_the_menu_of_the_last_message_is_in_front_of_the_composer(page: Any) -> None:
    for _ in range(12):
        await say(page, "My basket is empty")
    last = page.get_by_role("article").nth(11)
    await last.get_by_role("button", name="More actions").click()
    item = last.get_by_role("menuitem")
    box = await item.bounding_box()
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] - 2]
    assert await item.evaluate("(node, [x, y]) => node.contains(document.elementFromPoint(x, y))", at)
    assert box["y"] + box["height"] <= 800


async def test_unread_places_are_named_by_what_they_show(page: Any) -> None:
    await say(page, "/cobrowse tell")
    await page.get_by_label("Act as").select_option(value=BEN)
    place = page.get_by_role("navigation").get_by_role("button", name="cobrowse 1 unread", exact=True)
    await place.wait_for()
    assert await place.get_attribute("aria-label") is None
