"""A log line stays short, whatever Slack answers."""

import io
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.observability.logging import LineFormatter, Redactor
from bot.slack.api.identity import SlackSetupError, identify
from bot.slack.api.responder import new_http_session, new_web_client
from tests.support.log_secrets import KNOWN

SECONDS = 1.0


@asynccontextmanager
async def slack_that_says(error: str) -> AsyncIterator[str]:
    """Yield the base URL of a Slack that answers every call with this error."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"ok": False, "error": error})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_slacks_error_word_is_cut_when_it_is_read() -> None:
    stream = io.StringIO()
    formatter = LineFormatter(Redactor(KNOWN), as_json=False)
    async with slack_that_says("a" * 50_000 + "@") as url, new_http_session() as http:
        began = time.perf_counter()
        with pytest.raises(SlackSetupError) as refused:
            await identify(new_web_client("xoxb-1", url, http), tries=1)
        stream.write(formatter.format(logging.LogRecord("n", 40, "p", 1, str(refused.value), None, None)))
        assert time.perf_counter() - began < SECONDS + 2
    assert "a" * 60 in stream.getvalue()
    assert len(stream.getvalue()) < 300
