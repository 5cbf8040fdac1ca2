"""Forms of DATABASE_URL: a parameter that the driver does not accept is reported before any connection."""

import json
import socket
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from bot.cli.commands import main
from bot.config import settings
from bot.storage.postgres.address import CHOICES, INSTEAD, LEFT_OUT, read_address
from tests.support.cases import each_case

CODES = {"#": "%23", "@": "%40", "/": "%2F", "?": "%3F", "[": "%5B", "]": "%5D"}
PASSWORDS = (
    *("hush{}hush", "{}hush", "hush{}", "12{}hush", "12{}a=b", "hush{}a=b", "hush{}a/b?c", "hush:{}a@b"),
    "1{}2{}3",
)


@pytest.fixture
def no_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a name look-up is made, because the name could contain a part of the password."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def faults(url: str) -> list[str]:
    with pytest.raises(settings.SettingsError) as fault:
        settings.load_part(settings.read_database, {"DATABASE_URL": url})
    return fault.value.faults


@each_case("password", PASSWORDS)
@each_case("sign", CODES)
def test_a_special_character_in_a_password_is_a_fault(no_look_up: None, sign: str, password: str) -> None:
    for tail in ("db.example.com/bot", "db.example.com:5432/bot?sslmode=require", "127.0.0.1"):
        (fault,) = faults(f"postgresql://bot:{password.replace('{}', sign)}@{tail}")
        assert fault.startswith("DATABASE_URL: has ")
        assert f"{sign} is {CODES[sign]}" in fault
        assert "hush" not in fault
        assert "example" not in fault


@each_case(
    ("parameter", "words"),
    [
        ("sslmode=no-verify", "sslmode=no-verify, which Postgres's driver here does not know. Write sslmode=require"),
        ("sslmode=hush", "a value of sslmode that there is not. Write one of disable, allow, prefer, require"),
        ("sslnegotiation=direct", "sslnegotiation=direct without TLS. Add sslmode=require"),
        ("sslnegotiation=hush", "a value of sslnegotiation"),
        ("sslrootcert=system&sslmode=verify-full", "sslrootcert=system, which Postgres's driver here does not know."),
        ("ssl=true", "the parameter ssl, which Postgres's driver here does not know. Write sslmode=require"),
        ("schema=bot", "the parameter schema, which Postgres's driver here does not know. Write options=-csearch_path"),
        ("channel_binding=require", "the parameter channel_binding, "),
        ("gssencmode=require&sslmode=require", "the parameter gssencmode, "),
        ("target_session_attrs=standby", "leads to a standby"),
        ("target_session_attrs=hush", "a value of target_session_attrs"),
        ("ssl_min_protocol_version=hush", "a value of ssl_min_protocol_version"),
        ("port=hush", "a port that is no number from 1 to 65535"),
        ("hush", "no name=value"),
    ],
)
def test_a_parameter_that_cannot_be_kept_is_a_fault(no_look_up: None, parameter: str, words: str) -> None:
    (fault,) = faults(f"postgresql://bot:secret@db.example.com/bot?{parameter}")
    assert words in fault
    assert "hush" not in fault


@pytest.mark.parametrize("host", ["db:hush", "db:0", "db:70000", "::1", "a,,b", "[::1", "db hush"])
def test_a_host_or_port_that_is_none_is_a_fault(no_look_up: None, host: str) -> None:
    (fault,) = faults(f"postgresql://bot:secret@{host}/bot")
    assert "hush" not in fault


def test_all_parameters_that_cannot_be_kept_are_told_at_once() -> None:
    found = faults("postgresql://db/bot?ssl=1&schema=x&sslmode=no-verify&connect_timeout=3")
    assert [name in fault for name, fault in zip(("ssl,", "schema", "no-verify"), found, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot@db/bot?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgres://bot:a%40b@[::1]:5432/bot",
        "postgresql:///bot?host=/run/postgresql",
        "postgresql://bot@%2Frun%2Fpostgresql/bot",
        "postgresql://db/bot?user=bot@server&application_name=a@b&options=-cwork_mem%3D8MB",
        "postgresql://db/bot?sslmode=require&sslnegotiation=direct",
    ],
)
def test_an_address_that_is_right_is_left_as_it_is(url: str) -> None:
    found = read_address(url)
    assert (found.url, found.left_out, found.faults) == (url, (), ())


def test_no_parameter_is_both_left_out_and_refused() -> None:
    assert not set(LEFT_OUT) & {*INSTEAD, *CHOICES}


def test_several_hosts_lead_to_the_one_that_takes_writes() -> None:
    assert read_address("postgresql://a,b/bot").url == "postgresql://a,b/bot?target_session_attrs=read-write"
    given = "postgresql://a,b/bot?target_session_attrs=primary"
    assert read_address(given).url == given


def test_every_command_tells_a_fault_of_the_address_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = "postgresql://bot:hush#1@db.example.com/bot"
    (fault,) = faults(url)
    run, hosts = (CliRunner().invoke(main, words, env={"DATABASE_URL": url}) for words in (["run"], ["hosts", "list"]))
    assert run.stderr.startswith("The settings have errors [settings_invalid]:\n")
    assert f"\n  {fault}\n" in run.stderr
    assert hosts.stderr == f"{fault} [settings_invalid]\n"
    found = json.loads(CliRunner().invoke(main, ["check", "--json"], env={"DATABASE_URL": url}).stdout)["findings"]
    (told,) = [each for each in found if each["what"].startswith("DATABASE_URL")]
    assert (f"{told['what']} {told['mend']}", told["code"]) == (fault, "settings_invalid")


def test_the_driver_takes_what_is_not_a_fault() -> None:
    """The checked names of parameters are those of the driver."""
    source = Path(asyncpg.connect_utils.__file__).read_text(encoding="utf-8")
    for name in CHOICES:
        assert f"'{name}'" in source
    for name in (*LEFT_OUT, *INSTEAD):
        assert f"'{name}' in query" not in source
