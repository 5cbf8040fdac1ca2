"""Settings, key, and the files that hold secrets: what can be seen without asking anybody.

When some settings are faulty, what the others allow is looked at all the same.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from bot.check import accounts, ports
from bot.check.files import is_open, open_files
from bot.check.results import Finding, doubt, right, wrong
from bot.config import settings
from bot.config.settings import DatabaseSettings, ServiceSettings, Settings, SettingsError, SlackSettings
from bot.config.variables import VARIABLES
from bot.core.validation.text import unquoted
from bot.genesys.auth.private_keys import KeyCredentials
from bot.observability.audit import STDOUT, AuditSetupError

OURS = ("COBROWSE_", "GENESYS_", "SLACK_")
_SERVICE_LINK = re.compile(
    rf"(?:{'|'.join(OURS)})(?:\w+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?)"
)
_SERVICE_LINK_VALUE = re.compile(r"(?:tcp|udp|sctp)(?:://\S+)?|[0-9a-fA-F:.]+")
"""What Kubernetes sets in every pod for a Service called *cobrowse*, *slack* or *genesys*."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setup:
    """What could be read of the settings, each None when it could not."""

    findings: list[Finding]
    whole: Settings | None
    slack: SlackSettings | None
    service: ServiceSettings | None
    database: DatabaseSettings | None


def read(environ: Mapping[str, str], env_file: Path, remarks: Sequence[str] = ()) -> Setup:
    """Everything the environment says, and what is wrong with it. `remarks`: what of .env is not read."""
    faults: dict[str, None] = {}
    whole = _loaded(settings.load, environ, faults)
    service = _loaded(settings.load_service, environ, faults)
    setup = Setup(
        [*map(finding, faults)],
        whole,
        whole.slack if whole else _loaded(settings.load_slack, environ, {}),
        service or (whole.service if whole else None),
        whole.database if whole else _loaded(settings.load_database, environ, {}),
    )
    if not faults:
        count = sum(name in VARIABLES or name.removesuffix("_FILE") in VARIABLES for name in environ)
        setup.findings.append(right("settings", f"{count} are set, and all of them can be used"))
    setup.findings.extend(doubt("settings", *_parts(remark)) for remark in remarks)
    setup.findings.extend(_unread(environ))
    setup.findings.extend(_key(environ, setup.service))
    setup.findings.extend(open_files(environ, env_file))
    if whole:
        setup.findings.extend(ports.look(whole))
        setup.findings.append(_hosts_file(whole))
        setup.findings.append(_audit_log(whole.audit_log))
        setup.findings.extend(accounts.look(whole))
    return setup


def _loaded(load: Callable[[Mapping[str, str]], T], environ: Mapping[str, str], faults: dict[str, None]) -> T | None:
    try:
        return load(environ)
    except SettingsError as fault:
        faults |= dict.fromkeys(fault.faults)
        return None


def _parts(sentences: str) -> tuple[str, str]:
    """What is so, and what to do."""
    what, _, mend = sentences.partition(". ")
    return f"{what.removesuffix('.')}.", mend


def finding(fault: str) -> Finding:
    """`NAME: what is wrong. What to do.`"""
    name, _, text = fault.partition(": ")
    what, mend = _parts(text)
    area = {"COBROWSE_HOSTS_FILE": "hosts file", "GENESYS_PRIVATE_KEY_PATH": "key", "GENESYS_PRIVATE_KEY": "key"}
    area["GENESYS_PRIVATE_KEY_FILE"] = "key"
    mend = mend or f"Correct {name} in the environment or in .env; the README says what it takes."
    return wrong(area.get(name, "settings"), f"{name}: {what}", mend, SettingsError.code)


def _unread(environ: Mapping[str, str]) -> list[Finding]:
    """What looks like one of ours, and is none."""
    known = [*VARIABLES, *(f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret)]
    unknown = sorted(name for name in environ if name.startswith(OURS) and name not in known)
    unknown = [name for name in unknown if not _is_service_link(name, environ[name])]
    found = []
    for name in unknown:
        (near,) = difflib.get_close_matches(name, known, 1, 0.8) or [""]
        mend = f"Did you mean {near}?" if near else "Remove it, or look its name up in the README."
        found.append(doubt("settings", f"{name} is set, but nothing reads it.", mend))
    return found


def _is_service_link(name: str, value: str) -> bool:
    return bool(_SERVICE_LINK.fullmatch(name) and _SERVICE_LINK_VALUE.fullmatch(value))


def _key(environ: Mapping[str, str], service: ServiceSettings | None) -> list[Finding]:
    if service is None:
        return []
    if not isinstance(service.credentials, KeyCredentials):
        return [right("key", "none is needed: a client secret is set")]
    key = service.credentials.key.key
    kind = f"RSA of {key.key_size} bits" if isinstance(key, rsa.RSAPrivateKey) else "P-256"
    names = ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_FILE")
    path = next((unquoted(environ[name]) for name in names if environ.get(name)), "")
    if not path:
        return [right("key", f"{kind}, from the environment")]
    if is_open(Path(path).expanduser()):
        return [wrong("key", f"{kind}, but everybody on this machine can read {path}.", f"Run: chmod 600 {path}")]
    return [right("key", f"{kind}, in {path}, which not everybody can read")]


def _hosts_file(whole: Settings) -> Finding:
    if whole.listed_hosts is None:
        return right("hosts file", "none is set")
    return right("hosts file", f"{len(whole.listed_hosts)} people are listed")


def _audit_log(where: str) -> Finding:
    if not where or where == STDOUT:
        return right("audit log", "to standard output" if where else "none is kept")
    path = Path(where)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        mend = "Let the bot write to its directory."
        return wrong("audit log", f"AUDIT_LOG: {path} cannot be written.", mend, AuditSetupError.code)
    return right("audit log", f"in {path}")
