"""Open the modal that starts a session, and submit a request when a person submits the modal.

views/session_form.py builds the modal. After the submission, the modal shows a wait message and then the answer. The
answer is also sent as a direct message.
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
    HostNotFoundError,
    MaybeAcceptedError,
    NotAcceptedError,
    PermissionDeniedError,
    ServiceError,
    SlackUnavailableError,
    StorageUnavailableError,
    UnexpectedError,
)
from bot.core.hosts.resolver import HostResolver
from bot.core.models import ChannelId, Request, Role, SessionDefaults, SlackUser, UserId
from bot.core.ports import ApplicationCatalog
from bot.core.requests.service import RequestService
from bot.core.start_details import StartDetails
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.core.use_cases.customer_messages import LinkOffers
from bot.core.validation.conversations import GenesysApp
from bot.slack.api.responder import SlackResponder
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.api.views import Views
from bot.slack.error_codes import Group, is_of
from bot.slack.listeners.actions import read_actor
from bot.slack.messages.blocks import Message, View
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import said
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import session_form
from bot.slack.views.session_form import HOST, MORE_ACTION, NAME, START_FORM, Fields, FormInput
from bot.slack.views.suggested_name import suggested_name

log = logging.getLogger(__name__)

SHORTCUT, MESSAGE_SHORTCUT = "cobrowse_start", "cobrowse_start_here"
"""Callback ids in manifest.yml: the global shortcut and the message shortcut."""

STARTS_ONCE = said("form.starts_once", "Press Start again in a moment: it starts only one session.")
INPUT_STAYS = said("form.input_stays", "Press Start again in a moment: your input stays.")


class SessionForm:
    """Opens the form that starts a session, and builds the request of a submitted form.

    - `catalog`: lists the applications at the session service.
    - `defaults`: the application and the duration that the form selects at first.
    - `genesys_app`: parses the ids and URLs of conversations; None if sessions belong to no conversation.
    - `offers`: turns the customer's address in the form into the argument of the request.

    With a `genesys_app`, the form has a field for a conversation. Without one, the form has a field for the duration.
    """

    def __init__(
        self,
        views: Views,
        access: AccessPolicy,
        catalog: ApplicationCatalog,
        defaults: SessionDefaults,
        responder: SlackResponder,
        renderer: MessageRenderer,
        session_messages: SlackSessionMessages,
        hosts: HostResolver,
        genesys_app: GenesysApp | None = None,
        timing: SlackTiming = SLACK_TIMING,
        offers: LinkOffers = LinkOffers(),  # noqa: B008 - frozen
    ) -> None:
        self._views, self._access, self._catalog, self._defaults = views, access, catalog, defaults
        self._responder, self._renderer, self._genesys_app = responder, renderer, genesys_app
        self._timing, self._offers = timing, offers
        self._session_messages, self._hosts = session_messages, hosts
        self._applications: Cache[str, list[tuple[str, str]]] = Cache(seconds=timing.catalog_cache_seconds, size=1)

    def starting_view(self, request: Request) -> View:
        """Return the view that replaces the submitted form until the answer to the form's `request` arrives."""
        language = self._renderer.language_of(request.requester)
        return session_form.starting_view(language, has_copy=not self._responder.has_no_direct_messages)

    def show_again_soon(self, request: Request) -> None:
        """Show the answer to a form's `request` again, after Slack delivered the submission twice."""
        self._responder.show_again_soon(request.view_id or "")

    def open_soon(
        self,
        trigger_id: str,
        actor: Request,
        message: dict[str, Any] | None = None,
        *,
        is_for_another: bool = False,
    ) -> None:
        """Open the form in the background.

        - `trigger_id`: Slack's id of the press, which allows the bot to open a modal.
        - `actor`: a START request with the requester and the channel.
        - `message`: the Slack message whose shortcut the requester used; None if there is no such message.
        - `is_for_another`: whether the session is for another person. Then the menu for the agent selects nobody at
          first.
        """
        self._responder.soon(self._open(trigger_id, actor, message or {}, is_for_another))

    def show_more_soon(self, body: dict[str, Any]) -> None:
        """Add the fields of *More options* to an open form, in the background. `body` is the payload of the press."""
        self._responder.soon(self._show_more(body["view"], UserId(body["user"]["id"])))

    def read(self, body: dict[str, Any]) -> Request | dict[str, str]:
        """Return the request of a submitted form. If a field is invalid, return the error messages by block id.

        `body` is a `view_submission` payload.
        """
        to = self._renderer.addressee(UserId(body["user"]["id"]), repairs=False)
        filled = session_form.read(body["view"], self._genesys_app, to, self._offers.config)
        if not isinstance(filled, FormInput):
            return filled
        request = self._request(body, filled)
        try:
            self._access.peek_start(request)
        except CobrowseError as error:  # the worker authorizes again and sends all other errors
            if request.for_another and (text := session_form.host_error(error, to.language)):
                return {HOST: text}
        return request

    def _request(self, body: dict[str, Any], filled: FormInput) -> Request:
        """Build the START request of a submitted form.

        - `body`: the payload of the submission.
        - `filled`: the valid input.

        The request's key contains the id of the view, so one form starts at most one session.
        """
        actor, defaults, thread = read_actor(body), self._defaults, filled.thread
        to = filled.send_to
        details = self._offers.details(to.text, thread) if to else StartDetails(thread=thread)
        usual = (filled.application_id == defaults.application_id, filled.timeout_seconds == defaults.timeout_seconds)
        return replace(
            actor,
            key=f"view:{body['view']['id']}",
            channel_id=filled.channel_id,
            target=None if filled.host == actor.requester else filled.host,
            name=filled.name,
            application_id=None if usual[0] else filled.application_id,
            timeout_seconds=None if usual[1] else filled.timeout_seconds,
            conversation_id=filled.conversation_id,
            argument=details.argument,
            reply_url=None,
        )

    def addressee(self, request: Request) -> Addressee:
        """Return what an error message in the form needs to know about its reader, such as the reader's language.

        `request`: a request by this reader.
        """
        return self._renderer.addressee(request.requester, repairs=False)

    async def _open(self, trigger_id: str, actor: Request, message: dict[str, Any], is_for_another: bool) -> None:
        language = self._renderer.language_of(actor.requester)
        if code := await self._views.open(trigger_id, session_form.loading(actor.id, language)):
            to = self._renderer.addressee(actor.requester)
            await self._responder.tell(actor, session_form.not_opened(to, actor.id, code))
            return
        try:
            view = await self._filled(actor, message, is_for_another)
        except Exception:
            log.exception("failed after the ack", extra={"fields": {"request": actor.id}})
            error = UnexpectedError()
            view = self._result_view(
                actor, self._renderer.failure(error, actor.id, reader=actor.requester, is_repeatable=False)
            )
        code = await self._views.update(view, external_id=actor.id)
        await tell_not_filled(self._responder, self._renderer, actor, code)

    async def _filled(self, actor: Request, message: dict[str, Any], is_for_another: bool) -> View:
        """Return the form with its fields. If the requester cannot start a session, return a view with the reason.

        - `message`: the Slack message whose shortcut the requester used, or {}.
        - `is_for_another`: whether the session is for another person.
        """
        chooses_host, missing = False, None
        try:
            agent = await self._access.authorize_start(actor)
            missing = await self._missing_host(agent)
            chooses_host = await self._access.role(actor.requester, actor.team_id) is not Role.MEMBER
            if missing and not chooses_host:
                await self._responder.learn_contact(missing)
                return self._result_view(actor, self._unconnected(actor, missing))
        except PermissionDeniedError as refusal:
            return self._result_view(actor, self._renderer.answer(actor, refusal))
        except SlackUnavailableError:
            chooses_host = is_for_another  # else the session would be the requester's own
            if not chooses_host:
                log.warning("a form without a host", extra={"fields": {"request": actor.id}})
        fields = replace(
            await self._further_fields(),
            channel_id=actor.channel_id,
            host=(UserId("") if missing or is_for_another else actor.requester) if chooses_host else None,
            takes_conversation=self._genesys_app is not None,
            name=suggested_name(str(message.get("text") or ""), self._offers.config.sms_countries),
            thread=await self._thread(actor, message),
            features=self._renderer.features,
        )
        return session_form.form(fields, self._renderer.language_of(actor.requester))

    async def _further_fields(self) -> Fields:
        """Return the values of the fields that *More options* adds to the form: the applications and the duration.

        The values of all other fields in the returned Fields are placeholders.
        """
        return Fields(
            channel_id=ChannelId(""),
            host=None,
            applications=await self._known_applications(),
            application_id=self._defaults.application_id,
            timeout_seconds=None if self._genesys_app else self._defaults.timeout_seconds,
        )

    async def _show_more(self, view: View, reader: UserId) -> None:
        shown = session_form.with_more(view, await self._further_fields(), self._renderer.language_of(reader))
        await self._views.update(shown, view_id=str(view["id"]), known_hash=str(view.get("hash") or ""))

    def _result_view(self, actor: Request, message: Message) -> View:
        return session_form.result_view(message, self._renderer.language_of(actor.requester))

    async def _missing_host(self, agent: SlackUser) -> HostNotFoundError | None:
        """Return the error that says why the agent has no host; None if the agent has a host.

        Also return None if the bot cannot find out, because Genesys or the database fails, or because the look-up takes
        longer than `SlackTiming.catalog_timeout`.
        """
        try:
            async with asyncio.timeout(self._timing.catalog_timeout):
                await self._hosts.find(agent)
        except HostNotFoundError as missing:
            return missing
        except (ServiceError, StorageUnavailableError, TimeoutError):
            pass
        return None

    def _unconnected(self, actor: Request, missing: HostNotFoundError) -> Message:
        return self._renderer.failure(
            missing, actor.id, reader=actor.requester, is_repeatable=False, situation=Situation.QUERY
        )

    async def _thread(self, actor: Request, message: dict[str, Any]) -> str:
        """Return the id of the thread in which the session can be posted: the thread of the Slack message `message`.

        If `message` is in no thread, return the id of `message` itself, so that the session can begin a thread below
        it. Return "" if `message` is {}, if the request comes from a group message, or if the bot may not post a
        session in the channel.
        """
        thread = str(message.get("thread_ts") or message.get("ts") or "")
        if not session_form.is_message_id(thread) or actor.is_group_message:
            return ""
        return thread if await self._session_messages.is_shareable(actor.channel_id) else ""

    async def _known_applications(self) -> list[tuple[str, str]]:
        """Return the id and the name of each application.

        Return [] if the call fails or takes longer than `SlackTiming.catalog_timeout`.
        """
        try:
            async with asyncio.timeout(self._timing.catalog_timeout):
                return await self._applications.get("", self._ask_applications)
        except (ServiceError, TimeoutError):
            return []

    async def _ask_applications(self) -> list[tuple[str, str]]:
        return list(await self._catalog.applications())


