"""Send HTTP requests to Genesys over one connection pool, and limit the size of answers.

`Transport` is an httpx transport over aiohttp's pool. `HttpClient.send_call` sends API calls with less CPU time than
httpx's `send`. docs/develop/decisions/0002-genesys-transport.md has the reasons and the measurements.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx

from bot import __version__
from bot.core.ports import NULL_TRACER, Tracer
from bot.core.timing import GENESYS_TIMING, GenesysTiming

MAX_CONNECTIONS = 256
"""The maximum number of connections that one client uses at the same time."""
MAX_BODY_BYTES = 1024 * 1024
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"cobrowse-bot/{__version__}",
    "X-Genesys-Application-Name": f"cobrowse-bot/{__version__}",
}
UNREACHED_ERRORS = (
    aiohttp.ClientConnectorError,  # the name look-up, connection or TLS handshake failed, also with a proxy
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,  # the proxy refused the connection
)
"""aiohttp's errors that prove that no byte of an HTTP request reached Genesys."""
SENT_ONCE = {"sent_once": True}
"""The extensions of an httpx request that aiohttp must not send again after a lost connection.

By default, aiohttp repeats an idempotent HTTP request. The caller then cannot know that Genesys may have acted before.
"""


class TokenSource(httpx.Auth):
    """The base class for classes that add a token to HTTP requests. TokenSource itself adds no token."""

    async def ready(self) -> None:
        """Make sure that a valid token is cached. Raises ServiceError if Genesys gives no token.

        The client calls this method before it waits for the rate limit.
        """

    async def renew(self) -> None:
        """Replace the cached token by a new one. Raises ServiceError if Genesys gives no token."""

    def is_outdated(self, request: httpx.Request) -> bool:
        """Return whether another token than the one in `request` would be sent now."""
        return False


class HttpClient(httpx.AsyncClient):
    """An httpx client that stores no cookies, and ignores the proxies and the netrc file of the environment.

    All people share one client, and a cookie from one person's sign-in must not reach another person.
    """

    def __init__(
        self,
        proxy: str | None = None,
        timing: GenesysTiming = GENESYS_TIMING,
        tracer: Tracer = NULL_TRACER,
        pool: aiohttp.BaseConnector | None = None,
    ) -> None:
        """Take the settings of the connections.

        - `proxy`: the proxy's URL; None for direct connections.
        - `pool`: the connection pool, which other clients may use, too. None to open a pool for this client alone.
        """
        transport = Transport(timing, proxy=proxy, pool=pool)
        self._api_transport: httpx.AsyncBaseTransport = tracer.calling_genesys(transport)
        super().__init__(
            transport=self._api_transport,
            trust_env=False,
            timeout=httpx.Timeout(timing.read_timeout, connect=timing.connect_timeout, pool=timing.connect_timeout),
            follow_redirects=False,
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def send_call(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        """Send an HTTP request, and return the response with its whole body.

        Follow no redirects, and call no event hooks. This method takes less CPU time than httpx's `send` (decision
        0002). `auth`: adds the token. Raises httpx.TransportError if no complete response arrives, httpx.DecodingError
        if the body is compressed or longer than MAX_BODY_BYTES, and the exceptions of `auth`.
        """
        flow = auth.async_auth_flow(request)
        try:
            outgoing = await anext(flow)
            while True:
                response = await self._api_transport.handle_async_request(outgoing)
                outgoing = await flow.asend(response)
        except StopAsyncIteration:
            return response
        finally:
            await flow.aclose()


class BufferedResponse(httpx.Response):
    """An httpx response whose body is complete from the start. It avoids httpx's code for streams, to save CPU time."""

    def __init__(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, request: httpx.Request
    ) -> None:
        super().__init__(status, headers=headers, stream=httpx.ByteStream(body), request=request)
        self.headers.encoding = "iso-8859-1"  # decodes any header; by default, httpx tries other encodings first
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body


class Transport(httpx.AsyncBaseTransport):
    """An httpx transport over aiohttp's connection pool: https://www.python-httpx.org/advanced/transports/ .

    If a connection fails, the `__cause__` of the raised error is aiohttp's exception. retry.py decides by this cause
    whether to retry.
    """

    def __init__(
        self,
        timing: GenesysTiming = GENESYS_TIMING,
        *,
        proxy: str | None = None,
        pool: aiohttp.BaseConnector | None = None,
    ) -> None:
        """Store the settings of the connections. The first HTTP request opens the first connection.

        - `proxy`: the proxy's URL, with the user and the password if the proxy needs them; None for direct connections.
        - `pool`: the connection pool, which other transports may use, too. None to open a pool for this one alone.
        """
        self._timing, self._proxy, self._pool = timing, proxy, pool
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send an HTTP request, and return the response with its whole body.

        Raises httpx.TransportError if no complete response arrives, and httpx.DecodingError if the body is compressed
        or longer than MAX_BODY_BYTES.
        """
        timeouts, stream = request.extensions.get("timeout", {}), request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        try:
            async with (
                self._free,
                self._http().request(
                    request.method,
                    str(request.url),
                    headers=[(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw],
                    data=body or None,
                    allow_redirects=False,
                    proxy=self._proxy,
                    middlewares=(_send_once,) if "sent_once" in request.extensions else None,
                    timeout=_client_timeout(timeouts.get("pool"), timeouts.get("connect"), timeouts.get("read")),
                ) as response,
            ):
                content = await _read_body(response)
        except UNREACHED_ERRORS as error:
            raise httpx.ConnectError("never reached") from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time") from error
        except aiohttp.ClientError as error:
            raise httpx.ReadError("the connection ended") from error
        return BufferedResponse(response.status, response.raw_headers, content, request)

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        """Return aiohttp's client. Create it on the first call, because aiohttp needs a running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._pool or new_pool(self._timing),
                connector_owner=self._pool is None,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
            )
        return self._session


class LostConnectionError(aiohttp.ClientError):
    """The connection ended before the answer. After this error, aiohttp does not send the HTTP request again."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send an HTTP request, and raise LostConnectionError if the connection ends before the answer.

    This function is a middleware: https://docs.aiohttp.org/en/stable/client_advanced.html#client-middleware
    """
    try:
        return await handler(request)
    except UNREACHED_ERRORS:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise LostConnectionError from error


def new_pool(timing: GenesysTiming = GENESYS_TIMING) -> aiohttp.TCPConnector:
    """Open a connection pool without a limit. Each client that uses the pool limits its own connections.

    The connections use aiohttp's default TLS context. It trusts the certificate authorities of the system, or those in
    the file that SSL_CERT_FILE names.
    """
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=timing.keepalive_seconds)


@lru_cache(8)
def _client_timeout(pool: float | None, connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=pool, sock_connect=connect, sock_read=read)


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body of a response.

    Raises httpx.DecodingError if the body is compressed or longer than MAX_BODY_BYTES.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx.DecodingError("compressed, although no compression was accepted")
    body = await response.content.read(MAX_BODY_BYTES)
    while not response.content.at_eof():
        more = await response.content.read(MAX_BODY_BYTES - len(body) + 1)
        body += more
        if len(body) > MAX_BODY_BYTES:
            raise httpx.DecodingError("the body is too long")
    return body
