"""A response_url may lead to Slack only, whether it comes from a payload or from the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.models import RequestKind
from bot.slack.api.responder import new_http_session
from bot.slack.api.response_url import ForeignAddressError, ResponseUrls, slack_addresses
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, BEN, CARE, Journey, buttons, is_failure, link, open_journey, words
from tests.support.cases import each_case
from tests.support.session_buttons import as_earlier_card
from tests.support.storage import request

SLACK = "https://slack.com/api/"


@dataclass
class Thief:
    """A server to which no answer may be sent. `taken` is what it received."""

    url: str
    taken: list[bytes]


@asynccontextmanager
async def open_thief() -> AsyncIterator[Thief]:
    taken: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Thief(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/steal", taken)


@pytest.fixture
async def thief() -> AsyncIterator[Thief]:
    async with open_thief() as opened:
        yield opened


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/commands/T0/1/x",
        "https://hooks.slack.com:443/actions/T0/1/x",
        "https://HOOKS.slack.com/app/T0/1/x?a=b",
        "https://hooks.slack-gov.com/commands/T0/1/x",
        "https://slack.com/x",
    ],
)
def test_slacks_own_addresses_are_allowed(url: str) -> None:
    assert slack_addresses(SLACK).fullmatch(url)


@each_case(
    "url",
    [
        "http://hooks.slack.com/commands/T0/1/x",
        "https://hooks.slack.com:8443/x",
        "https://hooks.slack.com:80/x",
        "https://user:pw@hooks.slack.com/x",
        "https://hooks.slack.com@evil.example/x",
        "https://hooks.slack.com:443@evil.example/x",
        "https://hooks.slack.com\\@evil.example/x",
        "https://hooks.slack.com%2f@evil.example/x",
        "https://hooks.slack.com#@evil.example/x",
        "https://hooks.slack.com?@evil.example/x",
        "https://hooks.slack.com.evil.example/x",
        "https://hooks.slack.com./x",
        "https://evilhooks.slack.com/x",
        "https://hooksxslack.com/x",
        "https://files.slack.com/x",
        "https://ｈooks.slack.com/x",
        "https:///hooks.slack.com/x",
        "//hooks.slack.com/x",
        "ftp://hooks.slack.com/x",
        " https://hooks.slack.com/x",
        "https://hooks.slack.com/x\n",
        "https://hooks.slack.com/x y",
        "https://hooks.slack.com/x\\y",
        "http://slack.com/x",
        "https://slack.com:8443/x",
        "https://10.0.0.1/x",
        "http://127.0.0.1/x",
        "",
    ],
)
def test_addresses_elsewhere_are_foreign(url: str) -> None:
    assert not slack_addresses(SLACK).fullmatch(url)


@pytest.mark.parametrize(
    ("api_url", "url", "allowed"),
    [
        ("http://127.0.0.1:8123/api/", "http://127.0.0.1:8123/response/x", True),
        ("http://127.0.0.1:8123/api/", "http://127.0.0.1:8124/response/x", False),
        ("http://127.0.0.1:8123/api/", "https://127.0.0.1:8123/response/x", False),
        ("http://127.0.0.1:8123/api/", "http://localhost:8123/response/x", False),
        ("http://127.0.0.1:8123/api/", "http://me@127.0.0.1:8123/response/x", False),
        ("http://[::1]:8123/api/", "http://[::1]:8123/response/x", True),
        ("https://gateway.example/slack/api/", "https://gateway.example:443/response/x", True),
        ("https://gateway.example/slack/api/", "https://gateway.example.evil/response/x", False),
        ("https://gateway.example/slack/api/", "https://hooks.slack.com/commands/x", True),
    ],
)
def test_the_origin_of_slack_api_url_is_allowed_exactly(api_url: str, url: str, allowed: bool) -> None:
    assert bool(slack_addresses(api_url).fullmatch(url)) is allowed


@pytest.mark.parametrize("url", [7, None, {"a": 1}])
async def test_an_address_that_is_no_text_is_foreign(url: object) -> None:
    async with new_http_session() as http:
        with pytest.raises(ForeignAddressError):
            await ResponseUrls(http, lambda _: None, SLACK).post(url, {})  # type: ignore[arg-type]


async def forged(journey: Journey, text: str, thief: Thief, *, who: str = ANA) -> None:
    """Send a signed command with a foreign response_url, as somebody with the signing secret can."""
    delivery = await journey.slack.command(BEN, "whoami")
    stolen = {**delivery.payload, "user_id": who, "text": text, "response_url": thief.url, "trigger_id": f"{text}.1.x"}
    assert (await journey.slack.send(stolen, "slash_commands")).acked


async def test_a_forged_command_sends_the_link_to_slack_alone(over_http: Journey, thief: Thief) -> None:
    before = len(over_http.slack.messages)
    await forged(over_http, "", thief)
    message = await over_http.reads(ANA, before)
    assert (message.via, message.visible_to) == ("chat.postEphemeral", ANA)
    assert link(message) == next(iter(over_http.genesys.sessions.values())).join_url
    before = len(over_http.slack.messages)
    await forged(over_http, "last", thief)
    assert link(await over_http.reads(ANA, before)) == link(message)
    assert thief.taken == []


async def test_a_foreign_address_is_named_in_the_log_without_it(
    over_http: Journey, thief: Thief, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(over_http.slack.messages)
    await forged(over_http, "", thief)
    await over_http.reads(ANA, before)
    (record,) = [each for each in caplog.records if each.getMessage() == "a response_url is not Slack's"]
    assert vars(record)["fields"] == {"hint": "SLACK_API_URL"}
    assert "/steal" not in caplog.text


@pytest.mark.parametrize("action", ["send_session", "end_session"])
async def test_a_forged_press_sends_nothing_elsewhere(over_http: Journey, thief: Thief, action: str) -> None:
    card = await over_http.asks()
    before = len(over_http.slack.messages)
    as_earlier_card(card, next(iter(over_http.genesys.sessions)))
    pressed = await over_http.slack.press(ANA, card, "open")  # which nothing answers
    press = {**pressed.payload, "response_url": thief.url, "trigger_id": "forged.1.x"}
    session = next(iter(over_http.genesys.sessions))
    press["actions"] = [{**press["actions"][0], "action_id": action, "value": session}]
    assert (await over_http.slack.send(press, "interactive")).acked
    answered = "to your direct messages" if action == "send_session" else "ended by"
    await over_http.slack.workspace.until(
        lambda: answered in str([m.blocks for m in over_http.slack.messages[before:]]), 5
    )
    assert thief.taken == []


async def test_a_forged_try_again_sends_nothing_elsewhere(over_http: Journey, thief: Thief) -> None:
    await over_http.genesys.inject_fault("dropped", times=1)
    failed = await over_http.asks()
    assert is_failure(failed)
    pressed = await over_http.slack.press(BEN, failed, "try_again")  # refused: it is not Ben's
    press = {**pressed.payload, "response_url": thief.url, "trigger_id": "forged.1.x"}
    assert (await over_http.slack.send(press, "interactive")).acked
    press["user"] = {**press["user"], "id": ANA}
    before = len(over_http.slack.messages)
    assert (await over_http.slack.send(press, "interactive")).acked
    assert link(await over_http.reads(ANA, before))
    assert thief.taken == []


async def test_a_forged_form_sends_nothing_elsewhere(thief: Thief) -> None:
    """The form's private_metadata holds the response_url for the answer."""
    async with open_journey(http=True) as journey:
        card = await journey.asks()
        assert "send_to_customer" in buttons(card)
        await journey.slack.press(ANA, card, "send_to_customer")
        view = await journey.slack.workspace.until(lambda: next(iter(journey.slack.views_of(ANA)), None), 5)
        view.body["private_metadata"] = view.body["private_metadata"].replace(journey.slack.url, thief.url)
        assert thief.url in view.body["private_metadata"]
        before = len(journey.slack.messages)
        assert (await journey.slack.submit(ANA, view, {"to": "+14155550123"})).acked
        assert (await journey.slack.submit(ANA, view)).acked
        assert "✓ Texted to …0123" in words(await journey.reads(ANA, before))
        assert thief.taken == []


