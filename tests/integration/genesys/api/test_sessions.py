"""Test sessions against the sandbox: keys and secrets, creating, reading and ending, retries."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.config import settings
from bot.core.errors import (
    LoginRefusedError,
    OutcomeUnknownError,
    PermissionMissingError,
    ServiceBusyError,
    ServiceFailedError,
    ServiceUnreachableError,
    UnknownSessionError,
)
from bot.core.models import SessionId
from bot.factories import open_genesys
from bot.genesys.api.sessions import CobrowseSessions
from bot.genesys.api.users import UsersApi
from tests.support import sessions_api
from tests.support.app import QUICK_GENESYS, Servers, open_servers
from tests.support.sessions_api import HOST, RecordingHooks, opened, record_of, session_request

servers = sessions_api.servers
READ, WRITE = "cobrowse:session:read", "cobrowse:session:write"


@pytest.fixture
async def sessions(servers: Servers) -> AsyncIterator[CobrowseSessions]:
    async with opened(servers) as made:
        yield made


@pytest.mark.parametrize("kind", ["rsa", "p256"])
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
async def test_a_key_of_either_kind_signs_in(kind: str, passphrase: str) -> None:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    async with (
        open_servers(public_key_pem=public) as servers,
        opened(servers, GENESYS_PRIVATE_KEY=pem, GENESYS_PRIVATE_KEY_PASSPHRASE=passphrase) as sessions,
    ):
        assert (await sessions.create(session_request(), RecordingHooks())).host_id == HOST


@pytest.mark.parametrize(
    "wrong", [{"GENESYS_CLIENT_ID": "another"}, {"GENESYS_ORG_ID": "another"}, {"GENESYS_CLIENT_SECRET": "wrong"}]
)
async def test_an_unknown_client_gets_invalid_client(servers: Servers, wrong: dict[str, str]) -> None:
    environ = wrong | ({"GENESYS_PRIVATE_KEY": ""} if "GENESYS_CLIENT_SECRET" in wrong else {})
    async with opened(servers, **environ) as sessions:
        with pytest.raises(LoginRefusedError) as refused:
            await sessions.applications()
    assert refused.value.oauth_error == "invalid_client"
    assert servers.genesys.count("token") == 1


async def test_a_client_secret_signs_in_instead_of_a_key(servers: Servers) -> None:
    secret = {"GENESYS_PRIVATE_KEY": "", "GENESYS_ORG_ID": "", "GENESYS_CLIENT_SECRET": "a-client-secret"}
    async with opened(servers, **secret) as sessions:
        assert (await sessions.create(session_request(), RecordingHooks())).status == "active"


@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [("", []), (READ, [WRITE]), (WRITE, [READ]), (f"{WRITE},{READ}", []), ("none", [])],
)
async def test_scopes_are_asked_for_as_they_are_set(servers: Servers, scopes: str, lacking: list[str]) -> None:
    async with opened(servers, GENESYS_SCOPES=scopes) as sessions:
        refused = []
        for call in (sessions.create(session_request(), RecordingHooks()), sessions.read(SessionId("none"))):
            try:
                await call
            except PermissionMissingError as forbidden:
                refused.append(forbidden.needs)
            except UnknownSessionError:
                pass
        assert refused == lacking


async def test_a_session_can_be_read_and_ended(servers: Servers, sessions: CobrowseSessions) -> None:
    session = await sessions.create(session_request(), RecordingHooks())
    assert (await sessions.read(session.id)).status == "active"
    await sessions.end(record_of(session))
    assert servers.genesys.sessions[session.id].status == "ended"
    assert (await sessions.read(session.id)).status == "ended"


async def test_an_unknown_session_is_neither_read_nor_ended(sessions: CobrowseSessions) -> None:
    session = await sessions.create(session_request(), RecordingHooks())
    for strange in ("none", "../../users", "a/b?c#d", "%2e%2e"):
        with pytest.raises(UnknownSessionError):
            await sessions.read(SessionId(strange))
        with pytest.raises(UnknownSessionError):
            await sessions.end(record_of(replace(session, id=SessionId(strange))))


async def test_a_service_that_cannot_end_on_demand_says_so(servers: Servers, sessions: CobrowseSessions) -> None:
    session = await sessions.create(session_request(), RecordingHooks())
    servers.genesys.delete_supported = False
    with pytest.raises(UnknownSessionError):
        await sessions.end(record_of(session))
    assert servers.genesys.sessions[session.id].status == "active"


@pytest.mark.parametrize("has_ended_one", [True, False])
async def test_a_session_that_a_lost_call_ended_is_ended(
    servers: Servers, sessions: CobrowseSessions, has_ended_one: bool
) -> None:
    if has_ended_one:  # otherwise the 404 may be about the path
        await sessions.end(record_of(await sessions.create(session_request(), RecordingHooks())))
    session = await sessions.create(session_request(), RecordingHooks())
    del servers.genesys.sessions[session.id]
    with pytest.raises(UnknownSessionError):
        await sessions.end(record_of(session))
    await servers.genesys.inject_fault("502", on="end", times=1, processes=False)
    if has_ended_one:
        await sessions.end(record_of(session))
        return
    with pytest.raises(UnknownSessionError):
        await sessions.end(record_of(session))


async def test_applications_are_ids_and_names(servers: Servers, sessions: CobrowseSessions) -> None:
    servers.genesys.applications = {"web": "Web", "shop": "Web shop"}
    assert await sessions.applications() == [("web", "Web"), ("shop", "Web shop")]


@pytest.mark.parametrize("fault", ["dropped", "reset", "cut", "502", "504", "408"])
async def test_a_safe_call_is_sent_again(servers: Servers, sessions: CobrowseSessions, fault: str) -> None:
    await servers.genesys.inject_fault(fault, on="applications", times=2)
    assert await sessions.applications() == [("web", "Web")]
    assert servers.genesys.count("applications") == 3
    await servers.genesys.inject_fault(fault, on="applications")
    with pytest.raises(ServiceUnreachableError):
        await sessions.applications()
    assert 6 <= servers.genesys.count("applications") <= 9  # aiohttp repeats a GET itself when a used connection ends


@pytest.mark.parametrize("fault", ["dropped", "reset", "cut"])
async def test_a_create_is_not_resent_on_a_reused_connection(
    servers: Servers, sessions: CobrowseSessions, fault: str
) -> None:
    await sessions.create(session_request(), RecordingHooks())
    await servers.genesys.inject_fault(fault)
    with pytest.raises(OutcomeUnknownError):
        await sessions.create(session_request(), RecordingHooks())
    assert len(servers.genesys.creates) == 2


async def test_hooks_run_before_each_send_and_each_wait(servers: Servers, sessions: CobrowseSessions) -> None:
    await servers.genesys.inject_fault("500-twice")
    hooks = RecordingHooks()
    await sessions.create(session_request(), hooks)
    assert hooks.events == ["before_send", "on_wait", "before_send", "on_wait", "before_send"]


async def test_hooks_hear_of_a_wait_while_a_token_is_replaced(servers: Servers, sessions: CobrowseSessions) -> None:
    """After a crash during the wait, the request may then be sent again."""

    class Counting(RecordingHooks):
        def __init__(self) -> None:
            super().__init__()
            self.tokens: list[int] = []

        async def before_send(self) -> None:
            await super().before_send()
            self.tokens.append(servers.genesys.count("token"))

        async def on_wait(self, seconds: float) -> None:
            await super().on_wait(seconds)
            self.tokens.append(servers.genesys.count("token"))

    await servers.genesys.inject_fault("401", times=1)
    hooks = Counting()
    await sessions.create(session_request(), hooks)
    assert hooks.events == ["before_send", "on_wait", "before_send"]
    assert hooks.tokens == [1, 1, 2]


async def test_hooks_that_raise_stop_the_create(servers: Servers, sessions: CobrowseSessions) -> None:
    class Stopped(RecordingHooks):
        async def before_send(self) -> None:
            raise RuntimeError("somebody else has it")

    with pytest.raises(RuntimeError, match="somebody else"):
        await sessions.create(session_request(), Stopped())
    assert servers.genesys.creates == []


async def test_a_service_that_is_down_is_tried_until_it_is_there(servers: Servers, sessions: CobrowseSessions) -> None:
    await sessions.applications()
    await servers.genesys.inject_fault("down")
    await asyncio.sleep(0.05)  # the client sees that its connections are gone
    hooks = RecordingHooks()
    creating = asyncio.create_task(sessions.create(session_request(), hooks))
    while "on_wait" not in hooks.events and not creating.done():  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.005)
    await servers.genesys.inject_fault(None)
    assert (await creating).status == "active"
    assert len(servers.genesys.creates) == 1


async def test_retries_without_retry_after_end_in_time(servers: Servers) -> None:
    await servers.genesys.inject_fault("429", retry_after=None)
    async with opened(servers, replace(QUICK_GENESYS, max_backoff_seconds=0.1)) as sessions:
        with pytest.raises(ServiceBusyError):
            await sessions.create(session_request(), RecordingHooks())
    assert 2 <= len(servers.genesys.creates) <= 5


async def test_a_500_is_repeated_twice_after_a_short_delay(servers: Servers, sessions: CobrowseSessions) -> None:
    await servers.genesys.inject_fault("500")
    with pytest.raises(ServiceFailedError):
        await sessions.create(session_request(), RecordingHooks())
    first, second, third = (create.at for create in servers.genesys.creates)
    assert 0.01 <= second - first < third - first < 2


async def test_users_are_found_by_their_exact_address(servers: Servers) -> None:
    async with open_genesys(settings.load_part(settings.read_service_alone, servers.environ)) as genesys:
        (user,) = await UsersApi(genesys).by_email("ANA@example.com")
        assert (user.id, user.active) == (HOST, True)
        assert await UsersApi(genesys).by_email("nobody@example.com") == []
        assert "ana@" not in repr(user)


async def test_several_users_with_one_address_are_reported_as_several(servers: Servers) -> None:
    ana = servers.genesys.users[HOST]
    for number in range(3):
        twin = replace(ana, id=f"{number:08d}-0000-4000-8000-000000000000")
        servers.genesys.users[twin.id] = twin
    async with open_genesys(settings.load_part(settings.read_service_alone, servers.environ)) as genesys:
        assert len(await UsersApi(genesys).by_email("ana@example.com")) > 1
