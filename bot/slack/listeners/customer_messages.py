"""The way from a card to a customer: a form for the address, a question that shows it, and the press that sends.

What stands in them is for sending_view.py. The form and the question decide nothing: whoever presses is looked at anew.
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
from bot.slack.messages.customer_message import CANCEL_ACTION, SEND_ACTION, cancelled
from bot.slack.messages.error_copy import error_copy
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import SEND_TO_ACTION
from bot.slack.views import customer_message_form
from bot.slack.views.customer_message_form import SEND_FORM, TO, FormInput
from bot.slack.views.session_form import not_opened

QUESTIONS, QUESTION_SECONDS = 10_000, 1800.0
"""So many are remembered to be answered with Send, and for so long: as long as one can be worked."""


def register(
    app: AsyncApp, desk: RequestService, views: Views, delivery: SlackResponder, words: MessageRenderer
) -> None:
    """Adds all of it to the app."""

    async def open_form(trigger_id: str, session_id: str, asker: Request) -> None:
        if code := await views.open(
            trigger_id, customer_message_form.form(session_id, asker.channel_id, asker.reply_url)
        ):
            await delivery.tell(asker, not_opened(f"{words.command} send", asker.id, code, words.contact))

    @app.action(SEND_TO_ACTION)
    async def on_open(ack: AsyncAck, body: dict[str, Any]) -> None:
        session_id, press = read_press(body)
        delivery.soon(open_form(str(body.get("trigger_id")), session_id, press))
        await ack()

    @app.view(SEND_FORM)
    async def on_submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        wish = customer_message_form.read_form(body["view"])
        if not isinstance(wish, FormInput):
            await ack(response_action="errors", errors=wish)
            return
        request = replace(
            read_actor(body),
            kind=RequestKind.PROPOSE,
            key=f"view:{body['view']['id']}",
            channel_id=wish.channel_id,
            argument=wish.argument,
            reply_url=wish.reply_url,
        )
        try:
            await desk.submit(request)
        except NotAcceptedError as error:
            await ack(response_action="errors", errors={TO: error_copy(error, "").what})
        else:
            await ack()

    _register_question(app, desk, delivery, words)


def _register_question(app: AsyncApp, desk: RequestService, delivery: SlackResponder, words: MessageRenderer) -> None:
    """What can be pressed when the address has been shown. Who presses Send and then Cancel reads what came of Send."""
    sent: TTLCache[str, bool] = TTLCache(QUESTIONS, QUESTION_SECONDS)

    @app.action(SEND_ACTION)
    async def on_send(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        asked, _, argument = value.partition(" ")
        request = replace(
            press, kind=RequestKind.SEND, key=f"send:{asked}", argument=argument
        )  # once for each question
        sent[asked] = True
        try:
            await desk.submit(request)
        except NotAcceptedError as error:
            if not isinstance(error, MaybeAcceptedError):
                sent.pop(asked, None)
            delivery.tell_soon(request, words.failure(error, request.id, starting=False, sending=True))
        await ack()

    @app.action(CANCEL_ACTION)
    async def on_cancel(ack: AsyncAck, body: dict[str, Any]) -> None:
        asked, press = read_press(body)
        if press.reply_url and asked not in sent:
            delivery.soon(delivery.post(press.reply_url, cancelled(), replace=True))
        await ack()
