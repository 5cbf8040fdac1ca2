"""What a hostile reader of the code found in the desk, the service's door and the commands; each was wrong once."""

import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.cli import sessions as service
from bot.config import settings
from bot.core.errors import UnusableAnswerError
from bot.core.models import RequestKind
from bot.genesys.api import sessions
from bot.sandbox.genesys import faults
from bot.sandbox.genesys.fault_effects import change_body
from bot.slack import command_parser
from bot.slack.command_parser import Help, NotUnderstood, Query, Reason, Start, parse
from tests.support.app import (
    ANA,
    BEN,
    QUICK_GENESYS,
    Journey,
    ended,
    is_failure,
    link,
    open_journey,
    open_servers,
    running,
    words,
)

HOST = "11111111-1111-4111-8111-111111111111"
UNKNOWN = "Nobody knows whether a session was created"
ORG, OTHER_ORG = "E0ORG", "E0OTHER"


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], web.Response]], None]:
    """Makes the fault "not-json" answer something else instead."""

    def become(change: Callable[[Any], web.Response]) -> None:
        kind = faults._FaultType("It answers oddly.", change_body(change))
        monkeypatch.setitem(faults._FAULT_TYPES, "not-json", kind)  # type: ignore[arg-type]

    return become


# -- What the service answers --


async def test_an_answer_nested_too_deeply_is_no_answer(journey: Journey, spoilt: Any) -> None:
    spoilt(lambda _: web.Response(text="[" * 200_000, content_type="application/json"))
    await journey.genesys.inject_fault("not-json")
    message = await journey.asks()
    assert is_failure(message)
    assert UNKNOWN in words(message)
    assert len(journey.genesys.creates) == 1


@pytest.mark.parametrize(
    ("on", "text"),
    [
        ("token", "[" * 200_000),
        ("token", f'{{"access_token": "t", "expires_in": 1{"0" * 400}}}'),
        ("search", "[" * 200_000),
        ("search", '{"results": [], "total": Infinity}'),
    ],
    ids=["deep token", "huge number", "deep list of users", "infinite number"],
)
async def test_deep_answer_before_the_create_is_no_answer(journey: Journey, spoilt: Any, on: str, text: str) -> None:
    spoilt(lambda _: web.Response(text=text, content_type="application/json"))
    await journey.genesys.inject_fault("not-json", on=on)
    message = await journey.asks()
    assert "Genesys answered with" in words(message)
    assert "No session was created" in words(message)


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "today", ""])
async def test_an_odd_date_does_not_cost_the_link(journey: Journey, spoilt: Any, date: str) -> None:
    spoilt(lambda body: web.json_response(body, headers={"Date": date}))
    await journey.genesys.inject_fault("not-json")
    message = await journey.asks()
    assert link(message)
    ends = next(
        int(text.split("<!date^")[1].split("^")[0]) for text in words(message).splitlines() if "<!date^" in text
    )
    assert abs(ends - time.time() - 1800) < 60


async def test_unexpected_fault_during_a_create_denies_no_session(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(sessions, "_session", break_down)
    message = await journey.asks()
    assert UNKNOWN in words(message)
    assert len(journey.genesys.sessions) == 1


@pytest.mark.parametrize("session_id", ["", " ", "a b", "<!channel>", "a\nb", "é", "x" * 201, 7, ["a"]])
async def test_a_session_id_that_could_not_be_used_is_none(spoilt: Any, session_id: object) -> None:
    spoilt(lambda body: web.json_response({**body, "id": session_id}))
    async with open_servers() as servers:
        await servers.genesys.inject_fault("not-json")
        with pytest.raises(UnusableAnswerError) as caught:
            await service.start(
                settings.load_part(settings.read_service_alone, servers.environ), HOST, "Checkout", None, None
            )
        assert caught.value.acted


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Checkout \t help ", "Checkout help"),
        ("\x1b[31mCheckout\x1b[0m\r\nhelp\x07", "[31mCheckout[0m help"),
        ("\u202eCheckout", "Checkout"),
        ("x" * 300, "x" * 100),
        ("<b> & Söhne", "<b> & Söhne"),
        ("\x00", "Co-browse session"),
        ("   ", "Co-browse session"),
    ],
)
async def test_command_line_name_is_cleaned_like_one_from_slack(typed: str, name: str) -> None:
    async with open_servers() as servers:
        await service.start(settings.load_part(settings.read_service_alone, servers.environ), HOST, typed, None, None)
        assert [create.body["sessionName"] for create in servers.genesys.creates] == [name]


# -- The token --


async def test_slow_token_after_a_401_is_outside_the_create_timeout() -> None:
    async with open_journey(genesys_timing=replace(QUICK_GENESYS, call_timeout=0.8)) as journey:
        assert link(await journey.asks("Before"))  # there is a token, and a host
        await journey.genesys.inject_fault("401", times=1)
        await journey.genesys.inject_fault("slow", on="token", seconds=1.0)
        message = await journey.asks()
        assert link(message)
        assert len(journey.genesys.sessions) == 2
        assert journey.genesys.count("token") == 2


