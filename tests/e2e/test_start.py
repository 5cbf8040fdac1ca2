"""The main task: from Slack's payload to the message that only the requester sees, over Socket Mode and signed HTTP."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from bot import __version__
from tests.support.app import (
    ADA,
    ANA,
    BEN,
    CARE,
    HOSTS,
    SAM,
    UNA,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.session_buttons import DETAILS, END, menu, opens
from tests.support.timing import EARLY_NOTICES
from tests.support.views import said


async def test_agent_gets_the_customers_link_and_nobody_else_sees_it(either: Journey) -> None:
    delivery = await either.slack.command(ANA, "")
    message = await either.reads(ANA, 0)
    (session,) = either.genesys.sessions.values()

    assert delivery.acked
    assert delivery.ack_ms < 1000
    assert not delivery.body
    assert link(message) == session.join_url
    assert message.visible_to == ANA
    assert message.channel == CARE
    assert message.via == "response_url"
    assert either.slack.seen_by(BEN) == []
    assert len(either.slack.seen_by(ANA)) == 1


async def test_the_create_is_word_for_word_what_the_contract_says(either: Journey) -> None:
    message = await either.asks("Checkout help")
    (create,) = either.genesys.creates
    request_id = create.body["metadata"]["requestId"]

    assert create.body == {
        "hostUserId": "11111111-1111-4111-8111-111111111111",
        "application": {"id": "web", "type": "web"},
        "sessionName": "Checkout help",
        "timeoutSeconds": 1800,
        "metadata": {"source": "cobrowse-bot", "context": "slack", "requestId": request_id},
    }
    details = await opens(either, message, DETAILS)
    assert f"Reference `{request_id}`" in str(details.blocks)
    assert request_id not in words(message)
    assert create.headers["Authorization"].startswith("Bearer ")
    assert create.headers["Content-Type"] == "application/json"
    assert create.headers["Accept"] == "application/json"
    assert create.headers["X-Genesys-Application-Name"] == f"cobrowse-bot/{__version__}"


async def test_named_session_sends_nothing_that_names_a_person(journey: Journey) -> None:
    await journey.asks("Checkout help")
    sent = json.dumps(journey.genesys.creates[0].body)
    for personal in (ANA, "ana", "Ana", "example.com", "T0SANDBOX", CARE):
        assert personal not in sent


async def test_redelivery_is_the_same_request(either: Journey) -> None:
    delivery = await either.slack.command(ANA, "Once")
    await either.reads(ANA, 0)
    again = await asyncio.gather(*(either.slack.redeliver(delivery) for _ in range(5)))
    await either.finish()

    assert all(each.acked and not each.body for each in again)
    assert len(either.genesys.creates) == 1
    assert len(either.slack.seen_by(ANA)) == 1


async def test_redelivered_question_is_answered_once(either: Journey) -> None:
    delivery = await either.slack.command(ANA, "whoami")
    await either.reads(ANA, 0)
    again = await asyncio.gather(*(either.slack.redeliver(delivery) for _ in range(5)))
    await either.finish()

    assert all(each.acked and not each.body for each in again)
    assert len(either.slack.seen_by(ANA)) == 1
    assert either.slack.count("response_url") == 1


async def test_redelivery_during_the_work_is_the_same_request(either: Journey) -> None:
    either.genesys.latency_seconds = 0.2
    delivery = await either.slack.command(ANA, "Once")
    again = await asyncio.gather(*(either.slack.redeliver(delivery) for _ in range(5)))
    await either.finish()

    assert all(each.acked and not each.body for each in again)
    assert len(either.genesys.creates) == 1
    assert len(either.slack.seen_by(ANA)) == 1


async def test_repeated_typing_is_two_answers_with_one_session(either: Journey) -> None:
    first, second = await either.asks("Same"), await either.asks("Same")
    (session,) = either.genesys.sessions.values()
    assert link(first) == link(second) == session.join_url
    assert either.slack.seen_by(ANA) == [first, second]
    assert len(either.genesys.creates) == 1


async def test_link_stands_in_preformatted_text_and_the_menu_only(either: Journey) -> None:
    message = await either.asks()
    url = link(message)
    assert menu(message)["preview"]["url"] == url
    assert url not in message.text
    everything = json.dumps(message.blocks)
    assert everything.count(url) == 2
    opened = await either.slack.press(ANA, message, "session_menu", chosen="preview")
    assert opened.acked
    assert not opened.body


async def test_card_is_three_lines_of_name_link_and_buttons(journey: Journey) -> None:
    message = await journey.asks("Checkout help")
    (session,) = journey.genesys.sessions.values()
    shown = words(message)
    assert "Checkout help" in message.text
    assert [block["type"] for block in message.blocks] == ["section", "rich_text", "actions"]
    assert list(buttons(message)) == ["send_to_customer", END, "session_menu"]
    assert session.id not in shown
    ends_at = int(shown.partition("<!date^")[2].partition("^")[0])
    assert abs(ends_at - (time.time() + 1800)) < 5


async def test_a_name_rings_nobody_and_reaches_genesys_as_it_was_typed(either: Journey) -> None:
    message = await either.asks("5 > 4 & <!channel> <@everyone>")
    assert either.genesys.creates[0].body["sessionName"] == "5 > 4 & <!channel> <@everyone>"
    for text in (message.text, words(message)):
        assert "5 &gt; 4 &amp; &lt;!channel&gt; &lt;@everyone&gt;" in text
        assert "<!channel>" not in text


async def test_a_session_without_a_name_is_called_after_the_host(journey: Journey) -> None:
    await journey.asks()
    assert journey.genesys.creates[0].body["sessionName"] == "Co-browse with Ana Agent"


async def test_whoami_names_user_and_rule_to_who_can_repair_them(either: Journey) -> None:
    message = await either.asks("whoami", who=SAM)
    assert HOSTS[SAM] in words(message)
    assert "same email" in words(message)
    message = await either.asks("whoami")
    assert "You’re connected to Genesys." in words(message)
    assert HOSTS[ANA] not in words(message)
    assert message.visible_to == ANA
    assert either.genesys.creates == []


@pytest.mark.parametrize(
    "text",
    ["@nobody Checkout", "for @nobody", "statsu", "hepl", "#customer-care", "for U0BEN", "with @nobody", "\u0301@ben"],
)
async def test_ambiguous_text_starts_nothing(journey: Journey, text: str) -> None:
    message = await journey.asks(text)
    assert message.via == "ack"
    assert message.visible_to == ANA
    assert journey.genesys.calls == []


@pytest.mark.parametrize("text", ["End of month report", '"help"', "help with my order"])
async def test_a_name_that_only_begins_like_a_subcommand_is_a_name(journey: Journey, text: str) -> None:
    await journey.asks(text)
    assert [create.body["sessionName"] for create in journey.genesys.creates] == [text.strip('"')]


async def test_a_warm_command_costs_one_create_and_one_post_to_slack(either: Journey) -> None:
    await either.asks()
    slack_calls, genesys_calls = len(either.slack.calls), len(either.genesys.calls)
    await either.asks("Another")
    assert [call.method for call in either.slack.calls[slack_calls:]] == ["response_url"]
    assert [call.kind for call in either.genesys.calls[genesys_calls:]] == ["create"]


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_a_slow_service_is_waited_for_with_one_note(either: Journey) -> None:
    await either.genesys.inject_fault("slow", seconds=0.4)
    message = await either.asks()
    await either.finish()
    note, outcome = either.slack.seen_by(ANA)
    assert outcome is message
    assert "Starting your session" in note.text
    assert note.visible_to == ANA
    assert link(outcome)


async def test_a_quick_service_is_not_announced(journey: Journey) -> None:
    await journey.asks()
    await journey.finish()
    assert len(journey.slack.seen_by(ANA)) == 1


async def test_unmapped_person_reads_a_contact(either: Journey) -> None:
    message = await either.asks(who=UNA)
    assert is_failure(message)
    assert "Your Slack account isn’t connected to Genesys yet. Nothing was started." in words(message)
    assert f"Ask <@{ADA}> to connect you" in words(message)
    assert "same email" not in words(message)
    assert "try_again" not in buttons(message)
    assert either.genesys.creates == []


async def test_contact_reads_the_tried_rules_of_an_agent(either: Journey) -> None:
    message = await either.asks("@una Checkout", who=SAM)
    assert f"<@{UNA}> isn’t connected to Genesys yet. Nothing was started." in words(message)
    assert "same email: no Genesys user has this address" in words(message)
    assert f"To connect <@{UNA}>, type `/cobrowse link @agent name@example.com`." in words(message)
    assert either.genesys.creates == []


async def test_the_hosts_file_comes_before_the_address(tmp_path: Path) -> None:
    listed = tmp_path / "hosts.csv"
    listed.write_text(f"slack_user_id,genesys_user_id\n{UNA},{'2' * 8}-2222-4222-8222-222222222222\n")
    async with open_journey(COBROWSE_HOSTS_FILE=str(listed), COBROWSE_HELP_CONTACT=UNA) as journey:
        message = await journey.asks("whoami", who=UNA)  # the contact reads the rule
        assert "hosts file" in words(message)
        await journey.asks(who=UNA)
        assert journey.genesys.creates[0].body["hostUserId"].startswith(HOSTS[BEN])
        assert journey.genesys.count("search") == 0


async def test_settings_shape_what_is_asked_for() -> None:
    shape = {"COBROWSE_APPLICATION_ID": "shop", "COBROWSE_APPLICATION_TYPE": "kiosk", "COBROWSE_TIMEOUT_SECONDS": "600"}
    async with open_journey(COBROWSE_COMMAND="/share", **shape) as journey:
        journey.genesys.applications["shop"] = "Web shop"
        await journey.asks(command="/share")
        body = journey.genesys.creates[0].body
        assert body["application"] == {"id": "shop", "type": "kiosk"}
        assert body["timeoutSeconds"] == 600
        told = await opens(journey, await journey.asks("help", command="/share"), "help_all")
        assert "`/share whoami`" in said(told)


async def test_each_outcome_is_one_line_with_durations_and_reference(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await journey.asks("One")
    await journey.genesys.inject_fault("500-twice")
    await journey.asks("Two")
    await journey.genesys.inject_fault("502")
    await journey.asks("Three")
    await journey.finish()
    lines = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "answered"]
    requests = list(dict.fromkeys(create.body["metadata"]["requestId"] for create in journey.genesys.creates))
    assert [line["request"] for line in lines] == requests
    for line in lines:
        assert line["total_ms"] >= line["create_ms"] >= 0
    assert [bool(line.get("reference")) for line in lines] == [True, True, True]
