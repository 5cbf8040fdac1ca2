"""Who the bot is to Slack: one auth.test at start, so that none is needed later.

https://docs.slack.dev/reference/methods/auth.test
"""

import asyncio
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.access import Home
from bot.desk.models import TeamId

TRIES = 5
DELAY_SECONDS = 1.0
_PASSING = ("ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


class SlackRefused(Exception):
    """Slack does not take the bot's token."""


class SlackUnreachable(Exception):
    """Slack gave no usable answer, also when asked again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot's workspace and its own ids there."""

    home: Home
    bot_id: str | None
    bot_user_id: str | None


async def identify(web: AsyncWebClient, *, delay_seconds: float = DELAY_SECONDS) -> Identity:
    """Asks Slack whose token this is. Raises SlackRefused, SlackUnreachable, each with a sentence."""
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(delay_seconds * attempt)
        try:
            answer = (await web.auth_test()).data
        except SlackApiError as error:
            code = str(error.response.get("error") or "")
            if code and code not in _PASSING:
                raise SlackRefused(
                    f"Slack refuses SLACK_BOT_TOKEN ({code}). Check the token on the app's page."
                ) from None
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError):
            pass
        else:
            if isinstance(answer, dict) and answer.get("team_id"):
                return _read(answer)
    raise SlackUnreachable("Slack cannot be reached. Check the network and SLACK_API_URL.")


def _read(answer: dict[str, object]) -> Identity:
    enterprise = answer.get("enterprise_id")
    home = Home(
        team_id=TeamId(str(answer["team_id"])),
        enterprise_id=TeamId(str(enterprise)) if enterprise else None,
        org_wide=bool(answer.get("is_enterprise_install")),
    )
    return Identity(home, _text(answer.get("bot_id")), _text(answer.get("user_id")))


def _text(value: object) -> str | None:
    return str(value) if value else None