@pytest.mark.parametrize("seconds", [None, 0, "", "600", 3600.5])
async def test_a_token_whose_life_is_not_stated_can_be_used(journey: Journey, spoilt: Any, seconds: object) -> None:
    spoilt(lambda body: web.json_response({**body, "expires_in": seconds}))
    await journey.genesys.inject_fault("not-json", on="token")
    assert link(await journey.asks("One"))
    assert link(await journey.asks("Another"))
    assert journey.genesys.count("token") == 1


# -- Try again across the workspaces of one organisation --


async def pressed_from(journey: Journey, enterprise: str | None, **user: str) -> str:
    """A command of an organisation's workspace fails, and its button is pressed from another; what is read then."""
    path = journey.slack.response_urls.make(ANA, "C0CARE", "t")
    typed = {"command": "/cobrowse", "text": "Checkout", "team_id": "T0SANDBOX", "enterprise_id": ORG, "user_id": ANA}
    typed |= {"channel_id": "C0CARE", "trigger_id": "t", "response_url": journey.slack.url + path}
    await journey.genesys.inject_fault("dropped", times=1)
    assert (await journey.slack.send(typed, "slash_commands")).acked
    failed = await journey.reads(ANA, 0)
    assert is_failure(failed)
    before = len(journey.slack.messages)
    button = next(block for block in failed.blocks if block["type"] == "actions")["elements"][0]
    press = {
        "type": "block_actions",
        "user": {"id": ANA, "team_id": "T0SISTER"} | user,
        "team": None,
        "enterprise": {"id": enterprise} if enterprise else None,
        "channel": {"id": "C0CARE"},
        "trigger_id": "p",
        "actions": [{**button, "block_id": "b"}],
        "response_url": journey.slack.url + journey.slack.response_urls.make(user.get("id", ANA), "C0CARE", "p"),
    }
    assert (await journey.slack.send(press, "interactive")).acked
    return words(await journey.reads(user.get("id", ANA), before))


async def test_press_from_another_workspace_of_the_same_org_works(journey: Journey) -> None:
    assert "/join/" in await pressed_from(journey, ORG)
    assert len(journey.genesys.creates) == 2


@pytest.mark.parametrize(("enterprise", "user"), [(OTHER_ORG, {}), (None, {}), (ORG, {"id": BEN})])
async def test_press_from_another_organisation_or_person_is_refused(
    journey: Journey, enterprise: str | None, user: dict[str, str]
) -> None:
    assert "Only the person who asked" in await pressed_from(journey, enterprise, **user)
    assert len(journey.genesys.creates) == 1


# -- The words after /cobrowse --

MENTION = "<@U0BEN|ben>"


@pytest.mark.parametrize(
    "text", ["why @ana", "to @ana", "with @ana", "start @ana", "To  @ana", "link ＠ana", "end &lt;@ana"]
)
def test_person_unknown_to_slack_is_no_name_behind_a_word(text: str) -> None:
    assert parse(text) == NotUnderstood(Reason.UNRESOLVED)


@pytest.mark.parametrize("hidden", ["\u034f", "\ufe0f", "\ufe00\u034f", "\u3164", "\u115f", "\U000e0100", "\u180b"])
def test_nothing_invisible_hides_an_at_sign(hidden: str) -> None:
    assert parse(f"{hidden}@ana") == NotUnderstood(Reason.UNRESOLVED)
    assert parse(f"for {hidden}@ana") == NotUnderstood(Reason.UNRESOLVED)
    assert command_parser.clean_name(hidden) is None


@pytest.mark.parametrize("text", ["nwe", "edn", "ned", "NWE", "hlep", "wyh"])
def test_two_letters_that_changed_places_get_the_help(text: str) -> None:
    assert parse(text) == Help(instead_of=text)


@pytest.mark.parametrize("text", ["?", "-h", "--help", "-help", "/help", " ? "])
def test_a_cry_for_help_gets_it(text: str) -> None:
    assert parse(text) == Query(RequestKind.HELP)


@pytest.mark.parametrize(
    "ahead",
    [command_parser.MAX_TEXT_LENGTH - 5, command_parser.MAX_TEXT_LENGTH - 1, command_parser.MAX_TEXT_LENGTH, 5000],
)
@pytest.mark.parametrize("start", ["", '"', MENTION])
def test_a_person_far_behind_starts_nothing(ahead: int, start: str) -> None:
    text = f"{start}{'x' * (ahead - len(start) - 1)} {MENTION}"
    assert not isinstance(parse(text), Start)


def test_a_long_name_for_a_person_who_stands_first_is_only_cut() -> None:
    assert parse(f"{MENTION} {'x' * 5000}") == Start("U0BEN", "x" * 100)
    assert parse(f"<https://example.com|{'x' * 5000}>") != NotUnderstood(Reason.PERSON_LATER)


# -- The log --


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_when_nothing_goes_wrong_the_log_says_nothing_of_trouble(tmp_path: Path, http: bool) -> None:
    async with running(tmp_path, http=http) as (servers, process):
        await servers.slack.command(ANA, "")
        assert link(await servers.slack.next_message(ANA))
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process, 10)
    assert code == 0
    levels = [line.split(" ")[1] for line in err.splitlines()]
    assert set(levels) == {"INFO"}, err
