"""Imitate the customer's side of a co-browse session: a Messenger script, and a page that loads the script.

The script has the same path as Genesys's script, so that a company can test its website with the sandbox's script. As
in Genesys, any website can load the script. The endpoint that the script calls accepts HTTP requests from any website.
"""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID, ConversationsApi
from bot.sandbox.genesys.errors import ApiError
from bot.sandbox.genesys.pages import HEADERS, page

FILES = Path(__file__).parent.parent / "messenger"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"
ANY_SITE = {"Access-Control-Allow-Origin": "*"}


class Messenger:
    """Serves what the customer's browser needs: the Messenger script, a page that loads it, and the script's endpoint.

    The script sends HTTP requests to the endpoint to join, read, stop or expire a co-browse offer.
    """

    def __init__(self, conversations: ConversationsApi) -> None:
        self._conversations = conversations

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/genesys-bootstrap/genesys.min.js", self._script, name="messenger"),
            web.get("/messenger", self._file),
            web.get("/messenger/viewer", self._viewer, name="viewer"),
            web.get("/messenger/{file:page\\.(?:js|css)}", self._file),
            web.post(
                "/messenger/{deployment}/{code}/{action:join|read|stop|expire}", self._handle_action, name="customer"
            ),
        ]

    async def _handle_action(self, request: web.Request) -> web.Response:
        """Carry out the action in the path of an HTTP request, and return the new state of the co-browse offer.

        The state is `offered`, `joined` or `ended`. For an unknown join code or deployment id, the state is `ended`.
        For a known join code, the response also has the field `communicationType` of the SDK's
        CobrowseWebMessagingSession.
        """
        code = request.match_info["code"]
        known = next((one for one in self._conversations.offers.values() if one.join_code == code), None)
        kind = {} if known is None else {"communicationType": known.communication_type}
        try:
            if request.match_info["deployment"] != DEPLOYMENT_ID:
                raise ApiError(404, "The deployment was not found.", "not.found")
            offer = self._conversations.offer(code)
        except ApiError:
            return web.json_response({"state": "ended", **kind}, headers=ANY_SITE)
        action = request.match_info["action"]
        if action == "join":
            offer.join()
        elif action == "stop":
            offer.stop("client")
        elif action == "expire":  # of an offer, or of a session in which the customer was idle for too long
            offer.expire()
        state = "ended" if not offer.is_valid else "joined" if offer.joined else "offered"
        return web.json_response({"state": state, **kind}, headers=ANY_SITE)

    async def _viewer(self, _request: web.Request) -> web.Response:
        text = "<p>Here the agent sees the customer’s screen. This is the sandbox, so nothing is shared.</p>"
        return page(200, "The customer’s screen", text)

    async def _script(self, _request: web.Request) -> web.Response:
        return _send(FILES / "genesys.min.js", ANY_SITE)

    async def _file(self, request: web.Request) -> web.Response:
        return _send(FILES / request.match_info.get("file", "index.html"), {"Content-Security-Policy": POLICY})


def _send(path: Path, headers: dict[str, str]) -> web.Response:
    body = path.read_bytes()  # small local files
    return web.Response(body=body, content_type=TYPES[path.suffix], charset="utf-8", headers=HEADERS | headers)
