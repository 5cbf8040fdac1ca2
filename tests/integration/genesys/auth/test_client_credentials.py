"""Test the bot's token: one for the process, fetched once, renewed ahead, dropped when refused; and login errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bot.config import settings
from bot.core.errors import LoginRefusedError, PermissionMissingError, ServiceError, UnknownSessionError
from bot.core.models import SessionId
from bot.genesys.api.sessions import READ, CobrowseSessions
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient
from bot.observability.metrics import PrometheusMetrics
from bot.sandbox.genesys.server import SandboxGenesys
from tests.support.app import (
    ANA,
    QUICK_GENESYS,
    SAM,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    open_servers,
    words,
)


@dataclass
class Clocked:
    """A client of the sandbox's Genesys with a clock that the test moves."""

    genesys: SandboxGenesys
    sessions: CobrowseSessions
    auth: TokenAuth
    now: float = 0.0


@pytest.fixture
async def clocked() -> AsyncIterator[Clocked]:
    """Yield a client whose tokens live for a thousand seconds."""
    async with open_servers(token_seconds=1000) as servers, HttpClient() as http:
        loaded = settings.load_part(settings.read_service_alone, servers.environ)
        auth = TokenAuth(http, loaded.login_url, loaded.credentials, timing=QUICK_GENESYS, clock=lambda: world.now)
        world = Clocked(
            servers.genesys, CobrowseSessions(GenesysClient(http, loaded.api_url, auth, timing=QUICK_GENESYS)), auth
        )
        yield world
        await auth.close()


async def test_a_hundred_first_commands_at_once_fetch_one_token(journey: Journey) -> None:
    journey.genesys.latency_seconds = 0.05
    await asyncio.gather(*(journey.slack.command(ANA, f"No {number}") for number in range(100)))
    await journey.finish()
    assert journey.genesys.count("token") == 1
    assert journey.genesys.count("search") == 1
    assert journey.slack.count("users.info") == 1
    assert len(journey.genesys.creates) == 100
    assert len({link(message) for message in journey.slack.seen_by(ANA)}) == 100


async def test_a_hundred_first_calls_at_once_fetch_one_token(clocked: Clocked) -> None:
    clocked.genesys.latency_seconds = 0.05
    await asyncio.gather(*(clocked.sessions.applications() for _ in range(100)))
    assert clocked.genesys.count("token") == 1


async def test_a_cancelled_call_does_not_cancel_the_others_token(clocked: Clocked) -> None:
    clocked.genesys.latency_seconds = 0.1
    calls = [asyncio.create_task(clocked.sessions.applications()) for _ in range(3)]
    await asyncio.sleep(0.02)
    calls[0].cancel()
    assert await asyncio.gather(*calls[1:]) == [[("web", "Web")]] * 2
    assert clocked.genesys.count("token") == 1


async def test_a_token_is_renewed_ahead_and_no_call_waits_for_it(clocked: Clocked) -> None:
    await clocked.sessions.applications()
    clocked.now = 890
    await clocked.sessions.applications()
    assert clocked.genesys.count("token") == 1
    clocked.now = 910  # nine tenths of its life are over
    await clocked.genesys.inject_fault("slow", on="token", seconds=0.6)
    async with asyncio.timeout(0.55):
        await asyncio.gather(*(clocked.sessions.applications() for _ in range(10)))
    await asyncio.sleep(0.7)
    assert clocked.genesys.count("token") == 2
    clocked.now = 1500  # the old one is long gone, the new one good
    await clocked.sessions.applications()
    assert clocked.genesys.count("token") == 2


async def test_a_token_at_its_end_is_waited_for(clocked: Clocked) -> None:
    await clocked.sessions.applications()
    clocked.now = 999
    await clocked.sessions.applications()
    assert clocked.genesys.count("token") == 2


async def test_a_renewal_that_fails_harms_nobody_while_the_token_lasts(clocked: Clocked) -> None:
    await clocked.sessions.applications()
    clocked.now = 910
    await clocked.genesys.inject_fault("500", on="token")
    for _ in range(3):
        assert await clocked.sessions.applications()
        await asyncio.sleep(0.05)
    await clocked.genesys.inject_fault(None)
    clocked.now = 999
    assert await clocked.sessions.applications()


async def test_commands_outlive_short_tokens() -> None:
    async with open_journey(token_seconds=1) as journey:
        for number in range(6):
            assert link(await journey.asks(f"No {number}"))
            await asyncio.sleep(0.25)
        assert 2 <= journey.genesys.count("token") <= 5
        assert len(journey.genesys.sessions) == 6


