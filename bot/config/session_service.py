"""Read the settings of the session service: addresses, credentials and session defaults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.config.process import LoggingSettings, read_logging
from bot.config.proxies import Proxies, read_proxies
from bot.config.reader import Reader
from bot.core.hosts.resolver import host_id
from bot.core.models import HostId, LiveMode, SessionDefaults
from bot.core.validation.conversations import GenesysApp
from bot.core.validation.display import JoinHosts, parse_join_hosts, parse_template
from bot.genesys import regions
from bot.genesys.auth.credentials import Credentials, SecretCredentials

if TYPE_CHECKING:
    from bot.genesys.api.conversations import JoinSettings

SESSIONS, CONVERSATIONS = "sessions", "conversations"
DEFAULT_SCOPES = "cobrowse:session:write cobrowse:session:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The settings of the session service.

    - `api_url`, `login_url`: the URLs of the API and of Genesys's login, without a slash at the end.
    - `requests_per_minute`: how many calls to Genesys the bot may make in a minute; None if only Genesys's own limit
      applies.
    - `credentials`: the credentials with which the bot signs in.
    - `next_credentials`: the credentials of a second OAuth client, with which the bot signs in if Genesys refuses the
      first client; None without a second client.
    - `offer`: the application and the duration of a new session, if the request names no others.
    - `conversations`: the settings of the public Genesys Cloud API; None for another session service.
    - `join_hosts`: the servers to which a join URL may lead.
    - `app`: the Genesys web app of the region.
    - `live`: how the bot finds out that a customer joined.
    - `joined_statuses`: the values of the API's field `status`, in lower case, that mean that the customer joined.
      With the public Genesys Cloud API, the bot does not use them.
    - `host_id`: the default host of `cobrowse-bot start`; None without a default.
    """

    api_url: str
    login_url: str
    proxies: Proxies
    requests_per_minute: int | None
    credentials: Credentials
    next_credentials: Credentials | None
    offer: SessionDefaults
    conversations: "ConversationSettings | None"
    join_hosts: JoinHosts
    app: GenesysApp
    live: LiveMode
    joined_statuses: frozenset[str]
    host_id: HostId | None
    logging: LoggingSettings

    @property
    def proxy(self) -> str | None:
        """Return the URL of the proxy for calls to Genesys; None for a direct connection."""
        return self.proxies.of(self.api_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings:
    """The settings of the public Genesys Cloud API (GENESYS_COBROWSE_API=conversations).

    - `joining`: how customers join a session.
    - `app`: the Genesys web app of the region. The bot accepts the URLs of conversations in this app.
    """

    joining: "JoinSettings"
    app: GenesysApp


def read_service(reader: Reader) -> ServiceSettings:
    """Read the settings of the session service. Add each fault of a setting to `reader`."""
    api_url, login_url = _urls(reader)
    offer = SessionDefaults(
        application_id=reader.text("COBROWSE_APPLICATION_ID"),
        application_type=reader.text("COBROWSE_APPLICATION_TYPE"),
        timeout_seconds=reader.integer("COBROWSE_TIMEOUT_SECONDS", 60, 86_400),
    )
    credentials, next_credentials = _credentials(reader), _next_credentials(reader)
    conversations = _conversations(reader)
    reader.text("GENESYS_CONNECT_CLIENT_SECRET")  # the log masks it, too
    return ServiceSettings(
        api_url=api_url,
        login_url=login_url,
        proxies=read_proxies(reader),
        requests_per_minute=_requests_per_minute(reader),
        credentials=credentials,
        next_credentials=next_credentials,
        offer=offer,
        conversations=conversations if read_cobrowse_api(reader) == CONVERSATIONS else None,
        join_hosts=_join_hosts(reader),
        app=conversations.app,
        live=_live(reader),
        joined_statuses=frozenset(word.lower() for word in reader.words("COBROWSE_JOINED_STATUSES", r"\S+", "word")),
        host_id=host_id(reader.text("GENESYS_HOST_USER_ID")),
        logging=read_logging(reader),
    )


def _live(reader: Reader) -> LiveMode:
    is_public = read_cobrowse_api(reader) == CONVERSATIONS
    if not reader.text("GENESYS_LIVE"):
        return LiveMode.POLL if is_public else LiveMode.OFF
    mode = LiveMode(reader.choice("GENESYS_LIVE", tuple(LiveMode)))
    if mode is LiveMode.PUSH and not is_public:
        reader.fault("GENESYS_LIVE", "can be push only with GENESYS_COBROWSE_API=conversations.")
    return mode


def _join_hosts(reader: Reader) -> JoinHosts:
    words = reader.words("COBROWSE_JOIN_HOSTS", r"\S+", "host")
    return reader.parsed("COBROWSE_JOIN_HOSTS", lambda: parse_join_hosts(words)) or JoinHosts()


def _requests_per_minute(reader: Reader) -> int | None:
    name = "GENESYS_REQUESTS_PER_MINUTE"
    return reader.integer(name, 1, 1_000_000) if reader.text(name) else None


def read_cobrowse_api(reader: Reader) -> str:
    """Return the value of GENESYS_COBROWSE_API: `sessions` or `conversations`.

    If the variable has another value, add a fault to `reader` and return `sessions`.
    """
    return reader.choice("GENESYS_COBROWSE_API", (SESSIONS, CONVERSATIONS))


def _conversations(reader: Reader) -> ConversationSettings:
    """Read the settings of the public Genesys Cloud API, even if GENESYS_COBROWSE_API names the other session service.

    Add each fault of a setting to `reader`.
    """
    # Imported here because they load HTTP clients, which the command `health` does not need.
    from bot.genesys.api.conversations import JoinSettings  # noqa: PLC0415

    template, deployment = reader.plain("COBROWSE_JOIN_URL_TEMPLATE"), reader.text("GENESYS_DEPLOYMENT_ID")
    parsed = reader.parsed("COBROWSE_JOIN_URL_TEMPLATE", lambda: parse_template(template)) if template else None
    if deployment and host_id(deployment) is None:
        reader.fault("GENESYS_DEPLOYMENT_ID", "must be a Messenger deployment's id, a UUID.")
    region = reader.text("GENESYS_REGION")
    app = reader.parsed("GENESYS_REGION", lambda: regions.apps_host(region)) if region else None
    return ConversationSettings(joining=JoinSettings(parsed, host_id(deployment)), app=GenesysApp(app or ""))


def _urls(reader: Reader) -> tuple[str, str]:
    api_url, login_url = reader.url("GENESYS_API_URL"), reader.url("GENESYS_LOGIN_URL")
    if api_url and login_url:
        return api_url, login_url
    region = reader.needed("GENESYS_REGION", "Set it to your organization's region, such as us-west-2.")
    found = reader.parsed("GENESYS_REGION", lambda: regions.urls(region)) if region else None
    region_api, region_login = found or ("", "")
    return api_url or region_api, login_url or region_login


def _credentials(reader: Reader) -> Credentials:
    client_id = reader.needed("GENESYS_CLIENT_ID", "It is the id of an OAuth client: Admin, Integrations, OAuth.")
    path, pem = reader.text("GENESYS_PRIVATE_KEY_PATH"), reader.text("GENESYS_PRIVATE_KEY")
    secret = reader.text("GENESYS_CLIENT_SECRET")
    sources = [name for name, value in _key_sources(path, pem, secret) if value]
    if len(sources) > 1:
        reader.fault(sources[0], f"is set, and so is {' and '.join(sources[1:])}. Keep one of them.")
    if not sources:
        files = ("GENESYS_PRIVATE_KEY_FILE", "GENESYS_CLIENT_SECRET_FILE")
        if not any(map(reader.has_fault, files)):
            missing = "is missing. Set it, or set GENESYS_PRIVATE_KEY_PATH to the path of the client's private key."
            reader.fault("GENESYS_CLIENT_SECRET", missing)
    elif secret:
        _about_key(reader, "")
        return SecretCredentials(client_id, secret, _scopes(reader, ""))
    if path and not pem:
        pem = reader.key_file("GENESYS_PRIVATE_KEY", "GENESYS_PRIVATE_KEY_PATH")
    source = "GENESYS_PRIVATE_KEY_PATH" if path else "GENESYS_PRIVATE_KEY" if pem else ""
    return _key_credentials(reader, client_id, pem, source, "") or SecretCredentials(client_id, "")


def _next_credentials(reader: Reader) -> Credentials | None:
    """Read the credentials of the second OAuth client. Add each fault of a setting to `reader`.

    The bot signs in with the second client if Genesys refuses the first one. The names of the second client's settings
    end in `_NEXT`.

    Return None if no second client is set, if it has neither a secret nor a private key, or if its private key cannot
    be loaded.
    """
    client_id, secret = reader.text("GENESYS_CLIENT_ID_NEXT"), reader.text("GENESYS_CLIENT_SECRET_NEXT")
    pem = reader.text("GENESYS_PRIVATE_KEY_NEXT")
    if secret and pem:
        reader.fault("GENESYS_CLIENT_SECRET_NEXT", "is set, and so is GENESYS_PRIVATE_KEY_NEXT. Keep one of them.")
    if client_id and not (secret or pem) and not reader.has_fault_about("GENESYS_PRIVATE_KEY_NEXT"):
        missing = "is missing, and so is GENESYS_PRIVATE_KEY_NEXT. The second client needs one of them."
        reader.fault("GENESYS_CLIENT_SECRET_NEXT", missing)
    if not client_id and (secret or pem):
        reader.fault("GENESYS_CLIENT_ID_NEXT", "is missing. It is the id of the second client.")
    if not pem:
        _about_key(reader, "_NEXT")
        return SecretCredentials(client_id, secret, _scopes(reader, "")) if client_id and secret else None
    return _key_credentials(reader, client_id, pem, "GENESYS_PRIVATE_KEY_NEXT", "_NEXT")


def _scopes(reader: Reader, default: str) -> str:
    scopes = reader.plain("GENESYS_SCOPES")
    if not scopes:
        return default
    return "" if scopes.lower() == "none" else " ".join(scopes.replace(",", " ").split())


def _key_credentials(reader: Reader, client_id: str, pem: str, source: str, suffix: str) -> Credentials | None:
    """Load a private key, and return credentials with the key. Add each fault of a setting to `reader`.

    - `pem`: the text of the private key, in any form that can be converted to PEM; "" if no key is set, or if its file
      cannot be read.
    - `source`: the variable that contains the key or the path of its file; "" if no key is set. The texts of faults
      name this variable.
    - `suffix`: the end of the names of the variables: "" or "_NEXT".

    Return None if `pem` is "", or if the key cannot be loaded.
    """
    passphrase, key_id = _about_key(reader, suffix)
    org_id = reader.needed("GENESYS_ORG_ID", "A private key needs it.") if source else ""
    if not pem:
        return None
    from bot.genesys.auth.private_keys import KeyCredentials, load_key  # noqa: PLC0415 - slow to load, and needed only for a key

    key = reader.parsed(source, lambda: load_key(pem, passphrase))
    if key is None:
        return None
    return KeyCredentials(client_id, org_id, key, _scopes(reader, DEFAULT_SCOPES), key_id)


def _about_key(reader: Reader, suffix: str) -> tuple[str | None, str]:
    """Return the passphrase and the key id of a private key. A missing passphrase is None, a missing key id is "".

    `suffix`: the end of the names of the variables: "" or "_NEXT".
    """
    return reader.text(f"GENESYS_PRIVATE_KEY_PASSPHRASE{suffix}") or None, reader.text(f"GENESYS_KEY_ID{suffix}")


def _key_sources(path: str, pem: str, secret: str) -> list[tuple[str, str]]:
    names = ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY", "GENESYS_CLIENT_SECRET")
    return list(zip(names, (path, pem, secret), strict=True))
