"""The process: `python -m bot run` with only an environment, against servers of the test."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.commands import RUN_CHECK
from bot.core.timing import RECEIVER_BOUNDS, SlackTiming
from bot.slack.api.identity import SlackUnreachableError, identify
from tests.support.app import (
    ANA,
    BEN,
    SAM,
    START_SECONDS,
    Journey,
    Servers,
    ended,
    free_port,
    link,
    open_journey,
    open_servers,
    running,
    start,
    words,
)


@pytest.mark.parametrize(("http", "sign"), [(False, signal.SIGTERM), (True, signal.SIGINT)], ids=["socket", "http"])
async def test_stopped_process_finishes_its_requests_and_exits_with_0(
    tmp_path: Path, http: bool, sign: signal.Signals
) -> None:
    async with running(tmp_path, http=http) as (servers, process):
        await servers.slack.command(ANA, "First")
        assert link(await servers.slack.next_message(ANA))
        await servers.genesys.inject_fault("slow", seconds=0.8)
        await servers.slack.command(ANA, "Under way")
        await _creates(servers, 2)
        process.send_signal(sign)
        code, out, err = await ended(process, 10)

        assert code == 0, err
        assert "Traceback" not in err
        assert out == ""
        assert len(servers.genesys.creates) == 2
        assert link(servers.slack.seen_by(ANA)[1])
        assert " ready " in err
        assert err.count(" answered ") == 2
        assert not (await servers.slack.command(BEN, "Late")).acked


async def test_hangup_does_not_end_a_process_without_a_terminal(tmp_path: Path) -> None:
    async with running(tmp_path, http=False) as (servers, process):
        process.send_signal(signal.SIGHUP)
        await servers.slack.command(ANA, "")
        assert link(await servers.slack.next_message(ANA))
        process.send_signal(signal.SIGTERM)
        assert (await ended(process, 10))[0] == 0


async def test_connection_above_the_limit_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, http=True) as (servers, process):
        address = urlsplit(servers.slack.events_url)
        opened = [
            await asyncio.open_connection(address.hostname, address.port)
            for _ in range(RECEIVER_BOUNDS.connections + 1)
        ]
        async with asyncio.timeout(5):
            answer = await opened[-1][0].read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        for _, writer in opened:
            writer.close()
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process, 10)
        assert code == 0
        assert "Traceback" not in err
        assert "too many connections" in err


async def test_unfinished_request_is_told_as_interrupted(tmp_path: Path) -> None:
    async with running(tmp_path, http=True, environ={"SHUTDOWN_SECONDS": "1"}) as (servers, process):
        await servers.genesys.inject_fault("silent")
        await servers.slack.command(ANA, "")
        await _creates(servers, 1)
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process, 8)
        assert code == 0, err
        assert "Traceback" not in err
        assert "don’t have a link for you" in servers.slack.seen_by(ANA)[-1].text
        assert len(servers.genesys.creates) == 1


async def test_an_answer_on_its_way_when_the_time_is_up_still_arrives() -> None:
    async with open_journey(SHUTDOWN_SECONDS="1") as journey:
        journey.slack.inject_fault("response_url", "ratelimited", times=1, retry_after=1)
        await journey.slack.command(ANA, "")
        await _creates(journey, 1)
        await journey.finish()
        (message,) = journey.slack.seen_by(ANA)
        assert link(message)


async def test_a_session_that_exists_when_the_time_is_up_is_not_denied() -> None:
    """The time for the shutdown ends while the bot notifies the agent."""
    async with open_journey(SHUTDOWN_SECONDS="1") as journey:
        journey.slack.inject_fault("conversations.open", "slow", seconds=3)
        await journey.slack.command(SAM, "@ben")
        await _creates(journey, 1)
        await journey.finish()
        (message,) = journey.slack.seen_by(SAM)
        assert len(journey.genesys.sessions) == 1
        assert "Nothing was started" not in words(message)


async def test_socket_mode_switched_off_ends_run_with_one_sentence(tmp_path: Path) -> None:
    async with running(tmp_path, http=False, environ={"LOG_LEVEL": "ERROR"}) as (servers, process):
        await servers.slack.command(ANA, "")
        assert link(await servers.slack.next_message(ANA))
        await servers.slack.disconnect_sockets("link_disabled", seconds=0.1)
        code, _, err = await ended(process, 10)
        assert code
        sentence = "Socket Mode was switched off for this app in Slack. Switch it on, or use HTTP."
        assert err.splitlines() == [f"{sentence} [socket_mode_unavailable]", RUN_CHECK]


async def test_a_socket_slack_renews_goes_on_serving(tmp_path: Path) -> None:
    async with running(tmp_path, http=False) as (servers, process):
        await servers.slack.disconnect_sockets("refresh_requested", seconds=0.1)
        await asyncio.sleep(0.3)
        await servers.slack.connected()
        delivery = await servers.slack.command(ANA, "")
        assert delivery.acked, delivery.error
        assert link(await servers.slack.next_message(ANA))
        process.send_signal(signal.SIGTERM)
        assert (await ended(process, 10))[0] == 0


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_told_to_stop_before_it_is_ready_it_stops(tmp_path: Path, method: str) -> None:
    async with open_servers() as servers:
        servers.slack.inject_fault(method, "slow", seconds=6)
        process = await start(tmp_path, servers.environ)
        async with asyncio.timeout(START_SECONDS):
            while not servers.slack.count(method):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        try:
            code, _, err = await ended(process, 3)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        assert code == 0
        assert "Traceback" not in err


async def test_unworkable_settings_end_run_with_one_sentence_each(tmp_path: Path) -> None:
    """Each setting has a separate process. All run at the same time."""
    async with open_servers() as servers, open_servers(http=True) as others:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            wrong = [
                ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN (invalid_auth)", "slack_token_refused"),
                ({"SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN (invalid_auth)", "socket_mode_unavailable"),
                ({"PORT": port}, f"Cannot listen on 127.0.0.1:{port}", "address_unavailable"),
                ({"HOST": "203.0.113.1", "PORT": "0"}, "Cannot listen on 203.0.113.1:0", "address_unavailable"),
            ]
            usual = [servers.environ] * 2 + [others.environ] * 2
            given = [
                {**each, **changed, "LOG_LEVEL": "ERROR"} for each, (changed, *_) in zip(usual, wrong, strict=True)
            ]
            started = [await start(tmp_path, environ) for environ in given]
            ends = await asyncio.gather(*map(ended, started))
    for (_, sentence, word), (code, out, err) in zip(wrong, ends, strict=True):
        assert code == 1
        assert err.endswith(f" [{word}]\n{RUN_CHECK}\n")
        assert out == ""
        assert len(err.splitlines()) == 2, err
        assert sentence in err


async def test_all_faults_of_the_settings_are_listed_at_once(tmp_path: Path) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "xoxp-not-a-bot",
        "BOT_MODE": "carrier-pigeon",
        "PORT": "99999",
        "GENESYS_CLIENT_SECRET": "s3cret-value",
        "GENESYS_PRIVATE_KEY": "not-a-key",
        "GENESYS_REGION": "the moon",
        "COBROWSE_TIMEOUT_SECONDS": "5",
        "COBROWSE_HOSTS_FILE": "nowhere.csv",
        "COBROWSE_SUPERVISORS": "sam",
        "LOG_LEVEL": "LOUD",
    }
    code, out, err = await ended(await start(tmp_path, wrong))
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    for name in (*(set(wrong) - {"GENESYS_CLIENT_SECRET"}), "SLACK_APP_TOKEN", "GENESYS_CLIENT_ID"):
        assert f"  {name}: " in err
    for secret in ("xoxp-not-a-bot", "s3cret-value", "not-a-key"):
        assert secret not in err


async def test_a_slack_that_cannot_be_reached_is_said_so() -> None:
    web = AsyncWebClient(token="xoxb-any", base_url=f"http://127.0.0.1:{free_port()}/api/", retry_handlers=[])
    with pytest.raises(SlackUnreachableError, match="SLACK_API_URL"):
        await identify(web, timing=SlackTiming(identify_retry_seconds=0.01))


async def _creates(servers: Servers | Journey, number: int) -> None:
    async with asyncio.timeout(5):
        while len(servers.genesys.creates) < number:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_when_nothing_goes_wrong_the_log_says_nothing_of_trouble(tmp_path: Path, http: bool) -> None:
    async with running(tmp_path, http=http) as (servers, process):
        await servers.slack.command(ANA, "")
        assert link(await servers.slack.next_message(ANA))
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process, 10)
    assert code == 0
    levels = [line.split(" ")[1] for line in err.splitlines()]
    assert set(levels) == {"INFO"}, err
