"""Lists of sessions: one row and one control for each session, pages, a filter by person, and results in the list."""

import pytest

from bot.core.results import ListKind, ListPage
from bot.sandbox.slack.server import Message, View
from tests.support.app import ANA, BEN, SAM, UNA, Journey, is_failure, open_journey, texts, words
from tests.support.session_buttons import opens, presses, says, status
from tests.support.views import home_says, opens_home, said

MANY = {"COBROWSE_PERSON_STARTS_PER_MINUTE": "0", "COBROWSE_SUPERVISOR_STARTS_PER_MINUTE": "0"}


def row(shown: Message | View, name: str) -> str:
    """Return the block id of the row with this session name."""
    return next(str(block["block_id"]) for block in shown.blocks if f"*{name}*" in str(block))


def names(shown: Message | View) -> list[str]:
    """Return the names in the rows, and the agents above them."""
    return [text.split(" · ")[0] for text in texts(shown.blocks) if text.startswith(("*", "<@")) and " · " in text]


def headings(shown: Message | View) -> list[str]:
    """Return the list's title and the headings of its parts."""
    return [text for text in texts(shown.blocks) if text.startswith("*") and " · " not in text]


async def starts(journey: Journey, count: int, who: str, name: str) -> None:
    for number in range(count):
        await journey.asks(f"{name} {number:02}", who=who)


# -- end --


async def test_end_with_several_open_is_one_press(either: Journey) -> None:
    await starts(either, 3, ANA, "Deal")
    asked = await either.asks("end")
    assert "Which session should I end?" in asked.text
    assert names(asked) == ["*Deal 02*", "*Deal 01*", "*Deal 00*"]
    assert is_failure(asked) is False
    assert await presses(either, asked, "end_session", block_id=row(asked, "Deal 01")) is asked
    assert f"*Deal 01* · ended by <@{ANA}>" in words(asked)
    assert names(asked) == ["*Deal 02*", "*Deal 00*"]
    assert words(asked).index("Deal 02") < words(asked).index("Deal 01") < words(asked).index("Deal 00")
    assert status(either) == ["active", "ended", "active"]
    assert await presses(either, asked, "end_session", block_id=row(asked, "Deal 02")) is asked
    assert status(either) == ["active", "ended", "ended"]


async def test_row_of_a_session_that_is_over_says_who_ended_it(journey: Journey) -> None:
    await journey.asks("@ben One", who=SAM)
    await journey.asks("@ben Two", who=SAM)
    asked = await journey.asks("end", who=BEN)
    last = await journey.asks("last", who=SAM)
    await presses(journey, last, "ask_end_session", who=SAM)
    assert await presses(journey, asked, "end_session", who=BEN, block_id=row(asked, "Two")) is asked
    assert f"*Two* · ended by <@{SAM}>" in words(asked)
    assert journey.genesys.count("end") == 1


async def test_end_in_a_list_that_fails_leaves_the_list(journey: Journey) -> None:
    await starts(journey, 2, ANA, "Deal")
    asked = await journey.asks("end")
    await journey.genesys.inject_fault("500", on="end")
    told = await presses(journey, asked, "end_session", block_id=row(asked, "Deal 01"))
    assert is_failure(told)
    assert names(asked) == ["*Deal 01*", "*Deal 00*"]


async def test_supervisor_picks_among_the_sessions_of_an_agent(journey: Journey) -> None:
    await starts(journey, 2, BEN, "Deal")
    asked = await journey.asks("@ben end", who=SAM)
    assert names(asked) == ["*Deal 01*", "*Deal 00*"]
    assert "Show link" not in words(asked)
    for number in range(2):  # each is one press, without a second question
        await journey.slack.press(SAM, asked, "end_session", block_id=row(asked, f"Deal 0{number}"))
        await says(journey, asked, f"*Deal 0{number}* · ended by <@{SAM}>")
        assert journey.slack.views_of(SAM) == []
    assert f"<@{BEN}> has no open session" in words(asked)
    assert status(journey) == ["ended", "ended"]


async def test_rows_of_an_agent_to_end_go_on_over_pages() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 12, BEN, "Deal")
        asked = await journey.asks("@ben end", who=SAM)
        assert "Page 1 of 2" in words(asked)
        await presses(journey, asked, "list_next", who=SAM)
        assert names(asked) == ["*Deal 01*", "*Deal 00*"]
        assert f"Which session of <@{BEN}> should I end?" in words(asked)
        await presses(journey, asked, "end_session", who=SAM, block_id=row(asked, "Deal 01"))
        assert status(journey).count("ended") == 1


async def test_forged_page_of_another_agent_is_refused(journey: Journey) -> None:
    await starts(journey, 2, BEN, "Deal")
    await starts(journey, 2, ANA, "Own")
    asked = await journey.asks("end")
    for block in asked.blocks:
        block["block_id"] = str(block.get("block_id", "")).replace("end.0.", f"end.0.{BEN}")
    told = await presses(journey, asked, "end_session", block_id=row(asked, "Own 01"))
    assert "Deal" not in words(asked) + words(told)
    assert status(journey) == ["active", "active", "active", "ended"]


