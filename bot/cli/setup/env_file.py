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

    Raises FileExistsError if the file exists, and another OSError if it cannot be created.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def replace_private(path: Path, text: str) -> None:
    """Write a text to a file with mode 0600, in one step: a reader sees either the old text or the new text.

    Follow a symbolic link. Raises OSError if the file cannot be written.
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
    """Return the text of a .env file, changed so that it sets these values. Keep all other lines.

    An empty value removes the value from an existing line. A value for NAME empties the line of NAME_FILE, and a value
    for NAME_FILE empties the line of NAME. Raises ValueError, with the setting's name, if a value does not fit on a
    line.
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
    """Return the line `NAME=value` as python-dotenv, Docker and systemd read it, with quotes if they are needed.

    Raises ValueError if the value does not fit on a line.
    """
    for written in (value, f"'{value}'"):
        line = f"{name}={written}\n"
        read = [(each.key, each.value or "") for each in parse_stream(io.StringIO(line))]
        if read == [(name, value)]:
            return line
    raise ValueError(f"{name}: its value does not fit on one line. Put it into a file, and set {name}_FILE to its path")