def register(app: AsyncApp, requests: RequestService, forms: SessionForm) -> None:
    """Register the listeners of the shortcuts, of *More options* and of the form's submission."""

    @app.global_shortcut(SHORTCUT)
    @app.message_shortcut(MESSAGE_SHORTCUT)
    async def on_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.open_soon(str(body.get("trigger_id")), read_actor(body), body.get("message"))
        await ack()

    @app.action(MORE_ACTION)
    async def on_more(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.show_more_soon(body)
        await ack()

    @app.view(START_FORM)
    async def on_submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        request = forms.read(body)
        if not isinstance(request, Request):
            await ack(response_action="errors", errors=request)
            return
        try:
            is_new = await requests.submit(request)
        except NotAcceptedError as error:
            await ack(response_action="errors", errors={NAME: not_accepted(error, forms.addressee(request))})
            return
        await ack(response_action="update", view=forms.starting_view(request))
        if not is_new:
            forms.show_again_soon(request)


async def tell_not_filled(responder: SlackResponder, renderer: MessageRenderer, actor: Request, code: str) -> None:
    """Tell the user of a modal that the bot could not fill the modal, so that the modal still says to wait.

    Do nothing if Slack accepted the update, or if the modal is closed.

    - `actor`: a request by the user of the modal.
    - `code`: the error code of the update; "" if Slack accepted the update.
    """
    if code and not is_of(code, Group.VIEW_GONE):
        await responder.tell(actor, session_form.not_opened(renderer.addressee(actor.requester), actor.id, code))


def not_accepted(error: NotAcceptedError, to: Addressee) -> str:
    """Return the error message that a form shows if its request could not be stored. `to` is the reader.

    The form stays open, so that the requester can try again.
    """
    problem = error_copy(error, Situation.START, to).problem
    return f"{problem} {to.language.say(STARTS_ONCE if isinstance(error, MaybeAcceptedError) else INPUT_STAYS)}"
