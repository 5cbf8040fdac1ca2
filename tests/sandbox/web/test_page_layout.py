"""The layout of the sandbox's page in a real browser: a card as Slack draws it, a narrow window, contrast."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.web.server import SandboxPage
from tests.support import sandbox_page
from tests.support.sandbox_page import card, too_faint
from tests.support.toy_bot import ANA, EVIL, JOIN

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


async def test_card_is_drawn_as_slack_draws_it_without_html(page: Any) -> None:
    shown = await card(page)
    assert await shown.get_by_role("heading", name="Your session is ready").count() == 1
    text = await shown.inner_text()
    assert "Checkout & help for @Ana Agent, until 09:00." in text
    assert EVIL in text
    assert await page.locator("img").count() == 0
    assert await shown.locator("strong", has_text="customer").count() == 1
    assert await shown.locator("pre").inner_text() == JOIN
    assert await shown.locator("pre a").count() == 0
    assert await shown.locator("code").inner_text() == "4711"
    assert await shown.get_by_role("link", name="the help desk").get_attribute("href") == "https://help.example"


async def test_names_of_object_properties_are_no_emoji_date_or_user(page: Any, slack: SandboxSlack) -> None:
    """JavaScript objects inherit `constructor` and the like; the page looks up its own entries only."""
    text = ":constructor: :toString: <@constructor> <!date^1767225600^{constructor} {time}|noon>"
    slack.workspace.add("C0HELP", text, [], via="chat.postMessage")
    shown = page.get_by_role("article").filter(has_text=":constructor:")
    await shown.wait_for()
    assert ":constructor: :toString: @constructor {constructor} 09:00" in await shown.inner_text()


async def test_narrow_window_shows_everything_without_side_scroll(page: Any) -> None:
    await page.set_viewport_size({"width": 400, "height": 800})
    await card(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 400
    table, side = page.get_by_label("The session service"), page.get_by_role("navigation")
    for name, part in (("Panel", table), ("Conversations", side)):
        opener = page.get_by_role("button", name=name)
        assert not await part.is_visible()
        await opener.click()
        assert await part.is_visible()
        assert await opener.get_attribute("aria-expanded") == "true"
        await page.keyboard.press("Escape")
        assert not await part.is_visible()
        assert await opener.evaluate("node => node === document.activeElement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_enough_contrast(page: Any, slack: SandboxSlack, served: SandboxPage, scheme: str) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    served.traffic({"from": "bot", "to": "Slack", "operation": "x", "status": 500, "ms": 4, "note": "bad"})
    await page.get_by_label("The session service").select_option(value="429")
    await card(page)
    await bot_says(slack, ANA)
    await page.get_by_role("combobox", name="Message").fill("@")
    assert await too_faint(page.locator("body")) == []


async def bot_says(slack: SandboxSlack, user_id: str) -> None:
    await AsyncWebClient("xoxb-1", base_url=slack.api_url).chat_postMessage(channel=user_id, text="hello")
