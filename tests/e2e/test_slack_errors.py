"""Slack's error codes, as people and operators see them: the message, whether it has *Try again*, and the log."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.check.results import Status
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.catalogue.slack_errors import reason
from tests.support.app import (
    ANA,
    BEN,
    QUICK_SLACK,
    SAM,
    Journey,
    buttons,
    link,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.check import right_environ, run_checks

NEVER = ("missing_argument", "missing_scope", "account_inactive", "plan_upgrade_required", "no_such_subteam")
PASSING = ("internal_error", "team_added_to_org", "request_timeout", "a_code_that_is_new")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("code", NEVER)
async def test_code_that_never_passes_offers_no_try_again(journey: Journey, code: str) -> None:
    journey.slack.inject_fault("users.info", code)
    message = await journey.asks(who=SAM)  # the contact
    assert "Slack doesn’t answer my questions. Nothing was started." in words(message)
    assert f"`{code}`" in words(message)
    assert reason(PLAIN_ENGLISH, code) in words(message)
    assert "ry again" not in words(message)
    assert "try_again" not in buttons(message)


@pytest.mark.parametrize("code", PASSING)
async def test_code_that_passes_offers_try_again(journey: Journey, code: str) -> None:
    journey.slack.inject_fault("users.info", code)
    assert "try_again" in buttons(await journey.asks())


@pytest.mark.parametrize("fault", ["500", "502", "504", "internal_error"])
async def test_one_fault_of_slack_loses_no_message(journey: Journey, fault: str) -> None:
    journey.slack.inject_fault("chat.postMessage", fault, times=1)
    card = await journey.asks("@ben Deal", who=SAM)
    assert f"<@{BEN}> has this link too" in words(card)
    assert [link(message) for message in journey.slack.seen_by(BEN)] == [link(card)]


async def test_direct_messages_that_are_off_are_named(journey: Journey) -> None:
    for who in (ANA, SAM):
        card = await journey.asks(who=who)
        journey.slack.inject_fault("chat.postMessage", "messages_tab_disabled")
        before = len(journey.slack.messages)
        await journey.slack.press(who, card, "session_menu", chosen="copy")
        message = await journey.reads(who, before)
        assert "Slack doesn’t accept my messages" in words(message)
        assert ("Messages Tab under App Home" in words(message)) is (who == SAM)  # the contact
        journey.slack.inject_fault("chat.postMessage", None)
    assert "try_again" not in buttons(message)


async def test_form_that_slack_refuses_says_why(journey: Journey) -> None:
    journey.slack.inject_fault("views.open", "token_expired")
    message = await journey.asks("new", who=SAM)  # the contact
    assert "token has expired" in words(message)
    assert "SLACK_BOT_TOKEN" in words(message)


async def readiness(url: str) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


async def test_dead_token_is_an_error_once_and_not_ready(lines: pytest.LogCaptureFixture) -> None:
    timing = replace(QUICK_SLACK, token_probe_seconds=0.2)
    async with open_journey(http=True, slack_timing=timing) as journey:
        for method in ("users.info", "auth.test"):
            journey.slack.inject_fault(method, "token_expired")
        assert "The bot’s Slack token has expired." in words(await journey.asks(who=SAM))
        await journey.asks(who=BEN)
        (error,) = [record for record in lines.records if record.levelno == logging.ERROR]
        assert error.fields["token"] == "SLACK_BOT_TOKEN"  # type: ignore[attr-defined]
        assert "token rotation" in error.fields["hint"]  # type: ignore[attr-defined]
        status, told = await readiness(journey.url)
        assert (status, told["slack_token"]) == (503, "refused (token_expired)")
        for method in ("users.info", "auth.test"):  # nobody asks for anything, since it is not ready
            journey.slack.inject_fault(method, None)
        await asyncio.sleep(1.0)
        assert (await readiness(journey.url))[0] == 200
        assert link(await journey.asks())


async def test_rotating_token_is_told_at_start_and_by_check(tmp_path: Path, lines: pytest.LogCaptureFixture) -> None:
    async with open_servers() as servers:
        token = "xoxe.xoxb-1-sandbox"
        servers.slack.api.bot_tokens = [token]
        found = await run_checks(right_environ(servers, tmp_path) | {"SLACK_BOT_TOKEN": token})
        assert found["slack token"].status is Status.WARNING
        assert "twelve hours" in found["slack token"].message
        assert "new app" in found["slack token"].fix
        async with open_bot_between(servers, servers.environ | {"SLACK_BOT_TOKEN": token}, http=False):
            assert "the bot token expires within twelve hours" in lines.text


@pytest.mark.parametrize(
    ("how", "said"),
    [({"is_email_confirmed": False}, "address confirmed"), ({"email": None}, "Email display")],
)
async def test_missing_and_unconfirmed_addresses_are_told_apart(
    journey: Journey, how: dict[str, object], said: str
) -> None:
    users = journey.slack.workspace.users
    users[ANA] = replace(users[ANA], **how)  # type: ignore[arg-type]
    assert said in words(await journey.asks("@ana", who=SAM))
    assert journey.genesys.count("search") == 0


@pytest.mark.parametrize(
    ("how", "said"), [({"is_email_confirmed": False}, "confirmed"), ({"email": None}, "Email display")]
)
async def test_check_says_when_slack_shows_no_usable_address(tmp_path: Path, how: dict[str, object], said: str) -> None:
    async with open_servers() as servers:
        assert (await run_checks(right_environ(servers, tmp_path)))["addresses"].status is Status.OK
        users = servers.slack.workspace.users
        users.update({each: replace(user, **how) for each, user in users.items()})  # type: ignore[arg-type]
        found = (await run_checks(right_environ(servers, tmp_path)))["addresses"]
        assert found.status is Status.WARNING
        assert said in f"{found.message} {found.fix}"


@pytest.mark.parametrize("code", ["no_such_subteam", "plan_upgrade_required", "missing_argument"])
async def test_check_names_a_group_that_cannot_be_read(tmp_path: Path, code: str) -> None:
    async with open_servers() as servers:
        assert (await run_checks(right_environ(servers, tmp_path)))["user groups"].status is Status.OK
        servers.slack.inject_fault("usergroups.users.list", code)
        found = (await run_checks(right_environ(servers, tmp_path)))["user groups"]
        assert found.status is Status.FAILED
        assert "S0LEADS (COBROWSE_SUPERVISORS)" in found.message
        assert code in found.message
        servers.slack.inject_fault("usergroups.users.list", None)
        servers.slack.workspace.usergroups["S0LEADS"] = []
        assert (await run_checks(right_environ(servers, tmp_path)))["user groups"].status is Status.WARNING


@pytest.mark.parametrize("fault", ["drop", "500", "slow"])
async def test_log_lines_carry_a_word_and_no_class_name(
    journey: Journey, fault: str, lines: pytest.LogCaptureFixture
) -> None:
    journey.slack.inject_fault("response_url", "drop")
    journey.slack.inject_fault("chat.postEphemeral", fault, seconds=0)
    journey.slack.inject_fault("views.publish", fault, seconds=0)
    await journey.asks("status")
    await journey.slack.open_home(SAM)
    await journey.slack.command(ANA, "@nobody-there")
    errors = [record.fields.get("error", "") for record in lines.records if hasattr(record, "fields")]
    outcomes = [record.fields.get("outcome", "") for record in lines.records if hasattr(record, "fields")]
    assert errors
    assert [word for word in (*errors, *outcomes) if word != word.lower()] == []
