"""Late answers, and answers while the store is unavailable.

After half an hour, nobody looks at the channel any more.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.models import RequestKind, RequestState, Session
from bot.slack.api.responder import ANSWERABLE
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, CARE, Journey, buttons, is_failure, link, open_journey, words
from tests.support.responder import LOST, deliveries, ways
from tests.support.storage import request, session

MINUTE = timedelta(minutes=1)


NO_URL = "http://127.0.0.1:1/response"
"""Nobody listens there."""


@pytest.mark.parametrize("ago", [timedelta(0), ANSWERABLE - MINUTE / 10])
async def test_up_to_29_minutes_the_answer_goes_where_the_person_typed(ago: timedelta) -> None:
    async with deliveries() as (slack, delivery):
        url = slack.url + slack.response_urls.make(ANA, CARE, "trigger")
        asked = request(team_id="T0SANDBOX", accepted_at=datetime.now(UTC) - ago, reply_url=url)
        assert await delivery.answer(asked, LOST)
        assert ways(slack) == ["response_url"]
        slack.inject_fault("response_url", "404")
        assert await delivery.answer(asked, LOST)
        assert ways(slack)[-2:] == ["response_url", "chat.postEphemeral"]


@pytest.mark.parametrize("ago", [ANSWERABLE + MINUTE / 10, timedelta(days=1)])
async def test_response_url_and_ephemeral_end_after_29_minutes(ago: timedelta) -> None:
    assert timedelta(minutes=29) == ANSWERABLE
    async with deliveries() as (slack, delivery):
        url = slack.url + slack.response_urls.make(ANA, CARE, "trigger")
        asked = request(team_id="T0SANDBOX", accepted_at=datetime.now(UTC) - ago, reply_url=url)
        assert await delivery.answer(asked, LOST)
        assert ways(slack) == ["conversations.open", "chat.postMessage"]
        (message,) = slack.seen_by(ANA)
        assert slack.workspace.im_owner(message.channel) == ANA
        slack.inject_fault("chat.postMessage", "restricted_action")
        assert not await delivery.answer(asked, LOST)
        assert {"response_url", "chat.postEphemeral"}.isdisjoint(ways(slack))


@asynccontextmanager
async def restarted(path: Path, minutes: float, made: Session | None = None) -> AsyncIterator[Journey]:
    """Start a bot whose last process died `minutes` ago with one accepted command. `made` is the command's session."""
    past = (datetime.now(UTC) - timedelta(minutes=minutes)).timestamp()
    before = SQLiteStore(str(path), clock=lambda: past)
    asked = request(
        team_id="T0SANDBOX", channel_id=CARE, requester=ANA, name="Deal", kind=RequestKind.START, reply_url=NO_URL
    )
    await before.accept(asked)
    if made:
        await before.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=made)
    await before.close()
    async with open_journey(DATABASE_URL=f"sqlite:///{path}") as journey:
        yield journey


async def test_command_from_30_minutes_before_is_told_of_the_restart(tmp_path: Path) -> None:
    async with restarted(tmp_path / "bot.db", 31) as journey:
        message = await journey.reads(ANA, 0)
        assert journey.slack.workspace.im_owner(message.channel) == ANA
        assert "I was restarted before I got to it. Nothing was started." in words(message)
        assert journey.genesys.creates == []
        assert {"response_url", "chat.postEphemeral"}.isdisjoint(ways(journey.slack))
        assert "try_again" in buttons(message)
        before = len(journey.slack.messages)
        await journey.tries_again(message)
        new = [each for each in (message, *journey.slack.messages[before:]) if not is_failure(each)]
        assert [link(each) for each in new] == [session.join_url for session in journey.genesys.sessions.values()]


async def test_command_from_minutes_before_is_worked_after_a_restart(tmp_path: Path) -> None:
    async with restarted(tmp_path / "bot.db", 28) as journey:
        message = await journey.reads(ANA, 0)
        (session,) = journey.genesys.sessions.values()
        assert link(message) == session.join_url
        assert session.name == "Deal"
        assert (message.channel, message.visible_to) == (CARE, ANA)


async def test_session_that_ended_while_away_can_be_tried_again(tmp_path: Path) -> None:
    made = session(minutes=-1)
    async with restarted(tmp_path / "bot.db", 20, made) as journey:
        message = await journey.reads(ANA, 0)
        assert "your session ended meanwhile" in words(message)
        assert made.join_url not in str(message.blocks)
        assert journey.genesys.creates == []
        before = len(journey.slack.messages)
        await journey.tries_again(message)
        new = [each for each in (message, *journey.slack.messages[before:]) if not is_failure(each)]
        assert [link(each) for each in new] == [one.join_url for one in journey.genesys.sessions.values()]


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_database_that_cannot_take_a_command_is_told_in_the_ack(tmp_path: Path, http: bool) -> None:
    async with open_journey(http=http, DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:
        blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        blocker.execute("ALTER TABLE requests RENAME TO gone")
        delivery = await journey.slack.command(ANA, "Deal")
        assert delivery.acked
        assert delivery.status in (None, 200)  # Socket Mode has no status
        (message,) = journey.slack.seen_by(ANA)
        assert (message.via, message.visible_to) == ("ack", ANA)
        assert is_failure(message)
        assert "Nothing was started" in words(message)
        assert "try_again" not in buttons(message)  # there is nothing to be tried again
        blocker.execute("ALTER TABLE gone RENAME TO requests")
        blocker.close()
        assert link(await journey.asks("Deal"))
        assert len(journey.genesys.creates) == 1
