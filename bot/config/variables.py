"""Define every environment variable that the bot reads.

docs/generate/settings.py generates docs/reference/settings.md and .env.example from these definitions.
"""

from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """The characters that the value of an environment variable may contain.

    - FREE: any characters.
    - LINE: visible characters and spaces.
    - TOKEN: printable ASCII characters without spaces.
    """

    FREE = "free"
    LINE = "line"
    TOKEN = "token"  # noqa: S105 - not a password


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable.

    - `about`: what the variable does, as Markdown without links.
    - `default`: the value if the variable is not set; "" if there is no default.
    - `required`: when the variable must be set, such as "always"; "" if the variable is optional.
    - `unit`: the unit of the value, such as "seconds"; "" if the value has none.
    - `secret`: whether the value is a secret. A secret can also be in a file. For a variable NAME, the variable
      NAME_FILE then contains the path of this file.
    - `form`: the characters that the value may contain.
    - `example`: an example value for the sentences about faults.
    - `in_file`: for a variable that is no secret, whether its value can be in a file, too.
    """

    name: str
    about: str
    default: str = ""
    required: str = ""
    unit: str = ""
    secret: bool = False
    form: Form = Form.FREE
    example: str = ""
    in_file: bool = False

    @property
    def takes_file(self) -> bool:
        """Return whether the value can be in a file. For a variable NAME, NAME_FILE then contains the file's path."""
        return self.secret or self.in_file

    @property
    def is_next(self) -> bool:
        """Return whether the name of the variable ends with _NEXT.

        The bot uses the value of such a variable only while an administrator replaces a secret. The file with the value
        may be missing or empty.
        """
        return self.name.endswith("_NEXT")


_TEXT_LANGUAGES = {
    "EN": "English",
    "ES": "Spanish",
    "PT_BR": "Brazilian Portuguese",
    "FR": "French",
    "DE": "German",
    "JA": "Japanese",
}
_TEXTS = {
    "SMS_TEXT": ("SMS", "Example Shop, {agent}: {joinUrl}"),
    "EMAIL_SUBJECT": ("subject of the email", "Example Shop"),
    "EMAIL_TEXT": ("email", "Example Shop, {agent}: {joinUrl}"),
}
"""The texts to customers. Each key is the middle of variable names, such as SMS_TEXT in COBROWSE_SMS_TEXT_DE (German).
Each value contains what the text is for, and an example of the text."""


def _texts_by_language() -> tuple[Variable, ...]:
    return tuple(
        Variable(f"COBROWSE_{name}_{suffix}", f"The {what} in {language}.", example=text)
        for suffix, language in _TEXT_LANGUAGES.items()
        for name, (what, text) in _TEXTS.items()
    )


