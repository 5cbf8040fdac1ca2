"""Check a wheel and a source distribution as people get them: their files, what PyPI takes, and `uvx` and `pipx`.

Usage: package.py BUILD WHEEL SOURCE. BUILD is a Python with the libraries of requirements-build.txt. The Python that
runs this has those of requirements-release.txt. Each command runs in an empty directory, and leaves it empty.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
ONCE = ("cobrowse-bot", "sandbox", "--once", "/cobrowse Checkout help", "--json")
PAGE_SECONDS = 60.0


def main(build: str, wheel: Path, source: Path) -> None:
    """Run every check; an AssertionError or a failed command ends the script."""
    subprocess.run([TOOLS / "twine", "check", "--strict", wheel, source], check=True)
    has_every_file(wheel)
    builds_the_same_wheel(build, wheel, source)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as empty:
        os.environ |= {"UV_CACHE_DIR": f"{folder}/uv", "UV_TOOL_DIR": f"{folder}/tools", "UV_PYTHON_DOWNLOADS": "never"}
        os.environ |= {"PIPX_HOME": f"{folder}/pipx", "PIPX_BIN_DIR": f"{folder}/bin", "PIPX_MAN_DIR": f"{folder}/man"}
        uvx = (str(TOOLS / "uvx"), "--from", str(wheel))
        answers(*uvx, *ONCE, directory=empty)
        shows_its_page(*uvx, "cobrowse-bot", "sandbox", directory=empty)
        subprocess.run([TOOLS / "pipx", "install", "--quiet", wheel], check=True, cwd=empty)
        answers(f"{folder}/bin/cobrowse-bot", *ONCE[1:], directory=empty)
        assert os.listdir(empty) == []
    sys.stdout.write(f"{wheel.name} and {source.name} are whole, equal, and run with uvx and pipx.\n")


def has_every_file(wheel: Path) -> None:
    """Compare the wheel's package with the repository: page, SQL, manifest, and each translation compiled."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "bot"]
    tracked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    expected = {str(Path(name).with_suffix(".mo")) if name.endswith(".po") else name for name in tracked}
    assert {name for name in files_of(wheel) if name.startswith("bot/")} == expected
    for part in ("page/index.html", "manifest.yml", "schema.sql", "LC_MESSAGES/cobrowse.mo"):
        assert any(name.endswith(part) for name in expected), part


def builds_the_same_wheel(build: str, wheel: Path, source: Path) -> None:
    """Build a wheel from the source distribution, and compare every file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [build, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--no-build-isolation", "--wheel-dir", folder, str(source)], check=True)
        (built,) = Path(folder).glob("*.whl")
        assert built.name == wheel.name
        first, second = files_of(wheel), files_of(built)
        different = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
        assert different == set(), different


def files_of(wheel: Path) -> dict[str, bytes]:
    """Return the content of each file in a wheel, by its path."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def answers(*command: str, directory: str) -> None:
    """Run one command in the sandbox, and expect a session."""
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["failed"] is False, done.stdout


def shows_its_page(*command: str, directory: str) -> None:
    """Run the sandbox until it has served its page, and stop it as Ctrl+C does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=directory, start_new_session=True)
    try:
        ends = time.monotonic() + PAGE_SECONDS
        while not (page := read(f"http://127.0.0.1:{port}/")):
            assert process.poll() is None, "the sandbox has ended"
            assert time.monotonic() < ends, "the sandbox serves no page"
            time.sleep(0.2)
        assert b"<html" in page
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) in (0, 130)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def read(url: str) -> bytes:
    """Return what a page holds, nothing while there is no server."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own
            content: bytes = response.read()
            return content
    except OSError:
        return b""


main(sys.argv[1], Path(sys.argv[2]).absolute(), Path(sys.argv[3]).absolute())
