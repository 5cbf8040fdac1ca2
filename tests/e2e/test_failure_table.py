"""Every row of the session service's failure table: what the person reads, and how many create calls were sent."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from bot.core.timing import GENESYS_TIMING
from bot.genesys.http import HttpClient
from bot.sandbox.genesys.server import GenesysUser
from tests.support.app import ANA, QUICK_GENESYS, SAM, Journey, buttons, is_failure, link, open_journey, words
from tests.support.timing import SHORT_WAITS_ANNOUNCED

Row = tuple[str, dict[str, Any], int, list[str], bool]
UNKNOWN = ["I don’t have a link for you", "Try again"]
NO_LINK = ["Genesys gave me no link that I can use", "Try again", "closes by itself"]
ROWS: list[Row] = [
    # fault, how, creates, what an agent reads, whether Try again makes sense
    ("401", {}, 2, ["connection to Genesys is broken", "Nothing was started", f"<@{SAM}>"], True),
    ("403", {}, 1, ["Genesys doesn’t let me do this yet", "Nothing was started", f"<@{SAM}>"], True),
    ("invalid-host", {}, 1, ["won’t let you co-browse", "license", "Ask a colleague", f"<@{SAM}>"], True),
    ("429", {"retry_after": 181}, 1, ["too busy", "Nothing was started"], True),
    ("503", {"retry_after": 181}, 1, ["too busy", "Nothing was started"], True),
    ("500", {}, 3, ["Genesys has a problem right now", "Try again", "Genesys status"], True),
    ("502", {}, 1, UNKNOWN, True),
    ("504", {}, 1, UNKNOWN, True),
    ("408", {}, 1, UNKNOWN, True),
    ("dropped", {}, 1, UNKNOWN, True),
    ("reset", {}, 1, UNKNOWN, True),
    ("cut", {}, 1, UNKNOWN, True),
    ("down", {}, 0, ["can’t reach Genesys", "Nothing was started"], True),
    ("redirect", {}, 1, ["an answer that I can’t use", f"<@{SAM}>"], True),
    ("no-join-url", {}, 1, NO_LINK, True),
    ("no-id", {}, 1, NO_LINK, True),
    ("not-json", {}, 1, NO_LINK, True),
    ("not-object", {}, 1, NO_LINK, True),
    ("http-join-url", {}, 1, NO_LINK, True),
    ("js-join-url", {}, 1, NO_LINK, True),
]

REPAIRS = [
    # fault, what an administrator reads besides
    ("401", ["access token", "Admin › Integrations › OAuth"]),
    ("403", ["`cobrowse:session:write`", "OAuth", "No restart", "Nothing was started"]),
    ("invalid-host", ["`11111111-1111-4111-8111-111111111111`", "license", "Nothing was started"]),
    ("redirect", ["redirect"]),
    ("no-join-url", ["without a join URL", *NO_LINK]),
    ("no-id", ["without a usable id", *NO_LINK]),
    ("not-json", ["not JSON", *NO_LINK]),
    ("not-object", ["in an unknown form", *NO_LINK]),
    ("http-join-url", ["not a plain https", *NO_LINK]),
    ("js-join-url", ["not a plain https", *NO_LINK]),
]


@pytest.fixture
async def administrators() -> AsyncIterator[Journey]:
    """Yield a journey in which Ana is an administrator."""
    async with open_journey(COBROWSE_ADMINS=ANA) as opened:
        yield opened


@pytest.mark.parametrize(("fault", "how", "creates", "told", "again"), ROWS, ids=[row[0] for row in ROWS])
async def test_each_failure_has_its_own_sentence_and_number_of_creates(
    journey: Journey, fault: str, how: dict[str, Any], creates: int, told: list[str], again: bool
) -> None:
    await journey.genesys.inject_fault(fault, **how)
    message = await journey.asks()
    await journey.finish()

    assert is_failure(message)
    assert message.visible_to == ANA
    for phrase in told:
        assert phrase.lower() in words(message).lower()
    assert ("try_again" in buttons(message)) is again
    assert len(journey.genesys.creates) == creates
    assert journey.slack.seen_by(ANA) == [message]
    request_id = re.search(r"Reference `([a-z2-7]{12})`", words(message))
    assert request_id
    assert {create.body["metadata"]["requestId"] for create in journey.genesys.creates} <= {request_id[1]}
    for session in journey.genesys.sessions.values():  # a session nobody was told of must not leak either
        assert session.join_url not in words(message)


@pytest.mark.parametrize(("fault", "told"), REPAIRS, ids=[row[0] for row in REPAIRS])
async def test_an_administrator_reads_the_detail_and_the_repair(
    administrators: Journey, fault: str, told: list[str]
) -> None:
    await administrators.genesys.inject_fault(fault)
    shown = words(await administrators.asks())
    for phrase in told:
        assert phrase in shown
    assert shown.count("closes by itself") == told.count("closes by itself")
    assert f"<@{SAM}>" not in shown


async def test_a_fault_of_genesys_links_to_its_status_page(journey: Journey) -> None:
    await journey.genesys.inject_fault("500")
    assert buttons(await journey.asks())["open"]["url"] == "https://status.mypurecloud.com"


@pytest.mark.parametrize("fault", ["403", "500", "502", "bad-request", "invalid-host"])
async def test_a_failure_carries_genesys_own_reference(journey: Journey, fault: str) -> None:
    await journey.genesys.inject_fault(fault)
    assert re.search(r"Genesys `[0-9a-f-]{36}`", words(await journey.asks()))


async def test_one_401_is_mended_by_one_new_token_and_nobody_notices(either: Journey) -> None:
    await either.genesys.inject_fault("401", times=1)
    assert link(await either.asks())
    assert len(either.genesys.creates) == 2
    assert either.genesys.count("token") == 2
    tokens = [create.headers["Authorization"] for create in either.genesys.creates]
    assert tokens[0] != tokens[1]


async def test_a_401_that_stays_renews_the_token_once_for_each_command(journey: Journey) -> None:
    await journey.genesys.inject_fault("401")
    await journey.asks()
    assert journey.genesys.count("token") == 2
    await journey.genesys.inject_fault(None)
    assert link(await journey.asks())


async def test_after_a_403_the_scope_can_be_added_without_a_restart() -> None:
    timing = replace(QUICK_GENESYS, forbidden_token_seconds=0.0)
    async with open_journey(genesys_timing=timing) as journey:
        journey.genesys.login.missing_scopes = {"cobrowse:session:write"}
        assert is_failure(await journey.asks())
        journey.genesys.login.missing_scopes = set()
        assert link(await journey.asks())
        assert len(journey.genesys.sessions) == 1


async def test_a_403_leaves_a_new_token_in_use(journey: Journey) -> None:
    await journey.genesys.inject_fault("403")
    await journey.asks()
    await journey.asks()
    assert (journey.genesys.count("token"), journey.genesys.count("create")) == (1, 2)


async def test_token_without_the_scope_is_told_by_its_name() -> None:
    async with open_journey(GENESYS_SCOPES="cobrowse:session:read", COBROWSE_ADMINS=ANA) as journey:
        message = await journey.asks()
        assert "`cobrowse:session:write`" in words(message)
        assert journey.genesys.sessions == {}


async def test_invalid_host_is_looked_up_again_the_next_time(administrators: Journey) -> None:
    journey = administrators
    await journey.asks("One")
    old = next(user for user in journey.genesys.users.values() if user.email == "ana@example.com")
    del journey.genesys.users[old.id]
    assert f"`{old.id}`" in words(await journey.asks("Two"))
    new = GenesysUser("44444444-4444-4444-8444-444444444444", "Ana Agent", "ana@example.com")
    journey.genesys.users[new.id] = new
    assert link(await journey.asks("Three"))
    assert journey.genesys.creates[-1].body["hostUserId"] == new.id


async def test_an_unknown_application_is_answered_with_those_there_are(administrators: Journey) -> None:
    journey = administrators
    journey.genesys.applications = {"shop": "Web shop", "portal": "Customer portal"}
    message = await journey.asks()
    for known in ("`web`", "shop", "portal"):
        assert known in words(message)
    assert "Nothing was started" in words(message)
    assert len(journey.genesys.creates) == 1
    assert "try_again" not in buttons(message)


async def test_unknown_application_is_told_even_without_the_list(administrators: Journey) -> None:
    journey = administrators
    journey.genesys.applications = {}
    await journey.genesys.inject_fault("500", on="applications")
    assert "`web`" in words(await journey.asks())


async def test_the_services_own_words_are_escaped_and_cut(administrators: Journey) -> None:
    journey = administrators
    await journey.genesys.inject_fault("bad-request")
    message = await journey.asks()
    for text in (message.text, words(message)):
        assert "Not like this: &lt;!channel&gt; &lt;@U00000000&gt;" in text
        assert "&lt;https://example.com|here&gt; &amp;" in text
        assert "<!" not in text
        assert "<http" not in text
        quoted = text.partition("“")[2].partition("”")[0]
        assert len(quoted.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= 300
    assert len(journey.genesys.creates) == 1


@pytest.mark.parametrize(("fault", "written"), [("429", "seconds"), ("429", "date"), ("503", "seconds")])
async def test_busy_is_waited_for_as_long_as_it_orders(journey: Journey, fault: str, written: str) -> None:
    order = 1 if written == "seconds" else formatdate(time.time() + 2, usegmt=True)
    await journey.genesys.inject_fault(fault, times=1, retry_after=order)
    assert link(await journey.asks())
    first, second = journey.genesys.creates
    assert 0.95 <= second.at - first.at < 2.5


@pytest.mark.parametrize("order", [None, "soon", "", "-1"])
async def test_busy_without_a_usable_order_is_asked_again_soon(journey: Journey, order: str | None) -> None:
    await journey.genesys.inject_fault("429", times=2, retry_after=order)
    assert link(await journey.asks())
    assert len(journey.genesys.creates) == 3


@pytest.mark.parametrize("order", [None, 0, "Thu, 01 Jan 2026 00:00:00 GMT"])
async def test_busy_for_ever_ends_in_a_sentence_and_not_in_a_storm(order: int | str | None) -> None:
    """The Retry-After may be zero, or a date in the past."""
    async with open_journey(genesys_timing=replace(QUICK_GENESYS, max_backoff_seconds=0.5)) as journey:
        await journey.genesys.inject_fault("429", retry_after=order)
        async with asyncio.timeout(4):
            message = await journey.asks()
        assert "too busy" in words(message)
        assert len(journey.genesys.creates) < 50


@pytest.mark.parametrize("timing", [SHORT_WAITS_ANNOUNCED], ids=["short waits"])
async def test_busy_genesys_is_told_with_the_expected_wait(journey: Journey) -> None:
    await journey.genesys.inject_fault("429", times=1, retry_after=2)
    message = await journey.asks()
    await journey.finish()
    note, outcome = journey.slack.seen_by(ANA)
    assert outcome is message
    assert "busy" in note.text
    assert "about 2 seconds" in note.text
    assert link(message)


async def test_two_failures_inside_genesys_are_ridden_out(either: Journey) -> None:
    await either.genesys.inject_fault("500-twice")
    assert link(await either.asks())
    assert len(either.genesys.creates) == 3


@pytest.mark.parametrize(("fault", "how"), [("silent", {}), ("slow", {"seconds": 1.0})])
async def test_answer_that_does_not_come_in_time_is_not_repeated(fault: str, how: dict[str, Any]) -> None:
    async with open_journey(genesys_timing=replace(QUICK_GENESYS, call_timeout=0.3)) as journey:
        await journey.genesys.inject_fault(fault, **how)
        message = await journey.asks()
        await journey.finish()
        assert UNKNOWN[0] in words(message)
        assert "try_again" in buttons(message)
        assert len(journey.genesys.creates) == 1


def test_an_answer_is_waited_for_ten_seconds() -> None:
    assert GENESYS_TIMING.call_timeout == 10
    assert HttpClient().timeout.read == 10


async def test_a_redirect_is_never_followed(administrators: Journey) -> None:
    journey = administrators
    for call in ("token", "search", "create"):
        await journey.genesys.inject_fault(None)
        await journey.genesys.inject_fault("redirect", on=call)
        assert "redirect" in words(await journey.asks())
        assert journey.genesys.count(call) == 1
    assert journey.genesys.count("other") == 0
