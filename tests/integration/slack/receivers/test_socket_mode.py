"""The Socket Mode receiver: it opens the next socket before the last one closes, and its queue is bounded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.timing import ReceiverBounds, SlackTiming
from bot.observability.metrics import PrometheusMetrics
from bot.slack.receivers.reconnect import ReconnectBackoff
from bot.slack.receivers.socket_mode import DEAF, REFUSALS
from tests.support.app import ANA, BEN, Servers, open_journey, open_servers
from tests.support.socket_mode import eventually, new_receiver, opened


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as opened:
        yield opened


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_when_slack_wants_another_socket_no_command_is_lost(reason: str) -> None:
    async with open_journey() as journey:
        for who in (ANA, BEN):
            await journey.asks("warm", who=who)
        await journey.slack.disconnect_sockets(reason, seconds=0.4)
        deliveries = []
        for number in range(30):
            deliveries.append(asyncio.create_task(journey.slack.command((ANA, BEN)[number % 2], f"Through {number}")))
            await asyncio.sleep(0.02)
        assert all([(await delivery).acked for delivery in deliveries])
        await eventually(lambda: len(journey.genesys.creates) == 32)
        assert journey.slack.count("apps.connections.open") == 2


async def test_the_next_socket_is_open_before_the_last_one_goes(servers: Servers) -> None:
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        first = receiver._connection
        await servers.slack.disconnect_sockets("warning", seconds=60)
        await eventually(lambda: receiver._connection is not first)
        assert first
        assert not first._web_socket.closed
        assert opened(servers) == 2


async def test_a_deaf_socket_is_replaced(servers: Servers) -> None:
    async with new_receiver(servers, timing=SlackTiming(heartbeat_seconds=0.2)) as receiver:
        await receiver.connect()
        servers.slack.inject_fault("socket", "unresponsive")
        await eventually(lambda: opened(servers) >= 2)
        servers.slack.inject_fault("socket", None)
        await eventually(lambda: receiver._connection is not None and not receiver._connection.leaving.done())


async def test_process_gives_up_after_long_without_a_socket(
    servers: Servers,
) -> None:
    servers.slack.inject_fault("apps.connections.open", "internal_error")
    async with new_receiver(servers, backoff=ReconnectBackoff(first_delay_seconds=0.05, deaf_seconds=0.3)) as receiver:
        await asyncio.wait_for(receiver.connect(), 5)
        assert receiver.refused.result() == DEAF
        assert opened(servers) > 1


async def test_socket_comes_back_after_slack_was_away(servers: Servers) -> None:
    servers.slack.inject_fault("apps.connections.open", "internal_error", times=3)
    async with new_receiver(servers) as receiver:
        await asyncio.wait_for(receiver.connect(), 5)
        assert not receiver.refused.done()
        assert opened(servers) == 4


async def test_final_refusal_of_slack_is_told_at_once(servers: Servers) -> None:
    servers.slack.inject_fault("apps.connections.open", "token_revoked")
    async with new_receiver(servers) as receiver:
        await asyncio.wait_for(receiver.connect(), 5)
        assert receiver.refused.result() == REFUSALS["token_revoked"]
        assert opened(servers) == 1


async def test_excess_envelopes_wait_at_slack(servers: Servers) -> None:
    under_way, most, go_on = 0, 0, asyncio.Event()

    async def listen(ack: Any) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go_on.wait()
        under_way -= 1
        await ack()

    async with new_receiver(servers, listen, bounds=ReceiverBounds(envelopes=2)) as receiver:
        await receiver.connect()
        asking = [asyncio.create_task(servers.slack.command(ANA, f"{number}")) for number in range(6)]
        await eventually(lambda: under_way == 2)
        await asyncio.sleep(0.1)
        assert most == 2
        go_on.set()
        assert all([(await delivery).acked for delivery in asking])
        assert most == 2


async def test_unknown_envelope_is_passed_over(servers: Servers) -> None:
    async def listen(ack: Any) -> None:
        await ack()

    async with new_receiver(servers, listen) as receiver:
        await receiver.connect()
        assert receiver._connection
        for odd in ("", "no JSON", "[]", "7", "null", "{}", '{"type": 7}', '{"type": "news"}', "[" * 100_000):
            await receiver._connection._handle_envelope(odd)
        assert (await servers.slack.command(ANA, "")).acked


# -- Another app-level token --

NEW_TOKEN = "xapp-sandbox-new-token"


async def test_new_tokens_socket_is_open_before_the_last_one_goes(servers: Servers) -> None:
    metrics = PrometheusMetrics()
    async with new_receiver(servers, metrics=metrics) as receiver:
        await receiver.connect()
        first = receiver._connection
        assert first
        servers.slack.api.app_tokens.append(NEW_TOKEN)
        assert await receiver.use_token(NEW_TOKEN) == ""
        await eventually(lambda: receiver._connection is not first)
        assert await receiver.hears()
        assert not first._web_socket.closed
        assert opened(servers) == 2
        del servers.slack.api.app_tokens[0]
        await servers.slack.disconnect_sockets(seconds=0.1)
        await eventually(lambda: opened(servers) == 3)
        assert not receiver.refused.done()
        assert 'failures_total{reason="other"} 0.0' in metrics.exposition().decode()


async def test_refused_token_leaves_the_old_one(servers: Servers) -> None:
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        first = receiver._connection
        assert await receiver.use_token("xapp-of-nobody") == "invalid_auth"
        servers.slack.api.app_tokens.append(NEW_TOKEN)
        servers.slack.inject_fault("socket", "no_hello", times=1)
        assert await receiver.use_token(NEW_TOKEN) == "not_opened"
        assert receiver._connection is first
        assert await receiver.hears()
        await servers.slack.disconnect_sockets(seconds=0.1)
        await eventually(lambda: receiver._connection is not first)
        assert not receiver.refused.done()


async def test_token_of_another_app_leaves_the_old_one(servers: Servers) -> None:
    servers.slack.api.app_tokens.append(NEW_TOKEN)
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        first = receiver._connection
        servers.slack.sockets.app_id = "A0OTHER"
        assert await receiver.use_token(NEW_TOKEN) == "slack_token_of_another_app"
        assert receiver._connection is first
        assert await receiver.hears()


async def test_new_token_is_used_while_slack_refuses_sockets(servers: Servers) -> None:
    """The old token is revoked, and the bot waits for its next try."""
    async with new_receiver(servers, backoff=ReconnectBackoff(first_delay_seconds=0.5)) as receiver:
        await receiver.connect()
        servers.slack.inject_fault("apps.connections.open", "internal_error", times=2)
        await servers.slack.disconnect_sockets("warning", seconds=0.05)
        await eventually(lambda: opened(servers) == 2)
        servers.slack.api.app_tokens = [NEW_TOKEN]
        servers.slack.inject_fault("apps.connections.open", None)
        assert await receiver.use_token(NEW_TOKEN) == ""
        await eventually(lambda: receiver._connection is not None and receiver._connection.is_open)
        assert not receiver.refused.done()


async def test_refusal_of_a_replaced_token_ends_nothing(servers: Servers) -> None:
    async with new_receiver(servers) as receiver:
        await receiver.connect()
        first = receiver._connection
        servers.slack.inject_fault("apps.connections.open", "slow", seconds=0.5, times=1)
        await servers.slack.disconnect_sockets("warning", seconds=60)
        await eventually(lambda: opened(servers) == 2)
        servers.slack.api.app_tokens = [NEW_TOKEN]
        assert await receiver.use_token(NEW_TOKEN) == ""
        await eventually(lambda: receiver._connection is not first)
        assert await receiver.hears()
        assert not receiver.refused.done()
