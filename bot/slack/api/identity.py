"""Who the bot is to Slack: one auth.test at start, so that none is needed later.

https://docs.slack.dev/reference/methods/auth.test
"""

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.errors import SetupError
from bot.core.models import TeamId
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.api.trouble import word_for
from bot.slack.error_codes import Group, is_of

log = logging.getLogger(__name__)

TRIES = 5
DELAY_SECONDS = 1.0
ANSWER_SECONDS = 15.0
_PASSING = (Group.RATE_LIMIT, Group.FAULT, Group.MOVING)


class SlackSetupError(SetupError):
    """Slack does not take the bot's token."""

    code = "slack_token_refused"


class SlackUnreachableError(SetupError):
    """Slack gave no usable answer, also when asked again."""

    code = "slack_unreachable"


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's workspace, its own ids there, and the scopes its token has."""

    home: Workspace
    bot_id: str | None
    bot_user_id: str | None
    scopes: frozenset[str] = frozenset()


async def identify(web: AsyncWebClient, *, tries: int = TRIES, delay_seconds: float = DELAY_SECONDS) -> BotIdentity:
    """Asks Slack whose token this is. Raises SlackSetupError, SlackUnreachableError, each with a sentence."""
    for attempt in range(tries):
        if attempt:
            await asyncio.sleep(delay_seconds * attempt)
        why = "an answer of no use"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):  # as a whole: the session's begins anew with each byte
                response = await web.auth_test()
        except SlackApiError as error:
            code = error_code(error)
            if code and not is_of(code, *_PASSING):
                raise SlackSetupError(
                    f"Slack refuses SLACK_BOT_TOKEN ({code}). Check the token on the app's page."
                ) from None
            why = code or why
        except (*TROUBLE, *MISSHAPEN) as error:
            why = word_for(error)
        else:
            if isinstance(response.data, dict) and response.data.get("team_id"):
                return _read(response.data, response.headers.get("x-oauth-scopes", ""))
        log.warning("Slack does not say who the bot is yet", extra={"fields": {"error": why}})
    raise SlackUnreachableError("Slack cannot be reached. Check the network and SLACK_API_URL.")


def _read(answer: dict[str, object], scopes: str) -> BotIdentity:
    enterprise = answer.get("enterprise_id")
    home = Workspace(
        team_id=TeamId(str(answer["team_id"])),
        enterprise_id=TeamId(str(enterprise)) if enterprise else None,
        org_wide=bool(answer.get("is_enterprise_install")),
    )
    granted = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
    return BotIdentity(home, _text(answer.get("bot_id")), _text(answer.get("user_id")), granted)


def _text(value: object) -> str | None:
    return str(value) if value else None
