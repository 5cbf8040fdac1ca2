"""/healthz, /readyz and /metrics: their ports, their answers, and what does not make the bot unready."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.config import settings
from bot.observability.metrics import PrometheusMetrics
from bot.storage.sqlite.store import SQLiteStore
from bot.web.health import Health
from tests.support.app import ANA, Journey, ended, free_port, open_journey, open_servers, start
from tests.support.monitoring import get

PATHS = ("/healthz", "/readyz", "/metrics")


async def test_over_http_they_are_beside_slacks_endpoint(over_http: Journey) -> None:
    assert await get(f"{over_http.url}/healthz") == (200, {"status": "ok"})
    status, told = await get(f"{over_http.url}/readyz")
    assert status == 200
    assert told == {
        "ready": True,
        "slack": "connected",
        "draining": False,
        "genesys": {"state": "unknown"},
        "store": "ok",
    }
    status, text = await get(f"{over_http.url}/metrics")
    assert status == 200
    assert "# TYPE cobrowse_requests_total counter" in text


async def test_with_a_port_of_their_own_they_leave_the_public_one() -> None:
    port = free_port()
    async with open_journey(http=True, HEALTH_PORT=str(port)) as journey:
        for path in PATHS:
            assert (await get(f"http://127.0.0.1:{port}{path}"))[0] == 200
            assert (await get(f"{journey.url}{path}"))[0] == 404
        assert (await get(f"http://127.0.0.1:{port}/slack/events"))[0] == 404


async def test_in_socket_mode_they_are_on_a_port_of_their_own() -> None:
    port = free_port()
    async with open_journey(HEALTH_PORT=str(port)) as journey:
        url = f"http://127.0.0.1:{port}"
        assert (await get(f"{url}/readyz"))[0] == 200
        await journey.asks()
        assert 'cobrowse_requests_total{kind="start",outcome="session_started"} 1.0' in (await get(f"{url}/metrics"))[1]


async def test_unavailable_genesys_or_database_keeps_it_ready(
    over_http: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await over_http.genesys.inject_fault("502")
    await over_http.asks()

    async def away(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(SQLiteStore, "_read", away)
    status, told = await get(f"{over_http.url}/readyz")
    assert status == 200
    assert told["store"] == "away"
    assert told["genesys"]["state"] == "failing"
    assert told["genesys"]["last_status"] == "502"


async def test_a_refusal_of_genesyss_is_an_answer(over_http: Journey) -> None:
    await over_http.genesys.inject_fault("invalid-host")
    await over_http.asks()
    assert (await get(f"{over_http.url}/readyz"))[1]["genesys"]["state"] == "ok"


async def test_asking_often_costs_the_database_nothing() -> None:
    looks = 0

    async def look(_: str) -> None:
        nonlocal looks
        looks += 1

    health = Health(PrometheusMetrics(), look)
    for _ in range(50):
        assert await health.store.answers()
    assert looks == 1


async def test_starting_or_stopping_bot_is_alive_and_not_ready(tmp_path: Path) -> None:
    """The bot runs in Socket Mode in a separate process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with open_servers(http=False) as servers:
        servers.slack.inject_fault("apps.connections.open", "internal_error")
        process = await start(tmp_path, servers.environ | {"HEALTH_PORT": str(port), "SHUTDOWN_SECONDS": "20"})
        try:
            told = await until(url, lambda status, told: status == 503)
            assert told["slack"] == "not connected"
            assert await get(f"{url}/healthz") == (200, {"status": "ok"})
            servers.slack.inject_fault("apps.connections.open", None)
            await until(url, lambda status, told: status == 200)

            await servers.genesys.inject_fault("slow", seconds=30)
            assert (await servers.slack.command(ANA, "")).acked
            process.send_signal(signal.SIGTERM)
            told = await until(url, lambda status, told: status == 503)
            assert told["draining"] is True
            assert (await get(f"{url}/healthz"))[0] == 200
            assert "cobrowse_requests_under_way 1.0" in (await get(f"{url}/metrics"))[1]
            await servers.genesys.inject_fault(None)
        finally:
            process.kill()
            await process.communicate()


async def until(url: str, fits: Any) -> Any:
    """Wait until the answer of /readyz fits, and return it."""
    async with asyncio.timeout(30):
        while True:
            try:
                status, told = await get(f"{url}/readyz")
            except aiohttp.ClientError:
                status, told = 0, None
            if fits(status, told):
                return told
            await asyncio.sleep(0.05)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    taken = free_port()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", taken)
    async with server, open_servers(http=False) as servers:
        process = await start(tmp_path, servers.environ | {"HEALTH_PORT": str(taken)})
        code, _, err = await ended(process)
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{taken}" in err
    assert "Check HOST and HEALTH_PORT." in err


async def test_the_two_ports_may_not_be_the_same() -> None:
    async with open_servers(http=True) as servers:
        with pytest.raises(settings.SettingsError, match="HEALTH_PORT: must be another port than PORT"):
            settings.load(servers.environ | {"PORT": "3000", "HEALTH_PORT": "3000"})
        assert settings.load(servers.environ | {"BOT_MODE": "socket", "PORT": "3000", "HEALTH_PORT": "3000"})
