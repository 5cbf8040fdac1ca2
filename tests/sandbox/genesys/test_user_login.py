"""The sandbox's Genesys over a real socket: how users sign in, and who gets no token."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.http import HttpClient
from bot.sandbox.genesys.api.user_login import UserLoginClient
from tests.support.accounts import signs_in
from tests.support.app import Servers, open_servers
from tests.support.conversations import HOST

BACK = "https://bot.example.com/genesys/callback"
SECRET, VERIFIER = ("people-client", "people-secret"), "v" * 43


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        started.genesys.user_login.client = UserLoginClient("people-client", "people-secret", (BACK,))
        yield started


@pytest.fixture
async def address(servers: Servers) -> AsyncIterator[str]:
    url = servers.genesys.url
    async with HttpClient() as http:
        credentials = SecretCredentials("people-client", "people-secret")
        login = AuthorizationCodeClient(http, login_url=url, api_url=url, credentials=credentials, redirect_uri=BACK)
        yield login.address("state-1", VERIFIER)


async def ask(servers: Servers, form: dict[str, str], auth: Any = SECRET) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{servers.genesys.url}/oauth/token", data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def code(address: str, user_id: str = HOST) -> dict[str, str]:
    location = urlsplit(await signs_in(address, user_id))
    assert location._replace(query="").geturl() == BACK
    return dict(parse_qsl(location.query))


async def test_code_and_refresh_token_are_used_once(servers: Servers, address: str) -> None:
    back = await code(address)
    assert back["state"] == "state-1"
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    status, first = await ask(servers, form)
    assert (status, set(first)) == (200, {"access_token", "token_type", "expires_in", "refresh_token"})
    assert (await ask(servers, form))[1]["error"] == "invalid_grant"
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    status, second = await ask(servers, again)
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert (await ask(servers, again))[1]["error"] == "invalid_grant"
    servers.genesys.user_login.sign_out(HOST)
    assert (await ask(servers, again | {"refresh_token": second["refresh_token"]}))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "auth", "error"),
    [
        ({"code_verifier": "w" * 43}, SECRET, "invalid_grant"),
        ({"code_verifier": ""}, SECRET, "invalid_grant"),
        ({"code_verifier": "v" * 42}, SECRET, "invalid_grant"),
        ({"redirect_uri": BACK + "/"}, SECRET, "invalid_grant"),
        ({"code": "made-up"}, SECRET, "invalid_grant"),
        ({}, ("people-client", "wrong"), "invalid_client"),
        ({}, ("sandbox-client", "people-secret"), "invalid_client"),
        ({"client_id": "sandbox-client"}, None, "invalid_client"),
    ],
)
async def test_a_wrong_verifier_redirect_uri_or_client_gets_nothing(
    servers: Servers, address: str, changes: dict[str, str], auth: Any, error: str
) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    status, body = await ask(servers, form | {"code": (await code(address))["code"]} | changes, auth)
    assert status in (400, 401)
    assert body["error"] == error
    assert servers.genesys.user_login.refresh_tokens == {}


async def test_client_without_a_secret_has_no_refresh_token(servers: Servers, address: str) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    form |= {"client_id": "people-client", "code": (await code(address))["code"]}
    status, body = await ask(servers, form, None)
    assert status == 200
    assert "refresh_token" not in body
    servers.genesys.user_login.refresh_tokens["kept"] = HOST
    form = {"grant_type": "refresh_token", "refresh_token": "kept", "client_id": "people-client"}
    assert (await ask(servers, form, None))[1]["error"] == "invalid_client"


async def test_refused_sign_in_returns_without_a_code(servers: Servers, address: str) -> None:
    back = await code(address, "")
    assert (back["error"], back["state"]) == ("access_denied", "state-1")
    assert "code" not in back


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("people-client", "sandbox-client"),
        ("bot.example.com", "evil.example.com"),
        ("response_type=code&", "response_type=token&"),
        ("S256", "plain"),
    ],
)
async def test_wrongly_requested_sign_in_redirects_nobody(servers: Servers, address: str, old: str, new: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(address.replace(old, new), allow_redirects=False) as answer:
        assert answer.status == 400
        assert "Location" not in answer.headers
