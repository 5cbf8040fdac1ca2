"""`cobrowse-bot check`: it reports what is right, and what is wrong with the fix. It creates nothing."""

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot import check
from bot.check.results import Status, as_text, failed, ok, passed, warning
from tests.support.app import Servers, free_port, open_servers
from tests.support.check import checked, marks, right_environ, run_checks, untouched

GENESYS_LINES = {"token", "permissions", "application", "users"}


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers(client_secret="a-client-secret") as started:
        yield started


def test_fault_of_a_table_is_split_into_message_and_fix() -> None:
    missing, wrong = "[acme] slack_bot_token is missing. It is on the app's page.", "[acme] bot_mode must be auto."
    first, second, _ = check.from_faults([missing, wrong])
    assert (first.message, first.fix) == ("[acme] slack_bot_token is missing.", "It is on the app's page.")
    assert second.message == wrong
    assert "COBROWSE_WORKSPACES" in second.fix


async def test_correct_setup_has_right_lines_and_creates_nothing(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path))
    assert marks(found) == {}
    wanted = {"settings", "key", "clock", "slack token", "slack scopes", "slack delivery", "database", "hosts file"}
    assert wanted | GENESYS_LINES <= set(found)
    assert "P-256" in found["key"].message
    assert "cobrowse:session:write" in found["permissions"].message
    assert untouched(servers)
    assert os.listdir(tmp_path) == ["private.key"]
    assert servers.slack.count("apps.connections.open") == 1


async def test_socket_is_closed_before_a_command_can_get_lost_in_it(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path))
    assert "hello" in found["slack delivery"].message
    delivery = await servers.slack.command("U0ANA", "")
    assert delivery.error == "dispatch_failed"  # there is no socket


async def test_every_settings_fault_is_a_line_beside_the_other_checks(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path) | {"PORT": "99999", "BOT_MODE": "pigeon", "COBROWSE_SUPERVISOR": "U0SAM"}
    found = await run_checks(environ)
    assert marks(found) == {
        "settings": Status.FAILED,
        "slack token": Status.SKIPPED,
    }
    assert found["token"].status is Status.OK
    environ["BOT_MODE"] = "socket"
    assert (await run_checks(environ))["slack token"].status is Status.OK


async def test_how_a_token_begins_is_said_and_not_taken_for_one(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"SLACK_BOT_TOKEN": "xapp-1-secret"})
    assert "one begins with xoxb-." in found["settings"].message
    assert "secret" not in as_text(list(found.values()))


async def test_faults_end_with_an_example_that_is_not_masked(servers: Servers, tmp_path: Path) -> None:
    key = "GENESYS_PRIVATE_KEY_PATH"
    wrong = {"COBROWSE_EMAIL_FROM": "care", "PORT": "many", key: "", "GENESYS_PRIVATE_KEY": "hush-hush"}
    results = await check.run_checks(right_environ(servers, tmp_path) | wrong, env_file="nowhere")
    fixes = [each.fix for each in results if each.code == "settings_invalid"]
    for line in ("COBROWSE_EMAIL_FROM=care@example.com", "PORT=3000"):
        assert f"Example: {line}" in fixes
    assert any(fix.endswith("MIIE…\\n-----END PRIVATE KEY-----") for fix in fixes)
    assert "hush" not in str(results)


async def test_swapped_tokens_are_called_swapped(servers: Servers, tmp_path: Path) -> None:
    swapped = {"SLACK_BOT_TOKEN": servers.keys.app_token, "SLACK_APP_TOKEN": servers.keys.bot_token}
    found = await run_checks(right_environ(servers, tmp_path) | swapped)
    assert found["settings"].message == "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped."
    assert "Exchange their values" in found["settings"].fix
    assert not [token for token in swapped.values() if token in str(found)]


async def test_unwritable_audit_log_is_wrong_and_not_created(servers: Servers, tmp_path: Path) -> None:
    environ, path = right_environ(servers, tmp_path), tmp_path / "audit.log"
    assert (await run_checks(environ | {"AUDIT_LOG": str(path)}))["audit log"].status is Status.OK
    assert not path.exists()
    assert (await run_checks(environ | {"AUDIT_LOG": "-"}))["audit log"].message == "to standard output"
    for place in (tmp_path, tmp_path / "missing" / "audit.log"):
        found = (await run_checks(environ | {"AUDIT_LOG": str(place)}))["audit log"]
        assert (found.status, found.message) == (Status.FAILED, f"AUDIT_LOG: {place} cannot be written.")


