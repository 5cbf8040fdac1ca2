"""Whose turn it is when the service makes people wait: fair between people, in order for each, sessions first."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.genesys.fair_queue import FairQueue


class Limited:
    """A limit of so many calls. Each that waits is told a second, and ten more for each before it."""

    def __init__(self, free: int = 0) -> None:
        self.free = free
        self.shut = 3600.0

    def take(self) -> bool:
        took = self.free > 0
        self.free -= took
        return took

    def give_back(self) -> None:
        self.free += 1

    def wait_seconds(self, ahead: int) -> float:
        return 1.0 + 10.0 * ahead

    def shut_seconds(self) -> float:
        return self.shut


class Caller:
    """Somebody whose calls wait, and what they were told."""

    def __init__(self, requester: str) -> None:
        self.fairness_key = requester
        self.told: list[float] = []

    async def before_send(self) -> None:
        raise AssertionError("that is for the client to say")

    async def on_wait(self, seconds: float) -> None:
        self.told.append(seconds)


class Scene:
    """A queue before a limit, and the order in which calls got their turns."""

    def __init__(self, free: int = 0) -> None:
        self.limit = Limited(free)
        self.queue = FairQueue(self.limit)
        self.went: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def comes(self, *calls: str, again: bool = False) -> None:
        """Calls named after their requester, "ana1"; those that begin with "-" are in the background."""
        for call in calls:
            caller = None if call.startswith("-") else Caller(call.rstrip("0123456789"))
            self.tasks[call] = asyncio.create_task(self._goes(call, caller, again))
            await asyncio.sleep(0)

    async def _goes(self, call: str, caller: Caller | None, again: bool) -> None:
        await self.queue.turn(caller, again=again)
        self.went.append(call)

    async def frees(self, calls: int) -> list[str]:
        """So many more may go out; who went."""
        before = len(self.went)
        self.limit.free += calls
        self.queue.hand_out()
        for _ in range(3):
            await asyncio.sleep(0)
        return self.went[before:]

    def ends(self) -> None:
        for task in self.tasks.values():
            task.cancel()


async def test_nobody_waits_while_there_is_room():
    scene = Scene(free=2)
    await scene.comes("ana1", "-list")
    assert scene.went == ["ana1", "-list"]


async def test_turns_go_round_between_people_and_in_order_for_each():
    scene = Scene()
    await scene.comes("sam1", "sam2", "sam3", "ana1", "ben1", "ana2")
    assert await scene.frees(6) == ["sam1", "ana1", "ben1", "sam2", "ana2", "sam3"]


async def test_who_comes_later_with_one_call_does_not_wait_for_all_of_anothers():
    scene = Scene()
    await scene.comes(*(f"sam{number}" for number in range(60)))
    assert await scene.frees(2) == ["sam0", "sam1"]
    await scene.comes("ana1")
    assert await scene.frees(2) == ["sam2", "ana1"]


async def test_calls_in_the_background_yield_to_sessions_whenever_they_came():
    scene = Scene()
    await scene.comes("-list", "-find", "ana1", "ben1")
    assert await scene.frees(3) == ["ana1", "ben1", "-list"]
    await scene.comes("ana2")
    assert await scene.frees(2) == ["ana2", "-find"]


async def test_a_session_does_not_wait_for_what_waits_in_the_background():
    scene = Scene()
    await scene.comes("-list")
    scene.limit.free = 1
    await scene.comes("ana1")
    assert scene.went == ["ana1"]
    scene.ends()


async def test_what_had_its_turn_before_has_the_next():
    scene = Scene()
    await scene.comes("ana1", "ben1", "ben2")
    await scene.comes("ben0", again=True)
    assert await scene.frees(4) == ["ben0", "ana1", "ben1", "ben2"]


async def test_who_waits_is_told_how_many_are_before_them():
    scene = Scene()
    await scene.comes("sam1", "sam2", "sam3", "ana1")
    caller = Caller("ben")
    waits = asyncio.create_task(scene.queue.turn(caller))
    await asyncio.sleep(0)
    assert caller.told == [21.0]  # sam1 and ana1
    late = Caller("sam")
    more = asyncio.create_task(scene.queue.turn(late))
    await asyncio.sleep(0)
    assert late.told == [51.0]  # all of them
    await scene.frees(6)
    await asyncio.gather(waits, more)


async def test_who_gives_up_leaves_the_others_their_turns_and_their_order():
    scene = Scene()
    await scene.comes("sam1", "sam2", "ana1", "ben1")
    scene.tasks["ana1"].cancel()
    scene.tasks["sam1"].cancel()
    await asyncio.sleep(0)
    assert await scene.frees(1) == ["sam2"]
    caller = Caller("una")
    waits = asyncio.create_task(scene.queue.turn(caller))
    await asyncio.sleep(0)
    assert caller.told == [11.0]
    assert await scene.frees(2) == ["ben1"]
    await waits


async def test_a_turn_given_to_somebody_who_has_just_gone_is_given_to_the_next():
    scene = Scene()
    await scene.comes("ana1", "ben1")
    scene.limit.free = 1
    scene.queue.hand_out()
    scene.tasks["ana1"].cancel()
    assert await scene.frees(0) == ["ben1"]
    assert scene.limit.free == 0


async def test_who_is_refused_while_they_wait_leaves_the_queue():
    class Impatient(Caller):
        async def on_wait(self, seconds: float) -> None:
            raise LookupError

    scene = Scene()
    with pytest.raises(LookupError):
        await scene.queue.turn(Impatient("ana"))
    await scene.comes("ben1")
    assert await scene.frees(1) == ["ben1"]


async def test_when_the_limit_opens_by_itself_the_queue_goes_on():
    scene = Scene()
    scene.limit.shut = 0.01
    await scene.comes("ana1")
    scene.limit.free = 1
    await asyncio.wait_for(scene.tasks["ana1"], 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40), st.integers(0, 45))
def test_whatever_comes_and_goes_each_call_that_stays_gets_one_turn(calls: list[tuple[str, bool]], free: int) -> None:
    async def scene() -> None:
        scene = Scene()
        names = [f"{who}{number}" for number, (who, _) in enumerate(calls)]
        await scene.comes(*names)
        early = await scene.frees(min(free, len(names)))
        gone = {name for name, (_, leaves) in zip(names, calls, strict=True) if leaves and name not in early}
        for name in gone:
            scene.tasks[name].cancel()
        await asyncio.sleep(0)
        await scene.frees(len(names))
        assert sorted(scene.went) == sorted(set(names) - gone)
        for who in "abc":  # in order
            mine = [name for name in scene.went if name.startswith(who)]
            assert mine == [name for name in names if name in mine]

    asyncio.run(scene())
