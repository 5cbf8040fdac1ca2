"""Linking one's own Genesys account, as people see it: link, sign-in, page, and sessions with the account."""

import json
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import accounts
from tests.support.accounts import (
    BENS,
    address,
    asks_to_connect,
    connects,
    open_connecting,
    opens,
    signs_in,
    state_of,
    whose,
)
from tests.support.app import ANA, BEN, GUS, SAM, UNA, Journey, buttons, is_failure, link, words
from tests.support.conversations import HOST
from tests.support.message_buttons import labels
from tests.support.session_buttons import opens as opens_dialog
from tests.support.timing import FRESH_PEOPLE
from tests.support.views import said

journey, simple = accounts.journey, accounts.simple


async def test_person_told_to_connect_connects_and_has_a_session(journey: Journey) -> None:
    refused = await journey.asks("Checkout")
    assert is_failure(refused)
    assert labels(refused) == ["Sign in", "Try again"]
    before = len(journey.slack.messages)
    page = await opens(await signs_in(address(refused)))
    assert "You’re signed in to Genesys" in words(await journey.reads(ANA, before))
    assert page.status == 200
    assert "You’re signed in to Genesys." in page.text
    assert "/cobrowse" in page.text
    await journey.tries_again(refused)
    assert link(next(message for message in journey.slack.seen_by(ANA) if "Checkout" in words(message)))
    journey.genesys.conversations.set_live_count("one")  # else the open session is given back
    assert link(await journey.asks("Refund"))  # by the same token
    assert whose(journey) == [HOST, HOST]
    assert "You signed in to Genesys yourself" in words(await journey.asks("whoami"))
    assert "/cobrowse connect" in said(await opens_dialog(journey, await journey.asks("help"), "help_all"))
    gone = await journey.asks("disconnect")
    assert "You’re signed out of Genesys here" in words(gone)
    assert [call.status for call in journey.genesys.calls if call.method == "DELETE"] == [200]
    journey.genesys.conversations.set_live_count("one")
    assert is_failure(await journey.asks("Once more"))
    assert len(whose(journey)) == 2
    assert "You haven’t signed in to Genesys yourself" in words(await journey.asks("whoami"))


async def test_supervisor_reads_that_the_agent_has_to_connect(simple: Journey) -> None:
    refused = await simple.asks("@ben Checkout", who=SAM)
    assert "Ask them to type `/cobrowse connect`" in words(refused)
    assert "GENESYS_CONNECT_CLIENT_ID" not in words(refused)  # Sam is the contact, and there is nothing to repair
    await connects(simple, BEN, BENS)
    assert link(await simple.asks("@ben Checkout", who=SAM))
    assert whose(simple) == [BENS]


async def test_a_forwarded_link_connects_nobody(journey: Journey) -> None:
    link_of_ana = await asks_to_connect(journey)
    before = len(journey.slack.messages)
    page = await opens(await signs_in(link_of_ana, BENS))
    assert page.status == 403
    assert "This link is for another Genesys user" in page.text
    assert "Reference" in page.text
    told = await journey.reads(ANA, before)
    assert "This link is for another Genesys user" in words(told)
    assert [call.status for call in journey.genesys.calls if call.kind == "me" and call.method == "DELETE"] == [200]
    for who in (ANA, BEN):
        assert "You haven’t signed in to Genesys yourself" in words(await journey.asks("whoami", who=who))
    again = await opens(await signs_in(link_of_ana, HOST))  # nor does the right person's sign-in by it any more
    assert again.status == 400
    assert "You haven’t signed in to Genesys yourself" in words(await journey.asks("whoami"))


async def test_a_link_is_good_once_and_a_newer_one_takes_its_place(simple: Journey) -> None:
    old, new = await asks_to_connect(simple), await asks_to_connect(simple)
    assert state_of(old) != state_of(new)
    assert (await opens(await signs_in(old))).status == 400
    back = await signs_in(new)
    assert (await opens(back, "HEAD")).status == 405  # what looks ahead does not use it up
    assert (await opens(back)).status == 200
    used = await opens(back)
    assert used.status == 400
    assert "This sign-in link was used" in used.text
    assert "/cobrowse connect" in used.text
    assert "signed in to Genesys already" in words(await simple.asks("connect"))


