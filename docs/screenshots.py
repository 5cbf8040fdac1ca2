"""Make the pictures of README and site, for `make screenshots`: the real bot in the sandbox, in Chromium.

A picture is a function below: it does on the page what a person would, and returns what is to be seen of it.
"""

import asyncio
import re
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
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--renderer-process-limit=1"]

CHANGING = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:https?://|127\.0\.0\.1:)\S+",
        r"\d{1,2}:\d{2}(?::\d{2})?",
        r"\d+(?:\.\d+)? m?s\b",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"(?<=Reference )\w+",
        r"\d{3} \d{3} \d{3}",
    )
)
"""What a picture shows that differs each time it is taken."""

Picture = Callable[[Page], Awaitable[Locator | Page]]


@dataclass(frozen=True)
class Shot:
    """A picture.

    - `dots`: how many dots a point of the page has in it. 2 looks sharp on every screen, 1 takes less room.
    - `height`: the height of the window, in points.
    - `conversations`: the live conversations of each agent on public Genesys Cloud, None for the session service.
    """

    make: Picture
    dots: int
    height: int
    conversations: str | None


SHOTS: dict[str, Shot] = {}


def picture(*, dots: int = 2, height: int = 760, conversations: str | None = None) -> Callable[[Picture], Picture]:
    """Register a picture. Its file has the function's name."""

    def add(make: Picture) -> Picture:
        SHOTS[make.__name__] = Shot(make, dots, height, conversations)
        return make

    return add


@picture()
async def card(page: Page) -> Locator:
    """Show what an agent reads after `/cobrowse Checkout help`."""
    await say(page, "/cobrowse Checkout help")
    return message(page, "Checkout help · ends")


def card_in(locale: str) -> Picture:
    """Return the picture of the card that an agent reads who uses Slack in this language."""

    async def make(page: Page) -> Locator:
        await page.get_by_label("Language").select_option(value=locale)
        await say(page, "/cobrowse")
        return page.get_by_role("article").filter(has=page.get_by_role("button")).last

    return make


for language, locale in {"es": "es-ES", "pt_BR": "pt-BR", "fr": "fr-FR", "de": "de-DE", "ja": "ja-JP"}.items():
    SHOTS[f"card_{language}"] = Shot(card_in(locale), dots=2, height=760, conversations=None)


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


@picture(conversations="several")
async def call(page: Page) -> Locator:
    """Show the card of a session in a phone call, with the code that the agent reads out."""
    await say(page, "/cobrowse Checkout help")
    await page.get_by_role("button", name="Start with Carl Kunde").click()
    return message(page, "Ask them to open")


@picture()
async def live_list(page: Page) -> Locator:
    """Show the open sessions of all agents, as a supervisor lists them."""
    await say(page, "/cobrowse Refund")
    await message(page, "Refund · ends").wait_for()
    await act_as(page, "supervisor")
    for agent, name in (("@ana", "Card payment"), ("@ben", "Insurance claim")):
        await say(page, f"/cobrowse {agent} {name}")
        await message(page, f"{name} · ends").wait_for()
    await say(page, "/cobrowse list")
    return message(page, "Live now: 3")


@picture()
async def connect(page: Page) -> Locator:
    """Show the dialog in which an administrator chooses the Genesys user of an agent."""
    await say_as(page, "unmapped", "/cobrowse First customer")
    await page.get_by_role("button", name="Ask Ada Admin to connect me").click()
    await message(page, "I’m asking").wait_for()
    await act_as(page, "admin")
    await open_messages(page)
    await message(page, "asks to be connected").get_by_role("button", name="Connect…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name or email").wait_for()
    await dialog.get_by_role("button", name="Find").click()
    await dialog.get_by_label("Una Unmapped").click()
    return dialog


@picture()
async def fault(page: Page) -> Locator:
    """Show the message that administrators get about a fault that only they can fix."""
    await break_for(page, "403", "agent", "supervisor")
    await act_as(page, "admin")
    await open_messages(page)
    return message(page, "Co-browse is failing for 2 people")


@picture(dots=1)
async def home(page: Page) -> Page:
    """Show the Home tab of an agent with an open session."""
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").wait_for()
    await (await open_home(page)).get_by_text("Checkout help").last.wait_for()
    return page


