"""/cobrowse: read it, hand it to the desk, acknowledge. Step 2 of five.

It waits for one durable write and nothing else; what fails before the acknowledgement is told in it.
"""

import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import NotAcceptedError
from bot.core.models import ChannelId, Request, RequestKind, TeamId, UserId, new_request_id
from bot.core.requests.service import RequestService
from bot.core.validation.conversations import GenesysApp
from bot.slack import command_parser
from bot.slack.api.channels import is_group_message
from bot.slack.command_parser import New, Query, Start
from bot.slack.listeners.session_form import SessionForm
from bot.slack.messages.blocks import Message
from bot.slack.messages.guidance import parse_error
from bot.slack.messages.renderer import MessageRenderer

log = logging.getLogger(__name__)


class SlashCommand(AsyncMiddleware):
    """Handle the slash command as a Bolt middleware, in place of an `@app.command` listener, which costs more CPU.

    docs/develop/decisions/0003-command-middleware.md has the figures.
    https://docs.slack.dev/tools/bolt-python/concepts/global-middleware
    """

    def __init__(
        self, desk: RequestService, words: MessageRenderer, forms: SessionForm, genesys_app: GenesysApp | None = None
    ) -> None:
        """`genesys_app`: where sessions belong to conversations, which can be named."""
        self._desk, self._words, self._forms, self._genesys_app = desk, words, forms, genesys_app

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse | None:
        if req.body.get("command") != self._words.command:
            return await next()
        return BoltResponse(status=200, body=await self._acknowledge(req.body))

    async def _acknowledge(self, body: dict[str, Any]) -> dict[str, Any] | str:
        """What the acknowledgement says; mostly nothing, since the answer comes later."""
        command = command_parser.parse(body.get("text") or "", self._genesys_app)
        match command:
            case Start() | Query():
                request = read_request(body, command)
                try:
                    await self._desk.submit(request)
                except NotAcceptedError as error:
                    return in_ack(self._words.failure(error, request.id))
            case New():
                self._forms.open_soon(str(body.get("trigger_id")), read_request(body, Start()))
            case _:
                reference = new_request_id()
                fields = {"request": reference, "outcome": command.code, "requester": body.get("user_id")}
                log.info("nothing to start", extra={"fields": fields})
                return in_ack(parse_error(self._words, command, reference))
        return ""


def read_request(body: dict[str, Any], command: Start | Query) -> Request:
    """Slack's payload -> a request. https://docs.slack.dev/interactivity/implementing-slash-commands"""
    start = command if isinstance(command, Start) else Start(target=command.target)
    return Request(
        id=new_request_id(),
        key=f"command:{body.get('trigger_id') or uuid.uuid4()}",
        kind=RequestKind.START if isinstance(command, Start) else command.kind,
        team_id=TeamId(body["team_id"]),
        enterprise_id=TeamId(body["enterprise_id"]) if body.get("enterprise_id") else None,
        channel_id=ChannelId(body["channel_id"]),
        requester=UserId(body["user_id"]),
        accepted_at=datetime.now(UTC),
        target=start.target,
        name=start.name,
        argument=None if isinstance(command, Start) else command.argument,
        conversation_id=start.conversation_id,
        reply_url=body.get("response_url"),
        is_group_message=is_group_message(body.get("channel_name")),
    )


def in_ack(message: Message) -> dict[str, Any]:
    """A message as an acknowledgement carries it: for the one who typed only."""
    return message.payload() | {"response_type": "ephemeral"}
