"""A response_url that does not accept an answer at once: what is tried again, and how often."""

import asyncio
import itertools
import logging
from dataclasses import replace

import aiohttp
import pytest

from bot.core.models import SessionStarted
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.sandbox.slack.server import SandboxSlack
from bot.slack.api.responder import SlackResponder, new_http_session
from bot.slack.api.response_url import MAX_RETRY_AFTER_SECONDS, REPEATS, ResponseUrls
from tests.support.app import ANA, BEN, CARE, link
from tests.support.responder import LOST, deliveries, ways
from tests.support.storage import request, session

ASKED = request(team_id="T0SANDBOX", channel_id=CARE)


def made(slack: SandboxSlack, who: str = ANA) -> str:
    """Return a response_url that works."""
    return slack.url + slack.response_urls.make(who, CARE, "trigger")


@pytest.mark.parametrize("fault", ["500", "503", "drop"])
@pytest.mark.parametrize("times", range(1, REPEATS + 1))
async def test_passing_failure_is_retried_and_told_once(fault: str, times: int) -> None:
    async with deliveries() as (slack, delivery):
        slack.inject_fault("response_url", fault, times=times)
        assert await delivery.answer(replace(ASKED, reply_url=made(slack)), SessionStarted(session()))
        assert ways(slack) == ["response_url"] * (times + 1)
        (message,) = slack.seen_by(ANA)
        assert link(message) == session().join_url
        assert slack.seen_by(BEN) == []


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_lasting_failure_is_tried_three_times_then_the_next_way(fault: str) -> None:
    async with deliveries() as (slack, delivery):
        slack.inject_fault("response_url", fault)
        assert await delivery.answer(replace(ASKED, reply_url=made(slack)), LOST)
        assert ways(slack) == ["response_url"] * (REPEATS + 1) + ["chat.postEphemeral"]


@pytest.mark.parametrize("fault", ["404", "403", "410", "200", "expired_url"])
async def test_a_refusal_or_a_page_is_final(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async with deliveries() as (slack, delivery):
        slack.inject_fault("response_url", fault)
        url = made(slack)
        assert not await delivery.post(url, delivery._words.answer(ASKED, LOST))
        assert ways(slack) == ["response_url"]
        assert [record.levelno for record in caplog.records if record.name == "bot.slack.api.responder"] == [
            logging.WARNING
        ]
        assert url.rpartition("/")[2] not in caplog.text + str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(("ordered", "tries"), [(1, 2), (MAX_RETRY_AFTER_SECONDS + 1, 1), ("soon", 1), ("²", 1)])
async def test_a_rate_limit_is_waited_out_when_that_is_soon(
    monkeypatch: pytest.MonkeyPatch, ordered: object, tries: int
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setitem(ResponseUrls.__init__.__kwdefaults__, "sleep", sleep)  # type: ignore[misc]
    async with deliveries() as (slack, delivery):
        slack.inject_fault("response_url", "ratelimited", times=1, retry_after=ordered)
        took = await delivery.post(made(slack), delivery._words.answer(ASKED, LOST))
        assert (took, slack.count("response_url")) == (tries == 2, tries)
        assert slept == [1.0] * (tries - 1)


async def test_a_rate_limit_that_stays_is_given_up_after_three_tries() -> None:
    async with deliveries() as (slack, delivery):
        slack.inject_fault("response_url", "ratelimited", retry_after=0)
        assert await delivery.answer(replace(ASKED, reply_url=made(slack)), LOST)
        assert ways(slack) == ["response_url"] * (REPEATS + 1) + ["chat.postEphemeral"]


async def test_connection_that_died_unnoticed_is_replaced() -> None:
    timing = SlackTiming(response_url_timeout=0.3)
    answered: list[int] = []
    connections = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer nothing more on the first connection after its first post."""
        number = next(connections)
        while b"{}" in await reader.read(65536):
            if answered != [0] or number > 0:
                answered.append(number)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/response/x"
    async with asyncio.timeout(10), new_http_session() as http:
        assert [await ResponseUrls(http, lambda _: None, url, timing=timing).post(url, {}) for _ in range(3)] == [
            200
        ] * 3
    server.close()
    assert answered == [0, 1, 1]
    assert SLACK_TIMING.response_url_timeout * 2 < SLACK_TIMING.post_timeout


async def test_nobody_there_is_tried_three_times_and_raised() -> None:
    asked: list[str] = []

    def proxy_for(url: str) -> None:
        asked.append(url)

    async with new_http_session() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await ResponseUrls(http, proxy_for, "http://127.0.0.1:9/api/").post("http://127.0.0.1:9/response/x", {})
    assert len(asked) == REPEATS + 1


async def test_one_connection_serves_them_all() -> None:
    async with deliveries() as (slack, delivery):
        assert isinstance(delivery, SlackResponder)
        for _ in range(5):
            assert await delivery.post(made(slack), delivery._words.answer(ASKED, LOST))
        connector = delivery._response_urls._http.connector
        assert sum(len(idle) for idle in connector._conns.values()) == 1
