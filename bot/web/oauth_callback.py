"""Serve GET /genesys/callback, to which Genesys redirects the browser after a sign-in.

core/use_cases/accounts.py handles the sign-in, and oauth_page.py renders the page. No part of the URL is logged.
"""

import asyncio
import logging
from dataclasses import replace

from aiohttp import web

from bot.core.errors import CobrowseError
from bot.core.models import Request
from bot.core.results import AccountLinked, Result
from bot.core.timing import RECEIVER_BOUNDS, ReceiverBounds
from bot.core.use_cases.accounts import AccountLinking
from bot.genesys.auth.authorization_code import Grant
from bot.observability.throttled_log import ThrottledLog
from bot.slack.api.responder import SlackResponder
from bot.slack.messages.blocks import Message
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import Markup
from bot.slack.messages.error_copy import SOMEBODY
from bot.slack.messages.renderer import MessageRenderer
from bot.web.oauth_page import HEADERS, busy_page, page

MAX_PARAMETERS = 10

PageFuture = asyncio.Future[web.Response]
"""A future for the page that a browser waits for. The future is cancelled if the browser disconnects or the bot stops.
"""


class OAuthCallback:
    """Shows the result of a sign-in to Genesys, as a page in the browser that returns from Genesys.

    The person who asked for the sign-in link also gets a Slack message in three cases: their account was linked,
    somebody signed in with the link as another Genesys user, or the browser disconnected before it got the page.
    """

    def __init__(
        self,
        accounts: AccountLinking[Grant],
        path: str,
        responder: SlackResponder,
        renderer: MessageRenderer,
        bounds: ReceiverBounds = RECEIVER_BOUNDS,
    ) -> None:
        self._accounts, self._path, self._bounds = accounts, path, bounds
        self._responder, self._renderer = responder, renderer
        self._under_way = 0
        self._log = ThrottledLog(logging.getLogger(__name__))

    def add_to(self, server: web.Application) -> None:
        """Add the route to a server. HEAD gets status 405, because a HEAD would use up the sign-in link."""
        server.router.add_get(self._path, self.handle, allow_head=False)

    def close(self) -> None:
        """Write the log line about HTTP requests with status 429 that waits to be written. Do nothing if none waits."""
        self._log.flush()

    async def handle(self, request: web.Request) -> web.Response:
        """Finish the sign-in, and answer the browser with a page.

        If `ReceiverBounds.callbacks` other sign-ins are in progress, only answer with status 429.
        """
        if self._under_way >= self._bounds.callbacks:
            self._log.warning("refused", "busy", status=429, why="too many sign-in callbacks at once")
            return _answer(429, busy_page(self._renderer.language_of(None).plain))
        state, code, error = (_single(request, name) for name in ("state", "code", "error"))
        page_future: PageFuture = asyncio.get_running_loop().create_future()
        self._under_way += 1
        self._responder.soon(self._complete(state, code, error, page_future))  # the drain waits for it
        return await page_future

    async def _complete(self, state: str, code: str, error: str, page_future: PageFuture) -> None:
        """Finish the sign-in, and put the page into `page_future`.

        Then send the Slack message in the cases that the docstring of the class lists. Cancel `page_future` if an
        exception is raised before the page is ready.

        `state`, `code`, `error`: the parameters of the URL that the browser requested; "" for a missing one.
        """
        try:
            request, outcome = await self._accounts.handle_callback(state, code, error)
            if request is None and outcome.code == "connect_link_expired":  # anybody can send one
                self._log.info("sign-in callback without a pending sign-in", "gone")
            if request:
                await self._responder.learn(request.requester)
            is_shown = not page_future.cancelled()
            if is_shown:
                page_future.set_result(self._page(request, outcome))
        finally:
            self._under_way -= 1
            page_future.cancel()  # no result was set
        if request and (not is_shown or outcome.code in (AccountLinked.code, "connect_wrong_user")):
            await self._responder.tell(request, self._message(request, outcome))

    def _message(self, request: Request, outcome: Result) -> Message:
        if isinstance(outcome, CobrowseError):
            return self._renderer.failure(
                outcome, request.id, reader=request.requester, is_repeatable=False, situation=Situation.CONNECT
            )
        return self._renderer.answer(request, outcome)

    def _page(self, request: Request | None, outcome: Result) -> web.Response:
        to = self._renderer.addressee(request.requester if request else None)
        named = to.contact if isinstance(to.contact, str) and not isinstance(to.contact, Markup) else SOMEBODY
        status, html = page(outcome, request, replace(to, language=to.language.plain, contact=named))
        return _answer(status, html)


def _single(request: web.Request, name: str) -> str:
    """Return the query parameter `name` of an HTTP request; "" if it is missing or occurs more than once.

    Also return "" if the HTTP request has more than MAX_PARAMETERS parameters.
    """
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 and len(request.query) <= MAX_PARAMETERS else ""


def _answer(status: int, html: str) -> web.Response:
    return web.Response(status=status, text=html, content_type="text/html", charset="utf-8", headers=HEADERS)
