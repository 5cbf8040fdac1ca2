"""The Socket Mode door: always one socket to Slack, and the next one before the last one goes.

https://docs.slack.dev/apis/events-api/using-socket-mode . slack_sdk's client closes the old socket before it opens the
new one, queues without a bound, and asks for ever also when Slack will never say yes; what is common to both, the
envelopes and their answers, is the SDK's and Bolt's (line.py).
"""

import asyncio
import logging
import random
from collections.abc import Callable

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.meter import UNMEASURED, Meter
from bot.slack.answers import MISSHAPEN, TROUBLE, error_code
from bot.slack.line import Line

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
"""So often the socket is asked whether it lives; one that does not answer within half of it is replaced."""
HELLO_SECONDS = 10.0
SETTLE_SECONDS = 2.0
LEAVING_SECONDS = 30.0
"""So long at most a socket that Slack wants replaced is read on, beside its successor; Slack closes it before."""
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 15.0
DEAF_SECONDS = 300.0
"""Without a socket for so long, the process gives up, so that whoever supervises it starts it anew."""
DEAF = "Slack could not be reached over Socket Mode for five minutes. Check the network; start the bot again."
REFUSALS = {
    "invalid_auth": "Slack refuses SLACK_APP_TOKEN (invalid_auth). Make a new app-level token and set it.",
    "not_authed": "Slack refuses SLACK_APP_TOKEN (not_authed). Make a new app-level token and set it.",
    "not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token. One begins with xapp-.",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write. Make a new app-level token with it.",
    "account_inactive": "Slack says the account behind SLACK_APP_TOKEN is inactive.",
    "token_expired": "SLACK_APP_TOKEN has expired. Make a new app-level token and set it.",
    "token_revoked": "SLACK_APP_TOKEN was revoked. Make a new app-level token and set it.",
    "link_disabled": "Socket Mode was switched off for this app in Slack. Switch it on, or use HTTP.",
    "forbidden_team": "Slack does not let this app use Socket Mode in this workspace (forbidden_team).",
}


class SocketDoor:
    """Receives Slack's payloads, and answers each with what Bolt says. `refused` says why it has given up."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web: AsyncWebClient,
        proxy_for: Callable[[str], str | None],
        meter: Meter = UNMEASURED,
    ) -> None:
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._app_token, self._web, self._proxy_for = app, app_token, web, proxy_for
        self._meter = meter
        self._http = aiohttp.ClientSession()
        self._line: Line | None = None
        self._leaving: set[asyncio.Task[None]] = set()
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
        if self._line:
            await self._line.finish(SETTLE_SECONDS)
        for task in self._leaving:
            task.cancel()
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self._http.close()

    async def _keep(self, ready: asyncio.Event) -> None:
        """Has a socket open, and opens the next one as soon as this one is to go."""
        try:
            while not self.refused.done():
                line = await self._open()
                if line is None:
                    break
                before, self._line = self._line, line
                ready.set()
                if before:
                    self._meter.reconnected()
                    self._let_go(before)
                reason = await line.leaving
                if reason == "link_disabled":
                    self._give_up(REFUSALS[reason])
                log.info("another socket is needed", extra={"fields": {"reason": reason}})
        finally:
            ready.set()

    async def _open(self) -> Line | None:
        """A socket on which Slack has said hello; None when it never will."""
        loop = asyncio.get_running_loop()
        give_up_at, delay = loop.time() + DEAF_SECONDS, 0.0
        while True:
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))  # noqa: S311 - spreads a crowd, hides nothing
            try:
                return await self._try()
            except SlackApiError as error:
                code = error_code(error)
                if code in REFUSALS:
                    self._give_up(REFUSALS[code])
                    return None
                log.warning("no socket to Slack yet", extra={"fields": {"error": code or "an answer of no use"}})
            except (*TROUBLE, *MISSHAPEN, OSError) as error:
                log.warning("no socket to Slack yet", extra={"fields": {"error": type(error).__name__}})
            if loop.time() >= give_up_at:
                self._give_up(DEAF)
                return None
            delay = min(delay * 2 or FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS)

    async def _try(self) -> Line:
        async with asyncio.timeout(HELLO_SECONDS):
            answer = await self._web.apps_connections_open(app_token=self._app_token)
            url = str(answer["url"])
            proxy = self._proxy_for(url)
            web_socket = await self._http.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, proxy=proxy)
            line = Line(self._app, web_socket, self._meter)
            try:
                await line.ready.wait()
            except BaseException:
                await line.finish(0)
                raise
        return line

    def _let_go(self, line: Line) -> None:
        """Reads on what Slack still sends there, until it ends."""

        async def leave() -> None:
            try:
                async with asyncio.timeout(LEAVING_SECONDS):
                    await line.ended()
            except TimeoutError:
                pass
            finally:
                await line.finish(SETTLE_SECONDS)

        task = asyncio.create_task(leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _give_up(self, sentence: str) -> None:
        if not self.refused.done():
            self.refused.set_result(sentence)
