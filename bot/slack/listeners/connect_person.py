"""Handle the dialog in which an administrator connects a person to a Genesys user: open it, search, submit the choice.

views/connect_person.py builds the dialog. The submitted choice becomes a request of the kind LINK, like the command
`link`. The dialog shows the result.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.access import AccessPolicy
from bot.core.errors import (
    CobrowseError,
    HostNotFoundError,
    NotAcceptedError,
    PermissionMissingError,
    PersonNotAllowedError,
    RoleRequiredError,
    ServiceBusyError,
    ServiceError,
    UnexpectedError,
)
from bot.core.hosts.resolver import HostResolver
from bot.core.models import PersonKey, Request, RequestKind, Role, SlackUser, UserId
from bot.core.ports import HostDirectory
from bot.core.requests.service import RequestService
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import read_actor, read_press
from bot.slack.listeners.session_form import not_accepted, tell_not_filled
from bot.slack.messages.blocks import View
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import Language, mention
from bot.slack.messages.error_copy import error_copy
from bot.slack.messages.notices.access import CONNECT_ACTION, CONNECT_PEOPLE_ACTION, read_person
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import connect_person
from bot.slack.views.connect_person import (
    AGAIN_ACTION,
    CHOOSE_FORM,
    FIND_FORM,
    ID_FORM,
    MAX_CHOICES,
    PERSON,
    PERSON_FORM,
    TEXT,
    USER,
)
from bot.slack.views.session_form import not_opened, result_view

log = logging.getLogger(__name__)


class ConnectDialog:
    """Runs the steps of the dialog in which an administrator connects a person to a Genesys user.

    Before each search in Genesys, this class checks that the user of the dialog is an administrator. In the methods,
    `actor` is a request by this user.
    """

    def __init__(
        self,
        views: Views,
        responder: SlackResponder,
        renderer: MessageRenderer,
        *,
        access: AccessPolicy,
        hosts: HostResolver,
        directory: HostDirectory,
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._views, self._responder, self._renderer = views, responder, renderer
        self._access, self._hosts, self._directory, self._timing = access, hosts, directory, timing

    def open_soon(self, trigger_id: str, actor: Request, user_id: UserId | None) -> None:
        """Open the dialog in the background.

        - `trigger_id`: Slack's id of the press, which allows the bot to open a modal.
        - `user_id`: the person to connect; None to ask for the person first.
        """
        self._responder.soon(self._open(trigger_id, actor, user_id))

    def choose_soon(self, actor: Request, user_id: UserId) -> None:
        """In the background, show the step of the dialog that follows the choice of the person `user_id`."""
        self._responder.soon(self._replace(actor, self._chosen(actor, user_id)))

    def find_soon(self, actor: Request, person: PersonKey, text: str) -> None:
        """In the background, search Genesys users for `text`, and show the next step of the dialog.

        If the search finds nobody or fails, the dialog gives the reason.

        `person`: the person to connect.
        """
        self._responder.soon(self._replace(actor, self._found(actor, person, text)))

    def search_again(self, actor: Request, view: View) -> None:
        """Show the search for a Genesys user again, in the background. The field contains the text of the last search.

        `view`: the dialog that is open now.
        """
        person, text = connect_person.read_person(view)
        form = connect_person.find_form(person, self._language(actor), text)
        self._responder.show_soon(actor.view_id or "", form, str(view.get("hash") or ""))

    def show_again_soon(self, request: Request) -> None:
        """Show the result of a LINK `request` again, after Slack delivered the submission of the choice twice."""
        self._responder.show_again_soon(request.view_id or "")

    async def _open(self, trigger_id: str, actor: Request, user_id: UserId | None) -> None:
        show = self._views.push if actor.view_id else self._views.open
        if code := await show(trigger_id, connect_person.loading(actor.id, self._language(actor))):
            await self._responder.tell(actor, not_opened(self._renderer.addressee(actor.requester), actor.id, code))
            return
        step = self._first_step(actor, user_id) if user_id else self._person_step(actor)
        code = await self._views.update(await self._safely(actor, step), external_id=actor.id)
        # the modal below the dialog is hidden, so it cannot show the message
        await tell_not_filled(self._responder, self._renderer, replace(actor, view_id=None), code)

    async def _replace(self, actor: Request, step: Awaitable[View]) -> None:
        """Await `step`, which returns the view of the dialog's next step, and show this view in the dialog."""
        # Slack may apply an immediate update before the acknowledgement of the submission
        view, _ = await asyncio.gather(self._safely(actor, step), asyncio.sleep(self._timing.view_settle_seconds))
        code = await self._views.update(view, view_id=actor.view_id or "")
        await tell_not_filled(self._responder, self._renderer, actor, code)

    async def _person_step(self, actor: Request) -> View:
        await self._require_admin(actor)
        return connect_person.person_form(self._language(actor))

    async def _chosen(self, actor: Request, user_id: UserId) -> View:
        """Return the view that the dialog shows after the administrator has chosen the person `user_id`.

        The view depends on the person:

        - If the person is not a full member of the workspace, the view asks for a person again, and gives the reason.
        - If the bot already finds a host for the person, the view says this.
        - Otherwise, the view asks for the Genesys user: by a search or, if the bot may not search, by the user's id.
        """
        try:
            return await self._first_step(actor, user_id)
        except PersonNotAllowedError as error:
            if not error.is_target:  # it is about the administrator
                raise
            problem = error_copy(error, Situation.QUERY, self._renderer.addressee(actor.requester)).text
            return connect_person.person_form(self._language(actor), user_id, problem)

    async def _found(self, actor: Request, person: PersonKey, text: str) -> View:
        await self._require_admin(actor)
        return await self._searched(actor, person, text)

    async def _first_step(self, actor: Request, user_id: UserId) -> View:
        await self._require_admin(actor)
        language = self._language(actor)
        person = await self._access.check_member(user_id)
        if await self._is_connected(person):
            return connect_person.note(connect_person.CONNECTED, language, person=mention(user_id))
        key = (person.team_id, person.user_id)
        try:
            await self._search(person.name)  # fails if the bot may not search
        except PermissionMissingError as missing:
            return connect_person.id_form(key, missing.needs, language)
        except ServiceError:
            pass  # the administrator's own search shows the error
        return connect_person.find_form(key, language, person.name)

    async def _searched(self, actor: Request, person: PersonKey, text: str) -> View:
        """Search Genesys for `text`, and return the step that shows the Genesys users found.

        If the search finds nobody or fails, return the step with the search field, and the reason. If the bot may not
        search, return the step that asks for the Genesys user's id.
        """
        to = self._renderer.addressee(actor.requester, repairs=False)
        try:
            users, more = await self._search(text)
        except PermissionMissingError as missing:
            return connect_person.id_form(person, missing.needs, to.language)
        except ServiceError as error:
            problem = error_copy(error, Situation.QUERY, to).text
            return connect_person.find_form(person, to.language, text, problem)
        if not users:
            problem = to.language.say(connect_person.NOBODY, text=text)
            return connect_person.find_form(person, to.language, text, problem)
        return connect_person.choose_form(person, text, users, to.language, more=more)

    def _language(self, actor: Request) -> Language:
        return self._renderer.language_of(actor.requester)

    async def _search(self, text: str) -> Any:
        try:
            async with asyncio.timeout(self._timing.home_section_timeout):
                return await self._directory.search(text, MAX_CHOICES)
        except TimeoutError:
            raise ServiceBusyError from None

    async def _is_connected(self, person: SlackUser) -> bool:
        try:
            async with asyncio.timeout(self._timing.home_section_timeout):
                await self._hosts.find(person)
        except (HostNotFoundError, ServiceError, TimeoutError):
            return False
        return True

    async def _require_admin(self, actor: Request) -> None:
        await self._access.require_member(actor)
        if await self._access.role(actor.requester, actor.team_id) is not Role.ADMIN:
            raise RoleRequiredError("administrators_only")

    async def _safely(self, actor: Request, step: Awaitable[View]) -> View:
        """Await `step`, and return its view. If `step` raises an exception, return a view with an error message."""
        try:
            return await step
        except CobrowseError as found:
            error = found
        except Exception:
            log.exception("failed after the ack", extra={"fields": {"request": actor.id}})
            error = UnexpectedError()
        message = self._renderer.failure(
            error, actor.id, reader=actor.requester, is_repeatable=False, situation=Situation.QUERY
        )
        return result_view(message, self._language(actor))


