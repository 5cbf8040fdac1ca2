"""Share a connected client, orders and an environment for the tests of sessions in conversations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.config import settings
from bot.core.models import HostId, Session
from bot.core.validation.conversations import LiveConversation
from bot.factories import open_genesys, sessions_api
from bot.genesys.api.conversations import ConversationSessions
from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID
from bot.sandbox.genesys.conversations import Conversation
from tests.support.app import ANA, HOSTS, QUICK_GENESYS, Journey, Servers, open_servers
from tests.support.sessions_api import RecordingHooks, session_request

HOST = HostId(f"{HOSTS[ANA]}-1111-4111-8111-111111111111")
SECRET = "a-client-secret"
TEMPLATE = "https://help.example.com/cobrowse#{joinCode}"
PUBLIC = {
    "GENESYS_COBROWSE_API": "conversations",
    "GENESYS_REGION": "mypurecloud.com",
    "GENESYS_CLIENT_SECRET": SECRET,
    "GENESYS_PRIVATE_KEY": "",
    "GENESYS_ORG_ID": "",
    "GENESYS_DEPLOYMENT_ID": DEPLOYMENT_ID,
    "COBROWSE_JOIN_URL_TEMPLATE": TEMPLATE,
    "GENESYS_LIVE": "off",
}
"""A public environment in which nobody is told of customers; tests/support/live.py has another."""
KEYLESS = ("GENESYS_CLIENT_SECRET", "GENESYS_PRIVATE_KEY", "GENESYS_ORG_ID")
KEY = {name: value for name, value in PUBLIC.items() if name not in KEYLESS}
"""The same for a client with a private key: the environment that it comes on top of has one."""


@asynccontextmanager
async def opened(servers: Servers, **environ: str) -> AsyncIterator[ConversationSessions]:
    loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC | environ)
    async with open_genesys(loaded, timing=QUICK_GENESYS) as genesys:
        service = sessions_api(loaded, genesys)
        assert isinstance(service, ConversationSessions)
        yield service


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers(client_secret=SECRET) as started:
        yield started


@pytest.fixture
async def conversations(servers: Servers) -> AsyncIterator[ConversationSessions]:
    async with opened(servers) as made:
        yield made


async def offer(conversations: ConversationSessions, hooks: Any = None, **how: Any) -> Session:
    return await conversations.create(session_request(host_id=HOST, **how), hooks or RecordingHooks())


def talk(servers: Servers | Journey, customer: str = "Carla Customer", **how: Any) -> Conversation:
    """Begin a conversation between Ana and a customer. `host` is the Genesys id of another agent."""
    return servers.genesys.conversations.begin(how.pop("host", HOST), customer, **how)


def codes(journey: Journey) -> list[str]:
    """Return the join codes of all offers."""
    return [offer.join_code for offer in journey.genesys.conversations.offers.values()]


def ids(candidates: tuple[LiveConversation, ...]) -> list[str]:
    return [candidate.id for candidate in candidates]
