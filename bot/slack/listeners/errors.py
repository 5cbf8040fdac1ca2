"""Turn an error that occurs before the acknowledgement into a response with status 200 and a message.

Over Socket Mode, Bolt's adapter acknowledges only a response with status 200. Over HTTP, a status 500 would make Slack
show its own message.
"""

import logging
import time
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import UnexpectedError
from bot.core.models import RequestId, UserId, new_request_id
from bot.core.ports import Metrics
from bot.core.validation.display import clean
from bot.slack.api.responder import SlackResponder
from bot.slack.listeners.commands import in_ack
from bot.slack.messages.ambiguity import other_command
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views.session_form import result_view

log = logging.getLogger(__name__)

MAX_NAME_LENGTH = 60


async def dispatch(app: AsyncApp, request: AsyncBoltRequest, metrics: Metrics) -> BoltResponse:
    """Pass a payload to Bolt and return Bolt's response. Record in `metrics` how long the response takes.

    If Bolt raises an error, return an empty acknowledgement.
    """
    began = time.monotonic()
    try:
        return await app.async_dispatch(request)
    except Exception:
        log.exception("Bolt failed over a payload", extra={"fields": names_in(_object(request.body))})
        return BoltResponse(status=200, body="")
    finally:
        metrics.acknowledged(time.monotonic() - began)


def register(app: AsyncApp, responder: SlackResponder, renderer: MessageRenderer) -> None:
    """Register the error handler of the Bolt app. The handler also answers payloads that have no listener."""

    @app.error
    async def on_error(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
        reference, reader = new_request_id(), reader_of(request.body)
        language = renderer.language_of(reader)
        if isinstance(error, BoltUnhandledRequestError):  # its text and traceback hold the payload
            note_unhandled(request.body, reference)
            if "command" in request.body:
                return BoltResponse(status=200, body=in_ack(other_command(renderer.command, reference, language)))
        else:
            log.error("failed before the ack", exc_info=error, extra={"fields": {"request": reference}})
        message = renderer.failure(UnexpectedError(), reference, reader=reader, is_repeatable=False)
        if request.body.get("type") == "view_submission":  # an empty body would close the form as after a success
            return BoltResponse(status=200, body={"response_action": "update", "view": result_view(message, language)})
        if "command" in request.body:
            return BoltResponse(status=200, body=in_ack(message))
        if isinstance(reply_url := request.body.get("response_url"), str):
            responder.post_soon(reply_url, message)
        return BoltResponse(status=200, body="")


def reader_of(body: dict[str, Any]) -> UserId | None:
    """Return the user who typed, pressed or submitted; None if the payload `body` names no user (pure)."""
    user_id = body.get("user_id") or _object(body.get("user")).get("id")
    return UserId(user_id) if isinstance(user_id, str) else None


def note_unhandled(body: dict[str, Any], reference: RequestId) -> None:
    """Log the type of a payload that has no listener, and the ids of its command, button or form.

    `reference`: an id in the log line and in the message to the person, so that administrators can find the line.
    """
    hint = {"hint": "COBROWSE_COMMAND"} if "command" in body else {}
    fields = {"request": reference, **names_in(body), **hint}
    log.warning("nothing listens for a payload of this kind", extra={"fields": fields})


def names_in(body: dict[str, Any]) -> dict[str, str]:
    """Return the type, event, command, callback id and action id of a payload (pure). Leave out missing values.

    Each value is one line of at most MAX_NAME_LENGTH characters.
    https://docs.slack.dev/interactivity/handling-user-interaction#payloads
    """
    view, event = _object(body.get("view")), _object(body.get("event"))
    actions = body.get("actions")
    pressed = _object(actions[0]) if isinstance(actions, list) and actions else {}
    function = _object(event.get("function"))
    names = {
        "type": body.get("type") or ("slash_command" if "command" in body else None),
        "event": event.get("type"),
        "command": body.get("command"),
        "callback_id": body.get("callback_id") or view.get("callback_id") or function.get("callback_id"),
        "action_id": pressed.get("action_id") or body.get("action_id"),
    }
    cleaned = {name: clean(value, MAX_NAME_LENGTH) for name, value in names.items() if isinstance(value, str)}
    return {name: value for name, value in cleaned.items() if value}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
