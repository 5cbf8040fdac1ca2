"""Read the TOML file that COBROWSE_WORKSPACES names. Each top-level table holds the settings of one workspace.

https://toml.io/en/v1.0.0
"""

import errno
import os
import re
import tomllib
from collections.abc import Mapping

from bot.config.reader import SettingsError, read_bytes

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
"""The form of a workspace's short name. URLs, log lines and metrics contain the name."""
_AT = re.compile(r"\(at line (\d+), column (\d+)\)$")
_TWICE = {
    "Cannot declare": "begins a table that the file has already. Put all settings of a workspace into one table.",
    "Cannot overwrite": "sets a key that its table has already. Remove one of the two lines.",
}
"""The fault for a table or key that appears twice in the file, by the beginning of tomllib's message."""

Table = Mapping[str, object]
"""The values in one table of the file, by key. Each value has the Python type that tomllib returns."""


class WorkspacesFileError(SettingsError):
    """The file of workspaces cannot be read, or is not valid.

    - `faults`: a list with one text. The text says what is wrong, and how to fix the file.
    - `code`: `file_missing` if there is no file, `file_unreadable` if the file cannot be read as UTF-8 text, else
      `settings_invalid`.
    """

    def __init__(self, path: str, sentence: str, code: str = SettingsError.code) -> None:
        super().__init__([f"{path}: {sentence}"])
        self.code = code


def read_tables(path: str) -> dict[str, Table]:
    """Return the tables of the file at `path`, by the short names of the workspaces.

    Raises WorkspacesFileError if the file cannot be read, is not valid TOML, has no table, or contains anything except
    tables with valid short names.
    """
    text = _text(path)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorkspacesFileError(path, _syntax_fault(str(error))) from None  # its message may show a part of a value
    if not found:
        raise WorkspacesFileError(path, "has no table. Begin one for each workspace, such as [acme].")
    for name, table in found.items():
        if wrong := _table_fault(name, table):
            raise WorkspacesFileError(path, f"{_line_of(name, text)}{wrong}")
    return found


def _text(path: str) -> str:
    r"""Return the text of the file at `path`, with `\n` as the end of each line.

    Raises WorkspacesFileError if the file is missing, cannot be read or is not UTF-8 text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        fix = "the file is missing. Make it, or correct COBROWSE_WORKSPACES."
        raise WorkspacesFileError(path, fix, "file_missing") from None
    except UnicodeDecodeError as error:
        utf16 = error.object.startswith((b"\xff\xfe", b"\xfe\xff"))
        fix = f"the file is not UTF-8 text.{' It is UTF-16.' * utf16} Save it as UTF-8."
        raise WorkspacesFileError(path, fix, "file_unreadable") from None
    except OSError as error:
        fix = f"the file cannot be read ({os.strerror(error.errno or errno.EIO)})."
        raise WorkspacesFileError(path, fix, "file_unreadable") from None
    except ValueError as error:
        raise WorkspacesFileError(path, f"{error}.", "file_unreadable") from None


def _syntax_fault(message: str) -> str:
    at = _AT.search(message)
    if not at:
        return "the file ends in the middle of a value. Complete its last line."
    line, column = at.groups()
    twice = next((words for start, words in _TWICE.items() if message.startswith(start)), "")
    return f"line {line} {twice}" if twice else f'line {line} is no TOML (column {column}). Write it as KEY = "value".'


def _table_fault(name: str, table: object) -> str:
    if isinstance(table, list) and table and all(isinstance(each, dict) for each in table):
        return f"[[{name[:40]}]] is a list of tables. Write [{name[:40]}], once for each workspace."
    if not isinstance(table, dict):
        return f"{name[:40]} stands in no table. Write the table of its workspace above it, such as [acme]."
    if NAME.fullmatch(name):
        return ""
    wanted = "is no short name of a workspace: lower-case letters, digits and hyphens, 31 at most."
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:31].strip("-")
    return f"[{name[:40]}] {wanted} Write [{slug or 'acme'}]."


def _line_of(key: str, text: str) -> str:
    """Return "line N: ", where N is the first line that sets the key `key` or begins the table `key`.

    Return "" if there is no such line. `text`: the text of the file.
    """
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[].=]""")
    lines = (number for number, line in enumerate(text.split("\n"), 1) if pattern.match(line))
    return next((f"line {number}: " for number in lines), "")
