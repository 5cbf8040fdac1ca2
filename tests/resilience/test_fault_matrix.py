"""Every upstream call with every fault: people read one outcome, and the next command works.

Create calls are repeated only as allowed. A call is a row of the matrix, and a fault is a column.
tests/support/server_faults.py has the faults.
"""

import re
from dataclasses import replace

import pytest

from bot.sandbox.slack.server import Message
from bot.slack.api.identity import SlackSetupError, SlackUnreachableError, identify
from bot.slack.api.responder import new_http_session, new_web_client
from tests.support.app import ANA, BEN, SAM, is_failure, is_note, link, words
from tests.support.fault_matrix import QUICK_SECONDS, SLACK, World, clock, impatient, world
from tests.support.fault_rows import ALL, CANNOT, CREATES, GENESYS_SAYS, Row, told
from tests.support.faulty_server import UNREACHED, Front
from tests.support.server_faults import HUGE_BYTES

__all__ = ["clock", "world"]

LINK = "End session"
NOBODY = ""
TAKEN_AT_ITS_WORD = {"truncated JSON": NOBODY, "wrong types": NOBODY}
"""A response_url that says 200 and shows no page was Slack's."""
NO_ANSWER = "Slack didn’t answer my question"
NOT_TOLD = "I couldn’t reach"

ROWS = {
    "token": Row("genesys", "/oauth/token", told(**GENESYS_SAYS, **CANNOT, no_json="a login answer without a token")),
    "users/search": Row(
        "genesys",
        "/users/search",
        told(**GENESYS_SAYS, **CANNOT, no_json="a list of users in an unknown form"),
        after="/oauth/token",
    ),
    "create": Row(
        "genesys",
        "/conversations/cobrowse",
        told(**GENESYS_SAYS, unknown="don’t have a link for you", no_json="can’t use Genesys’s answer"),
        after="/users/search",
        wrong_types=b'{"id": 7, "joinUrl": ["https://example.com"], "status": {}}',
    ),
    "applications": Row(
        "genesys",
        "/cobrowse/applications",
        dict.fromkeys(ALL, "Genesys doesn’t know the application `"),
        after="/conversations/cobrowse",
        prepare={"applications": "none"},
    ),
    "users.info": Row("slack", "users.info", dict.fromkeys(ALL, NO_ANSWER), wrong_types=b'{"ok": true, "user": [7]}'),
    "users.info, a list": Row("slack", "users.info", dict.fromkeys(ALL, NO_ANSWER)),
    "usergroups.users.list": Row(
        "slack",
        "usergroups.users.list",
        dict.fromkeys(ALL, NO_ANSWER),
        after=f"user={BEN}",
        who=BEN,
        text="@ana ",
        wrong_types=b'{"ok": true, "users": 7}',
    ),
    "response_url": Row("hooks", "/response/", dict.fromkeys(ALL, LINK) | TAKEN_AT_ITS_WORD),
    "chat.postEphemeral": Row(
        "slack",
        "chat.postEphemeral",
        dict.fromkeys(ALL, LINK) | dict.fromkeys(UNREACHED, NOBODY),
        after="users.info",
        prepare={"response_url": "404"},
    ),
    "conversations.open": Row(
        "slack",
        "conversations.open",
        dict.fromkeys(ALL, NOT_TOLD),
        after=f"user={BEN}",
        who=SAM,
        text="@ben ",
        wrong_types=b'{"ok": true, "channel": 7}',
    ),
    "chat.postMessage": Row(
        "slack", "chat.postMessage", dict.fromkeys(ALL, NOT_TOLD), after="conversations.open", who=SAM, text="@ben "
    ),
}


@pytest.mark.parametrize("name", ROWS)
async def test_each_fault_has_one_outcome_and_the_next_command_works(world: World, name: str) -> None:
    row = ROWS[name]
    front = world.fronts[row.front]
    front.wrong_types = row.wrong_types
    for fault in ALL:
        world.clock.skipped += 200_000  # whatever was kept has run out
        await prepare(world, row)
        await front.inject_fault(fault, row.on, row.after)
        message = await world.struck(front, fault, row.on, row.who, f"{row.text}Row {name} {fault}")
        assert front.seen_of(row.on) or fault in UNREACHED, fault
        check(world, row, fault, words(message) if message else NOBODY)
        await mend(world, row, front)
        again = await world.outcome(ANA, f"after {name} {fault}")
        assert again
        assert link(again), fault
        assert not is_failure(again)
    one_outcome_each(world)


def check(world: World, row: Row, fault: str, read: str) -> None:
    wanted = row.told[fault]
    assert wanted in read, (fault, read)
    assert (wanted == NOBODY) is (read == NOBODY), (fault, read)
    assert world.unforeseen() == [], fault
    front, genesys = world.fronts[row.front], world.servers.genesys
    assert front.sent_bytes < HUGE_BYTES / 4, (fault, front.sent_bytes)
    if row.on == "/conversations/cobrowse":
        assert len(front.seen_of(row.on)) <= CREATES.get(fault, 1), fault
        acted = [create for create in genesys.creates if create.created_session and fault in create.body["sessionName"]]
        assert len(acted) <= (fault == "answer lost")


async def prepare(world: World, row: Row) -> None:
    if "applications" in row.prepare:
        world.servers.genesys.applications = {}
    if "response_url" in row.prepare:
        world.servers.slack.inject_fault("response_url", row.prepare["response_url"])


async def mend(world: World, row: Row, front: Front) -> None:
    world.clock.skipped += 120  # a window of the rate limit, and the pause after it
    await front.inject_fault("")
    world.servers.genesys.applications = {"web": "Web"}
    world.servers.slack.inject_fault("response_url", None)


def one_outcome_each(world: World) -> None:
    """Check that no request has two different outcomes. The same outcome may arrive twice."""
    by_reference: dict[tuple[str, str], set[str]] = {}
    for message in filter(lambda message: not is_note(message), world.servers.slack.messages):
        reference = reference_of(world, message)
        assert reference, words(message)
        reader = message.visible_to or message.channel
        by_reference.setdefault((reference, reader), set()).add(words(message))
    assert by_reference
    assert all(len(texts) == 1 for texts in by_reference.values()), by_reference


def reference_of(world: World, message: Message) -> str:
    """Return the id of the request that a message answers.

    For a card without a reference, return the id of its session's request.
    """
    if found := re.search(r"Reference `([a-z2-7]{12})`", words(message)):
        return found[1]
    creates = {create.session_id: create.body["metadata"]["requestId"] for create in world.servers.genesys.creates}
    rows = [str(block.get("block_id")) for block in message.blocks]
    (session_id,) = [row.removeprefix("card-") for row in rows if row.startswith("card-")]
    return str(creates[session_id])


async def test_whatever_fails_at_the_start_ends_in_a_sentence(world: World) -> None:
    front = world.fronts["slack"]
    for fault in ALL:
        await front.inject_fault(fault, "auth.test")
        async with new_http_session() as http:
            web = new_web_client("xoxb-any", f"{front.url}/api/", http)
            with impatient(), pytest.raises((SlackSetupError, SlackUnreachableError), match="Slack"):
                await identify(web, tries=2, timing=replace(SLACK, identify_timeout=QUICK_SECONDS))
        assert front.sent_bytes < HUGE_BYTES / 4, fault
