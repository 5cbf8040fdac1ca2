"""The text of the administrators' message about a fault, for every fault."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.errors import BadRequestError, CobrowseError, SessionAccessError, TokenRefusedError
from bot.core.models import Notice, NoticeKind, RequestKind, TeamId, UserId
from bot.core.results import FaultState
from bot.core.use_cases.faults import Hit, with_check, with_hits
from bot.sandbox.slack.validation.blocks import check_blocks
from bot.slack.messages.blocks import Message
from bot.slack.messages.error_copy import fault_name
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, told_markup
from tests.support.app import texts
from tests.support.cases import each_case
from tests.support.errors import ERRORS, name_of
from tests.support.storage import request

NOW = datetime(2026, 5, 4, 13, 52, tzinfo=UTC)
PEOPLE = [UserId(f"U0P{number}") for number in range(7)]
FAULTS = [error for error in ERRORS if fault_name(error)]
RENDERER = MessageRenderer()


def notice(error: CobrowseError, people: int = 1, kind: RequestKind = RequestKind.START) -> Notice:
    name = fault_name(error) or "none"
    new = Notice(kind=NoticeKind.FAULT, key=name, team_id=TeamId(""), opened_at=NOW, read_at=NOW)
    return with_hits(new, [Hit(request(requester=who, kind=kind), error) for who in PEOPLE[:people]], 3600.0)


def read(message: Message) -> str:
    return re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", "\n".join(texts(message.blocks)))


def shown(found: Notice) -> str:
    return read(RENDERER.notice(found, found.opened_at, "U0ADA"))


@each_case("error", FAULTS, ids=name_of)
def test_every_fault_reads_as_whole_sentences_within_slacks_limits(error: CobrowseError) -> None:
    found = notice(error, 7)
    over = replace(found, over_at=NOW + timedelta(minutes=18))
    for each, opened_at in ((found, NOW), (over, NOW), (found, NOW - timedelta(hours=1))):
        message = RENDERER.notice(each, opened_at, "U0ADA")
        check_blocks(message.blocks)
        assert not re.search(r"[{}]|None|\*\*", read(message))
        assert message.text[-1] == "."
        assert "*Fix:*" in read(message)


def test_message_says_who_is_hit_since_when_and_how_to_fix_it() -> None:
    lines = shown(notice(TokenRefusedError(reference="corr-7"), 7)).split("\n")
    assert lines[:3] == [
        ":red_circle: *Co-browse is failing for 7 people since 04 May 13:52 UTC.*",
        "Genesys doesn’t accept the bot’s access token.",
        "*Fix:* Check the bot’s client in Genesys, under Admin › Integrations › OAuth.",
    ]
    assert lines[3].startswith("Affected: <@U0P0>, <@U0P1>, <@U0P2>, <@U0P3>, <@U0P4> and 2 more · Reference `")
    assert lines[3].endswith("` · Genesys `corr-7`")
    assert lines[4:] == ["Check again"]


def test_runbook_is_a_button_while_the_fault_lasts() -> None:
    page = "https://wiki.example.com/cobrowse?id=7#faults"
    renderer = MessageRenderer(features=Capabilities(runbook_url=page))
    found = notice(TokenRefusedError())
    message = renderer.notice(found, found.opened_at, "U0ADA")
    check_blocks(message.blocks)
    check, runbook = message.blocks[-1]["elements"]
    assert (check["action_id"], runbook["text"]["text"], runbook["url"]) == ("check_fault", "Runbook", page)
    assert "Runbook" not in shown(found)
    for at, over_at in ((found.opened_at, NOW + timedelta(minutes=18)), (NOW - timedelta(hours=1), None)):
        assert page not in str(renderer.notice(replace(found, over_at=over_at), at, "U0ADA").blocks)


def test_end_says_since_when_how_long_and_how_many() -> None:
    found = replace(notice(TokenRefusedError(), 3), over_at=NOW + timedelta(minutes=18))
    assert ":large_green_circle: *Working again since 04 May 14:10 UTC (18 minutes, 3 people).*" in shown(found)
    assert "Check again" not in shown(found)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (RequestKind.STEP, "Co-browse is failing"),
        (RequestKind.SEND, "Sending links is failing"),
        (RequestKind.SHARE, "Sending links is failing"),
        (RequestKind.WHOAMI, "Commands are failing"),
    ],
)
def test_title_says_what_fails(kind: RequestKind, says: str) -> None:
    assert says in shown(notice(TokenRefusedError(), kind=kind))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (FaultState.FAILING, "Checked by <@U0ADA> at 04 May 13:52 UTC: it still fails."),
        (FaultState.REPAIRED, "Checked by <@U0ADA> at 04 May 13:52 UTC: it works."),
        (FaultState.UNKNOWN, "Checked by <@U0ADA> at 04 May 13:52 UTC: the next request will show it."),
    ],
)
def test_message_shows_the_newest_check(state: FaultState, says: str) -> None:
    assert says in shown(with_check(notice(TokenRefusedError()), UserId("U0ADA"), state))


@each_case("error", FAULTS, ids=name_of)
def test_notification_says_in_one_line_what_is_broken(error: CobrowseError) -> None:
    for kind, begins in NOTIFICATIONS.items():
        found = notice(error, 3, kind)
        text = RENDERER.notice(found, found.opened_at, "U0ADA").text
        assert text.startswith(begins)
        assert len(text) > len(begins) + 20
        assert len(text.split()) <= 25
        assert not SECRET.search(text), text


NOTIFICATIONS = {
    RequestKind.START: "Co-browse is failing: ",
    RequestKind.SEND: "Sending links is failing: ",
    RequestKind.WHOAMI: "Commands are failing: ",
}
SECRET = re.compile(r"[<>`{}\n]|https?:|@|[0-9]|[A-Z]+_[A-Z]+|[a-z]+:[a-z]+")
"""Marks of ids, addresses, settings, permissions and words of Genesys."""


def test_notification_of_an_unknown_fault_asks_for_help() -> None:
    found = notice(SessionAccessError("may_not_end", PEOPLE[0], PEOPLE[1]))
    assert RENDERER.notice(found, found.opened_at, "U0ADA").text == "Co-browse needs your help."


def test_words_of_genesys_are_escaped() -> None:
    assert "&lt;!channel&gt;" in shown(notice(BadRequestError(status=400, words="<!channel>")))


def test_contact_is_named_if_told_and_else_who_was() -> None:
    assert told_markup((), "<@U0SAM>") == ""
    assert told_markup(("U0ADA", "U0SAM"), "<@U0SAM>") == "<@U0SAM>"
    assert told_markup(("U0ADA", "U0BEN"), "<@U0SAM>") == "<@U0ADA>"
    assert told_markup(("C0HELP", "U0ADA"), "the IT desk") == "<#C0HELP>"