async def test_next_page_of_end_ends_nothing() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 11, ANA, "Deal")
        asked = await journey.asks("end")
        assert "Page 1 of 2" in words(asked)
        assert await presses(journey, asked, "list_next") is asked
        assert names(asked) == ["*Deal 00*"]
        assert status(journey) == ["active"] * 11
        assert await presses(journey, asked, "end_session", block_id=row(asked, "Deal 00")) is asked
        assert f"*Deal 00* · ended by <@{ANA}>" in words(asked)
        assert await presses(journey, asked, "end_session", block_id=row(asked, "Deal 10")) is asked
        assert sorted(status(journey)).count("ended") == 2


# -- status --


async def test_status_row_shows_sends_and_ends(journey: Journey) -> None:
    await journey.asks("Deal")
    listed = await journey.asks("status")
    assert "*Deal* · 30 minutes left" in words(listed)
    dialog = await opens(journey, listed, "row_menu", chosen="send")
    assert dialog.body["title"]["text"] == "Text or email link"
    await journey.slack.close(ANA, dialog)
    assert await presses(journey, listed, "row_menu", chosen="end") is listed
    assert f"*Deal* · ended by <@{ANA}>" in words(listed)
    assert "No open sessions" in words(listed)


async def test_status_shows_own_sessions_first_on_all_pages() -> None:
    async with open_journey(**MANY) as journey:
        await journey.asks("Own", who=SAM)
        for number in range(10):
            await journey.asks(f"@ben Bens {number:02}", who=SAM)
        listed = await journey.asks("status", who=SAM)
        assert listed.text == "11 open sessions"
        assert names(listed)[:2] == ["*Own*", "*Bens 09*"]
        assert headings(listed) == ["*Your open sessions*", "*You started for others*"]
        await presses(journey, listed, "row_menu", who=SAM, chosen="end", block_id=row(listed, "Bens 09"))
        assert headings(listed) == ["*Your open sessions*", "*You started for others*"]
        assert f"*Bens 09* · ended by <@{SAM}>" in words(listed)
        assert headings(await journey.asks("status", who=BEN)) == ["*9 open sessions*"]


async def test_status_has_pages() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 12, ANA, "Deal")
        listed = await journey.asks("status")
        assert "12 open sessions" in words(listed)
        assert len(names(listed)) == 10
        await presses(journey, listed, "list_next")
        assert names(listed) == ["*Deal 01*", "*Deal 00*"]
        await presses(journey, listed, "list_previous")
        assert len(names(listed)) == 10


# -- list --


async def test_list_is_grouped_by_agent_and_has_pages() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 18, ANA, "Anas")
        await starts(journey, 5, BEN, "Bens")
        listed = await journey.asks("list", who=SAM)
        assert "Live now: 23" in words(listed)
        assert "Page 1 of 2" in words(listed)
        shown = names(listed)
        await presses(journey, listed, "list_next", who=SAM)
        shown += names(listed)
        assert sorted(shown) == sorted([f"*Anas {n:02}*" for n in range(18)] + [f"*Bens {n:02}*" for n in range(5)])
        bens = row(listed, "Bens 00")
        assert await presses(journey, listed, "row_menu", who=SAM, chosen="end", block_id=bens) is listed
        assert f"*Bens 00* · ended by <@{SAM}>" in words(listed)
        assert "Live now: 22" in words(listed)


async def test_list_is_filtered_by_person(either: Journey) -> None:
    await starts(either, 2, ANA, "Anas")
    await starts(either, 1, BEN, "Bens")
    listed = await either.asks("list", who=SAM)
    assert await presses(either, listed, "list_agent", who=SAM, chosen=BEN) is listed
    assert names(listed) == ["*Bens 00*"]
    assert f"Live now, <@{BEN}>: 1" in words(listed)
    await presses(either, listed, "list_agent", who=SAM, chosen=UNA)
    assert f"<@{UNA}> has no open session" in words(listed)
    await presses(either, listed, "list_everybody", who=SAM)
    assert len(names(listed)) == 3


async def test_page_that_is_gone_leads_to_the_first() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 21, BEN, "Bens")
        listed = await journey.asks("list", who=SAM)
        await journey.asks("end", who=BEN)
        last = await journey.asks("last", who=BEN)
        await presses(journey, last, "ask_end_session", who=BEN)
        await presses(journey, listed, "list_next", who=SAM)
        assert "Live now: 20" in words(listed)
        assert len(names(listed)) == 20


async def test_list_is_not_for_those_who_press_in_somebody_elses(journey: Journey) -> None:
    await starts(journey, 2, BEN, "Bens")
    listed = await journey.asks("list", who=SAM)
    told = await presses(journey, listed, "list_agent", who=ANA, chosen=BEN)
    assert "Only supervisors can see other people’s sessions" in words(told)
    assert told is not listed


def controls(shown: Message | View, name: str) -> list[str]:
    """Return the action id of a row's button, or the values of its menu's options."""
    accessory = next(block["accessory"] for block in shown.blocks if f"*{name}*" in str(block))
    return [option["value"] for option in accessory.get("options", ())] or [accessory["action_id"]]


