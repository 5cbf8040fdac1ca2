"""Define `cobrowse-bot export`, which prints the stored data about one person, and `forget`, which deletes the data."""

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from bot.cli import terminal
from bot.cli.terminal import examples
from bot.cli.workspace_option import load_part, workspace_option

if TYPE_CHECKING:
    from bot.config.settings import DatabaseSettings
    from bot.core.models import TeamId, UserId
    from bot.storage.repositories.people import Forgotten

team = click.option("--team", metavar="T…", help="Only what is stored for this Slack workspace, and notices.")
ROWS = {
    "requests": ("request", "requests"),
    "sessions": ("session", "sessions"),
    "posts": ("record of a message", "records of messages"),
    "watches": ("watched session", "watched sessions"),
    "found_hosts": ("found Genesys user", "found Genesys users"),
    "links": ("link to a Genesys user", "links to Genesys users"),
    "connects": ("sign-in under way", "sign-ins under way"),
    "connections": ("sign-in to Genesys", "sign-ins to Genesys"),
    "notices": ("notice", "notices"),
}
"""The words for one row and for several rows of each table, in the sentences that `forget` prints."""


@click.command(
    epilog=examples("cobrowse-bot export U012AB3CD > person.json", "cobrowse-bot export U012AB3CD --team T012AB3CD")
)
@click.argument("slack_user_id", metavar="U…")
@team
@workspace_option()
def export(slack_user_id: str, team: str | None, workspace: str) -> None:
    """Print the stored data about one person as JSON, without secrets."""
    from bot.cli.database import know_everything, open_database

    user_id, team_id = _ids(slack_user_id, team)

    async def exported(database: "DatabaseSettings") -> dict[str, Any]:
        await know_everything(database)
        async with open_database(database, create=False, workspace=workspace) as store:
            return await store.people.export(user_id, team_id)

    found = _with_audit_log("export", _Subject(user_id, team_id, workspace), exported, _exported_fields)
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    about = {"person": user_id, "team": team_id, **({"workspace": workspace} if workspace else {}), "exported_at": at}
    text = json.dumps({**about, **found}, ensure_ascii=False, indent=2)
    click.echo(terminal.json_for_stdout(text))


@click.command(epilog=examples("cobrowse-bot forget U012AB3CD", "cobrowse-bot forget U012AB3CD --team T012AB3CD"))
@click.argument("slack_user_id", metavar="U…")
@team
@workspace_option()
def forget(slack_user_id: str, team: str | None, workspace: str) -> None:
    """Delete the stored data about one person. Remove the person from data about others.

    Open sessions and unanswered requests stay. If there are any, exits with 1 and says when to run the command again.
    """
    from bot.cli.database import know_everything, open_database

    user_id, team_id = _ids(slack_user_id, team)

    async def forgotten(database: "DatabaseSettings") -> "Forgotten":
        await know_everything(database)
        async with open_database(database, create=False, workspace=workspace) as store:
            return await store.people.forget(user_id, team_id)

    result = _with_audit_log("forget", _Subject(user_id, team_id, workspace), forgotten, _forgotten_fields)
    if result.deleted:
        click.echo(f"Deleted: {_listed(result.deleted)}.")
    if result.anonymized:
        click.echo(f"Kept without the person: {_listed(result.anonymized)}.")
    for name in _settings_with(user_id, workspace):
        then = "." if workspace else ", and start the bot again."
        click.echo(f"{name} names {user_id}. Change it{then}", err=True)
    if not result.is_complete:
        _fail(f"Not everything is forgotten yet. {_when_again(result)}")
    where = " of ".join(filter(None, (team_id, workspace)))
    click.echo(f"Nothing is stored about {user_id}{where and f' in {where}'} now.")


