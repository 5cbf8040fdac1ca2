"""The help: short at first, all commands after a press, by role and installation.

Each button does what its command does.
"""

import pytest

from tests.support.app import ANA, BEN, GUS, SAM, Journey, buttons, link, open_journey, words
from tests.support.session_buttons import opens, presses
from tests.support.views import said

ALL, START, SESSIONS = "help_all", "help_start", "help_sessions"


async def test_short_help_is_one_sentence_and_three_buttons(journey: Journey) -> None:
    message = await journey.asks("help")
    assert message.visible_to == ANA
    assert "`/cobrowse`" in words(message)
    assert words(message).count("•") == 0
    assert list(buttons(message)) == [START, SESSIONS, ALL]


@pytest.mark.parametrize(
    ("who", "knows", "knows_not"),
    [(ANA, "status`", "@agent"), (SAM, "@agent", "unlink"), (BEN, "unlink", "nothing")],
    ids=["an agent", "a supervisor", "an administrator"],
)
async def test_all_commands_are_those_that_the_person_may_type(who: str, knows: str, knows_not: str) -> None:
    async with open_journey(COBROWSE_ADMINS=BEN) as journey:
        short = await journey.asks("help", who=who)
        before = len(journey.slack.messages)
        dialog = await opens(journey, short, ALL, who=who)
        typed = await journey.asks("help all", who=who)
        assert typed.visible_to == who
        for told in (said(dialog), words(typed)):
            assert knows in told
            assert knows_not not in told
            groups = [title for title in ("*Start*", "*Send*", "*End*", "*Find*", "*Set up*") if title in told]
            assert groups == sorted(groups, key=told.index)
            assert len(groups) >= 4
        assert journey.slack.messages[before:] == [typed]
        asked = {call.kind for call in journey.genesys.calls}
        assert asked == ({"token", "search"} if who == ANA else set())  # whether anything of it would work


async def test_all_commands_leave_the_short_help_as_it_is(journey: Journey) -> None:
    short = await journey.asks("help")
    was = str(short.blocks)
    dialog = await opens(journey, short, ALL)
    assert dialog.body["title"]["text"] == "All commands"
    assert dialog.body["close"]["text"] == "Close"
    assert "gives it a name, which your customer may see" in said(dialog)
    assert str(short.blocks) == was


async def test_all_commands_come_as_a_message_where_no_dialog_opens(journey: Journey) -> None:
    short = await journey.asks("help")
    journey.slack.inject_fault("views.open", "trigger_expired")
    told = await presses(journey, short, ALL)
    assert told is not short
    assert "`/cobrowse end`" in words(told)
    assert list(buttons(short)) == [START, SESSIONS, ALL]


async def test_somebody_without_access_reads_why_and_no_commands(journey: Journey) -> None:
    short = await journey.asks("help")
    told = await presses(journey, short, ALL, who=GUS)
    assert "Guests" in words(told)
    assert journey.slack.views_of(GUS) == []


async def test_start_gives_a_link_below_the_help(journey: Journey) -> None:
    short = await journey.asks("help")
    card = await presses(journey, short, START)
    assert card is not short
    (session,) = journey.genesys.sessions.values()
    assert link(card) == session.join_url


async def test_my_sessions_are_shown_below(journey: Journey) -> None:
    await journey.asks("Checkout help")
    shown = await presses(journey, await journey.asks("help"), SESSIONS)
    assert "Checkout help" in words(shown)
