"""Turn Genesys's notifications into hints that conversations have changed. Only the leading replica does this."""

import asyncio
import logging
from functools import partial

import aiohttp

from bot.core.ports import LeaderLock, LiveHints, Metrics, WatchedSession
from bot.core.timing import PushTiming
from bot.genesys.api.channels import ChannelsApi
from bot.genesys.notifications.channel import ProxyFor, open_socket
from bot.genesys.notifications.subscriptions import HostSubscriptions

log = logging.getLogger(__name__)


class NotificationChannels:
    """Receives events from Genesys's notification channels, and turns them into hints about changed conversations.

    The caller passes the receiver of the hints to `run`.
    """

    def __init__(self, api: ChannelsApi, proxy_for: ProxyFor, metrics: Metrics, timing: PushTiming) -> None:
        self._api, self._proxy_for, self._metrics, self._timing = api, proxy_for, metrics, timing
        self._subscriptions: HostSubscriptions | None = None

    def covers(self, session: WatchedSession) -> bool:
        return self._subscriptions is not None and self._subscriptions.covers(session)

    async def run(self, hints: LiveHints, leader: LeaderLock) -> None:
        """Push hints to `hints` whenever this process is the leading replica. Run until the task is cancelled."""
        while True:
            try:
                if await leader.is_leader():
                    await self._lead(hints, leader)
            except Exception:
                log.exception("the notifications from Genesys failed unexpectedly")
            await asyncio.sleep(self._timing.sync_seconds)

    async def _lead(self, hints: LiveHints, leader: LeaderLock) -> None:
        """Keep the channels open and subscribed until this process is no longer the leading replica."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http, asyncio.TaskGroup() as tasks:
            connect = partial(open_socket, http, self._proxy_for, self._timing)
            subscriptions = HostSubscriptions(self._api, connect, hints, tasks, self._metrics, self._timing)
            self._subscriptions = subscriptions
            try:
                while await leader.is_leader():
                    await subscriptions.sync()
                    await subscriptions.wait()
            finally:
                self._subscriptions = None
                subscriptions.close()
                self._metrics.live_connected(is_up=True)  # another replica says whether it is
                hints.uncovered()
