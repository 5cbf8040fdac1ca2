"""Hold the sentences about Slack's error codes for administrators: the meaning of a code, and the fix (pure)."""

from bot.slack.error_codes import explain
from bot.slack.messages.catalogue.sentence import Language, Sentence, fault, fix

_REASONS: dict[str, Sentence] = {}
_REMEDIES: dict[str, Sentence] = {}


def _entry(key: str, meaning: Sentence, what_to_fix: Sentence | None = None) -> None:
    _REASONS[key] = meaning
    if what_to_fix:
        _REMEDIES[key] = what_to_fix


_entry("rate_limited", fault("slack.rate_limited", "Slack limits how often the bot may ask."))
_entry("slack_fault", fault("slack.slack_fault", "Slack has a fault."))
_entry(
    "workspace_moving",
    fault("slack.workspace_moving", "Slack moves this workspace into an organization."),
    fix("slack.workspace_moving", "Wait until Slack has moved the workspace."),
)
_entry(
    "token_expired",
    fault("slack.token_expired", "The bot’s Slack token has expired."),
    fix(
        "slack.token_expired",
        "The bot cannot renew a token that expires. Make an app without token rotation (token_rotation_enabled:"
        " false in manifest.yml), and set its SLACK_BOT_TOKEN.",
    ),
)
_entry(
    "token_refused",
    fault("slack.token_refused", "Slack does not accept the bot’s token."),
    fix(
        "slack.token_refused",
        "Take the bot token from OAuth & Permissions in the app’s settings at api.slack.com/apps, set"
        " SLACK_BOT_TOKEN, and restart the bot.",
    ),
)
_entry(
    "token_revoked",
    fault("slack.token_revoked", "The bot’s Slack token was revoked."),
    fix(
        "slack.token_revoked",
        "Install the app to the workspace again in the app’s settings at api.slack.com/apps, set SLACK_BOT_TOKEN,"
        " and restart the bot.",
    ),
)
_entry(
    "account_inactive",
    fault("slack.account_inactive", "The app was removed from the workspace, or its bot user is off."),
    fix(
        "slack.account_inactive",
        "Install the app to the workspace again in the app’s settings at api.slack.com/apps, set SLACK_BOT_TOKEN,"
        " and restart the bot.",
    ),
)
_entry(
    "not_allowed_token_type",
    fault("slack.not_allowed_token_type", "Slack does not accept the bot’s token."),
    fix(
        "slack.not_allowed_token_type",
        "SLACK_BOT_TOKEN has to be a bot token. Take the bot token from OAuth & Permissions in the app’s settings"
        " at api.slack.com/apps, set SLACK_BOT_TOKEN, and restart the bot.",
    ),
)
_entry(
    "team_access_not_granted",
    fault("slack.team_access_not_granted", "The bot has no access to this workspace."),
    fix("slack.team_access_not_granted", "An organization administrator has to add the app to this workspace."),
)
_entry(
    "not_allowed",
    fault("slack.not_allowed", "Slack does not let the bot do this."),
    fix("slack.not_allowed", "A Slack administrator has to allow the app to do this."),
)
_entry(
    "missing_scope",
    fault("slack.missing_scope", "The bot lacks a Slack scope for this."),
    fix(
        "slack.missing_scope",
        "Add the scopes of manifest.yml in the app’s settings at api.slack.com/apps, and install the app again;"
        " `cobrowse-bot check` names the scope.",
    ),
)
_entry(
    "argument_missing",
    fault("slack.argument_missing", "Slack wants more than the bot says."),
    fix(
        "slack.argument_missing",
        "`cobrowse-bot check` shows which call Slack refuses; report it to the maintainers of the bot.",
    ),
)
_entry(
    "no_user_group",
    fault("slack.no_user_group", "A user group that decides who may do this is deleted or disabled."),
    fix(
        "slack.no_user_group",
        "Put a user group that exists into COBROWSE_MEMBERS, COBROWSE_SUPERVISORS or COBROWSE_ADMINS, or enable"
        " the group in Slack; `cobrowse-bot check` names it.",
    ),
)
_entry(
    "no_user_groups_in_plan",
    fault("slack.no_user_groups_in_plan", "This workspace’s Slack plan has no user groups."),
    fix(
        "slack.no_user_groups_in_plan",
        "List people by their ids in COBROWSE_MEMBERS, COBROWSE_SUPERVISORS or COBROWSE_ADMINS, or upgrade the"
        " Slack plan.",
    ),
)
_entry(
    "messages_tab_off",
    fault("slack.messages_tab_off", "The bot cannot send direct messages: its Messages tab is off."),
    fix(
        "slack.messages_tab_off", "Turn on the Messages Tab under App Home in the app’s settings at api.slack.com/apps."
    ),
)
_entry("cannot_dm_bot", fault("slack.cannot_dm_bot", "A bot cannot get direct messages."))
_entry("user_disabled", fault("slack.user_disabled", "This person’s Slack account is deactivated."))
_entry("person_unknown", fault("slack.person_unknown", "Slack does not know this person here."))
_entry(
    "not_in_channel",
    fault("slack.not_in_channel", "The bot is not in this channel."),
    fix("slack.not_in_channel", "Invite the bot to the channel."),
)
_entry(
    "posting_not_allowed",
    fault("slack.posting_not_allowed", "Slack does not let the bot post in this channel."),
    fix("slack.posting_not_allowed", "Use another channel, or change who may post in this one."),
)
_entry("thread_not_found", fault("slack.thread_not_found", "Slack takes no reply to that message."))
_entry(
    "channel_archived",
    fault("slack.channel_archived", "This channel is archived."),
    fix("slack.channel_archived", "Use another channel."),
)
_entry("message_not_editable", fault("slack.message_not_editable", "Slack cannot change this message."))
_entry(
    "message_invalid",
    fault("slack.message_invalid", "Slack does not accept the form of the bot’s message."),
    fix("slack.message_invalid", "Report it to the maintainers of the bot."),
)
_entry(
    "trigger_expired",
    fault("slack.trigger_expired", "Slack gives the bot three seconds to open a form, and they had passed."),
)
_entry(
    "view_too_large",
    fault("slack.view_too_large", "The form is larger than Slack allows."),
    fix("slack.view_too_large", "Report it to the maintainers of the bot."),
)
_entry(
    "home_tab_off",
    fault("slack.home_tab_off", "The app’s Home tab is off."),
    fix("slack.home_tab_off", "Turn on the Home Tab under App Home in the app’s settings at api.slack.com/apps."),
)
_entry("form_closed", fault("slack.form_closed", "The form is closed."))
_entry("step_over", fault("slack.step_over", "The workflow’s step was over before."))
_entry("step_unknown", fault("slack.step_unknown", "Slack does not know this run of the workflow any more."))
_entry(
    "no_answer",
    fault("slack.no_answer", "Slack gave no answer that the bot can use."),
    fix("slack.no_answer", "slack-status.com shows how Slack is doing."),
)
_entry(
    "other_person",
    fault(
        "slack.other_person", "Slack knows this person by another id, and does not prove that both are the same person."
    ),
    fix(
        "slack.other_person",
        "Ask Slack’s support why users.info answers with another id for this person; the bot starts nothing on a"
        " guess.",
    ),
)
_entry(
    "unknown",
    fault("slack.unknown", "Slack refused it."),
    fix("slack.unknown", "docs.slack.dev/reference/methods says what the code means."),
)


def reason(language: Language, code: str) -> str:
    """Return a sentence about what one of Slack's error codes means. An unknown code gets a general sentence."""
    return language.say(_REASONS[explain(code).key])


def remedy(language: Language, code: str) -> str:
    """Return how an administrator can fix the cause of one of Slack's error codes; "" if there is nothing to fix."""
    found = _REMEDIES.get(explain(code).key)
    return language.say(found) if found else ""
