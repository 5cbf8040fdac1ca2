"""Record traces with OpenTelemetry, and export them by OTLP over HTTP.

The bot loads this module only if traces are on, because the module needs the extra `otel`. A span never contains a
person, a link, an address, the text of an error, or text that somebody wrote. Names of attributes follow
OpenTelemetry's semantic conventions: https://opentelemetry.io/docs/specs/semconv/
"""

import asyncio
import logging
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from slack_sdk.errors import SlackApiError

from bot import __version__
from bot.core.errors import CobrowseError
from bot.core.models import Request, RequestId, RequestState, Session, SlackUser
from bot.core.ports import Accepted, F, RequestRepository, StoredRequest, T, Tracer
from bot.core.requests.events import RequestFinished, RequestRejected
from bot.observability.throttled_log import ThrottledLog

SERVICE_NAME = "cobrowse-bot"
MIN_WAIT_SECONDS = 0.001
"""The shortest wait for the rate limit that gets a span."""
MAX_ID_LENGTH = 64
_EXPORT_LOG_SECONDS = 60.0
_CODE = re.compile(r"[a-z0-9_]{1,64}")
_METHOD = re.compile(r"[A-Za-z.]{1,64}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9-]")
PATH_WORDS = frozenset(
    (
        *("api", "v2", "agentless", "analytics", "applications", "authorization", "cobrowse", "conversations"),
        *("deployments", "details", "emails", "me", "messages", "oauth", "query", "search", "subjects", "token"),
        *("tokens", "users", "webdeployments"),
    )
)
"""The fixed parts of the paths in Genesys's API. Any other part may be an id, which a span must not contain."""
PAYLOAD_TYPES = frozenset(
    (
        *("block_actions", "block_suggestion", "event_callback", "message_action", "shortcut", "slash_command"),
        *("view_closed", "view_submission"),
    )
)
EVENT_TYPES = frozenset(("app_home_opened", "function_executed"))
_PROPAGATOR = TraceContextTextMapPropagator()
_ERROR_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.CancelledError, "cancelled"),
    (TimeoutError, "timeout"),
    (httpx.ConnectError, "unreached"),
    (httpx.HTTPError, "no_answer"),
    (aiohttp.ClientConnectorError, "unreached"),
    (aiohttp.ClientError, "no_answer"),
)
"""Codes for exceptions that have no attribute `code`. If an exception is an instance of several of these classes, the
first entry applies."""


@asynccontextmanager
async def open_telemetry(*, to_genesys: bool, export_timeout: float) -> AsyncIterator[Tracer]:
    """Start the export of traces, and yield the tracer. At the end of the `with` block, export the last spans.

    - `to_genesys`: whether calls to Genesys carry W3C's headers with the trace's id.
    - `export_timeout`: the maximum duration of the last export, in seconds.

    OpenTelemetry reads its settings (OTEL_…) from the environment of the process.
    """
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # QuietExporter writes these lines
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(QuietExporter(OTLPSpanExporter())))
    try:
        yield SpanTracer(provider, to_genesys=to_genesys)
    finally:
        await _shut_down(provider, export_timeout)


