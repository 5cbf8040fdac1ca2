"""Reading of Slack's responses: a short body is read completely, a long one only up to the limit."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from bot.slack.api.responder import new_http_session
from bot.slack.api.responses import MAX_RESPONSE_BYTES


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[str]:
    """Yield the URL of a server that sends these parts one by one, and then nothing."""
    speaking: set[asyncio.Task[None] | None] = set()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        speaking.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.05)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await asyncio.gather(*filter(None, speaking))


def head(length: int, *more: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *more, "", ""]).encode()


async def read(url: str) -> bytes:
    async with asyncio.timeout(5), new_http_session() as http, http.get(url, allow_redirects=False) as response:
        first = await response.read()
        assert await response.read() == first
        return first


@pytest.mark.parametrize("parts", [[head(2) + b"ok"], [head(2), b"ok"], [head(2) + b"o", b"k"]])
async def test_a_short_answer_is_read_however_it_comes(parts: list[bytes]) -> None:
    async with answering(*parts) as url:
        assert await read(url) == b"ok"


async def test_an_answer_may_say_nothing() -> None:
    async with answering(head(0)) as url:
        assert await read(url) == b""


async def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    piece = b"a" * 65536
    async with answering(head(100 * MAX_RESPONSE_BYTES), piece * (MAX_RESPONSE_BYTES // len(piece)), piece) as url:
        with pytest.raises(aiohttp.ClientPayloadError, match="too long"):
            await read(url)


async def test_a_little_that_unpacks_to_very_much_is_not_taken() -> None:
    packed = gzip.compress(b"a" * (MAX_RESPONSE_BYTES + 1))
    assert len(packed) < 10_000
    async with answering(head(len(packed), "Content-Encoding: gzip") + packed) as url:
        with pytest.raises(aiohttp.ClientError):
            await read(url)


async def test_a_redirect_is_no_answer() -> None:
    async with answering(head(0, "Location: /elsewhere", status="302 Found")) as url:
        with pytest.raises(aiohttp.ClientResponseError, match="a redirect"):
            await read(url)
