"""Buttons: every press checks its actor anew, since outsiders can press what they can see.

Only Try again does something; Open is a link, and acknowledged so that Slack shows no warning beside it.
"""

from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.desk.desk import Desk
from bot.desk.errors import NotAccepted, TryAgainRefused
from bot.desk.models import ChannelId, Kind, Request, RequestId, TeamId, UserId, new_request_id
from bot.slack.blocks import OPEN_ACTION
from bot.slack.delivery import Delivery
from bot.slack.messages import TRY_AGAIN_ACTION, Words


def register(app: AsyncApp, desk: Desk, delivery: Delivery, words: Words) -> None:
    """Adds the buttons to the app."""

    @app.action(OPEN_ACTION)
    async def on_open(ack: AsyncAck) -> None:
        await ack()

    @app.action(TRY_AGAIN_ACTION)
    async def on_try_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        failed, press = read_press(body)
        try:
            await desk.try_again(failed, press)
        except (TryAgainRefused, NotAccepted) as error:
            if press.reply_url:
                delivery.post_soon(press.reply_url, words.failure(error, press.id))
        await ack()


def read_press(body: dict[str, Any]) -> tuple[RequestId, Request]:
    """block_actions -> the failed request's id, and the press as the request it would be, of kind START."""
    failed = RequestId(body["actions"][0]["value"])
    user, team = body["user"], body.get("team") or {}
    enterprise = (body.get("enterprise") or {}).get("id")
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    return failed, Request(
        id=new_request_id(),
        key=f"try-again:{failed}",
        kind=Kind.START,
        # the presser's own team: in a shared channel it need not be the one the message was posted in
        team_id=TeamId(user.get("team_id") or team["id"]),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(channel),
        requester=UserId(user["id"]),
        accepted_at=datetime.now(UTC),
        reply_url=body.get("response_url"),
        replaces=True,
    )
