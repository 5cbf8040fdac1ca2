"""A repeated command gets the same session for a short time. A command with another text gets another session."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import shared
from bot.core import ports
from bot.sandbox.slack.server import Message
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, BEN, BILLING, CARE, SAM, Journey, is_failure, is_note, link, open_journey, words


async def test_duplicate_command_waits_for_the_one_session(either: Journey) -> None:
    either.genesys.latency_seconds = 0.2
    await asyncio.gather(*(either.slack.command(ANA, "Deal") for _ in range(10)))

    def outcomes() -> list[Message]:  # on a slow machine there are words in between, too
        return [message for message in either.slack.seen_by(ANA) if not is_note(message)]

    await either.slack.workspace.until(lambda: len(outcomes()) >= 10, 10)
    await either.finish()
    (session,) = either.genesys.sessions.values()
    assert [link(message) for message in outcomes()] == [session.join_url] * 10
    assert len(either.genesys.creates) == 1


async def test_unnamed_command_is_a_duplicate_too(journey: Journey) -> None:
    assert link(await journey.asks()) == link(await journey.asks())
    assert len(journey.genesys.creates) == 1


async def test_agent_is_told_once_and_the_supervisor_each_time(either: Journey) -> None:
    first, second = await either.asks("@ben Deal", who=SAM), await either.asks("@ben Deal", who=SAM)
    await either.finish()
    (note,) = either.slack.seen_by(BEN)
    assert link(first) == link(second) == link(note)
    assert either.slack.seen_by(SAM) == [first, second]


async def test_another_person_channel_or_name_is_another_session(either: Journey) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Deal", {"who": SAM, "channel_id": CARE}),
        ("Deal", {"who": BEN, "channel_id": CARE}),
        ("Deal", {"who": SAM, "channel_id": BILLING}),
        ("@ben Deal", {"who": SAM, "channel_id": CARE}),
        ("@ana Deal", {"who": SAM, "channel_id": CARE}),
        ("Deal 2", {"who": SAM, "channel_id": CARE}),
        ("", {"who": SAM, "channel_id": CARE}),
    ]
    links = {link(await either.asks(text, **how)) for text, how in asked}
    assert len(links) == len(either.genesys.creates) == len(asked)


async def test_a_question_who_one_is_is_answered_each_time(journey: Journey) -> None:
    first, second = await journey.asks("whoami", who=SAM), await journey.asks("whoami", who=SAM)
    assert "same email" in words(first)
    assert first is not second
    assert words(first).partition("Reference")[0] == words(second).partition("Reference")[0]


@pytest.mark.parametrize(("fault", "creates"), [("403", 2), ("dropped", 2), ("down", 1)])
async def test_after_a_failure_it_is_a_new_one(either: Journey, fault: str, creates: int) -> None:
    await either.genesys.inject_fault(fault)
    assert is_failure(await either.asks("Deal"))
    await either.genesys.inject_fault(None)
    assert link(await either.asks("Deal"))
    assert len(either.genesys.creates) == creates


async def test_duplicate_of_a_failure_gets_its_own_session(either: Journey) -> None:
    await either.genesys.inject_fault("403", times=1)
    either.genesys.latency_seconds = 0.2
    await asyncio.gather(*(either.slack.command(ANA, "Deal") for _ in range(4)))
    await either.slack.workspace.until(lambda: len(either.slack.seen_by(ANA)) >= 4, 10)
    await either.finish()
    seen = [message for message in either.slack.seen_by(ANA) if not is_note(message)]
    (session,) = either.genesys.sessions.values()
    assert sum(is_failure(message) for message in seen) == 1
    assert {link(message) for message in seen if not is_failure(message)} == {session.join_url}
    assert len(either.genesys.creates) == 2


class Later:
    """How much later the store's clock is than every other clock."""

    seconds = 0.0

    def time(self) -> float:
        return time.time() + self.seconds


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Later:
    """Give the bot a store with a clock that the test moves."""
    clock = Later()

    @asynccontextmanager
    async def open_store(url: str, **how: Any) -> AsyncIterator[Any]:
        store = SQLiteStore(str(tmp_path / "bot.db"), clock=clock.time)
        yield store
        await store.close()

    monkeypatch.setattr(shared, "open_store", open_store)
    return clock


async def test_ten_seconds_after_it_was_made_it_is_a_new_one(later: Later) -> None:
    async with open_journey() as journey:
        first = link(await journey.asks("Deal"))
        later.seconds = ports.JOIN_SECONDS - 1
        assert link(await journey.asks("Deal")) == first
        later.seconds = ports.JOIN_SECONDS + 1
        assert link(await journey.asks("Deal")) != first
        assert len(journey.genesys.creates) == 2
    assert ports.JOIN_SECONDS == 10


async def test_steady_duplicates_get_a_new_session_after_ten_seconds(later: Later) -> None:
    async with open_journey() as journey:
        links = []
        for seconds in (0, 4, 8, 12, 16):
            later.seconds = seconds
            links.append(link(await journey.asks("Deal")))
    assert links[0] == links[1] == links[2] != links[3] == links[4]
