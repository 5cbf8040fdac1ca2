"""The settings: all faults are found at once, each names its variable, and each value has its documented meaning."""

import os
from pathlib import Path

import pytest

from bot.config import settings
from bot.config.reader import EXAMPLE
from bot.config.settings import SettingsError
from bot.config.variables import VARIABLES, example
from bot.core.access import Allowlist
from bot.genesys.auth.credentials import SecretCredentials
from bot.observability.logging import Redactor
from tests.support.cases import each_case
from tests.support.private_keys import pem
from tests.support.settings import FERNET, GENESYS, HOST, HTTP, SOCKET, faults, named, without

WRONG = [
    ("SLACK_BOT_TOKEN", "xoxp-1"),
    ("SLACK_APP_TOKEN", "xoxb-1"),
    ("SLACK_CONFIG_TOKEN", "xoxb-1"),
    ("SLACK_API_URL", "slack.com/api"),
    ("BOT_MODE", "sockets"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "٣"),
    ("SHUTDOWN_SECONDS", "soon"),
    ("GENESYS_REQUESTS_PER_MINUTE", "0"),
    ("COBROWSE_PERSON_STARTS_PER_MINUTE", "-1"),
    ("COBROWSE_SUPERVISOR_STARTS_PER_MINUTE", "many"),
    ("COBROWSE_WORKSPACE_STARTS_PER_MINUTE", "1.5"),
    ("COBROWSE_PERSON_INQUIRIES_PER_MINUTE", "-1"),
    ("COBROWSE_JOIN_HOSTS", "https://join.example.com"),
    ("COBROWSE_MAX_IN_FLIGHT", "0"),
    ("GENESYS_REGION", "us west"),
    ("GENESYS_API_URL", "ftp://api.example.com"),
    ("GENESYS_API_URL", "https://api.example.com?x=1"),
    ("GENESYS_LOGIN_URL", "https://exa mple.com"),
    ("GENESYS_LOGIN_URL", "https://h:99999999"),
    ("GENESYS_LOGIN_URL", "https://"),
    ("GENESYS_COBROWSE_API", "public"),
    ("GENESYS_LIVE", "sometimes"),
    ("GENESYS_LIVE", "push"),  # the session service has no notifications
    ("GENESYS_DEPLOYMENT_ID", "my-deployment"),
    ("COBROWSE_JOIN_URL_TEMPLATE", "https://help.example.com/cobrowse"),
    ("COBROWSE_JOIN_URL_TEMPLATE", "http://help.example.com/cobrowse#{joinCode}"),
    ("COBROWSE_PUBLIC_URL", "http://bot.example.com"),
    ("COBROWSE_COMMAND", "cobrowse"),
    ("COBROWSE_COMMAND", "/co browse"),
    ("COBROWSE_COMMAND", "/Cobrowse"),
    ("COBROWSE_COMMAND", "/" + "x" * 32),
    ("COBROWSE_TIMEOUT_SECONDS", "59"),
    ("COBROWSE_TIMEOUT_SECONDS", "86401"),
    ("COBROWSE_HOSTS_FILE", "/nowhere/hosts.csv"),
    ("COBROWSE_MATCH_EMAIL", "maybe"),
    ("COBROWSE_WORKFLOW_STEPS", "sometimes"),
    ("HEALTH_PORT", "0"),
    ("COBROWSE_SMS_FROM", "us"),
    ("COBROWSE_SMS_COUNTRIES", "XX"),
    ("COBROWSE_SMS_TEXT", "no link"),
    ("COBROWSE_EMAIL_FROM", "care"),
    ("COBROWSE_EMAIL_TEXT", "no link"),
    ("COBROWSE_EMAIL_SUBJECT", "{joinUrl}"),
    *[
        (f"{name}_{language}", wrong)
        for language in ("EN", "ES", "PT_BR", "FR", "DE", "JA")
        for name, wrong in (
            ("COBROWSE_SMS_TEXT", "no link"),
            ("COBROWSE_EMAIL_TEXT", "{joinUrl} {company}"),
            ("COBROWSE_EMAIL_SUBJECT", "{joinUrl}"),
        )
    ],
    ("COBROWSE_PERSON_SENDS_PER_MINUTE", "-1"),
    ("COBROWSE_EMAIL_DOMAINS", "example.com, ana@example.com"),
    ("COBROWSE_SUPERVISORS", "U0BEN, @ben"),
    ("COBROWSE_ADMINS", "C0DESK"),
    ("COBROWSE_MEMBERS", "u0ben"),
    ("COBROWSE_CHANNELS", "#desk"),
    ("COBROWSE_RUNBOOK_URL", "http://wiki.example.com/cobrowse"),
    ("COBROWSE_RUNBOOK_URL", "https://wiki.example.com/co browse"),
    ("COBROWSE_RUNBOOK_URL", f"https://wiki.example.com/{'x' * 3000}"),
    ("COBROWSE_RETENTION_DAYS", "0"),
    ("COBROWSE_RETENTION_DAYS", "3651"),
    ("DATABASE_URL", "bot.db"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "sqlite://bot.db"),
    ("DATABASE_URL", "mysql://bot:hush@db/bot"),
    ("STORE_ENCRYPTION_KEY", "hush-hush"),
    ("STORE_ENCRYPTION_KEY", f"{FERNET},{FERNET[1:]}"),
    ("COBROWSE_LANGUAGE", "klingon"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hush@collector:4318"),
    ("COBROWSE_TRACE_GENESYS", "maybe"),
]
FREE = {
    "SLACK_SIGNING_SECRET",
    "SLACK_SIGNING_SECRET_NEXT",
    "HOST",
    "GENESYS_CLIENT_ID",
    "GENESYS_CLIENT_SECRET",
    "GENESYS_SCOPES",
} | {
    *(
        "COBROWSE_APPLICATION_ID",
        "COBROWSE_APPLICATION_TYPE",
        "COBROWSE_HELP_CONTACT",
        "AUDIT_LOG",
        "COBROWSE_WORKSPACES",
        "COBROWSE_COMPANY",
        "COBROWSE_JOINED_STATUSES",
    ),
    *("GENESYS_KEY_ID", "GENESYS_ORG_ID", "GENESYS_CONNECT_CLIENT_ID", "GENESYS_CONNECT_CLIENT_SECRET"),
    *("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"),
    *("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"),
}
ELSEWHERE = {
    "GENESYS_PRIVATE_KEY_PATH",
    "GENESYS_PRIVATE_KEY",
    "GENESYS_PRIVATE_KEY_PASSPHRASE",
    "GENESYS_HOST_USER_ID",
    *("GENESYS_CLIENT_ID_NEXT", "GENESYS_CLIENT_SECRET_NEXT", "GENESYS_KEY_ID_NEXT"),
    *("GENESYS_PRIVATE_KEY_NEXT", "GENESYS_PRIVATE_KEY_PASSPHRASE_NEXT"),
}


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
    assert line.startswith("GENESYS_CLIENT_SECRET: is missing.")
    assert "GENESYS_PRIVATE_KEY_PATH" in line


@each_case("missing", [{"SLACK_SIGNING_SECRET": "", "BOT_MODE": "http"}, {"SLACK_APP_TOKEN": "", "BOT_MODE": "socket"}])
def test_where_slack_shows_a_missing_secret_is_not_masked(missing):
    (line,) = faults(SOCKET | missing)
    sentence = line.partition(EXAMPLE)[0]
    assert "Basic Information" in sentence
    assert Redactor()(sentence) == sentence


@each_case(("name", "value"), WRONG)
def test_each_wrong_variable_is_named_and_alone(name, value):
    environ = HTTP | SOCKET | {name: value}
    assert named(faults(environ)) == {name}


def test_page_for_people_stays_as_it_is():
    page = "https://wiki.example.com/pages/?id=7&x=%20#faults/"
    assert settings.load(SOCKET | {"COBROWSE_RUNBOOK_URL": page}).slack.runbook_url == page
    assert settings.load(SOCKET).slack.runbook_url == ""


def test_no_variable_is_left_out_of_these_tests():
    assert {name for name, _ in WRONG} | FREE | ELSEWHERE == set(VARIABLES)


def test_email_of_a_language_without_a_subject_gets_the_usual_one() -> None:
    texts = settings.load(HTTP | {"COBROWSE_EMAIL_TEXT_PT_BR": "Aqui: {joinUrl}"}).sending.texts
    assert texts.others["pt_BR"].email == "Aqui: {joinUrl}"
    assert texts.others["pt_BR"].email_subject == texts.default.email_subject


def test_opentelemetry_variables_are_passed_on() -> None:
    on = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/base", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    assert settings.load(HTTP).tracing.variables == {}
    assert settings.load(HTTP | on).tracing.variables == on
    for traces in (on, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}):
        for off in ({}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
            assert settings.load(HTTP | traces | off).tracing.is_on is not bool(off)
    assert not settings.load(HTTP | {"COBROWSE_TRACE_GENESYS": "on"}).tracing.is_on


def test_opentelemetry_variables_leave_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "before")
    with settings.added_to_environment({"OTEL_SERVICE_NAME": "inside", "OTEL_NEW": "1"}):
        assert (os.environ["OTEL_SERVICE_NAME"], os.environ["OTEL_NEW"]) == ("inside", "1")
    assert (os.environ["OTEL_SERVICE_NAME"], "OTEL_NEW" in os.environ) == ("before", False)


