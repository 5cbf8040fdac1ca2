"""The notification service of the sandbox's Genesys, over real WebSockets: channels, topics, events and faults."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.sandbox.genesys.api.notifications import MAX_CHANNELS, MAX_TOPICS
from bot.sandbox.genesys.server import SandboxGenesys
from tests.support import sandbox_genesys
from tests.support.sandbox_genesys import ANNA, SECRET, TWIN, Client, soon

genesys, stranger = sandbox_genesys.genesys, sandbox_genesys.stranger
CHANNELS = "/api/v2/notifications/channels"
VIEW = "conversation:communication:view"


@pytest.fixture
async def client(stranger: Client) -> Client:
    await stranger.sign_in_with_secret(SECRET)
    return stranger


def topic(user_id: str = ANNA.id) -> str:
    return f"v2.users.{user_id}.conversations"


async def opens(client: Client, *topics: str) -> dict[str, Any]:
    """Creates a channel, and subscribes it."""
    status, _, channel = await client.ask("POST", CHANNELS)
    assert status == 200
    assert (await subscribes(client, channel, *topics))[0] == 200
    return channel  # type: ignore[no-any-return]


async def subscribes(
    client: Client, channel: dict[str, Any], *topics: str, method: str = "PUT", query: str = ""
) -> Any:
    path = f"{CHANNELS}/{channel['id']}/subscriptions{query}"
    return await client.ask(method, path, json=[{"id": each} for each in topics])


@asynccontextmanager
async def connected(client: Client, channel: dict[str, Any]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with client.http.ws_connect(channel["connectUri"]) as socket:
        await soon(
            lambda: channel["id"] not in client.genesys.notifications.channels or client.genesys.notifications.connected
        )
        yield socket


async def events(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [await socket.receive_json() for _ in range(count)]


def names(received: list[dict[str, Any]]) -> list[str]:
    """The customers of the conversations that the events show."""
    return [one["eventBody"]["participants"][0]["name"] for one in received]


def test_the_durations_and_limits_are_genesyss_own(genesys: SandboxGenesys) -> None:
    notifications = genesys.notifications
    assert (notifications.channel_seconds, notifications.heartbeat_seconds) == (86_400, 30)
    assert (notifications.closing_seconds, MAX_TOPICS, MAX_CHANNELS) == (60, 1000, 20)


async def test_each_change_of_a_hosts_conversation_is_an_event(genesys: SandboxGenesys, client: Client) -> None:
    channel = await opens(client, topic())
    conversations = genesys.conversations
    async with connected(client, channel) as socket:
        live = conversations.begin(ANNA.id, "Carla")
        conversations.begin(TWIN.id, "Not hers")
        _, _, made = await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")
        offer = conversations.offers[made["id"]]
        offer.join()
        offer.stop("client")
        live.end()
        received = await events(socket, 4)
    assert {one["topicName"] for one in received} == {topic()}
    assert {one["eventBody"]["id"] for one in received} == {live.id}
    assert all(set(one) == {"topicName", "version", "eventBody", "metadata"} for one in received)
    states = [one["eventBody"]["participants"][0].get("cobrowsesessions") for one in received]
    assert [each and each[0]["state"] for each in states] == [None, "connected", "disconnected", "disconnected"]


async def test_offer_that_expires_is_an_event(genesys: SandboxGenesys, client: Client) -> None:
    genesys.conversations.offer_lifetime_seconds = 0.1
    live = genesys.conversations.begin(ANNA.id, "Carla")
    async with connected(client, await opens(client, topic())) as socket:
        await client.ask("POST", f"/api/v2/conversations/{live.id}/cobrowse")
        assert names(await events(socket, 1)) == ["Carla"]


async def test_heartbeats_come_and_pings_are_answered(genesys: SandboxGenesys, client: Client) -> None:
    genesys.notifications.heartbeat_seconds = 0.05
    async with connected(client, await opens(client)) as socket:
        assert await events(socket, 2) == [metadata("WebSocket Heartbeat")] * 2
        genesys.notifications.heartbeat_seconds = 60
        await socket.send_json({"message": "ping"})
        async with asyncio.timeout(5):
            while await socket.receive_json() != metadata("pong"):
                pass


def metadata(text: str) -> dict[str, Any]:
    return {"topicName": "channel.metadata", "eventBody": {"message": text}}


async def test_socket_that_closes_for_maintenance_says_so_before(genesys: SandboxGenesys, client: Client) -> None:
    genesys.notifications.closing_seconds = 0.1
    async with connected(client, await opens(client)) as socket:
        await genesys.notifications.close_sockets(warns=True)
        (warning,) = await events(socket, 1)
        assert warning["topicName"] == "v2.system.socket_closing"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY


async def test_one_socket_holds_a_channel_and_the_newest_wins(genesys: SandboxGenesys, client: Client) -> None:
    channel = await opens(client, topic())
    async with connected(client, channel) as first, client.http.ws_connect(channel["connectUri"]) as second:
        assert (await first.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        genesys.conversations.begin(ANNA.id, "Carla")
        assert names(await events(second, 1)) == ["Carla"]
    await soon(lambda: not genesys.notifications.connected)


async def test_a_channel_expires_unless_it_subscribes_again(genesys: SandboxGenesys, client: Client) -> None:
    genesys.notifications.channel_seconds = 60
    channel = await opens(client, topic())
    kept = genesys.notifications.channels[channel["id"]]
    kept.expires_at = time.time() + 5
    assert (await subscribes(client, channel, topic(), method="POST"))[0] == 200
    assert kept.expires_at > time.time() + 30
    async with connected(client, channel) as socket:
        kept.expires_at = time.time()
        genesys.conversations.begin(ANNA.id, "Too late")
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    async with client.http.ws_connect(channel["connectUri"]) as again:
        assert (await again.receive_json(timeout=5))["result"] == "404"
    assert (await subscribes(client, channel, topic()))[0] == 404


async def test_twenty_first_channel_replaces_the_oldest_that_is_idle(genesys: SandboxGenesys, client: Client) -> None:
    first = await opens(client)
    async with connected(client, first):
        rest = [await opens(client) for _ in range(MAX_CHANNELS)]
    kept = set(genesys.notifications.channels)
    assert first["id"] in kept
    assert {one["id"] for one in rest} - kept == {rest[0]["id"]}
    _, _, listed = await client.ask("GET", CHANNELS)
    assert {one["id"] for one in listed["entities"]} == kept
    assert (await client.ask("HEAD", f"{CHANNELS}/{first['id']}"))[0] == 200
    client.token = genesys.sign_in(TWIN.id)
    assert (await client.ask("GET", CHANNELS))[2] == {"entities": []}
    assert (await client.ask("HEAD", f"{CHANNELS}/{first['id']}"))[0] == 404


async def test_topics_are_replaced_added_and_removed_within_the_limit(genesys: SandboxGenesys, client: Client) -> None:
    many = [topic(f"{number:08}-0000-4000-8000-000000000000") for number in range(MAX_TOPICS)]
    channel = await opens(client, topic(), topic(TWIN.id))
    path = f"{CHANNELS}/{channel['id']}/subscriptions"
    assert (await subscribes(client, channel, topic()))[0] == 200
    assert (await subscribes(client, channel, topic(TWIN.id), topic(), method="POST"))[0] == 200
    _, _, listed = await client.ask("GET", path)
    assert [one["id"] for one in listed["entities"]] == [topic(), topic(TWIN.id)]
    assert (await subscribes(client, channel, *many, method="POST"))[0] == 400
    assert (await subscribes(client, channel, *many))[0] == 200
    assert (await client.ask("DELETE", path))[0] == 204
    assert genesys.notifications.channels[channel["id"]].topics == {}


@pytest.mark.parametrize("body", [{}, [{}], [{"id": "v2.nonsense"}], [{"id": "v2.users.me.conversations"}]])
async def test_subscription_not_understood_is_refused(genesys: SandboxGenesys, client: Client, body: Any) -> None:
    channel = await opens(client, topic())
    assert (await client.ask("PUT", f"{CHANNELS}/{channel['id']}/subscriptions", json=body))[0] == 400
    assert list(genesys.notifications.channels[channel["id"]].topics) == [topic()]


async def test_refused_topics_refuse_the_call_or_are_listed(genesys: SandboxGenesys, client: Client) -> None:
    channel = await opens(client)
    genesys.notifications.refused_users.add(TWIN.id)
    both = topic(), topic(TWIN.id)
    status, _, body = await subscribes(client, channel, *both)
    assert (status, body["code"]) == (403, "not.authorized")
    status, _, body = await subscribes(client, channel, *both, query="?ignoreErrors=true")
    assert (status, [one["state"] for one in body["entities"]]) == (200, ["Permitted", "Rejected"])
    assert list(genesys.notifications.channels[channel["id"]].topics) == [topic()]
    genesys.conversations.missing_permissions.add(VIEW)
    _, _, body = await subscribes(client, channel, topic(), query="?ignoreErrors=true")
    assert body["entities"][0]["missingPermissions"] == [VIEW]
    client.token = genesys.sign_in(ANNA.id)  # a user may always subscribe to their own topic
    assert (await subscribes(client, await opens(client), topic()))[0] == 200


async def test_available_topics_say_which_permission_they_need(client: Client) -> None:
    path = "/api/v2/notifications/availabletopics"
    assert (await client.ask("GET", path))[2] == {"entities": [{"id": "v2.users.{id}.conversations"}]}
    _, _, body = await client.ask("GET", f"{path}?expand=requiresPermissions")
    assert body["entities"][0]["requiresPermissions"] == [VIEW]
    client.token = ""
    for method, place in (("GET", path), ("POST", CHANNELS), ("GET", CHANNELS)):
        assert (await client.ask(method, place))[0] == 401


@pytest.mark.parametrize(
    ("fault", "options", "wanted"),
    [
        ("events-missing", {"times": 1}, ["second"]),
        ("events-doubled", {}, ["first", "first", "second", "second"]),
        ("events-reordered", {"times": 1}, ["second", "first"]),
        ("events-late", {"times": 1, "seconds": 0.2}, ["second", "first"]),
    ],
)
async def test_events_are_lost_doubled_late_or_reordered_on_request(
    genesys: SandboxGenesys, client: Client, fault: str, options: dict[str, Any], wanted: list[str]
) -> None:
    await genesys.inject_fault(fault, on="events", **options)
    async with connected(client, await opens(client, topic())) as socket:
        genesys.conversations.begin(ANNA.id, "first")
        genesys.conversations.begin(ANNA.id, "second")
        assert names(await events(socket, len(wanted))) == wanted
    assert len(genesys.notifications.sent) == len(wanted)


async def test_event_to_be_overtaken_comes_alone_after_a_while(genesys: SandboxGenesys, client: Client) -> None:
    await genesys.inject_fault("events-reordered", on="events", seconds=0.1)
    async with connected(client, await opens(client, topic())) as socket:
        genesys.conversations.begin(ANNA.id, "alone")
        assert names(await events(socket, 1)) == ["alone"]


async def test_each_socket_closes_after_a_while_on_request(genesys: SandboxGenesys, client: Client) -> None:
    await genesys.inject_fault("socket-closes", on="sockets", seconds=0.1)
    channel = await opens(client, topic())
    for _ in range(2):
        async with connected(client, channel) as socket:
            assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize("cut", ["down", "stop"])
async def test_sockets_end_with_the_server(genesys: SandboxGenesys, client: Client, cut: str) -> None:
    async with connected(client, await opens(client, topic())) as socket:
        if cut == "down":
            await genesys.inject_fault("down")
        else:
            await genesys.stop()
        async with asyncio.timeout(5):
            message = await socket.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)


async def test_calls_about_channels_can_fail_like_others(genesys: SandboxGenesys, client: Client) -> None:
    channel = await opens(client)
    for fault in ("403", "no-subscriptions"):
        await genesys.inject_fault(fault, on="subscriptions")
        assert (await subscribes(client, channel, topic()))[0] == 403
    await genesys.inject_fault("500", on="channels")
    assert (await client.ask("POST", CHANNELS))[0] == 500


async def test_traffic_names_the_socket_when_it_opens(genesys: SandboxGenesys, client: Client) -> None:
    lines: list[dict[str, Any]] = []
    channel = await opens(client)
    genesys.on_traffic = lines.append
    async with connected(client, channel):
        assert [(line["path"], line["status"]) for line in lines] == [("/channels/•••", 101)]
    assert channel["id"] not in str(lines)
