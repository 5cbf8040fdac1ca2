"""An agent without a Genesys user asks the administrators.

They connect the agent in a dialog, and everybody is told.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.models import HostId, TeamId, UserId
from bot.core.timing import CoreTiming, NoticeTiming
from bot.sandbox.slack.server import Message, View
from bot.sandbox.world import UNA_GENESYS_ID
from bot.storage.open import open_store
from tests.support.app import (
    ADA,
    ANA,
    BILLING,
    CARE,
    GUS,
    NO_KEY,
    SAM,
    UNA,
    Journey,
    buttons,
    is_failure,
    is_notice,
    link,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.views import (
    START,
    asks_for_a_form,
    fields,
    filled,
    home_says,
    opens_home,
    presses,
    said,
    sends,
    shown,
)

QUICK = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1))
SECONDS = 6.0
ASK, CONNECT = "ask_access", "connect_person"


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_with_admins() as opened:
        yield opened


def open_with_admins(**environ: str) -> Any:
    usual = {"COBROWSE_ADMINS": f"{ADA},U0BEN", "COBROWSE_HELP_CONTACT": ADA}
    return open_journey(http=True, timing=QUICK, **(usual | environ))


async def notice(journey: Journey, says: str, reader: str = ADA) -> Message:
    """Wait until a notice to this reader contains these words, and return it."""

    def found() -> Message | None:
        seen = [one for one in journey.slack.messages if is_notice(one)]
        mine = [one for one in seen if one.channel == reader or journey.slack.workspace.can_see(reader, one)]
        return next((one for one in mine if says in words(one)), None)

    return await journey.slack.workspace.until(found, SECONDS)


async def asked(journey: Journey) -> Message:
    """Press the button on Una's error that asks the administrators. Return the message to Ada."""
    card = await journey.asks("Deal", who=UNA)
    await journey.slack.press(UNA, card, ASK)
    await journey.slack.until(lambda: "I’m asking" in words(card), SECONDS)
    return await notice(journey, "asks to be connected")


async def opened(journey: Journey, message: Message | View, who: str = ADA) -> View:
    """Open the dialog with *Connect…*, and return it when it can be submitted."""
    assert (await journey.slack.press(who, message, CONNECT)).acked
    return await filled(journey, who)


async def found(journey: Journey, view: View, text: str) -> View:
    """Search for this text, and wait for the result."""
    delivery = await journey.slack.submit(ADA, view, {"text": text})
    assert delivery.body["response_action"] == "update"
    await journey.slack.until(lambda: "submit" in view.body, SECONDS)
    return view


async def connected(journey: Journey, view: View, user: str = UNA_GENESYS_ID) -> None:
    delivery = await journey.slack.submit(ADA, view, {"user": user})
    assert delivery.body["response_action"] == "update"
    await journey.slack.until(lambda: "is connected to Genesys" in said(view), SECONDS)


# -- Asking --


async def test_unmapped_agent_gets_one_card_with_one_button(journey: Journey) -> None:
    card = await journey.asks("Deal", who=UNA)
    assert is_failure(card)
    assert "Your Slack account isn’t connected to Genesys yet." in words(card)
    assert list(buttons(card)) == [ASK]
    assert buttons(card)[ASK]["text"]["text"] == "Ask Ada Admin to connect me"


@pytest.mark.parametrize("text", ["help", "whoami"])
async def test_commands_that_would_be_of_no_use_show_the_card(journey: Journey, text: str) -> None:
    assert list(buttons(await journey.asks(text, who=UNA))) == [ASK]


async def test_form_that_could_only_fail_is_the_card(journey: Journey) -> None:
    await journey.slack.shortcut(UNA, START)
    view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(UNA)), None))
    await shown(journey, view, "isn’t connected to Genesys yet")
    assert "Nothing was started" not in said(view)
    assert presses(view) == [ASK]
    await journey.slack.press(UNA, view, ASK)
    await shown(journey, view, "I’m asking")
    await notice(journey, "asks to be connected")


async def test_unmapped_supervisor_gets_the_form_for_others() -> None:
    async with open_with_admins(COBROWSE_SUPERVISORS=UNA) as journey:
        view = await asks_for_a_form(journey, UNA)
        assert view.values["host", "host"] is None
        assert link(await sends(journey, UNA, view, host=ANA))


