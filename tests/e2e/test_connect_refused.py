"""Linking one's own Genesys account with errors: refused sign-ins, two at once, and requests of strangers."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.timing import RECEIVER_BOUNDS, CoreTiming, NoticeTiming
from tests.support import accounts
from tests.support.accounts import (
    BENS,
    asks_to_connect,
    connecting,
    connects,
    open_connecting,
    opens,
    signs_in,
    state_of,
    whose,
)
from tests.support.app import (
    ADA,
    ANA,
    BEN,
    QUICK_GENESYS,
    SAM,
    Journey,
    is_failure,
    link,
    open_bot_between,
    open_servers,
    words,
)
from tests.support.conversations import HOST, SECRET
from tests.support.live import told
from tests.support.message_buttons import labels
from tests.support.postgres import new_database

journey, simple = accounts.journey, accounts.simple


async def test_two_who_come_back_at_once_are_one_sign_in(journey: Journey) -> None:
    back = await signs_in(await asks_to_connect(journey))
    pages = await asyncio.gather(*(opens(back) for _ in range(5)))
    assert sorted(page.status for page in pages) == [200, 400, 400, 400, 400]
    told = words(await journey.asks("whoami"))
    assert "signed in to Genesys" in told


async def test_refused_token_is_renewed_once_and_the_create_succeeds(journey: Journey) -> None:
    await connects(journey)
    journey.genesys.revoke_tokens()
    assert link(await journey.asks("Checkout"))
    assert len(journey.genesys.user_login.used_refresh_tokens) == 1
    assert link(await journey.asks("Refund"))
    assert len(journey.genesys.user_login.used_refresh_tokens) == 1


async def test_person_signed_out_by_genesys_has_to_connect_again(
    journey: Journey,
) -> None:
    await connects(journey)
    journey.genesys.conversations.requires_user = False  # the bot itself could
    journey.genesys.user_login.sign_out(HOST)
    journey.genesys.revoke_tokens()
    refused = await journey.asks("Checkout")
    assert is_failure(refused)
    assert "Your sign-in to Genesys has expired" in words(refused)
    assert labels(refused) == ["Sign in", "Try again"]
    assert "Reference" in words(refused)
    assert whose(journey) == []
    assert "You haven’t signed in to Genesys yourself" in words(await journey.asks("whoami"))
    await connects(journey)
    assert link(await journey.asks("Checkout"))
    assert whose(journey) == [HOST]


async def test_a_supervisor_reads_that_the_agents_sign_in_is_refused(simple: Journey) -> None:
    await connects(simple, BEN, BENS)
    simple.genesys.user_login.sign_out(BENS)
    simple.genesys.revoke_tokens()
    refused = await simple.asks("@ben Checkout", who=SAM)
    assert "Ask them to type `/cobrowse connect`, then try again" in words(refused)


async def test_person_without_a_permission_reads_that_it_is_theirs(simple: Journey) -> None:
    await connects(simple, BEN, BENS)
    simple.genesys.conversations.missing_permissions.add("conversation:cobrowse:add")
    refused = await simple.asks("Checkout", who=BEN)
    assert "Your Genesys account isn’t allowed to co-browse yet. Nothing was started." in words(refused)
    assert f"<@{SAM}>" in words(refused)
    refused = await simple.asks("@ben Checkout", who=SAM)
    assert "The agent’s Genesys account isn’t allowed to co-browse yet. Nothing was started." in words(refused)
    assert "lacks `conversation:cobrowse:add`" in words(refused)


async def test_relinked_person_does_not_act_by_the_old_sign_in(simple: Journey) -> None:
    await connects(simple)
    await simple.asks(f"link @ana {BENS}", who=SAM)
    assert "You haven’t signed in to Genesys yourself" in words(await simple.asks("whoami"))
    refused = await simple.asks("Checkout")
    assert "Sign in" in labels(refused)
    assert whose(simple) == []
    page = await connects(simple, ANA, HOST)  # nor can they connect as who they were
    assert page.status == 403


@pytest.mark.parametrize(
    "fault",
    ["500", "503", "dropped", "silent", "502"],
)
async def test_sign_in_genesys_does_not_complete_connects_nobody(fault: str) -> None:
    async with open_connecting(genesys_timing=replace(QUICK_GENESYS, login_timeout=0.5)) as journey:
        back = await signs_in(await asks_to_connect(journey))
        await journey.genesys.inject_fault(fault, on="token")
        page = await opens(back)
        assert page.status == 503
        assert "Reference" in page.text
        assert "was started" not in page.text
        await journey.genesys.inject_fault(None)
        assert "You haven’t signed in to Genesys yourself" in words(await journey.asks("whoami"))


async def test_a_code_that_somebody_made_up_connects_nobody(simple: Journey) -> None:
    state = state_of(await asks_to_connect(simple))
    page = await opens(f"{simple.url}/genesys/callback?state={state}&code=made-up")
    assert page.status == 503
    assert "Genesys didn’t complete the sign-in" in page.text


LONG = "x" * 43
ODD = [
    "",
    "?",
    "?state",
    "?state=&code=",
    "?state=%00%ff&code=%0d%0a",
    f"?state={LONG}&code=c",
    "?code=c",
    "?state[]=1",
]
ODD += [f"?state={LONG}&state={LONG}&code=c", f"?state={LONG * 90}", "?" + "a=1&" * 300, "?%=%%&&&=;", "?error=denied"]


async def test_whatever_a_stranger_sends_there_is_a_link_that_is_gone(simple: Journey) -> None:
    link_of_ana = await asks_to_connect(simple)
    before = simple.genesys.count("token")
    for query in ODD:
        page = await opens(f"{simple.url}/genesys/callback{query}")
        assert page.status == 400, query
        assert "too old" in page.text
    doubled = f"?state={state_of(link_of_ana)}&state={state_of(link_of_ana)}&code=c"
    assert (await opens(f"{simple.url}/genesys/callback{doubled}")).status == 400
    assert simple.genesys.count("token") == before
    assert (await opens(await signs_in(link_of_ana))).status == 200  # which used nothing up


async def test_page_is_complete_and_is_neither_cached_nor_framed(simple: Journey) -> None:
    page = await opens(f"{simple.url}/genesys/callback")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in page.html
    assert "<script" not in page.html


async def test_more_than_so_many_at_once_are_asked_to_wait() -> None:
    async with accounts.open_connecting(bounds=replace(RECEIVER_BOUNDS, callbacks=1)) as journey:
        back, before = await signs_in(await asks_to_connect(journey)), journey.genesys.count("token")
        await journey.genesys.inject_fault("slow", on="token", seconds=0.5)
        first = asyncio.create_task(opens(back))
        async with asyncio.timeout(5):
            while journey.genesys.count("token") == before:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        busy = await opens(f"{journey.url}/genesys/callback?state={LONG}&code=c")
        assert busy.status == 429
        assert "Load this page again" in busy.text
        assert (await first).status == 200


async def test_fresh_connection_on_another_replica_gives_a_session() -> None:
    async with (
        new_database() as url,
        open_servers(http=True, client_secret=SECRET) as servers,
        open_bot_between(servers, connecting(servers, DATABASE_URL=url), http=True) as here,
    ):
        servers.genesys.conversations.set_live_count("one")
        servers.genesys.conversations.requires_user = True
        assert is_failure(await here.asks("Checkout"))  # so this one knows that they are not connected
        client = servers.genesys.user_login.client
        async with open_bot_between(servers, connecting(servers, DATABASE_URL=url), http=True) as there:
            uris = (*client.redirect_uris, *servers.genesys.user_login.client.redirect_uris)
            servers.genesys.user_login.client = replace(client, redirect_uris=uris)
            assert (await connects(there)).status == 200
            assert link(await there.asks("Refund"))
            servers.slack.events_url = f"{here.url}/slack/events"
            servers.genesys.conversations.set_live_count("one")  # else the open session is given back
            assert link(await here.asks("Checkout"))
        assert whose(here) == [HOST, HOST]


async def test_refused_client_for_sign_ins_is_told_by_its_name() -> None:
    quick = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1))
    async with open_connecting(timing=quick, COBROWSE_ADMINS=ADA, COBROWSE_HELP_CONTACT=ADA) as journey:
        await connects(journey)
        old, journey.genesys.user_login.client.secret = journey.genesys.user_login.client.secret, "a new secret"
        journey.genesys.revoke_tokens()
        assert "My connection to Genesys is broken." in words(await journey.asks("Refund"))
        fault = await told(journey, "failing for 1 person", who=ADA)
        assert "OAuth client for people’s sign-ins (invalid_client" in words(fault)
        assert "`GENESYS_CONNECT_CLIENT_SECRET`" in words(fault)
        before = len(journey.slack.messages)
        await journey.slack.press(ADA, fault, "check_fault")
        assert "can’t tell" in words(await journey.reads(ADA, before))
        await journey.asks("status", who=SAM)
        assert "Working again" not in words(fault)
        journey.genesys.user_login.client.secret = old
        assert link(await journey.asks("Refund"))
        await told(journey, "Working again", who=ADA)
