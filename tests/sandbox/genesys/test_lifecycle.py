"""The sandbox's Genesys over a real socket: connections that end early, a closed port, starts and stops."""

import asyncio
import json
import logging
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.sandbox.genesys.server import FAULTS, SandboxGenesys
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import (
    CLIENT,
    ORG,
    RSA_KEY,
    SESSIONS,
    USERS,
    Answer,
    Client,
    create_body,
    public_pem,
    soon,
)

genesys, stranger, client = sandbox_genesys.genesys, sandbox_genesys.stranger, sandbox_genesys.client


@pytest.mark.parametrize(
    ("fault", "raises"),
    [
        ("dropped", aiohttp.ServerDisconnectedError),
        ("reset", (ConnectionResetError, aiohttp.ClientOSError)),
        ("cut", aiohttp.ClientPayloadError),
    ],
)
async def test_connection_that_ends_early_leaves_a_session_quietly(
    client: Client, fault: str, raises: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    await client.genesys.inject_fault(fault, times=1)
    with pytest.raises(raises):
        await client.create()
    (create,) = client.genesys.creates
    assert create.created_session
    assert create.session_id in client.genesys.sessions
    assert (await client.create())[0] == 200
    assert client.genesys.calls[-2].status == (200 if fault == "cut" else None)
    assert (caplog.records, capfd.readouterr().err) == ([], "")


async def raw_create(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(client.genesys.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    body = json.dumps(create_body())
    head = f"POST {SESSIONS} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {client.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head + body).encode())
    return reader, writer


async def test_a_drop_is_a_clean_end_and_a_reset_is_not(client: Client) -> None:
    await client.genesys.inject_fault("dropped", times=1)
    reader, writer = await raw_create(client)
    assert await reader.read() == b""
    writer.close()
    await client.genesys.inject_fault("reset", times=1)
    reader, writer = await raw_create(client)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_cut_answer_holds_half_the_body(client: Client) -> None:
    await client.genesys.inject_fault("cut", times=1)
    reader, writer = await raw_create(client)
    head, half = (await reader.read()).split(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))  # type: ignore[union-attr]
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert len(half) == length // 2 > 10
    writer.close()


async def test_a_silent_server_acts_and_lets_go_when_the_client_does(client: Client) -> None:
    lines: list[dict[str, Any]] = []
    client.genesys.on_traffic = lines.append
    await client.genesys.inject_fault("silent", times=1)
    with pytest.raises(TimeoutError):
        await client.ask("POST", SESSIONS, json=create_body(), timeout=aiohttp.ClientTimeout(0.2))
    assert client.genesys.creates[0].created_session
    assert client.genesys.count("create") == 1
    await soon(lambda: lines)
    assert (lines[0]["status"], lines[0]["note"]) == (None, FAULTS["silent"])
    assert (await client.create())[0] == 200


async def test_slow_server_answers_late_and_acts_all_the_same(client: Client) -> None:
    await client.genesys.inject_fault("slow", seconds=0.2)
    before = time.monotonic()
    assert (await client.create())[0] == 200
    assert time.monotonic() - before >= 0.2
    with pytest.raises(TimeoutError):
        await client.ask("POST", SESSIONS, json=create_body(), timeout=aiohttp.ClientTimeout(0.05))
    assert not client.genesys.creates[1].created_session
    await soon(lambda: client.genesys.creates[1].created_session)


async def test_down_server_cuts_and_refuses_connections(client: Client) -> None:
    url = client.genesys.url
    hanging = asyncio.create_task(hang(client))
    await soon(lambda: client.genesys.creates)
    await client.genesys.inject_fault("down")
    with pytest.raises(aiohttp.ClientError):
        await hanging
    for _ in range(2):
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await client.create()
        assert isinstance(refused.value.os_error, ConnectionRefusedError)
    await client.genesys.inject_fault(None)
    assert client.genesys.url == url
    assert (await client.create())[0] == 200
    assert client.genesys.count("create") == 2


async def hang(client: Client) -> Answer:
    await client.genesys.inject_fault("silent", on="create")
    return await client.create()


async def test_idle_keep_alive_connection_ends_with_the_server(client: Client) -> None:
    reader, writer = await raw_create(client)
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
    await client.genesys.inject_fault("down", on="token")
    assert (await asyncio.wait_for(reader.read(), 1))[-1:] == b"}"
    writer.close()
    await client.genesys.inject_fault("500")
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.create()
    await client.genesys.inject_fault("slow", on="token", seconds=0)
    assert (await client.create())[0] == 500


async def test_nobody_else_gets_the_port_while_the_server_is_down(client: Client) -> None:
    await client.genesys.inject_fault("down")
    with pytest.raises(OSError, match="in use"), socket.socket() as other:
        other.bind(("127.0.0.1", urlsplit(client.genesys.url).port or 0))


async def test_server_may_be_down_at_first_and_start_after_a_stop() -> None:
    server = SandboxGenesys(public_key_pem=public_pem(RSA_KEY), client_id=CLIENT, org_id=ORG, users=USERS)
    await server.inject_fault("down")
    await server.start()
    async with aiohttp.ClientSession() as http:
        client = Client(server, http)
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.sign_in()
        await server.inject_fault(None)
        assert (await client.sign_in())[0] == 200
        await server.stop()
        await server.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.sign_in()
        await server.start(port=urlsplit(server.url).port or 0)
        assert (await client.sign_in())[0] == 200
    await server.stop()


async def test_client_that_leaves_during_its_body_creates_nothing(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(client.genesys.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode())
    await soon(lambda: client.genesys.count("create"))
    writer.transport.abort()
    await soon(lambda: not client.genesys._tasks)
    assert not client.genesys.creates
    assert caplog.records == []


async def test_stopping_does_not_wait_for_those_who_hang(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    await client.genesys.inject_fault("silent")
    await client.genesys.inject_fault("slow", on="applications", seconds=60)
    hanging = [asyncio.create_task(client.create()) for _ in range(3)]
    hanging += [asyncio.create_task(client.ask("GET", "/api/v2/cobrowse/applications")) for _ in range(3)]
    await soon(lambda: client.genesys.count("create") == client.genesys.count("applications") == 3)
    before = time.monotonic()
    await client.genesys.stop()
    assert time.monotonic() - before < 1
    ends = await asyncio.gather(*hanging, return_exceptions=True)
    assert [type(end) for end in ends if not isinstance(end, aiohttp.ClientError)] == []
    assert caplog.records == []


async def test_a_hundred_creates_at_once_are_a_hundred_sessions(client: Client) -> None:
    answers = await asyncio.gather(*(client.create(sessionName=str(number)) for number in range(100)))
    names = {body["id"]: body["sessionName"] for _, _, body in answers}
    assert len(names) == 100
    assert all(client.genesys.sessions[id_].name == name for id_, name in names.items())
