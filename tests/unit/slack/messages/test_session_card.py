"""How sessions look after they were made: Slack's limits hold, links stand only where they may, and nothing rings."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from bot.core import errors
from bot.core.errors import PersonNotAllowedError, RuleMiss
from bot.core.models import Host, HostId, RequestKind, Role, Session, SessionId, SessionRecord, TeamId, UserId
from bot.core.results import (
    AccessReport,
    Applications,
    Help,
    HostLinked,
    LastSession,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
)
from bot.core.use_cases.sessions import MAX_OWN, MAX_WORKSPACE
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import LISTED, closed_card, direct_card, shared_card
from tests.support.rendered_messages import JOIN_URL, WORDS, assert_fit_for_slack, request, some, texts, unsafe

ANA, BEN = UserId("U0ANA"), UserId("U0BEN")
SOON = datetime.now(UTC) + timedelta(minutes=29)


def record(name: str = "Checkout", number: int = 1, *, is_over: bool = False, **more: Any) -> SessionRecord:
    made: dict[str, Any] = {"id": SessionId("s" * 190 + f"{number:010d}"), "status": "active", "host_id": HostId("h")}
    made |= {"name": name, "application_id": "web", "ends_at": SOON, "join_url": "" if is_over else JOIN_URL} | more
    session = Session(**made)
    return SessionRecord(session=session, team_id=TeamId("T0"), requester=ANA, agent=BEN, is_over=is_over)


def outcomes(word: str) -> list[Any]:
    name = word[:100] or "-"
    one, over = record(name), record(name, is_over=True)
    code = record(name, join_url="", join_code="123", application_id="")
    return [
        *(LastSession(each) for each in (one, over, code)),
        *(SessionList((one, code), everybodys=everybodys) for everybodys in (True, False)),
        *(SessionEnded(over), SessionShared(one, "C0DESK"), SentDirect(one)),
        Applications(((word, word),) * 60, word),
        AccessReport(ANA, Role.MEMBER, None, Host(HostId("h"), word), ()),
        AccessReport(ANA, Role.MEMBER, None, None, (RuleMiss(word, word),)),
        errors.SessionActionError("several_open_sessions", sessions=((word, word),) * 9),
        errors.SharingError("message_not_posted", slack_error=word),
        errors.AccountLinkError("no_such_host", word),
    ]


def plain(message: Any) -> str:
    """What it says, without dates, which hold brackets of our own."""
    return "\n".join(texts(message))


@some
@given(unsafe)
def test_no_word_gets_out_unescaped(word: str) -> None:
    dates = re.compile(r"<!date\^\d+\^[^|>]*\|[^>]*>")
    for outcome in outcomes(word):
        message = WORDS.answer(request(kind=RequestKind.STATUS, reply_url="x"), outcome)
        for text in texts(message):
            assert text is message.text or len(text) <= 3000
            theirs = re.sub(r"<@U0(?:ANA|BEN)>|<#C0(?:DESK|HELP)>", "", dates.sub("", text))
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", theirs), text


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("sends", [True, False])
def test_the_help_of_every_role_is_fit_for_slack(role: Role, sends: bool) -> None:
    assert_fit_for_slack(WORDS.answer(request(kind=RequestKind.HELP), Help(role)))


@pytest.mark.parametrize(("everybodys", "most"), [(False, MAX_OWN), (True, MAX_WORKSPACE)])
@pytest.mark.parametrize(
    "words", [WORDS, replace(WORDS, features=Capabilities(sends=True))], ids=["sends not", "sends"]
)
def test_the_longest_list_is_whole_and_says_that_there_are_more(
    everybodys: bool, most: int, words: MessageRenderer
) -> None:
    records = tuple(record("&" * 100, number, join_code="123") for number in range(most))
    message = words.answer(request(kind=RequestKind.STATUS, reply_url="x"), SessionList(records, everybodys, cut=True))
    assert len(message.blocks) <= 50
    assert f"more than {most} open sessions" in message.text
    assert f"newest {most}" in plain(message)
    ends = [button for block in message.blocks for button in (block.get("elements") or [block.get("accessory")])]
    assert sum(bool(button) and button.get("action_id") == "end_session" for button in ends) == most
    ids = [block["block_id"] for block in message.blocks if "block_id" in block]
    assert len(set(ids)) == len(ids) == most
    assert all(one.startswith(LISTED) and len(one) <= 255 for one in ids)


def test_list_of_all_lets_only_ones_own_links_be_sent() -> None:
    own = [record(number=number) for number in range(9)]
    others = [record(number=number).seen_by(UserId("U0SAM")) for number in range(9, 20)]
    found = SessionList((*others, *own), everybodys=True)
    message = replace(WORDS, features=Capabilities(sends=True)).answer(
        request(kind=RequestKind.LIST, reply_url="x"), found
    )
    assert re.findall(r"'send_to_customer', 'value': 's+0*(\d+)'", str(message.blocks)) == list("012345")
    assert JOIN_URL not in str(message.blocks)


def test_a_list_of_all_shows_no_link() -> None:
    message = WORDS.answer(request(kind=RequestKind.LIST, reply_url="x"), SessionList((record(),), everybodys=True))
    assert JOIN_URL not in str(message.blocks)


@pytest.mark.parametrize("message", [direct_card(record()), shared_card(record(), ANA)], ids=["direct", "shared"])
def test_link_stands_where_it_is_copied_not_in_notifications(message: Any) -> None:
    assert "join.example" not in message.text
    assert not any("join.example" in text for text in texts(message))
    assert JOIN_URL in str(message.blocks)


def test_a_shared_session_says_who_and_with_whom_as_host() -> None:
    said = plain(shared_card(record(), ANA))
    assert f"<@{ANA}> shares a co-browse session with this channel" in said
    assert f"<@{BEN}> is the host · started by <@{ANA}>" in said
    assert "your customer" not in said  # those who read it need not have one


def test_ended_session_has_neither_link_nor_button() -> None:
    for made in (record(is_over=True), record(is_over=True, application_id="")):
        message = closed_card(made)
        assert {block["type"] for block in message.blocks} == {"section", "context"}
        assert ("over" in message.text) == bool(made.session.application_id)
    assert f"<@{BEN}> was the host" in plain(closed_card(record(is_over=True), shared=True))


def test_failed_link_by_address_cannot_be_tried_again() -> None:
    for kind, offered in ((RequestKind.LINK, False), (RequestKind.END, True)):
        message = WORDS.answer(request(kind=kind), errors.SharingError("message_not_posted", slack_error="x"))
        assert ("try_again" in str(message.blocks)) is offered


def test_linked_or_explained_person_is_named() -> None:
    for outcome in (
        HostLinked(BEN, HostId("h")),
        HostLinked(BEN, None),
        AccessReport(BEN, None, PersonNotAllowedError("not_listed", BEN, is_target=True), None, ()),
    ):
        assert f"<@{BEN}>" in plain(WORDS.answer(request(kind=RequestKind.WHY), outcome))


def test_press_on_an_ended_session_says_so() -> None:
    assert "already ended" in plain(
        WORDS.answer(request(kind=RequestKind.END), errors.SessionActionError("already_ended"))
    )
