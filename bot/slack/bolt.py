"""The Bolt app, told everything, so that it looks for nothing in the environment and asks Slack nothing in an ack."""

import logging

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.identity import Identity


def new_bolt_app(identity: Identity, web: AsyncWebClient, bot_token: str, signing_secret: str) -> AsyncApp:
    """An app without listeners. `web` holds no token."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=identity.home.enterprise_id,
            team_id=identity.home.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user_id,
            bot_token=bot_token,
        )

    return AsyncApp(
        name="cobrowse-bot",
        logger=logging.getLogger("slack_bolt"),
        client=web,
        authorize=authorize,
        signing_secret=signing_secret or "unused: Socket Mode is not signed",
        request_verification_enabled=False,  # slack/endpoint.py has done it
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
