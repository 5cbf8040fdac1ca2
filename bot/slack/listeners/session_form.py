"""The form that starts a session, for who would rather not type: opened at once, filled when more is known, and read.

What stands in it is for modal_view.py. A submission becomes a request like a command's; the answer is a direct message.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.access import AccessPolicy
from bot.core.cache import Cache
from bot.core.errors import (
    CobrowseError,
    MaybeAcceptedError,
    NotAcceptedError,
    PermissionDeniedError,
    ServiceError,
    SlackUnavailableError,
    UnexpectedError,
)
from bot.core.models import Request, Role, SessionDefaults
from bot.core.ports import ApplicationCatalog
from bot.core.requests.service import RequestService
from bot.core.validation.conversations import GenesysApp
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import read_actor
from bot.slack.messages.blocks import View
from bot.slack.messages.error_copy import error_copy
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import session_form
from bot.slack.views.session_form import HOST, NAME, START_FORM, Fields, Filled

log = logging.getLogger(__name__)

SHORTCUT, MESSAGE_SHORTCUT = "cobrowse_start", "cobrowse_start_here"
"""As in manifest.yml: a global one, and one in each message's menu."""
CATALOGUE_SECONDS = 4.0
CATALOGUE_KEPT_SECONDS = 60.0


class SessionForm:
    """Opens forms, and reads what comes back."""

    def __init__(
        self,
        views: Views,
        access: AccessPolicy,
        catalogue: ApplicationCatalog,
        offer: SessionDefaults,
        delivery: SlackResponder,
        words: MessageRenderer,
        genesys_app: GenesysApp | None = None,
    ) -> None:
        """`genesys_app`: where sessions belong to conversations, which take neither an application nor a duration."""
        self._views, self._access, self._catalogue, self._offer = views, access, catalogue, offer
        self._delivery, self._words, self._genesys_app = delivery, words, genesys_app
        self._applications: Cache[str, list[tuple[str, str]]] = Cache(seconds=CATALOGUE_KEPT_SECONDS, size=1)

    @property
    def has_no_direct_messages(self) -> bool:
        """Whether the app's Messages tab is off, as far as is known: then the form waits for its answer."""
        return self._delivery.has_no_direct_messages

    def note_trigger(self, request: Request, body: dict[str, Any]) -> None:
        """Remember what can open a window with the answer, should nothing else reach the person."""
        self._delivery.note_trigger(request.id, str(body.get("trigger_id") or ""))

    def open_soon(self, trigger_id: str, asker: Request) -> None:
        """After the acknowledgement. `asker` is what a start would be: by whom, and from which channel."""
        self._delivery.soon(self._open(trigger_id, asker))

    def read(self, body: dict[str, Any]) -> Request | dict[str, str]:
        """What was asked for, or what is wrong with it, by block."""
        filled = session_form.read(body["view"], self._genesys_app)
        if not isinstance(filled, Filled):
            return filled
        request = self._request(body, filled)
        try:
            self._access.peek_start(request)
        except CobrowseError as error:  # the request itself fails with any other error
            if request.for_another and (words := session_form.host_error(error)):
                return {HOST: words}
        return request

    def _request(self, body: dict[str, Any], filled: Filled) -> Request:
        """The view's id is the key: however often it is sent, it starts one session."""
        asker, offer = read_actor(body), self._offer
        usual = (filled.application_id == offer.application_id, filled.timeout_seconds == offer.timeout_seconds)
        return replace(
            asker,
            key=f"view:{body['view']['id']}",
            channel_id=filled.channel_id,
            target=None if filled.host == asker.requester else filled.host,
            name=filled.name,
            application_id=None if usual[0] else filled.application_id,
            timeout_seconds=None if usual[1] else filled.timeout_seconds,
            conversation_id=filled.conversation_id,
            reply_url=None,
        )

    async def _open(self, trigger_id: str, asker: Request) -> None:
        if code := await self._views.open(trigger_id, session_form.skeleton(asker.id)):
            words = self._words
            await self._delivery.tell(asker, session_form.not_opened(words.command, asker.id, code, words.contact))
            return
        try:
            view = await self._filled(asker)
        except Exception:
            log.exception("failed after the ack", extra={"fields": {"request": asker.id}})
            view = session_form.told(self._words.failure(UnexpectedError(), asker.id, kept=False))
        await self._views.update(asker.id, view)

    async def _filled(self, asker: Request) -> View:
        """The form, or why there is none for this person, here."""
        chooses_host = False
        try:
            await self._access.authorize_start(asker)
            chooses_host = await self._access.role(asker.requester, asker.team_id) is not Role.MEMBER
        except PermissionDeniedError as refusal:
            return session_form.told(self._words.failure(refusal, asker.id))
        except SlackUnavailableError:
            log.warning("a form without a host", extra={"fields": {"request": asker.id}})
        return session_form.form(
            Fields(
                channel_id=asker.channel_id,
                host=asker.requester if chooses_host else None,
                applications=await self._known_applications(),
                application_id=self._offer.application_id,
                timeout_seconds=None if self._genesys_app else self._offer.timeout_seconds,
                takes_conversation=self._genesys_app is not None,
            )
        )

    async def _known_applications(self) -> list[tuple[str, str]]:
        """Those there are; none when the service cannot say soon."""
        try:
            async with asyncio.timeout(CATALOGUE_SECONDS):
                return await self._applications.get("", self._ask_applications)
        except (ServiceError, TimeoutError):
            return []

    async def _ask_applications(self) -> list[tuple[str, str]]:
        return list(await self._catalogue.applications())


def register(app: AsyncApp, desk: RequestService, forms: SessionForm) -> None:
    """Adds the shortcuts and the form to the app."""

    @app.global_shortcut(SHORTCUT)
    @app.message_shortcut(MESSAGE_SHORTCUT)
    async def on_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.open_soon(str(body.get("trigger_id")), read_actor(body))
        await ack()

    @app.view(START_FORM)
    async def on_submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        request = forms.read(body)
        if not isinstance(request, Request):
            await ack(response_action="errors", errors=request)
            return
        try:
            await desk.submit(request)
        except NotAcceptedError as error:
            await ack(response_action="errors", errors={NAME: not_accepted(error)})
        else:
            if not request.channel_id and forms.has_no_direct_messages:
                await ack(response_action="update", view=session_form.answer_to_come(request.id))
            else:
                forms.note_trigger(request, body)
                await ack()


def not_accepted(error: NotAcceptedError) -> str:
    """Below a field that every form has: it can be sent again as it is."""
    what = error_copy(error, "").what
    again = "it starts one session only" if isinstance(error, MaybeAcceptedError) else "what you filled in stays"
    return f"{what} Press Start again in a moment; {again}."
