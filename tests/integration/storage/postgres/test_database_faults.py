"""`run`, `hosts` and `check` refuse a Postgres that cannot be used, with the same code and sentence."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from cryptography.fernet import Fernet

from bot.cli.commands import RUN_CHECK
from bot.core.timing import StorageTiming
from bot.storage.open import open_store
from bot.storage.schema import TABLES
from tests.support.app import ended, free_port, open_servers, start
from tests.support.certificates import Authority, new_authority, self_signed
from tests.support.database_faults import SECRET, Said, agree, said, work
from tests.support.postgres import address, new_database, server

_numbers = itertools.count(1)
NEW_COLUMNS, NEW_TABLES = ("is_call", "live_state", "joined_at", "ending"), ("notices", "watches")
"""The columns of sessions, and the tables, that version 5 lacks."""


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with new_database() as fresh:
        yield fresh


@pytest.fixture
async def admin(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def user(admin: Any) -> AsyncIterator[str]:
    """Create a role that owns nothing, in a database where PUBLIC may create nothing."""
    name = f"bot_{next(_numbers)}"
    await admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def as_user(url: str, user: str) -> str:
    """Return the address by the socket."""
    return url.replace("postgres@", f"{user}:{SECRET}@", 1)


def by_tcp(url: str, user: str = "postgres", **parameters: str) -> str:
    """Return the address by localhost, with more parameters."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    port = server().get_postmaster_info().port
    return f"postgresql://{user}:{SECRET}@127.0.0.1:{port}{urlsplit(url).path}?{query}".rstrip("?")


@contextlib.contextmanager
def sign_in_rule(line: str) -> Iterator[None]:
    """Put a line at the top of pg_hba.conf."""
    file = server().pgdata / "pg_hba.conf"
    before = file.read_text()
    file.write_text(f"{line}\n{before}")
    try:
        yield
    finally:
        file.write_text(before)


# -- Reaching it --


async def test_a_wrong_database_name_is_said(url: str) -> None:
    agree(await said(by_tcp("postgresql://x/nowhere")), "database_not_found", "no database of the name in DATABASE_URL")


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ("host all {} 127.0.0.1/32 scram-sha-256", "database_password_refused", "the user or the password"),
        ("host all {} 127.0.0.1/32 reject", "database_user_refused", "pg_hba.conf"),
        ("host all {} 127.0.0.1/32 ident map=none", "database_user_refused", "pg_hba.conf"),
    ],
)
async def test_a_refused_sign_in_is_said(url: str, admin: Any, user: str, rule: str, code: str, words: str) -> None:
    with sign_in_rule(rule.format(user)):
        await admin.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.2)
        agree(await said(by_tcp(url, user).replace(SECRET, f"not-{SECRET}")), code, words)
    await admin.execute("SELECT pg_reload_conf()")


async def test_a_role_that_is_not_there_is_said(url: str) -> None:
    agree(await said(by_tcp(url, "nobody_here")), "database_user_refused", "the role exists")


async def test_an_unknown_host_is_said() -> None:
    found = await said(f"postgresql://bot:{SECRET}@db.invalid/bot")
    code = found["run"][0]
    assert code in ("database_host_unknown", "database_host_lookup_failed")  # the latter where no name service answers
    agree(found, code, "name service", "host")


async def test_a_refused_connection_is_said() -> None:
    for host in ("127.0.0.1", "localhost"):
        url = f"postgresql://bot:{SECRET}@{host}:{free_port()}/bot"
        agree(await said(url), "database_connection_refused", "host and port in DATABASE_URL")


async def test_a_socket_that_is_not_there_is_said(tmp_path: Path) -> None:
    url = f"postgresql://bot:{SECRET}@/bot?host={tmp_path}"
    agree(await said(url), "database_socket_missing", "socket", "give a host and a port")


async def test_a_server_that_does_not_answer_is_said() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://bot:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/bot"
        agree(
            await said(url, timing=StorageTiming(connect_timeout_seconds=0.3)),
            "database_timeout",
            "does not answer in time",
        )


async def test_a_server_that_is_no_postgres_is_said() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as listening:
        url = f"postgresql://bot:{SECRET}@127.0.0.1:{listening.sockets[0].getsockname()[1]}/bot"
        agree(await said(url), "database_connection_closed", "Check that it is Postgres")


async def test_a_closed_database_is_said(url: str, admin: Any) -> None:
    name = urlsplit(url).path.lstrip("/")
    other = await asyncpg.connect(address())
    await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    agree(await said(by_tcp(url)), "database_closed", "takes no connections")
    await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await other.close()


async def test_a_role_without_a_connection_left_is_said(url: str, admin: Any, user: str) -> None:
    await admin.execute(f"GRANT CREATE ON SCHEMA public TO {user}; ALTER ROLE {user} CONNECTION LIMIT 0")
    agree(await said(as_user(url, user)), "database_connections_exhausted", "no connection left")


# -- TLS --


