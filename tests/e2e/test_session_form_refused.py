"""Forms that are refused, or that Slack does not open: who may submit what, and what people read instead."""

import json
import logging
from typing import Any

import aiohttp
import pytest

from tests.support.app import ANA, BEN, BILLING, CARE, GUS, SAM, Journey, link, open_journey
from tests.support.app import words as words_of
from tests.support.signed_http import JSON, signed
from tests.support.views import HERE, START, asks_for_a_form, called, complaints, fields, filled, sends, told


def forged(payload: dict[str, Any], **state: Any) -> dict[str, Any]:
    """Return a submission with other fields than the form had."""
    copy: dict[str, Any] = json.loads(json.dumps(payload))
    copy["view"]["state"]["values"] |= {name: {name: value} for name, value in state.items()}
    copy["view"]["id"] += "X"
    return copy


# -- Who may, and where --


async def test_channel_list_restricts_the_form() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        assert link(await sends(journey, ANA, await asks_for_a_form(journey, ANA, channel_id=CARE)))
        message = journey.slack.post_message(BEN, CARE, "here")
        await journey.slack.message_shortcut(BEN, message, HERE)
        view = await filled(journey, BEN)
        assert link(await sends(journey, BEN, view))
        await journey.slack.close(BEN, view)
        await journey.slack.command(SAM, "new", channel_id=BILLING)
        assert f"in this channel.*\nUse <#{CARE}>" in await told(journey, SAM)
        await journey.slack.shortcut(BEN, START)
        assert f"from here.*\nUse <#{CARE}>" in await told(journey, BEN)
        assert len(journey.genesys.creates) == 2


async def test_submission_from_nowhere_is_refused_with_channel_rules() -> None:
    """The form was opened before the settings listed channels."""
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await sends(journey, ANA, await asks_for_a_form(journey, ANA, channel_id=CARE))
        payload = forged(journey.slack.deliveries[-1].payload)
        payload["view"]["private_metadata"] = ""
        before = len(journey.slack.messages)
        assert (await journey.slack.send(payload, "interactive")).acked
        assert "You can’t start co-browse from here" in words_of(await journey.reads(ANA, before))
        assert len(journey.genesys.creates) == 1


async def test_guest_reads_a_refusal_in_the_form_and_cannot_send(either: Journey) -> None:
    await either.slack.shortcut(GUS, START)
    assert "Guests can’t use co-browse here" in await told(either, GUS)
    await sends(either, ANA, await asks_for_a_form(either, ANA))
    payload = forged(either.slack.deliveries[-1].payload)
    payload["user"] |= {"id": GUS}
    before = len(either.slack.messages)
    await either.slack.send(payload, "interactive")
    assert "Guests can’t use co-browse here" in words_of(await either.reads(GUS, before))
    assert len(either.genesys.creates) == 1


async def test_host_slipped_into_a_form_without_one_is_refused(either: Journey) -> None:
    await sends(either, ANA, await asks_for_a_form(either, ANA))
    for host in (BEN, GUS):  # nor do they learn what the other is
        payload = forged(either.slack.deliveries[-1].payload, host={"type": "users_select", "selected_user": host})
        before = len(either.slack.messages)
        delivery = await either.slack.send(payload, "interactive")
        assert delivery.body["response_action"] == "update"  # of a view that is not there
        assert "Only supervisors can start a session for somebody else" in words_of(await either.reads(ANA, before))
        assert either.slack.seen_by(host) == []
    assert len(either.genesys.creates) == 1


async def test_form_has_no_host_while_slack_does_not_identify(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    journey.slack.inject_fault("users.info", "internal_error")
    assert "host" not in fields(await asks_for_a_form(journey, SAM))
    assert complaints(caplog) == ["a form without a host"]


# -- Slack fails --


@pytest.mark.parametrize("way", ["command", "shortcut"])
async def test_a_trigger_that_came_too_late_is_told(journey: Journey, way: str) -> None:
    journey.slack.views.trigger_seconds = 0
    before = len(journey.slack.messages)
    delivery = await (journey.slack.command(ANA, "new") if way == "command" else journey.slack.shortcut(ANA, START))
    assert delivery.acked
    message = await journey.reads(ANA, before)
    assert "I couldn’t open the form." in words_of(message)
    assert message.via == ("response_url" if way == "command" else "chat.postMessage")
    assert journey.slack.views_of(ANA) == []


@pytest.mark.parametrize("fault", ["500", "drop", "internal_error", "ratelimited"])
async def test_form_that_cannot_be_filled_is_told(
    journey: Journey, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    journey.slack.inject_fault("views.update", fault, retry_after=30)
    for way in ("chat.postMessage", "response_url"):
        before = len(journey.slack.messages)
        opened = journey.slack.command(ANA, "new") if way == "response_url" else journey.slack.shortcut(ANA, START)
        assert (await opened).acked
        message = await journey.reads(ANA, before)
        assert "I couldn’t open the form." in words_of(message)
        assert message.via == way
    await journey.finish()
    assert len(journey.slack.seen_by(ANA)) == 2
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("fault", ["not_found", "hash_conflict"])
async def test_form_that_is_gone_before_it_is_filled_needs_no_message(
    journey: Journey, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    journey.slack.inject_fault("views.update", fault)
    assert (await journey.slack.shortcut(ANA, START)).acked
    await called(journey, "views.update")
    await journey.finish()
    assert journey.slack.seen_by(ANA) == []
    journey.slack.inject_fault("views.update", None)
    assert complaints(caplog) == []


async def test_a_form_that_is_closed_before_it_is_filled_is_no_trouble(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    journey.slack.inject_fault("users.info", "slow", seconds=0.2)
    await journey.slack.shortcut(ANA, START)
    view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(ANA)), None))
    await journey.slack.close(ANA, view)
    await called(journey, "views.update")
    await journey.finish()
    assert journey.slack.seen_by(ANA) == []
    assert complaints(caplog) == []


async def test_the_address_that_slack_wants_verified_for_events_is(over_http: Journey) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "as it is"}).encode()
    async with aiohttp.ClientSession() as http:
        headers = {**signed(over_http, body), "Content-Type": JSON}
        async with http.post(f"{over_http.url}/slack/events", data=body, headers=headers) as response:
            assert (response.status, await response.json()) == (200, {"challenge": "as it is"})
