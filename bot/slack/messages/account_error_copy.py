"""What happened and what to do next, for what goes wrong with people's own sign-ins to Genesys (pure, mrkdwn)."""

from bot.core import errors
from bot.core.errors import CobrowseError
from bot.slack.messages.blocks import escape

_NONE = "No session was started."
_START = "Type `{command}` to start one."
_MISSING = {
    "client": "the OAuth client that people sign in by is not set: GENESYS_CONNECT_CLIENT_ID",
    "socket": "signing in needs HTTP mode, and this bot runs in Socket Mode: BOT_MODE",
    "key": "sign-ins are kept only encrypted, and there is no key: STORE_ENCRYPTION_KEY",
}
"""What the administrator sets, by AccountLinkError.why."""


def of_connecting(error: CobrowseError, contact: str, *, starting: bool) -> tuple[str, str] | None:
    """The two sentences; None for an error that is about something else. `starting`: a session was to be started."""
    match error:
        case errors.SignInRequiredError(own=own, off=off):
            return _needed(own, off, contact)
        case errors.SignInExpiredError(own=True):
            what = "Genesys does not accept your own sign-in any more."
            return _none(what, starting), "Type `{command} connect` to sign in again, then try again."
        case errors.SignInExpiredError():
            what = "Genesys does not accept the agent's own sign-in any more."
            then = "Ask the agent to type `{command} connect` and to sign in again, then try again."
            return _none(what, starting), then
        case errors.PermissionMissingError(code="user_permission_missing", needs=needs, own=own, words=words) if words:
            what = f"Genesys does not let {'you' if own else 'the agent'} do this: “{escape(words)}”"
            then = f"to add a role with `{escape(needs)}` in that division in Genesys Cloud, under Admin › People."
            return _none(what, starting), f"Ask {contact} {then}"
        case errors.PermissionMissingError(code="user_permission_missing", needs=needs, own=own):
            what = f"{'Your' if own else 'The agent’s'} own Genesys account lacks `{escape(needs)}`."
            return _none(what, starting), f"Ask {contact} to add a role with it in Genesys Cloud, under Admin › People."
    return _of_a_link(error, contact)


def _of_a_link(error: CobrowseError, contact: str) -> tuple[str, str] | None:
    anew = "Type `{command} connect` for a new link."
    match error:
        case errors.AccountLinkError(code="connect_off", why="needless"):
            return "Sessions of this bot take no sign-in of yours, so there is nothing to connect.", _START
        case errors.AccountLinkError(code="connect_off", why=why):
            return f"Nobody can connect here: {_missing(why)}.", f"Ask {contact} if that should be different."
        case errors.AccountLinkError(code="not_connected"):
            return "You are not connected to Genesys, so nothing was changed.", "`{command} connect` does that."
        case errors.AccountLinkError(code="connect_link_expired"):
            return "This link was used already, or is too old, or a newer one took its place.", anew
        case errors.SignInRejectedError(code="connect_denied"):
            what = "You, or Genesys for you, did not let the bot in, so nothing was connected."
            return what, f"If you meant to: {_lower(anew)} If Genesys does not let you, ask {contact}."
        case errors.SignInRejectedError(code="connect_wrong_user"):
            what = "The Genesys user who has signed in is not the one this link is for, so nothing was connected."
            return what, f"Sign out of Genesys, then sign in as yourself: {_lower(anew)} If it was you, ask {contact}."
        case errors.LoginRefusedError(code="connect_failed", oauth_error=code, words=words):
            said = f" Genesys says: “{escape(words)}”" if words else ""
            what = f"Genesys did not complete the sign-in ({escape(code)}), so nothing was connected.{said}"
            return what, f"{anew} If it stays so, tell {contact}."
    return None


def _needed(own: bool, off: str, contact: str) -> tuple[str, str]:
    what = f"Genesys does this only for a person who has signed in, and not for the bot. {_NONE}"
    if off:
        ask = f"{_missing(off)[0].upper()}{_missing(off)[1:]}"
        return what, f"Start the co-browse in Genesys itself, and tell {contact}. {ask}."
    if own:
        return what, "Type `{command} connect` and sign in to Genesys, then try again."
    return what, "Ask the agent to type `{command} connect` and to sign in to Genesys, then try again."


def _missing(why: str) -> str:
    return _MISSING.get(why, _MISSING["client"])


def _none(what: str, starting: bool) -> str:
    return f"{what} {_NONE}" if starting else what


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
