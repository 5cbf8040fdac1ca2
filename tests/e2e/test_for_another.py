"""Whom the bot serves: supervisors and their agents, guests, outsiders, channels, and listed members."""

import asyncio
import random
from dataclasses import replace

import pytest

from bot.sandbox.genesys.server import GenesysUser
from bot.sandbox.slack.server import SlackUser
from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    CARE,
    GONE,
    GUS,
    HOSTS,
    OUTSIDER,
    ROBOT,
    SAM,
    SHARED,
    SINGLE,
    UNA,
    Journey,
    buttons,
    is_failure,
    is_note,
    link,
    open_journey,
    words,
)


@pytest.mark.parametrize("text", ["@ben Checkout help", "for @ben Checkout help"])
async def test_a_supervisor_starts_a_session_and_both_learn_of_it(either: Journey, text: str) -> None:
    card = await either.asks(text, who=SAM)
    (create,) = either.genesys.creates
    (note,) = either.slack.seen_by(BEN)

    assert create.body["hostUserId"].startswith(HOSTS[BEN])
    assert create.body["sessionName"] == "Checkout help"
    assert link(card) == link(note)
    assert f"<@{BEN}>" in words(card)
    assert f"*For <@{BEN}>* · Checkout help" in words(card)
    assert f"<@{BEN}> has this link too" in words(card)
    assert f"*Checkout help* · from <@{SAM}>" in words(note)
    assert f"<@{SAM}>" in note.text
    assert link(note) not in note.text
    assert note.via == "chat.postMessage"
    assert note.visible_to is None
    assert either.slack.seen_by(ANA) == []


@pytest.mark.parametrize(
    ("method", "fault"),
    [("conversations.open", "cannot_dm_user"), ("chat.postMessage", "restricted_action"), ("chat.postMessage", "500")],
)
async def test_the_requester_reads_that_the_agent_could_not_be_told(journey: Journey, method: str, fault: str) -> None:
    journey.slack.inject_fault(method, fault)
    card = await journey.asks("@ben", who=SAM)
    assert f"I couldn’t reach <@{BEN}>" in words(card)
    assert link(card)
    assert journey.slack.seen_by(BEN) == []


async def test_a_second_session_opens_no_second_direct_message(journey: Journey) -> None:
    await journey.asks("@ben One", who=SAM)
    await journey.asks("@ben Two", who=SAM)
    assert journey.slack.count("conversations.open") == 1
    assert len(journey.slack.seen_by(BEN)) == 2


async def test_unnamed_session_for_another_has_the_hosts_name(journey: Journey) -> None:
    await journey.asks("@ben", who=SAM)
    assert journey.genesys.creates[0].body["sessionName"] == "Co-browse with Ben Brandt"


async def test_an_agent_may_not_start_one_for_another(either: Journey) -> None:
    message = await either.asks("@ben", who=ANA)
    assert "Only supervisors" in words(message)
    assert "Nothing was started" in words(message)
    assert f"Ask a supervisor, or ask <@{BEN}> to start it." in words(message)
    assert either.genesys.creates == []
    assert either.slack.seen_by(BEN) == []


async def test_a_mention_of_oneself_needs_no_rank(journey: Journey) -> None:
    card = await journey.asks("@ana Refund")
    assert link(card)
    assert f"<@{ANA}>" not in words(card)
    assert journey.slack.count("chat.postMessage") == 0


async def test_supervisors_can_be_a_user_group_that_is_asked_for_once() -> None:
    async with open_journey(COBROWSE_SUPERVISORS="S0LEADS") as journey:
        assert link(await journey.asks("@ana One", who=BEN))
        assert link(await journey.asks("@ana Two", who=BEN))
        assert "Only supervisors" in words(await journey.asks("@ana", who=SAM))
        assert journey.slack.count("usergroups.users.list") == 1


async def test_administrators_may_do_what_supervisors_may() -> None:
    async with open_journey(COBROWSE_SUPERVISORS="", COBROWSE_ADMINS=ANA) as journey:
        assert link(await journey.asks("@ben", who=ANA))


