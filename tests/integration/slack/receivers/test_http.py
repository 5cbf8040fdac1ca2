"""The HTTP receiver and requests that are not Slack's: each gets a 4xx, never a 5xx, and the next command works."""

import asyncio
import json
import logging
import time
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import pytest

from bot.core.timing import SLACK_TIMING, SlackTiming
from tests.support.app import Journey, link, open_journey
from tests.support.signed_http import COMMAND, FORM, GOOD, JSON, head, post, raw, signed


async def test_signed_request_is_served(over_http: Journey) -> None:
    assert await post(over_http, GOOD, signed(over_http, GOOD)) == 200


@pytest.mark.parametrize("seconds_off", [-301, -86_400, 400, 86_400])
async def test_a_timestamp_too_far_off_is_refused(over_http: Journey, seconds_off: int) -> None:
    headers = signed(over_http, GOOD, at=str(int(time.time()) + seconds_off))
    assert await post(over_http, GOOD, headers) == 401


@pytest.mark.parametrize("at", ["", "now", "1e9", "-5", "0x10", "1.5", "٣", "9" * 400, "0", " ", "nan", "inf"])
async def test_a_timestamp_that_is_no_time_is_refused(over_http: Journey, at: str) -> None:
    assert await post(over_http, GOOD, signed(over_http, GOOD, at=at)) == 401


@pytest.mark.parametrize(
    "signature",
    ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "ü" * 64, "v0=" + "é" * 64, "v0=" + "G" * 64, "x" * 5000],
)
async def test_a_signature_that_does_not_fit_is_refused(over_http: Journey, signature: str) -> None:
    headers = signed(over_http, GOOD) | {"X-Slack-Signature": signature}
    assert await post(over_http, GOOD, headers) == 401


async def test_signature_of_another_secret_or_body_is_refused(over_http: Journey) -> None:
    assert await post(over_http, GOOD, signed(over_http, GOOD, secret="another")) == 401
    assert await post(over_http, GOOD, signed(over_http, GOOD, secret="")) == 401
    assert await post(over_http, GOOD + b"x", signed(over_http, GOOD)) == 401


@pytest.mark.parametrize("missing", ["X-Slack-Signature", "X-Slack-Request-Timestamp", "both"])
async def test_a_request_without_its_headers_is_refused(over_http: Journey, missing: str) -> None:
    headers = {name: value for name, value in signed(over_http, GOOD).items() if missing not in (name, "both")}
    assert await post(over_http, GOOD, headers) == 401


async def test_unsigned_requests_reach_no_listener(over_http: Journey, caplog: pytest.LogCaptureFixture) -> None:
    body = urlencode(COMMAND | {"text": "", "trigger_id": "1"}).encode()
    assert await post(over_http, body, signed(over_http, body, secret="another")) == 401
    await over_http.finish()
    assert over_http.genesys.calls == []
    assert over_http.slack.count("users.info") == 0
    assert "trigger_id" not in caplog.text
    assert "refused" in [record.getMessage() for record in caplog.records]  # by ours: Bolt's check is the second


BODIES = [
    (b"no form at all", FORM, 400),
    (GOOD + b"&odd", FORM, 400),
    (GOOD + b"&", FORM, 400),
    (b"{}", FORM, 400),
    (json.dumps(COMMAND).encode(), FORM, 400),
    (b"\xff\xfe\x00", FORM, 400),
    (b"payload=", FORM, 400),
    (b"payload=nonsense", FORM, 400),
    (b"payload=%5B%5D", FORM, 400),
    (b"payload=1", FORM, 400),
    (b"payload=null", FORM, 400),
    (b"payload=" + quote_plus("[" * 20_000).encode(), FORM, 400),
    (b"&".join(b"a%d=1" % number for number in range(101)), FORM, 400),
    (b"[]", JSON, 400),
    (b"1", JSON, 400),
    (b'"text"', JSON, 400),
    (b"null", JSON, 400),
    (b"{", JSON, 400),
    (b"", JSON, 400),
    (b"[" * 60_000, JSON, 400),
    (GOOD, "text/plain", 415),
    (GOOD, "multipart/form-data; boundary=x", 415),
    (GOOD, "", 415),
    (b"x=" + b"y" * 65_536, FORM, 413),
    (b"x=1&payload=" + b"y" * 65_536, FORM, 413),
    (json.dumps({"type": "event_callback", "x": "y" * 65_536}).encode(), JSON, 413),
    (b'payload={"x":"' + b"y" * 65_536, JSON, 413),
    (b"payload=" + b"y" * 65_536, FORM, 400),
    (b"payload=" + b"y" * 1_048_576, FORM, 413),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BODIES, ids=range(len(BODIES)))
