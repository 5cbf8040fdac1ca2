"""List every environment variable with default and purpose. Tests compare README and .env.example with it."""

from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """The characters that a value may contain: TOKEN printable ASCII, LINE visible characters, FREE any."""

    FREE = "free"
    LINE = "line"
    TOKEN = "token"  # noqa: S105 - not a password


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable. For a `secret`, NAME_FILE can name a file that holds the value.

    `example`: a value such as faults show. It is needed where there is no default.
    """

    name: str
    about: str
    default: str = ""
    secret: bool = False
    form: Form = Form.FREE
    example: str = ""


_TEXT_LANGUAGES = {
    "EN": "English",
    "ES": "Spanish",
    "PT_BR": "Brazilian Portuguese",
    "FR": "French",
    "DE": "German",
    "JA": "Japanese",
}


def _texts_by_language() -> list[Variable]:
    """Return the variables for texts to customers in each language: SMS, an e-mail's subject, e-mail."""
    texts = {"SMS_TEXT": "SMS", "EMAIL_SUBJECT": "e-mail's subject", "EMAIL_TEXT": "e-mail"}
    return [
        Variable(f"COBROWSE_{name}_{suffix}", f"the {what} in {language}", example=_TEXT_EXAMPLES[name])
        for suffix, language in _TEXT_LANGUAGES.items()
        for name, what in texts.items()
    ]


