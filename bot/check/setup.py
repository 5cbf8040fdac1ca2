"""Settings, key, and the files that hold secrets: what can be seen without asking anybody.

When some settings are faulty, what the others allow is looked at all the same.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from bot import settings
from bot.audit import STDOUT
from bot.check import connect
from bot.check.findings import Finding, doubt, right, wrong
from bot.genesys.keys import KeyCredentials
from bot.settings import Database, Service, Settings, SettingsFault, Slack
from bot.settings.variables import VARIABLES

OTHERS_MAY_READ = 0o004
OURS = ("COBROWSE_", "GENESYS_", "SLACK_")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setup:
    """What could be read of the settings, each None when it could not."""

    findings: list[Finding]
    whole: Settings | None
    slack: Slack | None
    service: Service | None
    database: Database | None


def read(environ: Mapping[str, str], env_file: Path) -> Setup:
    """Everything the environment says, and what is wrong with it."""
    faults: dict[str, None] = {}
    whole = _loaded(settings.load, environ, faults)
    service = _loaded(settings.load_service, environ, faults)
    setup = Setup(
        [*map(_finding, faults)],
        whole,
        whole.slack if whole else _loaded(settings.load_slack, environ, {}),
        service or (whole.service if whole else None),
        whole.database if whole else _loaded(settings.load_database, environ, {}),
    )
    if not faults:
        count = sum(name in VARIABLES or name.removesuffix("_FILE") in VARIABLES for name in environ)
        setup.findings.append(right("settings", f"{count} are set, and all of them can be used"))
    setup.findings.extend(_unread(environ))
    setup.findings.extend(_key(environ, setup.service))
    setup.findings.extend(_open_files(environ, env_file))
    if whole:
        setup.findings.append(_hosts_file(whole))
        setup.findings.append(_audit_log(whole.audit_log))
        setup.findings.extend(connect.look(whole))
    return setup


def _loaded(load: Callable[[Mapping[str, str]], T], environ: Mapping[str, str], faults: dict[str, None]) -> T | None:
    try:
        return load(environ)
    except SettingsFault as fault:
        faults |= dict.fromkeys(fault.faults)
        return None


def _finding(fault: str) -> Finding:
    """`NAME: what is wrong. What to do.`"""
    name, _, text = fault.partition(": ")
    what, _, mend = text.partition(". ")
    area = {"COBROWSE_HOSTS_FILE": "hosts file", "GENESYS_PRIVATE_KEY_PATH": "key", "GENESYS_PRIVATE_KEY": "key"}
    mend = mend or f"Correct {name} in the environment or in .env; the README says what it takes."
    return wrong(area.get(name, "settings"), f"{name}: {what.removesuffix('.')}.", mend)


def _unread(environ: Mapping[str, str]) -> list[Finding]:
    """What looks like one of ours, and is none."""
    known = [*VARIABLES, *(f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret)]
    unknown = sorted(name for name in environ if name.startswith(OURS) and name not in known)
    found = []
    for name in unknown:
        (near,) = difflib.get_close_matches(name, known, 1, 0.8) or [""]
        mend = f"Did you mean {near}?" if near else "Remove it, or look its name up in the README."
        found.append(doubt("settings", f"{name} is set, but nothing reads it.", mend))
    return found


def _key(environ: Mapping[str, str], service: Service | None) -> list[Finding]:
    if service is None:
        return []
    if not isinstance(service.credentials, KeyCredentials):
        return [right("key", "none is needed: a client secret is set")]
    key = service.credentials.key.key
    kind = f"RSA of {key.key_size} bits" if isinstance(key, rsa.RSAPrivateKey) else "P-256"
    path = environ.get("GENESYS_PRIVATE_KEY_PATH") or environ.get("GENESYS_PRIVATE_KEY_FILE")
    if not path:
        return [right("key", f"{kind}, from the environment")]
    if _is_open(Path(path).expanduser()):
        return [wrong("key", f"{kind}, but everybody on this machine can read {path}.", f"Run: chmod 600 {path}")]
    return [right("key", f"{kind}, in {path}, which not everybody can read")]


def _open_files(environ: Mapping[str, str], env_file: Path) -> list[Finding]:
    """The other files that hold secrets. Container platforms mount them readable, so it is a doubt, not a fault."""
    names = [f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret]
    paths = [Path(environ[name]).expanduser() for name in names if environ.get(name) and "PRIVATE_KEY" not in name]
    readable = [path for path in (env_file, *paths) if _is_open(path)]
    return [
        doubt("secrets", f"everybody on this machine can read {path}.", f"Run: chmod 600 {path}") for path in readable
    ]


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & OTHERS_MAY_READ)
    except OSError:
        return False


def _hosts_file(whole: Settings) -> Finding:
    if whole.listed_hosts is None:
        return right("hosts file", "none is set")
    return right("hosts file", f"{len(whole.listed_hosts)} people are listed")


def _audit_log(where: str) -> Finding:
    if not where or where == STDOUT:
        return right("audit log", "to standard output" if where else "none is kept")
    path = Path(where)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        return wrong("audit log", f"AUDIT_LOG: {path} cannot be written.", "Let the bot write to its directory.")
    return right("audit log", f"in {path}")
