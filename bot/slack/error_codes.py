"""Map each of Slack's error codes to its meaning, an ApiError (pure).

https://docs.slack.dev/reference/methods lists the error codes of each method. Codes that contain spaces, such as "no
answer", are the bot's own. The bot uses them if Slack sends no code.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Group(Enum):
    """The groups of Slack's error codes. The codes of one group report the same kind of problem."""

    RATE_LIMIT = auto()
    FAULT = auto()
    """Slack failed, and may have carried out the call."""
    MOVING = auto()
    """Slack is moving the Slack workspace into an organization."""
    NO_ANSWER = auto()
    TOKEN = auto()
    """Slack does not accept the token; no call works until somebody replaces it."""
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
    """The meaning of one of Slack's error codes.

    - `group`: the group to which the code belongs.
    - `passes`: whether the same call may succeed later.
    - `key`: the key of the sentences about this code in messages/catalogue/slack_errors.py.
    """

    group: Group
    passes: bool
    key: str

    @property
    def is_ready(self) -> bool:
        """Return whether Slack still accepts the token: False for the codes of Group.TOKEN."""
        return self.group is not Group.TOKEN

    @property
    def maybe_done(self) -> bool:
        """Return whether Slack may have carried out the call: True for the codes of Group.FAULT."""
        return self.group is Group.FAULT


_ROWS: dict[str, ApiError] = {}


def _add(codes: str, group: Group, key: str, *, passes: bool = False) -> None:
    _ROWS.update(dict.fromkeys(codes.split(), ApiError(group, passes, key)))


_add("ratelimited rate_limited", Group.RATE_LIMIT, "rate_limited", passes=True)
_add("internal_error fatal_error service_unavailable request_timeout", Group.FAULT, "slack_fault", passes=True)
_add("team_added_to_org org_login_required", Group.MOVING, "workspace_moving", passes=True)
_add("token_expired", Group.TOKEN, "token_expired")
_add("invalid_auth not_authed", Group.TOKEN, "token_refused")
_add("token_revoked", Group.TOKEN, "token_revoked")
_add("account_inactive", Group.TOKEN, "account_inactive")
_add("not_allowed_token_type", Group.TOKEN, "not_allowed_token_type")
_add("team_access_not_granted", Group.ACCESS, "team_access_not_granted")
_add(
    "enterprise_is_restricted access_denied ekm_access_denied no_permission two_factor_setup_required accesslimited",
    Group.ACCESS,
    "not_allowed",
)
_add("missing_scope", Group.SCOPE, "missing_scope")
_add(
    "missing_argument invalid_arguments invalid_arg_name invalid_team team_not_found",
    Group.ARGUMENT,
    "argument_missing",
)
_add(
    "no_such_subteam subteam_not_found subteam_disabled subteam_deleted usergroup_disabled",
    Group.USER_GROUP,
    "no_user_group",
)
_add("plan_upgrade_required paid_teams_only", Group.USER_GROUP, "no_user_groups_in_plan")
_add("messages_tab_disabled", Group.DIRECT_OFF, "messages_tab_off")
_add("cannot_dm_bot", Group.NO_DIRECT, "cannot_dm_bot")
_add("user_disabled", Group.NO_DIRECT, "user_disabled")
_add("user_not_found users_not_found user_not_visible", Group.UNKNOWN_PERSON, "person_unknown")
_add("not_in_channel channel_not_found", Group.UNINVITED, "not_in_channel")
_add(
    "channel_type_not_supported restricted_action restricted_action_read_only_channel"
    " restricted_action_thread_only_channel restricted_action_non_threadable_channel restricted_action_thread_locked",
    Group.CLOSED,
    "posting_not_allowed",
)
_add("thread_not_found cannot_reply_to_message invalid_thread_ts", Group.THREAD, "thread_not_found")
_add("is_archived is_inactive", Group.ARCHIVED, "channel_archived")
_add("cant_update_message edit_window_closed message_not_found", Group.EDIT, "message_not_editable")
_add("msg_too_long invalid_blocks invalid_blocks_format no_text", Group.MESSAGE, "message_invalid")
_add(
    "expired_trigger_id invalid_trigger_id trigger_expired exchanged_trigger_id",
    Group.TRIGGER,
    "trigger_expired",
    passes=True,
)
_add("view_too_large", Group.VIEW, "view_too_large")
_add("not_enabled", Group.VIEW, "home_tab_off")
_add("not_found hash_conflict", Group.VIEW_GONE, "form_closed")
_add("execution_not_in_running_state", Group.STEP_OVER, "step_over")
_add("function_execution_not_found", Group.STEP_GONE, "step_unknown")

NO_ANSWER, MISSHAPEN_ANSWER, INCOMPLETE_ANSWER = "no answer", "an answer of another shape", "an incomplete answer"
OTHER_PERSON, NO_CODE = "it answered for somebody else", "an error"
_UNUSABLE = ApiError(Group.NO_ANSWER, True, "no_answer")
_ROWS.update(dict.fromkeys((NO_ANSWER, "no answer in time", MISSHAPEN_ANSWER, INCOMPLETE_ANSWER, NO_CODE), _UNUSABLE))
_ROWS[OTHER_PERSON] = ApiError(Group.OTHER_PERSON, False, "other_person")
_UNKNOWN = ApiError(Group.UNKNOWN, True, "unknown")


def explain(code: str) -> ApiError:
    """Return the meaning of one of Slack's error codes.

    For a code that this module does not know, the result has the group UNKNOWN, and says that the same call may succeed
    later.
    """
    if code.startswith("restricted_action"):
        return _ROWS["restricted_action"]
    return _ROWS.get(code, _UNKNOWN)


def passes(code: str) -> bool:
    """Return whether a call that failed with this error code may succeed later."""
    return explain(code).passes


def is_of(code: str, *groups: Group) -> bool:
    """Return whether the error code belongs to one of these groups."""
    return explain(code).group in groups


def codes_of(*groups: Group) -> tuple[str, ...]:
    """Return all error codes that belong to one of these groups."""
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
"""The errors of `apps.connections.open` after which the bot stops, each with the message that says what to fix."""
