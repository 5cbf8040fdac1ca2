"""The file of workspaces is read again when it changes, and a file that cannot be used changes nothing."""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.config.reload.secret_files import with_current_secrets
from bot.config.reload.workspaces import WorkspacesWatcher
from bot.config.workspaces.load import Workspaces, read_workspaces
from bot.core.timing import WorkspacesFileTiming
from bot.observability.metrics import PrometheusMetrics
from tests.support.file_rights import as_nobody, as_root, change_mode, folder_for_all
from tests.support.secret_files import SecretMount
from tests.support.settings import HOST, SOCKET, without
from tests.support.workspaces import ACME, GLOBEX, KEPT, process_of, settings_of, socket_table, table

QUICK = WorkspacesFileTiming(poll_seconds=0.02)
UNUSED = "a changed file of workspaces is not used, and all stay as they are"


@dataclass(slots=True)
class Watched:
    """A watcher over a file, and what it told. The test says when it looks."""

    watcher: WorkspacesWatcher
    metrics: PrometheusMetrics
    told: list[Workspaces] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)

    async def look(self, times: int = 2) -> list[str]:
        """Look, and return the names of the workspaces that have another fingerprint since."""
        before = dict(self.watcher.workspaces)
        count = len(self.told)
        for _ in range(times):
            await self.watcher.look(self.told.append)
        assert len(self.told) <= count + 1
        assert len(self.told) == count or self.told[-1] == self.watcher.workspaces
        return changes(before, self.watcher.workspaces)

    def counted(self, result: str) -> float:
        start = f'cobrowse_workspaces_reloads_total{{result="{result}"}} '
        lines = self.metrics.exposition().decode().splitlines()
        return next(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def changes(before: Workspaces, after: Workspaces) -> list[str]:
    names = before.keys() | after.keys()
    return sorted(name for name in names if fingerprint(before, name) != fingerprint(after, name))


def fingerprint(workspaces: Workspaces, name: str) -> str:
    return workspaces[name].fingerprint if name in workspaces else ""


def watched(path: Path, environ: Mapping[str, str] = KEPT) -> Watched:
    process, metrics, masked = process_of(path, environ), PrometheusMetrics(), list[str]()
    watcher = WorkspacesWatcher(process, read_workspaces(process), metrics, masked.extend, timing=QUICK)
    return Watched(watcher, metrics, masked=masked)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "workspaces.toml"
    path.write_text(ACME, encoding="utf-8")
    return path


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Return the path of a file of workspaces in a folder that every user may enter."""
    with folder_for_all() as folder:
        (folder / "workspaces.toml").write_text(ACME, encoding="utf-8")
        yield folder / "workspaces.toml"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def make_private(path: Path) -> None:
    path.chmod(0o600)


def restore(path: Path) -> None:
    """Write the file again, whatever stands in its place."""
    if path.is_dir():
        path.rmdir()
    write(path, ACME)


async def test_changed_file_is_told_once_it_stays_as_it_is(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    each = watched(path)
    assert await each.look(5) == []
    write(path, ACME + GLOBEX)
    assert await each.look(1) == []
    assert await each.look(1) == ["globex"]
    assert [record.fields for record in caplog.records] == [{"workspaces": "globex"}]
    assert (each.counted("ok"), each.counted("unreadable"), each.counted("invalid")) == (1, 0, 0)
    assert KEPT["GLOBEX_BOT_TOKEN"] in each.masked
    write(path, GLOBEX + "cobrowse_company = 'x'")
    assert await each.look() == ["acme", "globex"]
    assert list(each.told[-1]) == ["globex"]


async def test_file_that_is_still_written_is_not_read(path: Path) -> None:
    each = watched(path)
    await each.look()
    for number in range(5):
        write(path, ACME + "# " + "x" * number)
        os.utime(path, (number, number))
        assert await each.look(1) == []
    write(path, GLOBEX)
    assert await each.look() == ["acme", "globex"]


@pytest.mark.parametrize(
    ("spoil", "code", "result"),
    [
        (lambda path: path.write_text("[acme"), "settings_invalid", "invalid"),
        (lambda path: path.write_text(""), "settings_invalid", "invalid"),
        (lambda path: path.write_text(f"{ACME}[Globex]"), "settings_invalid", "invalid"),
        (lambda path: path.unlink(), "file_missing", "unreadable"),
        (lambda path: path.write_bytes(b"\xff"), "file_unreadable", "unreadable"),
        (lambda path: (path.unlink(), path.mkdir()), "file_unreadable", "unreadable"),
    ],
)
async def test_unusable_file_changes_nothing_and_is_logged_once(
    spoil, code: str, result: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    each = watched(path)
    await each.look()
    spoil(path)
    assert await each.look(4) == []
    await each.watcher.look(each.told.append, is_asked=True)
    assert each.told == []
    (record,) = caplog.records
    assert (record.getMessage(), record.fields["error"]) == (UNUSED, code)
    assert each.counted(result) == 1
    restore(path)
    assert await each.look(3) == []
    spoil(path)
    await each.look()
    assert (len(caplog.records), each.counted(result)) == (2, 2)


@as_root
async def test_unreadable_file_of_workspaces_is_read_again(open_path: Path) -> None:
    each = watched(open_path)
    await each.look()
    write(open_path, f"{ACME}{GLOBEX}")
    make_private(open_path)
    with as_nobody():
        assert await each.look(4) == []
    assert each.counted("unreadable") == 1
    assert await each.look(1) == ["globex"]  # the file is as it was


@as_root
async def test_unreadable_secret_of_a_table_is_read_again(open_path: Path) -> None:
    write(open_path, socket_table("acme", open_path.parent))
    (open_path.parent / "acme-slack_bot_token").chmod(0o000)
    with as_nobody():
        each = watched(open_path)
        assert await each.look() == []
        assert each.watcher.workspaces["acme"].error
    assert await each.look() == ["acme"]  # the file is as it was
    assert each.told[-1]["acme"].settings


async def test_secret_of_a_table_whose_mode_is_mended_is_read(open_path: Path) -> None:
    write(open_path, socket_table("acme", open_path.parent))
    token = open_path.parent / "acme-slack_bot_token"
    token.chmod(0o000)
    with as_nobody():
        each = watched(open_path)
        assert await each.look() == []
        assert each.watcher.workspaces["acme"].error
    change_mode(token, 0o644)
    with as_nobody():
        assert await each.look() == ["acme"]
    assert each.told[-1]["acme"].settings


async def test_fault_in_one_table_changes_only_its_workspace(path: Path) -> None:
    each = watched(path)
    await each.look()
    write(path, f"{ACME}{GLOBEX}port = 1\n")
    assert await each.look() == ["globex"]
    assert each.told[-1]["globex"].error
    assert each.told[-1]["acme"].settings
    assert each.counted("ok") == 1


async def test_changed_hosts_file_changes_its_workspace(path: Path) -> None:
    hosts = path.parent / "hosts.csv"
    hosts.write_text(f"slack_user_id,genesys_user_id\nU0ANA,{HOST}\n")
    write(path, f'{ACME}cobrowse_hosts_file = "{hosts}"\n{GLOBEX}')
    each = watched(path)
    await each.look()
    hosts.write_text(f"slack_user_id,genesys_user_id\nU0BEN,{HOST}\n")
    assert await each.look() == ["acme"]
    assert settings_of(each.told[-1]["acme"]).listed_hosts == {(None, "U0BEN"): HOST}
    hosts.unlink()
    assert await each.look() == ["acme"]
    assert each.told[-1]["acme"].error


async def test_missing_secret_of_a_table_is_awaited(path: Path) -> None:
    write(path, socket_table("acme", path.parent))
    token = path.parent / "acme-slack_bot_token"
    held = token.read_text()
    token.unlink()
    each = watched(path)
    assert await each.look(4) == []
    token.write_text(held)
    assert await each.look() == ["acme"]
    assert each.told[-1]["acme"].settings


async def test_changed_secret_of_a_usable_table_is_left_to_its_watcher(path: Path) -> None:
    write(path, socket_table("acme", path.parent))
    each = watched(path)
    await each.look()
    token = path.parent / "acme-slack_bot_token"
    token.write_text("xoxb-2")
    assert await each.look(4) == []
    loaded = settings_of(each.watcher.workspaces["acme"])
    current = await with_current_secrets(loaded)
    assert (current.slack.bot_token, "xoxb-2" in current.logging.secrets) == ("xoxb-2", True)
    assert (current.workspace, current.connect) == ("acme", loaded.connect)
    for unusable in ("xapp-2", ""):
        token.write_text(unusable)
        assert await with_current_secrets(loaded) is loaded


async def test_config_map_is_followed_through_its_links(tmp_path: Path) -> None:
    secrets = {name: value for name, value in SOCKET.items() if "TOKEN" in name or "SECRET" in name}
    mount = SecretMount(tmp_path / "mount", **secrets)
    ids = {"genesys_region": "us-west-2", "genesys_client_id": "client-1"}
    values = ids | {name.lower(): {"file": str(tmp_path / "mount" / name)} for name in secrets}
    mount.set(toml=table("acme", values))
    each = watched(tmp_path / "mount" / "toml")
    await each.look()
    mount.set(toml=table("acme", values | {"cobrowse_company": "Example Shop"}))
    assert await each.look() == ["acme"]
    assert settings_of(each.told[-1]["acme"]).sending.texts.company == "Example Shop"
    mount.set(SLACK_BOT_TOKEN="xoxb-3")  # all files are new ones, and the table says the same
    assert await each.look(4) == []
    mount.set(toml="[acme]\n")
    assert await each.look() == ["acme"]
    assert each.told[-1]["acme"].error


async def test_watcher_follows_the_file_until_its_end(path: Path) -> None:
    each = watched(path)
    read = asyncio.Event()

    def told(workspaces: Workspaces) -> None:
        each.told.append(workspaces)
        read.set()
        raise RuntimeError("the watcher goes on all the same")

    async with each.watcher.watching(told):
        for text in (GLOBEX, ACME + GLOBEX):
            write(path, text)
            await asyncio.wait_for(read.wait(), 10)
            read.clear()
    write(path, ACME)
    await asyncio.sleep(0.1)
    assert [list(workspaces) for workspaces in each.told] == [["globex"], ["acme", "globex"]]


async def test_hangup_reads_the_file_at_once(path: Path) -> None:
    process = process_of(path)
    slow = WorkspacesFileTiming(poll_seconds=3600.0)
    watcher = WorkspacesWatcher(process, read_workspaces(process), PrometheusMetrics(), timing=slow)
    told: asyncio.Queue[Workspaces] = asyncio.Queue()
    async with watcher.watching(told.put_nowait):
        write(path, GLOBEX)
        watcher.read_now()
        assert list(await asyncio.wait_for(told.get(), 10)) == ["globex"]


async def test_moved_setting_in_the_environment_changes_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = ACME.replace("ACME_BOT_TOKEN", "SLACK_BOT_TOKEN")
    write(path, text)
    each = watched(path, without(KEPT, "ACME_BOT_TOKEN") | {"SLACK_BOT_TOKEN": "xoxb-hush"})
    await each.look()
    write(path, GLOBEX)  # nothing names the variable any more
    assert await each.look() == []
    assert caplog.records[-1].fields["why"].startswith("SLACK_BOT_TOKEN: belongs in a table of ")
