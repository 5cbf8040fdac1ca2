"""What the results of requests say about Genesys and Slack: what works, and the newest failure."""

from typing import Any

import pytest

from bot.core import errors
from bot.core.models import ChannelId, RequestKind, Role, SessionStarted, UserId
from bot.core.requests.events import RequestFinished, ServiceStatus, application_proof, person_proof, proofs_of
from bot.core.results import (
    Applications,
    CommandSuggested,
    CustomerMessageSent,
    Help,
    OpenSession,
    Result,
    SentDirect,
    SessionEnded,
    SessionShared,
)
from bot.core.validation.contact import read_address
from tests.support.everything import record
from tests.support.storage import request, session

BEN = UserId("U0BEN")
START, SEND, END = RequestKind.START, RequestKind.SEND, RequestKind.END
APPS, SHARE = RequestKind.APPS, RequestKind.SHARE
SENT = CustomerMessageSent(record(), read_address("joe@example.com"))


def finished(result: Result, create_seconds: float = 0.0, **changes: Any) -> RequestFinished:
    return RequestFinished(request(**changes), result, True, 0.1, create_seconds)


def test_created_session_proves_starts_the_agent_and_the_application() -> None:
    asked = finished(SessionStarted(session()), 0.1, target=BEN)
    proved = {START, person_proof(START, BEN), application_proof(session().application_id)}
    assert set(proofs_of(asked)) == proved | {application_proof("")}
    chosen = finished(SessionStarted(session()), 0.1, target=BEN, application_id="portal")
    assert set(proofs_of(chosen)) == proved


def test_session_of_a_duplicate_request_proves_nothing() -> None:
    assert list(proofs_of(finished(SessionStarted(session())))) == []


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (START, CommandSuggested("end", ())),
        (START, OpenSession(record())),
        (SEND, SENT),  # before a crash
        (END, SessionEnded(record())),  # it was over already
        (APPS, Applications((), "web")),  # the public API has none
        (RequestKind.HELP, Help(Role.MEMBER)),
        (START, errors.QueueTooLongError(wait_seconds=9)),
    ],
)
def test_result_without_a_call_proves_nothing(kind: RequestKind, result: Result) -> None:
    assert list(proofs_of(finished(result, kind=kind))) == []


def test_result_of_a_call_proves_its_kind() -> None:
    asked = request(kind=END)
    ended = RequestFinished(asked, SessionEnded(record(ended_by=asked.id)), True, 0.1)
    assert list(proofs_of(ended)) == [END, person_proof(END, asked.agent)]
    assert SEND in proofs_of(finished(SENT, 0.1, kind=SEND))
    listed = finished(Applications((("web", "Web"),), "web"), kind=APPS, target=BEN)
    assert list(proofs_of(listed)) == [APPS, person_proof(APPS, BEN)]
    assert list(proofs_of(finished(SessionShared(record(), ChannelId("C0CARE")), kind=SHARE))) == [SHARE]
    assert list(proofs_of(finished(SentDirect(record()), kind=RequestKind.DIRECT))) == [RequestKind.DIRECT]


@pytest.mark.parametrize(
    "error",
    [
        errors.NoUsableConversationError(code="no_conversation"),
        errors.SeveralConversationsError(candidates=()),
        errors.SignInRequiredError(off=""),
        errors.SignInExpiredError(),
        errors.ConversationActiveError(),
    ],
    ids=lambda error: error.code,
)
def test_situation_of_an_agent_is_no_failure_of_genesys(error: errors.ServiceError) -> None:
    status, fault = ServiceStatus(), errors.SignInRequiredError(off="client")
    status.record_event(finished(error))
    assert status.failure is None
    status.record_event(finished(fault))
    status.record_event(finished(error))
    assert status.failure
    assert status.failure.error is fault