def _resource() -> Resource:
    """Return the OpenTelemetry attributes of this process.

    OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence over the values that the bot sets.
    """
    own = {"service.name": SERVICE_NAME, "service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    return Resource.create(own).merge(OTELResourceDetector().detect())


async def _shut_down(provider: TracerProvider, timeout: float) -> None:  # noqa: ASYNC109 - the thread goes on after it
    """Export the last spans in a daemon thread, and wait for the thread for `timeout` seconds at most."""
    done, loop = asyncio.Event(), asyncio.get_running_loop()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, name="last spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await done.wait()


class QuietExporter(SpanExporter):
    """Exports spans with another exporter, and logs failed exports, at most one line a minute.

    OpenTelemetry's own log lines contain the collector's address and answer. So `open_telemetry` turns them off, and
    this class writes log lines in their place.

    Create the object in a running event loop. OpenTelemetry calls `export` in another thread, but this class writes its
    log lines in the event loop.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter, self._loop = exporter, asyncio.get_running_loop()
        self._log = ThrottledLog(logging.getLogger(__name__), _EXPORT_LOG_SECONDS)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:  # nothing of it may be logged
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            with suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(self._note, len(spans))
        return result

    def _note(self, spans: int) -> None:
        self._log.warning("traces are not exported", "export", spans=spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class SpanTracer(Tracer):
    """Records the steps of requests as spans with OpenTelemetry.

    A trace begins with a payload from Slack. Work without a payload, such as the sweep of the database, is not
    recorded. For the methods without a docstring, see the base class in bot/core/ports.py.
    """

    def __init__(self, provider: TracerProvider, *, to_genesys: bool = False) -> None:
        self._tracer, self._to_genesys = provider.get_tracer("bot", __version__), to_genesys
        self.exemplar = current_ids
        self.subscribers = (record_outcome,)

    def receiving(self, dispatch: F, *, over_http: bool) -> F:
        async def traced(app: Any, request: Any, metrics: Any) -> Any:
            name, kind, attributes = payload_span(request.body, over_http=over_http)
            with self.span(name, kind, attributes, Context()) as span:
                response = await dispatch(app, request, metrics)
                if over_http:
                    span.set_attribute("http.response.status_code", response.status)
                return response

        return cast(F, traced)

    def storing(self, store: RequestRepository) -> RequestRepository:
        return TracedRequests(store, self)

    def processing(self, process: F) -> F:
        async def traced(stored: StoredRequest, *arguments: Any) -> Any:
            request, is_resumed = stored.request, not has_trace()
            if not is_resumed and not is_recorded():
                return await process(stored, *arguments)
            attributes = request_attributes(request) | {"cobrowse.request.resumed": is_resumed}
            context = read_context(request.trace_context) if is_resumed else None
            with self.span(f"request {request.kind.value}", SpanKind.INTERNAL, attributes, context):
                if is_resumed:
                    self.past_span("queue", {}, request.accepted_at.timestamp())
                return await process(stored, *arguments)

        return cast(F, traced)

    def resolving(self, look_up: F) -> F:
        async def traced(*arguments: Any) -> Any:
            if not is_recorded():
                return await look_up(*arguments)
            with self.span("host look-up") as span:
                found = await look_up(*arguments)
                span.set_attribute("cobrowse.host.rule", found[0].rule)
                return found

        return cast(F, traced)

    def waiting(self, acquire: F) -> F:
        async def traced(*arguments: Any, **how: Any) -> Any:
            began, code = time.time(), ""
            try:
                return await acquire(*arguments, **how)
            except BaseException as error:
                code = code_of(error)
                raise
            finally:
                if is_recorded() and time.time() - began >= MIN_WAIT_SECONDS:
                    self.past_span("rate limit", {}, began, code)

        return cast(F, traced)

    def calling_genesys(self, transport: T) -> T:
        assert isinstance(transport, httpx.AsyncBaseTransport)  # noqa: S101 - the port knows no HTTP library
        return cast(T, TracedTransport(transport, self, has_headers=self._to_genesys))

    def calling_slack(self, api_call: F) -> F:
        async def traced(api_method: str, **how: Any) -> Any:
            if not is_recorded():
                return await api_call(api_method, **how)
            method = api_method if _METHOD.fullmatch(api_method) else "other"
            with self.span(method, SpanKind.CLIENT, {"slack.method": method}):
                return await api_call(api_method, **how)

        return cast(F, traced)

    def posting(self, post: F) -> F:
        async def traced(url: str, data: bytes) -> Any:
            if not is_recorded():
                return await post(url, data)
            with self.span("POST response_url", SpanKind.CLIENT, {"http.request.method": "POST"}) as span:
                answer = await post(url, data)
                set_http_status(span, answer[0])
                return answer

        return cast(F, traced)

    @contextmanager
    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, str | int | bool] | None = None,
        context: Context | None = None,
    ) -> Iterator[Span]:
        """Record the `with` block as a span.

        If the block raises an exception, mark the span as an error with the exception's code, but without its text.

        `context`: holds the span's parent. If it holds no span, a new trace begins. If `context` is None, the parent is
        the current span.
        """
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                fail(span, code_of(error))
                raise

    def past_span(self, name: str, attributes: Mapping[str, str], began: float, code: str = "") -> None:
        """Record a span that began in the past and ends now. Its parent is the current span.

        - `began`: the start of the span, in seconds since 1970.
        - `code`: the code of the span's error; "" for no error.
        """
        span = self._tracer.start_span(name, attributes=attributes, start_time=int(began * 1e9))
        if code:
            fail(span, code)
        span.end()


class TracedRequests:
    """Stores requests with another RequestRepository, and records a span when a request is stored or changes its state.

    Each new request is stored with the context of the current trace, so that the trace can go on after a crash.
    """

    def __init__(self, store: RequestRepository, tracer: SpanTracer) -> None:
        self._store, self._tracer = store, tracer
        self._attributes = {"db.system.name": "postgresql" if store.shared else "sqlite"}

    @property
    def shared(self) -> bool:
        return self._store.shared

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        traced = replace(request, trace_context=current_context())
        if not is_recorded():
            return await self._store.accept(traced, agent)
        with self._tracer.span("store accepted", attributes=self._attributes | request_attributes(request)) as span:
            accepted = await self._store.accept(traced, agent)
            span.set_attribute("cobrowse.request.is_new", accepted.is_new)
            return accepted

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        if not is_recorded():
            return await self._store.advance(request_id, from_, to, session=session, failure=failure)
        with self._tracer.span(f"store {to.value}", attributes=self._attributes):
            return await self._store.advance(request_id, from_, to, session=session, failure=failure)

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        return await self._store.find(request_id)

    async def find_by_key(self, key: str) -> StoredRequest | None:
        return await self._store.find_by_key(key)

    async def orphans(self) -> Sequence[StoredRequest]:
        return await self._store.orphans()

    async def sweep(self) -> None:
        await self._store.sweep()


class TracedTransport(httpx.AsyncBaseTransport):
    """Sends HTTP requests to Genesys with another transport, and records each as a span. A retry is another span.

    `has_headers`: whether the HTTP requests carry the id of the trace, in W3C's header `traceparent`.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, tracer: SpanTracer, *, has_headers: bool) -> None:
        self._transport, self._tracer, self._has_headers = transport, tracer, has_headers
        self._sent: WeakKeyDictionary[httpx.Request, int] = WeakKeyDictionary()
        """How many times each HTTP request was sent. For a retry, the client sends the same Request object again."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not is_recorded():
            return await self._transport.handle_async_request(request)
        route, resends = route_of(request.url.path), self._sent.get(request, 0)
        self._sent[request] = resends + 1
        attributes: dict[str, str | int | bool] = {
            "http.request.method": request.method,
            "url.template": route,
            "server.address": request.url.host,
            "server.port": request.url.port or (443 if request.url.scheme == "https" else 80),
        }
        if resends:
            attributes["http.request.resend_count"] = resends
        with self._tracer.span(f"{request.method} {route}", SpanKind.CLIENT, attributes) as span:
            if self._has_headers:
                _PROPAGATOR.inject(request.headers)
            response = await self._transport.handle_async_request(request)
            if correlation_id := _NOT_IN_ID.sub("", response.headers.get("ININ-Correlation-Id", ""))[:MAX_ID_LENGTH]:
                span.set_attribute("http.response.header.inin-correlation-id", [correlation_id])
            set_http_status(span, response.status_code)
            return response

    async def aclose(self) -> None:
        await self._transport.aclose()


def record_outcome(event: RequestFinished | RequestRejected) -> None:
    """Write the outcome of a request to the current span. Mark the span as an error if the request failed.

    An answer that reached nobody is an error, too.
    """
    result = event.result if isinstance(event, RequestFinished) else event.error
    span = trace.get_current_span()
    if not span.is_recording():  # it is left out, or has ended
        return
    span.set_attribute("cobrowse.request.outcome", result.code)
    if isinstance(result, CobrowseError):
        fail(span, result.code)
    elif isinstance(event, RequestFinished) and not event.reached:
        fail(span, "unreached")


def request_attributes(request: Request) -> dict[str, str | int | bool]:
    """Return the request's id and kind, as attributes of a span."""
    return {"cobrowse.request.id": request.id, "cobrowse.request.kind": request.kind.value}


def payload_span(body: Mapping[str, Any], *, over_http: bool) -> tuple[str, SpanKind, dict[str, str | int | bool]]:
    """Return the name, the kind and the attributes of the span for a payload from Slack.

    `over_http`: True if the payload came over HTTP, False if over Socket Mode.
    """
    named = "slash_command" if "command" in body and "type" not in body else body.get("type")
    payload = _known(named, PAYLOAD_TYPES)
    attributes: dict[str, str | int | bool] = {"slack.payload.type": payload}
    event = body.get("event")
    if payload == "event_callback" and isinstance(event, dict):
        attributes["slack.event.type"] = _known(event.get("type"), EVENT_TYPES)
    if not over_http:
        messaging = {"messaging.system": "slack", "messaging.operation.type": "process"}
        return f"process {payload}", SpanKind.CONSUMER, attributes | messaging
    http = {"http.request.method": "POST", "http.route": "/slack/events", "url.path": "/slack/events"}
    return "POST /slack/events", SpanKind.SERVER, attributes | http | {"url.scheme": "http"}


def _known(value: object, words: frozenset[str]) -> str:
    return value if isinstance(value, str) and value in words else "other"


def route_of(path: str) -> str:
    """Return a path of Genesys's API with `{id}` in place of each part that is not in PATH_WORDS."""
    return "/".join(part if part in PATH_WORDS or not part else "{id}" for part in path.split("/"))


def set_http_status(span: Span, status: int) -> None:
    """Write an HTTP status to a span. If the status is 400 or higher, mark the span as an error."""
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        fail(span, str(status))


def fail(span: Span, code: str) -> None:
    """Mark the span as an error with this code."""
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, code))


