"""Handle the slash command: parse the text, store the request, acknowledge the command.

If the text is ambiguous, the acknowledgement contains a question, and no request is stored.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import CobrowseError, NotAcceptedError
from bot.core.models import ChannelId, Request, RequestKind, TeamId, UserId, new_request_id
from bot.core.requests.service import RequestService
from bot.core.results import SessionList
from bot.core.start_details import StartDetails
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.core.use_cases.customer_messages import LinkOffers
from bot.core.validation.conversations import GenesysApp
from bot.slack import command_parser
from bot.slack.api.channels import GROUP_MESSAGE_PREFIX
from bot.slack.command_parser import Choice, New, Query, Start
from bot.slack.listeners.session_form import SessionForm
from bot.slack.messages.ambiguity import asks_which_to_end, parse_error
from bot.slack.messages.blocks import Message
from bot.slack.messages.renderer import MessageRenderer

log = logging.getLogger(__name__)


class SlashCommand(AsyncMiddleware):
    """A Bolt middleware that handles the slash command. Other payloads go to the next middleware.

    An `@app.command` listener would need more CPU time. docs/develop/decisions/0003-command-middleware.md has the
    figures. https://docs.slack.dev/tools/bolt-python/concepts/global-middleware

    - `genesys_app`: parses the ids and URLs of conversations; None if sessions belong to no conversation.
    - `offers`: turns the customer's address in a command into the argument of the request.
    """

    def __init__(
        self,
        requests: RequestService,
        renderer: MessageRenderer,
        forms: SessionForm,
        questions: "EndQuestions",
        genesys_app: GenesysApp | None = None,
        offers: LinkOffers = LinkOffers(),  # noqa: B008 - frozen
    ) -> None:
        self._command = renderer.command
        self._handle = partial(
            handle_cobrowse,
            requests=requests,
            renderer=renderer,
            forms=forms,
            questions=questions,
            genesys_app=genesys_app,
            offers=offers,
        )

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse | None:
        if req.body.get("command") != self._command:
            return await next()
        return BoltResponse(status=200, body=await self._handle(req.body))


@dataclass(frozen=True, slots=True)
class EndQuestions:
    """Renders the question that asks which open session to end, after an ambiguous command.

    `find_open`: returns the requester's open sessions from the store. Raises CobrowseError if the store cannot be read.
    """

    renderer: MessageRenderer
    find_open: Callable[[Request], Awaitable[SessionList]]
    timing: SlackTiming = SLACK_TIMING

    async def ask(self, request: Request, choice: Choice) -> Message:
        """Render the question about a text that may be a command to end a session.

        The question names the open sessions of the requester that the text may mean. If the sessions cannot be read
        within `SlackTiming.content_timeout`, the question names no session.

        `choice`: the possible meanings of the text.
        """
        found = SessionList(())
        with suppress(CobrowseError, TimeoutError):
            async with asyncio.timeout(self.timing.content_timeout):
                found = await self.find_open(request)
        return self.renderer.end_question(request, choice, found)


async def handle_cobrowse(
    body: dict[str, Any],
    requests: RequestService,
    renderer: MessageRenderer,
    forms: SessionForm,
    questions: EndQuestions,
    genesys_app: GenesysApp | None = None,
    offers: LinkOffers = LinkOffers(),  # noqa: B008 - frozen
) -> dict[str, Any] | str:
    """Handle the slash command. Return the body of the acknowledgement.

    - `body`: Slack's payload.
    - `questions`: renders the question that asks which session to end.
    - `genesys_app`: parses the ids and URLs of conversations; None if sessions belong to no conversation.
    - `offers`: turns the customer's address in the command into the argument of the request.

    The result is "" if the request was stored and the answer follows later, or if the bot opens a form. The result is a
    message if the text is ambiguous or not understood, or if the request could not be stored.
    """
    command = command_parser.parse(body.get("text") or "", genesys_app, offers.config.sms_countries)
    match command:
        case Start() | Query():
            request = read_request(body, command, offers)
            try:
                await requests.submit(request)
            except NotAcceptedError as error:
                return in_ack(renderer.answer(request, error))
        case New():
            forms.open_soon(str(body.get("trigger_id")), read_request(body, Start(), offers))
        case _:
            request = read_request(body, Query(RequestKind.STATUS), offers)
            fields = {"request": request.id, "outcome": command.code, "requester": request.requester}
            log.info("nothing to start", extra={"fields": fields})
            if isinstance(command, Choice) and asks_which_to_end(command):
                return in_ack(await questions.ask(request, command))
            language = renderer.language_of(request.requester)
            return in_ack(parse_error(command, request.id, language))
    return ""


def read_request(body: dict[str, Any], command: Start | Query, offers: LinkOffers) -> Request:
    """Build the request for a parsed command.

    - `body`: Slack's payload.
    - `offers`: turns the customer's address in the command into the argument of the request.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    start = command if isinstance(command, Start) else Start(target=command.target)
    return Request(
        id=new_request_id(),
        key=f"command:{body.get('trigger_id') or uuid.uuid4()}",
        kind=RequestKind.START if isinstance(command, Start) else command.kind,
        team_id=TeamId(body.get("team_id") or body["enterprise_id"]),
        enterprise_id=TeamId(body["enterprise_id"]) if body.get("enterprise_id") else None,
        channel_id=ChannelId(body["channel_id"]),
        requester=UserId(body["user_id"]),
        accepted_at=datetime.now(UTC),
        target=start.target,
        name=start.name,
        argument=_start_argument(command, offers) if isinstance(command, Start) else command.argument,
        conversation_id=start.conversation_id,
        reply_url=body.get("response_url"),
        is_group_message=str(body.get("channel_name")).startswith(GROUP_MESSAGE_PREFIX),
    )


def _start_argument(start: Start, offers: LinkOffers) -> str | None:
    if start.send_to:
        return offers.details(start.send_to).argument
    return StartDetails(unless=start.unless).argument if start.unless else None


def in_ack(message: Message) -> dict[str, Any]:
    """Return the body of an acknowledgement that shows a message to the requester only."""
    return message.payload() | {"response_type": "ephemeral"}
