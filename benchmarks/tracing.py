"""Measure what traces cost: bots with and without them, in turn, and a collector on the driver's core."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.peers import BOT
from benchmarks.plan import Plan, Scenario, line, window
from benchmarks.subject import running, warm_up

SCENARIO = Scenario("http", in_flight=32)
OFF, ALL, TENTH = "bot without traces", "bot with traces", "bot with a tenth"
SAMPLED = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"


async def tracing(plan: Plan) -> list[Figures]:
    """Measure and return one result for each bot and round. A bot keeps its process through all rounds."""
    results: list[Figures] = []
    async with AsyncExitStack() as stack:
        export = {"OTEL_EXPORTER_OTLP_ENDPOINT": await stack.enter_async_context(_collector())}
        subjects = []
        for name, more in ((OFF, {}), (ALL, export), (TENTH, export | SAMPLED)):
            subject = await stack.enter_async_context(running(BOT, "http", plan.scratch, more=more))
            await warm_up(subject)
            subjects.append((name, subject))
        for number in range(plan.rounds):
            turn = number % len(subjects)
            for name, subject in subjects[turn:] + subjects[:turn]:
                found = figures.of_window(await window(subject, SCENARIO, plan))
                results.append({"scenario": SCENARIO.name, "peer": name, "round": number, **found})
                plan.say(line(results[-1]))
    return results


@asynccontextmanager
async def _collector() -> AsyncIterator[str]:
    """Accept every export with 200, unread, and yield the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
