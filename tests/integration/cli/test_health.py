"""The image's health command, as the Dockerfile writes it, for a bot that runs with different values of HOST."""

import asyncio
import json
import re
import socket
from pathlib import Path

import pytest

from tests.support.app import ANA, ROOT, Servers, ended, free_port, link, open_servers, running, start
from tests.support.check import checked
from tests.support.several import open_workspaces

DOCKERFILE = (Path(ROOT) / "Dockerfile").read_text(encoding="utf-8")
needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")


async def health(environ: dict[str, str], directory: Path, *, interpreter: bool = False) -> int | None:
    """Return the exit code of the HEALTHCHECK's command."""
    (written,) = re.findall(r"^HEALTHCHECK[^\n]*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    program, *arguments = json.loads(written)
    assert program == "python"
    assert arguments[:2] == ["-m", "bot"]
    code, _, err = await ended(await start(directory, environ, *arguments[2:], interpreter=interpreter))
    assert "Traceback" not in err
    return code


async def connects(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    return True


def of(servers: Servers, environ: dict[str, str]) -> dict[str, str]:
    return servers.environ | environ


async def test_no_proxy_is_between_the_health_command_and_the_bot(tmp_path: Path) -> None:
    port = str(free_port())
    dead = f"http://127.0.0.1:{free_port()}"
    environ = {"HOST": "0.0.0.0", "HEALTH_PORT": port}  # noqa: S104 - as in the image
    async with running(tmp_path, http=True, environ=environ) as (servers, _):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            assert await health(of(servers, environ | {name: dead}), tmp_path) == 0
        unused = of(servers, environ | {"HEALTH_PORT": str(free_port())})
        assert await health(unused, tmp_path, interpreter=True) == 1
        quoted = of(servers, environ | {"HEALTH_PORT": f'"{port}"', "HOST": "'0.0.0.0'"})
        assert await health(quoted, tmp_path, interpreter=True) == 0


async def test_port_of_several_workspaces_is_asked_and_none_else(tmp_path: Path) -> None:
    environ = {"PORT": str(free_port())}
    async with open_workspaces(tmp_path, "acme", "globex", **environ) as several:
        environ["COBROWSE_WORKSPACES"] = str(several.tables.path)
        assert await health(environ, tmp_path) == 0
    code, _, error = await ended(await start(tmp_path, environ, "health"))
    assert (code, "HEALTH_PORT" in error) == (1, False)  # there is a server on PORT in Socket Mode, too


@needs_ipv6
@pytest.mark.parametrize("host", ["::", "[::]", "*", '"::"'])
async def test_all_addresses_are_those_of_both_families(tmp_path: Path, host: str) -> None:
    port = free_port()
    environ = {"HOST": host, "HEALTH_PORT": str(port)}
    async with running(tmp_path, http=True, environ=environ) as (servers, _):
        assert [await connects(address, port) for address in ("127.0.0.1", "::1")] == [True, True]
        assert (await servers.slack.command(ANA, "")).acked
        assert link(await servers.slack.next_message(ANA))
        assert await health(of(servers, environ), tmp_path) == 0


@needs_ipv6
@pytest.mark.parametrize(("host", "address"), [("[::1]", "::1"), ("::1", "::1"), ("127.0.0.2", "127.0.0.2")])
async def test_one_address_is_where_the_health_command_asks(tmp_path: Path, host: str, address: str) -> None:
    port = free_port()
    environ = {"HOST": host, "HEALTH_PORT": str(port)}
    async with running(tmp_path, http=False, environ=environ) as (servers, _):
        assert await connects(address, port)
        assert not await connects("127.0.0.1", port)
        assert await health(of(servers, environ), tmp_path) == 0


async def test_address_of_another_machine_is_told_by_check_and_run(tmp_path: Path) -> None:
    environ = {"HOST": "192.0.2.1", "PORT": str(free_port())}
    async with open_servers(http=True) as servers:
        process = await start(tmp_path, of(servers, environ))
        code, _, err = await ended(process)
        assert (code, "Cannot listen on 192.0.2.1" in err) == (1, True), err
        code, out, _ = await checked(tmp_path, of(servers, environ))
        assert (code, "cannot listen on 192.0.2.1" in " ".join(out.split())) == (1, True), out
