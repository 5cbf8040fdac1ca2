"""Map each of Slack's error codes to its group, its sentence for people and its fix for administrators (pure).

https://docs.slack.dev/reference/methods lists the codes of each method. All code that interprets an error code uses
this table. Codes with spaces are the bot's: they replace the code when Slack's answer has none.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Group(Enum):
    """The kinds of problems that a code can report."""

    RATE_LIMIT = auto()
    FAULT = auto()
    """Slack failed, and may have done what was asked."""
    MOVING = auto()
    """Slack moves the workspace into an organization."""
    NO_ANSWER = auto()
    TOKEN = auto()
    """Slack no longer accepts the token; no call works until it is replaced."""
    ACCESS = auto()
    SCOPE = auto()
    ARGUMENT = auto()
    USER_GROUP = auto()
    OTHER_PERSON = auto()
    DIRECT_OFF = auto()
    NO_DIRECT = auto()
    UNKNOWN_PERSON = auto()
    UNINVITED = auto()
    ARCHIVED = auto()
    CLOSED = auto()
    THREAD = auto()
    EDIT = auto()
    MESSAGE = auto()
    TRIGGER = auto()
    VIEW = auto()
    VIEW_GONE = auto()
    STEP_OVER = auto()
    STEP_GONE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class ApiError:
    """What an error code means.

    `passes`: the same call may succeed later. `person`: the sentence that the person reads. `mend`: what an
    administrator has to fix, and where; "" when nothing has to be fixed.
    """

    group: Group
    passes: bool
    person: str
    mend: str = ""

    @property
    def is_ready(self) -> bool:
        """Return whether the bot can work in spite of this error."""
        return self.group is not Group.TOKEN

    @property
    def maybe_done(self) -> bool:
        """Return whether Slack may have done what was asked."""
        return self.group is Group.FAULT


_STATUS = "slack-status.com shows how Slack is doing."
_ON_PAGE = "in the app's settings at api.slack.com/apps"
_TOKEN = f"Take the bot token from OAuth & Permissions {_ON_PAGE}, set SLACK_BOT_TOKEN, and restart the bot."
_REINSTALL = f"Install the app to the workspace again {_ON_PAGE}, set SLACK_BOT_TOKEN, and restart the bot."
_REFUSED = "Slack does not accept the bot's token."
_ROWS: dict[str, ApiError] = {}


def _add(codes: str, group: Group, person: str, mend: str = "", *, passes: bool = False) -> None:
    _ROWS.update(dict.fromkeys(codes.split(), ApiError(group, passes, person, mend)))


_add("ratelimited rate_limited", Group.RATE_LIMIT, "Slack limits how often the bot may ask.", passes=True)
_add("internal_error fatal_error service_unavailable request_timeout", Group.FAULT, "Slack has a fault.", passes=True)
_add(
    "team_added_to_org org_login_required",
    Group.MOVING,
    "Slack moves this workspace into an organization.",
    "Wait until Slack has moved the workspace.",
    passes=True,
)
_add(
    "token_expired",
    Group.TOKEN,
    "The bot's Slack token has expired.",
    "The bot cannot renew a token that expires. Make an app without token rotation (token_rotation_enabled: false in"
    " manifest.yml), and set its SLACK_BOT_TOKEN.",
)
_add("invalid_auth not_authed", Group.TOKEN, _REFUSED, _TOKEN)
_add("token_revoked", Group.TOKEN, "The bot's Slack token was revoked.", _REINSTALL)
_add("account_inactive", Group.TOKEN, "The app was removed from the workspace, or its bot user is off.", _REINSTALL)
_add(
    "not_allowed_token_type",
    Group.TOKEN,
    _REFUSED,
    f"SLACK_BOT_TOKEN has to be a bot token. {_TOKEN}",
)
_add(
    "team_access_not_granted",
    Group.ACCESS,
    "The bot has no access to this workspace.",
    "An organization administrator has to add the app to this workspace.",
)
_add(
    "enterprise_is_restricted access_denied ekm_access_denied no_permission two_factor_setup_required accesslimited",
    Group.ACCESS,
    "Slack does not let the bot do this.",
    "A Slack administrator has to allow the app to do this.",
)
_add(
    "missing_scope",
    Group.SCOPE,
    "The bot lacks a Slack scope for this.",
    f"Add the scopes of manifest.yml {_ON_PAGE}, and install the app again; `cobrowse-bot check` names the scope.",
)
_add(
    "missing_argument invalid_arguments invalid_arg_name invalid_team team_not_found",
    Group.ARGUMENT,
    "Slack wants more than the bot says.",
    "`cobrowse-bot check` shows which call Slack refuses; report it to the maintainers of the bot.",
)
_GROUPS = "COBROWSE_MEMBERS, COBROWSE_SUPERVISORS or COBROWSE_ADMINS"
_add(
    "no_such_subteam subteam_not_found subteam_disabled subteam_deleted usergroup_disabled",
    Group.USER_GROUP,
    "A user group that decides who may do this is deleted or disabled.",
    f"Put a user group that exists into {_GROUPS}, or enable the group in Slack; `cobrowse-bot check` names it.",
)
_add(
    "plan_upgrade_required paid_teams_only",
    Group.USER_GROUP,
    "This workspace's Slack plan has no user groups.",
    f"List people by their ids in {_GROUPS}, or upgrade the Slack plan.",
)
_add(
    "messages_tab_disabled",
    Group.DIRECT_OFF,
    "The bot cannot send direct messages: its Messages tab is off.",
    f"Turn on the Messages Tab under App Home {_ON_PAGE}.",
)
_add("cannot_dm_bot", Group.NO_DIRECT, "A bot cannot get direct messages.")
_add("user_disabled", Group.NO_DIRECT, "This person's Slack account is deactivated.")
_add("user_not_found users_not_found user_not_visible", Group.UNKNOWN_PERSON, "Slack does not know this person here.")
_add(
    "not_in_channel channel_not_found",
    Group.UNINVITED,
    "The bot is not in this channel.",
    "Invite the bot to the channel.",
)
_add(
    "channel_type_not_supported restricted_action restricted_action_read_only_channel"
    " restricted_action_thread_only_channel restricted_action_non_threadable_channel restricted_action_thread_locked",
    Group.CLOSED,
    "Slack does not let the bot post in this channel.",
    "Use another channel, or change who may post in this one.",
)
_add(
    "thread_not_found cannot_reply_to_message invalid_thread_ts",
    Group.THREAD,
    "Slack takes no reply to that message.",
)
_add("is_archived is_inactive", Group.ARCHIVED, "This channel is archived.", "Use another channel.")
_add("cant_update_message edit_window_closed message_not_found", Group.EDIT, "Slack cannot change this message.")
_add(
    "msg_too_long invalid_blocks invalid_blocks_format no_text",
    Group.MESSAGE,
    "Slack does not accept the form of the bot's message.",
    "Report it to the maintainers of the bot.",
)
_add(
    "expired_trigger_id invalid_trigger_id trigger_expired exchanged_trigger_id",
    Group.TRIGGER,
    "Slack gives the bot three seconds to open a form, and they had passed.",
    passes=True,
)
_add("view_too_large", Group.VIEW, "The form is larger than Slack allows.", "Report it to the maintainers of the bot.")
_add("not_enabled", Group.VIEW, "The app's Home tab is off.", f"Turn on the Home Tab under App Home {_ON_PAGE}.")
_add("not_found hash_conflict", Group.VIEW_GONE, "The form is closed.")
_add("execution_not_in_running_state", Group.STEP_OVER, "The workflow's step was over before.")
_add("function_execution_not_found", Group.STEP_GONE, "Slack does not know this run of the workflow any more.")

NO_ANSWER, MISSHAPEN_ANSWER, INCOMPLETE_ANSWER = "no answer", "an answer of another shape", "an incomplete answer"
OTHER_PERSON, NO_CODE = "it answered for somebody else", "an error"
_UNUSABLE = ApiError(Group.NO_ANSWER, True, "Slack gave no answer that the bot can use.", _STATUS)
_ROWS.update(dict.fromkeys((NO_ANSWER, "no answer in time", MISSHAPEN_ANSWER, INCOMPLETE_ANSWER, NO_CODE), _UNUSABLE))
_ROWS[OTHER_PERSON] = ApiError(
    Group.OTHER_PERSON,
    False,
    "Slack knows this person by another id, and does not prove that both are the same person.",
    "Ask Slack's support why users.info answers with another id for this person; the bot starts nothing on a guess.",
)
_UNKNOWN = ApiError(
    Group.UNKNOWN, True, "Slack refused it.", "docs.slack.dev/reference/methods says what the code means."
)


def explain(code: str) -> ApiError:
    """Return what a code means. A code that the table does not list counts as one that passes."""
    if code.startswith("restricted_action"):
        return _ROWS["restricted_action"]
    return _ROWS.get(code, _UNKNOWN)


def passes(code: str) -> bool:
    """Return whether the same call may succeed later."""
    return explain(code).passes


def is_of(code: str, *groups: Group) -> bool:
    """Return whether the code belongs to one of these groups."""
    return explain(code).group in groups


def codes_of(*groups: Group) -> tuple[str, ...]:
    """Return all codes that belong to one of these groups."""
    return tuple(code for code, row in _ROWS.items() if row.group in groups)


REFUSALS = {
    "not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token. One begins with xapp-.",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write. Make a new app-level token with it.",
    "account_inactive": "Slack says the account behind SLACK_APP_TOKEN is inactive.",
    "token_expired": "SLACK_APP_TOKEN has expired. Make a new app-level token and set it.",
    "token_revoked": "SLACK_APP_TOKEN was revoked. Make a new app-level token and set it.",
    "link_disabled": "Socket Mode was switched off for this app in Slack. Switch it on, or use HTTP.",
    "forbidden_team": "Slack does not let this app use Socket Mode in this workspace (forbidden_team).",
    **{
        code: f"Slack refuses SLACK_APP_TOKEN ({code}). Make a new app-level token and set it."
        for code in ("invalid_auth", "not_authed")
    },
}
"""The errors of `apps.connections.open` with which the bot ends, and what to fix: the app-level token or the app."""
