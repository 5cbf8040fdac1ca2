"""The buttons of a session over real sockets: each checks the person who presses, and shows the outcome."""

import asyncio

import pytest

from bot.sandbox.slack.server import Message, SlackChannel
from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    CARE,
    GUS,
    OUTSIDER,
    SAM,
    SHARED,
    UNA,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.session_buttons import (
    COPY,
    END,
    POST,
    as_earlier_card,
    menu,
    opens,
    presses,
    says,
    status,
)
from tests.support.timing import FRESH_STATUS
from tests.support.views import asks_for_a_form, sends

ACTIONS = (END, POST, COPY)
EARLIER_ACTIONS = ("end_session", "share_session", "send_session")


async def public(journey: Journey) -> Message:
    """Return the message in a channel that everybody there can read."""
    found = [each for each in journey.slack.messages if each.visible_to is None and each.via == "chat.postMessage"]
    (message,) = [each for each in found if journey.slack.workspace.im_owner(each.channel) is None]
    return message


async def direct(journey: Journey, who: str) -> Message:
    """Return the direct message to this person."""
    (message,) = [each for each in journey.slack.seen_by(who) if journey.slack.workspace.im_owner(each.channel) == who]
    return message


def session_id(journey: Journey) -> str:
    """Return the id of the only session."""
    (found,) = journey.genesys.sessions
    return str(found)


# -- End --


async def test_end_asks_and_then_takes_the_place_of_the_card(either: Journey) -> None:
    card = await either.asks("Deal")
    url = link(card)
    dialog = await opens(either, card, END)
    assert "End *Deal*?" in str(dialog.blocks)
    assert (dialog.body["submit"]["text"], dialog.body["close"]["text"]) == ("End session", "Keep open")
    assert status(either) == ["active"]
    used = either.slack.count("response_url")
    await either.slack.submit(ANA, dialog)
    await says(either, card, f"*Deal* · ended by <@{ANA}>")
    assert either.slack.count("response_url") == used + 1  # of the five uses that a press has
    assert url not in str(card.blocks)
    assert list(buttons(card)) == ["start_new_session"]
    assert status(either) == ["ended"]


@pytest.mark.parametrize("action", [*ACTIONS, "send_to_customer"])
async def test_press_notices_an_end_that_only_genesys_knows(journey: Journey, action: str) -> None:
    card = await journey.asks("Deal")
    (session,) = journey.genesys.sessions.values()
    session.status = "ended"
    before = len(journey.slack.messages)
    assert await presses(journey, card, action) is card
    assert "*Deal* · ended <!date" in words(card)
    assert list(buttons(card)) == ["start_new_session"]
    assert journey.slack.views_of(ANA) == []  # no dialog asked for a number, or whether to end it
    assert len(journey.slack.messages) == before
    assert journey.genesys.count("read") <= 2  # one look at the press, and one of the answer


@pytest.mark.parametrize("fault", ["silent", "500", "429"])
async def test_dialog_opens_where_genesys_does_not_say_in_time(journey: Journey, fault: str) -> None:
    card = await journey.asks("Deal")
    await journey.genesys.inject_fault(fault, on="read")
    began = asyncio.get_running_loop().time()
    dialog = await opens(journey, card, END)
    assert "End *Deal*?" in str(dialog.blocks)
    assert asyncio.get_running_loop().time() - began < 2.5  # Slack's trigger_id is valid for three seconds


@pytest.mark.parametrize("action", [*ACTIONS, "send_to_customer"])
async def test_press_on_a_card_whose_session_is_over_says_so_at_once(journey: Journey, action: str) -> None:
    card = await journey.asks("@ben Deal", who=SAM)
    await journey.asks("@ben end", who=SAM)
    message = await direct(journey, BEN)
    await says(journey, message, f"*Deal* · ended by <@{SAM}>")
    assert END in buttons(card)  # an ephemeral message changes by its own buttons alone
    assert await presses(journey, card, action, who=SAM) is card
    assert f"ended by <@{SAM}>" in words(card)
    assert list(buttons(card)) == ["start_new_session"]
    assert journey.slack.views_of(SAM) == []


