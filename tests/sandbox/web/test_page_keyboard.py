"""The sandbox's page in a real browser with the keyboard: completion, confirmation, and the jump to the message box."""

from typing import Any

import pytest

from bot.sandbox.app_manifest import load_manifest
from tests.support import sandbox_page
from tests.support.sandbox_page import card, offers, until
from tests.support.toy_bot import ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


async def test_command_is_completed_and_answered_to_one_person(page: Any, bot: ToyBot) -> None:
    box = page.get_by_role("combobox", name="Message #helpdesk")
    await box.press_sequentially("/co")
    assert await offers(page).all_inner_texts() == [f"/cobrowse\n{load_manifest().usage_hint}"]
    assert await box.get_attribute("aria-expanded") == "true"
    assert await box.get_attribute("aria-activedescendant") == "suggestion-0"
    await page.keyboard.press("Enter")
    assert await box.input_value() == "/cobrowse "
    await page.keyboard.type("Checkout")
    await page.keyboard.press("Enter")
    shown = page.get_by_role("article")
    await shown.get_by_text("Only visible to you").wait_for()
    assert bot.texts == ["Checkout"]
    assert await box.input_value() == ""
    await page.get_by_label("Act as").select_option(label="Ben Boss: a supervisor")
    await page.get_by_text("Nothing here yet").wait_for()
    assert await shown.count() == 0
    await page.get_by_label("Act as").select_option(index=0)
    await shown.get_by_text("Only visible to you").wait_for()


async def test_person_is_completed_by_keyboard_and_becomes_a_mention(page: Any, bot: ToyBot) -> None:
    box = page.get_by_role("combobox", name="Message")
    await box.press_sequentially("/cobrowse @")
    assert await offers(page).count() == 3
    await page.keyboard.press("Escape")
    assert await offers(page).count() == 0
    await page.keyboard.press("Backspace")
    await page.keyboard.type("@")
    await page.keyboard.press("ArrowDown")
    assert await box.get_attribute("aria-activedescendant") == "suggestion-1"
    await page.keyboard.press("Tab")
    assert await box.input_value() == "/cobrowse @ben "
    await page.keyboard.type("Invoice <b>")
    await page.keyboard.press("Enter")
    await until(lambda: bot.texts == ["<@U0BEN|ben> Invoice &lt;b&gt;"])


async def test_confirm_dialog_starts_at_the_safe_answer(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    end = shown.get_by_role("button", name="End session")
    dialog = page.get_by_role("dialog", name="End it?")
    await end.click()
    assert await dialog.get_by_role("button", name="Keep").evaluate("node => node === document.activeElement")
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    await end.click()
    await dialog.get_by_role("button", name="Keep").click()
    await end.click()
    assert "The customer leaves too." in await dialog.inner_text()
    await dialog.get_by_role("button", name="End", exact=True).click()
    await until(lambda: bot.presses == ["end"])


async def test_the_first_tab_stop_skips_to_the_message_box(page: Any) -> None:
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "box"
