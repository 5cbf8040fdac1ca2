"""Administrators get one message about a fault that they can fix. The bot updates it until the fault is over."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.timing import CoreTiming
from tests.support.app import (
    ADA,
    ANA,
    BEN,
    BILLING,
    GONE,
    GUS,
    OUTSIDER,
    SAM,
    SHARED,
    UNA,
    Journey,
    buttons,
    is_failure,
    is_notice,
    link,
    open_journey,
    words,
)
from tests.support.fault_notices import QUICK, SECONDS, notice, notices


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_journey(http=True, timing=QUICK, COBROWSE_ADMINS=ADA, COBROWSE_HELP_CONTACT=ADA) as opened:
        yield opened


async def test_administrator_reads_fault_fix_people_and_references_in_one_message(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    first = await journey.asks("One")
    assert is_failure(first)
    assert f"I’m telling <@{ADA}> now." in words(first)
    assert "Please tell" not in words(first)
    message = await notice(journey, "failing for 1 person")
    for part in ("Co-browse is failing", "access token", "Integrations › OAuth", f"<@{ANA}>", "Reference", "Genesys"):
        assert part in words(message)
    assert "Co-browse" in message.text
    assert "failing" not in words(first)
    await journey.asks("Two", who=BEN)
    await journey.asks("Three", who=BEN)
    message = await notice(journey, "failing for 2 people")
    assert f"<@{BEN}>" in words(message)


async def test_two_ids_of_a_person_are_one_reader_of_a_fault() -> None:
    admins = {"COBROWSE_ADMINS": f"{ADA} W0ADA", "COBROWSE_HELP_CONTACT": ADA}
    async with open_journey(timing=QUICK, **admins) as journey:
        users = journey.slack.workspace.users
        for who in (ADA, ANA):
            users[who] = replace(users[who], enterprise_user_id=f"W{who[1:]}")
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        await notice(journey, "failing for 1 person")
        await journey.asks("Two", who="W0ANA")
        await journey.asks("Three", who=BEN)
        await notice(journey, "failing for 2 people")


async def test_agent_reads_that_the_contact_was_told_once_slack_took_the_message(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    await notice(journey, "failing for 1 person")
    assert f"<@{ADA}> has been told" in words(await journey.asks("Two", who=BEN))


async def test_nobody_is_told_of_a_message_that_slack_did_not_take(journey: Journey) -> None:
    journey.slack.inject_fault("chat.postMessage", "fatal_error")
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    await asyncio.sleep(0.5)
    assert "has been told" not in words(await journey.asks("Two", who=BEN))
    assert notices(journey) == []


async def test_later_success_ends_the_fault_in_the_same_message(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    message = await notice(journey, "failing for 1 person")
    await journey.genesys.inject_fault(None)
    assert link(await journey.asks("Two", who=BEN))
    assert await notice(journey, "Working again since") is message
    assert "1 person)" in words(message)
    assert "check_fault" not in buttons(message)
    await journey.genesys.inject_fault("401")
    again = await journey.asks("Three")
    assert await notice(journey, "failing for 1 person") is message  # within the hour
    assert "has been told" not in words(again)


async def test_check_again_says_whether_it_still_fails_and_ends_the_fault(journey: Journey) -> None:
    for call in ("create", "me"):
        await journey.genesys.inject_fault("401", on=call)
    await journey.asks("One")
    message = await notice(journey, "failing for 1 person")
    before = len(journey.slack.messages)
    await journey.slack.press(ADA, message, "check_fault")
    assert "It still fails." in words(await journey.reads(ADA, before))
    assert await notice(journey, f"Checked by <@{ADA}>") is message
    await journey.genesys.inject_fault(None)
    before = len(journey.slack.messages)
    await journey.slack.press(ADA, message, "check_fault")
    assert "It works again." in words(await journey.reads(ADA, before))
    assert await notice(journey, "Working again since") is message


async def test_scope_that_was_added_works_at_once(journey: Journey) -> None:
    journey.genesys.login.missing_scopes = {"cobrowse:session:write"}
    assert is_failure(await journey.asks("One"))
    message = await notice(journey, "failing for 1 person")
    for missing, told in (({"cobrowse:session:write"}, "It still fails."), (set(), "It works again.")):
        journey.genesys.login.missing_scopes = missing
        before = len(journey.slack.messages)
        await journey.slack.press(ADA, message, "check_fault")
        assert told in words(await journey.reads(ADA, before))
    assert link(await journey.asks("Two", who=BEN))


async def test_error_that_nobody_has_to_repair_is_not_reported(journey: Journey) -> None:
    await journey.genesys.inject_fault("429")
    assert is_failure(await journey.asks("One", who=UNA))
    await journey.genesys.inject_fault("500")
    assert is_failure(await journey.asks("Two"))
    await asyncio.sleep(0.3)
    assert notices(journey) == []


async def test_channel_as_contact_gets_one_post_and_checks_who_presses() -> None:
    async with open_journey(http=True, timing=QUICK, COBROWSE_HELP_CONTACT=BILLING, COBROWSE_ADMINS=ADA) as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        message = await notice(journey, "failing for 1 person", BILLING)
        await notice(journey, "failing for 1 person", ADA)
        assert f"<#{BILLING}> has been told" in words(await journey.asks("Two", who=BEN))
        await notice(journey, "failing for 2 people", BILLING)
        before = len(journey.slack.messages)
        await journey.slack.press(BEN, message, "check_fault")
        assert "Only administrators can check" in words(await journey.reads(BEN, before))
        assert "Checked by" not in words(message)


async def test_administrators_of_a_user_group_each_get_the_message() -> None:
    async with open_journey(
        http=True, timing=QUICK, COBROWSE_ADMINS=f"{SAM},S0LEADS", COBROWSE_HELP_CONTACT=""
    ) as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        for administrator in (SAM, BEN):
            await notice(journey, "failing for 1 person", administrator)


async def test_fault_that_lasts_longer_than_an_hour_gets_a_new_message() -> None:
    timing = CoreTiming(notices=replace(QUICK.notices, renewal_seconds=1.0))
    async with open_journey(http=True, timing=timing, COBROWSE_ADMINS=ADA, COBROWSE_HELP_CONTACT=ADA) as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        old = await notice(journey, "failing for 1 person")
        since = words(old).split("\n")[0].partition("since")[2]
        await asyncio.sleep(1.1)
        await journey.asks("Two", who=BEN)
        await journey.slack.workspace.until(lambda: "My newer message" in words(old), SECONDS)
        assert "check_fault" not in buttons(old)
        old_one, new = notices(journey)
        assert old_one is old
        assert "failing for 2 people" in words(new)
        assert since in words(new)
        was = str(old.blocks)
        await journey.genesys.inject_fault(None)
        await journey.asks("Three")
        await journey.slack.workspace.until(lambda: "Working again" in words(new), SECONDS)
        assert str(old.blocks) == was


async def test_message_that_slack_did_not_take_is_sent_later(journey: Journey) -> None:
    journey.slack.inject_fault("chat.postMessage", "fatal_error", times=8)
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    await notice(journey, "failing for 1 person")


async def test_edit_that_slack_did_not_take_is_sent_later(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    await notice(journey, "failing for 1 person")
    journey.slack.inject_fault("chat.update", "fatal_error", times=8)
    await journey.asks("Two", who=BEN)
    await notice(journey, "failing for 2 people")


async def test_edit_follows_the_message_into_a_channel_with_a_new_id(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks("One")
    message = await notice(journey, "failing for 1 person")
    moved = journey.slack.workspace.move_im(ADA)
    await journey.asks("Two", who=BEN)
    assert await notice(journey, "failing for 2 people") is message
    assert message.channel == moved


async def test_guests_outsiders_and_those_who_left_get_no_message() -> None:
    admins = f"{ADA},{GUS},{OUTSIDER},{GONE}"
    async with open_journey(http=True, timing=QUICK, COBROWSE_ADMINS=admins, COBROWSE_HELP_CONTACT=GUS) as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        await notice(journey, "failing for 1 person")
        assert f"<@{ADA}> has been told" in words(await journey.asks("Two", who=BEN))
        await notice(journey, "failing for 2 people")
        assert [one.channel for one in journey.slack.messages if is_notice(one)] == [f"D0{ADA[1:]}"]


async def test_channel_with_other_organizations_gets_no_post() -> None:
    async with open_journey(http=True, timing=QUICK, COBROWSE_HELP_CONTACT=SHARED, COBROWSE_ADMINS=ADA) as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        await notice(journey, "failing for 1 person")
        assert f"<@{ADA}> has been told" in words(await journey.asks("Two", who=BEN))
        assert notices(journey, SHARED) == []


async def test_agent_without_a_license_is_named_until_a_session_of_theirs_works(journey: Journey) -> None:
    await journey.genesys.inject_fault("invalid-host", times=1)
    await journey.asks("One")
    message = await notice(journey, "failing for 1 person")
    assert "license" in words(message)
    assert link(await journey.asks("Two", who=BEN))
    await asyncio.sleep(0.3)
    assert "Working again" not in words(message)
    assert link(await journey.asks("Three"))
    assert await notice(journey, "Working again") is message


async def test_check_of_what_only_a_session_shows_says_so(journey: Journey) -> None:
    await journey.genesys.inject_fault("invalid-host")
    await journey.asks("One")
    message = await notice(journey, "failing for 1 person")
    before = len(journey.slack.messages)
    await journey.slack.press(ADA, message, "check_fault")
    assert "I can’t tell yet" in words(await journey.reads(ADA, before))
    await notice(journey, "the next request will show it")


async def test_press_after_the_presser_lost_the_role_is_refused() -> None:
    async with open_journey(http=True, timing=QUICK, COBROWSE_ADMINS="S0LEADS", COBROWSE_HELP_CONTACT="") as journey:
        await journey.genesys.inject_fault("401")
        await journey.asks("One")
        message = await notice(journey, "failing for 1 person", BEN)
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, message, "check_fault")  # as a forged press would come
        assert "Only administrators can check" in words(await journey.reads(ANA, before))


async def test_told_request_is_finished_while_slack_puts_look_ups_off(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"

    def states() -> list[str]:
        with contextlib.closing(sqlite3.connect(path)) as database:
            return [state for (state,) in database.execute("SELECT state FROM requests ORDER BY accepted_at")]

    timing = replace(QUICK, notices=replace(QUICK.notices, report_timeout=0.2))
    environ = {"DATABASE_URL": f"sqlite:///{path}", "COBROWSE_ADMINS": ADA, "COBROWSE_HELP_CONTACT": ADA}
    async with open_journey(timing=timing, **environ) as journey:
        assert link(await journey.asks("warm"))
        journey.slack.inject_fault("users.info", "ratelimited", retry_after=60)  # who are the administrators?
        await journey.genesys.inject_fault("401")
        assert is_failure(await journey.asks("One"))
        async with asyncio.timeout(SECONDS):
            while states() != ["answered"] * 2:  # noqa: ASYNC110 - nothing tells of a write
                await asyncio.sleep(0.05)


async def test_no_secret_and_no_link_stands_in_a_message(journey: Journey) -> None:
    for fault in ("401", "403", "no-join-url", "bad-request"):
        await journey.genesys.inject_fault(fault)
        await journey.asks(fault)
    await journey.slack.workspace.until(lambda: len(notices(journey)) == 4, SECONDS)
    for one in notices(journey):
        text = f"{one.text} {words(one)}"
        assert not re.search(r"/join/|xox[a-z]-|xapp-|@example|<!channel>|\+1415", text), text
        assert not re.search(r"[{}]|None", re.sub("<!date[^>]*>", "", text)), text
