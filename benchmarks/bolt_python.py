"""A bot with async Bolt for Python, as Bolt's documentation shows it: ack, call the service with httpx, respond().

https://docs.slack.dev/tools/bolt-python/concepts/async and .../concepts/commands
"""

import asyncio
import os
import sys
from typing import Any

import httpx
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

CREATE_URL = os.environ["GENESYS_API_URL"] + "/api/v2/conversations/cobrowse"
HOST_ID = "11111111-1111-4111-8111-111111111111"


def slack_client(token: str) -> AsyncWebClient:
    """Return a Web API client for the benchmark's Slack instead of slack.com."""
    return AsyncWebClient(token=os.environ[token], base_url=os.environ["SLACK_API_URL"])


app = AsyncApp(client=slack_client("SLACK_BOT_TOKEN"), signing_secret=os.environ["SLACK_SIGNING_SECRET"])
http = httpx.AsyncClient(headers={"Authorization": "Bearer " + "t" * 86})


@app.command("/cobrowse")
async def start_session(ack: AsyncAck, command: dict[str, Any], respond: AsyncRespond) -> None:
    """Acknowledge the command, create a session, answer with its link."""
    await ack()
    order = {
        "hostUserId": HOST_ID,
        "application": {"id": "web", "type": "web"},
        "sessionName": command["text"],
        "timeoutSeconds": 1800,
    }
    session = (await http.post(CREATE_URL, json=order)).json()
    await respond(f"The customer's link: {session['joinUrl']}")


async def over_socket() -> None:
    """Serve Socket Mode until the process is killed."""
    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=slack_client("SLACK_APP_TOKEN"))
    await handler.start_async()


if __name__ == "__main__":
    if sys.argv[1] == "http":
        app.start(port=int(os.environ["PORT"]))
    else:
        asyncio.run(over_socket())
