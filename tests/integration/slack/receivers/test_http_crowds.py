"""Many clients at the HTTP receiver: too many connections, slow ones, and ten thousand malformed requests."""

import asyncio
import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bot.core.timing import ReceiverBounds, SlackTiming
from bot.slack.receivers.http import MAX_LARGE_BODIES
from tests.support.app import ANA, Journey, link
from tests.support.signed_http import COMMAND, FORM, GOOD, JSON, head, post, signed

MALFORMED = 10_000
SLOW = 200
LARGE = 100


def address(journey: Journey) -> tuple[str, int]:
    parts = urlsplit(journey.url)
    return parts.hostname or "", parts.port or 0


async def status_of(reader: asyncio.StreamReader, seconds: float = 5) -> int:
    async with asyncio.timeout(seconds):
        line = await reader.readline()
    return int(line.split()[1]) if line else 0


@pytest.mark.parametrize("bounds", [ReceiverBounds(connections=3)])
async def test_connection_above_the_limit_is_refused_and_later_served(
    over_http: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    held = [await asyncio.open_connection(*address(over_http)) for _ in range(3)]
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection(*address(over_http))
    assert await status_of(reader) == 503
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["too many connections"]
    writer.close()
    await writer.wait_closed()
    for _, each in held:
        each.close()
        await each.wait_closed()
    await asyncio.sleep(0.05)
    assert link(await over_http.asks())


async def test_two_hundred_slow_senders_do_not_hold_up_a_command(over_http: Journey) -> None:
    async def crawl() -> int:
        """Send a body one byte at a time, and return the status of the response."""
        reader, writer = await asyncio.open_connection(*address(over_http))
        writer.write(head(over_http, "Content-Length: 5000"))
        try:
            while not reader.at_eof():
                writer.write(b"x")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.3):
                        return int((await reader.readline()).split()[1])
            return 0
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    crawling = [asyncio.create_task(crawl()) for _ in range(SLOW)]
    await asyncio.sleep(0.3)
    for number in range(20):
        delivery = await over_http.slack.command(ANA, f"Among slow ones {number}")
        assert delivery.acked
        assert delivery.ack_ms is not None
        assert delivery.ack_ms < 3000
    assert set(await asyncio.gather(*crawling)) == {408}


@pytest.mark.parametrize("slack_timing", [SlackTiming(body_timeout=3.0)])
async def test_many_large_bodies_do_not_hold_commands_up(over_http: Journey) -> None:
    before = resident_mb()
    held = [await asyncio.open_connection(*address(over_http)) for _ in range(LARGE)]
    for _, writer in held:
        writer.write(head(over_http, "Content-Length: 1000000") + b"payload=" + b"x" * 900_000)
    answers = [asyncio.create_task(status_of(reader, seconds=30)) for reader, _ in held]
    refused = 0
    for refusal in asyncio.as_completed(answers):
        refused += await refusal == 503
        if refused == LARGE - MAX_LARGE_BODIES:
            break
    for number in range(20):
        delivery = await over_http.slack.command(ANA, f"Among large ones {number}")
        assert delivery.acked
        assert delivery.ack_ms is not None
        assert delivery.ack_ms < 3000
    assert resident_mb() - before < 60
    assert sorted(await asyncio.gather(*answers))[:MAX_LARGE_BODIES] == [408] * MAX_LARGE_BODIES
    for _, writer in held:
        writer.close()
    large = payload({"type": "view_closed", "x": "y" * 70_000})
    assert await post(over_http, large, signed(over_http, large)) == 200  # there is room again


async def test_ten_thousand_senseless_requests_get_no_5xx(over_http: Journey) -> None:
    chance = random.Random(20261122)
    seen: dict[int, int] = {}

    async def send(share: int) -> None:
        reader, writer = await asyncio.open_connection(*address(over_http))
        for _ in range(share):
            writer.write(nonsense(over_http, chance))
            status, closes = await answer(reader)
            seen[status] = seen.get(status, 0) + 1
            if closes:
                writer.close()
                reader, writer = await asyncio.open_connection(*address(over_http))
        writer.close()

    await asyncio.gather(*(send(MALFORMED // 50 // 5) for _ in range(50)))
    before = resident_mb()
    await asyncio.gather(*(send(MALFORMED // 50 * 4 // 5) for _ in range(50)))
    assert resident_mb() - before < 25
    assert sum(seen.values()) == MALFORMED
    assert all(200 <= status < 500 for status in seen), seen
    assert len(seen) > 3, seen
    assert over_http.genesys.creates == []
    assert link(await over_http.asks())


def nonsense(journey: Journey, chance: random.Random) -> bytes:
    """Return a request with at least one error."""
    body = chance.choice(BODIES)
    if chance.random() < 0.3:
        body = body[: chance.randrange(len(body) + 1)]
    headers: dict[str, str] = {
        "Host": "bot",
        "Content-Type": chance.choice([FORM, JSON, "text/plain", "multipart/x", ""]),
    }
    headers |= signed(journey, body) if chance.random() < 0.7 else {}
    if chance.random() < 0.3:
        name = chance.choice(["X-Slack-Signature", "X-Slack-Request-Timestamp", "X-Slack-Retry-Num"])
        headers[name] = chance.choice(WRONG)
    method = chance.choice(["POST"] * 8 + ["GET", "PUT", "BREW"])
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} /slack/events HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body


def payload(value: Any) -> bytes:
    return urlencode({"payload": json.dumps(value)}).encode()


WRONG = ["v0=", "v0=" + "0" * 64, "é" * 10, "1" * 5000, "\t", "-1", "1e309", str(int(time.time()) - 400)]
BODIES = [
    b"",
    b"\0" * 50,
    b"\xff\xfe\xfd",
    b"{" * 5000,
    b"&" * 5000,
    b"payload=" + b"[" * 5000,
    b"x" * 60_000,
    GOOD.replace(b"help", b"%00%00help"),
    GOOD + b"&command=%2Fother&command=%2Fcobrowse",
    urlencode(COMMAND | {"command": "/other"}).encode(),
    urlencode({"ssl_check": "1", "token": "x"}).encode(),
    *map(
        payload, ([], 7, None, "x", {}, {"type": []}, {"type": "block_actions"}, {"type": "view_submission", "view": 7})
    ),
    payload({"type": "block_actions", "actions": [], "user": {"id": ANA}}),
    payload({"type": "shortcut", "callback_id": "no such"}),
    json.dumps({"type": "event_callback", "event": {"type": "function_executed"}}).encode(),
    json.dumps([1, 2, 3]).encode(),
]


async def answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Return the status of a response, and whether the connection ends with it."""
    async with asyncio.timeout(10):
        try:
            start = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return 400, True  # closed without a word, as what is no HTTP may be
        fields = dict(line.lower().split(b": ", 1) for line in start.split(b"\r\n")[1:] if b": " in line)
        await reader.readexactly(int(fields.get(b"content-length", b"0")))
    return int(start.split()[1]), fields.get(b"connection") == b"close"


def resident_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
