"""Check that a person has a Genesys user, before the bot offers commands that work only for people who have one."""

import asyncio
from contextlib import suppress

from bot.core.access import AccessPolicy
from bot.core.errors import ServiceError, SlackUnavailableError, StorageUnavailableError
from bot.core.hosts.resolver import HostResolver
from bot.core.models import Request, Role, SlackUser


class OwnHost:
    """Finds out whether a member lacks a Genesys user. `timeout` limits the search, in seconds."""

    def __init__(self, access: AccessPolicy, hosts: HostResolver, *, timeout: float = 2.0) -> None:
        self._access, self._hosts, self._timeout = access, hosts, timeout

    async def require(self, request: Request, person: SlackUser) -> None:
        """Raise HostNotFoundError if the requester is a plain member who has no host.

        Never raise it for supervisors and administrators, because some commands work without a host for them. Do
        nothing if Slack and Genesys do not answer within `timeout`.
        """
        with suppress(SlackUnavailableError, ServiceError, StorageUnavailableError, TimeoutError):
            async with asyncio.timeout(self._timeout):
                if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
                    await self._hosts.find(person)