async def test_form_is_shown_while_genesys_does_not_answer(journey: Journey) -> None:
    await journey.genesys.inject_fault("500", on="search")
    assert "name" in fields(await asks_for_a_form(journey, UNA))


async def test_every_administrator_gets_a_message_with_a_button(journey: Journey) -> None:
    message = await asked(journey)
    assert f"<@{UNA}> asks to be connected to Genesys." in words(message)
    assert "same email" in words(message)
    assert list(buttons(message)) == [CONNECT]
    assert list(buttons(await notice(journey, "asks to be connected", "U0BEN"))) == [CONNECT]


async def test_second_request_within_a_day_asks_nobody_again(journey: Journey) -> None:
    await asked(journey)
    count = len(journey.slack.seen_by(ADA))
    card = await journey.asks("Refund", who=UNA)
    await journey.slack.press(UNA, card, ASK)
    await journey.slack.until(lambda: "I asked" in words(card), SECONDS)
    await journey.finish()
    assert len(journey.slack.seen_by(ADA)) == count


async def test_press_after_the_connection_says_that_it_is_there(journey: Journey) -> None:
    card = await journey.asks("Deal", who=UNA)
    await journey.asks(f"link @una {UNA_GENESYS_ID}", who=ADA)
    await journey.slack.press(UNA, card, ASK)
    await journey.slack.until(lambda: "You’re connected to Genesys" in words(card), SECONDS)


async def test_contact_who_cannot_connect_people_is_not_asked() -> None:
    async with open_with_admins(COBROWSE_HELP_CONTACT=SAM) as journey:
        card = await journey.asks("Deal", who=UNA)
        assert f"Ask <@{ADA}> to connect you." in words(card)
        assert buttons(card)[ASK]["text"]["text"] == "Ask Ada Admin to connect me"
        await journey.slack.press(UNA, card, ASK)
        await journey.slack.until(lambda: f"I’m asking <@{ADA}>" in words(card), SECONDS)
        await notice(journey, "asks to be connected")
        await journey.finish()
        assert journey.slack.seen_by(SAM) == []


async def test_without_administrators_nobody_is_promised_anything() -> None:
    async with open_with_admins(COBROWSE_ADMINS="", COBROWSE_HELP_CONTACT=SAM) as journey:
        card = await journey.asks("Deal", who=UNA)
        assert buttons(card) == {}
        assert f"Ask <@{SAM}> to connect you." in words(card)


async def test_channel_as_contact_gets_one_post() -> None:
    async with open_with_admins(COBROWSE_HELP_CONTACT=BILLING) as journey:
        card = await journey.asks("Deal", who=UNA)
        assert buttons(card)[ASK]["text"]["text"] == "Ask to be connected"
        await journey.slack.press(UNA, card, ASK)
        assert list(buttons(await notice(journey, "asks to be connected", BILLING))) == [CONNECT]


async def test_supervisor_asks_for_the_agent(journey: Journey) -> None:
    card = await journey.asks("@una Deal", who=SAM)
    assert f"<@{UNA}> isn’t connected" in words(card)
    await journey.slack.press(SAM, card, ASK)
    message = await notice(journey, f"<@{SAM}> asks to connect <@{UNA}>")
    await connected(journey, await found(journey, await opened(journey, message), "una"))
    await notice(journey, "You’re connected to Genesys", UNA)


async def test_agent_cannot_ask_for_another(journey: Journey) -> None:
    card = await journey.asks("@una Deal", who=SAM)
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, card, ASK)
    await journey.slack.until(
        lambda: "Only supervisors" in words(card) or len(journey.slack.messages) > before, SECONDS
    )
    await journey.finish()
    assert [one for one in journey.slack.messages if is_notice(one)] == []


# -- Connecting --


