"""The API of the sandbox's Genesys over a real socket: what it accepts, what it refuses, and its answers."""

import io
import re
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.sandbox.genesys.server import GenesysUser
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import ALSO, ANNA, BARE, GONE, IDLE, SESSIONS, TWIN, Client, create_body, search_body

genesys, stranger, client = sandbox_genesys.genesys, sandbox_genesys.stranger, sandbox_genesys.client


async def test_a_create_answers_as_the_contract_says_and_is_on_record(client: Client) -> None:
    before = time.monotonic()
    headers = {"X-Genesys-Application-Name": "cobrowse-bot/1"}
    status, _, body = await client.ask("POST", SESSIONS, json=create_body(), headers=headers)
    assert status == 200
    assert set(body) == {"id", "joinUrl", "status", "hostUserId", "sessionName", "timeoutSeconds"}
    assert (body["status"], body["hostUserId"], body["sessionName"]) == ("active", ANNA.id, "Checkout help")
    assert body["joinUrl"].startswith(client.genesys.url + "/join/")
    (create,) = client.genesys.creates
    assert (create.body, create.created_session, create.session_id) == (create_body(), True, body["id"])
    assert create.headers["x-genesys-application-name"] == "cobrowse-bot/1"
    assert before < create.at < time.monotonic()
    session = client.genesys.sessions[body["id"]]
    assert (session.host_user_id, session.name, session.application_id) == (ANNA.id, "Checkout help", "web")
    assert (session.join_url, session.timeout_seconds, session.status) == (body["joinUrl"], 1800, "active")
    assert abs(session.created_at - time.time()) < 5


async def test_two_creates_share_nothing(client: Client) -> None:
    bodies = [(await client.create())[2] for _ in range(2)]
    assert bodies[0]["id"] != bodies[1]["id"]
    assert bodies[0]["joinUrl"] != bodies[1]["joinUrl"]


async def test_every_answer_has_a_reference_and_the_rate_limit(client: Client) -> None:
    first, second, refused = await client.create(), await client.create(), await client.create(sessionName=1)
    references = {answer[1]["ININ-Correlation-Id"] for answer in (first, second, refused)}
    assert len({uuid.UUID(reference) for reference in references}) == 3
    assert [answer[1]["inin-ratelimit-count"] for answer in (first, second, refused)] == ["1", "2", "3"]
    assert first[1]["inin-ratelimit-allowed"] == "300"
    assert 0 < int(first[1]["inin-ratelimit-reset"]) <= 60
    assert set(refused[2]) == {"message", "code", "status", "contextId", "details", "errors"}
    assert refused[2]["contextId"] == refused[1]["ININ-Correlation-Id"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"hostUserId": str(uuid.uuid4())}, "Invalid Host User", id="unknown host"),
        pytest.param({"hostUserId": "anna"}, "Invalid Host User", id="host that is no UUID"),
        pytest.param({"hostUserId": f"{{{ANNA.id}}}"}, "Invalid Host User", id="host in braces"),
        pytest.param({"hostUserId": None}, "Invalid Host User", id="no host"),
        pytest.param({"hostUserId": IDLE.id}, "Invalid Host User", id="inactive host"),
        pytest.param({"hostUserId": GONE.id}, "Invalid Host User", id="deleted host"),
        pytest.param({"hostUserId": BARE.id}, "Invalid Host User", id="host without a license"),
        pytest.param({"application": {"id": "x", "type": "web"}}, "Application Not Found", id="unknown application"),
        pytest.param({"application": "web"}, "application must", id="application that is no object"),
        pytest.param({"application": {"id": "web"}}, "application must", id="application without type"),
        pytest.param({"sessionName": None}, "sessionName must", id="no name"),
        pytest.param({"timeoutSeconds": "1800"}, "timeoutSeconds must", id="time-out in words"),
        pytest.param({"timeoutSeconds": True}, "timeoutSeconds must", id="time-out that is true"),
        pytest.param({"timeoutSeconds": 0}, "timeoutSeconds must", id="no time at all"),
        pytest.param({"metadata": {"a": 1}}, "metadata must", id="metadata that is no string"),
        pytest.param({"metadata": []}, "metadata must", id="metadata that is no object"),
        pytest.param({"extra": 1}, "The body must", id="a field nobody knows"),
    ],
)
async def test_a_create_that_is_not_right_is_refused(client: Client, changes: dict[str, Any], message: str) -> None:
    status, _, body = await client.create(**changes)
    assert (status, body["status"]) == (400, 400)
    assert body["message"].startswith(message)
    assert [create.created_session for create in client.genesys.creates] == [False]
    assert not client.genesys.sessions


