"""The audit log: a line for each decision, the file's mode, and what happens if a line cannot be written."""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import (
    HostNotFoundError,
    NotReadyError,
    PersonNotAllowedError,
    RetryRejectedError,
    ServiceBusyError,
)
from bot.core.models import Session, SessionStarted
from bot.core.requests.events import EventLog, RequestFinished, RequestRejected
from bot.observability.audit import AuditLog, AuditSetupError, decision, entry
from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support.app import ANA, BEN, CARE, SAM, UNA, Journey, ended, open_journey, open_servers, running, start
from tests.support.requests import request
from tests.support.session_buttons import POST, confirms

SESSION = Session(
    id="s1", status="open", host_id="h1", name="Mr Smith", ends_at=datetime.now(UTC), join_url="https://join/secret"
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def written(path: Path, count: int) -> list[dict[str, Any]]:
    """Wait until the file has `count` lines, and return them.

    The bot sends an answer just before it writes the line.
    """
    async with asyncio.timeout(10):
        while len(lines(path)) < count:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    return lines(path)


async def test_each_decision_is_a_line_with_who_what_whom_and_why(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_journey(AUDIT_LOG=str(path)) as journey:
        await journey.asks("Mr Smith")
        await journey.asks("@ben Mr Smith", who=SAM)
        await journey.asks("@ben Mr Smith", who=ANA)
        await journey.asks("Mr Smith", who=UNA)
        await journey.asks("end", who=ANA)
        own, others, refused, unmapped, end = await written(path, 5)
        sessions = list(journey.genesys.sessions)

    assert own["action"] == "start"
    assert own["decision"] == "allowed"
    assert own["requester"] == own["agent"] == ANA
    assert own["channel"] == CARE
    assert own["session"] == sessions[0]
    assert own["rule"] == "same email"
    assert own["reference"]
    assert "agent_told" not in own
    assert (others["requester"], others["agent"], others["agent_told"]) == (SAM, BEN, True)
    assert (refused["decision"], refused["outcome"]) == ("refused", "may_not_act_for_others")
    assert (refused["requester"], refused["agent"]) == (ANA, BEN)
    assert (unmapped["decision"], unmapped["outcome"]) == ("refused", "host_not_found")
    assert (end["action"], end["decision"], end["session"]) == ("end", "allowed", sessions[0])
    assert end["reference"] not in ("", own["reference"])
    assert all(line["reached"] and line["at"].endswith("Z") and len(line["request"]) == 12 for line in lines(path))
    text = path.read_text()
    assert "Smith" not in text
    assert "https:" not in text
    assert "@example.com" not in text


async def test_shares_and_ends_of_others_sessions_are_on_record(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_journey(AUDIT_LOG=str(path)) as journey:
        card = await journey.asks("Deal")
        assert (await confirms(journey.slack, ANA, card, POST)).acked
        (shared,) = (await written(path, 2))[1:]
        await journey.asks(f"end {shared['session']}", who=SAM)
        (ended,) = (await written(path, 3))[2:]
    assert (shared["action"], shared["decision"], shared["requester"], shared["channel"]) == (
        "share",
        "allowed",
        ANA,
        CARE,
    )
    assert (ended["action"], ended["requester"], ended["agent"], ended["session"]) == (
        "end",
        SAM,
        ANA,
        shared["session"],
    )


async def test_a_steps_line_names_the_run_of_the_workflow(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_journey(AUDIT_LOG=str(path)) as journey:
        execution = await journey.slack.function_executed(CALLBACK_ID, {"agent": BEN, "name": "Mr Smith"})
        (line,) = await written(path, 1)
    assert (line["step"], line["workflow"]) == (execution.id, execution.workflow_id)
    assert (line["action"], line["decision"], line["agent"], line["agent_told"]) == ("step", "allowed", BEN, True)


async def test_press_refused_before_acceptance_has_its_audit_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_journey(AUDIT_LOG=str(path)) as journey:
        await journey.genesys.inject_fault("down")
        failure = await journey.asks("Deal")
        await journey.slack.press(BEN, failure, "try_again")
        failed, pressed = await written(path, 2)
    assert (failed["decision"], failed["outcome"]) == ("failed", "service_unreachable")
    assert (pressed["decision"], pressed["outcome"], pressed["requester"]) == ("refused", "not_your_request", BEN)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (SessionStarted(SESSION), "allowed"),
        (PersonNotAllowedError("not_listed", "U1", is_target=False), "refused"),
        (HostNotFoundError("U1", False, ()), "refused"),
        (RetryRejectedError("not_your_request"), "refused"),
        (NotReadyError("shutting_down"), "refused"),
        (NotReadyError("overloaded"), "refused"),
        (ServiceBusyError(), "failed"),
    ],
)
def test_allowed_refused_and_failed_requests_have_audit_lines(outcome: Any, word: str) -> None:
    assert decision(outcome) == word


def test_unknown_details_are_left_out_and_no_secret_is_in() -> None:
    line = entry(request(channel_id="", name="Mr Smith"), SessionStarted(SESSION, rule="hosts file"), reached=False)
    assert "channel" not in line
    assert line["reached"] is False
    assert not any(word in json.dumps(line) for word in ("Smith", "https:"))


def test_only_we_can_read_the_file_and_old_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for _ in range(2):
        audit = AuditLog(str(path))
        audit.record_event(RequestFinished(request(), SessionStarted(SESSION), True, 0.1))
        audit.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(lines(path)) == 2


def test_file_that_was_moved_away_is_created_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    audit = AuditLog(str(path))
    audit.record_event(RequestFinished(request(requester="U1"), SessionStarted(SESSION), True, 0.1))
    path.rename(tmp_path / "audit.log.1")
    audit.record_event(RequestFinished(request(requester="U2"), SessionStarted(SESSION), True, 0.1))
    audit.close()
    assert [line["requester"] for line in lines(path)] == ["U2"]
    assert [line["requester"] for line in lines(tmp_path / "audit.log.1")] == ["U1"]
    assert path.stat().st_mode & 0o777 == 0o600


def hide_folder(path: Path) -> Callable[[], object]:
    hidden = path.parent.rename(path.parent.with_name("hidden"))
    return lambda: hidden.rename(path.parent)


def put_folder_in_its_place(path: Path) -> Callable[[], object]:
    path.rename(path.with_name("old"))
    path.mkdir()
    return path.rmdir


@pytest.mark.parametrize(("spoil", "code"), [(hide_folder, "ENOENT"), (put_folder_in_its_place, "EISDIR")])
def test_line_whose_file_cannot_be_opened_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], Callable[[], object]], code: str
) -> None:
    """Log rotation moves the file away, and the folder or a new file belongs to somebody else."""
    path = tmp_path / "audit" / "audit.log"
    path.parent.mkdir()
    audit, events = AuditLog(str(path)), EventLog()
    events.subscribe(RequestRejected, audit.record_event)
    events.emit(RequestRejected(request(requester="U1"), ServiceBusyError()))
    mend = spoil(path)
    events.emit(RequestRejected(request(requester="U2"), ServiceBusyError()))
    mend()
    events.emit(RequestRejected(request(requester="U3"), ServiceBusyError()))
    audit.close()
    (lost,) = caplog.records
    assert lost.getMessage() == "an audit line could not be written"
    assert {"requester": "U2", "outcome": "service_busy", "error": code}.items() <= lost.fields.items()  # type: ignore[attr-defined]
    assert lines(path)[-1]["requester"] == "U3"


