"""Listen for the buttons on session cards and in lists. A button opens a dialog, or submits a request at once.

The person and the state of the session decide whether a button opens its dialog:

- The person may not use the button, or the session is not stored: no dialog.
- The session is over: only the dialog with the session's ids.
- The session is open, but nobody can join by its link any more: only the dialog with the session's ids, and the dialog
  that asks whether to end the session.
- In any other case: every dialog.

If the dialog must not open, the bot submits the button's request at once. The answer to the request gives the reason.
The worker checks again what the person may do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import CobrowseError, NotAcceptedError, SlackUnavailableError
from bot.core.models import CARD_KEY, ROW_KEY, START_NEW_KEY, Request, RequestKind, SessionId, SessionRecord
from bot.core.requests.service import RequestService
from bot.core.use_cases.sessions import SessionService
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import not_again, note_place, read_actor, read_card_press, show_start
from bot.slack.messages.ambiguity import chosen_already
from bot.slack.messages.blocks import NOTICE_BLOCK, View
from bot.slack.messages.catalogue.sentence import Language
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import (
    ASK_END_ACTION,
    CARD,
    COPY,
    DETAILS,
    MENU_ACTION,
    POST,
    SEND_TO_ACTION,
    START_NEW_ACTION,
    read_start_new,
)
from bot.slack.messages.session_list import ROW_END, ROW_MENU_ACTION, ROW_SEND, ROW_SHOW, read_row
from bot.slack.views import confirmation, customer_message_form
from bot.slack.views.confirmation import END_DIALOG, POST_DIALOG, Pressed, read_pressed
from bot.slack.views.session_form import STARTING, not_opened

COMMANDS = {RequestKind.END: "end", RequestKind.PROPOSE: "send", RequestKind.LAST: "last"}
"""The command that a person can type if a dialog does not open, by kind of request."""


@dataclass(frozen=True, slots=True)
class CardPresses:
    """Carries out presses on session cards and in lists: opens a dialog, or submits a request.

    In the methods, `body` is the payload of the press, and `session_id` is the session of the card or row.
    """

    requests: RequestService
    sessions: SessionService
    views: Views
    responder: SlackResponder
    renderer: MessageRenderer

    async def ask_end(self, body: dict[str, Any], session_id: str) -> None:
        """Open the dialog that asks whether to end the session."""

        def build(record: SessionRecord, pressed: Pressed) -> View:
            is_own = record.concerns(request.requester)
            return confirmation.end_dialog(record, pressed, self._language(request), is_own=is_own)

        request = read_card_press(body, RequestKind.END, session_id)
        self._open_soon(body, request, build)

    async def ask_post(self, body: dict[str, Any], session_id: str) -> None:
        """Open the dialog that asks whether to post the session's link in the channel."""

        def build(record: SessionRecord, pressed: Pressed) -> View:
            return confirmation.post_dialog(record, pressed, self._language(request))

        request = read_card_press(body, RequestKind.SHARE, session_id)
        self._open_soon(body, request, build)

    async def ask_address(self, body: dict[str, Any], session_id: str) -> None:
        """Open the dialog that asks for the customer's address, to send the session's link to this address."""

        def build(record: SessionRecord, pressed: Pressed) -> View:
            cards = self.renderer.cards_for(request.requester)
            return customer_message_form.form(replace(pressed, name=record.session.name), cards)

        request = read_card_press(body, RequestKind.PROPOSE, session_id)
        self._open_soon(body, request, build)

    async def copy(self, body: dict[str, Any], session_id: str) -> None:
        """Submit a request to send a copy of the card to the requester, as a direct message."""
        request = read_card_press(body, RequestKind.DIRECT, session_id)
        note_place(self.responder, body, request)
        await self.submit(request)

    async def show(self, body: dict[str, Any], session_id: str) -> None:
        """Show the session's link in a new message, or in a dialog if the press has no response_url."""
        request = replace(read_card_press(body, RequestKind.LAST, session_id), replaces=False)
        if request.reply_url:
            await self.submit(request)
        else:

            def build(record: SessionRecord, pressed: Pressed) -> View:
                return confirmation.link(record, request.requester, self.renderer.cards_for(request.requester))

            self._open_soon(body, request, build)

    async def show_details(self, body: dict[str, Any], session_id: str) -> None:
        """Open the dialog that shows the session's ids."""
        request = read_card_press(body, RequestKind.LAST, session_id)

        def build(record: SessionRecord, pressed: Pressed) -> View:
            return confirmation.details(record, self._language(request))

        self._open_soon(body, request, build, is_query=True)

    async def start_new(self, body: dict[str, Any]) -> None:
        """Start a new session with the name and the agent of a session that is over.

        The pressed button names the session that is over. The new session's card replaces the message that contains
        the button. If this message is a notice, the notice stays, and the card is a new message.
        """
        session_id, name, agent, channel_id = read_start_new(str(body["actions"][0]["value"]))
        press, container = read_actor(body), body.get("container") or {}
        place = container.get("message_ts") or press.view_id
        request = replace(
            press,
            key=f"{START_NEW_KEY}{session_id}:{place}",
            name=name or None,
            target=None if agent == press.requester else agent,
            channel_id=channel_id or press.channel_id,
            replaces=not is_notice(body),
        )
        if request.replaces:
            note_place(self.responder, body, press)
        try:
            if earlier := await self.requests.submit_once(request):
                self.responder.tell_soon(request, lambda: not_again(self.renderer, request, earlier, chosen_already))
            else:
                show_start(self.responder, self.renderer, body, request, STARTING)
        except NotAcceptedError as error:
            self.responder.tell_soon(request, partial(self.renderer.answer, request, error))

    async def submit(self, request: Request) -> None:
        """Submit a request. If the request cannot be stored, send the requester the reason."""
        try:
            await self.requests.submit(request)
        except NotAcceptedError as error:
            self.responder.tell_soon(request, partial(self.renderer.answer, request, error))

    def _language(self, request: Request) -> Language:
        return self.renderer.language_of(request.requester)

    def _open_soon(
        self,
        body: dict[str, Any],
        request: Request,
        build: Callable[[SessionRecord, Pressed], View],
        *,
        is_query: bool = False,
    ) -> None:
        """Open a button's dialog in the background, or submit `request` if the dialog must not open.

        The list at the top of this file says when the dialog must not open. If Slack or the database fails, send the
        requester the error.

        - `request`: the request of the press.
        - `build`: returns the dialog.
        - `is_query`: True for the dialog that shows the session's ids.
        """
        note_place(self.responder, body, request)
        self.responder.soon(self._open(body, request, build, is_query=is_query))

    async def _open(
        self,
        body: dict[str, Any],
        request: Request,
        build: Callable[[SessionRecord, Pressed], View],
        *,
        is_query: bool,
    ) -> None:
        try:
            reads_link = request.kind is not RequestKind.END
            record = await self.sessions.pressed(request, reads_link=reads_link, asks_service=not is_query)
        except (SlackUnavailableError, NotAcceptedError) as error:
            await self.responder.tell(request, self.renderer.answer(request, error))
            return
        except CobrowseError:
            await self.submit(request)
            return
        is_stale = record.is_over or (record.is_gone and reads_link)
        if is_stale and not is_query:
            await self.submit(request)
            return
        view = build(record, pressed_at(body, request))
        show = self.views.push if request.view_id else self.views.open
        if code := await show(str(body.get("trigger_id")), view):
            to = self.renderer.addressee(request.requester)
            to = replace(to, command=f"{to.command} {COMMANDS.get(request.kind, 'last')}")
            await self.responder.tell(request, not_opened(to, request.id, code))


