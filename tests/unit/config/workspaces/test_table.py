"""A table is read as the environment is, and each fault names the table and its key and shows no secret."""

import string
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example as with_example
from hypothesis import given
from hypothesis import strategies as st

from bot.config import settings
from bot.config.settings import Settings, SettingsError
from bot.config.variables import PROCESS_ONLY, VARIABLES, WORKSPACE_ONLY, example
from bot.config.workspaces.load import read_workspaces
from bot.core.validation.text import unquoted
from tests.support.settings import FERNET, HTTP
from tests.support.workspaces import ACME, KEPT, faults_of, only, settings_of, table, written

SECRETS = sorted(name for name in WORKSPACE_ONLY if VARIABLES[name].secret)
IDS = sorted(name for name in WORKSPACE_ONLY if VARIABLES[name].in_file)
OTHERS = sorted(WORKSPACE_ONLY - {*SECRETS})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspaces.toml"


def faults(path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    workspace = only(read_workspaces(written(path, text, KEPT | (environ or {}))))
    shown = f"{workspace.error}{workspace!r}"
    assert "hush" not in shown
    return faults_of(workspace)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'slack_app_token = "xapp-hush"',
            "slack_app_token is a secret, which may not stand in this file. Write slack_app_token = "
            '{file = "/run/secrets/acme-slack-app-token"} or slack_app_token = {env = "ACME_SLACK_APP_TOKEN"}.',
        ),
        ('slack_app_token = ["xapp-hush"]', "slack_app_token is a secret, which may not stand in this file."),
        ("slack_app_token = 7", "slack_app_token is a secret, which may not stand in this file."),
        ('slack_app_token = {env = "ACME_NOTHING"}', "slack_app_token names the variable ACME_NOTHING, which is not"),
        ('slack_app_token = {env = "xapp-hush"}', "slack_app_token names a variable that is not set."),
        ('slack_app_token = {env = "BLANK"}', "slack_app_token names a variable that is not set."),
        ('slack_app_token = {env = ""}', "slack_app_token must be slack_app_token = {file ="),
        ('slack_app_token = {file = " "}', "slack_app_token must be slack_app_token = {file ="),
        ('slack_app_token = {file = "a", env = "B"}', "slack_app_token must be slack_app_token = {file ="),
        ('slack_app_token = {path = "hush"}', "slack_app_token must be slack_app_token = {file ="),
        ("slack_app_token = {}", "slack_app_token must be slack_app_token = {file ="),
        (
            'slack_app_token = {file = "/nowhere/hush"}',
            "slack_app_token: the file cannot be read (No such file or directory). "
            'Example: slack_app_token = {file = "/run/secrets/acme-slack-app-token"}',
        ),
        ('slack_app_tokn = "xapp-hush"', "slack_app_tokn is not known. Did you mean slack_app_token?"),
        ('SLACK_APP_TOKEN = "xapp-hush"', "SLACK_APP_TOKEN is not known. Did you mean slack_app_token?"),
        ('slack-app-token = "xapp-hush"', "slack-app-token is not known. Did you mean slack_app_token?"),
        ('slack_app_token_file = "hush"', "slack_app_token_file is not known. Write slack_app_token = {file = "),
        ('wholly_else = "hush"', "wholly_else is not known. Remove it, or look it up among the settings."),
        ('xapp-1-hush = "x"', "a key is not known. Remove it, or look it up among the settings."),
        ("slack = {bot_token = 1}", "slack is not known. Remove it, or look it up among the settings."),
        ("port = 3000", "port is a setting of the process, and not of a workspace. It belongs to the environment"),
        ('HOST = "::"', "HOST is a setting of the process, and not of a workspace. It belongs to the environment"),
        ('database_url = "hush"', "database_url is a setting of the process,"),
        ('cobrowse_workspaces = "x"', "cobrowse_workspaces is a setting of the process,"),
        ('https_proxy = "hush"', "https_proxy is a setting of the process,"),
        ('no_proxy = "x"', "no_proxy is a setting of the process,"),
        ('ssl_cert_file = "x"', "ssl_cert_file is a setting of the process,"),
        ("cobrowse_company = 1.5", "cobrowse_company must be a string, a whole number, true or false, or a list of"),
        ("cobrowse_company = 2026-11-29", "cobrowse_company must be a string, a whole number, true or false, or"),
        ("cobrowse_admins = [7]", "cobrowse_admins must be a string, a whole number, true or false, or a list of"),
        ('cobrowse_company = {file = "x"}', "cobrowse_company must be a string, a whole number, true or false, or"),
        ('cobrowse_admins = ["C0DESK"]', "cobrowse_admins: 'C0DESK' is no user id (U…, W…) or user group (S…)."),
        ("cobrowse_max_in_flight = 0", "cobrowse_max_in_flight must be a whole number from 1 to 100000, not '0'."),
        ("cobrowse_match_email = 2", "cobrowse_match_email must be on or off, or true or false, not '2'. Example:"),
        ('genesys_client_id_next = "x"', "genesys_client_secret_next is missing, and so is genesys_private_key_next."),
        ('cobrowse_hosts_file = "/nowhere"', "cobrowse_hosts_file: the file cannot be read (No such file or"),
        ('cobrowse_sms_from = "7777"', "cobrowse_sms_countries is missing. cobrowse_sms_from needs it:"),
        ('slack_app_token = {env = "ACME_BOT_TOKEN"}', "slack_app_token is no app-level token: one begins with"),
    ],
)
def test_fault_names_the_table_and_the_key(line: str, told: str, path: Path) -> None:
    first, *others = faults(path, f"{ACME}{line}\n", {"BLANK": " "})
    assert first.startswith(f"[acme] {told}")
    assert all("STORE_ENCRYPTION_KEY" in other for other in others)


