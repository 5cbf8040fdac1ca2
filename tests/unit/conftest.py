"""Keep unit tests free of sockets, databases and processes. A test that needs one belongs in tests/integration."""

import sys
from collections.abc import Iterator

import pytest

FORBIDDEN = ("socket.bind", "socket.connect", "sqlite3.connect", "subprocess.Popen", "os.fork", "os.posix_spawn")
"""Python's audit events for what a unit test may not open."""
_opened: list[str] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN:
        _opened.append(f"{event} {arguments!r}")


sys.addaudithook(_note)


@pytest.fixture(autouse=True)
def nothing_opened() -> Iterator[None]:
    """Fail a test that opened a socket, a database or a process."""
    _opened.clear()
    yield
    assert _opened == []
