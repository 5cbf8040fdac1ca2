"""The Home tab's life: shown when somebody opens it, and anew when they press something or a session of theirs changes.

What stands in it is for home_view.py. Nothing here is a request: what cannot be seen now is said in the tab.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from cachetools import TTLCache
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.access import AccessPolicy
from bot.core.errors import ChannelNotAllowedError, CobrowseError, ServiceBusyError, UnexpectedError
from bot.core.models import ChannelId, Request, RequestKind, Role, SessionStarted, TeamId, UserId, new_request_id
from bot.core.requests.events import RequestFinished
from bot.core.requests.limits import RequestLimiter
from bot.core.requests.status import ServiceStatus
from bot.core.results import SessionEnded, SessionList
from bot.core.use_cases.diagnostics import Diagnostics
from bot.core.use_cases.session_status import Freshness
from bot.core.use_cases.sessions import SessionService
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import read_actor
from bot.slack.listeners.session_form import SessionForm
from bot.slack.messages.blocks import View
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import home_tab
from bot.slack.views.home_tab import REFRESH_ACTION, START_ACTION, HomeTabData

log = logging.getLogger(__name__)

OPEN_SECONDS, MOST_OPEN = 8 * 3600.0, 5_000
"""For so long after somebody opened it, and for so many people, the tab follows their sessions."""
LOOK_SECONDS = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom the tab asks; `doubts` are sentences about the settings."""

    access: AccessPolicy
    inquiries: Diagnostics
    register: SessionService
    condition: ServiceStatus
    gatekeeper: RequestLimiter
    doubts: Sequence[str]


class HomeTab:
    """Everybody's Home tab."""

    def __init__(self, views: Views, sources: Sources, delivery: SlackResponder, words: MessageRenderer) -> None:
        self._views, self._sources, self._delivery, self._words = views, sources, delivery, words
        self._newest: TTLCache[tuple[TeamId, UserId], object] = TTLCache(MOST_OPEN, OPEN_SECONDS)

    def show_soon(self, asker: Request, *, is_new: bool = False, freshness: Freshness = Freshness.RECENT) -> None:
        """After the acknowledgement, for whom `asker` is of. `is_new`: they see nothing yet. Whoever opens it too often
        sees their sessions as this bot knows them."""
        if freshness is not Freshness.KNOWN and not self._sources.gatekeeper.admit_view(asker):
            freshness = Freshness.KNOWN
        mine = self._newest[asker.team_id, asker.requester] = object()
        self._delivery.soon(self._show(asker, mine, is_new, freshness))

    def record_event(self, event: RequestFinished) -> None:
        """Show the tab again to the people whose sessions have changed, if they have it open, and to who pressed End.

        It subscribes to the events.
        """
        if event.is_sign_in:
            return
        request, outcome = event.request, event.result
        people: set[UserId] = set()
        if isinstance(outcome, SessionStarted):
            people = {request.requester, request.agent}
        if isinstance(outcome, SessionEnded):
            people = {request.requester, outcome.record.requester, outcome.record.agent}
        people = {user_id for user_id in people if (request.team_id, user_id) in self._newest}
        if request.kind is RequestKind.END and not request.reply_url and not request.channel_id:
            people.add(request.requester)  # only in the tab can that be pressed
        for user_id in people:
            visitor = replace(request, requester=user_id, target=None, channel_id=ChannelId(""))
            self.show_soon(
                visitor, freshness=Freshness.KNOWN
            )  # nobody may be looking at it, and creates need the rate limit

    async def _show(self, asker: Request, mine: object, is_new: bool, freshness: Freshness) -> None:
        if is_new:
            await self._views.publish(asker.requester, home_tab.light())
        view = await self._view(asker, freshness)
        if self._newest.get((asker.team_id, asker.requester)) is mine:  # else a newer one is being looked up
            await self._views.publish(asker.requester, view)

    async def _view(self, asker: Request, freshness: Freshness) -> View:
        access, words = self._sources.access, self._words
        try:
            await access.require_member(asker)
            role = await access.role(asker.requester, asker.team_id)
        except CobrowseError as error:
            return home_tab.refused(error, words.contact)
        look = await self._look(asker, role, freshness)
        return home_tab.home(look, words.command, words.contact, sends=words.features.sends)

    async def _look(self, asker: Request, role: Role, freshness: Freshness) -> HomeTabData:
        place, identity, own = await asyncio.gather(
            self._place(asker),
            self._tried(self._sources.inquiries.whoami(asker)),
            self._tried(self._sources.register.status(asker, freshness=freshness)),
        )
        others: SessionList | CobrowseError | None = None
        if role is not Role.MEMBER:
            others = await self._tried(self._others(asker))
        is_admin = role is Role.ADMIN
        return HomeTabData(
            identity=identity,
            place=place,
            own=own,
            others=others,
            doubts=self._sources.doubts if is_admin else None,
            failure=self._sources.condition.failure if is_admin else None,
        )

    async def _others(self, asker: Request) -> SessionList:
        found = await self._sources.register.list_workspace(asker)
        ids = await self._sources.access.ids(asker.requester)
        return replace(found, records=tuple(one for one in found.records if not one.concerns(*ids)))

    async def _place(self, asker: Request) -> ChannelNotAllowedError | None:
        try:
            await self._sources.access.authorize_start(asker)
        except ChannelNotAllowedError as error:
            return error
        except CobrowseError:  # the form says so, too
            pass
        return None

    async def _tried(self, asking: Awaitable[T]) -> T | CobrowseError:
        """What it says, or why it says nothing."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await asking
        except CobrowseError as error:
            return error
        except TimeoutError:
            return ServiceBusyError()
        except Exception:
            log.exception("failed after the ack")
            return UnexpectedError()


def register(app: AsyncApp, home: HomeTab, forms: SessionForm) -> None:
    """Adds the tab to the app."""

    @app.event("app_home_opened")
    async def on_open(body: dict[str, Any]) -> None:
        event = body["event"]
        if event.get("tab") == "home":
            home.show_soon(read_visitor(body), is_new="view" not in event)

    @app.action(REFRESH_ACTION)
    async def on_refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        home.show_soon(read_actor(body), freshness=Freshness.NOW)
        await ack()

    @app.action(START_ACTION)
    async def on_start(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.open_soon(str(body.get("trigger_id")), read_actor(body))
        home.show_soon(read_actor(body))
        await ack()


def read_visitor(body: dict[str, Any]) -> Request:
    """Who opened it, as the start of a session it would be. https://docs.slack.dev/reference/events/app_home_opened"""
    (where, *_) = body.get("authorizations") or [{}]
    enterprise = body.get("enterprise_id") or where.get("enterprise_id")
    request_id = new_request_id()
    return Request(
        id=request_id,
        key=request_id,
        kind=RequestKind.START,
        team_id=TeamId(body["team_id"]),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(""),
        requester=UserId(body["event"]["user"]),
        accepted_at=datetime.now(UTC),
    )
