"""The customer's page of examples/ in a real browser, with the sandbox's Messenger in place of Genesys's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID, Offer
from bot.sandbox.genesys.server import SandboxGenesys
from bot.sandbox.run import open_page
from tests.support import sandbox_page
from tests.support.sandbox_genesys import ANNA, RSA_KEY, public_pem

pytestmark = pytest.mark.asyncio(loop_scope="module")
browser = sandbox_page.browser
FILES = Path(__file__).parents[2] / "examples" / "customer-page"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
NOBODY = "http://127.0.0.1:9"


@dataclass
class Site:
    """The company's website with the page, and the errors that the browser reported."""

    genesys: SandboxGenesys
    url: str
    complaints: list[str] = field(default_factory=list)

    def offers(self, medium: str = "message") -> Offer:
        live = self.genesys.conversations.begin(ANNA.id, "Carla", medium=medium)
        offer = Offer(live, "a+b/1 2", live.since + 3600)
        self.genesys.conversations.offers[offer.id] = offer
        return offer

    @asynccontextmanager
    async def customer(self, browser: Any, fragment: str = "", **more: Any) -> AsyncIterator[Any]:
        context = await browser.new_context(viewport={"width": 360, "height": 700}, **more)
        page = await context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type in ("error", "warning") else None
        )
        await page.goto(f"{self.url}/cobrowse/{fragment}")
        yield page
        await context.close()


