"""Report faults to the administrators: who is affected, when the fault began, and when the fault is over.

One notice for each fault collects the failed requests of all replicas. The fault is over when a later success proves
that what failed works again, or when *Check again* finds the fault fixed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.access import AccessPolicy
from bot.core.errors import (
    CobrowseError,
    InvalidHostError,
    LoginRefusedError,
    PermissionMissingError,
    RoleRequiredError,
    SendRejectedError,
    ServiceError,
    SlackUnavailableError,
    StorageUnavailableError,
    TokenRefusedError,
    UnknownApplicationError,
)
from bot.core.models import Notice, NoticeKind, Request, RequestKind, Role, TeamId, UserId
from bot.core.notices import NoticeBoard
from bot.core.ports import SetupProbe
from bot.core.requests.events import application_proof, person_proof, text_proof
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import FaultChecked, FaultState
from bot.core.stored_errors import from_record, to_record
from bot.core.timing import NoticeTiming

log = logging.getLogger(__name__)

MAX_PEOPLE = 200
"""The maximum number of people whose ids a notice holds. The notice leaves out the people who are affected later."""
MAX_REFERENCES = 3
MAX_UNSAVED = 1000
WITH_TOKEN = (RequestKind.START, RequestKind.STEP, RequestKind.SEND, RequestKind.APPS)
"""The kinds of requests whose success shows that Genesys accepts the bot's own token. END is none of them, because the
public Genesys Cloud API withdraws an offer without a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The content of a notice about a fault.

    - `error`: the error of the newest failed request.
    - `since`, `last`: the times of the first and the newest failed request.
    - `people`: the affected people, in the order of their first failed request. If the error is personal (see
      `is_personal`), or if the bot may not search users, they are the agents of the failed requests; otherwise, the
      requesters.
    - `hurt`: those of `people` who may still be affected. For a personal error, a person leaves `hurt` when a later
      request of the same kind succeeds for them. For any other error, `hurt` holds all of `people`.
    - `kinds`: the kinds of the failed requests.
    - `references`: the newest failed requests, newest last, each as a pair: its id, and Genesys's correlation id or "".
    - `checked_at`, `checked_by`, `state`: the time, person and result of the newest check; None before the first check.
    """

    error: CobrowseError
    since: datetime
    last: datetime
    people: tuple[UserId, ...]
    hurt: tuple[UserId, ...]
    kinds: tuple[RequestKind, ...]
    references: tuple[tuple[str, str], ...]
    checked_at: datetime | None = None
    checked_by: UserId | None = None
    state: FaultState | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that failed because of a fault, with its error."""

    request: Request
    error: CobrowseError


def read_fault(data: Mapping[str, Any]) -> Fault:
    """Convert the `data` of a FAULT notice to a fault (pure). Leave out values that only a newer version knows."""
    checked = data.get("checked_at")
    kinds, states = {each.value: each for each in RequestKind}, {each.value: each for each in FaultState}
    return Fault(
        error=from_record(dict(data["error"])),
        since=_time(data["since"]),
        last=_time(data["last"]),
        people=tuple(map(UserId, data["people"])),
        hurt=tuple(map(UserId, data["hurt"])),
        kinds=tuple(kinds[kind] for kind in data["kinds"] if kind in kinds),
        references=tuple((str(ours), str(service)) for ours, service in data["references"]),
        checked_at=_time(checked) if checked else None,
        checked_by=UserId(data["checked_by"]) if data.get("checked_by") else None,
        state=states.get(str(data.get("state"))),
    )


def write_fault(fault: Fault) -> dict[str, Any]:
    """Convert a fault to the `data` of a FAULT notice, as JSON values (pure)."""
    return {
        "error": to_record(fault.error),
        "since": fault.since.timestamp(),
        "last": fault.last.timestamp(),
        "people": list(fault.people),
        "hurt": list(fault.hurt),
        "kinds": [kind.value for kind in fault.kinds],
        "references": [list(each) for each in fault.references],
        "checked_at": fault.checked_at.timestamp() if fault.checked_at else None,
        "checked_by": fault.checked_by,
        "state": fault.state.value if fault.state else None,
    }


