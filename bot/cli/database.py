"""Open the bot's database in a command of `cobrowse-bot`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, TypeVar

import click

from bot.config import settings
from bot.config.settings import DatabaseSettings
from bot.core.errors import SetupError, StorageUnavailableError
from bot.core.timing import StorageTiming
from bot.observability import logging as logs
from bot.storage.errors import refused
from bot.storage.inspect import inspect_storage
from bot.storage.open import MEMORY, POSTGRES, SQLITE, Storage, open_store
from bot.storage.schema import VERSION

T = TypeVar("T")
COMMAND_TIMING = StorageTiming(statement_timeout_seconds=30.0)
"""How long the database may take in a command. One statement may take longer than in the running bot, because nobody in
Slack waits for a command, and some commands read whole tables."""


def with_database(use: Callable[[DatabaseSettings], Awaitable[T]]) -> T:
    """Call `use` with the settings of the database, and return the result of `use`.

    If the settings have faults or the database fails, print the reason and exit with 1.
    """
    logs.set_up("WARNING", as_json=False)  # the command prints its result, so log only problems

    async def used() -> T:
        return await use(settings.load_part(settings.read_database, settings.environment()))

    try:
        return asyncio.run(used())
    except settings.SettingsError as fault:
        fail("\n".join(f"{line} [{fault.code}]" for line in fault.faults))
    except SetupError as error:
        fail(error.line)
    except StorageUnavailableError as error:
        fail(f"The database cannot be used just now. [{error.code}]")


async def know_everything(database: DatabaseSettings) -> None:
    """Raise StorageSetupError if the schema of the database is newer than this program, or cannot be read.

    A newer schema can have columns that this program does not know. Call this function first in a command that needs
    all columns, such as `export` or `db rotate-key`. For the database `memory:`, do nothing.
    """
    if database.url.startswith(MEMORY):
        return  # `open_database` refuses it
    async with inspect_storage(database.url, database.keys, COMMAND_TIMING) as report:
        if report.is_newer:
            raise refused("database_newer_for_command", found=report.version, known=VERSION)


@asynccontextmanager
async def open_database(
    database: DatabaseSettings,
    timing: StorageTiming = COMMAND_TIMING,
    *,
    exclusive: bool = False,
    create: bool = True,
    workspace: str = "",
) -> AsyncIterator[Storage]:
    """Open the database, and yield a store that is limited to the rows of one workspace.

    - `timing`: how long the database may take.
    - `exclusive`: whether to fail if a bot uses the SQLite file. Postgres ignores this argument.
    - `create`: what happens if the SQLite file does not exist. With True, create the file. With False, fail.
    - `workspace`: the short name of the workspace; "" if the process serves only one.

    Raises StorageSetupError if the database cannot be opened, or if it is `memory:`.
    """
    if database.url.startswith(MEMORY):
        raise refused("database_memory")
    if not create and not database.url.startswith(POSTGRES):
        _check_file(database.url.removeprefix(SQLITE))
    async with open_store(
        database.url, keys=database.keys, retention_days=database.retention_days, exclusive=exclusive, timing=timing
    ) as store:
        yield store.in_workspace(workspace)


def _check_file(name: str) -> None:
    """Raise StorageSetupError if the SQLite file `name` does not exist.

    Do nothing if the directory of the file does not exist either: `open_store` raises a better error for this.
    """
    path = os.path.abspath(name)
    if os.path.isdir(os.path.dirname(path)) and not os.path.lexists(path):
        raise refused("database_file_missing", path=path)


def fail(sentence: str) -> NoReturn:
    """Print a sentence to standard error, and exit with 1."""
    click.echo(sentence, err=True)
    sys.exit(1)