async def test_a_host_is_known_in_capital_letters_too(client: Client) -> None:
    assert (await client.create(hostUserId=ANNA.id.upper()))[0] == 200


async def test_a_create_that_is_no_json_object_is_refused_and_counted(client: Client) -> None:
    json_type = {"Content-Type": "application/json"}
    assert (await client.ask("POST", SESSIONS, data="{", headers=json_type))[0] == 400
    assert (await client.ask("POST", SESSIONS, data="[1]", headers=json_type))[0] == 400
    assert (await client.ask("POST", SESSIONS, data="{}", headers={"Content-Type": "text/plain"}))[0] == 415
    assert (await client.ask("POST", SESSIONS, data=io.BytesIO(b"x" * 2_000_000), headers=json_type))[0] == 413
    assert [create.body for create in client.genesys.creates] == [{}, {}, {}]


async def test_nothing_is_told_without_a_token(client: Client) -> None:
    wanted = [
        ("POST", SESSIONS),
        ("GET", f"{SESSIONS}/x"),
        ("DELETE", f"{SESSIONS}/x"),
        ("POST", "/api/v2/users/search"),
    ]
    wanted += [("GET", "/api/v2/cobrowse/applications"), ("GET", f"/api/v2/users/{ANNA.id}")]
    for client.token in ("", "wrong"):
        for method, path in wanted:
            status, _, body = await client.ask(method, path)
            assert (status, body["status"]) == (401, 401), path
    assert [create.created_session for create in client.genesys.creates] == [False, False]


async def test_a_scope_that_was_not_asked_for_is_missed(client: Client) -> None:
    await client.sign_in(form={"scope": "cobrowse:session:read"})
    status, _, body = await client.create()
    assert status == 403
    assert "cobrowse:session:write" in body["message"]
    await client.sign_in(form={"scope": "cobrowse:session:write"})
    path = f"{SESSIONS}/{(await client.create())[2]['id']}"
    for method in ("GET", "DELETE"):
        status, _, body = await client.ask(method, path)
        assert status == 403
        assert "cobrowse:session:read" in body["message"]


async def test_a_session_is_read_ended_and_read_again(client: Client) -> None:
    created = (await client.create())[2]
    path = f"{SESSIONS}/{created['id']}"
    assert (await client.ask("GET", path))[2] == created
    assert (await client.ask("DELETE", path))[0] == 204
    assert (await client.ask("GET", path))[2] == created | {"status": "ended"}
    assert client.genesys.sessions[created["id"]].status == "ended"
    for method in ("GET", "DELETE"):
        assert (await client.ask(method, f"{SESSIONS}/{uuid.uuid4()}"))[0] == 404


async def test_a_session_ends_by_itself(client: Client) -> None:
    created = (await client.create(timeoutSeconds=60))[2]
    client.genesys.sessions[created["id"]].created_at -= 60
    assert (await client.ask("GET", f"{SESSIONS}/{created['id']}"))[2]["status"] == "ended"


async def test_a_service_without_delete_says_405(client: Client) -> None:
    client.genesys.delete_supported = False
    created = (await client.create())[2]
    assert (await client.ask("DELETE", f"{SESSIONS}/{created['id']}"))[0] == 405
    assert client.genesys.sessions[created["id"]].status == "active"


