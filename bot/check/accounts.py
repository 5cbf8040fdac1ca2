"""Check, from the settings alone, whether people can connect their own Genesys accounts."""

from bot.check.results import MAKE_KEY, CheckResult, ok, warning
from bot.config.settings import Settings

_MISSING = {
    "needless": ("GENESYS_COBROWSE_API is not conversations, so it is not used", "Empty GENESYS_CONNECT_CLIENT_ID."),
    "socket": ("the bot runs in Socket Mode, where no browser reaches it", "Set BOT_MODE=http, and what HTTP needs."),
    "key": ("there is no key to keep sign-ins with", MAKE_KEY),
}


def check_accounts(settings: Settings) -> list[CheckResult]:
    """Return one result if GENESYS_CONNECT_CLIENT_ID is set, else none."""
    connect = settings.connect
    if not connect.credentials.client_id:
        return []
    if connect.off:
        why, fix = _MISSING[connect.off]
        return [warning("connect", f"nobody can connect their Genesys account: {why}.", fix)]
    return [ok("connect", f"people can; in Genesys the OAuth client has to list {connect.redirect_uri}")]
