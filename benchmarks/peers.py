"""Define the measured peers and how each starts: the bot, the floor, and Bolt as its documentation shows it."""

import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import PEOPLE
from benchmarks.transports import SIGNING_SECRET
from bot.config.variables import VARIABLES, WORKSPACE_ONLY

HERE = Path(__file__).parent
BOLT_JS = HERE / "bolt_js"
SHIPPED = HERE.parent / ".venv" / "shipped" / "bin" / "python"
"""A virtual environment with only what the container image holds; `make bench` creates it. Without it the bot runs in
the development environment, where httpx finds and loads libraries of the linters."""
HOSTS_FILE = "hosts.csv"


@dataclass(frozen=True, slots=True)
class Peer:
    """A measured server. `command` may take `http` or `socket` as its last argument."""

    name: str
    label: str
    command: tuple[str, ...]
    takes_transport: bool = True

    def argv(self, transport: str) -> list[str]:
        return [*self.command, *([transport] if self.takes_transport else [])]

    @property
    def missing(self) -> str:
        """Return what the peer needs and this machine lacks, "" for nothing."""
        if self.name != "bolt-js":
            return ""
        if not shutil.which("node"):
            return "there is no node"
        return "" if (BOLT_JS / "node_modules").is_dir() else "run npm ci in benchmarks/bolt_js"


def shipped() -> str:
    """Return the path of the interpreter that runs the bot."""
    return str(SHIPPED) if SHIPPED.exists() else sys.executable


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


_ALL = (
    Peer("floor", "bare floor", _python(str(HERE / "floor.py"))),
    Peer("bot", "this bot", (shipped(), "-m", "bot", "run"), takes_transport=False),
    Peer("bolt-js", "Bolt for JavaScript", ("node", str(BOLT_JS / "app.js"))),
    Peer("bolt-python", "Bolt for Python, plain", _python(str(HERE / "bolt_python.py"))),
)
PEERS = {peer.name: peer for peer in _ALL}
BOT, FLOOR = PEERS["bot"], PEERS["floor"]


def environment(
    urls: Mapping[str, str], *, transport: str, port: int, directory: Path, database_url: str
) -> dict[str, str]:
    """Return the environment variables of all peers. Of the caller's environment they get only PATH."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PYTHONPATH": str(HERE.parent),
        "NODE_ENV": "production",
        "BOT_MODE": transport,
        "PORT": str(port),
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_APP_TOKEN": "xapp-bench",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": f"{urls['slack']}/api/",
        "GENESYS_API_URL": urls["genesys"],
        "GENESYS_LOGIN_URL": urls["login"],
        "GENESYS_CLIENT_ID": "bench-client",
        "GENESYS_CLIENT_SECRET": "bench-client-secret",
        "COBROWSE_HOSTS_FILE": str(directory / HOSTS_FILE),
        "DATABASE_URL": database_url,
        "COBROWSE_PERSON_STARTS_PER_MINUTE": "0",
        "COBROWSE_PERSON_INQUIRIES_PER_MINUTE": "0",
        "COBROWSE_MAX_IN_FLIGHT": "100000",
    }


def several(environ: Mapping[str, str], count: int, directory: Path) -> dict[str, str]:
    """Write the file of `count` workspaces, each with the settings of `environ`, and with its own secrets in files.

    Return the environment of the process that serves them. The signing secret is the same for all workspaces.
    """
    tables = []
    for name in workspace_names(count):
        lines = [f"[{name}]"]
        for variable in sorted(WORKSPACE_ONLY & environ.keys()):
            value = environ[variable]
            if VARIABLES[variable].secret:
                path = directory / f"{name}-{variable.lower()}"
                path.write_text(value if value == SIGNING_SECRET else f"{value}-{name}", encoding="utf-8")
                lines.append(f'{variable.lower()} = {{file = "{path}"}}')
            else:
                lines.append(f"{variable.lower()} = {json.dumps(value)}")
        tables.append("\n".join(lines) + "\n")
    file = directory / "workspaces.toml"
    file.write_text("\n".join(tables), encoding="utf-8")
    of_process = {name: value for name, value in environ.items() if name not in WORKSPACE_ONLY}
    return of_process | {"COBROWSE_WORKSPACES": str(file)}


def workspace_names(count: int) -> list[str]:
    """Return the short names of `count` workspaces."""
    return [f"w{number:02d}" for number in range(count)]


def write_hosts(directory: Path, people: Sequence[str] = PEOPLE) -> None:
    """Write the hosts file, in which everybody who types is a host."""
    lines = [f"{person},{uuid.uuid5(uuid.NAMESPACE_DNS, person)}\n" for person in people]
    (directory / HOSTS_FILE).write_text("slack_user_id,genesys_user_id\n" + "".join(lines), encoding="utf-8")
