"""The whole sandbox in a real browser: the page, the small Slack, the small Genesys and the real bot."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.run import ROLES, open_page
from tests.support import sandbox_page
from tests.support.sandbox_page import say, window

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
browser, port = sandbox_page.browser, sandbox_page.port


@pytest_asyncio.fixture(loop_scope="module", params=["socket", "http"])
async def page(browser: Any, port: int, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with open_page(port, http=request.param == "http") as served, window(browser, served.url) as page:
        yield page


async def act_as(page: Any, role: str) -> None:
    await page.get_by_label("Act as").select_option(value=ROLES[role])


def message(page: Any, text: str) -> Any:
    return page.get_by_role("article").filter(has_text=text)


async def test_agent_gets_the_link_and_can_copy_and_open_it(page: Any) -> None:
    await say(page, "/cobrowse Checkout help")
    card = message(page, "Checkout help")
    await card.wait_for()
    text = await card.inner_text()
    assert "Only visible to you" in text
    assert "Checkout help" in text
    assert re.search(r"Checkout help · ends \d", text)
    link = await card.locator("pre").inner_text()
    await card.get_by_role("button", name="Copy").click()
    await card.get_by_role("button", name="Copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == link
    async with page.context.expect_page() as opened:
        await card.get_by_role("button", name="More actions").click()
        await page.get_by_role("menuitem", name="Preview customer page").click()
    customer = await opened.value
    assert customer.url == link
    assert "Ana Agent" in await customer.inner_text("body")


async def test_no_emoji_is_shown_or_read_out_by_its_name(page: Any) -> None:
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").wait_for()
    await say(page, "/cobrowse send +14155550123")
    await message(page, "Text the link of").wait_for()
    said = await page.get_by_role("log").inner_text()
    heard = await page.evaluate("[...document.querySelectorAll('[aria-label]')].map((node) => node.ariaLabel).join()")
    assert not re.search(r":[a-z_]{3,}:", said + heard)


async def test_message_to_a_customer_can_be_viewed(page: Any) -> None:
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").wait_for()
    link = await page.locator("pre").inner_text()
    await say(page, "/cobrowse send +14155550123")
    await message(page, "Text the link of").locator("[data-action=send_link]").click()
    await message(page, "Texted the link of").wait_for()
    await page.get_by_text("The customer's phone").click()
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="What Genesys has sent to customers").click()
    assert link in await (await opened.value).inner_text("body")


async def test_a_supervisor_starts_one_and_the_agent_reads_who_did(page: Any) -> None:
    await act_as(page, "supervisor")
    await say(page, "/cobrowse @ana Card payment")
    await message(page, "For @Ana Agent · Card payment").wait_for()
    link = await page.locator("pre").inner_text()
    await act_as(page, "agent")
    await message(page, "Card payment").wait_for(state="detached")  # ephemeral: the supervisor's alone
    await page.get_by_role("navigation").get_by_role("button", name=re.compile("^cobrowse")).click()
    told = message(page, "Card payment · from @Sam Supervisor")
    await told.wait_for()
    assert await told.locator("pre").inner_text() == link


async def test_person_chooses_the_language_in_which_they_read_slack(page: Any) -> None:
    choice = page.get_by_label("Language")
    assert await choice.input_value() == "en-US"
    async with page.expect_response("**/api/locale") as chosen:
        await choice.select_option(label="Deutsch (Deutschland)")
    assert (await chosen.value).ok
    await act_as(page, "supervisor")
    await page.wait_for_function("() => document.getElementById('locale').value === 'en-US'")
    await act_as(page, "agent")
    await page.wait_for_function("() => document.getElementById('locale').value === 'de-DE'")


async def test_failure_can_be_tried_again_and_the_link_replaces_it(page: Any) -> None:
    await page.get_by_label("The session service").select_option(value="dropped")
    await say(page, "/cobrowse Try me")
    failed = message(page, "Genesys didn’t answer")
    await failed.wait_for()
    await page.get_by_label("The session service").select_option(value="")
    await failed.get_by_role("button", name="Try again").click()
    await message(page, "Try me · ends").wait_for()
    assert await failed.count() == 0
    traffic = await page.get_by_role("table", name="Traffic").inner_text()
    assert traffic.count("/api/v2/conversations/cobrowse") == 2  # one a person asked for, each
    assert "example.com" not in traffic
    assert "/join/" not in traffic


async def test_those_who_may_not_are_told_why_and_whom_to_ask(page: Any) -> None:
    for role, sentence, ask in (
        ("guest", "Guests can’t use co-browse here.", "Ask a colleague who is a member"),
        ("unmapped", "Your Slack account isn’t connected to Genesys yet", "Ask @Ada Admin"),
    ):
        await act_as(page, role)
        await say(page, "/cobrowse")
        refusal = message(page, sentence)
        await refusal.wait_for()
        assert ask in await refusal.inner_text()