def with_hits(notice: Notice, hits: Sequence[Hit], renewal_seconds: float) -> Notice:
    """Return the notice of a fault, with the failed requests `hits` added (pure).

    The returned notice is not over, even if `notice` is.

    If `notice` was opened at least `renewal_seconds` ago, set `opened_at` to the present time, so that the bot posts
    new messages instead of updating the old ones. In this case, if `notice` is over, also remove its earlier failed
    requests.

    `hits`: at least one failed request, in the order of failure.
    """
    now, newest = notice.read_at, hits[-1]
    people = tuple(dict.fromkeys(_person(hit) for hit in hits))
    kinds = tuple(dict.fromkeys(hit.request.kind for hit in hits))
    references = tuple((hit.request.id, _reference(hit.error)) for hit in hits)
    was = read_fault(notice.data) if notice.data else None
    is_renewed = now - notice.opened_at >= timedelta(seconds=renewal_seconds)
    if was is None or (is_renewed and notice.over_at):
        fault = Fault(
            error=newest.error,
            since=now,
            last=now,
            people=people[:MAX_PEOPLE],
            hurt=people[:MAX_PEOPLE],
            kinds=kinds,
            references=references[-MAX_REFERENCES:],
        )
    else:
        fault = replace(
            was,
            error=newest.error,
            last=now,
            people=_merged(was.people, people)[:MAX_PEOPLE],
            hurt=_merged(was.hurt, people)[:MAX_PEOPLE],
            kinds=_merged(was.kinds, kinds),
            references=_merged(was.references, references)[-MAX_REFERENCES:],
        )
    return replace(
        notice,
        team_id=newest.request.team_id,
        opened_at=now if is_renewed or was is None else notice.opened_at,
        over_at=None,
        data=write_fault(fault),
    )


def with_successes(notice: Notice, ages: Mapping[str, float]) -> Notice:
    """Return the notice of a fault, updated after successes (pure). If nothing changes, return `notice`.

    A success counts only if it is later than the newest failed request.

    If the error is personal (`is_personal`), remove each person for whom a request of the same kind has succeeded from
    `Fault.hurt`. If no person is left, the notice is over. For any other error, the notice is over if one of `_proofs`
    is later than the newest failed request.

    `ages`: the seconds since each success. The keys are the names of proofs (see `proofs_of`), the permissions that
    calls to Genesys need, and the names of look-ups in Slack.
    """
    fault = read_fault(notice.data)

    def works(*proofs: str) -> bool:
        found = [ages[proof] for proof in proofs if proof in ages]
        return bool(found) and notice.read_at - timedelta(seconds=min(found)) > fault.last

    if is_personal(fault.error):
        kinds = _kinds(fault)
        hurt = tuple(person for person in fault.hurt if not works(*(person_proof(kind, person) for kind in kinds)))
        is_over = not hurt
    else:
        hurt = fault.hurt
        is_over = works(*_proofs(fault))
    if not is_over and hurt == fault.hurt:
        return notice
    data = write_fault(replace(fault, hurt=hurt))
    return replace(notice, data=data, over_at=notice.read_at if is_over else None)


def with_check(notice: Notice, by: UserId, state: FaultState) -> Notice:
    """Return the notice of a fault after a check (pure). If the result is REPAIRED, the notice is over.

    - `by`: the administrator who asked for the check.
    - `state`: the result of the check.
    """
    fault = replace(read_fault(notice.data), checked_at=notice.read_at, checked_by=by, state=state)
    over_at = notice.over_at or (notice.read_at if state is FaultState.REPAIRED else None)
    return replace(notice, data=write_fault(fault), over_at=over_at)


def is_personal(error: CobrowseError) -> bool:
    """Return whether an error concerns one person, so that other people's requests still succeed.

    Such an error is about the person's license, the person's own account, or the person's division.
    """
    if isinstance(error, PermissionMissingError):
        return error.code == "user_permission_missing" or (bool(error.words) and not _is_about_directory(error))
    if isinstance(error, LoginRefusedError):
        return error.code == "connect_client_refused"  # people without a linked account do not notice it
    return isinstance(error, InvalidHostError)


def _is_about_directory(error: CobrowseError) -> bool:
    """Return whether the bot may not search users. This hits only people whose host it does not know yet."""
    return isinstance(error, PermissionMissingError) and error.needs.startswith("directory:")


def _proofs(fault: Fault) -> tuple[str, ...]:
    """Return the names of the successes that show that a fault is over. One of them is enough."""
    match fault.error:
        case TokenRefusedError() | LoginRefusedError():
            return WITH_TOKEN
        case PermissionMissingError(needs=needs):
            return (needs,)
        case SlackUnavailableError(lookup=lookup):
            return (lookup or RequestKind.SHARE,)  # only the look-up of a channel has no name
        case UnknownApplicationError(application_id=application_id):
            return application_proof(application_id), application_proof("")
        case SendRejectedError(setting=setting) if setting:
            return (text_proof(setting),)
    return _kinds(fault)


def _kinds(fault: Fault) -> tuple[RequestKind, ...]:
    """Return the kinds of the failed requests. If one of them is START or STEP, return both."""
    starts = (RequestKind.START, RequestKind.STEP)
    return _merged(fault.kinds, starts if set(fault.kinds) & set(starts) else ())


def _person(hit: Hit) -> UserId:
    is_agent = is_personal(hit.error) or _is_about_directory(hit.error)
    return hit.request.agent if is_agent else hit.request.requester


def _reference(error: CobrowseError) -> str:
    return (error.reference if isinstance(error, ServiceError) else None) or ""


