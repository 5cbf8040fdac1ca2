"""The cost of a command with warm caches: two commits before the answer, one create call, one post."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import shared
from bot.sandbox.slack.server import Message
from bot.storage.open import open_store
from tests.support.app import ANA, NO_KEY, Journey, is_note, link, open_journey

HOUSEKEEPING = ("orphans", "sweep")


class Counted:
    """A real store. `events` records each call about a request, in order."""

    shared = False

    def __init__(self, store: Any, events: list[str]) -> None:
        self._store, self._events = store, events

    def in_workspace(self, name: str) -> "Counted":
        return Counted(self._store.in_workspace(name), self._events)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def counted(*args: Any, **how: Any) -> Any:
            if name not in HOUSEKEEPING:
                self._events.append(f"advance {args[2]}" if name == "advance" else name)
            return await method(*args, **how)

        return counted


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the calls of the store, and `post` for each message."""
    found: list[str] = []

    @asynccontextmanager
    async def open_counted(*args: Any, **how: Any) -> AsyncIterator[Counted]:
        async with open_store(*args, **how) as store:
            yield Counted(store, found)

    monkeypatch.setattr(shared, "open_store", open_counted)
    return found


async def seen(journey: Journey, events: list[str], text: str) -> tuple[list[str], list[str], list[str]]:
    """Return the calls of one complete command to the store, to Genesys and to Slack."""
    await settled(events)
    events.clear()
    slack, genesys = len(journey.slack.calls), len(journey.genesys.calls)
    assert link(await journey.asks(text))
    await settled(events)
    calls = [call.kind for call in journey.genesys.calls[genesys:]]
    return list(events), calls, [call.method for call in journey.slack.calls[slack:]]


async def settled(events: list[str]) -> None:
    """Wait until the last command is stored as answered."""
    async with asyncio.timeout(5):
        while events and events[-1] != "advance answered":  # noqa: ASYNC110 - a store has no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_warm_command_has_two_commits_one_create_and_one_post(
    events: list[str], tmp_path: Path, http: bool
) -> None:
    async with open_journey(http=http, DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:

        def posted(message: Message) -> None:
            assert not is_note(message)
            events.append("post")

        journey.slack.workspace.listeners.append(posted)
        cold = await seen(journey, events, "Cold")
        assert {"accept", "advance creating", "advance created", "linked", "found", "keep_found"} < set(cold[0])
        for text in ("Warm", "Warmer"):
            asked, creates, posts = await seen(journey, events, text)
            assert asked == ["accept", "advance created", "post", "advance answered"]
            assert (creates, posts) == (["create"], ["response_url"])


async def test_store_is_not_asked_for_the_link_that_accept_returned(events: list[str], tmp_path: Path) -> None:
    """An administrator's new link takes effect at once with warm caches, and costs no call."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    async with open_journey(DATABASE_URL=url, **NO_KEY) as journey:
        journey.slack.workspace.listeners.append(lambda message: events.append("post"))
        await seen(journey, events, "Cold")
        async with open_store(url, exclusive=False) as other:
            ben = "22222222-2222-4222-8222-222222222222"
            await other.link([(None, ANA, ben)])
        asked, creates, _ = await seen(journey, events, "Warm")
        assert asked == ["accept", "advance created", "post", "advance answered"]
        assert creates == ["create"]
        assert [create.body["hostUserId"] for create in journey.genesys.creates[1:]] == [ben]
