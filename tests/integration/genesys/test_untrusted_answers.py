"""Test untrusted answers: ids that fold paths, hosts of join URLs, token lifetimes, look-alike email addresses."""

import time
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import sessions as service
from bot.config import settings
from bot.core.errors import MissReason, UnknownSessionError, UnusableAnswerError
from bot.core.hosts.resolver import NoMatch, only_active
from bot.core.models import DirectoryUser, SessionId
from bot.core.validation.display import JoinHosts
from bot.genesys.api import sessions
from bot.genesys.auth.client_credentials import httpx, read_token
from bot.genesys.client import parse_url
from bot.genesys.parsing import is_usable_id
from bot.genesys.rate_limit import RateWindow
from tests.support import sessions_api, spoilt_answers
from tests.support.app import ANA, SAM, Journey, is_failure, link, open_journey, open_servers, words
from tests.support.sessions_api import RecordingHooks, opened, record_of, session_request
from tests.support.settings import SOCKET, faults
from tests.support.storage import session

servers, spoilt = sessions_api.servers, spoilt_answers.spoilt
HOST = "2f7b0c9e-0000-4000-8000-000000000001"
KNOWN_HOST = "11111111-1111-4111-8111-111111111111"
"""A user of the sandbox's Genesys."""
FOLDING = [".", "..", "...", "a/..", "../a", "a/../b", "a/./b", "a//b", "/a", "a/", "/", "./", "..//"]
ODD = ["%2e%2e", "%2E", "..%2f", "..\\a", "..;/", "..?x", "..#x", "", " ", "..\n", "\u2024\u2024", "x" * 201]


@pytest.mark.parametrize("session_id", [*FOLDING, *ODD])
async def test_an_id_that_could_fold_away_is_an_unusable_answer(servers: Any, spoilt: Any, session_id: str) -> None:
    assert not is_usable_id(session_id)
    spoilt(lambda body: web.json_response({**body, "id": session_id}))
    async with opened(servers) as sessions:
        await servers.genesys.inject_fault("not-json")
        with pytest.raises(UnusableAnswerError) as refused:
            await sessions.create(session_request(), RecordingHooks())
        assert refused.value.acted


@pytest.mark.parametrize("session_id", [*FOLDING, *ODD])
async def test_a_remembered_id_that_folds_away_is_never_sent(servers: Any, session_id: str) -> None:
    async with opened(servers) as sessions:
        with pytest.raises(UnknownSessionError):
            await sessions.read(SessionId(session_id))
        with pytest.raises(UnknownSessionError):
            await sessions.end(record_of(session(session_id)))
    assert servers.genesys.calls == []


@pytest.mark.parametrize("session_id", ["s-1", "A.b_c:d~e", "a/b", "a+b=", "..a", "a..b", "x" * 200])
def test_ids_that_stand_for_themselves_are_usable(session_id: str) -> None:
    assert is_usable_id(session_id)


@given(st.text(st.sampled_from("./a%2eEF\\;"), max_size=12))
def test_a_sent_path_never_differs_from_the_requested_one(tail: str) -> None:
    url = "https://api.example.com/api/v2/conversations/cobrowse/" + tail.replace("%", "%25" if len(tail) % 2 else "%")
    try:
        parsed = parse_url(url)
    except (UnusableAnswerError, httpx.InvalidURL):
        return
    assert parsed.path.startswith("/api/v2/conversations/cobrowse/")
    assert not {".", ".."} & set(parsed.path.replace("\\", "/").split("/"))


PUBLIC = [
    "https://join.example.com/x",
    "https://JOIN.example.com:8443/x",
    "https://a.b.example/x",
    "https://x.example./x",
]
LOCAL = [
    "http://127.0.0.1:8080/",
    "https://127.0.0.1/x",
    "http://localhost/x",
    "https://localhost./x",
    "https://[::1]/x",
]
ADDRESSES = [
    "https://169.254.169.254/latest",
    "https://10.0.0.1/x",
    "https://127.0.0.2/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.1/x",
    "https://0177.0.0.1/x",
    "https://127.0.0.1./x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[2001:db8::1]/x",
    "https://router/x",
    "https://x.localhost/x",
]


def may_be_told(hosts: JoinHosts, url: str, *, is_local: bool) -> bool:
    return not hosts.reject_reason(url, is_local=is_local)


