"""A small Slack on localhost: a workspace whose people type, press and fill in, and the servers a bot talks to.

Imitates what the documentation says of Slack and shares no code with the bot. The parts: `user_actions`,
`workspace`, `views`, `workflow_steps` (state), `api` (Web API), `delivery` (ways to the bot).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from bot.sandbox.slack.api.web_api import WebApi
from bot.sandbox.slack.delivery.dispatch import EventDelivery
from bot.sandbox.slack.delivery.transports import HttpDelivery, Sockets
from bot.sandbox.slack.faults import Faults, Limit
from bot.sandbox.slack.models import (
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
from bot.sandbox.slack.view_state import IncompleteError
from bot.sandbox.slack.views import View, Views
from bot.sandbox.slack.workflow_steps import Execution, Executions
from bot.sandbox.slack.workspace import Workspace

__all__ = [
    "ApiCall", "Delivery", "Execution", "IncompleteError", "Message", "Parameter", "SandboxSlack", "Shortcut",
    "SlackChannel", "SlackUser", "Step", "View",
]  # fmt: skip

T = TypeVar("T")


class SandboxSlack(UserActions):
    """The fake Slack; `events_url` set means signed HTTP to it, None means Socket Mode."""

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
        team_id: str = "T0SANDBOX",
        bot_user_id: str = "U0BOT",
        bot_name: str = "cobrowse",
        app_id: str = "A0SANDBOX",
        command: str = "/cobrowse",
        events_url: str | None = None,
        on_traffic: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        workspace = Workspace(users, channels, usergroups, team_id, bot_user_id)
        self.shortcuts = tuple(shortcuts)
        self.bot_name = bot_name
        self.api_url = ""
        self.faults = Faults()
        self.log = CallLog(on_traffic)
        self.sockets = Sockets(app_id, self.faults)
        views, executions = Views(), Executions(steps)
        response_urls = ResponseUrls(workspace, self.faults, self.log)
        courier = EventDelivery(self.sockets, HttpDelivery(signing_secret), self.log, events_url)
        super().__init__(workspace, views, executions, response_urls, courier, app_id=app_id, command=command)
        views.listeners.append(lambda view: workspace.wake(view.user_id))
        executions.listeners.append(lambda _: workspace.wake())
        courier.event_listeners.append(lambda _: workspace.wake())
        self.api = WebApi(
            workspace,
            views,
            executions,
            self.faults,
            self.log,
            bot_token=bot_token,
            app_token=app_token,
            app_id=app_id,
            bot_name=bot_name,
            new_socket_url=self._new_socket_url,
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
        self.courier.http.open()

    async def stop(self) -> None:
        """Close everything; deliveries still waiting end as failed."""
        await self.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def connected(self, timeout: float = 10) -> None:  # noqa: ASYNC109 - what tests expect of a wait
        """Wait until a Socket Mode client is there; TimeoutError when none comes."""
        async with asyncio.timeout(timeout):
            await self.sockets.connected()

    async def disconnect_sockets(self, reason: str = "refresh_requested", *, seconds: float = 0.5) -> None:
        """Send `warning`, `refresh_requested` or `link_disabled` to every socket and close it some seconds later."""
        self.sockets.disconnect(reason, seconds)
        await asyncio.sleep(0)

    def _new_socket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/link/?ticket={self.sockets.ticket()}&app_id={self.app_id}"

    @property
    def events_url(self) -> str | None:
        """Where signed HTTP goes; None: Socket Mode."""
        return self.courier.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.courier.events_url = url

    @property
    def ack_seconds(self) -> float:
        """How long the bot has to acknowledge."""
        return self.courier.ack_seconds

    @ack_seconds.setter
    def ack_seconds(self, seconds: float) -> None:
        self.courier.ack_seconds = seconds

    # what can be seen

    @property
    def messages(self) -> list[Message]:
        return self.workspace.messages

    @property
    def calls(self) -> list[ApiCall]:
        return self.log.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Every payload handed to the bot, repeated ones too."""
        return self.courier.deliveries

    @property
    def executions(self) -> list[Execution]:
        """Every run of a workflow step, with what the bot completed it with."""
        return self.runs.all

    def count(self, method: str) -> int:
        """Count the calls of one Web API method, or of `response_url`."""
        return sum(call.method == method for call in self.log.calls)

    def seen_by(self, user_id: str) -> list[Message]:
        """Return what a person can see now: their channels, ephemeral messages to them, their direct message."""
        return self.workspace.seen_by(user_id)

    def views_of(self, user_id: str) -> list[View]:
        """Return a person's open modals, the one they see last."""
        return self.views.of(user_id)

    def home_of(self, user_id: str) -> View | None:
        """Return a person's Home tab; None until the bot has published one."""
        return self.views.home(user_id)

    async def next_message(self, user_id: str, *, after: int = 0, timeout: float = 10) -> Message:  # noqa: ASYNC109
        """Wait for the message that makes `seen_by` longer than `after`; TimeoutError when none comes."""
        return await self.workspace.next_message(user_id, after, timeout)

    async def until(self, condition: Callable[[], T | None], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Wait until the condition gives something; asked again after each message, view, run and event."""
        return await self.workspace.until(condition, timeout)

    def misbehave(self, method: str, fault: str | None, *, times: int | None = None, **how: Any) -> None:
        """Let a method (or `response_url`, or `socket`) go wrong, a number of times or until told None.

        `socket` takes `deaf`, `no_hello`, and what ends a socket right after its hello: `close`, and the reasons
        `too_many_websockets`, `warning`, `refresh_requested`.

        A fault is an error code of Slack's, `ratelimited` (`retry_after=1`), a status such as `500`, `drop`, `slow` or
        `trickle` (`seconds=`); with `acted=True` the call is carried out and only its answer is lost or wrong.
        """
        self.faults.set(method, fault, times, **how)

    def limit(self, method: str, calls: int, *, window_seconds: float = 60.0) -> None:
        """Take so many calls of a method a minute; the others are `ratelimited` until it is over."""
        self.faults.limits[method] = Limit(calls, window_seconds)
