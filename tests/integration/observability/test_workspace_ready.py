"""The metric that says which workspaces Slack reaches. It agrees with /readyz."""

import asyncio
from pathlib import Path

from tests.support.app import Journey
from tests.support.monitoring import get, parsed
from tests.support.several import Several, open_workspaces

READY = "cobrowse_workspace_ready"


async def shown(url: str) -> dict[tuple[str, ...], float]:
    """Return the values of the metric by the values of its labels."""
    _, text = await get(f"{url}/metrics")
    return {tuple(labels): value for (name, *labels), value in parsed(text).items() if name == READY}


async def until_shown(several: Several, wanted: dict[str, float]) -> None:
    async with asyncio.timeout(20):
        while await shown(several.url) != {(name,): value for name, value in wanted.items()}:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)


async def test_single_workspace_is_ready_when_the_bot_is(over_http: Journey) -> None:
    assert await shown(over_http.url) == {(): 1.0}


async def test_each_workspace_is_shown_as_readyz_has_it(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        await until_shown(several, {"acme": 1.0, "globex": 1.0})
        several.tables.put("initech", {"GENESYS_REGION": "us-west-2"})
        await until_shown(several, {"acme": 1.0, "globex": 1.0, "initech": 0.0})
        _, body = await several.readyz()
        assert {name: each["ready"] for name, each in body["workspaces"].items()} == {
            **{"acme": True, "globex": True, "initech": False}
        }
        several.tables.remove("initech")
        several.tables.remove("globex")
        await until_shown(several, {"acme": 1.0})


async def test_workspace_that_goes_on_with_an_old_table_is_ready(tmp_path: Path) -> None:
    async with open_workspaces(tmp_path, "acme") as several:
        several.tables.texts["acme"] += "\nnonsense = 7"
        several.tables.write()
        found = await several.until(lambda workspaces: workspaces["acme"].get("error"))
        assert (found["acme"]["ready"], found["acme"]["error"]) == (True, "settings_invalid")
        assert await shown(several.url) == {("acme",): 1.0}
