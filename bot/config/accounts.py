"""Read the settings that let people link their own Genesys accounts."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bot.config.reader import Reader
from bot.genesys.auth.credentials import SecretCredentials
from bot.slack.manifest import below

CALLBACK = "/genesys/callback"
"""The path below COBROWSE_PUBLIC_URL to which Genesys redirects browsers after a sign-in. If the process serves several
workspaces, a slash and the short name of the workspace follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """The settings that let people link their own Genesys accounts.

    - `off`: why nobody can link an account; "" if people can. Of several reasons, it is the first in this order.
      "needless": the session service does not need linked accounts. "client": the OAuth client for sign-ins in the
      browser is not set. "socket": the bot uses Socket Mode. "key": the database has no encryption key.
    - `credentials`: the id and the secret of the OAuth client for sign-ins in the browser; each is "" if it is not set.
    - `redirect_uri`: the URL to which Genesys redirects the browser after a sign-in; only the path if
      COBROWSE_PUBLIC_URL is not set. The OAuth client at Genesys has to list this URL.
    """

    off: str
    credentials: SecretCredentials
    redirect_uri: str

    @property
    def path(self) -> str:
        """Return the path in the URL `redirect_uri`."""
        return urlsplit(self.redirect_uri).path


def read_accounts(
    reader: Reader, mode: Literal["socket", "http"], in_conversations: bool, is_encrypted: bool
) -> AccountSettings:
    """Read the settings that let people link Genesys accounts. Add each fault of a setting to `reader`.

    - `mode`: how the bot connects to Slack. In Socket Mode, nobody can link an account.
    - `in_conversations`: whether the session service is the public Genesys Cloud API.
    - `is_encrypted`: whether the database encrypts secrets.
    """
    client_id, secret = reader.text("GENESYS_CONNECT_CLIENT_ID"), reader.text("GENESYS_CONNECT_CLIENT_SECRET")
    public_url = reader.url("COBROWSE_PUBLIC_URL")
    if client_id and not secret:
        wanted = "is missing. Genesys lets people stay connected only through an OAuth client with a secret."
        reader.fault("GENESYS_CONNECT_CLIENT_SECRET", wanted)
    if client_id and client_id == reader.text("GENESYS_CLIENT_ID"):
        wanted = (
            "must be another OAuth client than GENESYS_CLIENT_ID. A client has one grant: this one, Code Authorization."
        )
        reader.fault("GENESYS_CONNECT_CLIENT_ID", wanted)
    if client_id and mode == "http" and not public_url:
        reader.fault("COBROWSE_PUBLIC_URL", "is missing. Connecting needs it, such as https://bot.example.com.")
    missing = {
        "needless": not in_conversations,
        "client": not client_id,
        "socket": mode != "http",
        "key": not is_encrypted,
    }
    off = next((why for why, holds in missing.items() if holds), "")
    return AccountSettings(
        off=off,
        credentials=SecretCredentials(client_id, secret),
        redirect_uri=public_url + below(CALLBACK, reader.workspace),
    )
