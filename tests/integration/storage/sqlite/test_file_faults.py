"""An SQLite file that cannot be used, or that belongs to another user: `run`, `hosts` and `check` agree.

Root may do everything, so the commands run as another user. Only root can start these tests; else they are skipped.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

import pytest

from bot.cli.commands import RUN_CHECK
from bot.core.timing import StorageTiming
from bot.storage.errors import SENTENCES
from bot.storage.open import open_store
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ROOT, START_SECONDS, ended, open_servers
from tests.support.database_faults import Said, agree, said, work
from tests.support.forked import forked

USER = 65_534
HOST = "2f7b0c9e-0000-4000-8000-00000000000a"
PROGRAM = ["-m", "tests.support.database_faults", str(USER)]
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file, and become that user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that the other user owns, can reach and may write to."""
    made = Path(mkdtemp(prefix="cobrowse-files-"))
    made.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(made, USER, USER)
    yield made
    shutil.rmtree(made)


def names_and_times(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mtime_ns for each in (folder, *folder.iterdir())}


async def made(path: Path, *, owner: int = USER, group: int = USER, mode: int = 0o600) -> Path:
    """Create a database that a bot has used."""
    async with open_store(f"sqlite:///{path}"):
        pass
    path.with_name(path.name + ".lock").unlink()
    if os.geteuid() == 0:
        os.chown(path, owner, group)
    path.chmod(mode)  # noqa: ASYNC240
    return path


async def by_another(*urls: str, most: int = 0) -> dict[str, Said]:
    """Return what the commands report to another user, by URL.

    `most`: the maximum size in bytes of files that they write.
    """
    program = [*PROGRAM, "said", str(most), *urls]
    code, out, err = await ended(await forked(program, directory=Path("/"), environ=ENVIRON))
    assert code == 0, err
    found = json.loads(out)
    return {url: {command: tuple(one) for command, one in each.items()} for url, each in found.items()}


# -- As any user --


async def test_a_file_that_is_no_database_is_said(folder: Path) -> None:
    path = folder / "bot.db"
    path.write_text("not a database, but long enough to be looked at " * 50)
    agree(await said(f"sqlite:///{path}"), "database_file_not_sqlite", str(path))


async def test_a_damaged_database_is_said(folder: Path) -> None:
    path = await made(folder / "bot.db")
    contents = path.read_bytes()
    path.write_bytes(contents[:4096] + bytes(b ^ 0xFF for b in contents[4096:]))
    agree(await said(f"sqlite:///{path}"), "database_file_corrupt", str(path), "Restore a backup")


async def test_a_place_that_cannot_hold_a_file_is_said(folder: Path) -> None:
    (folder / "a-directory").mkdir()
    (folder / "a-file").touch()
    missing = folder / "nowhere" / "bot.db"
    agree(await said(f"sqlite:///{missing}"), "database_directory_missing", f"no directory {missing.parent}")
    agree(await said(f"sqlite:///{folder}/a-file/bot.db"), "database_directory_missing", "a-file")
    agree(await said(f"sqlite:///{folder}/a-directory"), "database_path_not_a_file", "a-directory")


async def test_tables_of_another_program_in_a_file_are_said(folder: Path) -> None:
    for name, statement in (
        ("one", "CREATE TABLE sessions (id)"),
        ("two", "CREATE TABLE facts (question)"),
        ("three", "CREATE TABLE facts (name, value); INSERT INTO facts VALUES ('version', 'two')"),
    ):
        path = folder / f"{name}.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(statement)
        agree(await said(f"sqlite:///{path}"), "database_schema_conflict", "that nothing else uses")


async def test_a_look_leaves_no_trace_in_the_directory(folder: Path) -> None:
    path = await made(folder / "bot.db")
    before = names_and_times(folder)
    from bot.check import database
    from bot.config.settings import DatabaseSettings

    for name in ("bot.db", "another.db"):
        await database.check_database(
            DatabaseSettings(retention_days=30, url=f"sqlite:///{path.with_name(name)}", keys=())
        )
    assert names_and_times(folder) == before


# -- As another user --


@as_root
async def test_files_and_directories_of_another_user_are_said(folder: Path) -> None:
    closed, open_, barred = (folder / name for name in ("closed", "open", "barred"))
    for each in (closed, open_, barred):
        each.mkdir()
        os.chown(each, USER, USER)
    new, there = closed / "new.db", await made(closed / "there.db")
    await made(open_ / "roots.db", owner=0, group=0)
    await made(open_ / "readable.db", owner=0, group=0, mode=0o644)
    await made(open_ / "wal.db", mode=0o600)
    (open_ / "wal.db-wal").touch(0o600)
    await made(barred / "bot.db")
    os.chown(closed, 0, 0)
    os.chown(barred, 0, 0)
    barred.chmod(0o700)
    expected = {
        new: ("database_directory_denied", str(closed)),
        there: ("database_directory_denied", str(closed)),
        open_ / "roots.db": ("database_file_denied", f"{open_}/roots.db"),
        open_ / "readable.db": ("database_file_denied", f"{open_}/readable.db"),
        open_ / "wal.db": ("database_file_denied", f"{open_}/wal.db-wal"),
        barred / "bot.db": ("database_file_denied", f"{barred}/bot.db"),
    }
    found = await by_another(*(f"sqlite:///{path}" for path in expected))
    for path, (code, words) in expected.items():
        agree(found[f"sqlite:///{path}"], code, words)


