"""Read, add, remove and export host links. For a person with a host link, no other host rule counts.

`workspace` is the short name of the workspace that has the links; "" if the bot has only one.
"""

import csv
import io
from collections.abc import Callable

from bot.cli.database import open_database
from bot.config.settings import DatabaseSettings
from bot.core.hosts import csv_file
from bot.core.hosts.csv_file import HostsFileError
from bot.core.models import HostLink, TeamId, UserId
from bot.core.timing import StorageTiming
from bot.storage.open import DEFAULT_TIMING


def read(user_id: str, genesys_id: str, team_id: str | None) -> HostLink:
    """Parse one host link from command-line arguments.

    Raises HostsFileError if an argument is invalid. The error contains all faults.
    """
    cells = [cell.strip() for cell in (user_id, genesys_id, team_id or "")]
    (team, user), host, wrong = csv_file.read_row(cells, len(cells))
    if wrong or host is None:
        raise HostsFileError(wrong)
    return team, user, host


def read_csv(text: str) -> list[HostLink]:
    """Parse the host links in the text of a CSV file.

    Raises HostsFileError if a line is invalid. The error contains all such lines.
    """
    return [(team_id, user_id, host) for (team_id, user_id), host in csv_file.parse(text).items()]


def write_csv(links: list[HostLink]) -> str:
    """Return host links as the text of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*csv_file.HEADER, "team_id"))
    writer.writerows((user_id, host, team_id or "") for team_id, user_id, host in links)
    return out.getvalue()


async def add(
    database: DatabaseSettings,
    links: list[HostLink],
    on_progress: Callable[[int], None] = lambda done: None,
    *,
    workspace: str = "",
) -> None:
    """Store all of these host links, or none if one cannot be stored.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the write fails.
    """
    async with open_database(database, workspace=workspace) as store:
        await store.link(links, on_progress)


async def remove(database: DatabaseSettings, user_id: str, team_id: str | None, *, workspace: str = "") -> bool:
    """Remove a host link. Return True if there was one.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the write fails.
    """
    async with open_database(database, create=False, workspace=workspace) as store:
        return await store.unlink(TeamId(team_id) if team_id else None, UserId(user_id))


async def list_all(
    database: DatabaseSettings, timing: StorageTiming = DEFAULT_TIMING, *, workspace: str = ""
) -> list[HostLink]:
    """Return all host links.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the read fails.
    """
    async with open_database(database, timing, create=False, workspace=workspace) as store:
        return list(await store.links())