async def test_a_signed_body_that_cannot_be_read_is_refused(
    over_http: Journey, body: bytes, content_type: str, status: int
) -> None:
    assert await post(over_http, body, signed(over_http, body), content_type) == status
    assert link(await over_http.asks())


async def test_command_of_64_kib_and_press_of_a_mebibyte_are_taken(over_http: Journey) -> None:
    command = GOOD + b"&more=" + b"y" * (65_536 - len(GOOD) - 6)
    assert await post(over_http, command, signed(over_http, command)) == 200
    press = urlencode({"payload": json.dumps({"type": "view_closed", "x": ""})}).encode()
    press = press.replace(b"x%22%3A+%22", b"x%22%3A+%22" + b"y" * (1_048_576 - len(press)))
    assert await post(over_http, press, signed(over_http, press)) == 200


@pytest.mark.parametrize(("begins", "pieces"), [(b"payload=", 65), (b"command=", 5)])
async def test_a_body_too_large_in_pieces_is_refused(over_http: Journey, begins: bytes, pieces: int) -> None:
    start = head(over_http, "Transfer-Encoding: chunked")
    piece = b"4000\r\n" + begins + b"x" * (0x4000 - len(begins)) + b"\r\n"
    assert await raw(over_http, start + piece * pieces) == 413  # and the rest of it is not waited for


@pytest.mark.parametrize(("content_type", "announced"), [(JSON, 65_537), (FORM, 1_048_577)])
async def test_body_announced_too_large_is_refused_before_it_comes(
    over_http: Journey, content_type: str, announced: int
) -> None:
    assert await raw(over_http, head(over_http, f"Content-Length: {announced}", content_type)) == 413


@pytest.mark.parametrize("packed", ["gzip", "deflate", "br"])
async def test_nothing_is_unpacked(over_http: Journey, caplog: pytest.LogCaptureFixture, packed: str) -> None:
    """The signature covers the bytes as they came.

    Anybody can send a body that is malformed or a thousand times as large unpacked.
    """
    start = head(over_http, f"Content-Encoding: {packed}\r\nContent-Length: 5")
    assert await raw(over_http, start + b"xxxxx") == 401
    assert {record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING} == {"refused"}


async def test_without_signature_headers_no_body_is_waited_for(over_http: Journey) -> None:
    start = f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: {FORM}\r\nContent-Length: 500\r\n\r\n"
    assert await raw(over_http, start.encode()) == 401


@pytest.mark.parametrize("slack_timing", [SlackTiming(body_timeout=0.2)])
async def test_a_body_that_takes_too_long_is_refused(over_http: Journey) -> None:
    assert SLACK_TIMING.body_timeout == 5.0
    assert await raw(over_http, head(over_http, "Content-Length: 50") + b"abc") == 408


async def test_a_caller_that_hangs_up_in_the_middle_is_no_error(
    over_http: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(over_http.url)
    for _ in range(3):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 50\r\n\r\nabc")
        await writer.drain()
        writer.transport.abort()
    assert link(await over_http.asks())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("broken", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST /slack/events HTTP/9.9\r\n\r\n"])
async def test_request_that_is_no_http_gets_a_4xx(over_http: Journey, broken: bytes) -> None:
    assert await raw(over_http, broken) in (0, 400, 505)
    assert link(await over_http.asks())


async def test_other_methods_and_paths_are_told_so(over_http: Journey) -> None:
    async with aiohttp.ClientSession() as http:
        for method, path, status in (
            ("GET", "/slack/events", 405),
            ("PUT", "/slack/events", 405),
            ("DELETE", "/slack/events", 405),
            ("GET", "/", 404),
            ("POST", "/", 404),
            ("POST", "/healthz", 405),
            ("GET", "/healthz", 200),
        ):
            async with http.request(method, over_http.url + path) as response:
                assert (path, response.status) == (path, status)


@pytest.mark.parametrize(("secret", "status"), [(None, 200), ("5" * 32, 200), ("6" * 32, 401)])
async def test_either_of_two_signing_secrets_is_accepted(secret: str | None, status: int) -> None:
    async with open_journey(http=True, SLACK_SIGNING_SECRET_NEXT="5" * 32) as journey:
        assert await post(journey, GOOD, signed(journey, GOOD, secret=secret)) == status


async def test_clock_is_checked_by_either_signing_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with open_journey(http=True, SLACK_SIGNING_SECRET_NEXT="5" * 32) as journey:
        old = str(int(time.time()) - 1000)
        assert await post(journey, GOOD, signed(journey, GOOD, at=old, secret="5" * 32)) == 401
        assert "the clock differs from Slack's" in caplog.text
