"""Share a set-up without faults for the tests of `check`, and functions that run the checks."""

from pathlib import Path

from bot import check
from bot.check.results import CheckResult, Status
from bot.core.models import UserId
from bot.core.timing import GenesysTiming
from tests.support.app import QUICK_GENESYS, QUICK_SLACK, Servers, ended, start

PERSON = UserId("U0ANA")


def right_environ(servers: Servers, directory: Path) -> dict[str, str]:
    """Return an environment with all settings, a private key in a file, and a database that does not exist yet."""
    key = directory / "private.key"
    key.write_text(servers.keys.private_pem)
    key.chmod(0o600)
    environ = {name: value for name, value in servers.environ.items() if name != "GENESYS_PRIVATE_KEY"}
    return environ | {
        "GENESYS_PRIVATE_KEY_PATH": str(key),
        "DATABASE_URL": f"sqlite:///{directory / 'bot.db'}",
        "COBROWSE_SUPERVISORS": "U0SAM S0LEADS",
        "COBROWSE_HELP_CONTACT": "U0ADA",
    }


async def checked(
    directory: Path, environ: dict[str, str], *arguments: str, interpreter: bool = False
) -> tuple[int | None, str, str]:
    """Run the command `check` in a directory. Return its exit code, its standard output and its standard error."""
    return await ended(await start(directory, environ, "check", *arguments, interpreter=interpreter))


async def run_checks(
    environ: dict[str, str], person: str | None = None, env_file: str = "nowhere", timing: GenesysTiming = QUICK_GENESYS
) -> dict[str, CheckResult]:
    """Run the checks, and return the results by name. If several results have one name, return the worst."""
    found = await check.run_checks(
        environ,
        user_id=UserId(person) if person else None,
        env_file=env_file,
        genesys_timing=timing,
        slack_timing=QUICK_SLACK,
    )
    order = [Status.FAILED, Status.WARNING, Status.SKIPPED, Status.OK]
    worst_last = sorted(found, key=lambda each: -order.index(each.status))
    assert all(each.fix for each in found if each.status in (Status.FAILED, Status.WARNING)), found
    return {each.name: each for each in worst_last}


def marks(found: dict[str, CheckResult]) -> dict[str, Status]:
    """Return the status of each result that is not OK."""
    return {name: each.status for name, each in found.items() if each.status is not Status.OK}


def untouched(servers: Servers) -> bool:
    """Return whether the bot created nothing in Slack and Genesys and sent no message."""
    asked = {call.kind for call in servers.genesys.calls}
    assert asked <= {"token", "me", "roles", "applications", "query", "search", "topics", "other"}, asked
    assert {call.method for call in servers.genesys.calls if call.kind == "other"} <= {"GET"}
    said = {call.method for call in servers.slack.calls}
    asked_only = {
        "api.test",
        "auth.test",
        "auth.teams.list",
        "conversations.info",
        "users.info",
        "users.list",
        "usergroups.users.list",
    }
    assert said <= {*asked_only, "apps.connections.open", "bots.info", "apps.manifest.export"}, said
    return not (servers.genesys.creates or servers.genesys.sessions or servers.slack.messages)