@picture(height=300)
async def home_unmapped(page: Page) -> Locator:
    """Show the Home tab of an agent who is not connected to a Genesys user."""
    await act_as(page, "unmapped")
    home = await open_home(page)
    await home.get_by_text("One step left").wait_for()
    return home


@picture(dots=1, height=920)
async def home_administrator(page: Page) -> Locator:
    """Show the Home tab of an administrator while something is broken."""
    await say(page, "/cobrowse Checkout help")
    await message(page, "Checkout help · ends").wait_for()
    await say_as(page, "unmapped", "/cobrowse First customer")
    await message(page, "isn’t connected to Genesys yet").wait_for()
    await break_for(page, "403", "agent", "supervisor")
    await act_as(page, "admin")
    home = await open_home(page)
    await home.get_by_text("Last 24 hours").wait_for()
    return home


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


async def act_as(page: Page, role: str) -> None:
    """Become the person who has this role."""
    await page.get_by_label("Act as").select_option(value=ROLES[role])
    await page.wait_for_function("id => document.getElementById('account').value === id", arg=ROLES[role])


async def say_as(page: Page, role: str, text: str) -> None:
    """Become somebody, and send a line."""
    await act_as(page, role)
    await say(page, text)


async def break_for(page: Page, fault: str, *roles: str) -> None:
    """Let Genesys fail, and let each of these people read it."""
    await page.get_by_label("The session service").select_option(value=fault)
    for role in roles:
        await say_as(page, role, "/cobrowse Refund")
        await message(page, "Reference").wait_for()


async def open_messages(page: Page) -> None:
    """Open the direct messages with the bot."""
    await page.get_by_role("navigation").get_by_role("button", name="cobrowse").click()


async def open_home(page: Page) -> Locator:
    """Open the bot's Home tab, and return it."""
    await open_messages(page)
    await page.get_by_role("tab", name="Home").click()
    return page.get_by_role("tabpanel", name="Home")


def message(page: Page, text: str) -> Locator:
    """Return the newest message that contains this text."""
    return page.get_by_role("article").filter(has_text=text).last


# the camera


async def take(names: list[str]) -> None:
    """Take these pictures, each in a new sandbox. Pictures with the same `dots` share a window."""
    chromium = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    IMAGES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        dots = {SHOTS[name].dots for name in names}
        windows = {each: await browser.new_page(device_scale_factor=each, locale="en-GB") for each in dots}
        for name in names:
            shot, page = SHOTS[name], windows[SHOTS[name].dots]
            async with open_page(0, conversations=shot.conversations) as served:
                await page.set_viewport_size({"width": 1280, "height": shot.height})
                await page.mouse.move(0, 0)
                await page.goto(served.url)
                await page.get_by_role("combobox", name="Message #customer-care").wait_for()
                await shoot(name, await shot.make(page))
                await page.goto("about:blank")
        await browser.close()


async def shoot(name: str, seen: Locator | Page) -> None:
    """Write a picture, and its text beside it. Raises SystemExit when the picture is too large for a repository."""
    path = IMAGES / f"{name}.png"
    if isinstance(seen, Locator):
        await seen.wait_for()
    path.with_suffix(".txt").write_text(await text_of(seen), encoding="utf-8")
    written = await seen.screenshot(path=path, animations="disabled", caret="hide")
    sys.stdout.write(f"{path.relative_to(IMAGES.parent)}: {len(written) // 1000} kB\n")
    if len(written) > MOST_BYTES:
        raise SystemExit(f"{path} has more than {MOST_BYTES} bytes. Show less of the page.")


async def text_of(seen: Locator | Page) -> str:
    """Return the text that a picture shows, a line each, without what differs each time: times, links, codes, ids.

    A test compares it with what the page shows now, so that no picture is older than the code.
    """
    text = await (seen.locator("body") if isinstance(seen, Page) else seen).inner_text()
    for changing in CHANGING:
        text = changing.sub("…", text)
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())


def main() -> None:
    """Take the pictures that the command line names, or all."""
    names = sys.argv[1:] or list(SHOTS)
    if unknown := [name for name in names if name not in SHOTS]:
        raise SystemExit(f"There is no picture {', '.join(unknown)}. There are: {', '.join(SHOTS)}.")
    logs.set_up("ERROR", as_json=False)
    asyncio.run(take(names))


if __name__ == "__main__":
    main()
