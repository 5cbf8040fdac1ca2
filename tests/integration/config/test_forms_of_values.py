"""Settings as people write them: accepted, or one fault with variable, problem and fix.

`run` and `check` report the same fault.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.commands import main
from bot.config import environment, settings
from bot.config.variables import VARIABLES, Form
from tests.support.cases import each_case
from tests.support.file_rights import as_nobody
from tests.support.private_keys import pem
from tests.support.settings import DEAD, FERNET, GENESYS, HOST, HTTP, said_by_check, said_by_run, without

QUOTES = ['"{}"', "'{}'", " “{}” ", "„{}“", "`{}`", '" {} "']
DASH, UNSEEN = "a typographic dash (U+2013)", "an invisible character (U+200B)"
FAULTY = [
    ("SLACK_BOT_TOKEN", "xoxb-12\u201334", f"has {DASH} at character 8"),
    ("SLACK_BOT_TOKEN", "xoxb\u201312-34", f"has {DASH} at character 5"),
    ("SLACK_BOT_TOKEN", "\ufeffxoxb-12-34", "has a byte order mark (U+FEFF) at character 1"),
    ("SLACK_BOT_TOKEN", "xoxb-12\n-34", "has a line break at character 8"),
    ("SLACK_BOT_TOKEN", "xoxb-12 34", "has a space at character 8"),
    ("SLACK_BOT_TOKEN", 'xoxb-12"', "has a quotation mark at character 8"),
    ("SLACK_BOT_TOKEN", "xoxb-12\u00e4", "has a letter that is not ASCII (U+00E4) at character 8"),
    ("SLACK_APP_TOKEN", "xapp-1\u200b2", f"has {UNSEEN} at character 7"),
    ("SLACK_SIGNING_SECRET", "abcdef\u2011g", "has a typographic dash (U+2011) at character 7"),
    ("GENESYS_CLIENT_ID", "11111111\u2013aaaa", f"has {DASH} at character 9"),
    ("GENESYS_CLIENT_SECRET", "ab\u00a0cd", "has an unusual space (U+00A0) at character 3"),
    ("GENESYS_ORG_ID", "org\u200b", f"has {UNSEEN} at character 4"),
    ("GENESYS_KEY_ID", "key 1", "has a space at character 4"),
    ("GENESYS_CONNECT_CLIENT_SECRET", "ab\tcd", "has a tab at character 3"),
    ("STORE_ENCRYPTION_KEY", FERNET.replace("=", "\u200b="), f"has {UNSEEN}"),
    ("DATABASE_URL", "postgresql://bot@d\u200bb/bot", f"has {UNSEEN} at character 19"),
    ("COBROWSE_APPLICATION_ID", "we\u200bb", f"has {UNSEEN} at character 3"),
    ("COBROWSE_SUPERVISORS", "U0B\u200bEN", f"It has {UNSEEN} at character 4"),
    ("HOST", "http://0.0.0.0", "is a URL. Give the address alone"),
    ("HOST", "0.0.0.0:3000", "the port belongs in PORT"),
    ("HOST", "[::1]:3000", "the port belongs in PORT"),
    ("HOST", "127.0.0.1 ::1", "must be an address such as"),
    ("HEALTH_PORT", "tcp://10.0.0.7:80", "Kubernetes sets for a Service of that name. Set enableServiceLinks: false"),
    ("SLACK_API_URL", "slack.com/api", "has no scheme. Write https://slack.com/api"),
    ("GENESYS_API_URL", "api.usw2.pure.cloud", "has no scheme. Write https://api.usw2.pure.cloud"),
    ("COBROWSE_PUBLIC_URL", "bot.example.com", "has no scheme. Write https://bot.example.com"),
    ("HTTPS_PROXY", "http:/proxy.example:3128", "Write it as http://proxy.example.com:3128"),
    ("HTTPS_PROXY", "http://me:hush@proxy.example:99999", "its port cannot be"),
    ("HTTPS_PROXY", "http://me:hu#sh@proxy.example:3128", "%23"),
    ("HTTPS_PROXY", "ftp://proxy.example", "names a proxy of another kind than HTTP"),
    ("https_proxy", "socks4://proxy.example:1080", "names a SOCKS proxy, which is not supported"),
    ("ALL_PROXY", "socks5h://me:hush@proxy.example:1080", "names a SOCKS proxy, which is not supported"),
    ("HTTP_PROXY", "http://", "Write it as http://proxy.example.com:3128"),
    ("SSL_CERT_FILE", "/nowhere/ca.pem", "names a file that is not there"),
    ("SSL_CERT_FILE", "/", "names a folder"),
    ("SSL_CERT_FILE", '"/etc/hosts"', "has quotation marks or spaces around it"),
    ("SSL_CERT_FILE", "/etc/hosts", "names no certificate, and no PEM file"),
    ("SSL_CERT_DIR", "/nowhere", "names a folder that is not there"),
]


@each_case(("name", "value", "told"), FAULTY, ids=range(len(FAULTY)))
def test_fault_has_name_place_and_remedy_in_run_and_check_alike(name: str, value: str, told: str) -> None:
    keyed = without(DEAD, "GENESYS_CLIENT_SECRET") | {"GENESYS_PRIVATE_KEY": pem(), "GENESYS_ORG_ID": "org-1"}
    environ = (keyed if name in ("GENESYS_ORG_ID", "GENESYS_KEY_ID") else DEAD) | {name: value}
    run = said_by_run(environ)
    (line,) = [line for line in run.splitlines() if line.startswith("  ")]
    assert line.startswith(f"  {name}: ")
    assert told in line
    is_wrong, sentence = said_by_check(environ)
    assert is_wrong
    assert sentence.startswith(f"{name}: ")
    assert sentence.count("[redacted]") or " ".join(line.split()) in sentence
    for said in (run, sentence):
        assert "hush" not in said
        assert value not in said or not VARIABLES.get(name) or not VARIABLES[name].secret


def test_a_certificate_in_der_is_named_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "ca.der").write_bytes(b"\x30\x82\x01\x0a" + b"x" * 266)
    (tmp_path / "cut.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    for file, told in (("ca.der", "openssl x509 -inform der"), ("cut.pem", "whose certificates cannot be read")):
        environ = DEAD | {"SSL_CERT_FILE": str(tmp_path / file)}
        assert told in said_by_run(environ)
        assert told in said_by_check(environ)[1]


def test_only_what_is_used_of_the_proxies_has_to_be_right() -> None:
    used = {"HTTPS_PROXY": "http://one.example:1", "HTTP_PROXY": "http://one.example:1", "ALL_PROXY": "socks5://x:1"}
    assert settings.load(DEAD | used).slack.proxies.of("https://slack.com") == "http://one.example:1"


FULL = (
    HTTP
    | GENESYS
    | {"SLACK_APP_TOKEN": "xapp-hush-1", "HOST": "127.0.0.1", "PORT": "3100", "HEALTH_PORT": "3101"}
    | {"SLACK_API_URL": "https://slack.example.com/api/", "BOT_MODE": "http", "SHUTDOWN_SECONDS": "5"}
    | {"GENESYS_API_URL": "https://api.example.com", "GENESYS_LOGIN_URL": "https://login.example.com"}
    | {"GENESYS_SCOPES": "a:b c:d", "GENESYS_REQUESTS_PER_MINUTE": "100", "GENESYS_COBROWSE_API": "conversations"}
    | {"GENESYS_DEPLOYMENT_ID": HOST, "GENESYS_HOST_USER_ID": HOST, "GENESYS_KEY_ID": "k", "GENESYS_ORG_ID": "o"}
    | {"GENESYS_CONNECT_CLIENT_ID": "people", "GENESYS_CONNECT_CLIENT_SECRET": "people-hush"}
    | {"COBROWSE_PUBLIC_URL": "https://bot.example.com", "COBROWSE_COMMAND": "/assist"}
    | {"COBROWSE_JOIN_URL_TEMPLATE": "https://help.example.com/co#{joinCode}", "COBROWSE_MATCH_EMAIL": "off"}
    | {"COBROWSE_SMS_TEXT": "Your link: {joinUrl}", "COBROWSE_EMAIL_TEXT": "Your link: {joinUrl}"}
    | {"COBROWSE_SMS_FROM": "+14155550100", "COBROWSE_SMS_COUNTRIES": "US, CA", "COBROWSE_EMAIL_FROM": "a@example.com"}
    | {"COBROWSE_EMAIL_SUBJECT": "A link", "COBROWSE_HELP_CONTACT": "the desk", "COBROWSE_EMAIL_DOMAINS": "example.com"}
    | {"COBROWSE_SUPERVISORS": "U0BEN S0SUP", "COBROWSE_ADMINS": "U0SAM", "COBROWSE_MEMBERS": "U0ANA, U0BEN"}
    | {"COBROWSE_CHANNELS": "C0DESK", "COBROWSE_WORKFLOW_STEPS": "on", "COBROWSE_TIMEOUT_SECONDS": "600"}
    | {"COBROWSE_APPLICATION_ID": "shop", "COBROWSE_APPLICATION_TYPE": "web", "COBROWSE_RETENTION_DAYS": "7"}
    | {"DATABASE_URL": "postgresql://bot:hush@db/bot", "STORE_ENCRYPTION_KEY": FERNET, "LOG_LEVEL": "DEBUG"}
    | {"LOG_FORMAT": "json", "AUDIT_LOG": "audit.log", "HTTPS_PROXY": "http://one.example:1", "NO_PROXY": "a.example"}
)


@pytest.mark.parametrize("form", QUOTES)
def test_quotes_around_each_value_are_not_part_of_it(form: str) -> None:
    assert settings.load({name: form.format(value) for name, value in FULL.items()}) == settings.load(FULL)


def test_quotes_around_a_file_and_in_it_are_not_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text('"xoxb-hush-1"\n')
    given = without(HTTP, "SLACK_BOT_TOKEN") | {"SLACK_BOT_TOKEN_FILE": f'"{tmp_path}/token"'}
    assert settings.load(given).slack == settings.load(HTTP).slack


def test_quotes_within_a_text_stay() -> None:
    for text in ('"Your link" is {joinUrl}', 'Your link "{joinUrl}"', '"Hello", she said: "{joinUrl}"'):
        assert settings.load(HTTP | {"COBROWSE_SMS_TEXT": text}).sending.texts.default.sms == text


def test_an_empty_value_in_quotes_is_the_same_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=3100\n")
    monkeypatch.setenv("PORT", '""')
    assert settings.environment(str(tmp_path / ".env"))["PORT"] == "3100"


@each_case(
    ("name", "given", "meant"),
    [
        ("GENESYS_REGION", "us_west_2", "us-west-2"),
        ("GENESYS_REGION", "US‑West–2\u200b", "us-west-2"),
        ("GENESYS_REGION", "\ufeffusw2.pure.cloud", "us-west-2"),
        ("PORT", "3100\u200b", "3100"),
        ("LOG_LEVEL", "\u200bdebug", "DEBUG"),
        ("BOT_MODE", "http\u00a0", "http"),
        ("COBROWSE_MATCH_EMAIL", "off\ufeff", "off"),
        ("SLACK_API_URL", "https://slack\u200b.com/api", "https://slack.com/api"),
        ("HOST", "[::1]", "::1"),
        ("HOST", "[::]", "::"),
        ("HTTPS_PROXY", "127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("HTTPS_PROXY", "me:hush@proxy.example:3128", "http://me:hush@proxy.example:3128"),
        ("ALL_PROXY", '"proxy.example"', "http://proxy.example"),
    ],
)
def test_unambiguous_value_is_understood(name: str, given: str, meant: str) -> None:
    assert settings.load(HTTP | {name: given}) == settings.load(HTTP | {name: meant})


def test_every_token_and_id_is_held_to_its_characters() -> None:
    apart = {"GENESYS_PRIVATE_KEY", "GENESYS_PRIVATE_KEY_PASSPHRASE", "DATABASE_URL", "STORE_ENCRYPTION_KEY"}
    apart |= {"OTEL_EXPORTER_OTLP_HEADERS"}
    for name, variable in VARIABLES.items():
        if variable.secret and name.removesuffix("_NEXT") not in apart:
            assert variable.form is Form.TOKEN, name


# -- .env --


def test_unreadable_env_file_is_told_by_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.cli import health, sessions  # noqa: F401 - nobody may not be able to read them

    said_by_check(DEAD)  # loads what it loads
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PORT=1\n")
    (tmp_path / ".env").chmod(0o000)
    tmp_path.chmod(0o755)
    for command in (["check"], ["applications"], ["health"], ["hosts", "list"]):
        with as_nobody():
            result = CliRunner().invoke(main, command, env=DEAD)
        words = " ".join(result.output.split())
        assert result.exit_code == 1
        assert ".env: the file may not be read by this user." in words
        assert "UTF-8" not in words


def test_an_env_file_that_is_no_file_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "utf16").write_bytes("PORT=1\n".encode("utf-16"))
    for name, told in (
        ("folder", "is a folder"),
        ("link", "is a link to a file that is not there"),
        ("utf16", "UTF-16"),
    ):
        with pytest.raises(settings.SettingsError, match=told):
            settings.environment(str(tmp_path / name))


def test_the_first_variable_behind_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=3100\nHOST=::\n", encoding="utf-8-sig")
    assert settings.environment(str(tmp_path / ".env"))["PORT"] == "3100"


def test_broken_env_file_line_is_told_by_its_number(tmp_path: Path, capfd) -> None:
    (tmp_path / ".env").write_text("PORT=3100\n\nhush hush\nHOST=::\n")
    read = settings.read_environment(str(tmp_path / ".env"))
    assert (read.values["PORT"], read.values["HOST"]) == ("3100", "::")
    (remark,) = read.remarks
    assert ": line 3 is no NAME=value" in remark
    assert "hush" not in remark
    assert capfd.readouterr().err == ""


def test_env_file_value_that_ends_before_a_number_sign_is_told(tmp_path: Path) -> None:
    """`docker run --env-file` and systemd take the whole line for the value."""
    text = '# in #this\n\nCOBROWSE_COMPANY=Shop #1\nexport COBROWSE_HELP_CONTACT = \t#help\nPORT=3100\t# "ours" \n'
    (tmp_path / ".env").write_text(text)
    read = environment.read(str(tmp_path / ".env"), {})
    assert read.values == {"COBROWSE_COMPANY": "Shop", "PORT": "3100"}
    for remark, line, name in zip(
        read.remarks, (3, 4, 5), ("COBROWSE_COMPANY", "COBROWSE_HELP_CONTACT", "PORT"), strict=True
    ):
        assert f": line {line}: the value of {name} ends before the #. Write the whole value" in remark
        assert "Shop" not in remark


def test_env_file_value_that_is_read_whole_has_no_remark(tmp_path: Path) -> None:
    text = "A='Shop #1' # ours\nB=\"Shop #1\"\nC=#1\nD=a#b=c\nE=\nF\nG='two\nlines # x'\nH= x  \r\n"
    (tmp_path / ".env").write_text(text)
    read = environment.read(str(tmp_path / ".env"), {})
    assert read.remarks == ()
    assert read.values == {"A": "Shop #1", "B": "Shop #1", "C": "#1", "D": "a#b=c", "G": "two\nlines # x", "H": "x"}


def test_ssl_cert_file_in_the_env_file_is_told_to_do_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SSL_CERT_FILE=/etc/ssl/ca.pem\n")
    result = CliRunner().invoke(main, ["check"], env=DEAD)
    assert "SSL_CERT_FILE is set in .env, where it does nothing." in " ".join(result.output.split())


# -- A `$` in a secret, as the four ways of giving it read it --

DOLLAR = "ab$cd$$e${F}g"


def raw(line: str) -> str:
    """Return the value of a line as `docker run --env-file` and compose's `format: raw` read it.

    The value is everything after the first =.
    """
    return line.partition("=")[2]


@pytest.mark.parametrize("form", ["{}", "'{}'"])
def test_a_dollar_in_a_secret_is_the_same_by_every_way(form: str, tmp_path: Path) -> None:
    line = f"GENESYS_CLIENT_SECRET={form.format(DOLLAR)}"
    (tmp_path / ".env").write_text(f"{line}\n")
    given = {settings.environment(str(tmp_path / ".env"))["GENESYS_CLIENT_SECRET"], raw(line)}
    for value in given:
        assert (
            settings.load_part(
                settings.read_service_alone, GENESYS | {"GENESYS_CLIENT_SECRET": value}
            ).credentials.secret
            == DOLLAR
        )
