"""The sessions there are: who sees which, reads whose link, ends which; and nothing is done twice."""

import asyncio
from typing import Any

import pytest

from bot.core.errors import (
    ChannelNotAllowedError,
    CobrowseError,
    OtherWorkspaceError,
    ServiceUnreachableError,
    SessionActionError,
    UnknownSessionError,
)
from bot.core.models import RequestKind, SessionStatus, TeamId
from bot.core.timing import CoreTiming
from tests.support import sessions as sessions_support
from tests.support.sessions import ADA, BEN, GUS, RUN, SAM, UNA, Desk
from tests.support.storage import ANA

desk = sessions_support.desk
ALL = (RequestKind.LAST, RequestKind.STATUS, RequestKind.LIST, RequestKind.END, RequestKind.SHARE, RequestKind.DIRECT)
LINK = "https://join.example/secret-join"


async def refusal(
    desk: Desk, kind: RequestKind, who: str = ANA, about: str | None = None, **changes: Any
) -> CobrowseError:
    with pytest.raises(CobrowseError) as caught:
        await desk.does(kind, who, about, **changes)
    return caught.value


# -- who may --


@pytest.mark.parametrize("kind", ALL)
async def test_a_guest_and_whoever_comes_from_elsewhere_get_nothing(desk: Desk, kind: RequestKind) -> None:
    await desk.made("s-1", requester=GUS)
    assert (await refusal(desk, kind, GUS, "s-1")).code == "not_a_member"
    assert isinstance(await refusal(desk, kind, ANA, "s-1", team_id=TeamId("T0OTHER")), OtherWorkspaceError)
    assert (desk.service.asked, desk.heard.shared, desk.heard.sent) == ([], [], [])


@pytest.mark.parametrize("who", [ANA, BEN])
async def test_requester_and_host_read_the_link(desk: Desk, who: str) -> None:
    await desk.made("s-1", requester=ANA, target=BEN)
    assert (await desk.does(RequestKind.LAST, who)).record.session.join_url == LINK
    (record,) = (await desk.does(RequestKind.STATUS, who)).records
    assert record.session.join_url == LINK
    await desk.does(RequestKind.DIRECT, who, "s-1")
    await desk.does(RequestKind.SHARE, who, "s-1")
    assert (desk.heard.sent, desk.heard.shared) == ([("s-1", who)], [("s-1", "C0CARE")])


@pytest.mark.parametrize("who", [UNA, SAM, ADA])
@pytest.mark.parametrize("kind", [RequestKind.SHARE, RequestKind.DIRECT])
async def test_nobody_else_gets_the_link_not_even_a_supervisor(desk: Desk, who: str, kind: RequestKind) -> None:
    await desk.made("s-1", requester=ANA, target=BEN)
    assert (await refusal(desk, kind, who, "s-1")).code == "may_not_read_link"
    assert (await refusal(desk, RequestKind.LAST, who)).code == "no_open_session"
    assert (await desk.does(RequestKind.STATUS, who)).records == ()
    assert desk.service.asked == []


@pytest.mark.parametrize("who", [ANA, BEN, SAM, ADA])
async def test_requester_host_supervisor_and_administrator_end_it(desk: Desk, who: str) -> None:
    await desk.made("s-1", requester=ANA, target=BEN)
    ended = await desk.does(RequestKind.END, who, "s-1")
    assert (ended.record.is_over, ended.record.session.join_url) == (True, "")
    assert (desk.service.asked, desk.heard.closed) == ([("end", "s-1")], ["s-1"])


async def test_any_other_member_does_not(desk: Desk) -> None:
    await desk.made("s-1", requester=ANA, target=BEN)
    assert (await refusal(desk, RequestKind.END, UNA, "s-1")).code == "may_not_end"
    assert desk.service.asked == []


@pytest.mark.parametrize("who", [SAM, ADA])
async def test_supervisor_sees_all_sessions_and_own_links(desk: Desk, who: str) -> None:
    for name, people in (("a", {"requester": BEN}), ("b", {"requester": who}), ("c", {}), ("d", {"requester": BEN})):
        await desk.made(name, **people)
    await desk.made("elsewhere", team_id=TeamId("T0OTHER"))
    listed = await desk.does(RequestKind.LIST, who)
    assert (listed.everybodys, listed.cut) == (True, False)
    assert [record.agent for record in listed.records] == sorted([ANA, BEN, BEN, who])
    assert [record.session.id for record in listed.records if record.agent == BEN] == ["d", "a"]
    assert {record.session.id: record.session.join_url for record in listed.records if record.session.join_url} == {
        "b": LINK
    }
    assert desk.service.asked == []


@pytest.mark.parametrize("who", [ANA, UNA])
async def test_an_agent_does_not_see_them(desk: Desk, who: str) -> None:
    assert (await refusal(desk, RequestKind.LIST, who)).code == "supervisors_only"


