"""Text with two possible meanings: the bot answers with one line and two buttons, and each press does what it says."""

import asyncio
from pathlib import Path

import pytest

from bot.slack.messages.ambiguity import CHOOSE_ACTIONS
from bot.slack.messages.catalogue.questions import CHOSEN
from bot.slack.messages.catalogue.sentence import ENGLISH
from tests.support.app import (
    ANA,
    ANSWER_TIMEOUT,
    BEN,
    GUS,
    SAM,
    Journey,
    buttons,
    is_failure,
    link,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.message_buttons import labels, presses
from tests.support.session_buttons import status

FIRST, SECOND = CHOOSE_ACTIONS


async def test_end_in_other_words_ends_the_session(either: Journey) -> None:
    await either.asks("Checkout")
    message = await either.asks("stop sharing please")
    assert "Ended *Checkout*" in words(message)
    assert len(either.genesys.creates) == 1


async def test_question_is_one_line_with_two_buttons(journey: Journey) -> None:
    message = await journey.asks("end joe")
    assert message.via == "ack"
    assert message.visible_to == ANA
    assert message.text == "Did you mean end?"
    assert [block["type"] for block in message.blocks] == ["section", "actions"]
    assert labels(message) == ["End session", "Start one called “end joe”"]
    assert not is_failure(message)
    assert journey.genesys.calls == []


async def test_first_button_does_the_command(either: Journey) -> None:
    await either.asks("Checkout")
    question = await either.asks("end joe")
    await presses(either, question, FIRST)
    assert "Ended Checkout." in question.text
    assert len(either.genesys.creates) == 1


async def test_second_button_starts_a_session_called_so(either: Journey) -> None:
    question = await either.asks("end joe")
    await presses(either, question, SECOND)
    assert link(question)
    assert [create.body["sessionName"] for create in either.genesys.creates] == ["end joe"]


async def test_near_miss_offers_the_command_and_the_name(journey: Journey) -> None:
    question = await journey.asks("hepl")
    assert question.text == "Did you mean help?"
    assert labels(question) == ["Show help", "Start one called “hepl”"]
    await presses(journey, question, FIRST)
    assert "All commands" in words(question)
    assert journey.genesys.creates == []


async def test_many_presses_of_both_buttons_are_one_request(journey: Journey) -> None:
    question = await journey.asks("send joe")
    presses = [journey.slack.press(ANA, question, action) for action in (SECOND, SECOND, FIRST, SECOND)]
    await asyncio.gather(*presses)
    await journey.slack.workspace.until(lambda: "is ready" in question.text, ANSWER_TIMEOUT)
    await journey.finish()
    assert len(journey.genesys.creates) == 1
    assert ENGLISH.say(CHOSEN) in [each.text for each in journey.slack.seen_by(ANA)]


async def test_pressing_person_is_checked_like_a_typist(journey: Journey) -> None:
    """Nobody else sees the question. Only Slack's payload says who pressed."""
    question, other = await journey.asks("end joe"), await journey.asks("hepl")
    payload = (await journey.slack.press(ANA, other, FIRST)).payload
    action = {**payload["actions"][0], "action_id": SECOND, "value": buttons(question)[SECOND]["value"]}
    theirs = {**payload, "user": {**payload["user"], "id": GUS}, "actions": [action], "response_url": None}
    before = len(journey.slack.messages)
    await journey.slack.send(theirs, "interactive")
    assert "Guests can’t use co-browse here" in words(await journey.reads(GUS, before))
    assert journey.genesys.creates == []


async def test_question_is_answered_after_a_restart_and_once(tmp_path: Path) -> None:
    async with open_servers() as servers:
        environ = servers.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}"}
        async with open_bot_between(servers, environ, http=False) as first:
            question = await first.asks("end joe")
            payload = (await first.slack.press(ANA, await first.asks("hepl"), FIRST)).payload
            action = {**payload["actions"][0], "action_id": SECOND, "value": buttons(question)[SECOND]["value"]}
        async with open_bot_between(servers, environ, http=False) as second:
            await presses(second, question, SECOND)
            assert link(question)
        async with open_bot_between(servers, environ, http=False) as third:
            before = len(servers.slack.messages)
            await servers.slack.send({**payload, "actions": [action], "response_url": None}, "interactive")
            assert words(await third.reads(ANA, before)) == ENGLISH.say(CHOSEN)
        assert len(servers.genesys.creates) == 1


async def test_name_of_an_open_session_makes_a_name_doubtful(either: Journey) -> None:
    await either.asks("Refund")
    await either.asks("Billing")
    question = await either.asks("Close refund for Carla today")
    assert question.text == "Did you mean to end Refund?"
    assert len(either.genesys.creates) == 2
    await presses(either, question, FIRST)
    assert "Ended Refund." in question.text
    status = await either.asks("status")
    assert "Billing" in words(status)
    assert "Refund" not in words(status)


