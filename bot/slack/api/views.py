"""Open, update and publish views: modals and the Home tab. The package bot/slack/views builds their content.

Slack requires no scope for the calls.
https://docs.slack.dev/reference/methods/views.open , views.update and views.publish
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.models import UserId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_CODE, Group, is_of
from bot.slack.messages.blocks import View

log = logging.getLogger(__name__)

OPENED_BEFORE = "exchanged_trigger_id"


class Views:
    """Calls Slack's methods for views. The methods of this class never raise.

    They log a warning if a call fails, except in two cases: an earlier call has opened the modal (Slack's error code is
    `exchanged_trigger_id`), or the modal is closed or has changed.

    All methods except `publish` return an error code; "" on success. The code is Slack's, or a label such as
    `timed_out` if Slack did not answer.
    """

    def __init__(self, web: AsyncWebClient, timing: SlackTiming = SLACK_TIMING) -> None:
        self._web, self._timing = web, timing

    async def open(self, trigger_id: str, view: View) -> str:
        """Open a modal. Return an error code; "" on success.

        Slack's code `exchanged_trigger_id` counts as success: an earlier call with `trigger_id` has opened the modal.
        """
        code = await self._error_code_of(
            "views.open", self._web.views_open(trigger_id=trigger_id, view=view), self._timing.trigger_seconds
        )
        return "" if code == OPENED_BEFORE else code

    async def push(self, trigger_id: str, view: View) -> str:
        """Open a modal on top of the modal that contains the pressed button. Return an error code; "" on success.

        Slack's code `exchanged_trigger_id` counts as success: an earlier call with `trigger_id` has opened the modal.
        """
        code = await self._error_code_of(
            "views.push", self._web.views_push(trigger_id=trigger_id, view=view), self._timing.trigger_seconds
        )
        return "" if code == OPENED_BEFORE else code

    async def update(self, view: View, *, external_id: str = "", view_id: str = "", known_hash: str = "") -> str:
        """Update a modal. Return an error code; "" on success.

        - `external_id`: the bot's own id of the modal; "" if `view_id` identifies the modal.
        - `view_id`: Slack's id of the modal; "" if `external_id` identifies the modal.
        - `known_hash`: the modal's hash in a payload from Slack. Slack does not update the modal if the modal has
          changed since this payload. With "", Slack always updates the modal.
        """
        which = {"view_id": view_id} if view_id else {"external_id": external_id}
        if known_hash:
            which["hash"] = known_hash
        return await self._error_code_of("views.update", self._web.views_update(view=view, **which))

    async def publish(self, user_id: UserId, view: View) -> None:
        """Publish the view as the Home tab of this user."""
        await self._error_code_of("views.publish", self._web.views_publish(user_id=user_id, view=view))

    async def _error_code_of(self, method: str, call: Awaitable[Any], seconds: float | None = None) -> str:
        """Await `call`, which calls the Web API's `method`. Return an error code; "" on success.

        `seconds`: the time-out; None for `SlackTiming.view_timeout`.
        """
        try:
            async with asyncio.timeout(seconds or self._timing.view_timeout):
                await call
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            code = error_label(error)
        else:
            return ""
        if code != OPENED_BEFORE and not is_of(code, Group.VIEW_GONE):
            log.warning("a view was not shown", extra={"fields": {"way": method, "error": code}})
        return code
