"""Openings of Socket Mode connections are paced, whatever ends a connection. Connections of other bots are reported."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import open_bot
from bot.config import settings
from bot.core.timing import SlackTiming
from bot.observability.metrics import CONNECTION_FAILURES
from bot.sandbox.slack.server import SandboxSlack
from bot.slack.api.responses import CALL_ERRORS
from bot.slack.receivers.reconnect import ReconnectBackoff
from bot.slack.receivers.socket_mode import (
    DEAF,
    DEAF_SHORT,
    DEAF_TOO_MANY,
    FAILURE_REASONS,
    REFUSALS,
    SocketModeReceiver,
)
from tests.support.app import ANA, Servers, free_port, open_bot_between, open_journey, open_servers
from tests.support.monitoring import get, parsed
from tests.support.postgres import new_database
from tests.support.socket_mode import eventually, new_receiver, opened

OPEN = "apps.connections.open"
TOO_MANY = "Slack counts more than ten sockets of this app, or dead ones"
OTHER_BOT = "another bot uses this app-level token, so commands go to either"
WAYS = ("too_many_websockets", "warning", "refresh_requested", "close")


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[Any]:
    """Return the fields of each log line with this message. All of these are warnings."""
    lines = [record for record in caplog.records if record.getMessage() == message]
    assert all(line.levelno == logging.WARNING for line in lines)
    return [line.__dict__["fields"] for line in lines]


@asynccontextmanager
async def other_programs(slack: SandboxSlack, number: int) -> AsyncIterator[list[aiohttp.ClientWebSocketResponse]]:
    """Open `number` sockets of the same app, which answer nothing."""
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        yield [await stack.enter_async_context(http.ws_connect(slack._new_socket_url())) for _ in range(number)]


async def acked_within(slack: SandboxSlack, seconds: float) -> float:
    """Return after how many seconds a command is acknowledged again.

    Raises TimeoutError if it takes longer than `seconds`.
    """
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not (await slack.command(ANA, "whoami")).acked:  # noqa: ASYNC110 - Slack has no event for it
            await asyncio.sleep(0.1)
    return time.monotonic() - began


async def test_sockets_ended_after_hello_are_replaced_slowly(caplog: pytest.LogCaptureFixture) -> None:
    """Four bots run side by side for ten real seconds, and then until commands arrive again."""
    await asyncio.gather(*(_flapping(way) for way in WAYS))
    assert told(caplog, TOO_MANY) == [{"num_connections": 1}]


async def _flapping(way: str) -> None:
    port = free_port()
    async with open_journey(HEALTH_PORT=str(port)) as journey:
        slack, url = journey.slack, f"http://127.0.0.1:{port}"
        before = slack.count(OPEN)
        slack.inject_fault("socket", way)
        await slack.disconnect_sockets("warning", seconds=0)
        statuses = []
        for _ in range(40):
            await asyncio.sleep(0.25)
            statuses.append((await get(f"{url}/readyz"))[0])
        openings = slack.count(OPEN) - before
        assert 3 <= openings <= 10, (way, openings)
        assert statuses[8:].count(503) >= 28, (way, statuses)
        failures = parsed((await get(f"{url}/metrics"))[1])
        reason = "closed" if way == "close" else way
        assert failures["cobrowse_socket_failures_total", reason] >= openings - 2
        slack.inject_fault("socket", None)
        await acked_within(slack, 20)
        assert (await get(f"{url}/readyz"))[0] == 200


async def test_sockets_closed_before_hello_are_noticed_at_once(servers: Servers) -> None:
    servers.slack.inject_fault("socket", "no_hello", times=2)
    async with new_receiver(servers) as receiver:
        await asyncio.wait_for(receiver.connect(), 3)
        assert await receiver.hears()
        assert opened(servers) == 3


async def test_socket_mode_switched_off_before_hello_is_final(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(self: Any, *_: Any) -> None:
        await self.ws.send_str('{"type": "disconnect", "reason": "link_disabled"}')
        await self.ws.close()

    monkeypatch.setattr("bot.sandbox.slack.delivery.transports.Socket.run", talk)
    async with new_receiver(servers) as receiver:
        await asyncio.wait_for(receiver.connect(), 3)
        assert receiver.refused.result() == REFUSALS["link_disabled"]
        assert opened(servers) == 1


async def test_retry_after_of_an_opening_is_honoured(servers: Servers) -> None:
    servers.slack.inject_fault(OPEN, "ratelimited", retry_after=2, times=1)
    async with new_receiver(servers) as receiver:
        began = time.monotonic()
        await asyncio.wait_for(receiver.connect(), 8)
        assert 2 <= time.monotonic() - began < 4
        assert opened(servers) == 2


@pytest.mark.parametrize("fault", ["500", "drop", "ratelimited"])
async def test_openings_are_not_repeated_beside_the_pace(servers: Servers, fault: str) -> None:
    """The retry handlers of slack_sdk, which other calls use, must not repeat an opening."""
    servers.slack.inject_fault(OPEN, fault)
    async with open_bot(settings.load(servers.environ | {"DATABASE_URL": "memory:"})) as bot:
        with pytest.raises(CALL_ERRORS):
            await bot.socket_web.apps_connections_open(app_token=servers.keys.app_token)
    assert opened(servers) == 1


async def test_eleventh_socket_waits_until_one_goes(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    async def listen(ack: Any) -> None:
        await ack()

    async with other_programs(servers.slack, 10) as others, new_receiver(servers, listen) as receiver:
        await receiver.connect()
        await asyncio.sleep(3)
        assert opened(servers) <= 6
        assert told(caplog, TOO_MANY) == [{"num_connections": 11}]
        assert not await receiver.hears()
        for other in others:
            await other.close()
        await acked_within(servers.slack, 20)


async def test_socket_that_is_one_too_many_does_not_hear(servers: Servers) -> None:
    """This also holds while Slack has not closed the socket yet."""
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        assert await receiver.hears()
        servers.slack.inject_fault(OPEN, "internal_error")
        await servers.slack.disconnect_sockets("too_many_websockets", seconds=60)
        assert receiver._connection
        await asyncio.wait_for(asyncio.shield(receiver._connection.leaving), 5)
        assert not await receiver.hears()


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_socket_that_slack_wants_renewed_still_hears(servers: Servers, reason: str) -> None:
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        servers.slack.inject_fault(OPEN, "internal_error")
        await servers.slack.disconnect_sockets(reason, seconds=60)
        assert receiver._connection
        await asyncio.wait_for(asyncio.shield(receiver._connection.leaving), 5)
        assert await receiver.hears()


@pytest.mark.parametrize(
    ("method", "fault", "sentence"),
    [
        (OPEN, "internal_error", DEAF),
        ("socket", "no_hello", DEAF),
        ("socket", "too_many_websockets", DEAF_TOO_MANY),
        ("socket", "warning", DEAF_SHORT),
        ("socket", "close", DEAF_SHORT),
    ],
)
async def test_bot_that_hears_nothing_gives_up(servers: Servers, method: str, fault: str, sentence: str) -> None:
    servers.slack.inject_fault(method, fault)
    backoff = ReconnectBackoff(first_delay_seconds=0.05, deaf_seconds=0.6)
    async with new_receiver(servers, backoff=backoff) as receiver:
        await asyncio.wait_for(receiver.connect(), 5)
        assert await asyncio.wait_for(asyncio.shield(receiver.refused), 5) == sentence
        assert opened(servers) > 1


async def test_second_bot_on_one_token_is_told_with_sqlite(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    async with open_servers() as servers:
        environs = [servers.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/{name}.db"} for name in ("a", "b")]
        async with open_bot_between(servers, environs[0], http=False):
            assert told(caplog, OTHER_BOT) == []
            async with open_bot_between(servers, environs[1], http=False):
                assert told(caplog, OTHER_BOT) == [{"num_connections": 2}]


async def test_second_replica_is_right_with_postgres(caplog: pytest.LogCaptureFixture) -> None:
    async with open_servers() as servers, new_database() as url:
        environ = servers.environ | {"DATABASE_URL": url}
        async with open_bot_between(servers, environ, http=False), open_bot_between(servers, environ, http=False):
            assert len(servers.slack.sockets._sockets) == 2
            assert told(caplog, OTHER_BOT) == []


async def test_sockets_of_ones_own_are_no_other_bot(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    """One socket is being renewed. Another was lost, and Slack still counts it."""
    backoff, timing = ReconnectBackoff(first_delay_seconds=0.01), SlackTiming(heartbeat_seconds=0.2)
    async with new_receiver(servers, single_process=True, backoff=backoff, timing=timing) as receiver:
        await receiver.connect()
        await renewed(servers, receiver, seconds=1)
        await eventually(lambda: len(servers.slack.sockets._sockets) == 1)
        servers.slack.inject_fault("socket", "unresponsive", times=1)
        servers.slack.sockets.stale_connections = 1
        await eventually(lambda: opened(servers) == 3)
        await eventually(
            lambda: (
                receiver._connection is not None and not receiver._connection.leaving.done() and not receiver._leaving
            )
        )
        assert receiver._connection
        assert receiver._connection.num_connections == 2
        assert told(caplog, OTHER_BOT) == []
        servers.slack.sockets.stale_connections = 2
        for _ in range(3):
            await renewed(servers, receiver)
        assert len(told(caplog, OTHER_BOT)) == 1


async def renewed(servers: Servers, receiver: SocketModeReceiver, *, seconds: float = 0) -> None:
    """Wait until the receiver has a new socket. Slack ends the old one after `seconds`."""
    line = receiver._connection
    await servers.slack.disconnect_sockets("warning", seconds=seconds)
    await eventually(lambda: receiver._connection is not line)


def test_metric_knows_the_reasons_from_the_start() -> None:
    assert set(CONNECTION_FAILURES) == set(FAILURE_REASONS)
