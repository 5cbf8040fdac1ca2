"""The look of stored sessions: Slack's limits hold, links are only where they are allowed, and nobody is notified."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from bot.core import errors
from bot.core.errors import PersonNotAllowedError, RuleMiss
from bot.core.models import (
    ChannelId,
    Host,
    HostId,
    OtherSession,
    RequestKind,
    Role,
    Session,
    SessionId,
    SessionRecord,
    TeamId,
    UserId,
)
from bot.core.results import (
    AccessReport,
    Applications,
    CustomerMessageSent,
    Help,
    HostLinked,
    LastSession,
    ListKind,
    ListPage,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
)
from bot.core.validation.contact import ContactAddress, ContactChannel
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.help import PLAIN, Capabilities
from bot.slack.messages.session_card import DIRECT_MESSAGE, CardRenderer, read_start_new
from bot.slack.messages.session_list import ROW, read_row
from tests.support.rendered_messages import JOIN_URL, WORDS, assert_fit_for_slack, request, some, texts, unsafe

CARDS = CardRenderer(PLAIN, ENGLISH)
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
        *(SessionList((one, code), ListPage(kind), 2, ended=over) for kind in ListKind),
        *(SessionEnded(over), SessionShared(one, "C0DESK"), SentDirect(one)),
        Applications(((word, word),) * 60, word),
        AccessReport(ANA, Role.MEMBER, None, Host(HostId("h"), word), ()),
        AccessReport(ANA, Role.MEMBER, None, None, (RuleMiss(word, word),)),
        errors.SessionActionError("several_open_sessions", sessions=((word, word),) * 9),
        errors.SharingError("message_not_posted", slack_error=word),
        errors.AccountLinkError("no_such_host", word),
    ]


def plain(message: Any) -> str:
    """Return the text of a message without dates, because dates contain angle brackets of the bot."""
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


@pytest.mark.parametrize("kind", ListKind)
def test_the_longest_list_has_one_row_and_one_control_for_each_session(kind: ListKind) -> None:
    words, page = replace(WORDS, features=Capabilities(sends=True)), ListPage(kind, 3, UserId("U" * 20))
    agents = [UserId(f"U0A{number}") for number in range(page.size)]
    records = tuple(
        replace(record("&" * 100, number, join_code="123"), agent=agent) for number, agent in enumerate(agents)
    )
    found = SessionList(records, page, 99, ended=record(is_over=True, number=99))
    message = words.answer(request(kind=RequestKind.STATUS, reply_url="x"), found)
    assert len(message.blocks) <= 50
    rows = [block for block in message.blocks if str(block.get("block_id")).startswith(ROW)]
    assert len({block["block_id"] for block in rows}) == page.size
    assert all(len(block["block_id"]) <= 255 and block["accessory"] for block in rows)
    assert f"Page 4 of {-(-99 // page.size)}" in plain(message)
    assert read_row(rows[0]["block_id"]) == (str(page), rows[0]["block_id"][-200:])


@pytest.mark.parametrize("kind", ListKind)
def test_a_list_shows_no_link_and_no_id_beside_the_rows(kind: ListKind) -> None:
    message = WORDS.answer(
        request(kind=RequestKind.LIST, reply_url="x"), SessionList((record(),), ListPage(kind), total=1)
    )
    assert JOIN_URL not in str(message.blocks)
    assert "ref7ref7ref7" not in str(message.blocks)


def test_own_list_says_who_each_session_is_for_and_when_it_ends() -> None:
    mine, theirs = replace(record("Mine"), agent=ANA), record("Theirs", number=2)
    gone = replace(mine, session=replace(mine.session, id=SessionId("gone"), name="Gone"), is_gone=True)
    asked = request(kind=RequestKind.STATUS, requester=ANA)
    read_at = SOON - timedelta(minutes=29)
    records = tuple(replace(each, read_at=read_at, started_at=read_at) for each in (mine, gone, theirs))
    lines = [
        re.sub("<!date[^>]*>", "12:00", line)
        for line in plain(WORDS.answer(asked, SessionList(records, total=3))).split("\n")
    ]
    assert lines == [
        "3 open sessions",
        "*Your open sessions*",
        "*Mine* · 29 minutes left",
        "*Gone* · since 12:00, link used or expired",
        "*You started for others*",
        f"*Theirs* · for <@{BEN}> · 29 minutes left",
    ]
    lines = plain(WORDS.answer(asked, SessionList(records[:1], total=1))).split("\n")
    assert lines == ["1 open session", "*1 open session*", "*Mine* · 29 minutes left"]


def test_list_of_all_says_who_else_started_a_session() -> None:
    asked = request(kind=RequestKind.LIST, requester=ANA)
    theirs = replace(record("Theirs", number=2), requester=UserId("U0SAM"))
    answer = WORDS.answer(asked, SessionList((record("Mine"), theirs), ListPage(ListKind.LIVE), total=2))
    assert "*Mine* · from you · since" in plain(answer)
    assert "*Theirs* · from <@U0SAM> · since" in plain(answer)


def test_own_list_knows_the_viewers_other_id() -> None:
    twin = replace(record("Mine"), agent=UserId("W0ANA"), read_at=SOON)
    asked = request(kind=RequestKind.STATUS, requester=ANA)
    answer = WORDS.answer(asked, SessionList((twin,), total=1, viewer_ids=(ANA, UserId("W0ANA"))))
    assert "You started for others" not in plain(answer)


def test_list_of_all_offers_only_ones_own_links() -> None:
    records = (record(number=1), record(number=2).seen_by(UserId("U0SAM")))
    message = WORDS.answer(request(kind=RequestKind.LIST), SessionList(records, ListPage(ListKind.LIVE), total=2))
    rows = [block for block in message.blocks if str(block.get("block_id")).startswith(ROW)]
    assert [[option["value"] for option in row["accessory"]["options"]] for row in rows] == [
        ["show", "message", "end"],
        ["message", "end"],
    ]


def test_choice_of_another_persons_session_ends_it_with_one_press() -> None:
    records = (record(number=1).seen_by(UserId("U0SAM")), record(number=2).seen_by(UserId("U0SAM")))
    several = errors.SessionActionError("several_open_sessions", agent=BEN, records=records)
    message = WORDS.answer(request(kind=RequestKind.END, requester=UserId("U0SAM")), several)
    rows = [block for block in message.blocks if str(block.get("block_id")).startswith(ROW)]
    assert [row["accessory"]["action_id"] for row in rows] == ["end_session", "end_session"]


def shared() -> Any:
    return CARDS.shared(record(), ANA)


@pytest.mark.parametrize(
    "message", [CARDS.of_record(record(), ANA, DIRECT_MESSAGE), shared()], ids=["direct", "shared"]
)
def test_link_stands_where_it_is_copied_not_in_notifications(message: Any) -> None:
    assert "join.example" not in message.text
    assert not any("join.example" in text for text in texts(message))
    assert JOIN_URL in str(message.blocks)


def test_a_posted_session_says_who_and_with_whom_and_offers_no_page_to_open() -> None:
    said = plain(shared())
    assert f"<@{ANA}> posted “Checkout” in this channel" in said
    assert f"*For <@{BEN}>* · Checkout" in said
    assert "your customer" not in said  # those who read it need not have one
    assert [each["action_id"] for each in shared().blocks[-1]["elements"]] == ["ask_end_session"]


@pytest.mark.parametrize(
    ("changes", "is_public", "words"),
    [
        ({"ender": BEN}, False, f"*Checkout* · ended by <@{BEN}>, "),
        ({}, False, "*Checkout* · ended <!date"),
        ({"ender": ANA}, True, f"*Checkout* with <@{BEN}> · ended by <@{ANA}>, "),
        ({}, True, f"*Checkout* with <@{BEN}> · ended <!date"),
    ],
)
def test_ended_session_says_who_ended_it_and_has_no_link(changes: dict[str, Any], is_public: bool, words: str) -> None:
    message = CARDS.closed(replace(record(is_over=True), **changes), is_public=is_public)
    assert words in plain(message)
    assert JOIN_URL not in str(message.blocks)
    assert [block["type"] for block in message.blocks] == (["section"] if is_public else ["section", "actions"])


def test_offer_in_a_conversation_that_is_over_is_not_said_to_stop_those_who_joined() -> None:
    over = record(is_over=True, application_id="")
    for made in (over, replace(over, ender=BEN)):
        for is_public in (True, False):
            message = CARDS.closed(made, is_public=is_public)
            assert "ended" not in plain(message)
    assert "Nobody else can join" in plain(WORDS.answer(request(kind=RequestKind.END), SessionEnded(over)))


def test_new_session_is_like_the_one_that_is_over() -> None:
    over = replace(record("N" * 100, is_over=True), channel_id=ChannelId("C0DESK"))
    (button,) = CARDS.closed(over).blocks[-1]["elements"]
    assert len(button["value"]) <= 2000
    assert read_start_new(button["value"]) == (over.session.id, "N" * 100, BEN, "C0DESK")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (SessionShared(record(), ChannelId("C0DESK")), "✓ Posted in <#C0DESK>"),
        (SentDirect(record()), "✓ Sent to your direct messages with me"),
        (
            CustomerMessageSent(record(), ContactAddress(ContactChannel.SMS, "+14155550123")),
            "✓ Texted to …0123 · <!date",
        ),
        (
            CustomerMessageSent(record(), ContactAddress(ContactChannel.EMAIL, "a@b.example")),
            "✓ Emailed to …@b.example · ",
        ),
    ],
)
def test_card_shows_what_a_press_on_it_has_done(outcome: Any, words: str) -> None:
    message = WORDS.answer(request(key="card:x", kind=RequestKind.SHARE, replaces=True, reply_url="x"), outcome)
    assert words in plain(message)
    assert JOIN_URL in str(message.blocks)
    assert message.blocks[-1]["block_id"] == f"card-{record().session.id}"


ON_PHONE = "On a phone call? Email this link yourself, or read it out."


@pytest.mark.parametrize(
    ("features", "changes", "viewer", "is_shown"),
    [
        (Capabilities(), {}, BEN, True),
        (Capabilities(), {}, ANA, False),  # who started it for somebody else
        (Capabilities(sends=True), {}, BEN, False),
        (Capabilities(), {"join_code": "123456"}, BEN, False),
    ],
)
def test_card_says_how_to_hand_over_a_link_on_the_phone(
    features: Capabilities, changes: dict[str, Any], viewer: UserId, is_shown: bool
) -> None:
    cards = CardRenderer(features, ENGLISH)
    assert (ON_PHONE in plain(cards.of_record(record(**changes), viewer, DIRECT_MESSAGE))) is is_shown
    assert ON_PHONE not in plain(cards.shared(record(**changes), ANA))


@pytest.mark.parametrize(("is_call", "first"), [(False, "rich_text"), (True, "section"), (None, "section")])
def test_link_comes_first_in_a_chat_alone(is_call: bool | None, first: str) -> None:
    made = record(join_code="123456", is_call=is_call)
    for message in (CARDS.of_record(made, BEN, DIRECT_MESSAGE), CARDS.shared(made, ANA)):
        assert message.blocks[1]["type"] == first
        assert "123 456" in str(message.blocks)


def test_chat_without_a_page_for_the_code_shows_the_code_large() -> None:
    made = record(join_url="", join_code="123456", is_call=False)
    assert "header" in [block["type"] for block in CARDS.of_record(made, BEN, DIRECT_MESSAGE).blocks]


@pytest.mark.parametrize(
    ("reader", "count", "sentence"),
    [
        (BEN, 1, "*Deal* is still open, with your customer in it."),
        (BEN, 2, "*Deal* is still open, with your customer in it. 1 more is open."),
        (ANA, 1, f"*Deal* of <@{BEN}> is still open, with a customer in it."),
        (ANA, 3, f"*Deal* of <@{BEN}> is still open, with a customer in it. 2 more are open."),
    ],
)
def test_joined_other_session_is_shown_without_an_end(reader: UserId, count: int, sentence: str) -> None:
    other = OtherSession(SessionId("s"), "Deal", None, count)
    assert sentence in plain(CARDS.of_record(record(), reader, DIRECT_MESSAGE, other=other))


@pytest.mark.parametrize(("is_own", "action"), [(True, "end_session"), (False, "ask_end_session")])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_other_open_sessions_have_one_button_each_purpose(is_own: bool, action: str, count: int) -> None:
    other = OtherSession(SessionId("s" * 200), "&" * 100, SOON, count)
    message = CARDS.of_record(record(), BEN if is_own else ANA, DIRECT_MESSAGE, other=other)
    assert all(len(each.get("block_id", "")) <= 255 for each in message.blocks)
    (block,) = [each for each in message.blocks if str(each.get("block_id")).startswith("other-")]
    found = block.get("elements") or [block["accessory"]]
    assert [each["action_id"] for each in found] == [action, *(["list_others"] if count > 1 else [])]
    assert found[0]["value"] == other.id
    told = {1: "is still open, until", 2: "and so is 1 more.", 3: "and so are 2 more."}
    assert told[count] in plain(message)
    if count > 1:
        assert found[1]["value"] == ("own.0." if is_own else f"live.0.{BEN}")


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


@pytest.mark.parametrize(
    ("features", "line"),
    [(Capabilities(), "link used or expired"), (Capabilities(in_conversations=True), "code used or expired")],
)
def test_card_whose_link_is_used_up_says_so_and_starts_a_new_one(features: Capabilities, line: str) -> None:
    used = replace(record(), is_gone=True, session=replace(record().session, join_url="", join_code=""))
    words = replace(WORDS, features=features)
    pressed = request(key="card:x", kind=RequestKind.SEND, replaces=True, reply_url="x")
    told = words.answer(pressed, errors.SessionActionError("link_used_up", record=used))
    shown = words.answer(request(kind=RequestKind.LAST), LastSession(used))
    for message in (told, shown):
        assert_fit_for_slack(message)
        assert f"*Checkout* · {line}" in plain(message)
        (button,) = message.blocks[-1]["elements"]
        assert read_start_new(button["value"])[:3] == (used.session.id, "Checkout", BEN)


def test_used_up_link_is_a_plain_answer_where_there_is_no_card() -> None:
    message = WORDS.answer(request(kind=RequestKind.LAST), errors.SessionActionError("link_used_up", record=record()))
    assert "The link was used, or it has expired" in plain(message)
    assert JOIN_URL not in str(message.blocks)
