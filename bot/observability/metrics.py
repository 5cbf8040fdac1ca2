"""Count events and calls for Prometheus. core/ports.py describes the methods that the core calls.

`make reference` writes docs/reference/metrics.md from this module. No label contains a person, a session, an email
address or a URL.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase

from bot import __version__
from bot.core.models import SessionEnding, SessionPhase, SessionRecord, SessionStarted
from bot.core.ports import FILE_RELOADS, RELOADS, Metrics
from bot.core.requests.events import Event, RequestFinished, RequestRejected, RequestResumed, SessionStateChanged

M = TypeVar("M", bound=MetricWrapperBase)
Watched = tuple[Callable[[], int], Callable[[], int]]
"""Two functions about one bot. The first returns the number of the bot's requests in progress. The second returns the
number of the bot's calls that wait for the rate limit."""
ACK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1500.0)
WAIT_SECONDS = (0.01, 1.0, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1500.0)
JOIN_SECONDS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
LOOK_RESULTS = (*SessionPhase, "unchanged", "failed", "busy")
ENDS = (SessionPhase.OVER, SessionPhase.UNUSED, *SessionEnding)
CONNECTION_FAILURES = ("too_many_websockets", "warning", "refresh_requested", "closed", "other", "not_opened")
"""The values of the label `reason` of the metric cobrowse_socket_failures: why a Socket Mode connection failed. The
counter of each reason is created with the value 0, so that an alert sees the first failure."""
REFUSED_RENEWALS = ("oauth_refused", "token_refused")
ALERTED_OUTCOMES = (*REFUSED_RENEWALS, "connect_client_refused", "permission_missing", "unexpected")
WATCHED_STATUSES = ("200", "none", "500", "501", "502", "503", "504")
"""Values of the label `status` of the metric cobrowse_genesys_calls. The counter of each status is created with the
value 0, so that an alert sees the first failure."""
STARTED = "start"
WORKSPACE = "workspace"
"""The label with a workspace's short name. If the process serves several workspaces, all metrics have this label.

Exceptions: cobrowse_build_info, and the metrics whose names begin with `process_`. They never have the label."""


@dataclass(frozen=True, slots=True)
class LastCall:
    """The latest call to Genesys.

    - `status`: the HTTP status of Genesys's answer; "none" if Genesys did not answer.
    - `seconds_ago`: the time since the end of the call.
    """

    status: str
    seconds_ago: float


