"""What a collector gets of a request: one trace, its parents, codes of errors; and what it never gets."""

import asyncio
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from slack_sdk.errors import SlackApiError

from bot.config.settings import TracingSettings
from bot.core.ports import NULL_TRACER
from bot.core.timing import CoreTiming
from bot.factories import open_tracer
from bot.observability.tracing import (
    PATH_WORDS,
    code_of,
    current_context,
    open_telemetry,
    payload_span,
    read_context,
    route_of,
)
from tests.support.app import ANA, QUICK_GENESYS, ROOT, SAM, Journey, link, open_journey
from tests.support.collector import Collector, Span, open_collector, people_of, traced, tree
from tests.support.monitoring import get

SEARCH, CREATE = "POST /api/v2/users/search", "POST /api/v2/conversations/cobrowse"
TOKEN, RECEIVED = "POST /oauth/token", "POST /slack/events"
ATTRIBUTES = {
    *("cobrowse.host.rule", "cobrowse.request.id", "cobrowse.request.is_new", "cobrowse.request.kind"),
    *("cobrowse.request.outcome", "cobrowse.request.resumed", "db.system.name", "error.type", "http.request.method"),
    *("http.request.resend_count", "http.response.header.inin-correlation-id", "http.response.status_code"),
    *("http.route", "messaging.operation.type", "messaging.system", "server.address", "server.port"),
    *("slack.event.type", "slack.method", "slack.payload.type", "url.path", "url.scheme", "url.template"),
}
"""Every attribute that there is. One more needs a look at what it could hold, and its row in docs/run/monitor.md."""


def one_trace(spans: list[Span], index: int = 0) -> list[Span]:
    """The spans of the trace that began so many traces after the first."""
    ids = list(dict.fromkeys(span.trace_id for span in spans))
    return [span for span in spans if span.trace_id == ids[index]]


async def answered(collector: Collector, count: int = 1) -> list[Span]:
    """All spans, once so many requests have come to their end."""
    return await collector.until(lambda spans: sum(span.name.startswith("request ") for span in spans) >= count)


async def test_first_command_is_one_trace_with_all_its_steps() -> None:
    async with open_collector() as collector, open_journey(http=True, **traced(collector)) as journey:
        assert link(await journey.asks("Deal"))
        spans = await answered(collector)
        correlation_ids = {call.headers.get("ININ-Correlation-Id") for call in journey.genesys.creates}
    assert correlation_ids == {None}  # Genesys makes the id
    assert len({span.trace_id for span in spans}) == 1
    assert tree(spans) == [
        (RECEIVED, ""),
        ("store accepted", RECEIVED),
        ("request start", RECEIVED),
        ("users.info", "request start"),
        ("host look-up", "request start"),
        (TOKEN, "host look-up"),
        (SEARCH, "host look-up"),
        ("store creating", "request start"),
        (CREATE, "request start"),
        ("store created", "request start"),
        ("POST response_url", "request start"),
        ("store answered", "request start"),
    ]
    by_name = {span.name: span for span in spans}
    assert by_name[RECEIVED].kind == "server"
    assert by_name["request start"].attributes["cobrowse.request.outcome"] == "session_started"
    create = by_name[CREATE]
    assert create.kind == "client"
    assert (create.attributes["http.request.method"], create.attributes["http.response.status_code"]) == ("POST", 200)
    (correlation_id,) = create.attributes["http.response.header.inin-correlation-id"]
    assert len(correlation_id) == 36
    assert not any(span.error for span in spans)


async def test_resource_names_service_version_and_process() -> None:
    async with open_collector() as collector:
        for environ in ({}, {"OTEL_SERVICE_NAME": "support", "OTEL_RESOURCE_ATTRIBUTES": "deployment.region=eu"}):
            async with open_journey(http=True, **traced(collector), **environ) as journey:
                await journey.asks("whoami")
        spans = await answered(collector, 2)
    usual, named = spans[0].resource, spans[-1].resource
    assert (usual["service.name"], named["service.name"]) == ("cobrowse-bot", "support")
    assert named["deployment.region"] == "eu"
    assert usual["service.version"] == named["service.version"]
    assert usual["service.instance.id"] != named["service.instance.id"]


