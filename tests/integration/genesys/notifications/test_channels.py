"""Hints from Genesys's notification channels, over real WebSockets: joins, refusals, lost connections, lost events."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import BadRequestError
from bot.genesys.api.channels import MAX_TOPICS
from tests.support import conversations as conversations_support
from tests.support.app import BEN, HOSTS, Servers
from tests.support.conversations import HOST
from tests.support.notifications import QUICK, Watching, joined, pushing, talk, until, watched

servers = conversations_support.servers
OTHER_HOST = f"{HOSTS[BEN]}-2222-4222-8222-222222222222"


def topics(servers: Servers) -> set[str]:
    """The hosts to whose conversations connected channels are subscribed."""
    return {topic.split(".")[2] for topic in servers.genesys.notifications.subscribed()}


async def test_join_is_a_hint_and_repeated_once(servers: Servers) -> None:
    live, other = talk(servers), talk(servers, "Carl Other")
    async with pushing(servers) as push:
        await push.covers(live)
        joined(live)
        joined(other)  # of the same host, but nobody watches it
        await until(lambda: len(push.watching.hints) == 2 and push.metrics.events["unwatched"])
        assert push.watching.hints == [live.id, live.id]
        assert push.metrics.is_up


async def test_only_hosts_with_watched_sessions_are_subscribed(servers: Servers) -> None:
    async with pushing(servers) as push:
        await until(lambda: servers.genesys.notifications.connected)
        assert topics(servers) == set()
        session = await push.covers(talk(servers))
        assert topics(servers) == {HOST}
        await push.covers(servers.genesys.conversations.begin(OTHER_HOST, "Carl"))
        assert topics(servers) == {HOST, OTHER_HOST}
        push.watching.sessions.remove(session)
        await until(lambda: topics(servers) == {OTHER_HOST})
        assert not push.source.covers(session)
        assert not push.source.covers(watched(OTHER_HOST))  # a session of the other service
    assert len(servers.genesys.notifications.channels) == 1


async def test_refused_host_is_uncovered_counted_and_logged_once(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    servers.genesys.notifications.refused_users.add(OTHER_HOST)
    async with pushing(servers) as push:
        refused = push.watching.watch(servers.genesys.conversations.begin(OTHER_HOST, "Carl"))
        await push.covers(talk(servers))
        await until(lambda: servers.genesys.count("subscriptions") >= 2 or push.metrics.events["refused"])
        assert not push.source.covers(refused)
        assert push.metrics.events["refused"] == 1
    (line,) = (record for record in caplog.records if "refuses notifications" in record.message)
    assert line.fields == {"error": "permission_missing", "hosts": 1, "missing": ""}  # type: ignore[attr-defined]


async def test_refusal_is_tried_again_after_a_while(servers: Servers) -> None:
    servers.genesys.conversations.missing_permissions.add("conversation:communication:view")
    async with pushing(servers, replace(QUICK, refused_seconds=0.3)) as push:
        session = push.watching.watch(talk(servers))
        await until(lambda: push.metrics.events["refused"])
        assert not push.source.covers(session)
        servers.genesys.conversations.missing_permissions.clear()
        await until(lambda: push.source.covers(session))


async def test_refused_subscriptions_leave_every_session_uncovered(servers: Servers) -> None:
    await servers.genesys.inject_fault("403", on="subscriptions")
    async with pushing(servers) as push:
        sessions = [push.watching.watch(talk(servers)), push.watching.watch(talk(servers, "Carl"))]
        await until(lambda: push.metrics.events["refused"])
        calls = servers.genesys.count("subscriptions")
        push.watching.sessions.append(watched(OTHER_HOST, str(uuid.uuid4())))
        await until(lambda: servers.genesys.count("subscriptions") == calls + 1)  # the refused host is left alone
        assert not any(push.source.covers(each) for each in sessions)


async def test_refused_trim_is_logged_and_tried_again_after_a_while(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async with pushing(servers, replace(QUICK, refused_seconds=1.0)) as push:
        session = await push.covers(talk(servers))
        await push.covers(servers.genesys.conversations.begin(OTHER_HOST, "Carl"))
        calls = servers.genesys.count("subscriptions")
        await servers.genesys.inject_fault("403", on="subscriptions")
        push.watching.sessions.remove(session)
        await until(lambda: servers.genesys.count("subscriptions") == calls + 1)
        await asyncio.sleep(0.5)
        assert servers.genesys.count("subscriptions") == calls + 1
        assert [each.message for each in caplog.records if "notifications" in each.message] == [
            "subscribing to notifications failed"
        ]
        await servers.genesys.inject_fault(None)
        await until(lambda: topics(servers) == {OTHER_HOST})


async def test_refused_trim_delays_no_new_host(servers: Servers) -> None:
    async with pushing(servers) as push:
        session = await push.covers(talk(servers))
        calls = servers.genesys.count("subscriptions")
        await servers.genesys.inject_fault("403", on="subscriptions", times=1)
        push.watching.sessions.remove(session)
        await until(lambda: servers.genesys.count("subscriptions") == calls + 1)
        await push.covers(servers.genesys.conversations.begin(OTHER_HOST, "Carl"))


@pytest.mark.parametrize("fault", ["500", "503", "dropped", "not-json"])
async def test_failed_calls_are_repeated_until_events_arrive(servers: Servers, fault: str) -> None:
    await servers.genesys.inject_fault(fault, on="channels", times=3)
    await servers.genesys.inject_fault(fault, on="subscriptions", times=3)
    async with pushing(servers) as push:
        await push.covers(talk(servers))


async def test_closed_socket_uncovers_and_what_it_missed_is_hinted(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers, replace(QUICK, first_backoff_seconds=1.0, max_backoff_seconds=1.0)) as push:
        session = await push.covers(live)
        lost = push.watching.lost
        await servers.genesys.notifications.close_sockets()
        await until(lambda: push.watching.lost > lost)
        assert (push.source.covers(session), push.metrics.is_up) == (False, False)
        joined(live)  # nobody is connected
        await until(lambda: push.source.covers(session) and push.watching.hints)
        assert set(push.watching.hints) == {live.id}
        assert push.metrics.is_up
    assert len(servers.genesys.notifications.channels) == 1  # the channel is used again


async def test_socket_that_comes_back_at_once_uncovers_nothing(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers, replace(QUICK, grace_seconds=30)) as push:
        session = await push.covers(live)
        await servers.genesys.notifications.close_sockets()
        await until(lambda: push.metrics.events["closed"] and push.source.covers(session) and push.watching.hints)
        assert push.watching.lost == 0


async def test_host_who_is_refused_after_a_lost_socket_is_asked_about(servers: Servers) -> None:
    async with pushing(servers) as push:
        session = await push.covers(talk(servers))
        servers.genesys.notifications.refused_users.add(HOST)
        await servers.genesys.notifications.close_sockets()
        await until(lambda: push.metrics.events["refused"] and push.watching.lost)
        assert not push.source.covers(session)


async def test_socket_about_to_close_is_replaced_before(servers: Servers) -> None:
    servers.genesys.notifications.closing_seconds = 0.0
    live = talk(servers)
    async with pushing(servers) as push:
        session = await push.covers(live)
        sockets = servers.genesys.count("socket")
        await servers.genesys.notifications.close_sockets(warns=True)
        await until(lambda: servers.genesys.count("socket") > sockets and push.source.covers(session))
        push.watching.hints.clear()
        joined(live)
        await until(lambda: push.watching.hints)


async def test_sockets_that_close_all_the_time_end_in_right_hints(servers: Servers) -> None:
    await servers.genesys.inject_fault("socket-closes", on="sockets", seconds=0.2)
    live = talk(servers)
    async with pushing(servers, replace(QUICK, steady_seconds=0.1)) as push:
        await push.covers(live)
        for _ in range(3):
            closed = push.metrics.events["closed"]
            await until(lambda seen=closed: push.metrics.events["closed"] > seen)
            push.watching.hints.clear()
            await until(lambda: live.id in push.watching.hints)


@pytest.mark.parametrize("gone", ["expired", "replaced", "forgotten"])
async def test_channel_that_is_gone_is_replaced(servers: Servers, gone: str) -> None:
    notifications = servers.genesys.notifications
    async with pushing(servers) as push:
        session = await push.covers(talk(servers))
        (old,) = notifications.channels.values()
        if gone == "expired":
            old.expires_at = 0.0
            joined(talk(servers))
        elif gone == "replaced":
            await notifications._remove(old)
        else:  # its WebSocket stays open
            notifications.channels.clear()
            session = push.watching.watch(servers.genesys.conversations.begin(OTHER_HOST, "Carl"))
        await until(lambda: old.id not in notifications.channels and push.source.covers(session))


async def test_channel_is_renewed_before_it_expires(servers: Servers) -> None:
    notifications = servers.genesys.notifications
    notifications.channel_seconds = 3.0
    async with pushing(servers, replace(QUICK, ping_seconds=0.05, renew_share=0.3)) as push:
        session = await push.covers(talk(servers))
        (old,) = notifications.channels.values()
        await until(lambda: len(notifications.channels) > 1 and push.source.covers(session))
        assert old.id in notifications.channels  # it had not expired yet
        assert old.socket is None


async def test_silent_socket_is_closed_and_replaced(servers: Servers) -> None:
    async with pushing(servers, replace(QUICK, ping_seconds=0.2)) as push:
        session = await push.covers(talk(servers))
        servers.genesys.notifications.is_mute = True
        await until(lambda: not push.source.covers(session))
        servers.genesys.notifications.is_mute = False
        await until(lambda: push.source.covers(session))
        assert push.metrics.events["connected"] >= 2


async def test_pings_keep_a_socket_without_events_open(servers: Servers) -> None:
    async with pushing(servers, replace(QUICK, ping_seconds=0.1, lost_event_seconds=0.5)) as push:
        await push.covers(talk(servers))
        await until(lambda: len(push.watching.hints) >= 2)  # much later than two pings
        assert push.metrics.events["closed"] == 0


async def test_genesys_that_is_away_for_a_while_ends_in_right_hints(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers) as push:
        session = await push.covers(live)
        await servers.genesys.inject_fault("down")
        await until(lambda: not push.source.covers(session) and push.metrics.is_up is False)
        joined(live)
        await servers.genesys.inject_fault(None)
        await until(lambda: push.source.covers(session) and live.id in push.watching.hints)


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("events-doubled", {}),
        ("events-late", {"seconds": 0.3, "times": 1}),
        ("events-reordered", {"seconds": 0.3, "times": 1}),
    ],
)
async def test_doubled_late_and_reordered_events_are_hints(servers: Servers, fault: str, how: dict[str, Any]) -> None:
    live = talk(servers)
    async with pushing(servers) as push:
        await push.covers(live)
        await servers.genesys.inject_fault(fault, on="events", **how)
        joined(live)
        live.stop_cobrowse("client")
        await until(lambda: len(push.watching.hints) == 4)  # two changes, each hinted twice
        assert push.metrics.events["event"] == 2
        assert (push.metrics.events["repeated"] == 2) == (fault == "events-doubled")


async def test_lost_event_is_made_up_for_after_a_while(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers, replace(QUICK, lost_event_seconds=0.3)) as push:
        await push.covers(live)
        await servers.genesys.inject_fault("events-missing", on="events")
        joined(live)
        await until(lambda: push.watching.hints)
        assert push.metrics.events["event"] == 0


async def test_event_that_changes_nothing_is_no_hint(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers) as push:
        await push.covers(live)
        joined(live)
        await until(lambda: push.metrics.events["event"] == 1)
        live.report_change()  # such as a message in the chat
        await until(lambda: push.metrics.events["repeated"] == 1)
        assert push.metrics.events["event"] == 1


async def test_more_hosts_than_topics_need_another_channel(servers: Servers) -> None:
    watching = Watching([watched(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(MAX_TOPICS + 1)])
    async with pushing(servers, watching=watching) as push:
        await until(lambda: all(map(push.source.covers, watching.sessions)))
        sizes = sorted(len(each.topics) for each in servers.genesys.notifications.connected)
        assert sizes == [1, MAX_TOPICS]
        assert watching.lost >= 1  # one hint about all, in place of a thousand
        assert len(watching.hints) <= 2


async def test_a_replica_that_does_not_lead_opens_nothing(servers: Servers) -> None:
    live = talk(servers)
    watching = Watching(leads=False)
    first = Watching()
    async with pushing(servers, watching=watching) as second:
        async with pushing(servers, watching=first) as leader:
            await leader.covers(live)
            session = watching.watch(live)
            assert len(servers.genesys.notifications.connected) == 1
            assert not second.source.covers(session)
        watching.leads = True
        await until(lambda: second.source.covers(session) and live.id in watching.hints)
        watching.leads = False
        await until(lambda: not second.source.covers(session) and not servers.genesys.notifications.connected)
        assert watching.lost


async def test_unreachable_database_leaves_the_subscriptions(servers: Servers) -> None:
    live = talk(servers)
    async with pushing(servers) as push:
        session = await push.covers(live)
        push.watching.is_stored = False
        joined(live)
        await until(lambda: push.watching.hints)
        assert push.source.covers(session)


async def test_no_log_line_holds_the_address_of_a_channel(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with pushing(servers) as push:
        session = await push.covers(talk(servers))
        (channel,) = servers.genesys.notifications.channels
        await servers.genesys.inject_fault("down")
        await until(lambda: not push.source.covers(session))
        await until(lambda: any("no notifications" in record.message for record in caplog.records))
    assert channel not in caplog.text
    assert all(channel not in str(vars(record)) for record in caplog.records if record.name.startswith("bot."))


async def test_channel_that_does_not_exist_is_told_from_other_refusals(servers: Servers) -> None:
    async with pushing(servers) as push:
        await until(lambda: servers.genesys.notifications.connected)
        with pytest.raises(BadRequestError) as raised:
            await push.source._api.subscribe("streaming-0-unknown", [HOST])
        assert raised.value.status == 404
