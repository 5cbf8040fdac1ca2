"""Settings of a workspace change in the wrong moment, or one workspace uses up what all share."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.core.timing import ReceiverBounds
from bot.server import StartError
from bot.workspaces import runner
from tests.support.app import ANA, link, words
from tests.support.proxy import FORM, head
from tests.support.several import QUICK, open_workspaces


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
async def test_change_of_a_bot_that_is_not_ready_loses_no_request(
    tmp_path: Path, http: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second bot receives before it counts as ready. Then the table is as it was before."""
    serve, calls, receives = runner.serve, 0, asyncio.Event()

    async def served(opening: Any, bot: Any, stop: asyncio.Event, on_ready: Any, drain: Any) -> None:
        nonlocal calls
        calls += 1
        if calls != 2:
            return await serve(opening, bot, stop, on_ready, drain)
        async with opening as receiver:
            await receiver.ready
            receives.set()
            await stop.wait()
        return await drain()

    monkeypatch.setattr(runner, "serve", served)
    async with open_workspaces(tmp_path, "acme", http=http) as several:
        acme = several.journeys["acme"]
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_LANGUAGE": "de"})
        await receives.wait()
        acme.genesys.latency_seconds = 0.3
        sent = await asyncio.gather(*(acme.slack.command(ANA, f"Deal {number}") for number in range(4)))
        assert all(each.acked for each in sent)
        several.tables.put("acme", several.environs["acme"])
        await asyncio.sleep(0.3)
        acme.genesys.latency_seconds = 0.0
        assert link(await acme.asks("Refund"))
        triggers = {each.trigger_id for each in sent}
        await acme.slack.until(lambda: triggers <= {each.trigger_id for each in acme.slack.messages} or None)
        assert calls == 2


async def test_many_requests_of_one_workspace_leave_room_for_others(tmp_path: Path) -> None:
    durations = replace(QUICK, bounds=ReceiverBounds(connections=1, requests=2))
    async with open_workspaces(tmp_path, "acme", "globex", durations=durations) as several:
        acme, globex = several.journeys.values()
        where = urlsplit(several.url)
        request = head(FORM, "Content-Length: 9", path="POST /slack/events/acme")
        slow = [await asyncio.open_connection(where.hostname, where.port) for _ in range(2)]
        for _, writer in slow:
            writer.write(request + b"x")
        await asyncio.sleep(0.1)
        assert (await acme.slack.command(ANA, "Deal")).status == 503
        assert link(await globex.asks())
        for _, writer in slow:
            writer.close()
        await asyncio.sleep(0.1)
        assert link(await acme.asks())


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
async def test_refused_token_leaves_the_settings_before_in_use(tmp_path: Path, http: bool) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-of-nobody", "COBROWSE_LANGUAGE": "de"}
    async with open_workspaces(tmp_path, "acme", "globex", http=http) as several:
        acme = several.journeys["acme"]
        several.tables.put("acme", several.environs["acme"] | wrong)
        found = await several.until(lambda found: "error" in found["acme"])
        assert (found["acme"]["ready"], found["acme"]["error"]) == (True, "slack_token_refused")
        assert link(await acme.asks())
        assert "sessions" in words(await acme.asks("help"))
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_LANGUAGE": "de"})
        await several.until(lambda found: "error" not in found["acme"])
        assert link(await acme.asks("Deal"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"COBROWSE_MAX_IN_FLIGHT": "none"}, "settings_invalid"),
        ({"AUDIT_LOG": "/nowhere/audit.jsonl"}, "audit_log_unwritable"),
    ],
    ids=["table with an error", "bot that cannot be opened"],
)
async def test_bot_that_ends_is_opened_again_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], code: str
) -> None:
    """The table was changed to one that cannot be used. Then Slack is away for five minutes, which ends the bot."""
    serve, ends, calls = runner.serve, asyncio.Event(), 0

    async def served(opening: Any, bot: Any, stop: asyncio.Event, on_ready: Any, drain: Any) -> None:
        nonlocal calls
        calls += bot.settings.workspace == "acme"
        if bot.settings.workspace != "acme" or calls > 1:
            return await serve(opening, bot, stop, on_ready, drain)
        serving = asyncio.create_task(serve(opening, bot, stop, on_ready, drain))
        await ends.wait()
        stop.set()
        await serving
        raise StartError("Socket Mode has not worked for five minutes.", code="socket_mode_unavailable")

    monkeypatch.setattr(runner, "serve", served)
    async with open_workspaces(tmp_path, "acme", "globex", http=False) as several:
        acme = several.journeys["acme"]
        several.tables.put("acme", several.environs["acme"] | change | {"COBROWSE_LANGUAGE": "de"})
        await several.until(lambda found: "error" in found["acme"])
        assert link(await acme.asks("Before"))
        ends.set()
        await several.until(lambda found: not found["acme"].get("ready"))
        found = await several.until(lambda found: found["acme"].get("ready"))
        assert found["acme"]["error"] == code
        assert link(await acme.asks("Deal"))
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_LANGUAGE": "de"})
        await several.until(lambda found: "error" not in found["acme"])
