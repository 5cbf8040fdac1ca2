"""Sessions started by a form, as people see it: open, fill in, submit, and read the answer in a direct message."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.core.timing import SlackTiming
from tests.support.app import ANA, BEN, CARE, GUS, HOSTS, ROBOT, SAM, Journey, buttons, is_failure, link, open_journey
from tests.support.app import words as words_of
from tests.support.conversations import KEY
from tests.support.session_buttons import END, confirms
from tests.support.views import (
    HERE,
    START,
    asks_for_a_form,
    complaints,
    fields,
    filled,
    presses,
    said,
    sends,
    shown,
    with_all_fields,
)

# -- Opened, sent, answered --


async def test_new_command_opens_a_form_with_a_direct_answer(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    assert fields(view) == ["send_to", "name"]
    message = await sends(either, ANA, view, name="Checkout <help>")
    (session,) = either.genesys.sessions.values()
    assert link(message) == session.join_url
    assert session.name == "Checkout <help>"
    assert session.join_url not in message.text
    # it stands where it is kept, and in no channel
    assert set(buttons(message)) == {"send_to_customer", END, "session_menu"}
    assert [call.method for call in either.slack.calls if call.method == "chat.postEphemeral"] == []


async def test_the_shortcut_opens_it_too(either: Journey) -> None:
    delivery = await either.slack.shortcut(ANA, START)
    assert delivery.acked
    assert link(await sends(either, ANA, await filled(either, ANA)))


async def test_so_does_the_one_in_a_messages_menu(either: Journey) -> None:
    message = either.slack.post_message(BEN, CARE, "can somebody look at this page with me?")
    delivery = await either.slack.message_shortcut(ANA, message, HERE)
    assert delivery.acked
    assert link(await sends(either, ANA, await filled(either, ANA)))
    assert [each for each in either.slack.messages if each.channel == CARE] == [message]


async def test_a_long_message_that_is_not_ascii_comes_through_http(over_http: Journey) -> None:
    message = over_http.slack.post_message(BEN, CARE, "Покупатель не видит кнопку. " * 400)
    assert (await over_http.slack.message_shortcut(ANA, message, HERE)).acked
    await filled(over_http, ANA)


async def test_a_skeleton_is_there_before_anything_is_known(journey: Journey) -> None:
    journey.slack.inject_fault("users.info", "slow", seconds=0.3)
    delivery = await journey.slack.shortcut(ANA, START)
    view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(ANA)), None))
    assert delivery.ack_ms < 300
    assert "One moment" in said(view)
    assert "submit" not in view.body
    assert await filled(journey, ANA) is view


async def test_a_supervisor_chooses_the_host_who_is_told(journey: Journey) -> None:
    view = await asks_for_a_form(journey, SAM)
    assert fields(view)[0] == "host"
    assert view.values["host", "host"] == SAM
    message = await sends(journey, SAM, view, host=BEN, name="Deal")
    (create,) = journey.genesys.creates
    assert str(create.body["hostUserId"]).startswith(HOSTS[BEN])
    (bens,) = journey.slack.seen_by(BEN)
    assert link(bens) == link(message)
    assert f"*Deal* · from <@{SAM}>" in words_of(bens)


async def test_a_supervisor_who_leaves_themselves_there_gets_their_own(journey: Journey) -> None:
    message = await sends(journey, SAM, await asks_for_a_form(journey, SAM))
    assert "*Co-browse with Sam Supervisor* · ends" in words_of(message)
    assert journey.slack.seen_by(SAM) == [message]


async def test_application_and_duration_reach_genesys(journey: Journey) -> None:
    journey.genesys.applications["shop"] = "Web shop"
    view = await with_all_fields(journey, ANA, await asks_for_a_form(journey, ANA))
    await sends(journey, ANA, view, application="shop", duration="7200")
    (create,) = journey.genesys.creates
    assert create.body["application"]["id"] == "shop"
    assert create.body["timeoutSeconds"] == 7200


@pytest.mark.parametrize("fault", ["500", "403", "429", "dropped", "silent", "down"])
async def test_without_a_list_of_applications_the_form_does_without(fault: str) -> None:
    async with open_journey(slack_timing=SlackTiming(repeat_seconds=0.01, catalog_timeout=0.3)) as journey:
        await journey.genesys.inject_fault(fault, **({} if fault == "down" else {"on": "applications"}))
        view = await with_all_fields(journey, ANA, await asks_for_a_form(journey, ANA))
        assert fields(view) == ["send_to", "name", "duration"]
        await journey.genesys.inject_fault(None)
        assert link(await sends(journey, ANA, view))


async def test_with_an_empty_list_too(journey: Journey) -> None:
    journey.genesys.applications.clear()
    view = await with_all_fields(journey, ANA, await asks_for_a_form(journey, ANA))
    assert fields(view) == ["send_to", "name", "duration"]


async def test_where_sessions_belong_to_conversations_one_can_be_named() -> None:
    async with open_journey(**KEY) as journey:
        host = f"{HOSTS[ANA]}-1111-4111-8111-111111111111"
        one, _ = (journey.genesys.conversations.begin(host, name) for name in ("Carla", "Carl"))
        view = await asks_for_a_form(journey, ANA)
        assert fields(view) == ["send_to", "name", "conversation"]
        assert presses(view) == []  # there is no application to choose, and no duration
        assert "Which customer is this for?" in words_of(await sends(journey, ANA, view))
        wrong = await asks_for_a_form(journey, ANA)
        delivery = await journey.slack.submit(ANA, wrong, {"conversation": "Carla"})
        assert delivery.body["response_action"] == "errors"
        message = await sends(journey, ANA, wrong, conversation=one.id)
        assert "join by" in words_of(message)


# -- Once --


async def test_a_form_that_is_sent_twice_starts_one_session(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    message = await sends(either, ANA, view, name="Deal")
    sent = either.slack.deliveries[-1]
    assert sent.payload["type"] == "view_submission"
    for again in await asyncio.gather(*(either.slack.redeliver(sent) for _ in range(3))):
        assert again.acked
        assert again.body["response_action"] == "update"
    assert words_of(message) not in said(view)  # the acknowledgement says to wait
    await shown(either, view, words_of(message))
    await either.finish()
    assert len(either.genesys.creates) == 1
    assert either.slack.seen_by(ANA) == [message]


async def test_a_shortcut_that_is_delivered_twice_opens_one_form(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = await journey.slack.shortcut(ANA, START)
    await filled(journey, ANA)
    assert (await journey.slack.redeliver(delivery)).acked
    await journey.finish()
    assert len(journey.slack.views_of(ANA)) == 1
    assert journey.slack.seen_by(ANA) == []
    assert complaints(caplog) == []


# -- What is wrong is said at the field --


async def test_a_name_with_nothing_to_see_is_told_at_its_field(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    await either.slack.submit(ANA, view, {"name": "\u200b \u3164"})
    assert view.errors == {"name": "This name is empty. Add a few letters, or leave it out."}
    assert either.genesys.creates == []
    assert link(await sends(either, ANA, view, name="Deal"))


@pytest.mark.parametrize(
    ("who", "reason", "at_field"),
    [
        (ROBOT, "is a bot.", "This is a bot. Choose a person."),
        (GUS, "is a guest, and guests can’t use co-browse", "This person is a guest. Guests can’t use co-browse."),
    ],
)
async def test_a_host_who_is_known_to_be_none_is_told_at_the_field(
    journey: Journey, who: str, reason: str, at_field: str
) -> None:
    view = await asks_for_a_form(journey, SAM)
    first = await sends(journey, SAM, view, host=who)  # nothing is known of them yet, so it is the desk that says so
    assert reason in words_of(first)
    again = await asks_for_a_form(journey, SAM)
    await journey.slack.submit(SAM, again, {"host": who})
    assert again.errors == {"host": at_field}
    assert journey.genesys.creates == []
    assert link(await sends(journey, SAM, again, host=BEN))


async def test_unavailable_database_is_told_in_the_form(tmp_path: Path) -> None:
    async with open_journey(DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:
        view = await asks_for_a_form(journey, ANA)
        blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        blocker.execute("ALTER TABLE requests RENAME TO gone")
        delivery = await journey.slack.submit(ANA, view, {"name": "Deal"})
        assert delivery.acked
        assert "Nothing was started" in view.errors["name"]
        assert view.is_open
        assert journey.slack.seen_by(ANA) == []
        blocker.execute("ALTER TABLE gone RENAME TO requests")
        blocker.close()
        assert link(await sends(journey, ANA, view))
        assert len(journey.genesys.creates) == 1


async def test_fault_of_the_bot_does_not_close_the_form_as_done(
    either: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await asks_for_a_form(either, ANA)
    monkeypatch.setattr("bot.slack.listeners.session_form.SessionForm.read", None)
    delivery = await either.slack.submit(ANA, view)
    assert delivery.acked
    assert delivery.body["response_action"] == "update"
    assert view.is_open
    assert "Something went wrong on my side" in said(view)
    assert fields(view) == []


# -- What fails later is told by direct message --


async def test_genesys_failure_comes_by_direct_message_with_a_retry(either: Journey) -> None:
    view = await with_all_fields(either, ANA, await asks_for_a_form(either, ANA))
    await either.genesys.inject_fault("dropped")
    message = await sends(either, ANA, view, name="Deal", duration="3600")
    assert is_failure(message)
    await either.genesys.inject_fault(None)
    await either.tries_again(message)
    (first, second) = either.genesys.creates
    assert first.body["sessionName"] == second.body["sessionName"] == "Deal"
    assert second.body["timeoutSeconds"] == 3600  # it is the same wish
    await confirms(either.slack, ANA, message, END)  # it stands where the failure stood
    await either.slack.until(lambda: "has ended" in message.text or None)


async def test_retry_works_in_a_direct_message_under_channel_rules() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await journey.genesys.inject_fault("dropped")
        message = await sends(journey, ANA, await asks_for_a_form(journey, ANA, channel_id=CARE))
        await journey.genesys.inject_fault(None)
        await journey.tries_again(message)
        assert link(journey.slack.seen_by(ANA)[-1])
