"""Unexpected errors before and after the acknowledgement: status 200, a message with a reference, a traceback.

Each test puts a broken part into the bot. Everything else is real.
"""

import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import app, factories, shared
from bot.core.errors import StorageUnavailableError
from bot.core.models import CreateSessionRequest, Request, RequestId, RequestState, Session, SlackUser
from bot.core.ports import Accepted
from bot.genesys.api.sessions import CobrowseSessions
from bot.slack.api.directory import SlackDirectory
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, BEN, Journey, buttons, is_failure, link, open_journey, words
from tests.support.timing import IMPATIENT

BOOM = "a wheel came off"
Open = Callable[[], AbstractAsyncContextManager[Journey]]


@pytest.fixture(params=["socket", "http"])
def opened(request: pytest.FixtureRequest) -> Open:
    """Return a function that opens a journey after the test has put in its broken part. Its waits are short."""
    return lambda: open_journey(http=request.param == "http", timing=IMPATIENT, SHUTDOWN_SECONDS="1")


def reference_in(text: str) -> str:
    found = re.search(r"Reference `([a-z2-7]{12})`", text)
    assert found, text
    return found[1]


def tracebacks(caplog: pytest.LogCaptureFixture, what: str = BOOM) -> list[dict[str, Any]]:
    """Return the fields of the log's errors with this exception."""
    found = [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    return [getattr(record, "fields", {}) for record in found if what in repr(record.exc_info[1])]


class Breaks:
    """A store that fails at one point of a request's life."""

    accepting: Exception | None = None
    finding: Exception | None = None
    advancing: Callable[[RequestState], Exception | None] = staticmethod(lambda to: None)


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Breaks]:
    class Point(Breaks):
        pass

    class BrokenStore(SQLiteStore):
        async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
            if Point.accepting:
                raise Point.accepting
            return await super().accept(request, agent)

        async def find(self, request_id: RequestId) -> Any:
            if Point.finding:
                raise Point.finding
            return await super().find(request_id)

        async def advance(self, request_id: RequestId, from_: RequestState, to: RequestState, **how: Any) -> bool:
            if error := Point.advancing(to):
                raise error
            return await super().advance(request_id, from_, to, **how)

    @asynccontextmanager
    async def open_broken(url: str, **how: Any) -> AsyncIterator[BrokenStore]:
        store = BrokenStore(str(tmp_path / "bot.db"))
        yield store
        await store.close()

    monkeypatch.setattr(shared, "open_store", open_broken)
    return Point


async def test_an_exception_before_the_ack_is_told_in_the_ack(
    opened: Open, breaks: type[Breaks], caplog: pytest.LogCaptureFixture
) -> None:
    breaks.accepting = RuntimeError(BOOM)
    async with opened() as journey:
        delivery = await journey.slack.command(ANA, "")
        assert delivery.acked
        assert delivery.status in (None, 200)
        (message,) = journey.slack.seen_by(ANA)
        assert message.via == "ack"
        assert message.visible_to == ANA
        assert is_failure(message)
        assert "try_again" not in buttons(message)
        assert BOOM not in words(message)
        assert [fields["request"] for fields in tracebacks(caplog)] == [reference_in(words(message))]
        breaks.accepting = None
        assert link(await journey.asks())


async def test_a_store_that_cannot_write_is_told_in_the_ack(opened: Open, breaks: type[Breaks]) -> None:
    breaks.accepting = StorageUnavailableError()
    async with opened() as journey:
        delivery = await journey.slack.command(ANA, "")
        assert delivery.acked
        assert delivery.status in (None, 200)
        (message,) = journey.slack.seen_by(ANA)
        assert message.via == "ack"
        assert "I can’t save anything right now. Nothing was started." in words(message)
        assert reference_in(words(message))
        assert journey.genesys.calls == []