async def test_unread_variable_is_named_with_the_likely_one(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"COBROWSE_SUPERVISOR": "U0SAM"})
    assert found["settings"].status is Status.WARNING
    assert "COBROWSE_SUPERVISORS" in found["settings"].fix


async def test_a_key_that_everybody_can_read_is_wrong(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path)
    (tmp_path / "private.key").chmod(0o644)
    key = (await run_checks(environ))["key"]
    assert "everybody on this machine can read" in key.message
    assert (key.status, key.fix) == (Status.FAILED, f"Run: chmod 600 {environ['GENESYS_PRIVATE_KEY_PATH']}")


def weak_key() -> str:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "cannot be read"), ("no key", "no PEM private key"), (weak_key(), "1024")],
    ids=["none", "text", "weak"],
)
async def test_a_key_that_cannot_be_used_is_wrong(
    servers: Servers, tmp_path: Path, text: str | None, told: str
) -> None:
    environ = right_environ(servers, tmp_path)
    if text is None:
        (tmp_path / "private.key").unlink()
    else:
        (tmp_path / "private.key").write_text(text)
    found = await run_checks(environ)
    assert found["key"].status is Status.FAILED
    assert told in found["key"].message
    assert found["token"].status is Status.SKIPPED


async def test_a_client_secret_needs_no_key(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path) | {"GENESYS_CLIENT_SECRET": "a-client-secret"}
    del environ["GENESYS_PRIVATE_KEY_PATH"]
    found = await run_checks(environ)
    assert marks(found) == {}
    assert "roles" in found["permissions"].message


async def test_secrets_file_that_everybody_can_read_is_a_warning(servers: Servers, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.touch(0o644)
    found = await run_checks(right_environ(servers, tmp_path), env_file=str(file))
    assert found["secrets"].status is Status.WARNING
    assert str(file) in found["secrets"].fix


async def test_unreachable_server_is_named_and_its_checks_left_out(servers: Servers, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    urls = {"SLACK_API_URL": f"{nowhere}/api/", "GENESYS_API_URL": nowhere, "GENESYS_LOGIN_URL": nowhere}
    found = await run_checks(right_environ(servers, tmp_path) | urls)
    assert marks(found) == {
        "genesys": Status.FAILED,
        "token": Status.SKIPPED,
        "slack": Status.FAILED,
        "slack token": Status.SKIPPED,
        "clock": Status.SKIPPED,
    }
    assert "cannot be connected to" in found["genesys"].message


def test_the_screen_holds_a_mark_a_name_and_what_to_do() -> None:
    found = [ok("key", "P-256"), failed("token", "refused " * 30, "Check the key."), warning("clock", "off", "Set it.")]
    lines = as_text(found).splitlines()
    assert lines[0] == "✓ key             P-256"
    assert lines[1].startswith("✗ token           refused")
    assert any(line.strip() == "→ Check the key." for line in lines)
    assert lines[-1] == "1 error, 1 warning."
    assert max(map(len, lines)) <= 110
    assert not passed(found)
    assert passed([found[0], found[2]])


async def test_command_prints_screen_or_json_and_leaves_no_file(servers: Servers, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    environ = right_environ(servers, tmp_path) | {"DATABASE_URL": ""}
    code, out, err = await checked(empty, environ, "--person", "U0ANA", interpreter=True)
    assert (code, err) == (0, ""), out
    assert re.match(r"No errors, (no|\d+) warnings?\.$", out.splitlines()[-1])
    assert "the file cobrowse.db: nothing is there yet" in out

    code, out, err = await checked(empty, environ | {"SLACK_BOT_TOKEN": "xoxb-wrong-token"}, "--json")
    assert (code, err) == (1, ""), out
    report = json.loads(out)
    assert report["ok"] is False
    assert [each["name"] for each in report["findings"] if each["mark"] == "wrong"] == ["slack token"]
    assert os.listdir(empty) == []
    assert untouched(servers)
    for secret in (environ["SLACK_APP_TOKEN"], "xoxb-wrong-token", "PRIVATE KEY", "@"):
        assert secret not in out
