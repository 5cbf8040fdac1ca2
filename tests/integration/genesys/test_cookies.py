"""Test that no cookie of Genesys or Slack is stored: one client serves many people."""

import ast
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient
from tests.support.app import ROOT

HOST = "2f7b0c9e-0000-4000-8000-000000000001"


@dataclass
class Login:
    """A Genesys that sets a cookie with each answer, and records the cookies that it gets."""

    url: str = ""
    cookies: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.cookies.append(request.headers.get("Cookie"))
        body = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "id": HOST}
        response = web.json_response(body)
        response.set_cookie("session", f"of-call-{len(self.cookies)}")
        return response


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    made, app = Login(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_one_persons_sign_in_takes_no_cookie_to_the_next(login: Login) -> None:
    credentials = SecretCredentials("client", "secret")
    async with HttpClient() as http:
        people = AuthorizationCodeClient(
            http, login_url=login.url, api_url=login.url, credentials=credentials, redirect_uri="https://bot.example/cb"
        )
        anas = await people.exchange("anas-code", "v")
        await people.host_of(anas.token)
        await people.refresh("anas")
        bens = await people.exchange("bens-code", "v")
        await people.revoke(bens.token)
        auth = TokenAuth(http, login.url, credentials)
        await GenesysClient(http, login.url, auth).call("GET", "/api/v2/users/me", needs="users:readonly")
        await auth.close()
    assert login.cookies == [None] * 7


def test_every_http_session_of_the_bot_has_no_cookie_jar() -> None:
    found = 0
    for path in sorted((Path(ROOT) / "bot").rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            assert name not in ("httpx.AsyncClient", "httpx.Client"), path
            if name == "aiohttp.ClientSession":
                found += 1
                jar = [ast.unparse(each.value) for each in node.keywords if each.arg == "cookie_jar"]
                assert jar == ["aiohttp.DummyCookieJar()"], path
    assert found >= 4
