"""JSON for what is sent at every command: by orjson where it is installed (the extra `fast`), else by Python's own."""

import importlib
import importlib.util
import json
from collections.abc import Callable
from typing import cast

_quick = (
    cast(Callable[[object], bytes], importlib.import_module("orjson").dumps)
    if importlib.util.find_spec("orjson")
    else None
)


def encode(value: object) -> bytes:
    """JSON, as UTF-8. Raises TypeError and ValueError as json.dumps does."""
    if _quick:
        try:
            return _quick(value)
        except TypeError:  # such as half a surrogate pair, which people can paste, and which Python's own escapes
            pass
    return json.dumps(value).encode()
