"""Build the Bolt app, which passes payloads from Slack to the listeners.

The app's configuration ensures that Bolt reads no environment variables, and that Bolt does not call Slack before a
payload is acknowledged.
"""

import logging
from collections.abc import Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api.identity import BotIdentity


def new_bolt_app(
    identity: BotIdentity, bot_token: Callable[[], str], web: AsyncWebClient, command: AsyncMiddleware | None = None
) -> AsyncApp:
    """Build a Bolt app without listeners.

    - `identity`: the ids that Bolt puts into the context of each payload, so that Bolt need not ask Slack for them.
    - `bot_token`: a function that returns the current bot token.
    - `web`: the client with which Bolt calls Slack.
    - `command`: a middleware that answers the slash command before Bolt's other middleware runs; None for none.

    Bolt verifies no signature: receivers/http.py verifies the signature, and Socket Mode has no signatures. Bolt
    accepts every user: core/access.py decides what a user may do.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=identity.home.enterprise_id,
            team_id=identity.home.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user_id,
            bot_token=bot_token(),
        )

    return AsyncApp(
        name="cobrowse-bot",
        logger=logging.getLogger("slack_bolt"),
        client=web,
        before_authorize=command,
        authorize=authorize,
        signing_secret="unused",  # noqa: S106 - none: see above
        request_verification_enabled=False,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