@as_root
async def test_a_lock_file_of_another_user_stops_run_alone(folder: Path) -> None:
    path = await made(folder / "bot.db")
    path.with_name("bot.db.lock").touch(0o600)
    found = (await by_another(f"sqlite:///{path}"))[f"sqlite:///{path}"]
    assert found["hosts"] == ("", "")
    assert found["run"] == found["check"]
    assert found["run"][0] == "database_file_denied"
    assert f"{path}.lock" in found["run"][1]


@as_root
async def test_a_file_of_another_user_that_the_group_may_write_is_used(folder: Path) -> None:
    path = await made(folder / "bot.db", owner=0, mode=0o660)
    found = await by_another(f"sqlite:///{path}")
    work(found[f"sqlite:///{path}"])
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, 0o660)


@as_root
async def test_a_disk_quota_or_limit_that_is_reached_is_said(folder: Path) -> None:
    path = await made(folder / "bot.db")
    url = f"sqlite:///{path}"
    found = await by_another(url, most=16_384)
    agree(found[url], "database_disk_full", f"The database {path} has no room left")


@pytest.fixture
def mounted(folder: Path) -> Iterator[Callable[[str], None]]:
    """Mount a file system of 64 KiB on the folder, or remount it with another option."""
    mounts: list[Path] = []

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", f"size=64k,uid={USER},gid={USER},{options}", "tmpfs", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("root may not mount anything here")
        mounts[:] = [folder]

    yield mount
    for each in mounts:
        subprocess.run(["umount", str(each)], check=True)


@as_root
async def test_a_full_disk_and_a_read_only_one_are_said(folder: Path, mounted: Callable[[str], None]) -> None:
    mounted("mode=755")
    url = f"sqlite:///{folder}/bot.db"
    agree((await by_another(url))[url], "database_disk_full", "Make room")
    assert set(names_and_times(folder)) == {folder.name}
    mounted("remount,ro")
    agree((await by_another(url))[url], "database_file_system_read_only", "takes no writes")


# -- In the terminal --


async def typed(path: Path, environ: dict[str, str], *arguments: str) -> tuple[int | None, str, str]:
    """Run a command in a process of another user. Stop `run` as soon as it is ready."""
    program = [*PROGRAM, "bot", *arguments]
    process = await forked(program, directory=path.parent, environ=ENVIRON | environ)
    if arguments == ("run",):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None and " ready " not in process.errors():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.02)
        process.terminate()
    return await ended(process)


@as_root
async def test_every_command_warns_of_another_users_file_and_works(folder: Path) -> None:
    path = await made(folder / "bot.db", owner=0, mode=0o660)
    async with open_servers() as servers:
        environ = servers.environ | {"DATABASE_URL": f"sqlite:///{path}"}
        linked = await typed(path, environ, "hosts", "set", "U0ANA", HOST)
        ran = await typed(path, environ, "run")
        checked = await typed(path, environ, "check", "--json")
    assert (linked[0], linked[1]) == (0, f"U0ANA is linked to {HOST}.\n")
    assert ran[0] == 0, ran[2]
    for err in (linked[2], ran[2]):
        assert "the mode of the database file stays as it is mode=0660" in err
    found = {each["name"]: each for each in json.loads(checked[1])["findings"]}
    assert found["database"]["mark"] == "right"
    assert (found["file mode"]["mark"], "0660" in found["file mode"]["what"]) == ("doubt", True)


@as_root
async def test_every_command_prints_the_same_sentence_and_code(folder: Path) -> None:
    path = await made(folder / "bot.db", owner=0, group=0)
    async with open_servers() as servers:
        environ = servers.environ | {"DATABASE_URL": f"sqlite:///{path}", "LOG_LEVEL": "ERROR", "COLUMNS": "500"}
        (ran, listed, checked, told) = await asyncio.gather(
            typed(path, environ, "run"),
            typed(path, environ, "hosts", "list"),
            typed(path, environ, "check", "--json"),
            typed(path, environ, "check"),
        )
    line = f"The file {path} may not be read and written by this user. Give the file to the bot's user."
    code = "database_file_denied"
    assert (ran[0], ran[2]) == (1, f"{line} [{code}]\n{RUN_CHECK}\n")
    assert listed == (1, "", f"{line} [{code}]\n")
    found = {each["name"]: each for each in json.loads(checked[1])["findings"]}["database"]
    assert (checked[0], f"{found['what']} {found['mend']}", found["code"]) == (1, line, code)
    assert f"by this user. [{code}]" in " ".join(told[1].split())


async def test_a_file_that_another_program_has_locked_is_said(tmp_path: Path) -> None:
    """`check` does not take the lock, so it does not see that another program holds it."""
    path = tmp_path / "bot.db"
    await SQLiteStore(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = await said(f"sqlite:///{path}", timing=StorageTiming(busy_timeout_seconds=0.1))
    assert found["run"] == found["hosts"]
    assert found["run"] == ("database_file_locked", SENTENCES["database_file_locked"].format(path=path))
