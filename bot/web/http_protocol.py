"""If a client sends bytes that are not HTTP, answer with status 400, and log one line.

Also remove the header `Server` from all responses.
"""

import logging
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

from bot.observability.throttled_log import ThrottledLog

UNREADABLE = (HttpProcessingError, RequestPayloadError, PayloadAccessError)
"""aiohttp's errors for bytes that aiohttp cannot parse. The messages and tracebacks of these errors may quote the
bytes."""
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(web.RequestHandler):
    """Handles one HTTP connection. Answers and log lines never quote bytes that are not HTTP."""

    def __init__(self, manager: web.Server, refusals: ThrottledLog, **options: Any) -> None:
        super().__init__(manager, **options)
        self._refusals = refusals

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an error that aiohttp reports. For bytes that are not HTTP, log one line that does not quote them."""
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
        """If the client sent bytes that are not HTTP, answer with status 400 and no body, and close the connection.

        Leave all other errors to aiohttp.
        """
        if not isinstance(exc, UNREADABLE):
            return super().handle_error(request, status, exc, message)
        self._refuse(exc)
        if self.transport is not None and request.writer.output_size == 0:
            self.transport.write(BAD_REQUEST)
        self.force_close()  # so the response below, with aiohttp's own headers, is never sent
        return web.Response(status=400)

    def _refuse(self, error: BaseException) -> None:
        why = "a line is too long" if isinstance(error, LineTooLong) else "the request is not HTTP"
        self._refusals.warning("Error handling request", why, status=400, why=why)


async def remove_server_header(_: web.BaseRequest, response: web.StreamResponse) -> None:
    """Remove the header `Server`, which shows the versions of aiohttp and Python, from a response.

    This is a handler of aiohttp's signal `on_response_prepare`.
    """
    response.headers.popall(hdrs.SERVER, None)


def new_refusal_log() -> ThrottledLog:
    """Create the log for the refused connections and unreadable HTTP requests of one server."""
    return ThrottledLog(logging.getLogger(__name__))
