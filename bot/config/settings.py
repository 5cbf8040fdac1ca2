"""Build typed settings from the environment. No other package reads the environment.

A command reads only the settings that the command uses. If settings have faults, one SettingsError contains all faults.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar
from urllib.parse import urljoin

from bot.config import certificates
from bot.config import environment as sources
from bot.config.accounts import AccountSettings, read_accounts
from bot.config.csv_file import read_csv_file
from bot.config.customer_messages import read_messaging
from bot.config.environment import ENV_FILE, Environment
from bot.config.process import (
    DatabaseSettings,
    LoggingSettings,
    ProcessSettings,
    TracingSettings,
    check_ports,
    read_audit_log,
    read_database,
    read_process,
)
from bot.config.proxies import Proxies, read_proxies
from bot.config.reader import Reader, SettingsError, Sources
from bot.config.session_service import CONVERSATIONS, ServiceSettings, read_cobrowse_api, read_service
from bot.core.access import AccessRules, Allowlist
from bot.core.hosts import csv_file as hosts_file
from bot.core.models import ChannelId, HostId, TeamId, UserId
from bot.core.requests.service import RequestLimits
from bot.core.use_cases.customer_messages import MessagingConfig
from bot.slack.manifest import EVENTS_PATH, Features, below
from bot.slack.messages.catalogue.languages import translated

T = TypeVar("T")

ListedHosts = Mapping[tuple[TeamId | None, UserId], HostId]
"""The hosts in the hosts file, by Slack workspace and user. None in place of a Slack workspace means all Slack
workspaces."""
BOT_TOKENS, APP_TOKEN, CONFIG_TOKEN = ("xoxb-", "xoxe.xoxb-"), "xapp-", "xoxe.xoxp-"
"""The prefixes of Slack's bot tokens, app-level tokens and app configuration tokens."""
_PERSON_OR_GROUP = r"[UWS][A-Z0-9]{2,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """The settings of the connection to Slack. A token that is not set is "".

    - `mode`: how Slack sends events to the bot: over Socket Mode or over HTTP.
    - `command`: the slash command, such as `/cobrowse`.
    - `help_contact`: the contact: any text, or the id of a Slack user or channel. With "", messages about errors send
      people to the administrators.
    - `runbook_url`: the URL of a page on what to do about faults; "" if there is none.
    - `signing_secrets`: the signing secrets of the Slack app. The bot accepts an HTTP request that is signed with one
      of them. There are two while an administrator replaces the signing secret.
    - `config_token`: the app configuration token, with which `cobrowse-bot check` compares the Slack app's manifest.
    """

    proxies: Proxies

    mode: Literal["socket", "http"]
    api_url: str
    command: str
    help_contact: str
    runbook_url: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secrets: tuple[str, ...] = field(repr=False)
    config_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the command `run` for one workspace.

    - `rules`: who may do what.
    - `listed_hosts`: the hosts in the hosts file; None if no hosts file is set.
    - `match_email`: whether the same email address in Slack and Genesys connects a person to a host.
    - `email_domains`: the domains of the email addresses that may connect people; empty for any domain.
    - `host`, `port`: the address and port on which the bot's HTTP server listens.
    - `health_port`: a separate port for the health endpoints; None to have them on the HTTP server on `port`. With None
      and without this HTTP server, the process has no health endpoints.
    - `audit_log`: the path of the audit log, "-" for standard output, or "" for no audit log.
    - `language`: the code of the language of all messages; "" to write to each person in the language of their Slack.
    - `sending`: the settings of messages to customers.
    - `connect`: the settings that let people link their own Genesys accounts.
    - `shutdown_seconds`: how long a stop of the bot waits for accepted requests.
    - `workspace`: the short name of the workspace; "" if the process serves only one.
    - `sources`: the environment and the secret files from which the settings were read.
    """

    slack: SlackSettings
    service: ServiceSettings
    rules: AccessRules
    listed_hosts: ListedHosts | None
    match_email: bool
    email_domains: frozenset[str]
    host: str
    port: int
    health_port: int | None
    audit_log: str
    language: str
    limits: RequestLimits
    sending: MessagingConfig
    connect: AccountSettings
    shutdown_seconds: int
    database: DatabaseSettings
    logging: LoggingSettings
    tracing: TracingSettings
    sources: Sources = field(repr=False, compare=False)
    workspace: str = ""

    @property
    def process(self) -> ProcessSettings:
        """Return the part of these settings that does not depend on the workspace."""
        return ProcessSettings(
            host=self.host,
            port=self.port,
            health_port=self.health_port,
            shutdown_seconds=self.shutdown_seconds,
            audit_log=self.audit_log,
            workspaces_file="",
            database=self.database,
            tracing=self.tracing,
            logging=self.logging,
            sources=self.sources,
        )

    def with_secrets_from(self, reader: Reader) -> "Settings":
        """Return a copy of these settings with the secrets that `reader` reads.

        Add each fault of a secret to `reader`.
        """
        slack, service, database = read_slack(reader), read_service(reader), read_database(reader)
        connect = read_accounts(reader, slack.mode, service.conversations is not None, database.is_encrypted)
        logging = replace(self.logging, secrets=tuple(reader.secrets))
        return replace(self, slack=slack, service=service, database=database, connect=connect, logging=logging)