async def test_exception_in_a_button_press_is_told_as_a_message(
    opened: Open, breaks: type[Breaks], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened() as journey:
        await journey.genesys.inject_fault("dropped", times=1)
        failed = await journey.asks()
        breaks.finding = RuntimeError(BOOM)
        before = len(journey.slack.messages)
        pressed = await journey.slack.press(ANA, failed, "try_again")
        message = await journey.reads(ANA, before)
        assert pressed.acked
        assert pressed.status in (None, 200)
        assert is_failure(message)
        assert message.visible_to == ANA
        assert [fields["request"] for fields in tracebacks(caplog)] == [reference_in(words(message))]
        breaks.finding = None
        await journey.tries_again(failed)
        assert link(failed)


async def test_exception_after_the_ack_is_told_and_can_be_retried(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    class Broken(CobrowseSessions):
        async def create(self, order: CreateSessionRequest, hooks: Any) -> Session:
            if broken:
                raise RuntimeError(BOOM)
            return await super().create(order, hooks)

    monkeypatch.setattr(factories, "CobrowseSessions", Broken)
    async with opened() as journey:
        message = await journey.asks()
        assert is_failure(message)
        assert message.visible_to == ANA
        assert BOOM not in words(message)
        assert [fields["request"] for fields in tracebacks(caplog)] == [reference_in(words(message))]
        broken.clear()
        await journey.tries_again(message)
        assert link(message)


async def test_an_exception_while_asking_who_somebody_is_is_told(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(SlackDirectory):
        async def person(self, user_id: Any) -> Any:
            raise RuntimeError(BOOM)

    monkeypatch.setattr(app, "SlackDirectory", Broken)
    async with opened() as journey:
        message = await journey.asks("whoami")
        assert is_failure(message)
        assert {"request": reference_in(words(message))} in tracebacks(caplog)
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.count("unexpected") == 1
    need_the_look_up_too = {
        "a fault was not reported",
        "the contact's name is unknown",
        "sending notices failed",
    }
    assert set(logged) <= {"unexpected"} | need_the_look_up_too


@pytest.mark.parametrize("error", [RuntimeError(BOOM), StorageUnavailableError()], ids=["unforeseen", "unavailable"])
async def test_store_that_breaks_after_the_ack_still_gives_an_outcome(
    opened: Open, breaks: type[Breaks], error: Exception
) -> None:
    """The failure is permanent: neither `creating` nor `failed` can be written."""
    breaks.advancing = staticmethod(lambda to: error)
    async with opened() as journey:
        message = await journey.asks()
        assert is_failure(message)
        assert reference_in(words(message))
        assert journey.genesys.creates == []


@pytest.mark.parametrize("error", [RuntimeError(BOOM), StorageUnavailableError()], ids=["unforeseen", "unavailable"])
async def test_a_session_that_could_not_be_written_down_is_not_denied(
    opened: Open, breaks: type[Breaks], error: Exception
) -> None:
    breaks.advancing = staticmethod(lambda to: error if to is RequestState.CREATED else None)
    async with opened() as journey:
        message = await journey.asks()
        assert len(journey.genesys.sessions) == 1
        assert "Nothing was started" not in words(message)


async def test_an_answer_that_could_not_be_written_down_is_told_once(opened: Open, breaks: type[Breaks]) -> None:
    breaks.advancing = staticmethod(lambda to: StorageUnavailableError() if to is RequestState.ANSWERED else None)
    async with opened() as journey:
        assert link(await journey.asks())
        await journey.finish()
        assert len(journey.slack.seen_by(ANA)) == 1
        assert len(journey.genesys.creates) == 1


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("slash_commands", {"command": "/other", "user_id": ANA, "channel_id": "C0CARE", "team_id": "T0SANDBOX"}),
        ("slash_commands", {"command": "/cobrowse"}),
        ("slash_commands", {"command": "/cobrowse", "team_id": "T0SANDBOX", "channel_id": "C0CARE", "text": "x"}),
        ("interactive", {"type": "block_actions", "actions": [{"action_id": "other", "block_id": "b"}]}),
        ("interactive", {"type": "block_actions", "actions": [{"action_id": "try_again", "block_id": "b"}]}),
        ("interactive", {"type": "view_submission", "view": {"callback_id": "none"}}),
        ("interactive", {"type": "shortcut", "callback_id": "none"}),
        ("events_api", {"type": "event_callback", "event": {"type": "app_mention", "text": "secret words"}}),
        ("interactive", {}),
        ("slash_commands", {}),
    ],
)
async def test_unhandled_payload_is_acknowledged_and_harms_nobody(
    either: Journey, caplog: pytest.LogCaptureFixture, kind: Any, payload: dict[str, Any]
) -> None:
    delivery = await either.slack.send(payload, kind)
    assert delivery.acked
    assert delivery.status in (None, 200)
    assert "secret words" not in caplog.text
    assert link(await either.asks(who=BEN))
    assert len(either.genesys.creates) == 1


async def test_while_it_stops_a_command_is_told_to_come_back(either: Journey) -> None:
    """The bot finishes the requests that it accepted before."""
    either.genesys.latency_seconds = 0.3
    await either.slack.command(ANA, "First")
    await either.finish()
    assert [create.body["sessionName"] for create in either.genesys.creates] == ["First"]
    assert link(either.slack.seen_by(ANA)[0])
    late = await either.slack.command(BEN, "Late")
    assert not late.acked
    assert len(either.genesys.creates) == 1