def _ids(slack_user_id: str, team: str | None) -> "tuple[UserId, TeamId | None]":
    """Check the ids of the user and of the Slack workspace on the command line, and return the two ids.

    `team`: the value of --team; None without the option. Raises BadParameter for an invalid id.
    """
    from bot.core.hosts.csv_file import TEAM_ID, USER_ID
    from bot.core.models import TeamId, UserId

    if not USER_ID.fullmatch(slack_user_id):
        raise click.BadParameter("take a Slack user's id (U…): in Slack, under a profile's three dots", param_hint="U…")
    if team is not None and not TEAM_ID.fullmatch(team):
        raise click.BadParameter("take a Slack workspace's id (T…)", param_hint="--team")
    return UserId(slack_user_id), TeamId(team) if team else None


class _Subject(NamedTuple):
    """The person whose data a command exports or deletes.

    - `user_id`: the id of the Slack user.
    - `team_id`: the id of the Slack workspace whose data is used; None for the data of all Slack workspaces.
    - `workspace`: the short name of the workspace; "" if the process serves only one.
    """

    user_id: str
    team_id: str | None
    workspace: str


def _with_audit_log(action: str, subject: _Subject, use: Any, fields_of: Any) -> Any:
    """Export or delete data with `use`, and write a line about it to the audit log. Return the result of `use`.

    - `action`: the name of the command, for the line.
    - `use`: an async function that takes the settings of the database, and exports or deletes the data.
    - `fields_of`: a function that takes the result of `use`, and returns more fields for the line.

    If the audit log cannot be opened, print the reason and exit with 1, without a call of `use`. If the database cannot
    be used, print the reason and exit with 1, too.
    """
    from bot.cli.database import with_database
    from bot.config import settings
    from bot.observability.audit import AuditLog, AuditSetupError

    try:
        path = load_part(settings.read_audit_log, subject.workspace)
        audit = AuditLog(path, stream=sys.stderr)
    except settings.SettingsError as fault:
        _fail("\n".join(f"{line} [{fault.code}]" for line in fault.faults))
    except AuditSetupError as error:
        _fail(error.line)
    try:
        result = with_database(use)
        named = {"action": action, "decision": "allowed", "by": "command line", "person": subject.user_id}
        team = {"team": subject.team_id} if subject.team_id else {}
        audit.in_workspace(subject.workspace).record_command({**named, **team, **fields_of(result)})
        return result
    finally:
        audit.close()


def _forgotten_fields(result: "Forgotten") -> dict[str, Any]:
    outcome = "person_forgotten" if result.is_complete else "person_partly_forgotten"
    return {"outcome": outcome, "deleted": dict(result.deleted), "anonymized": dict(result.anonymized)}


def _exported_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"outcome": "person_exported", "rows": {table: len(rows) for table, rows in found.items() if rows}}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {ROWS[table][count != 1]}" for table, count in counts.items())


def _when_again(result: "Forgotten") -> str:
    """Return a sentence on an incomplete deletion: which data is still stored, and when to run `forget` again."""
    parts = [(result.sessions, "session"), (result.requests, "unanswered request")]
    left = " and ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in parts if count)
    stay = "stays" if result.sessions + result.requests == 1 else "stay"
    if result.open_until and result.open_until > datetime.now(UTC):
        return f"{left} {stay} until {result.open_until:%Y-%m-%d %H:%M} UTC. Run this again after that."
    return f"{left} {stay} until the bot has told it in Slack. Run this again in a minute, while the bot runs."


def _settings_with(user_id: str, workspace: str) -> list[str]:
    """Return the names of the settings whose values contain this user id.

    `workspace`: the short name of the workspace whose table to search; "" to search the environment. The names of
    settings in a table have the form "[eu] cobrowse_admins".
    """
    from bot.config import settings
    from bot.config.variables import VARIABLES

    def has_person(value: str) -> bool:
        return bool(re.search(rf"\b{user_id}\b", value))

    environ = settings.environment()
    if not workspace:
        return [name for name in VARIABLES if has_person(environ.get(name, ""))]
    from bot.config.workspaces.file import open_file

    return [f"[{workspace}] {key}" for key in open_file(environ).keys_with(workspace, has_person)]


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