def test_setting_of_the_process_keeps_its_name_in_a_fault(path: Path) -> None:
    (told,) = faults(path, f'{ACME}cobrowse_email_from = "care@example.com"\n')
    assert told.startswith("[acme] STORE_ENCRYPTION_KEY is missing. cobrowse_email_from needs it:")
    assert told.endswith("Example: STORE_ENCRYPTION_KEY=7XzT…q0=")


@pytest.mark.parametrize("key", ["slack_bot_token", "slack_signing_secret", "genesys_client_secret"])
def test_wrong_key_causes_no_second_fault(key: str, path: Path) -> None:
    lines = [line for line in ACME.splitlines() if not line.startswith(key)]
    (told,) = faults(path, "\n".join([*lines, f'{key} = "hush"']))
    assert told.startswith(f"[acme] {key} is a secret")


def test_empty_table_misses_each_needed_setting(path: Path) -> None:
    keys = ["slack_bot_token", "slack_app_token", "genesys_region", "genesys_client_id", "genesys_client_secret"]
    found = faults(path, "[acme]\n")
    assert [told.removeprefix("[acme] ").partition(" ")[0] for told in found] == keys
    assert all(" is missing" in told for told in found)


@pytest.mark.parametrize("name", SECRETS)
def test_no_fault_or_repr_shows_a_secret(name: str, path: Path) -> None:
    key = name.lower()
    for value in ("xoxb-hush 1", {"env": "xoxb-hush-1"}, {"file": "/nowhere/hush"}, ["hush"], {"hush": "hush"}):
        faults(path, table("acme", {key: value}))
    for held in ("xoxb-hush\u00a01", "xoxe.xoxp-hush", "hush"):
        faults(path, table("acme", {key: {"env": "HELD"}}), {"HELD": held})
    (path.parent / "secret").write_text("hush\u200b")
    faults(path, table("acme", {key: {"file": str(path.parent / "secret")}}))


def test_usable_workspace_shows_no_secret(path: Path) -> None:
    (path.parent / "secret").write_text("xoxb-hush-2")
    text = ACME.replace('{env = "ACME_BOT_TOKEN"}', f'{{file = "{path.parent}/secret"}}')
    workspace = only(read_workspaces(written(path, text)))
    assert settings_of(workspace).slack.bot_token == "xoxb-hush-2"
    assert "hush" not in repr(workspace)
    assert {"xoxb-hush-2", "signing-acme-hush"} <= set(settings_of(workspace).logging.secrets)


@pytest.mark.parametrize("name", sorted(PROCESS_ONLY))
def test_no_setting_of_the_process_is_taken_from_a_table(name: str, path: Path) -> None:
    value = example(name).partition("=")[2]
    (told,) = faults(path, ACME + f'{name.lower()} = "{value}"\n')
    assert told.endswith(f"It belongs to the environment, as {name}.")


def test_table_may_have_an_audit_log_for_itself(path: Path) -> None:
    process = written(path, f'{ACME}audit_log = "acme.jsonl"\n', KEPT | {"AUDIT_LOG": "-"})
    assert (process.audit_log, settings_of(only(read_workspaces(process))).audit_log) == ("-", "acme.jsonl")
    process = written(path, ACME, KEPT | {"AUDIT_LOG": "-"})
    assert settings_of(only(read_workspaces(process))).audit_log == "-"