def register(app: AsyncApp, presses: CardPresses) -> None:
    """Register the listeners of buttons and menus on session cards and in lists, and of two dialogs.

    The dialogs ask whether to end a session, and whether to post its link.
    """
    choices = {
        POST: presses.ask_post,
        COPY: presses.copy,
        DETAILS: presses.show_details,
        ROW_SHOW: presses.show,
        ROW_SEND: presses.ask_address,
        ROW_END: presses.ask_end,
    }

    @app.action(ASK_END_ACTION)
    async def on_end(ack: AsyncAck, body: dict[str, Any]) -> None:
        await presses.ask_end(body, str(body["actions"][0]["value"]))
        await ack()

    @app.action(SEND_TO_ACTION)
    async def on_send(ack: AsyncAck, body: dict[str, Any]) -> None:
        await presses.ask_address(body, str(body["actions"][0]["value"]))
        await ack()

    @app.action(MENU_ACTION)
    @app.action(ROW_MENU_ACTION)
    async def on_menu(ack: AsyncAck, body: dict[str, Any]) -> None:
        chosen, session_id = read_menu(body)
        if choose := choices.get(chosen):  # the other options are links, which Slack opens
            await choose(body, session_id)
        await ack()

    @app.action(START_NEW_ACTION)
    async def on_start_new(ack: AsyncAck, body: dict[str, Any]) -> None:
        await presses.start_new(body)
        await ack()

    _register_dialogs(app, presses)


