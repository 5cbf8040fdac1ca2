"""Count events and calls for Prometheus. core/ports.py describes the methods that the core calls.

`make reference` writes docs/reference/metrics.md from these definitions.
No label contains a person, a session, an email address or a URL.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

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

from bot import __version__
from bot.core.models import SessionEnding, SessionPhase, SessionRecord, SessionStarted
from bot.core.ports import FILE_RELOADS, RELOADS, Metrics
from bot.core.requests.events import Event, RequestFinished, RequestRejected, RequestResumed, SessionStateChanged

ACK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1500.0)
WAIT_SECONDS = (0.01, 1.0, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1500.0)
JOIN_SECONDS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
LOOK_RESULTS = (*SessionPhase, "unchanged", "failed", "busy")
ENDS = (SessionPhase.OVER, SessionPhase.UNUSED, *SessionEnding)
CONNECTION_FAILURES = ("too_many_websockets", "warning", "refresh_requested", "closed", "other", "not_opened")
"""The reasons why a Socket Mode connection fails. Each counter starts at 0, so that an alert sees the first failure."""
REFUSED_RENEWALS = ("oauth_refused", "token_refused")
ALERTED_OUTCOMES = (*REFUSED_RENEWALS, "permission_missing", "unexpected")
WATCHED_STATUSES = ("200", "none", "500", "501", "502", "503", "504")
"""Labels that deploy/prometheus-alerts.yml uses. Their counters start at 0: Prometheus sees no increase in a series
that begins at 1, so the first failure would raise no alert."""
STARTED = "start"


@dataclass(frozen=True, slots=True)
class LastCall:
    """The latest call to Genesys. `status` is its HTTP status, or "none" if it got no answer."""

    status: str
    seconds_ago: float


class PrometheusMetrics(Metrics):
    """Implements core.ports.Metrics with prometheus_client. Each instance has a separate registry. Thread-safe."""

    def __init__(
        self,
        kinds: Iterable[str] = (),
        needs: Iterable[str] = (),
        exemplar: Callable[[], dict[str, str] | None] | None = None,
    ) -> None:
        """Create the metrics.

        Start the counters for these kinds of requests, and for calls with these permissions, at 0. `exemplar` returns
        the ids of the present trace, which the histograms of durations then name; None if there are no traces.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series, and nobody reads them
        self._exemplar = exemplar
        self._registry = CollectorRegistry()
        self._make_requests()
        self._make_genesys()
        self._make_rest()
        ProcessCollector(registry=self._registry)
        self._last_call: tuple[str, float] | None = None
        self._create_series(kinds, needs)

    def watch(self, *, under_way: Callable[[], int], queue_length: Callable[[], int]) -> None:
        """Set the functions that return the values of the two gauges: requests in progress, and calls that wait."""
        self._under_way.set_function(under_way)
        self._queue_length.set_function(queue_length)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)

    def accepted_exposition(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics in a form that the HTTP header Accept asks for, and their content type.

        The form is OpenMetrics, which alone has exemplars, or Prometheus's text format.
        https://prometheus.io/docs/specs/om/open_metrics_spec/
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    @property
    def last_call(self) -> LastCall | None:
        """Return the latest call to Genesys; None before the first call."""
        if self._last_call is None:
            return None
        status, at = self._last_call
        return LastCall(status, time.monotonic() - at)

    def record_event(self, event: Event) -> None:
        """Count a finished, rejected or resumed request."""
        match event:
            case RequestFinished(request=request, result=result, reached=reached, seconds=seconds):
                self._requests.labels(request.kind.value, result.code).inc()
                self._request_seconds.labels(request.kind.value).observe(seconds, self._exemplar and self._exemplar())
                if not reached:
                    self._unreached.inc()
            case RequestRejected(request=request, error=error):
                self._requests.labels(request.kind.value, error.code).inc()
            case RequestResumed():
                self._resumed.inc()
            case SessionStateChanged(record=record):
                self._record_state(record)

    def _record_state(self, record: SessionRecord) -> None:
        state = record.state
        end = state.ending.value if state.ending else state.phase.value
        if state.is_final:
            self._ended.labels(end).inc()
        elif state.joined_at and record.started_at:
            self._join_seconds.observe(max(0.0, (state.joined_at - record.started_at).total_seconds()))

    def acknowledged(self, seconds: float) -> None:
        self._ack_seconds.observe(seconds, self._exemplar and self._exemplar())

    def called(self, needs: str, status: str, seconds: float) -> None:
        self._calls.labels(needs, status).inc()
        self._call_seconds.labels(needs).observe(seconds, self._exemplar and self._exemplar())
        self._last_call = status, time.monotonic()

    def waited(self, seconds: float) -> None:
        self._wait_seconds.observe(seconds, self._exemplar and self._exemplar())

    def renewed(self, outcome: str) -> None:
        self._renewals.labels(outcome).inc()

    def reconnected(self) -> None:
        self._reconnects.inc()

    def connection_failed(self, reason: str) -> None:
        self._connection_failures.labels(reason).inc()

    def store_failed(self) -> None:
        self._store_failures.inc()

    def secret_reloaded(self, name: str, result: str) -> None:
        self._reloads.labels(name, result).inc()

    def watch_secrets(self, names: Iterable[str]) -> None:
        """Start the counters of these secrets, whose files are watched, at 0."""
        for name, result in product(names, RELOADS):
            self._reloads.labels(name, result)

    def workspaces_reloaded(self, result: str) -> None:
        self._workspace_reloads.labels(result).inc()

    def watch_workspaces(self) -> None:
        """Start the counters of the file of workspaces, which is watched, at 0."""
        for result in FILE_RELOADS:
            self._workspace_reloads.labels(result)

    def live_look(self, result: str) -> None:
        self._live_looks.labels(result).inc()

    def live_event(self, kind: str) -> None:
        self._live_events.labels(kind).inc()

    def live_connected(self, *, is_up: bool) -> None:
        self._live_down.set(not is_up)

    def _make_requests(self) -> None:
        about = "Commands, buttons and workflow steps, also those that were never accepted"
        self._requests = self._counter("cobrowse_requests", about, "kind", "outcome")
        self._request_seconds = self._histogram(
            "cobrowse_request_seconds", "Seconds from acceptance to the answer", REQUEST_SECONDS, "kind"
        )
        self._ack_seconds = self._histogram(
            "cobrowse_ack_seconds",
            "Seconds from a payload of Slack to its acknowledgement; Slack waits for 3",
            ACK_SECONDS,
        )
        self._unreached = self._counter("cobrowse_answers_unreached", "Answers that reached nobody")
        self._resumed = self._counter("cobrowse_requests_resumed", "Requests of dead processes that were taken up")
        self._under_way = self._gauge(
            "cobrowse_requests_under_way", "Requests accepted and not yet answered; COBROWSE_MAX_IN_FLIGHT bounds it"
        )

    def _make_genesys(self) -> None:
        about = "Calls to Genesys, by HTTP status, none where no answer came; without calls for a token"
        self._calls = self._counter("cobrowse_genesys_calls", about, "needs", "status")
        self._call_seconds = self._histogram(
            "cobrowse_genesys_call_seconds", "Seconds that Genesys took to answer", CALL_SECONDS, "needs"
        )
        self._wait_seconds = self._histogram(
            "cobrowse_rate_limit_wait_seconds",
            "Seconds that a call waited for its turn in the rate limit",
            WAIT_SECONDS,
        )
        self._queue_length = self._gauge("cobrowse_queue_length", "Calls that wait for their turn in the rate limit")
        self._renewals = self._counter(
            "cobrowse_token_renewals", "Tokens asked for: ok, or the code of the error", "outcome"
        )

    def _make_rest(self) -> None:
        self._reconnects = self._counter(
            "cobrowse_socket_reconnects",
            "Sockets to Slack opened in place of others; Slack asks for one every few hours",
        )
        about = (
            "Sockets to Slack that did not open (not_opened), or ended within 30 seconds: closed, or the word of Slack"
        )
        self._connection_failures = self._counter("cobrowse_socket_failures", about, "reason")
        for reason in CONNECTION_FAILURES:
            self._connection_failures.labels(reason).inc(0)
        self._make_live()
        self._store_failures = self._counter("cobrowse_store_failures", "Reads and writes the database did not do")
        about = "Changed files of secrets, by setting: ok, unreadable, invalid, or refused by the service"
        self._reloads = self._counter("cobrowse_secret_reloads", about, "name", "result")
        about = "Changes of the file of workspaces: ok, unreadable, or invalid as a whole"
        self._workspace_reloads = self._counter("cobrowse_workspaces_reloads", about, "result")
        self._gauge("cobrowse_build_info", "The version that runs", "version").labels(__version__).set(1)

    def _make_live(self) -> None:
        about = "Sessions that ended, as Genesys reports it: how, over if it does not say how, unused if nobody joined"
        self._ended = self._counter("cobrowse_sessions_ended", about, "state")
        for state in ENDS:
            self._ended.labels(state)
        self._join_seconds = self._histogram(
            "cobrowse_join_seconds", "Seconds from a session’s creation until its customer joined", JOIN_SECONDS
        )
        about = "Looks at watched sessions, by what they found; busy if the rate limit had no call left for them"
        self._live_looks = self._counter("cobrowse_live_looks", about, "result")
        for result in LOOK_RESULTS:
            self._live_looks.labels(result)
        self._live_events = self._counter("cobrowse_live_events", "Events of notification channels, by kind", "kind")
        about = "1 while the replica that leads gets no notifications (GENESYS_LIVE=push), else 0"
        self._live_down = self._gauge("cobrowse_live_push_down", about)

    def _create_series(self, kinds: Iterable[str], needs: Iterable[str]) -> None:
        """Create the series that alerts and the dashboard need before the first event."""
        for kind, outcome in product(kinds, ALERTED_OUTCOMES):
            self._requests.labels(kind, outcome)
        for need in needs:
            self._call_seconds.labels(need)
            for status in WATCHED_STATUSES:
                self._calls.labels(need, status)
        for outcome in ("ok", *REFUSED_RENEWALS):
            self._renewals.labels(outcome)
        self._request_seconds.labels(STARTED)
        self._requests.labels(STARTED, SessionStarted.code)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self._registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, about, labels, buckets=buckets, registry=self._registry)
