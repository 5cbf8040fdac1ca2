"""Read the tables of the file of workspaces, and read single settings from one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bot.config.reader import Reader, SettingsError
from bot.config.variables import VARIABLES, WORKSPACE_ONLY
from bot.config.workspaces.table import TableReader
from bot.config.workspaces.toml_file import Table, read_tables
from bot.core.validation.text import unquoted

T = TypeVar("T")
VARIABLE = "COBROWSE_WORKSPACES"


@dataclass(frozen=True, slots=True)
class WorkspacesFile:
    """The content of the file of workspaces.

    - `path`: the path of the file.
    - `tables`: the tables by the short names of the workspaces, in the order of the file.
    - `environ`: the environment variables that a table can use by `{env = "NAME"}`.
    """

    path: str
    tables: Mapping[str, Table] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @property
    def named_variables(self) -> set[str]:
        """Return the names of the environment variables that the tables use by `{env = "NAME"}`."""
        values = [value for table in self.tables.values() for value in table.values()]
        return {str(value["env"]) for value in values if isinstance(value, dict) and "env" in value}

    def variables_of(self, name: str) -> dict[str, str]:
        """Convert the settings in one table to environment variables, and return the values by name.

        Leave out settings whose key or value is wrong, and the variables that all workspaces share.

        `name`: the short name of the workspace.
        """
        return self._reader(name).variables

    def keys_with(self, name: str, is_wanted: Callable[[str], object]) -> list[str]:
        """Return the keys in one table that have a wanted value.

        - `name`: the short name of the workspace.
        - `is_wanted`: a function that returns whether a value is wanted. It takes the value as text. In this text,
          commas separate the items of a list.
        """
        return [key.lower() for key, value in self.variables_of(name).items() if is_wanted(value)]

    def load_part(self, read: Callable[[Reader], T], name: str, more: Mapping[str, str] | None = None) -> T:
        """Call `read` with a Reader for the settings of one workspace, and return the result.

        - `read`: a function that reads settings, such as `read_slack`.
        - `name`: the short name of the workspace.
        - `more`: settings by the key of the table, such as `cobrowse_command`. They override the settings in the table.
          None for no such settings.

        Raises SettingsError if a setting that `read` reads has a fault. The error then also contains faults of other
        keys of the table, such as an unknown key. If only other keys have a fault, no error is raised.
        """
        reader = self._reader(name, more or {})
        count = len(reader.faults)
        part = read(reader)
        if reader.has_read_wrong_key or len(reader.faults) > count:
            raise SettingsError(reader.faults)
        return part

    def _reader(self, name: str, more: Mapping[str, str] | None = None) -> TableReader:
        table = {**self.tables[name], **(more or {})}
        return TableReader(name, table, without_settings_of_workspaces(self.environ), self.environ)


def workspaces_file(environ: Mapping[str, str]) -> str:
    """Return the path of the file of workspaces; "" if COBROWSE_WORKSPACES is not set."""
    return unquoted(environ.get(VARIABLE, ""))


def open_file(environ: Mapping[str, str]) -> WorkspacesFile:
    """Read the file that COBROWSE_WORKSPACES names.

    Raises WorkspacesFileError if the file cannot be read or is not valid TOML. Raises SettingsError if the environment
    has a setting that is allowed only in the tables of the file.
    """
    path = workspaces_file(environ)
    found = WorkspacesFile(path, read_tables(path), environ)
    if faults := [_misplaced_fault(name, path) for name in _misplaced(found)]:
        raise SettingsError(faults)
    return found


def without_settings_of_workspaces(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings that are allowed only in the tables of the file of workspaces."""
    return {name: value for name, value in environ.items() if not _is_of_workspace(name)}


def _is_of_workspace(name: str) -> bool:
    """Return whether a variable is allowed only in the tables of the file of workspaces.

    `name`: the name of the variable, with or without the ending `_FILE`.
    """
    held = name.removesuffix("_FILE")
    return name in WORKSPACE_ONLY or (held in WORKSPACE_ONLY and VARIABLES[held].takes_file)


def _misplaced(file: WorkspacesFile) -> list[str]:
    """Return the names of environment variables that are set, although their settings belong in the tables.

    Leave out a variable whose value a table takes with `{env = "NAME"}`. Also leave out a variable that is set to its
    default value, because .env.example sets such variables.
    """
    right = file.named_variables
    given = {name: unquoted(value) for name, value in file.environ.items() if name not in right}
    return [
        name
        for name, value in given.items()
        if _is_of_workspace(name) and value and (name not in VARIABLES or value != VARIABLES[name].default)
    ]


def _misplaced_fault(name: str, path: str) -> str:
    held = name if name in WORKSPACE_ONLY else name.removesuffix("_FILE")
    return f"{name}: belongs in a table of {path}, as {held.lower()}. Take it out of the environment and of .env."
