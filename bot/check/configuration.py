"""Check everything that needs no network: the settings, the private key, and the files with secrets.

A fault in one setting does not stop the checks of other settings.
"""

import difflib
import os
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from bot.check import ports
from bot.check.files import is_open, is_private, open_files
from bot.check.results import MAKE_KEY, CheckResult, failed, ok, warning
from bot.config import settings
from bot.config.reader import Reader
from bot.config.settings import DatabaseSettings, ServiceSettings, Settings, SettingsError, SlackSettings
from bot.config.variables import VARIABLES
from bot.config.workspaces.file import WorkspacesFile
from bot.config.workspaces.load import WorkspaceSettings
from bot.core.validation.text import unquoted
from bot.genesys.auth.private_keys import KeyCredentials
from bot.observability.audit import STDOUT, AuditSetupError
from bot.slack.manifest import Features

OUR_PREFIXES = ("COBROWSE_", "GENESYS_", "SLACK_")
_KUBERNETES_NAME = re.compile(
    rf"(?:{'|'.join(OUR_PREFIXES)})(?:\w+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?)"
)
_KUBERNETES_VALUE = re.compile(r"(?:tcp|udp|sctp)(?:://\S+)?|[0-9a-fA-F:.]+")
"""Matches the values of variables that Kubernetes sets in each pod if there is a Service with the name *cobrowse*,
*slack* or *genesys*."""
_CONNECT_OFF = {
    "needless": ("GENESYS_COBROWSE_API is not conversations, so it is not used", "Empty GENESYS_CONNECT_CLIENT_ID."),
    "socket": ("the bot runs in Socket Mode, where no browser reaches it", "Set BOT_MODE=http, and what HTTP needs."),
    "key": ("there is no key to keep sign-ins with", MAKE_KEY),
}
"""Why nobody can link a Genesys account, and the fix, by the value of AccountSettings.off.

The value "client" has no entry. It means that GENESYS_CONNECT_CLIENT_ID is not set. `check_accounts` then returns no
result."""
T = TypeVar("T")


