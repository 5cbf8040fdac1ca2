"""A short soak test: random kills and cut connections under load, on both databases. `make soak` runs a long one."""

from pathlib import Path

from tests.support.postgres import new_database
from tests.support.soak import soak


async def test_one_killed_process_on_sqlite_keeps_every_promise(tmp_path: Path) -> None:
    report = await soak(f"sqlite:///{tmp_path / 'bot.db'}", tmp_path, replicas=1, seconds=6, rate=15, seed=3)
    assert report.faults == []
    assert report.kills >= 1
    assert report.links >= report.acknowledged / 2 > 10


async def test_two_killed_replicas_on_postgres_keep_every_promise(tmp_path: Path) -> None:
    async with new_database() as url:
        report = await soak(url, tmp_path, replicas=2, seconds=6, rate=15, seed=4)
    assert report.faults == []
    assert report.kills >= 1
    assert report.cuts.total() >= 1
    assert report.links >= (report.acknowledged - report.refused) / 2 > 10
