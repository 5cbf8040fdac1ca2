"""The server of the sandbox's page: it refuses other sites and forged requests, masks secrets, and stops in time."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.web.presentation import mask_secrets
from bot.sandbox.web.server import SandboxPage
from tests.support import sandbox_page
from tests.support.toy_bot import ANA, BEN, ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the loop of the fixtures
slack, bot, served, port = sandbox_page.slack, sandbox_page.bot, sandbox_page.served, sandbox_page.port


async def test_other_sites_and_names_are_kept_out(served: SandboxPage, slack: SandboxSlack) -> None:
    port = served.url.rsplit(":", 1)[1]
    base = f"http://127.0.0.1:{port}"
    body = {"as": ANA, "channel": "C0HELP", "text": "hi"}
    async with aiohttp.ClientSession(base) as session:

        async def say_from(**headers: str) -> int:
            async with session.post("/api/message", json=body, headers=headers) as answer:
                return answer.status

        assert (await session.get("/", headers={"Host": f"evil.example:{port}"})).status == 403
        assert (await session.get("/events", headers={"Host": f"evil.example:{port}"})).status == 403
        assert (await session.get("/events", headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await session.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status == 200
        assert await say_from() == 403
        assert await say_from(Origin="http://evil.example") == 403
        assert await say_from(Origin=f"http://localhost:{port}") == 403
        assert await say_from(Origin=base, **{"Content-Type": "text/plain"}) == 415
        assert slack.messages == []
        assert await say_from(Origin=base) == 200
        assert len(slack.messages) == 1


async def test_files_have_a_strict_policy_and_nothing_else_is_served(served: SandboxPage) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        for name in ("", "app.js", "slack/modal.js", "styles/theme.css", "icon.svg"):
            async with session.get(f"/{name}") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
        for name in (
            "page.py",
            "%2e%2e%2fpage.py",
            "..%2f..%2f__init__.py",
            "slack/..%2f..%2fpage.py",
            "slack",
            "none.js",
        ):
            async with session.get(f"/{name}") as answer:
                assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("message", {"as": "U0EVE", "channel": "C0HELP", "text": "x"}, 400),
        ("message", {"as": ANA, "channel": "C0NONE", "text": "x"}, 400),
        ("message", {"as": ANA, "channel": "C0HELP", "text": " "}, 400),
        ("message", {"as": 1}, 400),
        ("message", [], 400),
        ("press", {"as": ANA, "ts": "1.2", "action_id": "a", "block_id": "b"}, 404),
        ("press", {"as": ANA, "view": "V1", "action_id": "a", "block_id": "b"}, 404),
        ("press", {"as": ANA, "ts": "1.2", "values": {"a": "b"}}, 400),
        ("submit", {"as": ANA, "view": "V1", "values": {"a": {"b": 7}}}, 400),
        ("close", {"as": ANA, "view": "V1"}, 404),
        ("shortcut", {"as": ANA, "callback_id": "none"}, 404),
        ("shortcut", {"as": ANA, "callback_id": "from_message"}, 404),
        ("shortcut", {"as": ANA, "callback_id": "from_message", "ts": "1.2"}, 404),
        ("home", {"as": "U0EVE"}, 404),
        ("run-step", {"callback_id": "none", "inputs": {}}, 404),
        ("fault", {"name": "none"}, 400),
        ("locale", {"as": ANA, "name": "xx-XX"}, 400),
        ("locale", {"as": "U0EVE", "name": "de-DE"}, 400),
    ],
)
async def test_submission_the_page_could_not_send_is_refused(
    served: SandboxPage, path: str, body: Any, status: int
) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        answer = await session.post(f"/api/{path}", json=body, headers={"Origin": served.url})
        assert answer.status == status


async def test_person_chooses_the_language_in_which_they_read_slack(served: SandboxPage, slack: SandboxSlack) -> None:
    async with aiohttp.ClientSession(served.url, headers={"Origin": served.url}) as session:
        assert (await session.post("/api/locale", json={"as": ANA, "name": "de-DE"})).status == 200
    assert slack.workspace.users[ANA].locale == "de-DE"
    assert slack.workspace.users[BEN].locale == "en-US"


async def test_nobody_can_touch_the_modal_of_somebody_else(
    served: SandboxPage, slack: SandboxSlack, bot: ToyBot
) -> None:
    bot.fill.set()
    await slack.command(ANA, "new")
    view = (await slack.until(lambda: slack.views_of(ANA)))[0]
    await slack.until(lambda: view.values)
    async with aiohttp.ClientSession(served.url, headers={"Origin": served.url}) as session:
        for what, status in (("submit", 404), ("close", 404), ("press", 404)):
            sent = {"as": BEN, "view": view.id, "action_id": "check", "values": {"name": {"name": "x"}}}
            assert (await session.post(f"/api/{what}", json=sent)).status == status
        assert slack.views_of(ANA) == [view]
        unknown = {"as": ANA, "view": view.id, "values": {"length": {"length": "none"}}}
        assert (await session.post("/api/submit", json=unknown)).status == 404
        answer = await session.post("/api/submit", json={**unknown, "values": {"name": {"name": "x"}}})
        assert await answer.json() == {"acked": True}
    assert slack.views_of(ANA) == []


async def test_an_open_page_does_not_hold_up_the_end(served: SandboxPage) -> None:
    async with aiohttp.ClientSession(served.url) as session, session.get("/events") as live:
        assert await live.content.readline() == b"event: state\n"
        async with asyncio.timeout(2):
            await served.stop()
            assert b"hello" not in await live.content.read()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1-abc", "xapp-1-abc", "ana@example.com", "ana%40example.com", "https://join.example/a", "ws://127.0.0.1/x",
        "/response/abc_1", "Bearer abc.def", "eyJhbGciOi.eyJzdWIi.sig",
    ],
)  # fmt: skip
async def test_secrets_are_masked_in_the_traffic(secret: str) -> None:
    shown = mask_secrets({"from": "bot", "to": "Slack", "operation": f"a {secret} b", "note": secret, "body": secret})
    assert (shown["operation"], shown["note"], "body" in shown) == ("a ••• b", "•••", False)
