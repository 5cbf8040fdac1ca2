"""The Socket Mode door: always one socket to Slack, and the next one before the last one goes.

https://docs.slack.dev/apis/events-api/using-socket-mode . slack_sdk's client closes the old socket before it opens the
new one, queues without a bound, and asks for ever also when Slack will never say yes; what is common to both, the
envelopes and their answers, is the SDK's and Bolt's (line.py).
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

from bot.core.ports import NULL_METRICS, Metrics
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code, retry_after_seconds
from bot.slack.api.trouble import word_for
from bot.slack.error_codes import REFUSALS
from bot.slack.receivers.reconnect import ReconnectBackoff
from bot.slack.receivers.socket_connection import CLOSED, RENEWALS, SocketConnection

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
"""So often the socket is asked whether it lives; one that does not answer within half of it is replaced."""
HELLO_SECONDS = 10.0
SETTLE_SECONDS = 2.0
LEAVING_SECONDS = 30.0
"""So long at most a socket that Slack wants replaced is read on, beside its successor; Slack closes it before."""
FORGOTTEN_SECONDS = 6 * 3600.0
"""Slack counts a connection that was lost without a word for some five hours more, as its users have measured:
https://github.com/slackapi/python-slack-sdk/issues/1940 ."""
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
FAILURE_REASONS = (*END_REASONS, OTHER, NOT_OPENED)
"""What a metric may be labelled with; another word of Slack's counts as OTHER."""


