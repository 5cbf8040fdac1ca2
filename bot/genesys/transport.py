"""httpx over aiohttp's pooled connections: what httpx's own transport does, at a fifth of its cost in CPU.

https://www.python-httpx.org/advanced/transports/ . An answer is read at once, and no further than any answer of the
service's can be long; one that comes packed although nobody asked for that is of no use. Every failure keeps aiohttp's
as its cause, since faults.py decides from it. docs/develop/decisions/0002-genesys-transport.md has the figures.
"""

from collections.abc import Sequence
from functools import lru_cache

import aiohttp
import httpx

MOST_BYTES = 1024 * 1024
UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class BufferedResponse(httpx.Response):
    """An answer that has been read, without the machinery by which httpx reads one."""

    def __init__(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, request: httpx.Request
    ) -> None:
        super().__init__(status, headers=headers, stream=httpx.ByteStream(body), request=request)
        self.headers.encoding = "iso-8859-1"  # what every header can be read as; else httpx tries others first
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body


class Transport(httpx.AsyncBaseTransport):
    """`proxy` is a URL, with the password in it where one is needed. Looks for no proxy and no netrc of its own."""

    def __init__(self, *, connections: int, keepalive_seconds: float, proxy: str | None = None) -> None:
        self._connections, self._keepalive_seconds, self._proxy = connections, keepalive_seconds, proxy
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError."""
        limits, stream = request.extensions.get("timeout", {}), request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        try:
            async with self._pool().request(
                request.method,
                str(request.url),
                headers=[(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw],
                data=body or None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=_timeout(limits.get("pool"), limits.get("connect"), limits.get("read")),
            ) as answer:
                said = await _body(answer)
        except UNREACHED as error:
            raise httpx.ConnectError("never reached") from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time") from error
        except aiohttp.ClientError as error:
            raise httpx.ReadError("the connection ended") from error
        return BufferedResponse(answer.status, answer.raw_headers, said, request)

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _pool(self) -> aiohttp.ClientSession:
        """Made by the first call, since aiohttp wants a running loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=self._keepalive_seconds
            )  # aiohttp's own context, as for Slack: the system's authorities, or those of SSL_CERT_FILE
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
            )
        return self._session


@lru_cache(8)
def _timeout(pool: float | None, connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=pool, sock_connect=connect, sock_read=read)


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx.DecodingError("a packed answer")
    body = await answer.content.read(MOST_BYTES)
    while not answer.content.at_eof():
        more = await answer.content.read(MOST_BYTES - len(body) + 1)
        body += more
        if len(body) > MOST_BYTES:
            raise httpx.DecodingError("the answer is too long")
    return body