async def test_warm_command_over_socket_mode_is_a_trace_of_its_own() -> None:
    async with open_collector() as collector, open_journey(**traced(collector)) as journey:
        for name in ("Cold", "Warm"):
            await journey.asks(name)
        spans = await answered(collector, 2)
    warm = one_trace(spans, 1)
    received = "process slash_command"
    assert tree(warm) == [
        (received, ""),
        ("store accepted", received),
        ("request start", received),
        (CREATE, "request start"),
        ("store created", "request start"),
        ("POST response_url", "request start"),
        ("store answered", "request start"),
    ]
    assert warm[0].kind == "consumer"


async def test_errors_show_their_code_and_each_attempt() -> None:
    async with open_collector() as collector, open_journey(http=True, **traced(collector)) as journey:
        await journey.genesys.inject_fault("500", times=1)
        await journey.asks("Deal")
        await journey.genesys.inject_fault("dropped")
        await journey.asks("Other")
        await journey.genesys.inject_fault(None)
        await journey.asks("@una Deal", who=SAM)
        spans = await answered(collector, 3)
    ended = [span for span in spans if span.name == "request start"]
    assert [span.attributes["cobrowse.request.outcome"] for span in ended] == [
        *("session_started", "outcome_unknown", "host_not_found"),
    ]
    assert [span.error for span in ended] == ["", "outcome_unknown", "host_not_found"]
    creates = [(span.error, span.attributes.get("http.request.resend_count")) for span in spans if span.name == CREATE]
    assert creates[:3] == [("500", None), ("", 1), ("no_answer", None)]
    assert all(span.attributes.get("error.type", "") == span.error for span in spans)


async def test_refused_command_shows_why_on_what_was_received() -> None:
    limits = {"COBROWSE_PERSON_STARTS_PER_MINUTE": "1"}
    async with open_collector() as collector, open_journey(http=True, **traced(collector), **limits) as journey:
        await journey.asks("First")
        await journey.slack.command(ANA, "Checkout")
        spans = await collector.until(lambda spans: sum(span.name == RECEIVED for span in spans) == 2)
    refused = [span for span in spans if span.name == RECEIVED][1]
    assert (refused.error, refused.attributes["cobrowse.request.outcome"]) == ("too_many_starts", "too_many_starts")


async def test_wait_for_the_rate_limit_is_a_span() -> None:
    timing = replace(QUICK_GENESYS, rate_window_seconds=1.5)
    async with open_collector() as collector, open_journey(genesys_timing=timing, **traced(collector)) as journey:
        journey.genesys.allowed_per_minute, journey.genesys.minute_seconds = 1, 1.5  # the search uses it up
        await journey.asks("Deal")
        spans = await answered(collector)
    waited = [span for span in spans if span.name == "rate limit"]
    assert waited
    assert max(span.ended - span.began for span in waited) > 0.2e9
    assert {parent for name, parent in tree(spans) if name == "rate limit"} <= {"host look-up", "request start"}


async def test_spans_hold_known_attributes_and_nobody() -> None:
    async with open_collector() as collector, open_journey(COBROWSE_ADMINS=SAM, **traced(collector)) as journey:
        for text, who in (("Deal", ANA), ("whoami", ANA), ("list", ANA), ("@ben Deal", SAM), ("why @una", SAM)):
            await journey.asks(text, who=who)
        await journey.slack.open_home(ANA)
        card = await journey.asks("end", who=ANA)
        assert card
        journey.slack.inject_fault("response_url", "404", times=2)
        await journey.asks("status", who=ANA)
        spans = await answered(collector, 7)
        await collector.until(lambda all_: any(span.attributes.get("slack.event.type") for span in all_))
        nobody = people_of(journey)
    assert {name for span in spans for name in span.attributes} <= ATTRIBUTES
    assert len(nobody) > 20
    assert not [each for each in nobody if each in collector.text()]
    routes = {span.attributes["url.template"] for span in spans if "url.template" in span.attributes}
    assert {"/api/v2/conversations/cobrowse/{id}", "/api/v2/users/{id}"} & routes


def test_attributes_are_in_the_documents() -> None:
    page = (Path(ROOT) / "docs" / "run" / "monitor.md").read_text(encoding="utf-8")
    assert [name for name in sorted(ATTRIBUTES) if f"`{name}`" not in page] == []


