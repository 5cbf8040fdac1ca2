"""Report the results of workflow steps to Slack, with the bot token.

Slack's event also carries a token for the step. The bot does not use this token, because it would have to store the
token to report a result after a crash. https://docs.slack.dev/reference/methods/functions.completeSuccess
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import CobrowseError, ServiceError
from bot.core.models import Request, Session, SessionStarted, step_of
from bot.core.results import Result
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import error_code
from bot.slack.error_codes import Group, is_of
from bot.slack.messages.catalogue.errors import NOTHING_DONE, Situation
from bot.slack.messages.error_copy import references
from bot.slack.messages.renderer import MessageRenderer

log = logging.getLogger(__name__)

Attempt = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[bool]]
"""A function that makes one attempt at a call to Slack. It gets a name of the call for the log, and the call.

It limits the time of the call, logs a failure, and returns whether the call succeeded.
"""


class WorkflowStepResult:
    """Reports to Slack how a workflow step ended: with outputs, or with an error."""

    def __init__(self, web: AsyncWebClient, renderer: MessageRenderer, timing: SlackTiming = SLACK_TIMING) -> None:
        self._web, self._renderer, self._timing = web, renderer, timing

    async def tell(self, request: Request, outcome: Result, attempt: Attempt) -> bool:
        """Report the result of a request's workflow step to Slack, with retries.

        Return True if Slack accepts the result, or says that the step has ended already. Return False in these cases:

        - All attempts fail.
        - Slack does not know this execution of the step.
        - The request does not name its step, for example because the bot cannot decrypt the request's `argument`.

        `attempt`: makes each call to Slack, with a time-out, and returns whether the call succeeded.
        """
        step = step_of(request)
        if step is None:  # its `argument` cannot be decrypted
            return False

        is_unknown_run = False

        async def complete() -> None:
            nonlocal is_unknown_run
            try:
                await self._complete(step.execution_id, request, outcome)
            except SlackApiError as error:
                if not is_of(error_code(error), Group.STEP_OVER):
                    is_unknown_run = is_of(error_code(error), Group.STEP_GONE)
                    raise
                log.info("the step was over before", extra={"fields": {"request": request.id}})

        for pause_seconds in (*self._timing.step_retry_seconds, None):
            if await attempt("workflow step", complete):
                return True
            if is_unknown_run or pause_seconds is None:
                break
            await asyncio.sleep(pause_seconds)
        return False

    async def _complete(self, execution_id: str, request: Request, outcome: Result) -> None:
        if isinstance(outcome, SessionStarted):
            outputs = outputs_of(outcome.session)
            await self._web.functions_completeSuccess(function_execution_id=execution_id, outputs=outputs)
        else:
            await self._web.functions_completeError(
                function_execution_id=execution_id, error=self._sentence(request, outcome)
            )

    def _sentence(self, request: Request, outcome: Result) -> str:
        """Return the text that tells Slack why a step started no session, in the agent's language."""
        plain = self._renderer.language_of(request.requester).plain
        if not isinstance(outcome, CobrowseError):
            return f"{plain.say(NOTHING_DONE[Situation.START])} {references(plain, request.id)}"
        service = outcome.reference if isinstance(outcome, ServiceError) else None
        told = self._renderer.failure(outcome, request.id, reader=request.requester).text
        return f"{told} {references(plain, request.id, service)}"


def outputs_of(session: Session) -> dict[str, object]:
    """Return the outputs of a step that has started a session, by the names in manifest.yml.

    `ends_at` is in seconds since 1970. `link` is "" if the session service returns only a join code. Without a join
    code, there is no output `code`.
    """
    outputs: dict[str, object] = {
        "session_id": session.id,
        "ends_at": int(session.ends_at.timestamp()),
        "link": session.join_url,
    }
    return outputs | ({"code": session.join_code} if session.join_code else {})
