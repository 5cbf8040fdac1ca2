"""GET /genesys/callback: where the browser of somebody who has signed in to Genesys comes back, and reads how it went.

Whose sign-in counts is for desk/connecting.py, the words are slack/connect_page.py's. Nothing of the address is logged.
"""

import asyncio
import logging

from aiohttp import web

from bot.core.errors import CobrowseError
from bot.core.models import Request
from bot.core.results import AccountLinked, Result
from bot.core.use_cases.accounts import AccountLinking
from bot.genesys.auth.authorization_code import Grant
from bot.observability.throttled_log import ThrottledLog
from bot.slack.api.responder import SlackResponder
from bot.slack.messages.blocks import Message
from bot.slack.messages.renderer import SOMEBODY, MessageRenderer
from bot.web.oauth_page import BUSY, HEADERS, page

MOST = 20
"""So many come back at once; each asks the database and Genesys, and a stranger can come, too."""
PARAMETERS = 10

Read = asyncio.Future[web.Response]
"""The page that somebody waits for."""


class Callback:
    """The route. Whoever is connected, or whose link somebody else has used, is told of it in Slack, too."""

    def __init__(
        self, connecting: AccountLinking[Grant], path: str, delivery: SlackResponder, words: MessageRenderer
    ) -> None:
        self._connecting, self._path = connecting, path
        self._delivery, self._words = delivery, words
        self._under_way = 0
        self._log = ThrottledLog(logging.getLogger(__name__))

    def add_to(self, server: web.Application) -> None:
        """Puts the route into a server. No HEAD: a link is good for one request."""
        server.router.add_get(self._path, self.handle, allow_head=False)

    def close(self) -> None:
        """Write what has been counted and not yet logged."""
        self._log.flush()

    async def handle(self, request: web.Request) -> web.Response:
        """A page, whatever comes in."""
        if self._under_way >= MOST:
            self._log.warning("refused", "busy", status=429, why="too many come back from a sign-in at once")
            return _answer(429, BUSY)
        state, code, error = (_single(request, name) for name in ("state", "code", "error"))
        read: Read = asyncio.get_running_loop().create_future()
        self._under_way += 1
        self._delivery.soon(self._see_through(state, code, error, read))  # a stop waits for it
        return await read

    async def _see_through(self, state: str, code: str, error: str, read: Read) -> None:
        """To a page; where nobody waits for one any more, since the bot stops, to a message that says the same."""
        try:
            asked, outcome = await self._connecting.handle_callback(state, code, error)
            if asked is None and outcome.code == "connect_link_expired":  # anybody can come with one
                self._log.info("a sign-in came back that nobody waits for", "gone")
            is_read = not read.cancelled()
            if is_read:
                read.set_result(self._page(asked, outcome))
        finally:
            self._under_way -= 1
            read.cancel()  # if there is none
        if asked and (not is_read or outcome.code in (AccountLinked.code, "connect_wrong_user")):
            await self._delivery.tell(asked, self._message(asked, outcome))

    def _message(self, asked: Request, outcome: Result) -> Message:
        if isinstance(outcome, CobrowseError):
            return self._words.failure(outcome, asked.id, kept=False, starting=False)
        return self._words.answer(asked, outcome)

    def _page(self, asked: Request | None, outcome: Result) -> web.Response:
        contact = SOMEBODY if self._words.contact.startswith("<") else self._words.contact  # a page knows no mention
        status, html = page(outcome, asked, command=self._words.command, contact=contact)
        return _answer(status, html)


def _single(request: web.Request, name: str) -> str:
    """What stands in the query once; "" for what is missing, doubled, or among too many."""
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 and len(request.query) <= PARAMETERS else ""


def _answer(status: int, html: str) -> web.Response:
    return web.Response(status=status, text=html, content_type="text/html", charset="utf-8", headers=HEADERS)
