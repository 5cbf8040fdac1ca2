"""The Home tab as people see it: they open it, press its buttons, and it shows changes of their sessions."""

import asyncio
import json
import logging
import sqlite3
from pathlib import Path

import pytest

from bot.core.timing import CoreTiming, NoticeTiming
from tests.support.app import ADA, ANA, BEN, CARE, GUS, HOSTS, OUTSIDER, SAM, Journey, is_failure, link, open_journey
from tests.support.app import words as words_of
from tests.support.conversations import KEY
from tests.support.session_buttons import confirms, opens
from tests.support.timing import FRESH_PEOPLE
from tests.support.views import (
    asks_for_a_form,
    called,
    complaints,
    fields,
    filled,
    home_says,
    opens_home,
    presses,
    said,
    sends,
)

UNA = "U0UNA"


async def test_home_tab_says_who_i_am_and_opens_the_form(either: Journey) -> None:
    home = await opens_home(either, ANA)
    assert "Connected to Genesys as *Ana Agent*" in said(home)
    assert presses(home) == ["home_start", "home_refresh"]
    assert (await either.slack.press(ANA, home, "home_start")).acked
    assert link(await sends(either, ANA, await filled(either, ANA), name="Deal"))
    await home_says(either, ANA, "*Deal*")


async def test_newcomer_reads_how_it_works_until_the_first_session(either: Journey) -> None:
    home = await opens_home(either, ANA)
    assert "Type `/cobrowse` while you talk to your customer." in said(home)
    assert "No open sessions." not in said(home)
    await either.asks("Deal")
    home = await home_says(either, ANA, "*Deal*")
    assert "How it works" not in said(home)
    await confirms(either.slack, ANA, home, "row_menu", chosen="end")
    await home_says(either, ANA, "No open sessions.")
    assert "How it works" not in said(await opens_home(either, ANA))
    assert "How it works" not in said(await opens_home(either, UNA))


async def test_agent_for_whom_others_have_started_is_no_newcomer(journey: Journey) -> None:
    await journey.asks("@ben Deal", who=SAM)
    await journey.asks("end", who=BEN)
    assert "How it works" not in said(await opens_home(journey, BEN))
    assert "How it works" not in said(await opens_home(journey, SAM))


async def test_home_tab_is_shown_at_once_and_updated_later(journey: Journey) -> None:
    journey.slack.inject_fault("users.info", "slow", seconds=0.3)
    await journey.slack.open_home(ANA)
    await home_says(journey, ANA, "One moment")
    await home_says(journey, ANA, "Connected to Genesys")
    before = journey.slack.count("views.publish")
    await opens_home(journey, ANA)
    await journey.finish()
    assert journey.slack.count("views.publish") == before + 1


async def test_unmapped_person_reads_whom_to_ask(journey: Journey) -> None:
    home = await opens_home(journey, UNA)
    assert "One step left: your Slack isn’t connected to Genesys." in said(home)
    assert f"Ask <@{ADA}> to connect you" in said(home)
    assert "same email" not in said(home)


async def test_unmapped_administrator_reads_the_tried_rules() -> None:
    async with open_journey(COBROWSE_ADMINS=UNA) as journey:
        home = await opens_home(journey, UNA)
        assert "One step left" in said(home)
        assert "same email: no Genesys user has this address" in said(home)


async def test_home_tab_follows_starts_and_ends(either: Journey) -> None:
    await opens_home(either, ANA)
    url = link(await either.asks("Deal"))
    home = await home_says(either, ANA, "*Deal*")
    assert either.genesys.count("read") == 0  # the rate limit is for creates
    assert presses(home) == ["home_start", "home_refresh", "row_menu"]
    shown = await opens(either, home, "row_menu", chosen="show")
    assert url in said(shown)
    before = len(either.slack.messages)
    assert (await confirms(either.slack, ANA, home, "row_menu", chosen="end")).acked
    await home_says(either, ANA, "No open sessions.")
    assert "Ended *Deal*" in words_of(await either.reads(ANA, before))
    (session,) = either.genesys.sessions.values()
    assert session.status == "ended"


