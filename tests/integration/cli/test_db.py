"""`cobrowse-bot db`, as somebody types it: status, upgrade, backup, restore and the change of the key."""

import asyncio
import json
import os
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from bot.cli.commands import main
from bot.core.models import RequestState
from bot.core.requests.recovery import known_failure
from bot.storage.open import open_store
from bot.storage.schema import VERSION
from tests.support import cli
from tests.support.app import ROOT
from tests.support.storage import request

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
HOST = "2f7b0c9e-0000-4000-8000-00000000000a"
VERSION_5 = (Path(ROOT) / "tests" / "support" / "data" / "version-5.sql").read_text(encoding="utf-8")
Typed = Callable[..., Awaitable[Result]]
database = cli.database
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.fixture
def db(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return a function that runs a command of `db` in a directory without .env."""
    monkeypatch.chdir(tmp_path)

    async def typed(*arguments: str, **environ: str) -> Result:
        given = {"DATABASE_URL": database} | environ
        words = arguments if arguments[0] in ("hosts", "run") else ("db", *arguments)
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=given))

    return typed


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def store_one(database: str, *keys: str) -> None:
    """Store an unfinished request with a secret response_url."""
    async with open_store(database, keys=keys) as store:
        await store.accept(request())


async def run_on(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.executescript(statement)
    else:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()


async def test_status_of_a_new_and_of_a_used_database(db: Typed, database: str, tmp_path: Path) -> None:
    before = await db("status")
    assert (before.exit_code, before.stderr) == (0, "")
    assert f"Schema: none yet; this program has {VERSION}" in before.stdout
    assert "Needed: Run `cobrowse-bot db upgrade`" in before.stdout
    assert names(tmp_path) == []  # it creates nothing
    await store_one(database, OLD)
    after = await db("status", STORE_ENCRYPTION_KEY=OLD)
    assert after.stdout.splitlines()[1:] == [
        *(f"Schema: {VERSION}; this program has {VERSION}", "Secrets: 1 encrypted with the newest key"),
        "Needed: nothing.",
    ]
    found = json.loads((await db("status", "--json", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")).stdout)
    assert (found["schema"], found["program"], found["needed"]) == (VERSION, VERSION, ["rotate-key"])
    assert found["secrets"] == {"newest_key": 0, "older_key": 1, "unreadable": 0}


async def test_status_says_when_secrets_wait_for_their_first_key(db: Typed, database: str) -> None:
    await store_one(database)
    found = json.loads((await db("status", "--json", STORE_ENCRYPTION_KEY=NEW)).stdout)
    assert (found["encrypted"], found["needed"]) == (False, ["upgrade", "encrypt"])
    assert (await db("upgrade", STORE_ENCRYPTION_KEY=NEW)).exit_code == 0
    found = json.loads((await db("status", "--json", STORE_ENCRYPTION_KEY=NEW)).stdout)
    assert (found["encrypted"], found["needed"], found["secrets"]["newest_key"]) == (True, [], 1)


async def test_older_database_is_upgraded_once(db: Typed, database: str) -> None:
    await run_on(database, VERSION_5.replace(":now", "1"))
    assert json.loads((await db("status", "--json")).stdout)["needed"] == ["upgrade"]
    result = await db("upgrade")
    assert (result.exit_code, result.stdout) == (0, f"The database has schema {VERSION} now; it had 5.\n")
    again = await db("upgrade")
    assert again.stdout == f"Nothing to do: the database has schema {VERSION}, like this program.\n"
    assert "Needed: nothing." in (await db("status")).stdout


NEWER = f"UPDATE facts SET value = '{VERSION + 1}' WHERE name = 'version'"
"""What a program of the next version leaves, if its step only adds something."""
OUT_OF_REACH = "UPDATE facts SET value = '99' WHERE name IN ('version', 'usable_from')"


async def test_newer_database_that_this_program_can_use_needs_nothing(db: Typed, database: str) -> None:
    await store_one(database, OLD)
    await run_on(database, NEWER)
    status = await db("status", STORE_ENCRYPTION_KEY=OLD)
    assert f"Schema: {VERSION + 1}; this program has {VERSION}, and can use the newer one" in status.stdout
    assert "Needed: nothing." in status.stdout
    upgrade = await db("upgrade", STORE_ENCRYPTION_KEY=OLD)
    told = f"Nothing to do: the database has schema {VERSION + 1}. This program has {VERSION}, and can use it.\n"
    assert (upgrade.exit_code, upgrade.stdout) == (0, told)


@pytest.mark.parametrize("command", [["db", "rotate-key"], ["export", "U0ANA"], ["forget", "U0ANA"]])
async def test_command_that_reads_everything_needs_the_newer_bot(
    database: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await store_one(database, OLD)
    await run_on(database, NEWER)
    environ = {"DATABASE_URL": database, "STORE_ENCRYPTION_KEY": f"{NEW},{OLD}"}
    result = await asyncio.to_thread(lambda: CliRunner().invoke(main, command, env=environ))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"of a newer version ({VERSION + 1}) than this program ({VERSION})" in result.stderr
    assert "Run it with the newer program. [database_newer_for_command]" in result.stderr
    async with open_store(database, keys=[OLD]) as store:
        assert len(await store.orphans()) <= 1  # what was stored is there, and nothing was encrypted with another key


@only_sqlite
async def test_usable_backup_of_a_newer_program_is_restored(db: Typed, database: str, tmp_path: Path) -> None:
    await store_one(database, OLD)
    await run_on(database, NEWER)
    assert (await db("backup", "copy.db", STORE_ENCRYPTION_KEY=OLD)).exit_code == 0
    result = await db("restore", "copy.db", "--yes", STORE_ENCRYPTION_KEY=OLD)
    assert (result.exit_code, result.stderr) == (0, "")
    await run_on(database, OUT_OF_REACH)
    (tmp_path / "copy.db").unlink()
    refused = await db("backup", "copy.db", STORE_ENCRYPTION_KEY=OLD)
    assert refused.exit_code == 1
    assert "newer version" in refused.stderr


@pytest.mark.parametrize("command", [["status"], ["upgrade"]])
async def test_newer_database_is_refused_with_both_versions(db: Typed, database: str, command: list[str]) -> None:
    await db("upgrade")
    await run_on(database, OUT_OF_REACH)
    result = await db(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"of a newer version (99) than this program ({VERSION})" in result.stderr


@pytest.mark.parametrize("command", [["status"], ["upgrade"], ["rotate-key"]])
async def test_key_that_does_not_fit_is_refused(db: Typed, database: str, command: list[str]) -> None:
    await store_one(database, OLD)
    result = await db(*command, STORE_ENCRYPTION_KEY=NEW)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("STORE_ENCRYPTION_KEY does not fit this database")
    assert result.stderr.endswith(" [database_key_mismatch]\n")


@only_sqlite
async def test_file_that_a_bot_uses_is_neither_upgraded_nor_restored(db: Typed, database: str, tmp_path: Path) -> None:
    await run_on(database, VERSION_5.replace(":now", "1"))
    async with open_store(database):
        await run_on(database, "UPDATE facts SET value = '6' WHERE name = 'version'")
        await db("backup", "copy.db")
        for command in (["upgrade"], ["restore", "copy.db", "--yes"]):
            result = await db(*command)
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr.startswith("Another bot runs on the database")
    assert names(tmp_path) == ["bot.db", "bot.db.lock", "copy.db"]


@only_sqlite
async def test_backup_is_private_and_names_itself_in_a_folder(db: Typed, database: str, tmp_path: Path) -> None:
    await store_one(database, OLD)
    (tmp_path / "backups").mkdir()
    for target in ("copy.db", "backups"):
        result = await db("backup", target, STORE_ENCRYPTION_KEY=OLD)
        assert (result.exit_code, result.stdout.count("The backup is ")) == (0, 1)
        assert result.stderr.startswith("Keep STORE_ENCRYPTION_KEY apart from it")
    (named,) = (tmp_path / "backups" / name for name in names(tmp_path / "backups"))
    assert named.name.startswith("cobrowse-2")
    for path in (tmp_path / "copy.db", named):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with closing(sqlite3.connect(path)) as copy:
            assert copy.execute("SELECT count(*) FROM requests").fetchone() == (1,)
            assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert names(tmp_path) == ["backups", "bot.db", "bot.db.lock", "copy.db"]


@only_sqlite
async def test_backup_without_a_key_says_that_it_can_be_read(db: Typed, database: str) -> None:
    await store_one(database)
    assert "who has the file can read the links" in (await db("backup", "copy.db")).stderr


@only_sqlite
async def test_backup_that_the_key_does_not_fit_is_made_and_said(db: Typed, database: str, tmp_path: Path) -> None:
    await store_one(database, OLD)
    result = await db("backup", "copy.db", STORE_ENCRYPTION_KEY=NEW)
    assert result.exit_code == 1
    assert "STORE_ENCRYPTION_KEY does not fit it" in result.stderr
    assert (tmp_path / "copy.db").exists()


@only_sqlite
async def test_backup_overwrites_no_file_and_needs_a_database(db: Typed, database: str, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_text("mine")
    missing = await db("backup", "copy.db")
    assert (missing.exit_code, missing.stderr) == (1, f"There is no database {tmp_path}/bot.db.\n")
    await store_one(database)
    for target, told in (
        ("there.db", "There is a file there.db already. Nothing was changed. Give another name."),
        ("nowhere/copy.db", "The file nowhere/copy.db.part cannot be written: No such file or directory."),
    ):
        result = await db("backup", target)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(told)
        assert result.stderr.count("\n") == 1
    assert (tmp_path / "there.db").read_text() == "mine"


@only_sqlite
async def test_damaged_database_gives_no_backup(db: Typed, database: str, tmp_path: Path) -> None:
    await db("upgrade")
    for _ in range(30):
        await store_one(database)
    with (tmp_path / "bot.db").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4096))
    result = await db("backup", "copy.db")
    assert result.exit_code == 1
    assert "is damaged, and no backup was made" in result.stderr
    assert names(tmp_path) == ["bot.db", "bot.db.lock"]


@only_sqlite
async def test_backup_replaces_a_database_only_with_yes(db: Typed, database: str, tmp_path: Path) -> None:
    await db("hosts", "set", "U0ANA", HOST)
    await db("backup", "copy.db")
    await db("hosts", "set", "U0BEN", HOST)
    refused = await db("restore", "copy.db")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.endswith("Nothing was changed. Add --yes to replace it with the backup.\n")
    assert "U0BEN" in (await db("hosts", "list")).stdout
    result = await db("restore", "copy.db", "--yes")
    assert (result.exit_code, result.stdout) == (
        0,
        f"The database {tmp_path}/bot.db is the backup now. Start the bot.\n",
    )
    assert "U0BEN" not in (await db("hosts", "list")).stdout
    assert "U0ANA" in (await db("hosts", "list")).stdout
    assert stat.S_IMODE((tmp_path / "bot.db").stat().st_mode) == 0o600
    assert names(tmp_path) == ["bot.db", "bot.db.lock", "copy.db"]


@only_sqlite
async def test_request_that_was_accepted_is_not_carried_out_again(db: Typed, database: str, tmp_path: Path) -> None:
    """The request may have been answered after the backup was made."""
    await store_one(database)
    await db("backup", "copy.db")
    await db("restore", "copy.db", "--yes")
    async with open_store(database) as store:
        (kept,) = await store.orphans()
    failure = known_failure(kept)
    assert failure is not None
    assert (failure.code, kept.state) == ("interrupted", RequestState.CREATING)


@only_sqlite
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
@pytest.mark.parametrize("is_there", [True, False])
async def test_backup_that_root_restores_belongs_to_the_bots_user(
    db: Typed, database: str, tmp_path: Path, is_there: bool
) -> None:
    await db("upgrade")
    await db("backup", "copy.db")
    (tmp_path / "bot.db.lock").unlink()
    if is_there:
        os.chown(tmp_path / "bot.db", 10001, 10001)
    else:
        (tmp_path / "bot.db").unlink()
        os.chown(tmp_path, 10001, 10001)
    assert (await db("restore", "copy.db", "--yes")).exit_code == 0
    for name in ("bot.db", "bot.db.lock"):
        assert (tmp_path / name).stat().st_uid == 10001, name


@only_sqlite
async def test_restored_file_takes_nothing_from_the_log_of_the_old_one(
    db: Typed, database: str, tmp_path: Path
) -> None:
    """The process with the old database was killed, so its write-ahead log holds writes that the file does not."""
    await db("hosts", "set", "U0ANA", HOST)
    await db("backup", "copy.db")
    killed = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    killed.execute("UPDATE links SET user_id = 'U0BEN'")
    logs = {path: path.read_bytes() for path in (tmp_path / "bot.db-wal", tmp_path / "bot.db-shm")}
    killed.close()
    for path, content in logs.items():
        path.write_bytes(content)
    assert (await db("restore", "copy.db", "--yes")).exit_code == 0
    assert "U0ANA" in (await db("hosts", "list")).stdout


@only_sqlite
async def test_damaged_database_is_replaced_by_a_backup(db: Typed, database: str, tmp_path: Path) -> None:
    await db("hosts", "set", "U0ANA", HOST)
    await db("backup", "copy.db")
    (tmp_path / "bot.db").write_bytes(b"not a database any more" * 1000)
    assert (await db("restore", "copy.db", "--yes")).exit_code == 0
    assert "U0ANA" in (await db("hosts", "list")).stdout


@only_sqlite
async def test_file_that_is_no_usable_backup_changes_nothing(db: Typed, database: str, tmp_path: Path) -> None:
    await db("hosts", "set", "U0ANA", HOST)
    await db("backup", "newer.db")
    await run_on(f"sqlite:///{tmp_path}/newer.db", OUT_OF_REACH)
    await run_on(f"sqlite:///{tmp_path}/other.db", "CREATE TABLE notes (text TEXT)")
    (tmp_path / "text.db").write_text("no database" * 100)
    (tmp_path / "empty.db").touch()
    await db("backup", "damaged.db")
    with (tmp_path / "damaged.db").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4096))
    before = (tmp_path / "bot.db").read_bytes()
    for name, told in (
        ("missing.db", "There is no file missing.db."),
        ("other.db", "The file other.db is no backup of this program's database."),
        ("text.db", "The file text.db is no backup of this program's database."),
        ("empty.db", "The file empty.db is no backup of this program's database."),
        ("damaged.db", "The file damaged.db is damaged. Take another backup."),
        ("newer.db", "The file newer.db cannot be restored. The database is of a newer version (99)"),
        ("bot.db", "The file bot.db is the database itself. Nothing was changed."),
    ):
        result = await db("restore", name, "--yes")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1), name
        assert result.stderr.startswith(told), name
    assert (tmp_path / "bot.db").read_bytes() == before


@only_sqlite
@pytest.mark.parametrize("keys", ["", NEW], ids=["no key", "another key"])
async def test_restore_says_plainly_that_the_key_does_not_fit(
    db: Typed, database: str, tmp_path: Path, keys: str
) -> None:
    await store_one(database, OLD)
    await db("backup", "copy.db", STORE_ENCRYPTION_KEY=OLD)
    (tmp_path / "bot.db").unlink()
    result = await db("restore", "copy.db", STORE_ENCRYPTION_KEY=keys)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "The file copy.db cannot be restored. STORE_ENCRYPTION_KEY does not fit it: it was written with another key. "
        "Put that key behind yours, separated by a comma.\n"
    )
    assert not (tmp_path / "bot.db").exists()
    assert (await db("restore", "copy.db", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")).exit_code == 0


@only_postgres
async def test_commands_of_postgres_are_told_and_exit_with_1(db: Typed, database: str) -> None:
    backup, restore = await db("backup", "my copy.dump"), await db("restore", "my copy.dump", "--yes")
    assert (backup.exit_code, restore.exit_code) == (1, 1)
    assert backup.stdout == (
        """umask 077\npg_dump --format=custom --no-owner --file='my copy.dump' --dbname="${DATABASE_URL:?}"\n"""
    )
    first, second = restore.stdout.splitlines()
    assert first.startswith("pg_restore --clean --if-exists")
    assert first.endswith(" 'my copy.dump'")
    assert second.startswith("psql ")
    assert "Postgres" in backup.stderr
    assert database not in backup.output + restore.output


@only_postgres
@pytest.mark.parametrize(
    "held", ["DATABASE_URL={}", "DATABASE_URL='{}'", 'DATABASE_URL="{}"', "DATABASE_URL_FILE=~/the file"]
)
async def test_printed_commands_find_the_address_in_the_settings(
    db: Typed, database: str, tmp_path: Path, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "the file").write_text(f"{database}\n")
    (tmp_path / ".env").write_text(f"{held.format(database)}\n")
    for command in ("backup", "restore"):
        printed = (await db(command, "copy.dump", DATABASE_URL="")).stdout
        assert database not in printed
        assert printed.startswith('export DATABASE_URL="$(')
        script = f"{printed.splitlines()[0]}\nprintenv DATABASE_URL"
        shell = await asyncio.create_subprocess_exec("sh", "-c", script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE)
        assert (await shell.communicate())[0].decode() == f"{database}\n"


@only_sqlite
@pytest.mark.parametrize("command", [["backup", "x"], ["restore", "x"], ["upgrade"], ["rotate-key"]])
async def test_memory_is_refused(db: Typed, command: list[str]) -> None:
    result = await db(*command, DATABASE_URL="memory:", STORE_ENCRYPTION_KEY=OLD)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("[database_memory]\n")


async def test_newest_key_encrypts_everything_and_the_old_one_goes(db: Typed, database: str) -> None:
    await store_one(database, OLD)
    result = await db("rotate-key", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Encrypted with the newest key: 1 secrets, now 1 in all.\n")
    again = await db("rotate-key", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")
    assert again.stdout.startswith("Encrypted with the newest key: 0 secrets, now 1 in all.\n")
    found = json.loads((await db("status", "--json", STORE_ENCRYPTION_KEY=NEW)).stdout)
    assert found["secrets"] == {"newest_key": 1, "older_key": 0, "unreadable": 0}


async def test_rotation_without_a_key_is_refused(db: Typed, database: str) -> None:
    await store_one(database)
    result = await db("rotate-key")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("STORE_ENCRYPTION_KEY is not set")


async def test_rotation_beside_a_bot_with_another_newest_key_is_refused(db: Typed, database: str) -> None:
    async with open_store(database, keys=[OLD]) as store:
        asked = request()
        await store.accept(asked)
        result = await db("rotate-key", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")
        assert (result.exit_code, result.stdout) == (1, "")
        told = "Another bot runs" if database.startswith("sqlite") else "1 of the bots that use this database does not"
        assert result.stderr.startswith(told)
        assert (await store.find(asked.id)).request.reply_url == asked.reply_url  # it still reads what it wrote


@only_postgres
async def test_rotation_beside_bots_with_the_newest_key_succeeds(db: Typed, database: str) -> None:
    await store_one(database, OLD)
    async with open_store(database, keys=[NEW, OLD]) as store:
        result = await db("rotate-key", STORE_ENCRYPTION_KEY=f"{NEW},{OLD}")
        assert (result.exit_code, result.stderr) == (0, "")
        assert (await store.secrets.count()).older == 0
