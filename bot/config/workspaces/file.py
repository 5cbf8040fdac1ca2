"""Open the file of workspaces, and read a part of one table for the commands that need only that part."""

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
    """The tables of the file by the short names of the workspaces, in the order of the file.

    `environ`: the environment variables, in which `{env = "NAME"}` finds its value.
    """

    path: str
    tables: Mapping[str, Table] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @property
    def named_variables(self) -> set[str]:
        """Return the variables that hold values of the tables, as `{env = "NAME"}` says."""
        values = [value for table in self.tables.values() for value in table.values()]
        return {str(value["env"]) for value in values if isinstance(value, dict) and "env" in value}

    def variables_of(self, name: str) -> dict[str, str]:
        """Return the values of a table by the names that they have in an environment; none of the process's."""
        return self._reader(name).variables

    def keys_with(self, name: str, is_wanted: Callable[[str], object]) -> list[str]:
        """Return the keys of a table whose value, as an environment has it, is as `is_wanted` says."""
        return [key.lower() for key, value in self.variables_of(name).items() if is_wanted(value)]

    def load_part(self, read: Callable[[Reader], T], name: str, more: Mapping[str, str] | None = None) -> T:
        """Return the part of a workspace's settings that `read` reads; see `settings.load_part`.

        `more`: keys and values that win over those of the table. Raises SettingsError with all faults, if one of them
        is about this part.
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

    Raises WorkspacesFileError if the file cannot be used as a whole, and SettingsError if the environment has settings
    that belong into a table.
    """
    path = workspaces_file(environ)
    found = WorkspacesFile(path, read_tables(path), environ)
    if faults := [_misplaced_fault(name, path) for name in _misplaced(found)]:
        raise SettingsError(faults)
    return found


def without_settings_of_workspaces(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings that only a table can have."""
    return {name: value for name, value in environ.items() if not _is_of_workspace(name)}


def _is_of_workspace(name: str) -> bool:
    """Return whether a variable, or the file that holds its value, is a setting of a workspace."""
    held = name.removesuffix("_FILE")
    return name in WORKSPACE_ONLY or (held in WORKSPACE_ONLY and VARIABLES[held].takes_file)


def _misplaced(file: WorkspacesFile) -> list[str]:
    """Return the variables that belong into a table.

    A variable that a table names with `{env = …}` is right, and a default changes nothing: .env.example has them all.
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
