"""Define the sandbox's users, channels and keys, and the environment variables of the bot in the sandbox."""

import base64
import secrets
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID
from bot.sandbox.genesys.api.user_login import UserLoginClient
from bot.sandbox.genesys.server import GenesysUser
from bot.sandbox.slack.server import Parameter, SandboxSlack, Shortcut, SlackChannel, SlackUser, Step

ROLES = {"agent": "U0ANA", "unmapped": "U0UNA", "supervisor": "U0SAM", "admin": "U0ADA", "guest": "U0GUS"}
"""The id of the Slack user who has each role."""

LABELS = {
    "U0ANA": "Ana Agent, an agent",
    "U0BEN": "Ben Brandt, another agent",
    "U0UNA": "Una Unmapped, an agent no rule maps",
    "U0SAM": "Sam Supervisor, a supervisor",
    "U0ADA": "Ada Admin, an administrator",
    "U0GUS": "Gus Guest, a guest",
}
SLACK_USERS = (
    SlackUser("U0ANA", "ana", "Ana Agent", "ana@example.com"),
    SlackUser("U0BEN", "ben", "Ben Brandt", "ben@example.com"),
    SlackUser("U0UNA", "una", "Una Unmapped", "una@example.com"),
    SlackUser("U0SAM", "sam", "Sam Supervisor", "sam@example.com"),
    SlackUser("U0ADA", "ada", "Ada Admin", "ada@example.com", is_admin=True),
    SlackUser("U0GUS", "gus", "Gus Guest", "gus@example.com", is_restricted=True),
)
LOCALES = {
    "en-US": "English (US)",
    "es-ES": "Español (España)",
    "es-LA": "Español (Latinoamérica)",
    "pt-BR": "Português (Brasil)",
    "fr-FR": "Français (France)",
    "de-DE": "Deutsch (Deutschland)",
    "ja-JP": "日本語 (日本)",
    "it-IT": "Italiano (Italia)",
}
"""The languages that a user of the sandbox can choose for Slack, as Slack names them. The bot has no Italian.
With Italian, the bot falls back to English."""
CHANNELS = (SlackChannel("C0CARE", "customer-care"), SlackChannel("C0BILLING", "billing", bot_is_member=False))
SHORTCUTS = (
    Shortcut("cobrowse_start", "Start co-browse session", "global"),
    Shortcut("cobrowse_start_here", "Start co-browse session", "message"),
)
STEPS = (
    Step(
        "start_cobrowse_session",
        "Start a co-browse session",
        inputs=(
            Parameter("agent", "Agent", "slack#/types/user_id"),
            Parameter("name", "Session name", is_required=False),
        ),
        outputs=(
            Parameter("session_id", "Session id"),
            Parameter("ends_at", "Ends at", "slack#/types/timestamp"),
            Parameter("link", "Link for the customer"),
            Parameter("code", "Code for the customer", is_required=False),
        ),
    ),
)
UNA_GENESYS_ID = "55555555-5555-4555-8555-555555555555"
"""The id of Una's Genesys user. Its email address differs from Una's email address in Slack. So the bot finds no host
for Una until an administrator creates a host link."""
GENESYS_USERS = (
    GenesysUser("11111111-1111-4111-8111-111111111111", "Ana Agent", "ana@example.com"),
    GenesysUser("22222222-2222-4222-8222-222222222222", "Ben Brandt", "ben@example.com"),
    GenesysUser("33333333-3333-4333-8333-333333333333", "Sam Supervisor", "sam@example.com"),
    GenesysUser("44444444-4444-4444-8444-444444444444", "Ada Admin", "ada@example.com"),
    GenesysUser(UNA_GENESYS_ID, "Una Unmapped", "u.unmapped@example.net"),
)
APPLICATIONS = {"web": "Web"}
OTHER_APPLICATIONS = {"shop": "Web shop", "portal": "Customer portal"}