async def test_question_names_the_one_session_that_it_would_end(either: Journey) -> None:
    assert (await either.asks("end joe")).text == "Did you mean end?"  # nothing is open
    await either.asks("A1")
    assert (await either.asks("end joe")).text == "Did you mean to end A1?"
    await either.asks("B2")
    for text in ("end A1", "stop a1"):
        question = await either.asks(text)
        assert question.text == "Did you mean to end A1?"
        assert labels(question) == ["End session", f"Start one called “{text}”"]
    await presses(either, question, FIRST)
    assert "Ended A1." in question.text
    assert status(either) == ["ended", "active"]
    assert len(either.genesys.creates) == 2


@pytest.mark.parametrize("text", ["end A1", "Close A1 for Carla today", "end joe"])
async def test_question_shows_a_row_for_each_session_that_it_may_mean(journey: Journey, text: str) -> None:
    for target in ("", "@ben ", "@ana "):  # three sessions of one name
        await journey.asks(f"{target}A1", who=SAM)
    assert len(journey.genesys.creates) == 3
    question = await journey.asks(text, who=SAM)
    assert question.text == "Which session should I end?"
    rows = [block for block in question.blocks if str(block.get("block_id")).startswith("row-")]
    assert len(rows) == 3
    assert labels(question)[-1] == f"Start one called “{text}”"
    await journey.slack.press(SAM, question, "end_session", block_id=rows[1]["block_id"])
    await journey.slack.workspace.until(lambda: "ended by" in words(question) or None, ANSWER_TIMEOUT)
    assert sorted(status(journey)) == ["active", "active", "ended"]
    assert journey.slack.views_of(SAM) == []


async def test_rows_of_a_question_leave_the_name_as_a_choice(journey: Journey) -> None:
    await journey.asks("A1")
    await journey.asks("@ana A1", who=SAM)
    question = await journey.asks("end A1")
    await presses(journey, question, SECOND)
    assert link(question)
    assert [create.body["sessionName"] for create in journey.genesys.creates][2:] == ["end A1"]
    assert status(journey) == ["active"] * 3


async def test_somebody_without_access_is_asked_without_names(journey: Journey) -> None:
    assert (await journey.asks("end joe", who=GUS)).text == "Did you mean end?"


async def test_doubtful_name_starts_when_the_person_says_so(journey: Journey) -> None:
    await journey.asks("Refund")
    question = await journey.asks("Close refund for Carla today")
    await presses(journey, question, SECOND)
    assert link(question)
    assert [create.body["sessionName"] for create in journey.genesys.creates][1:] == ["Close refund for Carla today"]


async def test_name_without_an_open_session_in_it_starts_at_once(journey: Journey) -> None:
    await journey.asks("Refund")
    assert link(await journey.asks("End of month report"))
    assert [create.body["sessionName"] for create in journey.genesys.creates] == ["Refund", "End of month report"]


async def test_person_named_later_is_asked_about(journey: Journey) -> None:
    question = await journey.asks("Checkout for @ben", who=SAM)
    assert question.text == f"For <@{BEN}> or for you?"
    assert labels(question) == ["For @ben", "For me"]
    await presses(journey, question, FIRST, who=SAM)
    await journey.slack.workspace.until(lambda: "is ready" in question.text, ANSWER_TIMEOUT)
    (note,) = journey.slack.seen_by(BEN)
    assert "Checkout" in words(note)


async def test_member_who_chooses_somebody_else_is_refused(journey: Journey) -> None:
    question = await journey.asks("for U0BEN")
    await presses(journey, question, FIRST)
    assert "supervisors" in words(question)
    assert journey.genesys.creates == []


async def test_form_is_opened_by_its_button(journey: Journey) -> None:
    question = await journey.asks("start Carla")
    assert labels(question)[0] == "Open the form"
    await journey.slack.press(ANA, question, FIRST)
    (form,) = await journey.slack.workspace.until(lambda: journey.slack.views_of(ANA), ANSWER_TIMEOUT)
    assert form.is_open


async def test_supervisor_ends_the_one_session_of_an_agent(journey: Journey) -> None:
    await journey.asks("Checkout", who=BEN)
    assert "has no open session" in words(await journey.asks("@ana end", who=SAM))
    message = await journey.asks("@ben end it please", who=SAM)
    assert "Ended *Checkout*" in words(message)


async def test_supervisor_with_several_of_an_agent_ends_none(journey: Journey) -> None:
    await journey.asks("One", who=BEN)
    await journey.asks("Two", who=BEN)
    message = await journey.asks("@ben end", who=SAM)
    assert message.text == f"Which session of <@{BEN}> should I end?"
    assert "2 open sessions" in words(await journey.asks("status", who=BEN))


async def test_session_that_a_supervisor_started_is_its_agents() -> None:
    async with open_journey(COBROWSE_ADMINS=BEN) as journey:
        await journey.asks("@ana Checkout", who=SAM)
        assert "has no open session" in words(await journey.asks("@sam end", who=BEN))
        assert "Ended *Checkout*" in words(await journey.asks("@ana end", who=BEN))


async def test_member_ends_nothing_of_somebody_else(journey: Journey) -> None:
    await journey.asks("Checkout", who=BEN)
    message = await journey.asks("@ben end")
    assert is_failure(message)
    assert "Checkout" not in words(message)
    assert "1 open session" in words(await journey.asks("status", who=BEN))
