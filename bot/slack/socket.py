"""The Socket Mode door: slack_sdk's client, with what must differ.

The SDK asks for a new socket for ever, also when Slack has refused the app's token or switched Socket Mode off; this
one stops and says so. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.meter import Meter
from bot.slack.answers import error_code
from bot.slack.boundary import dispatch

SDK_LOG = logging.getLogger("slack_sdk.socket_mode")  # held at WARNING: it prints payloads below that

PING_SECONDS = 5.0
SETTLE_SECONDS = 2.0
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


class SocketDoor(SocketModeClient):
    """Receives Slack's payloads over a socket and answers each with what Bolt says."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web: AsyncWebClient,
        proxy_for: Callable[[str], str | None],
        meter: Meter,
    ) -> None:
        super().__init__(app_token=app_token, web_client=web, logger=SDK_LOG, ping_interval=PING_SECONDS)
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._meter = app, meter
        self._proxy_for = proxy_for
        self._connects = 0
        self._handling: set[asyncio.Task[Any]] = set()
        self.socket_mode_request_listeners.append(self._handle)

    async def issue_new_wss_url(self) -> str:
        """As the SDK's, but gives up, without a word of its own, when Slack will never say yes."""
        try:
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        except SlackApiError as error:
            self._give_up(error_code(error))
            raise
        url = str(answer["url"])
        self._connects += 1
        if self._connects > 1:
            self._meter.reconnected()
        self.proxy = self._proxy_for(url)
        return url

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """As the SDK's, but does not reconnect to what was switched off, and remembers what is being handled."""
        if message.get("type") == "disconnect" and message.get("reason") == "link_disabled":
            self._give_up("link_disabled")
            return
        task = asyncio.current_task()
        if task:
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)
        await super().run_message_listeners(message, raw_message)

    async def close(self) -> None:
        """Answers what has been received, then closes."""
        if self._handling and not self.closed:
            await asyncio.wait(self._handling, timeout=SETTLE_SECONDS)
        await super().close()  # type: ignore[no-untyped-call]  # the SDK has no types here

    async def hears(self) -> bool:
        """Whether there is a socket that Slack can send by."""
        return bool(await self.is_connected())

    def _give_up(self, code: str) -> None:
        if code in REFUSALS and not self.refused.done():
            self.closed = True  # ends the SDK's loops
            self.refused.set_result(REFUSALS[code])

    async def _handle(self, client: Any, request: SocketModeRequest) -> None:
        bolt_request = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=build_headers(request))
        response = await dispatch(self._app, bolt_request, self._meter)
        await send_async_response(client, request, response, 0.0)
