"""The workspaces of a file: apart from each other, each with its paths and a fingerprint of what it was read from."""

from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.config import settings
from bot.config.accounts import CALLBACK
from bot.config.settings import SettingsError
from bot.config.workspaces.load import Workspaces, read_workspaces
from bot.slack.manifest import EVENTS_PATH
from tests.support.app import ROOT
from tests.support.settings import FERNET, HOST, SOCKET
from tests.support.workspaces import (
    ACME,
    GLOBEX,
    KEPT,
    fault_of_file,
    faults_of,
    only,
    process_of,
    settings_of,
    socket_table,
    written,
)

HOSTS = f"slack_user_id,genesys_user_id\nU0ANA,{HOST}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspaces.toml"


def fingerprint(path: Path, text: str, before: Workspaces | None = None) -> str:
    return only(read_workspaces(written(path, text), before)).fingerprint


def test_faults_of_one_table_leave_the_others_usable(path: Path) -> None:
    found = read_workspaces(written(path, f"{ACME}port = 1\n{GLOBEX}"))
    assert list(found) == ["acme", "globex"]
    assert faults_of(found["acme"])[0].startswith("[acme] port ")
    assert (settings_of(found["globex"]).workspace, found["globex"].error) == ("globex", None)


def test_workspaces_share_what_belongs_to_the_process(path: Path) -> None:
    environ = KEPT | {"PORT": "3007", "STORE_ENCRYPTION_KEY": FERNET, "LOG_LEVEL": "DEBUG", "HTTPS_PROXY": "proxy:3128"}
    process = written(path, ACME + GLOBEX, environ)
    acme, globex = map(settings_of, read_workspaces(process).values())
    assert acme.database is globex.database is process.database
    assert acme.tracing is globex.tracing
    assert (acme.port, acme.logging.level, acme.slack.proxies) == (3007, "DEBUG", globex.slack.proxies)
    assert acme.service.proxy == "http://proxy:3128"
    assert FERNET in acme.logging.secrets


def test_process_of_one_workspace_has_its_settings() -> None:
    environ = SOCKET | {"PORT": "3007", "DATABASE_URL": "postgresql://bot:hush@db/bot", "STORE_ENCRYPTION_KEY": FERNET}
    process = settings.load(environ).process
    alone = settings.load_part(settings.read_process, environ)
    assert replace(process, logging=alone.logging) == alone
    assert set(alone.logging.secrets) < set(process.logging.secrets)
    assert "hush" not in repr(process)


def test_process_takes_changed_secrets_of_the_database() -> None:
    environ = {"DATABASE_URL": "postgresql://bot:hush@db/bot", "PORT": "3007"}
    process = settings.load_part(settings.read_process, environ)
    changed = settings.load_part(process.with_secrets_from, {"DATABASE_URL": "postgresql://bot:new@db/bot"})
    assert (changed.database.url, changed.port) == ("postgresql://bot:new@db/bot", 3007)
    assert "new" in changed.logging.secrets


def test_secret_of_the_process_is_read_from_its_file_once(path: Path) -> None:
    (path.parent / "key").write_text(FERNET)
    environ = KEPT | {"STORE_ENCRYPTION_KEY_FILE": str(path.parent / "key")}
    process = written(path, ACME, environ)
    (path.parent / "key").unlink()
    loaded = settings_of(only(read_workspaces(process)))
    assert (loaded.database.keys, dict(loaded.sources.files)) == ((FERNET,), {})
    assert list(process.sources.files) == ["STORE_ENCRYPTION_KEY"]


def test_modes_may_be_mixed_in_one_file(path: Path) -> None:
    found = read_workspaces(written(path, ACME + socket_table("globex", path.parent)))
    assert [settings_of(each).slack.mode for each in found.values()] == ["http", "socket"]


def test_sign_ins_and_events_have_a_path_for_each_workspace(path: Path) -> None:
    text = ACME + 'cobrowse_public_url = "https://bot.example.com/co/"\n'
    loaded = settings_of(only(read_workspaces(written(path, text))))
    assert loaded.connect.path == f"/co{CALLBACK}/acme"
    features = settings.load_part(settings.read_features, loaded.sources.environ, loaded.workspace)
    assert (features.path, features.url) == (f"{EVENTS_PATH}/acme", "https://bot.example.com/slack/events/acme")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-hush"}, "slack_bot_token"),
        ({"SLACK_BOT_TOKEN_FILE": "/nowhere"}, "slack_bot_token"),
        ({"GENESYS_CLIENT_ID_FILE": "/nowhere"}, "genesys_client_id"),
        ({"BOT_MODE": "http"}, "bot_mode"),
        ({"COBROWSE_HOSTS_FILE": "hosts.csv"}, "cobrowse_hosts_file"),
    ],
)
def test_setting_of_a_workspace_in_the_environment_is_a_fault(given: dict[str, str], key: str, path: Path) -> None:
    process = written(path, ACME, KEPT | given)
    with pytest.raises(SettingsError) as caught:
        read_workspaces(process)
    (name,) = given
    (told,) = caught.value.faults
    assert told == f"{name}: belongs in a table of {path}, as {key}. Take it out of the environment and of .env."


def test_empty_or_default_setting_in_the_environment_is_none(path: Path) -> None:
    example = dict(dotenv_values(f"{ROOT}/.env.example"))
    environ = KEPT | {name: value or "" for name, value in example.items()} | {"SLACK_BOT_TOKEN": " "}
    assert only(read_workspaces(written(path, ACME, environ))).settings


def test_health_needs_another_port_than_the_workspaces(path: Path) -> None:
    with pytest.raises(SettingsError, match="HEALTH_PORT: must be another port than PORT"):
        written(path, ACME, KEPT | {"PORT": "3000", "HEALTH_PORT": "3000"})