async def test_connect_dialog_finds_chooses_and_tells_everybody(journey: Journey) -> None:
    message = await asked(journey)
    other = await notice(journey, "asks to be connected", "U0BEN")
    view = await opened(journey, message)
    assert fields(view) == ["text"]
    assert view.values["text", "text"] == "Una Unmapped"
    await found(journey, view, "unmapped")
    assert fields(view) == ["user"]
    assert "u.unmapped@example.net" in str(view.body)
    await connected(journey, view)
    assert f"<@{UNA}> is connected to Genesys as Una Unmapped." in said(view)
    for each in (message, other):
        await journey.slack.until(lambda each=each: f"Connected by <@{ADA}>" in words(each), SECONDS)
        assert buttons(each) == {}
    told = await notice(journey, "You’re connected to Genesys. You can start co-browse now.", UNA)
    assert f"<@{ADA}> connected you to the Genesys user Una Unmapped." in words(told)
    await journey.slack.press(UNA, told, "home_start")
    assert link(await sends(journey, UNA, await filled(journey, UNA), name="First"))


async def test_search_that_finds_nobody_says_so_and_can_be_repeated(journey: Journey) -> None:
    view = await found(journey, await opened(journey, await asked(journey)), "nobody")
    assert "no active user with “nobody”" in said(view)
    assert view.values["text", "text"] == "nobody"
    await found(journey, view, "u.unmapped@example.net")
    await journey.slack.press(ADA, view, "connect_search_again")
    await journey.slack.until(lambda: "text" in fields(view), SECONDS)
    await found(journey, view, "UNA")
    await connected(journey, view)


async def test_search_that_genesys_fails_is_told_in_the_dialog(journey: Journey) -> None:
    view = await opened(journey, await asked(journey))
    await journey.genesys.inject_fault("500", on="search")
    await found(journey, view, "una")
    assert "Genesys" in said(view)
    assert fields(view) == ["text"]
    await journey.genesys.inject_fault(None)
    await connected(journey, await found(journey, view, "una"))


async def test_without_the_permission_to_search_the_id_is_typed(journey: Journey) -> None:
    message = await asked(journey)
    await journey.genesys.inject_fault("403", on="search")
    view = await opened(journey, message)
    assert fields(view) == ["user"]
    assert "directory:user:view" in said(view)
    delivery = await journey.slack.submit(ADA, view, {"user": "una"})
    assert "user" in delivery.body["errors"]
    await journey.genesys.inject_fault(None)
    await connected(journey, view, UNA_GENESYS_ID.upper())
    assert link(await journey.asks("Deal", who=UNA))


async def test_search_whose_result_slack_does_not_show_is_told(journey: Journey) -> None:
    view = await opened(journey, await asked(journey))
    journey.slack.inject_fault("views.update", "ratelimited", retry_after=30)
    before = len(journey.slack.messages)
    assert (await journey.slack.submit(ADA, view, {"text": "una"})).acked
    assert "Searching" in said(view)
    message = await journey.reads(ADA, before)
    assert "I couldn’t open the form." in words(message)
    assert journey.slack.workspace.im_owner(message.channel) == ADA


async def test_dialog_that_slack_does_not_fill_is_told(journey: Journey) -> None:
    message = await asked(journey)
    journey.slack.inject_fault("views.update", "ratelimited", retry_after=30)
    before = len(journey.slack.messages)
    await journey.slack.press(ADA, message, CONNECT)
    assert "I couldn’t open the form." in words(await journey.reads(ADA, before))


@pytest.mark.parametrize("who", [SAM, ANA, GUS])
async def test_dialog_is_for_administrators_only(who: str) -> None:
    async with open_with_admins(COBROWSE_HELP_CONTACT=BILLING) as journey:
        card = await journey.asks("Deal", who=UNA)
        await journey.slack.press(UNA, card, ASK)
        message = await notice(journey, "asks to be connected", BILLING)
        await journey.slack.press(who, message, CONNECT)
        view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(who)), None))
        await journey.slack.until(lambda: "One moment" not in said(view), SECONDS)
        assert "submit" not in view.body
        assert view.body["close"]["text"] == "Close"


async def test_forged_choice_of_an_agent_connects_nobody(journey: Journey) -> None:
    view = await found(journey, await opened(journey, await asked(journey)), "una")
    view.user_id = ANA  # Ana sends Ada's dialog
    journey.slack.views._stacks[ANA] = [view]
    delivery = await journey.slack.submit(ANA, view, {"user": UNA_GENESYS_ID})
    assert delivery.acked
    await journey.slack.until(lambda: "Only administrators can connect" in said(view), SECONDS)
    assert is_failure(await journey.asks("Deal", who=UNA))


