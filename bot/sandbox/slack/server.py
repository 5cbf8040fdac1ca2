"""Run a small imitation of Slack on localhost: Slack workspaces, their users, and the servers that the bot connects to.

The server follows Slack's documentation and shares no code with the bot.

- user_actions.py: what users do.
- workspace.py, views.py, workflow_steps.py: the state.
- api/: the Web API.
- delivery/: the delivery of payloads to the bot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from bot.sandbox.slack.api.web_api import WebApi
from bot.sandbox.slack.delivery.dispatch import Dispatcher
from bot.sandbox.slack.delivery.transports import HttpDelivery, Sockets
from bot.sandbox.slack.faults import Faults, RateLimit
from bot.sandbox.slack.models import (
    APP_ID,
    ApiCall,
    CallLog,
    Delivery,
    Message,
    Parameter,
    Shortcut,
    SlackChannel,
    SlackUser,
    Step,
)
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.user_actions import UserActions
from bot.sandbox.slack.view_state import IncompleteFormError
from bot.sandbox.slack.views import View, Views
from bot.sandbox.slack.workflow_steps import Execution, Executions
from bot.sandbox.slack.workspace import Workspace

__all__ = [
    "ApiCall", "Delivery", "Execution", "IncompleteFormError", "Message", "Parameter", "SandboxSlack", "Shortcut",
    "SlackChannel", "SlackUser", "Step", "View",
]  # fmt: skip

T = TypeVar("T")


class SandboxSlack(UserActions):
    """The server of the sandbox's Slack, with methods for tests and for the sandbox's page.

    Some arguments of the constructor:

    - `usergroups`: the ids of the members of each user group, by the id of the user group.
    - `config_token`: the token with which the bot can export the app's manifest (`apps.manifest.export`).
    - `manifest`: the manifest that is exported; None for an empty manifest.
    - `on_traffic`: a function that gets a dict about each call of the bot and each delivery to the bot; None to report
      nothing. `CallLog` lists the keys of the dict.
    """

    def __init__(
        self,
        *,
        bot_token: str,
        app_token: str,
        signing_secret: str,
        users: Sequence[SlackUser],
        channels: Sequence[SlackChannel],
        usergroups: Mapping[str, Sequence[str]] = {},
        shortcuts: Sequence[Shortcut] = (),
        steps: Sequence[Step] = (),
        config_token: str = "",
        manifest: Mapping[str, Any] | None = None,
        on_traffic: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        workspace = Workspace(users, channels, usergroups)
        self.shortcuts = tuple(shortcuts)
        self.api_url = ""
        """The URL of the Web API, to which the name of a method is added; "" before the server starts."""
        self.faults = Faults()
        self.log = CallLog(on_traffic)
        self.sockets = Sockets(self.faults)
        views, executions = Views(), Executions(steps)
        response_urls = ResponseUrls(workspace, self.faults, self.log)
        dispatcher = Dispatcher(self.sockets, HttpDelivery(signing_secret), self.log)
        super().__init__(workspace, views, executions, response_urls, dispatcher)
        views.listeners.append(lambda view: workspace.notify_waiters(view.user_id))
        executions.listeners.append(lambda _: workspace.notify_waiters())
        dispatcher.event_listeners.append(lambda _: workspace.notify_waiters())
        self.api = WebApi(
            workspace,
            views,
            executions,
            self.faults,
            self.log,
            bot_token=bot_token,
            app_token=app_token,
            new_socket_url=self._new_socket_url,
            config_token=config_token,
            manifest=manifest or {},
        )
        self._runner: web.AppRunner | None = None

    # the servers

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(client_max_size=1_000_000)
        app.router.add_route("*", "/api/{method}", self.api.handle)
        app.router.add_post("/response/{secret}", self.response_urls.handle)
        app.router.add_get("/link/", self.sockets.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        self.api_url = f"{self.url}/api/"
        self.dispatcher.http.open()

    async def stop(self) -> None:
        """Close all connections. Each delivery that waits for an acknowledgement fails."""
        await self.dispatcher.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def connected(self, timeout: float = 10) -> None:  # noqa: ASYNC109 - what tests expect of a wait
        """Wait until the bot has a Socket Mode connection. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            await self.sockets.connected()

    async def disconnect_sockets(self, reason: str = "refresh_requested", *, seconds: float = 0.5) -> None:
        """Send a disconnect message over every Socket Mode connection. Close the connections after `seconds`.

        The method returns before the connections are closed.

        `reason`: `warning`, `refresh_requested` or `link_disabled`.
        """
        self.sockets.disconnect(reason, seconds)
        await asyncio.sleep(0)

    def _new_socket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/link/?ticket={self.sockets.ticket()}&app_id={APP_ID}"

    @property
    def events_url(self) -> str | None:
        """Return the URL to which payloads are sent by signed HTTP; None for Socket Mode."""
        return self.dispatcher.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.dispatcher.events_url = url

    @property
    def ack_seconds(self) -> float:
        """Return the bot's time limit for an acknowledgement, in seconds."""
        return self.dispatcher.ack_seconds

    @ack_seconds.setter
    def ack_seconds(self, seconds: float) -> None:
        self.dispatcher.ack_seconds = seconds

    # state

    @property
    def messages(self) -> list[Message]:
        return self.workspace.messages

    @property
    def calls(self) -> list[ApiCall]:
        return self.log.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Return the records of the newest MAX_ENTRIES deliveries to the bot, including retries, oldest first."""
        return self.dispatcher.deliveries

    @property
    def executions(self) -> list[Execution]:
        """Return the newest MAX_ENTRIES executions of workflow steps, oldest first."""
        return self.runs.all

    def count(self, method: str) -> int:
        """Return the number of the bot's calls of a Web API method, among the newest MAX_ENTRIES calls of all methods.

        `method`: the name of the method; `response_url` for the posts to response_urls.
        """
        return sum(call.method == method for call in self.log.calls)

    def seen_by(self, user_id: str) -> list[Message]:
        """Return the messages that a user sees in channels and in the direct message with the bot, oldest first."""
        return self.workspace.seen_by(user_id)

    def views_of(self, user_id: str) -> list[View]:
        """Return the open modals of a user. The topmost modal is the last item."""
        return self.views.modals_of(user_id)

    def home_of(self, user_id: str) -> View | None:
        """Return the Home tab of a user; None if the bot has not published one."""
        return self.views.home(user_id)

    async def next_message(self, user_id: str, *, after: int = 0, timeout: float = 10) -> Message:  # noqa: ASYNC109
        """Wait until a user sees more than `after` messages, and return message number `after` + 1.

        Raises TimeoutError after `timeout` seconds.
        """
        return await self.workspace.next_message(user_id, after, timeout)

    async def until(self, condition: Callable[[], T | None], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Wait until `condition` returns a true value, and return this value.

        `condition` is called at once and after each change in the sandbox's Slack. Raises TimeoutError after `timeout`
        seconds.
        """
        return await self.workspace.until(condition, timeout)

    def inject_fault(self, method: str, fault: str | None, *, times: int | None = None, **options: Any) -> None:
        """Switch on a simulated fault of a Web API method, of response_urls or of Socket Mode connections.

        - `method`: the name of a Web API method, `response_url` or `socket`.
        - `fault`: one of the faults below; None to switch the fault of `method` off.
        - `times`: how many calls the fault affects; None for no limit. For `socket`, `times` counts new connections.
        - `options`: the options of the fault. An option that is missing has its default value.

        Faults of a Web API method and of `response_url`:

        - `ratelimited`: answer with Slack's rate limit error. The option `retry_after` is in seconds (default 1).
        - any other error code of Slack: answer with this error. The option `status` is the HTTP status (default 200
          for a Web API method, 404 for `response_url`).
        - an HTTP status, such as `500`: answer with this status.
        - `drop`: abort the connection without a response.
        - `slow`: process the call after a delay. The option `seconds` is the delay (default 5).
        - `trickle`: send a response that never ends. The option `seconds` is the time between two bytes (default 2).

        The fault `slow` processes the call. With the option `processes=True`, the other faults process the call, too,
        and discard the real response. Without this option, they do not process the call.

        Faults of `socket`:

        - `unresponsive`: send no payloads, no pings and no pongs.
        - `no_hello`: close a new connection without Slack's first message, the hello.
        - `close`: close a new connection after the hello.
        - `too_many_websockets`, `warning`, `refresh_requested`: after the hello, send a disconnect message with this
          reason, and close the new connection.
        """
        self.faults.set(method, fault, times, **options)

    def limit(self, method: str, calls: int, *, window_seconds: float = 60.0) -> None:
        """Allow at most `calls` calls of a Web API method in each window of `window_seconds`.

        Further calls get the error `ratelimited`.
        """
        self.faults.limits[method] = RateLimit(calls, window_seconds)
