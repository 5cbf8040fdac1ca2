"""GET /genesys/callback: where the browser of somebody who has signed in to Genesys comes back, and reads how it went.

Whose sign-in counts is for desk/connecting.py, the words are slack/connect_page.py's. Nothing of the address is logged.
"""

from aiohttp import web

from bot.desk.connect_errors import NotThatPerson
from bot.desk.connecting import Connecting
from bot.desk.outcomes import Connected
from bot.genesys.user_login import Grant
from bot.slack.connect_page import BUSY, HEADERS, page
from bot.slack.delivery import Delivery
from bot.slack.messages import SOMEBODY, Words

MOST = 20
"""So many come back at once; each asks the database and Genesys, and a stranger can come, too."""
PARAMETERS = 10


class Callback:
    """The route. Whoever is connected, or whose link somebody else has used, is told of it in Slack, too."""

    def __init__(self, connecting: Connecting[Grant], path: str, delivery: Delivery, words: Words) -> None:
        self._connecting, self._path = connecting, path
        self._delivery, self._words = delivery, words
        self._under_way = 0

    def add_to(self, server: web.Application) -> None:
        """Puts the route into a server. No HEAD: a link is good for one request."""
        server.router.add_get(self._path, self.handle, allow_head=False)

    async def handle(self, request: web.Request) -> web.Response:
        """A page, whatever comes in."""
        if self._under_way >= MOST:
            return _answer(429, BUSY)
        self._under_way += 1
        try:
            state, code, error = (_single(request, name) for name in ("state", "code", "error"))
            asked, outcome = await self._connecting.come_back(state, code, error)
        finally:
            self._under_way -= 1
        if asked and isinstance(outcome, Connected | NotThatPerson):
            self._delivery.tell_soon(asked, self._words.answer(asked, outcome))
        contact = SOMEBODY if self._words.contact.startswith("<") else self._words.contact  # a page knows no mention
        status, html = page(outcome, asked, command=self._words.command, contact=contact)
        return _answer(status, html)


def _single(request: web.Request, name: str) -> str:
    """What stands in the query once; "" for what is missing, doubled, or among too many."""
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 and len(request.query) <= PARAMETERS else ""


def _answer(status: int, html: str) -> web.Response:
    return web.Response(status=status, text=html, content_type="text/html", charset="utf-8", headers=HEADERS)