async def test_details_of_a_session_that_is_over_are_shown(journey: Journey) -> None:
    card = await journey.asks("Deal")
    await journey.asks("end")
    dialog = await opens(journey, card, "details")
    assert session_id(journey) in str(dialog.blocks)
    assert session_id(journey) not in words(card)


async def test_end_confirmed_twice_ends_once(journey: Journey) -> None:
    card = await journey.asks("Deal")
    before, dialog = len(journey.slack.messages), await opens(journey, card, END)
    submitted = await journey.slack.submit(ANA, dialog)
    await says(journey, card, "ended by")
    assert (await journey.slack.redeliver(submitted)).acked
    await journey.finish()
    assert journey.genesys.count("end") == 1
    assert len(journey.slack.messages) == before


async def test_session_that_two_people_end_says_who_was_first(journey: Journey) -> None:
    card = await journey.asks("@ben Deal", who=SAM)
    dialog = await opens(journey, card, END, who=SAM)
    await journey.asks("end", who=BEN)
    await journey.slack.submit(SAM, dialog)
    await says(journey, card, f"ended by <@{BEN}>")
    assert journey.genesys.count("end") == 1


async def test_an_end_that_fails_leaves_the_card_and_its_link(journey: Journey) -> None:
    card = await journey.asks("Deal")
    url = link(card)
    await journey.genesys.inject_fault("500", on="end")
    told = await presses(journey, card, END)
    assert is_failure(told)
    assert told is not card
    assert link(card) == url


async def test_end_in_a_list_leaves_the_others(journey: Journey) -> None:
    for name in ("One", "Two"):
        await journey.asks(name)
    listed = await journey.asks("status")
    row = next(block for block in listed.blocks if "Two" in str(block))
    told = await presses(journey, listed, "row_menu", chosen="end", block_id=row["block_id"])
    assert told is listed
    assert f"*Two* · ended by <@{ANA}>" in words(listed)
    assert "*One* · 30 minutes left" in words(listed)
    assert sorted(status(journey)) == ["active", "ended"]


async def test_new_session_starts_in_place_of_the_one_that_is_over(either: Journey) -> None:
    card = await either.asks("Deal")
    url = link(card)
    await presses(either, card, END)
    assert await presses(either, card, "start_new_session") is card
    assert "*Deal*" in words(card)
    assert link(card) != url
    assert status(either) == ["ended", "active"]


async def test_new_session_starts_once_for_each_card(journey: Journey) -> None:
    card = await journey.asks("Deal")
    await presses(journey, card, END)
    pressed = await journey.slack.press(ANA, card, "start_new_session")
    await says(journey, card, END)
    assert (await journey.slack.redeliver(pressed)).acked
    await journey.finish()
    assert len(journey.genesys.sessions) == 2


async def test_new_session_starts_from_a_direct_message_where_channels_are_limited() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        card = await journey.asks("Deal")
        await presses(journey, card, COPY)
        message = await direct(journey, ANA)
        await presses(journey, message, END)
        await presses(journey, message, "start_new_session")
        await says(journey, message, END)
        await presses(journey, message, END)  # its end is shown there, too
        assert status(journey) == ["ended", "ended"]


async def test_supervisor_starts_a_new_one_for_the_same_agent(journey: Journey) -> None:
    card = await journey.asks("@ben Deal", who=SAM)
    await presses(journey, card, END, who=SAM)
    assert await presses(journey, card, "start_new_session", who=SAM) is card
    assert f"*For <@{BEN}>* · Deal" in words(card)


# -- Post and copy --