async def test_an_unhandled_payload_sends_nothing_elsewhere(over_http: Journey, thief: Thief) -> None:
    card = await over_http.asks()
    pressed = await over_http.slack.press(ANA, card, "session_menu", chosen="preview")
    press = {**pressed.payload, "response_url": thief.url, "trigger_id": "forged.1.x"}
    press["actions"] = [{**press["actions"][0], "action_id": "unheard_of"}]
    assert (await over_http.slack.send(press, "interactive")).acked
    await asyncio.sleep(0.3)
    assert thief.taken == []


async def test_an_address_out_of_the_database_is_checked_too(tmp_path: Path, thief: Thief) -> None:
    path = tmp_path / "bot.db"
    store = SQLiteStore(str(path))
    asked = request(
        team_id="T0SANDBOX", channel_id=CARE, requester=ANA, kind=RequestKind.START, accepted_at=datetime.now(UTC)
    )
    await store.accept(replace(asked, reply_url=thief.url))
    await store.close()
    async with open_journey(DATABASE_URL=f"sqlite:///{path}") as journey:
        message = await journey.reads(ANA, 0)
        assert (message.via, message.visible_to) == ("chat.postEphemeral", ANA)
        assert link(message)
    assert thief.taken == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("session", [new_http_session, aiohttp.ClientSession], ids=["the bot's", "any"])
async def test_a_redirect_is_not_followed(thief: Thief, session: Any, status: int) -> None:
    """The bot's own HTTP session refuses redirects. With another session, the post itself has to refuse them."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {thief.url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, session() as http:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/response/x"
        with suppress(aiohttp.ClientResponseError):
            assert await ResponseUrls(http, lambda _: None, url).post(url, {"text": "secret"}) == status
    assert asked == [b"POST /response/x HTTP/1.1\r\n"]
    assert thief.taken == []