_ID = "11111111-2222-4333-8444-555555555555"
GROUPS = {
    "Slack": (
        Variable(
            "SLACK_BOT_TOKEN",
            "The bot token of the Slack app. It is under OAuth & Permissions.",
            required="always",
            secret=True,
            form=Form.TOKEN,
            example="xoxb-…",
        ),
        Variable(
            "SLACK_APP_TOKEN",
            "The app-level token. With it the bot uses Socket Mode. Its scope is connections:write.",
            required="for Socket Mode",
            secret=True,
            form=Form.TOKEN,
            example="xapp-1-…",
        ),
        Variable(
            "SLACK_SIGNING_SECRET",
            "What Slack signs HTTP requests with. The bot refuses requests without its signature.",
            required="for HTTP",
            secret=True,
            form=Form.TOKEN,
            example="8f74…85a5",
        ),
        Variable(
            "SLACK_SIGNING_SECRET_NEXT",
            "A second signing secret, during a change. The bot accepts what either of the two signs.",
            secret=True,
            form=Form.TOKEN,
            example="8f74…85a5",
        ),
        Variable(
            "SLACK_CONFIG_TOKEN",
            "An app configuration token. Only `check` uses it, to compare the app's command and events.",
            secret=True,
            form=Form.TOKEN,
            example="xoxe.xoxp-1-…",
        ),
        Variable(
            "BOT_MODE",
            "`socket`, `http`, or `auto`: Socket Mode when there is an app-level token, otherwise HTTP.",
            "auto",
        ),
        Variable(
            "SLACK_API_URL",
            "The address of Slack's Web API. Change it for a gateway in front of Slack.",
            "https://slack.com/api/",
        ),
        Variable("COBROWSE_COMMAND", "The slash command. The Slack app's manifest has to have the same.", "/cobrowse"),
        Variable(
            "COBROWSE_HELP_CONTACT",
            (
                "Whom errors name: free text, or the id of a user or channel, who is also told about faults. "
                "Empty: the administrators."
            ),
            example="U012AB3CD",
        ),
        Variable(
            "COBROWSE_RUNBOOK_URL",
            "Your page on what to do about faults. A button on the message to administrators opens it.",
            example="https://wiki.example.com/cobrowse",
        ),
        Variable(
            "COBROWSE_LANGUAGE",
            "The language of all messages, such as `de` or `pt_BR`. Empty: the one in which each reader uses Slack.",
            example="de",
        ),
    ),
    "Genesys": (
        Variable(
            "GENESYS_COBROWSE_API",
            "What creates sessions: `conversations` is public Genesys Cloud, `sessions` a session service.",
            "sessions",
            required="on public Genesys Cloud",
        ),
        Variable(
            "GENESYS_REGION",
            (
                "The region of your organization, by its domain (`mypurecloud.com`, `usw2.pure.cloud`) or its "
                "name. It sets the addresses of API and login."
            ),
            required="always, unless both addresses are set",
            example="us-west-2",
        ),
        Variable(
            "GENESYS_CLIENT_ID",
            "The id of the OAuth client. It is in Genesys under Admin › Integrations › OAuth.",
            required="always",
            form=Form.TOKEN,
            example=_ID,
            in_file=True,
        ),
        Variable(
            "GENESYS_CLIENT_SECRET",
            "The secret of an OAuth client with the grant Client Credentials.",
            required="always, unless there is a key",
            secret=True,
            form=Form.TOKEN,
            example="kT9x…",
        ),
        Variable(
            "GENESYS_PRIVATE_KEY_PATH",
            "A file with the private key of the OAuth client, in place of a secret. PEM, RSA or P-256.",
            required="with a private key",
            example="genesys.pem",
        ),
        Variable(
            "GENESYS_PRIVATE_KEY",
            "The private key itself, in place of a file. `\\n` stands for each line break.",
            secret=True,
            example="-----BEGIN PRIVATE KEY-----\\nMIIE…\\n-----END PRIVATE KEY-----",
        ),
        Variable(
            "GENESYS_PRIVATE_KEY_PASSPHRASE",
            "The passphrase of an encrypted private key.",
            required="with an encrypted key",
            secret=True,
            example="the words that encrypt the key",
        ),
        Variable(
            "GENESYS_KEY_ID",
            "The `kid` by which the login knows the key. With it two keys may be good at once.",
            form=Form.TOKEN,
            example="key-1",
            in_file=True,
        ),
        Variable(
            "GENESYS_CLIENT_ID_NEXT",
            "The id of a second OAuth client, during a change. The bot uses it when the login refuses the first one.",
            required="with a secret or key of the second client",
            form=Form.TOKEN,
            example=_ID,
            in_file=True,
        ),
        Variable(
            "GENESYS_CLIENT_SECRET_NEXT",
            "The secret of the second client.",
            required="with GENESYS_CLIENT_ID_NEXT, unless there is a key",
            secret=True,
            form=Form.TOKEN,
            example="kT9x…",
        ),
        Variable(
            "GENESYS_PRIVATE_KEY_NEXT",
            "The private key of the second client, in place of a secret. PEM, RSA or P-256.",
            secret=True,
            example="-----BEGIN PRIVATE KEY-----\\nMIIE…\\n-----END PRIVATE KEY-----",
        ),
        Variable(
            "GENESYS_PRIVATE_KEY_PASSPHRASE_NEXT",
            "The passphrase of the second client's key.",
            secret=True,
            example="the words that encrypt the key",
        ),
        Variable(
            "GENESYS_KEY_ID_NEXT",
            "The `kid` of the second client's key.",
            form=Form.TOKEN,
            example="key-2",
            in_file=True,
        ),
        Variable(
            "GENESYS_ORG_ID",
            "The id of your Genesys organization. It stands in the assertion that the key signs.",
            required="with a private key",
            form=Form.TOKEN,
            example=_ID,
        ),
        Variable(
            "GENESYS_SCOPES",
            (
                "The scopes to ask for, or `none`. Empty: `cobrowse:session:write cobrowse:session:read` with a "
                "key, otherwise none."
            ),
            example="cobrowse:session:write cobrowse:session:read",
        ),
        Variable(
            "GENESYS_HOST_USER_ID",
            "The Genesys user for `cobrowse-bot start`. People in Slack never get it.",
            form=Form.TOKEN,
            example=_ID,
        ),
        Variable(
            "GENESYS_API_URL",
            "The address of Genesys's API, if it is not the region's.",
            example="https://api.usw2.pure.cloud",
        ),
        Variable(
            "GENESYS_LOGIN_URL",
            "The address of Genesys's login, if it is not the region's.",
            example="https://login.usw2.pure.cloud",
        ),
        Variable(
            "GENESYS_REQUESTS_PER_MINUTE",
            "How many requests a token may make. Empty: what Genesys says, and 300 until it does.",
            unit="requests a minute",
            example="300",
        ),
        Variable(
            "GENESYS_LIVE",
            (
                "How agents learn that their customer joined: `poll` asks Genesys, `push` gets notifications, `off` is "
                "neither. Empty: `poll` on public Genesys Cloud, otherwise `off`."
            ),
            example="poll",
        ),
        Variable(
            "COBROWSE_JOINED_STATUSES",
            "A session service's words for a session that the customer has joined. Other words change nothing.",
            example="joined,connected",
        ),
    ),
    "Public Genesys Cloud": (
        Variable(
            "COBROWSE_JOIN_URL_TEMPLATE",
            (
                "Your page for customers, https, with `{joinCode}` once behind the `#`. Empty: agents get a code "
                "without a link."
            ),
            example="https://help.example.com/cobrowse#{joinCode}",
        ),
        Variable(
            "GENESYS_DEPLOYMENT_ID",
            "The Messenger deployment. With it the bot sees whether a link was used, and can withdraw it.",
            form=Form.TOKEN,
            example=_ID,
        ),
        Variable(
            "GENESYS_CONNECT_CLIENT_ID",
            (
                "A second OAuth client, with the grant Code Authorization. With it people sign in with `/cobrowse "
                "connect`."
            ),
            required="to let people connect",
            form=Form.TOKEN,
            example=_ID,
        ),
        Variable(
            "GENESYS_CONNECT_CLIENT_SECRET",
            "The secret of that second client.",
            required="with GENESYS_CONNECT_CLIENT_ID",
            secret=True,
            form=Form.TOKEN,
            example="kT9x…",
        ),
        Variable(
            "COBROWSE_PUBLIC_URL",
            "The address at which browsers reach the bot's HTTP server. Sign-ins come back to it.",
            required="to let people connect",
            example="https://bot.example.com",
        ),
    ),
    "Session service": (
        Variable(
            "COBROWSE_APPLICATION_ID",
            "The co-browse application that sessions are for. `cobrowse-bot applications` lists them.",
            "web",
            form=Form.LINE,
        ),
        Variable("COBROWSE_APPLICATION_TYPE", "The type of that application.", "web", form=Form.LINE),
        Variable("COBROWSE_TIMEOUT_SECONDS", "How long a session lasts, 60 to 86400.", "1800", unit="seconds"),
        Variable(
            "COBROWSE_JOIN_HOSTS",
            ("The hosts that links may lead to; `.example.com` stands for all below it. Empty: any public host name."),
            example="join.example.com, .example.com",
        ),
    ),
    "People": (
        Variable(
            "COBROWSE_ADMINS",
            (
                "Administrators: user ids and user groups. They connect people, read how to fix errors, and may do "
                "what supervisors may."
            ),
            example="U012AB3CD",
        ),
        Variable(
            "COBROWSE_SUPERVISORS",
            "Who may start and end sessions for others: user ids and user groups.",
            example="U012AB3CD, S0123ABCD",
        ),
        Variable(
            "COBROWSE_MEMBERS",
            "Who may use the bot: user ids and user groups. Empty: every full member of the workspace.",
            example="S0123ABCD",
        ),
        Variable(
            "COBROWSE_CHANNELS",
            "The ids of the channels in which sessions can be started and posted. Empty: everywhere.",
            example="C012AB3CD",
        ),
        Variable(
            "COBROWSE_MATCH_EMAIL",
            "Whether the same email address in Slack and Genesys connects a person: `true` or `false`.",
            "true",
        ),
        Variable(
            "COBROWSE_EMAIL_DOMAINS",
            "The domains whose addresses may connect people. Empty: any.",
            example="example.com",
        ),
        Variable("COBROWSE_HOSTS_FILE", "A CSV file that connects Slack users to Genesys users.", example="hosts.csv"),
        Variable(
            "COBROWSE_WORKFLOW_STEPS",
            ("Whether workflows may start sessions, for any agent whom the workflow's builder names: `on` or `off`."),
            "off",
        ),
    ),
    "Messages to customers": (
        Variable(
            "COBROWSE_SMS_FROM",
            "Your number in Genesys that sends links by SMS. Empty: no SMS.",
            required="to send SMS",
            example="+14155550100",
        ),
        Variable(
            "COBROWSE_SMS_COUNTRIES",
            "The countries that SMS may go to, by ISO code.",
            required="to send SMS",
            example="US, CA",
        ),
        Variable(
            "COBROWSE_SMS_TEXT",
            "The text of the SMS, with `{joinUrl}` once. It may hold `{company}` and `{agent}`.",
            "Here is your link to share your screen with us: {joinUrl}",
        ),
        Variable(
            "COBROWSE_EMAIL_FROM",
            "Your address in Genesys that sends links by email. Empty: no email.",
            required="to send email",
            example="care@example.com",
        ),
        Variable("COBROWSE_EMAIL_SUBJECT", "The subject of the email.", "Your link to share your screen with us"),
        Variable(
            "COBROWSE_EMAIL_TEXT",
            "The text of the email, with `{joinUrl}` once. It may hold `{company}` and `{agent}`.",
            "Here is the link to share your screen with us, as we have just talked about: {joinUrl}",
        ),
        Variable(
            "COBROWSE_COMPANY", "The name of your company, for `{company}` in these texts.", example="Example Shop"
        ),
    ),
    "Messages in other languages": _texts_by_language(),
    "Limits": (
        Variable(
            "COBROWSE_PERSON_STARTS_PER_MINUTE",
            "Sessions that a person may start. 0: any number.",
            "6",
            unit="a minute",
        ),
        Variable(
            "COBROWSE_SUPERVISOR_STARTS_PER_MINUTE",
            "Sessions that a supervisor may start for others. 0: any number.",
            "60",
            unit="a minute",
        ),
        Variable(
            "COBROWSE_WORKSPACE_STARTS_PER_MINUTE",
            "Sessions that all people together may start. 0: any number.",
            "0",
            unit="a minute",
        ),
        Variable(
            "COBROWSE_PERSON_SENDS_PER_MINUTE",
            "Links that a person may send to customers. 0: any number.",
            "5",
            unit="a minute",
        ),
        Variable(
            "COBROWSE_PERSON_INQUIRIES_PER_MINUTE",
            "Other commands and button presses of a person. 0: any number.",
            "30",
            unit="a minute",
        ),
        Variable(
            "COBROWSE_MAX_IN_FLIGHT",
            (
                "Requests that are accepted and not yet answered, 1 to 100000. Above it people read that the bot "
                "has too much to do."
            ),
            "5000",
            unit="requests",
        ),
    ),
    "Database": (
        Variable(
            "DATABASE_URL",
            (
                "Where requests and sessions are: a SQLite file, `postgresql://…`, or `memory:`, which remembers "
                "nothing."
            ),
            "sqlite:///cobrowse.db",
            required="for several replicas",
            secret=True,
            form=Form.LINE,
        ),
        Variable(
            "STORE_ENCRYPTION_KEY",
            (
                "Encrypts links and sign-ins in the database. Fernet keys, the newest first, with commas between. "
                "Back it up apart from the database."
            ),
            required="to send links, or to let people connect",
            secret=True,
            example="7XzT…q0=",
        ),
        Variable(
            "COBROWSE_RETENTION_DAYS",
            "How long requests, sessions and unused sign-ins are kept, 1 to 3650.",
            "30",
            unit="days",
        ),
    ),
    "Process": (
        Variable(
            "COBROWSE_WORKSPACES",
            (
                "A TOML file with a table for each workspace, when one process serves several: "
                "its settings of Slack, Genesys and people are there. Empty: the environment has those of the only one."
            ),
            example="/etc/cobrowse-bot/workspaces.toml",
        ),
        Variable(
            "HOST",
            "The address that the HTTP server listens on. `::` or `*`: all addresses, of IPv4 and IPv6.",
            "127.0.0.1",
        ),
        Variable("PORT", "The port that the HTTP server listens on.", "3000"),
        Variable(
            "HEALTH_PORT",
            "The port for `/healthz`, `/readyz` and `/metrics`. Empty: `PORT` over HTTP, none in Socket Mode.",
            example="3001",
        ),
        Variable("SHUTDOWN_SECONDS", "How long a stop waits for accepted requests, 0 to 600.", "20", unit="seconds"),
        Variable("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.", "INFO"),
        Variable("LOG_FORMAT", "`text` or `json`.", "text"),
        Variable(
            "AUDIT_LOG",
            "A file for the audit log, one JSON line for each decision, or `-` for standard output. Empty: none.",
            example="audit.jsonl",
        ),
    ),
    "Traces": (
        Variable(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "Where traces go: an OpenTelemetry collector that takes OTLP over HTTP. Empty: no traces.",
            required="to export traces",
            example="http://otel-collector:4318",
        ),
        Variable(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Headers for the collector, such as its key: `name=value`, with commas between.",
            secret=True,
            form=Form.LINE,
            example="api-key=…",
        ),
        Variable("OTEL_SERVICE_NAME", "The name of this service in the traces.", "cobrowse-bot", form=Form.LINE),
        Variable(
            "OTEL_RESOURCE_ATTRIBUTES",
            "What else the traces say about this service: `name=value`, with commas between.",
            form=Form.LINE,
            example="deployment.environment.name=production",
        ),
        Variable(
            "OTEL_TRACES_SAMPLER",
            "Which traces are recorded, by the name of an OpenTelemetry sampler.",
            "parentbased_always_on",
            example="parentbased_traceidratio",
        ),
        Variable(
            "OTEL_TRACES_SAMPLER_ARG",
            "The share of the traces that `parentbased_traceidratio` records, 0 to 1.",
            example="0.1",
        ),
        Variable(
            "COBROWSE_TRACE_GENESYS",
            "Whether calls to Genesys carry W3C trace headers: `on` or `off`.",
            "off",
        ),
    ),
}
"""The settings by subject, in the order of docs/reference/settings.md."""
PROCESS_GROUPS = ("Database", "Process", "Traces")
"""The subjects whose settings all workspaces share. A workspace can override only one of these settings, AUDIT_LOG."""
VARIABLES = {variable.name: variable for group in GROUPS.values() for variable in group}
PROCESS_ONLY = {each.name for title in PROCESS_GROUPS for each in GROUPS[title]} - {"AUDIT_LOG"}
"""The settings that the tables of the file of workspaces must not contain."""
WORKSPACE_ONLY = {name for name in VARIABLES if name not in PROCESS_ONLY} - {"AUDIT_LOG"}
"""The settings that the environment must not contain if COBROWSE_WORKSPACES is set. They belong in the
tables of the file of workspaces."""
OTHERS = {
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "SSL_CERT_DIR": "/etc/ssl/certs",
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://proxy.example.com:3128"),
}
"""Example values, by name, of variables that the bot shares with other programs. All workspaces share the variables."""


def example(name: str) -> str:
    """Return an example line for a variable, such as `PORT=3000`; "" if no example is known.

    `name`: the name of a variable, or NAME_FILE for a variable NAME whose value can be in a file.
    """
    variable = VARIABLES.get(name)
    held = VARIABLES.get(name.removesuffix("_FILE"))
    file = f"/run/secrets/{name.removesuffix('_FILE').lower()}" if held and held.takes_file else ""
    value = (variable.example or variable.default) if variable else OTHERS.get(name.upper(), file)
    return f"{name}={value}" if value else ""
