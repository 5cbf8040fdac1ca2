"""Buttons: every press checks its actor anew, since outsiders can press what they can see.

Open is a link, and acknowledged so that Slack shows no warning beside it. The others become requests, like commands.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import NotAcceptedError, RetryRejectedError
from bot.core.models import ChannelId, Request, RequestId, RequestKind, TeamId, UserId, new_request_id
from bot.core.requests.service import RequestService
from bot.slack.api.channels import is_group_message
from bot.slack.api.responder import SlackResponder
from bot.slack.messages.blocks import OPEN_ACTION
from bot.slack.messages.conversation_choice import PICK_ACTION, read_pick
from bot.slack.messages.renderer import TRY_AGAIN_ACTION, MessageRenderer
from bot.slack.messages.session_card import DIRECT_ACTION, END_ACTION, LISTED, SHARE_ACTION

SESSION_ACTIONS = {END_ACTION: RequestKind.END, SHARE_ACTION: RequestKind.SHARE, DIRECT_ACTION: RequestKind.DIRECT}


def register(app: AsyncApp, desk: RequestService, delivery: SlackResponder, words: MessageRenderer) -> None:
    """Adds the buttons to the app."""

    @app.action(OPEN_ACTION)
    async def on_open(ack: AsyncAck) -> None:
        await ack()

    def on_session(action: str, kind: RequestKind) -> None:
        @app.action(action)
        async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
            session_id, press = read_press(body)
            container, block_id = body.get("container") or {}, str(body["actions"][0].get("block_id"))
            request = replace(
                press,
                kind=kind,
                key=f"{action}:{body.get('trigger_id') or press.id}",
                argument=session_id,
                replaces=kind is RequestKind.END
                and bool(container.get("is_ephemeral"))
                and not block_id.startswith(LISTED),
            )
            try:
                await desk.submit(request)
            except NotAcceptedError as error:
                delivery.tell_soon(request, words.failure(error, request.id, starting=False))
            await ack()

    for action, kind in SESSION_ACTIONS.items():
        on_session(action, kind)
    _register_repeats(app, desk, delivery, words)


def _register_repeats(app: AsyncApp, desk: RequestService, delivery: SlackResponder, words: MessageRenderer) -> None:
    """Try again, for what failed, and the choice of a conversation, for what was in doubt."""

    @app.action(TRY_AGAIN_ACTION)
    async def on_try_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        failed, press = read_press(body)
        note_place(body, press)
        try:
            await desk.retry(RequestId(failed), press)
        except (RetryRejectedError, NotAcceptedError) as error:
            if press.reply_url:
                delivery.tell_soon(press, words.failure(error, press.id))
        await ack()

    @app.action(PICK_ACTION)
    async def on_pick(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        failed, wanted = read_pick(value)
        press = replace(press, key=f"try-again:{failed}", conversation_id=wanted)  # one of them, once
        note_place(body, press)
        try:
            await desk.retry(failed, press)
        except (RetryRejectedError, NotAcceptedError) as error:
            delivery.tell_soon(press, words.failure(error, press.id))
        await ack()

    def note_place(body: dict[str, Any], press: Request) -> None:
        container = body.get("container") or {}
        if container.get("message_ts") and not container.get("is_ephemeral"):
            delivery.note_place(press.id, press.channel_id, str(container["message_ts"]))


def read_press(body: dict[str, Any]) -> tuple[str, Request]:
    """block_actions -> the button's value, and the press as the request it would be, were it a Try again."""
    value = str(body["actions"][0]["value"])
    return value, replace(read_actor(body), key=f"try-again:{value}", replaces=True)


def read_actor(body: dict[str, Any]) -> Request:
    """Who pressed, chose or sent something, and where, as the start of a session it would be."""
    user, team = body["user"], body.get("team") or {}
    enterprise = (body.get("enterprise") or {}).get("id")
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    request_id = new_request_id()
    return Request(
        id=request_id,
        key=request_id,
        kind=RequestKind.START,
        # the presser's own team: in a shared channel it need not be the one the message was posted in
        team_id=TeamId(user.get("team_id") or team["id"]),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(channel),
        requester=UserId(user["id"]),
        accepted_at=datetime.now(UTC),
        reply_url=body.get("response_url"),
        is_group_message=is_group_message((body.get("channel") or {}).get("name")),
    )
