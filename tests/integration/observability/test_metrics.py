"""The metrics: what is counted and when, what counting costs, and that no label names anybody."""

import asyncio
import re
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import StorageUnavailableError
from bot.core.models import (
    ChannelId,
    Request,
    RequestKind,
    SessionPhase,
    SessionStarted,
    SessionState,
    TeamId,
    UserId,
    new_request_id,
)
from bot.core.ports import Metrics
from bot.core.requests.events import RequestFinished, SessionStateChanged
from bot.genesys.api import permissions
from bot.genesys.auth import introspection
from bot.observability.metrics import MetricFamilies, PrometheusMetrics
from bot.slack.listeners.workflow_step import CALLBACK_ID
from bot.storage.sqlite.store import SQLiteStore
from tests.support import everything
from tests.support.app import ANA, BEN, CARE, SAM, UNA, Journey, free_port, open_journey
from tests.support.monitoring import Samples, get, parsed
from tests.support.storage import request, run_sql, session


async def samples(journey: Journey) -> Samples:
    """Return the values by name and label values."""
    _, text = await get(f"{journey.url}/metrics")
    return parsed(text)


async def test_command_is_counted_by_outcome_and_timed_by_part(over_http: Journey) -> None:
    await over_http.asks("Deal")
    await over_http.asks(who=UNA)
    await over_http.asks("whoami")
    found = await samples(over_http)
    assert found["cobrowse_requests_total", "start", "session_started"] == 1
    assert found["cobrowse_requests_total", "start", "host_not_found"] == 1
    assert found["cobrowse_requests_total", "whoami", "identity"] == 1
    assert found["cobrowse_request_seconds_count", "start"] == 2
    assert found["cobrowse_ack_seconds_count",] == 3
    assert found["cobrowse_genesys_calls_total", "cobrowse:session:write", "200"] == 1
    assert found["cobrowse_genesys_call_seconds_count", "cobrowse:session:write"] == 1
    assert found["cobrowse_token_renewals_total", "ok"] == 1
    assert found["cobrowse_rate_limit_wait_seconds_count",] == sum(
        value for name, value in found.items() if name[0] == "cobrowse_genesys_calls_total"
    )
    assert found["cobrowse_answers_unreached_total",] == 0


async def test_steps_of_workflows_are_counted_too(over_http: Journey) -> None:
    execution = await over_http.slack.function_executed(CALLBACK_ID, {"agent": BEN})
    await over_http.slack.workspace.until(lambda: execution.status != "running", 10)
    await asyncio.sleep(0)
    await counted(over_http, ("cobrowse_requests_total", "step", "session_started"), 1)


async def counted(journey: Journey, name: tuple[str, ...], value: float) -> None:
    """Wait until a metric has this value, because the bot answers just before it counts."""
    async with asyncio.timeout(10):
        while (await samples(journey)).get(name) != value:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("fault", "status", "outcome"),
    [("403", "403", "permission_missing"), ("502", "502", "outcome_unknown"), ("dropped", "none", "outcome_unknown")],
)
async def test_genesys_answers_are_counted(over_http: Journey, fault: str, status: str, outcome: str) -> None:
    await over_http.genesys.inject_fault(fault)
    await over_http.asks("Deal")
    await counted(over_http, ("cobrowse_requests_total", "start", outcome), 1)
    assert (await samples(over_http))["cobrowse_genesys_calls_total", "cobrowse:session:write", status] == 1


async def test_refused_token_is_counted_by_the_name_of_the_error(over_http: Journey) -> None:
    await over_http.genesys.inject_fault("invalid_client", on="token")
    await over_http.asks("Deal")
    assert (await samples(over_http))["cobrowse_token_renewals_total", "oauth_refused"] >= 1


async def test_rate_limited_call_is_counted_and_timed() -> None:
    async with open_journey(http=True, GENESYS_REQUESTS_PER_MINUTE="8") as journey:
        journey.genesys.latency_seconds = 0.2
        asked = [asyncio.create_task(journey.slack.command(ANA, f"Deal {n}")) for n in range(6)]
        asked += [asyncio.create_task(journey.slack.command(BEN, f"Deal {n}")) for n in range(6)]
        await asyncio.gather(*asked)
        found: Samples = {}
        async with asyncio.timeout(10):
            while not found.get(("cobrowse_queue_length",)):
                found = await samples(journey)
        assert found["cobrowse_requests_under_way",] >= found["cobrowse_queue_length",]


async def test_unavailable_store_is_counted_with_what_it_refused(
    over_http: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: SQLiteStore, *args: Any) -> Any:
        self._meter.store_failed()
        raise StorageUnavailableError

    monkeypatch.setattr(SQLiteStore, "accept", away)
    await over_http.slack.command(ANA, "Deal")
    found = await samples(over_http)
    assert found["cobrowse_requests_total", "start", "storage_unavailable"] == 1
    assert found["cobrowse_store_failures_total",] >= 1


async def test_a_write_that_fails_is_a_store_failure(tmp_path: Path) -> None:
    metrics = PrometheusMetrics()
    store = SQLiteStore(str(tmp_path / "bot.db"), meter=metrics)
    try:
        await run_sql(store, "DROP TABLE found_hosts")
        person = TeamId("T0"), UserId("U0ANA")
        with pytest.raises(StorageUnavailableError):
            await store.drop_found(*person)
        with pytest.raises(StorageUnavailableError):
            await store.found(*person)
    finally:
        await store.close()
    assert parsed(metrics.exposition().decode())["cobrowse_store_failures_total",] == 2


