"""The settings, as one typed object; the only place that looks at the environment.

Each command asks only for what it uses. All faults are found before any is reported.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dotenv import dotenv_values

from bot.desk import hosts_file
from bot.desk.access import Roll, Rules
from bot.desk.desk import Offer
from bot.desk.hosts import host_id
from bot.desk.models import ChannelId, HostId, TeamId, UserId
from bot.genesys import regions
from bot.genesys.credentials import Credentials, KeyCredentials, SecretCredentials, load_key
from bot.settings.proxies import Proxies
from bot.settings.reader import Reader, SettingsFault, read_file

DEFAULT_SCOPES = "cobrowse:session:write cobrowse:session:read"
_PERSON_OR_GROUP = r"[UWS][A-Z0-9]{2,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """How to log, and the secret values that no line may show."""

    level: str
    as_json: bool
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The session service: where it is, who we are there, what sessions are made of."""

    api_url: str
    login_url: str
    proxy: str | None = field(repr=False)
    credentials: Credentials
    offer: Offer
    host_id: HostId | None
    logging: Logging


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """The door people use."""

    proxies: Proxies

    mode: Literal["socket", "http"]
    api_url: str
    command: str
    help_contact: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that `run` needs."""

    slack: Slack
    service: Service
    rules: Rules
    listed_hosts: Mapping[tuple[TeamId | None, UserId], HostId] | None
    match_email: bool
    email_domains: frozenset[str]
    host: str
    port: int
    shutdown_seconds: int
    logging: Logging


def environment(path: str = ".env") -> dict[str, str]:
    """The process's environment over the file's values; an empty value does not hide the file's.

    A secret that is set in one of them as a value and in the other as NAME_FILE comes from the environment, too.
    """
    try:
        read = dotenv_values(path, interpolate=False)
    except (OSError, ValueError):
        raise SettingsFault([f"{path}: the file cannot be read as UTF-8 text."]) from None
    outer = {name: value for name, value in os.environ.items() if value.strip()}
    hidden = {f"{name}_FILE" for name in outer} | {name.removesuffix("_FILE") for name in outer}
    return {name: value for name, value in read.items() if value and name not in hidden} | outer


def load(environ: Mapping[str, str]) -> Settings:
    """What `run` needs. Raises SettingsFault with every fault there is."""
    reader = Reader(environ)
    slack = _slack(reader)
    service = _service(reader)
    rules = Rules(
        supervisors=_roll(reader, "COBROWSE_SUPERVISORS"),
        admins=_roll(reader, "COBROWSE_ADMINS"),
        members=_roll(reader, "COBROWSE_MEMBERS"),
        channels=tuple(map(ChannelId, reader.words("COBROWSE_CHANNELS", r"[CGD][A-Z0-9]{2,}", "channel id (C…)"))),
    )
    path = reader.text("COBROWSE_HOSTS_FILE")
    listed = reader.parsed("COBROWSE_HOSTS_FILE", lambda: hosts_file.parse(read_file(path))) if path else None
    domain = r"@?(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}"
    domains = reader.words("COBROWSE_EMAIL_DOMAINS", domain, "domain such as example.com")
    if not reader.text("DATABASE_URL").startswith("memory:"):
        reader.fault("DATABASE_URL", "this version remembers requests in memory only. Leave it empty.")
    settings = Settings(
        slack=slack,
        service=service,
        rules=rules,
        listed_hosts=listed,
        match_email=reader.flag("COBROWSE_MATCH_EMAIL"),
        email_domains=frozenset(domain.removeprefix("@").lower() for domain in domains),
        host=reader.text("HOST"),
        port=reader.integer("PORT", 0, 65535),
        shutdown_seconds=reader.integer("SHUTDOWN_SECONDS", 0, 600),
        logging=service.logging,
    )
    if reader.faults:
        raise SettingsFault(reader.faults)
    return settings


def load_service(environ: Mapping[str, str]) -> Service:
    """What the commands need that know no Slack. Raises SettingsFault."""
    reader = Reader(environ)
    service = _service(reader)
    host = reader.text("GENESYS_HOST_USER_ID")
    if host and service.host_id is None:
        reader.fault("GENESYS_HOST_USER_ID", "must be a Genesys user's id, a UUID.")
    if reader.faults:
        raise SettingsFault(reader.faults)
    return service


def _slack(reader: Reader) -> Slack:
    bot_token = reader.needed("SLACK_BOT_TOKEN", "It is on the app's page, under OAuth & Permissions.")
    app_token, signing_secret = reader.text("SLACK_APP_TOKEN"), reader.text("SLACK_SIGNING_SECRET")
    if bot_token and not bot_token.startswith(("xoxb-", "xoxe.xoxb-")):
        reader.fault("SLACK_BOT_TOKEN", "is no bot token: one begins with xoxb-.")
    if app_token and not app_token.startswith("xapp-"):
        reader.fault("SLACK_APP_TOKEN", "is no app-level token: one begins with xapp-.")
    mode = reader.choice("BOT_MODE", ("auto", "socket", "http"))
    if mode == "auto" and not app_token and not signing_secret:
        wanted = "is missing, and so is SLACK_SIGNING_SECRET. Set the first for Socket Mode, the second for HTTP."
        reader.fault("SLACK_APP_TOKEN", wanted)
    elif mode == "socket" and not app_token:
        reader.fault("SLACK_APP_TOKEN", "is missing. Socket Mode needs it: Basic Information, App-Level Tokens.")
    elif mode == "http" and not signing_secret:
        reader.fault("SLACK_SIGNING_SECRET", "is missing. HTTP needs it: Basic Information, App Credentials.")
    command = reader.text("COBROWSE_COMMAND")
    if len(reader.words("COBROWSE_COMMAND", r"/[a-z0-9_-]{1,31}", "command such as /cobrowse")) != 1:
        reader.fault("COBROWSE_COMMAND", "must be one command such as /cobrowse.")
    return Slack(
        proxies=Proxies.of_environment(reader.environ),
        mode="socket" if mode == "socket" or (mode == "auto" and app_token) else "http",
        api_url=reader.url("SLACK_API_URL") + "/",
        command=command,
        help_contact=reader.text("COBROWSE_HELP_CONTACT"),
        bot_token=bot_token,
        app_token=app_token,
        signing_secret=signing_secret,
    )


def _service(reader: Reader) -> Service:
    api_url, login_url = _urls(reader)
    offer = Offer(
        application_id=reader.text("COBROWSE_APPLICATION_ID"),
        application_type=reader.text("COBROWSE_APPLICATION_TYPE"),
        timeout_seconds=reader.integer("COBROWSE_TIMEOUT_SECONDS", 60, 86_400),
    )
    credentials = _credentials(reader)
    level = reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"))
    as_json = reader.choice("LOG_FORMAT", ("text", "json")) == "json"
    reader.text("DATABASE_URL")  # may hold a password
    return Service(
        api_url=api_url,
        login_url=login_url,
        proxy=Proxies.of_environment(reader.environ).of(api_url),
        credentials=credentials,
        offer=offer,
        host_id=host_id(reader.text("GENESYS_HOST_USER_ID")),
        logging=Logging(level=level, as_json=as_json, secrets=tuple(reader.secrets)),
    )


def _urls(reader: Reader) -> tuple[str, str]:
    api_url, login_url = reader.url("GENESYS_API_URL"), reader.url("GENESYS_LOGIN_URL")
    if api_url and login_url:
        return api_url, login_url
    region = reader.needed("GENESYS_REGION", "Set it to your organisation's region, such as us-west-2.")
    found = reader.parsed("GENESYS_REGION", lambda: regions.urls(region)) if region else None
    region_api, region_login = found or ("", "")
    return api_url or region_api, login_url or region_login


def _credentials(reader: Reader) -> Credentials:
    client_id = reader.needed("GENESYS_CLIENT_ID", "It is the id of an OAuth client: Admin, Integrations, OAuth.")
    path, pem = reader.text("GENESYS_PRIVATE_KEY_PATH"), reader.text("GENESYS_PRIVATE_KEY")
    secret = reader.text("GENESYS_CLIENT_SECRET")
    passphrase = reader.text("GENESYS_PRIVATE_KEY_PASSPHRASE") or None
    scopes = reader.text("GENESYS_SCOPES")
    asked = "" if scopes.lower() == "none" else " ".join(scopes.replace(",", " ").split())
    ways = [name for name, value in _ways(path, pem, secret) if value]
    if len(ways) > 1:
        reader.fault(ways[0], f"is set, and so is {' and '.join(ways[1:])}. Keep one of them.")
    if not ways:
        files = ("GENESYS_PRIVATE_KEY_FILE", "GENESYS_CLIENT_SECRET_FILE")
        if not any(fault.startswith(files) for fault in reader.faults):
            missing = "is missing. Set it to the path of the key, or set GENESYS_CLIENT_SECRET."
            reader.fault("GENESYS_PRIVATE_KEY_PATH", missing)
    elif secret:
        return SecretCredentials(client_id, secret, asked)
    org_id = reader.needed("GENESYS_ORG_ID", "A private key needs it.") if path or pem else ""
    source = "GENESYS_PRIVATE_KEY_PATH" if path else "GENESYS_PRIVATE_KEY"
    key = reader.parsed(source, lambda: load_key(read_file(path) if path else pem, passphrase)) if path or pem else None
    if key is None:  # a fault has been noted
        return SecretCredentials(client_id, "")
    return KeyCredentials(client_id, org_id, key, asked if scopes else DEFAULT_SCOPES, reader.text("GENESYS_KEY_ID"))


def _ways(path: str, pem: str, secret: str) -> list[tuple[str, str]]:
    names = ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY", "GENESYS_CLIENT_SECRET")
    return list(zip(names, (path, pem, secret), strict=True))


def _roll(reader: Reader, name: str) -> Roll:
    ids = reader.words(name, _PERSON_OR_GROUP, "user id (U…, W…) or user group (S…)")
    users = frozenset(UserId(word) for word in ids if not word.startswith("S"))
    return Roll(users, tuple(word for word in ids if word.startswith("S")))


__all__ = ["Logging", "Service", "Settings", "SettingsFault", "Slack", "environment", "load", "load_service"]
