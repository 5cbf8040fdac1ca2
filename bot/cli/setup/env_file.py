"""Write .env and key files with mode 0600."""

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

HEADER = "# Made by `cobrowse-bot init`: one NAME=value a line. docs/reference/settings.md lists every setting.\n"
OWNER_ONLY = 0o600


def create_private(path: Path, text: str) -> None:
    """Create a file with this text and mode 0600.

    Raises FileExistsError if the file exists, and another OSError if the file cannot be created.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def replace_private(path: Path, text: str) -> None:
    """Write `text` to a file, and set the mode of the file to 0600. Replace the old text of an existing file.

    Other programs see either the whole old text or the whole new text. If `path` is a symbolic link, replace the file
    to which the link leads. Raises OSError if the file cannot be written.
    """
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)  # its mode is 0600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def merge(existing: str, values: Mapping[str, str]) -> str:
    """Return the text of a .env file with new values. Keep the lines of other variables, and the comments.

    - `existing`: the old text of the file; "" for a new file.
    - `values`: the new values by name. The value "" makes the variable empty.

    Change these lines:

    - Replace the first line of each variable in `values`, and remove further lines of the variable.
    - If a variable has no line, add one at the end, but not for the value "".
    - If `values` contains NAME but not NAME_FILE, make an existing NAME_FILE empty. If `values` contains NAME_FILE but
      not NAME, make an existing NAME empty.

    Raises ValueError, with the setting's name, if a value cannot be written on one line.
    """
    other_forms = {f"{name}_FILE" for name in values} | {name.removesuffix("_FILE") for name in values}
    left = {name: "" for name in other_forms if name not in values} | dict(values)
    lines, written = [], set()
    for binding in parse_stream(io.StringIO(existing)):
        original = binding.original.string
        if binding.key not in left:
            lines.append(original if original.endswith("\n") else f"{original}\n")
        elif binding.key not in written:
            written.add(binding.key)
            blank = original[: len(original) - len(original.lstrip("\r\n"))]
            lines.append(f"{blank}{_line(binding.key, left[binding.key])}")
    new = [_line(name, value) for name, value in left.items() if value and name not in written]
    return "".join([HEADER * (not existing.strip()), *lines, *new])


def _line(name: str, value: str) -> str:
    """Return the line `NAME=value`, with quotes if the value needs them.

    python-dotenv, Docker and systemd read the same value from the line. Raises ValueError if the value cannot be
    written on one line.
    """
    for written in (value, f"'{value}'"):
        line = f"{name}={written}\n"
        read = [(each.key, each.value or "") for each in parse_stream(io.StringIO(line))]
        if read == [(name, value)]:
            return line
    raise ValueError(f"{name}: its value does not fit on one line. Put it into a file, and set {name}_FILE to its path")
