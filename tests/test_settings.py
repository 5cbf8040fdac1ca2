"""The settings: every fault is found at once, names its variable, and shows no secret."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot import settings
from bot.desk.access import Roll
from bot.genesys.credentials import KeyCredentials, SecretCredentials
from bot.settings import SettingsFault
from bot.settings.variables import VARIABLES

HOST = "2f7b0c9e-0000-4000-8000-000000000001"
GENESYS = {"GENESYS_REGION": "us-west-2", "GENESYS_CLIENT_ID": "client-1", "GENESYS_CLIENT_SECRET": "genesys-hush-1"}
SOCKET = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_APP_TOKEN": "xapp-hush-1"}
HTTP = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_SIGNING_SECRET": "signing-hush-1"}
SECRETS = sorted(name for name, variable in VARIABLES.items() if variable.secret)

WRONG = [
    ("SLACK_BOT_TOKEN", "xoxp-1"),
    ("SLACK_APP_TOKEN", "xoxb-1"),
    ("SLACK_API_URL", "slack.com/api"),
    ("BOT_MODE", "sockets"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "٣"),
    ("SHUTDOWN_SECONDS", "soon"),
    ("GENESYS_REGION", "us west"),
    ("GENESYS_API_URL", "ftp://api.example.com"),
    ("GENESYS_API_URL", "https://api.example.com?x=1"),
    ("GENESYS_LOGIN_URL", "https://exa mple.com"),
    ("GENESYS_LOGIN_URL", "https://h:99999999"),
    ("GENESYS_LOGIN_URL", "https://"),
    ("COBROWSE_COMMAND", "cobrowse"),
    ("COBROWSE_COMMAND", "/co browse"),
    ("COBROWSE_COMMAND", "/Cobrowse"),
    ("COBROWSE_COMMAND", "/" + "x" * 32),
    ("COBROWSE_TIMEOUT_SECONDS", "59"),
    ("COBROWSE_TIMEOUT_SECONDS", "86401"),
    ("COBROWSE_HOSTS_FILE", "/nowhere/hosts.csv"),
    ("COBROWSE_MATCH_EMAIL", "maybe"),
    ("COBROWSE_EMAIL_DOMAINS", "example.com, ana@example.com"),
    ("COBROWSE_SUPERVISORS", "U0BEN, @ben"),
    ("COBROWSE_ADMINS", "C0DESK"),
    ("COBROWSE_MEMBERS", "u0ben"),
    ("COBROWSE_CHANNELS", "#desk"),
    ("DATABASE_URL", "postgres://bot:hush@db/bot"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
]
FREE = {"SLACK_SIGNING_SECRET", "HOST", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_SCOPES"} | {
    *("COBROWSE_APPLICATION_ID", "COBROWSE_APPLICATION_TYPE", "COBROWSE_HELP_CONTACT"),
    *("GENESYS_KEY_ID", "GENESYS_ORG_ID"),
}
ELSEWHERE = {
    "GENESYS_PRIVATE_KEY_PATH",
    "GENESYS_PRIVATE_KEY",
    "GENESYS_PRIVATE_KEY_PASSPHRASE",
    "GENESYS_HOST_USER_ID",
}


def pem(passphrase: bytes | None = None) -> str:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def faults(environ: dict[str, str], load=settings.load) -> list[str]:
    with pytest.raises(SettingsFault) as caught:
        load(environ)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def named(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (SOCKET, "SLACK_BOT_TOKEN"),
        (SOCKET, "SLACK_APP_TOKEN"),
        (SOCKET, "GENESYS_REGION"),
        (SOCKET, "GENESYS_CLIENT_ID"),
        (HTTP | {"BOT_MODE": "http"}, "SLACK_SIGNING_SECRET"),
        (HTTP | SOCKET | {"BOT_MODE": "socket"}, "SLACK_APP_TOKEN"),
        (SOCKET | {"GENESYS_CLIENT_SECRET": "", "GENESYS_PRIVATE_KEY": pem(), "GENESYS_ORG_ID": "o"}, "GENESYS_ORG_ID"),
    ],
)
def test_each_needed_variable_is_missed_by_name_and_alone(given, missing):
    (line,) = faults(without(given, missing))
    assert line.startswith(f"{missing}: ")


def test_without_key_or_client_secret_both_ways_are_named():
    (line,) = faults(without(SOCKET, "GENESYS_CLIENT_SECRET"))
    assert line.startswith("GENESYS_PRIVATE_KEY_PATH: ")
    assert "GENESYS_CLIENT_SECRET" in line


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_each_wrong_variable_is_named_and_alone(name, value):
    environ = HTTP | SOCKET | {name: value}
    assert named(faults(environ)) == {name}


def test_no_variable_is_left_out_of_these_tests():
    assert {name for name, _ in WRONG} | FREE | ELSEWHERE == set(VARIABLES)


def test_all_faults_are_listed_at_once():
    wrong = without(dict(WRONG), "GENESYS_API_URL")
    assert named(faults(wrong)) == {*wrong, "GENESYS_CLIENT_ID", "GENESYS_PRIVATE_KEY_PATH"}
    assert named(faults({})) == {
        *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "GENESYS_REGION", "GENESYS_CLIENT_ID", "GENESYS_PRIVATE_KEY_PATH")
    }


def test_a_broken_file_of_a_slack_secret_does_not_hide_that_genesyss_is_missing():
    environ = without(HTTP, "SLACK_SIGNING_SECRET", "GENESYS_CLIENT_SECRET") | {"SLACK_SIGNING_SECRET_FILE": "/nowhere"}
    assert "GENESYS_PRIVATE_KEY_PATH" in named(faults(environ))


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_an_empty_value_is_the_same_as_none(name):
    def outcome(environ: dict[str, str]) -> object:
        try:
            return settings.load(environ)
        except SettingsFault as fault:
            return fault.faults

    assert outcome(HTTP | SOCKET | {name: " \t"}) == outcome(without(HTTP | SOCKET, name))


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        (SOCKET, "socket"),
        (HTTP, "http"),
        (HTTP | SOCKET, "socket"),
        (HTTP | SOCKET | {"BOT_MODE": "http"}, "http"),
        (HTTP | SOCKET | {"BOT_MODE": "Socket"}, "socket"),
        (HTTP | {"BOT_MODE": "auto"}, "http"),
    ],
)
def test_the_mode_follows_the_tokens_unless_it_is_set(environ, mode):
    assert settings.load(environ).slack.mode == mode


def test_slacks_oauth_variables_change_nothing():
    others = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x", "SLACK_SCOPES": "admin"}
    assert settings.load(HTTP | others) == settings.load(HTTP)


def test_the_defaults_are_those_of_the_contract():
    loaded = settings.load(SOCKET)
    assert (loaded.host, loaded.port, loaded.shutdown_seconds) == ("127.0.0.1", 3000, 20)
    assert (loaded.slack.command, loaded.slack.api_url) == ("/cobrowse", "https://slack.com/api/")
    offer = loaded.service.offer
    assert (offer.application_id, offer.application_type, offer.timeout_seconds) == ("web", "web", 1800)
    assert (loaded.match_email, loaded.listed_hosts, loaded.email_domains) == (True, None, frozenset())
    assert (loaded.logging.level, loaded.logging.as_json) == ("INFO", False)
    assert loaded.service.credentials == SecretCredentials("client-1", "genesys-hush-1", "")


def test_lists_are_read_with_commas_and_spaces(tmp_path: Path):
    (tmp_path / "hosts.csv").write_text(f"slack_user_id,genesys_user_id\nU0ANA,{HOST.upper()}\n", encoding="utf-8-sig")
    lists = {"COBROWSE_SUPERVISORS": "U0BEN, W0CLEO S0SUP,\nS0LEADS", "COBROWSE_CHANNELS": "C0DESK,G0CARE"}
    lists |= {"COBROWSE_EMAIL_DOMAINS": "Example.com,@b.example", "COBROWSE_HOSTS_FILE": str(tmp_path / "hosts.csv")}
    loaded = settings.load(SOCKET | lists)
    assert loaded.rules.supervisors == Roll(frozenset({"U0BEN", "W0CLEO"}), ("S0SUP", "S0LEADS"))
    assert (not loaded.rules.members, loaded.rules.channels) == (True, ("C0DESK", "G0CARE"))
    assert loaded.email_domains == {"example.com", "b.example"}
    assert loaded.listed_hosts == {(None, "U0ANA"): HOST}


def test_a_bad_hosts_file_is_told_with_its_lines(tmp_path: Path):
    (tmp_path / "hosts.csv").write_text("slack_user_id,genesys_user_id\nana,x\nU0BEN,y\n")
    (line,) = faults(SOCKET | {"COBROWSE_HOSTS_FILE": str(tmp_path / "hosts.csv")})
    assert line.startswith("COBROWSE_HOSTS_FILE: ")
    assert "line 2" in line
    assert "line 3" in line


def test_the_command_line_needs_no_slack_and_minds_no_wrong_one():
    assert settings.load_service(GENESYS | {"SLACK_BOT_TOKEN": "wrong", "BOT_MODE": "wrong"}).host_id is None
    assert named(faults(GENESYS | {"GENESYS_HOST_USER_ID": "ana"}, settings.load_service)) == {"GENESYS_HOST_USER_ID"}
    assert not [line for line in faults({}, settings.load_service) if "SLACK" in line]


def test_both_addresses_stand_in_for_the_region():
    urls = {"GENESYS_API_URL": "http://localhost:1/", "GENESYS_LOGIN_URL": "https://login.example.com/sub/"}
    service = settings.load_service(without(GENESYS, "GENESYS_REGION") | urls)
    assert (service.api_url, service.login_url) == ("http://localhost:1", "https://login.example.com/sub")
    one = settings.load_service(GENESYS | {"GENESYS_API_URL": "https://gw.example.com"})
    assert (one.api_url, one.login_url) == ("https://gw.example.com", "https://login.usw2.pure.cloud")


def test_the_seeds_own_env_file_is_enough(tmp_path: Path):
    (tmp_path / "private.key").write_text(pem())
    (tmp_path / ".env").write_text(
        f"GENESYS_ORG_ID=org-1\nGENESYS_REGION=mypurecloud.com\nGENESYS_CLIENT_ID=client-1\n"
        f"GENESYS_PRIVATE_KEY_PATH={tmp_path}/private.key\nGENESYS_HOST_USER_ID={HOST}\n"
    )
    service = settings.load_service(settings.environment(str(tmp_path / ".env")))
    assert (service.api_url, service.login_url) == ("https://api.mypurecloud.com", "https://login.mypurecloud.com")
    assert service.host_id == HOST
    assert isinstance(service.credentials, KeyCredentials)
    assert (service.credentials.org_id, service.credentials.scopes) == ("org-1", settings.DEFAULT_SCOPES)


def everything() -> dict[str, str]:
    """Settings for both modes with a value for each secret, some of which cannot stand together."""
    key = {"GENESYS_PRIVATE_KEY": pem(b"passphrase-hush"), "GENESYS_PRIVATE_KEY_PASSPHRASE": "passphrase-hush"}
    return HTTP | SOCKET | key | {"GENESYS_ORG_ID": "org-1", "DATABASE_URL": "memory:hush"}


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file_and_is_known_to_the_logs(name, tmp_path: Path):
    environ = everything()
    environ = without(environ, "GENESYS_PRIVATE_KEY" if name == "GENESYS_CLIENT_SECRET" else "GENESYS_CLIENT_SECRET")
    (tmp_path / "secret").write_text(f"{environ[name]}\n")
    loaded = settings.load(without(environ, name) | {f"{name}_FILE": str(tmp_path / "secret")})
    assert environ[name].strip() in loaded.logging.secrets
    assert loaded.slack == settings.load(environ).slack


@pytest.mark.parametrize("name", SECRETS)
def test_a_secrets_file_that_is_missing_empty_or_one_too_many_is_named(name, tmp_path: Path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in ("/nowhere/secret", *(str(tmp_path / file) for file in ("empty", "binary"))):
        assert f"{name}_FILE" in named(faults(without(everything(), name) | {f"{name}_FILE": path}))
    (both,) = [line for line in faults({name: "hush-hush", f"{name}_FILE": "/nowhere"}) if f"{name}_FILE" in line]
    assert both.startswith(f"{name}: ")


def test_no_fault_and_no_repr_shows_a_secret(tmp_path: Path):
    environ = without(everything(), "GENESYS_CLIENT_SECRET")
    shown = repr(settings.load(environ)) + repr(settings.load(HTTP)) + repr(settings.load_service(environ))
    wrong = {name: f"hush-{number}" for number, name in enumerate(SECRETS)}
    shown += (
        str(faults(everything() | {"BOT_MODE": "x"})) + str(faults(wrong)) + str(faults(wrong, settings.load_service))
    )
    assert "hush" not in shown
    assert not [line for line in environ["GENESYS_PRIVATE_KEY"].splitlines()[1:-1] if line in shown]


def test_the_environment_wins_over_the_env_file_and_an_empty_value_does_not_hide_it(tmp_path: Path, monkeypatch):
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
    with pytest.raises(SettingsFault, match=r"\.env"):
        settings.environment(str(tmp_path / ".env"))