async def test_genesys_gets_trace_headers_only_when_it_shall() -> None:
    async with open_collector() as collector:
        for chosen in ("off", "on"):
            async with open_journey(COBROWSE_TRACE_GENESYS=chosen, **traced(collector)) as journey:
                await journey.asks("Deal")
                sent = [call.headers.get("traceparent") for call in journey.genesys.creates]
            if chosen == "off":
                assert sent == [None]
        spans = await answered(collector, 2)
    create = [span for span in spans if span.name == CREATE][1]
    assert [each[:53] for each in sent] == [f"00-{create.trace_id}-{create.span_id}-"]


async def test_histograms_name_traces_when_openmetrics_is_asked_for() -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with open_collector() as collector, open_journey(http=True, **traced(collector)) as journey:
        await journey.asks("Deal")
        spans = await answered(collector)
        async with aiohttp.ClientSession() as http, http.get(f"{journey.url}/metrics", headers=accept) as response:
            assert response.content_type == "application/openmetrics-text"
            families = list(text_string_to_metric_families(await response.text()))
        _, plain = await get(f"{journey.url}/metrics")
    found = {family.name: one.exemplar.labels for family in families for one in family.samples if one.exemplar}
    timed = ("ack", "genesys_call", "rate_limit_wait", "request")
    assert set(found) == {f"cobrowse_{name}_seconds" for name in timed}
    assert {labels["trace_id"] for labels in found.values()} == {spans[0].trace_id}
    assert {labels["span_id"] for labels in found.values()} <= {span.span_id for span in spans}
    assert "trace_id" not in plain


async def test_openmetrics_without_traces_has_no_exemplar(over_http: Journey) -> None:
    await over_http.asks("Deal")
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    async with aiohttp.ClientSession() as http, http.get(f"{over_http.url}/metrics", headers=accept) as response:
        text = await response.text()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    assert any(one.name == "cobrowse_requests_total" and one.value == 1 for one in samples)
    assert not any(one.exemplar for one in samples)


async def test_sampler_of_the_settings_decides() -> None:
    never = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    async with open_collector() as collector, open_journey(http=True, **traced(collector), **never) as journey:
        assert link(await journey.asks("Deal"))
    assert collector.spans == []


@pytest.mark.parametrize(
    "switch", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}, {"COBROWSE_TRACE_GENESYS": "on"}]
)
async def test_traces_can_be_off(switch: dict[str, str]) -> None:
    async with open_collector() as collector:
        environ = traced(collector) if "COBROWSE_TRACE_GENESYS" not in switch else {}
        async with open_journey(http=True, **environ, **switch) as journey:
            assert link(await journey.asks("Deal"))
            assert [call.headers.get("traceparent") for call in journey.genesys.creates] == [None]
    assert collector.headers == []


async def test_collector_that_fails_slows_nobody_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with open_collector() as collector:
        collector.status = 400
        secret = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=very-secret"}
        async with open_journey(http=True, **traced(collector), **secret) as journey:
            for name in ("One", "Two", "Three"):
                assert link(await journey.asks(name))
                await asyncio.sleep(0.1)  # so that there are several exports
        assert len(collector.headers) > 1
        assert {headers["api-key"] for headers in collector.headers} == {"very-secret"}
    said = Counter(
        record.getMessage()
        for record in caplog.records
        if "opentelemetry" in record.name or "traces" in record.getMessage()
    )
    assert set(said) == {"traces are not exported"}
    assert said["traces are not exported"] == 1


async def test_stop_does_not_wait_for_a_collector_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_collector() as collector:
        collector.answers.clear()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        loop = asyncio.get_running_loop()
        async with open_telemetry(to_genesys=False, export_timeout=0.2) as tracer:
            await tracer.receiving(_nothing, over_http=False)(None, _Payload(), None)
            began = loop.time()
        assert loop.time() - began < 5
        collector.answers.set()


async def _nothing(*_: object) -> None:
    """Acknowledge."""


class _Payload:
    body: dict[str, object] = {"command": "/cobrowse"}  # noqa: RUF012 - a test's


