"""Use the bot's database in a command: read its settings, open it, and say in one sentence why that is not possible."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, TypeVar

import click

from bot.config import settings
from bot.config.settings import DatabaseSettings
from bot.core.errors import SetupError, StorageUnavailableError
from bot.core.timing import StorageTiming
from bot.observability import logging as logs
from bot.storage.errors import refused
from bot.storage.open import MEMORY, Storage, open_store

T = TypeVar("T")
COMMAND_TIMING = StorageTiming(statement_timeout_seconds=30.0)
"""The durations of the database for commands. A statement may take longer than in the bot, because nobody in Slack
waits for a command, and some commands read whole tables."""


def with_database(use: Callable[[DatabaseSettings], Awaitable[T]]) -> T:
    """Return the result of `use`. Exit with a sentence if the settings or the database cannot be used."""
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


def open_database(
    database: DatabaseSettings, timing: StorageTiming = COMMAND_TIMING, *, exclusive: bool = False
) -> AbstractAsyncContextManager[Storage]:
    """Open the database. Raises StorageSetupError.

    `exclusive`: refuse an SQLite file that a bot uses. If it is False, the command and a running bot can write at the
    same time.
    """
    if database.url.startswith(MEMORY):
        raise refused("database_memory")
    return open_store(
        database.url, keys=database.keys, retention_days=database.retention_days, exclusive=exclusive, timing=timing
    )


def fail(sentence: str) -> NoReturn:
    """Print a sentence to standard error, and exit with 1."""
    click.echo(sentence, err=True)
    sys.exit(1)
