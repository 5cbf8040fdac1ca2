"""The public API of the sandbox's Genesys: its answers, its checks of requests, and its refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID, LIVE_COUNTS
from bot.sandbox.genesys.server import SandboxGenesys
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import ANNA, SECRET, TWIN, Client, search_body

genesys, stranger = sandbox_genesys.genesys, sandbox_genesys.stranger
QUERY = "/api/v2/analytics/conversations/details/query"
SMS, EMAIL = "/api/v2/conversations/messages/agentless", "/api/v2/conversations/emails/agentless"
NOWHERE = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
async def client(stranger: Client) -> Client:
    await stranger.sign_in_with_secret(SECRET)
    return stranger


def query(**changes: object) -> dict[str, object]:
    open_ = {"type": "dimension", "operator": "notExists"}
    user = {"type": "dimension", "dimension": "userId", "operator": "matches", "value": ANNA.id}
    now = datetime.now(UTC)
    body: dict[str, object] = {
        "interval": f"{(now - timedelta(days=2)).isoformat()}/{(now + timedelta(minutes=5)).isoformat()}",
        "order": "desc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": 20, "pageNumber": 1},
        "conversationFilters": [{"type": "and", "predicates": [{**open_, "dimension": "conversationEnd"}]}],
        "segmentFilters": [{"type": "and", "predicates": [user, {**open_, "dimension": "segmentEnd"}]}],
    }
    return body | changes


@pytest.mark.parametrize("choice", LIVE_COUNTS)
async def test_every_agent_is_in_as_many_conversations_as_were_chosen(
    genesys: SandboxGenesys, client: Client, choice: str
) -> None:
    genesys.conversations.set_live_count("several")
    genesys.conversations.set_live_count(choice)
    status, _, body = await client.ask("POST", QUERY, json=query())
    assert status == 200
    assert len(body.get("conversations", [])) == LIVE_COUNTS[choice]
    assert (choice != "none") == bool(body)
    for found in body.get("conversations", []):
        status, _, shown = await client.ask("GET", f"/api/v2/conversations/{found['conversationId']}")
        assert (status, shown["id"]) == (200, found["conversationId"])


async def test_conversation_ends_only_once(genesys: SandboxGenesys) -> None:
    conversation = genesys.conversations.begin(ANNA.id, "Carla")
    genesys.conversations.set_live_count("none")
    conversation.ended_at = 1.0
    genesys.conversations.set_live_count("one")
    assert conversation.ended_at == 1.0


async def test_analytics_know_a_conversation_by_day_and_page(genesys: SandboxGenesys, client: Client) -> None:
    old, new = (genesys.conversations.begin(ANNA.id, name, minutes=m) for name, m in (("Old", 3 * 1440), ("New", 1)))
    genesys.conversations.begin(TWIN.id, "Not hers")
    late = genesys.conversations.begin(ANNA.id, "Too new")
    late.in_analytics = False
    _, _, body = await client.ask("POST", QUERY, json=query())
    assert [one["conversationId"] for one in body["conversations"]] == [new.id]
    old.since = new.since - 1
    for number, wanted in ((1, new), (2, old)):
        _, _, body = await client.ask("POST", QUERY, json=query(paging={"pageSize": 1, "pageNumber": number}))
        assert [one["conversationId"] for one in body["conversations"]] == [wanted.id]
        assert body["totalHits"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"interval": None},
        {"interval": "yesterday/today"},
        {"interval": "2026-01-01T00:00:00Z/2026-03-01T00:00:00Z"},
        {"interval": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"},
        {"order": "sideways"},
        {"orderBy": "segmentEnd"},
        {"paging": None},
        {"paging": {"pageSize": 0, "pageNumber": 1}},
        {"conversationFilters": []},
        {"conversationFilters": [{"type": "or", "predicates": []}]},
        {"segmentFilters": [{"type": "and", "predicates": [{"type": "metric"}]}]},
        {"segmentFilters": [{"type": "and", "predicates": [{"type": "dimension", "operator": "exists"}]}]},
        {
            "segmentFilters": [
                {"type": "and", "predicates": [{"type": "dimension", "dimension": "ani", "operator": "exists"}]}
            ]
        },
        {"userId": ANNA.id},
    ],
)
async def test_query_not_understood_is_refused_without_results(
    genesys: SandboxGenesys, client: Client, change: dict[str, object]
) -> None:
    genesys.conversations.set_live_count("several")
    status, _, body = await client.ask("POST", QUERY, json=query(**change))
    assert (status, body["status"]) == (400, 400)


async def test_nothing_but_the_offer_is_served_without_a_token(genesys: SandboxGenesys, stranger: Client) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    place = f"/api/v2/conversations/{live.id}"
    calls = [("POST", QUERY), ("GET", place), ("POST", f"{place}/cobrowse"), ("GET", "/api/v2/users/me")]
    for method, path in (*calls, ("POST", SMS), ("POST", EMAIL)):
        assert (await stranger.ask(method, path, json={}))[0] == 401, path
    await stranger.sign_in_with_secret(SECRET)
    _, _, offer = await stranger.ask("POST", f"{place}/cobrowse")
    stranger.token = ""
    for name in (offer["id"], offer["joinCode"]):
        path = f"/api/v2/webdeployments/deployments/{DEPLOYMENT_ID}/cobrowse/{name}"
        assert (await stranger.ask("GET", path))[0] == 200
        assert (await stranger.ask("GET", path.replace(DEPLOYMENT_ID, NOWHERE)))[0] == 404
    assert (await stranger.ask("DELETE", path))[0] == 204
    assert (await stranger.ask("DELETE", path))[0] == 404


async def test_an_offer_takes_no_body_and_a_conversation_that_lasts(genesys: SandboxGenesys, client: Client) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    path = f"/api/v2/conversations/{live.id}/cobrowse"
    assert (await client.ask("POST", path, json={"hostUserId": ANNA.id}))[0] == 400
    assert (await client.ask("POST", path))[0] == 200
    _, _, first = await client.ask("POST", path, json=None)
    assert first["communicationType"] == "Message"
    live.end()
    assert (await client.ask("POST", path))[0] == 400
    assert (await client.ask("POST", path.replace(live.id, NOWHERE)))[0] == 404


async def test_signed_in_user_is_known_and_a_client_is_refused(genesys: SandboxGenesys, client: Client) -> None:
    status, _, body = await client.ask("GET", "/api/v2/users/me")
    assert (status, "user context" in body["message"]) == (400, True)
    live = genesys.conversations.begin(ANNA.id, "Carla")
    genesys.conversations.requires_user = True
    path = f"/api/v2/conversations/{live.id}/cobrowse"
    assert (await client.ask("POST", path))[0] == 400
    client.token = genesys.sign_in(ANNA.id)
    assert (await client.ask("GET", "/api/v2/users/me"))[2]["id"] == ANNA.id
    assert (await client.ask("POST", path))[0] == 200
    assert (await client.ask("POST", "/api/v2/users/search", json=search_body("anna@example.com")))[0] == 200


GOOD_SMS = {
    "fromAddress": "+14155550100",
    "toAddress": "+14155550123",
    "toAddressMessengerType": "sms",
    "textBody": "x",
}
GOOD_EMAIL = {
    "senderType": "Outbound",
    "fromAddress": {"email": "care@example.com"},
    "toAddresses": [{"email": "<b>@example.com"}],
    "subject": "Your <link>",
    "textBody": "Hello",
}


@pytest.mark.parametrize(
    ("path", "good", "change"),
    [
        *(
            (SMS, GOOD_SMS, change)
            for change in ({"toAddress": "4155550123"}, {"fromAddress": "care"}, {"textBody": ""})
        ),
        *((SMS, GOOD_SMS, change) for change in ({"textBody": "x" * 766}, {"toAddressMessengerType": "fax"}, {"x": 1})),
        *(
            (EMAIL, GOOD_EMAIL, change)
            for change in ({"senderType": "x"}, {"toAddresses": []}, {"subject": ""}, {"x": 1})
        ),
        (EMAIL, GOOD_EMAIL, {"toAddresses": [{"email": "a@b.example"}, {"email": "c@d.example"}]}),
        (EMAIL, GOOD_EMAIL, {"fromAddress": {"email": "nobody"}}),
    ],
)
async def test_the_outbox_takes_only_what_genesys_would_send(
    genesys: SandboxGenesys, client: Client, path: str, good: dict[str, object], change: dict[str, object]
) -> None:
    assert (await client.ask("POST", path, json=good | change))[0] == 400
    assert genesys.outbox.sent == []
    genesys.conversations.missing_permissions |= {"conversation:message:create", "conversation:email:create"}
    status, _, _ = await client.ask("POST", path, json=good)
    assert status == (403 if path == SMS else 200)  # an email can be sent with another permission, too


async def test_an_sms_beside_an_active_conversation_is_refused(genesys: SandboxGenesys, client: Client) -> None:
    await genesys.inject_fault("active-conversation", on="sms")
    status, _, body = await client.ask("POST", SMS, json=GOOD_SMS)
    assert status == 400
    assert "useExistingActiveConversation" in body["message"]
    assert genesys.outbox.sent == []


async def test_the_outbox_shows_what_was_sent_and_no_markup_of_it(genesys: SandboxGenesys, client: Client) -> None:
    assert "No messages yet" in (await client.ask("GET", "/outbox"))[2]
    for path, body in ((SMS, GOOD_SMS), (EMAIL, GOOD_EMAIL)):
        assert (await client.ask("POST", path, json=body))[0] == 200
    _, headers, shown = await client.ask("GET", "/outbox")
    assert "&lt;b&gt;@example.com" in shown
    assert "Your &lt;link&gt;" in shown
    assert GOOD_SMS["toAddress"] in shown
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_messenger_joins_and_stops_only_its_offer(genesys: SandboxGenesys, client: Client) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    _, _, offer = await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")

    async def act(what: str, code: str = offer["joinCode"], deployment: str = DEPLOYMENT_ID) -> str:
        status, headers, body = await client.ask("POST", f"/messenger/{deployment}/{code}/{what}")
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
        return body["state"]

    assert [await act("read"), await act("read", "000"), await act("read", deployment=NOWHERE)] == [
        "offered",
        "ended",
        "ended",
    ]
    assert await act("join") == "joined"
    assert live.cobrowse_session_id == offer["id"]
    _, _, shown = await client.ask("GET", f"/api/v2/conversations/{live.id}")
    assert shown["participants"][0]["cobrowsesessions"][0]["cobrowseSessionId"] == offer["id"]
    assert await act("stop") == "ended"
    assert live.cobrowse_session_id is None


@pytest.mark.parametrize(
    ("action", "causes"),
    [("stop", ("client", "peer")), ("expire", ("timeout", "timeout")), ("DELETE", ("peer", "client"))],
)
async def test_conversation_shows_how_a_session_ended(
    genesys: SandboxGenesys, client: Client, action: str, causes: tuple[str, str]
) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    _, _, offer = await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")

    async def parts() -> list[dict[str, Any]]:
        _, _, shown = await client.ask("GET", f"/api/v2/conversations/{live.id}")
        return [part for person in shown["participants"] for part in person.get("cobrowsesessions", ())]

    customer = f"/messenger/{DEPLOYMENT_ID}/{offer['joinCode']}"
    assert await parts() == []
    await client.ask("POST", f"{customer}/join")
    sharer, viewer = await parts()
    assert [sharer["state"], viewer["state"], sharer["cobrowseRole"]] == ["connected", "connected", "sharer"]
    status, _, page = await client.ask("GET", viewer["viewerUrl"].removeprefix(genesys.url))
    assert (status, "screen" in str(page)) == (200, True)
    if action == "DELETE":
        await client.ask("DELETE", f"/api/v2/webdeployments/deployments/{DEPLOYMENT_ID}/cobrowse/{offer['id']}")
    else:
        await client.ask("POST", f"{customer}/{action}")
    ended = await parts()
    assert tuple(each["disconnectType"] for each in ended) == causes
    assert {each["state"] for each in ended} == {"disconnected"}


async def test_offer_whose_time_runs_out_is_gone(genesys: SandboxGenesys, client: Client) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    _, _, offer = await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")
    customer = f"/messenger/{DEPLOYMENT_ID}/{offer['joinCode']}"
    for action in ("expire", "join"):
        assert (await client.ask("POST", f"{customer}/{action}"))[2]["state"] == "ended"


async def test_faults_strike_offers_and_can_drop_the_code(genesys: SandboxGenesys, client: Client) -> None:
    live = genesys.conversations.begin(ANNA.id, "Carla")
    for fault, status in (("user-context", 400), ("500", 500), ("no-join-code", 200)):
        await genesys.inject_fault(fault, times=1)
        answer = await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")
        assert answer[0] == status
        assert "joinCode" not in answer[2]
    assert [create.created_session for create in genesys.creates] == [False, False, True]
