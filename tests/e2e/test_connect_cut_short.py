"""Sign-ins that take too long, stop in the middle or cannot be read: everybody gets an answer, and a correct one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from bot.core.errors import LoginRefusedError, UnusableAnswerError
from bot.core.timing import CoreTiming
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.http import HttpClient
from bot.sandbox.genesys.server import SandboxGenesys
from tests.support import accounts as accounts_support
from tests.support.accounts import asks_to_connect, open_connecting, opens, signs_in, state_of
from tests.support.app import ANA, HOSTS, SAM, Journey, words
from tests.support.conversations import HOST
from tests.support.timing import FRESH_PEOPLE

simple = accounts_support.simple


async def asked(genesys: SandboxGenesys, before: int) -> None:
    """Wait until Genesys's login has got one more request."""
    async with asyncio.timeout(5):
        while genesys.count("token") == before:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


async def test_return_during_a_stop_connects_and_is_told_in_slack() -> None:
    async with open_connecting() as journey:
        back, before = await signs_in(await asks_to_connect(journey)), journey.genesys.count("token")
        told = len(journey.slack.messages)
        await journey.genesys.inject_fault("slow", on="token", seconds=3.0)  # than which the server waits less
        coming = asyncio.create_task(opens(back))
        await asked(journey.genesys, before)
        await journey.finish()
        assert isinstance((await asyncio.gather(coming, return_exceptions=True))[0], Exception)
        assert "You’re signed in to Genesys" in words(await journey.reads(ANA, told))
        assert list(journey.genesys.user_login.refresh_tokens.values()) == [HOST]


async def test_no_browser_waits_for_long_when_slack_puts_look_ups_off() -> None:
    async with open_connecting(timing=CoreTiming(lookup_timeout=0.3), slack_timing=FRESH_PEOPLE) as journey:
        back = await signs_in(await asks_to_connect(journey))
        journey.slack.inject_fault("users.info", "ratelimited", retry_after=30)
        async with asyncio.timeout(5):
            page = await opens(back)
    assert page.status == 503
    assert "Slack didn’t answer my question" in page.text
    assert "Nothing has changed" in page.text
    assert "/cobrowse connect in Slack for a new link" in page.text
    assert journey.genesys.user_login.refresh_tokens == {}


async def test_wrong_client_for_people_is_not_called_the_bots_own(simple: Journey) -> None:
    back = await signs_in(await asks_to_connect(simple))
    simple.genesys.user_login.client = replace(simple.genesys.user_login.client, secret="another")
    page = await opens(back)
    assert "Genesys didn’t complete the sign-in. Nothing has changed." in page.text
    assert "My connection" not in page.text
    assert "invalid_client" not in page.text
    host = f"{HOSTS[SAM]}-3333-4333-8333-333333333333"
    page = await opens(await signs_in(await asks_to_connect(simple, SAM), host))  # Sam is the contact
    assert "Nothing has changed" in page.text
    assert "did not complete the sign-in (invalid_client" in page.text


async def raw(url: str, line: bytes) -> bytes:
    """Send a request with this first line, and return the server's answer."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(line + b" HTTP/1.1\r\nHost: bot\r\n\r\n")
    async with asyncio.timeout(5):
        answer = await reader.read(100)
    writer.close()
    return answer


@pytest.mark.parametrize("rest", [b"\x00", b"x" * 9000, b" &more"], ids=["a null", "too long", "a blank"])
async def test_unreadable_callback_is_not_logged(
    simple: Journey, caplog: pytest.LogCaptureFixture, rest: bytes
) -> None:
    state = state_of(await asks_to_connect(simple))
    line = f"GET /genesys/callback?state={state}&code=".encode() + rest
    assert b"400" in await raw(simple.url, line)
    assert "Error handling request" in caplog.text
    assert state not in caplog.text


@asynccontextmanager
async def login(answer: dict[str, object], status: int = 200) -> AsyncIterator[AuthorizationCodeClient]:
    """Yield a client of a login that gives this answer. Its API answers with `status` when asked who the user is."""

    async def token(_: web.Request) -> web.Response:
        return web.json_response(answer)

    async def me(_: web.Request) -> web.Response:
        return web.json_response({"message": "No."}, status=status)

    server = web.Application()
    server.add_routes([web.post("/oauth/token", token), web.get("/api/v2/users/me", me)])
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        client = SecretCredentials("people-client", "people-secret")
        async with HttpClient() as http:
            yield AuthorizationCodeClient(
                http, login_url=url, api_url=url, credentials=client, redirect_uri=f"{url}/back"
            )
    finally:
        await runner.cleanup()


GRANT = {"access_token": "a" * 20, "expires_in": 3600, "refresh_token": "r" * 20}


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_token"), (403, "insufficient_scope")])
async def test_person_genesys_does_not_name_is_no_fault_of_the_client(status: int, code: str) -> None:
    async with login(GRANT, status) as people_login:
        grant = await people_login.exchange("code", "v" * 64)
        with pytest.raises(LoginRefusedError, match=r"^connect_failed$") as failed:
            await people_login.host_of(grant.token)
    assert failed.value.oauth_error == code


@pytest.mark.parametrize("refresh_token", ["", "\ud800", "line\nbreak", "é", "r" * 9000, 7, None])
async def test_a_refresh_token_that_is_none_is_not_kept(refresh_token: object) -> None:
    async with login(GRANT | {"refresh_token": refresh_token}) as people_login:
        with pytest.raises(UnusableAnswerError):
            await people_login.exchange("code", "v" * 64)