async def test_a_user_group_that_cannot_be_read_lets_nobody_in() -> None:
    async with open_journey(COBROWSE_SUPERVISORS="S0NOSUCH", COBROWSE_HELP_CONTACT=BEN) as journey:
        message = await journey.asks("@ana", who=BEN)
        assert is_failure(message)
        assert "Nothing was started" in words(message)
        assert "no_such_subteam" in words(message)
        assert journey.genesys.creates == []


@pytest.mark.parametrize("who", [GUS, SINGLE, OUTSIDER, GONE, ROBOT, "U0NOBODY"])
@pytest.mark.parametrize("text", ["", "whoami", "@ana"])
async def test_guest_or_bot_is_refused_without_a_contact(journey: Journey, who: str, text: str) -> None:
    message = await journey.asks(text, who=who, channel_id=SHARED, team_id="T0SANDBOX")
    assert "can’t use co-browse" in words(message)
    assert f"<@{SAM}>" not in words(message)  # there is no setting for that
    assert "try_again" not in buttons(message)
    assert journey.genesys.calls == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (GUS, "is a guest, and guests can’t use co-browse here"),
        (SINGLE, "is a guest, and guests can’t use co-browse here"),
        (OUTSIDER, "isn’t a member of this workspace"),
        (GONE, "is deactivated"),
        (ROBOT, "is a bot"),
        ("U0BOT", "is a bot"),
        ("USLACKBOT", "isn’t a member of this workspace"),
        ("U0NOBODY", "isn’t a member of this workspace"),
    ],
)
async def test_the_one_it_is_for_is_checked_like_the_one_who_asks(journey: Journey, target: str, told: str) -> None:
    message = await journey.asks(f"<@{target}> Checkout", who=SAM, escape=False)
    assert f"<@{target}> {told}. Nothing was started." in words(message)
    assert journey.genesys.creates == []


async def test_an_agent_no_rule_maps_is_named_to_the_supervisor(journey: Journey) -> None:
    message = await journey.asks("@una", who=SAM)
    assert f"<@{UNA}> isn’t connected to Genesys yet" in words(message)
    assert journey.slack.seen_by(UNA) == []


async def test_another_workspaces_command_is_refused_without_look_up(either: Journey) -> None:
    for who, text in ((ANA, ""), (ANA, "whoami"), (SAM, "@ben"), (OUTSIDER, "")):
        message = await either.asks(text, who=who, team_id="T0OTHER", channel_id=SHARED)
        assert "I don’t work in this workspace" in words(message)
    assert either.slack.count("users.info") == 0
    assert either.genesys.calls == []


async def test_the_command_works_only_where_it_may() -> None:
    async with open_journey(COBROWSE_CHANNELS=f"{BILLING} C0OTHER") as journey:
        message = await journey.asks(channel_id=CARE)
        assert "Nobody can start co-browse in this channel" in words(message)
        assert f"<#{BILLING}>" in words(message)
        told = words(await journey.asks("why @ana", who=SAM, channel_id=CARE))
        assert f"<@{ANA}> would be refused" in told
        assert f"Nobody can start co-browse in this channel.\nUse <#{BILLING}>, <#C0OTHER> instead." in told
        assert journey.genesys.calls == []
        assert link(await journey.asks(channel_id=BILLING))


async def test_only_listed_members_and_supervisors_may() -> None:
    async with open_journey(COBROWSE_MEMBERS=ANA) as journey:
        assert link(await journey.asks(who=ANA))
        assert link(await journey.asks(who=SAM))
        message = await journey.asks(who=BEN)
        assert "You’re not on the list" in words(message)
        assert f"<@{SAM}>" in words(message)
        message = await journey.asks("@ben", who=SAM)
        assert f"<@{BEN}> isn’t on the list" in words(message)
        assert len(journey.genesys.creates) == 2


