"""Define the option --workspace, and read the settings of the workspace that the option names."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from bot.config.reader import Reader

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
ABOUT = "The workspace: the name of its table in the file COBROWSE_WORKSPACES."


def workspace_option(*, needed: bool = True) -> Callable[[F], F]:
    """Return a decorator that adds the option --workspace to a command, as the parameter `workspace`.

    The parameter is the short name of the workspace. If the process serves only one workspace, the parameter is "", and
    a person who gives the option gets an error.

    `needed`: what happens if the process serves several workspaces and the option is missing. With True, the command
    fails. With False, the parameter is None.
    """
    check = _needed if needed else _known
    return click.option("--workspace", metavar="NAME", callback=check, help=ABOUT)


def names_in_file(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the workspaces in the file that COBROWSE_WORKSPACES names.

    Return an empty list if COBROWSE_WORKSPACES is not set. Raises WorkspacesFileError if the file cannot be read or is
    not valid TOML.
    """
    if not environ.get("COBROWSE_WORKSPACES"):
        return []
    from bot.config.workspaces.file import workspaces_file
    from bot.config.workspaces.toml_file import read_tables

    path = workspaces_file(environ)
    return list(read_tables(path)) if path else []


def listed(names: list[str]) -> str:
    """Join one or more names to a text, such as "acme, globex or initech"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def load_part(read: "Callable[[Reader], T]", workspace: str, more: Mapping[str, str] | None = None) -> T:
    """Call `read` with a Reader for the settings of one workspace, and return the result.

    - `read`: a function that reads settings, such as `read_slack`.
    - `workspace`: the short name of the workspace; "" if the process serves only one.
    - `more`: values by the name of the variable. They override the values in the file of workspaces and in the
      environment.

    Raises SettingsError, with all faults, if a setting has a fault.
    """
    from bot.config import settings

    environ = settings.environment()
    if not workspace:
        return settings.load_part(read, {**environ, **(more or {})})
    from bot.config.workspaces.file import open_file

    keys = {name.lower(): value for name, value in (more or {}).items()}
    return open_file(environ).load_part(read, workspace, keys)


def _known(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """Check the value of --workspace for a command that can run without this option. Return the value.

    Without the option, return "" if the process serves only one workspace, and None if it serves several. Raises
    UsageError if the option names no workspace, or if it is given and the process serves only one workspace.

    If the settings cannot be read, return the value unchecked: the command reports this error.
    """
    from bot.config import settings

    try:
        names = names_in_file(settings.environment())
    except settings.SettingsError:
        return name
    return _checked(name, names) if name or not names else None


def _needed(context: click.Context, option: click.Parameter, name: str | None) -> str:
    """Check the value of --workspace and return it. Return "" if the process serves only one workspace.

    Raises UsageError if the process serves several workspaces, and the option is missing or names none of them. Also
    raises UsageError if the process serves only one workspace, and the option is given.

    If .env cannot be read, return the value unchecked; "" without the option. The command reports this error. If the
    file of workspaces cannot be read, print the reason and exit with 1.
    """
    from bot.config import settings

    try:
        environ = settings.environment()
    except settings.SettingsError:
        return name or ""  # the command reads the environment, too, and says what is wrong
    try:
        return _checked(name, names_in_file(environ))
    except settings.SettingsError as error:
        _fail("\n".join(f"{line} [{error.code}]" for line in error.faults))


def _checked(name: str | None, names: list[str]) -> str:
    """Check the value of --workspace. Return the value; "" if the process serves only one workspace.

    - `name`: the value of --workspace; None without the option.
    - `names`: the names of the workspaces in the file; empty if the process serves only one workspace.

    Raises UsageError if `name` is missing or is not in `names`, or if `name` is given and `names` is empty.
    """
    if not names and name:
        raise click.UsageError("Leave out --workspace: COBROWSE_WORKSPACES is not set, so there is a single workspace.")
    if names and not name:
        raise click.UsageError(f"--workspace is needed: {listed(names)}.")
    if name and name not in names:
        raise click.UsageError(f"--workspace must be {listed(names)}, not {name[:40]!r}.")
    return name or ""


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