async def test_dialog_about_somebody_who_is_connected_says_so(journey: Journey) -> None:
    message = await asked(journey)
    other = await notice(journey, "asks to be connected", "U0BEN")
    view = await opened(journey, message)
    journey.slack.inject_fault("chat.update", "internal_error")  # the other message still has its button
    await connected(journey, await found(journey, view, "una"))
    await journey.slack.press("U0BEN", other, CONNECT)
    late = await journey.slack.until(lambda: next(iter(journey.slack.views_of("U0BEN")), None))
    await shown(journey, late, "is connected to Genesys already")


async def test_choice_that_is_delivered_twice_is_one_request(journey: Journey) -> None:
    view = await found(journey, await opened(journey, await asked(journey)), "una")
    await connected(journey, view)
    again = journey.slack.deliveries[-1]
    assert again.payload["type"] == "view_submission"
    result = said(view)
    await journey.slack.redeliver(again)
    assert said(view) != result  # the acknowledgement says to wait
    await shown(journey, view, result)
    await notice(journey, "You’re connected", UNA)
    await journey.finish()
    told = [one for one in journey.slack.seen_by(UNA) if is_notice(one)]
    assert len(told) == 1


async def test_other_ways_of_connecting_end_the_request(journey: Journey) -> None:
    message = await asked(journey)
    await journey.asks(f"link @una {UNA_GENESYS_ID}", who="U0BEN")
    await journey.slack.until(lambda: "Connected by <@U0BEN>" in words(message), SECONDS)
    await notice(journey, "You’re connected to Genesys", UNA)


