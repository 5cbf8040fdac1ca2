"""The card and the customer side by side: what the customer does in the panel's frame shows in the conversation."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.run import open_page
from tests.support import sandbox_page
from tests.support.sandbox_page import window

pytestmark = pytest.mark.asyncio(loop_scope="module")
browser, port = sandbox_page.browser, sandbox_page.port
SECONDS = 15_000


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any, port: int) -> AsyncIterator[Any]:
    async with open_page(port, conversations="one") as sandbox, window(browser, sandbox.url) as page:
        page.set_default_timeout(SECONDS)
        await page.set_viewport_size({"width": 1400, "height": 900})
        yield page


async def starts(page: Any) -> Any:
    """Starts a session, opens the customer's phone, and follows the link there; returns the frame."""
    await page.get_by_text("The customer's phone").click()
    box = page.get_by_role("combobox", name="Message")
    await box.fill("/cobrowse Checkout")
    await box.press("Enter")
    await page.get_by_role("article").filter(has_text="Checkout").first.wait_for()
    phone = page.frame_locator('iframe[title="The customer\'s phone"]')
    await phone.get_by_role("link", name="Join as").first.click()
    return phone


async def reads(page: Any, text: str) -> None:
    """Waits until the agent reads this in the conversation."""
    await page.get_by_role("article").filter(has_text=text).first.wait_for()


async def test_customer_who_joins_and_leaves_shows_beside_the_card(page: Any) -> None:
    phone = await starts(page)
    await phone.get_by_role("button", name="Start sharing").click()
    await phone.get_by_role("status").filter(has_text="You are sharing this page").wait_for()
    await reads(page, "Your customer joined Checkout.")
    await phone.get_by_role("button", name="Stop sharing").click()
    await reads(page, "The customer left.")


async def test_session_that_times_out_shows_beside_the_card(page: Any) -> None:
    phone = await starts(page)
    await phone.get_by_role("button", name="Start sharing").click()
    await reads(page, "Your customer joined Checkout.")
    await phone.get_by_role("button", name="Let it time out").click()
    await phone.get_by_role("status").filter(has_text="Sharing has ended").wait_for()
    await reads(page, "It timed out.")
