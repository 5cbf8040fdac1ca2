"""The HTTP receiver against random requests, signed and not: none gets a 5xx."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.support.app import Journey
from tests.support.signed_http import COMMAND, FORM, JSON, post, signed

words = st.text(max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "payload",
    "command",
    "text",
    "type",
    "user",
    "user_id",
    "team",
    "team_id",
    "actions",
    "event",
    "view",
    "token",
]
objects = st.dictionaries(st.sampled_from(FIELDS) | words, json_values, max_size=6)
kinds = st.sampled_from(["block_actions", "view_submission", "view_closed", "event_callback", "url_verification", "x"])
typed = st.builds(lambda fields, kind: fields | {"type": kind}, objects, kinds)
bodies = st.one_of(
    st.binary(max_size=200),
    words.map(str.encode),
    objects.map(lambda fields: urlencode(fields).encode()),
    objects.map(lambda fields: urlencode(COMMAND | fields).encode()),
    (objects | typed | json_values).map(lambda value: urlencode({"payload": json.dumps(value)}).encode()),
    (objects | typed | json_values).map(lambda value: json.dumps(value).encode()),
)
content_types = st.sampled_from([FORM, JSON, f"{FORM}; charset=utf-8", f"{JSON}; charset=latin-1", "text/plain", ""])
header_values = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@seed(20261122)
@settings(
    max_examples=400,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    body=bodies,
    content_type=content_types,
    forged=st.fixed_dictionaries(
        {}, optional={"X-Slack-Signature": header_values, "X-Slack-Request-Timestamp": header_values}
    ),
)
async def test_no_request_whatever_gets_a_5xx(
    over_http: Journey, body: bytes, content_type: str, forged: dict[str, Any]
) -> None:
    status = await post(over_http, body, signed(over_http, body) | forged, content_type)
    assert 200 <= status < 500
    assert not forged or status != 200