@dataclass(frozen=True)
class Keys:
    """The tokens, keys and secrets of one run of the sandbox. Each instance gets new random values.

    - `bot_token`, `app_token`, `signing_secret`: those of the Slack app.
    - `client_secret`, `private_key`: for the bot's own OAuth client at Genesys. The public Genesys Cloud API uses the
      secret, the session service uses the private key.
    - `user_client_secret`: the secret of the OAuth client with which people sign in to link their accounts.
    - `store_key`: the key with which the bot encrypts what it stores.
    """

    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-sandbox-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    user_client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    store_key: str = field(default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def private_pem(self) -> str:
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public_pem(self) -> bytes:
        return self.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


GRID_ID, SALES_ID, LEADS_ID = "E0SANDBOX", "T0SALES", "S0LEADS"
"""The ids of the Enterprise Grid organization, of its second workspace, and of a user group in that workspace."""
GRID_CHANNELS = (
    SlackChannel("C0SALES", "sales-desk", team_id=SALES_ID),
    SlackChannel("C0ALL", "everyone", is_org_shared=True),
)
GRID_TEAMS = {"U0BEN": (), "U0SAM": (SALES_ID,), "U0GUS": ()}
"""For some users, the ids of their Slack workspaces besides the first Slack workspace. A user who is missing here is in
both Slack workspaces."""


def turn_into_grid(slack: SandboxSlack) -> dict[str, str]:
    """Turn the sandbox's Slack into an Enterprise Grid organization with two Slack workspaces.

    Add channels, and a user group in the second Slack workspace. The only member of the user group is the sandbox's
    supervisor. Give each user a second id, `W…`.

    Return the environment variable that makes the members of the user group supervisors.
    """
    workspace = slack.workspace
    workspace.enterprise_id, workspace.is_org_wide = GRID_ID, True
    workspace.teams = {workspace.team_id: "Customer Care", SALES_ID: "Sales"}
    workspace.channels |= {channel.id: channel for channel in GRID_CHANNELS}
    workspace.usergroups[LEADS_ID], workspace.group_teams[LEADS_ID] = [ROLES["supervisor"]], SALES_ID
    for user in SLACK_USERS:
        teams = GRID_TEAMS.get(user.id, (SALES_ID,))
        workspace.users[user.id] = replace(user, enterprise_user_id=f"W{user.id[1:]}", other_teams=teams)
    return {"COBROWSE_SUPERVISORS": LEADS_ID}


def environ(keys: Keys, slack_api_url: str, genesys_url: str, *, http: bool) -> dict[str, str]:
    """Return the environment variables that connect `cobrowse-bot run` to the sandbox.

    - `slack_api_url`: the base URL of the sandbox's Slack API.
    - `genesys_url`: the base URL of the sandbox's Genesys.
    - `http`: True if the bot receives payloads by HTTP, False for Socket Mode.
    """
    return {
        "SLACK_BOT_TOKEN": keys.bot_token,
        "SLACK_APP_TOKEN": keys.app_token,
        "SLACK_SIGNING_SECRET": keys.signing_secret,
        "SLACK_API_URL": slack_api_url,
        "BOT_MODE": "http" if http else "socket",
        "PORT": "0",
        "GENESYS_ORG_ID": "sandbox-org",
        "GENESYS_CLIENT_ID": "sandbox-client",
        "GENESYS_PRIVATE_KEY": keys.private_pem,
        "GENESYS_API_URL": genesys_url,
        "GENESYS_LOGIN_URL": genesys_url,
        "COBROWSE_SUPERVISORS": ROLES["supervisor"],
        "COBROWSE_ADMINS": ROLES["admin"],
        "COBROWSE_HELP_CONTACT": ROLES["admin"],
        "COBROWSE_WORKFLOW_STEPS": "on",
        "DATABASE_URL": "memory:",
        "STORE_ENCRYPTION_KEY": keys.store_key,
        "SHUTDOWN_SECONDS": "300",
        "COBROWSE_PERSON_STARTS_PER_MINUTE": "0",
        "COBROWSE_SUPERVISOR_STARTS_PER_MINUTE": "0",
        "COBROWSE_PERSON_INQUIRIES_PER_MINUTE": "0",
        "COBROWSE_SMS_FROM": "+14155550100",
        "COBROWSE_SMS_COUNTRIES": "US, CA, GB, IE, DE, FR, AU",
        "COBROWSE_EMAIL_FROM": "care@example.com",
    }


def public_environ(keys: Keys, genesys_url: str) -> dict[str, str]:
    """Return the environment variables that make the bot use the public Genesys Cloud API.

    Use them together with the variables that the function `environ` returns. If both have a variable, the value from
    this function applies.

    `genesys_url`: the base URL of the sandbox's Genesys.
    """
    return {
        "GENESYS_COBROWSE_API": "conversations",
        "GENESYS_REGION": "mypurecloud.com",
        "GENESYS_ORG_ID": "",
        "GENESYS_PRIVATE_KEY": "",
        "GENESYS_CLIENT_SECRET": keys.client_secret,
        "GENESYS_DEPLOYMENT_ID": DEPLOYMENT_ID,
        "GENESYS_LIVE": "push",
        "COBROWSE_JOIN_URL_TEMPLATE": f"{genesys_url}/messenger#{{joinCode}}",
    }


def connect_environ(keys: Keys, port: int) -> tuple[dict[str, str], UserLoginClient]:
    """Return the environment variables for linked accounts, and the OAuth client with which people sign in.

    Use the variables together with those that the function `environ` returns. Both have PORT: the value from this
    function applies.

    `port`: the port of the bot's HTTP server. After a sign-in, the browser returns to the bot on `port`.
    """
    url = f"http://127.0.0.1:{port}"
    client = UserLoginClient("people-client", keys.user_client_secret, (f"{url}/genesys/callback",))
    environ = {
        "PORT": str(port),
        "COBROWSE_PUBLIC_URL": url,
        "GENESYS_CONNECT_CLIENT_ID": client.id,
        "GENESYS_CONNECT_CLIENT_SECRET": client.secret,
    }
    return environ, client
