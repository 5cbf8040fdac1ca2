"""The sandbox's Slack and Block Kit elements: menus, choices and inputs in messages and views, and their limits."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import Delivery, IncompleteFormError, SandboxSlack
from bot.sandbox.slack.validation.blocks import check_blocks
from bot.sandbox.slack.validation.limits import BlockError
from tests.support import sandbox_slack
from tests.support.cases import each_case
from tests.support.sandbox_slack import ANA, BEN, BUTTON, SHORT, acknowledge, field, opened, option, plain, section

slack, web_client, connect, told = (
    sandbox_slack.slack,
    sandbox_slack.web_client,
    sandbox_slack.connect,
    sandbox_slack.told,
)

MENU = {"type": "overflow", "action_id": "menu", "options": SHORT}
RADIO = {"type": "radio_buttons", "action_id": "radio", "options": SHORT}
CHECKBOXES = {"type": "checkboxes", "action_id": "checkboxes", "options": SHORT}
SELECT = {"type": "static_select", "action_id": "select", "options": SHORT}
PEOPLE = {"type": "users_select", "action_id": "people"}
EMAIL = {"type": "email_text_input"}
ADDRESS = {"type": "url_text_input"}


def options(count: int) -> list[dict[str, Any]]:
    return [option(f"o{number}") for number in range(count)]


def beside(element: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [section("x", accessory=element, **more)]


AT_THE_LIMIT: dict[str, Any] = {
    "overflow": beside({**MENU, "options": options(5)}, block_id="x" * 255),
    "overflow in actions": [{"type": "actions", "elements": [MENU, RADIO, CHECKBOXES, SELECT, PEOPLE]}],
    "option's words": beside({**MENU, "options": [{"text": plain("x" * 75), "value": "x" * 150}, *options(1)]}),
    "option's url": beside({**MENU, "options": [{**option("a"), "url": "https://x.example"}, *options(1)]}),
    "choices": [*beside(RADIO), *beside(CHECKBOXES), *beside(SELECT), *beside(PEOPLE)],
    "inputs": [field("a", EMAIL), field("b", {**ADDRESS, "initial_value": "x" * 3000})],
    "dispatch": [
        field(
            "a",
            {**EMAIL, "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed", "on_character_entered"]}},
            dispatch_action=True,
        )
    ],
    "button": beside({**BUTTON, "text": plain("x" * 75), "value": "x" * 2000, "url": f"https://{'x' * 2992}"}),
}
TOO_MUCH: dict[str, Any] = {
    "1 option": beside({**MENU, "options": options(1)}),
    "6 options": beside({**MENU, "options": options(6)}),
    "76 in an option": beside({**MENU, "options": [{"text": plain("x" * 76), "value": "a"}, *options(1)]}),
    "151 in an option's value": beside({**MENU, "options": [{"text": plain("x"), "value": "x" * 151}, *options(1)]}),
    "mrkdwn in an option": beside(
        {**MENU, "options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "a"}, *options(1)]}
    ),
    "no url": beside({**MENU, "options": [{**option("a"), "url": "there"}, *options(1)]}),
    "a url in a select": beside({**SELECT, "options": [{**option("a"), "url": "https://x.example"}]}),
    "a placeholder in a menu": beside({**MENU, "placeholder": plain("x")}),
    "a menu in an input": [field("a", MENU)],
    "an email input in actions": [{"type": "actions", "elements": [EMAIL]}],
    "an email input beside a section": beside(EMAIL),
    "a misspelt key": [field("a", {**EMAIL, "multiline": True})],
    "an unknown trigger": [field("a", {**EMAIL, "dispatch_action_config": {"trigger_actions_on": ["on_blur"]}})],
    "no trigger": [field("a", {**EMAIL, "dispatch_action_config": {"trigger_actions_on": []}})],
    "76 on a button": beside({**BUTTON, "text": plain("x" * 76)}),
    "2001 in a button's value": beside({**BUTTON, "value": "x" * 2001}),
    "256 in block_id": beside(MENU, block_id="x" * 256),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_elements_at_the_limit_are_taken(name: str) -> None:
    check_blocks(AT_THE_LIMIT[name])


@each_case("name", TOO_MUCH)
def test_elements_beyond_the_limit_are_refused(name: str) -> None:
    with pytest.raises(BlockError, match=r"\[json-pointer:/blocks/0"):
        check_blocks(TOO_MUCH[name])


async def test_an_overflow_menu_sends_its_option_and_keeps_no_state(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    blocks = [*beside({**MENU, "confirm": sure()}, block_id="session 1"), *beside(MENU, block_id="session 2")]
    await web_client.chat_postMessage(channel="C0HELP", text="x", blocks=blocks)
    message = slack.messages[-1]
    payload = (await slack.press(ANA, message, "menu", block_id="session 2", chosen="long")).payload
    (action,) = payload["actions"]
    assert (action["type"], action["block_id"], action["selected_option"]) == ("overflow", "session 2", SHORT[1])
    assert payload["state"] == {"values": {}}
    for chosen in ("none", None):
        with pytest.raises(LookupError):
            await slack.press(ANA, message, "menu", block_id="session 2", chosen=chosen)


def sure() -> dict[str, Any]:
    return {"title": plain("x" * 100), "text": plain("x" * 300), "confirm": plain("x" * 30), "deny": plain("x" * 30)}


@pytest.mark.parametrize(
    ("element", "chosen", "sent"),
    [
        (RADIO, "long", {"selected_option": SHORT[1]}),
        (CHECKBOXES, ["short", "long"], {"selected_options": SHORT}),
        (SELECT, "short", {"selected_option": SHORT[0]}),
        (PEOPLE, BEN, {"selected_user": BEN}),
    ],
)
async def test_a_choice_beside_a_section_is_sent_and_is_in_the_state(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient, element: Any, chosen: Any, sent: Any
) -> None:
    blocks = [*beside(element, block_id="one"), *beside(element, block_id="two"), *beside(BUTTON)]
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="x", blocks=blocks)
    message, action_id = slack.messages[-1], element["action_id"]
    payload = (await slack.press(ANA, message, action_id, block_id="two", chosen=chosen)).payload
    assert {key: payload["actions"][0][key] for key in sent} == sent
    values = payload["state"]["values"]
    assert values["two"][action_id] == {"type": element["type"], **sent}
    assert values["one"][action_id] != values["two"][action_id]
    later = await slack.press(ANA, message, "retry", values={("one", action_id): chosen})
    assert later.payload["state"]["values"]["one"][action_id] == {"type": element["type"], **sent}


@pytest.mark.parametrize(
    ("element", "wrong", "right"),
    [(EMAIL, "joe@example", "joe@example.com"), (ADDRESS, "example.com", "https://example.com/a")],
)
async def test_slack_itself_checks_addresses(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient, element: Any, wrong: str, right: str
) -> None:
    await connect(acknowledge)
    view = await opened(slack, web_client, field("address", element))
    with pytest.raises(IncompleteFormError, match="Please enter a valid"):
        await slack.submit(ANA, view, {"address": wrong})
    payload = (await slack.submit(ANA, view, {"address": right})).payload
    assert payload["view"]["state"]["values"]["address"]["address"]["value"] == right


async def test_an_input_that_dispatches_sends_what_it_holds(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    block = field("find", {"type": "plain_text_input"}, dispatch_action=True)
    view = await opened(slack, web_client, block, private_metadata="kept")
    payload = (await slack.press(ANA, view, "find", chosen="una")).payload
    assert payload["actions"][0]["value"] == "una"
    assert payload["view"]["private_metadata"] == "kept"
    assert payload["view"]["state"]["values"]["find"]["find"]["value"] == "una"
