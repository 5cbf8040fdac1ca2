"""The sandbox's page: serves the files in `page/` and the live half behind them, on localhost and to nobody else.

Shows one acting person what the sandbox's Slack shows them; what a command does is decided elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.slack.server import Execution, Message, SandboxSlack, View
from bot.sandbox.web.actions import PageActions, asked
from bot.sandbox.web.presentation import (
    ConversationChoice,
    Viewer,
    masked,
    message_view,
    person_view,
    run_view,
    step_view,
    surface_view,
)

FILES = Path(__file__).parent.parent / "page"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SERVED = {path.relative_to(FILES).as_posix(): path for path in FILES.rglob("*") if path.suffix in TYPES}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SandboxPage:
    """The page's server. The panel shows `fault` as chosen, and `talk`, where there is one, as what can be chosen;
    `outbox` is where Genesys shows what it sent."""

    def __init__(
        self,
        *,
        slack: SandboxSlack,
        people: Sequence[tuple[str, str]],
        faults: Mapping[str, str],
        set_fault: Callable[[str | None], Awaitable[None]],
        title: str = "cobrowse-bot sandbox",
        usage: str = "[@agent] [session name], help, whoami",
    ) -> None:
        self.url = ""
        self.fault: str | None = None
        self.talk: ConversationChoice | None = None
        self.outbox = ""
        self._slack = slack
        self._people = dict(people)
        self._acts = PageActions(slack, self._people)
        self._faults = dict(faults)
        self._set_fault = set_fault
        self._title = title
        self._usage = usage
        self._traffic: deque[dict[str, Any]] = deque(maxlen=500)
        self._viewers: set[Viewer] = set()
        self._origins: set[str] = set()
        self._runner: web.AppRunner | None = None

    # the server

    async def start(self, host: str = "127.0.0.1", port: int = 8080) -> None:
        app = web.Application(middlewares=[self._guard], client_max_size=100_000)
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/", self._file)
        app.router.add_get("/live", self._live)
        app.router.add_routes(self._acts.routes)
        app.router.add_post("/api/fault", self._choose_fault)
        app.router.add_post("/api/talk", self._choose_talk)
        app.router.add_get("/{name:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{port}"
        suffix = "" if port == 80 else f":{port}"
        self._origins = {f"http://{name}{suffix}" for name in ("localhost", "127.0.0.1")}
        self._slack.workspace.listeners.append(self._message_changed)
        self._slack.views.listeners.append(self._view_changed)
        self._slack.runs.listeners.append(self._run_changed)

    async def stop(self) -> None:
        for viewer in self._viewers:
            viewer.close()
        if self._runner is not None:
            self._slack.workspace.listeners.remove(self._message_changed)
            self._slack.views.listeners.remove(self._view_changed)
            self._slack.runs.listeners.remove(self._run_changed)
            await self._runner.cleanup()
            self._runner = None

    def traffic(self, entry: dict[str, Any]) -> None:
        """Show one exchange between the bot and a server; anything that looks like a secret is masked."""
        shown = masked(entry)
        self._traffic.append(shown)
        self._push("traffic", shown)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let in only this page itself: another site, or a name that was made to point here, is refused."""
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
        path = SERVED.get(request.match_info.get("name", "index.html"))  # a table, so that no name leads out of FILES
        if path is None:
            return web.Response(status=404, text="There is nothing here.")
        body = path.read_bytes()  # small local files, and the page is the only reader
        return web.Response(body=body, content_type=TYPES[path.suffix], charset="utf-8")

    async def _choose_fault(self, request: web.Request) -> web.Response:
        name = (await asked(request, "name"))["name"] or None
        if name is not None and name not in self._faults:
            return web.Response(status=400, text="There is no such fault.")
        await self._set_fault(name)
        self.fault = name
        self._push("fault", name)
        return web.json_response({})

    async def _choose_talk(self, request: web.Request) -> web.Response:
        name = (await asked(request, "name"))["name"]
        if self.talk is None or name not in self.talk.choices:
            return web.Response(status=400, text="There is no such choice.")
        self.talk.choose(name)
        self.talk.chosen = name
        self._push("talk", self.talk.view())
        return web.json_response({})

    # what the page is told

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Send the state as the acting person sees it, then each change, as server-sent events."""
        person = request.query.get("as") or next(iter(self._people))
        if person not in self._people:
            return web.Response(status=400, text="There is no such person here.")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        viewer = Viewer(person)
        viewer.push("state", self._state(person))
        self._viewers.add(viewer)
        try:
            await response.prepare(request)
            await viewer.send(response)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._viewers.discard(viewer)
        return response

    def _state(self, person: str) -> dict[str, Any]:
        workspace = self._slack.workspace
        users = {user.id: person_view(user) for user in workspace.users.values()}
        users[workspace.bot_user_id] = {"name": self._slack.bot_name, "handle": self._slack.bot_name, "app": True}
        users["USLACKBOT"] = {"name": "Slackbot", "handle": "slackbot", "app": True}
        places = [
            {"id": channel.id, "name": channel.name, "kind": "channel"}
            for channel in workspace.channels.values()
            if workspace.is_member(person, channel.id)
        ]
        return {
            "title": self._title,
            "command": {"name": self._slack.command_name, "usage": self._usage},
            "me": person,
            "people": [{"id": user_id, "label": label} for user_id, label in self._people.items()],
            "users": users,
            "places": [*places, {"id": workspace.open_im(person), "name": self._slack.bot_name, "kind": "im"}],
            "messages": [message_view(message) for message in workspace.seen_by(person)],
            "faults": [{"name": name, "sentence": sentence} for name, sentence in self._faults.items()],
            "fault": self.fault,
            "talk": self.talk.view() if self.talk else None,
            "outbox": self.outbox,
            "traffic": list(self._traffic),
            "shortcuts": [asdict(shortcut) for shortcut in self._slack.shortcuts],
            "steps": [step_view(step) for step in self._slack.runs.steps.values()],
            "runs": [run_view(execution) for execution in self._slack.executions[-10:]],
            "modals": [surface_view(view) for view in self._slack.views_of(person)],
            "home": surface_view(home) if (home := self._slack.home_of(person)) else None,
        }

    def _message_changed(self, message: Message) -> None:
        workspace = self._slack.workspace
        private = message.visible_to or workspace.im_owner(message.channel)
        for viewer in self._viewers:
            if workspace.can_see(viewer.person, message):
                viewer.push("message", message_view(message))
            elif message.deleted:
                viewer.push("gone", message.ts)
            elif private in self._people and message.user != private:
                viewer.push("elsewhere", private)

    def _view_changed(self, view: View) -> None:
        """Show a person all their open modals, or their Home tab, as they are now."""
        if view.body["type"] == "home":
            self._push("home", surface_view(view), to=view.user_id)
            return
        self._push("modals", [surface_view(each) for each in self._slack.views_of(view.user_id)], to=view.user_id)

    def _run_changed(self, execution: Execution) -> None:
        self._push("run", run_view(execution))

    def _push(self, event: str, data: Any, *, to: str | None = None) -> None:
        for viewer in self._viewers:
            if to in (None, viewer.person):
                viewer.push(event, data)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
