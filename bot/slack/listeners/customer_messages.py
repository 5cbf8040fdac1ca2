"""Listen for the steps that send a link to a customer: the form for the address, then the buttons Send and Cancel.

The bot shows the address and asks for confirmation before it sends. views/customer_message_form.py builds the form,
messages/customer_message.py the question. The worker authorizes the actor of each step separately.
"""

from dataclasses import replace
from typing import Any

from cachetools import TTLCache
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import MaybeAcceptedError, NotAcceptedError
from bot.core.models import Request, RequestKind
from bot.core.requests.service import RequestService
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.listeners.actions import read_actor, read_press
from bot.slack.messages.ambiguity import OFFER_ACTION, sent_already
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.customer_message import CANCEL_ACTION, SEND_ACTION, cancelled
from bot.slack.messages.error_copy import error_copy
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import SEND_TO_ACTION
from bot.slack.views import customer_message_form
from bot.slack.views.customer_message_form import SEND_FORM, TO, FormInput
from bot.slack.views.session_form import not_opened, result_view

MAX_QUESTIONS, QUESTION_TTL_SECONDS = 10_000, 1800.0
"""How many questions that were answered with Send the bot remembers, and for how long: as a request lasts at most."""


def register(
    app: AsyncApp, requests: RequestService, views: Views, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listeners of the button that opens the form, of the form, and of Send and Cancel."""

    async def open_form(trigger_id: str, session_id: str, actor: Request) -> None:
        show = views.push if actor.view_id else views.open
        if code := await show(trigger_id, customer_message_form.form(session_id, actor.channel_id, actor.reply_url)):
            await responder.tell(
                actor,
                not_opened(
                    replace(renderer.addressee(actor.requester), command=f"{renderer.command} send"), actor.id, code
                ),
            )

    @app.action(SEND_TO_ACTION)
    async def on_open(ack: AsyncAck, body: dict[str, Any]) -> None:
        session_id, press = read_press(body)
        responder.soon(open_form(str(body.get("trigger_id")), session_id, press))
        await ack()

    @app.view(SEND_FORM)
    async def on_submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        filled = customer_message_form.read_form(body["view"], renderer.addressee(None))
        if not isinstance(filled, FormInput):
            await ack(response_action="errors", errors=filled)
            return
        actor = read_actor(body)
        request = replace(
            actor,
            kind=RequestKind.PROPOSE,
            key=f"view:{body['view']['id']}",
            channel_id=filled.channel_id,
            argument=filled.argument,
            reply_url=filled.reply_url,
            # above a session's modal the question stands in the modal, else where the card is
            view_id=actor.view_id if body["view"].get("previous_view_id") else None,
        )
        try:
            await requests.submit(request)
        except NotAcceptedError as error:
            await ack(
                response_action="errors", errors={TO: error_copy(error, Situation.QUERY, renderer.addressee(None)).text}
            )
        else:
            if request.view_id:
                await ack(response_action="update", view=customer_message_form.waiting(renderer.language))
            else:
                await ack()

    _register_question(app, requests, responder, renderer)


def _register_question(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listeners of Send and Cancel. After Send, a press of Cancel does not replace the result."""
    sent: TTLCache[str, bool] = TTLCache(MAX_QUESTIONS, QUESTION_TTL_SECONDS)

    @app.action(SEND_ACTION)
    async def on_send(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        asked, _, argument = value.partition(" ")
        request = replace(
            press, kind=RequestKind.SEND, key=f"send:{asked}", argument=argument
        )  # each question can send only once
        sent[asked] = True
        try:
            await requests.submit(request)
        except NotAcceptedError as error:
            if not isinstance(error, MaybeAcceptedError):
                sent.pop(asked, None)
            responder.tell_soon(request, renderer.answer(request, error))
        await ack()

    @app.action(OFFER_ACTION)
    async def on_offer(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        asked, _, argument = value.partition(" ")
        # the card stays, with its link
        request = replace(press, kind=RequestKind.SEND, key=f"send:{asked}", argument=argument, replaces=False)
        try:
            if not await requests.submit(request):
                responder.tell_soon(request, sent_already())
        except NotAcceptedError as error:
            responder.tell_soon(request, renderer.answer(request, error))
        await ack()

    @app.action(CANCEL_ACTION)
    async def on_cancel(ack: AsyncAck, body: dict[str, Any]) -> None:
        asked, press = read_press(body)
        if press.reply_url and asked not in sent:
            responder.soon(responder.post(press.reply_url, cancelled(), replace=True))
        elif press.view_id and asked not in sent:
            responder.show_soon(press.view_id, result_view(cancelled()), str(body["view"].get("hash") or ""))
        await ack()
