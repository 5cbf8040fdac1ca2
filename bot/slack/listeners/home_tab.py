"""Publish a user's Home tab when the user opens it, presses a button in it, or when one of the user's sessions changes.

views/home_tab.py builds the content.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from cachetools import TTLCache
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.access import AccessPolicy
from bot.core.errors import (
    ChannelNotAllowedError,
    CobrowseError,
    HostNotFoundError,
    ServiceBusyError,
    UnexpectedError,
)
from bot.core.models import (
    ChannelId,
    Identity,
    Notice,
    NoticeKind,
    PersonKey,
    Request,
    RequestKind,
    Role,
    SlackUser,
    TeamId,
    UserId,
    new_request_id,
    team_of,
)
from bot.core.notices import NoticeBoard
from bot.core.ports import HostDirectory, StartHistory
from bot.core.requests.events import FOLLOW_SECONDS, MAX_FOLLOWERS, Followers, ServiceStatus
from bot.core.requests.service import RequestLimiter
from bot.core.results import ListKind, ListPage, SessionList
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.core.use_cases.access_requests import AccessRequests, Unconnected
from bot.core.use_cases.diagnostics import Diagnostics
from bot.core.use_cases.session_status import Freshness
from bot.core.use_cases.sessions import SessionService
from bot.core.use_cases.start_counts import StartCounts, count_starts
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import read_actor
from bot.slack.listeners.session_form import SessionForm
from bot.slack.messages.blocks import START_ACTION, START_FOR_ACTION, View
from bot.slack.messages.catalogue.setup_warnings import SetupWarning
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import home_tab
from bot.slack.views.home_tab import REFRESH_ACTION, HomeTabData

log = logging.getLogger(__name__)

T = TypeVar("T")


class HomeTab:
    """Loads and publishes the Home tabs of all users.

    - `config_warnings`: returns the warnings about the set-up, which only administrators see.
    - `followers`: the users who have opened their Home tab, to update the tab when one of their sessions changes.
    """

    def __init__(
        self,
        views: Views,
        responder: SlackResponder,
        renderer: MessageRenderer,
        *,
        access: AccessPolicy,
        diagnostics: Diagnostics,
        sessions: SessionService,
        status: ServiceStatus,
        limiter: RequestLimiter,
        access_requests: AccessRequests,
        starts: StartHistory,
        board: NoticeBoard,
        directory: HostDirectory,
        config_warnings: Callable[[], Sequence[SetupWarning]],
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._views, self._responder, self._renderer = views, responder, renderer
        self._access, self._diagnostics, self._sessions = access, diagnostics, sessions
        self._status, self._limiter, self._config_warnings = status, limiter, config_warnings
        self._access_requests, self._starts = access_requests, starts
        self._board, self._directory = board, directory
        self._timing = timing
        self.followers = Followers(self._update, access.known_id)
        self._pages: TTLCache[PersonKey, ListPage] = TTLCache(MAX_FOLLOWERS, FOLLOW_SECONDS)

    def show_soon(
        self,
        actor: Request,
        *,
        is_new: bool = False,
        freshness: Freshness = Freshness.RECENT,
        page: ListPage | None = None,
    ) -> None:
        """Publish the Home tab of `actor.requester` in the background.

        - `actor`: a request by the user. It is not submitted.
        - `is_new`: whether the user has no tab yet. If True, a loading view is published first.
        - `freshness`: how new the states of the sessions must be. With KNOWN, the tab shows the stored states, without
          a call to the session service. If the user has opened the tab too often in the last minute, the bot uses KNOWN
          instead of the given value.
        - `page`: the page of the workspace's sessions to show now and in later updates; None for the page that the user
          chose last, or else the first page.
        """
        if page:
            self._pages[team_of(actor), actor.requester] = page
        if freshness is not Freshness.KNOWN and not self._limiter.admit_view(actor):
            freshness = Freshness.KNOWN
        token = self.followers.follow(actor)
        self._responder.soon(self._show(actor, token, is_new, freshness))

    def _update(self, request: Request, user_id: UserId) -> None:
        """Publish the Home tab of the user `user_id`, after `request` has changed one of the user's sessions.

        The tab shows the stored states of the sessions, so the update makes no calls to Genesys.
        """
        visitor = replace(request, requester=user_id, target=None, channel_id=ChannelId(""), argument=None)
        self.show_soon(visitor, freshness=Freshness.KNOWN)

    async def _show(self, actor: Request, token: object, is_new: bool, freshness: Freshness) -> None:
        if is_new:
            await self._views.publish(actor.requester, home_tab.loading(self._renderer.language_of(actor.requester)))
        view = await self._view(actor, freshness)
        if self.followers.is_newest(actor, token):  # otherwise a newer call publishes
            await self._views.publish(actor.requester, view)

    async def _view(self, actor: Request, freshness: Freshness) -> View:
        access, renderer = self._access, self._renderer
        try:
            person = await access.require_member(actor)
            role = await access.role(actor.requester, actor.team_id)
        except CobrowseError as error:
            return home_tab.error_view(error, renderer.addressee(actor.requester))
        data = await self._load(actor, person, role, freshness)
        buttons, to = [], renderer.addressee(actor.requester)
        if isinstance(data.identity, HostNotFoundError):
            await self._responder.learn_contact(data.identity)
            buttons, to = (
                renderer.access_buttons(data.identity, actor.requester),
                renderer.access_addressee(actor.requester),
            )
        return home_tab.home(data, to, renderer.cards_for(actor.requester), access=buttons)

    async def _load(self, actor: Request, person: SlackUser, role: Role, freshness: Freshness) -> HomeTabData:
        channel_refusal, identity, own = await asyncio.gather(
            self._channel_refusal(actor),
            self._result_or_error(self._diagnostics.whoami(actor)),
            self._result_or_error(self._sessions.status(actor, freshness=freshness)),
        )
        live: SessionList | CobrowseError | None = None
        if role is not Role.MEMBER:
            page = self._pages.get((team_of(actor), actor.requester)) or ListPage(ListKind.HOME)
            live = await self._result_or_error(self._sessions.list_workspace(replace(actor, argument=str(page))))
        is_admin = role is Role.ADMIN
        faults, unconnected, starts = await self._for_administrators(actor) if is_admin else ((), (), None)
        return HomeTabData(
            visitor=(actor.team_id, actor.requester),
            identity=identity,
            role=role,
            is_newcomer=await self._is_newcomer(actor, identity, own),
            host_name=await self._host_name(identity, freshness),
            asked_at=await self._asked_at(identity, person),
            channel_refusal=channel_refusal,
            own=own,
            live=live,
            config_warnings=self._config_warnings() if is_admin else None,
            failure=self._status.failure if is_admin and not faults else None,
            faults=faults,
            unconnected=unconnected,
            starts=starts,
        )

    async def _is_newcomer(
        self, actor: Request, identity: Identity | CobrowseError, own: SessionList | CobrowseError
    ) -> bool:
        """Return whether the requester of `actor` has a Genesys user, but no open or ended session in the store.

        - `identity`: the requester's Genesys user, or the error if the look-up failed.
        - `own`: the requester's open sessions, or the error if the bot could not load them.

        Return False if the bot cannot find out, because a service or the database fails.
        """
        if not isinstance(identity, Identity) or isinstance(own, CobrowseError) or own.total:
            return False
        return await self._result_or_error(self._sessions.has_had_one(actor)) is False

    async def _host_name(self, identity: Identity | CobrowseError, freshness: Freshness) -> str:
        """Return the name of the Genesys user in `identity`; "" if `identity` is an error or the name is unknown.

        If `freshness` is KNOWN, read the name only from the cache.
        """
        if not isinstance(identity, Identity):
            return ""
        if freshness is Freshness.KNOWN:
            return self._directory.known_name(identity.host.id)
        return await self._directory.name_of(identity.host.id)

    async def _asked_at(self, identity: Identity | CobrowseError, person: SlackUser) -> datetime | None:
        if not isinstance(identity, HostNotFoundError):
            return None
        found = await self._result_or_error(self._access_requests.asked_at(person))
        return None if isinstance(found, CobrowseError) else found

    async def _for_administrators(
        self, actor: Request
    ) -> tuple[Sequence[Notice], Sequence[Unconnected], StartCounts | None]:
        """Load the data that only administrators see. Return three values:

        - the faults that are not over; () if the bot cannot load them.
        - the people who tried to start a session and have no Genesys user; () if the bot cannot load them.
        - the numbers of starts in the last 24 hours; None if the bot cannot load them.
        """
        faults, people, starts = await asyncio.gather(
            self._result_or_error(self._board.ongoing(NoticeKind.FAULT)),
            self._result_or_error(self._access_requests.unconnected(team_of(actor))),
            self._result_or_error(count_starts(self._starts, team_of(actor))),
        )
        return (
            () if isinstance(faults, CobrowseError) else faults,
            () if isinstance(people, CobrowseError) else people,
            None if isinstance(starts, CobrowseError) else starts,
        )

    async def _channel_refusal(self, actor: Request) -> ChannelNotAllowedError | None:
        try:
            await self._access.authorize_start(actor)
        except ChannelNotAllowedError as error:
            return error
        except CobrowseError:  # the form shows the same error
            pass
        return None

    async def _result_or_error(self, call: Awaitable[T]) -> T | CobrowseError:
        """Await `call`. Return its result, or the CobrowseError that `call` raises. Never raises.

        Return ServiceBusyError if the call takes longer than `SlackTiming.home_section_timeout` seconds. Return
        UnexpectedError if `call` raises any other exception.
        """
        try:
            async with asyncio.timeout(self._timing.home_section_timeout):
                return await call
        except CobrowseError as error:
            return error
        except TimeoutError:
            return ServiceBusyError()
        except Exception:
            log.exception("failed after the ack")
            return UnexpectedError()


def register(app: AsyncApp, tab: HomeTab, forms: SessionForm) -> None:
    """Register the listeners of the event `app_home_opened` and of the buttons in the Home tab."""

    @app.event("app_home_opened")
    async def on_open(body: dict[str, Any]) -> None:
        event = body["event"]
        if event.get("tab") == "home":
            tab.show_soon(read_visitor(body), is_new="view" not in event)

    @app.action(REFRESH_ACTION)
    async def on_refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        tab.show_soon(read_actor(body), freshness=Freshness.NOW)
        await ack()

    @app.action(START_ACTION)
    @app.action(START_FOR_ACTION)
    async def on_start(ack: AsyncAck, body: dict[str, Any]) -> None:
        is_for_another = body["actions"][0]["action_id"] == START_FOR_ACTION
        forms.open_soon(str(body.get("trigger_id")), read_actor(body), is_for_another=is_for_another)
        tab.show_soon(read_actor(body))
        await ack()


def read_visitor(body: dict[str, Any]) -> Request:
    """Build a START request by the user who opened the Home tab. The bot does not submit this request.

    The access rules check the request, to find out whether the user could start a session.
    https://docs.slack.dev/reference/events/app_home_opened
    """
    (where, *_) = body.get("authorizations") or [{}]
    enterprise = body.get("enterprise_id") or where.get("enterprise_id")
    request_id = new_request_id()
    return Request(
        id=request_id,
        key=request_id,
        kind=RequestKind.START,
        team_id=TeamId(body.get("team_id") or where.get("team_id") or enterprise or ""),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(""),
        requester=UserId(body["event"]["user"]),
        accepted_at=datetime.now(UTC),
    )
