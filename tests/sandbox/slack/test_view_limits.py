"""The sandbox's Slack and the limits of views: what exceeds each limit is refused, and what just fits is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import Delivery, SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BUTTON, SHORT, error_of, field, home, modal, option, plain, section

slack, web_client, connect, told = (
    sandbox_slack.slack,
    sandbox_slack.web_client,
    sandbox_slack.connect,
    sandbox_slack.told,
)

TEXT = {"type": "plain_text_input"}
NUMBER = {"type": "number_input", "is_decimal_allowed": False}
SELECT = {"type": "static_select", "options": SHORT}
RADIO = {"type": "radio_buttons", "options": SHORT}
GROUPS = [{"label": plain("all"), "options": SHORT}]
LONG = "x" * 3001
TOO_MUCH: dict[str, Any] = {
    "25 in the title": modal(title=plain("x" * 25)),
    "no title": modal(title=None),
    "mrkdwn in the title": modal(title={"type": "mrkdwn", "text": "x"}),
    "25 on submit": modal(submit=plain("x" * 25)),
    "25 on close": modal(close=plain("x" * 25)),
    "256 in callback_id": modal(callback_id="x" * 256),
    "256 in external_id": modal(external_id="x" * 256),
    "3001 in private_metadata": modal(private_metadata=LONG),
    "101 blocks": modal(*[section("x")] * 101),
    "no blocks": {"type": "modal", "title": plain("x")},
    "a home as a modal": home(),
    "a misspelt key": modal(notify_on_closed=True),
    "notify_on_close as a text": modal(notify_on_close="yes"),
    "an input without submit": modal(field("a", TEXT), submit=None),
    "an input without label": modal({**field("a", TEXT), "label": None}),
    "a misspelt key in an input": modal(field("a", TEXT, optinal=True)),
    "optional as a text": modal(field("a", TEXT, optional="true")),
    "a button in an input": modal(field("a", BUTTON)),
    "a text input in actions": modal({"type": "actions", "elements": [TEXT]}),
    "3001 as max_length": modal(field("a", {**TEXT, "max_length": 3001})),
    "more min than max": modal(field("a", {**TEXT, "min_length": 3, "max_length": 2})),
    "more initial_value than max": modal(field("a", {**TEXT, "initial_value": "abc", "max_length": 2})),
    "151 in a placeholder": modal(field("a", {**TEXT, "placeholder": plain("x" * 151)})),
    "a number input without is_decimal_allowed": modal(field("a", {"type": "number_input"})),
    "a number as a number": modal(field("a", {**NUMBER, "initial_value": 5})),
    "a decimal where whole": modal(field("a", {**NUMBER, "initial_value": "5.5"})),
    "no options": modal(field("a", {"type": "static_select", "options": []})),
    "101 options": modal(field("a", {**SELECT, "options": [option(str(n)) for n in range(101)]})),
    "11 radio buttons": modal(field("a", {**RADIO, "options": [option(str(n)) for n in range(11)]})),
    "options and groups": modal(field("a", {**SELECT, "option_groups": GROUPS})),
    "an initial_option that is none": modal(field("a", {**SELECT, "initial_option": option("none")})),
    "76 in an option": modal(field("a", {**SELECT, "options": [option("x" * 76)]})),
    "151 in an option's value": modal(field("a", {**SELECT, "options": [{**SHORT[0], "value": "x" * 151}]})),
    "a text as initial_user's place": modal(field("a", {"type": "users_select", "initial_user": ""})),
    "two with focus_on_load": modal(*[field(name, {**TEXT, "focus_on_load": True}) for name in "ab"]),
    "one block_id twice": modal(field("a", TEXT), field("a", TEXT)),
}
ENOUGH: dict[str, Any] = {
    "full": modal(
        *[section("x")] * 100, title=plain("x" * 24), submit=plain("x" * 24), close=plain("x" * 24),
        callback_id="x" * 255, external_id="x" * 255, private_metadata="x" * 3000, notify_on_close=True,
    ),
    "without submit": modal(section("Loading…"), submit=None),
    "a text": modal(field("a", {**TEXT, "multiline": True, "max_length": 3000, "focus_on_load": True})),
    "a number": modal(field("a", {**NUMBER, "initial_value": "5", "min_value": "1", "max_value": "9"})),
    "a select": modal(field("a", {**SELECT, "initial_option": SHORT[1], "placeholder": plain("x" * 150)})),
    "groups": modal(field("a", {"type": "static_select", "option_groups": GROUPS, "initial_option": SHORT[1]})),
    "radio buttons": modal(field("a", {**RADIO, "initial_option": SHORT[0]}, hint=plain("x"), optional=True)),
    "checkboxes": modal(field("a", {"type": "checkboxes", "options": SHORT, "initial_options": SHORT})),
    "a person": modal(field("a", {"type": "users_select", "initial_user": ANA})),
    "buttons and selects": modal({"type": "actions", "elements": [BUTTON, SELECT, {"type": "users_select"}]}),
}  # fmt: skip


@pytest.mark.parametrize("view", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_a_modal_slack_would_refuse_is_refused(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient, view: Any
) -> None:
    assert await error_of(web_client.views_open(trigger_id=told.trigger_id, view=view)) == "invalid_arguments"
    assert slack.views_of(ANA) == []


@pytest.mark.parametrize("view", ENOUGH.values(), ids=ENOUGH)
async def test_a_modal_at_the_limit_is_taken(told: Delivery, web_client: AsyncWebClient, view: Any) -> None:
    assert (await web_client.views_open(trigger_id=told.trigger_id, view=view))["ok"]


async def test_a_refusal_points_at_what_is_wrong(told: Delivery, web_client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await web_client.views_open(trigger_id=told.trigger_id, view=TOO_MUCH["25 in the title"])
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    large = modal(*[section("x" * 3000)] * 90)
    assert await error_of(web_client.views_open(trigger_id=told.trigger_id, view=large)) == "view_too_large"


@pytest.mark.parametrize(
    "view", [home(title=plain("x")), home(submit=plain("x")), modal(), home(*[section("x")] * 101)]
)
async def test_a_home_tab_slack_would_refuse_is_refused(web_client: AsyncWebClient, view: Any) -> None:
    assert await error_of(web_client.views_publish(user_id=ANA, view=view)) == "invalid_arguments"
