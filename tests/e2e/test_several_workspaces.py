"""One bot serves several workspaces, each apart from the others."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from tests.support.app import ANA, is_failure, link, open_servers, words
from tests.support.several import journey, open_workspaces

T = TypeVar("T")


async def eventually(ask: Callable[[int], Awaitable[T]], is_so: Callable[[T], object]) -> T:
    """Ask again and again, with the number of the try, until the answer is as `is_so` says. Return this answer."""
    async with asyncio.timeout(10):
        for number in count():
            if is_so(answer := await ask(number)):
                return answer
            await asyncio.sleep(0.05)
    raise AssertionError


def ready(several: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return which workspaces are ready."""
    return {name: each["ready"] for name, each in several.items()}


@pytest.mark.parametrize("http", [True, False])
async def test_each_workspace_gets_sessions_of_its_genesys(tmp_path: Path, http: bool) -> None:
    async with open_workspaces(tmp_path, "acme", "globex", http=http) as several:
        for name, own in several.journeys.items():
            others = [each for other, each in several.journeys.items() if other != name]
            before = [len(each.slack.messages) for each in others]
            assert link(await own.asks())
            assert len(own.genesys.sessions) == 1
            assert [len(each.slack.messages) for each in others] == before
        status, body = await several.readyz()
        assert (status, ready(body["workspaces"])) == (200, {"acme": True, "globex": True})


async def test_socket_and_http_workspaces_share_a_process(tmp_path: Path) -> None:
    async with (
        open_servers(http=False) as other,
        open_workspaces(tmp_path, "acme") as several,
    ):
        several.tables.put("globex", other.environ)
        await several.until(lambda found: ready(found) == {"acme": True, "globex": True})
        assert link(await several.journeys["acme"].asks())
        assert link(await journey(other, several.url, "globex", several.finish).asks())


async def test_workspace_that_joins_the_file_is_served(tmp_path: Path) -> None:
    async with open_servers(http=True) as other, open_workspaces(tmp_path, "acme") as several:
        several.tables.put("globex", other.environ)
        await several.until(lambda found: ready(found) == {"acme": True, "globex": True})
        assert link(await journey(other, several.url, "globex", several.finish).asks())
        assert link(await several.journeys["acme"].asks())


async def test_changed_table_is_used_from_then_on(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        acme = several.journeys["acme"]
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_MEMBERS": "U0NOBODY"})
        await eventually(lambda number: acme.asks(f"Deal {number}"), is_failure)
        assert link(await several.journeys["globex"].asks())


async def test_change_answers_what_was_accepted_before(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme") as several:
        acme = several.journeys["acme"]
        await acme.genesys.inject_fault("slow", seconds=1.0)
        before = len(acme.slack.messages)
        assert (await acme.slack.command(ANA, "")).acked
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_LANGUAGE": "de"})
        assert link(await acme.reads(ANA, before))
        assert len(acme.genesys.sessions) == 1
        await acme.genesys.inject_fault(None)
        await eventually(lambda _: acme.asks("help"), lambda answer: "Sitzung" in words(answer))


async def test_removed_workspace_leaves_no_trace(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        assert link(await several.journeys["globex"].asks())
        assert any('workspace="globex"' in line for line in await several.metrics())
        several.tables.remove("globex")
        await several.until(lambda found: ready(found) == {"acme": True})
        assert await status(f"{several.url}/slack/events/globex") == 404
        await eventually(lambda _: several.metrics(), lambda lines: 'workspace="globex"' not in "".join(lines))
        assert link(await several.journeys["acme"].asks())


async def status(url: str) -> int:
    """Return the status of a POST without a body."""
    async with aiohttp.ClientSession() as http, http.post(url) as response:
        return response.status


async def test_refused_token_stops_only_its_workspace(tmp_path: Path) -> None:
    wrong = {"acme": {"SLACK_BOT_TOKEN": "xoxb-of-nobody"}}
    async with open_workspaces(tmp_path, "acme", "globex", more=wrong) as several:
        status, body = await several.readyz()
        assert (status, ready(body["workspaces"])) == (200, {"acme": False, "globex": True})
        assert body["workspaces"]["acme"]["error"] == "slack_token_refused"
        assert link(await several.journeys["globex"].asks())
        several.tables.secret("acme", "SLACK_BOT_TOKEN").write_text(several.environs["acme"]["SLACK_BOT_TOKEN"])
        await several.until(lambda found: ready(found) == {"acme": True, "globex": True})
        assert link(await several.journeys["acme"].asks())


async def test_readyz_says_no_when_no_workspace_is_served(tmp_path: Path) -> None:
    wrong = {name: {"SLACK_BOT_TOKEN": f"xoxb-of-nobody-{name}"} for name in ("acme", "globex")}
    async with open_workspaces(tmp_path, "acme", "globex", more=wrong) as several:
        status, body = await several.readyz()
        assert (status, body["ready"]) == (503, False)


async def test_genesys_outage_stays_in_its_workspace(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        acme, globex = several.journeys.values()
        assert link(await acme.asks())
        await acme.genesys.inject_fault("down")
        before = len(acme.slack.messages)
        assert (await acme.slack.command(ANA, "Deal")).acked
        assert link(await globex.asks())
        assert is_failure(await acme.reads(ANA, before))
        _, body = await several.readyz()
        states = {name: each["genesys"]["state"] for name, each in body["workspaces"].items()}
        assert states == {"acme": "failing", "globex": "ok"}
        assert ready(body["workspaces"]) == {"acme": True, "globex": True}


async def test_faulty_table_leaves_the_old_one_in_use(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        several.tables.put("acme", several.environs["acme"] | {"COBROWSE_LANGUAGE": "xx"})
        found = await several.until(lambda found: "error" in found["acme"])
        assert (ready(found), found["acme"]["error"]) == ({"acme": True, "globex": True}, "settings_invalid")
        assert link(await several.journeys["acme"].asks())
        assert any("cobrowse_language" in str(record.__dict__.get("fields")) for record in caplog.records)
        several.tables.put("acme", several.environs["acme"])
        await several.until(lambda found: "error" not in found["acme"])


async def test_metrics_and_audit_lines_name_the_workspace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit = tmp_path / "audit.jsonl"
    async with open_workspaces(tmp_path, "acme", "globex", AUDIT_LOG=str(audit)) as several:
        assert link(await several.journeys["globex"].asks())
        lines = await several.metrics()
        one = 'cobrowse_requests_total{kind="start",outcome="session_started",workspace="globex"} 1.0'
        assert one in lines
        assert one.replace("globex", "acme").replace("1.0", "0.0") in lines
        calls = [line for line in lines if line.startswith("cobrowse_genesys_call_seconds_count")]
        assert sum('workspace="acme"' in line and not line.endswith(" 0.0") for line in calls) == 0
    written = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(each["workspace"], each["action"]) for each in written] == [("globex", "start")]


async def test_audit_log_of_a_table_holds_no_other_workspace(tmp_path: Path) -> None:
    shared, own = tmp_path / "audit.jsonl", tmp_path / "globex.jsonl"
    more = {"globex": {"AUDIT_LOG": str(own)}}
    async with open_workspaces(tmp_path, "acme", "globex", more=more, AUDIT_LOG=str(shared)) as several:
        for each in several.journeys.values():
            assert link(await each.asks())
    for path, name in ((shared, "acme"), (own, "globex")):
        assert [json.loads(line)["workspace"] for line in path.read_text().splitlines()] == [name]
