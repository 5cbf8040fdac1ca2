"""The customer's side of the sandbox's Genesys: a stand-in for Messenger, and a page that carries it.

The script stands where the real one does, so that a company's page can be tried against it; whatever site the page is
on may ask, as Messenger's own services allow.
"""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID, Conversations
from bot.sandbox.genesys.errors import ApiError
from bot.sandbox.genesys.pages import HEADERS

FILES = Path(__file__).parent.parent / "messenger"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"
ANY_SITE = {"Access-Control-Allow-Origin": "*"}


class Messenger:
    """Joins and stops what was offered."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/genesys-bootstrap/genesys.min.js", self._script, name="messenger"),
            web.get("/messenger", self._file),
            web.get("/messenger/{file:page\\.(?:js|css)}", self._file),
            web.post("/messenger/{deployment}/{code}/{what:join|look|stop}", self._act, name="customer"),
        ]

    async def _act(self, request: web.Request) -> web.Response:
        """`joined`, `offered` or `gone`: what the offer is after that."""
        try:
            if request.match_info["deployment"] != DEPLOYMENT_ID:
                raise ApiError(404, "The deployment was not found.", "not.found")
            offer = self._conversations.offer(request.match_info["code"])
        except ApiError:
            return web.json_response({"state": "gone"}, headers=ANY_SITE)
        what = request.match_info["what"]
        if what == "join":
            offer.joined, offer.conversation.shared = True, offer.id
        elif what == "stop":
            offer.gone, offer.conversation.shared = True, None
        state = "gone" if offer.gone else "joined" if offer.joined else "offered"
        return web.json_response({"state": state}, headers=ANY_SITE)

    async def _script(self, _request: web.Request) -> web.Response:
        return _send(FILES / "genesys.min.js", ANY_SITE)

    async def _file(self, request: web.Request) -> web.Response:
        return _send(FILES / request.match_info.get("file", "index.html"), {"Content-Security-Policy": POLICY})


def _send(path: Path, headers: dict[str, str]) -> web.Response:
    body = path.read_bytes()  # small local files
    return web.Response(body=body, content_type=TYPES[path.suffix], charset="utf-8", headers=HEADERS | headers)
