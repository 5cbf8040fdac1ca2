"""One HTTP connection to the bot: what cannot be read is refused in one line, and no answer names the software."""

import logging
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

from bot.observability.throttled_log import ThrottledLog

UNREADABLE = (HttpProcessingError, RequestPayloadError, PayloadAccessError)
"""What aiohttp raises over bytes of the other side; its text, and its traceback, may hold them."""
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(web.RequestHandler):
    """As aiohttp's, but neither its log nor its answer repeats what could not be read."""

    def __init__(self, manager: web.Server, refusals: ThrottledLog, **options: Any) -> None:
        super().__init__(manager, **options)
        self._refusals = refusals

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Everything that aiohttp logs about a request comes through here."""
        error = kw.get("exc_info")
        if isinstance(error, UNREADABLE):
            self._refuse(error)
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer 400 without a word to what is not HTTP; the rest as aiohttp does."""
        if not isinstance(exc, UNREADABLE):
            return super().handle_error(request, status, exc, message)
        self._refuse(exc)
        if self.transport is not None and request.writer.output_size == 0:
            self.transport.write(BAD_REQUEST)
        self.force_close()  # so what is returned, which would hold aiohttp's own headers, goes nowhere
        return web.Response(status=400)

    def _refuse(self, error: BaseException) -> None:
        why = "a line is too long" if isinstance(error, LineTooLong) else "the request is not HTTP"
        self._refusals.warning("Error handling request", why, status=400, why=why)


async def without_software(_: web.BaseRequest, response: web.StreamResponse) -> None:
    """Take out the header that names aiohttp's and Python's versions: a handler of `on_response_prepare`."""
    response.headers.popall(hdrs.SERVER, None)


def new_refusals() -> ThrottledLog:
    """The log of one server's unreadable requests."""
    return ThrottledLog(logging.getLogger(__name__))
