"""Reading the status of sessions: shared for ten seconds, and limited to half of the rate limit."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import RateLimitedError, ServiceBusyError
from bot.core.models import STARTS, RequestKind, RequestState, SessionPhase, SessionState
from bot.core.requests.events import EventLog, SessionStateChanged
from bot.core.requests.service import RequestLimiter, RequestLimits
from bot.core.results import INQUIRIES
from bot.core.timing import CoreTiming
from bot.core.use_cases.session_status import SessionStates
from bot.genesys.rate_limit import LIVE, LOOK, RateLimiter, RateWindow
from tests.support import everything, storage
from tests.support.app import ANA, BEN, SAM, Journey, link, open_journey, open_servers, words
from tests.support.cases import each_case
from tests.support.clock import Clock
from tests.support.requests import start
from tests.support.session_buttons import COPY, END, presses, says
from tests.support.sessions import Service
from tests.support.sessions_api import RecordingHooks, opened, session_request
from tests.support.storage import Database, request, session
from tests.support.views import opens_home

database = storage.database


async def test_many_looks_within_ten_seconds_ask_genesys_once(journey: Journey) -> None:
    for name in ("One", "Two"):
        await journey.asks(name)
    for text in ("status", "last", "status", "status"):
        await journey.asks(text)
    assert journey.genesys.count("read") == 2


async def test_host_and_requester_share_a_look(journey: Journey) -> None:
    await journey.asks("@ben Deal", who=SAM)
    await asyncio.gather(journey.asks("status", who=SAM), journey.asks("status", who=BEN))
    assert journey.genesys.count("read") == 1


async def test_a_press_and_the_end_command_look_at_once(journey: Journey) -> None:
    card = await journey.asks("Deal")
    await journey.asks("status")
    (session,) = journey.genesys.sessions.values()
    session.status = "ended"  # somebody else has ended it, and the bot has just looked
    assert " · ended " in words(await presses(journey, card, COPY))
    assert journey.genesys.count("read") == 2


async def test_a_session_that_this_bot_ends_is_seen_to_be_over(journey: Journey) -> None:
    card = await journey.asks("Deal")
    assert "Deal" in words(await journey.asks("status"))
    await presses(journey, card, END)
    assert "No open sessions" in words(await journey.asks("status"))
    await says(journey, card, "ended by")


async def test_status_is_good_for_ten_seconds_even_without_an_answer() -> None:
    clock, service, one = Clock(), Service(), everything.record(everything.session())
    unused: Any = None
    looks = SessionStates(service, unused, EventLog(), CoreTiming(), clock=clock)
    service.fails = {"look": ServiceBusyError()}
    assert [(await looks.look(one)).phase for _ in range(3)] == [SessionPhase.UNKNOWN] * 3
    assert len(service.asked) == 1
    clock.now += 10
    service.fails, service.over = {}, {one.session.id}
    assert [(await looks.look(one)).phase for _ in range(3)] == [SessionPhase.OVER] * 3
    assert len(service.asked) == 2
    looks.drop(one.session.id)
    await looks.look(one)
    await looks.look(one, fresh=True)
    assert len(service.asked) == 4


async def test_looks_use_up_half_of_the_rate_limit_at_most() -> None:
    async with open_servers() as servers, opened(servers, GENESYS_REQUESTS_PER_MINUTE="20") as sessions:
        made = await sessions.create(session_request(), RecordingHooks())
        seen = replace(everything.record(everything.session()), session=made)
        looked = await asyncio.gather(*(sessions.look(seen) for _ in range(50)), return_exceptions=True)
        assert [isinstance(one, ServiceBusyError) for one in looked].count(False) == 10
        async with asyncio.timeout(5):
            for _ in range(9):
                await sessions.create(session_request(), RecordingHooks())
        assert servers.genesys.count("read") == 10


async def test_many_who_look_do_not_keep_others_from_a_session() -> None:
    limits = {"GENESYS_REQUESTS_PER_MINUTE": "24", "COBROWSE_PERSON_STARTS_PER_MINUTE": "0"}
    async with open_journey(**limits) as journey:
        for number in range(8):
            await journey.asks(f"Deal {number}")
        for _ in range(3):
            for card in [each for each in journey.slack.seen_by(ANA) if "Deal" in words(each)][:8]:
                await journey.slack.press(ANA, card, "session_menu", chosen="copy")
        async with asyncio.timeout(10):
            assert link(await journey.asks("Refund", who=BEN))


def test_looks_take_half_of_a_minute_and_live_looks_a_quarter() -> None:
    clock = Clock()
    window = RateWindow(10, clock=clock)
    assert [window.try_share(LOOK) for _ in range(6)] == [True] * 5 + [False]
    assert [window.try_share(LIVE) for _ in range(3)] == [True] * 2 + [False]
    clock.now += 59
    assert not window.try_share(LOOK)
    clock.now += 1
    assert window.try_share(LOOK)
    assert RateWindow(1, clock=clock).try_share(LOOK)


async def test_live_looks_stop_while_calls_wait_or_are_short() -> None:
    clock = Clock()
    limiter = RateLimiter(8, clock=clock)
    for _ in range(4):
        assert limiter.try_share(LIVE) == (_ < 2)
        await limiter.acquire(None, needs="a")
    clock.now += 60
    limiter.release(None, needs="a")
    await limiter.acquire(None, needs="a")
    assert limiter.try_share(LIVE), "half of the new minute is left"
    waiting = [asyncio.ensure_future(limiter.acquire(None, needs="a")) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not limiter.try_share(LIVE)
    assert limiter.try_share(LOOK)
    for each in waiting:
        each.cancel()


@each_case("kind", [kind for kind in RequestKind if kind not in (*STARTS, RequestKind.SEND)])
def test_a_person_may_ask_thirty_times_a_minute(kind: RequestKind) -> None:
    clock = Clock()
    keeper = RequestLimiter(RequestLimits(), clock=clock)
    first = start(kind=kind)
    for _ in range(2):
        keeper.admit(first, 0)
    for _ in range(29):
        keeper.admit(start(kind=kind), 0)
    clock.now += 20
    with pytest.raises(RateLimitedError, match=r"^too_many_inquiries$") as refused:
        keeper.admit(start(kind=kind), 0)
    assert (refused.value.limit, refused.value.wait_seconds) == (30, 40)
    keeper.admit(first, 0)
    keeper.admit(start(BEN, kind=kind), 0)
    keeper.admit(start(), 0)
    keeper.admit(start(kind=RequestKind.STATUS if kind is RequestKind.END else RequestKind.END), 0)
    clock.now += 40
    keeper.admit(start(kind=kind), 0)


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_a_person_who_asks_too_often_reads_when_to_go_on(http: bool) -> None:
    most = RequestLimits().person_inquiries
    async with open_journey(http=http, COBROWSE_PERSON_INQUIRIES_PER_MINUTE=str(most)) as journey:
        for _ in range(most):
            assert not (await journey.slack.command(ANA, "help")).body
        refused = await journey.slack.command(ANA, "help")
        assert "too many commands in a minute" in str(refused.body)
        assert "Try again in" in str(refused.body)
        assert "seconds" in str(refused.body)
        await journey.slack.until(lambda: len(journey.slack.seen_by(ANA)) > most or None)
        assert link(await journey.asks("Deal"))


@pytest.mark.parametrize("kind", [RequestKind.HELP, RequestKind.STATUS, RequestKind.SHARE, RequestKind.START])
async def test_the_row_of_an_answered_inquiry_goes_after_an_hour(database: Database, kind: RequestKind) -> None:
    store: Any = await database.open()
    answered, unanswered = request(kind=kind), request(kind=kind)
    for one in (answered, unanswered):
        await store.accept(one)
    await store.advance(answered.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    await database.age(3500)
    await store.sweep()
    assert not (await store.accept(answered)).is_new, "Slack delivers it again within minutes"
    await database.age(200)
    await store.sweep()
    assert (await store.find(answered.id) is None) == (kind in INQUIRIES)
    assert await store.find(unanswered.id)


@pytest.mark.parametrize("phases", [[SessionPhase.OVER], [SessionPhase.JOINED, SessionPhase.OVER]])
async def test_join_of_the_customer_is_reported_once(database: Database, phases: list[SessionPhase]) -> None:
    """Genesys may report the join only together with the end of the session."""
    store: Any = await database.open()
    asked, one = request(), session()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    events, seen = EventLog(), list[SessionStateChanged]()
    events.subscribe(SessionStateChanged, seen.append)
    states = SessionStates(Service(), store.sessions, events, CoreTiming())
    for phase in phases:
        record = await store.sessions.session(one.id)
        await states.record(record, SessionState(phase, joined_at=datetime.now(UTC)))
    assert [each.is_join for each in seen] == [True, False][: len(phases)]


async def test_home_tab_opened_too_often_does_not_ask_genesys() -> None:
    async with open_journey(COBROWSE_PERSON_INQUIRIES_PER_MINUTE="3") as journey:
        await journey.asks("Deal")
        home = await opens_home(journey, ANA)
        for _ in range(5):
            await journey.slack.press(ANA, home, "home_refresh")
        await journey.finish()
        assert 1 <= journey.genesys.count("read") <= 3
