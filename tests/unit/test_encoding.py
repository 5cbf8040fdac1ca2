"""What is sent as JSON is the same with and without the extra that is quicker at it."""

import json
from datetime import UTC, datetime

import pytest

from bot import encoding
from bot.encoding import encode
from tests.support.storage import session


@pytest.fixture(params=["with orjson", "without"], autouse=True)
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(encoding, "_quick", None)
    else:
        assert encoding._quick, "the extra `fast` is part of what the tests need"


@pytest.mark.parametrize(
    "value",
    [
        {"text": "Grüße “Ana” \u2028 \x00", "blocks": [{"type": "section", "n": 1.5}], "replace_original": False},
        {"text": "half a pair: \ud83d"},
        {"most": 2**70},
        ["", None, True],
    ],
)
def test_it_reads_back_as_what_it_was(value: object) -> None:
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize("value", [object(), datetime.now(UTC), session()], ids=["object", "datetime", "dataclass"])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode({"value": value})
