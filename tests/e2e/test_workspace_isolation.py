"""Each id of one workspace is used from another one of the same process: it is worth as much there as a random one.

Both sandboxes of Slack have the same team, people and channels, so only the workspace can tell their ids apart.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.observability.logging import workspace
from bot.sandbox.genesys.api import routes
from bot.sandbox.slack.server import Message
from bot.sandbox.slack.shapes import find_element
from tests.support.accounts import asks_to_connect, connecting, signs_in, state_of
from tests.support.accounts import opens as opens_page
from tests.support.app import (
    ADA,
    ANA,
    SAM,
    UNA,
    Journey,
    buttons,
    free_port,
    is_failure,
    is_notice,
    link,
    open_servers,
    words,
)
from tests.support.conversations import SECRET
from tests.support.customer_messages import EMAIL_ADDRESS, NUMBER
from tests.support.replays import Recorded, another, recorded, replayed, told, usual
from tests.support.session_buttons import COPY, DETAILS, END, POST, as_earlier_card, opens
from tests.support.several import Several, Tables, open_workspaces, run_workspaces
from tests.support.views import called, home_says, opens_home

NAME = "Quarterly Zebra"
"""The name of acme's session, which nobody in globex may read."""
QUIET = {"GENESYS_LIVE": "off"}


@dataclass
class Lines(logging.Handler):
    """The bot's log lines, each with the workspace that it names."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = getattr(record, "fields", {})
        name = str(fields.get("workspace") or workspace.get())
        self.found.append((name, f"{logging.Formatter().format(record)} {fields}"))

    def of(self, name: str) -> list[str]:
        """Return the lines of one workspace."""
        return [line for each, line in self.found if each == name]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, bots = Lines(), logging.getLogger("bot")
    bots.addHandler(handler)
    yield handler
    bots.removeHandler(handler)


@dataclass(frozen=True)
class Loot:
    """What acme has: an open session with its card and its list, and a failed request. `ids` holds their ids."""

    journey: Journey
    card: Message
    failed: Message
    ids: list[str]


@pytest.fixture(params=[True, False], ids=["http", "socket"])
async def several(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Several]:
    more = dict.fromkeys(("acme", "globex"), QUIET)
    async with open_workspaces(tmp_path, "acme", "globex", http=request.param, more=more) as opened:
        yield opened


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncIterator[Several]:
    async with open_workspaces(tmp_path, "acme", "globex", more={"acme": QUIET, "globex": QUIET}) as opened:
        yield opened


async def plundered(journey: Journey) -> Loot:
    """Let Ana start a session in acme, and let a request of hers fail."""
    await journey.genesys.inject_fault("dropped", times=1)
    failed = await journey.asks("Failed one")
    assert is_failure(failed)
    card = await journey.asks(NAME)
    ids = [list(journey.genesys.sessions)[-1], str(buttons(failed)["try_again"]["value"])]
    return Loot(journey, card, failed, ids)


# -- What people press in acme --

Steal = Callable[[Loot], Awaitable[object]]


def pressing(action: str, **how: Any) -> Steal:
    async def act(loot: Loot) -> None:
        option = action in (POST, COPY, DETAILS)
        shown = {"chosen": action, **how} if option else how
        await loot.journey.slack.press(ANA, loot.card, "session_menu" if option else action, **shown)

    return act


def pressing_earlier(action: str) -> Steal:
    async def act(loot: Loot) -> None:
        as_earlier_card(loot.card, loot.ids[0])
        await loot.journey.slack.press(ANA, loot.card, action)

    return act


async def trying_again(loot: Loot) -> None:
    await loot.journey.slack.press(ANA, loot.failed, "try_again")


PRESSES: dict[str, Steal] = {
    "end": pressing(END),
    "post": pressing(POST),
    "copy": pressing(COPY),
    "details": pressing(DETAILS),
    "send": pressing("send_to_customer"),
    "earlier end": pressing_earlier("end_session"),
    "earlier post": pressing_earlier("share_session"),
    "earlier copy": pressing_earlier("send_session"),
    "try again": trying_again,
}


async def stolen(loot: Loot, steal: Steal) -> Recorded:
    return await recorded(loot.journey.slack, lambda: steal(loot))


async def stolen_dialog(loot: Loot, action: str, **values: Any) -> Recorded:
    """Open a dialog in acme, and return the payload of its submission."""
    slack = loot.journey.slack
    view = await opens(loot.journey, loot.card, action)
    if not values:
        return await recorded(slack, lambda: slack.submit(ANA, view))
    assert (await slack.submit(ANA, view, values)).acked  # the dialog asks whether to send
    return await recorded(slack, lambda: slack.submit(ANA, view))


async def stolen_row(loot: Loot, chosen: str) -> Recorded:
    """Return the payload of a choice in the menu of a row of acme's list."""
    slack = loot.journey.slack
    listed = await loot.journey.asks("status", who=ANA)
    return await recorded(slack, lambda: slack.press(ANA, listed, "row_menu", chosen=chosen))


