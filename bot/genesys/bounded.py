"""Reads no answer further than any answer of the service's can be long, so that none can fill the memory.

An httpx transport: https://www.python-httpx.org/advanced/transports/ . What is longer counts as no usable answer.
"""

from collections.abc import AsyncIterator

import httpx
from httpx_aiohttp import AiohttpTransport

MOST_BYTES = 1024 * 1024
MOST_PACKED_BYTES = 64 * 1024
"""As they come over the wire, since a compressed byte can become a thousand."""


class Bounded(httpx.AsyncByteStream):
    """The body, up to a bound."""

    def __init__(self, stream: httpx.AsyncByteStream, most_bytes: int) -> None:
        self._stream = stream
        self._left = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx.DecodingError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoundedTransport(AiohttpTransport):
    """aiohttp's, with a bound around each body that is still to be read."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        packed = response.headers.get("Content-Encoding", "identity") != "identity"
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = Bounded(response.stream, MOST_PACKED_BYTES if packed else MOST_BYTES)
        return response
