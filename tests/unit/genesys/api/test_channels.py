"""The answers about notification channels are untrusted: which addresses and subscriptions the bot accepts."""

import pytest

from bot.core.models import HostId
from bot.genesys.api.channels import MAX_URL_LENGTH, TOPIC, Subscriptions, is_channel_url, read_subscriptions
from tests.support.cases import each_case

API, LOCAL = "https://api.mypurecloud.com", "http://127.0.0.1:8080"
ONE, TWO = HostId("11111111-1111-4111-8111-111111111111"), HostId("22222222-2222-4222-8222-222222222222")
TOPICS = {TOPIC.format(host): host for host in (ONE, TWO)}
VIEW = "conversation:communication:view"


@each_case(
    ("url", "api", "is_accepted"),
    [
        ("wss://streaming.mypurecloud.com/channels/streaming-0-a1", API, True),
        ("wss://streaming.usw2.pure.cloud/channels/x", "https://api.usw2.pure.cloud", True),
        ("wss://STREAMING.mypurecloud.com/channels/x", API, True),
        ("wss://streaming.mypurecloud.de/channels/x", "https://genesys.gateway.example", True),
        ("wss://streaming.gateway.example/channels/x", "https://genesys.gateway.example", True),
        ("wss://genesys.gateway.example/channels/x", "https://genesys.gateway.example", True),
        ("ws://127.0.0.1:8080/channels/x", LOCAL, True),
        ("ws://streaming.mypurecloud.com/channels/x", API, False),
        ("https://streaming.mypurecloud.com/channels/x", API, False),
        ("wss://streaming.example.com/channels/x", API, False),
        ("wss://streaming.mypurecloud.com.example.com/x", API, False),
        ("wss://mypurecloud.com@example.com/x", API, False),
        ("wss://user:word@streaming.mypurecloud.com/x", API, False),
        ("wss://evilmypurecloud.com/x", API, False),
        ("wss://127.0.0.1/x", API, False),
        ("ws://127.0.0.1/x", API, False),
        ("ws://example.com/x", LOCAL, False),
        ("wss://anything.com/x", "https://localhost:8443", False),
        ("wss://[::1/x", API, False),
        ("wss://streaming.mypurecloud.com/a b\n", API, False),
        (f"wss://streaming.mypurecloud.com/{'x' * MAX_URL_LENGTH}", API, False),
        ("", API, False),
    ],
)
def test_websocket_is_opened_only_at_genesys(url: str, api: str, is_accepted: bool) -> None:
    assert is_channel_url(url, api) is is_accepted


@pytest.mark.parametrize(
    ("entities", "accepted", "missing"),
    [
        ([{"id": TOPIC.format(ONE), "state": "Permitted"}, {"id": TOPIC.format(TWO)}], {ONE, TWO}, ()),
        ([{"id": TOPIC.format(ONE).upper()}], {ONE}, ()),
        ([{"id": TOPIC.format(ONE), "state": "rejected", "missingPermissions": [VIEW, 7, "x"]}], set(), (VIEW,)),
        ([{"id": TOPIC.format("9" * 8)}, {"id": None}, 7, None], set(), ()),
        (None, set(), ()),
        ("all", set(), ()),
    ],
)
def test_topic_that_is_not_permitted_counts_as_refused(
    entities: object, accepted: set[HostId], missing: tuple[str, ...]
) -> None:
    found = read_subscriptions({"entities": entities}, TOPICS)
    assert found == Subscriptions(frozenset(accepted), frozenset({ONE, TWO} - accepted), missing)