async def test_row_of_somebody_elses_session_has_a_menu_to_end_it_and_to_message_the_agent(either: Journey) -> None:
    await either.asks("Anas")
    await either.asks("@ben Bens", who=SAM)
    await either.asks("Own", who=SAM)
    listed = await either.asks("list", who=SAM)
    assert controls(listed, "Anas") == ["message", "end"]
    assert controls(listed, "Bens") == ["show", "send", "message", "end"]
    assert controls(listed, "Own") == ["show", "send", "end"]
    anas = row(listed, "Anas")
    delivery = await either.slack.press(SAM, listed, "row_menu", block_id=anas, chosen="message")
    assert delivery.acked  # Slack opens the address itself
    assert status(either) == ["active"] * 3
    assert await presses(either, listed, "row_menu", who=SAM, chosen="end", block_id=anas) is listed
    assert f"*Anas* · ended by <@{SAM}>" in words(listed)
    assert status(either) == ["ended", "active", "active"]


async def test_menu_leads_to_the_direct_message_with_the_agent(journey: Journey) -> None:
    await journey.asks("Anas")
    listed = await journey.asks("list", who=SAM)
    home = await opens_home(journey, SAM)
    for shown in (listed, home):
        (accessory,) = [block["accessory"] for block in shown.blocks if "*Anas*" in str(block)]
        message, end = accessory["options"]
        assert (message["text"]["text"], end["text"]["text"]) == ("Message agent", "End session")
        assert message["url"] == f"https://slack.com/app_redirect?team={journey.slack.workspace.team_id}&channel={ANA}"


async def test_menu_of_a_row_is_checked_again_at_the_press(journey: Journey) -> None:
    await journey.asks("Bens", who=BEN)
    listed = await journey.asks("list", who=SAM)
    told = await presses(journey, listed, "row_menu", who=ANA, chosen="end", block_id=row(listed, "Bens"))
    assert told is not listed
    assert status(journey) == ["active"]


async def test_button_of_an_earlier_list_still_ends_somebody_elses_session(journey: Journey) -> None:
    await journey.asks("Bens", who=BEN)
    listed = await journey.asks("list", who=SAM)
    (session_id,) = journey.genesys.sessions
    text = {"type": "plain_text", "text": "End"}
    end = {"type": "button", "text": text, "action_id": "ask_end_session", "value": session_id}
    next(block for block in listed.blocks if "*Bens*" in str(block))["accessory"] = end
    assert await presses(journey, listed, "ask_end_session", who=SAM) is listed
    assert f"*Bens* · ended by <@{SAM}>" in words(listed)


# -- Home --


async def test_home_has_pages_and_a_filter_that_stay() -> None:
    async with open_journey(**MANY) as journey:
        await starts(journey, 11, ANA, "Anas")
        await starts(journey, 1, BEN, "Bens")
        home = await opens_home(journey, SAM)
        assert "Live now: 12" in said(home)
        await journey.slack.press(SAM, home, "list_next")
        home = await home_says(journey, SAM, "*Bens 00*")
        await journey.slack.press(SAM, home, "list_agent", chosen=BEN)
        home = await home_says(journey, SAM, f"Live now, <@{BEN}>: 1")
        await journey.asks("Own", who=SAM)  # which publishes the tab again
        home = await home_says(journey, SAM, "*Own*")
        assert f"Live now, <@{BEN}>: 1" in said(home)
        await presses_end(journey, home, "Bens 00")
        await home_says(journey, SAM, f"<@{BEN}> has no open session")


async def presses_end(journey: Journey, home: View, name: str) -> None:
    """End the session of a row, and confirm."""
    dialog = await opens(journey, home, "row_menu", who=SAM, block_id=row(home, name), chosen="end")
    assert (await journey.slack.submit(SAM, dialog)).acked


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("live.2.U0BEN", ListPage(ListKind.LIVE, 2, BEN)),  # type: ignore[arg-type]
        ("own.0.", ListPage(ListKind.OWN)),
        ("", ListPage(ListKind.HOME)),
        ("live.-1.", ListPage(ListKind.HOME)),
        ("other.1.", ListPage(ListKind.HOME)),
        ("live", ListPage(ListKind.HOME)),
    ],
)
def test_page_is_read_from_what_buttons_carry(text: str, page: ListPage) -> None:
    assert ListPage.read(text, ListKind.HOME) == page
    assert ListPage.read(str(page), ListKind.OWN) == page


async def test_rows_of_earlier_lists_still_end_a_session(journey: Journey) -> None:
    await journey.asks("Deal")
    listed = await journey.asks("status")
    (session_id,) = journey.genesys.sessions
    text = {"type": "plain_text", "text": "End"}
    end = {"type": "button", "text": text, "action_id": "end_session", "value": session_id}
    listed.blocks[-1] = {"type": "actions", "block_id": f"listed-{session_id}", "elements": [end]}
    told = await presses(journey, listed, "end_session")
    assert "Ended *Deal*" in words(told)
    assert told is not listed
    await says(journey, told, "no longer works")
