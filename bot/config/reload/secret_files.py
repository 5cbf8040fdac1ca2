"""Find out whether files of secrets changed, and read the files again with the same parsers as at the bot's start.

If a Secret of Kubernetes changes, one symbolic link changes. All paths of its files then lead to new files at once.
https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically
"""

import asyncio
import errno
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bot.config.process import ProcessSettings
from bot.config.reader import SecretFile, SettingsError, Sources, read_secret_file
from bot.config.settings import Settings, load_part
from bot.config.variables import VARIABLES

S = TypeVar("S", Settings, ProcessSettings)
FILE_UNREADABLE = "file_unreadable"
"""The code of a SecretFileError for a file that exists, and that the bot may not or cannot read."""
Stamp = tuple[int, ...] | str
"""The stamp of a file: its device, inode, size, and the times at which its contents and its owner or mode changed. A
changed file has another stamp. If the file cannot be examined, the stamp is the name of the error, such as "ENOENT"."""


class SecretFileError(Exception):
    """The file of a secret contains no value that can be read.

    - `name`: the setting whose value the file should contain.
    - `code`: `file_missing`, `file_empty` or `file_unreadable`.
    """

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"{name}: {code}")
        self.name, self.code = name, code


async def stamps_of(files: Collection[SecretFile]) -> dict[str, Stamp]:
    """Return the stamp of each file, by the name of the setting whose value is in the file."""
    return await asyncio.to_thread(lambda: {each.name: stamp_of(each.path) for each in files})


def stamp_of(path: str) -> Stamp:
    """Return the stamp of a file. A change of the owner or of the mode also changes it.

    If the file cannot be examined, return the name of the error, such as "ENOENT".
    """
    try:
        found = Path(path).expanduser().stat()
    except (OSError, RuntimeError, ValueError) as error:
        return errno.errorcode.get(getattr(error, "errno", None) or 0, "unknown")
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


async def read_texts(files: Iterable[SecretFile]) -> tuple[dict[str, str], list[SecretFileError]]:
    """Read the files of secrets. Return the values, by the name of the setting, and the errors.

    There is an error for each missing, empty or unreadable file. But if the setting's name ends with _NEXT, a missing
    or empty file means the value "".
    """
    texts, errors = {}, []
    for each in files:
        try:
            texts[each.name] = await asyncio.to_thread(_text, each)
        except SecretFileError as error:
            errors.append(error)
    return texts, errors


def _text(file: SecretFile) -> str:
    """Return the value in a file. Raises SecretFileError if the value is missing or unreadable."""
    try:
        text = read_secret_file(file.name, file.path)
    except FileNotFoundError:
        raise SecretFileError(file.name, "file_missing") from None
    except (OSError, ValueError):
        code = "file_empty" if _is_blank(file.path) else FILE_UNREADABLE
        raise SecretFileError(file.name, code) from None
    if not text and not VARIABLES[file.name].is_next:
        raise SecretFileError(file.name, "file_empty")
    return text


def _is_blank(path: str) -> bool:
    try:
        return not Path(path).expanduser().read_bytes().strip()
    except OSError:
        return False


def with_texts(settings: S, texts: Mapping[str, str]) -> S:
    """Return a copy of the settings with new values of some secrets.

    `texts`: the new values, by the name of the setting. All other secrets keep their values, even if their files have
    changed. Raises SettingsError if the new settings have faults.
    """
    files = settings.sources.files
    values = {name: file.text for name, file in files.items()} | dict(texts)
    read_from = {file.variable for file in files.values()}
    environ = {name: value for name, value in settings.sources.environ.items() if name not in read_from}
    read = load_part(settings.with_secrets_from, environ | values, settings.workspace)
    updated = {name: replace(file, text=values[name]) for name, file in files.items()}
    return replace(read, sources=Sources(settings.sources.environ, updated))


async def with_current_secrets(settings: Settings) -> Settings:
    """Read the files of secrets, and return a copy of the settings with the values in the files.

    Return `settings` unchanged if a value is missing or unreadable, or if the new settings have faults.
    """
    texts, errors = await read_texts(settings.sources.files.values())
    try:
        return settings if errors else with_texts(settings, texts)
    except SettingsError:
        return settings
