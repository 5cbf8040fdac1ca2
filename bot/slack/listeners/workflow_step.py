"""A step for Workflow Builder, “Start a co-browse session”: read it, hand it to the desk, acknowledge.

https://docs.slack.dev/workflows/workflow-steps . Whoever builds a workflow can put anybody into an input, so the desk
lets none through unless the settings say so. How the workflow learns of the outcome is for completion.py.
"""

import re
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import MaybeAcceptedError, NotAcceptedError
from bot.core.models import ChannelId, Request, RequestKind, TeamId, UserId, WorkflowStep, new_request_id
from bot.core.requests.service import RequestService
from bot.slack.api.responder import SlackResponder
from bot.slack.command_parser import clean_name

CALLBACK_ID = "start_cobrowse_session"
MOST_RETRIES = 3
"""So many times Slack sends an event again that nobody has acknowledged."""
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")


def register(app: AsyncApp, desk: RequestService, delivery: SlackResponder) -> None:
    """Adds the step to the app."""

    @app.function(CALLBACK_ID, auto_acknowledge=False)
    async def on_step(ack: AsyncAck, body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        wish = read_step(body)
        try:
            await desk.submit(wish)
        except NotAcceptedError as error:
            if _retry(request) < MOST_RETRIES:  # not taken, so Slack sends it again, perhaps to another replica
                return BoltResponse(status=503, body="")
            if not isinstance(error, MaybeAcceptedError):  # else it may yet come to another outcome
                delivery.answer_soon(wish, error)
        return await ack()


def read_step(body: dict[str, Any]) -> Request:
    """Slack's payload -> a request. https://docs.slack.dev/reference/events/function_executed"""
    event = body["event"]
    inputs = event.get("inputs") or {}
    agent, name = inputs.get("agent"), inputs.get("name")
    step = WorkflowStep(str(event["function_execution_id"]), str(event.get("workflow_execution_id") or ""))
    installed: dict[str, Any] = next(iter(body.get("authorizations") or ()), {})
    enterprise = body.get("enterprise_id") or installed.get("enterprise_id")
    return Request(
        id=new_request_id(),
        key=step.key,
        kind=RequestKind.STEP,
        team_id=TeamId(body["team_id"]),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(""),
        requester=UserId(agent if isinstance(agent, str) and _PERSON.fullmatch(agent) else ""),
        accepted_at=datetime.now(UTC),
        name=clean_name(name) if isinstance(name, str) else None,
        argument=step.argument,
    )


def _retry(request: AsyncBoltRequest) -> int:
    """How often Slack has sent this before."""
    text = next(iter(request.headers.get("x-slack-retry-num", ())), "0")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