async def test_link_for_one_workspace_ends_the_request_when_org_wide(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    timing = replace(QUICK, notices=replace(QUICK.notices, grace_seconds=0.1))
    async with open_servers() as servers:
        workspace = servers.slack.workspace
        workspace.enterprise_id, workspace.is_org_wide = "E0SANDBOX", True
        environ = servers.environ | {"COBROWSE_ADMINS": ADA, "COBROWSE_HELP_CONTACT": ADA} | NO_KEY
        environ["DATABASE_URL"] = url
        async with open_bot_between(servers, environ, http=False, timing=timing) as journey:
            message = await asked(journey)
            async with open_store(url, exclusive=False) as other:  # as `hosts set --team` does
                await other.link([(TeamId("T0SANDBOX"), UserId(UNA), HostId(UNA_GENESYS_ID))])
            await journey.slack.until(lambda: "is connected" in words(message), SECONDS)
            await notice(journey, "You’re connected to Genesys", UNA)


async def test_administrator_reads_connect_instead_of_ask(journey: Journey) -> None:
    card = await journey.asks("@una Deal", who=ADA)
    assert list(buttons(card)) == [CONNECT]
    await journey.slack.press(ADA, card, CONNECT)
    await connected(journey, await found(journey, await filled(journey, ADA), "una"))
    await notice(journey, "You’re connected to Genesys", UNA)


async def test_administrator_connects_from_the_answer_to_why(journey: Journey) -> None:
    report = await journey.asks("why @una", who=ADA)
    assert list(buttons(report)) == [CONNECT]
    await journey.slack.press(ADA, report, CONNECT)
    await connected(journey, await found(journey, await filled(journey, ADA), "una"))
    assert buttons(await journey.asks("why @una", who=ADA)) == {}
    assert buttons(await journey.asks("why @una", who=SAM)) == {}


async def test_channel_rules_leave_the_button_out_of_the_welcome() -> None:
    async with open_with_admins(COBROWSE_CHANNELS=CARE) as journey:
        message = await asked(journey)
        await connected(journey, await found(journey, await opened(journey, message), "una"))
        told = await notice(journey, "You’re connected to Genesys", UNA)
        assert buttons(told) == {}
        assert "Type `/cobrowse` to start." in words(told)


# -- Home --


async def test_unmapped_agents_home_is_one_card(journey: Journey) -> None:
    home = await opens_home(journey, UNA)
    assert "One step left: your Slack isn’t connected to Genesys." in said(home)
    assert presses(home) == [ASK]
    assert len(home.blocks) == 3
    await journey.slack.press(UNA, home, ASK)
    home = await home_says(journey, UNA, f"I asked <@{ADA}>")
    assert presses(home) == []
    await connected(journey, await found(journey, await opened(journey, await notice(journey, "asks to be")), "una"))
    home = await home_says(journey, UNA, "Connected to Genesys")
    assert "home_start" in presses(home)


async def test_agents_home_names_the_genesys_user_last(journey: Journey) -> None:
    home = await opens_home(journey, ANA)
    assert said(home).splitlines()[0] == "Co-browse"
    assert said(home).splitlines()[-1].startswith("Connected to Genesys as *Ana Agent*")
    assert presses(home)[0] == "home_start"


async def test_administrators_home_lists_who_tried_and_connects_them(journey: Journey) -> None:
    await journey.asks("Deal", who=UNA)
    home = await opens_home(journey, ADA)
    assert "aren’t connected to Genesys" in said(home)
    assert f"<@{UNA}> · tried at" in said(home)
    assert CONNECT in presses(home)
    await connected(journey, await found(journey, await opened(journey, home), "una"))
    await journey.slack.until(lambda: f"<@{UNA}>" not in said(journey.slack.home_of(ADA)), SECONDS)
    await notice(journey, "You’re connected to Genesys", UNA)


async def opens_for_anybody(journey: Journey, who: str = ADA) -> View:
    """Open the dialog from an administrator's Home tab that lists nobody. Return its first step."""
    home = await opens_home(journey, who)
    assert "tried at" not in said(home)
    assert (await journey.slack.press(who, home, "connect_people")).acked
    view = await filled(journey, who)
    assert fields(view) == ["person"]
    return view


async def chosen(journey: Journey, view: View, user_id: str, until: str) -> View:
    """Choose a person in the dialog, and wait for its next step."""
    delivery = await journey.slack.submit(ADA, view, {"person": user_id})
    assert delivery.acked, delivery.error
    await journey.slack.until(lambda: until in said(view) + str(fields(view)), SECONDS)
    return view


async def test_administrator_connects_anybody_from_home(journey: Journey) -> None:
    view = await chosen(journey, await opens_for_anybody(journey), UNA, "text")
    assert f"Who is <@{UNA}> in Genesys?" in said(view)
    assert view.values["text", "text"] == "Una Unmapped"
    await connected(journey, await found(journey, view, "una"))
    await notice(journey, "You’re connected to Genesys", UNA)
    assert link(await journey.asks("Deal", who=UNA))


async def test_person_who_may_not_use_co_browse_can_be_replaced_in_the_dialog(journey: Journey) -> None:
    view = await chosen(journey, await opens_for_anybody(journey), GUS, "is a guest")
    assert fields(view) == ["person"]
    assert view.values["person", "person"] == GUS
    await chosen(journey, view, UNA, "text")
    await connected(journey, await found(journey, view, "una"))


async def test_dialog_says_that_the_chosen_person_is_connected(journey: Journey) -> None:
    await chosen(journey, await opens_for_anybody(journey), ANA, "is connected to Genesys already")


async def test_connect_people_is_for_administrators_only(journey: Journey) -> None:
    home = await opens_home(journey, ADA)
    assert "connect_people" not in presses(await opens_home(journey, SAM))
    await journey.slack.press(SAM, home, "connect_people")
    view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(SAM)), None))
    await shown(journey, view, "Only administrators can connect")


async def test_forged_choice_of_a_person_shows_a_supervisor_nothing(journey: Journey) -> None:
    view = await opens_for_anybody(journey)
    view.user_id = SAM  # Sam sends Ada's dialog
    journey.slack.views._stacks[SAM] = [view]
    assert (await journey.slack.submit(SAM, view, {"person": UNA})).acked
    await shown(journey, view, "Only administrators can connect")


async def test_supervisors_home_lists_nobody_to_connect(journey: Journey) -> None:
    await journey.asks("Deal", who=UNA)
    assert f"<@{UNA}>" not in said(await opens_home(journey, SAM))


async def test_administrators_home_shows_a_fault_with_check_again(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks("Deal")
    await notice(journey, "failing for 1 person")
    home = await opens_home(journey, ADA)
    lines = said(home)
    assert lines.index("failing for 1 person") < lines.index("Start a session")
    assert "check_fault" in presses(home)
    await journey.genesys.inject_fault(None)
    await journey.slack.press(ADA, home, "check_fault")
    await journey.slack.until(lambda: "check_fault" not in presses(journey.slack.home_of(ADA)), SECONDS)
