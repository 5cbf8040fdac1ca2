"""The first error boundary: what fails before the acknowledgement still ends in status 200 and a sentence.

Socket Mode acknowledges nothing else, and Slack tells the person nothing useful about a 500.
"""

import logging
import time

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.desk.errors import Unexpected
from bot.desk.meter import Meter
from bot.desk.models import new_request_id
from bot.slack.commands import in_ack
from bot.slack.delivery import Delivery
from bot.slack.messages import Words
from bot.slack.modal_view import told

log = logging.getLogger(__name__)


async def dispatch(app: AsyncApp, request: AsyncBoltRequest, meter: Meter) -> BoltResponse:
    """Bolt's answer; for the few payloads over which Bolt itself stumbles, an empty acknowledgement."""
    began = time.monotonic()
    try:
        return await app.async_dispatch(request)
    except Exception:
        log.exception("Bolt failed over a payload")
        return BoltResponse(status=200, body="")
    finally:
        meter.acknowledged(time.monotonic() - began)


def register(app: AsyncApp, delivery: Delivery, words: Words) -> None:
    """Adds the boundary to the app."""

    @app.error
    async def on_error(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
        reference = new_request_id()
        fields = {"request": reference}
        if isinstance(error, BoltUnhandledRequestError):  # its text and traceback hold the payload
            log.warning("nothing listens for a payload of this kind", extra={"fields": fields})
        else:
            log.error("failed before the ack", exc_info=error, extra={"fields": fields})
        message = words.failure(Unexpected(), reference, kept=False)
        if request.body.get("type") == "view_submission":  # an empty answer would close the form as if it had worked
            return BoltResponse(status=200, body={"response_action": "update", "view": told(message)})
        if "command" in request.body:
            return BoltResponse(status=200, body=in_ack(message))
        if isinstance(reply_url := request.body.get("response_url"), str):
            delivery.post_soon(reply_url, message)
        return BoltResponse(status=200, body="")