async def test_unwritable_audit_line_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """/dev/full can be opened, but each write fails because the disk is full."""
    with caplog.at_level(logging.ERROR, "bot.observability.audit"):
        async with open_journey(AUDIT_LOG="/dev/full") as journey:
            await journey.asks("One")
            await journey.asks("Two")
            await journey.finish()
            assert len(journey.genesys.creates) == 2
    lost = [record for record in caplog.records if record.message == "an audit line could not be written"]
    assert len(lost) == 2
    assert [record.fields["requester"] for record in lost] == [ANA, ANA]  # type: ignore[attr-defined]
    assert lost[0].fields["error"] == "ENOSPC"  # type: ignore[attr-defined]


async def test_place_that_cannot_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(AuditSetupError, match="AUDIT_LOG cannot be written"):
        AuditLog(str(tmp_path / "nowhere" / "audit.log"))
    async with open_servers(http=False) as servers:
        process = await start(tmp_path, servers.environ | {"AUDIT_LOG": str(tmp_path / "nowhere" / "audit.log")})
        code, _, err = await ended(process)
    assert code == 1
    assert err.splitlines()[-2] == "AUDIT_LOG cannot be written (No such file or directory). [audit_log_unwritable]"


async def test_audit_log_can_go_to_standard_output(tmp_path: Path) -> None:
    async with running(tmp_path, http=False, environ={"AUDIT_LOG": "-"}) as (servers, process):
        assert (await servers.slack.command(ANA, "Deal")).acked
        await servers.slack.workspace.until(lambda: servers.slack.seen_by(ANA), 10)
        process.terminate()
        code, out, _ = await ended(process)
    assert code == 0
    (line,) = out.splitlines()
    assert json.loads(line)["requester"] == ANA


async def test_without_the_setting_there_is_none(journey: Journey, tmp_path: Path) -> None:
    await journey.asks()
    AuditLog("").record_event(RequestFinished(request(), SessionStarted(SESSION), True, 0.1))
    assert os.listdir(tmp_path) == []
