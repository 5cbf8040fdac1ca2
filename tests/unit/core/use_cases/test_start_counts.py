"""The numbers of the last day: refusals and questions do not count as failed starts."""

from collections.abc import Sequence
from datetime import datetime

from bot.core import errors
from bot.core.models import TeamId, UserId
from bot.core.ports import StartOutcome
from bot.core.use_cases.start_counts import StartCounts, count_starts

TEAM = TeamId("T0TEAM")


class History:
    """Implements StartHistory with fixed outcomes of one team."""

    def __init__(self, *found: StartOutcome) -> None:
        self._found = found

    async def outcomes(self, team_id: TeamId, seconds: float) -> Sequence[StartOutcome]:
        return self._found if (team_id, seconds) == (TEAM, 86400) else ()

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        return ()


async def counted(*found: StartOutcome) -> StartCounts:
    return await count_starts(History(*found), TEAM)


async def test_no_starts_are_two_zeros() -> None:
    assert await counted() == StartCounts(0, 0)


async def test_sessions_and_failures_of_all_codes_are_added_up() -> None:
    found = [StartOutcome("", 5, 0), StartOutcome("service_fault", 0, 2), StartOutcome("permission_missing", 0, 1)]
    assert await counted(*found) == StartCounts(5, 3)


async def test_start_that_got_a_session_and_then_an_error_counts_as_started() -> None:
    assert await counted(StartOutcome("session_over", 1, 0)) == StartCounts(1, 0)


async def test_refusals_questions_and_unconnected_people_are_no_failures() -> None:
    kinds: tuple[type[errors.CobrowseError], ...] = (errors.PersonNotAllowedError, errors.ChannelNotAllowedError)
    kinds += (errors.OtherWorkspaceError, errors.StepsOffError, errors.RoleRequiredError)
    refusals = [code for kind in kinds for code in kind.possible_codes()]
    codes = ["", "host_not_found", "several_conversations", "no_conversation", "not_in_conversation", *refusals]
    codes += ["connect_required", "reconnect_required"]
    assert "not_a_member" in codes
    assert await counted(*(StartOutcome(code, 0, 1) for code in codes)) == StartCounts(0, 0)


async def test_code_that_this_version_does_not_know_counts_as_failed() -> None:
    assert await counted(StartOutcome("of_a_newer_version", 0, 4)) == StartCounts(0, 4)
