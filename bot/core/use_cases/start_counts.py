"""Count the sessions that a workspace started in the last 24 hours, and the starts that failed."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.errors import CobrowseError
from bot.core.models import TeamId
from bot.core.ports import StartHistory

DAY_SECONDS = 86400.0
"""The length of the counted period, in seconds. The database keeps each request for at least this time."""


@dataclass(frozen=True, slots=True)
class StartCounts:
    """The numbers of started sessions (`started`) and of failed starts (`failed`) in the last 24 hours."""

    started: int
    failed: int


async def count_starts(history: StartHistory, team_id: TeamId) -> StartCounts:
    """Count the sessions that were started in the last 24 hours, and the starts that failed.

    `team_id`: the id of the Enterprise Grid organization or, if there is none, of the Slack workspace.

    A start does not count as failed if the class of its error is no failure (`CobrowseError.is_failure`). Raises
    StorageUnavailableError if the database fails.
    """
    found = await history.outcomes(team_id, DAY_SECONDS)
    no_failures = {"", *_no_failures(CobrowseError)}
    return StartCounts(
        started=sum(outcome.sessions for outcome in found),
        failed=sum(outcome.without_session for outcome in found if outcome.code not in no_failures),
    )


def _no_failures(kind: type[CobrowseError]) -> Iterator[str]:
    """Yield the codes of the errors of this class and its subclasses that are no failures."""
    if not kind.is_failure:
        yield from kind.possible_codes()
    for below in kind.__subclasses__():
        yield from _no_failures(below)
