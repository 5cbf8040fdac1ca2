"""Settings from files: the .env file, secrets in their own files, and no secret in a fault or a repr."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.config import settings
from bot.config.session_service import DEFAULT_SCOPES
from bot.config.settings import SettingsError
from bot.config.variables import VARIABLES
from bot.genesys.auth.private_keys import KeyCredentials
from tests.support.private_keys import pem
from tests.support.settings import FERNET, HOST, HTTP, SOCKET, faults, named, without

SECRETS = sorted(name for name, variable in VARIABLES.items() if variable.secret)


def everything() -> dict[str, str]:
    """Return settings for both modes with a value for each secret. Some of these settings exclude each other."""
    passphrase = "passphrase-hush"
    key = {"GENESYS_PRIVATE_KEY": pem(passphrase=passphrase), "GENESYS_PRIVATE_KEY_PASSPHRASE": passphrase}
    return (
        HTTP
        | SOCKET
        | key
        | {"GENESYS_ORG_ID": "org-1", "DATABASE_URL": "postgresql://bot:hush@db/bot", "STORE_ENCRYPTION_KEY": FERNET}
        | {"GENESYS_CONNECT_CLIENT_ID": "people-1", "GENESYS_CONNECT_CLIENT_SECRET": "people-hush-1"}
        | {"SLACK_CONFIG_TOKEN": "xoxe.xoxp-hush-1", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hush-hush-1"}
        | {"SLACK_SIGNING_SECRET_NEXT": "signing-hush-2"}
        | {f"{name}_NEXT": value for name, value in key.items()}
        | {"GENESYS_CLIENT_ID_NEXT": "client-2", "GENESYS_CLIENT_SECRET_NEXT": "genesys-hush-2"}
    )


def without_other_form(name: str) -> dict[str, str]:
    """Everything, of the secret and the key of each client only the one that `name` needs."""
    left_out = [
        f"GENESYS_{'PRIVATE_KEY' if name == f'GENESYS_CLIENT_SECRET{end}' else 'CLIENT_SECRET'}{end}"
        for end in ("", "_NEXT")
    ]
    return without(everything(), *left_out)


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file_and_is_masked(name, tmp_path: Path):
    environ = without_other_form(name)
    (tmp_path / "secret").write_text(f"{environ[name]}\n")
    loaded = settings.load(without(environ, name) | {f"{name}_FILE": str(tmp_path / "secret")})
    assert environ[name].strip() in loaded.logging.secrets
    assert loaded.slack == settings.load(environ).slack


@pytest.mark.parametrize("content", [None, ""])
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("SLACK_BOT_TOKEN", "auto"),
        ("SLACK_APP_TOKEN", "auto"),
        ("SLACK_APP_TOKEN", "socket"),
        ("SLACK_SIGNING_SECRET", "auto"),
        ("SLACK_SIGNING_SECRET", "http"),
        ("GENESYS_CLIENT_SECRET", "auto"),
    ],
)
def test_file_of_a_secret_that_cannot_be_read_is_one_fault(name, mode, content, tmp_path: Path):
    if content is not None:
        (tmp_path / "secret").write_text(content)
    environ = HTTP if name == "SLACK_SIGNING_SECRET" else SOCKET
    (fault,) = faults(without(environ, name) | {f"{name}_FILE": str(tmp_path / "secret"), "BOT_MODE": mode})
    assert fault.startswith(f"{name}_FILE: the file ")


IDS = sorted(name for name, variable in VARIABLES.items() if variable.in_file)


@pytest.mark.parametrize("name", IDS)
def test_id_that_changes_with_a_secret_can_come_from_a_file(name, tmp_path: Path):
    environ = without_other_form("") | {"GENESYS_KEY_ID": "key-1", "GENESYS_KEY_ID_NEXT": "key-2"}
    (tmp_path / "id").write_text(f"{environ[name]}\n")
    loaded = settings.load(without(environ, name) | {f"{name}_FILE": str(tmp_path / "id")})
    read = [loaded.service.credentials, loaded.service.next_credentials]
    assert [(each.client_id, each.key_id) for each in read] == [
        (environ[f"GENESYS_CLIENT_ID{end}"], environ[f"GENESYS_KEY_ID{end}"]) for end in ("", "_NEXT")
    ]
    assert environ[name] not in loaded.logging.secrets


@pytest.mark.parametrize("name", sorted(name for name, variable in VARIABLES.items() if variable.is_next))
def test_file_of_a_next_value_may_be_missing_or_empty(name, tmp_path: Path):
    (tmp_path / "empty").write_text(" \n")
    for path in ("/nowhere/secret", str(tmp_path / "empty")):
        loaded = settings.load(HTTP | {f"{name}_FILE": path})
        assert loaded == settings.load(HTTP)
        assert loaded.sources.files[name].text == ""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert f"{name}_FILE" in named(faults(HTTP | {f"{name}_FILE": str(tmp_path / "binary")}))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"GENESYS_CLIENT_ID_NEXT": "client-2"}, "GENESYS_CLIENT_SECRET_NEXT: is missing"),
        ({"GENESYS_CLIENT_SECRET_NEXT": "hush-hush"}, "GENESYS_CLIENT_ID_NEXT: is missing"),
        ({"GENESYS_PRIVATE_KEY_NEXT": pem(), "GENESYS_ORG_ID": "o"}, "GENESYS_CLIENT_ID_NEXT: is missing"),
        (
            {"GENESYS_PRIVATE_KEY_NEXT": pem(), "GENESYS_CLIENT_ID_NEXT": "client-2"},
            "GENESYS_ORG_ID: is missing",
        ),
        (
            {
                "GENESYS_CLIENT_ID_NEXT": "client-2",
                "GENESYS_CLIENT_SECRET_NEXT": "hush-hush",
                "GENESYS_PRIVATE_KEY_NEXT": pem(),
                "GENESYS_ORG_ID": "o",
            },
            "GENESYS_CLIENT_SECRET_NEXT: is set, and so is GENESYS_PRIVATE_KEY_NEXT",
        ),
    ],
)
def test_half_set_next_client_is_named(given, fault):
    (line,) = faults(HTTP | given)
    assert line.startswith(fault)
    assert "hush" not in line


@pytest.mark.parametrize("name", [name for name in SECRETS if not VARIABLES[name].is_next])
def test_missing_empty_or_extra_secret_file_is_named(name, tmp_path: Path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in ("/nowhere/secret", *(str(tmp_path / file) for file in ("empty", "binary"))):
        assert f"{name}_FILE" in named(faults(without(everything(), name) | {f"{name}_FILE": path}))
    (both,) = [line for line in faults({name: "hush-hush", f"{name}_FILE": "/nowhere"}) if f"{name}_FILE" in line]
    assert both.startswith(f"{name}: ")


def test_broken_slack_secret_file_does_not_hide_a_missing_one():
    environ = without(HTTP, "SLACK_SIGNING_SECRET", "GENESYS_CLIENT_SECRET") | {"SLACK_SIGNING_SECRET_FILE": "/nowhere"}
    assert "GENESYS_CLIENT_SECRET" in named(faults(environ))


def test_no_fault_and_no_repr_shows_a_secret(tmp_path: Path):
    environ = without_other_form("")
    shown = (
        repr(settings.load(environ))
        + repr(settings.load(HTTP))
        + repr(settings.load_part(settings.read_service_alone, environ))
    )
    wrong = {name: f"hush-{number}" for number, name in enumerate(SECRETS)}
    shown += (
        str(faults(everything() | {"BOT_MODE": "x"}))
        + str(faults(wrong))
        + str(faults(wrong, settings.read_service_alone))
    )
    assert "hush" not in shown
    assert FERNET not in shown
    assert not [line for line in environ["GENESYS_PRIVATE_KEY"].splitlines()[1:-1] if line in shown]


def test_the_seeds_own_env_file_is_enough(tmp_path: Path):
    (tmp_path / "private.key").write_text(pem())
    (tmp_path / ".env").write_text(
        f"GENESYS_ORG_ID=org-1\nGENESYS_REGION=mypurecloud.com\nGENESYS_CLIENT_ID=client-1\n"
        f"GENESYS_PRIVATE_KEY_PATH={tmp_path}/private.key\nGENESYS_HOST_USER_ID={HOST}\n"
    )
    service = settings.load_part(settings.read_service_alone, settings.environment(str(tmp_path / ".env")))
    assert (service.api_url, service.login_url) == ("https://api.mypurecloud.com", "https://login.mypurecloud.com")
    assert service.host_id == HOST
    assert isinstance(service.credentials, KeyCredentials)
    assert (service.credentials.org_id, service.credentials.scopes) == ("org-1", DEFAULT_SCOPES)


def test_environment_wins_over_the_env_file_unless_empty(tmp_path: Path, monkeypatch):
    quoted = pem().replace("\n", "\\n")
    (tmp_path / ".env").write_text(
        f'HOST=1.1.1.1\nPORT=1\nLOG_LEVEL=\nexport BOT_MODE="http"\nGENESYS_PRIVATE_KEY="{quoted}"\n'
    )
    monkeypatch.setenv("HOST", "2.2.2.2")
    monkeypatch.setenv("PORT", " ")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    read = settings.environment(str(tmp_path / ".env"))
    assert [read[name] for name in ("HOST", "PORT", "LOG_LEVEL", "BOT_MODE")] == ["2.2.2.2", "1", "DEBUG", "http"]
    assert read["GENESYS_PRIVATE_KEY"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert settings.environment(str(tmp_path / "no.env"))["HOST"] == "2.2.2.2"


def test_an_env_file_that_is_no_text_is_a_fault_and_not_a_crash(tmp_path: Path):
    (tmp_path / ".env").write_bytes(b"HOST=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env"):
        settings.environment(str(tmp_path / ".env"))


@pytest.mark.parametrize(
    "url",
    ["sqlite:///bot.db", "sqlite:////var/lib/bot.db", "postgresql://bot@db/bot", "postgres://bot@db/bot", "memory:"],
)
def test_database_commands_need_only_the_database(url):
    database = settings.load_part(
        settings.read_database, {"DATABASE_URL": url, "SLACK_BOT_TOKEN": "wrong", "GENESYS_REGION": "the moon"}
    )
    assert (database.url, database.keys, database.retention_days) == (url, (), 30)


def test_several_keys_are_read_in_order_from_value_or_file(tmp_path: Path):
    newer = Fernet.generate_key().decode()
    (tmp_path / "keys").write_text(f"{newer}, {FERNET},\n")
    given = {"STORE_ENCRYPTION_KEY": f"{newer},{FERNET}"}, {"STORE_ENCRYPTION_KEY_FILE": str(tmp_path / "keys")}
    assert [settings.load_part(settings.read_database, environ).keys for environ in given] == [(newer, FERNET)] * 2


def test_database_faults_name_variables_and_show_no_secret():
    wrong = {"DATABASE_URL": "mysql://bot:hush@db", "STORE_ENCRYPTION_KEY": "hush", "COBROWSE_RETENTION_DAYS": "never"}
    lines = faults(wrong, settings.read_database)
    assert named(lines) == set(wrong)
    assert "hush" not in str(lines)


def test_each_key_and_database_password_is_known_to_the_logs():
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    url = "postgresql://bot:open%20sesame@db.example/bot"
    secrets = settings.load(HTTP | {"STORE_ENCRYPTION_KEY": f"{new}, {old}", "DATABASE_URL": url}).logging.secrets
    assert {old, new, url, "open sesame", "open%20sesame"} <= set(secrets)