def test_company_is_named_in_the_usual_text() -> None:
    texts = settings.load(HTTP | {"COBROWSE_COMPANY": "Example Shop"}).sending.texts
    assert (
        texts.fill(texts.default.sms, "https://j", "Ana")
        == "Example Shop: tap to share your screen with Ana: https://j"
    )
    own = {"COBROWSE_COMPANY": "Example Shop", "COBROWSE_SMS_TEXT": "Tap: {joinUrl}"}
    assert settings.load(HTTP | own).sending.texts.default.sms == "Tap: {joinUrl}"


def test_all_faults_are_listed_at_once():
    wrong = without(dict(WRONG), "GENESYS_API_URL")
    assert named(faults(wrong)) == {*wrong, "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET"}
    assert named(faults({})) == {
        *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "GENESYS_REGION", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET")
    }


@each_case("name", sorted(VARIABLES))
def test_an_empty_value_is_the_same_as_none(name):
    def outcome(environ: dict[str, str]) -> object:
        try:
            return settings.load(environ)
        except SettingsError as fault:
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
    database = loaded.database
    assert (database.url, database.keys, database.retention_days) == ("sqlite:///cobrowse.db", (), 30)


def test_lists_are_read_with_commas_and_spaces(tmp_path: Path):
    (tmp_path / "hosts.csv").write_text(f"slack_user_id,genesys_user_id\nU0ANA,{HOST.upper()}\n", encoding="utf-8-sig")
    lists = {"COBROWSE_SUPERVISORS": "U0BEN, W0CLEO S0SUP,\nS0LEADS", "COBROWSE_CHANNELS": "C0DESK,G0CARE"}
    lists |= {"COBROWSE_EMAIL_DOMAINS": "Example.com,@b.example", "COBROWSE_HOSTS_FILE": str(tmp_path / "hosts.csv")}
    loaded = settings.load(SOCKET | lists)
    assert loaded.rules.supervisors == Allowlist(frozenset({"U0BEN", "W0CLEO"}), ("S0SUP", "S0LEADS"))
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
    assert (
        settings.load_part(
            settings.read_service_alone, GENESYS | {"SLACK_BOT_TOKEN": "wrong", "BOT_MODE": "wrong"}
        ).host_id
        is None
    )
    assert named(faults(GENESYS | {"GENESYS_HOST_USER_ID": "ana"}, settings.read_service_alone)) == {
        "GENESYS_HOST_USER_ID"
    }
    assert not [line for line in faults({}, settings.read_service_alone) if "SLACK" in line]


