"""Encode and decode JSON with orjson, which takes less CPU than Python's `json`.

orjson refuses some values, such as a text with only one half of a surrogate pair, which a person can paste. For these
values, the functions use Python's `json`.
"""

import json
from typing import Any

import orjson


def encode_json(value: object) -> bytes:
    """Encode a value as JSON in UTF-8. Raises TypeError if JSON cannot represent the value."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def decode_json(data: bytes) -> Any:
    """Decode JSON. Raises ValueError if `data` is not JSON, and RecursionError if the JSON is nested too deep."""
    try:
        return orjson.loads(data)
    except ValueError:
        return json.loads(data)
