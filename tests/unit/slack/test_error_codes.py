"""The table of Slack's error codes, and the labels of other failures: each has a row with a sentence."""

import re

import pytest
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.api.responses import error_label
from bot.slack.error_codes import Group, codes_of, explain
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.catalogue.slack_errors import reason, remedy
from tests.support.cases import each_case

PASSING = (
    "ratelimited rate_limited internal_error fatal_error service_unavailable request_timeout team_added_to_org"
    " org_login_required expired_trigger_id invalid_trigger_id"
)
TOKEN = "invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type"
NEVER = (
    f"{TOKEN} team_access_not_granted enterprise_is_restricted access_denied two_factor_setup_required"
    " ekm_access_denied no_permission missing_scope missing_argument invalid_arguments no_such_subteam"
    " subteam_disabled plan_upgrade_required paid_teams_only messages_tab_disabled cannot_dm_bot user_disabled"
    " user_not_found user_not_visible not_in_channel channel_not_found is_archived restricted_action"
    " restricted_action_read_only_channel channel_type_not_supported cant_update_message edit_window_closed"
    " message_not_found thread_not_found cannot_reply_to_message msg_too_long invalid_blocks view_too_large not_enabled"
    " execution_not_in_running_state function_execution_not_found"
)


@each_case("code", f"{PASSING} {NEVER}".split())
def test_code_has_a_row_with_a_sentence(code: str) -> None:
    row = explain(code)
    assert row.group is not Group.UNKNOWN
    assert row.passes is (code in PASSING.split())
    assert row.is_ready is (code not in TOKEN.split())
    assert re.fullmatch(r"[A-Z].*\.", reason(PLAIN_ENGLISH, code))


def test_token_codes_name_the_token_in_what_is_to_mend() -> None:
    assert all("SLACK_BOT_TOKEN" in remedy(PLAIN_ENGLISH, code) for code in codes_of(Group.TOKEN))


def test_unknown_code_may_pass() -> None:
    row = explain("a_code_that_is_new")
    assert (row.group, row.passes, row.is_ready) == (Group.UNKNOWN, True, True)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (SlackApiError("x", {"error": "x"}), "no_code"),
        (SlackClientError("xoxb"), "unusable_answer"),
        (KeyError("a"), "misshapen_answer"),
        (RuntimeError("b"), "other"),
        (None, "other"),
    ],
)
def test_error_without_a_server_has_a_word(error: BaseException | None, word: str) -> None:
    assert error_label(error) == word