def test_both_addresses_stand_in_for_the_region():
    urls = {"GENESYS_API_URL": "http://localhost:1/", "GENESYS_LOGIN_URL": "https://login.example.com/sub/"}
    service = settings.load_part(settings.read_service_alone, without(GENESYS, "GENESYS_REGION") | urls)
    assert (service.api_url, service.login_url) == ("http://localhost:1", "https://login.example.com/sub")
    one = settings.load_part(settings.read_service_alone, GENESYS | {"GENESYS_API_URL": "https://gw.example.com"})
    assert (one.api_url, one.login_url) == ("https://gw.example.com", "https://login.usw2.pure.cloud")


@pytest.mark.parametrize(
    ("value", "code"), [("", ""), ("de", "de"), ("EN", "en"), ("pt-BR", "pt_BR"), ("pt_br", "pt_BR")]
)
def test_language_is_that_of_a_catalogue(value: str, code: str):
    assert settings.load(SOCKET | {"COBROWSE_LANGUAGE": value}).language == code


def test_unknown_language_is_told_with_those_there_are():
    (line,) = faults(SOCKET | {"COBROWSE_LANGUAGE": "pt"})
    assert line.startswith("COBROWSE_LANGUAGE: must be en, de, es, fr, ja or pt_BR, not 'pt'.")


