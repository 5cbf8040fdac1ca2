"""JSON for what is sent at every command: by orjson where it is installed (the extra `fast`), else by Python's own."""

import json
from collections.abc import Callable
from functools import partial

_quick: Callable[[object], bytes] | None = None
try:
    import orjson
except ImportError:
    pass
else:  # no more than Python's own takes: a dataclass may hold what nobody meant to send
    _quick = partial(orjson.dumps, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME)


def encode(value: object) -> bytes:
    """JSON, as UTF-8. Raises TypeError and ValueError as json.dumps does."""
    if _quick:
        try:
            return _quick(value)
        except TypeError:  # such as half a surrogate pair, which people can paste, and which Python's own escapes
            pass
    return json.dumps(value).encode()
