"""Existing sessions: who sees which, who may read the link, who may end them; and nothing is done twice."""

import asyncio

import pytest

from bot.core.errors import (
    ChannelNotAllowedError,
    OtherWorkspaceError,
    ServiceUnreachableError,
    SessionActionError,
    UnknownSessionError,
)
from bot.core.models import (
    UNKNOWN_STATE,
    MembershipStatus,
    RequestKind,
    SessionId,
    SessionRecord,
    SessionState,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.results import ListKind, ListPage
from bot.core.timing import CoreTiming
from tests.support import sessions as sessions_support
from tests.support.sessions import ADA, BEN, GUS, RUN, SAM, UNA, People, SessionHarness, refusal
from tests.support.storage import ANA, TEAM

harness = sessions_support.harness
ALL = (RequestKind.LAST, RequestKind.STATUS, RequestKind.LIST, RequestKind.END, RequestKind.SHARE, RequestKind.DIRECT)
LINK = "https://join.example/secret-join"


# -- who may --


@pytest.mark.parametrize("kind", ALL)
async def test_guests_and_people_from_elsewhere_get_nothing(harness: SessionHarness, kind: RequestKind) -> None:
    await harness.made("s-1", requester=GUS)
    assert (await refusal(harness, kind, GUS, "s-1")).code == "not_a_member"
    assert isinstance(await refusal(harness, kind, ANA, "s-1", team_id=TeamId("T0OTHER")), OtherWorkspaceError)
    assert (harness.service.asked, harness.heard.shared, harness.heard.sent) == ([], [], [])


@pytest.mark.parametrize("who", [ANA, BEN])
async def test_requester_and_host_read_the_link(harness: SessionHarness, who: str) -> None:
    await harness.made("s-1", requester=ANA, target=BEN)
    assert (await harness.does(RequestKind.LAST, who)).record.session.join_url == LINK
    (record,) = (await harness.does(RequestKind.STATUS, who)).records
    assert record.session.join_url == LINK
    await harness.does(RequestKind.DIRECT, who, "s-1")
    await harness.does(RequestKind.SHARE, who, "s-1")
    assert (harness.heard.sent, harness.heard.shared) == ([("s-1", who)], [("s-1", "C0CARE")])


@pytest.mark.parametrize("who", [UNA, SAM, ADA])
@pytest.mark.parametrize("kind", [RequestKind.SHARE, RequestKind.DIRECT])
async def test_nobody_else_gets_the_link_not_even_a_supervisor(
    harness: SessionHarness, who: str, kind: RequestKind
) -> None:
    await harness.made("s-1", requester=ANA, target=BEN)
    assert (await refusal(harness, kind, who, "s-1")).code == "may_not_read_link"
    assert (await refusal(harness, RequestKind.LAST, who)).code == "no_open_session"
    assert (await harness.does(RequestKind.STATUS, who)).records == ()
    assert harness.service.asked == []


@pytest.mark.parametrize("who", [ANA, BEN, SAM, ADA])
async def test_requester_host_supervisor_and_administrator_end_it(harness: SessionHarness, who: str) -> None:
    await harness.made("s-1", requester=ANA, target=BEN)
    ended = await harness.does(RequestKind.END, who, "s-1")
    assert (ended.record.is_over, ended.record.session.join_url) == (True, "")
    assert (harness.service.asked, harness.heard.closed) == ([("end", "s-1")], ["s-1"])


async def test_any_other_member_does_not(harness: SessionHarness) -> None:
    await harness.made("s-1", requester=ANA, target=BEN)
    assert (await refusal(harness, RequestKind.END, UNA, "s-1")).code == "may_not_end"
    assert harness.service.asked == []


@pytest.mark.parametrize("who", [SAM, ADA])
async def test_supervisor_sees_all_sessions_and_own_links(harness: SessionHarness, who: str) -> None:
    for name, people in (("a", {"requester": BEN}), ("b", {"requester": who}), ("c", {}), ("d", {"requester": BEN})):
        await harness.made(name, **people)
    await harness.made("elsewhere", team_id=TeamId("T0OTHER"))
    listed = await harness.does(RequestKind.LIST, who)
    assert (listed.page, listed.total) == (ListPage(ListKind.LIVE), 4)
    assert [record.agent for record in listed.records] == sorted([ANA, BEN, BEN, who])
    assert [record.session.id for record in listed.records if record.agent == BEN] == ["d", "a"]
    assert {record.session.id: record.session.join_url for record in listed.records if record.session.join_url} == {
        "b": LINK
    }
    assert harness.service.asked == []


@pytest.mark.parametrize("who", [ANA, UNA])
async def test_an_agent_does_not_see_them(harness: SessionHarness, who: str) -> None:
    assert (await refusal(harness, RequestKind.LIST, who)).code == "supervisors_only"


async def test_channel_list_restricts_starts_and_shares_alone(harness: SessionHarness) -> None:
    await harness.made("s-1")
    handlers = harness.register(channels=("C0DESK",)).handlers()
    for channel in ("D00ANA", "C0LOUNGE", ""):
        for kind in (RequestKind.LAST, RequestKind.STATUS, RequestKind.DIRECT):
            await handlers[kind].run(await harness.asks(kind, ANA, "s-1", channel_id=channel), RUN)
        with pytest.raises(ChannelNotAllowedError):
            await handlers[RequestKind.SHARE].run(
                await harness.asks(RequestKind.SHARE, ANA, "s-1", channel_id=channel), RUN
            )
    await handlers[RequestKind.SHARE].run(await harness.asks(RequestKind.SHARE, ANA, "s-1", channel_id="C0DESK"), RUN)
    await handlers[RequestKind.END].run(await harness.asks(RequestKind.END, ANA, None, channel_id="D00ANA"), RUN)


# -- which one --


async def test_end_alone_ends_the_only_session_or_asks_which(harness: SessionHarness) -> None:
    assert (await refusal(harness, RequestKind.END)).code == "no_open_session"
    await harness.made("s-1")
    await harness.made("s-2", requester=SAM, target=ANA)
    error = await refusal(harness, RequestKind.END)
    assert isinstance(error, SessionActionError)
    assert error.code == "several_open_sessions"
    assert error.sessions == (("s-2", "Checkout"), ("s-1", "Checkout"))
    await harness.does(RequestKind.END, ANA, "s-1")
    assert (await harness.does(RequestKind.END)).record.session.id == "s-2"


@pytest.mark.parametrize("about", ["unknown", "elsewhere"])
@pytest.mark.parametrize("kind", [RequestKind.END, RequestKind.SHARE, RequestKind.DIRECT])
async def test_a_session_that_is_none_of_this_workspace_is_not_found(
    harness: SessionHarness, about: str, kind: RequestKind
) -> None:
    await harness.made("elsewhere", team_id=TeamId("T0OTHER"))
    assert (await refusal(harness, kind, ANA, about)).code == "session_not_found"


async def test_too_many_sessions_for_a_message_have_pages(harness: SessionHarness) -> None:
    for number in range(11):
        await harness.made(f"s-{number:02}")
    listed = await harness.does(RequestKind.STATUS)
    assert [record.session.id for record in listed.records] == [f"s-{n:02}" for n in range(10, 0, -1)]
    assert listed.total == 11
    assert len(harness.service.asked) == 10  # about those that are shown
    more = await harness.does(RequestKind.STATUS, about="own.7.")
    assert [record.session.id for record in more.records] == ["s-00"]
    assert more.page == ListPage(number=1)


async def test_page_without_those_that_are_over_has_the_right_total(harness: SessionHarness) -> None:
    for name in ("s-1", "s-2"):
        await harness.made(name)
    harness.service.over = {"s-1"}
    listed = await harness.does(RequestKind.STATUS)
    assert ([record.session.id for record in listed.records], listed.total) == (["s-2"], 1)


async def test_end_with_more_open_than_a_page_asks_about_one_page_alone(harness: SessionHarness) -> None:
    for number in range(12):
        await harness.made(f"s-{number:02}")
    error = await refusal(harness, RequestKind.END)
    assert isinstance(error, SessionActionError)
    assert len(error.records) == 12
    assert len(harness.service.asked) == 10


async def test_choice_among_sessions_of_others_holds_no_link(harness: SessionHarness) -> None:
    for name in ("s-1", "s-2"):
        await harness.made(name, requester=BEN)
    error = await refusal(harness, RequestKind.END, SAM, target=BEN)
    assert isinstance(error, SessionActionError)
    assert [record.session.join_url for record in error.records] == ["", ""]


# -- what the service says --


async def test_session_ended_at_the_service_is_seen_by_any_reader(harness: SessionHarness) -> None:
    for name in ("s-1", "s-2"):
        await harness.made(name)
    harness.service.over = {"s-1"}
    assert [record.session.id for record in (await harness.does(RequestKind.STATUS)).records] == ["s-2"]
    assert harness.service.asked == [("look", "s-2"), ("look", "s-1")]
    assert harness.heard.closed == ["s-1"]
    harness.service.over = {"s-2"}
    assert (await harness.does(RequestKind.LAST)).record.is_over
    for kind in (RequestKind.SHARE, RequestKind.DIRECT):
        assert (await refusal(harness, kind, ANA, "s-2")).code == "already_ended"
    assert (harness.heard.shared, harness.heard.sent) == ([], [])


async def test_session_that_ends_before_its_card_is_posted_is_in_the_error(harness: SessionHarness) -> None:
    await harness.made("s-1")
    await harness.store.sessions.end_session("s-1", None)
    with pytest.raises(SessionActionError, match=r"^already_ended$") as ended:
        await harness.register().share_new(await harness.asks(RequestKind.START), SessionId("s-1"))
    assert ended.value.record.session.id == "s-1"  # the sentence depends on the session
    assert harness.heard.shared == []


async def test_a_service_that_cannot_say_leaves_a_session_as_it_was(
    harness: SessionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.made("s-1")
    harness.service.fails = {"look": ServiceUnreachableError()}
    assert len((await harness.does(RequestKind.STATUS)).records) == 1

    async def hangs(record: SessionRecord) -> SessionState:
        return await asyncio.get_running_loop().create_future()

    harness.timing = CoreTiming(status_timeout=0.01)
    monkeypatch.setattr(harness.service, "look", hangs)
    assert len((await harness.does(RequestKind.STATUS)).records) == 1


async def test_all_that_hang_are_waited_for_together(harness: SessionHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        await harness.made(f"s-{number}")
    at_once = asyncio.Barrier(8)

    async def together(record: SessionRecord) -> SessionState:
        await at_once.wait()
        return UNKNOWN_STATE

    monkeypatch.setattr(harness.service, "look", together)
    async with asyncio.timeout(CoreTiming().status_timeout):
        assert len((await harness.does(RequestKind.STATUS)).records) == 8


async def test_session_the_service_cannot_end_stays_open(harness: SessionHarness) -> None:
    await harness.made("s-1")
    for error in (UnknownSessionError(), ServiceUnreachableError()):
        harness.service.fails = {"end": error}
        assert await refusal(harness, RequestKind.END, ANA, "s-1") is error
    harness.service.fails = {}
    assert len((await harness.does(RequestKind.STATUS)).records) == 1
    assert harness.heard.closed == []


async def test_session_the_service_ended_is_ended_here(harness: SessionHarness) -> None:
    await harness.made("s-1")
    harness.service.fails, harness.service.over = {"end": UnknownSessionError()}, {"s-1"}
    assert (await harness.does(RequestKind.END, ANA, "s-1")).record.is_over


async def test_newest_open_session_is_found_behind_one_that_is_over_at_the_service(harness: SessionHarness) -> None:
    person = await People().person(BEN)
    for name in ("s-1", "s-2", "s-3"):
        await harness.made(name, requester=ANA, target=BEN)
    asked = await harness.asks(RequestKind.WHY, ADA, BEN)
    for over, newest in (((), "s-3"), (("s-3",), "s-2"), (("s-2",), "s-1")):
        harness.service.over |= set(over)
        found = await harness.register().newest_open(asked, person)
        assert found
        assert (found.session.id, found.session.join_url) == (newest, "")
    harness.service.over.add("s-1")
    assert await harness.register().newest_open(asked, person) is None


async def test_sessions_under_two_ids_are_listed_by_their_start(harness: SessionHarness) -> None:
    """The one that ends last is not always the newest."""
    other = UserId("W0BEN")
    for name, requester, minutes in (("s-1", BEN, 50), ("s-2", other, 40), ("s-3", BEN, 30)):
        await harness.made(name, minutes, requester=requester)
    person = SlackUser(TEAM, BEN, "Ben", MembershipStatus.MEMBER, other_id=other)
    found = await harness.register().newest_open(await harness.asks(RequestKind.WHY, ADA, BEN), person)
    assert found
    assert found.session.id == "s-3"
