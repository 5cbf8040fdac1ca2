"""A workflow step starts a session: for whom, what the workflow and the host get, and that it happens once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import StorageUnavailableError
from bot.core.models import RequestKind, WorkflowStep, step_of
from bot.core.timing import SlackTiming
from bot.sandbox.slack.server import Execution
from bot.slack.listeners.workflow_step import CALLBACK_ID, read_step
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, BEN, CARE, GUS, HOSTS, UNA, Journey, link, open_journey, words
from tests.support.workflow import over

SECONDS = 15.0
SOON_AGAIN = SlackTiming(repeat_seconds=0.01, step_retry_seconds=(0.01, 0.01))


async def runs(journey: Journey, seconds: float = SECONDS, **inputs: Any) -> Execution:
    """Run the workflow step, and return its finished execution."""
    execution = await journey.slack.function_executed(CALLBACK_ID, inputs)
    assert execution.delivery is not None
    assert execution.delivery.acked
    return await over(journey.slack, execution, seconds)


def completions(journey: Journey) -> list[str]:
    return [call.method for call in journey.slack.calls if call.method.startswith("functions.")]


async def test_a_step_starts_a_session_and_gives_the_workflow_its_link(either: Journey) -> None:
    execution = await runs(either, agent=BEN, name="Checkout & help")
    (create,) = either.genesys.creates
    session = either.genesys.sessions[create.session_id]

    assert execution.status == "succeeded"
    assert create.body["hostUserId"].startswith(HOSTS[BEN])
    assert create.body["sessionName"] == "Checkout & help"
    assert execution.outputs["session_id"] == create.session_id
    assert execution.outputs["link"] == session.join_url
    assert abs(execution.outputs["ends_at"] - datetime.now(UTC).timestamp() - 1800) < 60


async def test_host_is_told_of_a_workflow_start_and_has_the_link(journey: Journey) -> None:
    execution = await runs(journey, agent=BEN, name="Checkout help")
    (note,) = journey.slack.seen_by(BEN)
    assert "*Checkout help* · from a workflow" in words(note)
    assert note.text.startswith("A workflow started")
    assert link(note) == execution.outputs["link"]
    assert link(note) not in note.text
    assert journey.slack.messages == [note]


async def test_connected_persons_session_is_the_hosts_own(journey: Journey) -> None:
    execution = await runs(journey, agent=BEN, name="Checkout help")
    assert link(await journey.asks("last", who=BEN)) == execution.outputs["link"]
    assert "Checkout help" in words(await journey.asks("status", who=BEN))


async def test_disabled_workflow_reads_so_and_starts_nothing() -> None:
    async with open_journey(COBROWSE_WORKFLOW_STEPS="off") as journey:
        execution = await runs(journey, agent=BEN)
        assert execution.status == "failed"
        assert execution.error is not None
        assert execution.error.startswith("Workflows can’t start co-browse here. Nothing was started.")
        assert "Reference " in execution.error
        assert journey.genesys.creates == []
        assert journey.slack.messages == []


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        (None, "This workflow step doesn’t say whose session it is"),
        ("", "This workflow step doesn’t say whose session it is"),
        ("@ben", "This workflow step doesn’t say whose session it is"),
        (7, "This workflow step doesn’t say whose session it is"),
        (GUS, f"<@{GUS}> is a guest, and guests can’t use co-browse here"),
        (UNA, f"<@{UNA}> isn’t connected to Genesys yet"),
        ("U0NOBODY", "<@U0NOBODY> isn’t a member of this workspace"),
    ],
)
async def test_person_who_may_not_host_is_refused(journey: Journey, agent: Any, sentence: str) -> None:
    execution = await runs(journey, agent=agent)
    assert execution.status == "failed"
    assert execution.error is not None
    assert sentence in execution.error
    assert journey.genesys.creates == []


async def test_step_follows_the_member_list_and_not_the_channels() -> None:
    async with open_journey(COBROWSE_MEMBERS=BEN, COBROWSE_CHANNELS=CARE) as journey:
        assert (await runs(journey, agent=BEN)).status == "succeeded"
        refused = await runs(journey, agent=ANA)
        assert refused.error is not None
        assert f"<@{ANA}> isn’t on the list" in refused.error


async def test_name_is_cleaned_and_defaults_to_the_hosts(journey: Journey) -> None:
    await runs(journey, agent=BEN, name=" \n " + "a" * 300)
    await runs(journey, agent=BEN, name=" ")
    await runs(journey, agent=BEN)
    names = [create.body["sessionName"] for create in journey.genesys.creates]
    assert names == ["a" * 100, "Co-browse with Ben Brandt", "Co-browse with Ben Brandt"]


async def test_two_runs_with_the_same_words_are_two_sessions(journey: Journey) -> None:
    """The two sessions may be for two customers, who must not meet."""
    one, two = await asyncio.gather(runs(journey, agent=BEN, name="Deal"), runs(journey, agent=BEN, name="Deal"))
    assert one.outputs["link"] != two.outputs["link"]
    assert len(journey.genesys.creates) == 2


async def test_double_delivery_is_one_session_completed_once(either: Journey) -> None:
    execution = await runs(either, agent=BEN)
    assert execution.delivery is not None
    again = await either.slack.redeliver(execution.delivery)
    assert again.acked
    await either.finish()
    assert len(either.genesys.creates) == 1
    assert completions(either) == ["functions.completeSuccess"]


async def test_workflow_reads_a_genesys_refusal_with_both_references(journey: Journey) -> None:
    await journey.genesys.inject_fault("invalid-host")
    execution = await runs(journey, agent=BEN)
    assert execution.error is not None
    assert "Genesys won’t let this agent co-browse. Nothing was started." in execution.error
    assert "Reference " in execution.error
    assert "Genesys " in execution.error
    assert journey.slack.messages == []


@pytest.mark.parametrize("slack_timing", [SOON_AGAIN])
async def test_a_workflow_is_told_later_when_slack_is_busy(journey: Journey) -> None:
    journey.slack.inject_fault("functions.completeSuccess", "internal_error", times=2)
    assert (await runs(journey, agent=BEN)).status == "succeeded"
    assert completions(journey) == ["functions.completeSuccess"] * 3


@pytest.mark.parametrize("slack_timing", [SOON_AGAIN])
async def test_cancelled_workflow_is_not_told_again(journey: Journey) -> None:
    await journey.genesys.inject_fault("slow", seconds=0.3)
    execution = await journey.slack.function_executed(CALLBACK_ID, {"agent": BEN})
    journey.slack.runs.fail(execution.id, "cancelled")
    await journey.finish()
    assert completions(journey) == ["functions.completeSuccess"]


async def test_unstored_delivery_comes_again_and_is_started_once(
    over_http: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, refused = SQLiteStore.accept, []

    async def away_at_first(self: SQLiteStore, *args: Any) -> Any:
        if len(refused) < 2:
            refused.append(args)
            raise StorageUnavailableError
        return await accept(self, *args)

    monkeypatch.setattr(SQLiteStore, "accept", away_at_first)
    over_http.slack.dispatcher.retries_after_seconds = (0.0, 0.05, 0.1)
    execution = await over_http.slack.function_executed(CALLBACK_ID, {"agent": BEN})
    assert execution.delivery is not None
    assert execution.delivery.status == 503
    assert (await over(over_http.slack, execution)).status == "succeeded"
    assert len(over_http.genesys.creates) == 1


async def test_workflow_reads_the_outcome_of_a_write_that_never_works(
    over_http: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: SQLiteStore, *args: Any) -> Any:
        raise StorageUnavailableError

    monkeypatch.setattr(SQLiteStore, "accept", away)
    over_http.slack.dispatcher.retries_after_seconds = (0.0, 0.05, 0.1)
    execution = await over_http.slack.function_executed(CALLBACK_ID, {"agent": BEN})
    await over(over_http.slack, execution)
    assert execution.error is not None
    assert "I can’t save anything right now. Nothing was started." in execution.error
    assert over_http.genesys.creates == []
    assert [each.status for each in over_http.slack.dispatcher.deliveries] == [503, 503, 503, 200]


def event(**changes: Any) -> dict[str, Any]:
    told = {"function_execution_id": "Fx1", "workflow_execution_id": "Wx1", "inputs": {"agent": ANA, "name": "Deal"}}
    return {"team_id": "T1", "authorizations": [{"enterprise_id": "E1"}], "event": told | changes}


def test_all_that_is_needed_to_answer_is_in_the_request() -> None:
    request = read_step(event())
    assert request.key == "step:Fx1"
    assert request.kind is RequestKind.STEP
    assert request.enterprise_id == "E1"
    assert step_of(request) == WorkflowStep("Fx1", "Wx1")


@pytest.mark.parametrize("changes", [{"workflow_execution_id": None}, {"inputs": None}, {"inputs": {"name": ["x"]}}])
def test_fields_slack_leaves_out_are_optional(changes: dict[str, Any]) -> None:
    request = read_step(event(**changes))
    step = step_of(request)
    assert step is not None
    assert step.execution_id == "Fx1"
