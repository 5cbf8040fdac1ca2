"""Two requests to end a session, or one that is repeated after a crash: the session ends once, and both are told."""

import asyncio

import pytest

from bot.core.errors import StorageUnavailableError, UnknownSessionError
from bot.core.models import RequestKind, SessionRecord
from tests.support import sessions as sessions_support
from tests.support.sessions import RUN, SAM, SessionHarness, refusal
from tests.support.storage import ANA, HOST

harness = sessions_support.harness


async def test_a_second_end_reads_that_it_is_over(harness: SessionHarness) -> None:
    await harness.made("s-1")
    await harness.does(RequestKind.END, ANA, "s-1")
    assert (await refusal(harness, RequestKind.END, ANA, "s-1")).code == "already_ended"
    assert harness.service.asked == [("end", "s-1")]


async def test_of_two_that_end_it_at_once_one_has(harness: SessionHarness) -> None:
    await harness.made("s-1")
    harness.service.fails = {}
    both = await asyncio.gather(
        harness.does(RequestKind.END, ANA, "s-1"), harness.does(RequestKind.END, SAM, "s-1"), return_exceptions=True
    )
    assert sorted(one.code for one in both) == ["already_ended", "session_ended"]


async def test_end_after_another_ended_it_says_so(harness: SessionHarness) -> None:
    await harness.made("s-1")

    async def too_late(record: SessionRecord) -> None:
        await harness.store.sessions.end_session(record.session.id, None)
        raise UnknownSessionError

    harness.service.end = too_late  # type: ignore[method-assign]
    assert (await refusal(harness, RequestKind.END, ANA, "s-1")).code == "already_ended"


@pytest.mark.parametrize("about", ["s-1", None])
async def test_an_end_worked_again_after_a_crash_is_the_same_end(harness: SessionHarness, about: str | None) -> None:
    await harness.made("s-1")
    asked = await harness.asks(RequestKind.END, ANA, about)
    handler = harness.register().handlers()[RequestKind.END]
    first = await handler.run(asked, RUN)
    await harness.made("s-2")  # meanwhile
    assert await handler.run(asked, RUN) == first
    assert [session_id for what, session_id in harness.service.asked if what == "end"] == ["s-1"]


async def test_end_the_store_cannot_keep_is_told_and_found_later(
    harness: SessionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.made("s-1")

    async def away(*args: object) -> bool:
        raise StorageUnavailableError

    table = harness.store.sessions
    monkeypatch.setattr(type(harness.store), "sessions", property(lambda store: table))
    with monkeypatch.context() as patched:
        patched.setattr(table, "end_session", away)
        assert (await harness.does(RequestKind.END, ANA, "s-1")).record.session.host_id == HOST
    assert (await harness.does(RequestKind.STATUS)).records == ()