def code_of(error: BaseException) -> str:
    """Return a code for an exception: its attribute `code`, Slack's error code, or its code in `_ERROR_CODES`.

    Return "unexpected" if the exception has none of these codes.
    """
    code = _slack_code(error) if isinstance(error, SlackApiError) else getattr(error, "code", None)
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    return next((known for kind, known in _ERROR_CODES if isinstance(error, kind)), "unexpected")


def _slack_code(error: SlackApiError) -> object:
    """Return the error code in Slack's answer; None if the answer contains no error code."""
    with suppress(Exception):  # slack_sdk raises ValueError for bytes
        return error.response.get("error")
    return None


def has_trace() -> bool:
    """Return whether there is a current span, recorded or not."""
    return trace.get_current_span().get_span_context().is_valid


def is_recorded() -> bool:
    """Return whether OpenTelemetry records the current trace.

    Return False if there is no current trace, or if OpenTelemetry's sampler excludes the trace.
    """
    return trace.get_current_span().get_span_context().trace_flags.sampled


def current_ids() -> dict[str, str] | None:
    """Return the ids of the current trace and span, as `trace_id` and `span_id`.

    Return None if there is no current span, or if its trace is not recorded.
    """
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def current_context() -> str | None:
    """Return the ids of the current trace and span as a text that can be stored; None if there is no trace.

    The text is the value of W3C's header `traceparent`, or the values of `traceparent` and `tracestate` with ", "
    between them.
    """
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return ", ".join(carrier.values()) or None


def read_context(stored: str | None) -> Context:
    """Return the context that a text from `current_context` describes.

    For None or any other text, return a context without a trace.
    """
    parent, _, state = (stored or "").partition(", ")
    return _PROPAGATOR.extract({"traceparent": parent, "tracestate": state}, Context())