def _register_dialogs(app: AsyncApp, presses: CardPresses) -> None:
    def on_dialog(callback_id: str, kind: RequestKind) -> None:
        @app.view(callback_id)
        async def on_yes(ack: AsyncAck, body: dict[str, Any]) -> None:
            pressed = read_pressed(body["view"]["private_metadata"])
            request = dialog_request(body, pressed, kind, f"{pressed.session_id} {pressed.listing}".strip())
            note_dialog_place(presses.responder, pressed, request)
            try:
                await presses.requests.submit(request)
            except NotAcceptedError as error:
                renderer = presses.renderer
                language = renderer.language_of(request.requester)
                view = confirmation.notice(renderer.answer(request, error), language)
                await ack(response_action="update", view=view)
            else:
                await ack()

    on_dialog(END_DIALOG, RequestKind.END)
    on_dialog(POST_DIALOG, RequestKind.SHARE)


def pressed_at(body: dict[str, Any], request: Request) -> Pressed:
    """Return what a dialog has to store about the press that opens it (pure).

    When the dialog is submitted, `dialog_request` needs these values.

    - `body`: the payload of the press.
    - `request`: the request of the press, a result of `read_card_press`.
    """
    container = body.get("container") or {}
    stays = container.get("message_ts") and not container.get("is_ephemeral")
    session_id, _, listing = (request.argument or "").partition(" ")
    return Pressed(
        session_id=SessionId(session_id),
        channel_id=request.channel_id,
        reply_url=request.reply_url,
        ts=str(container["message_ts"]) if stays else "",
        replaces=request.replaces,
        is_group_message=request.is_group_message,
        listing=listing,
    )


def dialog_request(body: dict[str, Any], pressed: Pressed, kind: RequestKind, argument: str) -> Request:
    """Build the request of a submitted dialog.

    - `body`: the payload of the submission.
    - `pressed`: the press that opened the dialog. The request gets the channel and the response_url of this press.
    - `argument`: the request's argument, such as the session's id.

    If the pressed button is in a modal, this modal lies below the dialog. In this case, the result of a SEND request
    appears in the dialog, and any other result in the modal below. Otherwise, the result appears in no modal.
    """
    actor, below = read_actor(body), body["view"].get("previous_view_id")
    return replace(
        actor,
        view_id=(actor.view_id if kind is RequestKind.SEND else str(below)) if below else None,
        kind=kind,
        key=f"{ROW_KEY if pressed.listing else CARD_KEY}{body['view']['callback_id']}:{body['view']['id']}",
        channel_id=pressed.channel_id,
        argument=argument,
        reply_url=pressed.reply_url,
        replaces=pressed.replaces,
        is_group_message=pressed.is_group_message,
    )


def note_dialog_place(responder: SlackResponder, pressed: Pressed, request: Request) -> None:
    """Let `responder` know which message contains the button that opened the dialog.

    If the answer to `request` is a card that replaces this message, the bot can update the card later. Do nothing if
    the button is in an ephemeral message, a modal or the Home tab.

    - `pressed`: the press on the button.
    - `request`: the request of the submitted dialog.
    """
    if pressed.ts:
        responder.note_place(request.id, pressed.channel_id, pressed.ts)


def is_notice(body: dict[str, Any]) -> bool:
    """Return whether the pressed button is in a notice (pure). `body` is the payload of the press."""
    blocks = (body.get("message") or {}).get("blocks") or ()
    return any(block.get("block_id") == NOTICE_BLOCK for block in blocks)


def read_menu(body: dict[str, Any]) -> tuple[str, str]:
    """Return the value of the option chosen in the menu of a card or row, and the session's id (pure).

    `body` is the payload of the choice.
    """
    action = body["actions"][0]
    chosen = (action.get("selected_option") or action).get("value")
    _, session_id = read_row(str(action.get("block_id")))
    return str(chosen), session_id.removeprefix(CARD)