async def test_list_says_when_there_are_more_sessions() -> None:
    async with open_journey(COBROWSE_PERSON_STARTS_PER_MINUTE="0") as journey:
        for number in range(10):
            await journey.asks(f"Own {number}", who=SAM)
        assert "… and more" not in said(await opens_home(journey, SAM))
        await journey.asks("Own, too", who=SAM)
        own, live = said(await opens_home(journey, SAM)).split("Live now: 11")
        assert "… and more: `/cobrowse status` shows them." in own
        assert "Page 1 of 2" in live


async def test_end_redraws_a_home_tab_unknown_to_this_process(journey: Journey) -> None:
    """This happens after a restart, or if another replica published the tab."""
    await journey.asks("Deal")
    home = await opens_home(journey, ANA)
    await confirms(journey.slack, ANA, home, "row_menu", chosen="end")
    payload = json.loads(json.dumps(journey.slack.deliveries[-1].payload))
    payload["user"]["id"], payload["view"]["id"] = SAM, "another"
    await journey.slack.send(payload, "interactive")  # it is over by now
    await home_says(journey, SAM, "Connected to Genesys")


async def test_refresh_shows_what_has_changed_in_genesys(journey: Journey) -> None:
    await journey.asks("Deal")
    home = await opens_home(journey, ANA)
    (session,) = journey.genesys.sessions.values()
    session.status = "ended"
    assert (await journey.slack.press(ANA, home, "home_refresh")).acked
    await home_says(journey, ANA, "No open sessions.")


async def test_nobody_gets_a_tab_who_did_not_open_it(journey: Journey) -> None:
    await journey.asks("Deal")
    await journey.slack.open_home(ANA, "messages")
    await journey.finish()
    assert journey.slack.count("views.publish") == 0


async def test_supervisor_sees_others_sessions_and_can_end_them(journey: Journey) -> None:
    url = link(await journey.asks("Anas", who=ANA))
    await journey.asks("Refund", who=SAM)
    await opens_home(journey, ANA)
    home = await opens_home(journey, SAM)
    own, others = said(home).split("Live now: 2")
    assert "*Refund*" in own
    assert "*Anas*" in others
    assert url not in said(home)
    assert "set-up" not in said(home)
    block = next(block for block in home.blocks if "*Anas*" in str(block))
    dialog = await opens(journey, home, "row_menu", who=SAM, block_id=block["block_id"], chosen="end")
    assert f"End *Anas* of <@{ANA}>?" in said(dialog)
    await journey.slack.submit(SAM, dialog)
    await home_says(journey, SAM, "Live now: 1")
    await home_says(journey, ANA, "No open sessions.")  # whose session it was


async def test_start_for_someone_opens_the_form_with_nobody_chosen(either: Journey) -> None:
    home = await opens_home(either, SAM)
    assert presses(home)[:2] == ["home_start", "home_start_for"]
    assert (await either.slack.press(SAM, home, "home_start_for")).acked
    form = await filled(either, SAM)
    assert fields(form)[0] == "host"
    assert not form.values.get(("host", "host"))
    await sends(either, SAM, form, host=BEN, name="Bens")
    home = await home_says(either, SAM, "*Bens*")
    assert said(home).index("*You started for others*") < said(home).index(f"*Bens* · for <@{BEN}>")
    assert "*Your open sessions*" not in said(home)
    assert (await either.slack.press(SAM, home, "home_start")).acked
    form = await filled(either, SAM)
    assert form.values["host", "host"] == SAM
    await sends(either, SAM, form, name="Sams")
    text = said(await home_says(either, SAM, "*Sams*"))
    order = [text.index(each) for each in ("*Your open sessions*", "*Sams*", "*You started for others*", "*Bens*")]
    assert order == sorted(order)