async def test_link_connects_nobody_after_ten_minutes(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with open_connecting(DATABASE_URL=f"sqlite:///{path}") as journey:
        for seconds, status in ((601, 400), (595, 200)):
            back = await signs_in(await asks_to_connect(journey))
            with sqlite3.connect(path) as file:
                file.execute("UPDATE connects SET good_until = good_until - ?", (seconds,))
            file.close()
            assert (await opens(back)).status == status
            connected = "You haven’t signed in to Genesys yourself" not in words(await journey.asks("whoami"))
            assert connected == (status == 200)


async def test_refused_consent_is_told(simple: Journey) -> None:
    page = await opens(await signs_in(await asks_to_connect(simple), ""))
    assert page.status == 403
    assert "Access to your Genesys account was declined" in page.text
    assert "You haven’t signed in to Genesys yourself" in words(await simple.asks("whoami"))


async def test_removed_person_is_not_connected() -> None:
    async with open_connecting(slack_timing=FRESH_PEOPLE) as journey:
        back = await signs_in(await asks_to_connect(journey))
        users = journey.slack.workspace.users
        users[ANA] = replace(users[ANA], deleted=True)
        page = await opens(back)
        assert page.status == 403
        assert "Deactivated accounts can’t use co-browse" in page.text
        assert journey.genesys.user_login.refresh_tokens == {}


@pytest.mark.parametrize(("who", "says"), [(GUS, "Guests"), (UNA, "isn’t connected to Genesys yet")])
async def test_person_who_may_not_connect_gets_no_link(simple: Journey, who: str, says: str) -> None:
    message = await simple.asks("connect", who=who)
    assert is_failure(message)
    assert says in words(message)
    assert "open" not in buttons(message)


async def test_person_with_a_genesys_user_reads_that_only_the_sign_in_is_missing(simple: Journey) -> None:
    """A rule leads to the Genesys user, so the person is connected. Genesys may ask for a sign-in all the same."""
    told = words(await simple.asks("whoami"))
    assert "You’re connected to Genesys. You haven’t signed in to Genesys yourself." in told
    assert "to start." not in told
    told = words(await simple.asks("why"))
    assert "You can start co-browse." in told
    assert "You haven’t signed in to Genesys yourself. If a start needs it, type `/cobrowse connect`." in told
    told = words(await simple.asks("why @ben", who=SAM))
    assert f"<@{BEN}> hasn’t signed in to Genesys." in told
    await accounts.connects(simple)
    assert "haven’t signed in" not in words(await simple.asks("why"))


async def test_disconnecting_what_is_not_connected_says_so(simple: Journey) -> None:
    assert "You haven’t signed in to Genesys." in words(await simple.asks("disconnect"))


@pytest.mark.parametrize(
    ("environ", "http", "says"),
    [
        ({"GENESYS_CONNECT_CLIENT_ID": ""}, True, "GENESYS_CONNECT_CLIENT_ID"),
        (
            {"STORE_ENCRYPTION_KEY": "", "COBROWSE_SMS_FROM": "", "COBROWSE_EMAIL_FROM": ""},
            True,
            "STORE_ENCRYPTION_KEY",
        ),
        ({}, False, "`BOT_MODE=http`"),
    ],
    ids=["no client", "no key", "Socket Mode"],
)
async def test_unusable_sign_in_is_explained_and_has_no_callback(
    tmp_path: Path, environ: dict[str, str], http: bool, says: str
) -> None:
    async with open_connecting(http=http, DATABASE_URL=f"sqlite:///{tmp_path}/bot.db", **environ) as journey:
        for command in ("connect", "Checkout"):
            refused = await journey.asks(command)
            assert is_failure(refused)
            assert "igning in to Genesys isn’t set up" in words(refused)
            assert f"<@{SAM}>" in words(refused)
            assert says not in words(refused)
            assert says in words(await journey.asks(command, who=SAM))  # the contact reads the repair
        assert "connect`" not in said(await opens_dialog(journey, await journey.asks("help"), "help_all"))
        assert "signed in" not in words(await journey.asks("whoami"))
        if http:
            assert (await opens(f"{journey.url}/genesys/callback?state={'s' * 43}&code=c")).status == 404


async def test_with_the_other_service_there_is_nothing_to_connect() -> None:
    async with open_connecting(GENESYS_COBROWSE_API="sessions", GENESYS_LIVE="off") as journey:
        for command in ("connect", "disconnect"):
            assert "You don’t need to sign in to Genesys here" in words(await journey.asks(command))


async def test_nobody_reads_a_state_a_code_or_a_token_in_the_log(
    simple: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    link_of_ana = await asks_to_connect(simple)
    back = await signs_in(link_of_ana)
    await opens(back)
    await opens(back)
    await simple.asks("Checkout")
    secrets = [state_of(link_of_ana), back.partition("code=")[2].partition("&")[0]]
    secrets += [*simple.genesys.user_login.refresh_tokens, *simple.genesys.login._grants]
    shown = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "connected" in shown
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in shown] == []


async def test_each_step_stands_in_the_audit_log_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_connecting(AUDIT_LOG=str(path)) as journey:
        await connects(journey, ANA, BENS)
        await connects(journey)
        await journey.asks("disconnect")
        page = await opens(f"{journey.url}/metrics")
        await journey.finish()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    shown = [(line["action"], line["decision"], line["outcome"]) for line in lines]
    assert shown == [
        ("connect", "allowed", "connect_offered"),
        ("connect", "refused", "connect_wrong_user"),
        ("connect", "allowed", "connect_offered"),
        ("connect", "allowed", "connected"),
        ("disconnect", "allowed", "disconnected"),
    ]
    assert {line["requester"] for line in lines} == {ANA}
    assert [line.get("host") for line in lines[3:]] == [HOST, HOST]
    assert 'cobrowse_requests_total{kind="connect",outcome="connected"} 1.0' in page.html
