"""Run code without the rights of root, so that the modes of files and folders count in a test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run the `with` block without the rights of root, if the tests run as root."""
    if os.geteuid():
        yield
        return
    os.setresuid(65534, 65534, 0)  # `os.access` asks for the real user
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Run the `with` block as a user who may not enter the folder."""
    folder.chmod(0o000)
    try:
        with as_nobody():
            yield
    finally:
        folder.chmod(0o700)