def test_bot_without_the_extra_starts_and_says_so(tmp_path: Path) -> None:
    program = """
import asyncio, sys, logging
logging.basicConfig()
sys.modules["opentelemetry"] = None
from bot.config.settings import TracingSettings
from bot.core.ports import NULL_TRACER
from bot.config.settings import TracingSettings
from bot.core.timing import CoreTiming
from bot.factories import open_tracer
async def main():
    async with open_tracer(TracingSettings(is_on=True, to_genesys=False, variables={}), CoreTiming()) as tracer:
        assert tracer is NULL_TRACER
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "traces need the extra otel" in done.stderr


def test_tracer_that_is_off_loads_nothing() -> None:
    program = "import sys, bot.app, bot.server; print(any(name.startswith('opentelemetry') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


async def test_tracer_that_is_off_returns_what_it_gets() -> None:
    off = TracingSettings(is_on=False, to_genesys=True, variables={})
    async with open_tracer(off, CoreTiming()) as tracer:
        store = object()
        assert tracer.storing(store) is store  # type: ignore[arg-type,comparison-overlap]
        for wrap in (tracer.processing, tracer.resolving, tracer.waiting, tracer.calling_slack, tracer.posting):
            assert wrap(_nothing) is _nothing
        assert tracer.receiving(_nothing, over_http=True) is _nothing
        assert (tracer.exemplar, tracer.subscribers) == (None, ())


def test_routes_hide_all_but_the_words_of_genesys() -> None:
    assert route_of("/api/v2/conversations/1111-22/cobrowse") == "/api/v2/conversations/{id}/cobrowse"
    assert route_of("/api/v2/users/ana@example.com") == "/api/v2/users/{id}"
    assert not any(character.isupper() or character.isspace() for word in PATH_WORDS for character in word)


def test_every_path_of_genesys_is_known() -> None:
    from bot.genesys.api import conversations, customer_messages, live_conversations, permissions, sessions, users
    from bot.genesys.auth import authorization_code, introspection

    paths = (
        *(conversations.COBROWSE, conversations.OFFER, customer_messages.SMS, customer_messages.EMAIL),
        *(live_conversations.QUERY, live_conversations.CONVERSATION, permissions.ME, sessions.SESSIONS),
        *(sessions.APPLICATIONS, users.SEARCH, users.USERS, authorization_code.ME, introspection.ME, "/oauth/token"),
    )
    for path in paths:
        bare = path.partition("?")[0]
        assert route_of(bare) == bare.replace("{}", "{id}")


@pytest.mark.parametrize("stored", [None, "", "nonsense", "00-0-0-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_stored_text_that_is_no_trace_begins_a_new_one(stored: str | None) -> None:
    from opentelemetry import trace

    assert not trace.get_current_span(read_context(stored)).get_span_context().is_valid
    assert current_context() is None


def test_stored_trace_is_read_with_its_state() -> None:
    from opentelemetry import trace

    stored = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, vendor=1,other=2"
    found = trace.get_current_span(read_context(stored)).get_span_context()
    assert (f"{found.trace_id:032x}", found.trace_state["other"]) == (stored[3:35], "2")


def test_errors_without_a_code_get_a_word_and_no_text() -> None:
    assert code_of(ValueError("U0ANA")) == "unexpected"
    assert code_of(TimeoutError("secret")) == "timeout"
    assert code_of(asyncio.CancelledError()) == "cancelled"
    odd = ValueError("secret")
    odd.code = "https://join.example/secret"  # type: ignore[attr-defined]
    assert code_of(odd) == "unexpected"
    assert code_of(SlackApiError("secret", {"ok": False, "error": "channel_not_found"})) == "channel_not_found"
    for answer in (None, b"", {"error": ["secret"]}, {"error": "Not a code"}):
        assert code_of(SlackApiError("secret", answer)) == "unexpected"


@pytest.mark.parametrize("odd", [None, 7, [], {}, "secret", ["block_actions"]])
def test_payload_that_is_odd_has_a_span_that_says_so(odd: object) -> None:
    for body in ({"type": odd}, {"type": odd, "event": odd}, {"type": "event_callback", "event": {"type": odd}}):
        for over_http in (True, False):
            name, _, attributes = payload_span(body, over_http=over_http)
            assert "secret" not in f"{name} {attributes}"
            assert "other" in attributes.values()


async def test_setting_that_opentelemetry_refuses_leaves_traces_off(caplog: pytest.LogCaptureFixture) -> None:
    wrong = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "77"}
    async with open_tracer(TracingSettings(is_on=True, to_genesys=False, variables=wrong), CoreTiming()) as tracer:
        assert tracer is NULL_TRACER
    assert [record.getMessage() for record in caplog.records] == ["a setting of the traces is wrong"]
