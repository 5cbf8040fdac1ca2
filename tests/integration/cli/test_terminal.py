"""Terminals that are not UTF-8: every command prints its text, and exits as on other terminals."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.support.app import start
from tests.support.settings import DEAD

# Where Python is told ASCII, click writes UTF-8.
ENCODINGS = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp437"},
    {"PYTHONIOENCODING": "latin-1:strict"},
]


async def typed(
    directory: Path, environ: dict[str, str], *arguments: str, interpreter: bool = False
) -> tuple[int | None, bytes, bytes]:
    process = await start(directory, DEAD | environ, *arguments, interpreter=interpreter)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out, err


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda each: each["PYTHONIOENCODING"])
async def test_check_prints_its_report_with_signs_that_differ(tmp_path: Path, encoding: dict[str, str]) -> None:
    code, out, err = await typed(tmp_path, encoding | {"PORT": "none"}, "check", interpreter=encoding == ENCODINGS[0])
    assert (code, b"Traceback" in err) == (1, False), err
    lines = out.decode("latin-1").splitlines()
    assert any(line.startswith("x settings") for line in lines), lines
    assert any(line.startswith("- slack token") for line in lines), lines
    assert any("> " in line for line in lines)
    assert re.match(r"\d+ errors?, ", lines[-1])


async def test_help_and_json_are_printed_too(tmp_path: Path) -> None:
    environ = ENCODINGS[0]
    for arguments in (("--help",), ("check", "--help"), ("start", "--help")):
        code, out, err = await typed(tmp_path, environ, *arguments)
        assert (code, err) == (0, b""), err
        assert out
    code, out, err = await typed(tmp_path, environ | {"COBROWSE_CHANNELS": "#“desk”"}, "check", "--json")
    assert (code, b"Traceback" in err) == (1, False), err
    said = json.loads(out.decode("ascii"))
    assert any("“desk”" in each["what"] for each in said["findings"])


async def test_run_says_its_faults_too(tmp_path: Path) -> None:
    code, _, err = await typed(tmp_path, ENCODINGS[0] | {"COBROWSE_CHANNELS": "#desk…"}, "run", interpreter=True)
    assert code == 1
    assert b"COBROWSE_CHANNELS" in err
