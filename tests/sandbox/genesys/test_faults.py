"""The sandbox's Genesys over a real socket: every fault that can be injected."""

import re
import time

import aiohttp
import pytest

from bot.sandbox.genesys.server import FAULTS, SandboxGenesys
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import SESSIONS, Client

genesys, stranger, client = sandbox_genesys.genesys, sandbox_genesys.stranger, sandbox_genesys.client


async def test_every_fault_has_a_sentence_and_a_test(request: pytest.FixtureRequest) -> None:
    own = "".join(path.read_text(encoding="utf-8") for path in request.path.parent.glob("test_*.py"))
    assert all(sentence.endswith(".") for sentence in FAULTS.values())
    assert [name for name in FAULTS if own.count(f'"{name}"') < 1] == []


async def test_a_fault_that_does_not_exist_is_refused(genesys: SandboxGenesys) -> None:
    for fault, how in [("nonsense", {}), ("slow", {"on": "elsewhere"}), ("invalid_client", {"on": "create"})]:
        with pytest.raises(ValueError, match=re.escape(fault)):
            await genesys.inject_fault(fault, **how)
    for how in [{"times": 0}, {"seconds": 1}]:
        with pytest.raises(ValueError, match=r"times|seconds"):
            await genesys.inject_fault("429", **how)


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("401", 401, "Invalid login credentials."),
        ("403", 403, "Missing required scope: cobrowse:session:write"),
        ("invalid-host", 400, "Invalid Host User"),
        ("unknown-application", 400, "Application Not Found"),
        ("bad-request", 400, "Not like this: <!channel>"),
        ("division", 403, "Unable to perform the requested action."),
        ("429", 429, "Rate limit exceeded."),
        ("503", 503, "The service is busy."),
        ("500", 500, "Internal server error."),
    ],
)
async def test_a_refusal_has_the_api_shape_and_does_not_act(
    client: Client, fault: str, status: int, message: str
) -> None:
    await client.genesys.inject_fault(fault, times=1)
    answer = await client.create()
    assert (answer[0], answer[2]["status"]) == (status, status)
    assert set(answer[2]) == {"message", "code", "status", "contextId", "details", "errors"}
    assert answer[2]["message"].startswith(message)
    assert answer[2]["contextId"] == answer[1]["ININ-Correlation-Id"]
    assert not client.genesys.sessions
    assert (await client.create())[0] == 200
    assert [create.created_session for create in client.genesys.creates] == [False, True]


async def test_words_of_a_bad_request_exceed_a_messages_length(client: Client) -> None:
    await client.genesys.inject_fault("bad-request")
    message = (await client.create())[2]["message"]
    assert len(message) > 300
    assert "<https://example.com|here>" in message


@pytest.mark.parametrize("fault", ["429", "503"])
@pytest.mark.parametrize("wait", [7, "Wed, 21 Oct 2026 07:28:00 GMT", None])
async def test_being_busy_says_how_long_as_it_was_told_to(client: Client, fault: str, wait: int | str | None) -> None:
    await client.genesys.inject_fault(fault, retry_after=wait)
    headers = (await client.create())[1]
    assert headers.get("Retry-After") == (None if wait is None else str(wait))


async def test_being_busy_asks_for_a_second_when_told_nothing(client: Client) -> None:
    await client.genesys.inject_fault("429")
    assert (await client.create())[1]["Retry-After"] == "1"


async def test_500_twice_fails_twice_and_then_works(client: Client) -> None:
    await client.genesys.inject_fault("500-twice")
    assert [(await client.create())[0] for _ in range(3)] == [500, 500, 200]
    assert [create.created_session for create in client.genesys.creates] == [False, False, True]


async def test_a_fault_without_a_number_lasts_until_it_is_mended(client: Client) -> None:
    await client.genesys.inject_fault("500")
    assert [(await client.create())[0] for _ in range(4)] == [500] * 4
    await client.genesys.inject_fault(None)
    assert (await client.create())[0] == 200


@pytest.mark.parametrize("fault", ["502", "504", "408"])
@pytest.mark.parametrize("acts", [True, False])
async def test_gateway_answers_with_its_page_after_the_service_acted(client: Client, fault: str, acts: bool) -> None:
    await client.genesys.inject_fault(fault, **({} if acts else {"processes": False}))
    status, headers, page = await client.create()
    assert (status, headers["Content-Type"].split(";")[0]) == (int(fault), "text/html")
    assert page.startswith("<html>")
    assert [create.created_session for create in client.genesys.creates] == [acts]
    assert list(client.genesys.sessions) == ([client.genesys.creates[0].session_id] if acts else [])


async def test_a_500_may_have_acted_when_told_so(client: Client) -> None:
    await client.genesys.inject_fault("500", processes=True)
    assert (await client.create())[0] == 500
    assert client.genesys.creates[0].created_session


