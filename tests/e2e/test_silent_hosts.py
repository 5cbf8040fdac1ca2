"""A firewall that drops posts to hooks.slack.com: only the first answer waits for it."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.check.results import Status
from tests.support.app import ANA, BEN, QUICK_SLACK, SAM, Journey, free_port, link, open_journey, open_servers
from tests.support.check import right_environ, run_checks

FIRST_SECONDS, SOON_SECONDS = 1.0, 0.6


DROPPED = replace(QUICK_SLACK, post_timeout=FIRST_SECONDS)
"""A way takes a second, in place of twelve."""


async def seconds_of(journey: Journey, text: str = "help", who: str = ANA) -> tuple[str, float]:
    """Return how the answer was sent, and how long it took."""
    began = time.monotonic()
    message = await journey.asks(text, who=who)
    return message.via, time.monotonic() - began


async def test_answers_after_the_first_come_another_way_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async with open_journey(slack_timing=DROPPED) as journey:
        journey.slack.inject_fault("response_url", "slow", seconds=20)
        assert (await seconds_of(journey))[1] > FIRST_SECONDS
        for text, who in (("help", ANA), ("status", BEN), ("", SAM), ("last", ANA)):
            via, seconds = await seconds_of(journey, text, who)
            assert (via, seconds < SOON_SECONDS) == ("chat.postEphemeral", True), (text, seconds)
        assert journey.slack.count("response_url") == 1
        (line,) = [record for record in caplog.records if "does not answer" in record.message]
        assert line.levelno == logging.WARNING
        assert line.fields["seconds"] == DROPPED.probe_interval_seconds  # type: ignore[attr-defined]


async def test_answer_under_way_is_cut_short_when_another_times_out() -> None:
    timing = replace(QUICK_SLACK, post_timeout=3.0, probe_timeout=0.2)
    async with open_journey(slack_timing=timing) as journey:
        journey.slack.inject_fault("response_url", "slow", seconds=20)
        first = asyncio.create_task(seconds_of(journey))
        await asyncio.sleep(2.0)
        _, seconds = await seconds_of(journey, who=BEN)
        assert seconds < 2.0
        await first


async def test_one_answer_now_and_then_tries_the_host_again() -> None:
    timing = replace(DROPPED, probe_interval_seconds=0.5, probe_timeout=0.2)
    async with open_journey(slack_timing=timing) as journey:
        journey.slack.inject_fault("response_url", "slow", seconds=20)
        await seconds_of(journey)
        await asyncio.sleep(0.6)
        assert (await seconds_of(journey))[0] == "chat.postEphemeral"
        assert journey.slack.count("response_url") == 2
        journey.slack.inject_fault("response_url", None)
        await asyncio.sleep(0.6)
        assert [(await seconds_of(journey))[0] for _ in range(3)] == ["response_url"] * 3


async def test_silent_host_is_tried_when_nothing_else_works() -> None:
    async with open_journey(slack_timing=DROPPED) as journey:
        journey.slack.inject_fault("response_url", "slow", seconds=20)
        await seconds_of(journey)
        journey.slack.inject_fault("response_url", None)
        for method in ("chat.postEphemeral", "chat.postMessage"):
            journey.slack.inject_fault(method, "restricted_action")
        message = await journey.asks()
        assert message.via == "response_url"
        assert link(message)


@pytest.mark.parametrize("slack", ["slack", "slack-gov"])
async def test_check_tries_the_host_of_answers_through_the_proxy(tmp_path: Path, slack: str) -> None:
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    port = free_port()
    server = await asyncio.start_server(refuse, "127.0.0.1", port)
    async with server, open_servers() as servers:
        environ = right_environ(servers, tmp_path) | {"SLACK_API_URL": f"https://{slack}.com/api/"}
        found = (await run_checks(environ | {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}))["slack answers"]
    assert f"CONNECT hooks.{slack}.com:443 HTTP/1.1\r\n" in asked
    assert found.status is Status.WARNING
    assert f"hooks.{slack}.com" in found.message
    assert "HTTPS_PROXY" in found.fix
