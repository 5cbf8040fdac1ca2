"""The blocks of the Home tab and its warnings about the set-up (pure), checked against Slack's limits."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.config import settings
from bot.config.warnings import config_warnings
from bot.core import errors
from bot.core.errors import CobrowseError, HostNotFoundError, RuleMiss
from bot.core.models import (
    ChannelId,
    Host,
    HostId,
    Identity,
    MembershipStatus,
    Notice,
    NoticeKind,
    Request,
    RequestId,
    RequestKind,
    Role,
    Session,
    SessionId,
    SessionRecord,
    SessionStarted,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.requests.events import RequestFinished, ServiceFailure, ServiceStatus
from bot.core.results import ListKind, ListPage, Result, SessionList
from bot.core.use_cases.access_requests import Unconnected
from bot.core.use_cases.faults import Hit, with_hits
from bot.core.use_cases.start_counts import StartCounts
from bot.sandbox.slack.validation.views import read_view
from bot.slack.api.identity import missing
from bot.slack.manifest import NEEDED
from bot.slack.messages.catalogue import setup_warnings
from bot.slack.messages.catalogue.sentence import ENGLISH, PLAIN_ENGLISH, Markup, Sentence
from bot.slack.messages.catalogue.setup_warnings import SetupWarning
from bot.slack.messages.error_copy import Addressee
from bot.slack.messages.help import PLAIN, Capabilities
from bot.slack.messages.notices.access import ask_button
from bot.slack.messages.session_card import CardRenderer
from bot.slack.receivers.http import BODY_BYTES, LARGE_BODY_BYTES
from bot.slack.views.home_tab import HomeTabData, error_view, home, loading
from tests.support.settings import FERNET, SOCKET
from tests.support.views import presses, said

ANA, BEN = UserId("U0ANA"), UserId("U0BEN")
TEAM = TeamId("T0TEAM")
HOST = Host(HostId("11111111-1111-4111-8111-111111111111"), "same email")
NOW = datetime.now(UTC)
WHO = Identity(SlackUser(TEAM, ANA, "Ana", MembershipStatus.MEMBER), HOST)
PLACE = errors.ChannelNotAllowedError(ChannelId(""), (ChannelId("C0CARE"),))
FAILURE = ServiceFailure(errors.PermissionMissingError(needs="cobrowse:session:write"), NOW)


def session(number: int = 1, name: str = "Checkout", url_length: int = 40, code: str = "") -> Session:
    return Session(
        id=SessionId(f"s-{number}"),
        status="active",
        host_id=HOST.id,
        name=name,
        ends_at=NOW + timedelta(minutes=30),
        join_url="https://join.example/".ljust(url_length, "x"),
        join_code=code,
    )


def record(number: int = 1, agent: UserId = ANA, **how: Any) -> SessionRecord:
    return SessionRecord(session=session(number, **how), team_id=TEAM, requester=agent, agent=agent, is_over=False)


def hidden(number: int, **how: Any) -> SessionRecord:
    return record(number, BEN, **how).seen_by(ANA)


def look(**changes: Any) -> HomeTabData:
    """Return data for the Home tab. A page shows ten sessions of each list."""
    whole: dict[str, Any] = {
        "visitor": (TEAM, ANA),
        "identity": WHO,
        "channel_refusal": None,
        "own": [record()],
    } | changes
    pages = {"own": ListPage(), "live": ListPage(ListKind.HOME)}
    for name, page in pages.items():
        if isinstance(it := whole.get(name), list):
            whole[name] = SessionList(tuple(it[: page.size]), page, len(it))
    return HomeTabData(**whole)


def shown(**changes: Any) -> dict[str, Any]:
    return home(look(**changes), Addressee(ENGLISH, contact=Markup("<@U0SAM>")), CARDS)


CARDS = CardRenderer(PLAIN, ENGLISH)
WARNINGS = [SetupWarning(each) for name, each in vars(setup_warnings).items() if isinstance(each, Sentence)]
NO_MEMBERS = SetupWarning(setup_warnings.NO_MEMBERS)
LONG = "<&" * 50
BROKEN = with_hits(
    Notice(kind=NoticeKind.FAULT, key="x", team_id=TEAM, opened_at=NOW, read_at=NOW),
    [
        Hit(
            Request(
                id=RequestId("abcdefghijkl"),
                key="k",
                kind=RequestKind.START,
                team_id=TEAM,
                enterprise_id=None,
                channel_id=ChannelId("C0CARE"),
                requester=ANA,
                accepted_at=NOW,
            ),
            FAILURE.error,
        )
    ],
    3600.0,
)
MOST = look(
    role=Role.ADMIN,
    faults=[BROKEN] * 9,
    unconnected=[Unconnected((TEAM, UserId(f"U0NEW{number}")), NOW) for number in range(20)],
    identity=HostNotFoundError(ANA, False, tuple(RuleMiss("r" * 60, "w" * 60) for _ in range(5))),
    own=[record(n, name=LONG, url_length=2900, code="c" * 200) for n in range(20)],
    live=[hidden(n, name=LONG) for n in range(20, 40)],
    config_warnings=[max(WARNINGS, key=lambda each: len(each.sentence.text))] * 30,
    failure=FAILURE,
    starts=StartCounts(100_000, 100_000),
)
ERRORS: list[CobrowseError] = [
    errors.StorageUnavailableError(),
    errors.ServiceBusyError(),
    errors.SlackUnavailableError("x"),
    errors.UnexpectedError(),
]
VIEWS = {
    "light": loading(ENGLISH),
    "usual": shown(),
    "the most there can be": home(MOST, Addressee(ENGLISH, contact=Markup("<@U0SAM>")), CARDS),
    "nothing": shown(own=[], live=[], config_warnings=[]),
    "elsewhere": shown(channel_refusal=PLACE),
    "refused": error_view(
        errors.PersonNotAllowedError("not_a_member", ANA, MembershipStatus.GUEST, is_target=False), Addressee(ENGLISH)
    ),
    **{error.code: shown(identity=error, own=error, live=error, config_warnings=[]) for error in ERRORS},
}


@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_it(name: str) -> None:
    assert read_view(VIEWS[name], "home") == VIEWS[name]


def test_largest_view_fits_through_the_http_receiver() -> None:
    view = json.dumps({"view": VIEWS["the most there can be"]})
    assert len(view) < BODY_BYTES * 0.75  # Slack adds the ids and states of its blocks
    assert len(urlencode({"payload": view})) < LARGE_BODY_BYTES / 2


def test_sessions_beyond_the_tabs_room_are_told() -> None:
    many = shown(own=[record(n) for n in range(11)])
    assert presses(many).count("row_menu") == 10
    assert "… and more: `/cobrowse status` shows them." in said(many)
    whole = shown(own=[record(n) for n in range(10)])
    assert presses(whole).count("row_menu") == 10
    assert "… and more" not in said(whole)


def test_sessions_of_all_have_pages() -> None:
    view = shown(live=[hidden(n) for n in range(11)])
    assert "Live now: 11" in said(view)
    assert "Page 1 of 2" in said(view)
    assert presses(view).count("list_next") == 1


def test_member_sees_identity_sessions_links_and_a_start_button() -> None:
    text = said(shown())
    assert text.splitlines()[-1].startswith("Connected to Genesys ·")
    assert HOST.id not in text
    assert "https://join.example/" not in text
    assert presses(shown()) == ["home_start", "home_refresh", "row_menu"]
    assert "Live now" not in text
    assert "set-up" not in text


def test_person_without_a_host_reads_the_rules_and_a_contact() -> None:
    text = said(shown(identity=HostNotFoundError(ANA, False, (RuleMiss("same email", "no Genesys user has <it>"),))))
    assert "One step left: your Slack isn’t connected to Genesys." in text
    assert "Ask <@U0SAM>" in text


def test_person_without_a_host_sees_nothing_that_could_only_fail() -> None:
    missing = HostNotFoundError(ANA, False, ())
    ask = [ask_button(missing, ENGLISH, "Ada")]
    view = home(look(identity=missing, own=[]), Addressee(ENGLISH), CARDS, access=ask)
    assert presses(view) == ["ask_access"]
    assert presses(home(look(identity=missing, own=[], asked_at=NOW), Addressee(ENGLISH), CARDS, access=ask)) == []
    assert "row_menu" in presses(shown(identity=missing))  # but their open session can be ended
    supervisor = presses(shown(identity=missing, role=Role.SUPERVISOR))
    assert "home_start_for" in supervisor
    assert "home_start" not in supervisor


@pytest.mark.parametrize("role", Role)
def test_start_for_someone_stands_beside_start_for_those_who_may(role: Role) -> None:
    row = presses(shown(role=role, own=[]))
    assert row == ["home_start", *([] if role is Role.MEMBER else ["home_start_for"]), "home_refresh"]


def test_sessions_for_others_stand_apart() -> None:
    mine, theirs = record(1, name="Mine"), replace(record(2, name="Theirs"), agent=BEN)
    started_by_ben = replace(record(3, name="From Ben"), requester=BEN)
    lines = [line for line in said(shown(own=[mine, started_by_ben, theirs])).splitlines() if line.startswith("*")]
    assert [line.split(" · since")[0] for line in lines] == [
        "*Your open sessions*",
        "*Mine*",
        f"*From Ben* · from <@{BEN}>",
        "*You started for others*",
        f"*Theirs* · for <@{BEN}>",
    ]
    alone = said(shown(own=[theirs]))
    assert "Your open sessions" not in alone
    assert "*You started for others*" in alone
    assert "You started for others" not in said(shown(own=[mine, started_by_ben]))


def test_start_of_faults_and_warnings_is_followed_by_the_number_of_the_rest() -> None:
    view = shown(role=Role.ADMIN, config_warnings=[NO_MEMBERS] * 13, faults=[BROKEN] * 5)
    lines = said(view).splitlines()
    assert "… and 2 more faults. They appear here as you fix these." in lines
    assert "… and 3 more warnings. They appear here as you fix these." in lines
    view = shown(role=Role.ADMIN, config_warnings=[NO_MEMBERS] * 10, faults=[BROKEN] * 3)
    assert "more fault" not in said(view)
    assert "more warning" not in said(view)


def test_administrator_can_connect_anybody() -> None:
    for people in ((), (Unconnected((TEAM, BEN), NOW),)):
        view = shown(role=Role.ADMIN, config_warnings=[], unconnected=people)
        assert presses(view).count("connect_people") == 1
        assert presses(view).count("connect_person") == len(people)
    assert "connect_people" not in presses(shown(role=Role.SUPERVISOR, live=[]))


def test_administrator_sees_first_what_is_broken_and_each_unmapped_person() -> None:
    people = [Unconnected((TEAM, UserId(f"U0NEW{number}")), NOW) for number in range(7)]
    view = shown(role=Role.ADMIN, config_warnings=[], faults=[BROKEN] * 5, unconnected=people)
    text = said(view)
    assert text.index("is failing for 1 person") < text.index("Start a session")
    assert presses(view).count("check_fault") == 3
    assert presses(view).count("connect_person") == 5
    assert "There are more" in text
    assert "Everything looks good" not in text


def test_others_sessions_have_a_menu_and_no_link() -> None:
    view = shown(own=[], live=[hidden(2, name="Bens")])
    assert "Bens" in said(view)
    assert "https://join.example" not in json.dumps(view)
    assert presses(view) == ["home_start", "home_refresh", "row_menu"]


def test_own_session_without_a_link_has_an_end_button() -> None:
    gone = record(2).seen_by(BEN)
    assert presses(shown(own=[], live=[gone])) == ["home_start", "home_refresh", "ask_end_session"]


def test_newcomer_reads_three_steps_in_place_of_an_empty_list() -> None:
    text = said(shown(own=[], is_newcomer=True))
    assert text.split("How it works*\n")[1].splitlines()[:3] == [
        "1. Type `/cobrowse` while you talk to your customer.",
        "2. Send your customer the link that I show you, or read out the code.",
        "3. Press *End session* when you’re done.",
    ]
    assert "Your open sessions" not in text
    assert "No open sessions." not in text


@pytest.mark.parametrize(
    ("started", "failed", "line"),
    [
        (0, 0, "*Last 24 hours:* 0 sessions started, 0 starts failed."),
        (1, 1, "*Last 24 hours:* 1 session started, 1 start failed."),
        (12, 2, "*Last 24 hours:* 12 sessions started, 2 starts failed."),
    ],
)
def test_administrator_reads_the_numbers_of_the_last_day(started: int, failed: int, line: str) -> None:
    view = shown(role=Role.ADMIN, config_warnings=[], starts=StartCounts(started, failed))
    assert line in said(view).splitlines()


def test_numbers_that_do_not_load_are_left_out() -> None:
    assert "Last 24 hours" not in said(shown(role=Role.ADMIN, config_warnings=[]))


def test_faults_have_the_runbook_where_there_is_one() -> None:
    data = look(role=Role.ADMIN, config_warnings=[], faults=[BROKEN])
    assert "open" not in presses(home(data, Addressee(ENGLISH), CARDS))
    page = "https://wiki.example/runbook?id=7#co-browse"
    view = home(data, Addressee(ENGLISH), CardRenderer(Capabilities(runbook_url=page), ENGLISH))
    assert presses(view)[:2] == ["check_fault", "open"]
    assert page in json.dumps(view)


def test_more_than_can_be_shown_is_said() -> None:
    text = said(VIEWS["the most there can be"])
    assert "`/cobrowse status` shows them" in text
    assert "Page 1 of 2" in text


def test_where_nothing_can_be_started_from_it_says_where() -> None:
    view = shown(channel_refusal=PLACE)
    assert "can’t start co-browse from here. Use <#C0CARE>" in said(view)
    assert "home_start" not in presses(view)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_invisible_conversations_are_told_in_words_that_fit(error: CobrowseError) -> None:
    text = said(shown(identity=error, own=error))
    assert "I can’t tell which Genesys user you are right now." in text
    assert "I can’t show them right now." in text
    assert "Nothing was" not in text


def test_a_name_rings_nobody() -> None:
    view = shown(own=[record(name="<!channel> & <@U0BEN>")], live=[hidden(2, name="<!here>")])
    assert "<!" not in said(view).replace("<!date^", "")
    assert "&lt;!channel&gt; &amp; &lt;@U0BEN&gt;" in said(view)


def test_person_who_may_do_nothing_sees_the_sentence_alone() -> None:
    view = VIEWS["refused"]
    assert "Guests can’t use co-browse here" in said(view)
    assert presses(view) == []
    assert len(view["blocks"]) == 1


# -- What is wrong with the set-up --


def test_administrator_reads_the_fault_and_genesyss_status() -> None:
    text = said(shown(config_warnings=[NO_MEMBERS], failure=FAILURE))
    assert "`COBROWSE_MEMBERS` is empty." in text
    assert "`permission_missing`" in text
    assert "lacks `cobrowse:session:write`" in text
    assert "No session was started after it." in text
    assert "Everything looks good" in said(shown(config_warnings=[]))


def finished(status: ServiceStatus, asked: Request, result: Result) -> None:
    status.record_event(RequestFinished(asked, result, True, 0.1))


def test_newest_genesys_failure_is_remembered_until_it_passes() -> None:
    condition = ServiceStatus(lambda: NOW)
    asked = Request(
        id=RequestId("r"),
        key="k",
        kind=RequestKind.START,
        team_id=TEAM,
        enterprise_id=None,
        channel_id=ChannelId(""),
        requester=ANA,
        accepted_at=NOW,
    )
    finished(condition, asked, SessionStarted(session()))
    finished(condition, asked, errors.PersonNotAllowedError("not_listed", ANA, is_target=False))
    assert condition.failure is None
    fault = errors.ServiceFailedError()
    finished(condition, asked, fault)
    assert condition.failure == ServiceFailure(fault, NOW)
    finished(condition, asked, SessionStarted(session()))
    assert condition.failure == ServiceFailure(fault, NOW, passed=True)


GOOD = SOCKET | {
    "COBROWSE_MEMBERS": "S0CARE",
    "COBROWSE_SUPERVISORS": "U0SAM",
    "COBROWSE_HELP_CONTACT": "C0HELP",
    "STORE_ENCRYPTION_KEY": FERNET,
}


def test_good_settings_raise_no_warning() -> None:
    assert config_warnings(settings.load(GOOD)) == ()
    administrators = {"COBROWSE_HELP_CONTACT": "", "COBROWSE_ADMINS": "U0ADA"}  # who are the contact then
    assert config_warnings(settings.load(GOOD | administrators)) == ()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"COBROWSE_MATCH_EMAIL": "false"}, "COBROWSE_MATCH_EMAIL"),
        ({"COBROWSE_MEMBERS": ""}, "COBROWSE_MEMBERS"),
        ({"COBROWSE_SUPERVISORS": ""}, "COBROWSE_SUPERVISORS"),
        ({"COBROWSE_HELP_CONTACT": "", "COBROWSE_ADMINS": ""}, "COBROWSE_HELP_CONTACT"),
        ({"DATABASE_URL": "memory:"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://db/bot", "STORE_ENCRYPTION_KEY": ""}, "STORE_ENCRYPTION_KEY"),
    ],
)
def test_each_warning_names_its_setting(changes: dict[str, str], name: str) -> None:
    (found,) = config_warnings(settings.load(GOOD | changes))
    words = found.words(PLAIN_ENGLISH)
    assert words.startswith(name)
    assert words.endswith(".")


@pytest.mark.parametrize("warning", WARNINGS, ids=lambda each: each.sentence.key)
def test_warning_is_short(warning: SetupWarning) -> None:
    assert len(warning.sentence.text.split()) <= 25


def test_empty_hosts_file_is_a_warning(tmp_path: Any) -> None:
    path = tmp_path / "hosts.csv"
    path.write_text("slack_user_id,genesys_user_id\n")
    (found,) = config_warnings(
        settings.load(GOOD | {"COBROWSE_HOSTS_FILE": str(path), "COBROWSE_MATCH_EMAIL": "false"})
    )
    assert found.words(PLAIN_ENGLISH) == "The file in COBROWSE_HOSTS_FILE lists nobody."


def test_scope_that_slack_did_not_grant_is_a_warning() -> None:
    granted = frozenset(NEEDED) - {"im:write"}
    (found,) = missing(granted)
    assert "`im:write`" in found.words(ENGLISH)
    assert missing(frozenset(NEEDED)) == missing(frozenset()) == ()