@pytest.mark.parametrize(("method", "who"), [("users.info", SAM), ("usergroups.users.list", BEN)])
async def test_start_for_someone_asks_for_whom_without_slack(method: str, who: str) -> None:
    async with open_journey(slack_timing=FRESH_PEOPLE, COBROWSE_SUPERVISORS="U0SAM,S0LEADS") as journey:
        home = await opens_home(journey, who)
        assert "home_start_for" in presses(home)
        journey.slack.inject_fault(method, "500")
        assert (await journey.slack.press(who, home, "home_start_for")).acked
        form = await filled(journey, who)
        assert fields(form)[0] == "host"
        assert not form.values.get(("host", "host"))
        journey.slack.inject_fault(method, None)
        await sends(journey, who, form, host=ANA, name="Anas")
        (create,) = journey.genesys.creates
        assert create.body["hostUserId"].startswith(HOSTS[ANA])


async def test_agent_who_presses_start_for_someone_gets_the_usual_form(journey: Journey) -> None:
    home = await opens_home(journey, SAM)
    assert (await journey.slack.press(ANA, home, "home_start_for")).acked  # as after a change of roles
    assert "host" not in fields(await filled(journey, ANA))


async def test_an_agent_for_whom_a_session_is_started_finds_it_there(journey: Journey) -> None:
    await opens_home(journey, BEN)
    await sends(journey, SAM, await asks_for_a_form(journey, SAM), host=BEN)
    await home_says(journey, BEN, f"from <@{SAM}>")


async def test_an_administrator_sees_what_is_wrong_with_the_set_up() -> None:
    timing = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05))
    async with open_journey(timing=timing, COBROWSE_ADMINS=BEN) as journey:
        home = await opens_home(journey, BEN)
        assert "`COBROWSE_MEMBERS` is empty" in said(home)
        assert "newest failure" not in said(home)
        await journey.genesys.inject_fault("403")
        await journey.asks()
        await reads(journey, BEN, "failing for 1 person")
        await journey.slack.press(BEN, home, "home_refresh")
        await home_says(journey, BEN, "failing for 1 person")
        assert "check_fault" in presses(home)
        await journey.genesys.inject_fault(None)
        await journey.asks("Deal")
        await reads(journey, BEN, "Working again")
        await journey.slack.press(BEN, home, "home_refresh")
        await home_says(journey, BEN, "A session was started after it.")


async def test_administrator_reads_how_many_starts_of_the_day_failed() -> None:
    async with open_journey(COBROWSE_ADMINS=ADA) as journey:
        assert "*Last 24 hours:* 0 sessions started, 0 starts failed." in said(await opens_home(journey, ADA))
        await journey.asks("Deal")
        await journey.genesys.inject_fault("500")
        await journey.asks("Refund", who=BEN)
        await journey.genesys.inject_fault(None)
        await journey.asks("First", who=UNA)
        await journey.asks("Anything", who=GUS)
        await journey.asks("status", who=BEN)
        assert "*Last 24 hours:* 1 session started, 1 start failed." in said(await opens_home(journey, ADA))
        for who in (ANA, SAM):
            assert "Last 24 hours" not in said(await opens_home(journey, who))


async def test_agent_without_a_conversation_is_no_failure_of_genesys() -> None:
    async with open_journey(COBROWSE_ADMINS=ADA, **KEY) as journey:
        assert is_failure(await journey.asks("Deal"))
        home = said(await opens_home(journey, ADA))
        assert "*Last 24 hours:* 0 sessions started, 0 starts failed." in home
        assert "newest failure" not in home


async def reads(journey: Journey, who: str, text: str) -> None:
    """Wait until one of this person's messages contains this text."""
    await journey.slack.until(lambda: any(text in words_of(each) for each in journey.slack.seen_by(who)), 6)


