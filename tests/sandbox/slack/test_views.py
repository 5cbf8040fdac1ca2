"""The sandbox's Slack and views: it opens, updates and stacks modals, and publishes Home tabs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import Delivery, SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import (
    ANA,
    BEN,
    CARD,
    FIELDS,
    OUTSIDER,
    acknowledge,
    error_of,
    field,
    home,
    modal,
    opened,
    section,
)

slack, web_client, connect, told = (
    sandbox_slack.slack,
    sandbox_slack.web_client,
    sandbox_slack.connect,
    sandbox_slack.told,
)


# opening


async def test_a_trigger_opens_one_modal_for_whom_it_came_from(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    answer = (await web_client.views_open(trigger_id=told.trigger_id, view=modal(*FIELDS)))["view"]
    (view,) = slack.views_of(ANA)
    assert (answer["id"], answer["root_view_id"], answer["previous_view_id"]) == (view.id, view.id, None)
    assert (answer["type"], answer["callback_id"], answer["private_metadata"]) == ("modal", "new", "")
    assert (answer["team_id"], answer["app_id"], answer["bot_id"]) == ("T0SANDBOX", "A0SANDBOX", "B0BOT")
    assert answer["hash"]
    assert slack.views_of(BEN) == []
    again = web_client.views_open(trigger_id=told.trigger_id, view=modal())
    assert await error_of(again) == "exchanged_trigger_id"


async def test_a_trigger_is_good_for_three_seconds(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    assert slack.views.trigger_seconds == 3
    slack.views.trigger_seconds = 0
    assert await error_of(web_client.views_open(trigger_id=told.trigger_id, view=modal())) == "expired_trigger_id"
    assert await error_of(web_client.views_open(trigger_id="1.2.abc", view=modal())) == "invalid_trigger_id"
    assert await error_of(web_client.api_call("views.open", json={"view": modal()})) == "invalid_arguments"
    assert slack.views_of(ANA) == []


async def test_a_trigger_delivered_again_gets_no_new_time(slack: SandboxSlack, connect: Any) -> None:
    client = AsyncWebClient("xoxb-right", base_url=slack.api_url)
    await connect(acknowledge)
    delivery = await slack.command(ANA, "")
    await client.views_open(trigger_id=delivery.trigger_id, view=modal())
    again = await slack.redeliver(delivery)
    assert await error_of(client.views_open(trigger_id=again.trigger_id, view=modal())) == "exchanged_trigger_id"


async def test_a_view_given_as_a_string_is_read_too(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    form = {"trigger_id": told.trigger_id, "view": json.dumps(modal(section("x")))}
    assert (await web_client.api_call("views.open", data=form))["ok"]
    broken = {"trigger_id": told.trigger_id, "view": "{"}
    assert await error_of(web_client.api_call("views.open", data=broken)) == "invalid_arguments"


# changing


async def test_update_changes_a_modal_and_keeps_remaining_inputs(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    view = await opened(slack, web_client, field("name", {"type": "plain_text_input"}), CARD[0])
    await slack.press(ANA, view, "retry", values={"name": "Checkout"})
    before = view.hash
    other = field("other", {"type": "plain_text_input", "initial_value": "new"})
    again = field("name", {"type": "plain_text_input", "initial_value": "not this"})
    answer = (await web_client.views_update(view_id=view.id, view=modal(again, other), hash=before))["view"]
    assert answer["id"] == view.id
    assert answer["hash"] != before
    assert {name: state[name]["value"] for name, state in answer["state"]["values"].items()} == {
        "name": "Checkout",
        "other": "new",
    }
    late = web_client.views_update(view_id=view.id, view=modal(), hash=before)
    assert await error_of(late) == "hash_conflict"


async def test_a_closed_modal_is_not_found(slack: SandboxSlack, connect: Any, web_client: AsyncWebClient) -> None:
    await connect(acknowledge)
    view = await opened(slack, web_client)
    await slack.close(ANA, view)
    assert await error_of(web_client.views_update(view_id=view.id, view=modal())) == "not_found"
    assert await error_of(web_client.api_call("views.update", json={"view": modal()})) == "invalid_arguments"
    with pytest.raises(LookupError):
        await slack.submit(ANA, view)


async def test_three_modals_can_be_stacked(slack: SandboxSlack, connect: Any, web_client: AsyncWebClient) -> None:
    await connect(acknowledge)
    root = await opened(slack, web_client, CARD[0])
    for _ in range(2):
        trigger = (await slack.press(ANA, slack.views_of(ANA)[-1], "retry")).trigger_id
        pushed = (await web_client.views_push(trigger_id=trigger, view=modal(CARD[0])))["view"]
    assert pushed["root_view_id"] == root.id
    assert pushed["previous_view_id"] == slack.views_of(ANA)[1].id
    trigger = (await slack.press(ANA, slack.views_of(ANA)[-1], "retry")).trigger_id
    assert await error_of(web_client.views_push(trigger_id=trigger, view=modal())) == "push_limit_reached"
    await slack.close(ANA, slack.views_of(ANA)[-1])
    assert len(slack.views_of(ANA)) == 2
    await slack.close(ANA, slack.views_of(ANA)[-1], clear=True)
    assert slack.views_of(ANA) == []
    trigger = (await slack.command(ANA, "")).trigger_id
    assert await error_of(web_client.views_push(trigger_id=trigger, view=modal())) == "not_found"


async def test_an_external_id_finds_a_view_and_is_there_once(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    view = await opened(slack, web_client, external_id="mine")
    await web_client.views_update(external_id="mine", view=modal(section("x"), external_id="mine"))
    assert view.blocks[0]["text"]["text"] == "x"
    published = web_client.views_publish(user_id=BEN, view=home(external_id="mine"))
    assert await error_of(published) == "duplicate_external_id"


# the Home tab


async def test_each_person_has_a_home_tab_of_their_own(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    assert slack.home_of(ANA) is None
    first = (await web_client.views_publish(user_id=ANA, view=home(section("one"))))["view"]
    assert (first["type"], first["title"]["text"], first["submit"]) == ("home", "View Title", None)
    second = (await web_client.views_publish(user_id=ANA, view=home(section("two")), hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    late = web_client.views_publish(user_id=ANA, view=home(section("three")), hash=first["hash"])
    assert await error_of(late) == "hash_conflict"
    assert slack.home_of(ANA).blocks[0]["text"]["text"] == "two"  # type: ignore[union-attr]
    assert slack.home_of(BEN) is None
    for nobody in ("U0NOBODY", "U0GONE", OUTSIDER):
        assert await error_of(web_client.views_publish(user_id=nobody, view=home())) == "invalid_arguments"


# faults


async def test_the_new_methods_fail_on_request_too(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    slack.inject_fault("views.open", "expired_trigger_id", times=1)
    slack.inject_fault("views.publish", "500", times=1)
    slack.inject_fault("functions.completeSuccess", "ratelimited", times=1)
    assert await error_of(web_client.views_open(trigger_id=told.trigger_id, view=modal())) == "expired_trigger_id"
    assert (await web_client.views_open(trigger_id=told.trigger_id, view=modal()))["ok"]
    with pytest.raises(SlackApiError, match="500"):
        await web_client.views_publish(user_id=ANA, view=home())
    completed = web_client.functions_completeSuccess(function_execution_id="Fx1", outputs={})
    assert await error_of(completed) == "ratelimited"


async def test_waiting_ends_when_a_view_changes(
    slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient
) -> None:
    waiting = asyncio.create_task(slack.until(lambda: slack.views_of(ANA)))
    await web_client.views_open(trigger_id=told.trigger_id, view=modal())
    assert await waiting == slack.views_of(ANA)
