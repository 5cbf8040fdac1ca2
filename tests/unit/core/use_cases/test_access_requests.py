"""The notice about a person who asks to be connected: once a day, until somebody connects them (pure)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.errors import RuleMiss
from bot.core.models import MembershipStatus, Notice, NoticeKind, RequestId, SlackUser, TeamId, UserId
from bot.core.use_cases.access_requests import (
    access_key,
    asked_for,
    is_standing,
    read_access,
    with_connection,
    with_request,
    write_access,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEAM, UNA, ADA = TeamId("T0TEAM"), UserId("U0UNA"), UserId("U0ADA")
PERSON = SlackUser(TEAM, UNA, "Una", MembershipStatus.MEMBER, other_id=UserId("W0UNA"))
ASKED = replace(asked_for(PERSON, RequestId("abcdefghijkl")), tried=(RuleMiss("same email", "no_user", (ADA,)),))


def notice(**changes: Any) -> Notice:
    key = access_key((TEAM, UNA))
    return replace(Notice(kind=NoticeKind.ACCESS, key=key, team_id=TEAM, opened_at=NOW, read_at=NOW), **changes)


def standing(age: timedelta = timedelta()) -> Notice:
    asked = with_request(notice(), ASKED)
    assert asked
    return replace(asked, read_at=NOW + age)


def test_what_a_notice_says_survives_the_store() -> None:
    whole = replace(ASKED, asked_by=ADA, connected_by=ADA, connected_in="r-2", host_name="Una")
    assert read_access(write_access(whole)) == whole
    assert read_access(write_access(ASKED)) == ASKED
    earlier = {name: value for name, value in write_access(ASKED).items() if name != "teams"}
    assert read_access(earlier) == replace(ASKED, team_ids=())


def test_request_stands_for_a_day() -> None:
    assert not is_standing(notice())
    assert is_standing(standing())
    assert with_request(standing(timedelta(hours=23)), ASKED) is None
    later = with_request(standing(timedelta(hours=25)), ASKED)
    assert later
    assert later.opened_at == NOW + timedelta(hours=25)  # so everybody gets a new message


def test_connection_ends_the_request_and_names_who_made_it() -> None:
    ended = with_connection(standing(), ADA, "Una Unmapped", "r-2")
    assert ended
    assert ended.over_at == NOW
    asked = read_access(ended.data)
    assert (asked.connected_by, asked.host_name, asked.connected_in) == (ADA, "Una Unmapped", "r-2")
    assert asked.ids == PERSON.ids
    assert with_connection(ended, UserId("U0BEN"), "Other") is None
    assert with_connection(notice()) is None


def test_person_who_lost_the_connection_may_ask_again_at_once() -> None:
    ended = with_connection(standing(), ADA)
    assert ended
    again = with_request(ended, ASKED)
    assert again
    assert again.over_at is None
    assert read_access(again.data).connected_by is None