class EndedBeforeHelloError(Exception):
    """Slack, or something on the way, ended a connection before Slack said hello."""

    code = "ended_before_hello"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SocketModeReceiver:
    """Receives Slack's payloads, and answers each with what Bolt says. `refused` says why it has given up.

    `single_process`: there can be no other replica, so another connection of the app is another bot's.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web: AsyncWebClient,
        proxy_for: Callable[[str], str | None],
        meter: Metrics = NULL_METRICS,
        *,
        single_process: bool = False,
        backoff: ReconnectBackoff | None = None,
    ) -> None:
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._app_token, self._web, self._proxy_for = app, app_token, web, proxy_for
        self._meter, self._single_process = meter, single_process
        self._backoff = backoff or ReconnectBackoff()
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._line: SocketConnection | None = None
        self._leaving: set[asyncio.Task[None]] = set()  # read on until they end
        self._ending: set[asyncio.Task[None]] = set()  # closed at once, which takes SETTLE_SECONDS at most
        self._lost_at: deque[float] = deque(maxlen=10)
        self._other_connections, self._told_too_many = 0, False
        self._last_failure = NOT_OPENED
        self._keeping: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Returns once Slack has said hello, or once `refused` says why it never will."""
        ready = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep(ready))
        await ready.wait()

    async def hears(self) -> bool:
        """Whether there is a socket that Slack can send by."""
        return self._line is not None and self._line.is_read

    async def close(self) -> None:
        """Answers what has been received, then closes."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._line:
            await self._line.finish(SETTLE_SECONDS)
        for task in self._leaving:
            task.cancel()
        if tasks := self._leaving | self._ending:
            await asyncio.wait(tasks)
        await self._http.close()

    async def _keep(self, ready: asyncio.Event) -> None:
        """Has a socket open, and opens the next one as soon as this one is to go."""
        loop = asyncio.get_running_loop()
        try:
            while not self.refused.done():
                line = await self._open()
                if line is None:
                    break
                began, before, self._line = loop.time(), self._line, line
                ready.set()
                self._warn_of_other_bots(line, before)
                if before:
                    self._meter.reconnected()
                    self._in_background(self._leaving, self._leave(before))
                reason = await line.leaving
                if reason == LINK_DISABLED:
                    self._give_up(REFUSALS[reason])
                log.info("another socket is needed", extra={"fields": {"reason": reason}})
                self._ended(line, reason, loop.time() - began)
        finally:
            ready.set()

    def _ended(self, line: SocketConnection, reason: str, lived_seconds: float) -> None:
        """Take in how a connection ended, or is about to."""
        is_early = self._backoff.ended(lived_seconds)
        if is_early:
            self._failed(reason if reason in END_REASONS else OTHER)
        if reason == TOO_MANY:
            self._tell_too_many(line.num_connections)
        elif not is_early:
            self._told_too_many = False

    def _failed(self, reason: str) -> None:
        self._last_failure = reason
        self._meter.connection_failed(reason)

    def _tell_too_many(self, num_connections: int) -> None:
        """Warn once, not at each connection that follows, until one has lived."""
        if not self._told_too_many:
            self._told_too_many = True
            fields = {"num_connections": num_connections or "unknown"}
            log.warning("Slack counts more than ten sockets of this app, or dead ones", extra={"fields": fields})

    def _warn_of_other_bots(self, line: SocketConnection, before: SocketConnection | None) -> None:
        """Warn when Slack counts more connections of this app than are ours, though there can be no other replica."""
        since = asyncio.get_running_loop().time() - FORGOTTEN_SECONDS
        lost = sum(at > since for at in self._lost_at)
        is_before_counted = before is not None and (before.is_open or before.is_lost)
        others = line.num_connections - 1 - is_before_counted - len(self._leaving) - len(self._ending) - lost
        if self._single_process and others > self._other_connections:
            fields = {"num_connections": line.num_connections}
            log.warning("another bot uses this app-level token, so commands go to either", extra={"fields": fields})
        self._other_connections = max(others, self._other_connections) if others > 0 else 0

    async def _open(self) -> SocketConnection | None:
        """A socket on which Slack has said hello; None when it never will."""
        while True:
            await asyncio.sleep(self._backoff.wait_seconds)
            if self._backoff.is_deaf:
                self._give_up({TOO_MANY: DEAF_TOO_MANY, NOT_OPENED: DEAF}.get(self._last_failure, DEAF_SHORT))
                return None
            self._backoff.opening()
            try:
                return await self._try()
            except SlackApiError as error:
                code = error_code(error)
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
                    self._tell_too_many(0)
                log.warning("no socket to Slack yet", extra={"fields": {"error": error.code, "reason": error.reason}})
            except (*TROUBLE, *MISSHAPEN, OSError) as error:
                log.warning("no socket to Slack yet", extra={"fields": {"error": word_for(error)}})
            self._failed(NOT_OPENED)

    async def _try(self) -> SocketConnection:
        async with asyncio.timeout(HELLO_SECONDS):
            answer = await self._web.apps_connections_open(app_token=self._app_token)
            url = str(answer["url"])
            web_socket = await self._http.ws_connect(
                url,
                heartbeat=HEARTBEAT_SECONDS,
                proxy=self._proxy_for(url),
                timeout=aiohttp.ClientWSTimeout(ws_close=SETTLE_SECONDS),
            )
            line = SocketConnection(self._app, web_socket, self._meter)
            try:
                await line.ready.wait()
                if not line.said_hello:
                    raise EndedBeforeHelloError(line.leaving.result())
            except BaseException:
                self._in_background(self._ending, line.finish(0))
                raise
        return line

    async def _leave(self, line: SocketConnection) -> None:
        """Reads on what Slack still sends there, until it ends."""
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await line.ended()
        except TimeoutError:
            pass
        finally:
            if line.is_lost:
                self._lost_at.append(asyncio.get_running_loop().time())
            await line.finish(SETTLE_SECONDS)

    def _in_background(self, tasks: set[asyncio.Task[None]], ending: Coroutine[Any, Any, None]) -> None:
        """Let a connection end while the next one is opened or used; `close` waits for it."""
        task = asyncio.create_task(ending)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _give_up(self, sentence: str) -> None:
        if not self.refused.done():
            self.refused.set_result(sentence)