class Load(Protocol):
    """A function that reads one part of the settings of one workspace.

    `read`: the function that reads the part, such as `read_slack`. Load calls it with a Reader for the settings of the
    workspace, and returns its result.

    Load raises SettingsError if this part of the settings has faults.
    """

    def __call__(self, read: Callable[[Reader], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of a workspace, whole and in parts. If one part has a fault, `check` can still check the others.

    - `results`: the results of all checks in this module.
    - `settings`: all settings; None if any of them has a fault.
    - `slack`, `service`, `database`: the settings of Slack, Genesys and the database; None if this part has a fault.
    - `features`: the settings that decide what the Slack app's manifest needs; None if this part has a fault.
    """

    results: list[CheckResult]
    settings: Settings | None
    slack: SlackSettings | None
    service: ServiceSettings | None
    database: DatabaseSettings | None
    features: Features | None


def read_setup(environ: Mapping[str, str], env_file: Path, remarks: Sequence[str] = ()) -> Setup:
    """Read and check the settings of a process with a single workspace.

    - `environ`: the settings, by name.
    - `env_file`: the path of .env.
    - `remarks`: one text for each part of .env that the bot ignores. Each text has a sentence with the problem, and
      then a sentence with the fix.
    """
    faults: dict[str, None] = {}
    load = partial(settings.load_part, environ=environ)
    whole = try_load(partial(load, settings.read_settings), faults)
    setup = _read_parts(whole, load, faults)
    setup.results.extend(count_settings(environ, faults))
    setup.results.extend(check_environment(environ, remarks))
    setup.results.extend(_key(environ, setup.service))
    setup.results.extend(open_files(environ, env_file))
    if whole:
        setup.results.extend(ports.check_ports(whole.process, over_http=whole.slack.mode == "http"))
        setup.results.append(_hosts_file(whole))
        setup.results.append(check_audit_log(whole.audit_log))
        setup.results.extend(check_accounts(whole))
        setup.results.extend(_customer_page(whole.service))
    return setup


def read_table(workspace: WorkspaceSettings, file: WorkspacesFile) -> Setup:
    """Read and check the settings of one of several workspaces.

    Check only the settings in the table of the workspace, not those that all workspaces share.

    - `workspace`: the settings of this workspace, or their faults.
    - `file`: the file of workspaces.
    """
    faults = dict.fromkeys(workspace.error.faults if workspace.error else ())
    variables, whole = file.variables_of(workspace.name), workspace.settings
    setup = _read_parts(whole, partial(file.load_part, name=workspace.name), faults)
    setup.results.extend(count_settings(variables, faults))
    setup.results.extend(_key(variables, setup.service))
    setup.results.extend(open_files(variables, None))
    if whole:
        setup.results.append(_hosts_file(whole))
        setup.results.extend([check_audit_log(whole.audit_log)] if "AUDIT_LOG" in variables else [])
        setup.results.extend(check_accounts(whole))
        setup.results.extend(_customer_page(whole.service))
    return setup


def _read_parts(whole: Settings | None, load: Load, faults: dict[str, None]) -> Setup:
    """Read the settings of a workspace part by part. If one part has a fault, still read the others.

    Add the faults in the settings of Genesys to `faults`. Return a Setup. Its `results` contains one failed result for
    each fault that is then in `faults`, and no other results.

    - `whole`: all settings; None if any of them has a fault.
    - `load`: reads one part, such as the settings of Slack.
    - `faults`: a dict whose keys are the texts of the faults that the caller found.
    """
    service = try_load(partial(load, settings.read_service_alone), faults)
    return Setup(
        [*map(from_fault, faults)],
        whole,
        whole.slack if whole else try_load(partial(load, settings.read_slack), {}),
        service or (whole.service if whole else None),
        whole.database if whole else try_load(partial(load, settings.read_database), {}),
        try_load(partial(load, settings.read_features), {}),
    )


def try_load(load: Callable[[], T], faults: dict[str, None]) -> T | None:
    """Return the result of `load`. If `load` raises SettingsError, add its faults to `faults` and return None."""
    try:
        return load()
    except SettingsError as fault:
        faults |= dict.fromkeys(fault.faults)
        return None


def count_settings(variables: Mapping[str, str], faults: Mapping[str, None]) -> list[CheckResult]:
    """Return one result that says how many of the bot's settings are set; no result if there are faults.

    - `variables`: the variables by name: those of the environment, or those in the table of one workspace.
    - `faults`: the faults of the settings: a dict whose keys are the texts of the faults.
    """
    count = sum(name in VARIABLES or name.removesuffix("_FILE") in VARIABLES for name in variables)
    told = "1 is set, and it can be used" if count == 1 else f"{count} are set, and all of them can be used"
    return [] if faults else [ok("settings", told)]


def check_environment(
    environ: Mapping[str, str], remarks: Sequence[str], used: Container[str] = ()
) -> list[CheckResult]:
    """Return a warning for each ignored part of .env, and for each variable that looks like a setting but is none.

    - `environ`: the environment variables, by name.
    - `remarks`: one text for each ignored part of .env: a sentence with the problem, and then one with the fix.
    - `used`: the names of variables to which tables of the file of workspaces refer. They get no warning.
    """
    found = [warning("settings", *_split_sentence(remark)) for remark in remarks]
    return [*found, *_unknown_variables({name: text for name, text in environ.items() if name not in used})]


def _split_sentence(sentences: str) -> tuple[str, str]:
    message, _, fix = sentences.partition(". ")
    return f"{message.removesuffix('.')}.", fix


def from_fault(fault: str) -> CheckResult:
    """Convert a fault in the settings to a failed result.

    `fault` is a text in one of these forms:

    - `NAME: problem. Fix.` for a setting.
    - `[table] problem. Fix.` for a table in the file of workspaces.
    - `path: problem. Fix.` for a whole file.
    """
    name, _, text = fault.partition(": ")
    if not re.fullmatch(r"\w+", name):
        message, fix = _split_sentence(fault)
        file = "the file that COBROWSE_WORKSPACES names" if fault.startswith("[") else "that file"
        fix = fix or f"Correct it in {file}; docs/reference/settings.md says how."
        return failed("settings", message, fix, SettingsError.code)
    message, fix = _split_sentence(text)
    area = {"COBROWSE_HOSTS_FILE": "hosts file", "GENESYS_PRIVATE_KEY_PATH": "key", "GENESYS_PRIVATE_KEY": "key"}
    area["GENESYS_PRIVATE_KEY_FILE"] = "key"
    fix = fix or f"Correct {name} in the environment or in .env; docs/reference/settings.md says what it takes."
    told = f"{name} {message}" if message.startswith("and ") else f"{name}: {message}"
    return failed(area.get(name, "settings"), told, fix, SettingsError.code)


def _unknown_variables(environ: Mapping[str, str]) -> list[CheckResult]:
    """Return a warning for each variable that begins with one of OUR_PREFIXES but is not a setting of the bot."""
    known = [*VARIABLES, *(f"{name}_FILE" for name, variable in VARIABLES.items() if variable.takes_file)]
    unknown = sorted(name for name in environ if name.startswith(OUR_PREFIXES) and name not in known)
    unknown = [name for name in unknown if not _is_kubernetes_variable(name, environ[name])]
    found = []
    for name in unknown:
        (near,) = difflib.get_close_matches(name, known, 1, 0.8) or [""]
        fix = f"Did you mean {near}?" if near else "Remove it, or look its name up in docs/reference/settings.md."
        found.append(warning("settings", f"{name} is set, but nothing reads it.", fix))
    return found


def _is_kubernetes_variable(name: str, value: str) -> bool:
    return bool(_KUBERNETES_NAME.fullmatch(name) and _KUBERNETES_VALUE.fullmatch(value))


def _key(environ: Mapping[str, str], service: ServiceSettings | None) -> list[CheckResult]:
    if service is None:
        return []
    if not isinstance(service.credentials, KeyCredentials):
        return [ok("key", "none is needed: a client secret is set")]
    key = service.credentials.key.key
    kind = f"RSA of {key.key_size} bits" if isinstance(key, rsa.RSAPrivateKey) else "P-256"
    names = ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_FILE")
    path = next((unquoted(environ[name]) for name in names if environ.get(name)), "")
    if not path:
        return [ok("key", f"{kind}, from the environment")]
    if is_open(Path(path).expanduser()):
        return [failed("key", f"{kind}, but everybody on this machine can read {path}.", f"Run: chmod 600 {path}")]
    who = "only its owner" if is_private(Path(path).expanduser()) else "its owner and group"
    return [ok("key", f"{kind}, in {path}, which {who} can read")]


def _hosts_file(whole: Settings) -> CheckResult:
    if whole.listed_hosts is None:
        return ok("hosts file", "none is set")
    return ok("hosts file", f"{len(whole.listed_hosts)} people are listed")


def check_audit_log(where: str) -> CheckResult:
    """Check whether the bot can write the audit log. Return the result.

    `where`: the path of the file; "-" for standard output; "" for no audit log.
    """
    if not where or where == STDOUT:
        return ok("audit log", "to standard output" if where else "none is kept")
    path = Path(where)
    can_write = os.access(path, os.W_OK) if os.path.exists(path) else os.access(path.parent, os.W_OK | os.X_OK)
    if os.path.isdir(path) or not can_write:
        fix = "Let the bot write to its directory."
        return failed("audit log", f"AUDIT_LOG: {path} cannot be written.", fix, AuditSetupError.code)
    return ok("audit log", f"in {path}")


def _customer_page(service: ServiceSettings) -> list[CheckResult]:
    """Check the settings of the customer's page, to which the links on session cards lead.

    Return a list with one result. Return [] if GENESYS_COBROWSE_API is `sessions`, because the session service then
    provides the page.
    """
    if service.conversations is None:
        return []
    joining = service.conversations.joining
    if joining.template is None:
        fix = "Set COBROWSE_JOIN_URL_TEMPLATE to the address of your page. Without one, customers type the code."
        return [warning("customer page", "none, so cards show a code only, and no link.", fix)]
    if joining.deployment_id is None:
        fix = "Set GENESYS_DEPLOYMENT_ID to the id of the deployment on your page."
        return [
            warning(
                "customer page",
                "its deployment is unset, so *End session* cannot keep others from joining.",
                fix,
            )
        ]
    return [ok("customer page", "COBROWSE_JOIN_URL_TEMPLATE has its address, so cards show a link")]


def check_accounts(settings: Settings) -> list[CheckResult]:
    """Check whether the settings let people link their own Genesys accounts.

    Return one result; no result if GENESYS_CONNECT_CLIENT_ID is not set.
    """
    connect = settings.connect
    if not connect.credentials.client_id:
        return []
    if connect.off:
        why, fix = _CONNECT_OFF[connect.off]
        return [warning("connect", f"nobody can connect their Genesys account: {why}.", fix)]
    return [ok("connect", f"people can; in Genesys the OAuth client has to list {connect.redirect_uri}")]