@each_case(("name", "value"), WRONG)
def test_each_fault_shows_an_example_that_is_right(name, value):
    for line in faults(HTTP | SOCKET | {name: value}):
        assert any(words in line for words in ("such as", "Write https://", f"Example: {name}=")), line


def test_every_variable_has_an_example_and_the_settings_take_it():
    examples = {name: example(name).removeprefix(f"{name}=") for name in VARIABLES}
    assert all(examples.values())
    shortened = {name for name, value in examples.items() if "…" in value}
    assert shortened == {name for name, variable in VARIABLES.items() if variable.secret} - {
        *("GENESYS_PRIVATE_KEY_PASSPHRASE", "GENESYS_PRIVATE_KEY_PASSPHRASE_NEXT", "DATABASE_URL")
    }
    files = {"GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_PASSPHRASE", "COBROWSE_HOSTS_FILE"}
    files |= {"GENESYS_PRIVATE_KEY_PASSPHRASE_NEXT"}
    others = {name: value for name, value in examples.items() if name not in shortened | files}
    others["GENESYS_CONNECT_CLIENT_ID"] = "another-client"
    needed = {"STORE_ENCRYPTION_KEY": FERNET, "GENESYS_CONNECT_CLIENT_SECRET": "hush"}
    needed |= {"GENESYS_CLIENT_SECRET_NEXT": "hush"}
    loaded = settings.load(SOCKET | others | needed)
    assert (loaded.service.api_url, loaded.sending.sms_from) == ("https://api.usw2.pure.cloud", "+14155550100")


TOKENS = {"SLACK_BOT_TOKEN": "xapp-hush-1", "SLACK_APP_TOKEN": "xoxb-hush-1"}


def test_swapped_tokens_are_called_swapped_in_one_fault():
    (line,) = faults(SOCKET | TOKENS)
    assert line.startswith("SLACK_BOT_TOKEN: and SLACK_APP_TOKEN are swapped. Exchange their values:")
    assert "hush" not in line
    (line,) = faults(SOCKET | TOKENS | {"SLACK_APP_TOKEN": "xoxe.xoxb-hush-1"})
    assert "are swapped" in line


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SLACK_BOT_TOKEN", "xapp-hush", "This is an app-level token, which belongs to SLACK_APP_TOKEN."),
        ("SLACK_BOT_TOKEN", "xoxp-hush", "This is a user's token. Take the Bot User OAuth Token"),
        ("SLACK_BOT_TOKEN", "xoxe.xoxp-hush", "This is an app configuration token."),
        ("SLACK_BOT_TOKEN", "0f" * 16, "This looks like the signing secret"),
        ("SLACK_APP_TOKEN", "xoxb-hush", "This is a bot token, which belongs to SLACK_BOT_TOKEN."),
        ("SLACK_APP_TOKEN", "0f" * 16, "This looks like the signing secret"),
        ("SLACK_SIGNING_SECRET", "xapp-hush", "This is an app-level token"),
        ("SLACK_SIGNING_SECRET", "xoxb-hush", "This is a bot token"),
        ("SLACK_SIGNING_SECRET_NEXT", "xapp-hush", "This is an app-level token"),
        ("SLACK_CONFIG_TOKEN", "xoxe-1-hush", "This is the refresh token. Take the access token."),
        ("SLACK_CONFIG_TOKEN", "xapp-hush", "This is an app-level token"),
    ],
)
def test_token_in_another_ones_place_is_told_where_it_belongs(name, value, told):
    (line,) = faults(HTTP | SOCKET | {name: value})
    assert line.startswith(f"{name}: ")
    assert told in line
    assert value not in line


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({}, "off"),
        ({"GENESYS_LIVE": "poll"}, "poll"),
        ({"GENESYS_COBROWSE_API": "conversations"}, "poll"),
        ({"GENESYS_COBROWSE_API": "conversations", "GENESYS_LIVE": "Off"}, "off"),
        ({"GENESYS_COBROWSE_API": "conversations", "GENESYS_LIVE": "push"}, "push"),
    ],
)
def test_bot_watches_sessions_where_genesys_tells(values: dict[str, str], mode: str) -> None:
    assert settings.load(SOCKET | values).service.live == mode


def test_words_for_a_joined_customer_ignore_case() -> None:
    loaded = settings.load(SOCKET | {"COBROWSE_JOINED_STATUSES": "Joined, CONNECTED"})
    assert loaded.service.joined_statuses == {"joined", "connected"}
