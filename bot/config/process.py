"""Read the settings that all workspaces of a process share: addresses, log, audit log, traces and database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import unquote, urlsplit

from bot.config.certificates import check_certificates
from bot.config.environment import below_data_directory
from bot.config.reader import Reader, Sources
from bot.config.variables import VARIABLES
from bot.core.validation.text import odd_character
from bot.storage.encryption import check_key
from bot.storage.open import MEMORY, POSTGRES, SQLITE
from bot.storage.postgres.address import read_address

_OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    """The settings of the log.

    - `level`: the lowest level that is logged, such as "INFO".
    - `as_json`: whether each line of the log is JSON instead of text.
    - `secrets`: the texts that the log masks.
    """

    level: str
    as_json: bool
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """The settings of OpenTelemetry traces.

    - `is_on`: whether the bot exports traces.
    - `to_genesys`: whether the HTTP requests to Genesys have W3C trace headers.
    - `variables`: the values of the variables whose names begin with OTEL_, by name.
    """

    is_on: bool
    to_genesys: bool
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The settings of the database.

    - `retention_days`: the number of days after which requests and sessions are deleted.
    - `url`: the URL of the database, from DATABASE_URL. If STATE_DIRECTORY is set, the relative path of an SQLite
      file is already joined to the first directory of STATE_DIRECTORY.
    - `keys`: the encryption keys, newest first; empty if the settings have no key.
    """

    retention_days: int
    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Return whether the database encrypts secrets.

        The database `memory:` always encrypts secrets, with a random key.
        """
        return bool(self.keys) or self.url.startswith(MEMORY)

    @property
    def allows_replicas(self) -> bool:
        """Return whether several bot processes can use the database at the same time."""
        return self.url.startswith(POSTGRES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """The settings that all workspaces of a process share.

    - `host`, `port`: the address and port on which the bot's HTTP server listens. A process with only one workspace, in
      Socket Mode, has no such server.
    - `health_port`: a separate port for the health endpoints; None to have them on the HTTP server on `port`. With None
      and without this HTTP server, the process has no health endpoints.
    - `shutdown_seconds`: how long a stop of the bot waits for accepted requests.
    - `audit_log`: the path of the audit log, "-" for standard output, or "" for no audit log.
    - `workspaces_file`: the path of the file of workspaces; "" if the process serves only one workspace.
    - `sources`: the environment and the secret files from which the settings were read.
    """

    host: str
    port: int
    health_port: int | None
    shutdown_seconds: int
    audit_log: str
    workspaces_file: str = ""
    database: DatabaseSettings
    tracing: TracingSettings
    logging: LoggingSettings
    sources: Sources = field(repr=False, compare=False)

    @property
    def workspace(self) -> str:
        """Return "" in place of a workspace's short name, because these settings belong to no workspace."""
        return ""

    def with_secrets_from(self, reader: Reader) -> "ProcessSettings":
        """Return a copy of these settings with the secrets that `reader` reads.

        Add each fault of a secret to `reader`.
        """
        database = read_database(reader)
        _note_store_secrets(reader)
        return replace(self, database=database, logging=replace(self.logging, secrets=tuple(reader.secrets)))


def read_process(reader: Reader) -> ProcessSettings:
    """Read the settings that all workspaces of a process share. Add each fault of a setting to `reader`."""
    logging, database, tracing = read_logging(reader), read_database(reader), _tracing(reader)
    host, port = reader.host("HOST"), reader.integer("PORT", 0, 65535)
    health_port = reader.integer("HEALTH_PORT", 1, 65535) if reader.text("HEALTH_PORT") else None
    audit_log, shutdown_seconds = read_audit_log(reader), reader.integer("SHUTDOWN_SECONDS", 0, 600)
    workspaces_file = reader.text("COBROWSE_WORKSPACES")
    if workspaces_file:
        check_ports(reader, port, health_port)
    check_certificates(reader)
    return ProcessSettings(
        host=host,
        port=port,
        health_port=health_port,
        shutdown_seconds=shutdown_seconds,
        audit_log=audit_log,
        workspaces_file=workspaces_file,
        database=database,
        tracing=tracing,
        logging=logging,
        sources=reader.sources(),
    )


