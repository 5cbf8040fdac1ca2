"""Tell the administrators about a failed request, if its requester presses *Tell …* or *Ask …*.

If a fault caused the failure, add the failed request to the notice of the fault. Else store a notice of the kind HELP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.core.access import AccessPolicy
from bot.core.errors import CobrowseError, RetryRejectedError
from bot.core.models import Notice, NoticeKind, Request, RequestId, RequestKind, UserId, team_of
from bot.core.notices import NoticeBoard
from bot.core.ports import RequestRepository
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import AdministratorsTold, FaultChecked, FaultState
from bot.core.stored_errors import from_record, to_record
from bot.core.timing import NoticeTiming
from bot.core.use_cases.faults import FaultReports

REPEAT_AFTER = timedelta(days=1)
"""The minimum time between two messages to the administrators about failed requests of one person with one problem."""


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """A request for an administrator's help with a failed request: the content of a HELP notice.

    - `error`: the error of the failed request.
    - `person`: the requester of the failed request.
    - `target`: the person whom the failed request named; None if it named nobody.
    - `request_id`: the id of the failed request.
    """

    error: CobrowseError
    person: UserId
    target: UserId | None
    request_id: RequestId


def read_help(data: Mapping[str, Any]) -> HelpRequest:
    """Convert the `data` of a HELP notice to a HelpRequest (pure)."""
    target = data.get("target")
    return HelpRequest(
        error=from_record(dict(data["error"])),
        person=UserId(data["person"]),
        target=UserId(target) if target else None,
        request_id=RequestId(data["request"]),
    )


def help_key(failed: Request, error: CobrowseError) -> str:
    """Return the key of the HELP notice about a failed request (pure).

    The key contains the error's code, and the ids of the team, the requester and the target. Without a target, the key
    has no target's id.
    """
    return " ".join((error.code, team_of(failed), failed.requester, failed.target or "")).strip()


def with_help_request(notice: Notice, failed: Request, error: CobrowseError) -> Notice | None:
    """Return a copy of a HELP notice with the failed request `failed` as its new content (pure).

    Return None if the notice got its current content less than REPEAT_AFTER ago.

    `error`: the error of `failed`.
    """
    if notice.data and notice.read_at - notice.opened_at < REPEAT_AFTER:
        return None
    data = {
        "error": to_record(error),
        "person": failed.requester,
        "target": failed.target,
        "request": failed.id,
    }
    now = notice.read_at
    return replace(notice, team_id=failed.team_id, opened_at=now, over_at=now, data=data)


class HelpRequests:
    """Carries out requests of the kind TELL: tells the administrators about a failed request.

    The requester has pressed a button below the error: *Tell* or *Ask*, each followed by a name.
    """

    def __init__(
        self,
        board: NoticeBoard,
        access: AccessPolicy,
        requests: RequestRepository,
        faults: FaultReports,
        name_fault: Callable[[CobrowseError], str | None],
        timing: NoticeTiming,
    ) -> None:
        self._board, self._access, self._requests = board, access, requests
        self._faults, self._name_fault, self._timing = faults, name_fault, timing

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request: only one, for TELL.

        A TELL request is a press on the button *Tell …* or *Ask …* below an error. The `argument` of a TELL request is
        the id of the failed request.
        """
        return {RequestKind.TELL: QueryHandler(self.tell)}

    async def tell(self, request: Request) -> AdministratorsTold | FaultChecked:
        """Tell the administrators about the failed request whose id is the `argument` of `request`.

        Wait up to `NoticeTiming.delivery_timeout` until Slack accepts a message. Return AdministratorsTold with the
        users and channels that have a message, perhaps from an earlier press; with none if Slack accepts no message in
        time.

        If a fault caused the failure and the fault is over by now, return FaultChecked and tell nobody.

        Raises PermissionDeniedError if the requester may not use the bot. Raises RetryRejectedError if that request is
        not stored, did not fail, or is another person's. Raises SlackUnavailableError if a look-up in Slack fails, and
        StorageUnavailableError if the database fails.
        """
        await self._access.require_member(request)
        failed, error = await self._failed(request)
        seconds = self._timing.delivery_timeout
        if self._name_fault(error):
            readers = await self._faults.tell(failed, error, seconds)
            return FaultChecked(FaultState.REPAIRED) if readers is None else AdministratorsTold(readers)
        key = help_key(failed, error)
        await self._board.change(NoticeKind.HELP, key, lambda notice: with_help_request(notice, failed, error))
        return AdministratorsTold(await self._board.delivered(NoticeKind.HELP, key, seconds))

    async def _failed(self, request: Request) -> tuple[Request, CobrowseError]:
        """Return the failed request whose id is the `argument` of `request`, and its error.

        Raises RetryRejectedError if that request is not stored, did not fail, or is another person's.
        """
        stored = await self._requests.find(RequestId(request.argument or ""))
        if stored is None or stored.failure is None:
            raise RetryRejectedError("request_forgotten")
        ids = await self._access.ids(request.requester)
        if stored.request.requester not in ids or team_of(stored.request) != team_of(request):
            raise RetryRejectedError("not_your_request")
        return stored.request, stored.failure
