"""Describe the machine and the software that were measured, without names of hosts, people or places."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers import BOLT_JS

LIBRARIES = ("slack-bolt", "slack-sdk", "aiohttp", "httpx", "uvicorn", "uvloop", "orjson", "yarl")


def machine() -> dict[str, Any]:
    """Return processor, system, interpreters and the versions of the measured software."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "node": _node(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _node() -> str:
    if not shutil.which("node"):
        return "none"
    bolt = BOLT_JS / "node_modules" / "@slack" / "bolt" / "package.json"
    say = "console.log(process.versions.node, 'Bolt', require(process.argv[1]).version)"
    found = subprocess.run(["node", "-e", say, str(bolt)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "without Bolt"