def test_wrong_setting_of_the_process_is_named_once(path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        written(path, ACME + GLOBEX, KEPT | {"PORT": "x", "LOG_LEVEL": "LOUD", "SSL_CERT_FILE": "/nowhere"})
    assert [told.partition(":")[0] for told in caught.value.faults] == ["LOG_LEVEL", "PORT", "SSL_CERT_FILE"]


def test_missing_file_is_refused_as_a_whole(path: Path) -> None:
    assert fault_of_file(process_of(path)).startswith("the file is missing.")


@pytest.mark.parametrize("kind", ["BOT", "APP"])
def test_second_table_of_the_same_app_is_refused(kind: str, path: Path) -> None:
    tokens = {"ACME_APP_TOKEN": "xapp-acme", "GLOBEX_APP_TOKEN": "xapp-globex"}
    environ = KEPT | tokens
    environ[f"GLOBEX_{kind}_TOKEN"] = environ[f"ACME_{kind}_TOKEN"]
    text = "".join(f'{each}slack_app_token = {{env = "{name}_APP_TOKEN"}}\n' for name, each in TABLES.items())
    found = read_workspaces(written(path, text, environ))
    assert found["acme"].settings
    (told,) = faults_of(found["globex"])
    assert told.startswith(f"[globex] slack_{kind.lower()}_token is the same as that of [acme]. ")
    assert "hush" not in told


TABLES = {"ACME": ACME, "GLOBEX": GLOBEX}


def test_usable_workspace_outlives_a_second_table_above_it(path: Path) -> None:
    before = read_workspaces(written(path, GLOBEX))
    copy = GLOBEX.replace("[globex]", "[copy]")
    found = read_workspaces(written(path, copy + GLOBEX), before)
    assert found["globex"] is before["globex"]
    assert faults_of(found["copy"])


def test_second_table_of_the_same_app_becomes_usable_with_its_token(path: Path) -> None:
    text = socket_table("acme", path.parent) + socket_table("globex", path.parent)
    token = path.parent / "globex-slack_bot_token"
    own = token.read_text()
    token.write_text((path.parent / "acme-slack_bot_token").read_text())
    faulty = read_workspaces(written(path, text))
    assert faults_of(faulty["globex"])
    assert str(token) in faulty["globex"].files
    assert faulty["acme"].files == ()
    token.write_text(own)
    assert read_workspaces(process_of(path), faulty)["globex"].settings


def test_fingerprint_stays_if_only_the_writing_changes(path: Path) -> None:
    first, *lines = ACME.splitlines()
    assert fingerprint(path, "\n\n".join([f"# acme\n{first}", *reversed(lines)])) == fingerprint(path, ACME)
    assert only(read_workspaces(written(path, ACME + GLOBEX.replace("[globex]", "[acme.x]")))).error  # a key x
    found = read_workspaces(written(path, GLOBEX + ACME))
    assert found["acme"].fingerprint == fingerprint(path, ACME)


def test_fingerprint_changes_with_the_table_or_its_hosts_file(path: Path) -> None:
    hosts = path.parent / "hosts.csv"
    hosts.write_text(HOSTS)
    text = f'{ACME}cobrowse_hosts_file = "{hosts}"\n'
    with_hosts = only(read_workspaces(written(path, text)))
    assert with_hosts.files == (str(hosts),)
    assert with_hosts.fingerprint not in (fingerprint(path, ACME), fingerprint(path, f"{ACME}cobrowse_company = 'x'\n"))
    hosts.touch()
    assert fingerprint(path, text) == with_hosts.fingerprint
    hosts.write_text(HOSTS.replace("U0ANA", "U0BEN"))
    changed = only(read_workspaces(written(path, text), {"acme": with_hosts}))
    assert changed.fingerprint != with_hosts.fingerprint
    assert settings_of(changed).listed_hosts == {(None, "U0BEN"): HOST}


def test_fingerprint_is_the_same_with_another_secret_in_the_file(path: Path) -> None:
    text = socket_table("acme", path.parent)
    before = read_workspaces(written(path, text))
    (path.parent / "acme-slack_bot_token").write_text("xoxb-another")
    assert fingerprint(path, text) == before["acme"].fingerprint
    (path.parent / "acme-slack_bot_token").unlink()
    assert read_workspaces(process_of(path), before)["acme"] is before["acme"]


def test_table_becomes_usable_with_its_missing_secret(path: Path) -> None:
    text = socket_table("acme", path.parent)
    token = path.parent / "acme-slack_bot_token"
    held = token.read_text()
    token.unlink()
    faulty = read_workspaces(written(path, text))
    assert str(token) in faulty["acme"].files
    token.write_text(held)
    found = read_workspaces(process_of(path), faulty)
    assert found["acme"].settings
    assert found["acme"].fingerprint != faulty["acme"].fingerprint


def test_private_key_of_a_faulty_table_is_looked_at(path: Path) -> None:
    text = ACME.replace('genesys_client_secret = {env = "ACME_CLIENT_SECRET"}', 'genesys_private_key_path = "no.pem"')
    assert only(read_workspaces(written(path, text))).files == ("no.pem",)


def test_unchanged_table_is_not_read_again(path: Path) -> None:
    before = read_workspaces(written(path, ACME + GLOBEX))
    found = read_workspaces(written(path, f"{ACME}bot_mode = 'http'\n{GLOBEX}"), before)
    assert found["acme"] is not before["acme"]
    assert found["globex"] is before["globex"]
    assert list(read_workspaces(written(path, GLOBEX), found)) == ["globex"]
