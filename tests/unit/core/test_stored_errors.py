"""Errors as JSON records: each class is restored without a change, and an unreadable record is still an error."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC
from inspect import get_annotations
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import errors
from bot.core.errors import (
    AccountLinkError,
    CobrowseError,
    HostNotFoundError,
    InterruptedRequestError,
    LoginRefusedError,
    MissReason,
    NoUsableConversationError,
    PermissionMissingError,
    PersonNotAllowedError,
    RoleRequiredError,
    RuleMiss,
    SendRejectedError,
    ServiceFailedError,
    SessionAccessError,
    SessionActionError,
    SharingError,
    SignInRejectedError,
    SlackUnavailableError,
    UnexpectedError,
)
from bot.core.models import MembershipStatus, UserId
from bot.core.results import Success
from bot.core.stored_errors import CODES_OF_OLD_NAMES, field_names, from_record, to_record
from bot.core.validation.conversations import LiveConversation
from tests.support.cases import each_case


def and_below(kind: type[CobrowseError]) -> Iterator[type[CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from and_below(below)


KINDS = sorted({kind for kind in and_below(CobrowseError) if kind.__module__.startswith("bot.")}, key=str)
CODES = [(kind, code) for kind in KINDS for code in kind.possible_codes()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {field.name for kind in KINDS if is_dataclass(kind) for field in fields(kind)}
RECORDS = st.fixed_dictionaries({"code": st.sampled_from([code for _, code in CODES]) | JSON}) | st.just({})
MORE = st.dictionaries(
    st.sampled_from(sorted(FIELDS)) | st.text(max_size=5).filter(lambda name: name not in ("code", "error")), JSON
)


def values(error: CobrowseError) -> dict[str, Any]:
    return {field.name: getattr(error, field.name) for field in fields(error)} if is_dataclass(error) else {}


def filled(kind: type[CobrowseError], code: str) -> st.SearchStrategy[CobrowseError]:
    """Return a strategy for errors of this class and code, with any values that the types of their fields allow."""
    hints = get_type_hints(kind)
    whole = st.builds(LiveConversation, since=st.datetimes(timezones=st.just(UTC)), customer=st.just(""))
    known: dict[Any, Any] = {
        float | None: st.none() | st.floats(allow_nan=False),
        float: st.floats(allow_nan=False),
        tuple[LiveConversation, ...]: st.lists(whole, max_size=2).map(tuple),
    }
    found = {name: known.get(hints[name], st.from_type(hints[name])) for name in field_names(kind, code)}
    return st.builds(kind, **found | ({"code": st.just(code)} if "code" in found else {}))


@each_case(("kind", "code"), CODES, ids=[code for _, code in CODES])
def test_every_failure_survives_being_written_down(kind: type[CobrowseError], code: str) -> None:
    @settings(max_examples=max(25, 100 // len(kind.possible_codes())))  # a hundred or more for each class
    @given(error=filled(kind, code))
    def survives(error: CobrowseError) -> None:
        assert error.code == code
        again = from_record(json.loads(json.dumps(to_record(error))))
        assert type(again) is kind
        assert values(again) == values(error)
        assert again.try_again is error.try_again

    survives()


def test_typed_values_come_back_with_their_types() -> None:
    refused = PersonNotAllowedError("not_a_member", "U0BEN", MembershipStatus.BOT, is_target=True)
    bot = from_record(json.loads(json.dumps(to_record(refused))))
    assert isinstance(bot, PersonNotAllowedError)
    assert bot.code == "not_a_member"
    assert bot.standing is MembershipStatus.BOT
    lost = from_record(
        json.loads(json.dumps(to_record(HostNotFoundError("U0UNA", False, (RuleMiss("hosts file", "no"),)))))
    )
    assert isinstance(lost, HostNotFoundError)
    assert lost.tried == (RuleMiss("hosts file", "no"),)


def test_a_miss_keeps_the_people_it_is_about_and_an_earlier_version_reads_the_others() -> None:
    two = RuleMiss("hosts file", MissReason.TWO_HOSTS, (UserId("U1"), UserId("W1")))
    record = to_record(HostNotFoundError(UserId("U1"), False, (two, RuleMiss("same email", MissReason.NO_USER))))
    record = json.loads(json.dumps(record))
    assert record["tried"][1] == {"rule": "same email", "why": "no_user"}
    found = from_record(record)
    assert isinstance(found, HostNotFoundError)
    assert found.tried == (two, RuleMiss("same email", "no_user"))


def test_a_field_that_a_newer_program_added_is_passed_over() -> None:
    again = from_record({"code": "interrupted", "maybe_created": True, "by_whom": "the weather"})
    assert again.code == "interrupted"
    assert again.maybe_created


@each_case(
    "record",
    [
        {},
        {"code": "meteorite"},
        {"code": "interrupted"},
        {"code": "may_not_act_for_others"},
        {"code": "connect_off"},
        {"code": "no_such_host"},
        {"code": "several_open_sessions"},
        {"code": "share_refused"},
        {"code": "message_not_posted"},
        {"code": "not_in_conversation"},
        {"code": "conversation_kind_not_supported"},
        {"code": "not_a_member", "user_id": "U0BEN", "is_target": False},
        {"code": "not_a_member", "user_id": "U0BEN", "standing": "emperor", "is_target": False},
        {"code": "host_not_found", "user_id": "U0BEN", "is_target": False, "tried": [{"rule": "x"}]},
    ],
)
def test_unreadable_record_is_unexpected_and_not_a_crash(record: dict[str, Any]) -> None:
    assert type(from_record(record)) is UnexpectedError


@given(record=RECORDS, more=MORE)
def test_whatever_stands_there_comes_back_as_some_failure(record: dict[str, Any], more: dict[str, Any]) -> None:
    error = from_record(record | more)
    assert type(error) is UnexpectedError or error.code == record["code"]


def test_every_error_and_result_has_a_code_of_its_own() -> None:
    codes = [code for _, code in CODES] + [kind.code for kind in get_args(Success)]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
    assert all("code" in {**vars(kind), **get_annotations(kind)} for kind in (*KINDS, *get_args(Success)))


def test_record_holds_the_code_and_never_the_class() -> None:
    assert to_record(InterruptedRequestError("interrupted", maybe_created=True)) == {
        "code": "interrupted",
        "maybe_created": True,
    }


def test_record_leaves_out_the_fields_of_other_codes() -> None:
    records = [to_record(error) for error in ONE_FIELD_EACH]
    assert [{name: value for name, value in each.items() if name != "reference"} for each in records] == [
        {"code": "share_refused", "why": "closed"},
        {"code": "share_outcome_unknown", "is_direct": False},
        {"code": "message_not_posted", "slack_error": "fatal_error", "passes": True},
        {"code": "no_open_session", "ever": True, "agent": None},
        {"code": "several_open_sessions", "sessions": (("s-1", "Refund"),), "agent": None},
        {"code": "already_ended"},
        {"code": "no_conversation", "own": True},
        {"code": "conversation_kind_not_supported", "kinds": ("chat",)},
        {"code": "permission_missing", "needs": "a:b", "words": ""},
        {"code": "not_listed", "user_id": "U0BEN", "is_target": False},
    ]


ONE_FIELD_EACH = (
    SharingError("share_refused", "closed"),
    SharingError("share_outcome_unknown"),
    SharingError("message_not_posted", slack_error="fatal_error"),
    SessionActionError("no_open_session"),
    SessionActionError("several_open_sessions", sessions=(("s-1", "Refund"),)),
    SessionActionError("already_ended"),
    NoUsableConversationError(code="no_conversation"),
    NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat",)),
    PermissionMissingError(needs="a:b"),
    PersonNotAllowedError("not_listed", "U0BEN", is_target=False),
)


def test_record_names_a_detail_as_earlier_versions_do() -> None:
    records = [to_record(error) for error in DETAILED]
    assert records == [
        {"code": "sending_off", "medium": "sms"},
        {"code": "invalid_address", "why": "country"},
        {"code": "country_not_allowed", "country": "JP"},
        {"code": "text_too_long", "most": "765", "setting": "COBROWSE_SMS_TEXT_DE"},
    ]
    assert [values(from_record(record)) for record in records] == [values(error) for error in DETAILED]


DETAILED = (
    SendRejectedError("sending_off", "sms"),
    SendRejectedError("invalid_address", "country"),
    SendRejectedError("country_not_allowed", "JP"),
    SendRejectedError("text_too_long", "765", "COBROWSE_SMS_TEXT_DE"),
)

OLD_RECORDS = (
    ({"error": "Interrupted", "maybe_created": True}, InterruptedRequestError("interrupted", maybe_created=True)),
    (
        {"error": "OAuthRefused", "reference": "r", "code": "invalid_scope"},
        LoginRefusedError(oauth_error="invalid_scope", reference="r"),
    ),
    (
        {"error": "SignInFailed", "reference": None, "code": "invalid_grant"},
        LoginRefusedError(code="connect_failed", oauth_error="invalid_grant"),
    ),
    ({"error": "SlackUnavailable", "code": "ratelimited"}, SlackUnavailableError("ratelimited")),
    ({"error": "NotPosted", "code": "fatal_error"}, SharingError("message_not_posted", slack_error="fatal_error")),
    ({"error": "ServiceFault", "reference": "r"}, ServiceFailedError(reference="r")),
    ({"error": "NotBegun"}, InterruptedRequestError("not_started")),
    ({"error": "MayNotEnd", "agent": "U0A", "requester": "U0B"}, SessionAccessError("may_not_end", "U0A", "U0B")),
    ({"error": "MayNotActForOthers", "target": "U0B"}, RoleRequiredError("may_not_act_for_others", "U0B")),
    ({"error": "ConnectOff", "why": "key"}, AccountLinkError("connect_off", "key")),
    ({"error": "NotThatPerson", "reference": "r"}, SignInRejectedError("connect_wrong_user", "r")),
    ({"error": "NoSuchHost", "why": "no user"}, AccountLinkError("no_such_host", "no user")),
    ({"error": "EndedAlready"}, SessionActionError("already_ended")),
    ({"error": "SendingOff", "medium": "email"}, SendRejectedError("sending_off", "email")),
    ({"error": "BadAddress", "why": "none"}, SendRejectedError("invalid_address", "none")),
    ({"error": "CountryNotAllowed", "country": "JP"}, SendRejectedError("country_not_allowed", "JP")),
    ({"error": "TextTooLong", "most": 765}, SendRejectedError("text_too_long", "765")),
    ({"code": "text_too_long", "most": 765}, SendRejectedError("text_too_long", "765")),
    ({"code": "may_not_read_link", "agent": "A", "requester": "B"}, SessionAccessError("may_not_read_link", "A", "B")),
)


@each_case(
    ("record", "error"),
    OLD_RECORDS,
    ids=lambda each: each.get("error") or each["code"] if isinstance(each, dict) else "",
)
def test_record_of_the_version_before_codes_is_read(record: dict[str, Any], error: CobrowseError) -> None:
    again = from_record(record)
    assert type(again) is type(error)
    assert again.code == error.code
    assert values(again) == values(error)


def test_every_old_name_leads_to_an_error_of_today() -> None:
    assert set(CODES_OF_OLD_NAMES.values()) <= {code for _, code in CODES}


@pytest.mark.parametrize(
    "error",
    [
        errors.OutcomeUnknownError(),
        errors.UnusableAnswerError(why="no link", acted=True),
        errors.UnexpectedError(maybe_created=True),
        errors.InterruptedRequestError("interrupted", maybe_created=True),
        errors.InterruptedRequestError("session_over"),
        errors.SharingError("share_outcome_unknown"),
    ],
    ids=lambda error: error.code,
)
def test_error_that_may_have_acted_says_so_when_stored(error: errors.CobrowseError) -> None:
    assert errors.may_have_acted(from_record(to_record(error)))


@pytest.mark.parametrize(
    "error",
    [
        errors.PermissionMissingError(needs="p"),
        errors.ServiceFailedError(),
        errors.UnusableAnswerError(why="no list"),
        errors.UnexpectedError(),
        errors.InterruptedRequestError("interrupted"),
        errors.InterruptedRequestError("not_started"),
        errors.SharingError("share_refused", why="outside"),
    ],
    ids=lambda error: error.code,
)
def test_error_without_effect_says_so_when_stored(error: errors.CobrowseError) -> None:
    assert not errors.may_have_acted(from_record(to_record(error)))


def test_request_with_an_unreadable_error_may_have_acted() -> None:
    assert errors.may_have_acted(from_record({"code": "of_a_later_version"}))
