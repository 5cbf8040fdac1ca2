"""Share the vendor's SDK and the bot's client for comparison, both connected to the sandbox and recorded."""

import json
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from types import ModuleType
from typing import Any

import httpx
import pytest

from bot.config import settings
from bot.factories import sessions_api
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient
from tests.support.app import Servers
from tests.support.conversations import PUBLIC, SECRET

CLIENT = "sandbox-client"
Call = tuple[str, str, Any]
SMS = {"fromAddress": "+14155550100", "toAddress": "+14155550123", "toAddressMessengerType": "sms", "textBody": "Hello"}
EMAIL: dict[str, Any] = {"senderType": "Outbound", "fromAddress": {"email": "care@example.com"}}
EMAIL |= {"toAddresses": [{"email": "carla@example.com"}], "subject": "Your link", "textBody": "Hello"}
SEARCH_BY_NAME = {
    "pageSize": 10,
    "query": [{"fields": ["name", "email"], "value": "una", "type": "CONTAINS"}],
}
SEARCH = {"pageSize": 2, "query": [{"fields": ["email"], "value": "ana@example.com", "type": "EXACT"}]}


class Vendor:
    """The SDK's client, connected to the sandbox. It records what it sends."""

    def __init__(self, sdk: ModuleType, url: str) -> None:
        self.sdk = sdk
        self.sent: list[Any] = []
        self.client = sdk.api_client.ApiClient(host=url)
        self.client.get_http_client().pre_hook = self._note

    def _note(self, options: Any) -> Any:
        path = httpx.URL(options.url).raw_path.decode()
        self.sent.append((options.method, path, options.body))
        return options

    def sign_in(self) -> "Vendor":
        self.client.get_client_credentials_token(CLIENT, SECRET)
        return self

    def read(self, body: Any, model: str) -> Any:
        """Convert JSON to the SDK's model."""
        response = type("Response", (), {"data": json.dumps(body), "getheader": lambda *_: "application/json"})
        return self.client.deserialize(response, model)

    def write(self, model: Any) -> Any:
        """Convert the SDK's model to JSON."""
        return json.loads(json.dumps(self.client.sanitize_for_serialization(model)))


class Noting(HttpClient):
    """The bot's HTTP client. It reports each request that it sends, to the login and to the API."""

    def __init__(self, note: Callable[[httpx.Request], None]) -> None:
        super().__init__()
        self._note = note

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        self._note(request)
        return await super().send(request, **how)

    async def send_call(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        response = await super().send_call(request, auth)
        self._note(request)  # as `auth` has let it out
        return response


@asynccontextmanager
async def ours(servers: Servers) -> AsyncIterator[tuple[GenesysClient, Any, list[Call]]]:
    """Yield the bot's client, the bot's session service, and the requests that they send."""
    sent: list[Call] = []

    def note(request: httpx.Request) -> None:
        body = request.read().decode()
        is_json = request.headers.get("Content-Type") == "application/json"
        sent.append((request.method, request.url.raw_path.decode(), json.loads(body) if is_json else body or None))

    loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC)
    async with Noting(note) as http:
        auth = TokenAuth(http, loaded.login_url, loaded.credentials)
        client = GenesysClient(http, loaded.api_url, auth)
        yield client, sessions_api(loaded, client), sent
        await auth.close()


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Import the SDK with an empty home directory, because the SDK reads a configuration from there."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import PureCloudPlatformClientV2
    patch.undo()
    module: ModuleType = PureCloudPlatformClientV2
    return module


def times(thing: Any) -> Any:
    """Return a copy of a value in which every time is a datetime, so that formats do not matter."""
    if isinstance(thing, dict):
        return {name: times(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [times(value) for value in thing]
    try:
        return datetime.fromisoformat(thing) if isinstance(thing, str) and "T" in thing else thing
    except ValueError:
        return thing