async def stolen_question(loot: Loot, typed: str, action: str) -> Recorded:
    """Return the payload of the button that sends a link: of a question, or of a card with an address."""
    slack = loot.journey.slack
    asked = await loot.journey.asks(typed)
    _, button = find_element(asked.blocks, action, None)
    loot.ids.append(str(button["value"]).partition(" ")[0])  # a question is answered once
    loot.ids.extend(set(loot.journey.genesys.sessions) - set(loot.ids))
    return await recorded(slack, lambda: slack.press(ANA, asked, action))


async def stolen_home(loot: Loot, chosen: str) -> Recorded:
    """Return the payload of a choice in the menu of a row of acme's Home tab."""
    slack = loot.journey.slack
    await opens_home(loot.journey, ANA)
    home = await home_says(loot.journey, ANA, f"*{NAME}*")
    return await recorded(slack, lambda: slack.press(ANA, home, "row_menu", chosen=chosen))


OTHERS: dict[str, Callable[[Loot], Awaitable[Recorded]]] = {
    "end dialog": lambda loot: stolen_dialog(loot, END),
    "post dialog": lambda loot: stolen_dialog(loot, POST),
    "send dialog": lambda loot: stolen_dialog(loot, "send_to_customer", to=NUMBER),
    "row end": lambda loot: stolen_row(loot, "end"),
    "row send": lambda loot: stolen_row(loot, "send"),
    "send question": lambda loot: stolen_question(loot, f"send {NUMBER}", "send_link"),
    "send offer": lambda loot: stolen_question(loot, f"{EMAIL_ADDRESS} {NAME}", "send_offered_link"),
    "home end": lambda loot: stolen_home(loot, "end"),
}


@dataclass
class Untouched:
    """The state of a workspace, which an attack from another one may not change."""

    journey: Journey

    def __post_init__(self) -> None:
        self.before = self.now()

    def now(self) -> object:
        """Return what people of the workspace see, and how often its servers were called."""
        slack, genesys = self.journey.slack, self.journey.genesys
        shown = [(each.ts, each.text, json.dumps(each.blocks), each.deleted) for each in slack.messages]
        homes = [view and json.dumps(view.blocks) for view in map(slack.home_of, (ANA, SAM, ADA))]
        open_views = [[view.id, json.dumps(view.blocks)] for who in (ANA, SAM, ADA) for view in slack.views_of(who)]
        sessions = [(each.id, each.status) for each in genesys.sessions.values()]
        return shown, homes, open_views, sessions, len(slack.calls), len(genesys.calls), len(genesys.outbox.sent)

    def check(self) -> None:
        assert self.now() == self.before


