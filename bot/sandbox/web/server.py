"""Serve the sandbox's page on localhost: the files of `page/`, the page's POST requests, and the page's event stream.

The page shows one user's view of Slack. This user is called the acting user.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from aiohttp import web

from bot.sandbox.app_manifest import load_manifest
from bot.sandbox.slack.models import BOT_NAME, COMMAND
from bot.sandbox.slack.server import Execution, Message, SandboxSlack, View
from bot.sandbox.web.actions import PageActions, read_fields
from bot.sandbox.web.presentation import (
    ConversationChoice,
    EventStream,
    execution_json,
    mask_secrets,
    message_json,
    step_json,
    user_json,
    view_json,
)

TITLE, HOST = "cobrowse-bot sandbox", "127.0.0.1"
FILES = Path(__file__).parent.parent / "page"
CONTENT_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FILES_BY_PATH = {path.relative_to(FILES).as_posix(): path for path in FILES.rglob("*") if path.suffix in CONTENT_TYPES}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; frame-src {frames}"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SandboxPage:
    """Serves the sandbox's page, on which a person uses the bot as one of the sandbox's Slack users.

    - `url`: the URL of the page; "" before `start`.
    - `fault`: the name of the simulated fault that is switched on; None without a fault.
    - `live_conversations`: the menu that sets how many live conversations each agent has; None if there is no menu.
    - `outbox_url`: the URL of the outbox, a list of the SMS and emails to customers. The page shows the outbox in a
      frame. "" if there is no outbox.
    """

    def __init__(
        self,
        *,
        slack: SandboxSlack,
        people: Sequence[tuple[str, str]],
        locales: Mapping[str, str],
        faults: Mapping[str, str],
        set_fault: Callable[[str | None], Awaitable[None]],
    ) -> None:
        self.url = ""
        self.fault: str | None = None
        self.live_conversations: ConversationChoice | None = None
        self.outbox_url = ""
        self._slack = slack
        self._people = dict(people)
        self._manifest = load_manifest()
        self._actions = PageActions(slack, self._people, has_read_only_messages=self._manifest.has_read_only_messages)
        self._locales, self._faults = dict(locales), dict(faults)
        self._set_fault = set_fault
        self._traffic: deque[dict[str, Any]] = deque(maxlen=500)
        self._streams: set[EventStream] = set()
        self._origins: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, listener: socket.socket | None = None) -> None:
        """Serve the page until `stop` is called.

        `listener`: a socket that listens on localhost; None to listen on a free port of localhost.
        """
        listener = listener or listen(0)
        app = web.Application(middlewares=[self._guard], client_max_size=100_000)
        app.on_response_prepare.append(self._add_headers)
        app.router.add_get("/", self._file)
        app.router.add_get("/events", self._stream_events)
        app.router.add_routes(self._actions.routes)
        app.router.add_post("/api/locale", self._choose_locale)
        app.router.add_post("/api/fault", self._choose_fault)
        app.router.add_post("/api/live-conversations", self._choose_live_conversations)
        app.router.add_get("/{name:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        port = listener.getsockname()[1]
        self.url = f"http://{HOST}:{port}"
        suffix = "" if port == 80 else f":{port}"
        self._origins = {f"http://{name}{suffix}" for name in ("localhost", "127.0.0.1")}
        self._slack.workspace.listeners.append(self._message_changed)
        self._slack.views.listeners.append(self._view_changed)
        self._slack.runs.listeners.append(self._execution_changed)

    async def stop(self) -> None:
        for stream in self._streams:
            stream.close()
        if self._runner is not None:
            self._slack.workspace.listeners.remove(self._message_changed)
            self._slack.views.listeners.remove(self._view_changed)
            self._slack.runs.listeners.remove(self._execution_changed)
            await self._runner.cleanup()
            self._runner = None

    def traffic(self, entry: dict[str, Any]) -> None:
        """Show a traffic entry on the page. Mask the secrets in the traffic entry.

        A traffic entry describes one HTTP request or payload between the bot and the sandbox's Slack or Genesys.
        """
        shown = mask_secrets(entry)
        self._traffic.append(shown)
        self._push("traffic", shown)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Pass an HTTP request on to `handler`, or reject it with an error response.

        Reject HTTP requests that other websites cause (CSRF). Also reject HTTP requests with a wrong Host header (DNS
        rebinding). The host must be localhost or 127.0.0.1, and the port must be the port of the page.
        """
        if f"http://{request.host}" not in self._origins:
            return web.Response(status=403, text="This page answers to localhost only.")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none") and request.path != "/":
            return web.Response(status=403, text="Another site may not read this.")
        if request.method != "GET":
            if request.headers.get("Origin") != f"http://{request.host}":
                return web.Response(status=403, text="Another site may not do this.")
            if request.content_type != "application/json":
                return web.Response(status=415, text="Send JSON.")
        return await handler(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        # A lookup instead of a joined path: no name leads out of FILES.
        path = FILES_BY_PATH.get(request.match_info.get("name", "index.html"))
        if path is None:
            return web.Response(status=404, text="Not found.")
        body = path.read_bytes()  # small local files for one local reader
        return web.Response(body=body, content_type=CONTENT_TYPES[path.suffix], charset="utf-8")

    async def _choose_locale(self, request: web.Request) -> web.Response:
        fields = await read_fields(request, "as", "name")
        person, name = fields["as"], fields["name"]
        if person not in self._people or name not in self._locales:
            return web.Response(status=400, text="There is no such person or language here.")
        self._slack.workspace.set_locale(person, name)
        self._push("locale", name, to=person)
        return web.json_response({})

    async def _choose_fault(self, request: web.Request) -> web.Response:
        name = (await read_fields(request, "name"))["name"] or None
        if name is not None and name not in self._faults:
            return web.Response(status=400, text="There is no such fault.")
        await self._set_fault(name)
        self.fault = name
        self._push("fault", name)
        return web.json_response({})

    async def _choose_live_conversations(self, request: web.Request) -> web.Response:
        name = (await read_fields(request, "name"))["name"]
        if self.live_conversations is None or name not in self.live_conversations.choices:
            return web.Response(status=400, text="There is no such choice.")
        self.live_conversations.choose(name)
        self.live_conversations.chosen = name
        self._push("live_conversations", self.live_conversations.as_json())
        return web.json_response({})

    # the event stream

    async def _stream_events(self, request: web.Request) -> web.StreamResponse:
        """Stream server-sent events: first the complete state that the acting user sees, afterwards each change."""
        person = self._person(request.query.get("as", ""))
        if person is None:
            return web.Response(status=400, text="There is no such person here.")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        stream = EventStream(person)
        stream.push("state", self._state(person))
        self._streams.add(stream)
        try:
            await response.prepare(request)
            await stream.send(response)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._streams.discard(stream)
        return response

    def _person(self, name: str) -> str | None:
        """Return the id of the user with the handle or id `name`; None for an unknown user.

        If `name` is "", return the id of the first user.
        """
        users = self._slack.workspace.users
        names = {"": next(iter(self._people))} | {users[each].name: each for each in self._people}
        return names.get(name, name if name in self._people else None)

    def _state(self, person: str) -> dict[str, Any]:
        workspace = self._slack.workspace
        users = {user.id: user_json(user) for user in workspace.users.values()}
        users[workspace.bot_user_id] = {"name": BOT_NAME, "handle": BOT_NAME, "app": True}
        users["USLACKBOT"] = {"name": "Slackbot", "handle": "slackbot", "app": True}
        channels = [
            {
                "id": channel.id,
                "name": channel.name,
                "kind": "channel",
                "team": "" if channel.is_org_shared else channel.team_id,
            }
            for channel in workspace.channels.values()
            if workspace.is_member(person, channel.id)
        ]
        return {
            "title": TITLE,
            "command": {"name": COMMAND, "usage": self._manifest.usage_hint},
            "me": person,
            "people": [{"id": user_id, "label": label} for user_id, label in self._people.items()],
            "locales": [{"name": name, "label": label} for name, label in self._locales.items()],
            "locale": workspace.users[person].locale,
            "users": users,
            "teams": workspace.teams,
            "channels": [*channels, self._im(person)],
            "messages": [message_json(message) for message in workspace.seen_by(person)],
            "faults": [{"name": name, "description": description} for name, description in self._faults.items()],
            "fault": self.fault,
            "live_conversations": self.live_conversations.as_json() if self.live_conversations else None,
            "outbox_url": self.outbox_url,
            "traffic": list(self._traffic),
            "shortcuts": [asdict(shortcut) for shortcut in self._slack.shortcuts],
            "steps": [step_json(step) for step in self._slack.runs.steps.values()],
            "executions": [execution_json(execution) for execution in self._slack.executions[-10:]],
            "modals": [view_json(view) for view in self._slack.views_of(person)],
            "home": view_json(home) if (home := self._slack.home_of(person)) else None,
        }

    def _im(self, person: str) -> dict[str, Any]:
        channel = {"id": self._slack.workspace.open_im(person), "name": BOT_NAME, "kind": "im"}
        return {**channel, "read_only": self._manifest.has_read_only_messages}

    def _message_changed(self, message: Message) -> None:
        workspace = self._slack.workspace
        recipient = message.visible_to or workspace.im_owner(message.channel)
        for stream in self._streams:
            if workspace.can_see(stream.person, message):
                stream.push("message", message_json(message))
            elif message.deleted:
                stream.push("message_deleted", message.ts)
            elif recipient in self._people and message.user != recipient:
                stream.push("unread", recipient)

    def _view_changed(self, view: View) -> None:
        """Send a changed Home tab to the pages on which the view's user is the acting user.

        If the changed view is a modal, send all open modals of this user.
        """
        if view.body["type"] == "home":
            self._push("home", view_json(view), to=view.user_id)
            return
        self._push("modals", [view_json(each) for each in self._slack.views_of(view.user_id)], to=view.user_id)

    def _execution_changed(self, execution: Execution) -> None:
        self._push("execution", execution_json(execution))

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        frames = urljoin(self.outbox_url, "/") if self.outbox_url else "'none'"
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(frames=frames)

    def _push(self, event: str, data: Any, *, to: str | None = None) -> None:
        for stream in self._streams:
            if to in (None, stream.person):
                stream.push(event, data)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on `port` of localhost. Port 0 selects a free port.

    Raises OSError if the socket cannot listen on the port.
    """
    return socket.create_server((HOST, port))
