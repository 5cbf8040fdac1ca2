"""Receive payloads over Socket Mode. Keep one connection open, and open the next one before Slack closes the old one.

This module uses slack_sdk's envelopes, but not slack_sdk's client. That client closes the old connection before it
opens the new one, has a queue without a limit, and repeats calls that can never succeed.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.ports import NULL_METRICS, NULL_TRACER, Metrics, Tracer
from bot.core.timing import RECEIVER_BOUNDS, SLACK_TIMING, ReceiverBounds, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label, retry_after_seconds
from bot.slack.error_codes import REFUSALS
from bot.slack.receivers.reconnect import ReconnectBackoff
from bot.slack.receivers.socket_connection import CLOSED, NEW_TOKEN, RENEWALS, SocketConnection

log = logging.getLogger(__name__)

TOO_MANY, LINK_DISABLED = "too_many_websockets", "link_disabled"
DEAF = "Slack could not be reached over Socket Mode for five minutes. Check the network; start the bot again."
DEAF_TOO_MANY = (
    "Slack has ended each Socket Mode connection for five minutes (too_many_websockets). Stop replicas, and other"
    " programs that use SLACK_APP_TOKEN, until nine are left; Slack forgets connections that died only after hours."
)
DEAF_SHORT = (
    "For five minutes each Socket Mode connection has ended within seconds. Check the network and the proxies on the"
    " way; start the bot again."
)
END_REASONS = (TOO_MANY, *RENEWALS, CLOSED)
OTHER, NOT_OPENED = "other", "not_opened"
OTHER_APP = "slack_token_of_another_app"
FAILURE_REASONS = (*END_REASONS, OTHER, NOT_OPENED)
"""The values of the label `reason` in the metric `cobrowse_socket_failures`. Any other reason counts as OTHER."""


class EndedBeforeHelloError(Exception):
    """A new connection ended before Slack's hello, the first message on a connection.

    `reason`: the reason in Slack's `disconnect` message, or the bot's own word for the log, such as "closed".
    """

    code = "ended_before_hello"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SocketModeReceiver:
    """Receives payloads over Socket Mode, and answers each payload with Bolt's response.

    - `refused`: a future that is done when the receiver gives up. The result is the reason, a sentence for the log. The
      receiver gives up if Slack refuses the app permanently, or if the bot is deaf: for five minutes, it has had no
      connection, or only connections that ended within seconds.
    - `single_process`: whether the installation has only this process. If True, the log warns about connections of the
      app that this process has not opened: another bot must have opened them.
    - `known_sockets`: the number of connections of the app that this process has already opened, through an earlier
      receiver.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web: AsyncWebClient,
        proxy_for: Callable[[str], str | None],
        metrics: Metrics = NULL_METRICS,
        *,
        single_process: bool = False,
        known_sockets: int = 0,
        backoff: ReconnectBackoff | None = None,
        timing: SlackTiming = SLACK_TIMING,
        bounds: ReceiverBounds = RECEIVER_BOUNDS,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._app_token, self._web, self._proxy_for = app, app_token, web, proxy_for
        self._metrics, self._tracer, self._single_process = metrics, tracer, single_process
        self._backoff, self._timing, self._bounds = backoff or ReconnectBackoff(), timing, bounds
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._connection: SocketConnection | None = None
        self._next: SocketConnection | None = None  # opened with another app-level token
        self._leaving: set[asyncio.Task[None]] = set()  # read replaced connections until they end
        self._ending: set[asyncio.Task[None]] = set()  # close connections that ended before Slack's hello
        self._lost_at: deque[float] = deque(maxlen=10)
        self._other_connections, self._warned_too_many = known_sockets, False
        self._last_failure = NOT_OPENED
        self._keeper: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Start a task that keeps a connection open. Return when Slack can send payloads over the first connection.

        Return also when the receiver gives up. The future `refused` is then done.
        """
        ready = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep_connected(ready))
        await ready.wait()

    async def use_token(self, app_token: str) -> str:
        """Replace the present connection by a connection with another app-level token. Return "" on success.

        On failure, keep the old token and its connection, and return the reason: Slack's error code, OTHER_APP if the
        token belongs to another Slack app, or NOT_OPENED for any other failure.
        """
        if app_token == self._app_token:
            return ""
        try:
            connection = await self._connect_once(app_token)
        except SlackApiError as error:
            return error_code(error) or NOT_OPENED
        except (EndedBeforeHelloError, *CALL_ERRORS, *MALFORMED_ERRORS, OSError):
            return NOT_OPENED
        old = self._connection
        if old and old.app_id and connection.app_id and old.app_id != connection.app_id:
            self._in_background(self._ending, connection.finish(0))
            return OTHER_APP
        if self._next:
            self._in_background(self._ending, self._next.finish(self._timing.close_timeout))
        self._app_token, self._next = app_token, connection
        if old:
            old.replace()
        return ""

    async def hears(self) -> bool:
        """Return whether Slack can send payloads to the bot now."""
        return self._connection is not None and self._connection.is_read

    async def close(self) -> None:
        """Stop reading, wait for the acknowledgements of the payloads that have arrived, and close all connections."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        for connection in filter(None, (self._connection, self._next)):
            await connection.finish(self._timing.close_timeout)
        for task in self._leaving:
            task.cancel()
        if tasks := self._leaving | self._ending:
            await asyncio.wait(tasks)
        await self._http.close()

    async def _keep_connected(self, ready: asyncio.Event) -> None:
        """Keep a connection open until the receiver gives up.

        Open the next connection when Slack asks for it, when the present connection ends, or when the app-level token
        has changed. Set `ready` when the first connection is open, and also when the receiver gives up.
        """
        loop = asyncio.get_running_loop()
        try:
            while not self.refused.done():
                connection = await self._open()
                if connection is None:
                    break
                began, previous, self._connection = loop.time(), self._connection, connection
                ready.set()
                self._warn_of_other_bots(connection, previous)
                if previous:
                    self._metrics.reconnected()
                    self._in_background(self._leaving, self._leave(previous))
                reason = await connection.leaving
                if reason == LINK_DISABLED:
                    self._give_up(REFUSALS[reason])
                log.info("another socket is needed", extra={"fields": {"reason": reason}})
                self._ended(connection, reason, loop.time() - began)
        finally:
            ready.set()

    def _ended(self, connection: SocketConnection, reason: str, lived_seconds: float) -> None:
        """Update the backoff and the metrics after a connection has ended or has to be replaced.

        In the metrics, a connection that lived for less than STEADY_SECONDS counts as failed, unless the bot replaces
        it because the app-level token has changed.

        - `reason`: the reason in Slack's `disconnect` message, or the bot's own word, such as NEW_TOKEN.
        - `lived_seconds`: the time since the connection was opened.
        """
        is_early = self._backoff.ended(lived_seconds) and reason != NEW_TOKEN
        if is_early:
            self._failed(reason if reason in END_REASONS else OTHER)
        if reason == TOO_MANY:
            self._warn_too_many(connection.num_connections)
        elif not is_early:
            self._warned_too_many = False

    def _failed(self, reason: str) -> None:
        self._last_failure = reason
        self._metrics.connection_failed(reason)

    def _warn_too_many(self, num_connections: int) -> None:
        """Log a warning that Slack counts too many connections of the app.

        Log the warning once. Log it again only after a connection has ended for another reason than TOO_MANY. This
        connection must have lived for at least STEADY_SECONDS, or must have ended because the app-level token changed.

        `num_connections`: how many connections Slack counts; 0 if unknown.
        """
        if not self._warned_too_many:
            self._warned_too_many = True
            fields = {"num_connections": num_connections or "unknown"}
            log.warning("Slack counts more than ten sockets of this app, or dead ones", extra={"fields": fields})

    def _warn_of_other_bots(self, connection: SocketConnection, previous: SocketConnection | None) -> None:
        """Log a warning if Slack counts connections of the app that this process has not opened.

        After a warning, warn again only if the number of these connections rises. Log nothing if the installation may
        have several processes.

        - `connection`: the new connection. Its `num_connections` is Slack's count.
        - `previous`: the connection that `connection` replaces; None if `connection` is the first one.
        """
        since = asyncio.get_running_loop().time() - self._timing.ghost_seconds
        lost = sum(at > since for at in self._lost_at)
        is_previous_counted = previous is not None and (previous.is_open or previous.is_lost)
        others = connection.num_connections - 1 - is_previous_counted - len(self._leaving) - len(self._ending) - lost
        if self._single_process and others > self._other_connections:
            fields = {"num_connections": connection.num_connections}
            log.warning("another bot uses this app-level token, so commands go to either", extra={"fields": fields})
        self._other_connections = max(others, self._other_connections) if others > 0 else 0

    async def _open(self) -> SocketConnection | None:
        """Open a connection, with retries, and return it after Slack's hello. Return None if the receiver gives up."""
        while True:
            if not self._next:
                await asyncio.sleep(self._backoff.wait_seconds)
            if self._next:
                connection, self._next = self._next, None
                return connection
            if self._backoff.is_deaf:
                self._give_up({TOO_MANY: DEAF_TOO_MANY, NOT_OPENED: DEAF}.get(self._last_failure, DEAF_SHORT))
                return None
            self._backoff.opening()
            try:
                return await self._connect_once(self._app_token)
            except SlackApiError as error:
                code = error_code(error)
                if code in REFUSALS and self._next:  # Slack refuses the token that `use_token` replaced meanwhile
                    continue
                if code in REFUSALS:
                    self._give_up(REFUSALS[code])
                    return None
                self._backoff.ordered(retry_after_seconds(error))
                log.warning("no socket to Slack yet", extra={"fields": {"error": code or "an answer of no use"}})
            except EndedBeforeHelloError as error:
                if error.reason == LINK_DISABLED:
                    self._give_up(REFUSALS[LINK_DISABLED])
                    return None
                if error.reason == TOO_MANY:
                    self._warn_too_many(0)
                log.warning("no socket to Slack yet", extra={"fields": {"error": error.code, "reason": error.reason}})
            except (*CALL_ERRORS, *MALFORMED_ERRORS, OSError) as error:
                log.warning("no socket to Slack yet", extra={"fields": {"error": error_label(error)}})
            self._failed(NOT_OPENED)

    async def _connect_once(self, app_token: str) -> SocketConnection:
        async with asyncio.timeout(self._timing.hello_timeout):
            answer = await self._web.apps_connections_open(app_token=app_token)
            url = str(answer["url"])
            web_socket = await self._http.ws_connect(
                url,
                heartbeat=self._timing.heartbeat_seconds,
                proxy=self._proxy_for(url),
                timeout=aiohttp.ClientWSTimeout(ws_close=self._timing.close_timeout),
            )
            connection = SocketConnection(self._app, web_socket, self._metrics, self._bounds, self._tracer)
            try:
                await connection.ready.wait()
                if not connection.said_hello:
                    raise EndedBeforeHelloError(connection.leaving.result())
            except BaseException:
                self._in_background(self._ending, connection.finish(0))
                raise
        return connection

    async def _leave(self, connection: SocketConnection) -> None:
        """Read a replaced connection until Slack ends it, or for `SlackTiming.max_leaving_seconds`. Then close it."""
        try:
            async with asyncio.timeout(self._timing.max_leaving_seconds):
                await connection.ended()
        except TimeoutError:
            pass
        finally:
            if connection.is_lost:
                self._lost_at.append(asyncio.get_running_loop().time())
            await connection.finish(self._timing.close_timeout)

    def _in_background(self, tasks: set[asyncio.Task[None]], ending: Coroutine[Any, Any, None]) -> None:
        """Run `ending` as a task, and keep the task in `tasks` until it is done. `close` waits for the task."""
        task = asyncio.create_task(ending)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _give_up(self, sentence: str) -> None:
        if not self.refused.done():
            self.refused.set_result(sentence)