async def test_many_refused_at_once_share_one_renewal(journey: Journey) -> None:
    await journey.asks("whoami")
    journey.genesys.latency_seconds = 0.1
    await journey.genesys.inject_fault("401", times=20)
    await asyncio.gather(*(journey.slack.command(ANA, f"No {number}") for number in range(20)))
    await journey.finish()
    assert journey.genesys.count("token") == 2
    assert len(journey.genesys.creates) == 40
    assert len(journey.genesys.sessions) == 20


async def test_late_401_with_an_old_token_keeps_the_new_one(clocked: Clocked) -> None:
    """Two calls carry the same token. The second 401 arrives after the first 401 made the bot replace the token."""
    calls = [clocked.auth.async_auth_flow(httpx.Request("GET", clocked.genesys.url)) for _ in range(2)]
    sent = [(await anext(call)).headers["Authorization"] for call in calls]
    assert sent[0] == sent[1]
    for call in calls:
        with pytest.raises(StopAsyncIteration):
            await call.asend(httpx.Response(401))
        await clocked.auth.ready()
    assert clocked.genesys.count("token") == 2


async def test_scope_that_was_added_is_used_at_once(clocked: Clocked) -> None:
    clocked.genesys.login.missing_scopes = {READ}
    for clocked.now in (0, 60):
        with pytest.raises(PermissionMissingError):
            await clocked.sessions.read(SessionId("s-1"))
    clocked.genesys.login.missing_scopes = set()
    clocked.now = 120
    with pytest.raises(UnknownSessionError):  # Genesys knows no such session
        await clocked.sessions.read(SessionId("s-1"))
    assert [call.status for call in clocked.genesys.calls if call.kind == "read"] == [403, 403, 403, 403, 404]


@pytest.mark.parametrize("fault", ["division", "user-context"])
async def test_forbidden_that_no_scope_mends_is_sent_once(clocked: Clocked, fault: str) -> None:
    await clocked.auth.ready()
    clocked.now = 60
    await clocked.genesys.inject_fault(fault, on="read")
    with pytest.raises(ServiceError):
        await clocked.sessions.read(SessionId("s-1"))
    assert (clocked.genesys.count("read"), clocked.genesys.count("token")) == (1, 1)


async def test_a_missing_scope_fetches_few_tokens(clocked: Clocked) -> None:
    clocked.genesys.login.missing_scopes = {READ}
    for clocked.now in range(100):
        with pytest.raises(PermissionMissingError):
            await clocked.sessions.read(SessionId("s-1"))
    assert clocked.genesys.count("token") == 10  # one in ten seconds
    assert clocked.genesys.count("read") == 109


async def test_many_forbidden_at_once_share_one_new_token(clocked: Clocked) -> None:
    clocked.genesys.login.missing_scopes = {READ}
    await clocked.auth.ready()
    clocked.now, clocked.genesys.latency_seconds = 60, 0.05
    calls = (clocked.sessions.read(SessionId("s-1")) for _ in range(20))
    assert {type(each) for each in await asyncio.gather(*calls, return_exceptions=True)} == {PermissionMissingError}
    assert clocked.genesys.count("token") == 2
    assert clocked.genesys.count("read") == 40


LOGIN = [
    # fault, what the contact reads, whether Try again makes sense, how often the login is asked
    ("invalid_client", ["invalid_client", "id, key or secret", "GENESYS_REGION"], False, 1),
    ("invalid_scope", ["invalid_scope", "GENESYS_SCOPES"], False, 1),
    ("unauthorized_client", ["unauthorized_client", "Client Credentials"], False, 1),
    ("no-token", ["without a token"], True, 1),
    ("not-json", ["without a token"], True, 1),
    ("not-object", ["without a token"], True, 1),
    ("redirect", ["redirect"], True, 1),
    ("500", ["Genesys status"], True, 3),
    ("502", ["can’t reach Genesys"], True, 3),
    ("dropped", ["can’t reach Genesys"], True, 3),
    ("reset", ["can’t reach Genesys"], True, 3),
    ("cut", ["can’t reach Genesys"], True, 3),
]


@pytest.mark.parametrize(("fault", "told", "again", "asked"), LOGIN, ids=[row[0] for row in LOGIN])
async def test_a_login_that_says_no_is_told_by_name(
    journey: Journey, fault: str, told: list[str], again: bool, asked: int
) -> None:
    await journey.genesys.inject_fault(fault, on="token")
    message = await journey.asks(who=SAM)
    assert is_failure(message)
    for phrase in told:
        assert phrase.lower() in words(message).lower()
    assert ("try_again" in buttons(message)) is again
    assert journey.genesys.count("token") == asked
    assert journey.genesys.creates == []
    await journey.genesys.inject_fault(None)
    assert link(await journey.asks())


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("500-twice", {}),
        ("429", {"times": 1, "retry_after": 1}),
        ("503", {"times": 2, "retry_after": None}),
        ("dropped", {"times": 1}),
        ("502", {"times": 2}),
    ],
)
async def test_a_login_that_recovers_is_asked_again(journey: Journey, fault: str, how: dict[str, Any]) -> None:
    await journey.genesys.inject_fault(fault, on="token", **how)
    assert link(await journey.asks())
    assert len(journey.genesys.creates) == 1


