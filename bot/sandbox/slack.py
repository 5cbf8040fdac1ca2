"""A small Slack on localhost: a workspace whose people type commands and press buttons, and the servers a bot talks to.

Imitates what the documentation says of Slack and shares no code with the bot. The parts: `slack_workspace` (state),
`slack_api` (Web API), `slack_response_url`, `slack_delivery` (Socket Mode and signed HTTP), `slack_blocks` (checks).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.sandbox.slack_api import WebApi
from bot.sandbox.slack_blocks import BlockProblem, read_message
from bot.sandbox.slack_delivery import HttpDelivery, Sockets
from bot.sandbox.slack_faults import Faults, Limit
from bot.sandbox.slack_models import ApiCall, CallLog, Delivery, Kind, Message, SlackChannel, SlackUser
from bot.sandbox.slack_response_url import ResponseUrls
from bot.sandbox.slack_shapes import command_origin, find_button, interaction, new_trigger_id
from bot.sandbox.slack_workspace import SLACKBOT, Workspace

__all__ = ["ApiCall", "Delivery", "Message", "SandboxSlack", "SlackChannel", "SlackUser"]


class SandboxSlack:
    """The fake Slack; `events_url` set means signed HTTP to it, None means Socket Mode."""

    ack_seconds = 3.0
    """How long the bot has to acknowledge."""

    def __init__(
        self,
        *,
        bot_token: str,
        app_token: str,
        signing_secret: str,
        users: Sequence[SlackUser],
        channels: Sequence[SlackChannel],
        usergroups: Mapping[str, Sequence[str]] = {},
        team_id: str = "T0SANDBOX",
        bot_user_id: str = "U0BOT",
        bot_name: str = "cobrowse",
        app_id: str = "A0SANDBOX",
        command: str = "/cobrowse",
        events_url: str | None = None,
        on_traffic: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.workspace = Workspace(users, channels, usergroups, team_id, bot_user_id)
        self.command_name = command
        self.bot_name = bot_name
        self.app_id = app_id
        self.events_url = events_url
        self.url = ""
        self.api_url = ""
        self.faults = Faults()
        self.log = CallLog(on_traffic)
        self.response_urls = ResponseUrls(self.workspace, self.faults, self.log)
        self.sockets = Sockets(app_id, self.faults)
        self._http = HttpDelivery(signing_secret)
        self.api = WebApi(
            self.workspace,
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
        self._http.open()

    async def stop(self) -> None:
        """Close everything; deliveries still waiting end as failed."""
        await self.sockets.close()
        await self._http.close()
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

    # what people do

    async def command(
        self,
        user_id: str,
        text: str,
        *,
        channel_id: str | None = None,
        team_id: str | None = None,
        command: str | None = None,
        trigger_id: str | None = None,
        escape: bool = True,
    ) -> Delivery:
        """Type the command; with `escape`, mentions and entities come as `should_escape: true` makes them."""
        channel = channel_id or next(iter(self.workspace.channels))
        trigger = trigger_id or new_trigger_id()
        payload = {
            **command_origin(self.workspace, user_id, channel, team_id),
            "command": command or self.command_name,
            "text": (self.workspace.typed(text) if escape else text).strip(),
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "response_url": self.url + self.response_urls.make(user_id, channel, trigger),
            "trigger_id": trigger,
        }
        return await self.send(payload, "slash_commands")

    async def press(
        self,
        user_id: str,
        message: Message,
        action_id: str,
        *,
        block_id: str | None = None,
        response_url: bool = True,
    ) -> Delivery:
        """Press a button of a message; LookupError when it has no such button."""
        block, button = find_button(message, action_id, block_id)
        payload = interaction(self.workspace, user_id, message, self.app_id)
        action = {"action_id": action_id, "block_id": block["block_id"], "type": button.get("type", "button")}
        action |= {key: button[key] for key in ("text", "value", "style") if key in button}
        payload["actions"] = [{**action, "action_ts": self.workspace.next_ts()}]
        if response_url:
            path = self.response_urls.make(user_id, message.channel, payload["trigger_id"], message)
            payload["response_url"] = self.url + path
        return await self.send(payload, "interactive")

    def say(self, user_id: str, channel_id: str, text: str) -> Message:
        """Post what a person typed as an ordinary message; the bot hears nothing of it."""
        return self.workspace.add(channel_id, self.workspace.typed(text), [], via="person", user=user_id)

    # deliveries

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same payload again, ids and response_url included, in a new envelope or freshly signed."""
        return await self.send(delivery.payload, delivery.kind, retry=1)

    async def send(self, payload: dict[str, Any], kind: Kind, *, retry: int = 0) -> Delivery:
        """Deliver any payload, wait for the ack, and show the person what Slack would show."""
        started = time.monotonic()
        if self.events_url is None:
            answer = await self.sockets.deliver(kind, payload, self.ack_seconds, retry)
        else:
            answer = await self._http.deliver(self.events_url, kind, payload, self.ack_seconds, retry)
        seconds = time.monotonic() - started
        trigger = str(payload.get("trigger_id", ""))
        self.log.traffic(
            "Slack", "bot", kind, status=answer.status, seconds=seconds, note=answer.error or "acknowledged"
        )
        if kind == "slash_commands":
            self._show(payload, answer.body if answer.acked else None, answer.error, trigger)
        ms = seconds * 1000
        return Delivery(answer.acked, ms, answer.status, answer.body, trigger, payload, kind, answer.error)

    def _show(
        self, payload: dict[str, Any], body: dict[str, Any] | str | None, error: str | None, trigger: str
    ) -> None:
        channel, user_id = str(payload.get("channel_id", "")), str(payload.get("user_id", ""))
        if error is None and not body:
            return
        said = {"text": body} if isinstance(body, str) else body or {}
        try:
            text, blocks = read_message(said) if error is None else ("", [])
        except BlockProblem as found:
            if found.code == "no_text":
                return
            error = found.code
        if error is not None:
            line = f'{payload.get("command")} failed with the error "{error}"'
            self.workspace.add(channel, line, [], via="slackbot", user=SLACKBOT, visible_to=user_id, trigger_id=trigger)
            return
        reader = None if said.get("response_type") == "in_channel" else user_id
        self.workspace.add(channel, text, blocks, via="ack", visible_to=reader, trigger_id=trigger)

    # what can be seen

    @property
    def messages(self) -> list[Message]:
        return self.workspace.messages

    @property
    def calls(self) -> list[ApiCall]:
        return self.log.calls

    def count(self, method: str) -> int:
        """Count the calls of one Web API method, or of `response_url`."""
        return sum(call.method == method for call in self.log.calls)

    def seen_by(self, user_id: str) -> list[Message]:
        """Return what a person can see now: their channels, ephemeral messages to them, their direct message."""
        return self.workspace.seen_by(user_id)

    async def next_message(self, user_id: str, *, after: int = 0, timeout: float = 10) -> Message:  # noqa: ASYNC109
        """Wait for the message that makes `seen_by` longer than `after`; TimeoutError when none comes."""
        return await self.workspace.next_message(user_id, after, timeout)

    def misbehave(self, method: str, fault: str | None, *, times: int | None = None, **how: Any) -> None:
        """Let a method (or `response_url`, or `socket` with `deaf`) go wrong, a number of times or until told None.

        A fault is an error code of Slack's, `ratelimited` (`retry_after=1`), a status such as `500`, `drop` or `slow`
        (`seconds=`); with `acted=True` the call is carried out and only its answer is lost or wrong.
        """
        self.faults.set(method, fault, times, **how)

    def limit(self, method: str, calls: int, *, window_seconds: float = 60.0) -> None:
        """Take so many calls of a method a minute; the others are `ratelimited` until it is over."""
        self.faults.limits[method] = Limit(calls, window_seconds)
