"""`start` and `sandbox --once` where sessions belong to conversations, as somebody types them."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.support.app import Servers, open_servers
from tests.support.cli import Run, typed
from tests.support.conversations import HOST, PUBLIC, SECRET

CHOSEN = {"GENESYS_COBROWSE_API": "conversations"}


async def started(directory: Path, servers: Servers, *arguments: str, **environ: str) -> Run:
    urls = {"GENESYS_API_URL": servers.genesys.url, "GENESYS_LOGIN_URL": servers.genesys.url}
    whole = PUBLIC | urls | {"GENESYS_CLIENT_ID": "sandbox-client", "GENESYS_HOST_USER_ID": HOST} | environ
    return await typed(directory, ["start", *arguments], {name: value for name, value in whole.items() if value})


async def test_start_takes_a_conversation_and_prints_link_and_code(tmp_path: Path) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        none = await started(tmp_path, servers)
        old, new = (servers.genesys.conversations.begin(HOST, name) for name in ("Carla <C>", "Carl"))
        address = f"https://apps.mypurecloud.com/directory/#/analytics/interactions/{new.id}/admin"
        several, by_id, by_address, elsewhere, other = await asyncio.gather(
            started(tmp_path, servers),
            started(tmp_path, servers, "--conversation", old.id),
            started(tmp_path, servers, "--conversation", address, "--json", COBROWSE_JOIN_URL_TEMPLATE=""),
            started(tmp_path, servers, "--conversation", address.replace(".com", ".de")),
            started(tmp_path, servers, "--conversation", old.id, GENESYS_COBROWSE_API="sessions"),
        )
        offers = {offer.conversation.id: offer for offer in servers.genesys.conversations.offers.values()}
    assert (none.code, none.out) == (1, "")
    assert "or paste its link. Its link goes behind --conversation. [no_conversation]" in none.err
    assert (several.code, several.out) == (1, "")
    assert "Carla <C> since" in several.err
    assert re.search(rf"since \d\d:\d\d UTC, {old.id}", several.err)
    assert (by_id.code, by_id.err) == (0, "")
    code = offers[old.id].join_code
    assert f"Join URL: https://help.example.com/cobrowse#{code}\nJoin Code: {code}\n" in by_id.out
    assert (by_address.code, by_address.err) == (0, "")
    answer = json.loads(by_address.out)
    assert sorted(answer) == ["hostUserId", "id", "joinCode", "status"]
    assert answer["joinCode"] == offers[new.id].join_code
    assert (elsewhere.code, elsewhere.out) == (1, "")
    assert "--conversation must be" in elsewhere.err
    assert (other.code, other.out) == (1, "")
    assert "GENESYS_COBROWSE_API=conversations" in other.err
    assert len(offers) == 2


async def test_once_prints_the_join_url_and_says_which_choice_there_is(tmp_path: Path) -> None:
    once = ["sandbox", "--once", "/cobrowse"]
    one, several, none, *needless = await asyncio.gather(
        typed(tmp_path, [*once, "--json"], CHOSEN),
        typed(tmp_path, [*once, "--conversations", "several", "--http"]),
        typed(tmp_path, [*once, "--conversations", "none"], CHOSEN),
        typed(tmp_path, [*once, "--genesys", "user-context"]),
        typed(tmp_path, [*once, "--genesys", "no-join-url", "--conversations", "one"]),
        typed(tmp_path, [*once, "--genesys", "unknown-application", "--conversations", "one"]),
    )
    assert (one.code, one.err) == (0, "")
    assert re.match(r"http://127\.0\.0\.1:\d+/messenger#\d{9}$", json.loads(one.out)["joinUrl"])
    assert (several.code, several.err) == (1, "")
    assert "Carla Customer · since" in several.out
    assert "[Start with Carla Customer]" in several.out
    assert (none.code, none.err) == (1, "")
    assert "don’t see a conversation" in none.out
    assert [(run.code, run.out) for run in needless] == [(2, "")] * 3
    assert ["choose, with --conversations" in run.err for run in needless] == [False, True, True]


def test_the_sandbox_names_a_setting_it_cannot_understand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from bot.cli.commands import main

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["sandbox", "--once", "/cobrowse"], env={"GENESYS_COBROWSE_API": "public"})
    assert result.exit_code == 1
    assert "GENESYS_COBROWSE_API" in result.output
