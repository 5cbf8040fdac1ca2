"""Run the bot's commands as processes, as somebody types them, and record their output and effects."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.genesys.server import Create
from tests.support.app import ended, open_servers, start
from tests.support.postgres import new_database

ANA = "11111111-1111-4111-8111-111111111111"
SECONDS = 60
SEED_ENV = f"""GENESYS_ORG_ID=sandbox-org
GENESYS_REGION=mypurecloud.com
GENESYS_CLIENT_ID=sandbox-client
GENESYS_PRIVATE_KEY_PATH=private.key
GENESYS_HOST_USER_ID={ANA}
"""


@dataclass(frozen=True)
class Run:
    """The result of a process. `creates` holds its calls to create a session in Genesys."""

    code: int | None
    out: str
    err: str
    creates: Sequence[Create] = ()


async def typed(
    directory: Path, arguments: Sequence[str], environ: dict[str, str] | None = None, *, interpreter: bool = False
) -> Run:
    """Run one command in a directory, with exactly this environment. `interpreter`: start a new interpreter."""
    process = await start(directory, environ or {}, *arguments, interpreter=interpreter)
    return Run(*await ended(process, SECONDS))


def furnish(directory: Path, key: str) -> None:
    """Write .env with SEED_ENV, and the private key, into a directory."""
    directory.mkdir()
    (directory / "private.key").write_text(key)
    (directory / ".env").write_text(SEED_ENV)


async def with_genesys(
    directory: Path,
    arguments: Sequence[str],
    fault: str | None = None,
    environ: dict[str, str] | None = None,
    *,
    interpreter: bool = False,
) -> Run:
    """Run one command against the sandbox's Genesys, with SEED_ENV as the .env in the directory."""
    async with open_servers() as servers:
        furnish(directory, servers.keys.private_pem)
        servers.genesys.applications = {"web": "Web", "shop": "Web shop"}
        await servers.genesys.inject_fault(fault)
        urls = {"GENESYS_API_URL": servers.genesys.url, "GENESYS_LOGIN_URL": servers.genesys.url}
        run = await typed(directory, arguments, urls | (environ or {}), interpreter=interpreter)
        return Run(run.code, run.out, run.err, list(servers.genesys.creates))


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Return the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bot.db'}"
        return
    async with new_database() as url:
        yield url
