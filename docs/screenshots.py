"""Make the pictures of README and site, for `make screenshots`: the real bot in the sandbox, in Chromium.

A picture is a function below: it does on the page what a person would, and returns what is to be seen of it.
"""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, async_playwright

from bot.observability import logging as logs
from bot.sandbox.run import ROLES, open_page

IMAGES = Path(__file__).with_name("images")
MOST_BYTES = 150_000
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

Picture = Callable[[Page], Awaitable[Locator | Page]]


@dataclass(frozen=True)
class Shot:
    """A picture, and how many dots a point of the page has in it: 2 looks sharp on every screen, 1 takes less room."""

    make: Picture
    dots: int


SHOTS: dict[str, Shot] = {}


def picture(*, dots: int = 2) -> Callable[[Picture], Picture]:
    """Register a picture. Its file has the function's name."""

    def add(make: Picture) -> Picture:
        SHOTS[make.__name__] = Shot(make, dots)
        return make

    return add


@picture()
async def card(page: Page) -> Locator:
    """Show what an agent reads after `/cobrowse Checkout help`."""
    await say(page, "/cobrowse Checkout help")
    return message(page, "Checkout help · ends")


@picture()
async def failure(page: Page) -> Locator:
    """Show a failure that can be tried again."""
    await page.get_by_label("The session service").select_option(value="dropped")
    await say(page, "/cobrowse Checkout help")
    return message(page, "Genesys didn’t answer")


@picture()
async def shared(page: Page) -> Locator:
    """Show a session that an agent has shared with the channel."""
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Post in this channel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Post link").click()
    return message(page, "posted “Checkout help” in this channel")


@picture()
async def form(page: Page) -> Locator:
    """Show the form of `/cobrowse new`, as a supervisor sees it."""
    await page.get_by_label("Act as").select_option(value=ROLES["supervisor"])
    await say(page, "/cobrowse new")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="More options").wait_for()
    return dialog


@picture(dots=1)
async def home(page: Page) -> Page:
    """Show the Home tab of an agent with an open session."""
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").wait_for()
    await page.get_by_role("button", name="cobrowse", exact=True).click()
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_text("Checkout help").last.wait_for()
    return page


@picture(dots=1)
async def sandbox(page: Page) -> Page:
    """Show the whole page after a supervisor has started a session for an agent."""
    await say(page, "My basket is empty, and I cannot pay.")
    await page.get_by_label("Act as").select_option(value=ROLES["supervisor"])
    await message(page, "My basket is empty").wait_for()
    await say(page, "/cobrowse @ana Card payment")
    await message(page, "Card payment · ends").wait_for()
    return page


# what people do


async def say(page: Page, text: str) -> None:
    """Types a line and sends it."""
    await page.get_by_role("combobox", name="Message").fill(text)
    await page.keyboard.press("Enter")


def message(page: Page, text: str) -> Locator:
    """Return the newest message that contains this text."""
    return page.get_by_role("article").filter(has_text=text).last


# the camera


async def take(names: list[str]) -> None:
    """Take these pictures, each in a new sandbox."""
    chromium = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    IMAGES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in names:
            async with open_page(0) as served:
                size = {"width": 1280, "height": 760}
                page = await browser.new_page(viewport=size, device_scale_factor=SHOTS[name].dots, locale="en-GB")
                await page.goto(served.url)
                await page.get_by_role("combobox", name="Message #customer-care").wait_for()
                await shoot(name, await SHOTS[name].make(page))
                await page.close()
        await browser.close()


async def shoot(name: str, seen: Locator | Page) -> None:
    """Write one file. Raises SystemExit when it is too large for a repository."""
    path = IMAGES / f"{name}.png"
    if isinstance(seen, Locator):
        await seen.wait_for()
    written = await seen.screenshot(path=path, animations="disabled", caret="hide")
    sys.stdout.write(f"{path.relative_to(IMAGES.parent)}: {len(written) // 1000} kB\n")
    if len(written) > MOST_BYTES:
        raise SystemExit(f"{path} has more than {MOST_BYTES} bytes. Show less of the page.")


def main() -> None:
    """Take the pictures that the command line names, or all."""
    names = sys.argv[1:] or list(SHOTS)
    if unknown := [name for name in names if name not in SHOTS]:
        raise SystemExit(f"There is no picture {', '.join(unknown)}. There are: {', '.join(SHOTS)}.")
    logs.set_up("ERROR", as_json=False)
    asyncio.run(take(names))


if __name__ == "__main__":
    main()