async def test_channel_list_restricts_starts_and_shares_alone(desk: Desk) -> None:
    await desk.made("s-1")
    handlers = desk.register(channels=("C0DESK",)).handlers()
    for channel in ("D00ANA", "C0LOUNGE", ""):
        for kind in (RequestKind.LAST, RequestKind.STATUS, RequestKind.DIRECT):
            await handlers[kind].run(await desk.asks(kind, ANA, "s-1", channel_id=channel), RUN)
        with pytest.raises(ChannelNotAllowedError):
            await handlers[RequestKind.SHARE].run(
                await desk.asks(RequestKind.SHARE, ANA, "s-1", channel_id=channel), RUN
            )
    await handlers[RequestKind.SHARE].run(await desk.asks(RequestKind.SHARE, ANA, "s-1", channel_id="C0DESK"), RUN)
    await handlers[RequestKind.END].run(await desk.asks(RequestKind.END, ANA, None, channel_id="D00ANA"), RUN)


# -- which one --


async def test_end_alone_ends_the_only_session_or_asks_which(desk: Desk) -> None:
    assert (await refusal(desk, RequestKind.END)).code == "no_open_session"
    await desk.made("s-1")
    await desk.made("s-2", requester=SAM, target=ANA)
    error = await refusal(desk, RequestKind.END)
    assert isinstance(error, SessionActionError)
    assert error.code == "several_open_sessions"
    assert error.sessions == (("s-2", "Checkout"), ("s-1", "Checkout"))
    await desk.does(RequestKind.END, ANA, "s-1")
    assert (await desk.does(RequestKind.END)).record.session.id == "s-2"


@pytest.mark.parametrize("about", ["unknown", "elsewhere"])
@pytest.mark.parametrize("kind", [RequestKind.END, RequestKind.SHARE, RequestKind.DIRECT])
async def test_a_session_that_is_none_of_this_workspace_is_not_found(desk: Desk, about: str, kind: RequestKind) -> None:
    await desk.made("elsewhere", team_id=TeamId("T0OTHER"))
    assert (await refusal(desk, kind, ANA, about)).code == "session_not_found"


async def test_too_many_sessions_for_a_message_are_cut_with_a_notice(desk: Desk) -> None:
    for number in range(9):
        await desk.made(f"s-{number}")
    listed = await desk.does(RequestKind.STATUS)
    assert ([record.session.id for record in listed.records], listed.cut) == (
        [f"s-{n}" for n in range(8, 0, -1)],
        True,
    )
    assert len(desk.service.asked) == 8


# -- what the service says --


async def test_session_ended_at_the_service_is_seen_by_any_reader(desk: Desk) -> None:
    for name in ("s-1", "s-2"):
        await desk.made(name)
    desk.service.over = {"s-1"}
    assert [record.session.id for record in (await desk.does(RequestKind.STATUS)).records] == ["s-2"]
    assert desk.service.asked == [("look", "s-2"), ("look", "s-1")]
    assert desk.heard.closed == ["s-1"]
    desk.service.over = {"s-2"}
    assert (await desk.does(RequestKind.LAST)).record.is_over
    for kind in (RequestKind.SHARE, RequestKind.DIRECT):
        assert (await refusal(desk, kind, ANA, "s-2")).code == "already_ended"
    assert (desk.heard.shared, desk.heard.sent) == ([], [])


async def test_a_service_that_cannot_say_leaves_a_session_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.made("s-1")
    desk.service.fails = {"look": ServiceUnreachableError()}
    assert len((await desk.does(RequestKind.STATUS)).records) == 1

    async def hangs(session_id: str) -> SessionStatus:
        return await asyncio.get_running_loop().create_future()

    desk.timing = CoreTiming(status_timeout=0.01)
    monkeypatch.setattr(desk.service, "look", hangs)
    assert len((await desk.does(RequestKind.STATUS)).records) == 1


async def test_all_that_hang_are_waited_for_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        await desk.made(f"s-{number}")
    at_once = asyncio.Barrier(8)

    async def together(session_id: str) -> SessionStatus:
        await at_once.wait()
        return SessionStatus.OPEN

    monkeypatch.setattr(desk.service, "look", together)
    async with asyncio.timeout(CoreTiming().status_timeout):
        assert len((await desk.does(RequestKind.STATUS)).records) == 8


async def test_session_the_service_cannot_end_stays_open(desk: Desk) -> None:
    await desk.made("s-1")
    for error in (UnknownSessionError(), ServiceUnreachableError()):
        desk.service.fails = {"end": error}
        assert await refusal(desk, RequestKind.END, ANA, "s-1") is error
    desk.service.fails = {}
    assert len((await desk.does(RequestKind.STATUS)).records) == 1
    assert desk.heard.closed == []


async def test_session_the_service_ended_is_ended_here(desk: Desk) -> None:
    await desk.made("s-1")
    desk.service.fails, desk.service.over = {"end": UnknownSessionError()}, {"s-1"}
    assert (await desk.does(RequestKind.END, ANA, "s-1")).record.is_over
