"""Read the environment variables of the process and of the .env file in the working directory.

STATE_DIRECTORY names the data directories. A .env file in a data directory is ignored: a program that can write beside
the database must not be able to change the settings.
"""

import errno
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.config.reader import SettingsError
from bot.core.validation.text import unquoted

ENV_FILE = ".env"
STATE_DIRECTORY = "STATE_DIRECTORY"
OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that OpenSSL itself reads from the process's environment."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment variables of the process and of the .env file.

    - `values`: the values, by the name of the variable.
    - `remarks`: one text for each part of the .env file that the bot ignores, except for comments on their own line
      and after quotes. Each text has a sentence with the problem, and then a sentence with the fix.
    """

    values: dict[str, str]
    remarks: tuple[str, ...] = ()


def read(path: str, process: Mapping[str, str]) -> Environment:
    """Return the environment variables of the process and of the .env file. Leave out variables without a value.

    - `path`: the path of the .env file.
    - `process`: the variables of the process.

    If the process has a value for NAME or for NAME_FILE, ignore both NAME and NAME_FILE of the file. Also ignore the
    file's variables that OPENSSL lists. A missing file counts as empty. So does a file in one of the directories of
    STATE_DIRECTORY, which hold the bot's data. Raises SettingsError if any other file cannot be read.
    """
    outer = {name: value for name, value in process.items() if unquoted(value)}
    if is_in_data_directory(Path(path), outer):
        where = Path(path).absolute().parent
        remark = (
            f"{path} is in the data directory {where}, where it is not read. "
            "Move it to another working directory, or set the variables in the environment."
        )
        return Environment(outer, (remark,) if os.path.exists(path) else ())
    inner, remarks = _values(path, _text(path))
    hidden = {f"{name}_FILE" for name in outer} | {name.removesuffix("_FILE") for name in outer}
    for name in OPENSSL:
        if inner.pop(name, None) and name not in outer:
            remarks.append(f"{name} is set in {path}, where it does nothing. Set it in the environment itself.")
    shown = {name: value for name, value in inner.items() if value and name not in hidden}
    return Environment(shown | outer, tuple(remarks))


def data_directories(environ: Mapping[str, str]) -> list[Path]:
    """Return the directories in STATE_DIRECTORY. The first directory contains the database.

    In the value of STATE_DIRECTORY, colons separate the directories. Return an empty list if STATE_DIRECTORY is not
    set.
    """
    return [Path(each) for each in unquoted(environ.get(STATE_DIRECTORY, "")).split(":") if each]


def below_data_directory(path: str, environ: Mapping[str, str]) -> str:
    """Prepend the first directory in STATE_DIRECTORY to a relative path, and return the result.

    Return `path` unchanged if it is absolute or "", or if STATE_DIRECTORY is not set.
    """
    directories = data_directories(environ)
    return str(directories[0] / path) if path and directories else path


def is_in_data_directory(path: Path, environ: Mapping[str, str]) -> bool:
    """Return whether a file is in a data directory or in one of the folders below a data directory.

    `environ`: contains the variable STATE_DIRECTORY, which names the data directories. Without it, return False.
    """
    where = path.absolute().parent.resolve()
    return any(where.is_relative_to(directory.resolve()) for directory in data_directories(environ))


def _values(path: str, text: str) -> tuple[dict[str, str | None], list[str]]:
    read: dict[str, str | None] = {}
    remarks = []
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
        if binding.error:
            remarks.append(f"{path}: line {line} is no NAME=value, so it is not read. Mend the line, or take it out.")
        elif binding.key is not None:
            read[binding.key] = binding.value
            if _is_cut(binding):
                remarks.append(
                    f"{path}: line {line}: the value of {binding.key} ends before the #. "
                    "Write the whole value in 'single quotes', or give the comment its own line."
                )
    return read, remarks


def _is_cut(binding: Binding) -> bool:
    """Return whether the value has no quotes around it, and the parser took a part of the line for a comment.

    `docker run --env-file`, Compose and systemd take this part for a part of the value.
    """
    written = binding.original.string.partition("=")[2].strip()
    return bool(written) and written[0] not in "'\"" and written != binding.value


def _text(path: str) -> str:
    """Return the text of the .env file; "" if the file does not exist.

    Raises SettingsError if the file cannot be read.
    """
    file = Path(path)
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if file.is_symlink():
            raise _fault(path, "is a link to a file that is not there. Mend the link, or remove it.") from None
        return ""
    except UnicodeDecodeError as error:
        utf16 = error.object.startswith((b"\xff\xfe", b"\xfe\xff"))
        raise _fault(
            path, f"the file cannot be read as UTF-8 text.{' It is UTF-16.' * utf16} Save it as UTF-8."
        ) from None
    except PermissionError:
        wanted = "the file may not be read by this user. Give it to the user that the bot runs as: chown, chmod 600."
        raise _fault(path, wanted) from None
    except IsADirectoryError:
        wanted = "is a folder, not a file. Docker makes one where the file to mount is missing. Put the file there."
        raise _fault(path, wanted) from None
    except OSError as error:
        raise _fault(path, f"the file cannot be read ({os.strerror(error.errno or errno.EIO)}).") from None


def _fault(path: str, sentence: str) -> SettingsError:
    return SettingsError([f"{path}: {sentence}"])
