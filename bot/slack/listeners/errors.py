"""The first error boundary: what fails before the acknowledgement still ends in status 200 and a sentence.

Socket Mode acknowledges nothing else, and Slack tells the person nothing useful about a 500.
"""

import logging
import time
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.errors import UnexpectedError
from bot.core.models import RequestId, new_request_id
from bot.core.ports import Metrics
from bot.core.validation.names import clean
from bot.slack.api.responder import SlackResponder
from bot.slack.listeners.commands import in_ack
from bot.slack.messages.guidance import other_command
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views.session_form import told

log = logging.getLogger(__name__)

LONGEST_NAME = 60


async def dispatch(app: AsyncApp, request: AsyncBoltRequest, meter: Metrics) -> BoltResponse:
    """Bolt's answer; for the few payloads over which Bolt itself stumbles, an empty acknowledgement."""
    began = time.monotonic()
    try:
        return await app.async_dispatch(request)
    except Exception:
        log.exception("Bolt failed over a payload", extra={"fields": names_in(_object(request.body))})
        return BoltResponse(status=200, body="")
    finally:
        meter.acknowledged(time.monotonic() - began)


def register(app: AsyncApp, delivery: SlackResponder, words: MessageRenderer) -> None:
    """Adds the boundary to the app."""

    @app.error
    async def on_error(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
        reference = new_request_id()
        if isinstance(error, BoltUnhandledRequestError):  # its text and traceback hold the payload
            note_unhandled(request.body, reference)
            if "command" in request.body:
                return BoltResponse(status=200, body=in_ack(other_command(words, reference)))
        else:
            log.error("failed before the ack", exc_info=error, extra={"fields": {"request": reference}})
        message = words.failure(UnexpectedError(), reference, kept=False)
        if request.body.get("type") == "view_submission":  # an empty answer would close the form as if it had worked
            return BoltResponse(status=200, body={"response_action": "update", "view": told(message)})
        if "command" in request.body:
            return BoltResponse(status=200, body=in_ack(message))
        if isinstance(reply_url := request.body.get("response_url"), str):
            delivery.post_soon(reply_url, message)
        return BoltResponse(status=200, body="")


def note_unhandled(body: dict[str, Any], reference: RequestId) -> None:
    """Log that nothing listens for a payload, with the names that say which."""
    hint = {"hint": "COBROWSE_COMMAND"} if "command" in body else {}
    fields = {"request": reference, **names_in(body), **hint}
    log.warning("nothing listens for a payload of this kind", extra={"fields": fields})


def names_in(body: dict[str, Any]) -> dict[str, str]:
    """Read the names that the app's settings give to what a payload is about, cleaned and cut; no content (pure).

    https://docs.slack.dev/interactivity/handling-user-interaction#payloads , and those of commands and events.
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
    cleaned = {name: clean(value, LONGEST_NAME) for name, value in names.items() if isinstance(value, str)}
    return {name: value for name, value in cleaned.items() if value}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
