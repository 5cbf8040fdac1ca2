"""Hold the sentences for administrators about errors that they can fix: what is broken, and how to fix it (pure).

The key of a sentence is the error's code, such as `host_not_found`. If a code has several fixes, a dot and a second
word can follow the code, as in `permission_missing.division`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.slack.messages.catalogue.sentence import Part, Sentence, fault, fix


@dataclass(frozen=True, slots=True)
class Repair:
    """The sentences for administrators about one error.

    - `fix`: how to fix the cause.
    - `fault`: what is broken; None if the error's sentence in catalogue/errors.py says what is broken.
    """

    fix: Sentence
    fault: Sentence | None = None


REPAIRS: dict[str, Repair] = {}


def _entry(*sentences: Sentence) -> None:
    parts = {sentence.part: sentence for sentence in sentences}
    repair = parts[Part.FIX]
    REPAIRS[repair.key] = Repair(repair, parts.get(Part.FAULT))


_entry(fix("not_listed", "Add them, or a user group they are in, to `COBROWSE_MEMBERS`."))
_entry(fix("workflow_steps_off", "Set `COBROWSE_WORKFLOW_STEPS=on`."))
_entry(
    fix("host_not_found", "To connect {mention}, type `{command} link @agent name@example.com`. What I tried: {tried}.")
)
_entry(
    fault("slack_unavailable", "Slack refuses my look-ups (`{slack_error}`). {reason}"),
    fix("slack_unavailable", "{remedy}"),
)
_entry(
    fault("token_refused", "Genesys doesn’t accept the bot’s access token."),
    fix("token_refused", "Check the bot’s client in Genesys, under Admin › Integrations › OAuth."),
)
_entry(
    fault("oauth_refused", "Genesys refuses the bot’s sign-in ({details})."),
    fix(
        "oauth_refused",
        "Check `GENESYS_REGION` first: a client works in one region only. Then check the client’s ID, key or secret.",
    ),
)
_entry(
    fault("oauth_refused.scope", "Genesys refuses the bot’s sign-in ({details})."),
    fix("oauth_refused.scope", "Leave out the scope that the client lacks: see `GENESYS_SCOPES`."),
)
_entry(
    fault("oauth_refused.address", "Genesys refuses the bot’s sign-in ({details})."),
    fix(
        "oauth_refused.address",
        "Genesys may block the network address of the bot. Check the addresses that the OAuth client allows.",
    ),
)
_entry(
    fault("oauth_refused.grant", "Genesys refuses the bot’s sign-in ({details})."),
    fix("oauth_refused.grant", "Give the OAuth client the grant type Client Credentials."),
)
_entry(
    fault("connect_client_refused", "Genesys refuses the OAuth client for people’s sign-ins ({details})."),
    fix("connect_client_refused", "Check `GENESYS_CONNECT_CLIENT_ID` and `GENESYS_CONNECT_CLIENT_SECRET`."),
)
_entry(
    fault("permission_missing", "The bot’s OAuth client lacks `{permission}`."),
    fix(
        "permission_missing",
        "Add it in Genesys, under Admin › Integrations › OAuth, at the bot’s client. No restart is needed.",
    ),
)
_entry(
    fault("permission_missing.division", "Genesys says: “{details}”"),
    fix(
        "permission_missing.division",
        "Add a role with `{permission}` in that division in Genesys, under Admin › Integrations › OAuth, at the bot’s "
        "client. No restart is needed.",
    ),
)
_entry(
    fault("unusable_answer", "I can’t use Genesys’s answer: {reason}."),
    fix("unusable_answer", "Try again. If it keeps happening, give Genesys’s support the reference."),
)
_entry(
    fault("unusable_answer.acted", "I can’t use Genesys’s answer: {reason}."),
    fix("unusable_answer.acted", "If it keeps happening, give Genesys’s support the reference."),
)
_entry(
    fault("invalid_host", "Genesys doesn’t accept the user `{host}` for co-browse."),
    fix("invalid_host", "Check in Genesys that this user exists, is active and has a co-browse license."),
)
_entry(
    fault("unknown_application", "Genesys doesn’t know the application `{application}`."),
    fix("unknown_application", "Set `COBROWSE_APPLICATION_ID` to one of these: {known}."),
)
_entry(
    fault("unknown_application.unlisted", "Genesys doesn’t know the application `{application}`."),
    fix("unknown_application.unlisted", "Set `COBROWSE_APPLICATION_ID` to an application that exists in Genesys."),
)
_entry(
    fault("create_call_missing", "This Genesys organization does not have the call that creates sessions (404)."),
    fix("create_call_missing", "Set `GENESYS_COBROWSE_API=conversations` and restart the bot."),
)
_entry(
    fault("bad_request", "Genesys refused the request ({status}): “{details}”"),
    fix("bad_request", "Fix what it says, or give Genesys’s support the reference."),
)
_entry(
    fault("connect_required.off", "Genesys does this only for a person who has signed in, not for the bot."),
    fix("connect_required.off", "Set `GENESYS_CONNECT_CLIENT_ID`, so that people can sign in."),
)
_entry(
    fault("connect_required.socket", "Genesys does this only for a person who has signed in, not for the bot."),
    fix("connect_required.socket", "Signing in needs HTTP mode: set `BOT_MODE=http`."),
)
_entry(
    fault("connect_required.key", "Genesys does this only for a person who has signed in, not for the bot."),
    fix("connect_required.key", "Set `STORE_ENCRYPTION_KEY`: sign-ins are stored only encrypted."),
)
_entry(fix("connect_off.client", "Set `GENESYS_CONNECT_CLIENT_ID`."))
_entry(fix("connect_off.socket", "Signing in needs HTTP mode: set `BOT_MODE=http`."))
_entry(fix("connect_off.key", "Set `STORE_ENCRYPTION_KEY`: sign-ins are stored only encrypted."))
_entry(
    fault("user_permission_missing", "The agent’s Genesys account lacks `{permission}`."),
    fix("user_permission_missing", "Add a role with it in Genesys, under Admin › People."),
)
_entry(
    fault("user_permission_missing.division", "Genesys says to the agent: “{details}”"),
    fix(
        "user_permission_missing.division",
        "Add a role with `{permission}` in that division in Genesys, under Admin › People.",
    ),
)
_entry(
    fault("connect_failed", "Genesys did not complete the sign-in ({details})."),
    fix("connect_failed", "Type `{command} connect` for a new link. If it keeps happening, check the OAuth client."),
)
_entry(
    fault("message_not_posted", "Slack does not accept the bot’s message (`{slack_error}`). {reason}"),
    fix("message_not_posted", "{remedy}"),
)
_entry(fix("sending_off.sms", "Set `COBROWSE_SMS_FROM`."))
_entry(fix("sending_off.email", "Set `COBROWSE_EMAIL_FROM`."))
_entry(fix("country_not_allowed", "Add it to `COBROWSE_SMS_COUNTRIES`."))
_entry(
    fault("text_too_long", "With the link, the message is longer than {limit} characters."),
    fix("text_too_long", "Shorten `{setting}`."),
)
_entry(fix("unexpected", "Search the bot’s log for the reference below."))
_entry(fix("may_not_check", "Add yourself to `COBROWSE_ADMINS` if this is your task."))
_entry(fix("administrators_only", "Add yourself to `COBROWSE_ADMINS` if this is your task."))
_entry(fix("connect_wrong_user", "`{command} why` tells which Genesys user you are expected to be."))


TITLES: Mapping[str, Sentence] = {
    "slack_unavailable": fault("slack_unavailable.title", "Slack refuses my look-ups."),
    "token_refused": fault("token_refused.title", "Genesys doesn’t accept the bot’s access token."),
    "oauth_refused": fault("oauth_refused.title", "Genesys refuses the bot’s sign-in."),
    "connect_client_refused": fault(
        "connect_client_refused.title", "Genesys refuses the OAuth client for people’s sign-ins."
    ),
    "permission_missing": fault("permission_missing.title", "The bot’s OAuth client lacks a permission in Genesys."),
    "unusable_answer": fault("unusable_answer.title", "I can’t use what Genesys answers."),
    "invalid_host": fault("invalid_host.title", "Genesys doesn’t accept an agent for co-browse."),
    "unknown_application": fault("unknown_application.title", "Genesys doesn’t know the application in your settings."),
    "bad_request": fault("bad_request.title", "Genesys refuses the bot’s requests."),
    "create_call_missing": fault("create_call_missing.title", "Genesys has no call that creates sessions here."),
    "connect_required": fault("connect_required.title", "Agents have to sign in to Genesys, and signing in is off."),
    "user_permission_missing": fault("user_permission_missing.title", "An agent’s Genesys account lacks a permission."),
    "message_not_posted": fault("message_not_posted.title", "Slack doesn’t accept the bot’s messages."),
    "text_too_long": fault("text_too_long.title", "The text for customers is too long."),
    "unexpected": fault("unexpected.title", "I ran into an error that I don’t know."),
}
"""What is broken, by the error's code. Slack shows these sentences to administrators in its notifications.

A locked phone shows notifications, so these sentences contain no ids, no addresses and no text from Genesys.
"""