def check_ports(reader: Reader, port: int, health_port: int | None) -> None:
    """Add a fault to `reader` if the two ports are equal.

    Call this function only if an HTTP server listens on `port`. Otherwise, equal ports do no harm.

    `health_port`: the value of HEALTH_PORT; None if it is not set.
    """
    if health_port == port:
        reader.fault("HEALTH_PORT", "must be another port than PORT.")


def read_database(reader: Reader) -> DatabaseSettings:
    """Read the settings of the database. Add each fault of a setting to `reader`."""
    url = reader.text("DATABASE_URL")
    if not (url.startswith((MEMORY, *POSTGRES)) or (url.startswith(SQLITE) and len(url) > len(SQLITE))):
        reader.fault("DATABASE_URL", "must be sqlite:///a-file.db, postgresql://…, or memory: to remember nothing.")
    if url.startswith(SQLITE):
        url = SQLITE + below_data_directory(url.removeprefix(SQLITE), reader.environ)
    for fault in read_address(url).faults if url.startswith(POSTGRES) else ():
        reader.fault("DATABASE_URL", fault)
    keys = tuple(key.strip() for key in reader.text("STORE_ENCRYPTION_KEY").split(",") if key.strip())
    for key in keys:
        if character := odd_character(key):
            reader.fault(
                "STORE_ENCRYPTION_KEY", f"has {character} of a key, which no key has. Copy it again, as plain text."
            )
            continue
        reader.parsed("STORE_ENCRYPTION_KEY", partial(check_key, key))
    return DatabaseSettings(retention_days=reader.integer("COBROWSE_RETENTION_DAYS", 1, 3650), url=url, keys=keys)


def read_audit_log(reader: Reader) -> str:
    """Return where the audit log is written: a path, "-" for standard output, or "" for no audit log.

    If STATE_DIRECTORY is set, a relative path is already joined to the first directory of STATE_DIRECTORY.
    """
    path = reader.text("AUDIT_LOG")
    return path if path == "-" else below_data_directory(path, reader.environ)


def read_logging(reader: Reader) -> LoggingSettings:
    """Read the settings of the log. Add each fault of a setting to `reader`.

    The log masks the secrets that `reader` has read before this call, the encryption keys, and the password of the
    database.
    """
    level = reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"))
    as_json = reader.choice("LOG_FORMAT", ("text", "json")) == "json"
    _note_store_secrets(reader)
    return LoggingSettings(level=level, as_json=as_json, secrets=tuple(reader.secrets))


def _note_store_secrets(reader: Reader) -> None:
    """Add the encryption keys and the password in DATABASE_URL to `reader.secrets`, so that the log masks them."""
    url = reader.text("DATABASE_URL")
    keys = reader.text("STORE_ENCRYPTION_KEY").split(",")
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        password = ""
    found = dict.fromkeys(secret.strip() for secret in (*keys, password, unquote(password)))
    reader.secrets += [secret for secret in found if secret and secret not in reader.secrets]


def _tracing(reader: Reader) -> TracingSettings:
    """Read the settings of OpenTelemetry traces. Add each fault of a setting to `reader`.

    `TracingSettings.is_on` is False if no endpoint is set, or if OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER switches
    traces off.
    """
    endpoint, for_traces = reader.plain(_OTLP_ENDPOINT), reader.given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if endpoint and not re.fullmatch(r"https?://[\w.:\[\]-]+(/[!-~]*)?", endpoint):
        reader.fault(_OTLP_ENDPOINT, "must be a URL with http or https, without a user name.")
    is_off = reader.given("OTEL_SDK_DISABLED").lower() == "true" or reader.given("OTEL_TRACES_EXPORTER") == "none"
    values = {name: reader.given(name) for name in reader.environ if name.startswith("OTEL_")}
    known = {name: reader.text(name) for name in VARIABLES if name.startswith("OTEL_")}
    values |= {name: value for name, value in known.items() if value != VARIABLES[name].default}
    return TracingSettings(
        is_on=bool(endpoint or for_traces) and not is_off,
        to_genesys=reader.flag("COBROWSE_TRACE_GENESYS"),
        variables={name: value for name, value in values.items() if value},
    )
