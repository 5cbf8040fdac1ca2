"""DATABASE_URL with a real Postgres: which parameters work, and what the bot says about those that it leaves out."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.check import run_checks
from bot.cli.commands import main
from bot.config import settings
from bot.storage.open import open_store
from tests.support.app import open_servers
from tests.support.postgres import new_database


async def test_a_percent_encoded_password_gets_to_postgres() -> None:
    async with new_database() as url:
        clean = url.replace("postgres@", "postgres:%23%40%2F%3F%5B%5D%25@", 1)
        assert settings.load_part(settings.read_database, {"DATABASE_URL": clean}).url == clean
        async with open_store(clean):
            pass


async def test_a_parameter_that_is_left_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with new_database() as url, open_servers() as servers:
        given = {"DATABASE_URL": f"{url}&connect_timeout=10&keepalives=1"}
        found = {each.name: each for each in await run_checks(servers.environ | given)}
        assert "connect_timeout, keepalives" in found["parameters"].message
        assert found["database"].status.value == "right"
        result = await asyncio.to_thread(lambda: CliRunner().invoke(main, ["hosts", "list"], env=given))
        assert result.exit_code == 0
        for name in ("connect_timeout", "keepalives"):
            assert f"a parameter of DATABASE_URL is left out parameter={name}" in result.stderr