async def test_posted_link_says_who_and_ends_with_the_session(either: Journey) -> None:
    card = await either.asks("Deal")
    dialog = await opens(either, card, POST)
    assert f"Post the link in <#{CARE}>?" in str(dialog.blocks)
    assert (dialog.body["submit"]["text"], dialog.body["close"]["text"]) == ("Post link", "Don’t post")
    await either.slack.submit(ANA, dialog)
    await says(either, card, f"✓ Posted in <#{CARE}>")
    message = await public(either)
    assert (message.channel, link(message)) == (CARE, link(card))
    assert f"<@{ANA}> posted “Deal”" in words(message)
    assert list(buttons(message)) == [END]  # nobody in the channel opens the customer's page by mistake
    assert message in either.slack.seen_by(BEN)
    assert "It’s already posted in this channel" in words(await presses(either, card, POST))
    url = link(card)
    await presses(either, card, END)
    await says(either, message, f"*Deal* with <@{ANA}> · ended by <@{ANA}>")
    assert url not in str(message.blocks)
    assert buttons(message) == {}
    assert await public(either) is message


async def test_copy_in_the_direct_messages_ends_with_the_session(either: Journey) -> None:
    card = await either.asks("Deal")
    assert await presses(either, card, COPY) is card
    assert "✓ Sent to your direct messages" in words(card)
    message = await direct(either, ANA)
    assert link(message) == link(card)
    assert {"post", "copy"}.isdisjoint(menu(message))
    messages = len(either.slack.messages)
    assert await presses(either, message, END) is message
    assert "ended by" in words(message)
    await either.finish()
    assert len(either.slack.messages) == messages


async def test_a_session_whose_time_runs_out_is_over_where_it_stands() -> None:
    async with open_journey(timing=FRESH_STATUS, COBROWSE_TIMEOUT_SECONDS="60") as journey:
        card = await journey.asks("Deal")
        for action in (POST, COPY):
            await presses(journey, card, action)
        next(iter(journey.genesys.sessions.values())).status = "expired"
        assert "No open sessions" in words(await journey.asks("status"))
        for message in (await public(journey), await direct(journey, ANA)):
            await says(journey, message, " · ended ")
        assert await presses(journey, card, COPY) is card
        assert " · ended " in words(card)


@pytest.mark.parametrize(
    ("channel", "why"), [(SHARED, "people from other organizations"), ("C0SECRET", "I’m not in this channel")]
)
async def test_link_is_not_posted_where_outsiders_may_read(journey: Journey, channel: str, why: str) -> None:
    secret = SlackChannel("C0SECRET", "secret", bot_is_member=False, is_private=True)
    journey.slack.workspace.channels[secret.id] = secret
    card = await journey.asks("Deal", channel_id=channel)
    assert why in words(await presses(journey, card, POST))
    assert all(message.visible_to for message in journey.slack.messages)


async def test_link_is_posted_in_a_public_channel_without_the_bot(journey: Journey) -> None:
    card = await journey.asks("Deal", channel_id=BILLING)
    await presses(journey, card, POST)
    assert (await public(journey)).channel == BILLING


async def test_link_is_not_posted_outside_the_channels_that_are_allowed() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await journey.asks("Deal")
        message = await journey.asks("last", channel_id=BILLING)
        assert "can’t share co-browse links in this channel" in words(await presses(journey, message, POST))
        assert all(message.visible_to for message in journey.slack.messages)


async def test_in_a_direct_message_there_is_nobody_to_share_with(journey: Journey) -> None:
    await journey.asks("Deal")
    message = await journey.asks("last", channel_id=journey.slack.workspace.open_im(ANA))
    assert "post" not in menu(message)


async def test_failed_look_up_of_a_channel_is_not_about_the_reader(journey: Journey) -> None:
    card = await journey.asks("Warranty")
    journey.slack.inject_fault("conversations.info", "internal_error")
    assert "Slack didn’t answer my question." in words(await presses(journey, card, POST))


@pytest.mark.parametrize("action", [POST, COPY])
async def test_a_slack_that_takes_no_message_is_told_and_tried_again(journey: Journey, action: str) -> None:
    card = await journey.asks("Deal")
    journey.slack.inject_fault("chat.postMessage", "ratelimited", retry_after=60)
    failed = await presses(journey, card, action)
    assert "Slack didn’t accept my message" in words(failed)
    journey.slack.inject_fault("chat.postMessage", None)
    told = await presses(journey, failed, "try_again")
    assert told is failed
    assert "✓" in words(told)
    assert link(card)


