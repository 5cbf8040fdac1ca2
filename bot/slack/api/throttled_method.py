"""Look-ups that Slack may put off: a few at once, and after a "ratelimited" none before the time it orders.

What is looked up, and how long it is kept, is for people.py. https://docs.slack.dev/apis/web-api/rate-limits
"""

import asyncio
import logging
import re
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import SlackUnavailableError
from bot.core.timing import RunTiming
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.error_codes import NO_ANSWER, NO_CODE, Group, is_of, passes

log = logging.getLogger(__name__)

AT_ONCE = 10
ANSWER_SECONDS = 12.0
LONGEST_ORDERED_SECONDS = 60
"""Slack counts by the minute. Whoever is ordered to wait for longer is refused at once."""
RATE_LIMITED = "ratelimited"


class ThrottledMethod:
    """Calls of one method, first come, first served. `patience_seconds`: how long each may take, its turn included.

    `web` must not wait by itself when it is told to: one that sleeps would hold up whoever comes after it.
    """

    def __init__(
        self, web: AsyncWebClient, method: str, *, patience_seconds: float = RunTiming().max_wait_seconds
    ) -> None:
        self._web = web
        self._method = method
        self._patience_seconds = patience_seconds
        self._places = asyncio.Semaphore(AT_ONCE)  # it is fair
        self._not_before = float("-inf")

    async def ask(self, **params: str) -> dict[str, Any]:
        """Slack's answer. Raises SlackUnavailableError."""
        try:
            async with asyncio.timeout(self._patience_seconds), self._places:
                while (answer := await self._try(params)) is None:
                    pass
                return answer
        except TimeoutError:
            raise SlackUnavailableError(RATE_LIMITED) from None

    async def _try(self, params: dict[str, str]) -> dict[str, Any] | None:
        """What Slack says, if it may be asked now; None after having waited, or when it puts all of us off."""
        loop = asyncio.get_running_loop()
        if (ahead := self._not_before - loop.time()) > 0:
            await asyncio.sleep(ahead)
            return None  # it may have been moved meanwhile
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._web.api_call(self._method, http_verb="GET", params=params)
        except SlackApiError as error:
            seconds = _ordered_seconds(error)
            if seconds is None:
                code = error_code(error) or NO_CODE
                raise SlackUnavailableError(code, passes(code)) from None
            if self._not_before < loop.time():  # the first of those who were told
                log.info("Slack puts look-ups off", extra={"fields": {"method": self._method, "seconds": seconds}})
            self._not_before = max(self._not_before, loop.time() + seconds)
            return None
        except (*TROUBLE, *MISSHAPEN):
            raise SlackUnavailableError(NO_ANSWER) from None
        return response.data if isinstance(response.data, dict) else {}


def _ordered_seconds(error: SlackApiError) -> int | None:
    """Its Retry-After, if that is what it is about and worth waiting for."""
    if not is_of(error_code(error), Group.RATE_LIMIT):
        return None
    ordered = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    seconds = int(ordered) if re.fullmatch(r"[0-9]{1,9}", ordered) else 0
    return seconds if 0 < seconds <= LONGEST_ORDERED_SECONDS else None
