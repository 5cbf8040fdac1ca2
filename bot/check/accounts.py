"""Whether people can connect their own Genesys accounts, and what is missing: from the settings alone."""

from bot.check.results import Finding, doubt, right
from bot.config.settings import Settings

_MISSING = {
    "needless": ("GENESYS_COBROWSE_API is not conversations, so it is not used", "Empty GENESYS_CONNECT_CLIENT_ID."),
    "socket": ("the bot runs in Socket Mode, where no browser reaches it", "Set BOT_MODE=http, and what HTTP needs."),
    "key": ("there is no key to keep sign-ins with", "Make a key as the README says, and set STORE_ENCRYPTION_KEY."),
}


def look(whole: Settings) -> list[Finding]:
    """One finding where an OAuth client for people is set."""
    connect = whole.connect
    if not connect.credentials.client_id:
        return []
    if connect.off:
        why, mend = _MISSING[connect.off]
        return [doubt("connect", f"nobody can connect their Genesys account: {why}.", mend)]
    return [right("connect", f"people can; in Genesys the OAuth client has to list {connect.redirect_uri}")]
