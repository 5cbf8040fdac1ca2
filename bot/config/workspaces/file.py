"""Read the file of workspaces, or a part of one table for a command that needs only that part."""

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
    """The file of workspaces: its path and its tables, by the short names of the workspaces, in the order of the file.

    `environ`: the environment in which `{env = "NAME"}` finds its value.
    """

    path: str
    tables: Mapping[str, Table] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @property
    def named_variables(self) -> set[str]:
        """Return the environment variables that hold values of the tables: each NAME in `{env = "NAME"}`."""
        values = [value for table in self.tables.values() for value in table.values()]
        return {str(value["env"]) for value in values if isinstance(value, dict) and "env" in value}

    def variables_of(self, name: str) -> dict[str, str]:
        """Convert the table of the workspace `name` to environment variables.

        Leave out the variables of the process.
        """
        return self._reader(name).variables

    def keys_with(self, name: str, is_wanted: Callable[[str], object]) -> list[str]:
        """Return the keys of a table for whose values `is_wanted` returns a true value.

        `name` is the workspace. `is_wanted` gets each value as the text of an environment variable.
        """
        return [key.lower() for key, value in self.variables_of(name).items() if is_wanted(value)]

    def load_part(self, read: Callable[[Reader], T], name: str, more: Mapping[str, str] | None = None) -> T:
        """Call `read`, which reads a part of the settings of the workspace `name`, and return the result.

        `more`: keys and values that win over those of the table. Raises SettingsError if this part has a fault. The
        error contains all faults of the table that are known by then.
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
    """Return the path of the file of workspaces; "" if the process serves only one workspace."""
    return unquoted(environ.get(VARIABLE, ""))


def open_file(environ: Mapping[str, str]) -> WorkspacesFile:
    """Read the file that COBROWSE_WORKSPACES names.

    Raises WorkspacesFileError if the file cannot be read or is not valid TOML. Raises SettingsError if the environment
    has settings that belong into a table.
    """
    path = workspaces_file(environ)
    found = WorkspacesFile(path, read_tables(path), environ)
    if faults := [_misplaced_fault(name, path) for name in _misplaced(found)]:
        raise SettingsError(faults)
    return found


def without_settings_of_workspaces(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings that only a table of the file can have."""
    return {name: value for name, value in environ.items() if not _is_of_workspace(name)}


def _is_of_workspace(name: str) -> bool:
    """Return whether the variable is a setting of a workspace, or names a file that holds such a setting."""
    held = name.removesuffix("_FILE")
    return name in WORKSPACE_ONLY or (held in WORKSPACE_ONLY and VARIABLES[held].takes_file)


def _misplaced(file: WorkspacesFile) -> list[str]:
    """Return the variables in the environment that belong into a table.

    Leave out a variable that a table names with `{env = …}`. Leave out a variable that has its default value, because
    .env.example sets all of them and a default changes nothing.
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
    return f"{name}: belongs into a table of {path}, as {held.lower()}. Take it out of the environment and of .env."