@pytest.mark.parametrize("name", [*SECRETS, *IDS])
def test_file_or_variable_holds_what_name_file_does(name: str, path: Path) -> None:
    base = {"slack_bot_token": {"env": "ACME_BOT_TOKEN"}, "genesys_region": "us-west-2"}
    (path.parent / "held").write_text("held-1\n")
    read = []
    for value in ({"file": str(path.parent / "held")}, {"env": "HELD"}):
        workspace = only(
            read_workspaces(written(path, table("acme", base | {name.lower(): value}), KEPT | {"HELD": "held-1"}))
        )
        read.append(len(faults_of(workspace)) if workspace.error else settings_of(workspace))
    assert read[0] == read[1]


def test_file_of_a_secret_is_watched_as_name_file_is(path: Path) -> None:
    (path.parent / "secret").write_text("xoxb-2")
    text = ACME.replace('{env = "ACME_BOT_TOKEN"}', f'{{file = "{path.parent}/secret"}}')
    loaded = settings_of(only(read_workspaces(written(path, text))))
    held = loaded.sources.files["SLACK_BOT_TOKEN"]
    assert (held.variable, held.path, held.text) == ("SLACK_BOT_TOKEN_FILE", f"{path.parent}/secret", "xoxb-2")
    assert list(loaded.sources.files) == ["SLACK_BOT_TOKEN"]


def test_variable_may_have_the_name_of_a_setting(path: Path) -> None:
    text = ACME.replace("ACME_BOT_TOKEN", "SLACK_BOT_TOKEN")
    loaded = settings_of(only(read_workspaces(written(path, text, KEPT | {"SLACK_BOT_TOKEN": "xoxb-7"}))))
    assert loaded.slack.bot_token == "xoxb-7"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(string.printable, max_size=12)
VALUES = {
    name: st.one_of(
        st.just(example(name).partition("=")[2]),
        TEXT,
        st.booleans(),
        st.integers(-3, 10**12),
        st.lists(st.sampled_from(["U012AB3CD", "S0123ABCD", "US", "C0DESK", "example.com", "joined"]), max_size=3),
    )
    for name in OTHERS
}
TABLES = st.dictionaries(st.sampled_from(OTHERS), st.none()).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
)
HELD = st.dictionaries(st.sampled_from(SECRETS), TEXT.filter(unquoted), max_size=3)


def in_environment(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(map(str, value))
    return str(value)


def outcome(environ: dict[str, str]) -> Settings | int:
    """Return the settings of an environment, or the number of its faults."""
    try:
        return settings.load(environ)
    except SettingsError as error:
        return len(error.faults)


@given(TABLES, HELD)
@with_example({}, {})
@with_example({"COBROWSE_ADMINS": ["U012AB3CD", "S0123ABCD"], "COBROWSE_MATCH_EMAIL": False}, {})
@with_example({"COBROWSE_SMS_TEXT": 'a "quoted"\ttext\n{joinUrl} \\ \x7f', "COBROWSE_MAX_IN_FLIGHT": 7}, {})
@with_example({"COBROWSE_PUBLIC_URL": "https://bot.example.com", "COBROWSE_SMS_FROM": 14155550100}, {})
def test_table_is_read_as_the_same_environment(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object], held: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    secrets = {name: value for name, value in HTTP.items() if VARIABLES[name].secret} | held
    ids = {name: value for name, value in HTTP.items() if not VARIABLES[name].secret}
    process = {"STORE_ENCRYPTION_KEY": FERNET, "LOG_FORMAT": "json"}
    text = {name.lower(): value for name, value in (ids | values).items()}
    text |= {name.lower(): {"env": f"HELD_{name}"} for name in secrets}
    environ = process | {f"HELD_{name}": value for name, value in secrets.items()}
    workspace = only(read_workspaces(written(path, table("acme", text), environ)))
    wanted = outcome(process | ids | {name: in_environment(value) for name, value in values.items()} | secrets)
    if isinstance(wanted, int):
        assert len(faults_of(workspace)) == wanted
        return
    loaded = settings_of(workspace)
    assert loaded.workspace == "acme"
    assert loaded.connect.redirect_uri == f"{wanted.connect.redirect_uri}/acme"
    connect = replace(loaded.connect, redirect_uri=wanted.connect.redirect_uri)
    assert replace(loaded, workspace="", connect=connect) == wanted


def test_fifty_tables_load_fast(path: Path) -> None:
    text = "".join(ACME.replace("[acme]", f"[acme-{i}]").replace("ACME_BOT", f"BOT_{i}") for i in range(50))
    process = written(path, text, KEPT | {f"BOT_{i}_TOKEN": f"xoxb-{i}" for i in range(50)})
    read_workspaces(process)  # loads what the settings need
    began = time.process_time()
    found = read_workspaces(process)
    spent = time.process_time() - began
    assert all(each.settings for each in found.values())
    assert spent < 50 * 0.006  # 0.5 ms each on a free machine