async def test_an_answer_that_reaches_nobody_is_counted(over_http: Journey) -> None:
    for call in ("response_url", "chat.postEphemeral", "conversations.open", "chat.postMessage"):
        over_http.slack.inject_fault(call, "404" if call == "response_url" else "channel_not_found")
    await over_http.slack.command(ANA, "Deal")
    await counted(over_http, ("cobrowse_answers_unreached_total",), 1)


async def test_another_socket_in_place_of_the_first_is_a_reconnect() -> None:
    port = free_port()
    async with open_journey(HEALTH_PORT=str(port)) as journey:
        seen = Journey(journey.slack, journey.genesys, journey.keys, f"http://127.0.0.1:{port}", journey.finish)
        assert (await samples(seen))["cobrowse_socket_reconnects_total",] == 0
        await journey.slack.disconnect_sockets("refresh_requested")
        await counted(seen, ("cobrowse_socket_reconnects_total",), 1)


async def test_leftovers_of_a_dead_process_are_counted_when_taken(tmp_path: Path) -> None:
    left = SQLiteStore(str(tmp_path / "bot.db"))
    where = {"team_id": TeamId("T0SANDBOX"), "enterprise_id": None, "channel_id": ChannelId(CARE)}
    who = {"requester": UserId(ANA), "accepted_at": datetime.now(UTC)}
    await left.accept(Request(id=new_request_id(), key="k", kind=RequestKind.WHOAMI, **where, **who))
    await left.close()
    async with open_journey(http=True, DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:
        await counted(journey, ("cobrowse_requests_resumed_total",), 1)


async def test_no_label_names_a_person_a_session_or_an_address(over_http: Journey) -> None:
    for text, who in (("Deal", ANA), ("@ben Deal", SAM), ("@ben", ANA), ("whoami", UNA), ("status", ANA)):
        await over_http.asks(text, who=who)
    await over_http.genesys.inject_fault("bad-request")
    await over_http.asks("Other deal")
    _, text = await get(f"{over_http.url}/metrics")
    labels = set(re.findall(r'="([^"]*)"', "\n".join(each for each in text.splitlines() if "cobrowse_" in each)))
    assert labels
    for label in labels - {introspection.NEEDS, permissions.NEEDS}:
        assert re.fullmatch(r"[A-Za-z:_]+|\d{3}|\+Inf|[\d.]+", label), label
        assert not re.match(r"[UTCW]0", label), label


def test_null_metrics_have_all_methods_of_the_metrics() -> None:
    wanted = {name for name in vars(Metrics) if not name.startswith("_")}
    assert wanted <= set(vars(PrometheusMetrics))


FINISHED = RequestFinished(request(), SessionStarted(session()), reached=True, seconds=0.1)


def test_counting_costs_a_command_next_to_nothing() -> None:
    """Compare all counting of one command with the time that Bolt takes for it, about 300 microseconds."""
    metrics, rounds = PrometheusMetrics(), []
    for _ in range(9):
        began = time.process_time()
        for _ in range(1000):
            metrics.acknowledged(0.002)
            metrics.waited(0.0)
            metrics.called("cobrowse:session:write", "200", 0.05)
            metrics.record_event(FINISHED)
        rounds.append((time.process_time() - began) / 1000)
    assert statistics.median(rounds) < 100e-6  # CPU; 20 here, and more on a busy machine


def test_gauges_add_up_the_bots_of_a_workspace() -> None:
    metrics = PrometheusMetrics(families=MetricFamilies(by_workspace=True)).in_workspace("acme", (), ())

    def under_way() -> str:
        lines = metrics.exposition().decode().splitlines()
        return next(line for line in lines if line.startswith('cobrowse_requests_under_way{workspace="acme"}'))

    with metrics.watching(under_way=lambda: 2, queue_length=lambda: 0):
        with metrics.watching(under_way=lambda: 3, queue_length=lambda: 0):
            assert under_way().endswith(" 5.0")
        assert under_way().endswith(" 2.0")
    assert under_way().endswith(" 0.0")


@pytest.mark.parametrize("is_over", [False, True])
def test_time_until_the_join_is_counted_once(is_over: bool) -> None:
    metrics = PrometheusMetrics()
    joined = everything.record(
        everything.session(),
        started_at=datetime(2026, 1, 1, 9, 0, tzinfo=UTC),
        state=SessionState(SessionPhase.JOINED, joined_at=datetime(2026, 1, 1, 9, 1, tzinfo=UTC)),
    )
    over = replace(joined, state=replace(joined.state, phase=SessionPhase.OVER))
    if is_over:  # the bot learns of the join and of the end at the same time
        metrics.record_event(SessionStateChanged(over, is_join=True))
    else:
        metrics.record_event(SessionStateChanged(joined, is_join=True))
        metrics.record_event(SessionStateChanged(over))
    found = parsed(metrics.exposition().decode())
    assert found["cobrowse_join_seconds_count",] == 1
    assert found["cobrowse_join_seconds_sum",] == 60
    assert found["cobrowse_sessions_ended_total", "over"] == 1