class MetricFamilies:
    """The metrics of the process, in one Prometheus registry.

    `by_workspace`: whether the metrics have the label `workspace`. The value of the label is "" for a series of the
    whole process, such as the failures of the database.
    """

    def __init__(self, *, by_workspace: bool = False) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series, and nobody reads them
        self.by_workspace = by_workspace
        self.registry = CollectorRegistry()
        self.watched: dict[tuple[str, ...], list[Watched]] = {}
        self._labelled: list[MetricWrapperBase] = []
        self._make_requests()
        self._make_genesys()
        self._make_sockets()
        self._make_live()
        self._make_rest()
        ProcessCollector(registry=self.registry)
        build = self._gauge("cobrowse_build_info", "The version that runs", "version", is_of_process=True)
        build.labels(__version__).set(1)

    def remove(self, workspace: str) -> None:
        """Remove the series of a workspace that the process no longer serves."""
        for each in self._labelled:
            each.remove_by_labels({WORKSPACE: workspace})

    def _make_requests(self) -> None:
        about = "Commands, buttons and workflow steps, also those that were never accepted"
        self.requests = self._counter("cobrowse_requests", about, "kind", "outcome")
        self.request_seconds = self._histogram(
            "cobrowse_request_seconds", "Seconds from acceptance to the answer", REQUEST_SECONDS, "kind"
        )
        about = "Seconds from a payload of Slack to its acknowledgement; Slack waits for 3"
        self.ack_seconds = self._histogram("cobrowse_ack_seconds", about, ACK_SECONDS)
        self.unreached = self._counter("cobrowse_answers_unreached", "Answers that reached nobody")
        self.resumed = self._counter("cobrowse_requests_resumed", "Requests of dead processes that were taken up")
        self.under_way = self._gauge(
            "cobrowse_requests_under_way", "Requests accepted and not yet answered; COBROWSE_MAX_IN_FLIGHT bounds it"
        )

    def _make_genesys(self) -> None:
        about = "Calls to Genesys, by HTTP status, none where no answer came; without calls for a token"
        self.calls = self._counter("cobrowse_genesys_calls", about, "needs", "status")
        self.call_seconds = self._histogram(
            "cobrowse_genesys_call_seconds", "Seconds that Genesys took to answer", CALL_SECONDS, "needs"
        )
        about = "Seconds that a call waited for its turn in the rate limit"
        self.wait_seconds = self._histogram("cobrowse_rate_limit_wait_seconds", about, WAIT_SECONDS)
        self.queue_length = self._gauge("cobrowse_queue_length", "Calls that wait for their turn in the rate limit")
        self.renewals = self._counter(
            "cobrowse_token_renewals", "Tokens asked for: ok, or the code of the error", "outcome"
        )

    def _make_sockets(self) -> None:
        about = "Sockets to Slack opened in place of others; Slack asks for one every few hours"
        self.reconnects = self._counter("cobrowse_socket_reconnects", about)
        about = (
            "Sockets to Slack that did not open (not_opened), or ended within 30 seconds: closed, or the word of Slack"
        )
        self.connection_failures = self._counter("cobrowse_socket_failures", about, "reason")

    def _make_live(self) -> None:
        about = "Sessions that ended, as Genesys reports it: how, over if it does not say how, unused if nobody joined"
        self.ended = self._counter("cobrowse_sessions_ended", about, "state")
        about = "Seconds from a session’s creation until its customer joined"
        self.join_seconds = self._histogram("cobrowse_join_seconds", about, JOIN_SECONDS)
        about = "Looks at watched sessions, by what they found; busy if the rate limit or Genesys asked for a pause"
        self.live_looks = self._counter("cobrowse_live_looks", about, "result")
        self.live_events = self._counter("cobrowse_live_events", "Events of notification channels, by kind", "kind")
        about = "1 while the replica that leads gets no notifications (GENESYS_LIVE=push), else 0"
        self.live_down = self._gauge("cobrowse_live_push_down", about)

    def _make_rest(self) -> None:
        self.store_failures = self._counter("cobrowse_store_failures", "Reads and writes the database did not do")
        about = "Changed files of secrets, by setting: ok, unreadable, invalid, or refused by the service"
        self.reloads = self._counter("cobrowse_secret_reloads", about, "name", "result")
        about = "Changes of the file of workspaces: ok, unreadable, or invalid as a whole"
        self.workspace_reloads = self._counter("cobrowse_workspaces_reloads", about, "result")
        about = "1 while Slack reaches the bot, as /readyz says: for each workspace, if there are several; else 0"
        self.ready = self._gauge("cobrowse_workspace_ready", about)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return self._added(Counter(name, about, self._labels(labels), registry=self.registry))

    def _gauge(self, name: str, about: str, *labels: str, is_of_process: bool = False) -> Gauge:
        if is_of_process:
            return Gauge(name, about, labels, registry=self.registry)
        return self._added(Gauge(name, about, self._labels(labels), registry=self.registry))

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return self._added(Histogram(name, about, self._labels(labels), buckets=buckets, registry=self.registry))

    def _labels(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        return (WORKSPACE, *labels) if self.by_workspace else labels

    def _added(self, family: M) -> M:
        self._labelled.append(family)
        return family


class PrometheusMetrics(Metrics):
    """Counts events and calls with prometheus_client, for one workspace or for the whole process. Thread-safe.

    For the methods without a docstring, see the base class in bot/core/ports.py.
    """

    def __init__(
        self,
        kinds: Iterable[str] = (),
        needs: Iterable[str] = (),
        exemplar: Callable[[], dict[str, str] | None] | None = None,
        *,
        families: MetricFamilies | None = None,
        workspace: str = "",
    ) -> None:
        """Create the series of one workspace, or of the whole process.

        - `kinds`: kinds of requests. For each kind and each of ALERTED_OUTCOMES, a counter is created with the value 0.
        - `needs`: Genesys permissions. For each permission and each of WATCHED_STATUSES, a counter of calls is created
          with the value 0.
        - `exemplar`: returns the ids of the current trace, which are stored with a measured duration. It returns None
          if there are no ids to store. If `exemplar` itself is None, no ids are stored.
        - `families`: the metrics to which the series belong; None to create the metrics in a new registry.
        - `workspace`: the workspace's short name; "" for the whole process.
        """
        self._families = families or MetricFamilies()
        self._workspace = (workspace,) if self._families.by_workspace else ()
        self._exemplar = exemplar
        self._last_call: tuple[str, float] | None = None
        self._bind(self._families)
        self._create_series(kinds, needs)

    def in_workspace(self, workspace: str, kinds: Iterable[str], needs: Iterable[str]) -> "PrometheusMetrics":
        """Return the metrics of one workspace, in the same registry.

        - `workspace`: the workspace's short name.
        - `kinds`: kinds of requests. For each kind and each of ALERTED_OUTCOMES, a counter is created with the value 0.
        - `needs`: Genesys permissions. For each permission and each of WATCHED_STATUSES, a counter of calls is created
          with the value 0.
        """
        return PrometheusMetrics(kinds, needs, self._exemplar, families=self._families, workspace=workspace)

    def remove_workspace(self, workspace: str) -> None:
        """Remove the series of a workspace that the process no longer serves."""
        self._families.remove(workspace)

    def workspace_ready(self, workspace: str, *, is_ready: bool) -> None:
        """Record whether the bot of a workspace is ready to receive payloads from Slack.

        `workspace`: the workspace's short name; "" if the process serves only one workspace.
        """
        ready = self._families.ready
        (ready.labels(workspace) if self._families.by_workspace else ready).set(is_ready)

    @contextmanager
    def watching(self, *, under_way: Callable[[], int], queue_length: Callable[[], int]) -> Iterator[None]:
        """Include a bot in the gauges of requests in progress and of waiting calls, until the `with` block ends.

        - `under_way`: returns the number of the bot's requests in progress.
        - `queue_length`: returns the number of the bot's calls that wait for the rate limit.

        Each gauge shows the sum over all running bots of the workspace. After a change of the settings, a workspace has
        two bots until the old bot has finished its requests.
        """
        watched = self._families.watched.setdefault(self._workspace, [])
        both = under_way, queue_length
        watched.append(both)
        self._one(self._families.under_way).set_function(lambda: sum(each() for each, _ in watched))
        self._one(self._families.queue_length).set_function(lambda: sum(each() for _, each in watched))
        try:
            yield
        finally:
            watched.remove(both)
            if not watched and self._families.watched.get(self._workspace) is watched:
                del self._families.watched[self._workspace]

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._families.registry)

    def accepted_exposition(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics as text, and the content type of the text.

        `accept`: the value of the HTTP header Accept. If it names OpenMetrics, the text is in OpenMetrics format, which
        can contain trace ids (exemplars): https://prometheus.io/docs/specs/om/open_metrics_spec/ . Otherwise the text
        is in Prometheus's text format.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._families.registry), content_type

    @property
    def last_call(self) -> LastCall | None:
        """Return the latest call to Genesys that was counted with this object; None before the first call."""
        if self._last_call is None:
            return None
        status, at = self._last_call
        return LastCall(status, time.monotonic() - at)

    def record_event(self, event: Event) -> None:
        """Count a finished, rejected or resumed request, or the end of a session. Ignore other events.

        When the bot learns that the customer has joined a session, record the time from the start of the session until
        the join.
        """
        match event:
            case RequestFinished(request=request, result=result, reached=reached, seconds=seconds):
                self._requests(request.kind.value, result.code).inc()
                self._request_seconds(request.kind.value).observe(seconds, self._exemplar and self._exemplar())
                if not reached:
                    self._unreached.inc()
            case RequestRejected(request=request, error=error):
                self._requests(request.kind.value, error.code).inc()
            case RequestResumed():
                self._resumed.inc()
            case SessionStateChanged(record=record, is_join=is_join):
                self._record_state(record, is_join=is_join)

    def _record_state(self, record: SessionRecord, *, is_join: bool) -> None:
        state = record.state
        if state.is_final:
            self._ended(state.ending.value if state.ending else state.phase.value).inc()
        if is_join and state.joined_at and record.started_at:
            self._join_seconds.observe(max(0.0, (state.joined_at - record.started_at).total_seconds()))

    def acknowledged(self, seconds: float) -> None:
        self._ack_seconds.observe(seconds, self._exemplar and self._exemplar())

    def called(self, needs: str, status: str, seconds: float) -> None:
        self._calls(needs, status).inc()
        self._call_seconds(needs).observe(seconds, self._exemplar and self._exemplar())
        self._last_call = status, time.monotonic()

    def waited(self, seconds: float) -> None:
        self._wait_seconds.observe(seconds, self._exemplar and self._exemplar())

    def renewed(self, outcome: str) -> None:
        self._renewals(outcome).inc()

    def reconnected(self) -> None:
        self._reconnects.inc()

    def connection_failed(self, reason: str) -> None:
        self._connection_failures(reason).inc()

    def store_failed(self) -> None:
        self._store_failures.inc()

    def secret_reloaded(self, name: str, result: str) -> None:
        self._reloads(name, result).inc()

    def watch_secrets(self, names: Iterable[str]) -> None:
        """Create the counters for changes of secrets, with the value 0. `names`: the settings with these secrets."""
        for name, result in product(names, RELOADS):
            self._reloads(name, result)

    def workspaces_reloaded(self, result: str) -> None:
        self._workspace_reloads(result).inc()

    def watch_workspaces(self) -> None:
        """Create the counters for changes of the file of workspaces, with the value 0."""
        for result in FILE_RELOADS:
            self._workspace_reloads(result)

    def live_look(self, result: str) -> None:
        self._live_looks(result).inc()

    def live_event(self, kind: str) -> None:
        self._live_events(kind).inc()

    def live_connected(self, *, is_up: bool) -> None:
        self._live_down.set(not is_up)

    def _bind(self, families: MetricFamilies) -> None:
        """Store the series of this workspace as attributes, so that counting needs no look-up in `families`."""
        self._requests, self._request_seconds = self._by(families.requests), self._by(families.request_seconds)
        self._ack_seconds, self._wait_seconds = self._one(families.ack_seconds), self._one(families.wait_seconds)
        self._unreached, self._resumed = self._one(families.unreached), self._one(families.resumed)
        self._calls, self._call_seconds = self._by(families.calls), self._by(families.call_seconds)
        self._renewals, self._reconnects = self._by(families.renewals), self._one(families.reconnects)
        self._connection_failures = self._by(families.connection_failures)
        self._store_failures, self._reloads = self._one(families.store_failures), self._by(families.reloads)
        self._workspace_reloads = self._by(families.workspace_reloads)
        self._ended, self._join_seconds = self._by(families.ended), self._one(families.join_seconds)
        self._live_looks, self._live_events = self._by(families.live_looks), self._by(families.live_events)
        self._live_down = self._one(families.live_down)

    def _one(self, family: M) -> M:
        """Return the series of this workspace in the metric `family`, which has no labels besides `workspace`."""
        return family.labels(*self._workspace) if self._workspace else family

    def _by(self, family: M) -> Callable[..., M]:
        """Return a function that looks up one series of the metric `family`, for this workspace.

        A series holds the metric's numbers for one combination of label values. The function takes these values as
        arguments, without the value of the label `workspace`.
        """
        return cache(partial(family.labels, *self._workspace))

    def _create_series(self, kinds: Iterable[str], needs: Iterable[str]) -> None:
        """Create series with the value 0. Alerts and the dashboard need these series before the first event."""
        for kind, outcome in product(kinds, ALERTED_OUTCOMES):
            self._requests(kind, outcome)
        for need in needs:
            self._call_seconds(need)
            for status in WATCHED_STATUSES:
                self._calls(need, status)
        for outcome in ("ok", *REFUSED_RENEWALS):
            self._renewals(outcome)
        for reason in CONNECTION_FAILURES:
            self._connection_failures(reason)
        for state in ENDS:
            self._ended(state)
        for result in LOOK_RESULTS:
            self._live_looks(result)
        self._request_seconds(STARTED)
        self._requests(STARTED, SessionStarted.code)
