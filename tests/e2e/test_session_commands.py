"""The commands about existing sessions, over real sockets: list, show, end, explain and link."""

import re

import pytest

from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    CARE,
    GUS,
    HOSTS,
    SAM,
    UNA,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.session_buttons import END, presses, says, status

HOST = HOSTS[BEN] + "-2222-4222-8222-222222222222"


async def test_the_link_that_was_lost_comes_again(either: Journey) -> None:
    first = link(await either.asks("Checkout"))
    message = await either.asks("last", channel_id=BILLING)
    assert (link(message), message.visible_to, message.channel) == (first, ANA, BILLING)
    assert "Checkout" in words(message)
    assert set(buttons(message)) >= {"send_to_customer", END, "session_menu"}
    assert first not in message.text


async def test_person_without_sessions_reads_that(journey: Journey) -> None:
    assert "No sessions yet" in words(await journey.asks("last"))
    assert "No open sessions" in words(await journey.asks("status"))
    assert "You have no open session" in words(await journey.asks("end"))
    assert "Nobody has an open session" in words(await journey.asks("list", who=SAM))
    assert {call.kind for call in journey.genesys.calls} <= {"token", "search"}  # whether Ana can start one


async def test_status_shows_each_session_as_a_row_with_a_menu(either: Journey) -> None:
    cards = [await either.asks(name) for name in ("One", "Two")]
    message = await either.asks("status")
    said = words(message)
    assert "2 open sessions" in said
    assert "*Two* · 30 minutes left" in said
    rows = [block for block in message.blocks if "accessory" in block]
    assert [[option["value"] for option in row["accessory"]["options"]] for row in rows] == [
        ["show", "send", "end"]
    ] * 2
    assert either.genesys.count("read") == 2
    shown = await presses(either, message, "row_menu", chosen="show", block_id=rows[1]["block_id"])
    assert link(shown) == link(cards[0])
    assert END in buttons(shown)


async def test_host_of_a_supervisors_session_sees_and_ends_it(journey: Journey) -> None:
    card = await journey.asks("@ben Deal", who=SAM)
    (note,) = journey.slack.seen_by(BEN)
    for who, shown in ((BEN, f"*Deal* · from <@{SAM}>"), (SAM, f"*Deal* · for <@{BEN}>")):
        assert link(await journey.asks("last", who=who)) == link(card)
        assert shown in words(await journey.asks("status", who=who))
    ended = await journey.asks("end", who=BEN)
    assert "Ended *Deal*. The link no longer works." in words(ended)
    await says(journey, note, f"ended by <@{BEN}>")
    assert status(journey) == ["ended"]


async def test_end_ends_it_once(either: Journey) -> None:
    await either.asks("Deal")
    assert "Ended *Deal*" in words(await either.asks("end"))
    assert status(either) == ["ended"]
    assert "You have no open session" in words(await either.asks("end"))
    assert f"*Deal* · ended by <@{ANA}>" in words(await either.asks("last"))


async def test_of_several_one_is_ended_by_its_id(journey: Journey) -> None:
    for name in ("One", "Two"):
        await journey.asks(name)
    asked = words(await journey.asks("end"))
    one, _ = journey.genesys.sessions.values()
    assert "Which session should I end?" in asked
    assert one.id not in asked
    assert status(journey) == ["active", "active"]
    assert "Ended *One*" in words(await journey.asks(f"end {one.id}"))
    assert "already ended" in words(await journey.asks(f"end `{one.id}`"))
    assert status(journey) == ["ended", "active"]
    assert "I can’t find that session" in words(await journey.asks("end 12345678"))


async def test_supervisor_sees_all_by_host_and_ends_any(journey: Journey) -> None:
    cards = [await journey.asks(f"{number} of {who}", who=who) for number, who in enumerate((BEN, ANA, BEN))]
    await journey.asks("Own", who=SAM)
    listed = await journey.asks("list", who=SAM)
    assert "Live now: 4" in words(listed)
    assert not any(link(card) in str(listed.blocks) for card in cards)
    lines = [block["text"]["text"] for block in listed.blocks]
    shown = [re.sub(r" · since <!date.*", "", line) for line in lines[1:]]
    assert shown == [
        *(f"<@{ANA}>", f"*1 of {ANA}*"),
        *(f"<@{BEN}>", f"*2 of {BEN}*", f"*0 of {BEN}*"),
        *(f"<@{SAM}>", "*Own*"),
    ]
    row = next(block for block in listed.blocks if "*1 of U0ANA*" in str(block))
    told = await presses(journey, listed, "row_menu", who=SAM, block_id=row["block_id"], chosen="end")
    assert told is listed
    assert f"*1 of {ANA}* · ended by <@{SAM}>" in words(told)
    assert "Live now: 3" in words(told)
    assert status(journey) == ["active", "ended", "active", "active"]


async def test_agent_reads_that_the_session_of_another_goes_on(journey: Journey) -> None:
    await journey.asks("Bens", who=BEN)
    told = words(await journey.asks("@ben end"))
    assert "Only supervisors can end other people’s sessions. Nothing was ended." in told
    assert f"Ask <@{BEN}> or a supervisor to end it." in told
    assert status(journey) == ["active"]


async def test_limit_of_the_team_promises_no_link_of_ones_own() -> None:
    async with open_journey(COBROWSE_WORKSPACE_STARTS_PER_MINUTE="1") as journey:
        await journey.asks("Bens", who=BEN)
        told = words(await journey.asks("Refund"))
    assert "Your team has started too many sessions just now." in told
    assert "latest link" not in told


