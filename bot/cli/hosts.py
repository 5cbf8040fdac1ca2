"""Define `cobrowse-bot hosts`: set, remove, list, import and export host links."""

import sys
from typing import Any, NoReturn

import click

from bot.cli.terminal import examples
from bot.cli.workspace_option import workspace_option

team = click.option("--team", metavar="T…", help="In this Slack workspace only.")


@click.group(epilog=examples("cobrowse-bot hosts list", "cobrowse-bot hosts import hosts.csv"))
def hosts() -> None:
    """Link Slack users to Genesys hosts. A link comes before all other host rules, and takes effect at once."""


@hosts.command(
    "set",
    epilog=examples(
        "cobrowse-bot hosts set U012AB3CD 11111111-2222-4333-8444-555555555555",
        "cobrowse-bot hosts set U012AB3CD 11111111-2222-4333-8444-555555555555 --team T012AB3CD",
    ),
)
@click.argument("slack_user_id")
@click.argument("genesys_user_id")
@team
@workspace_option()
def set_(slack_user_id: str, genesys_user_id: str, team: str | None, workspace: str) -> None:
    """Link one Slack user to a Genesys user, in one Slack workspace (--team) or in all."""
    from bot.cli import host_links
    from bot.core.hosts.csv_file import HostsFileError

    try:
        link = host_links.read(slack_user_id, genesys_user_id, team)
    except HostsFileError as bad:
        _fail("\n".join(bad.faults))
    _with_database(lambda database: host_links.add(database, [link], workspace=workspace))
    click.echo(f"{slack_user_id} is linked to {link[2]}.")


@hosts.command(
    epilog=examples("cobrowse-bot hosts remove U012AB3CD", "cobrowse-bot hosts remove U012AB3CD --team T012AB3CD")
)
@click.argument("slack_user_id")
@team
@workspace_option()
def remove(slack_user_id: str, team: str | None, workspace: str) -> None:
    """Remove the host link of one Slack user."""
    from bot.cli import host_links

    if not _with_database(lambda database: host_links.remove(database, slack_user_id, team, workspace=workspace)):
        _fail(f"There is no link of {slack_user_id}" + (f" in {team}." if team else " that holds in any workspace."))
    click.echo(f"{slack_user_id} is linked no more.")


@hosts.command("list", epilog=examples("cobrowse-bot hosts list", "cobrowse-bot hosts list | grep U012AB3CD"))
@workspace_option()
def list_(workspace: str) -> None:
    """Show all host links."""
    from bot.cli import host_links

    found = _with_database(lambda database: host_links.list_all(database, workspace=workspace))
    if not found:
        click.echo("There are no links.", err=True)
    for team_id, user_id, host in found:
        click.echo(f"{user_id}\t{host}\t{team_id or 'any workspace'}")


@hosts.command(
    "import", epilog=examples("cobrowse-bot hosts import hosts.csv", "cobrowse-bot hosts import /srv/people.csv")
)
@click.argument("path")
@workspace_option()
def import_(path: str, workspace: str) -> None:
    """Add all links in a CSV file. If one line is wrong, add none."""
    from bot.cli import host_links
    from bot.config.csv_file import read_csv_file
    from bot.core.hosts.csv_file import HostsFileError

    try:
        read = host_links.read_csv(read_csv_file(path))
    except HostsFileError as bad:
        _fail("Nothing was imported:\n" + "\n".join(f"  {fault}" for fault in bad.faults))
    except (OSError, ValueError) as error:
        _fail(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
    with click.progressbar(length=len(read), label="Importing", file=sys.stderr) as bar:
        _with_database(lambda database: host_links.add(database, read, bar.update, workspace=workspace))
    click.echo("1 link imported." if len(read) == 1 else f"{len(read)} links imported.")


@hosts.command(epilog=examples("cobrowse-bot hosts export hosts.csv", "cobrowse-bot hosts export - | wc -l"))
@click.argument("path", default="-")
@workspace_option()
def export(path: str, workspace: str) -> None:
    """Write all links to a CSV file, or to standard output."""
    from bot.cli import host_links

    links = _with_database(lambda database: host_links.list_all(database, workspace=workspace))
    try:
        with click.open_file(path, "w", encoding="utf-8") as file:  # only now: opening a file empties it
            file.write(host_links.write_csv(links))
    except OSError as error:
        if path == "-":  # its reader may be gone, as with `head`; click ends the command
            raise
        _fail(f"{path} cannot be written: {error.strerror}")


def _with_database(use: Any) -> Any:
    from bot.cli.database import with_database

    return with_database(use)


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
