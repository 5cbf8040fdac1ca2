"""Errors that only the HTTP receiver can make: bodies that Bolt misreads, a busy server, and foreign variables."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack.server import SlackChannel
from tests.support.app import ANA, SAM, Journey, is_failure, link, open_journey, words

FOREIGN = {
    "SLACK_CLIENT_ID": "111.222",
    "SLACK_CLIENT_SECRET": "stray-client-secret",
    "SLACK_SIGNING_SECRET": "stray-signing-secret",
    "SLACK_BOT_TOKEN": "xoxb-stray",
    "SLACK_APP_TOKEN": "xapp-stray",
    "SLACK_API_TOKEN": "xoxb-stray",
    "SLACK_VERIFICATION_TOKEN": "stray",
    "SLACK_SCOPES": "chat:write",
    "SLACK_USER_SCOPES": "chat:write",
    "SLACK_REDIRECT_URI": "https://example.com/stray",
    "SLACK_REDIRECT_URI_PATH": "/stray",
    "SLACK_INSTALL_PATH": "/stray",
}


@pytest.fixture
def foreign_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill the environment with variables that slack_bolt and slack_sdk read.

    The bot gets its settings in another way.
    """
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "name",
    ["payload", "the payload is here", "payload=1", "payload={}", '{"payload": 1}', "ssl_check=1", "a&payload=%7B%7D"],
)
async def test_a_name_with_the_word_payload_in_it_is_a_name(over_http: Journey, name: str) -> None:
    message = await over_http.asks(name)
    assert over_http.genesys.creates[0].body["sessionName"] == name
    assert link(message)


@pytest.mark.parametrize("name", ["Schöne Grüße", "日本語 🧭", "1 + 1 = 2", "50 % off; now", "a=b&c=d", "\\u0000 \\n"])
async def test_a_name_survives_the_form_it_travels_in(over_http: Journey, name: str) -> None:
    await over_http.asks(name)
    assert over_http.genesys.creates[0].body["sessionName"] == name


async def test_a_channel_with_the_word_payload_in_its_name_is_served(over_http: Journey) -> None:
    over_http.slack.workspace.channels["C0PAY"] = SlackChannel("C0PAY", "payload-team")
    assert link(await over_http.asks(channel_id="C0PAY"))


async def test_a_button_works_over_http(over_http: Journey) -> None:
    await over_http.genesys.inject_fault("dropped")
    failed = await over_http.asks("Has a payload")
    await over_http.genesys.inject_fault(None)
    await over_http.tries_again(failed)
    assert link(failed)
    assert [create.body["sessionName"] for create in over_http.genesys.creates] == ["Has a payload"] * 2


async def test_many_commands_at_once_are_acknowledged_and_answered(over_http: Journey) -> None:
    over_http.genesys.latency_seconds = 0.05
    deliveries = await asyncio.gather(*(over_http.slack.command(ANA, f"No {number}") for number in range(100)))
    await over_http.slack.workspace.until(lambda: len(over_http.slack.seen_by(ANA)) >= 100, 30)
    await over_http.finish()
    assert all(delivery.acked for delivery in deliveries)
    assert len({link(message) for message in over_http.slack.seen_by(ANA)}) == 100
    assert sorted(create.body["sessionName"] for create in over_http.genesys.creates) == sorted(
        f"No {number}" for number in range(100)
    )


async def test_healthz_says_ok(over_http: Journey) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{over_http.url}/healthz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok"}


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_variables_meant_for_other_bots_change_nothing(foreign_variables: None, http: bool) -> None:
    async with open_journey(http=http) as journey:
        assert link(await journey.asks())
        await journey.genesys.inject_fault("dropped")
        failed = await journey.asks("Another")
        assert is_failure(failed)
        await journey.genesys.inject_fault(None)
        await journey.tries_again(failed)
        assert link(failed)
        assert journey.slack.count("auth.test") == 1


async def test_no_install_page_appears_because_of_such_variables(foreign_variables: None) -> None:
    async with open_journey(http=True) as journey, aiohttp.ClientSession() as http:
        for path in ("/slack/install", "/slack/oauth_redirect", "/stray"):
            async with http.get(journey.url + path, allow_redirects=False) as response:
                assert response.status == 404


async def test_bot_asks_slack_who_it_is_once_at_the_start(either: Journey) -> None:
    await either.asks()
    await either.asks("whoami", who=SAM)
    assert either.slack.count("auth.test") == 1


async def test_an_ack_waits_for_neither_slack_nor_genesys(either: Journey) -> None:
    either.slack.inject_fault("users.info", "slow", seconds=0.25)
    either.slack.inject_fault("response_url", "slow", seconds=0.25)
    either.genesys.latency_seconds = 0.25
    delivery = await either.slack.command(ANA, "")
    assert delivery.acked
    assert delivery.ack_ms < 245
    assert link(await either.reads(ANA, 0))


async def test_a_command_with_fields_slack_may_add_tomorrow_is_served(either: Journey) -> None:
    known = (await either.slack.command(ANA, "hepl")).payload
    before = len(either.slack.messages)
    payload: dict[str, Any] = {**known, "text": "Tomorrow", "trigger_id": "another", "new_field": "x", "empty": ""}
    delivery = await either.slack.send(payload, "slash_commands")
    assert delivery.acked
    assert "Tomorrow" in words(await either.reads(ANA, before))
