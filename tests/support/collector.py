"""A collector of traces: takes OTLP over HTTP as an OpenTelemetry collector does, and shows what came."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.support.app import Journey, Servers

SECONDS = 20.0
PATH = "/v1/traces"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""On top of an environment: spans are sent after so many milliseconds, and not after five seconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it came. `resource` describes the process. `error` is the text of a status that is an error."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    began: int
    ended: int
    attributes: dict[str, Any]
    resource: dict[str, Any]
    error: str = ""


@dataclass(slots=True)
class Collector:
    """The spans and headers that came. `status` is what it answers, once `answers` is set."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.headers.append(dict(request.headers))
        await self.answers.wait()
        if self.status == 200:
            self.bodies.append(body)
            self.spans += read_spans(body)
        return web.Response(status=self.status, content_type="application/x-protobuf")

    async def until(self, is_so: Callable[[list[Span]], object]) -> list[Span]:
        """Wait until the spans that came are as wanted, and return them, the earliest first."""
        async with asyncio.timeout(SECONDS):
            while not is_so(self.spans):  # noqa: ASYNC110 - another process sends them
                await asyncio.sleep(0.02)
        return sorted(self.spans, key=lambda span: span.began)

    def text(self) -> str:
        """Return all that came as text: the spans, and the bytes that held them."""
        return "\n".join([*map(str, self.spans), *(body.decode("latin-1") for body in self.bodies)])

    async def named(self, *names: str) -> list[Span]:
        """Wait until there is a span of each of these names."""
        return await self.until(lambda spans: set(names) <= {span.name for span in spans})


@asynccontextmanager
async def open_collector() -> AsyncIterator[Collector]:
    """Start a collector on a free port."""
    collector, app = Collector(), web.Application()
    app.router.add_post(PATH, collector.handle)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def traced(collector: Collector) -> dict[str, str]:
    """Return the environment of a bot that exports to this collector."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **QUICK}


def read_spans(body: bytes) -> Iterator[Span]:
    """Decode the body of an export."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        described = {each.key: plain(each.value) for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    attributes={each.key: plain(each.value) for each in span.attributes},
                    resource=described,
                    error=span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else "",
                )
                assert not span.events, "an event may hold the text of an exception"


def plain(value: AnyValue) -> Any:
    """Return a value of an attribute as one of Python."""
    kind = value.WhichOneof("value")
    return [plain(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, str(kind))


def tree(spans: list[Span]) -> list[tuple[str, str]]:
    """Return the name of each span with that of its parent, "" for a root, in the order in which they began."""
    names = {span.span_id: span.name for span in spans}
    return [(span.name, names.get(span.parent_id, "?") if span.parent_id else "") for span in spans]


def people_of(servers: Servers | Journey) -> set[str]:
    """Return the ids, names and addresses of all people, and the ids of sessions, channels, and workspaces."""
    users, channels = servers.slack.workspace.users.values(), servers.slack.workspace.channels
    named = {word for user in users for word in (user.id, user.team_id, user.real_name, user.email) if word}
    return named | {*channels, *servers.genesys.users, *servers.genesys.sessions}
