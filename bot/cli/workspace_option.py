"""Define the option --workspace, which names one of several workspaces, and read that workspace's settings."""

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
    """Return a decorator that gives a command the option --workspace, with the parameter `workspace`.

    The parameter is the name of a workspace of the file. It is "" if COBROWSE_WORKSPACES is not set: the option is
    refused then. `needed`: the option must be given if the variable is set; otherwise the parameter may be None.
    """
    check = _needed if needed else _known
    return click.option("--workspace", metavar="NAME", callback=check, help=ABOUT)


def names_in_file(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the workspaces; none if COBROWSE_WORKSPACES is not set.

    Raises WorkspacesFileError if the file cannot be used.
    """
    if not environ.get("COBROWSE_WORKSPACES"):
        return []
    from bot.config.workspaces.file import workspaces_file
    from bot.config.workspaces.toml_file import read_tables

    path = workspaces_file(environ)
    return list(read_tables(path)) if path else []


def listed(names: list[str]) -> str:
    """Return the names as a phrase, such as "acme, globex or initech"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def load_part(read: "Callable[[Reader], T]", workspace: str, more: Mapping[str, str] | None = None) -> T:
    """Return the part of the settings that `read` reads: of the workspace, or of the environment if it is "".

    `more` holds values by variable, which win over all others. Raises SettingsError with all faults.
    """
    from bot.config import settings

    environ = settings.environment()
    if not workspace:
        return settings.load_part(read, {**environ, **(more or {})})
    from bot.config.workspaces.file import open_file

    keys = {name.lower(): value for name, value in (more or {}).items()}
    return open_file(environ).load_part(read, workspace, keys)


def _known(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """Check the value of the option, which may be left out. A command that cannot read the file says so itself."""
    from bot.config import settings

    try:
        names = names_in_file(settings.environment())
    except settings.SettingsError:
        return name
    return _checked(name, names) if name or not names else None


def _needed(context: click.Context, option: click.Parameter, name: str | None) -> str:
    """Check the value of the option, which has to be there if there are several workspaces."""
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
    """Return the name, "" for a single workspace. Raises UsageError if there is no such workspace."""
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
