"""Two replicas behind a proxy: strangers send malformed and slow requests, and one replica dies."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.postgres import new_database
from tests.support.proxy import (
    BAD,
    FRONTS,
    OF_THE_SYSTEM,
    SHIPPED,
    SLOW_CLIENTS,
    Front,
    caddy_before,
    needs_caddy,
    needs_nginx,
    needs_the_systems_caddy,
    nginx_before,
    replicas,
    shipped_or_older,
    types,
    under_fire,
)
from tests.support.replicas import told, until

SECONDS = 5.0
COMMANDS = 50
WITHOUT_BUFFERS = partial(caddy_before, caddy=OF_THE_SYSTEM, text=shipped_or_older(buffers=False))
TAKEN_OVER_SECONDS = 20.0


@pytest.mark.parametrize(
    "front",
    [
        pytest.param(partial(caddy_before, caddy=SHIPPED), id="caddy", marks=needs_caddy),
        pytest.param(WITHOUT_BUFFERS, id="caddy without buffers", marks=needs_the_systems_caddy),
        pytest.param(nginx_before, id="nginx", marks=needs_nginx),
    ],
)
async def test_commands_under_fire_are_all_acked(tmp_path: Path, front: Front) -> None:
    async with replicas(tmp_path, front) as running:
        async with under_fire(running.proxy.url) as sent:
            typed = await types(running.servers, SECONDS)
        assert typed.lost == []
        assert typed.acked == COMMANDS
        assert typed.slowest_ms < 3000
        assert sent[0] >= SECONDS * len(BAD) * 3
        assert sent[1] >= SLOW_CLIENTS


@pytest.mark.parametrize("front", FRONTS)
async def test_commands_while_one_replica_is_dead_are_all_acked(tmp_path: Path, front: Front) -> None:
    async with replicas(tmp_path, front) as running:
        assert (await types(running.servers, 1.0)).lost == []  # so that the proxy has connections to both
        running.processes[0].kill()
        await running.processes[0].wait()
        typed = await types(running.servers, SECONDS)
        assert typed.lost == []
        assert typed.acked == COMMANDS
        assert typed.slowest_ms < 3000


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("front", FRONTS)
async def test_replica_killed_with_a_command_loses_none(tmp_path: Path, front: Front, moment: str) -> None:
    """It is killed around the write of a command, before it answers the proxy, while ten come each second."""
    async with (
        new_database() as database,
        replicas(tmp_path, front, database=database, dies=f"{moment}:*:Deal 2?") as running,
    ):
        typed = await types(running.servers, SECONDS)
        assert running.processes[0].returncode == -9
        assert typed.lost == []
        assert typed.acked == COMMANDS
        assert typed.slowest_ms < 3000
        servers = running.servers
        await until(lambda: all(told(servers, one) for one in typed.deliveries), TAKEN_OVER_SECONDS)
        assert {len({*told(servers, one)}) for one in typed.deliveries} == {1}
        assert len(servers.genesys.creates) <= COMMANDS
