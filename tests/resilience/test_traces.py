"""Real processes export their traces: the one that finishes a request after `kill -9` continues its trace."""

import signal
from pathlib import Path

import pytest

from tests.support.app import ANA, ended, open_servers, running
from tests.support.bot_processes import Bots, outcomes
from tests.support.collector import QUICK, Collector, Span, open_collector, people_of, traced
from tests.support.forked import Forked
from tests.support.postgres import new_database
from tests.support.replicas import until

RECEIVED = "process slash_command"
CREATE = "POST /api/v2/conversations/cobrowse"


async def test_process_exports_its_last_spans_before_it_ends(tmp_path: Path) -> None:
    """It runs in a new interpreter, and sends every five seconds, as OpenTelemetry does."""
    async with open_collector() as collector:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        async with running(tmp_path, http=True, environ=environ, interpreter=True) as (servers, process):
            before = len(servers.slack.messages)
            await servers.slack.command(ANA, "Deal")
            await servers.slack.workspace.until(lambda: servers.slack.messages[before:], 15)
            process.send_signal(signal.SIGTERM)
            code, _, err = await ended(process)
            nobody = people_of(servers)
    assert (code, "Traceback" in err) == (0, False)
    assert {"POST /slack/events", "store accepted", "request start", "store answered"} <= {
        span.name for span in collector.spans
    }
    assert len({span.trace_id for span in collector.spans}) == 1
    assert not [each for each in nobody if each in collector.text()]


async def killed_in_the_middle(bots: Bots, collector: Collector, before_kill: str = "") -> list[Span]:
    """Kill the process that works on a request, have another one finish it, and return the spans of both.

    `before_kill`: the database of a second replica that runs already, "" if the next process starts after the kill.
    """
    slack = bots.servers.slack
    slack.inject_fault("users.info", "slow", seconds=30)
    first = await bots.start()
    await slack.command(ANA, "Deal")
    await collector.named(RECEIVED)
    if before_kill:
        await bots.start()
    first.kill()
    await first.wait()
    slack.inject_fault("users.info", None)
    if not before_kill:
        await bots.start()
    await outcomes(bots, ANA, 1)
    return await collector.named("store answered")


def check_continued(spans: list[Span], bots: Bots) -> None:
    """One trace, from what the dead process received to the answer of the other one."""
    assert len({span.trace_id for span in spans}) == 1
    (received,), (request,) = ([span for span in spans if span.name == name] for name in (RECEIVED, "request start"))
    assert (request.parent_id, request.attributes["cobrowse.request.resumed"]) == (received.span_id, True)
    assert request.attributes["cobrowse.request.outcome"] == "session_started"
    processes = [span.resource["service.instance.id"] for span in (received, request)]
    assert processes[0] != processes[1]
    (queue,) = [span for span in spans if span.name == "queue"]
    assert queue.parent_id == request.span_id
    waited = queue.ended - received.ended
    assert waited > 0
    assert queue.began - received.ended < waited / 2, "the age of a row is known but for the time of its query"
    (create,) = [span for span in spans if span.name == CREATE]
    assert create.parent_id == request.span_id
    assert len(bots.servers.genesys.creates) == 1


async def test_next_process_continues_the_trace_of_a_killed_one(tmp_path: Path) -> None:
    async with open_collector() as collector, open_servers() as servers:
        servers.environ.update(traced(collector))
        bots = Bots(servers, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
        try:
            check_continued(await killed_in_the_middle(bots, collector), bots)
        finally:
            await bots.close()


@pytest.mark.timeout(180)
async def test_another_replica_continues_the_trace_of_a_killed_one(tmp_path: Path) -> None:
    async with new_database() as url, open_collector() as collector, open_servers() as servers:
        servers.environ.update(traced(collector))
        bots = Bots(servers, url, tmp_path)
        try:
            check_continued(await killed_in_the_middle(bots, collector, url), bots)
        finally:
            await bots.close()


async def test_collector_that_is_gone_fails_no_command(tmp_path: Path) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1", **QUICK}
    async with running(tmp_path, http=False, environ=environ) as (servers, process):
        for number in range(5):
            before = len(servers.slack.messages)
            assert (await servers.slack.command(ANA, f"Deal {number}")).acked
            await servers.slack.workspace.until(lambda: servers.slack.messages[before:], 15)  # noqa: B023 - at once
        assert isinstance(process, Forked)
        await until(lambda: "traces are not exported" in process.errors(), 30)
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process)
    assert code == 0
    assert err.count("traces are not exported") == 1
    assert "127.0.0.1:9" not in err
    assert "Traceback" not in err