def environment(path: str = ENV_FILE) -> dict[str, str]:
    """Return the environment variables of the process and of the .env file at `path`.

    If both set a variable, return the value of the process. Raises SettingsError if the file exists but cannot be read.
    """
    return read_environment(path).values


def read_environment(path: str = ENV_FILE) -> Environment:
    """Return the environment variables of the process and of the .env file at `path`.

    The result also has remarks on the parts of the file that the bot ignores. If both set a variable, return the value
    of the process. Raises SettingsError if the file exists but cannot be read.
    """
    return sources.read(path, os.environ)


def untrusted_certificate_fix() -> str:
    """Return a text for an administrator whose bot does not trust the certificate of a server.

    The text says how to make the bot trust the certificate authority of this server.
    """
    return certificates.untrusted_certificate_fix(os.environ)


@contextmanager
def added_to_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables of the process, and restore the old values when the `with` block ends.

    Some libraries read their settings only from the environment. `variables`: the new values, by name.
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of the command `run`. Raises SettingsError, with all faults, if any setting has a fault."""
    return load_part(read_settings, environ)


def load_part(read: Callable[[Reader], T], environ: Mapping[str, str], workspace: str = "") -> T:
    """Call `read` with a new Reader, and return the result.

    - `read`: a function that reads settings, such as `read_slack`.
    - `environ`: the environment variables that the Reader reads.
    - `workspace`: the short name of the workspace; "" if the process serves only one.

    Raises SettingsError, with all faults, if `read` adds a fault to the Reader.
    """
    return finish(read, Reader(environ, workspace))


def finish(read: Callable[[Reader], T], reader: Reader) -> T:
    """Call `read` with `reader`, and return the result.

    Raises SettingsError, with all faults of `reader`, if `reader` has a fault after the call.
    """
    part = read(reader)
    if reader.faults:
        raise SettingsError(reader.faults)
    return part


def read_settings(reader: Reader, process: ProcessSettings | None = None) -> Settings:
    """Read all settings of the command `run`. Add each fault of a setting to `reader`.

    `process`: the settings that all workspaces of the process share; None to read these settings from `reader`.
    """
    slack = read_slack(reader)
    service = read_service(reader)
    rules = _access_rules(reader)
    listed_hosts, email_domains = _host_rules(reader)
    shared = process or read_process(reader)
    if slack.mode == "http":
        check_ports(reader, shared.port, shared.health_port)
    is_encrypted = shared.database.is_encrypted
    return Settings(
        workspace=reader.workspace,
        slack=slack,
        service=service,
        rules=rules,
        listed_hosts=listed_hosts,
        match_email=reader.flag("COBROWSE_MATCH_EMAIL"),
        email_domains=email_domains,
        host=shared.host,
        port=shared.port,
        health_port=shared.health_port,
        audit_log=read_audit_log(reader),
        language=_language(reader),
        limits=_limits(reader),
        sending=read_messaging(reader, is_encrypted),
        shutdown_seconds=shared.shutdown_seconds,
        connect=read_accounts(reader, slack.mode, service.conversations is not None, is_encrypted),
        database=shared.database,
        logging=replace(service.logging, secrets=tuple(reader.secrets)),
        tracing=shared.tracing,
        sources=reader.sources(),
    )


def _access_rules(reader: Reader) -> AccessRules:
    return AccessRules(
        supervisors=_allowlist(reader, "COBROWSE_SUPERVISORS"),
        admins=_allowlist(reader, "COBROWSE_ADMINS"),
        members=_allowlist(reader, "COBROWSE_MEMBERS"),
        workflow_steps=reader.flag("COBROWSE_WORKFLOW_STEPS"),
        channels=tuple(map(ChannelId, reader.words("COBROWSE_CHANNELS", r"[CGD][A-Z0-9]{2,}", "channel id (C…)"))),
    )


def _host_rules(reader: Reader) -> tuple[ListedHosts | None, frozenset[str]]:
    """Return the hosts in the hosts file, and the email domains in COBROWSE_EMAIL_DOMAINS.

    Return None in place of the hosts if no hosts file is set, or if it has a fault. Add each fault to `reader`.
    """
    path = reader.text("COBROWSE_HOSTS_FILE")
    listed = reader.parsed("COBROWSE_HOSTS_FILE", lambda: hosts_file.parse(read_csv_file(path))) if path else None
    domain = r"@?(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}"
    domains = reader.words("COBROWSE_EMAIL_DOMAINS", domain, "domain such as example.com")
    return listed, frozenset(domain.removeprefix("@").lower() for domain in domains)


def read_health_address(reader: Reader) -> tuple[str, int]:
    """Return the address and the port on which the bot serves /healthz. Add each fault of a setting to `reader`."""
    name = "HEALTH_PORT" if reader.text("HEALTH_PORT") else "PORT"
    return reader.host("HOST"), reader.integer(name, 0, 65535)


def read_service_alone(reader: Reader) -> ServiceSettings:
    """Read the settings of the session service for a command that does not use Slack.

    Unlike `read_service`, also check GENESYS_HOST_USER_ID and the trusted certificate authorities. Add each fault of a
    setting to `reader`.
    """
    service = read_service(reader)
    host = reader.text("GENESYS_HOST_USER_ID")
    if host and service.host_id is None:
        reader.fault("GENESYS_HOST_USER_ID", "must be a Genesys user's id, a UUID.")
    certificates.check_certificates(reader)
    return service


def read_slack(reader: Reader) -> SlackSettings:
    """Read the settings of the connection to Slack. Add each fault of a setting to `reader`."""
    bot_token = reader.needed("SLACK_BOT_TOKEN", "It is on the app's page, under OAuth & Permissions.")
    app_token, signing_secret = reader.text("SLACK_APP_TOKEN"), reader.text("SLACK_SIGNING_SECRET")
    _check_tokens(reader, bot_token, app_token)
    next_secret = _signing_secret(reader, "SLACK_SIGNING_SECRET_NEXT")
    mode = reader.choice("BOT_MODE", ("auto", "socket", "http"))
    if mode == "auto" and not app_token and not signing_secret and not reader.has_fault_about("SLACK_SIGNING_SECRET"):
        wanted = "is missing, and so is SLACK_SIGNING_SECRET. Set the first for Socket Mode, the second for HTTP."
        reader.fault("SLACK_APP_TOKEN", wanted)
    elif mode == "socket" and not app_token:
        reader.fault("SLACK_APP_TOKEN", "is missing. Socket Mode needs it: Basic Information, App-Level Tokens.")
    elif mode == "http" and not signing_secret:
        reader.fault("SLACK_SIGNING_SECRET", "is missing. HTTP needs it: Basic Information, App Credentials.")
    return SlackSettings(
        proxies=read_proxies(reader),
        mode="socket" if mode == "socket" or (mode == "auto" and app_token) else "http",
        api_url=reader.url("SLACK_API_URL") + "/",
        command=_command(reader),
        help_contact=reader.text("COBROWSE_HELP_CONTACT"),
        runbook_url=reader.url("COBROWSE_RUNBOOK_URL", is_page=True),
        bot_token=bot_token,
        app_token=app_token,
        signing_secrets=tuple(filter(None, (_signing_secret(reader, "SLACK_SIGNING_SECRET"), next_secret))),
        config_token=_config_token(reader),
    )


def _check_tokens(reader: Reader, bot_token: str, app_token: str) -> None:
    """Add a fault to `reader` for each token of the wrong kind. If the two tokens are swapped, add only one fault."""
    if bot_token.startswith(APP_TOKEN) and app_token.startswith(BOT_TOKENS):
        fix = "Exchange their values: xoxb-… belongs to SLACK_BOT_TOKEN, xapp-… to SLACK_APP_TOKEN."
        reader.fault("SLACK_BOT_TOKEN", f"and SLACK_APP_TOKEN are swapped. {fix}")
        return
    if bot_token and not bot_token.startswith(BOT_TOKENS):
        reader.fault("SLACK_BOT_TOKEN", f"is no bot token: one begins with xoxb-.{_other_kind(bot_token)}")
    if app_token and not app_token.startswith(APP_TOKEN):
        reader.fault("SLACK_APP_TOKEN", f"is no app-level token: one begins with xapp-.{_other_kind(app_token)}")


def _signing_secret(reader: Reader, name: str) -> str:
    secret = reader.text(name)
    if secret.startswith((*BOT_TOKENS, APP_TOKEN)):
        reader.fault(name, f"is no signing secret.{_other_kind(secret)}")
    return secret


def _other_kind(token: str) -> str:
    """Return a sentence that says what kind of token or secret `token` is; "" if the kind is unknown.

    The sentence begins with a space.
    """
    kinds = {
        APP_TOKEN: "This is an app-level token, which belongs to SLACK_APP_TOKEN.",
        "xoxb-": "This is a bot token, which belongs to SLACK_BOT_TOKEN.",
        CONFIG_TOKEN: "This is an app configuration token. Take the Bot User OAuth Token, under OAuth & Permissions.",
        "xoxp-": "This is a user's token. Take the Bot User OAuth Token, under OAuth & Permissions.",
    }
    if re.fullmatch(r"[0-9a-f]{32}", token):
        return " This looks like the signing secret, which belongs to SLACK_SIGNING_SECRET."
    return next((f" {words}" for start, words in kinds.items() if token.startswith(start)), "")


def _config_token(reader: Reader) -> str:
    token = reader.text("SLACK_CONFIG_TOKEN")
    if token and not token.startswith(CONFIG_TOKEN):
        why = " This is the refresh token. Take the access token." if token.startswith("xoxe-") else _other_kind(token)
        reader.fault("SLACK_CONFIG_TOKEN", f"is no configuration token: one begins with {CONFIG_TOKEN}.{why}")
    return token


def read_features(reader: Reader) -> Features:
    """Read the settings on which the manifest of the Slack app depends. Add each fault of a setting to `reader`.

    Read no token and no secret, because the manifest is needed before the Slack app exists.
    """
    rules = _access_rules(reader)
    mode = reader.choice("BOT_MODE", ("auto", "socket", "http"))
    signing_only = reader.is_named("SLACK_SIGNING_SECRET") and not reader.is_named("SLACK_APP_TOKEN")
    over_http = mode == "http" or (mode == "auto" and signing_only)
    public_url, path = reader.url("COBROWSE_PUBLIC_URL"), below(EVENTS_PATH, reader.workspace)
    return Features(
        command=_command(reader),
        over_http=over_http,
        path=path,
        url=urljoin(public_url, path) if over_http and public_url else "",
        groups=rules.uses_groups,
        emails=reader.flag("COBROWSE_MATCH_EMAIL"),
        steps=rules.workflow_steps,
    )


def _command(reader: Reader) -> str:
    command = reader.text("COBROWSE_COMMAND")
    if len(reader.words("COBROWSE_COMMAND", r"/[a-z0-9_-]{1,31}", "command such as /cobrowse")) != 1:
        reader.fault("COBROWSE_COMMAND", "must be one command such as /cobrowse.")
    return command


def _language(reader: Reader) -> str:
    """Return the code of the language in COBROWSE_LANGUAGE, such as `pt_BR`; "" if the setting is empty.

    If the bot does not know the language, add a fault to `reader` and return "".
    """
    text, codes = reader.plain("COBROWSE_LANGUAGE"), ("en", *translated())
    code = next((each for each in codes if each.lower() == text.lower().replace("-", "_")), "")
    if text and not code:
        reader.fault("COBROWSE_LANGUAGE", f"must be {', '.join(codes[:-1])} or {codes[-1]}, not {text[:40]!r}.")
    return code


def _limits(reader: Reader) -> RequestLimits:
    starts = (f"COBROWSE_{whose}_STARTS_PER_MINUTE" for whose in ("PERSON", "SUPERVISOR", "WORKSPACE"))
    person, supervisor, workspace = (reader.integer(name, 0, 100_000) for name in starts)
    return RequestLimits(
        person_starts=person,
        supervisor_starts=supervisor,
        workspace_starts=workspace,
        person_sends=reader.integer("COBROWSE_PERSON_SENDS_PER_MINUTE", 0, 100_000),
        person_inquiries=reader.integer("COBROWSE_PERSON_INQUIRIES_PER_MINUTE", 0, 100_000),
        under_way=reader.integer("COBROWSE_MAX_IN_FLIGHT", 1, 100_000),
    )


def _allowlist(reader: Reader, name: str) -> Allowlist:
    ids = reader.words(name, _PERSON_OR_GROUP, "user id (U…, W…) or user group (S…)")
    users = frozenset(UserId(word) for word in ids if not word.startswith("S"))
    return Allowlist(users, tuple(word for word in ids if word.startswith("S")))


__all__ = [
    "CONVERSATIONS",
    "DatabaseSettings",
    "Environment",
    "LoggingSettings",
    "ProcessSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "SlackSettings",
    "TracingSettings",
    "added_to_environment",
    "environment",
    "finish",
    "load",
    "load_part",
    "read_audit_log",
    "read_cobrowse_api",
    "read_database",
    "read_environment",
    "read_features",
    "read_health_address",
    "read_process",
    "read_service_alone",
    "read_slack",
    "untrusted_certificate_fix",
]
