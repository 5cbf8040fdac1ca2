"""Who else could read or write the files that the bot believes: .env, key, hosts file, secrets, authorities."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.check.results import Finding, doubt, wrong
from bot.config.certificates import FILE
from bot.config.variables import VARIABLES
from bot.core.validation.text import unquoted

OTHERS_MAY_READ = 0o004
OTHERS_MAY_WRITE, GROUP_MAY_WRITE = 0o002, 0o020


def open_files(environ: Mapping[str, str], env_file: Path) -> list[Finding]:
    """Note what not only the bot's administrator could read or change."""
    secret = [f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret]
    readable = [env_file, *_paths(environ, [name for name in secret if "PRIVATE_KEY" not in name])]
    believed = [env_file, *_paths(environ, [*secret, "GENESYS_PRIVATE_KEY_PATH", "COBROWSE_HOSTS_FILE", FILE])]
    # Container platforms mount secrets readable, so that is a doubt and no fault.
    found = [
        doubt("secrets", f"everybody on this machine can read {path}.", f"Run: chmod 600 {path}")
        for path in readable
        if is_open(path)
    ]
    folders = dict.fromkeys(folder for path in believed if path.exists() for folder in _folders(path))
    for path in dict.fromkeys((*believed, *folders)):
        found.extend(_writable(path))
    return found


def is_open(path: Path) -> bool:
    """Say whether everybody on this machine can read a file."""
    return bool(_mode(path) & OTHERS_MAY_READ)


def _paths(environ: Mapping[str, str], names: list[str]) -> list[Path]:
    given = [unquoted(environ.get(name, "")) for name in names]
    return [_expanded(path) for path in given if path]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # of nobody here, which the settings say
        return Path(path)


def _folders(path: Path) -> Iterator[Path]:
    """Where the file stands, and where it stands if that is a link."""
    yield path.absolute().parent
    yield path.resolve().parent


def _writable(path: Path) -> Iterator[Finding]:
    mode = _mode(path)
    is_folder = path.is_dir()
    if not mode & (OTHERS_MAY_WRITE | GROUP_MAY_WRITE) or _is_read_only(path):
        return
    thing = f"the folder {path}" if is_folder else str(path)
    sticky = is_folder and mode & stat.S_ISVTX  # others' files stay theirs there, as in /tmp
    mend = f"Run: chmod {'go-w' if mode & OTHERS_MAY_WRITE else 'g-w'} {path}"
    if mode & OTHERS_MAY_WRITE and not sticky:
        yield wrong("files", f"everybody on this machine can write {thing}, and so change what the bot does.", mend)
    elif mode & OTHERS_MAY_WRITE:
        what = f"everybody on this machine can add files to {thing}, and so change what the bot does."
        yield doubt("files", what, "Put the file into a folder that only you can write.")
    else:
        yield doubt("files", f"a whole group can write {thing}, and so change what the bot does.", mend)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _is_read_only(path: Path) -> bool:
    """Whether it is mounted so that nobody can write, as container platforms mount secrets."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False
