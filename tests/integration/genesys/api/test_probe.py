"""The probe finds out whether a fault of the bot's client is fixed. It creates nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.config import settings
from bot.core import errors
from bot.core.errors import CobrowseError
from bot.core.models import HostId
from bot.factories import open_genesys
from bot.genesys.api.customer_messages import CustomerMessagesApi
from bot.genesys.api.probe import GenesysProbe
from bot.genesys.api.sessions import CobrowseSessions
from bot.genesys.api.users import VIEW
from tests.support.app import QUICK_GENESYS, Servers, open_servers
from tests.support.conversations import PUBLIC, SECRET
from tests.support.sessions_api import RecordingHooks

WRITE = "cobrowse:session:write"
TOKEN, LOGIN = errors.TokenRefusedError(), errors.LoginRefusedError(oauth_error="invalid_client")
SCOPE, SEARCH = errors.PermissionMissingError(needs=WRITE), errors.PermissionMissingError(needs=VIEW)


@asynccontextmanager
async def probing(seconds: float = 10.0) -> AsyncIterator[tuple[Servers, GenesysProbe]]:
    async with open_servers() as servers:
        loaded = settings.load(servers.environ)
        async with open_genesys(loaded.service, timing=QUICK_GENESYS) as client:
            yield servers, GenesysProbe(client, CobrowseSessions(client), timeout=seconds)
        assert not servers.genesys.creates


@pytest.mark.parametrize(
    ("error", "fault", "on", "found"),
    [
        (TOKEN, None, "", True),
        (TOKEN, "401", "me", False),
        (TOKEN, "403", "me", True),  # it takes the token, and refuses the call
        (TOKEN, "invalid_client", "token", False),
        (TOKEN, "500", "me", None),
        (LOGIN, None, "", True),
        (LOGIN, "invalid_client", "token", False),
        (LOGIN, "503", "token", None),
        (SCOPE, None, "", True),
        (SCOPE, "403", "me", None),
        (SEARCH, None, "", True),
        (SEARCH, "403", "search", False),
        (SEARCH, "500", "search", None),
        (errors.PermissionMissingError(needs=WRITE, words="Missing in division Billing"), None, "", None),
        (errors.UnknownApplicationError(application_id="web"), None, "", True),
        (errors.UnknownApplicationError(application_id="gone"), None, "", False),
        (errors.InvalidHostError(host_id=HostId("h")), None, "", None),
        (errors.BadRequestError(status=400, words="no"), None, "", None),
    ],
)
async def test_probe_tells_whether_a_fault_is_repaired(
    error: CobrowseError, fault: str | None, on: str, found: bool | None
) -> None:
    async with probing() as (servers, probe):
        if fault:
            await servers.genesys.inject_fault(fault, on=on)
        assert await probe.is_repaired(error) is found


async def test_scope_that_the_token_lacks_is_still_missing() -> None:
    async with probing() as (_, probe):
        assert await probe.is_repaired(errors.PermissionMissingError(needs="cobrowse:session:fly")) is False


async def test_scope_that_was_added_is_found_at_once() -> None:
    async with probing() as (servers, probe):
        servers.genesys.login.missing_scopes = {WRITE}
        assert await probe.is_repaired(SCOPE) is False
        servers.genesys.login.missing_scopes = set()
        assert await probe.is_repaired(SCOPE) is True
        before = servers.genesys.count("token")
        assert await probe.is_repaired(SCOPE) is True
        assert servers.genesys.count("token") == before


@pytest.mark.parametrize("granted", ["conversation:email:create", "conversation:agentlessEmail:send"])
async def test_either_permission_for_email_is_enough(granted: str) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC)
        missing = servers.genesys.conversations.missing_permissions
        missing |= {"conversation:email:create", "conversation:agentlessEmail:send"}
        async with open_genesys(loaded, timing=QUICK_GENESYS) as client:
            api, probe = CustomerMessagesApi(client), GenesysProbe(client, CobrowseSessions(client), timeout=10)
            with pytest.raises(errors.PermissionMissingError) as refused:
                await api.email("care@example.com", "joe@example.com", "Link", "Here it is.", RecordingHooks())
            assert refused.value.needs == "conversation:agentlessEmail:send", "the narrower one"
            stored = errors.PermissionMissingError(needs="conversation:email:create")  # from an earlier version
            for error in (refused.value, stored):
                assert await probe.is_repaired(error) is False
            missing.discard(granted)
            for error in (refused.value, stored):
                assert await probe.is_repaired(error) is True


async def test_silent_genesys_tells_nothing() -> None:
    async with probing(seconds=0.3) as (servers, probe):
        await servers.genesys.inject_fault("silent", on="me")
        assert await probe.is_repaired(TOKEN) is None