@pytest.mark.parametrize("is_local", [True, False])
def test_a_link_leads_to_a_public_name_or_home_from_home(is_local: bool) -> None:
    hosts = JoinHosts()
    assert all(may_be_told(hosts, url, is_local=is_local) for url in PUBLIC)
    assert not any(may_be_told(hosts, url, is_local=is_local) for url in ADDRESSES if url != "https://127.0.0.1./x")
    assert [may_be_told(hosts, url, is_local=is_local) for url in LOCAL] == [is_local] * len(LOCAL)


def test_with_listed_hosts_a_link_leads_to_these_alone() -> None:
    hosts = JoinHosts(("join.example.com", ".b.example"))
    assert [may_be_told(hosts, url, is_local=False) for url in PUBLIC] == [True, True, True, False]
    for url in ("https://b.example/x", "https://xb.example/x", "https://join.example.com.evil.example/x", *LOCAL):
        assert not may_be_told(hosts, url, is_local=False)


async def test_a_link_to_another_host_is_not_told(spoilt: Any) -> None:
    for listed, url, is_told in (
        ("join.example.com", "https://join.example.com/x", True),
        ("join.example.com", "https://evil.example/x", False),
        ("", "https://169.254.169.254/latest", False),
    ):
        spoilt(lambda body, url=url: web.json_response({**body, "joinUrl": url}))
        async with open_journey(COBROWSE_JOIN_HOSTS=listed, COBROWSE_HELP_CONTACT=ANA) as journey:
            await journey.genesys.inject_fault("not-json")
            message = await journey.asks()
            assert (url in str(message.blocks)) is is_told
            if not is_told:
                assert "a join URL on a host that is not allowed" in words(message)


@pytest.mark.parametrize(
    "listed", ["*.example.com", "https://join.example.com", "join.example.com:8443", "a b@c", "exämple.com"]
)
def test_hosts_that_are_none_are_a_fault(listed: str) -> None:
    assert any("COBROWSE_JOIN_HOSTS" in fault for fault in faults(SOCKET | {"COBROWSE_JOIN_HOSTS": listed}))


@pytest.mark.parametrize(
    "seconds", ["NaN", "-1", "0", "-Infinity", "Infinity", "1e308", "0.001", "1e-300", '"nan"', '"-5"', "[]"]
)
async def test_odd_lives_of_tokens_cost_one_token_call(journey: Journey, spoilt: Any, seconds: str) -> None:
    spoilt(
        lambda body: web.Response(
            text=f'{{"access_token": "{body["access_token"]}", "expires_in": {seconds}}}',
            content_type="application/json",
        )
    )
    await journey.genesys.inject_fault("not-json", on="token")
    assert link(await journey.asks("One"))
    assert link(await journey.asks("Two"))
    assert journey.genesys.count("token") <= (1 if seconds not in ("0.001", "1e-300") else 3)


@pytest.mark.parametrize("seconds", ["1e308", "Infinity", "172800"])
def test_no_token_is_kept_longer_than_a_day(seconds: str) -> None:
    token = read_token(httpx.Response(200, text='{"access_token": "t", "expires_in": ' + seconds + "}"), 1000.0)
    assert token.renew_at < token.unusable_at <= 1000 + 86_400


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mike@example.com", "mi\u212ae@example.com"),
        ("mi\u212ae@example.com", "mike@example.com"),
        ("\u017fam@x.example", "\u017fam@x.example"),
    ],
)
def test_addresses_with_unusual_letters_never_map(typed: str, said: str) -> None:
    found = only_active([DirectoryUser(id=HOST, active=True, email=said)], typed)
    assert found == NoMatch(MissReason.EMAIL_NOT_ASCII)


def test_odd_rate_limits_are_not_believed() -> None:
    window = RateWindow(clock=lambda: 1000.0)
    for count, allowed in (("-1e9", "300"), ("nan", "300"), ("1", "-5"), ("1", "inf")):
        window.try_acquire()
        window.release({f"inin-ratelimit-{k}": v for k, v in (("count", count), ("allowed", allowed), ("reset", "59"))})
    assert window.allowed == 300
    window.try_acquire()
    window.release({"inin-ratelimit-count": "1", "inin-ratelimit-allowed": "1e300", "inin-ratelimit-reset": "59"})
    assert window.allowed == 1_000_000