@pytest.mark.parametrize(
    ("fault", "missing"),
    [("no-join-url", "joinUrl"), ("no-id", "id")],
)
async def test_an_answer_may_miss_what_matters(client: Client, fault: str, missing: str) -> None:
    await client.genesys.inject_fault(fault)
    status, _, body = await client.create()
    wanted = {"id", "joinUrl", "status", "hostUserId", "sessionName", "timeoutSeconds"}
    assert (status, set(body)) == (200, wanted - {missing})
    assert client.genesys.creates[0].session_id in client.genesys.sessions


async def test_an_answer_may_be_no_json_or_no_object(client: Client) -> None:
    await client.genesys.inject_fault("not-json")
    status, headers, page = await client.create()
    assert (status, headers["Content-Type"].split(";")[0], page[:6]) == (200, "text/html", "<html>")
    await client.genesys.inject_fault("not-object")
    status, _, body = await client.create()
    assert (status, type(body)) == (200, list)
    assert [create.created_session for create in client.genesys.creates] == [True, True]


@pytest.mark.parametrize(
    ("fault", "start"), [("http-join-url", "http://example.com/"), ("js-join-url", "javascript:alert(1)")]
)
async def test_a_join_url_may_be_one_that_nobody_should_open(client: Client, fault: str, start: str) -> None:
    await client.genesys.inject_fault(fault)
    status, _, body = await client.create()
    assert status == 200
    assert body["joinUrl"].startswith(start)
    assert body["id"] in client.genesys.sessions


async def test_a_spoilt_answer_leaves_a_real_refusal_as_it_is(client: Client) -> None:
    for fault in ("no-join-url", "not-json", "js-join-url"):
        await client.genesys.inject_fault(fault)
        assert (await client.create(hostUserId="anna"))[2]["message"] == "Invalid Host User"


async def test_redirect_points_elsewhere_and_a_follower_is_seen(client: Client) -> None:
    await client.genesys.inject_fault("redirect")
    status, headers, _ = await client.create()
    assert (status, headers["Location"]) == (302, "/redirected")
    assert not client.genesys.creates[0].created_session
    assert "/redirected" not in [call.path for call in client.genesys.calls]
    assert (await client.ask("POST", "/redirected", json={}))[0] == 200
    assert (client.genesys.calls[-1].path, client.genesys.calls[-1].kind) == ("/redirected", "other")


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("invalid_client", 401, "invalid_client"),
        ("invalid_scope", 400, "invalid_scope"),
        ("unauthorized_client", 400, "unauthorized_client"),
        ("access_denied", 403, "access_denied"),
    ],
)
async def test_a_sign_in_fails_in_the_oauth_shape(stranger: Client, fault: str, status: int, error: str) -> None:
    await stranger.genesys.inject_fault(fault, on="token", times=1)
    answer = await stranger.sign_in()
    assert (answer[0], answer[2]["error"]) == (status, error)
    assert set(answer[2]) == {"error", "error_description"}
    assert (await stranger.sign_in())[0] == 200


async def test_a_sign_in_fails_in_the_words_that_were_asked_for(stranger: Client) -> None:
    await stranger.genesys.inject_fault("invalid_client", on="token", message="Other words.")
    assert (await stranger.sign_in())[2]["error_description"] == "Other words."


async def test_a_firewall_answers_with_a_page(stranger: Client) -> None:
    await stranger.genesys.inject_fault("firewall", on="token", times=1)
    status, headers, body = await stranger.sign_in()
    assert (status, headers["Content-Type"].partition(";")[0]) == (403, "text/html")
    assert "Forbidden" in body
    assert (await stranger.sign_in())[0] == 200


async def test_a_sign_in_may_answer_without_a_token(stranger: Client) -> None:
    await stranger.genesys.inject_fault("no-token", on="token")
    status, _, body = await stranger.sign_in()
    assert (status, set(body)) == (200, {"token_type", "expires_in"})


async def test_a_sign_in_may_be_busy_broken_slow_or_dropped(stranger: Client) -> None:
    for fault in ("429", "500", "503"):
        await stranger.genesys.inject_fault(fault, on="token")
        assert (await stranger.sign_in())[0] == int(fault)
    await stranger.genesys.inject_fault("dropped", on="token")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await stranger.sign_in()
    await stranger.genesys.inject_fault("slow", on="token", seconds=0.1)
    before = time.monotonic()
    assert (await stranger.sign_in())[0] == 200
    assert time.monotonic() - before >= 0.1


async def test_faults_on_different_calls_stand_side_by_side(client: Client) -> None:
    created = (await client.create())[2]
    calls = {
        "search": ("POST", "/api/v2/users/search"),
        "applications": ("GET", "/api/v2/cobrowse/applications"),
        "create": ("POST", SESSIONS),
        "read": ("GET", f"{SESSIONS}/{created['id']}"),
        "end": ("DELETE", f"{SESSIONS}/{created['id']}"),
    }
    wanted = dict(zip(calls, ("429", "503", "500", "401", "403"), strict=True))
    for on, fault in wanted.items():
        await client.genesys.inject_fault(fault, on=on, times=1)
    for on, (method, path) in calls.items():
        assert (await client.ask(method, path))[0] == int(wanted[on]), on
    assert client.genesys.sessions[created["id"]].status == "active"
    assert (await client.ask(*calls["end"]))[0] == 204
