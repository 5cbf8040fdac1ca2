"""Listen for the dialog and the buttons with which an agent sends a session's link to a customer.

The bot sends nothing before the agent has confirmed the customer's address. cards.py opens the dialog, and
views/customer_message_form.py builds the dialog. After a typed command, messages/customer_message.py renders the
question whether to send. The worker checks what the person may do.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import NotAcceptedError
from bot.core.models import CARD_KEY, RequestKind, UserId
from bot.core.requests.service import RequestService
from bot.core.use_cases.customer_messages import MessagingConfig, in_language, pack
from bot.core.validation.contact import ContactAddress
from bot.slack.api.responder import SlackResponder
from bot.slack.listeners.actions import is_in_place, not_again, note_place, read_press
from bot.slack.listeners.cards import dialog_request, note_dialog_place
from bot.slack.messages.ambiguity import OFFER_ACTION, sent_already
from bot.slack.messages.customer_language import LANGUAGE_ACTION, read_language
from bot.slack.messages.customer_message import CANCEL_ACTION, SEND_ACTION
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import confirmation, customer_message_form
from bot.slack.views.customer_message_form import SEND_FORM, SEND_QUESTION


def register(
    app: AsyncApp,
    requests: RequestService,
    responder: SlackResponder,
    renderer: MessageRenderer,
    config: MessagingConfig,
) -> None:
    """Register the listeners of the dialog that sends a link to a customer, and of the buttons *Send* and *Cancel*.

    The question after a typed command has both buttons. A session card has only *Send*.

    `config`: says to which addresses the bot can send.
    """

    @app.view(SEND_FORM)
    async def on_address(ack: AsyncAck, body: dict[str, Any]) -> None:
        user_id = UserId(body["user"]["id"])
        address = customer_message_form.read_form(body["view"], config, renderer.addressee(user_id, repairs=False))
        if isinstance(address, ContactAddress):
            view = customer_message_form.question(body["view"], address, renderer.cards_for(user_id))
            await ack(response_action="update", view=view)
        else:
            await ack(response_action="errors", errors=address)

    @app.view(SEND_QUESTION)
    async def on_yes(ack: AsyncAck, body: dict[str, Any]) -> None:
        pressed, address, language = customer_message_form.read_question(body["view"])
        request = dialog_request(body, pressed, RequestKind.SEND, pack(pressed.session_id, address.text, language))
        note_dialog_place(responder, pressed, request)
        try:
            is_new = await requests.submit(request)
        except NotAcceptedError as error:
            view = confirmation.notice(renderer.answer(request, error), renderer.language_of(request.requester))
            await ack(response_action="update", view=view)
            return
        if not request.view_id:
            await ack()
            return
        await ack(response_action="update", view=customer_message_form.waiting(renderer.cards_for(request.requester)))
        if not is_new:
            responder.show_again_soon(request.view_id)

    _register_offer(app, requests, responder, renderer)
    _register_question(app, requests, responder, renderer)


def _register_offer(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listener of the button *Send* on a session card."""

    @app.action(OFFER_ACTION)
    async def on_offer(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        asked, _, argument = value.partition(" ")
        key = f"{CARD_KEY}send:{asked}"  # each offer can send only once
        argument = in_language(argument, read_language(pressed_place(body)))
        request = replace(press, kind=RequestKind.SEND, key=key, argument=argument, replaces=is_in_place(body))
        note_place(responder, body, request)
        try:
            if earlier := await requests.submit_once(request):
                responder.tell_soon(request, lambda: not_again(renderer, request, earlier, sent_already))
        except NotAcceptedError as error:
            responder.tell_soon(request, partial(renderer.answer, request, error))
        await ack()


def _register_question(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listeners of *Send* and *Cancel* below the question whether to send the link.

    Only the first press on a question counts, because the requests of both buttons have the same key.
    """

    def on_answer(action: str, kind: RequestKind) -> None:
        @app.action(action)
        async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
            value, press = read_press(body)
            asked, _, argument = value.partition(" ")
            argument = in_language(argument, read_language(pressed_place(body))) if argument else ""
            request = replace(press, kind=kind, key=f"send:{asked}", argument=argument or None)
            try:
                await requests.submit_once(request)
            except NotAcceptedError as error:
                responder.tell_soon(request, partial(renderer.answer, request, error))
            await ack()

    @app.action(LANGUAGE_ACTION)
    async def on_language(ack: AsyncAck) -> None:
        await ack()  # Send reads the choice

    on_answer(SEND_ACTION, RequestKind.SEND)
    on_answer(CANCEL_ACTION, RequestKind.CANCEL)


def pressed_place(body: dict[str, Any]) -> dict[str, Any]:
    """Return the view that contains the pressed button, or the whole payload if the button is in a message (pure).

    The result contains the state of the menus beside the button. `body` is a `block_actions` payload.
    """
    view: dict[str, Any] = body.get("view") or body
    return view
