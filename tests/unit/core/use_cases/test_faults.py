"""The content of a notice about a fault after failures, successes and checks (pure)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core import errors
from bot.core.errors import CobrowseError
from bot.core.models import HostId, Notice, NoticeKind, RequestKind, TeamId, UserId
from bot.core.requests.events import application_proof, person_proof
from bot.core.results import FaultState
from bot.core.use_cases.faults import (
    MAX_PEOPLE,
    Hit,
    is_personal,
    read_fault,
    with_check,
    with_hits,
    with_successes,
    write_fault,
)
from tests.support.cases import each_case
from tests.support.errors import ERRORS, name_of
from tests.support.storage import request

NOW = datetime(2026, 5, 4, 13, 52, tzinfo=UTC)
HOUR = 3600.0
ANA, BEN, SAM, ADA = (UserId(f"U0{name}") for name in ("ANA", "BEN", "SAM", "ADA"))
TOKEN = errors.TokenRefusedError(reference="corr-7")
LICENSE = errors.InvalidHostError(host_id=HostId("h-1"))
SEARCH = errors.PermissionMissingError(needs="directory:user:view")
NOT_POSTED = errors.SharingError("message_not_posted", passes=False)
GROUP = errors.SlackUnavailableError("missing_scope", passes=False, subject="S0LEADS")
NO_SHOP = errors.UnknownApplicationError(application_id="shop")


def hit(who: UserId = ANA, error: CobrowseError = TOKEN, **changes: Any) -> Hit:
    return Hit(request(requester=who, **changes), error)


def nothing(minutes: float = 0, **changes: Any) -> Notice:
    """Return a notice that is not stored yet. It is read `minutes` after NOW."""
    at = NOW + timedelta(minutes=minutes)
    return Notice(kind=NoticeKind.FAULT, key="k", team_id=TeamId(""), opened_at=at, read_at=at, **changes)


def later(notice: Notice, minutes: float) -> Notice:
    """Return the notice as it is read `minutes` later."""
    return replace(notice, read_at=notice.read_at + timedelta(minutes=minutes))


def failing(*hits: Hit) -> Notice:
    return with_hits(nothing(), hits or (hit(),), HOUR)


def test_fault_of_a_newer_version_is_read_without_what_is_new() -> None:
    data = failing().data | {"kinds": ["start", "a later kind"], "state": "a later state"}
    fault = read_fault(data)
    assert (fault.kinds, fault.state, fault.people) == ((RequestKind.START,), None, (ANA,))


def test_first_failure_opens_a_fault() -> None:
    asked = hit()
    notice = with_hits(nothing(), [asked], HOUR)
    fault = read_fault(notice.data)
    assert (fault.since, fault.last, notice.opened_at, notice.over_at) == (NOW, NOW, NOW, None)
    assert fault.people == fault.hurt == (ANA,)
    assert fault.references == ((asked.request.id, "corr-7"),)
    assert notice.team_id == asked.request.team_id


def test_people_count_once_and_the_newest_references_stay() -> None:
    notice = failing(hit(ANA), hit(ANA), hit(BEN))
    hits = [hit(SAM), hit(ANA)]
    fault = read_fault(with_hits(later(notice, 5), hits, HOUR).data)
    assert fault.people == (ANA, BEN, SAM)
    assert fault.since == NOW
    assert fault.last == NOW + timedelta(minutes=5)
    assert [ours for ours, _ in fault.references][-2:] == [each.request.id for each in hits]
    assert len(fault.references) == 3


def test_people_are_bounded() -> None:
    hits = [hit(UserId(f"U{number}")) for number in range(MAX_PEOPLE + 50)]
    assert len(read_fault(failing(*hits).data).people) == MAX_PEOPLE


def test_fault_that_lasts_an_hour_gets_new_messages_and_keeps_its_start() -> None:
    within = with_hits(later(failing(), 59), [hit(BEN)], HOUR)
    assert within.opened_at == NOW
    beyond = with_hits(later(within, 1), [hit(BEN)], HOUR)
    assert beyond.opened_at == NOW + timedelta(minutes=60)
    assert read_fault(beyond.data).since == NOW
    assert read_fault(beyond.data).people == (ANA, BEN)


def test_fault_that_was_over_for_an_hour_counts_from_zero() -> None:
    over = with_successes(later(failing(), 10), {RequestKind.START: 60.0})
    assert over.over_at
    again = with_hits(later(over, 51), [hit(BEN)], HOUR)
    fault = read_fault(again.data)
    assert (fault.people, fault.since, again.over_at) == ((BEN,), again.read_at, None)
    soon = with_hits(later(over, 5), [hit(BEN)], HOUR)
    assert read_fault(soon.data).people == (ANA, BEN)
    assert (soon.over_at, soon.opened_at) == (None, NOW)


@pytest.mark.parametrize(
    ("error", "kind", "worked", "is_over"),
    [
        (TOKEN, RequestKind.START, RequestKind.START, True),
        (TOKEN, RequestKind.WHOAMI, RequestKind.APPS, True),
        (TOKEN, RequestKind.WHOAMI, RequestKind.END, False),  # it may have sent no token
        (TOKEN, RequestKind.START, RequestKind.SHARE, False),
        (errors.PermissionMissingError(needs="x:y"), RequestKind.SEND, RequestKind.SEND, False),
        (errors.PermissionMissingError(needs="x:y"), RequestKind.SEND, "x:z", False),
        (errors.PermissionMissingError(needs="x:y"), RequestKind.SEND, "x:y", True),
        (SEARCH, RequestKind.START, person_proof(RequestKind.START, ANA), False),
        (SEARCH, RequestKind.START, "directory:user:view", True),
        (NO_SHOP, RequestKind.STEP, RequestKind.START, False),
        (NO_SHOP, RequestKind.STEP, application_proof("portal"), False),
        (NO_SHOP, RequestKind.STEP, application_proof("shop"), True),
        (NO_SHOP, RequestKind.STEP, application_proof(""), True),  # the setting names another one now
        (errors.CreateCallMissingError(), RequestKind.STEP, RequestKind.START, True),
        (NOT_POSTED, RequestKind.SHARE, RequestKind.SHARE, True),
        (NOT_POSTED, RequestKind.SHARE, RequestKind.START, False),
        (GROUP, RequestKind.START, RequestKind.START, False),
        (GROUP, RequestKind.START, errors.PERSON_LOOKUP, False),
        (GROUP, RequestKind.START, "S0LEADS", True),
        (replace(GROUP, subject="U0ANA"), RequestKind.START, errors.PERSON_LOOKUP, True),
        (replace(GROUP, subject=""), RequestKind.SHARE, RequestKind.SHARE, True),  # it looked up a channel
    ],
)
def test_success_of_what_failed_ends_a_fault(
    error: CobrowseError, kind: RequestKind, worked: str, is_over: bool
) -> None:
    notice = later(failing(hit(error=error, kind=kind)), 10)
    found = with_successes(notice, {worked: 60.0})
    assert (found.over_at == notice.read_at) == is_over
    assert (found == notice) == (not is_over)


def test_success_from_before_the_newest_failure_proves_nothing() -> None:
    notice = later(failing(), 10)
    assert with_successes(notice, {RequestKind.START: 601.0}) == notice


def test_fault_of_single_people_is_over_once_each_of_them_works() -> None:
    notice = later(failing(hit(ANA, LICENSE), hit(BEN, LICENSE)), 10)
    assert with_successes(notice, {RequestKind.START: 1.0, person_proof(RequestKind.START, SAM): 1.0}) == notice
    one = with_successes(notice, {person_proof(RequestKind.STEP, ANA): 60.0})
    assert one.over_at is None
    assert read_fault(one.data).hurt == (BEN,)
    assert read_fault(one.data).people == (ANA, BEN)
    both = with_successes(later(one, 1), {person_proof(RequestKind.START, BEN): 1.0})  # another replica saw the other
    assert both.over_at == both.read_at


def test_fault_of_a_session_for_another_hits_the_agent() -> None:
    assert read_fault(failing(hit(SAM, LICENSE, target=ANA)).data).people == (ANA,)
    assert read_fault(failing(hit(SAM, TOKEN, target=ANA)).data).people == (SAM,)


def test_permission_to_search_people_hits_those_who_are_not_known_yet() -> None:
    assert read_fault(failing(hit(SAM, SEARCH, target=ANA)).data).people == (ANA,)
    write = errors.PermissionMissingError(needs="cobrowse:session:write")
    assert read_fault(failing(hit(SAM, write, target=ANA)).data).people == (SAM,)


def test_look_up_that_slack_refuses_hits_the_requester() -> None:
    assert read_fault(failing(hit(BEN, GROUP, target=ANA)).data).people == (BEN,)


def test_division_hits_those_who_belong_to_it() -> None:
    assert is_personal(errors.PermissionMissingError(needs="x:y", words="no access to this division"))
    assert not is_personal(errors.PermissionMissingError(needs="x:y"))


@pytest.mark.parametrize("state", FaultState)
def test_check_ends_a_fault_only_if_it_is_repaired(state: FaultState) -> None:
    notice = later(failing(), 3)
    checked = with_check(notice, ADA, state)
    fault = read_fault(checked.data)
    assert (fault.checked_by, fault.checked_at, fault.state) == (ADA, notice.read_at, state)
    assert (checked.over_at is not None) == (state is FaultState.REPAIRED)


@each_case("error", ERRORS, ids=name_of)
def test_fault_is_the_same_after_it_was_stored(error: CobrowseError) -> None:
    fault = read_fault(failing(hit(error=error)).data)
    assert write_fault(read_fault(json.loads(json.dumps(write_fault(fault))))) == write_fault(fault)
