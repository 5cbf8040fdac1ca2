"""What a conversation says about a session: who joined, how it ended, and what Genesys does not say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.models import ConversationId, SessionEnding, SessionId, SessionPhase, SessionRecord, SessionState
from bot.genesys.api.session_states import ENDINGS, is_viewer_url, read_state
from tests.support import everything

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
JOINED, LEFT = NOW - timedelta(minutes=9), NOW - timedelta(minutes=2)
HOST = everything.HOST_ID
VIEWER = "https://apps.usw2.pure.cloud/viewer/7"


def record(**more: Any) -> SessionRecord:
    session = everything.session(id=SessionId("s-1"), conversation_id=ConversationId("c-1"), application_id="")
    return everything.record(session, started_at=NOW - timedelta(minutes=10), **more)


def part(**more: Any) -> dict[str, Any]:
    return {"cobrowseSessionId": "s-1", "state": "connected", "connectedTime": at(JOINED)} | more


def left(cause: str = "client", **more: Any) -> dict[str, Any]:
    return part(state="disconnected", disconnectedTime=at(LEFT), disconnectType=cause) | more


def at(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def conversation(*parts: dict[str, Any], viewer: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    customer = {"purpose": "customer", "cobrowsesessions": list(parts)}
    agent = {"purpose": "agent", "userId": HOST.upper(), "cobrowsesessions": [viewer] if viewer else []}
    return {"id": "c-1", "participants": [customer, agent], **more}


def read(*parts: dict[str, Any], **more: Any) -> SessionState:
    return read_state(conversation(*parts, **more), record(), NOW)


def test_conversation_without_a_customer_in_a_session_waits() -> None:
    assert read().phase is SessionPhase.WAITING
    assert read_state({"participants": [{"purpose": "customer"}]}, record(), NOW).phase is SessionPhase.WAITING
    assert read(part(state="alerting", connectedTime=None)).phase is SessionPhase.WAITING
    assert read(viewer=part()).phase is SessionPhase.WAITING, "the agent alone is in it"


def test_customer_who_is_connected_has_joined() -> None:
    state = read(part(), viewer=part(viewerUrl=VIEWER))
    assert (state.phase, state.joined_at, state.viewer_url) == (SessionPhase.JOINED, JOINED, VIEWER)
    assert state.is_link_dead
    again = read(left(), part(connectedTime=at(LEFT)))
    assert (again.phase, again.joined_at) == (SessionPhase.JOINED, JOINED), "they came back"
    assert read(part(connectedTime="soon")).joined_at is None
    assert read(part(connectedTime="0001-01-01T00:00:00Z")).joined_at is None


@pytest.mark.parametrize("cause", [*ENDINGS, "system", "spam", None])
def test_customer_who_was_connected_makes_it_over(cause: str | None) -> None:
    state = read(left(cause or ""))
    assert (state.phase, state.joined_at, state.ended_at) == (SessionPhase.OVER, JOINED, LEFT)
    assert state.ending is ENDINGS.get(cause or "")
    assert state.viewer_url == ""


def test_last_part_says_how_it_ended() -> None:
    earlier = left("timeout") | {"disconnectedTime": at(JOINED)}
    assert read(left("peer"), earlier).ending is SessionEnding.AGENT
    assert read(left(state="terminated", disconnectType="TIMEOUT")).ending is SessionEnding.TIMED_OUT


def test_end_of_the_conversation_ends_the_session() -> None:
    ended = {"endTime": at(LEFT)}
    assert (read(part(), **ended).phase, read(part(), **ended).ended_at) == (SessionPhase.OVER, LEFT)
    assert (read(**ended).phase, read(**ended).ended_at) == (SessionPhase.UNUSED, LEFT)


def test_session_with_another_id_says_nothing() -> None:
    """Nobody says that Genesys gives the offer and the session of one customer the same id."""
    assert read(part(cobrowseSessionId="s-2")) == SessionState()
    assert read(left(cobrowseSessionId="s-2")) == SessionState()
    assert read(left(cobrowseSessionId="s-2"), endTime=at(LEFT)) == SessionState()
    older = left(cobrowseSessionId="s-0", connectedTime=at(NOW - timedelta(hours=1)))
    assert read(older).phase is SessionPhase.WAITING, "an earlier session of the same conversation"


def test_colleagues_and_bots_are_no_customers() -> None:
    body = conversation()
    body["participants"] += [{"purpose": "user", "cobrowsesessions": [part()]}, {"userId": "u", "purpose": "customer"}]
    body["participants"][-1]["cobrowsesessions"] = [part()]
    assert read_state(body, record(), NOW).phase is SessionPhase.WAITING


@pytest.mark.parametrize("odd", [None, "x", 7, [None, 3], {"a": 1}])
def test_odd_answers_say_nothing_that_is_wrong(odd: object) -> None:
    for body in ({"participants": odd}, {"participants": [{"purpose": odd, "cobrowsesessions": odd}]}):
        assert read_state(body, record(), NOW).phase is SessionPhase.WAITING
    assert read(part(connectedTime=odd, disconnectType=odd)).joined_at is None


def test_viewer_is_for_the_host_of_this_session() -> None:
    assert read(part(viewerUrl=VIEWER)).viewer_url == "", "the customer's part"
    assert read(part(), viewer=part(cobrowseSessionId="s-2", viewerUrl=VIEWER)).viewer_url == ""
    assert read(part(), viewer=left(viewerUrl=VIEWER)).viewer_url == ""


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        (VIEWER, True),
        ("https://apps.mypurecloud.com/x", True),
        ("http://apps.mypurecloud.com/x", False),
        ("https://mypurecloud.com.evil.example/x", False),
        ("https://evilmypurecloud.com/x", False),
        ("https://a@apps.mypurecloud.com/x", False),
        ("https://localhost/x", False),
        (f"https://apps.mypurecloud.com/{'x' * 3000}", False),
        ("javascript:alert(1)", False),
        (None, False),
        (7, False),
    ],
)
def test_viewer_leads_to_a_host_of_genesys(url: object, is_good: bool) -> None:
    assert is_viewer_url(url) is is_good


def test_viewer_of_a_local_genesys_is_local() -> None:
    assert is_viewer_url("http://127.0.0.1:8080/x", is_local=True)
    assert not is_viewer_url("http://127.0.0.1:8080/x")
