"""The sandbox's page in a real browser: the Home tab, shortcuts, shared messages, workflows, the focus."""

from typing import Any

import pytest

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_page
from tests.support.sandbox_page import card, has_focus, say, until
from tests.support.toy_bot import ANA, BEN, JOIN, ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


# threads


async def test_reply_stands_below_its_message(page: Any, slack: SandboxSlack) -> None:
    first, _ = (slack.post_message(BEN, "C0HELP", text) for text in ("first", "second"))
    slack.workspace.add("C0HELP", "a reply", [], via="chat.postMessage", thread_ts=first.ts)
    await page.get_by_text("Reply in this thread").wait_for()
    texts = await page.get_by_role("article").all_inner_texts()
    assert ["first" in texts[0], "a reply" in texts[1], "second" in texts[2]] == [True] * 3


# the Home tab


async def open_app(page: Any) -> None:
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()


async def test_home_tab_is_published_on_opening_and_its_buttons_work(page: Any, bot: ToyBot) -> None:
    await open_app(page)
    assert await page.get_by_role("tab", name="Messages").get_attribute("aria-selected") == "true"
    await page.get_by_role("tab", name="Home").click()
    home = page.get_by_role("tabpanel", name="Home")
    await home.get_by_role("heading", name="Your sessions").wait_for()
    assert [kind for kind, _ in bot.heard] == ["app_home_opened"]
    assert not await page.get_by_role("combobox", name="Message").is_visible()
    names = [await each.get_attribute("aria-label") for each in await home.get_by_role("button").all()]
    assert names[:2] == ["End session, Checkout", "End session, Invoices"]
    await home.get_by_role("button", name="End session, Invoices").click()
    await page.get_by_role("dialog", name="End it?").get_by_role("button", name="End", exact=True).click()
    await until(lambda: bot.presses == ["end"])
    await home.get_by_role("button", name="Start a session").click()
    await page.get_by_role("dialog", name="New session").wait_for()