async def test_an_assertion_is_never_used_twice(journey: Journey) -> None:
    """The sandbox's login refuses an assertion that it has seen, so each try needs a new one."""
    await journey.genesys.inject_fault("cut", on="token", times=2)  # it has seen two, and taken both
    assert link(await journey.asks())


async def test_one_answer_to_many_who_wait_when_the_login_says_no(journey: Journey) -> None:
    journey.genesys.latency_seconds = 0.1
    await journey.genesys.inject_fault("invalid_client", on="token")
    await asyncio.gather(*(journey.slack.command(ANA, f"No {number}") for number in range(20)))
    await journey.finish()
    assert all(is_failure(message) for message in journey.slack.seen_by(ANA))
    assert len(journey.slack.seen_by(ANA)) == 20
    assert journey.genesys.count("token") <= 2


# -- A second client, and credentials that change --

FIRST, SECOND = SecretCredentials("client-1", "secret-hush-1"), SecretCredentials("client-2", "secret-hush-2")


@asynccontextmanager
async def two_clients(*known: SecretCredentials) -> AsyncIterator[tuple[SandboxGenesys, TokenAuth, PrometheusMetrics]]:
    """Open a token source with two clients, of which the login knows these."""
    async with open_servers(client_secret="unused") as servers, HttpClient() as http:
        servers.genesys.login.client_secrets = {each.client_id: each.secret for each in known}
        metrics = PrometheusMetrics()
        auth = TokenAuth(http, servers.genesys.url, FIRST, SECOND, timing=QUICK_GENESYS, metrics=metrics)
        yield servers.genesys, auth, metrics
        await auth.close()


async def test_second_client_takes_over_when_the_first_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with two_clients(SECOND) as (genesys, auth, metrics):
        await auth.ready()
        assert genesys.count("token") == 2
        auth._token = None
        await auth.ready()
        assert genesys.count("token") == 3  # it begins with the client that was accepted
        assert [record.getMessage() for record in caplog.records] == [
            "Genesys refuses an OAuth client, and the other one took its place"
        ]
        assert 'renewals_total{outcome="ok"} 2.0' in metrics.exposition().decode()
        assert 'renewals_total{outcome="oauth_refused"} 0.0' in metrics.exposition().decode()


async def test_first_client_takes_over_when_the_second_is_refused() -> None:
    async with two_clients(SECOND) as (genesys, auth, _):
        await auth.ready()
        genesys.login.client_secrets = {FIRST.client_id: FIRST.secret}
        auth._token = None
        await auth.ready()


async def test_two_refused_clients_are_one_refusal() -> None:
    async with two_clients() as (genesys, auth, _):
        with pytest.raises(LoginRefusedError) as refused:
            await auth.ready()
        assert refused.value.oauth_error == "invalid_client"
        assert genesys.count("token") == 2


async def test_other_refusals_do_not_try_the_second_client() -> None:
    async with two_clients(FIRST, SECOND) as (genesys, auth, _):
        await genesys.inject_fault("invalid_scope", on="token")
        with pytest.raises(LoginRefusedError):
            await auth.ready()
        assert genesys.count("token") == 1


async def test_new_credentials_are_used_once_they_have_a_token() -> None:
    async with two_clients(FIRST) as (genesys, auth, _):
        await auth.ready()
        genesys.login.client_secrets = {SECOND.client_id: SECOND.secret}
        old = auth._token
        await auth.use(SECOND, None)
        assert auth._token is not old
        auth._token = None
        await auth.ready()


async def test_refused_credentials_leave_the_old_ones() -> None:
    async with two_clients(FIRST) as (_, auth, _metrics):
        await auth.ready()
        old = auth._token
        with pytest.raises(LoginRefusedError):
            await auth.use(SECOND, None)
        assert auth._token is old
        auth._token = None
        await auth.ready()


async def test_fetch_under_way_does_not_bring_old_credentials_back() -> None:
    async with two_clients(FIRST, SECOND) as (genesys, auth, _):
        await genesys.inject_fault("slow", on="token", seconds=0.3, times=1)
        waiting = asyncio.create_task(auth.ready())
        async with asyncio.timeout(5):
            while not genesys.count("token"):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        await auth.use(SECOND, None)
        new = auth._token
        await waiting
        assert auth._token is new
        assert auth._clients == (SECOND,)
