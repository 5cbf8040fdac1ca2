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
    """Return a decorator that gives a command the option --workspace. Its value becomes the parameter `workspace`.

    If COBROWSE_WORKSPACES is not set, the option is refused and the parameter is "". Otherwise the parameter is the
    name of a workspace of the file. `needed`: the option must then be given. If it is False, the option may be left
    out, and the parameter is None.
    """
    check = _needed if needed else _known
    return click.option("--workspace", metavar="NAME", callback=check, help=ABOUT)


def names_in_file(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the workspaces in the file. Return none if COBROWSE_WORKSPACES is not set.

    Raises WorkspacesFileError if the file cannot be read or is not valid TOML.
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
    """Call `read`, which reads a part of the settings, and return the result.

    `workspace` is the workspace whose settings are read; "" reads those of the environment. `more` holds values by
    variable, which win over all others. Raises SettingsError if there are faults; it contains all of them.
    """
    from bot.config import settings

    environ = settings.environment()
    if not workspace:
        return settings.load_part(read, {**environ, **(more or {})})
    from bot.config.workspaces.file import open_file

    keys = {name.lower(): value for name, value in (more or {}).items()}
    return open_file(environ).load_part(read, workspace, keys)


def _known(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """Check the value of an option that may be left out, and return the value of the parameter.

    If the file cannot be read, return `name` unchecked, because the command itself then reports that error.
    """
    from bot.config import settings

    try:
        names = names_in_file(settings.environment())
    except settings.SettingsError:
        return name
    return _checked(name, names) if name or not names else None


def _needed(context: click.Context, option: click.Parameter, name: str | None) -> str:
    """Check the value of an option that must be given if there are several workspaces.

    Return the value of the parameter.
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
    """Return the name of a workspace; "" if there is only one. `names` holds the names of all workspaces of the file.

    Raises UsageError if the name is missing, unknown, or given although there is only one workspace.
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
