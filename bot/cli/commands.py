"""Define the commands `run`, `check`, `health`, `sandbox`, `start` and `applications`.

Each command imports modules in its body, so that a command loads only the modules that it uses.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Collection, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from bot import __version__, tuning
from bot.cli import terminal
from bot.cli.data.commands import db
from bot.cli.data.people import export, forget
from bot.cli.hosts import hosts
from bot.cli.manifest import manifest
from bot.cli.setup.commands import init, keygen
from bot.cli.terminal import examples
from bot.cli.workspace_option import listed, load_part, names_in_file, workspace_option

if TYPE_CHECKING:
    from bot.config import settings
    from bot.core.models import ConversationId, Session
    from bot.sandbox.plain_text import Answer

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Commands(click.Group):
    """A group of commands that can print help and errors on terminals whose encoding is not UTF-8."""

    def main(self, *arguments: Any, **how: Any) -> Any:
        terminal.make_safe()
        return super().main(*arguments, **{"prog_name": "cobrowse-bot"} | how)


RUN_CHECK = "Run `cobrowse-bot check`: it says what is wrong, and how to fix it."
RUN_INIT = "There is no .env here, and nothing is set. Run `cobrowse-bot init`: it asks six questions and writes .env."
FILE_IN_USE = "database_file_in_use"
"""The code of the error that `check` does not report, because it may run beside the bot."""
_ABOUT = "A Slack bot for contact centers on Genesys Cloud: type /cobrowse, get the customer's join link."


@click.group(cls=_Commands, help=_ABOUT, epilog=examples("cobrowse-bot init", "cobrowse-bot run --help"))
@click.version_option(__version__, prog_name="cobrowse-bot")
def main() -> None:
    """Run the command that the command line names."""


for command in (db, export, forget, hosts, init, keygen, manifest):
    main.add_command(command)


@main.command(epilog=examples("cobrowse-bot run", "LOG_FORMAT=json cobrowse-bot run"))
def run() -> None:
    """Serve Slack, over Socket Mode or HTTP, until told to stop."""
    tuning.pause_collector()
    from bot import server
    from bot.cli import serving
    from bot.config import settings
    from bot.core.errors import SetupError
    from bot.observability import logging as logs

    tuning.freeze_loaded()
    try:
        environment = settings.read_environment()
        found = serving.read_serving(environment.values)
    except settings.SettingsError as fault:
        text = _faults_text(fault.faults)
        _fail(f"{text}\n{RUN_INIT}") if _lacks_settings() else _refuse_to_start(text)
    masking = logs.set_up(found.logging.level, as_json=found.logging.as_json, secrets=found.logging.secrets)
    for remark in environment.remarks:
        log.warning("part of .env is not read", extra={"fields": {"why": remark}})

    async def serve() -> None:
        async with server.until_signalled() as stop:
            await found.serve(stop, masking.add)

    try:
        with asyncio.Runner(loop_factory=server.event_loop_factory()) as runner:
            runner.run(serve())
    except SetupError as error:
        _fail(error.line) if error.code == FILE_IN_USE else _refuse_to_start(error.line)


@main.command(epilog=examples("cobrowse-bot check", "cobrowse-bot check --person U012AB3CD --json"))
@click.option("--person", metavar="U…", help="A Slack user's id: try the rules on them, as a dry run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@workspace_option(needed=False)
def check(person: str | None, as_json: bool, workspace: str | None) -> None:
    """Check the set-up, and say what is wrong and how to fix it.

    Creates nothing; exits with 1 if something is wrong. With several workspaces, checks the shared settings and then
    each workspace. With --workspace, checks only this workspace.
    """
    from bot import check as report
    from bot.core.hosts.csv_file import USER_ID

    if person and not USER_ID.fullmatch(person):
        raise click.BadParameter(
            "take a Slack user's id (U…): in Slack, under a profile's three dots", param_hint="--person"
        )
    if person and workspace is None:
        _need_workspace()
    results = report.check_environment(person, workspace)
    click.echo(terminal.json_for_stdout(report.as_json(results)) if as_json else report.as_text(results))
    if _lacks_settings() and not as_json:
        click.echo(RUN_INIT)
    sys.exit(0 if report.passed(results) else 1)


def _lacks_settings() -> bool:
    """Return whether there is no .env, and the environment has no setting of Slack or Genesys."""
    from bot.config import settings
    from bot.config.environment import ENV_FILE

    with suppress(settings.SettingsError):
        needed = [name for name in settings.environment() if name.startswith(("SLACK_", "GENESYS_", "COBROWSE_"))]
        return not needed and not Path(ENV_FILE).exists()
    return False


def _need_workspace() -> None:
    """Raise UsageError, which says that --person needs --workspace, and lists the workspaces.

    Call this function only if there is a file of workspaces, and --workspace is missing. Do nothing if the settings
    or the file cannot be read: the command `check` reports this fault.
    """
    from bot.config import settings

    with suppress(settings.SettingsError):  # `check` reports it
        names = names_in_file(settings.environment())
        raise click.UsageError(f"--person needs --workspace, too: {listed(names)}.")


@main.command(epilog=examples("cobrowse-bot health", "HEALTH_PORT=3001 cobrowse-bot health"))
def health() -> None:
    """Check whether the bot on this machine runs. Exits with 0 if it does; else prints the reason and exits with 1.

    A container can use this command as its health check.
    """
    from bot.cli import health as probe
    from bot.config import settings

    try:
        wrong = probe.liveness_error(settings.environment())
    except settings.SettingsError as fault:
        _settings_fault(fault.faults)
    if wrong:
        _fail(wrong)


@main.command(
    epilog=examples(
        "cobrowse-bot start --host-user-id 11111111-2222-4333-8444-555555555555",
        'cobrowse-bot start --name "Checkout help" --timeout 600 --json',
    )
)
@click.option("--host-user-id", metavar="UUID", help="The host's Genesys user id; default GENESYS_HOST_USER_ID.")
@click.option("--name", default="Co-browse session", show_default=True, help="The session's name.")
@click.option("--application", metavar="ID", help="Default COBROWSE_APPLICATION_ID.")
@click.option("--timeout", metavar="SECONDS", type=click.IntRange(60, 86_400), help="Default COBROWSE_TIMEOUT_SECONDS.")
@click.option(
    "--conversation",
    metavar="ID",
    help="The conversation: its id, or its address in Genesys (public Genesys Cloud only).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@workspace_option()
def start(
    host_user_id: str | None,
    name: str,
    application: str | None,
    timeout: int | None,
    conversation: str | None,
    as_json: bool,
    workspace: str,
) -> None:
    """Create a session without Slack, and print its join link."""
    from bot.cli import sessions as service
    from bot.core.hosts.resolver import host_id
    from bot.core.validation.contact import find_addresses

    loaded = _service(workspace)
    host = host_id(host_user_id) if host_user_id else loaded.host_id
    if host is None:
        wrong = "must be a Genesys user's id, a UUID." if host_user_id else "is missing; or set GENESYS_HOST_USER_ID."
        _fail(f"--host-user-id {wrong}")
    if find_addresses(name):
        _fail("--name must hold no phone number and no email address: customers may read it.")
    chosen = _conversation_id(loaded, conversation) if conversation else None
    session = _call(service.start(loaded, host, name, application, timeout, chosen))
    _print_session(session, as_json=as_json)


def _conversation_id(loaded: "settings.ServiceSettings", conversation: str) -> "ConversationId":
    """Return the conversation's id from the value of --conversation, which is an id or a URL in the Genesys web app.

    Print the reason and exit with 1 if the value is neither, or if the session service is not the public Genesys Cloud
    API.
    """
    if not loaded.conversations:
        _fail("--conversation is for GENESYS_COBROWSE_API=conversations.")
    chosen = loaded.conversations.app.conversation_id(conversation)
    if chosen is None:
        _fail("--conversation must be a conversation's id, or its address in your region's Genesys Cloud.")
    return chosen


def _print_session(session: "Session", *, as_json: bool) -> None:
    fields = {
        "id": ("Session ID", session.id),
        "status": ("Status", session.status),
        "hostUserId": ("Host User ID", session.host_id),
        "joinUrl": ("Join URL", session.join_url),
        "joinCode": ("Join Code", session.join_code),
    }
    fields = {name: (label, value) for name, (label, value) in fields.items() if value}
    if as_json:
        click.echo(json.dumps({name: value for name, (_, value) in fields.items()}))
    else:
        click.echo("\n".join(f"{label}: {value}" for label, value in fields.values()))


@main.command(epilog=examples("cobrowse-bot applications", "cobrowse-bot applications | cut -f1"))
@workspace_option()
def applications(workspace: str) -> None:
    """List the co-browse applications with their ids."""
    from bot.cli import sessions as service
    from bot.core.validation.display import clean

    for application_id, name in _call(service.applications(_service(workspace)), starting=False):
        shown = clean(name)
        click.echo(f"{clean(application_id)}\t{shown}" if shown else clean(application_id))


@main.command(
    epilog=examples(
        "cobrowse-bot sandbox --port 8081", 'cobrowse-bot sandbox --once "/cobrowse Checkout help" --as supervisor'
    )
)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The page's port.")
@click.option(
    "--once", metavar="TEXT", help='Run one command such as "/cobrowse Checkout help", print the answer, exit.'
)
@click.option(
    "--as",
    "person",
    metavar="ROLE",
    default="agent",
    show_default=True,
    help="agent, unmapped, supervisor, admin or guest.",
)
@click.option(
    "--genesys", "fault", metavar="FAULT", help="How Genesys fails meanwhile; docs/reference/cli.md has the list."
)
@click.option(
    "--conversations",
    type=click.Choice(["none", "one", "several"]),
    help="Use the public Genesys Cloud API, where each agent has so many live conversations.",
)
@click.option("--grid", is_flag=True, help="Slack is an Enterprise Grid organization with two workspaces.")
@click.option("--locale", metavar="LOCALE", help="With --once: the person's language in Slack, such as fr-FR.")
@click.option("--http", is_flag=True, help="Deliver over signed HTTP instead of Socket Mode.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object.")
@click.option("--from-make", is_flag=True, hidden=True)
def sandbox(
    port: int,
    once: str | None,
    person: str,
    fault: str | None,
    conversations: str | None,
    grid: bool,
    locale: str | None,
    http: bool,
    as_json: bool,
    from_make: bool,
) -> None:
    """Try the real bot on this machine, with a small Slack and a small Genesys. You need no account."""
    from bot import server

    try:
        from bot.sandbox import run as sandbox_run
    except ModuleNotFoundError:
        _fail("The container image does not contain the sandbox. Run it from the repository: make sandbox.")

    _check_command(person, once, sandbox_run.ROLES)
    conversations = conversations or _sandbox_conversations()
    _check_fault(fault, sandbox_run.faults_of(conversations), conversations)
    if once is not None:
        answer = sandbox_run.run_once(
            once, person, fault=fault, http=http, conversations=conversations, locale=locale, grid=grid
        )
        _print_sandbox_answer(asyncio.run(answer), as_json=as_json)
    try:
        serving = sandbox_run.serve_page(
            port, fault=fault, http=http, conversations=conversations, grid=grid, from_make=from_make
        )
        asyncio.run(serving)
    except server.StartError as error:
        _fail(error.line)


def _check_command(person: str, once: str | None, roles: Collection[str]) -> None:
    """Raise BadParameter if `person` (--as) is not in `roles`, or if `once` (--once) does not begin with /cobrowse."""
    if person not in roles:
        raise click.BadParameter(f"choose one of {', '.join(roles)}", param_hint="--as")
    if once is not None and once.split(" ")[0] != "/cobrowse":
        raise click.BadParameter('begin with the command, as in "/cobrowse Checkout help"', param_hint="--once")


def _check_fault(fault: str | None, faults: Collection[str], conversations: str | None) -> None:
    """Check the value of --genesys, which names a simulated fault. Raises BadParameter if the fault is not in `faults`.

    - `fault`: the value of --genesys; None without the option.
    - `faults`: the simulated faults that the option can name.
    - `conversations`: the value of --conversations. Only the text of the error depends on this value.
    """
    if fault is not None and fault not in faults:
        api = "with --conversations" if conversations else "without --conversations"
        raise click.BadParameter(f"choose, {api}, one of {', '.join(faults)}", param_hint="--genesys")


def _print_sandbox_answer(answer: "Answer", *, as_json: bool) -> NoReturn:
    """Print what the sandbox answered to --once. Exit with 1 if the answer is an error, else with 0."""
    output = json.dumps(answer.as_dict(), ensure_ascii=False, indent=2)
    click.echo(terminal.json_for_stdout(output) if as_json else answer.as_text())
    sys.exit(1 if answer.failed else 0)


def _sandbox_conversations() -> str | None:
    """Return the default of --conversations: "one" if GENESYS_COBROWSE_API is `conversations`, otherwise None.

    If the settings have faults, print the faults and exit with 1.
    """
    from bot.config import settings

    try:
        chosen = settings.load_part(settings.read_cobrowse_api, settings.environment())
    except settings.SettingsError as fault:
        _settings_fault(fault.faults)
    return "one" if chosen == settings.CONVERSATIONS else None


def _service(workspace: str) -> "settings.ServiceSettings":
    from bot.config import settings
    from bot.observability import logging as logs

    try:
        service = load_part(settings.read_service_alone, workspace)
    except settings.SettingsError as fault:
        _settings_fault(fault.faults)
    # the command prints the result, so log only problems
    level = "DEBUG" if service.logging.level == "DEBUG" else "WARNING"
    logs.set_up(level, as_json=service.logging.as_json, secrets=service.logging.secrets)
    return service


def _call(coroutine: Coroutine[Any, Any, T], *, starting: bool = True) -> T:
    from bot.cli.sessions import error_text
    from bot.core.errors import CobrowseError

    try:
        return asyncio.run(coroutine)
    except CobrowseError as error:
        _fail(f"{error_text(error, starting=starting)} [{error.code}]")


def _settings_fault(faults: list[str]) -> NoReturn:
    _fail(_faults_text(faults))


def _faults_text(faults: list[str]) -> str:
    return "The settings have errors [settings_invalid]:\n" + "\n".join(f"  {fault}" for fault in faults)


def _refuse_to_start(sentence: str) -> NoReturn:
    _fail(f"{sentence}\n{RUN_CHECK}")


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