# -- who may --


@pytest.mark.parametrize(("who", "may"), [(BEN, True), (SAM, True), (UNA, False), (GUS, False)])
async def test_permitted_people_end_a_session_in_a_channel(journey: Journey, who: str, may: bool) -> None:
    """The session is Ben's, started by Sam. It is posted in the channel, so everybody can press the button."""
    card = await journey.asks("@ben Deal", who=SAM)
    await presses(journey, card, POST, who=SAM)
    message = await public(journey)
    told = await presses(journey, message, END, who=who)
    assert ("Ended *Deal*" in words(told)) is may
    assert status(journey) == ["ended" if may else "active"]
    if who == UNA:
        assert f"Only <@{BEN}> and <@{SAM}>, supervisors and administrators" in words(told)


@pytest.mark.parametrize("action", [*ACTIONS, "send_to_customer", "details"])
@pytest.mark.parametrize("who", [GUS, OUTSIDER, UNA])
async def test_button_does_nothing_for_a_person_without_the_right(journey: Journey, who: str, action: str) -> None:
    """Another person presses a button of a card that only the requester should see."""
    card = await journey.asks("Deal", channel_id=SHARED)
    url = link(card)
    told = await presses(journey, card, action, who=who)
    assert is_failure(told)
    assert url not in str(told.blocks)
    assert journey.slack.views_of(who) == []
    assert status(journey) == ["active"]
    assert [each for each in journey.slack.messages if each.visible_to is None] == []


@pytest.mark.parametrize("who", [GUS, OUTSIDER, UNA])
@pytest.mark.parametrize("action", [END, POST])
async def test_dialog_of_somebody_else_does_nothing(journey: Journey, who: str, action: str) -> None:
    """The bot also checks the person who submits a dialog."""
    card = await journey.asks("Deal", channel_id=SHARED)
    dialog = await opens(journey, card, action)
    dialog.user_id = who
    before = len(journey.slack.messages)
    await journey.slack.submit(who, dialog)
    assert is_failure(await journey.reads(ANA, before))  # where the dialog was opened
    assert status(journey) == ["active"]
    assert [each for each in journey.slack.messages if each.visible_to is None] == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_press_for_a_session_that_is_unknown_says_so(journey: Journey, action: str) -> None:
    card = await journey.asks("Deal")
    for row in (block for block in card.blocks if block["type"] == "actions"):
        row["block_id"] = "card-unknown"
        for element in row["elements"]:
            if "value" in element:
                element["value"] = "unknown"
    assert "I can’t find that session" in words(await presses(journey, card, action))


@pytest.mark.parametrize("action", EARLIER_ACTIONS)
async def test_buttons_of_earlier_cards_still_work(either: Journey, action: str) -> None:
    card = await either.asks("Deal")
    as_earlier_card(card, session_id(either))
    assert await presses(either, card, action) is card
    expected = {"end_session": "ended by", "share_session": "✓ Posted in", "send_session": "✓ Sent to your direct"}
    assert expected[action] in words(card)


async def test_links_in_the_menu_are_acknowledged_and_nothing_else(either: Journey) -> None:
    card = await either.asks("Deal")
    assert menu(card)["preview"]["url"] == link(card)
    calls, messages = len(either.slack.calls), len(either.slack.messages)
    pressed = await either.slack.press(ANA, card, "session_menu", chosen="preview")
    assert (pressed.acked, pressed.body or None) == (True, None)
    as_earlier_card(card, session_id(either))
    pressed = await either.slack.press(ANA, card, "open")
    assert (pressed.acked, pressed.body or None) == (True, None)
    await either.finish()
    assert (len(either.slack.calls), len(either.slack.messages)) == (calls, messages)


# -- another session of the same agent --