async def assert_worthless(attacker: Journey, loot: Loot, given: Recorded, lines: Lines) -> None:
    """Deliver a payload from another workspace: with its ids, and with random ones. The answers are the same."""
    assert any(each in json.dumps(given.payload) for each in loot.ids)
    victim, seen = Untouched(loot.journey), len(lines.found)
    ids = {each: another(each) for each in loot.ids}
    foreign = await replayed(attacker, given, loot.journey.slack)
    unknown = await replayed(attacker, given.with_ids(ids), loot.journey.slack)
    for old, new in ids.items():
        unknown = [text.replace(new, old) for text in unknown]
    assert foreign == unknown
    assert foreign
    assert_silent(foreign, loot)
    assert_silent([line for _, line in lines.found[seen:]], loot)
    victim.check()
    assert len(attacker.genesys.creates) == len(attacker.genesys.outbox.sent) == 0


def assert_silent(texts: list[str], loot: Loot) -> None:
    """Check that nothing tells of acme: its name, the name of its session, or a link."""
    for text in texts:
        assert NAME not in text
        assert "acme" not in text
        assert loot.journey.genesys.url not in text


@pytest.mark.parametrize("name", PRESSES)
async def test_button_of_another_workspace_is_worthless(several: Several, lines: Lines, name: str) -> None:
    acme, globex = several.journeys.values()
    loot = await plundered(acme)
    await assert_worthless(globex, loot, await stolen(loot, PRESSES[name]), lines)


@pytest.mark.parametrize("name", OTHERS)
async def test_dialog_or_list_of_another_workspace_is_worthless(over_http: Several, lines: Lines, name: str) -> None:
    acme, globex = over_http.journeys.values()
    loot = await plundered(acme)
    await assert_worthless(globex, loot, await OTHERS[name](loot), lines)


@pytest.mark.parametrize("text", ["end {}", "end `{}`"])
async def test_typed_id_of_another_workspace_is_unknown(several: Several, lines: Lines, text: str) -> None:
    acme, globex = several.journeys.values()
    loot = await plundered(acme)
    victim, session_id = Untouched(acme), loot.ids[0]
    random_id = another(session_id)
    foreign = await told(globex, lambda: globex.slack.command(ANA, text.format(session_id)))
    unknown = await told(globex, lambda: globex.slack.command(ANA, text.format(random_id)))
    assert foreign == [each.replace(random_id, session_id) for each in unknown]
    assert_silent(foreign, loot)
    assert_silent(lines.of("globex"), loot)
    victim.check()
    assert globex.genesys.count("end") == 0


@pytest.mark.parametrize("text", ["status", "list", "last", "end", f"send {NUMBER}", "why", "whoami"])
async def test_lists_show_no_session_of_another_workspace(several: Several, lines: Lines, text: str) -> None:
    acme, globex = several.journeys.values()
    who = SAM if text == "list" else ANA
    empty = await told(globex, lambda: globex.slack.command(who, text))
    loot = await plundered(acme)
    victim = Untouched(acme)
    assert await told(globex, lambda: globex.slack.command(who, text)) == empty
    assert_silent([*empty, *lines.of("globex")], loot)
    victim.check()


async def test_form_of_another_workspace_starts_nothing_there(over_http: Several) -> None:
    """Only globex's own Slack can sign a form for globex. Its form then belongs to globex, with all that it names."""
    acme, globex = over_http.journeys.values()
    loot = await plundered(acme)
    assert (await acme.slack.command(ANA, "new")).acked
    view = await acme.slack.until(lambda: next((v for v in acme.slack.views_of(ANA) if "submit" in v.body), None))
    given = await recorded(acme.slack, lambda: acme.slack.submit(ANA, view, {"name": "Deal"}))
    victim = Untouched(acme)
    answer = await replayed(globex, given, acme.slack)
    await globex.slack.until(lambda: len(globex.genesys.creates) == 1 or None)
    assert_silent(answer, loot)
    victim.check()


async def test_same_start_in_two_workspaces_is_no_duplicate(several: Several) -> None:
    journeys = several.journeys.values()
    for each in journeys:
        each.genesys.latency_seconds = 0.3
    cards = await asyncio.gather(*(each.asks(NAME) for each in journeys))
    for each, card in zip(journeys, cards, strict=True):
        assert [session.join_url for session in each.genesys.sessions.values()] == [link(card)]


