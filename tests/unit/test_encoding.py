"""JSON is what Python's own makes and reads, but for white space and escapes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.encoding import decode_json, encode_json

TEXTS = st.text(st.characters())  # with halves of surrogate pairs
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_value_survives_in_either_encoding(value: object) -> None:
    assert json.loads(encode_json(value)) == value
    assert decode_json(json.dumps(value).encode()) == value


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert encode_json({"name": "\ud83d"}) == b'{"name": "\\ud83d"}'
    assert decode_json(b'{"name": "\\ud83d"}') == {"name": "\ud83d"}


@pytest.mark.parametrize("data", [b"", b"{", b"<html></html>", b'{"a": "\xff"}', b"nul"])
def test_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_json(data)


def test_json_that_is_nested_too_deep_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        decode_json(b"[" * 100_000)


def test_value_that_json_cannot_represent_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        encode_json({"at": object()})