def register(app: AsyncApp, requests: RequestService, renderer: MessageRenderer, dialog: ConnectDialog) -> None:
    """Register the listeners of the buttons that open the dialog, and of the dialog's steps."""
    _register_opening(app, dialog)
    _register_search(app, renderer, dialog)
    _register_choice(app, requests, renderer, dialog)


def _register_opening(app: AsyncApp, dialog: ConnectDialog) -> None:
    @app.action(CONNECT_ACTION)
    async def on_connect(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        if person := read_person(value):
            dialog.open_soon(str(body.get("trigger_id")), press, person[1])
        await ack()

    @app.action(CONNECT_PEOPLE_ACTION)
    async def on_connect_people(ack: AsyncAck, body: dict[str, Any]) -> None:
        dialog.open_soon(str(body.get("trigger_id")), read_actor(body), None)
        await ack()


def _register_search(app: AsyncApp, renderer: MessageRenderer, dialog: ConnectDialog) -> None:
    @app.view(PERSON_FORM)
    async def on_person(ack: AsyncAck, body: dict[str, Any]) -> None:
        user_id, language = connect_person.read_chosen_person(body["view"]), _language_of(renderer, body)
        if user_id is None:
            await ack(response_action="errors", errors={PERSON: language.say(connect_person.NO_PERSON)})
            return
        dialog.choose_soon(read_actor(body), user_id)
        await ack(response_action="update", view=connect_person.note(connect_person.SEARCHING, language))

    @app.action(AGAIN_ACTION)
    async def on_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        dialog.search_again(read_actor(body), body["view"])
        await ack()

    @app.view(FIND_FORM)
    async def on_find(ack: AsyncAck, body: dict[str, Any]) -> None:
        (person, _), text = connect_person.read_person(body["view"]), connect_person.read_text(body["view"])
        language = _language_of(renderer, body)
        if not text:
            await ack(response_action="errors", errors={TEXT: language.say(connect_person.NO_TEXT)})
            return
        dialog.find_soon(read_actor(body), person, text)
        await ack(response_action="update", view=connect_person.note(connect_person.SEARCHING, language))


def _register_choice(app: AsyncApp, requests: RequestService, renderer: MessageRenderer, dialog: ConnectDialog) -> None:
    async def on_choice(ack: AsyncAck, body: dict[str, Any]) -> None:
        host_id, language = connect_person.read_user(body["view"]), _language_of(renderer, body)
        if host_id is None:
            await ack(response_action="errors", errors={USER: language.say(connect_person.NO_ID)})
            return
        (_, user_id), _ = connect_person.read_person(body["view"])
        request = replace(
            read_actor(body),
            kind=RequestKind.LINK,
            key=f"view:{body['view']['id']}:{host_id}",
            target=user_id,
            argument=host_id,
            reply_url=None,
        )
        try:
            is_new = await requests.submit(request)
        except NotAcceptedError as error:
            to = renderer.addressee(request.requester, repairs=False)
            await ack(response_action="errors", errors={USER: not_accepted(error, to)})
            return
        await ack(response_action="update", view=connect_person.note(connect_person.CONNECTING, language))
        if not is_new:
            dialog.show_again_soon(request)

    for form in (CHOOSE_FORM, ID_FORM):
        app.view(form)(on_choice)


def _language_of(renderer: MessageRenderer, body: dict[str, Any]) -> Language:
    return renderer.language_of(str(body["user"]["id"]))
