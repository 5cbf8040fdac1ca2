"""Failures as plain data: each class comes back as it was, and what cannot be read is a failure nonetheless."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk import errors
from bot.desk.errors import CobrowseError, HostNotFound, Interrupted, Miss, NotAMember, Unexpected
from bot.desk.models import Standing
from bot.desk.records import from_record, to_record


def and_below(kind: type[CobrowseError]) -> Iterator[type[CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from and_below(below)


KINDS = sorted({kind for kind in and_below(CobrowseError) if kind.__module__ == errors.__name__}, key=str)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {field.name for kind in KINDS if is_dataclass(kind) for field in fields(kind)}
RECORDS = st.fixed_dictionaries({"error": st.sampled_from([kind.__name__ for kind in KINDS]) | JSON}) | st.just({})
MORE = st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(max_size=5).filter(lambda name: name != "error"), JSON)


def values(error: CobrowseError) -> dict[str, Any]:
    return {field.name: getattr(error, field.name) for field in fields(error)} if is_dataclass(error) else {}


def filled(kind: type[CobrowseError]) -> st.SearchStrategy[CobrowseError]:
    """One with anything its types allow in each of its fields."""
    hints = get_type_hints(kind)
    known = {float | None: st.none() | st.floats(allow_nan=False), float: st.floats(allow_nan=False)}
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    return st.builds(kind, **{name: known.get(hints[name], st.from_type(hints[name])) for name in names})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_failure_survives_being_written_down(kind: type[CobrowseError], data: st.DataObject) -> None:
    error = data.draw(filled(kind))
    again = from_record(json.loads(json.dumps(to_record(error))))
    assert type(again) is kind
    assert values(again) == values(error)
    assert again.try_again is error.try_again


def test_what_is_no_plain_data_comes_back_with_its_type() -> None:
    bot = from_record(json.loads(json.dumps(to_record(NotAMember("U0BEN", Standing.BOT, True)))))
    assert isinstance(bot, NotAMember)
    assert bot.standing is Standing.BOT
    lost = from_record(json.loads(json.dumps(to_record(HostNotFound("U0UNA", False, (Miss("hosts file", "no"),))))))
    assert isinstance(lost, HostNotFound)
    assert lost.tried == (Miss("hosts file", "no"),)


def test_a_field_that_a_newer_program_added_is_passed_over() -> None:
    again = from_record({"error": "Interrupted", "maybe_created": True, "by_whom": "the weather"})
    assert isinstance(again, Interrupted)
    assert again.maybe_created


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"error": "Meteorite"},
        {"error": "Interrupted"},
        {"error": "NotAMember", "user_id": "U0BEN", "standing": "emperor", "is_target": False},
        {"error": "HostNotFound", "user_id": "U0BEN", "is_target": False, "tried": [{"rule": "x"}]},
    ],
)
def test_what_this_version_cannot_read_is_unexpected_and_not_a_crash(record: dict[str, Any]) -> None:
    assert type(from_record(record)) is Unexpected


@given(record=RECORDS, more=MORE)
def test_whatever_stands_there_comes_back_as_some_failure(record: dict[str, Any], more: dict[str, Any]) -> None:
    error = from_record(record | more)
    assert type(error) is Unexpected or type(error).__name__ == record["error"]