async def test_same_trigger_id_in_two_workspaces_is_two_requests(several: Several) -> None:
    journeys = several.journeys.values()
    cards = await asyncio.gather(*(each.asks(NAME, trigger_id="1.2.same") for each in journeys))
    assert len({link(card) for card in cards}) == 2


async def test_same_session_id_in_two_workspaces_is_two_sessions(
    several: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = SimpleNamespace(uuid4=lambda: "5e551011-0000-4000-8000-000000000001")
    monkeypatch.setattr(routes, "uuid", same)
    acme, globex = several.journeys.values()
    links = [link(await each.asks(f"Deal of {number}")) for number, each in enumerate((acme, globex))]
    assert links[0] != links[1]
    assert [link(await each.asks("last")) for each in (acme, globex)] == links
    await acme.asks("end")
    assert [each.genesys.count("end") for each in (acme, globex)] == [1, 0]
    assert link(await globex.asks("last")) == links[1]
    assert "Deal of 1" in words(await globex.asks("status"))


@pytest.mark.parametrize("step", [True, False], ids=["workflow step", "shortcut"])
async def test_step_and_shortcut_stay_in_their_workspace(over_http: Several, step: bool) -> None:
    acme, globex = over_http.journeys.values()
    await plundered(globex)
    victim = Untouched(globex)
    if step:
        execution = await acme.slack.function_executed("start_cobrowse_session", {"agent": ANA, "name": NAME})
        await acme.slack.until(lambda: execution.outputs)
    else:
        assert (await acme.slack.shortcut(ANA, "cobrowse_start")).acked
        await acme.slack.until(lambda: acme.slack.views_of(ANA))
    victim.check()


async def test_execution_of_another_workspace_is_completed_in_none(over_http: Several) -> None:
    acme, globex = over_http.journeys.values()
    inputs = {"agent": ANA, "name": NAME}
    acme.slack.dispatcher.retries_after_seconds = ()
    given = await recorded(acme.slack, lambda: acme.slack.function_executed("start_cobrowse_session", inputs))
    victim = Untouched(acme)
    assert (await globex.slack.send(given.payload, given.kind)).acked
    await called(globex, "functions.completeSuccess")
    assert not acme.slack.executions[0].outputs
    victim.check()


# -- Fault notices, administrators, Home tabs --


async def test_fault_notice_reaches_no_other_workspace(several: Several) -> None:
    acme, globex = several.journeys.values()
    await plundered(globex)
    await opens_home(globex, ADA)
    await asyncio.sleep(0.3)
    victim = Untouched(globex)
    await acme.genesys.inject_fault("401")
    assert is_failure(await acme.asks("Deal"))
    await acme.slack.until(lambda: [each for each in acme.slack.messages if is_notice(each)])
    await opens_home(acme, ADA)
    victim.check()
    assert "failing" not in str(globex.slack.home_of(ADA))


async def test_request_for_access_reaches_no_other_workspace(several: Several) -> None:
    acme, globex = several.journeys.values()
    victim = Untouched(globex)
    refused = await acme.asks("Deal", who=UNA)
    before = len(acme.slack.messages)
    assert (await acme.slack.press(UNA, refused, "ask_access")).acked
    await acme.slack.until(lambda: [each for each in acme.slack.messages[before:] if is_notice(each)])
    victim.check()


# -- The HTTP server --


async def answered(url: str, method: str = "POST", **how: Any) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers of an answer. The date is left out."""
    async with aiohttp.ClientSession() as http, http.request(method, url, allow_redirects=False, **how) as response:
        headers = {name: value for name, value in response.headers.items() if name != "Date"}
        return response.status, await response.text(), headers


def signed(secret: str, body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    content = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}", **content}


async def test_payload_signed_for_one_workspace_is_refused_by_another(over_http: Several) -> None:
    acme, globex = over_http.journeys.values()
    loot = await plundered(acme)
    given = await stolen(loot, PRESSES["end"])
    body = urlencode({"payload": json.dumps(given.payload)}).encode()
    headers = signed(acme.keys.signing_secret, body)
    untouched = [Untouched(acme), Untouched(globex)]
    status, text, _ = await answered(f"{globex.url}/slack/events/globex", data=body, headers=headers)
    assert (status, text) == (401, "the signature does not fit\n")
    stranger = signed("0" * 32, body)
    assert (status, text) == (await answered(f"{globex.url}/slack/events/globex", data=body, headers=stranger))[:2]
    for each in untouched:
        each.check()


PATHS = (
    *("/slack/events/nobody", "/slack/events", "/slack/events/", "/slack/events/acme/", "/slack/events/ACME"),
    *("/slack/events//acme", "/slack/events/acme%2f", "/slack/events/acme/globex", "/genesys/callback/nobody"),
    *("/genesys/callback", "/genesys/callback/acme", "/slack/events/gone"),
)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
async def test_path_of_no_workspace_is_any_unknown_path(tmp_path: Path, method: str) -> None:
    async with open_workspaces(tmp_path, "acme", "gone") as several:
        several.tables.remove("gone")
        await several.until(lambda found: set(found) == {"acme"})
        url = several.journeys["acme"].url
        unknown = await answered(f"{url}/any/other/path", method)
        assert unknown[0] == 404
        for path in PATHS:
            assert await answered(f"{url}{path}", method) == unknown, path
        assert (await answered(f"{url}/slack/events/acme", method) == unknown) is (method != "POST")


# -- Sign-ins --


@asynccontextmanager
async def open_connecting(folder: Path) -> AsyncIterator[Several]:
    """Start acme and globex, whose people can sign in to Genesys."""
    port, tables = free_port(), Tables(folder)
    async with (
        open_servers(http=True, client_secret=SECRET) as acme,
        open_servers(http=True, client_secret=SECRET) as globex,
    ):
        servers = {"acme": acme, "globex": globex}
        for name, each in servers.items():
            url = f"http://127.0.0.1:{port}"
            tables.put(name, connecting(each, COBROWSE_PUBLIC_URL=url, **QUIET))
            each.genesys.user_login.client.redirect_uris = (f"{url}/genesys/callback/{name}",)
            each.genesys.conversations.set_live_count("one")
            each.genesys.conversations.requires_user = True
        usual = {"DATABASE_URL": "memory:", "STORE_ENCRYPTION_KEY": acme.keys.store_key, "PORT": str(port)}
        environ = {**usual, "SHUTDOWN_SECONDS": "4", "COBROWSE_WORKSPACES": str(tables.path)}
        async with run_workspaces(environ, tables, servers) as several:
            yield several


async def test_sign_in_ends_only_in_the_workspace_that_began_it(tmp_path: Path, lines: Lines) -> None:
    async with open_connecting(tmp_path) as several:
        acme, globex = several.journeys.values()
        untouched = Untouched(globex)
        back = await signs_in(await asks_to_connect(acme))
        assert "/genesys/callback/acme?" in back
        there = back.replace("/callback/acme?", "/callback/globex?")
        state = state_of(back)
        foreign, unknown = await opens_page(there), await opens_page(there.replace(state, another_state(state)))
        assert (foreign.status, usual(foreign.text)) == (unknown.status, usual(unknown.text))
        assert "acme" not in foreign.text
        assert await answered(back.replace("/acme?", "/nobody?"), "GET") == await answered(f"{acme.url}/any", "GET")
        untouched.check()
        assert "globex" not in "".join(lines.of("acme"))
        assert state not in "".join(line for _, line in lines.found)
        before = len(acme.slack.messages)
        assert (await opens_page(back)).status == 200
        assert "signed in to Genesys" in words(await acme.reads(ANA, before))
        assert "You signed in to Genesys yourself" in words(await acme.asks("whoami"))
        assert "You haven’t signed in to Genesys yourself" in words(await globex.asks("whoami"))


def another_state(state: str) -> str:
    return another(state[:-1]) + state[-1]
