"""Send commands in a closed or an open loop, and measure the time from when each was due to its answer.

In an open loop the clock says when a command is due. Its time counts from then, even if the driver or the peer was
late, so slow phases are not left out (no coordinated omission).
"""

import asyncio
import gc
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic  # uvloop's clock has a resolution of milliseconds only

from benchmarks.process import Server, busy_seconds, cores, own_cpu_seconds
from benchmarks.transports import Transport
from benchmarks.upstream import Upstream

PEOPLE = [f"U0AGENT{number:03d}" for number in range(10_000)]
USUAL_PEOPLE = 500
"""How many of them type, unless a measurement says otherwise."""
DRAIN_SECONDS = 5.0
"""How long to wait for answers after the last command. A command without an answer counts as lost."""
ACK_SECONDS = 3.0
"""How long Slack waits for an acknowledgement."""
TIMER_SECONDS = 0.002
"""How late a timer of the event loop can be. An open loop polls the clock for this long before a command is due."""


@dataclass(slots=True)
class Command:
    """One command. Its times are those of time.monotonic."""

    due: float
    acked: float | None = None
    refused: bool = False
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters, read at both ends of a measured window."""

    at: float
    answers: int
    cpu_seconds: float
    core_seconds: float
    driver_seconds: float
    connections: Counter[str]


@dataclass(frozen=True, slots=True)
class Window:
    """A measured window: the commands that were due in it, and the readings at its ends.

    `sent` and `calls` count the whole load, from before the first command until after the last answer.
    """

    commands: list[Command] = field(repr=False)
    before: Reading
    after: Reading
    sent: int
    calls: Counter[str]


class Load:
    """Sends load to one peer: through its transport, with its processes and upstream observed."""

    def __init__(self, transport: Transport, upstream: Upstream, servers: list[Server], people: int) -> None:
        self._transport, self._upstream, self._servers = transport, upstream, servers
        self._people = PEOPLE[:people]
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._under_way: dict[int, Command] = {}
        self._commands: list[Command] = []
        self._next: Callable[[], None] | None = None
        upstream.on_answer = self._answered

    @property
    def people(self) -> int:
        """Return how many people type commands."""
        return len(self._people)

    @property
    def sent(self) -> int:
        """Return how many commands were sent in all."""
        return len(self._commands)

    async def commands(self, count: int, in_flight: int) -> None:
        """Send `count` commands with at most `in_flight` unanswered, and wait for all answers."""
        left = iter(range(count - min(count, in_flight)))

        def begin_next() -> None:
            if next(left, None) is not None:
                self._begin(monotonic())

        self._next = begin_next
        for _ in range(min(count, in_flight)):
            self._begin(monotonic())
        await self._drained(600.0)

    async def closed(self, in_flight: int, *, settle_seconds: float, seconds: float) -> Window:
        """Keep `in_flight` commands unanswered: send the next when one is answered. Return the measured window."""
        self._next = lambda: self._begin(monotonic())
        first, calls = self.sent, self._upstream.calls.copy()
        for _ in range(in_flight):
            self._begin(monotonic())
        return await self._measured(first, calls, monotonic() + settle_seconds, seconds)

    async def open(self, rate: float, *, settle_seconds: float, seconds: float) -> Window:
        """Send `rate` commands per second, evenly, whatever the peer does. Return the measured window."""
        self._next = None
        first, calls, start = self.sent, self._upstream.calls.copy(), monotonic()
        dues = (start + number / rate for number in range(round(rate * (settle_seconds + seconds))))
        self._tick(next(dues), dues)
        return await self._measured(first, calls, start + settle_seconds, seconds)

    def _tick(self, due: float | None, dues: Iterator[float]) -> None:
        while due is not None and due <= monotonic():
            self._begin(due)
            due = next(dues, None)
        if due is None:
            return
        ahead = due - monotonic()
        if ahead > TIMER_SECONDS:
            self._loop.call_later(ahead - TIMER_SECONDS, self._tick, due, dues)
        else:
            self._loop.call_soon(self._tick, due, dues)

    async def _measured(self, first: int, calls: Counter[str], start: float, seconds: float) -> Window:
        gc.collect()
        gc.disable()  # a pause of the driver would count as the peer's
        try:
            await asyncio.sleep(start - monotonic())
            before = self._read()
            await asyncio.sleep(start + seconds - monotonic())
            after = self._read()
            self._next = None
            await self._drained(DRAIN_SECONDS)
        finally:
            gc.enable()
        commands = [one for one in self._commands[first:] if before.at <= one.due < after.at]
        return Window(commands, before, after, self.sent - first, self._upstream.calls - calls)

    def _read(self) -> Reading:
        return Reading(
            monotonic(),
            self._upstream.calls["answer"],
            sum(server.cpu_seconds() for server in self._servers),
            busy_seconds(cores()[1]),
            own_cpu_seconds(),
            self._upstream.connections.copy(),
        )

    async def _drained(self, seconds: float) -> None:
        """Wait at most `seconds` until all commands are answered. Forget the others, which count as lost."""
        deadline = monotonic() + seconds
        while self._under_way and monotonic() < deadline:  # noqa: ASYNC110 - an event would add cost to every command
            await asyncio.sleep(0.01)
        self._under_way.clear()

    def _begin(self, due: float) -> None:
        number = next(self._numbers)
        command = Command(due)
        self._commands.append(command)
        self._under_way[number] = command
        self._transport.send(self._payload(number), lambda acked: self._acked(number, command, acked))

    def _acked(self, number: int, command: Command, acked: bool) -> None:
        command.acked, command.refused = monotonic(), not acked
        self._end(number, command)

    def _answered(self, number: int) -> None:
        command = self._under_way.get(number)
        if command and command.answered is None:
            command.answered = monotonic()
            self._end(number, command)

    def _end(self, number: int, command: Command) -> None:
        if command.refused or (command.acked and command.answered):
            ended = self._under_way.pop(number, None)
            if ended and self._next:
                self._next()

    def _payload(self, number: int) -> dict[str, str]:
        user = self._people[number % len(self._people)]
        return {
            "token": "unused",
            "team_id": "T0BENCH",
            "team_domain": "bench",
            "channel_id": "C0CARE",
            "channel_name": "customer-care",
            "user_id": user,
            "user_name": user.lower(),
            "command": "/cobrowse",
            "text": f"Checkout help {number}",  # unique: the bot merges equal commands within ten seconds
            "api_app_id": "A0BENCH",
            "is_enterprise_install": "false",
            "response_url": f"{self._upstream.urls['response_url']}/commands/T0BENCH/{number}",
            "trigger_id": f"1767225600.{number}.{number:032x}",
        }
