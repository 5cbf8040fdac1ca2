"""Share a bot over HTTP whose users can sign in to Genesys, and a browser that signs them in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.core.timing import RECEIVER_BOUNDS, CoreTiming, GenesysTiming, ReceiverBounds, SlackTiming
from bot.sandbox import world
from bot.sandbox.slack.server import Message
from bot.slack.messages.catalogue.languages import LOCALES
from tests.support.app import (
    ANA,
    QUICK_GENESYS,
    QUICK_SLACK,
    SAM,
    Journey,
    Servers,
    buttons,
    free_port,
    open_bot_between,
    open_servers,
    words,
)
from tests.support.conversations import HOST, SECRET, TEMPLATE
from tests.support.postgres import new_database

BENS = "22222222-2222-4222-8222-222222222222"
SAMS = "33333333-3333-4333-8333-333333333333"


@dataclass(frozen=True, slots=True)
class Page:
    """The page that the browser shows at the end of a sign-in."""

    status: int
    html: str
    headers: dict[str, str]

    @property
    def text(self) -> str:
        return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", self.html, flags=re.DOTALL).split())


def connecting(servers: Servers, **changes: str) -> dict[str, str]:
    """Return the environment of a bot whose users can sign in, and create the OAuth client for it in Genesys."""
    connect, servers.genesys.user_login.client = world.connect_environ(servers.keys, free_port())
    public = world.public_environ(servers.keys, servers.genesys.url)
    more = {"GENESYS_CLIENT_SECRET": SECRET, "COBROWSE_JOIN_URL_TEMPLATE": TEMPLATE, "COBROWSE_ADMINS": SAM}
    return servers.environ | public | more | connect | changes


@asynccontextmanager
async def open_connecting(
    *,
    http: bool = True,
    token_seconds: int = 86400,
    timing: CoreTiming | None = None,
    genesys_timing: GenesysTiming = QUICK_GENESYS,
    slack_timing: SlackTiming = QUICK_SLACK,
    bounds: ReceiverBounds = RECEIVER_BOUNDS,
    locales: Path = LOCALES,
    **changes: str,
) -> AsyncIterator[Journey]:
    """Yield a journey with servers and a bot.

    Each agent has one conversation, and only signed-in users can create an offer.
    """
    async with open_servers(http=http, client_secret=SECRET, token_seconds=token_seconds) as servers:
        servers.genesys.conversations.set_live_count("one")
        servers.genesys.conversations.requires_user = True
        async with open_bot_between(
            servers,
            connecting(servers, **changes),
            http=http,
            timing=timing,
            genesys_timing=genesys_timing,
            slack_timing=slack_timing,
            bounds=bounds,
            locales=locales,
        ) as journey:
            yield journey


def address(message: Message) -> str:
    """Return the sign-in link in a message."""
    return str(buttons(message)["open"]["url"])


def state_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["state"][0]


async def asks_to_connect(journey: Journey, who: str = ANA) -> str:
    message = await journey.asks("connect", who=who)
    assert message.visible_to == who
    return address(message)


async def signs_in(link: str, user_id: str = HOST) -> str:
    """Open the sign-in link, choose the Genesys user, and return the URL to which Genesys sends the browser.

    `user_id` is "" for a person who declines the sign-in.
    """
    async with aiohttp.ClientSession() as browser:
        async with browser.get(link) as page:
            assert page.status == 200, await page.text()
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', await page.text()))
        where = link.partition("?")[0]
        async with browser.post(where, data=fields | {"user": user_id}, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return answer.headers["Location"]


async def opens(url: str, method: str = "GET") -> Page:
    async with aiohttp.ClientSession() as browser, browser.request(method, url, allow_redirects=False) as answer:
        return Page(answer.status, await answer.text(), dict(answer.headers))


async def connects(journey: Journey, who: str = ANA, user_id: str = HOST) -> Page:
    """Ask for a sign-in link, sign in, and return the page that the browser shows at the end."""
    before = len(journey.slack.messages)
    link = await asks_to_connect(journey, who)
    page = await opens(await signs_in(link, user_id))
    if page.status == 200 or "link is for" in page.text:
        told = await journey.reads(who, before + 1)  # in Slack, too
        assert ("You’re signed in to Genesys" in words(told)) == (page.status == 200)
    return page


def whose(journey: Journey) -> list[str]:
    """Return the hosts whose conversations have an offer. Fail if somebody else than the host created an offer."""
    offers = journey.genesys.conversations.offers.values()
    assert all(offer.creator_id == offer.conversation.host_user_id for offer in offers)
    return [offer.conversation.host_user_id for offer in offers]


@pytest.fixture(params=["sqlite", "postgres"])
async def journey(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journey]:
    if request.param == "sqlite":
        async with open_connecting(DATABASE_URL=f"sqlite:///{tmp_path}/bot.db") as opened:
            yield opened
        return
    async with new_database() as url, open_connecting(DATABASE_URL=url) as opened:
        yield opened


@pytest.fixture
async def simple() -> AsyncIterator[Journey]:
    async with open_connecting() as opened:
        yield opened
