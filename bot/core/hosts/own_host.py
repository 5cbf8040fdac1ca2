"""Check that a person has a host, before the bot offers commands that work only with a host."""

import asyncio
from contextlib import suppress

from bot.core.access import AccessPolicy
from bot.core.errors import ServiceError, SlackUnavailableError, StorageUnavailableError
from bot.core.hosts.resolver import HostResolver
from bot.core.models import Request, Role, SlackUser


class OwnHost:
    """Checks that a member has a host. `timeout`: the longest time for the check, in seconds."""

    def __init__(self, access: AccessPolicy, hosts: HostResolver, *, timeout: float = 2.0) -> None:
        self._access, self._hosts, self._timeout = access, hosts, timeout

    async def require(self, request: Request, person: SlackUser) -> None:
        """Raise HostNotFoundError if a person has no host and is neither supervisor nor administrator.

        Raise nothing if Slack, Genesys or the database fails, or if the check takes longer than `timeout`.

        `person`: the requester of `request`.
        """
        with suppress(SlackUnavailableError, ServiceError, StorageUnavailableError, TimeoutError):
            async with asyncio.timeout(self._timeout):
                if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
                    await self._hosts.find(person)
