"""Define which loads are measured on which peers, and in which order: all peers in turn, round by round."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.load import Window
from benchmarks.peers import Peer
from benchmarks.subject import Subject, running, warm_up

AGE_SECONDS = 150.0
"""A process older than this is restarted: the bot caches Slack users for five minutes, and caches have to be warm."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load: `in_flight` unanswered commands (closed loop) or `rate` commands per second (open loop)."""

    transport: str
    in_flight: int = 0
    rate: float = 0

    @property
    def name(self) -> str:
        transport = "HTTP" if self.transport == "http" else "Socket Mode"
        return (
            f"{transport}, {self.in_flight} in flight" if self.in_flight else f"{transport}, {self.rate:g}/s open loop"
        )


FULL = (
    Scenario("http", in_flight=32),
    Scenario("http", rate=200),
    Scenario("http", rate=300),
    Scenario("http", in_flight=200),
    Scenario("socket", in_flight=32),
    Scenario("socket", rate=200),
)
QUICK = (Scenario("http", in_flight=8), Scenario("socket", rate=50))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure, and where temporary files go."""

    peers: list[Peer]
    scenarios: tuple[Scenario, ...]
    rounds: int
    seconds: float
    settle_seconds: float
    people: int
    scratch: Path
    say: Callable[[str], None]


async def loads(plan: Plan) -> list[Figures]:
    """Measure every scenario in every round, all peers one after another. Another peer begins each round."""
    results: list[Figures] = []
    for number in range(plan.rounds):
        for transport in dict.fromkeys(scenario.transport for scenario in plan.scenarios):
            async with fleet(plan, transport) as subjects:
                for scenario in plan.scenarios:
                    if scenario.transport == transport:
                        turn = number % len(plan.peers)
                        for peer in plan.peers[turn:] + plan.peers[:turn]:
                            found = await subjects.measure(peer, scenario)
                            names = {"scenario": scenario.name, "peer": peer.name, "round": number}
                            results.append(names | found)
                            plan.say(line(results[-1]))
    return results


class Fleet:
    """One running subject for each peer. A subject that is old or lost a command is replaced."""

    def __init__(self, plan: Plan, transport: str, stack: AsyncExitStack) -> None:
        self._plan, self._transport, self._stack = plan, transport, stack
        self._subjects: dict[str, Subject] = {}
        self._stacks: dict[str, AsyncExitStack] = {}

    async def measure(self, peer: Peer, scenario: Scenario) -> Figures:
        subject = await self._fresh(peer)
        found = figures.of_window(await window(subject, scenario, self._plan))
        if found["lost"]:
            await self._drop(peer)
        total = subject.upstream.calls
        found["totals"] = {"commands": subject.load.sent, "create": total["create"], "answer": total["answer"]}
        found["rss_mb"] = sum(server.rss_mb() for server in subject.servers) if peer.name in self._subjects else None
        return found

    async def _fresh(self, peer: Peer) -> Subject:
        subject = self._subjects.get(peer.name)
        if subject and subject.age_seconds < AGE_SECONDS:
            return subject
        await self._drop(peer)
        stack = self._stacks[peer.name] = await self._stack.enter_async_context(AsyncExitStack())
        subject = await stack.enter_async_context(
            running(peer, self._transport, self._plan.scratch, people=self._plan.people)
        )
        await warm_up(subject)
        self._subjects[peer.name] = subject
        return subject

    async def _drop(self, peer: Peer) -> None:
        self._subjects.pop(peer.name, None)
        if stack := self._stacks.pop(peer.name, None):
            await stack.aclose()


@asynccontextmanager
async def fleet(plan: Plan, transport: str) -> AsyncIterator[Fleet]:
    """Yield a fleet of peers behind one kind of transport. Each starts when it is first measured."""
    async with AsyncExitStack() as stack:
        yield Fleet(plan, transport, stack)


async def window(subject: Subject, scenario: Scenario, plan: Plan) -> Window:
    """Send the load until it has settled, then measure. Return the window."""
    load = subject.load
    if scenario.in_flight:
        return await load.closed(scenario.in_flight, settle_seconds=plan.settle_seconds, seconds=plan.seconds)
    return await load.open(scenario.rate, settle_seconds=plan.settle_seconds, seconds=plan.seconds)


def line(result: Figures) -> str:
    """Return one line with a window's figures, to show progress."""
    cells = [f"{result['scenario']:24}", f"{result['peer']:12}", f"{result['cpu_ms']:6.2f} ms CPU"]
    for name, unit in (("ack_p99_ms", "ms ack p99"), ("end_p99_ms", "ms end p99"), ("delivered_per_s", "/s")):
        value = result[name]
        cells.append(f"{value:7.1f} {unit}" if value is not None else f"      - {unit}")
    cells.append(f"{result['lost']} lost" if result["lost"] else "")
    cells.append(f"others took {result['others_percent']:.0f} %" if result["others_percent"] > 5 else "")
    return "  ".join(cells).rstrip()