@asynccontextmanager
async def postgres_with(context: ssl.SSLContext, name: str = "localhost") -> AsyncIterator[str]:
    """Serve Postgres's answer to a TLS request and nothing else: no check goes further."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(8)
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            await reader.read(1)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield f"postgresql://bot:{SECRET}@{name}:{listening.sockets[0].getsockname()[1]}/bot"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "tls")


async def test_refused_tls_is_said(url: str) -> None:
    agree(await said(by_tcp(url, sslmode="require")), "database_tls_refused", "Postgres refuses TLS", "sslmode")


async def test_a_certificate_of_a_wrong_authority_is_said(authority: Authority, tmp_path: Path) -> None:
    async with postgres_with(self_signed(tmp_path, "localhost")) as url:
        found = await said(f"{url}?sslmode=verify-full&sslrootcert={authority.trusted}")
        agree(found, "database_certificate_untrusted", "sslrootcert")


async def test_a_certificate_for_another_host_is_said(authority: Authority) -> None:
    async with postgres_with(authority.vouch("db.example.com")) as url:
        found = await said(f"{url}?sslmode=verify-full&sslrootcert={authority.trusted}")
        agree(found, "database_certificate_wrong_host", "another host name")


async def test_tls_that_does_not_come_about_is_said() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        await reader.read(1)
        writer.write(b"this is no TLS" * 10)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        url = f"postgresql://bot:{SECRET}@127.0.0.1:{listening.sockets[0].getsockname()[1]}/bot?sslmode=require"
        agree(await said(url), "database_tls_failed", "ssl_max_protocol_version")


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
async def test_a_missing_certificate_file_is_named(url: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / "not-there.pem"
    found = await said(by_tcp(url, sslmode="verify-full", **{name: str(path)}))
    agree(found, "database_certificate_missing", f"{name} needs the file {path}")


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslcrl"])
async def test_a_certificate_file_that_is_no_pem_is_named(url: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / "ca.der"
    path.write_bytes(bytes(100))
    found = await said(by_tcp(url, sslmode="verify-ca", **{name: str(path)}))
    agree(found, "database_certificate_unreadable", f"{name} names the file {path}", "PEM")


async def test_a_check_of_the_certificate_without_a_file_names_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = await said(by_tcp(url, sslmode="verify-full"))
    agree(found, "database_certificate_missing", f"{tmp_path}/.postgresql/root.crt", "sslrootcert=/")


# -- Parameters --


@pytest.mark.parametrize(
    ("name", "value"),
    [("work_memory", "1"), ("shared_buffers", "1MB"), ("client_encoding", SECRET), ("options", "-cwork_memory%3D1")],
)
async def test_a_parameter_that_the_server_does_not_take_is_named(url: str, name: str, value: str) -> None:
    shown = "work_memory" if name == "options" else name
    agree(
        await said(by_tcp(url, **{name: value})), "database_parameter_unknown", f"the parameter {shown} of DATABASE_URL"
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"connect_timeout": "10", "keepalives_idle": "30", "pgbouncer": "true", "channel_binding": "prefer"},
        {"application_name": "bot", "target_session_attrs": "read-write", "options": "-cwork_mem%3D8MB"},
        {"gssencmode": "disable", "sslmode": "prefer", "sslnegotiation": "postgres"},
    ],
)
async def test_parameters_that_change_nothing_are_left_out(url: str, parameters: dict[str, str]) -> None:
    work(await said(by_tcp(url, **parameters)))


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"PGSSLMODE": "no-verify"}, "sslmode"),
        ({"PGTARGETSESSIONATTRS": "any-at-all"}, "target_session_attrs"),
        ({"PGSSLNEGOTIATION": "direct"}, "sslnegotiation"),
    ],
)
async def test_a_value_from_the_environment_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], name: str
) -> None:
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    agree(await said(by_tcp(url)), "database_parameter_invalid", name, "environment")


# -- What it lets the bot do --


async def test_a_schema_where_nothing_may_be_created_is_said(url: str, user: str) -> None:
    agree(await said(as_user(url, user)), "database_create_denied", "Grant it CREATE on the schema")


async def test_tables_of_another_role_with_all_rights_will_do(url: str, admin: Any, user: str) -> None:
    async with open_store(url):
        pass
    await admin.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}")
    work(await said(as_user(url, user)))


@pytest.mark.parametrize(
    ("granted", "lacking"), [("SELECT", "INSERT, UPDATE, DELETE"), ("SELECT, INSERT, UPDATE", "lacks DELETE on")]
)
async def test_tables_of_another_role_without_all_rights_are_said(
    url: str, admin: Any, user: str, granted: str, lacking: str
) -> None:
    async with open_store(url):
        pass
    await admin.execute(f"GRANT {granted} ON ALL TABLES IN SCHEMA public TO {user}")
    agree(await said(as_user(url, user)), "database_rights_missing", lacking, "facts", "requests")


async def test_one_table_that_may_not_be_read_is_named(url: str, admin: Any, user: str) -> None:
    async with open_store(url):
        pass
    await admin.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}")
    await admin.execute(f"REVOKE SELECT ON found_hosts FROM {user}")
    agree(await said(as_user(url, user)), "database_rights_missing", "lacks SELECT on found_hosts.")


async def test_older_tables_of_another_role_are_said(url: str, admin: Any, user: str) -> None:
    async with open_store(url):
        pass
    columns = (
        "requests DROP COLUMN trace_context, DROP COLUMN view_id",
        *(f"sessions DROP COLUMN {each}" for each in NEW_COLUMNS),
        *(f"{table} DROP COLUMN workspace" for table in TABLES if table not in NEW_TABLES),
    )
    for newer in (*(f"ALTER TABLE {column}" for column in columns), *(f"DROP TABLE {table}" for table in NEW_TABLES)):
        await admin.execute(newer)
    await admin.execute("UPDATE facts SET value = '5' WHERE name = 'version'")
    await admin.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}")
    await admin.execute(f"GRANT CREATE ON SCHEMA public TO {user}")
    agree(await said(as_user(url, user)), "database_owner_needed", "another role owns them")
    work(await said(url))


async def test_a_schema_that_is_not_there_or_may_not_be_used_is_said(url: str, admin: Any, user: str) -> None:
    agree(await said(f"{url}&options=-csearch_path%3Dnowhere"), "database_schema_missing", "search_path")
    await admin.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    agree(await said(as_user(url, user)), "database_schema_missing", "grant USAGE")


async def test_a_database_that_may_not_be_entered_is_said(url: str, admin: Any, user: str) -> None:
    await admin.execute(f"REVOKE CONNECT ON DATABASE {urlsplit(url).path.lstrip('/')} FROM PUBLIC")
    agree(await said(as_user(url, user)), "database_access_denied", "CONNECT")


async def test_a_database_that_takes_no_writes_is_said(url: str, admin: Any, user: str) -> None:
    await admin.execute(f"GRANT CREATE ON SCHEMA public TO {user}")
    await admin.execute(f"ALTER ROLE {user} SET default_transaction_read_only = on")
    agree(await said(as_user(url, user)), "database_read_only", "default_transaction_read_only")


# -- What is in it --


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE sessions (id int)",
        "CREATE TABLE facts (question text)",
        "CREATE TABLE facts (name text, value text); INSERT INTO facts VALUES ('version', 'two')",
    ],
)
async def test_tables_of_another_program_are_said(url: str, admin: Any, statement: str) -> None:
    await admin.execute(statement)
    agree(await said(url), "database_schema_conflict", "tables that this program did not make")


async def test_a_newer_version_and_another_key_are_said(url: str, admin: Any) -> None:
    key, other = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    async with open_store(url, keys=[key]):
        pass
    agree(await said(url, other), "database_key_mismatch", "STORE_ENCRYPTION_KEY")
    await admin.execute("UPDATE facts SET value = '99' WHERE name IN ('version', 'usable_from')")
    agree(await said(url, key), "database_newer_version", "(99)")


async def test_a_refusal_leaves_no_connection_behind(url: str, admin: Any, user: str) -> None:
    found: Said = await said(as_user(url, user))
    assert found["run"][0]
    async with asyncio.timeout(5):
        while await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", user):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_process_says_the_same_on_its_own_event_loop(url: str, authority: Authority, tmp_path: Path) -> None:
    """`run` uses uvloop, whose errors have other classes and texts."""
    async with (
        open_servers() as servers,
        postgres_with(self_signed(tmp_path, "localhost")) as other,
    ):
        wrong = [
            f"postgresql://bot:{SECRET}@localhost:{free_port()}/bot",
            f"postgresql://bot:{SECRET}@db.invalid/bot",
            f"postgresql://bot:{SECRET}@/bot?host={tmp_path}",
            f"{other}?sslmode=verify-full&sslrootcert={authority.trusted}",
            by_tcp(url, sslmode="require"),
            by_tcp("postgresql://x/nowhere"),
        ]
        given = servers.environ | {"LOG_LEVEL": "ERROR"}
        ends = [await ended(await start(tmp_path, given | {"DATABASE_URL": each})) for each in wrong]
        for each, (code, out, err) in zip(wrong, ends, strict=True):
            word, sentence = (await said(each))["check"]
            assert (code, out, err) == (1, "", f"{sentence} [{word}]\n{RUN_CHECK}\n")


async def test_a_key_that_does_not_fit_its_certificate_is_named(url: str, tmp_path: Path, authority: Authority) -> None:
    authority.vouch("one")
    authority.vouch("two")
    one, two = (tmp_path / "tls" / f"{name}.pem" for name in ("one", "two"))
    found = await said(by_tcp(url, sslmode="require", sslcert=str(one), sslkey=str(two)))
    agree(found, "database_certificate_unreadable", f"sslkey names the file {two}")
    found = await said(by_tcp(url, sslmode="require", sslcert=str(one), sslkey=str(one)))
    agree(found, "database_tls_refused", "Postgres refuses TLS")
