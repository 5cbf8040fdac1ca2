"""The HTTP servers and requests of strangers: how much is logged, the answers, and the check of the clock."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from bot.core.timing import ReceiverBounds, SlackTiming
from bot.observability.throttled_log import ThrottledLog
from bot.slack.receivers import http as endpoint
from tests.support import accounts
from tests.support.accounts import open_connecting, opens
from tests.support.app import Journey, free_port, link, open_journey
from tests.support.monitoring import get
from tests.support.signed_http import COMMAND, FORM, GOOD, JSON, head, post, raw, signed

simple = accounts.simple
HOUR = 3600
MARK = "eyJstrangersbytes"


def fields_of(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [getattr(record, "fields", {}) for record in caplog.records if record.getMessage() == message]


def lines_about(caplog: pytest.LogCaptureFixture, logger: str = "") -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.WARNING and each.name.startswith(logger)]


# -- How much is logged --


async def test_strangers_write_one_line_a_second_for_each_reason(
    over_http: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    headers = signed(over_http, GOOD, secret="another")
    for _ in range(50):
        assert await post(over_http, GOOD, headers) == 401
    assert await post(over_http, GOOD, {}) == 401
    await asyncio.sleep(1.1)
    refused = fields_of(caplog, "refused")
    by_reason: dict[object, list[object]] = {}
    for fields in refused:
        by_reason.setdefault(fields["why"], []).append(fields["count"])
    forged, unsigned = by_reason.values()
    assert forged[0] == 1
    assert sum(map(int, map(str, forged))) == 50
    assert len(forged) <= 4  # on a slow machine they take more than a second
    assert unsigned == [1]


@pytest.mark.parametrize(
    ("callbacks", "status", "message"), [(20, 400, "sign-in callback without a pending sign-in"), (0, 429, "refused")]
)
async def test_strangers_at_the_callback_write_one_line_a_second(
    caplog: pytest.LogCaptureFixture, callbacks: int, status: int, message: str
) -> None:
    caplog.set_level(logging.INFO)
    async with open_connecting(bounds=ReceiverBounds(callbacks=callbacks)) as journey:
        began = time.monotonic()
        for _ in range(40):
            assert (await opens(f"{journey.url}/genesys/callback?state={'x' * 43}&code=c")).status == status
        seconds = time.monotonic() - began
        await asyncio.sleep(1.1)
        counts = [fields["count"] for fields in fields_of(caplog, message)]
        assert len(counts) <= seconds + 2
        assert sum(map(int, map(str, counts))) == 40


async def test_a_throttled_log_loses_no_count_when_it_is_flushed(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("throttled")
    log.addHandler(caplog.handler)  # a test before this one may have set up the root logger's own
    log.setLevel(logging.WARNING)
    log.propagate = False
    refusals = ThrottledLog(log, interval_seconds=0.05)
    for number in range(7):
        refusals.warning("refused", "one", number=number)
    refusals.warning("refused", "two")
    refusals.flush()
    assert fields_of(caplog, "refused") == [{"number": 0, "count": 1}, {"count": 1}, {"number": 6, "count": 6}]
    refusals.warning("refused", "one")
    await asyncio.sleep(0.15)
    refusals.warning("refused", "one")
    assert len(fields_of(caplog, "refused")) == 5
    refusals.flush()


# -- What is not HTTP --

UNREADABLE = [
    f"GET /healthz HTTP/1.1\r\nHost: bot\r\n{MARK * 400}\r\n\r\n",
    f"GET /healthz?{MARK * 900} HTTP/1.1\r\nHost: bot\r\n\r\n",
    f"GET /healthz HTTP/1.1\r\nHost: bot\r\nX: {MARK * 900}\r\n\r\n",
    f"{MARK}\x00\r\n\r\n",
    f"GET /healthz HTTP/9.9{MARK}\r\n\r\n",
    f"GET /healthz HTTP/1.1\r\nHost: bot\r\nContent-Length: {MARK}\r\n\r\n",
    f"GET /healthz HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\n",
    f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\n",
    f"POST /else HTTP/1.1\r\nHost: bot\r\nContent-Length: 5\r\n\r\n12345{MARK}\r\n\r\n",
]


async def sends(url: str, request: str) -> bytes:
    """Send a request, and return the whole answer."""
    where, answer = urlsplit(url), b""
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(request.encode("latin-1"))
    with suppress(ConnectionError):
        async with asyncio.timeout(5):
            while piece := await reader.read(65_536):
                answer += piece
                if request.endswith("12345"):
                    break
    writer.close()
    return answer


@pytest.fixture(params=["PORT", "HEALTH_PORT", "Socket Mode's HEALTH_PORT"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Yield the URL of each of the bot's HTTP servers in turn. Nobody can connect an account."""
    if request.param == "PORT":
        async with open_journey(http=True) as journey:
            yield journey.url
        return
    port = free_port()
    async with open_journey(http=request.param == "HEALTH_PORT", HEALTH_PORT=str(port)):
        yield f"http://127.0.0.1:{port}"


