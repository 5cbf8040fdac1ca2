"""Load the settings of all workspaces. A fault in one table does not affect the other workspaces."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from bot.config.process import ProcessSettings
from bot.config.reader import SettingsError, read_bytes
from bot.config.settings import Settings, finish, read_settings
from bot.config.workspaces.file import open_file, without_settings_of_workspaces
from bot.config.workspaces.table import TableReader
from bot.config.workspaces.toml_file import Table
from bot.core.validation.text import unquoted

FILE_KEYS = ("cobrowse_hosts_file",)
"""The keys that name files without secrets. The bot reads such a file only when it loads the settings."""
UNIQUE = ("bot_token", "app_token")
"""The fields of SlackSettings whose values must differ between workspaces. Empty values do not count."""


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """The settings of one workspace, or the error about the workspace's table. Either `settings` or `error` is None.

    - `name`: the short name of the workspace.
    - `fingerprint`: a hash of the table, of the CSV file in COBROWSE_HOSTS_FILE, and of the faults. If two reads give
      different hashes, the workspace has changed.
    - `files`: the paths of the files to watch. If one of them changes, the bot has to read the settings again. They are
      the CSV file in COBROWSE_HOSTS_FILE and, if there is an error, the table's secret files.
    """

    name: str
    fingerprint: str
    files: tuple[str, ...] = field(repr=False)  # a secret may stand in the place of a path
    settings: Settings | None
    error: SettingsError | None = None


Workspaces = Mapping[str, WorkspaceSettings]
"""The workspaces by their short names, in the order of the file."""


def read_workspaces(process: ProcessSettings, before: Workspaces | None = None) -> dict[str, WorkspaceSettings]:
    """Read the file that COBROWSE_WORKSPACES names. Return the workspaces by name, in the order of the file.

    - `process`: the settings that all workspaces share.
    - `before`: the result of the last read; None at the first read. If a workspace is unchanged and has no fault, its
      object in `before` is also in the result. All other workspaces get a new object.

    If a workspace's table has a fault, the field `error` of its object contains the fault.

    Raises WorkspacesFileError if the file cannot be read, is not valid TOML, or contains anything except a table for
    each workspace. Raises SettingsError if the environment has a setting that only the tables of the file may have.
    """
    environ = process.sources.environ
    tables = open_file(environ).tables
    shared = _shared(process)
    found: dict[str, WorkspaceSettings] = {}
    for name, table in tables.items():
        digest, old = _digest(table), (before or {}).get(name)
        if old and old.settings and old.fingerprint == digest:
            found[name] = old
        else:
            found[name] = _load(TableReader(name, table, shared, environ), table, digest, process)
    return _without_twins(found, before or {})


def _load(reader: TableReader, table: Table, digest: str, process: ProcessSettings) -> WorkspaceSettings:
    files = _files(table)
    try:
        settings = finish(partial(read_settings, process=process), reader)
    except SettingsError as error:
        key = table.get("genesys_private_key_path")
        secret_files = (*reader.paths, *([key] if isinstance(key, str) and key else []))
        return _with_error(WorkspaceSettings(reader.workspace, digest, (*files, *secret_files), None), error)
    return WorkspaceSettings(reader.workspace, digest, files, settings)


def _with_error(workspace: WorkspaceSettings, error: SettingsError) -> WorkspaceSettings:
    fingerprint = hashlib.sha256("\n".join((workspace.fingerprint, *error.faults)).encode()).hexdigest()
    return replace(workspace, fingerprint=fingerprint, settings=None, error=error)


def _without_twins(found: dict[str, WorkspaceSettings], before: Workspaces) -> dict[str, WorkspaceSettings]:
    """Return the workspaces. If several of them have the same Slack token, only one keeps its settings.

    The workspace that keeps its settings is the first unchanged one in the file. If all of them have changed since
    `before`, it is the first one in the file. The other workspaces get an error in place of their settings.
    """
    owners: dict[tuple[str, str], str] = {}
    checked = dict(found)
    for name in sorted(found, key=lambda each: found[each] is not before.get(each)):
        workspace, settings = found[name], found[name].settings
        tokens = {(kind, getattr(settings.slack, kind)) for kind in UNIQUE} if settings else set()
        twins = [(kind, owners[kind, token]) for kind, token in sorted(tokens) if (kind, token) in owners]
        if settings and twins:
            secret_files = (file.path for file in settings.sources.files.values())
            workspace = replace(workspace, files=(*workspace.files, *secret_files))
            checked[name] = _with_error(workspace, SettingsError([_twin_fault(name, *each) for each in twins]))
            continue
        owners |= {(kind, token): name for kind, token in tokens if token}
    return checked


def _twin_fault(name: str, kind: str, other: str) -> str:
    fix = "One Slack app serves one workspace here. Give each table the tokens of its app, or remove one of the tables."
    return f"[{name}] slack_{kind} is the same as that of [{other}]. {fix}"


def _digest(table: Table) -> str:
    """Return a hash of a table and of the CSV file that its key `cobrowse_hosts_file` names.

    If the CSV file cannot be read, hash the error's text in place of the file.
    """
    digest = hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode())
    for path in _files(table):
        try:
            digest.update(hashlib.sha256(read_bytes(path)).digest())
        except (OSError, ValueError) as error:
            digest.update(str(error).encode())
    return digest.hexdigest()


def _files(table: Table) -> tuple[str, ...]:
    values = [table.get(key) for key in FILE_KEYS]
    return tuple(unquoted(each) for each in values if isinstance(each, str) and unquoted(each))


def _shared(process: ProcessSettings) -> dict[str, str]:
    """Return the values of the environment variables that all workspaces share, by name.

    If a variable X_FILE names a secret file that the process has read, return the file's text as the value of X, and
    leave out X_FILE.
    """
    read_from = {file.variable for file in process.sources.files.values()}
    environ = without_settings_of_workspaces(process.sources.environ)
    shared = {name: value for name, value in environ.items() if name not in read_from}
    return shared | {file.name: file.text for file in process.sources.files.values()}
