"""Modals and the Home tab, as Slack's Web API takes them. What stands in them is for modal_view.py and home_view.py.

https://docs.slack.dev/reference/methods/views.open , views.update and views.publish need no scope.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.models import UserId
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.api.trouble import word_for
from bot.slack.error_codes import NO_CODE, Group, is_of
from bot.slack.messages.blocks import View

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
TRIGGER_SECONDS = 3.0
"""So long a trigger_id lives, and no longer is it worth trying."""
OPENED_BEFORE = "exchanged_trigger_id"


class Views:
    """Shows them. Nothing here raises."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web

    async def open(self, trigger_id: str, view: View) -> str:
        """Show the modal, and return Slack's word for why it is not there; "" when it is.

        It is there, too, when a first answer was lost, and its repetition came too late.
        """
        said = await self._said("views.open", self._web.views_open(trigger_id=trigger_id, view=view), TRIGGER_SECONDS)
        return "" if said == OPENED_BEFORE else said

    async def update(self, external_id: str, view: View) -> str:
        """Change the modal that was opened under this id, and return Slack's word for why not; "" when it has."""
        return await self._said("views.update", self._web.views_update(external_id=external_id, view=view))

    async def publish(self, user_id: UserId, view: View) -> None:
        """Makes it this person's Home tab."""
        await self._said("views.publish", self._web.views_publish(user_id=user_id, view=view))

    async def _said(self, method: str, call: Awaitable[Any], seconds: float = ANSWER_SECONDS) -> str:
        """Slack's word for what was wrong, "" for nothing."""
        try:
            async with asyncio.timeout(seconds):
                await call
        except SlackApiError as error:
            code = error_code(error) or NO_CODE
        except (*TROUBLE, *MISSHAPEN) as error:
            code = word_for(error)
        else:
            return ""
        if code != OPENED_BEFORE and not is_of(code, Group.VIEW_GONE):
            log.warning("a view was not shown", extra={"fields": {"way": method, "error": code}})
        return code
