"""The sandbox's page in a real browser, with the sandbox's Slack and a toy bot: what people do, and what they see."""

import asyncio
from typing import Any

import pytest

from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.web.server import SandboxPage
from tests.support import sandbox_page
from tests.support.sandbox_page import card, say, until
from tests.support.toy_bot import EVIL, JOIN, ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


async def test_the_link_is_copied_whole(page: Any) -> None:
    shown = await card(page)
    await shown.get_by_role("button", name="Copy").click()
    await shown.get_by_role("button", name="Copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == JOIN


async def test_a_link_button_opens_a_new_tab_and_tells_the_bot(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    await page.context.route("https://join.example/**", lambda route: route.fulfill(body="joined"))
    async with page.context.expect_page() as opened:
        await shown.get_by_role("link", name="Open").click()
    tab = await opened.value
    assert tab.url == "https://join.example/s/abc"
    assert await tab.evaluate("window.opener") is None
    await until(lambda: bot.presses == ["open"])


async def test_a_pressed_button_may_change_its_message(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    await shown.get_by_role("button", name="Try again").click()
    await page.get_by_text("Done.").wait_for()
    assert await shown.count() == 0
    assert await page.get_by_role("article").count() == 1


async def test_outcome_of_typing_is_in_sight_wherever_one_scrolled(page: Any) -> None:
    for _ in range(4):
        await say(page, "/cobrowse Checkout")
    await page.get_by_role("article").nth(3).wait_for()
    await page.get_by_role("log").evaluate("log => { log.scrollTop = 0; }")
    await say(page, "/browse")
    answer = page.get_by_text("/browse is not a valid command.")
    await answer.wait_for()
    assert await answer.evaluate(
        "node => node.getBoundingClientRect().bottom <= node.closest('.log').getBoundingClientRect().bottom"
    )


async def test_a_press_nobody_answers_gets_a_sign(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    shown = await card(page)
    slack.ack_seconds = 0.1
    slack.inject_fault("socket", "unresponsive")
    await shown.get_by_role("button", name="Try again").click()
    await shown.get_by_role("img", name="The app did not answer.").wait_for()


async def test_nothing_is_shown_until_slack_fails_the_command(page: Any, slack: SandboxSlack) -> None:
    slack.ack_seconds = 2.0
    await say(page, "/cobrowse sleep")
    await asyncio.sleep(0.2)
    assert await page.get_by_role("article").count() == 0
    await page.get_by_text('/cobrowse failed with the error "operation_timeout"').wait_for()
    await say(page, "/browse")
    await page.get_by_text("/browse is not a valid command.").wait_for()


async def test_direct_message_to_another_counts_as_new_until_read(page: Any) -> None:
    await say(page, "/cobrowse tell")
    act_as = page.get_by_label("Act as")
    await act_as.locator("option", has_text="Ben Boss: a supervisor (1 new)").wait_for(state="attached")
    await act_as.select_option(index=1)
    conversation = page.get_by_role("navigation").get_by_role("button", name="cobrowse 1 unread")
    await conversation.click()
    message = page.get_by_role("article").filter(has_text="Ana started a session for you.")
    await message.wait_for()
    assert "Only visible to you" not in await message.inner_text()
    assert await page.get_by_role("navigation").get_by_text("unread").count() == 0
    assert await act_as.locator("option", has_text="new").count() == 0


async def test_plain_text_is_an_ordinary_message_for_everybody(page: Any, bot: ToyBot) -> None:
    await say(page, f"*hello* {EVIL}")
    await page.get_by_label("Act as").select_option(index=1)
    message = page.get_by_role("article")
    await message.wait_for()
    assert f"hello {EVIL}" in await message.inner_text()
    assert bot.texts == []


async def test_panel_sets_a_fault_and_shows_traffic_without_secrets(page: Any, served: SandboxPage) -> None:
    await page.get_by_label("The session service").select_option(value="429")
    await page.get_by_text("Active fault: too many requests, then works.").wait_for()
    served.traffic(
        {"from": "bot", "to": "genesys", "method": "POST", "path": "/one", "status": 429, "ms": 4, "note": ""}
    )
    served.traffic(
        {"from": "bot", "to": "Slack", "operation": "two", "status": 200, "ms": 4, "note": f"sent {JOIN}", "x": 1}
    )
    rows = page.get_by_role("table", name="Traffic").locator("tbody tr")
    await rows.nth(1).wait_for()
    newest, oldest = await rows.all_inner_texts()
    assert "two" in newest
    assert "sent •••" in newest
    assert "bot → Genesys" in oldest
    assert "POST /one" in oldest
    await page.reload()
    await page.get_by_text("Active fault: too many requests, then works.").wait_for()
    await page.get_by_label("The session service").select_option(value="")
    await until(lambda: served.chosen == ["429", None])  # type: ignore[attr-defined]
