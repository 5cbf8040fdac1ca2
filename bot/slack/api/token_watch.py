"""Watch the calls of Slack's Web API: detect when Slack refuses the bot token, and when Slack accepts the token again.

Also note the scopes of the token, which Slack lists in each answer. They change if the app is installed again.

https://docs.slack.dev/reference/methods lists the error codes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.ports import NULL_TRACER, Tracer
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, granted_scopes
from bot.slack.error_codes import Group, is_of
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.catalogue.slack_errors import remedy

log = logging.getLogger(__name__)

T = TypeVar("T")
ROTATING = "xoxe."
"""The prefix of tokens that expire after 12 hours: https://docs.slack.dev/authentication/using-token-rotation"""
ROTATION_HINT = (
    "Slack cannot turn token rotation off for an app: make a new app from manifest.yml (token_rotation_enabled: false),"
    " and set its SLACK_BOT_TOKEN."
)


class TokenWatch:
    """Tracks whether Slack accepts the bot token, and which scopes the token has.

    - `refusal`: Slack's error code while Slack refuses the token; "" while it accepts the token.
    - `scopes`: the scopes that Slack granted; empty if Slack has not listed them.
    """

    def __init__(self, timing: SlackTiming = SLACK_TIMING) -> None:
        self.refusal = ""
        self.scopes: frozenset[str] = frozenset()
        self._timing = timing
        self._probe: Callable[[], Awaitable[object]] | None = None
        self._probing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "TokenWatch":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the task that tests a refused token."""
        if self._probing:
            self._probing.cancel()

    async def start(self, web: AsyncWebClient, identify: Callable[[AsyncWebClient], Awaitable[T]]) -> T:
        """Await `identify(web)`, the bot's first call to Slack, and return its result. Raises the errors of `identify`.

        From then on, calls of the method `failed` count. Log a warning if the token begins with ROTATING.
        """
        identity = await identify(web)
        self._probe = web.auth_test
        if (web.token or "").startswith(ROTATING):
            fields = {"token": "SLACK_BOT_TOKEN", "hint": ROTATION_HINT}
            log.warning("the bot token expires within twelve hours", extra={"fields": fields})
        return identity

    def succeeded(self, scopes: frozenset[str]) -> None:
        """Record that Slack accepted a call with the bot token.

        `scopes`: the scopes that Slack listed in the answer; empty if it listed none.
        """
        self.scopes = scopes or self.scopes
        if self.refusal:
            self.refusal = ""
            log.info("Slack accepts the bot token again", extra={"fields": {"token": "SLACK_BOT_TOKEN"}})

    def failed(self, code: str) -> None:
        """If `code` means that Slack refuses the bot token, record this in `refusal`.

        Also test the token in the background every `SlackTiming.token_probe_seconds`, until Slack accepts it. Do
        nothing if `code` means something else, or if `start` has not begun the watch.

        `code`: the error code of a failed call.
        """
        if self._probe is None or not is_of(code, Group.TOKEN):
            return
        if not self.refusal:
            fields = {"token": "SLACK_BOT_TOKEN", "error": code, "hint": remedy(PLAIN_ENGLISH, code)}
            log.error("Slack refuses the bot token", extra={"fields": fields})
        self.refusal = code
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._until_accepted(self._probe))

    async def _until_accepted(self, probe: Callable[[], Awaitable[object]]) -> None:
        while self.refusal:
            await asyncio.sleep(self._timing.token_probe_seconds)
            try:
                async with asyncio.timeout(self._timing.token_probe_timeout):
                    await probe()
            except (*CALL_ERRORS, *MALFORMED_ERRORS):
                continue


class WebClient(AsyncWebClient):
    """A client of Slack's Web API, based on slack_sdk's.

    `watch`: records for each call whether Slack accepts the token, and with which scopes; None to record nothing.
    """

    watch: TokenWatch | None = None

    def __init__(self, *, tracer: Tracer = NULL_TRACER, **how: Any) -> None:
        super().__init__(**how)
        self._traced_call = tracer.calling_slack(super().api_call)

    async def api_call(self, api_method: str, **kwargs: Any) -> AsyncSlackResponse:
        """Call a method of the Web API. Raises the errors of slack_sdk if the call fails.

        If Slack refuses the token, and the token was replaced during the call, repeat the call with the new token.
        """
        token = self.token
        try:
            answer = await self._traced_call(api_method, **kwargs)
        except SlackApiError as error:
            if token != self.token and is_of(error_code(error), Group.TOKEN):
                return await self.api_call(api_method, **kwargs)
            if self.watch:
                self.watch.failed(error_code(error))
            raise
        if self.watch:
            self.watch.succeeded(granted_scopes(answer.headers))
        return answer
