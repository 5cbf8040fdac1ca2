"""Detect a real pgbouncer that pools transactions between the bot and Postgres."""

import asyncio
import os
import pwd
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bot.storage.encryption import Encryptor
from bot.storage.postgres.open import open_postgres
from tests.support.app import free_port
from tests.support.database_faults import agree, said
from tests.support.postgres import new_database

OWNER = "pgserver"
"""The user that the wheel's Postgres runs as when the tests run as root."""

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
if PGBOUNCER is None and not os.environ.get("CI"):
    pytest.skip("there is no pgbouncer on this machine", allow_module_level=True)


@asynccontextmanager
async def proxied(folder: Path, pool_mode: str) -> AsyncIterator[str]:
    """Yield the URL of a new database behind pgbouncer."""
    assert PGBOUNCER, "CI must not do without pgbouncer"
    async with new_database() as url:
        parts, port = urlsplit(url), free_port()
        where, name = parse_qs(parts.query), parts.path.lstrip("/")
        there = f"host={where['host'][0]} port={where['port'][0]}"
        config = folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n{name} = {there} user=postgres dbname={name}\n[pgbouncer]\npool_mode = {pool_mode}\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n"
        )
        config.chmod(0o644)
        for one in (folder, *folder.parents):  # pgbouncer leaves root behind, and has to get here
            if str(one).startswith("/tmp/"):  # noqa: S108 - pytest's own folders
                one.chmod(one.stat().st_mode | 0o055)
        as_user = ["-u", OWNER] if os.geteuid() == 0 and pwd.getpwnam(OWNER) else []
        process = await asyncio.create_subprocess_exec(
            PGBOUNCER, "-q", *as_user, str(config), stdout=DEVNULL, stderr=DEVNULL
        )
        through = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        try:
            await _ready(through)
            yield through
        finally:
            process.terminate()
            await process.wait()


async def _ready(url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=2)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
            else:
                await connection.close()
                return


async def test_transaction_pooling_proxy_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with proxied(tmp_path, "transaction") as url:
        agree(await said(url), "database_proxy_pools_transactions", "pools transactions")


async def test_a_parameter_that_the_proxy_does_not_take_is_named(tmp_path: Path) -> None:
    async with proxied(tmp_path, "session") as url:
        agree(await said(f"{url}?work_memory=1"), "database_parameter_unknown", "the parameter work_memory of")


async def test_one_that_pools_sessions_will_do(tmp_path: Path) -> None:
    async with proxied(tmp_path, "session") as url, open_postgres(url, Encryptor(), 30) as store:
        assert await store.orphans() == []
