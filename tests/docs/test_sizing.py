"""The table of the page Sizing is what the benchmark measured, and its limits are those of the bot."""

import json
from pathlib import Path

import pytest

from benchmarks.sizing import CALLS, CPU, GENESYS, PERSON_MINUTES, RESULTS, SIZES, SLACK, first, shares, sizing_table
from bot.core.timing import SLACK_TIMING, CoreTiming
from bot.genesys.api.conversations import CALLS_PER_SESSION
from tests.support.app import ROOT

PAGE = (Path(ROOT) / "docs" / "run" / "sizing.md").read_text(encoding="utf-8")
MEASURED = json.loads(RESULTS.read_text(encoding="utf-8"))["sizes"]


def test_page_has_the_table_that_was_measured() -> None:
    assert sizing_table(MEASURED) in PAGE
    assert [found["agents"] for found in MEASURED] == [size.agents for size in SIZES]


def test_each_size_was_measured_and_lost_no_command() -> None:
    for size, found in zip(SIZES, MEASURED, strict=True):
        assert (found["lost"], found["commands"] >= 10) == (0, True)
        assert 2 * found["rss_mb"] < size.memory_mb * 1.048576, "half of the limit is free"


def test_limits_are_counted_as_the_bot_works() -> None:
    assert CALLS == {"sessions": 1, "conversations": CALLS_PER_SESSION}
    assert SLACK_TIMING.people_cache_seconds == PERSON_MINUTES * 60
    assert CoreTiming().host_cache_seconds == 3600


@pytest.mark.parametrize(("api", "name"), [("sessions", SLACK), ("conversations", GENESYS)])
def test_limit_with_the_greatest_share_binds_first(api: str, name: str) -> None:
    size = SIZES[2]
    found = shares(size, api, 5.0)
    assert max(found, key=lambda each: found[each]) == name
    assert first(size, api, 5.0).startswith(f"{name}, ")
    assert found[CPU] < 0.1
