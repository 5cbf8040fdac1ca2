"""Processes with several workspaces die, stop and change: each accepted request is answered once, in its workspace."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Delivery
from tests.support import bot_processes
from tests.support.app import ANA
from tests.support.postgres import new_database
from tests.support.proxy import types
from tests.support.replicas import is_refused, until
from tests.support.several import Tables
from tests.support.several_processes import WORKSPACES, SeveralProcesses, open_processes

database = bot_processes.database
SHUTDOWN_SECONDS = 4.0
Deliveries = dict[str, list[Delivery]]


@pytest.fixture
async def bots(database: str, tmp_path: Path) -> AsyncIterator[SeveralProcesses]:
    async with open_processes(tmp_path, database) as opened:
        yield opened


async def commands(bots: SeveralProcesses, count: int) -> Deliveries:
    """Send commands in each workspace, all at once. Return those that were acknowledged."""
    found: Deliveries = {}
    for name, each in bots.servers.items():
        sent = [each.slack.command(ANA, f"{name} {number}") for number in range(count)]
        found[name] = [delivery for delivery in await asyncio.gather(*sent) if delivery.acked]
    return found


async def killed(bots: SeveralProcesses, *, latency_seconds: float = 5.0) -> Deliveries:
    """Kill a bot while it works on requests of each workspace, and return these."""
    process = await bots.start()
    for each in bots.servers.values():
        each.genesys.latency_seconds = latency_seconds
    sent = await commands(bots, 4)
    assert [len(them) for them in sent.values()] == [4, 4]
    assert not any(bots.told(name, each) for name, them in sent.items() for each in them)
    process.kill()
    await process.wait()
    for each in bots.servers.values():
        each.genesys.latency_seconds = 0.0
    return sent


async def test_killed_process_leaves_no_request_of_a_workspace_unanswered(bots: SeveralProcesses) -> None:
    sent = await killed(bots)
    await bots.start()
    await bots.answered(sent)
    for name, each in bots.servers.items():
        assert len(each.genesys.creates) <= 4
        assert {create.body["sessionName"].split()[0] for create in each.genesys.creates} <= {name}


async def test_request_of_a_removed_workspace_waits_until_it_is_back(bots: SeveralProcesses) -> None:
    sent = await killed(bots)
    text = bots.tables.texts["globex"]
    bots.tables.remove("globex")
    process = await bots.start()
    await bots.answered({"acme": sent["acme"]})
    await asyncio.sleep(1.0)
    assert not any(bots.told("globex", each) for each in sent["globex"])
    bots.tables.texts["globex"] = text
    bots.tables.write()
    bots.reread(process)
    await bots.answered(sent)


async def test_sigterm_finishes_the_requests_of_all_workspaces(bots: SeveralProcesses) -> None:
    process = await bots.start()
    for each in bots.servers.values():
        each.genesys.latency_seconds = 0.3
    sent = await commands(bots, 3)
    began = time.monotonic()
    process.terminate()
    assert await process.wait() == 0
    assert time.monotonic() - began < SHUTDOWN_SECONDS
    await bots.answered(sent)
    for name, them in sent.items():
        for each in them:
            assert bots.told(name, each)[0].startswith(bots.servers[name].genesys.url)


async def test_sigterm_interrupts_all_workspaces_in_time(bots: SeveralProcesses) -> None:
    process = await bots.start()
    for each in bots.servers.values():
        each.genesys.latency_seconds = 30.0
    sent = await commands(bots, 3)
    began = time.monotonic()
    process.terminate()
    assert await process.wait() == 0
    assert time.monotonic() - began < SHUTDOWN_SECONDS + 1.5
    await bots.answered(sent)


async def test_sigterm_interrupts_what_a_removed_workspace_finishes(bots: SeveralProcesses) -> None:
    process = await bots.start()
    for each in bots.servers.values():
        each.genesys.latency_seconds = 30.0
    sent = await commands(bots, 3)
    bots.tables.put("acme", bots.servers["acme"].environ | {"COBROWSE_LANGUAGE": "de"})
    bots.tables.remove("globex")
    bots.reread(process)
    await bots.ready(process, "acme")
    await asyncio.sleep(0.3)
    assert not any(bots.told(name, each) for name, them in sent.items() for each in them)
    began = time.monotonic()
    process.terminate()
    assert await process.wait() == 0
    assert time.monotonic() - began < SHUTDOWN_SECONDS + 1.5
    await bots.answered(sent)


async def test_hangup_reads_file_and_secrets_again(tmp_path: Path) -> None:
    async with open_processes(tmp_path, f"sqlite:///{tmp_path}/bot.db") as bots:
        process = await bots.start()
        acme = bots.servers["acme"].slack
        acme.dispatcher.http.signing_secret = "0" * 32
        assert (await acme.command(ANA, "help")).status == 401
        bots.tables.secret("acme", "SLACK_SIGNING_SECRET").write_text("0" * 32)
        bots.tables.remove("globex")
        bots.reread(process)
        async with asyncio.timeout(1.5):  # less than the time between two looks at the files
            await bots.ready(process, "acme")
            while (await acme.command(ANA, "help")).status == 401:
                pass


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
async def test_twenty_changes_under_load_lose_no_command(tmp_path: Path, database: str, http: bool) -> None:
    async with open_processes(tmp_path, database, http=http) as bots:
        process = await bots.start()

        async def change() -> None:
            for number in range(20):
                languages = {"COBROWSE_LANGUAGE": "de" if number % 2 else "en"}
                bots.tables.put("acme", bots.servers["acme"].environ | languages)
                bots.reread(process)
                await asyncio.sleep(0.2)

        changing = asyncio.create_task(change())
        typed = await asyncio.gather(*(types(bots.servers[name], 5.0) for name in WORKSPACES))
        await changing
        assert [each.lost for each in typed] == [[], []]
        await bots.answered({name: each.deliveries for name, each in zip(WORKSPACES, typed, strict=True)})
        for name, each in zip(WORKSPACES, typed, strict=True):
            refused = sum(map(is_refused, each.deliveries))
            assert not refused or database.startswith("postgresql"), "only a busy Postgres refuses"
            assert 50 - refused <= len(bots.servers[name].genesys.creates) <= 50
        log = bots.log.read_text()
        assert " ERROR " not in log
        assert "another bot uses" not in log
        process.terminate()
        assert await process.wait() == 0


async def test_renamed_workspace_goes_on_at_its_new_path(bots: SeveralProcesses) -> None:
    process = await bots.start()
    acme = bots.servers["acme"]
    acme.genesys.latency_seconds = 1.0
    sent = {"acme": [await acme.slack.command(ANA, "Deal")]}
    bots.tables.texts["initech"] = bots.tables.texts.pop("acme").replace("[acme]", "[initech]")
    bots.tables.write()
    bots.reread(process)
    await bots.ready(process, "globex", "initech")
    assert not (await acme.slack.command(ANA, "Refund")).acked
    url = f"http://127.0.0.1:{bots.ports[process]}"
    acme.slack.events_url = f"{url}/slack/events/initech"
    again = await acme.slack.command(ANA, "Checkout")
    assert again.acked
    await bots.answered({"acme": [*sent["acme"], again]})


async def test_file_without_a_workspace_changes_nothing(tmp_path: Path) -> None:
    async with open_processes(tmp_path, f"sqlite:///{tmp_path}/bot.db") as bots:
        process = await bots.start()
        texts = dict(bots.tables.texts)
        bots.tables.texts.clear()
        bots.tables.write()
        bots.reread(process)
        await until(lambda: "has no table" in bots.log.read_text())
        await bots.ready(process, *WORKSPACES)
        bots.tables.texts["globex"] = texts["globex"]
        bots.tables.write()
        bots.reread(process)
        await bots.ready(process, "globex")
        assert (await bots.servers["globex"].slack.command(ANA, "Deal")).acked
        bots.tables.texts["acme"] = texts["acme"]
        bots.tables.write()
        bots.reread(process)
        await bots.ready(process, *WORKSPACES)
        assert (await bots.servers["acme"].slack.command(ANA, "Deal")).acked


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
@pytest.mark.parametrize("away", [("acme",), WORKSPACES], ids=["one", "all"])
async def test_workspace_starts_as_soon_as_its_slack_answers(tmp_path: Path, http: bool, away: tuple[str, ...]) -> None:
    async with open_processes(tmp_path, f"sqlite:///{tmp_path}/bot.db", http=http) as bots:
        for name in away:
            bots.servers[name].slack.inject_fault("auth.test", "503")
        process = await bots.start(waits=False)
        present = [name for name in WORKSPACES if name not in away]
        async with asyncio.timeout(20):
            while True:
                status, body = await bots.readyz(process)
                found = body.get("workspaces", {})
                if status and all(found[name]["ready"] for name in present):
                    break
                await asyncio.sleep(0.1)
        assert status == (200 if present else 503)
        for name in present:
            delivery = await bots.servers[name].slack.command(ANA, "Deal")
            await bots.answered({name: [delivery]})
        for name in away:
            bots.servers[name].slack.inject_fault("auth.test", None)
        bots.reread(process)
        await bots.ready(process, *WORKSPACES)
        for name in away:
            await bots.answered({name: [await bots.servers[name].slack.command(ANA, "Deal")]})


# -- Two replicas --


async def test_replica_takes_over_the_requests_of_each_workspace(tmp_path: Path) -> None:
    async with new_database() as url, open_processes(tmp_path, url) as bots:
        other = await bots.start()
        sent = await killed(bots)
        assert other.returncode is None
        await bots.answered(sent)


async def test_replica_leaves_a_workspace_alone_that_it_does_not_have(tmp_path: Path) -> None:
    """A new file reaches one replica after the other. A request waits for a replica that has its workspace."""
    async with new_database() as url, open_processes(tmp_path, url) as bots:
        folder = tmp_path / "old"
        folder.mkdir()
        old = Tables(folder)
        old.put("acme", bots.servers["acme"].environ)
        behind = await bots.start(tables=old)
        sent = await killed(bots)
        await bots.answered({"acme": sent["acme"]})
        assert not any(bots.told("globex", each) for each in sent["globex"])
        old.put("globex", bots.servers["globex"].environ)
        bots.reread(behind)
        await bots.answered(sent)
