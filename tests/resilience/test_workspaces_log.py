"""Each line of the log names the workspace for which the bot works, and no id of another one."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.support import bot_processes
from tests.support.app import ADA, ANA, BEN
from tests.support.customer_messages import NUMBER
from tests.support.forked import Forked
from tests.support.session_buttons import END, confirms
from tests.support.several import journey
from tests.support.several_processes import WORKSPACES, SeveralProcesses, open_processes
from tests.support.views import opens_home

database = bot_processes.database
OF_PROCESS = {
    ("bot.workspaces.run", "stopping"),
    ("bot.workspaces.run", "stopped"),
    ("bot.config.reload.watcher", "the files of secrets are read again"),
    ("bot.config.reload.workspaces", "changed workspaces were read"),
}
"""The lines about the process, which belong to no workspace."""


async def does_everything(bots: SeveralProcesses, process: Forked, name: str) -> None:
    """Let people of a workspace do what works and what fails, so that the bot logs both."""
    servers = bots.servers[name]
    own = journey(servers, f"http://127.0.0.1:{bots.ports[process]}", name, bots.close)
    card = await own.asks("Deal")
    await opens_home(own, ADA)
    await confirms(own.slack, ANA, card, END)
    for text in ("end", "status", "whoami", "end 12345678", f"send {NUMBER}", "why"):
        await own.asks(text)
    own.slack.inject_fault("response_url", "500", times=2)
    await own.asks("last")
    for fault in ("401", "500", "dropped", "403"):
        await own.genesys.inject_fault(fault)
        await own.asks("Failing")
    await own.genesys.inject_fault("down")
    await own.asks("Failing")
    await own.genesys.inject_fault(None)
    own.slack.inject_fault("users.info", "internal_error", times=1)
    await own.asks("whoami", who=BEN)
    own.slack.dispatcher.http.signing_secret = "0" * 32
    assert not (await own.slack.command(ANA, "Deal")).acked
    own.slack.dispatcher.http.signing_secret = servers.keys.signing_secret
    own.slack.inject_fault("auth.test", "invalid_auth", times=2)
    own.slack.inject_fault("chat.postEphemeral", "invalid_auth", times=1)
    own.slack.inject_fault("response_url", "404", times=1)
    assert (await own.slack.command(ANA, "Deal")).acked
    bots.tables.put(name, servers.environ | {"COBROWSE_LANGUAGE": "xx"})
    bots.reread(process)
    await asyncio.sleep(0.3)
    bots.tables.put(name, servers.environ | {"COBROWSE_LANGUAGE": "de"})
    bots.tables.secret(name, "SLACK_SIGNING_SECRET").write_text("")
    bots.reread(process)
    await asyncio.sleep(0.3)
    bots.tables.put(name, servers.environ)
    bots.reread(process)


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_each_line_names_its_workspace_and_no_id_of_another(
    tmp_path: Path, database: str, log_format: str
) -> None:
    more = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": log_format}
    async with open_processes(tmp_path, database, **more) as bots:
        process = await bots.start()
        await asyncio.gather(*(does_everything(bots, process, name) for name in WORKSPACES))
        bots.tables.remove("globex")
        bots.reread(process)
        await bots.ready(process, "acme")
        process.terminate()
        assert await process.wait() == 0
        lines = [read_line(line) for line in bots.log.read_text().splitlines() if line[:2] in ("20", '{"')]
        assert len(lines) > 60
        nameless = {(line["logger"], line["message"]) for line in lines if not line.get("workspace")}
        assert nameless <= OF_PROCESS
        for key in ("request", "session", "reference"):
            acme, globex = (values(of(lines, name), key) for name in WORKSPACES)
            assert acme
            assert globex
            assert not acme & globex
        for name, other in zip(WORKSPACES, reversed(WORKSPACES), strict=True):
            foreign = {*bots.servers[other].genesys.sessions, other}
            assert [line for line in of(lines, name) if any(each in str(line) for each in foreign)] == []


def of(lines: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    """Return the lines of one workspace."""
    return [line for line in lines if line.get("workspace") == name]


def values(lines: list[dict[str, str]], key: str) -> set[str]:
    """Return the values of a field."""
    return {str(line[key]) for line in lines if key in line} - {"None"}


def read_line(line: str) -> dict[str, str]:
    """Return the fields of a line of the log, in either form, with its logger and its message."""
    if line.startswith("{"):
        found: dict[str, str] = json.loads(line)
        return found
    _, _, logger, rest = line.split(" ", 3)
    message = re.split(r" \w+=", rest, maxsplit=1)[0]
    return {"logger": logger, "message": message, **dict(re.findall(r" (\w+)=(\"[^\"]*\"|\S+)", rest))}
