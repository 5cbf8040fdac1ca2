"""Share a sandbox's Slack, a toy bot, and the page in a real browser for the tests of the sandbox's page.

A file that uses these fixtures runs its tests on one event loop (pytestmark below them), and with one browser.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack, SlackChannel, SlackUser
from bot.sandbox.web.server import HOST, SandboxPage, listen
from tests.support.browser import open_browser
from tests.support.toy_bot import ANA, BEN, EVIL, SHORTCUTS, STEP, ToyBot

SIZE = {"width": 1280, "height": 800}
LOCALES = {"en-US": "English (US)", "de-DE": "Deutsch (Deutschland)"}
FAULTS = {"429": "too many requests, then works", "down": "cannot be reached"}
KEPT = ("text/css", "text/javascript")


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[SandboxSlack]:
    users = [
        SlackUser(ANA, "ana", "Ana Agent", "ana@example.com"),
        SlackUser(BEN, "ben", "Ben Boss"),
        SlackUser("U0EVE", "eve", EVIL),
    ]
    channels = [SlackChannel("C0HELP", "helpdesk"), SlackChannel("C0TALK", "talk")]
    server = SandboxSlack(
        bot_token="xoxb-1", app_token="xapp-1", signing_secret="hush", users=users, channels=channels,
        shortcuts=SHORTCUTS, steps=[STEP],
    )  # fmt: skip
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def bot(slack: SandboxSlack) -> AsyncIterator[ToyBot]:
    client = SocketModeClient("xapp-1", web_client=AsyncWebClient(base_url=slack.api_url))
    toy = ToyBot(client, AsyncWebClient("xoxb-1", base_url=slack.api_url))
    client.socket_mode_request_listeners.append(toy.hear)
    await client.connect()
    await slack.connected()
    yield toy
    await toy.stop()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Return the port of the page in all tests of a file. The browser keeps the files that it read from there.

    A socket that does not listen holds the port between the tests.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, 0))
        yield int(held.getsockname()[1])


@pytest_asyncio.fixture(loop_scope="module")
async def served(slack: SandboxSlack, port: int) -> AsyncIterator[SandboxPage]:
    async def set_fault(name: str | None) -> None:
        chosen.append(name)

    chosen: list[str | None] = []
    people = [(ANA, "Ana Agent: an agent"), (BEN, "Ben Boss: a supervisor")]
    page = SandboxPage(slack=slack, people=people, locales=LOCALES, faults=FAULTS, set_fault=set_fault)
    page.chosen = chosen  # type: ignore[attr-defined]
    await page.start(listen(port))
    yield page
    await page.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Any]:
    """Yield a browser that keeps the page's styles and modules. To load all 56 takes half the work of a test."""
    add_headers = SandboxPage._add_headers

    async def add_lifetime(served: SandboxPage, request: web.Request, response: web.StreamResponse) -> None:
        await add_headers(served, request, response)
        if response.content_type in KEPT:
            response.headers["Cache-Control"] = "max-age=3600"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxPage, "_add_headers", add_lifetime)
        async with open_browser() as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any, served: SandboxPage, bot: ToyBot) -> AsyncIterator[Any]:
    faults: list[str] = []
    hosts: set[str] = set()
    listeners = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda line: faults.append(line.text) if line.type in ("error", "warning") else None,
        "request": lambda request: hosts.add(request.url.split("/")[2]),
    }
    async with window(browser, served.url, listeners) as page:
        await page.get_by_role("heading", name="# helpdesk").wait_for()
        yield page
    assert faults == []
    assert hosts == {served.url.split("/")[2]}


@asynccontextmanager
async def window(
    browser: Any, url: str, listeners: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}), **media: str
) -> AsyncIterator[Any]:
    """Open a URL in the one browser page that all tests of a file share, because a new one takes as long as a test.

    - `listeners`: what hears the browser page's events, by event.
    - `media`: the keyword arguments for Playwright's `emulate_media`.
    """
    page = await _page(browser)
    for event, listener in listeners.items():
        page.on(event, listener)
    await page.emulate_media(**media)
    await page.goto(url)
    yield page
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    await _clear(page, url)


async def _page(browser: Any) -> Any:
    if browser.contexts:
        return browser.contexts[0].pages[0]
    context = await browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo", viewport=SIZE)
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    page.set_default_timeout(10_000)
    return page


async def _clear(page: Any, url: str) -> None:
    """Undo what a test can change: other tabs, routes, cookies, storage, size, media and the position of the mouse.

    The icon is no page: it runs nothing, and asks the server for nothing more.
    """
    for tab in page.context.pages[1:]:
        await tab.close()
    await page.context.unroute_all()
    await page.goto(f"{url}/icon.svg")
    await page.evaluate("localStorage.clear()")
    await page.context.clear_cookies()
    await page.set_viewport_size(SIZE)
    await page.emulate_media(color_scheme="null", reduced_motion="null")
    await page.mouse.move(0, 0)


async def say(page: Any, text: str) -> None:
    await page.get_by_role("combobox", name="Message").fill(text)
    await page.keyboard.press("Enter")


def offers(page: Any) -> Any:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - waits for what a browser does
            await asyncio.sleep(0.02)


async def card(page: Any) -> Any:
    await say(page, "/cobrowse Checkout")
    shown = page.get_by_role("article").filter(has_text="Your session is ready")
    await shown.wait_for()
    return shown


async def has_focus(node: Any) -> bool:
    """Return whether this node has the focus, or gets it within 50 frames."""
    shown = "async node => { for (let n = 0; n < 50 && node !== document.activeElement; n++) "
    return bool(
        await node.evaluate(
            shown + "await new Promise(requestAnimationFrame); return node === document.activeElement; }"
        )
    )


CONTRASTS = """(root) => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of root.querySelectorAll("*")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".visually-hidden, .skip, noscript")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    found.push([node.textContent.slice(0, 30), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


async def too_faint(root: Any) -> list[Any]:
    """Return every text below this node whose contrast to its background is less than 4.5."""
    found = await root.evaluate(CONTRASTS)
    assert len(found) > 5
    return [entry for entry in found if entry[1] < 4.5]
