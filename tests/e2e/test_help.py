"""The help: short at first, all commands at a press, by role and installation; each button does what a command does."""

import pytest

from tests.support.app import ANA, BEN, SAM, Journey, buttons, link, open_journey, words
from tests.support.session_buttons import presses

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
        message = await presses(journey, await journey.asks("help", who=who), ALL, who=who)
        assert message.visible_to == who
        assert knows in words(message)
        assert knows_not not in words(message)
        asked = {call.kind for call in journey.genesys.calls}
        assert asked == ({"token", "search"} if who == ANA else set())  # whether anything of it would work


async def test_all_commands_take_the_place_of_the_short_help(journey: Journey) -> None:
    short = await journey.asks("help")
    assert await presses(journey, short, ALL) is short
    assert "`/cobrowse end`" in words(short)


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
