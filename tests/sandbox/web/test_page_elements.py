"""The sandbox's page in a real browser and Block Kit elements in messages and modals: what each element sends."""

from typing import Any

import pytest

from bot.sandbox.slack.server import Message, SandboxSlack
from tests.support import sandbox_page
from tests.support.sandbox_page import has_focus, say, too_faint, until
from tests.support.toy_bot import ANA, BEN, LENGTHS, SURE, ToyBot, actions, button, field_of, modal, plain, section

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port
MENU = {
    "type": "overflow",
    "action_id": "menu",
    "options": [
        {"text": plain("Send me a copy"), "value": "copy"},
        {"text": plain("Preview customer page"), "value": "open", "url": "https://join.example/s/abc"},
    ],
}
KINDS = [{"text": plain("Web"), "value": "web"}, {"text": plain("App"), "value": "app"}]


def post(slack: SandboxSlack, *blocks: dict[str, Any]) -> Message:
    return slack.workspace.add("C0HELP", "x", list(blocks), via="chat.postMessage", visible_to=ANA)


def actions_of(slack: SandboxSlack) -> list[dict[str, Any]]:
    return [each.payload["actions"][0] for each in slack.deliveries if each.payload.get("type") == "block_actions"]


async def test_an_overflow_menu_opens_by_keyboard_and_sends_its_option(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    post(slack, section("*Checkout*", block_id="one", accessory=MENU), section("*Refund*", accessory=MENU))
    opener = page.get_by_role("button", name="More actions, Checkout")
    await opener.focus()
    await page.keyboard.press("ArrowDown")
    item = page.get_by_role("menuitem", name="Send me a copy")
    assert await has_focus(item)
    await page.keyboard.press("Enter")
    await until(lambda: actions_of(slack))
    (action,) = actions_of(slack)
    assert (action["block_id"], action["selected_option"]["value"]) == ("one", "copy")
    assert await has_focus(opener)
    assert not await item.is_visible()


async def test_an_option_with_a_url_opens_it_and_tells_the_bot(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    post(slack, actions(MENU))
    await page.context.route("https://join.example/**", lambda route: route.fulfill(body="joined"))
    await page.get_by_role("article").get_by_role("button", name="More actions").click()
    async with page.context.expect_page() as opened:
        await page.get_by_role("menuitem", name="Preview customer page").click()
    assert (await opened.value).url == "https://join.example/s/abc"
    await until(lambda: bot.presses == ["menu"])


async def test_an_option_that_opens_a_direct_message_stays_in_the_sandbox(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    url = f"https://slack.com/app_redirect?team=T0TEAM&channel={BEN}"
    options = [{"text": plain("Message agent"), "value": "message", "url": url}, MENU["options"][0]]
    post(slack, section("*Checkout*", accessory={**MENU, "options": options}))
    await page.get_by_role("button", name="More actions, Checkout").click()
    await page.get_by_role("menuitem", name="Message agent").click()
    await page.get_by_role("article").get_by_text("Slack opens your direct message with Ben").wait_for()
    await until(lambda: bot.presses == ["menu"])
    assert len(page.context.pages) == 1
    assert await too_faint(page.locator("body")) == []


async def test_an_overflow_menu_asks_before_it_sends(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    post(slack, actions({**MENU, "confirm": SURE}))
    opener = page.get_by_role("article").get_by_role("button", name="More actions")
    for answer in ("Keep", "End"):
        await opener.click()
        await page.get_by_role("menuitem", name="Send me a copy").click()
        assert bot.presses == []
        await page.get_by_role("dialog").get_by_role("button", name=answer, exact=True).click()
    await until(lambda: bot.presses == ["menu"])


async def test_choices_in_a_message_are_sent_and_kept_for_its_buttons(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    radio = {"type": "radio_buttons", "action_id": "kind", "options": KINDS}
    people = {"type": "users_select", "action_id": "person", "placeholder": plain("Filter by agent")}
    boxes = {"type": "checkboxes", "action_id": "more", "options": KINDS}
    post(
        slack,
        section("Whose?", block_id="whose", accessory=people),
        section("Which?", block_id="which", accessory=radio),
        section("More?", block_id="more", accessory=boxes),
        actions(button("go", "Go")),
    )
    shown = page.get_by_role("article")
    await shown.get_by_label("Filter by agent, Whose?").select_option(label="Ben Boss")
    await shown.get_by_role("radio", name="App").check()
    await shown.get_by_role("checkbox", name="Web").check()
    await shown.get_by_role("button", name="Go").click()
    await until(lambda: bot.presses == ["person", "kind", "more", "go"])
    sent = [action.get("selected_user") or action.get("selected_option") for action in actions_of(slack)[:2]]
    assert sent == [BEN, KINDS[1]]
    values = slack.deliveries[-1].payload["state"]["values"]
    assert values["whose"]["person"]["selected_user"] == BEN
    assert values["which"]["kind"]["selected_option"] == KINDS[1]
    assert values["more"]["more"]["selected_options"] == KINDS[:1]


async def test_a_choice_that_is_not_confirmed_goes_back(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    radio = {"type": "radio_buttons", "action_id": "kind", "options": KINDS, "initial_option": KINDS[0]}
    post(slack, section("Which?", accessory={**radio, "confirm": SURE}))
    await page.get_by_role("radio", name="App").check()
    await page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    await page.locator("input[type=radio]:checked").and_(page.get_by_role("radio", name="Web")).wait_for()
    assert bot.presses == []


async def opened(page: Any, slack: SandboxSlack, *blocks: dict[str, Any], **more: Any) -> Any:
    await say(page, "/cobrowse new")
    (view,) = await slack.until(lambda: slack.views_of(ANA))
    slack.views.update(view, modal(*blocks, **more))
    return page.get_by_role("dialog", name="New session")


async def test_enter_in_an_input_that_dispatches_sends_it_and_not_the_form(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    find = field_of("find", "Name or email", {"type": "plain_text_input"}, dispatch_action=True)
    dialog = await opened(page, slack, find, submit=plain("Connect"))
    await dialog.get_by_label("Name or email").fill("una")
    await page.keyboard.press("Enter")
    await until(lambda: bot.presses == ["find"])
    assert actions_of(slack)[0]["value"] == "una"
    assert bot.heard == []
    assert await dialog.is_visible()


async def test_a_pause_in_typing_dispatches_where_the_app_asks(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    config = {"trigger_actions_on": ["on_character_entered"]}
    text = {"type": "plain_text_input", "dispatch_action_config": config}
    dialog = await opened(page, slack, field_of("find", "Name", text, dispatch_action=True), submit=plain("Connect"))
    await dialog.get_by_label("Name").press_sequentially("una", delay=10)
    await until(lambda: actions_of(slack))
    assert [action["value"] for action in actions_of(slack)] == ["una"]


async def test_an_email_input_is_checked_by_slack(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    dialog = await opened(page, slack, field_of("name", "Email", {"type": "email_text_input"}), submit=plain("Send"))
    await dialog.get_by_label("Email").fill("joe")
    await dialog.get_by_role("button", name="Send").click()
    await dialog.get_by_text("Please enter a valid email address.").wait_for()
    await dialog.get_by_label("Email").fill("joe@example.com")
    await page.keyboard.press("Enter")
    await dialog.wait_for(state="hidden")


async def test_a_modal_that_replaced_a_form_closes_without_a_question(
    page: Any, slack: SandboxSlack, bot: ToyBot
) -> None:
    dialog = await opened(page, slack, field_of("name", "Name", {"type": "plain_text_input"}), submit=plain("Start"))
    await dialog.get_by_label("Name").fill("Checkout")
    slack.views.update(slack.views_of(ANA)[0], modal(section("Starting…")))
    await dialog.get_by_text("Starting…").wait_for()
    closing = dialog.get_by_role("button", name="Close")
    assert await closing.all_inner_texts() == ["", "Close"]
    await closing.last.click()
    await dialog.wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_menu_has_contrast(page: Any, slack: SandboxSlack, scheme: str) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    options = [{**LENGTHS[0], "description": plain("The default")}, LENGTHS[1]]
    post(slack, section("*Checkout*", accessory={**MENU, "options": options}))
    await page.get_by_role("button", name="More actions, Checkout").click()
    assert await too_faint(page.locator("body")) == []
