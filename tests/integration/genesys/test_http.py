"""Test the HTTP client on the wire: the bytes it sends, and the response that both of its ways return."""

import asyncio

import httpx
import pytest

from bot.genesys.client import build_request
from bot.genesys.http import HttpClient

BODY = b'{"a": "\xc3\xbc"}'
SAID = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Type: application/json\r\nX-Odd: \xfc\r\n\r\n" + BODY


async def send_to_server(request: httpx.Request, *, short: bool) -> tuple[bytes, httpx.Response]:
    """Send a request to a server that records it. Return the recorded bytes and the client's response.

    `short` uses `send_call`, else `send`.
    """
    heard: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65536))
        writer.write(SAID)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    request.url = request.url.copy_with(port=server.sockets[0].getsockname()[1])
    async with asyncio.timeout(5), HttpClient() as http:
        response = await (http.send_call(request, httpx.Auth()) if short else http.send(request))
    server.close()
    return heard[0], response


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_a_call_without_a_body_says_nothing_of_one(method: str, short: bool) -> None:
    """A POST without a body states a length of 0. The call that creates an offer is such a POST."""
    heard, _ = await send_to_server(httpx.Request(method, "http://127.0.0.1/x", headers={"A": "b"}), short=short)
    assert heard.startswith(b"%b /x HTTP/1.1\r\n" % method.encode())
    assert b"content-" not in heard.lower().replace(b"content-length: 0\r\n", b"")
    assert heard.endswith(b"\r\n\r\n")


async def test_half_a_surrogate_pair_is_sent_escaped() -> None:
    """People can paste one. UTF-8 cannot encode it, JSON can."""
    request = build_request("POST", "http://127.0.0.1/x", {"name": "\ud83d"}, {})
    heard, _ = await send_to_server(request, short=True)
    assert heard.endswith(b'\r\n\r\n{"name": "\\ud83d"}')


@pytest.mark.parametrize("short", [True, False])
async def test_an_answer_is_read_as_httpx_reads_it(short: bool) -> None:
    request = httpx.Request("POST", "http://127.0.0.1/x", json={"b": 1})
    heard, answer = await send_to_server(request, short=short)
    assert heard.endswith(b'\r\n\r\n{"b":1}')
    assert (answer.status_code, answer.content, answer.json()) == (200, BODY, {"a": "ü"})
    assert (answer.text, answer.headers["x-odd"], answer.request) == ('{"a": "ü"}', "ü", request)
    assert await answer.aread() == answer.content
