"""Encode and decode JSON with orjson, which takes less CPU than Python's `json`.

orjson refuses a text with half of a surrogate pair. A person can paste such a text, and a name that was cut off can end
with such a half. For a value that orjson refuses, the functions use Python's `json`.
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
    """Decode JSON. Raises ValueError if `data` is not JSON, and RecursionError if its objects are nested too deep."""
    try:
        return orjson.loads(data)
    except ValueError:
        return json.loads(data)
