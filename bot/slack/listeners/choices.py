"""Listen for the buttons of a question about an ambiguous command, and submit the chosen command as a request.

Only the first press on a question counts, even if the bot restarts between two presses. The worker checks what the
person may do, as for a typed command.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import NotAcceptedError
from bot.core.models import Request, RequestId, RequestKind
from bot.core.requests.service import RequestService
from bot.core.use_cases.customer_messages import LinkOffers
from bot.slack.api.responder import SlackResponder
from bot.slack.command_parser import New, Query, Start
from bot.slack.listeners.actions import not_again, note_place, read_actor, read_press
from bot.slack.listeners.session_form import SessionForm
from bot.slack.messages.ambiguity import CHOOSE_ACTIONS, chosen_already, read_choice
from bot.slack.messages.failures.buttons import PASTE_ACTION
from bot.slack.messages.renderer import MessageRenderer


def register(
    app: AsyncApp,
    requests: RequestService,
    responder: SlackResponder,
    renderer: MessageRenderer,
    forms: SessionForm,
    offers: LinkOffers,
) -> None:
    """Register the listeners of the buttons in questions, and of the button that opens the form after an error."""

    async def on_choice(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        if found := read_choice(value):
            reference, option = found
            if isinstance(option, New):
                forms.open_soon(str(body.get("trigger_id")), press)
            else:
                await submit(body, chosen(press, reference, option, offers))
        await ack()

    async def submit(body: dict[str, Any], request: Request) -> None:
        note_place(responder, body, request)
        try:
            if earlier := await requests.submit_once(request):
                responder.tell_soon(request, lambda: not_again(renderer, request, earlier, chosen_already))
        except NotAcceptedError as error:
            responder.tell_soon(request, partial(renderer.answer, request, error))

    @app.action(PASTE_ACTION)
    async def on_paste(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.open_soon(str(body.get("trigger_id")), read_actor(body))
        await ack()

    for action in CHOOSE_ACTIONS:
        app.action(action)(on_choice)


def chosen(press: Request, reference: RequestId, option: Start | Query, offers: LinkOffers) -> Request:
    """Build the request for the command that a person chose (pure).

    - `press`: the request that `read_press` made of the press. The new request has the same requester, channel and
      response_url.
    - `reference`: the id of the question. The key of the new request contains this id, so only the first press on a
      question counts.
    - `option`: the chosen command.
    - `offers`: turns the customer's address in the command into the argument of the request.
    """
    request = replace(press, key=f"choice:{reference}")
    if isinstance(option, Start):
        details = offers.details(option.send_to) if option.send_to else None
        return replace(
            request,
            kind=RequestKind.START,
            target=option.target,
            name=option.name,
            argument=details.argument if details else None,
            conversation_id=option.conversation_id,
        )
    return replace(request, kind=option.kind, target=option.target, argument=option.argument)
