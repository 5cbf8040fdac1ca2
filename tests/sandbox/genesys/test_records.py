"""The records of the sandbox's Genesys over a real socket: which calls it counts, shows and drops."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.sandbox.genesys import records
from bot.sandbox.genesys.server import FAULTS
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import ANNA, SECRET, SESSIONS, Client, search_body

genesys, stranger, client = sandbox_genesys.genesys, sandbox_genesys.stranger, sandbox_genesys.client


async def test_every_request_is_counted_by_its_kind(client: Client) -> None:
    created = (await client.create())[2]
    path = f"{SESSIONS}/{created['id']}"
    wanted = [("GET", path), ("DELETE", path), ("GET", "/api/v2/cobrowse/applications"), ("GET", "/nowhere")]
    wanted += [("POST", "/api/v2/users/search"), ("GET", urlsplit(created["joinUrl"]).path), ("PUT", SESSIONS)]
    statuses = [(await client.ask(method, path))[0] for method, path in wanted]
    assert statuses == [200, 204, 200, 404, 415, 200, 405]
    kinds = ["token", "create", "read", "end", "applications", "other", "search", "join", "other"]
    assert [call.kind for call in client.genesys.calls] == kinds
    assert [call.status for call in client.genesys.calls] == [200, 200, *statuses]
    assert (client.genesys.count("other"), client.genesys.count("create"), client.genesys.count("x")) == (2, 1, 0)


async def test_the_traffic_holds_no_secret(stranger: Client) -> None:
    lines: list[dict[str, Any]] = []
    stranger.genesys.on_traffic = lines.append
    await stranger.sign_in(iss="somebody")
    await stranger.sign_in()
    created = (await stranger.create())[2]
    await stranger.ask("GET", f"{SESSIONS}/{created['id']}")
    await stranger.ask("POST", "/api/v2/users/search", json=search_body(ANNA.email))
    await stranger.ask("GET", urlsplit(created["joinUrl"]).path)
    await stranger.ask("GET", f"/api/v2/redirected/{ANNA.email}")
    await stranger.genesys.inject_fault("403")
    await stranger.create()
    assert all(set(line) == {"from", "to", "method", "path", "status", "ms", "note"} for line in lines)
    assert [line["status"] for line in lines] == [401, 200, 200, 200, 200, 200, 404, 403]
    assert [line["path"] for line in lines[3:6]] == [f"{SESSIONS}/•••", "/api/v2/users/search", "/join/•••"]
    assert lines[0]["note"].startswith("The client assertion was refused")
    assert lines[-1]["note"] == FAULTS["403"]
    told = json.dumps(lines)
    code = created["joinUrl"].rsplit("/", 1)[1]
    assert not [secret for secret in (stranger.token, created["id"], code, ANNA.email, SECRET) if secret in told]


async def test_latency_holds_every_api_answer_back(client: Client) -> None:
    client.genesys.latency_seconds = 0.15
    before = time.monotonic()
    await client.create()
    assert time.monotonic() - before >= 0.15


async def test_old_entries_make_room(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_ENTRIES", 10)
    for number in range(25):
        await client.create(sessionName=str(number))
    server = client.genesys
    assert max(len(server.creates), len(server.calls), len(server.sessions), len(server._joins)) <= 10
    assert (server.creates[-1].body["sessionName"], server.count("create")) == ("24", 25)