@asynccontextmanager
async def open_site(bootstrap: str | None = None) -> AsyncIterator[Site]:
    """Serve the page as its README tells operators to: without inline code, and with only Genesys's host allowed."""
    genesys = SandboxGenesys(public_key_pem=public_pem(RSA_KEY), client_id="c", org_id="o", users=[ANNA])
    await genesys.start()
    script = bootstrap or genesys.url
    policy = f"default-src 'none'; style-src 'self'; img-src data:; script-src 'self' {script}; connect-src {script}"

    async def serve(request: web.Request) -> web.Response:
        path = FILES / (request.match_info["name"] or "index.html")
        text = path.read_text(encoding="utf-8")
        text = text.replace("https://apps.mypurecloud.com/genesys-bootstrap", f"{script}/genesys-bootstrap")
        text = text.replace("00000000-0000-0000-0000-000000000000", DEPLOYMENT_ID)
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        return web.Response(text=text, content_type=TYPES[path.suffix], headers=headers)

    app = web.Application()
    app.router.add_get("/cobrowse/{name:[a-z.]*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Site(genesys, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
        await genesys.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened
        assert opened.complaints == []


async def heading(page: Any, name: str) -> None:
    """Wait until this is the heading of the page, for the eye and for a screen reader."""
    await page.get_by_role("heading", name=name, exact=True).wait_for()
    assert await page.get_by_role("heading").count() == 1
    assert await page.evaluate("document.activeElement.tagName") == "H1"
    assert await page.title() == name


async def press(page: Any, name: str) -> None:
    await page.get_by_role("button", name=name).click()


async def test_nothing_is_shared_before_consent_or_after_the_stop(browser: Any, site: Site) -> None:
    offer = site.offers()
    async with site.customer(browser, "#a%2Bb%2F1%202") as page:
        await heading(page, "Share this page with our team?")
        assert not offer.joined
        assert await page.evaluate("location.href") == f"{site.url}/cobrowse/"  # the code is gone from the address
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")
        assert offer.joined
        await press(page, "Stop sharing")
        await heading(page, "Sharing has ended")
        assert offer.is_withdrawn


@pytest.mark.parametrize("medium", ["message", "call"])
async def test_session_the_agent_ends_is_seen_by_the_customer(browser: Any, site: Site, medium: str) -> None:
    offer = site.offers(medium)
    async with site.customer(browser, "#a%2Bb%2F1%202") as page:
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")
        offer.stop("peer")
        await heading(page, "Sharing has ended")


@pytest.mark.parametrize("medium", ["message", "call"])
async def test_session_that_messengers_own_window_starts_is_shown(browser: Any, site: Site, medium: str) -> None:
    """Nobody pressed the page's button, so Messenger's event alone tells the page."""
    offer = site.offers(medium)
    async with site.customer(browser, "#a%2Bb%2F1%202") as page:
        await heading(page, "Share this page with our team?")
        await accept_in_messenger(page, offer.join_code)
        await heading(page, "You are sharing this page")
        await press(page, "Stop sharing")
        await heading(page, "Sharing has ended")
        assert offer.is_withdrawn


async def test_error_in_a_call_ends_the_wait_but_no_session(browser: Any, site: Site) -> None:
    old, offer = site.offers("call"), site.offers("call")
    old.join_code = "old"
    old.stop("peer")
    async with site.customer(browser, "#a%2Bb%2F1%202") as page:
        held: list[Any] = []
        await page.route("**/a%2Bb%2F1%202/join", lambda route: held.append(route), times=1)  # noqa: PLW0108 - Playwright takes no method
        await press(page, "Start sharing")
        await heading(page, "Connecting…")  # the command gets no answer
        await accept_in_messenger(page, "old")
        await heading(page, "This code does not work")
        await press(page, "Type a code")
        await held[0].fulfill(json={"state": "ended", "communicationType": "Call"})  # too late to change the page
        await page.get_by_label("The code that our team gave you").fill(offer.join_code)
        await press(page, "Go on")
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")
        await accept_in_messenger(page, "old")
        await heading(page, "You are sharing this page")


async def accept_in_messenger(page: Any, code: str) -> None:
    """Accepts in Messenger's own window, and waits until Messenger has published what came of it."""
    command = (
        "(joinCode) => new Promise((end) => Genesys('command', 'CobrowseService.acceptSession', {joinCode}, end, end))"
    )
    await page.evaluate(command, code)


async def test_customer_who_declines_shares_nothing_and_may_change(browser: Any, site: Site) -> None:
    offer = site.offers()
    async with site.customer(browser, "#a%2Bb%2F1%202") as page:
        await press(page, "No, thank you")
        await heading(page, "Nothing is shared")
        assert not offer.joined
        await press(page, "I have changed my mind")
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")


@pytest.mark.parametrize("fragment", ["", "#%"])
async def test_join_page_asks_for_a_code_by_keyboard(browser: Any, site: Site, fragment: str) -> None:
    offer = site.offers()
    async with site.customer(browser, fragment) as page:
        await heading(page, "Share this page with our team")
        await page.keyboard.press("Tab")
        await page.keyboard.type(" a+b/1 2 ")
        await page.keyboard.press("Enter")
        await heading(page, "Share this page with our team?")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await heading(page, "You are sharing this page")
        assert offer.joined


async def test_a_code_that_does_not_work_is_told_and_another_one_taken(browser: Any, site: Site) -> None:
    async with site.customer(browser, "#<img src=x onerror=alert(1)>") as page:
        await press(page, "Start sharing")
        await heading(page, "This code does not work")
        site.offers()
        await press(page, "Type a code")
        await page.get_by_label("The code that our team gave you").fill("a+b/1 2")
        await press(page, "Go on")
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")


async def test_a_second_link_in_the_same_tab_asks_again(browser: Any, site: Site) -> None:
    offer = site.offers()
    async with site.customer(browser, "#old") as page:
        await press(page, "No, thank you")
        await page.evaluate("location.hash = '#a%2Bb%2F1%202'")
        await heading(page, "Share this page with our team?")
        await press(page, "Start sharing")
        await heading(page, "You are sharing this page")
        assert offer.joined


async def test_blocked_messenger_is_told_and_not_waited_for(browser: Any) -> None:
    async with open_site(NOBODY) as site, site.customer(browser, "#123") as page:
        await press(page, "Start sharing")
        await heading(page, "Sharing is not available just now")
        assert [line for line in site.complaints if "Failed to load" not in line] == []


async def test_page_without_javascript_says_so_and_fits(browser: Any, site: Site) -> None:
    async with site.customer(browser, "#1", java_script_enabled=False) as page:
        assert "needs JavaScript" in await page.inner_text("main")
    async with site.customer(browser, "#1", color_scheme="dark") as page:
        await heading(page, "Share this page with our team?")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for button in await page.get_by_role("button").all():
            assert (await button.bounding_box())["height"] >= 44


async def test_the_sandboxs_own_page_joins_and_stops(browser: Any, site: Site) -> None:
    offer = site.offers()
    async with site.customer(browser) as page:
        await page.goto(f"{site.genesys.url}/messenger#a%2Bb%2F1%202")
        await press(page, "Start sharing")
        await page.get_by_role("status").filter(has_text="You are sharing this page").wait_for()
        assert offer.joined
        await press(page, "Stop sharing")
        await page.get_by_role("status").filter(has_text="Sharing has ended").wait_for()
        await page.get_by_label("Join code").fill("nonsense")
        await press(page, "Start sharing")
        await page.get_by_role("status").filter(has_text="does not work").wait_for()


async def test_sandbox_offers_a_choice_of_conversations(browser: Any) -> None:
    async with open_page(0, conversations="one") as sandbox:
        context = await browser.new_context()
        page = await context.new_page()
        page.set_default_timeout(5000)
        await page.goto(sandbox.url)
        box = page.get_by_role("combobox", name="Message")
        for choice, told in (("several", "Which customer"), ("none", "don’t see"), ("one", "one · join by")):
            await page.get_by_label("Live conversations of each agent").select_option(choice)
            await box.fill(f"/cobrowse {choice}")
            await box.press("Enter")
            await page.get_by_role("article").filter(has_text=told).wait_for()
        await context.close()


@pytest.mark.parametrize(
    ("locale", "language", "title"),
    [
        ("de-CH", "de", "Diese Seite mit unserem Team teilen?"),
        ("fr-FR", "fr", "Partager cette page avec notre équipe ?"),
        ("es-MX", "es", "¿Compartir esta página con nuestro equipo?"),
        ("pt-BR", "pt", "Compartilhar esta página com nossa equipe?"),
        ("ja-JP", "ja", "このページを担当者と共有しますか？"),
        ("nl-NL", "en", "Share this page with our team?"),
        ("en-GB", "en", "Share this page with our team?"),
    ],
)
async def test_page_speaks_the_browsers_language(
    browser: Any, site: Site, locale: str, language: str, title: str
) -> None:
    async with site.customer(browser, f"#{site.offers().join_code}", locale=locale) as page:
        await heading(page, title)
        assert await page.evaluate("document.documentElement.lang") == language


async def test_every_language_has_every_word(browser: Any, site: Site) -> None:
    async with site.customer(browser) as page:
        known = await page.evaluate("window.cobrowseWords")
        keys = await page.evaluate("[...document.querySelectorAll('[data-words]')].map((each) => each.dataset.words)")
        texts = await page.evaluate("[...document.querySelectorAll('h1, p:not(.buttons), button, label')].length")
    assert len(keys) == len(set(keys)) == texts
    assert set(known) == {"es", "pt", "fr", "de", "ja"}
    for words in known.values():
        assert set(words) == set(keys)
        assert all(words.values())


async def test_example_carries_no_inline_code_and_no_link() -> None:
    page = (FILES / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert " style=" not in page
    assert " on" + "click" not in page
    assert page.count("<script") == page.count("<script src=") == 2
    assert [line for line in page.splitlines() if "://" in line and "your.site" not in line] == [
        '    data-bootstrap="https://apps.mypurecloud.com/genesys-bootstrap/genesys.min.js"'
    ]
