"""Ask Slack for the Slack workspace of the bot token, the bot's ids and the scopes of the token.

https://docs.slack.dev/reference/methods/auth.test
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.errors import SetupError
from bot.core.models import TeamId
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label, granted_scopes
from bot.slack.error_codes import Group, is_of
from bot.slack.manifest import NEEDED
from bot.slack.messages.catalogue.setup_warnings import SCOPE_MISSING, SetupWarning

log = logging.getLogger(__name__)

TRIES = 5
_PASSING = (Group.RATE_LIMIT, Group.FAULT, Group.MOVING)


class SlackSetupError(SetupError):
    """Slack does not accept the bot token, so the bot cannot run."""

    code = "slack_token_refused"


class SlackUnreachableError(SetupError):
    """Slack did not answer, or answered in an unexpected form, even after retries."""

    code = "slack_unreachable"


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's Slack workspace, the ids of the bot and its Slack user, and the scopes of the bot token.

    - `home`: the Slack workspace.
    - `bot_id`, `bot_user_id`: the ids of the bot and of its Slack user; None if Slack does not name them.
    - `scopes`: the scopes that Slack granted; empty if Slack does not list them.
    """

    home: Workspace
    bot_id: str | None
    bot_user_id: str | None
    scopes: frozenset[str] = frozenset()


async def identify(web: AsyncWebClient, *, tries: int = TRIES, timing: SlackTiming = SLACK_TIMING) -> BotIdentity:
    """Ask Slack for the Slack workspace of the bot token, the bot's ids and the scopes. Make at most `tries` calls.

    Raises SlackSetupError if Slack refuses the token. Raises SlackUnreachableError if no call gets a usable answer.
    """
    for attempt in range(tries):
        if attempt:
            await asyncio.sleep(timing.identify_retry_seconds * attempt)
        why = "an answer of no use"
        try:
            async with asyncio.timeout(timing.identify_timeout):  # the HTTP session's time-out restarts with each byte
                response = await web.auth_test()
        except SlackApiError as error:
            code = error_code(error)
            if code and not is_of(code, *_PASSING):
                raise SlackSetupError(
                    f"Slack refuses SLACK_BOT_TOKEN ({code}). Check the token on the app's page."
                ) from None
            why = code or why
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            why = error_label(error)
        else:
            if isinstance(response.data, dict) and response.data.get("team_id"):
                return _read(response.data, granted_scopes(response.headers))
        log.warning("Slack does not say who the bot is yet", extra={"fields": {"error": why}})
    raise SlackUnreachableError("Slack cannot be reached. Check the network and SLACK_API_URL.")


def _read(answer: dict[str, object], scopes: frozenset[str]) -> BotIdentity:
    enterprise = answer.get("enterprise_id")
    home = Workspace(
        team_id=TeamId(str(answer["team_id"])),
        enterprise_id=TeamId(str(enterprise)) if enterprise else None,
        org_wide=bool(answer.get("is_enterprise_install")),
    )
    return BotIdentity(home, _text(answer.get("bot_id")), _text(answer.get("user_id")), scopes)


def _text(value: object) -> str | None:
    return str(value) if value else None


def missing(granted: frozenset[str], needed: Iterable[str] = NEEDED) -> tuple[SetupWarning, ...]:
    """Return a warning for each scope in `needed` that is not in `granted`.

    Return no warning if `granted` is empty, because then the granted scopes are unknown.
    """
    return tuple(SetupWarning(SCOPE_MISSING, scope) for scope in needed if granted and scope not in granted)
