"""Modals and the Home tab, as Slack's Web API takes them. What stands in them is for modal_view.py and home_view.py.

https://docs.slack.dev/reference/methods/views.open , views.update and views.publish need no scope.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.models import UserId
from bot.slack.answers import MISSHAPEN, TROUBLE, error_code

log = logging.getLogger(__name__)

View = dict[str, Any]
ANSWER_SECONDS = 10.0
TRIGGER_SECONDS = 3.0
"""So long a trigger_id lives, and no longer is it worth trying."""
OPENED_BEFORE = "exchanged_trigger_id"
GONE = ("not_found", "hash_conflict")
"""Somebody has closed the modal, or it has changed since: nothing is wrong."""


class Views:
    """Shows them. Nothing here raises."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web

    async def open(self, trigger_id: str, view: View) -> bool:
        """Whether the modal is there now: also when a first answer was lost, and its repetition came too late."""
        said = await self._said("views.open", self._web.views_open(trigger_id=trigger_id, view=view), TRIGGER_SECONDS)
        return said in ("", OPENED_BEFORE)

    async def update(self, external_id: str, view: View) -> None:
        """Changes the modal that was opened under this id, if it is still there."""
        await self._said("views.update", self._web.views_update(external_id=external_id, view=view))

    async def publish(self, user_id: UserId, view: View) -> None:
        """Makes it this person's Home tab."""
        await self._said("views.publish", self._web.views_publish(user_id=user_id, view=view))

    async def _said(self, method: str, call: Awaitable[Any], seconds: float = ANSWER_SECONDS) -> str:
        """Slack's word for what was wrong, "" for nothing."""
        try:
            async with asyncio.timeout(seconds):
                await call
        except SlackApiError as error:
            code = error_code(error) or "an error"
        except (*TROUBLE, *MISSHAPEN) as error:
            code = type(error).__name__
        else:
            return ""
        if code not in (*GONE, OPENED_BEFORE):
            log.warning("a view was not shown", extra={"fields": {"way": method, "error": code}})
        return code