async def test_applications_are_listed(client: Client) -> None:
    client.genesys.applications["shop"] = "The shop"
    body = (await client.ask("GET", "/api/v2/cobrowse/applications"))[2]
    assert body["entities"] == [{"id": "web", "name": "Web"}, {"id": "shop", "name": "The shop"}]
    assert (await client.create(application={"id": "shop", "type": "web"}))[0] == 200


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("anna@example.com", [ANNA]),
        ("ANNA@EXAMPLE.COM", [ANNA]),
        ("ian@example.com", [IDLE]),
        ("gus@example.com", []),
        ("anna", []),
        ("nna@example.com", []),
        ("twin@example.com", [TWIN, ALSO]),
    ],
)
async def test_a_search_finds_whole_addresses_of_users_who_are_there(
    client: Client, email: str, found: list[GenesysUser]
) -> None:
    status, _, body = await client.ask("POST", "/api/v2/users/search", json=search_body(email))
    assert (status, body["total"]) == (200, len(found))
    assert [(user["id"], user["email"], user["state"]) for user in body["results"]] == [
        (user.id, user.email, user.state) for user in found
    ]


async def test_a_search_finds_parts_of_names_and_addresses(client: Client) -> None:
    term = {"fields": ["name", "email"], "value": "ANNA", "type": "CONTAINS"}
    body = (await client.ask("POST", "/api/v2/users/search", json={"pageSize": 10, "query": [term]}))[2]
    assert ANNA.id in [user["id"] for user in body["results"]]
    assert all("anna" in f"{user['name']} {user['email']}".lower() for user in body["results"])


async def test_a_search_is_cut_at_its_page_size_and_counts_all(client: Client) -> None:
    body = search_body("twin@example.com") | {"pageSize": 1}
    answer = (await client.ask("POST", "/api/v2/users/search", json=body))[2]
    assert (len(answer["results"]), answer["total"]) == (1, 2)


@pytest.mark.parametrize(
    "body",
    [
        search_body("a@b.c", type="CONTAINS"),
        search_body("a@b.c", fields=["name"]),
        search_body("a@b.c", fields=["email", "name"]),
        search_body("a@b.c", operator="AND"),
        search_body(None),
        search_body("a@b.c") | {"sortBy": "name"},
        search_body("a@b.c") | {"pageSize": "2"},
        {"pageSize": 2, "query": []},
    ],
)
async def test_a_search_nobody_documented_is_refused(client: Client, body: dict[str, Any]) -> None:
    assert (await client.ask("POST", "/api/v2/users/search", json=body))[0] == 400


async def test_a_user_is_read_by_id(client: Client) -> None:
    status, _, body = await client.ask("GET", f"/api/v2/users/{IDLE.id.upper()}")
    assert (status, body["id"], body["name"], body["state"]) == (200, IDLE.id, "Ian Idle", "inactive")
    assert (await client.ask("GET", f"/api/v2/users/{uuid.uuid4()}"))[0] == 404


async def test_join_page_says_who_shares_and_loads_nothing(client: Client) -> None:
    created = (await client.create(sessionName="<script>alert(1)</script>"))[2]
    path = urlsplit(created["joinUrl"]).path
    status, headers, page = await client.ask("GET", path)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "You are about to share this page with Anna &lt;b&gt;Agent&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "It is open" in page
    assert re.search('<html lang="en">.*<title>.+</title>.*<main><h1>', page, re.DOTALL)
    assert re.findall(r"(?:src|href|url)\s*[=(]\s*\"?([^\"\s>)]*)", page) == ["data:,"]
    await client.ask("DELETE", f"{SESSIONS}/{created['id']}")
    assert "It is over" in (await client.ask("GET", path))[2]
    assert (await client.ask("GET", "/join/nothing"))[0] == 404
