"""Run the bot's commands as somebody types them, each as a process, and keep what they leave."""

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
    """What a process left; `creates` are those of the Genesys it was pointed at."""

    code: int | None
    out: str
    err: str
    creates: Sequence[Create] = ()


async def typed(
    directory: Path, arguments: Sequence[str], environ: dict[str, str] | None = None, *, interpreter: bool = False
) -> Run:
    """Run one command in the directory, with no other environment; `interpreter` starts a new Python for it."""
    process = await start(directory, environ or {}, *arguments, interpreter=interpreter)
    return Run(*await ended(process, SECONDS))


def furnish(directory: Path, key: str) -> None:
    """Write the files that somebody who follows the seed has beside them."""
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
    """Run one command with the seed's .env in the directory, and the fake Genesys at another address."""
    async with open_servers() as servers:
        furnish(directory, servers.keys.private_pem)
        servers.genesys.applications = {"web": "Web", "shop": "Web shop"}
        await servers.genesys.inject_fault(fault)
        urls = {"GENESYS_API_URL": servers.genesys.url, "GENESYS_LOGIN_URL": servers.genesys.url}
        run = await typed(directory, arguments, urls | (environ or {}), interpreter=interpreter)
        return Run(run.code, run.out, run.err, list(servers.genesys.creates))


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bot.db'}"
        return
    async with new_database() as url:
        yield url
