"""A secret whose file changes while the bot runs: what the bot reads again, and what it keeps as it was."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.ports import INVALID, REFUSED, RELOADED, RELOADS, UNREADABLE
from bot.core.timing import SecretTiming
from bot.observability.logging import Redactor
from tests.support.file_rights import as_nobody, as_root, change_mode, folder_for_all
from tests.support.private_keys import RSA, pem
from tests.support.secret_files import SecretMount, counted, look_twice, watching
from tests.support.settings import FERNET, HTTP, SOCKET, without

TOKEN, APP_TOKEN, SIGNING = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"
KEY, PASSPHRASE = "GENESYS_PRIVATE_KEY", "GENESYS_PRIVATE_KEY_PASSPHRASE"


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_all() as made:
        yield made


def mounted(tmp_path: Path, environ: dict[str, str], *names: str, optional: tuple[str, ...] = ()):
    """Move these settings into files of a mounted folder; return the folder and the environment that is left."""
    mount = SecretMount(tmp_path / "secrets", **{name: f"{environ[name]}\n" for name in names})
    return mount, without(environ, *names) | mount.environ(*optional)


async def test_changed_file_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    mount, environ = mounted(tmp_path, SOCKET, TOKEN)
    async with watching(environ, TOKEN, audit=str(tmp_path / "audit")) as (watcher, reloads, metrics):
        assert [counted(metrics, TOKEN, each) for each in RELOADS] == [0, 0, 0, 0]
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-2")
        await look_twice(watcher)
        (given,) = reloads.given
        assert (given.slack.bot_token, watcher.settings.slack.bot_token) == ("xoxb-hush-2", "xoxb-hush-2")
        assert given == watcher.settings
        assert counted(metrics, TOKEN, RELOADED) == 1
        await look_twice(watcher)
        assert len(reloads.given) == 1
    (line,) = [json.loads(each) for each in (tmp_path / "audit").read_text().splitlines()]
    del line["at"]
    assert line == {"action": "change_secret", "setting": TOKEN, "decision": "allowed", "outcome": "ok"}
    assert "hush" not in caplog.text


async def test_file_that_is_written_in_place_is_read_again(tmp_path: Path):
    (tmp_path / "token").write_text("xoxb-hush-1")
    environ = without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}
    async with watching(environ, TOKEN) as (watcher, reloads, _):
        (tmp_path / "token").write_text("xoxb-hush-2")
        await look_twice(watcher)
        assert [each.slack.bot_token for each in reloads.given] == ["xoxb-hush-2"]


async def test_half_written_file_is_not_read(tmp_path: Path):
    (tmp_path / "token").write_text("xoxb-hush-1")
    environ = without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}
    async with watching(environ, TOKEN) as (watcher, reloads, _):
        for length in range(6, 12):
            (tmp_path / "token").write_text("xoxb-hush-2"[:length])
            await watcher.look()
        assert reloads.given == []
        await watcher.look()
        assert [each.slack.bot_token for each in reloads.given] == ["xoxb-hush-2"]


async def test_asked_watcher_reads_at_once(tmp_path: Path):
    mount, environ = mounted(tmp_path, SOCKET, TOKEN)
    async with watching(environ, TOKEN) as (watcher, reloads, _):
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-2")
        await watcher.look(is_asked=True)
        assert len(reloads.given) == 1


async def test_change_before_the_first_look_is_seen(tmp_path: Path):
    mount, environ = mounted(tmp_path, SOCKET, TOKEN)
    original = SOCKET[TOKEN]
    async with watching(environ, TOKEN) as (watcher, reloads, _):
        assert reloads.given == []
        assert watcher.settings.sources.files[TOKEN].text == original
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-2")
        mount.set(SLACK_BOT_TOKEN=original)
        await look_twice(watcher)
        assert reloads.given == []


@pytest.mark.parametrize(
    ("text", "result", "code"),
    [
        (None, UNREADABLE, "file_missing"),
        ("", UNREADABLE, "file_empty"),
        (" \n", UNREADABLE, "file_empty"),
        ("\ud8ff", UNREADABLE, "file_unreadable"),
        ("xapp-hush-hush", INVALID, "settings_invalid"),
        ("xoxb-hush\nxoxb-hush", INVALID, "settings_invalid"),
    ],
)
async def test_file_with_a_fault_leaves_the_old_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str | None, result: str, code: str
):
    path = tmp_path / "token"
    path.write_text("xoxb-hush-1")
    environ = without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(path)}
    async with watching(environ, TOKEN) as (watcher, reloads, metrics):
        if text is None:
            path.unlink()
        else:
            path.write_text(text, errors="surrogatepass")
        await look_twice(watcher)
        await watcher.look(is_asked=True)
        assert reloads.given == []
        assert watcher.settings.slack.bot_token == "xoxb-hush-1"
        (record,) = caplog.records
        assert record.getMessage() == "a changed secret is not used, and the old one stays"
        assert (record.fields["setting"], record.fields["error"]) == (TOKEN, code)
        assert "hush" not in str(record.fields)
        assert counted(metrics, TOKEN, result) == 1
        path.write_text("xoxb-hush-2")
        await look_twice(watcher)
        assert [each.slack.bot_token for each in reloads.given] == ["xoxb-hush-2"]


async def test_folder_in_place_of_a_file_leaves_the_old_value(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "token"
    path.write_text("xoxb-hush-1")
    async with watching(without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(path)}, TOKEN) as (watcher, reloads, _):
        path.unlink()
        path.mkdir()
        await look_twice(watcher)
        assert reloads.given == []
        assert [record.fields["error"] for record in caplog.records] == ["file_unreadable"]


async def test_file_whose_mode_is_mended_is_read_at_once(folder: Path):
    path = folder / "token"
    path.write_text("xoxb-hush-1")
    no_retry = SecretTiming(poll_seconds=3600.0, retry_seconds=3600.0)
    environ = without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(path)}
    async with watching(environ, TOKEN, timing=no_retry) as (watcher, reloads, metrics):
        path.write_text("xoxb-hush-2")
        path.chmod(0o000)
        with as_nobody():
            await look_twice(watcher)
        assert counted(metrics, TOKEN, UNREADABLE) == 1
        change_mode(path, 0o644)
        with as_nobody():
            await look_twice(watcher)
        assert [each.slack.bot_token for each in reloads.given] == ["xoxb-hush-2"]


@as_root
async def test_unreadable_file_is_tried_again_until_it_is_read(folder: Path):
    path = folder / "token"
    path.write_text("xoxb-hush-1")
    environ = without(SOCKET, TOKEN) | {"SLACK_BOT_TOKEN_FILE": str(path)}
    async with watching(environ, TOKEN) as (watcher, reloads, metrics):
        path.write_text("xoxb-hush-2")
        path.chmod(0o600)
        with as_nobody():
            await look_twice(watcher)
            await look_twice(watcher)
        assert (counted(metrics, TOKEN, UNREADABLE), reloads.given) == (1, [])
        await watcher.look()  # the file is as it was
        assert [each.slack.bot_token for each in reloads.given] == ["xoxb-hush-2"]


async def test_refused_value_is_tried_again_until_it_is_accepted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    mount, environ = mounted(tmp_path, SOCKET, TOKEN)
    async with watching(environ, TOKEN) as (watcher, reloads, metrics):
        reloads.code = "slack_token_refused"
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-2")
        await look_twice(watcher)
        await look_twice(watcher)
        assert len(reloads.given) == 3
        assert watcher.settings.slack.bot_token == "xoxb-hush-1"
        assert [record.fields["error"] for record in caplog.records] == ["slack_token_refused"]
        reloads.code = ""
        await watcher.look()
        assert watcher.settings.slack.bot_token == "xoxb-hush-2"
        assert (counted(metrics, TOKEN, REFUSED), counted(metrics, TOKEN, RELOADED)) == (1, 1)
        await look_twice(watcher)
        assert len(reloads.given) == 4


async def test_refused_value_is_tried_less_and_less_often(tmp_path: Path):
    mount, environ = mounted(tmp_path, SOCKET, TOKEN)
    timing = SecretTiming(poll_seconds=3600.0, retry_seconds=10.0, max_retry_seconds=30.0)
    now = 0.0
    async with watching(environ, TOKEN, timing=timing, clock=lambda: now) as (watcher, reloads, _):
        reloads.code = "slack_token_refused"
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-2")
        await look_twice(watcher)
        tried_at: list[float] = []
        for now in range(1, 100):
            before = len(reloads.given)
            await watcher.look()
            tried_at += [now] * (len(reloads.given) - before)
        assert tried_at == [10, 30, 60, 90]
        mount.set(SLACK_BOT_TOKEN="xoxb-hush-3")
        await look_twice(watcher)
        now += 10
        await watcher.look()
        assert [each.slack.bot_token for each in reloads.given[-2:]] == ["xoxb-hush-3"] * 2


async def test_secrets_of_one_part_change_together(tmp_path: Path):
    given = {KEY: pem(passphrase="old-hush"), PASSPHRASE: "old-hush", "GENESYS_ORG_ID": "o"}
    mount, environ = mounted(tmp_path, without(SOCKET, "GENESYS_CLIENT_SECRET") | given, KEY, PASSPHRASE)
    async with watching(environ, KEY, PASSPHRASE) as (watcher, reloads, metrics):
        mount.set(GENESYS_PRIVATE_KEY=pem(passphrase="new-hush"))
        await look_twice(watcher)
        assert reloads.given == []
        assert counted(metrics, KEY, INVALID) == 1
        mount.set(GENESYS_PRIVATE_KEY_PASSPHRASE="new-hush")
        await look_twice(watcher)
        assert len(reloads.given) == 1
        assert [counted(metrics, name, RELOADED) for name in (KEY, PASSPHRASE)] == [1, 1]


async def test_fault_in_one_file_does_not_hold_up_another(tmp_path: Path):
    mount, environ = mounted(tmp_path, HTTP, TOKEN, SIGNING)
    async with watching(environ, SIGNING) as (watcher, signing, _):
        watcher.subscribe([TOKEN], signing.accept)
        mount.set(SLACK_BOT_TOKEN="no token", SLACK_SIGNING_SECRET="signing-hush-2")
        await look_twice(watcher)
        assert [each.slack.signing_secrets for each in signing.given] == [("signing-hush-2",)]


async def test_second_signing_secret_comes_and_goes(tmp_path: Path):
    mount, environ = mounted(tmp_path, HTTP, SIGNING, optional=(f"{SIGNING}_NEXT",))
    async with watching(environ, SIGNING, f"{SIGNING}_NEXT") as (watcher, reloads, _):
        mount.set(SLACK_SIGNING_SECRET_NEXT="signing-hush-2")
        await look_twice(watcher)
        mount.set(SLACK_SIGNING_SECRET="signing-hush-2", SLACK_SIGNING_SECRET_NEXT=None)
        await look_twice(watcher)
        secrets = [each.slack.signing_secrets for each in reloads.given]
        assert secrets == [("signing-hush-1", "signing-hush-2"), ("signing-hush-2",)]


async def test_key_file_by_its_own_path_is_watched(tmp_path: Path):
    (tmp_path / "genesys.pem").write_text(pem())
    path = {"GENESYS_PRIVATE_KEY_PATH": str(tmp_path / "genesys.pem"), "GENESYS_ORG_ID": "o"}
    async with watching(without(SOCKET, "GENESYS_CLIENT_SECRET") | path, KEY) as (watcher, reloads, _):
        old = watcher.settings.service.credentials
        (tmp_path / "genesys.pem").write_text(pem(RSA))
        await look_twice(watcher)
        assert watcher.settings.service.credentials != old
        assert len(reloads.given) == 1


async def test_new_values_are_masked_even_if_they_are_not_used(tmp_path: Path):
    mount, environ = mounted(tmp_path, SOCKET | {"STORE_ENCRYPTION_KEY": FERNET}, "STORE_ENCRYPTION_KEY")
    redact = Redactor()
    async with watching(environ, "STORE_ENCRYPTION_KEY", mask=redact.add) as (watcher, reloads, _):
        reloads.code = "database_key_mismatch"
        mount.set(STORE_ENCRYPTION_KEY="wrong-hush, other-hush")
        await look_twice(watcher)
        newer = FERNET[::-1][1:] + "="
        mount.set(STORE_ENCRYPTION_KEY=f"{newer},{FERNET}")
        await look_twice(watcher)
        text = f"wrong-hush and other-hush, {newer} and {FERNET}"
        assert redact(text) == "[redacted] and [redacted], [redacted] and [redacted]"


async def test_without_files_nothing_is_watched():
    async with watching(SOCKET, TOKEN) as (watcher, _, metrics):
        assert watcher._watching is None
        assert counted(metrics, TOKEN, RELOADED) == -1


async def test_ended_subscription_is_not_called(tmp_path: Path):
    mount, environ = mounted(tmp_path, SOCKET, APP_TOKEN)
    async with watching(environ, TOKEN) as (watcher, reloads, _):
        watcher.subscribe([APP_TOKEN], reloads.accept)()
        mount.set(SLACK_APP_TOKEN="xapp-hush-2")
        await look_twice(watcher)
        assert reloads.given == []
