"""A fault is over only when a later success proves that what failed works again."""

import asyncio

import pytest

from tests.support.accounts import BENS, connects, open_connecting
from tests.support.app import ADA, ANA, ANSWER_TIMEOUT, BEN, SAM, Journey, is_failure, link, open_journey, words
from tests.support.conversations import KEY, talk
from tests.support.customer_messages import NUMBER
from tests.support.fault_notices import QUICK, notice
from tests.support.message_buttons import presses

ADMIN = {"COBROWSE_ADMINS": ADA, "COBROWSE_HELP_CONTACT": ADA}


async def is_over(journey: Journey) -> bool:
    """Return whether the only fault is over, once its message has had the time to change."""
    await asyncio.sleep(0.4)
    return "Working again" in words(await notice(journey, "since"))


@pytest.mark.parametrize("command", ["end", "apps"])
async def test_command_without_the_bots_token_ends_no_fault(command: str) -> None:
    async with open_journey(timing=QUICK, **KEY | ADMIN) as journey:
        talk(journey)
        assert link(await journey.asks("One"))
        talk(journey, host=BENS)
        for call in ("query", "conversation", "create"):
            await journey.genesys.inject_fault("401", on=call)
        assert is_failure(await journey.asks("Two", who=BEN))
        assert not is_failure(await journey.asks(command))
        assert not await is_over(journey)
        for call in ("query", "conversation", "create"):
            await journey.genesys.inject_fault(None, on=call)
        assert link(await journey.asks("Three", who=BEN))
        assert await is_over(journey)


async def test_suggested_command_ends_no_fault() -> None:
    async with open_journey(timing=QUICK, **ADMIN) as journey:
        assert link(await journey.asks("Checkout"))
        await journey.genesys.inject_fault("403")
        assert is_failure(await journey.asks("Two", who=BEN))
        assert not is_failure(await journey.asks("stop the Checkout now"))
        assert not await is_over(journey)


async def test_session_that_is_open_already_ends_no_fault() -> None:
    async with open_journey(timing=QUICK, **KEY | ADMIN) as journey:
        talk(journey)
        assert link(await journey.asks("One"))
        talk(journey, host=BENS)
        await journey.genesys.inject_fault("403")
        assert is_failure(await journey.asks("Two", who=BEN))
        assert "already" in words(await journey.asks("Refund"))
        assert not await is_over(journey)


async def test_session_by_the_agents_own_token_ends_no_fault() -> None:
    async with open_connecting(timing=QUICK, **ADMIN) as journey:
        await connects(journey, ANA)
        journey.genesys.conversations.requires_user = False
        await journey.genesys.inject_fault("403", times=1)
        assert is_failure(await journey.asks("Two", who=BEN))
        assert link(await journey.asks("One"))
        assert not await is_over(journey)
        assert link(await journey.asks("Three", who=BEN))
        assert await is_over(journey)


async def test_session_with_another_application_ends_no_fault() -> None:
    async with open_journey(http=True, timing=QUICK, COBROWSE_APPLICATION_ID="gone", **ADMIN) as journey:
        failed = await journey.asks("Checkout")
        assert is_failure(failed)
        await journey.slack.press(ANA, failed, "start_with_first")
        await journey.slack.until(lambda: "is ready" in failed.text, ANSWER_TIMEOUT)
        assert not await is_over(journey)
        journey.genesys.applications["gone"] = "Back again"
        assert link(await journey.asks("Refund"))
        assert await is_over(journey)


async def test_start_without_the_refused_group_ends_no_fault() -> None:
    async with open_journey(timing=QUICK, **ADMIN, COBROWSE_SUPERVISORS="S0LEADS") as journey:
        journey.slack.inject_fault("usergroups.users.list", "missing_scope")
        assert is_failure(await journey.asks("@ana Deal", who=BEN))
        assert f"Affected: <@{BEN}>" in words(await notice(journey, "1 person"))
        assert link(await journey.asks("Own"))
        assert link(await journey.asks("Own", who=BEN))
        assert not await is_over(journey)
        journey.slack.inject_fault("usergroups.users.list", None)
        assert link(await journey.asks("@ana Deal", who=BEN))
        assert await is_over(journey)


async def test_check_reads_the_group_that_slack_refused() -> None:
    async with open_journey(http=True, timing=QUICK, **ADMIN, COBROWSE_SUPERVISORS=f"{SAM},S0LEADS") as journey:
        journey.slack.inject_fault("usergroups.users.list", "missing_scope")
        assert is_failure(await journey.asks("@ana Deal", who=BEN))
        message = await notice(journey, "1 person")
        before = len(journey.slack.messages)
        await journey.slack.press(ADA, message, "check_fault")
        assert "It still fails." in words(await journey.reads(ADA, before))
        journey.slack.inject_fault("usergroups.users.list", None)
        before = len(journey.slack.messages)
        await journey.slack.press(ADA, message, "check_fault")
        assert "It works again." in words(await journey.reads(ADA, before))
        assert await is_over(journey)


@pytest.mark.parametrize(("command", "call"), [("apps", "applications"), ("end", "end")])
async def test_command_that_works_in_the_division_ends_the_fault(command: str, call: str) -> None:
    async with open_journey(timing=QUICK, http=True, **ADMIN) as journey:
        assert link(await journey.asks("One"))
        await journey.genesys.inject_fault("division", on=call)
        assert is_failure(await journey.asks(command))
        await notice(journey, "since")
        await journey.genesys.inject_fault(None)
        assert not is_failure(await journey.asks(command))
        assert await is_over(journey)


async def test_message_in_another_language_ends_no_fault_of_a_text() -> None:
    long = {"COBROWSE_SMS_TEXT": "Link: {joinUrl}", "COBROWSE_SMS_TEXT_DE": "x" * 640 + " {joinUrl}"}
    page = {"COBROWSE_JOIN_URL_TEMPLATE": f"https://help.example.com/{'p' * 150}#{{joinCode}}"}
    async with open_journey(timing=QUICK, **KEY | ADMIN | long | page) as journey:
        talk(journey)
        await journey.asks("Warranty")
        question = await journey.asks(f"send {NUMBER}")
        await presses(journey, question, "send_link", values={"customer_language": "de"})
        assert "`COBROWSE_SMS_TEXT_DE`" in words(await notice(journey, "since"))
        await presses(journey, await journey.asks(f"send {NUMBER}"), "send_link")
        assert len(journey.genesys.outbox.sent) == 1
        assert not await is_over(journey)
