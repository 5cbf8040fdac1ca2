"""Attacks that failed, each in a small form, so that they keep failing: docs/security/model.md."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.core.errors import CobrowseError
from bot.core.hosts.csv_file import HostsFileError
from bot.core.hosts.csv_file import parse as parse_hosts
from bot.core.validation.contact import read_address
from bot.core.validation.conversations import GenesysApp
from bot.slack.command_parser import clean_name, parse
from tests.support.app import ANA, GUS, SINGLE, Journey, buttons, link, open_journey, words
from tests.support.cases import each_case
from tests.support.proxy import FRONTS, Front
from tests.support.session_buttons import POST, as_earlier_card, confirms, menu

TIMES = 200
HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n"
METRIC = b"cobrowse_requests_total"
LENGTHS = ("", "0", "5", "+5", "-1", "0x5", "5, 5", "5\r\nContent-Length: 0", "5 ", "9" * 40, str(5 + len(HIDDEN)))
CODINGS = (
    *("", "chunked", "Chunked", "xchunked", "chunked, identity", "identity", "gzip, chunked", "\tchunked"),
    *("chunked;q=1", "chunked\r\nTransfer-Encoding: identity"),
)
BODIES = (b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"hello", b"0\r\nX: y\r\n\r\n", b"5;x=\n\r\nhello\r\n0\r\n\r\n")
REQUEST_LINES = ("POST /slack/events", "GET /genesys/callback")


async def says(url: str, request: bytes, *, seconds: float = 0.3) -> bytes:
    """Send these bytes, and return the answer. It ends when nothing has come for `seconds`."""
    where, said = urlsplit(url), b""
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(request)
        with contextlib.suppress(TimeoutError, OSError):
            while piece := await asyncio.wait_for(reader.read(65_536), seconds):
                said += piece
    finally:
        writer.transport.abort()
    return said


async def all_said(url: str, requests: Iterable[bytes], *, at_once: int = 40) -> list[bytes]:
    room = asyncio.Semaphore(at_once)

    async def one(request: bytes) -> bytes:
        async with room:
            return await says(url, request)

    return await asyncio.gather(*map(one, requests))


def statuses(said: bytes) -> list[int]:
    return [int(part[2:5]) for part in said.split(b"HTTP/1.") if part[2:5].isdigit()]


# -- An outsider --


async def test_one_signed_command_sent_often_at_once_is_one_session(over_http: Journey) -> None:
    typed = await over_http.slack.command(ANA, "whoami")
    await over_http.reads(ANA, 0)
    before = len(over_http.slack.messages)
    again = {**typed.payload, "text": "Checkout", "trigger_id": "1.2.seen"}
    sent = await asyncio.gather(*(over_http.slack.send(again, "slash_commands") for _ in range(TIMES)))
    assert [each.error for each in sent if not each.acked] == []
    card = await over_http.reads(ANA, before)
    await over_http.finish()
    assert over_http.slack.messages[before:] == [card]
    assert len(over_http.genesys.creates) == 1


async def test_one_signed_share_sent_often_at_once_is_one_message(over_http: Journey) -> None:
    card = await over_http.asks("Checkout")
    pressed = await confirms(over_http.slack, ANA, card, POST)
    sent = await asyncio.gather(*(over_http.slack.redeliver(pressed) for _ in range(TIMES // 2)))
    assert [each.error for each in sent if not each.acked] == []
    await over_http.finish()
    _, *told = over_http.slack.messages
    assert [message.visible_to for message in told] == [None]  # the one in the channel; the answer stands on the card


def smuggled() -> list[bytes]:
    """Return requests that contain a second request, which two servers may parse in different ways."""
    made = []
    for request_line, length, coding, body in itertools.product(REQUEST_LINES, LENGTHS, CODINGS, BODIES):
        lines = [f"{request_line} HTTP/1.1", "Host: bot", "Content-Type: application/x-www-form-urlencoded"]
        lines += [f"Content-Length: {length}"] if length else []
        lines += [f"Transfer-Encoding: {coding}"] if coding else []
        made.append("\r\n".join(lines).encode() + b"\r\n\r\n" + body + HIDDEN)
    return made


async def test_smuggled_requests_get_no_5xx(over_http: Journey) -> None:
    assert METRIC in await says(over_http.url, HIDDEN)
    said = await all_said(over_http.url, smuggled()[::3])
    assert sum(map(len, said)) > 0
    assert [each for each in said if max(statuses(each), default=0) >= 500] == []
    assert link(await over_http.asks())


@pytest.mark.parametrize("front", FRONTS)
async def test_smuggled_requests_do_not_pass_the_proxy(tmp_path: Path, over_http: Journey, front: Front) -> None:
    where = urlsplit(over_http.url)
    async with front(tmp_path, [str(where.hostname)], where.port or 0) as opened:
        said = await all_said(opened.url, smuggled()[::3])
        assert [each for each in said if METRIC in each] == []
        assert {400, 401} & {status for each in said for status in statuses(each)}  # and some are answered by the bot


PATHS = (
    *("/metrics", "//metrics", "/./metrics", "/metrics/", "/%6detrics", "/METRICS", "/metrics?", "/metrics#"),
    *("/metrics;x", "metrics", "*", "bot:80", "/slack/events/../../metrics", "/slack/events/..%2f..%2fmetrics"),
    *("/slack/events%2f..%2f..%2fmetrics", "/slack/events/%2e%2e/%2e%2e/metrics", "/slack/events/..;/..;/metrics"),
    *("/slack/events\\..\\..\\metrics", "/slack/events?/../../metrics", "/genesys/callback/../../metrics"),
    *("/genesys/callback/%2e%2e/%2e%2e/metrics", "http://bot/metrics", "http://127.0.0.1:{port}/metrics"),
    "https://bot:443/metrics",
)
NAMES = ("{front}", "bot", "localhost:3000", "127.0.0.1:{port}", "bot.", "", "{front}, bot", "a\r\nHost: {front}")


@pytest.mark.parametrize("front", FRONTS)
async def test_no_path_or_host_leads_through_the_proxy_to_inner_pages(
    tmp_path: Path, over_http: Journey, front: Front
) -> None:
    where = urlsplit(over_http.url)
    inner = ("metrics", "healthz", "readyz")
    signs = (METRIC, b'"status"', b'"ready"')
    for page, sign in zip(inner, signs, strict=True):
        assert sign in await says(over_http.url, f"GET /{page} HTTP/1.1\r\nHost: bot\r\n\r\n".encode())
    async with front(tmp_path, [str(where.hostname)], where.port or 0) as opened:
        names = {"front": urlsplit(opened.url).netloc, "port": str(where.port)}
        requests = [
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".format(**names).replace("metrics", page).encode()
            for method, path, host, page in itertools.product(("GET", "POST"), PATHS, NAMES, inner)
        ]
        said = await all_said(opened.url, requests[::2])
    assert [each for each in said if any(sign in each for sign in signs)] == []
    assert 404 in {status for each in said for status in statuses(each)}


# -- A person in Slack --


@pytest.mark.parametrize("who", [GUS, SINGLE])
async def test_guest_on_every_list_of_leaders_gets_nothing(who: str) -> None:
    lists = dict.fromkeys(("COBROWSE_SUPERVISORS", "COBROWSE_ADMINS"), f"{GUS},{SINGLE}")
    async with open_journey(**lists) as journey:
        card = await journey.asks("Secret customer")
        url, before = link(card), len(journey.slack.messages)
        typed = ("", "Checkout", "@ana", "for @ana x", "last", "status", "list", "end", "why @ana", "apps")
        for text in (*typed, "link @ana ana@example.com", "unlink @ana", "send +14155550123"):
            await journey.asks(text, who=who)
        for action in set(buttons(card)) - {"session_menu"}:
            assert (await journey.slack.press(who, card, action)).acked
        for chosen in menu(card):
            assert (await journey.slack.press(who, card, "session_menu", chosen=chosen)).acked
        as_earlier_card(card, next(iter(journey.genesys.sessions)))
        for action in buttons(card):
            assert (await journey.slack.press(who, card, action)).acked
        await journey.finish()
        assert journey.slack.views_of(who) == []
        for message in journey.slack.messages[before:]:
            assert url not in str(message.blocks) + message.text
            assert "Secret customer" not in words(message)
        assert len(journey.genesys.creates) == 1
        assert journey.genesys.count("end") == 0


APP = GenesysApp("apps.usw2.pure.cloud")
UNITS = (
    *("<@", "<@U0BEN|", "@", "<", "|", "(", "\u200b@", "for ", "for @", "with <!subteam^", "a", "a ", " ", "\t"),
    *("\u3164", "+1", "1-", "(1) ", "a.", "a@", "a@a.", '"', "“", "*_~", "`", "%2", "&lt;", "https://", "#/"),
    *("<mailto:a@", "a-0", f"https://{APP.host}/", f"https://{APP.host}/directory/#/engage/admin/interactions/"),
)
ENDS = ("", "@", ">", "!", "\u034f@ana")
SECONDS = 0.5
READERS: tuple[Callable[[str], object], ...] = (
    parse,
    lambda text: parse(text, APP),
    clean_name,
    read_address,
    APP.conversation_id,
)


@each_case("unit", UNITS)
def test_text_that_could_make_patterns_backtrack_is_read_at_once(unit: str) -> None:
    for length, end, reader in itertools.product((100, 3_000, 20_000), ENDS, READERS):
        text = unit * (length // len(unit) + 1) + end
        began = time.thread_time()
        with contextlib.suppress(CobrowseError, ValueError):
            reader(text)
        assert time.thread_time() - began < SECONDS, (length, end, reader)


# -- The command line --

HASHES = ("$6$c2FsdHNhbHQ$" + "Q7x" * 28, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" + "z3X" * 14, "$2b$12$" + "mN7" * 17)


@pytest.mark.parametrize("secret", HASHES)
@pytest.mark.parametrize("header", ["", "slack_user_id,genesys_user_id\n"])
def test_password_hash_in_a_file_taken_for_hosts_is_not_shown(header: str, secret: str) -> None:
    with pytest.raises(HostsFileError) as refused:
        parse_hosts(f"{header}root:{secret}:19700:0:99999:7:::\nana:{secret}:19700:0:99999:7:::\n")
    assert secret[-9:] not in str(refused.value)
    assert [fault for fault in refused.value.faults if secret[:12] in fault] == []
