"""Check who can read or write the files that the bot trusts.

The files are .env, the file of workspaces, the private key, the hosts file, the files with secrets, and the certificate
authorities.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.check.results import CheckResult, failed, warning
from bot.config.certificates import FILE
from bot.config.variables import VARIABLES
from bot.core.validation.text import unquoted

OTHERS_READ, GROUP_READ = 0o004, 0o040
OTHERS_WRITE, GROUP_WRITE = 0o002, 0o020
TRUSTED = ("GENESYS_PRIVATE_KEY_PATH", "COBROWSE_HOSTS_FILE", "COBROWSE_WORKSPACES", FILE)
"""Settings whose value is the path of a file that no other user of this machine may change.

`open_files` applies the same rule to .env, and to the files with secrets, such as the file in SLACK_BOT_TOKEN_FILE."""


def open_files(environ: Mapping[str, str], env_file: Path | None) -> list[CheckResult]:
    """Return a result for each file or folder that other users of this machine can read or write, but should not.

    - `environ`: the settings, by name. They contain the paths of the files.
    - `env_file`: the path of .env; None if the settings come from the table of a workspace.

    Return a failed result if every user can write to a file, or replace the files in a folder.

    Return a warning in these cases:

    - Every user can read a file with secrets. For the private key, only the result `key` reports this.
    - Every user can add files to a folder, but not replace the files of others, as in /tmp.
    - A group can write to a file or folder.
    """
    own = [env_file] if env_file else []
    secret = [f"{name}_FILE" for name, variable in VARIABLES.items() if variable.takes_file]
    readable = [*own, *_paths(environ, [name for name in secret if name != "GENESYS_PRIVATE_KEY_FILE"])]
    trusted = [*own, *_paths(environ, [*secret, *TRUSTED])]
    # Container platforms mount secrets readable, so this is only a warning.
    found = [
        warning("secrets", f"everybody on this machine can read {path}.", f"Run: chmod 600 {path}")
        for path in readable
        if is_open(path)
    ]
    folders = dict.fromkeys(folder for path in trusted if os.path.exists(path) for folder in _folders(path))
    for path in dict.fromkeys((*trusted, *folders)):
        found.extend(_writable(path))
    return found


def is_open(path: Path) -> bool:
    """Return whether every user of this machine can read a file. Return False if the file cannot be inspected."""
    return bool(_mode(path) & OTHERS_READ)


def is_private(path: Path) -> bool:
    """Return whether only the file's owner can read the file. Return True if the file cannot be inspected."""
    return not _mode(path) & (GROUP_READ | OTHERS_READ)


def _paths(environ: Mapping[str, str], names: list[str]) -> list[Path]:
    given = [unquoted(environ.get(name, "")) for name in names]
    return [_expanded(path) for path in given if path]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # unknown home directory; the settings report it
        return Path(path)


def _folders(path: Path) -> Iterator[Path]:
    """Yield the folder of a file. For a symbolic link, also yield the folder of the link's target."""
    yield path.absolute().parent
    yield path.resolve().parent


def _writable(path: Path) -> Iterator[CheckResult]:
    mode = _mode(path)
    is_folder = stat.S_ISDIR(mode)
    if not mode & (OTHERS_WRITE | GROUP_WRITE) or _is_read_only(path):
        return
    target = f"the folder {path}" if is_folder else str(path)
    sticky = is_folder and mode & stat.S_ISVTX  # nobody can replace files of others there, as in /tmp
    fix = f"Run: chmod {'go-w' if mode & OTHERS_WRITE else 'g-w'} {path}"
    if mode & OTHERS_WRITE and not sticky:
        yield failed("files", f"everybody on this machine can write {target}, and so change what the bot does.", fix)
    elif mode & OTHERS_WRITE:
        message = f"everybody on this machine can add files to {target}, and so change what the bot does."
        yield warning("files", message, "Put the file into a folder that only you can write.")
    else:
        yield warning("files", f"a whole group can write {target}, and so change what the bot does.", fix)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _is_read_only(path: Path) -> bool:
    """Return whether a file or folder is on a read-only file system, such as a secret in a container.

    Return False if the file system cannot be inspected.
    """
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False
