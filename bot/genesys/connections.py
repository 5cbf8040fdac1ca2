"""The pooled connections to Genesys, and a short way over them for the calls that somebody waits for.

What is sent, and what its answer means, is for client.py.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from bot import __version__
from bot.genesys.transport import Transport

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 30.0
CONNECTIONS = 256
TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"cobrowse-bot/{__version__}",
    "X-Genesys-Application-Name": f"cobrowse-bot/{__version__}",
}


class HttpClient(httpx.AsyncClient):
    """An httpx client that looks for no proxy and no netrc of its own, and keeps no cookie; close it when done.

    One client speaks for many people: a cookie of one's sign-in must not go along with another's.
    """

    def __init__(self, proxy: str | None = None) -> None:
        self._direct = Transport(connections=CONNECTIONS, keepalive_seconds=KEEPALIVE_SECONDS, proxy=proxy)
        super().__init__(
            transport=self._direct,
            trust_env=False,
            timeout=TIMEOUT,
            follow_redirects=False,
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def exchange(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        """As `send`, without redirects, cookies and hooks, of which the API's calls use none.

        docs/develop/decisions/0002-genesys-transport.md says what that saves.

        Raises httpx.TransportError, and what `auth` raises.
        """
        flow = auth.async_auth_flow(request)
        try:
            outgoing = await anext(flow)
            while True:
                response = await self._direct.handle_async_request(outgoing)
                outgoing = await flow.asend(response)
        except StopAsyncIteration:
            return response
        finally:
            await flow.aclose()
