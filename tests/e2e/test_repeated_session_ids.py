"""Genesys answers a create call with the id of an existing session: nobody sees or ends another person's session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.sandbox.genesys.api import conversations as genesys_conversations
from bot.sandbox.genesys.api import routes
from bot.sandbox.slack.server import Message
from tests.support.app import (
    ANA,
    BEN,
    SAM,
    Journey,
    Servers,
    buttons,
    is_failure,
    link,
    open_journey,
    open_servers,
    words,
)
from tests.support.bot_processes import SECONDS, Bots, outcomes
from tests.support.conversations import HOST, PUBLIC
from tests.support.postgres import new_database
from tests.support.session_buttons import END, confirms

BENS, SAMS = "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
OF_CONVERSATIONS = {
    name: value
    for name, value in PUBLIC.items()
    if name not in ("GENESYS_CLIENT_SECRET", "GENESYS_PRIVATE_KEY", "GENESYS_ORG_ID")
}
SERVICES = {"sessions": {}, "conversations": OF_CONVERSATIONS}
SECRET_NAME = "Anas secret customer"


@pytest.fixture(params=list(SERVICES))
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every session of this Genesys get the same id."""
    for module in (routes, genesys_conversations):
        monkeypatch.setattr(module, "uuid", SimpleNamespace(uuid4=lambda: "5e551011-0000-4000-8000-000000000001"))


def converse(servers: Servers | Journey, service: str) -> None:
    """Begin a conversation between each host and a new customer."""
    if service == "conversations":
        for each in servers.genesys.conversations.live.values():
            each.end()
        for host in (HOST, BENS, SAMS):
            servers.genesys.conversations.begin(host, "Carla Customer")


@pytest.fixture
async def journey(service: str, tmp_path: Path) -> AsyncIterator[Journey]:
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
    async with open_journey(**SERVICES[service] | database) as opened:
        converse(opened, service)
        yield opened


def ways_in(journey: Servers | Journey) -> list[str]:
    """Return every link and code that Genesys returned, in order."""
    sessions = [session.join_url for session in journey.genesys.sessions.values()]
    return sessions + [offer.join_code for offer in journey.genesys.conversations.offers.values()]


def assert_unusable(message: Message, anas: str) -> None:
    assert is_failure(message)
    assert ("with the id of another session" in words(message)) is (message.visible_to == SAM)  # the contact
    assert "Genesys gave me no link that I can use" in words(message)
    assert "Nothing was started" not in words(message)
    assert anas not in str(message.blocks)


async def test_somebody_elses_id_is_an_unusable_answer(journey: Journey) -> None:
    anas = link(await journey.asks(SECRET_NAME))
    assert_unusable(await journey.asks("Deal", who=BEN), anas)
    assert "No sessions yet" in words(await journey.asks("last", who=BEN))
    assert "No open sessions" in words(await journey.asks("status", who=BEN))
    assert link(await journey.asks("last")) == anas


async def test_duplicate_request_reads_nothing_of_somebody_elses(journey: Journey) -> None:
    anas = link(await journey.asks(SECRET_NAME))
    journey.genesys.latency_seconds = 0.2
    await asyncio.gather(*(journey.slack.command(BEN, "Deal") for _ in range(2)))
    await journey.slack.workspace.until(lambda: len(journey.slack.seen_by(BEN)) >= 2, SECONDS)
    for message in journey.slack.seen_by(BEN):
        assert_unusable(message, anas)


async def test_end_of_ones_own_does_not_end_somebody_elses(journey: Journey) -> None:
    anas = link(await journey.asks(SECRET_NAME))
    refused = await journey.asks("Deal", who=SAM)
    assert_unusable(refused, anas)
    assert END not in buttons(refused)
    assert is_failure(await journey.asks("end", who=SAM))
    assert link(await journey.asks("last")) == anas


async def test_agent_hears_nothing_of_somebody_elses_session(journey: Journey) -> None:
    card = await journey.asks(SECRET_NAME)
    assert_unusable(await journey.asks("@ben Deal", who=SAM), link(card))
    assert journey.slack.seen_by(BEN) == []
    await confirms(journey.slack, ANA, card, END)
    await journey.slack.workspace.until(lambda: END not in buttons(card), SECONDS)
    await asyncio.sleep(0.3)
    assert journey.slack.seen_by(BEN) == []
    assert all(SECRET_NAME not in words(message) for message in journey.slack.seen_by(SAM))


@pytest.mark.parametrize("ended", [False, True])
async def test_same_person_gets_the_new_link_of_a_known_id(journey: Journey, service: str, ended: bool) -> None:
    card = await journey.asks("One")
    first = link(card)
    if ended:
        await confirms(journey.slack, ANA, card, END)
        await journey.slack.workspace.until(lambda: END not in buttons(card), SECONDS)
    converse(journey, service)
    second = link(await journey.asks("Two"))
    assert second != first
    said = await journey.asks("last")
    assert link(said) == second
    assert "Two" in words(said)
    assert "Two" in words(await journey.asks("status"))
    assert link(await journey.asks("Two")) == second  # a duplicate wish shares it


@asynccontextmanager
async def opened_bots(service: str, database: str, directory: Path) -> AsyncIterator[Bots]:
    async with open_servers(http=False) as servers:
        servers.environ.update(SERVICES[service])
        converse(servers, service)
        bots = Bots(servers, database, directory)
        yield bots
        await bots.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def bots(request: pytest.FixtureRequest, service: str, tmp_path: Path) -> AsyncIterator[Bots]:
    if request.param == "sqlite":
        async with opened_bots(service, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path) as opened:
            yield opened
        return
    async with new_database() as url, opened_bots(service, url, tmp_path) as opened:
        yield opened


async def test_killed_in_the_middle_tells_nothing_of_somebody_elses(bots: Bots) -> None:
    slack = bots.servers.slack
    dead = await bots.start("after:created:Deal")
    await slack.command(ANA, "One")
    await outcomes(bots, ANA, 1)
    anas = link(slack.seen_by(ANA)[0])
    await slack.command(BEN, "Deal")
    await dead.wait()
    await bots.resume()
    await outcomes(bots, BEN, 1)
    for message in slack.seen_by(BEN):
        if message.via != "slackbot":
            assert_unusable(message, anas)


async def test_killed_in_the_middle_tells_the_new_link_of_a_known_id(bots: Bots, service: str) -> None:
    slack = bots.servers.slack
    dead = await bots.start("after:created:Deal")
    await slack.command(ANA, "One")
    await outcomes(bots, ANA, 1)
    first = link(slack.seen_by(ANA)[0])
    converse(bots.servers, service)
    await slack.command(ANA, "Deal")
    await dead.wait()
    await bots.resume()
    await outcomes(bots, ANA, 2)
    second = link(slack.seen_by(ANA)[-1])
    assert second != first
    assert second.rpartition("#")[2] in ways_in(bots.servers)[-1]
