"""Share session messages over a real store, beside the fake Slack."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core.access import Workspace
from bot.core.errors import CobrowseError
from bot.core.models import Request, RequestKind, RequestState, SessionRecord, TeamId
from bot.core.requests.recovery import update_ended_messages
from bot.core.timing import SlackTiming
from bot.sandbox.slack.server import Message, SlackChannel
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages
from bot.slack.api.responder import new_http_session, new_web_client
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.messages.renderer import MessageRenderer
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import CARE, Servers, open_servers
from tests.support.storage import request, session

PRIVATE, JOINED, PENDING = "C0SECRET", "C0JOINED", "C0PENDING"


@dataclass
class World:
    """The session messages under test, and the Slack server that receives them."""

    servers: Servers
    session_messages: SlackSessionMessages
    store: SQLiteStore
    later_seconds: float = 0.0

    async def made(self, name: str = "s-1", **changes: Any) -> SessionRecord:
        asked = request(team_id="T0SANDBOX", **changes)
        await self.store.accept(asked)
        await self.store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(name))
        return await self.record(name)

    async def record(self, name: str = "s-1") -> SessionRecord:
        found = await self.store.sessions.session(name)  # type: ignore[arg-type]
        assert found
        return found

    async def shares(
        self, record: SessionRecord, channel: str = CARE, asked: Request | None = None
    ) -> CobrowseError | None:
        try:
            await self.session_messages.share(record, asked or request(kind=RequestKind.SHARE, channel_id=channel))
        except CobrowseError as error:
            return error
        return None

    async def update_ended(self) -> None:
        """Update the messages of ended sessions once."""
        await update_ended_messages(self.store.sessions, self.session_messages)

    def public(self) -> list[Message]:
        return [message for message in self.servers.slack.messages if message.visible_to is None]


@pytest.fixture
async def world(slack_timing: SlackTiming, tmp_path: Path) -> AsyncIterator[World]:
    import time

    made: list[World] = []
    store = SQLiteStore(str(tmp_path / "bot.db"), clock=lambda: time.time() + made[0].later_seconds)
    async with open_servers() as servers, new_http_session() as http:
        channels = servers.slack.workspace.channels
        channels[PRIVATE] = SlackChannel(PRIVATE, "secret", bot_is_member=False, is_private=True)
        channels[JOINED] = SlackChannel(JOINED, "joined", is_private=True)
        token, url = servers.keys.bot_token, servers.slack.api_url
        web, once = (
            new_web_client(token, url, http, timing=slack_timing),
            new_web_client(token, url, http, repeats=False, timing=slack_timing),
        )
        made.append(
            World(
                servers,
                SlackSessionMessages(
                    web,
                    once,
                    DirectMessages(web, slack_timing),
                    ChannelDirectory(web, Workspace(TeamId("T0SANDBOX")), slack_timing),
                    store.sessions,
                    cards_for=MessageRenderer().cards_for,
                    timing=slack_timing,
                ),
                store,
            )
        )
        yield made[0]
    await store.close()
