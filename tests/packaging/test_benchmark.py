"""The benchmark runs, and its results are complete: every command is created once and answered once."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.support.app import ROOT
from tests.support.forked import forked


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
async def test_quick_run_has_one_create_and_one_answer_a_command(tmp_path: Path) -> None:
    arguments = ["--quick", "--seconds", "0.5", "--peers", "floor", "bot", "--output", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", *arguments, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    loads = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["loads"]
    assert sorted((one["peer"], one["scenario"].split(",")[0]) for one in loads) == [
        ("bot", "HTTP"),
        ("bot", "Socket Mode"),
        ("floor", "HTTP"),
        ("floor", "Socket Mode"),
    ]
    for one in loads:
        assert one["commands"] > 0
        assert one["lost"] == one["refused"] == 0
        assert one["totals"]["commands"] == one["totals"]["create"] == one["totals"]["answer"]
        assert set(one["calls"]) == {"create", "answer"}
    assert "| this bot |" in out.decode()
    assert (tmp_path / "results.svg").read_text(encoding="utf-8").startswith("<svg")


async def printed(module: str, *arguments: str) -> str:
    """Run a benchmark in a fork, and return what it prints."""
    process = await forked(["-m", module, *arguments], directory=Path(ROOT), environ=dict(os.environ))
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
async def test_a_small_shift_starts_and_everybody_gets_one_link() -> None:
    out = await printed("benchmarks.shift_start", "--people", "8", "--settle", "0.2")
    for kind in ("warm", "cold"):
        assert f"{kind}: 8 commands at once took" in out
    assert out.count("links 8, creates 8, told twice 0") == 2
    assert "somebody read" not in out


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
async def test_the_cost_of_the_languages_is_measured() -> None:
    out = await printed("benchmarks.languages", "--rounds", "1", "--commands", "3", "--cold")
    figures = re.findall(r"^(\w+): with [\d.]+, without [\d.]+: [\d.]+ x$", out, re.MULTILINE)
    assert figures == ["ready_ms", "start_cpu_ms", "cpu_ms"]


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_the_cost_of_a_workspace_is_measured(transport: str) -> None:
    how = ("--rounds", "1", "--turns", "1", "--seconds", "0.3", "--settle", "0.1", "--idle", "0.1", "--cold")
    whom = ("--workspaces", "3", "--people", "12", "--transport", transport)
    out = await printed("benchmarks.workspaces", *how, *whom)
    added = re.findall(r"^(\w+): -?[\d.]+ \(from [\d.]+ to [\d.]+\)$", out, re.MULTILINE)
    assert added == ["ready_ms", "start_cpu_ms", "rss_mb", "pss_mb"]
    assert len(re.findall(r"many of a file / one of a file: [\d.]+ x \(", out)) == 2
    assert "Lost or refused commands: 0" in out