async def test_bytes_that_are_not_http_are_one_line_without_them(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for request in UNREADABLE:
        caplog.clear()
        answer = await sends(url, request)
        assert b"HTTP/1.1 200" in answer or b" 40" in answer, request
        assert MARK.encode() not in answer
        assert MARK not in caplog.text
        assert len(lines_about(caplog)) <= 1, caplog.text
        assert [each for each in caplog.records if each.exc_info] == []
        assert all(len(each.getMessage()) < 100 for each in caplog.records)


async def test_many_requests_that_are_not_http_are_counted(url: str, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    for _ in range(30):
        assert b"400 Bad Request" in await sends(url, UNREADABLE[0])
    seconds = time.monotonic() - began
    await asyncio.sleep(1.1)
    counts = [fields["count"] for fields in fields_of(caplog, "Error handling request")]
    assert counts[0] == 1
    assert sum(map(int, map(str, counts))) == 30
    assert len(counts) <= seconds + 2


async def test_no_answer_names_the_software(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        for method, path in (("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/x"), ("POST", "/slack/events")):
            async with http.request(method, url + path) as answer:
                assert "Server" not in answer.headers
    for request in UNREADABLE:
        said = (await sends(url, request)).lower()
        assert b"aiohttp" not in said
        assert b"python" not in said


# -- What is refused holds no place --


async def test_a_refused_connection_ends_at_once(over_http: Journey) -> None:
    where = urlsplit(over_http.url)
    for start in (
        f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: {FORM}\r\nContent-Length: 500\r\n\r\n".encode(),
        b"GET /healthz HTTP/1.1\r\nHost: bot\r\nContent-Length: 500\r\n\r\n",
        head(over_http, "Content-Length: 9000000"),
    ):
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(start)
        began = time.monotonic()
        async with asyncio.timeout(9):
            assert b"HTTP/1.1" in await reader.read()
        assert time.monotonic() - began < 2
        writer.close()


@pytest.mark.parametrize("off", [-301, 301, -86_400])
@pytest.mark.parametrize("length", ["Content-Length: 65537", "Transfer-Encoding: chunked"])
async def test_an_old_timestamp_is_refused_before_its_body_comes(over_http: Journey, off: int, length: str) -> None:
    fields = "".join(f"{name}: {value}\r\n" for name, value in signed(over_http, b"", at=at(off)).items())
    start = f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: {FORM}\r\n{fields}{length}\r\n\r\n"
    assert await raw(over_http, start.encode(), seconds=2) == 401


# -- The clock --


def at(off: int) -> str:
    return str(int(time.time()) + off)


async def misfits(journey: Journey, count: int, off: int = -HOUR) -> None:
    """Send `count` different commands with valid signatures and a wrong time."""
    for number in range(count):
        body = urlencode(COMMAND | {"text": f"help {number}"}).encode()
        assert await post(journey, body, signed(journey, body, at=at(off))) == 401


async def readiness(journey: Journey) -> tuple[int, object]:
    status, told = await get(f"{journey.url}/readyz")
    return status, told.get("clock")


@pytest.mark.parametrize("off", [-HOUR, HOUR])
async def test_a_wrong_clock_is_named_and_not_ready(
    over_http: Journey, caplog: pytest.LogCaptureFixture, off: int
) -> None:
    await misfits(over_http, 2, off)
    assert await readiness(over_http) == (200, None)
    await misfits(over_http, 4, off)
    assert await readiness(over_http) == (503, "differs from Slack's")
    (line,) = fields_of(caplog, "the clock differs from Slack's")  # of six
    assert abs(int(str(line["seconds_off"])) + off) <= 2
    assert over_http.genesys.calls == []


async def test_wrong_clock_is_named_when_bodies_come_after_headers(over_http: Journey) -> None:
    where = urlsplit(over_http.url)
    for number in range(3):
        body = urlencode(COMMAND | {"text": f"help {number}"}).encode()
        fields = signed(over_http, body, at=at(-HOUR)) | {"Content-Type": FORM, "Content-Length": str(len(body))}
        start = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(f"POST /slack/events HTTP/1.1\r\nHost: bot\r\n{start}\r\n".encode())
        await asyncio.sleep(0.05)
        writer.write(body)
        assert b" 401 " in await reader.readline()
        writer.close()
    assert await readiness(over_http) == (503, "differs from Slack's")


async def test_a_replay_of_one_old_request_leaves_it_ready(over_http: Journey) -> None:
    old = signed(over_http, GOOD, at=at(-HOUR))
    for _ in range(10):
        assert await post(over_http, GOOD, old) == 401
    assert await readiness(over_http) == (200, None)


async def test_old_requests_beside_a_good_one_leave_it_ready(over_http: Journey) -> None:
    assert await post(over_http, GOOD, signed(over_http, GOOD)) == 200
    await misfits(over_http, 5)
    assert await readiness(over_http) == (200, None)


@pytest.mark.parametrize("slack_timing", [SlackTiming(clock_window_seconds=1.0)])
async def test_wrong_clock_is_forgotten_after_a_while(over_http: Journey) -> None:
    await misfits(over_http, 3)
    assert (await readiness(over_http))[0] == 503
    await asyncio.sleep(1.1)
    assert (await readiness(over_http))[0] == 200


async def test_good_request_makes_it_ready_again(over_http: Journey) -> None:
    await misfits(over_http, 3)
    assert (await readiness(over_http))[0] == 503
    assert await post(over_http, GOOD, signed(over_http, GOOD)) == 200
    assert (await readiness(over_http))[0] == 200


async def test_a_forged_request_says_nothing_of_the_clock(over_http: Journey, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        headers = signed(over_http, GOOD, at=at(-HOUR - number), secret="another")
        assert await post(over_http, GOOD, headers) == 401
    assert await readiness(over_http) == (200, None)
    assert fields_of(caplog, "the clock differs from Slack's") == []


# -- Slack's look at the certificate --


@pytest.mark.parametrize(
    "body", ["ssl_check=1", "ssl_check=1&token=Abc123", "token=Abc123&ssl_check=1", "ssl_check=1&token="]
)
async def test_the_unsigned_look_at_the_certificate_gets_200(
    over_http: Journey, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    request = f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Type: {FORM}\r\n"
    answer = await sends(over_http.url, f"{request}Content-Length: {len(body)}\r\n\r\n{body}")
    start, _, rest = answer.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 200 ")
    assert rest == b""
    assert lines_about(caplog) == []
    assert over_http.slack.count("users.info") == 0
    assert await post(over_http, body.encode(), signed(over_http, body.encode())) == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("ssl_check=0&token=x", FORM),
        ("ssl_check=&token=x", FORM),
        ("ssl_check=11", FORM),
        ("ssl_check=1&ssl_check=1", FORM),
        ("ssl_check=1&token=x&token=y", FORM),
        ("ssl_check=1&payload=%7B%7D", FORM),
        ("ssl_check=1&token=x&command=%2Fcobrowse", FORM),
        ("ssl_check=1&token=x&text=", FORM),
        ("ssl_check=1&", FORM),
        ("ssl_check=1\n", FORM),
        ("token=x", FORM),
        ("", FORM),
        ("ssl_check=1&token=" + "x" * 2000, FORM),
        ("ssl_check=1&token=" + "x" * 70_000, FORM),
        ("ssl_check=1&token=x", "text/plain"),
        ('{"ssl_check": "1"}', JSON),
    ],
)
async def test_any_other_unsigned_form_is_refused(over_http: Journey, body: str, content_type: str) -> None:
    assert await post(over_http, body.encode(), {}, content_type) == 401


async def test_certificate_probe_with_a_wrong_signature_is_refused(over_http: Journey) -> None:
    body = b"ssl_check=1&token=x"
    headers = signed(over_http, body, secret="another")
    assert await post(over_http, body, headers) == 401
    for name in headers:
        assert await post(over_http, body, {name: headers[name]}) == 401


# -- Bodies that are waited for --


async def test_slow_senders_displace_each_other_and_no_command() -> None:
    async with open_journey(http=True, bounds=ReceiverBounds(waiting_bodies=5)) as journey:
        where = urlsplit(journey.url)
        held = []
        for _ in range(8):
            held.append(await asyncio.open_connection(where.hostname, where.port))
            held[-1][1].write(head(journey, "Content-Length: 50") + b"x")
            await asyncio.sleep(0.05)
        lines = []
        for reader, _ in held[:3]:
            async with asyncio.timeout(2):
                lines.append(await reader.readline())
        assert [line.split()[1] for line in lines] == [b"503"] * 3
        assert all(not reader._buffer for reader, _ in held[3:])  # type: ignore[attr-defined]
        assert link(await journey.asks())
        late = urlencode(COMMAND).encode()  # a body in two pieces finds a place, too
        fields = "".join(f"{name}: {value}\r\n" for name, value in signed(journey, late).items())
        start = f"POST /slack/events HTTP/1.1\r\nHost: b\r\nContent-Type: {FORM}\r\n{fields}"
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(f"{start}Content-Length: {len(late)}\r\n\r\n".encode())
        await asyncio.sleep(0.1)
        writer.write(late)
        assert b" 200 " in await reader.readline()
        for _, each in [*held, (reader, writer)]:
            each.close()


@pytest.mark.parametrize("slack_timing", [SlackTiming(body_timeout=60.0)])
async def test_eight_large_bodies_are_read_at_once(over_http: Journey) -> None:
    where = urlsplit(over_http.url)
    held = [await asyncio.open_connection(where.hostname, where.port) for _ in range(24)]
    for _, writer in held:
        writer.write(head(over_http, "Content-Length: 1000000") + b"payload=" + b"x" * 70_000)
        await writer.drain()
    answers = [asyncio.create_task(reader.readline()) for reader, _ in held]
    async with asyncio.timeout(30):
        while sum(answer.done() for answer in answers) < 16:  # noqa: ASYNC110 - they have no event
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    refused = [await answer for answer in answers if answer.done()]
    assert [line.split()[1] for line in refused] == [b"503"] * 16
    for answer, (_, writer) in zip(answers, held, strict=True):
        answer.cancel()
        writer.close()


async def test_eight_stalled_large_bodies_do_not_keep_a_press_out(over_http: Journey) -> None:
    where = urlsplit(over_http.url)
    held = [await asyncio.open_connection(where.hostname, where.port) for _ in range(endpoint.MAX_LARGE_BODIES)]
    for _, writer in held:
        writer.write(head(over_http, "Content-Length: 1000000") + b"payload=" + b"x" * 70_000)
        await writer.drain()
    await asyncio.sleep(0.3)
    large = urlencode({"payload": '{"type": "view_closed", "x": "' + "y" * 70_000 + '"}'}).encode()
    for _ in range(3):
        assert await post(over_http, large, signed(over_http, large)) == 200
    for _, writer in held:
        writer.close()


async def test_large_bodies_that_are_only_announced_hold_no_place(over_http: Journey) -> None:
    where = urlsplit(over_http.url)
    held = [await asyncio.open_connection(where.hostname, where.port) for _ in range(endpoint.MAX_LARGE_BODIES + 4)]
    for _, writer in held:
        writer.write(head(over_http, "Content-Length: 1000000") + b"payload=x")
    await asyncio.sleep(0.3)
    assert all(not reader._buffer for reader, _ in held)  # type: ignore[attr-defined]
    for _, writer in held:
        writer.close()