def _merged(first: Sequence[Any], second: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class FaultReports:
    """Reports faults to the administrators, and checks whether a fault is fixed (RECHECK).

    - `worked`: mappings that say when something last worked, as `time.monotonic()` values. `with_successes` describes
      the keys.
    - `name_fault`: returns the name of the fault that caused an error; None if administrators cannot fix the cause.
    """

    def __init__(
        self,
        board: NoticeBoard,
        worked: Sequence[Mapping[str, float]],
        access: AccessPolicy,
        probe: SetupProbe,
        name_fault: Callable[[CobrowseError], str | None],
        timing: NoticeTiming,
    ) -> None:
        self._board, self._worked, self._access, self._probe = board, worked, access, probe
        self._name_fault, self._timing = name_fault, timing
        self._waiting: dict[str, list[Hit]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        board.follow(NoticeKind.FAULT, self._update, self._save_waiting)

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request. The `argument` of RECHECK is the name of the fault."""
        return {RequestKind.RECHECK: QueryHandler(self.check_again)}

    async def record(self, request: Request, error: CobrowseError) -> None:
        """Add a failed request to the notice of its fault.

        Do nothing if administrators cannot fix the cause. If the database fails, the bot adds the request later. Never
        raises. After the write, spend up to `NoticeTiming.report_timeout` on who will get the notice.
        """
        name = self._name_fault(error)
        if name is None:
            return
        self._waiting.setdefault(name, []).append(Hit(request, error))
        try:
            await self._save(name)
            with suppress(TimeoutError):  # look-ups of administrators may wait for Slack
                async with asyncio.timeout(self._timing.report_timeout):
                    await self._board.expect(NoticeKind.FAULT, name)
        except StorageUnavailableError:
            log.warning("a fault is reported later", extra={"fields": {"request": request.id}})
        except Exception:
            log.exception("a fault was not reported", extra={"fields": {"request": request.id}})

    async def tell(self, request: Request, error: CobrowseError, seconds: float) -> tuple[str, ...] | None:
        """Add a failed request to the notice of its fault, because its requester pressed *Tell …*.

        Wait up to `seconds` until Slack accepts a message of the notice. Return the ids of the users and channels that
        got a message; () if nobody got one, or if administrators cannot fix the cause.

        If the fault ended after the failed request was accepted, return None and do nothing else: the requester can try
        again. Raises StorageUnavailableError if the database fails.
        """
        name = self._name_fault(error)
        if name is None:
            return ()
        notice = await self._board.find(NoticeKind.FAULT, name)
        if notice.over_at and notice.over_at > request.accepted_at:
            return None
        self._waiting.setdefault(name, []).append(Hit(request, error))
        await self._save(name)
        return await self._board.delivered(NoticeKind.FAULT, name, seconds)

    async def check_again(self, request: Request) -> FaultChecked:
        """Check whether a fault is fixed, and show the result in the messages about the fault.

        If the fault is already over, return REPAIRED without a check. Raises PermissionDeniedError if the requester may
        not start sessions, and RoleRequiredError if the requester is not an administrator.
        """
        await self._access.require_member(request)
        if await self._access.role(request.requester, request.team_id) is not Role.ADMIN:
            raise RoleRequiredError("may_not_check")
        name = request.argument or ""
        notice = await self._board.find(NoticeKind.FAULT, name)
        if not notice.data or notice.over_at:
            return FaultChecked(FaultState.REPAIRED)
        state = await self._check(read_fault(notice.data), request.team_id)

        def edit(now: Notice) -> Notice | None:
            return with_check(now, request.requester, state) if now.data else None

        await self._board.change(NoticeKind.FAULT, name, edit)
        return FaultChecked(state)

    async def _check(self, fault: Fault, team_id: TeamId) -> FaultState:
        if isinstance(fault.error, SlackUnavailableError):
            try:
                await self._access.look_up(fault.error.subject)
                await self._access.role(fault.people[-1], team_id)
            except SlackUnavailableError:
                return FaultState.FAILING
            return FaultState.REPAIRED
        is_repaired = await self._probe.is_repaired(fault.error)
        if is_repaired is None:
            return FaultState.UNKNOWN
        return FaultState.REPAIRED if is_repaired else FaultState.FAILING

    async def _update(self, notice: Notice) -> bool:
        now = time.monotonic()
        ages = {name: now - at for each in self._worked for name, at in each.items()}
        if with_successes(notice, ages) == notice:
            return False

        def edit(newest: Notice) -> Notice | None:
            changed = with_successes(newest, ages)
            return changed if changed != newest else None

        return await self._board.change(NoticeKind.FAULT, notice.key, edit) is not None

    async def _save_waiting(self) -> None:
        for name in list(self._waiting):
            await self._save(name)

    async def _save(self, name: str) -> None:
        async with self._locks.setdefault(name, asyncio.Lock()):  # failures during a write share the next write
            hits = self._waiting.pop(name, None)
            if not hits:
                return
            try:
                await self._board.change(
                    NoticeKind.FAULT, name, lambda notice: with_hits(notice, hits, self._timing.renewal_seconds)
                )
            except StorageUnavailableError:
                self._waiting[name] = [*hits, *self._waiting.get(name, [])][-MAX_UNSAVED:]
                raise
