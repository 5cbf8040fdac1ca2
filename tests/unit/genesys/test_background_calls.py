"""Calls in the background that must not wait while Genesys asks for a pause (`waits=False`)."""

import asyncio

import httpx
import pytest

from bot.core.errors import ServiceBusyError, ServiceFailedError
from bot.genesys.client import GenesysClient
from bot.genesys.http import TokenSource
from bot.genesys.rate_limit import LIVE


class Http:
    """Answers calls with `answers` in turn, then with 200. If `gate` is set, an answer waits for it."""

    def __init__(self) -> None:
        self.sent = 0
        self.answers: list[httpx.Response] = []
        self.gate: asyncio.Event | None = None

    async def send_call(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        self.sent += 1
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={})
        if self.gate:
            await self.gate.wait()
        return answer


@pytest.fixture
def http() -> Http:
    return Http()


@pytest.fixture
def client(http: Http) -> GenesysClient:
    return GenesysClient(http, "https://api.example.com", TokenSource())  # type: ignore[arg-type]


async def look(client: GenesysClient) -> None:
    await client.call("GET", "/x", needs="view", safe=True, share=LIVE, waits=False)


def pause(seconds: str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": seconds})


async def test_look_beside_a_refused_test_call_does_not_wait(http: Http, client: GenesysClient) -> None:
    http.answers = [pause("1")]
    with pytest.raises(ServiceBusyError):
        await look(client)
    await asyncio.sleep(1.05)  # from here on, the next look is a test call
    http.gate, http.answers = asyncio.Event(), [pause("60")]
    looks = [asyncio.create_task(look(client)) for _ in range(2)]
    await asyncio.sleep(0.05)
    http.gate.set()
    async with asyncio.timeout(5):
        found = await asyncio.gather(*looks, return_exceptions=True)
    assert [type(each) for each in found] == [ServiceBusyError, ServiceBusyError]
    assert http.sent == 2


async def test_look_that_a_pause_refuses_uses_no_share(http: Http, client: GenesysClient) -> None:
    http.answers = [pause("1")]
    for _ in range(80):
        with pytest.raises(ServiceBusyError):
            await look(client)
    assert http.sent == 1
    await asyncio.sleep(1.05)
    await look(client)
    assert http.sent == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_pause_of_unknown_length_fails_the_look(http: Http, client: GenesysClient, status: int) -> None:
    http.answers = [httpx.Response(status)]
    with pytest.raises(ServiceFailedError):
        await look(client)
    assert http.sent == 1