@pytest.mark.parametrize(
    "name", ["GENESYS_LOGIN_URL", "GENESYS_API_URL", "SLACK_API_URL", "COBROWSE_PUBLIC_URL", "COBROWSE_RUNBOOK_URL"]
)
def test_an_address_with_a_name_and_password_is_a_fault(name: str) -> None:
    (fault,) = faults(SOCKET | {name: "https://ana:hush@api.example.com"})
    assert fault.startswith(f"{name}: must hold no user name and no password")
    assert "hush" not in fault


async def test_one_user_of_several_is_nobodys_host(journey: Journey, spoilt: Any) -> None:
    """Genesys returns one user, and says that two users have the address."""
    spoilt(lambda body: web.json_response({**body, "total": len(body["results"]) + 1}))
    await journey.genesys.inject_fault("not-json", on="search")
    assert "several Genesys users have this address" in words(await journey.asks("@ana Deal", who=SAM))
    assert journey.genesys.count("search") == 1
    assert journey.genesys.creates == []


ANAS_HOST = "11111111-1111-4111-8111-111111111111"


UNKNOWN = "Genesys gave me no link that I can use"


async def test_an_answer_nested_too_deeply_is_no_answer(journey: Journey, spoilt: Any) -> None:
    spoilt(lambda _: web.Response(text="[" * 200_000, content_type="application/json"))
    await journey.genesys.inject_fault("not-json")
    message = await journey.asks()
    assert is_failure(message)
    assert UNKNOWN in words(message)
    assert len(journey.genesys.creates) == 1


@pytest.mark.parametrize(
    ("on", "text"),
    [
        ("token", "[" * 200_000),
        ("token", f'{{"access_token": "t", "expires_in": 1{"0" * 400}}}'),
        ("search", "[" * 200_000),
        ("search", '{"results": [], "total": Infinity}'),
    ],
    ids=["deep token", "huge number", "deep list of users", "infinite number"],
)
async def test_deep_answer_before_the_create_is_no_answer(journey: Journey, spoilt: Any, on: str, text: str) -> None:
    spoilt(lambda _: web.Response(text=text, content_type="application/json"))
    await journey.genesys.inject_fault("not-json", on=on)
    message = await journey.asks()
    assert "Genesys gave an answer that I can’t use" in words(message)
    assert "Nothing was started" in words(message)


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "today", ""])
async def test_an_odd_date_does_not_cost_the_link(journey: Journey, spoilt: Any, date: str) -> None:
    spoilt(lambda body: web.json_response(body, headers={"Date": date}))
    await journey.genesys.inject_fault("not-json")
    message = await journey.asks()
    assert link(message)
    ends = next(
        int(text.split("<!date^")[1].split("^")[0]) for text in words(message).splitlines() if "<!date^" in text
    )
    assert abs(ends - time.time() - 1800) < 60


async def test_unexpected_fault_during_a_create_denies_no_session(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(sessions, "_session", break_down)
    message = await journey.asks()
    assert "I don’t have a link for you" in words(message)
    assert len(journey.genesys.sessions) == 1


@pytest.mark.parametrize("session_id", ["", " ", "a b", "<!channel>", "a\nb", "é", "x" * 201, 7, ["a"]])
async def test_a_session_id_that_could_not_be_used_is_none(spoilt: Any, session_id: object) -> None:
    spoilt(lambda body: web.json_response({**body, "id": session_id}))
    async with open_servers() as servers:
        await servers.genesys.inject_fault("not-json")
        with pytest.raises(UnusableAnswerError) as caught:
            await service.start(
                settings.load_part(settings.read_service_alone, servers.environ), KNOWN_HOST, "Checkout", None, None
            )
        assert caught.value.acted


@pytest.mark.parametrize("seconds", [None, 0, "", "600", 3600.5])
async def test_a_token_whose_life_is_not_stated_can_be_used(journey: Journey, spoilt: Any, seconds: object) -> None:
    spoilt(lambda body: web.json_response({**body, "expires_in": seconds}))
    await journey.genesys.inject_fault("not-json", on="token")
    assert link(await journey.asks("One"))
    assert link(await journey.asks("Another"))
    assert journey.genesys.count("token") == 1