async def test_card_says_which_session_is_still_open_and_ends_it(either: Journey) -> None:
    first = await either.asks("Refund")
    assert "still open" not in words(first)
    card = await either.asks("Checkout")
    url = link(card)
    assert "*Refund* is still open, until <!date" in words(card)
    assert await presses(either, card, "end_session") is card
    assert "✓ Ended Refund" in words(card)
    assert "still open" not in words(card)
    assert link(card) == url
    assert END in buttons(card)
    assert status(either) == ["ended", "active"]
    assert either.genesys.count("read") == 0  # none of this asks Genesys what is open


async def test_supervisor_reads_whose_session_is_still_open(journey: Journey) -> None:
    await journey.asks("Refund", who=BEN)
    card = await journey.asks("@ben Checkout", who=SAM)
    assert f"*Refund* of <@{BEN}> is still open" in words(card)
    assert "end_session" not in buttons(card)
    (place,) = [each["block_id"] for each in card.blocks if str(each.get("block_id")).startswith("other-")]
    dialog = await opens(journey, card, END, who=SAM, block_id=place)
    assert f"End *Refund* of <@{BEN}>?" in str(dialog.blocks)
    assert status(journey) == ["active", "active"]
    await journey.slack.submit(SAM, dialog)
    await says(journey, card, "✓ Ended Refund")
    assert "still open" not in words(card)
    assert status(journey) == ["ended", "active"]


async def test_card_says_how_many_more_are_open_and_lists_them(either: Journey) -> None:
    for name in ("A1", "B2", "Refund"):
        await either.asks(name)
    card = await either.asks("Checkout")
    assert "*Refund* is still open, until <!date" in words(card)
    assert "and so are 2 more." in words(card)
    listed = await presses(either, card, "list_others")
    assert listed is not card
    assert all(f"*{name}*" in words(listed) for name in ("A1", "B2", "Refund", "Checkout"))
    await presses(either, card, "end_session")
    assert "✓ Ended Refund" in words(card)
    assert "*B2* is still open, until <!date" in words(card)
    assert "and so is 1 more." in words(card)
    await presses(either, card, "end_session")
    assert "*A1* is still open, until <!date" in words(card)
    assert "more" not in words(card)
    assert "list_others" not in buttons(card)
    assert status(either) == ["active", "ended", "ended", "active"]


async def test_supervisor_lists_all_sessions_of_the_agent(journey: Journey) -> None:
    for name in ("A1", "B2"):
        await journey.asks(name, who=BEN)
    await journey.asks("Own", who=SAM)
    card = await journey.asks("@ben Checkout", who=SAM)
    assert "and so is 1 more." in words(card)
    listed = await presses(journey, card, "list_others", who=SAM)
    assert f"Live now, <@{BEN}>: 3" in words(listed)
    assert "Own" not in words(listed)


async def test_open_session_of_somebody_else_is_not_mentioned(journey: Journey) -> None:
    await journey.asks("Refund", who=BEN)
    await journey.asks("@ben Deal", who=SAM)
    assert "still open" not in words(await journey.asks("Checkout", who=SAM))
    assert "still open" not in words(await journey.asks("Checkout", who=ANA))


async def test_end_of_the_other_session_that_fails_leaves_the_card(journey: Journey) -> None:
    await journey.asks("Refund")
    card = await journey.asks("Checkout")
    await journey.genesys.inject_fault("500", on="end")
    assert is_failure(await presses(journey, card, "end_session"))
    assert "*Refund* is still open" in words(card)


async def test_repeated_command_does_not_call_its_own_session_another(journey: Journey) -> None:
    await journey.asks("Refund")
    assert "still open" not in words(await journey.asks("Refund"))


async def test_card_of_a_form_ends_the_other_session_in_its_place(journey: Journey) -> None:
    await journey.asks("Refund")
    card = await sends(journey, ANA, await asks_for_a_form(journey, ANA), name="Checkout")
    assert "*Refund* is still open" in words(card)
    assert await presses(journey, card, "end_session") is card
    assert "✓ Ended Refund" in words(card)
    await presses(journey, card, END)
    assert status(journey) == ["ended", "ended"]