async def test_guest_is_sent_to_somebody_who_can_help(journey: Journey) -> None:
    """A member starts sessions for nobody else, and a supervisor starts none for a guest."""
    assert "Ask a colleague who is a member to help your customer." in words(await journey.asks(who=GUS))


async def test_an_agent_reads_that_the_list_is_not_for_them(journey: Journey) -> None:
    await journey.asks(who=BEN)
    message = await journey.asks("list")
    assert "Only supervisors can see other people’s sessions" in words(message)
    assert "`/cobrowse status` shows your own" in words(message)


async def test_the_applications_there_are(either: Journey) -> None:
    either.genesys.applications = {"web": "Web", "shop": "Web <shop>"}
    said = words(await either.asks("apps"))
    assert "`web` Web (used here)" in said
    assert "`shop` Web &lt;shop&gt;" in said
    either.genesys.applications = {"shop": "Web shop"}
    assert "I use `web`, which Genesys doesn’t list." in words(await either.asks("apps"))


@pytest.mark.parametrize("fault", ["403", "500", "dropped", "429"])
async def test_a_service_that_fails_is_told_without_talk_of_a_start(journey: Journey, fault: str) -> None:
    await journey.asks("Deal")
    await journey.genesys.inject_fault(fault, on="end", **({"retry_after": 600} if fault == "429" else {}))
    message = await journey.asks("end")
    assert is_failure(message)
    assert "was started" not in words(message)
    assert "start co-browse" not in words(message)
    assert "link" not in words(message)


async def test_a_service_that_cannot_end_says_that_it_ends_by_itself(journey: Journey) -> None:
    journey.genesys.delete_supported = False
    await journey.asks("Deal")
    assert "It ends by itself" in words(await journey.asks("end"))
    assert "Deal" in words(await journey.asks("status"))


async def test_an_end_that_failed_is_tried_again_for_the_same_session(journey: Journey) -> None:
    for name in ("One", "Two"):
        await journey.asks(name)
    one = next(iter(journey.genesys.sessions))
    await journey.genesys.inject_fault("down")
    failed = await journey.asks(f"end {one}")
    assert "can’t reach Genesys" in words(failed)
    await journey.genesys.inject_fault(None)
    told = await presses(journey, failed, "try_again")
    assert told is failed  # whose place it takes
    assert "Ended *One*" in words(told)
    assert status(journey) == ["ended", "active"]


# -- who is who --


async def test_why_tells_of_oneself_and_supervisors_of_others(journey: Journey) -> None:
    assert "can start co-browse" in words(await journey.asks("why"))
    assert "isn’t connected to Genesys yet" in words(await journey.asks("why", who=UNA))
    assert "Only supervisors can see other people’s" in words(await journey.asks("why @ben"))
    told = words(await journey.asks("why @ben", who=SAM))  # who can repair it reads the user and the rule
    assert HOST in told
    assert "by the rule “same email”" in told
    assert "no rule leads to a Genesys user" in words(await journey.asks("why @una", who=SAM))
    guest = words(await journey.asks("why @gus", who=SAM))
    assert f"<@{GUS}> would be refused" in guest
    assert f"<@{GUS}> is a guest" in guest
    assert journey.genesys.creates == []


async def test_an_administrator_links_by_address_or_id_and_unlinks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with open_journey(COBROWSE_ADMINS=SAM) as journey:
        assert "isn’t connected" in words(await journey.asks("why", who=UNA))
        linked = words(await journey.asks("link @una ben@example.com", who=SAM))
        assert f"<@{UNA}> is connected to Genesys as" in linked
        await journey.asks("Deal", who=UNA)
        assert journey.genesys.creates[-1].body["hostUserId"] == HOST
        assert "no longer connected by hand" in words(await journey.asks("unlink @una", who=SAM))
        told = words(await journey.asks("unlink @una", who=SAM))
        assert "This person isn’t connected by hand." in told
        assert "connected in another way" not in told
        assert "`/cobrowse why @agent` shows whether they are connected" in told
        assert "I can’t connect them: no Genesys user has this address" in words(
            await journey.asks("link @una x@example.com", who=SAM)
        )
        assert "guests can’t use co-browse" in words(await journey.asks(f"link @gus {HOST}", who=SAM))
        assert "Only administrators" in words(await journey.asks(f"link @una {HOST}", who=ANA))
    assert "ben@example.com" not in caplog.text
    assert "x@y.example" not in caplog.text
    lines = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "answered"]
    audit = [(line["requester"], line["agent"], line["host"]) for line in lines if line["outcome"] == "host_linked"]
    assert audit == [(SAM, UNA, HOST), (SAM, UNA, None)]


async def test_link_genesys_could_not_look_up_is_typed_again() -> None:
    """The bot deletes the address with the answer."""
    async with open_journey(COBROWSE_ADMINS=SAM) as journey:
        await journey.genesys.inject_fault("down")
        message = await journey.asks("link @una ben@example.com", who=SAM)
        assert "can’t reach Genesys" in words(message)
        assert "try_again" not in buttons(message)


@pytest.mark.parametrize("text", ["last", "status", "list", "end", "apps", "why", "help", "unlink @ben"])
async def test_a_guest_gets_a_refusal_and_nothing_is_asked(either: Journey, text: str) -> None:
    message = await either.asks(text, who=GUS)
    assert "Guests can’t use co-browse here" in words(message)
    assert either.genesys.calls == []


async def test_sessions_of_a_channel_can_be_ended_from_anywhere() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await journey.asks("Deal")
        assert "Deal" in words(await journey.asks("status", channel_id=BILLING))
        assert "Ended *Deal*" in words(await journey.asks("end", channel_id=BILLING))