async def test_the_home_tab_changes_in_place_and_is_each_persons_own(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    await open_app(page)
    await page.get_by_role("tab", name="Messages").focus()
    await page.keyboard.press("ArrowLeft")
    home = page.get_by_role("tabpanel", name="Home")
    await home.get_by_role("heading", name="Your sessions").wait_for()
    assert await has_focus(page.get_by_role("tab", name="Home"))
    text = {"type": "section", "text": {"type": "plain_text", "text": "Nothing is open."}}
    await bot.web.views_publish(user_id=ANA, view={"type": "home", "blocks": [text]})
    await home.get_by_text("Nothing is open.").wait_for()
    await page.get_by_label("Act as").select_option(value=BEN)
    await page.get_by_role("combobox", name="Message #helpdesk").wait_for()
    await open_app(page)
    assert await page.get_by_role("tab", name="Messages").get_attribute("aria-selected") == "true"
    await page.get_by_role("tab", name="Home").click()
    await home.get_by_role("heading", name="Your sessions").wait_for()
    assert slack.home_of(ANA).blocks[0]["text"]["text"] == "Nothing is open."  # type: ignore[union-attr]


async def test_a_home_tab_nobody_published_says_so(page: Any, slack: SandboxSlack) -> None:
    slack.inject_fault("views.publish", "500")
    await open_app(page)
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_text("The app has not published a Home tab for this person yet.").wait_for()


# shortcuts


async def test_global_shortcut_is_in_the_menu_by_the_keyboard(page: Any, bot: ToyBot) -> None:
    button = page.get_by_role("button", name="Shortcuts")
    await button.focus()
    await page.keyboard.press("ArrowDown")
    item = page.get_by_role("menuitem", name="New session")
    assert await has_focus(item)
    assert await button.get_attribute("aria-expanded") == "true"
    await page.keyboard.press("Escape")
    assert await has_focus(button)
    assert not await item.is_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New session")
    await dialog.wait_for()
    assert bot.heard == [("shortcut", None)]
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    assert await has_focus(button)


async def test_message_shortcut_is_in_menus_but_not_of_ephemerals(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    assert await shown.get_by_role("button", name="More actions").count() == 0
    await say(page, "My basket is empty")
    message = page.get_by_role("article").filter(has_text="My basket is empty")
    await message.get_by_role("button", name="More actions for Ana Agent").click()
    await message.get_by_role("menuitem", name="Help this customer").click()
    await page.get_by_role("dialog", name="New session").wait_for()
    assert bot.heard == [("message_action", "My basket is empty")]


async def test_a_shortcut_nobody_answers_says_so(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    slack.ack_seconds = 0.1
    slack.inject_fault("socket", "unresponsive")
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="New session").click()
    await page.get_by_role("alert").get_by_text("The app did not answer. Try again.").wait_for()


# messages for everybody


async def test_shared_message_can_be_pressed_by_all_and_changes(page: Any, bot: ToyBot) -> None:
    await say(page, "/cobrowse share")
    shown = page.get_by_role("article").filter(has_text="Your session is ready")
    await shown.wait_for()
    await page.get_by_label("Act as").select_option(value=BEN)
    await shown.wait_for()
    assert await shown.get_by_text("Only visible to you").count() == 0
    await shown.get_by_role("button", name="End session").click()
    await page.get_by_role("dialog", name="End it?").get_by_role("button", name="End", exact=True).click()
    await until(lambda: bot.presses == ["end"])
    await say(page, "/cobrowse ended")
    await page.get_by_role("article").filter(has_text="This session has ended.").wait_for()
    assert await shown.count() == 0


# workflows


async def test_workflow_step_runs_with_inputs_and_shows_its_result(page: Any, bot: ToyBot) -> None:
    await page.get_by_text("Workflow", exact=True).click()
    panel = page.get_by_role("complementary")
    await panel.locator("[name=agent]").select_option(label="Ana Agent")
    await panel.get_by_label("Name (optional)").fill("Checkout")
    await panel.get_by_role("button", name="Run").click()
    await panel.get_by_text("The step succeeded.").wait_for()
    assert await panel.get_by_text(JOIN).count() == 1
    assert bot.heard == [("function_executed", {"agent": ANA, "name": "Checkout"})]
    await panel.locator("[name=agent]").select_option(label="Ben Boss")
    await panel.get_by_label("Name (optional)").fill("")
    await panel.get_by_role("button", name="Run").click()
    await panel.get_by_text("Ben is linked to nobody.").wait_for()
    assert bot.heard[1] == ("function_executed", {"agent": BEN})


# small things


async def test_the_focus_stays_where_a_pressed_button_was(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    again = shown.get_by_role("button", name="Try again")
    await again.focus()
    await page.keyboard.press("Enter")
    message = page.get_by_role("article").filter(has_text="Done.")
    await message.wait_for()
    assert await has_focus(message)
    await page.keyboard.press("Tab")
    assert await has_focus(message.get_by_role("button", name="End session"))


async def test_buttons_of_several_cards_are_told_apart_by_name(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    for name in ("Copy", "Try again"):
        button = shown.get_by_role("button", name=name)
        assert await button.get_attribute("aria-label") == f"{name}, Your session is ready"


async def test_arrow_up_brings_back_what_was_typed(page: Any, bot: ToyBot) -> None:
    box = page.get_by_role("combobox", name="Message")
    for line in ("/cobrowse one", "/cobrowse two", "/cobrowse two"):
        await say(page, line)
    await until(lambda: len(bot.texts) == 3)
    seen = []
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"):
        await box.press(key)
        seen.append(await box.input_value())
    assert seen == ["/cobrowse two", "/cobrowse one", "/cobrowse one", "/cobrowse two", ""]
    await box.fill("draft")
    await box.press("ArrowUp")
    assert await box.input_value() == "draft"
    await page.get_by_label("Act as").select_option(value=BEN)
    await page.get_by_text("Nothing here yet").wait_for()
    await box.fill("")
    await box.press("ArrowUp")
    assert await box.input_value() == ""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
async def test_the_new_parts_have_contrast_and_fit(page: Any, bot: ToyBot, scheme: str, width: int) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": width, "height": 700})
    await say(page, "hello")
    await page.get_by_role("button", name="Shortcuts").click()
    assert await sandbox_page.too_faint(page.locator("body")) == []
    if width < 720:
        await page.get_by_role("button", name="Conversations").click()
    await open_app(page)
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_role("heading", name="Your sessions").wait_for()
    assert await sandbox_page.too_faint(page.locator("body")) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == width
