"""Share users, a small client and a running server for the tests of the sandbox's Genesys."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.genesys.server import GenesysUser, SandboxGenesys
from tests.support import private_keys

CLIENT, ORG, SECRET = "client-of-the-bot", "org-of-the-bot", "s3cret-of-the-bot"
SCOPES = "cobrowse:session:write cobrowse:session:read"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SESSIONS = "/api/v2/conversations/cobrowse"
ANNA = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a01", "Anna <b>Agent</b>", "Anna@Example.com")
IDLE = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a02", "Ian Idle", "ian@example.com", state="inactive")
GONE = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a03", "Gus Gone", "gus@example.com", state="deleted")
BARE = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a04", "Bea Bare", "bea@example.com", cobrowse=False)
TWIN = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a05", "Twin One", "twin@example.com")
ALSO = GenesysUser("5f1d9f3e-7a1b-4c55-9a0e-2f4f3f0c9a06", "Twin Two", "TWIN@example.com", state="inactive")
USERS = (ANNA, IDLE, GONE, BARE, TWIN, ALSO)
RSA_KEY, EC_KEY = private_keys.RSA, private_keys.P256
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Answer = tuple[int, Any, Any]  # status, headers, body (parsed where it is JSON)


def public_pem(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    written: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    return written


class Client:
    """A minimal client: one pooled connection, a token, no retries, no redirects."""

    def __init__(self, genesys: SandboxGenesys, http: aiohttp.ClientSession) -> None:
        self.genesys, self.http, self.token = genesys, http, ""

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", {})
        url = self.genesys.url + path
        async with self.http.request(method, url, headers=headers, allow_redirects=False, **more) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, response.headers, json.loads(text) if is_json and text else text

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {"iss": CLIENT, "sub": CLIENT, "aud": self.genesys.url + "/oauth/token", "org_id": ORG}
        claims |= {"iat": now, "exp": now + 300, "jti": str(uuid.uuid4())} | changes
        return {name: value for name, value in claims.items() if value is not None}

    async def sign_in(
        self, *, key: Any = RSA_KEY, algorithm: str = "RS256", form: Any = None, **changes: Any
    ) -> Answer:
        fields = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "scope": SCOPES}
        fields["client_assertion"] = jwt.encode(self.claims(**changes), key, algorithm)
        fields |= form or {}
        self.token = ""
        status, headers, body = await self.ask("POST", "/oauth/token", data=fields)
        if status == 200 and isinstance(body, dict):
            self.token = body.get("access_token", "")
        return status, headers, body

    async def sign_in_with_secret(self, secret: str, **more: str) -> Answer:
        headers = {"Authorization": aiohttp.encode_basic_auth(CLIENT, secret)}
        form = {"grant_type": "client_credentials", **more}
        self.token = ""
        answer = await self.ask("POST", "/oauth/token", data=form, headers=headers)
        self.token = answer[2].get("access_token", "")
        return answer

    async def create(self, **changes: Any) -> Answer:
        return await self.ask("POST", SESSIONS, json=create_body(**changes))


def create_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"hostUserId": ANNA.id, "application": {"id": "web", "type": "web"}}
    body |= {"sessionName": "Checkout help", "timeoutSeconds": 1800, "metadata": {"source": "cobrowse-bot"}}
    return body | changes


def search_body(value: Any, **changes: Any) -> dict[str, Any]:
    return {"pageSize": 2, "query": [{"fields": ["email"], "value": value, "type": "EXACT"} | changes]}


@pytest.fixture
async def genesys() -> AsyncIterator[SandboxGenesys]:
    server = SandboxGenesys(
        public_key_pem=public_pem(RSA_KEY), client_id=CLIENT, org_id=ORG, client_secret=SECRET, users=USERS
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def stranger(genesys: SandboxGenesys) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
        yield Client(genesys, http)


@pytest.fixture
async def client(stranger: Client) -> Client:
    assert (await stranger.sign_in())[0] == 200
    return stranger


async def soon(is_so: Callable[[], object]) -> None:
    """Wait until `is_so` returns a true value. Fail the test after a second."""
    for _ in range(100):
        if is_so():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen within a second")
