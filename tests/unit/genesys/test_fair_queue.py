"""Test the fair queue: round-robin between requesters, first in first out for each, sessions before the rest."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.genesys.rate_limit import FairQueue, RateWindow


class Window(RateWindow):
    """A window with room for `free` calls. It estimates a wait of one second, and ten more for each call ahead."""

    def __init__(self, free: int = 0) -> None:
        super().__init__()
        self.free = free
        self.opens_in = 3600.0

    def try_acquire(self) -> bool:
        took = self.free > 0
        self.free -= took
        return took

    def release(self, headers: Mapping[str, str] | None = None, *, reached: bool = True) -> None:
        self.free += 1

    def estimate_wait(self, ahead: int) -> float:
        return 1.0 + 10.0 * ahead

    def seconds_until_open(self) -> float:
        return self.opens_in


class Caller:
    """Call hooks that record the announced waits."""

    def __init__(self, requester: str) -> None:
        self.fairness_key = requester
        self.waits: list[float] = []

    async def before_send(self) -> None:
        raise AssertionError("only the client calls this hook")

    async def on_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Scene:
    """A queue before a window. It records the order in which calls are sent."""

    def __init__(self, free: int = 0) -> None:
        self.window = Window(free)
        self.queue = FairQueue(self.window)
        self.went: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, *calls: str, continues: bool = False) -> None:
        """Start calls named after their requester, such as "ana1"; names with a leading "-" are background calls."""
        for call in calls:
            caller = None if call.startswith("-") else Caller(call.rstrip("0123456789"))
            self.tasks[call] = asyncio.create_task(self._run(call, caller, continues))
            await asyncio.sleep(0)

    async def _run(self, call: str, caller: Caller | None, continues: bool) -> None:
        await self.queue.acquire(caller, continues=continues)
        self.went.append(call)

    async def free(self, calls: int) -> list[str]:
        """Make room for `calls` more, and return the calls that were sent."""
        before = len(self.went)
        self.window.free += calls
        self.queue.release_next()
        for _ in range(3):
            await asyncio.sleep(0)
        return self.went[before:]

    def cancel_all(self) -> None:
        for task in self.tasks.values():
            task.cancel()


async def test_nobody_waits_while_there_is_room():
    scene = Scene(free=2)
    await scene.start("ana1", "-list")
    assert scene.went == ["ana1", "-list"]


async def test_turns_go_round_between_people_and_in_order_for_each():
    scene = Scene()
    await scene.start("sam1", "sam2", "sam3", "ana1", "ben1", "ana2")
    assert await scene.free(6) == ["sam1", "ana1", "ben1", "sam2", "ana2", "sam3"]


async def test_a_late_single_call_does_not_wait_for_all_of_anothers():
    scene = Scene()
    await scene.start(*(f"sam{number}" for number in range(60)))
    assert await scene.free(2) == ["sam0", "sam1"]
    await scene.start("ana1")
    assert await scene.free(2) == ["sam2", "ana1"]


async def test_background_calls_yield_to_sessions():
    scene = Scene()
    await scene.start("-list", "-find", "ana1", "ben1")
    assert await scene.free(3) == ["ana1", "ben1", "-list"]
    await scene.start("ana2")
    assert await scene.free(2) == ["ana2", "-find"]


async def test_a_session_does_not_wait_for_background_calls():
    scene = Scene()
    await scene.start("-list")
    scene.window.free = 1
    await scene.start("ana1")
    assert scene.went == ["ana1"]
    scene.cancel_all()


async def test_a_call_that_continues_a_session_goes_first():
    scene = Scene()
    await scene.start("ana1", "ben1", "ben2")
    await scene.start("ben0", continues=True)
    assert await scene.free(4) == ["ben0", "ana1", "ben1", "ben2"]


async def test_a_waiting_call_hears_how_long_it_waits():
    scene = Scene()
    await scene.start("sam1", "sam2", "sam3", "ana1")
    caller = Caller("ben")
    waits = asyncio.create_task(scene.queue.acquire(caller))
    await asyncio.sleep(0)
    assert caller.waits == [21.0]  # sam1 and ana1
    late = Caller("sam")
    more = asyncio.create_task(scene.queue.acquire(late))
    await asyncio.sleep(0)
    assert late.waits == [51.0]  # all of them
    await scene.free(6)
    await asyncio.gather(waits, more)


async def test_a_cancelled_call_leaves_the_others_their_order():
    scene = Scene()
    await scene.start("sam1", "sam2", "ana1", "ben1")
    scene.tasks["ana1"].cancel()
    scene.tasks["sam1"].cancel()
    await asyncio.sleep(0)
    assert await scene.free(1) == ["sam2"]
    caller = Caller("una")
    waits = asyncio.create_task(scene.queue.acquire(caller))
    await asyncio.sleep(0)
    assert caller.waits == [11.0]
    assert await scene.free(2) == ["ben1"]
    await waits


async def test_a_turn_given_to_a_cancelled_call_goes_to_the_next():
    scene = Scene()
    await scene.start("ana1", "ben1")
    scene.window.free = 1
    scene.queue.release_next()
    scene.tasks["ana1"].cancel()
    assert await scene.free(0) == ["ben1"]
    assert scene.window.free == 0


@pytest.mark.parametrize("calls", [("ana1", "ben1"), ("ana1", "ana2"), ("-list", "-find"), ("ana1", "-find")])
async def test_a_slot_freed_during_a_cancel_goes_to_the_next(calls: tuple[str, str]):
    scene = Scene()
    cancelled, waiting = calls
    await scene.start(*calls)
    scene.tasks[cancelled].cancel()
    assert await scene.free(1) == [waiting]  # before the cancelled task runs again
    assert scene.window.free == 0
    assert scene.queue.length == 0
    with pytest.raises(asyncio.CancelledError):
        await scene.tasks[cancelled]


async def test_a_slot_freed_during_the_only_cancel_stays_free():
    scene = Scene()
    await scene.start("ana1")
    scene.tasks["ana1"].cancel()
    assert await scene.free(1) == []
    assert scene.window.free == 1
    await scene.start("ben1")
    assert scene.went == ["ben1"]


async def test_a_cancelled_call_leaves_its_requester_the_turn():
    scene = Scene()
    await scene.start("sam1", "sam2", "ana1", "ben1")
    scene.tasks["sam1"].cancel()
    assert await scene.free(2) == ["sam2", "ana1"]
    caller = Caller("una")
    waits = asyncio.create_task(scene.queue.acquire(caller))
    await asyncio.sleep(0)
    assert caller.waits == [11.0]
    assert await scene.free(2) == ["ben1"]
    await waits


async def test_a_call_refused_while_it_waits_leaves_the_queue():
    class Impatient(Caller):
        async def on_wait(self, seconds: float) -> None:
            raise LookupError

    scene = Scene()
    with pytest.raises(LookupError):
        await scene.queue.acquire(Impatient("ana"))
    await scene.start("ben1")
    assert await scene.free(1) == ["ben1"]


async def test_when_the_limit_opens_by_itself_the_queue_goes_on():
    scene = Scene()
    scene.window.opens_in = 0.01
    await scene.start("ana1")
    scene.window.free = 1
    await asyncio.wait_for(scene.tasks["ana1"], 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40), st.integers(0, 45), st.booleans())
def test_each_call_that_stays_gets_exactly_one_turn(calls: list[tuple[str, bool]], free: int, is_late: bool) -> None:
    async def scene() -> None:
        scene = Scene()
        names = [f"{who}{number}" for number, (who, _) in enumerate(calls)]
        await scene.start(*names)
        early = await scene.free(min(free, len(names)))
        gone = {name for name, (_, leaves) in zip(names, calls, strict=True) if leaves and name not in early}
        for name in gone:
            scene.tasks[name].cancel()
        if not is_late:  # otherwise there is room before a cancelled task runs again
            await asyncio.sleep(0)
        await scene.free(len(names))
        assert sorted(scene.went) == sorted(set(names) - gone)
        for who in "abc":  # in order
            mine = [name for name in scene.went if name.startswith(who)]
            assert mine == [name for name in names if name in mine]

    asyncio.run(scene())
