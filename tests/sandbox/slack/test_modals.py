"""The sandbox's Slack and actions in modals and Home tabs: submit, close, press, and the effects of an ack."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import IncompleteFormError, SandboxSlack, View
from tests.support import sandbox_slack
from tests.support.sandbox_slack import (
    ANA,
    BEN,
    CARD,
    FIELDS,
    SHORT,
    acknowledge,
    field,
    home,
    modal,
    opened,
    plain,
    section,
    seen_payloads,
)  # fmt: skip

slack, web_client, connect = sandbox_slack.slack, sandbox_slack.web_client, sandbox_slack.connect


@pytest.fixture
async def answers(connect: Any) -> dict[str, Any]:
    """Return the answers of a bot by type of payload. It acknowledges every other payload with an empty ack."""
    answers: dict[str, Any] = {}

    async def handler(client: SocketModeClient, request: SocketModeRequest) -> None:
        answer = answers.get(request.payload.get("type", ""))
        if answer != "silence":
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))

    await connect(handler)
    return answers


# what arrives


async def test_a_submission_carries_what_slack_sends(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    view = await opened(slack, web_client, *FIELDS, private_metadata="kept", external_id="e")
    delivery = await slack.submit(ANA, view, {"name": "Checkout", "minutes": "30"})
    sent = payloads[-1]
    assert sent == delivery.payload
    assert (sent["type"], sent["api_app_id"], sent["token"]) == ("view_submission", "A0SANDBOX", "sandbox")
    assert sent["user"] == {"id": ANA, "username": "ana", "name": "ana", "team_id": "T0SANDBOX"}
    assert (sent["team"]["id"], sent["enterprise"], sent["is_enterprise_install"]) == ("T0SANDBOX", None, False)
    assert (sent["response_urls"], "response_url" in sent) == ([], False)
    shown = sent["view"]
    assert (shown["id"], shown["root_view_id"], shown["hash"]) == (view.id, view.id, view.hash)
    assert (shown["private_metadata"], shown["external_id"]) == ("kept", "e")
    assert shown["state"]["values"] == {
        "name": {"name": {"type": "plain_text_input", "value": "Checkout"}},
        "host": {"host": {"type": "users_select", "selected_user": BEN}},
        "length": {"length": {"type": "static_select", "selected_option": SHORT[0]}},
        "minutes": {"minutes": {"type": "number_input", "value": "30"}},
    }


async def test_slack_itself_does_not_send_what_is_incomplete(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    view = await opened(slack, web_client, *FIELDS)
    with pytest.raises(IncompleteFormError) as caught:
        await slack.submit(ANA, view, {"length": None, "minutes": "4"})
    assert caught.value.errors == view.errors
    assert set(view.errors) == {"name", "length", "minutes"}
    with pytest.raises(IncompleteFormError):
        await slack.submit(ANA, view, {"name": "x", "length": "long", "minutes": "5.5"})
    assert set(view.errors) == {"name", "minutes"}
    with pytest.raises(LookupError):
        await slack.submit(ANA, view, {"length": "none"})
    with pytest.raises(LookupError):
        await slack.submit(ANA, view, {"nothing": "x"})
    with pytest.raises(LookupError):
        await slack.submit(BEN, view, {"name": "not mine"})
    assert [payload.get("type") for payload in payloads] == [None]
    await slack.submit(ANA, view, {"name": "Checkout", "minutes": ""})
    assert payloads[-1]["view"]["state"]["values"]["minutes"]["minutes"]["value"] is None


async def test_a_press_in_a_view_has_a_trigger_and_no_response_url(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    select = {"type": "actions", "elements": [{"type": "users_select", "action_id": "who"}]}
    await web_client.views_publish(user_id=ANA, view=home(CARD[0], select))
    tab = slack.home_of(ANA)
    assert tab is not None
    delivery = await slack.press(ANA, tab, "retry")
    await slack.press(ANA, tab, "who", chosen=BEN)
    first, second = payloads
    assert first["container"] == {"type": "view", "view_id": tab.id}
    assert first["view"]["type"] == "home"
    assert first["actions"][0].items() >= {"action_id": "retry", "block_id": "b", "value": "7"}.items()
    assert not {"response_url", "message", "channel"} & set(first)
    assert (second["actions"][0]["type"], second["actions"][0]["selected_user"]) == ("users_select", BEN)
    (state,) = second["view"]["state"]["values"].values()
    assert state == {"who": {"type": "users_select", "selected_user": BEN}}
    assert (await web_client.views_open(trigger_id=delivery.trigger_id, view=modal()))["ok"]


async def test_a_press_in_a_modal_carries_what_was_typed(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    view = await opened(slack, web_client, FIELDS[0], CARD[0])
    await slack.press(ANA, view, "retry", values={"name": "C"})
    assert payloads[-1]["view"]["state"]["values"]["name"]["name"]["value"] == "C"
    assert payloads[-1]["view"]["root_view_id"] == view.id


# what an ack does


async def test_an_empty_ack_closes_the_modal_and_shows_the_one_below(
    slack: SandboxSlack, answers: dict[str, Any], web_client: AsyncWebClient
) -> None:
    below = await opened(slack, web_client, CARD[0])
    trigger = (await slack.press(ANA, below, "retry")).trigger_id
    await web_client.views_push(trigger_id=trigger, view=modal())
    top = slack.views_of(ANA)[-1]
    await slack.submit(ANA, top)
    assert slack.views_of(ANA) == [below]
    assert not top.is_open


async def test_errors_stand_at_their_fields_until_the_next_try(
    slack: SandboxSlack, answers: dict[str, Any], web_client: AsyncWebClient
) -> None:
    view = await opened(slack, web_client, FIELDS[0])
    answers["view_submission"] = {"response_action": "errors", "errors": {"name": "Taken."}}
    await slack.submit(ANA, view, {"name": "Checkout"})
    assert (view.errors, view.is_open) == ({"name": "Taken."}, True)
    answers["view_submission"] = None
    await slack.submit(ANA, view, {"name": "Other"})
    assert slack.views_of(ANA) == []


async def test_an_ack_can_update_push_and_clear(
    slack: SandboxSlack, answers: dict[str, Any], web_client: AsyncWebClient
) -> None:
    view = await opened(slack, web_client)
    answers["view_submission"] = {"response_action": "update", "view": modal(section("updated"))}
    await slack.submit(ANA, view)
    assert view.blocks[0]["text"]["text"] == "updated"
    answers["view_submission"] = {"response_action": "push", "view": modal(title=plain("Pushed"))}
    await slack.submit(ANA, view)
    assert [each.title for each in slack.views_of(ANA)] == ["New session", "Pushed"]
    answers["view_submission"] = {"response_action": "clear"}
    await slack.submit(ANA, slack.views_of(ANA)[-1])
    assert slack.views_of(ANA) == []


async def test_second_ack_of_a_submission_changes_the_modal_too(
    slack: SandboxSlack, answers: dict[str, Any], web_client: AsyncWebClient
) -> None:
    view = await opened(slack, web_client)
    answers["view_submission"] = {"response_action": "update", "view": modal(section("wait"))}
    delivery = await slack.submit(ANA, view)
    await web_client.views_update(view_id=view.id, view=modal(section("done")))
    await slack.redeliver(delivery)
    assert view.blocks[0]["text"]["text"] == "wait"
    answers["view_submission"] = None
    await slack.redeliver(delivery)
    assert not view.is_open
    assert (await slack.redeliver(delivery)).acked  # a closed modal stays closed
    assert slack.views_of(ANA) == []


@pytest.mark.parametrize(
    "answer",
    [
        "silence",
        {"response_action": "errors", "errors": {"nothing": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {**modal(), "title": plain("x" * 25)}},
        {"response_action": "close"},
        {"text": "Thank you"},
    ],
)
async def test_an_ack_slack_cannot_use_leaves_the_modal_with_trouble(
    slack: SandboxSlack, answers: dict[str, Any], web_client: AsyncWebClient, answer: Any
) -> None:
    view = await opened(slack, web_client, field("name", {"type": "plain_text_input"}))
    slack.ack_seconds = 0.2
    answers["view_submission"] = answer
    await slack.submit(ANA, view, {"name": "x"})
    assert slack.views_of(ANA) == [view]
    assert view.submit_error == "We had some trouble connecting. Try again?"


# closing


async def close_kinds(slack: SandboxSlack, view: View, **how: Any) -> list[Any]:
    delivery = await slack.close(ANA, view, **how)
    return [delivery.payload["type"], delivery.payload["is_cleared"]] if delivery else []


async def test_a_bot_hears_of_a_close_only_when_it_asked(
    slack: SandboxSlack, web_client: AsyncWebClient, connect: Any
) -> None:
    await connect(acknowledge)
    assert await close_kinds(slack, await opened(slack, web_client)) == []
    view = await opened(slack, web_client, notify_on_close=True)
    assert await close_kinds(slack, view) == ["view_closed", False]
    assert "trigger_id" not in slack.deliveries[-1].payload
    assert slack.deliveries[-1].payload["view"]["id"] == view.id
    view = await opened(slack, web_client, notify_on_close=True)
    assert await close_kinds(slack, view, clear=True) == ["view_closed", True]
    with pytest.raises(LookupError):
        await slack.close(ANA, view)


async def test_opening_another_modal_takes_the_place_of_the_first(
    slack: SandboxSlack, web_client: AsyncWebClient, connect: Any
) -> None:
    await connect(acknowledge)
    first = await opened(slack, web_client)
    second = await opened(slack, web_client)
    assert slack.views_of(ANA) == [second]
    assert not first.is_open
