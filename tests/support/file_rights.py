"""Run code without the rights of root, so that the modes of files and folders count in a test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can take the rights of another user, and give them back"
)


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
def folder_for_all() -> Iterator[Path]:
    """Yield a new folder that every user may enter. A folder that pytest makes is for its user alone."""
    made = Path(mkdtemp(prefix="cobrowse-rights-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def change_mode(path: Path, mode: int) -> None:
    """Change the mode of a file, until the file system gives the change another time than the last one."""
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:
        path.chmod(mode)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Run the `with` block as a user who may not enter the folder."""
    folder.chmod(0o000)
    try:
        with as_nobody():
            yield
    finally:
        folder.chmod(0o700)
