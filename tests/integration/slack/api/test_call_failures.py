"""The label of a failed call to Slack, for each failure of a real server."""

import asyncio

import aiohttp
import pytest

from bot.slack.api.responses import error_label
from tests.support.app import free_port


async def failure_of(url: str) -> BaseException:
    timeout = aiohttp.ClientTimeout(total=0.3)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
            await answer.json(content_type=None)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return error
    raise AssertionError("it went well")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (b"", "connection_lost"),
        (b"SSH-2.0-x\r\n\r\n", "http_400"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "not_json"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", "answer_cut_off"),
        (None, "timed_out"),
    ],
)
async def test_each_server_failure_has_a_word(said: bytes | None, word: str) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if said is None:
            await reader.read()  # until the other side has gone
        writer.write(said or b"")
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
        ended.set()

    port = free_port()
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        assert error_label(await failure_of(f"http://127.0.0.1:{port}/")) == word
        await ended.wait()


async def test_server_that_is_not_there_has_a_word() -> None:
    assert error_label(await failure_of(f"http://127.0.0.1:{free_port()}/")) == "connection_refused"
    assert error_label(await failure_of("http://nowhere.invalid/")) == "name_not_found"
