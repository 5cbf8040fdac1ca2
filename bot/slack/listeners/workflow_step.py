"""Listen for the step “Start a co-browse session” of Workflow Builder, and submit each execution as a request.

The author of a workflow can put any user into an input, so the worker refuses workflow steps unless the settings allow
them. api/workflow_steps.py reports the result to Slack. https://docs.slack.dev/workflows/workflow-steps
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import MaybeAcceptedError, NotAcceptedError
from bot.core.models import ChannelId, Request, RequestKind, TeamId, UserId, WorkflowStep, new_request_id
from bot.core.requests.service import RequestService
from bot.core.validation.contact import find_addresses, without_addresses
from bot.slack.api.responder import SlackResponder
from bot.slack.command_parser import MAX_TEXT_LENGTH, clean_name, plain_name

CALLBACK_ID = "start_cobrowse_session"
MAX_RETRIES = 3
"""The number of times that Slack repeats an unacknowledged event."""
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")


def register(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, countries: Collection[str] = ()
) -> None:
    """Register the listener of the workflow step.

    `countries`: the ISO codes of countries. The bot removes phone numbers from the names of sessions. It recognizes a
    number without a plus only if the number is valid in one of these countries.
    """

    @app.function(CALLBACK_ID, auto_acknowledge=False)
    async def on_step(ack: AsyncAck, body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        step_request = read_step(body, countries)
        try:
            await requests.submit(step_request)
        except NotAcceptedError as error:
            if _retry_number(request) < MAX_RETRIES:  # Slack retries, and another replica may get the event
                return BoltResponse(status=503, body="")
            if not isinstance(error, MaybeAcceptedError):  # if it may be stored, the worker answers
                responder.answer_soon(step_request, error)
        return await ack()


def read_step(body: dict[str, Any], countries: Collection[str] = ()) -> Request:
    """Build the request for one execution of the workflow step. `body` is Slack's payload.

    The requester is the user in the input `agent`. If this input is no user id, the requester is "".

    `countries`: the ISO codes of countries. The bot removes phone numbers from the session's name. It recognizes a
    number without a plus only if the number is valid in one of these countries.

    https://docs.slack.dev/reference/events/function_executed
    """
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
        team_id=TeamId(body.get("team_id") or installed.get("team_id") or enterprise or ""),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(""),
        requester=UserId(agent if isinstance(agent, str) and _PERSON.fullmatch(agent) else ""),
        accepted_at=datetime.now(UTC),
        name=_name(name, countries) if isinstance(name, str) else None,
        argument=step.argument,
    )


def _name(text: str, countries: Collection[str]) -> str | None:
    """Return the session's name, with an ellipsis in place of each phone number and email address.

    Return None if the text is empty. If it contains phone numbers or email addresses, return None if no other letter or
    digit is left.
    """
    whole = clean_name(text, MAX_TEXT_LENGTH) or ""
    found = find_addresses(whole, countries)
    if not found:
        return clean_name(text)
    rest = without_addresses(whole, found, mark="…")
    return plain_name(rest) if any(letter.isalnum() for letter in rest) else None


def _retry_number(request: AsyncBoltRequest) -> int:
    """Return the number of earlier deliveries of this event by Slack; 0 for the first delivery."""
    text = next(iter(request.headers.get("x-slack-retry-num", ())), "0")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
