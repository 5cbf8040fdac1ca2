"""Share a client of the session service, a request for a session, and hooks that record their calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.config import settings
from bot.core.models import CreateSessionRequest, HostId, Session, SessionRecord, UserId, new_request_id
from bot.core.timing import GenesysTiming
from bot.factories import open_genesys
from bot.genesys.api.sessions import CobrowseSessions
from tests.support.app import ANA, HOSTS, QUICK_GENESYS, Servers, open_servers
from tests.support.storage import TEAM

HOST = HostId(f"{HOSTS[ANA]}-1111-4111-8111-111111111111")


class RecordingHooks:
    """Call hooks that record which of them ran."""

    fairness_key = "T/U"

    def __init__(self) -> None:
        self.events: list[str] = []

    async def before_send(self) -> None:
        self.events.append("before_send")

    async def on_wait(self, seconds: float) -> None:
        self.events.append("on_wait")


def session_request(**how: Any) -> CreateSessionRequest:
    """Make the parameters of a session of Ana's. `how` replaces its fields."""
    parts: dict[str, Any] = {
        "host_id": HOST,
        "name": "Checkout",
        "application_id": "web",
        "application_type": "web",
        "timeout_seconds": 1800,
        "request_id": new_request_id(),
        "context": "slack",
    }
    return CreateSessionRequest(**(parts | how))


def record_of(session: Session) -> SessionRecord:
    """Return the record of an open session of Ana's."""
    return SessionRecord(session=session, team_id=TEAM, requester=UserId(ANA), agent=UserId(ANA), is_over=False)


@asynccontextmanager
async def opened(
    servers: Servers, timing: GenesysTiming = QUICK_GENESYS, **environ: str
) -> AsyncIterator[CobrowseSessions]:
    """Open a client of the servers' Genesys. `environ` holds variables to add to their environment."""
    loaded = settings.load_part(settings.read_service_alone, servers.environ | environ)
    async with open_genesys(loaded, timing=timing) as genesys:
        yield CobrowseSessions(genesys)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    """Start Slack, and a Genesys whose OAuth client also has a secret."""
    async with open_servers(client_secret="a-client-secret") as started:
        yield started
