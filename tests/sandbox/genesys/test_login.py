"""The login of the sandbox's Genesys over a real socket: which clients get a token."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bot.sandbox.genesys.server import SandboxGenesys
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import CLIENT, EC_KEY, ORG, OTHER_KEY, RSA_KEY, SECRET, USERS, Client, public_pem

genesys, stranger, client = sandbox_genesys.genesys, sandbox_genesys.stranger, sandbox_genesys.client


async def test_a_right_assertion_gets_a_token_that_works(stranger: Client) -> None:
    status, headers, body = await stranger.sign_in()
    assert status == 200
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"], headers["Cache-Control"]) == ("bearer", 86400, "no-store")
    assert (await stranger.create())[0] == 200


async def test_an_es256_assertion_is_verified_for_a_p256_key() -> None:
    server = SandboxGenesys(public_key_pem=public_pem(EC_KEY), client_id=CLIENT, org_id=ORG, users=USERS)
    await server.start()
    async with aiohttp.ClientSession() as http:
        client = Client(server, http)
        assert (await client.sign_in(key=EC_KEY, algorithm="ES256"))[0] == 200
        assert (await client.sign_in(key=RSA_KEY))[2]["error"] == "invalid_client"
        assert (await client.sign_in_with_secret("None"))[2]["error"] == "invalid_client"
    await server.stop()


def test_a_key_of_another_kind_is_refused_at_once() -> None:
    odd = public_pem(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(ValueError, match="RSA or P-256"):
        SandboxGenesys(public_key_pem=odd, client_id=CLIENT, org_id=ORG, users=())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": "https://login.example.com/oauth/token"}, id="another audience"),
        pytest.param({"aud": ["https://login.example.com/oauth/token"]}, id="a list of audiences"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"iss": "somebody"}, id="another issuer"),
        pytest.param({"sub": "somebody"}, id="another subject"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"org_id": "elsewhere"}, id="another org"),
        pytest.param({"org_id": None}, id="no org"),
        pytest.param({"jti": None}, id="no jti"),
        pytest.param({"iat": None}, id="no iat"),
        pytest.param({"exp": None}, id="no exp"),
        pytest.param({"iat": lambda now: now + 60, "exp": lambda now: now + 120}, id="from the future"),
        pytest.param({"iat": lambda now: now - 120, "exp": lambda now: now - 60}, id="past"),
        pytest.param({"iat": lambda now: now, "exp": lambda now: now + 301}, id="longer than five minutes"),
        pytest.param({"exp": lambda now: str(now + 200)}, id="a time that is no number"),
        pytest.param({"key": OTHER_KEY}, id="another key"),
        pytest.param({"key": "x" * 64, "algorithm": "HS256"}, id="another algorithm"),
        pytest.param({"key": None, "algorithm": "none"}, id="unsigned"),
        pytest.param({"form": {"client_assertion": "not.a.jwt"}}, id="no JWT"),
        pytest.param({"form": {"client_assertion_type": "saml"}}, id="another assertion type"),
    ],
)
async def test_a_wrong_assertion_is_refused(stranger: Client, changes: dict[str, Any]) -> None:
    now = int(time.time())
    told = {name: value(now) if callable(value) else value for name, value in changes.items()}
    status, _, body = await stranger.sign_in(**told)
    assert status in (400, 401)
    assert set(body) == {"error", "error_description"}
    assert body["error"] == "invalid_client"


async def test_the_right_audience_inside_a_list_is_refused(stranger: Client) -> None:
    assert (await stranger.sign_in(aud=[stranger.genesys.url + "/oauth/token"]))[2]["error"] == "invalid_client"


async def test_an_assertion_works_once(stranger: Client) -> None:
    assert (await stranger.sign_in(jti="one"))[0] == 200
    assert (await stranger.sign_in(jti="one"))[2]["error"] == "invalid_client"
    assert (await stranger.sign_in(jti="two"))[0] == 200


async def test_only_client_credentials_in_a_plain_form_are_taken(stranger: Client) -> None:
    assert (await stranger.sign_in(form={"grant_type": "password"}))[2]["error"] == "unsupported_grant_type"
    assert (await stranger.ask("POST", "/oauth/token", json={}))[2]["error"] == "invalid_request"
    twice = [("grant_type", "client_credentials")] * 2
    assert (await stranger.ask("POST", "/oauth/token", data=twice))[2]["error"] == "invalid_request"


async def test_a_client_secret_signs_in_without_a_scope_and_may_create(stranger: Client) -> None:
    assert (await stranger.sign_in_with_secret(SECRET))[0] == 200
    assert (await stranger.create())[0] == 200


async def test_a_wrong_client_secret_is_refused(stranger: Client) -> None:
    status, headers, body = await stranger.sign_in_with_secret("wrong")
    assert (status, body["error"], headers["WWW-Authenticate"]) == (401, "invalid_client", "Basic")
    garbled = await stranger.ask(
        "POST", "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": "Basic !!!"}
    )
    assert garbled[2]["error"] == "invalid_client"


async def test_a_secret_and_an_assertion_together_are_refused(stranger: Client) -> None:
    assert (await stranger.sign_in_with_secret(SECRET, client_assertion="x"))[2]["error"] == "invalid_request"


async def test_a_token_runs_out(stranger: Client) -> None:
    stranger.genesys.token_seconds = 1
    await stranger.sign_in()
    assert (await stranger.create())[0] == 200
    await asyncio.sleep(1.05)
    assert (await stranger.create())[0] == 401