@pytest.mark.parametrize("members", ["", SAM])
async def test_refused_person_sees_only_the_refusal(members: str) -> None:
    async with open_journey(COBROWSE_MEMBERS=members) as journey:
        await journey.asks("Secret deal", who=SAM)
        who = ANA if members else GUS
        home = await opens_home(journey, who)
        words = "You’re not on the list" if members else "Guests can’t use co-browse here"
        assert words in said(home)
        assert presses(home) == []
        assert "Secret" not in said(home)


async def test_an_outsiders_event_shows_nothing(journey: Journey, caplog: pytest.LogCaptureFixture) -> None:
    await journey.asks("Secret deal")
    event = {"type": "app_home_opened", "user": OUTSIDER, "tab": "home", "channel": "D0"}
    assert (await journey.slack.event(event)).acked
    await journey.finish()
    assert journey.slack.home_of(OUTSIDER) is None
    assert set(complaints(caplog)) == {"a view was not shown"}


async def test_where_channels_are_restricted_it_says_where_to_start() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        home = await opens_home(journey, ANA)
        assert f"Use <#{CARE}>" in said(home)
        assert "Connected to Genesys" in said(home)
        assert "home_start" not in presses(home)


async def test_failed_look_up_is_told(tmp_path: Path) -> None:
    async with open_journey(DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:
        blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        blocker.execute("ALTER TABLE sessions RENAME TO gone")
        await journey.genesys.inject_fault("down")
        home = await opens_home(journey, ANA)
        assert "I can’t tell which Genesys user you are right now.* I can’t reach Genesys." in said(home)
        assert "I can’t show them right now. I can’t reach my records right now." in said(home)
        blocker.execute("ALTER TABLE gone RENAME TO sessions")
        blocker.close()
        await journey.genesys.inject_fault(None)
        await journey.slack.press(ANA, home, "home_refresh")
        await home_says(journey, ANA, "Connected to Genesys")
        assert "How it works" in said(home)


async def test_home_tab_is_empty_while_slack_does_not_identify(journey: Journey) -> None:
    await journey.asks("Secret deal")
    journey.slack.inject_fault("users.info", "internal_error")
    home = await opens_home(journey, BEN)
    assert "Slack didn’t answer my question" in said(home)
    assert presses(home) == []


async def test_a_tab_that_slack_does_not_take_harms_nobody(journey: Journey, caplog: pytest.LogCaptureFixture) -> None:
    journey.slack.inject_fault("views.publish", "internal_error")
    assert (await journey.slack.open_home(ANA)).acked
    await called(journey, "views.publish")
    assert link(await journey.asks())
    await journey.finish()
    assert set(complaints(caplog)) == {"a view was not shown"}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_an_older_look_does_not_come_after_a_newer_one(journey: Journey) -> None:
    await opens_home(journey, ANA)
    await journey.genesys.inject_fault("slow", on="read", seconds=0.4)
    await journey.asks("Deal")
    home = await home_says(journey, ANA, "*Deal*")
    await asyncio.gather(*(journey.slack.press(ANA, home, "home_refresh") for _ in range(5)))
    before = journey.slack.count("views.publish")
    await journey.finish()
    assert journey.slack.count("views.publish") == before + 1


async def test_unavailable_store_at_an_end_is_told_in_the_dialog(tmp_path: Path) -> None:
    async with open_journey(DATABASE_URL=f"sqlite:///{tmp_path / 'bot.db'}") as journey:
        await journey.asks("Deal")
        home = await opens_home(journey, ANA)
        blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        dialog = await opens(journey, home, "row_menu", chosen="end")
        blocker.execute("ALTER TABLE requests RENAME TO gone")
        assert (await journey.slack.submit(ANA, dialog)).acked
        assert "I can’t reach my records right now" in said(dialog)
        assert dialog.body["close"]["text"] == "Close"
        blocker.execute("ALTER TABLE gone RENAME TO requests")
        blocker.close()
