"""Two replicas behind Caddy: strangers send malformed and slow requests, and one replica is dead for a while."""

from pathlib import Path

import pytest

from tests.support.proxy import (
    BAD,
    OF_THE_SYSTEM,
    SHIPPED,
    SLOW_CLIENTS,
    needs_caddy,
    needs_the_systems_caddy,
    replicas,
    shipped_or_older,
    types,
    under_fire,
)

SECONDS = 5.0
COMMANDS = 50


@pytest.mark.parametrize(
    "caddy",
    [
        pytest.param(SHIPPED, id="shipped", marks=needs_caddy),
        pytest.param(OF_THE_SYSTEM, id="without buffers", marks=needs_the_systems_caddy),
    ],
)
async def test_commands_under_fire_are_all_acked(tmp_path: Path, request: pytest.FixtureRequest, caddy: str) -> None:
    text = shipped_or_older(buffers="without buffers" not in request.node.name)
    async with replicas(tmp_path, caddy=caddy, text=text) as running:
        async with under_fire(running.proxy.url) as sent:
            typed = await types(running.servers, SECONDS)
        assert typed.lost == []
        assert typed.acked == COMMANDS
        assert typed.slowest_ms < 3000
        assert sent[0] >= SECONDS * len(BAD) * 3
        assert sent[1] >= SLOW_CLIENTS


@needs_caddy
async def test_commands_while_one_replica_is_dead_are_all_acked(tmp_path: Path) -> None:
    async with replicas(tmp_path) as running:
        assert (await types(running.servers, 1.0)).lost == []  # so that Caddy has connections to both
        running.processes[0].kill()
        await running.processes[0].wait()
        typed = await types(running.servers, SECONDS)
        assert typed.lost == []
        assert typed.acked == COMMANDS
        assert typed.slowest_ms < 3000