async def test_failed_look_up_of_another_person_is_not_about_the_supervisor(journey: Journey) -> None:
    await journey.asks("Mine", who=SAM)
    journey.slack.inject_fault("users.info", "internal_error")
    told = words(await journey.asks("@ben Deal", who=SAM))
    assert "Slack didn’t answer my question. Nothing was started." in told


async def test_members_can_be_a_user_group() -> None:
    async with open_journey(COBROWSE_MEMBERS="S0LEADS", COBROWSE_SUPERVISORS="") as journey:
        assert link(await journey.asks(who=BEN))
        assert "You’re not on the list" in words(await journey.asks(who=ANA))


async def test_whom_refusals_name_is_as_it_was_set() -> None:
    async with open_journey(COBROWSE_ADMINS="", COBROWSE_HELP_CONTACT="the <help> desk & co") as journey:
        assert "the &lt;help&gt; desk &amp; co" in words(await journey.asks(who=UNA))


@pytest.mark.parametrize("fault", ["internal_error", "500", "drop", "ratelimited"])
async def test_when_slack_cannot_say_who_somebody_is_nobody_gets_in(journey: Journey, fault: str) -> None:
    journey.slack.inject_fault("users.info", fault, retry_after=0)
    message = await journey.asks()
    assert "Slack didn’t answer my question. Nothing was started." in words(message)
    assert journey.genesys.calls == []
    journey.slack.inject_fault("users.info", None)
    await journey.tries_again(message)
    assert link(message)


async def test_an_unconfirmed_address_maps_nobody(journey: Journey) -> None:
    users = journey.slack.workspace.users
    users[ANA] = replace(users[ANA], is_email_confirmed=False)
    message = await journey.asks("@ana", who=SAM)  # the contact
    assert "Slack does not call the email address confirmed" in words(message)
    assert journey.genesys.count("search") == 0


async def test_sessions_for_oneself_and_for_another_do_not_mix(journey: Journey) -> None:
    journey.genesys.latency_seconds = 0.02
    each = [(ANA, "Ana's"), (SAM, "@ben Ben's"), (BEN, "Own"), (SAM, "@ana Other"), (SAM, "Sam's")]
    asking = [(who, f"{text} {number}") for number in range(5) for who, text in each]
    await asyncio.gather(*(journey.slack.command(who, text) for who, text in asking))
    await journey.finish()
    wanted = {"Ana's": ANA, "Ben's": BEN, "Own": BEN, "Other": ANA, "Sam's": SAM}
    assert len(journey.genesys.creates) == len(asking)
    for create in journey.genesys.creates:
        assert create.body["hostUserId"].startswith(HOSTS[wanted[create.body["sessionName"][:-2]]])


async def test_nobody_ever_gets_somebody_elses_host() -> None:
    """Sixty people type at once, each three times, and the answers overtake each other."""
    people = [f"U0P{number:02d}" for number in range(60)]
    chance = random.Random(2)
    async with open_journey(SHUTDOWN_SECONDS="60") as journey:
        for number, person in enumerate(people):
            address = f"{person.lower()}@example.com"
            journey.slack.workspace.users[person] = SlackUser(person, person.lower(), person, address)
            host = f"{number:08d}-0000-4000-8000-000000000000"
            journey.genesys.users[host] = GenesysUser(host, person, address)
        journey.genesys.latency_seconds = 0.01
        asking = [(person, f"{person} {number}") for person in people for number in range(3)]
        chance.shuffle(asking)
        await asyncio.gather(*(journey.slack.command(person, text) for person, text in asking))
        await journey.finish()

        assert len(journey.genesys.creates) == len(asking)
        sessions = {session.join_url: session for session in journey.genesys.sessions.values()}
        for number, person in enumerate(people):
            told = [sessions[link(message)] for message in journey.slack.seen_by(person) if not is_note(message)]
            assert sorted(session.name for session in told) == [f"{person} {number}" for number in range(3)]
            assert all(session.host_user_id.startswith(f"{number:08d}-") for session in told)