_TEXT_EXAMPLES = {
    "SMS_TEXT": "Example Shop, {agent}: {joinUrl}",
    "EMAIL_SUBJECT": "Example Shop",
    "EMAIL_TEXT": "Example Shop, {agent}: {joinUrl}",
}
_ID = "11111111-2222-4333-8444-555555555555"
_ALL = (
    Variable("SLACK_BOT_TOKEN", "the app's bot token, xoxb-…", secret=True, form=Form.TOKEN, example="xoxb-…"),
    Variable(
        "SLACK_APP_TOKEN",
        "the app-level token for Socket Mode, xapp-…",
        secret=True,
        form=Form.TOKEN,
        example="xapp-1-…",
    ),
    Variable(
        "SLACK_SIGNING_SECRET", "what Slack signs HTTP requests with", secret=True, form=Form.TOKEN, example="8f74…85a5"
    ),
    Variable(
        "SLACK_CONFIG_TOKEN",
        "for `check` only: an app configuration token, xoxe.xoxp-…, to compare the app's command and events",
        secret=True,
        form=Form.TOKEN,
        example="xoxe.xoxp-1-…",
    ),
    Variable("SLACK_API_URL", "where Slack's Web API is", "https://slack.com/api/"),
    Variable("BOT_MODE", "`auto` (Socket Mode when there is an app token, else HTTP), `socket` or `http`", "auto"),
    Variable("HOST", "address the HTTP server listens on; `::` or `*`: all, of IPv4 and IPv6", "127.0.0.1"),
    Variable("PORT", "port the HTTP server listens on", "3000"),
    Variable(
        "HEALTH_PORT",
        "port for `/healthz`, `/readyz`, `/metrics`; unset: `PORT` over HTTP, none in Socket Mode",
        example="3001",
    ),
    Variable("SHUTDOWN_SECONDS", "how long a stop waits for requests under way, 0 to 600", "20"),
    Variable("GENESYS_ORG_ID", "the organisation's id; needed with a private key", form=Form.TOKEN, example=_ID),
    Variable("GENESYS_REGION", "such as `mypurecloud.com`, `usw2.pure.cloud` or `us-west-2`", example="us-west-2"),
    Variable("GENESYS_CLIENT_ID", "the OAuth client's id", form=Form.TOKEN, example=_ID),
    Variable(
        "GENESYS_PRIVATE_KEY_PATH",
        "file with the OAuth client's private key (PEM, RSA or P-256)",
        example="genesys.pem",
    ),
    Variable(
        "GENESYS_PRIVATE_KEY",
        "the key itself, instead of a file",
        secret=True,
        example="-----BEGIN PRIVATE KEY-----\\nMIIE…\\n-----END PRIVATE KEY-----",
    ),
    Variable(
        "GENESYS_PRIVATE_KEY_PASSPHRASE",
        "the passphrase of an encrypted key",
        secret=True,
        example="the words that encrypt the key",
    ),
    Variable("GENESYS_KEY_ID", "the `kid` that the login knows the key by", form=Form.TOKEN, example="key-1"),
    Variable(
        "GENESYS_CLIENT_SECRET",
        "the OAuth client's secret, instead of a key",
        secret=True,
        form=Form.TOKEN,
        example="kT9x…",
    ),
    Variable(
        "GENESYS_SCOPES",
        "scopes to ask for, or `none`; unset: with a key `cobrowse:session:write cobrowse:session:read`, else none",
        example="cobrowse:session:write cobrowse:session:read",
    ),
    Variable(
        "GENESYS_HOST_USER_ID",
        "default host of the command `start`; never a host for Slack people",
        form=Form.TOKEN,
        example=_ID,
    ),
    Variable(
        "GENESYS_API_URL",
        "where Genesys's API is, if not at the region's address",
        example="https://api.usw2.pure.cloud",
    ),
    Variable(
        "GENESYS_LOGIN_URL",
        "where Genesys's login is, if not at the region's address",
        example="https://login.usw2.pure.cloud",
    ),
    Variable(
        "GENESYS_REQUESTS_PER_MINUTE",
        "how many a token may make; unset: what Genesys says, 300 until it does",
        example="300",
    ),
    Variable(
        "GENESYS_COBROWSE_API",
        "which service makes sessions: `sessions`, or `conversations` of the public Genesys Cloud API",
        "sessions",
    ),
    Variable(
        "GENESYS_DEPLOYMENT_ID",
        "with `conversations`: the Messenger deployment, to look at and withdraw offers",
        form=Form.TOKEN,
        example=_ID,
    ),
    Variable(
        "GENESYS_CONNECT_CLIENT_ID",
        "with `conversations`: the OAuth client, of the grant Code Authorization, that people connect by",
        form=Form.TOKEN,
        example=_ID,
    ),
    Variable("GENESYS_CONNECT_CLIENT_SECRET", "its secret", secret=True, form=Form.TOKEN, example="kT9x…"),
    Variable(
        "COBROWSE_PUBLIC_URL",
        "where browsers reach this bot's HTTP server, such as `https://bot.example.com`; needed to connect",
        example="https://bot.example.com",
    ),
    Variable("COBROWSE_COMMAND", "the slash command, as in the manifest", "/cobrowse"),
    Variable("COBROWSE_APPLICATION_ID", "which co-browse application sessions are for", "web", form=Form.LINE),
    Variable("COBROWSE_APPLICATION_TYPE", "its type", "web", form=Form.LINE),
    Variable("COBROWSE_TIMEOUT_SECONDS", "how long a session lasts, 60 to 86400", "1800"),
    Variable(
        "COBROWSE_JOIN_URL_TEMPLATE",
        "with `conversations`: your page for customers, such as `https://help.example.com/cobrowse#{joinCode}`",
        example="https://help.example.com/cobrowse#{joinCode}",
    ),
    Variable(
        "COBROWSE_JOIN_HOSTS",
        "with `sessions`: hosts that links may lead to, `.example.com` for all below it; unset: any public host name",
        example="join.example.com, .example.com",
    ),
    Variable("COBROWSE_HOSTS_FILE", "CSV that maps Slack users to Genesys users", example="hosts.csv"),
    Variable("COBROWSE_MATCH_EMAIL", "whether the same e-mail address in Slack and Genesys maps people", "true"),
    Variable("COBROWSE_EMAIL_DOMAINS", "domains whose addresses may map people; empty: any", example="example.com"),
    Variable(
        "COBROWSE_SUPERVISORS",
        "who may start sessions for others: user ids and user groups (S…)",
        example="U012AB3CD, S0123ABCD",
    ),
    Variable(
        "COBROWSE_ADMINS",
        "administrators: user ids and user groups; may do what supervisors may, and read how to fix errors",
        example="U012AB3CD",
    ),
    Variable(
        "COBROWSE_MEMBERS",
        "who may use the bot: user ids and user groups; empty: every full member",
        example="S0123ABCD",
    ),
    Variable("COBROWSE_CHANNELS", "channel ids where the command works; empty: everywhere", example="C012AB3CD"),
    Variable(
        "COBROWSE_WORKFLOW_STEPS",
        "whether steps of workflows may start sessions, for whomever the workflow's builder names: `on` or `off`",
        "off",
    ),
    Variable("COBROWSE_PERSON_STARTS_PER_MINUTE", "sessions of one's own a person may start in a minute; 0: any", "6"),
    Variable("COBROWSE_SUPERVISOR_STARTS_PER_MINUTE", "sessions one may start for others in a minute; 0: any", "60"),
    Variable("COBROWSE_WORKSPACE_STARTS_PER_MINUTE", "sessions of all people in a minute; 0: any", "0"),
    Variable(
        "COBROWSE_PERSON_INQUIRIES_PER_MINUTE",
        "other commands and button presses of a person in a minute; 0: any",
        "30",
    ),
    Variable("COBROWSE_MAX_IN_FLIGHT", "requests accepted and unanswered at most, 1 to 100000", "5000"),
    Variable(
        "COBROWSE_SMS_FROM",
        "your number in Genesys that links are sent from as SMS, E.164; needs a store key",
        example="+14155550100",
    ),
    Variable(
        "COBROWSE_SMS_COUNTRIES", "ISO countries that SMS may go to, such as `US, CA`; needed for SMS", example="US, CA"
    ),
    Variable(
        "COBROWSE_SMS_TEXT",
        "the SMS, with `{joinUrl}` once; it may hold `{company}` and `{agent}`",
        "Here is your link to share your screen with us: {joinUrl}",
    ),
    Variable(
        "COBROWSE_EMAIL_FROM",
        "your address in Genesys that links are sent from; needs a store key",
        example="care@example.com",
    ),
    Variable("COBROWSE_EMAIL_SUBJECT", "the e-mail's subject", "Your link to share your screen with us"),
    Variable(
        "COBROWSE_EMAIL_TEXT",
        "the e-mail, with `{joinUrl}` once; it may hold `{company}` and `{agent}`",
        "Here is the link to share your screen with us, as we have just talked about: {joinUrl}",
    ),
    Variable("COBROWSE_COMPANY", "your company's name, for `{company}` in these texts", example="Example Shop"),
    *_texts_by_language(),
    Variable("COBROWSE_PERSON_SENDS_PER_MINUTE", "links a person may send to customers in a minute; 0: any", "5"),
    Variable(
        "COBROWSE_HELP_CONTACT",
        "whom errors name: free text, or a user's or channel's id, which is told about faults; empty: administrators",
        example="U012AB3CD",
    ),
    Variable(
        "COBROWSE_RUNBOOK_URL",
        "your page on what to do about faults, for a button on the message that administrators get",
        example="https://wiki.example.com/cobrowse",
    ),
    Variable("COBROWSE_RETENTION_DAYS", "how long requests and sessions are remembered, 1 to 3650", "30"),
    Variable(
        "DATABASE_URL",
        "where they are: a SQLite file, `postgresql://…`, or `memory:`",
        "sqlite:///cobrowse.db",
        secret=True,
        form=Form.LINE,
    ),
    Variable(
        "STORE_ENCRYPTION_KEY",
        "encrypts links and sign-ins there; Fernet keys, newest first, comma between",
        secret=True,
        example="7XzT…q0=",
    ),
    Variable("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`", "INFO"),
    Variable("LOG_FORMAT", "`text` or `json`", "text"),
    Variable(
        "AUDIT_LOG", "file for one JSON line a decision, or `-` for standard output; unset: none", example="audit.jsonl"
    ),
)
VARIABLES = {variable.name: variable for variable in _ALL}
_OTHERS = {
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "SSL_CERT_DIR": "/etc/ssl/certs",
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://proxy.example.com:3128"),
}
"""Examples of variables that others read, too."""


def example(name: str) -> str:
    """Return a line such as `PORT=3000` for a variable, or for its NAME_FILE; "" for a name that is not known."""
    variable = VARIABLES.get(name)
    secret = VARIABLES.get(name.removesuffix("_FILE"))
    file = f"/run/secrets/{name.removesuffix('_FILE').lower()}" if secret and secret.secret else ""
    value = (variable.example or variable.default) if variable else _OTHERS.get(name.upper(), file)
    return f"{name}={value}" if value else ""
