"""The sandbox's page in a real browser: modals are opened, filled in, refused with errors, closed and submitted."""

from typing import Any

import pytest

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_page
from tests.support.sandbox_page import has_focus, say, until
from tests.support.toy_bot import BEN, ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


async def opened(page: Any, bot: ToyBot) -> Any:
    bot.fill.set()
    await say(page, "/cobrowse new")
    dialog = page.get_by_role("dialog", name="New session")
    await dialog.get_by_label("Session name").wait_for()
    return dialog


async def test_skeleton_is_filled_in_place_and_choices_arrive(page: Any, bot: ToyBot) -> None:
    await say(page, "/cobrowse new")
    dialog = page.get_by_role("dialog", name="New session")
    await dialog.get_by_text("Looking for your applications…").wait_for()
    assert await dialog.get_by_role("button", name="Close").count() == 2
    bot.fill.set()
    name = dialog.get_by_label("Session name")
    await name.wait_for()
    assert await has_focus(name)
    await page.keyboard.type("Checkout")
    assert await dialog.get_by_label("Host").locator("option").all_inner_texts() == [
        "Yourself", "Ana Agent", "Ben Boss", "<img src=x onerror=alert(1)>",
    ]  # fmt: skip
    await dialog.get_by_label("Host").select_option(label="Ben Boss")
    await dialog.get_by_label("Ends after").select_option(label="60 minutes")
    await dialog.get_by_label("Web").check()
    await dialog.get_by_role("button", name="Start").click()
    await dialog.wait_for(state="hidden")
    ((kind, values),) = bot.heard
    assert kind == "view_submission"
    assert values["name"]["name"]["value"] == "Checkout"
    assert values["host"]["host"]["selected_user"] == BEN
    assert values["length"]["length"]["selected_option"]["value"] == "60"
    assert values["kind"]["kind"]["selected_option"]["value"] == "web"
    assert await has_focus(page.get_by_role("combobox", name="Message"))


async def test_invalid_field_shows_its_error_and_gets_the_focus(page: Any, bot: ToyBot) -> None:
    dialog = await opened(page, bot)
    name = dialog.get_by_label("Session name")
    await name.fill("Taken")
    await dialog.get_by_label("Ends after").select_option(value="")
    await dialog.get_by_role("button", name="Start").click()
    await dialog.get_by_text("Please complete this required field.").wait_for()
    assert await has_focus(dialog.get_by_label("Ends after"))
    await dialog.get_by_label("Ends after").select_option(value="30")
    await name.press("Enter")
    await dialog.get_by_text("There is one.").wait_for()
    assert await name.get_attribute("aria-invalid") == "true"
    told = (await name.get_attribute("aria-describedby")).split()
    assert [await dialog.locator(f"#{each}").inner_text() for each in told] == ["The agent sees it.", "There is one."]
    assert await has_focus(name)
    assert await name.input_value() == "Taken"
    await name.fill("Free")
    await page.keyboard.press("Enter")
    await dialog.wait_for(state="hidden")


async def test_typed_input_stays_while_the_bot_changes_the_rest(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    dialog = await opened(page, bot)
    name = dialog.get_by_label("Session name")
    await name.press_sequentially("Checkout")
    await name.press("ArrowLeft")
    (view,) = slack.views_of("U0ANA")
    await bot.web.views_update(view_id=view.id, view={**view.body, "title": {"type": "plain_text", "text": "Other"}})
    dialog = page.get_by_role("dialog", name="Other")
    await dialog.wait_for()
    name = dialog.get_by_label("Session name")
    assert await name.input_value() == "Checkout"
    await page.keyboard.type("_")
    assert await name.input_value() == "Checkou_t"
    await dialog.get_by_role("button", name="Check the name").click()
    await until(lambda: bot.presses == ["check"])
    assert view.values["name", "name"] == "Checkou_t"


async def test_escape_asks_before_it_throws_away_what_was_typed(page: Any, bot: ToyBot) -> None:
    dialog = await opened(page, bot)
    await dialog.get_by_label("Session name").press_sequentially("Checkout")
    for _ in range(2):  # a second Escape must not go past the question
        await page.keyboard.press("Escape")
        sure = page.get_by_role("dialog", name="Discard what you entered?")
        assert await has_focus(sure.get_by_role("button", name="Keep editing"))
        await page.keyboard.press("Escape")
        await sure.wait_for(state="hidden")
        assert await dialog.get_by_label("Session name").input_value() == "Checkout"
    await page.keyboard.press("Escape")
    await sure.get_by_role("button", name="Discard").click()
    await dialog.wait_for(state="hidden")
    await until(lambda: [kind for kind, _ in bot.heard] == ["view_closed"])


async def test_nothing_is_asked_when_nothing_was_typed(page: Any, bot: ToyBot) -> None:
    dialog = await opened(page, bot)
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    await until(lambda: [kind for kind, _ in bot.heard] == ["view_closed"])
    assert await has_focus(page.get_by_role("combobox", name="Message"))


async def test_the_focus_stays_within_the_modal(page: Any, bot: ToyBot) -> None:
    dialog = await opened(page, bot)
    for _ in range(12):
        await page.keyboard.press("Tab")
        inside = "node => node.contains(document.activeElement) || document.activeElement === document.body"
        assert await dialog.evaluate(inside)


async def test_unanswered_submission_leaves_the_modal_with_a_sentence(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    dialog = await opened(page, bot)
    slack.ack_seconds = 0.1
    slack.inject_fault("socket", "unresponsive")
    await dialog.get_by_label("Session name").fill("Checkout")
    await dialog.get_by_role("button", name="Start").click()
    await dialog.get_by_role("alert").get_by_text("We had some trouble connecting. Try again?").wait_for()
    assert await dialog.get_by_label("Session name").input_value() == "Checkout"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_modal_has_contrast_and_fits_a_small_window(page: Any, bot: ToyBot, scheme: str) -> None:
    await page.set_viewport_size({"width": 320, "height": 600})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    dialog = await opened(page, bot)
    await dialog.get_by_role("button", name="Start").click()
    await dialog.get_by_text("Please complete this required field.").wait_for()
    box = await dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert box["y"] + box["height"] <= 600
    assert await sandbox_page.too_faint(dialog) == []
    assert await dialog.evaluate("node => node.scrollWidth <= node.clientWidth")
