"""Read, add, remove and list host links."""

import csv
import io
from collections.abc import Callable

from bot.cli.database import open_database
from bot.config.settings import DatabaseSettings
from bot.core.hosts import csv_file
from bot.core.hosts.csv_file import HostsFileError
from bot.core.models import HostLink, TeamId, UserId


def read(user_id: str, genesys_id: str, team_id: str | None) -> HostLink:
    """Convert command-line arguments to a host link.

    - `user_id`: the Slack user.
    - `genesys_id`: the Genesys user as whom the Slack user hosts.
    - `team_id`: the id of the link's Slack workspace; None for a link that applies to all Slack workspaces.

    Raises HostsFileError, with all faults, if an argument is invalid.
    """
    cells = [cell.strip() for cell in (user_id, genesys_id, team_id or "")]
    (team, user), host, wrong = csv_file.read_row(cells, len(cells))
    if wrong or host is None:
        raise HostsFileError(wrong)
    return team, user, host


def read_csv(text: str) -> list[HostLink]:
    """Convert the text of a CSV file to host links.

    The columns are `slack_user_id`, `genesys_user_id` and, optionally, `team_id`. A link with an empty or missing
    `team_id` applies to all Slack workspaces.

    Raises HostsFileError, with all faults, if a line is invalid.
    """
    return [(team_id, user_id, host) for (team_id, user_id), host in csv_file.parse(text).items()]


def write_csv(links: list[HostLink]) -> str:
    """Convert host links to the text of a CSV file with the columns `slack_user_id`, `genesys_user_id` and `team_id`.

    `team_id` is empty for a link that applies to all Slack workspaces.
    """
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
    """Store all of these host links, or none if the write fails.

    A link replaces the stored link of the same user and Slack workspace.

    - `on_progress`: a function that is called after each written batch, with the number of links in this batch.
    - `workspace`: the short name of the workspace; "" if the process serves only one.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the write fails.
    """
    async with open_database(database, workspace=workspace) as store:
        await store.link(links, on_progress)


async def remove(database: DatabaseSettings, user_id: str, team_id: str | None, *, workspace: str = "") -> bool:
    """Remove a host link. Return True if the link existed, else False.

    - `team_id`: the id of the link's Slack workspace; None for the link that applies to all Slack workspaces.
    - `workspace`: the short name of the workspace; "" if the process serves only one.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the write fails.
    """
    async with open_database(database, create=False, workspace=workspace) as store:
        return await store.unlink(TeamId(team_id) if team_id else None, UserId(user_id))


async def list_all(database: DatabaseSettings, *, workspace: str = "") -> list[HostLink]:
    """Return all host links of a workspace, sorted by Slack user id.

    `workspace`: the short name of the workspace; "" if the process serves only one.

    Raises StorageSetupError if the database cannot be opened, and StorageUnavailableError if the read fails.
    """
    async with open_database(database, create=False, workspace=workspace) as store:
        return list(await store.links())
