"""The fault matrix for sessions in conversations: search for the conversation, read it, create an offer in it."""

import pytest

from tests.support.app import ANA, link, words
from tests.support.conversations import PUBLIC, SECRET
from tests.support.fault_matrix import World, clock, world
from tests.support.fault_rows import ALL, CANNOT, CREATES, GENESYS_SAYS, Row, told
from tests.support.faulty_server import UNREACHED
from tests.support.server_faults import HUGE_BYTES

__all__ = ["clock", "world"]

ENVIRON = {**PUBLIC, "GENESYS_CLIENT_SECRET": SECRET, "GENESYS_DEPLOYMENT_ID": ""}
LOOK, OFFER = r"GET /api/v2/conversations/[0-9a-f-]{36} ", r"POST /api/v2/conversations/[0-9a-f-]{36}/cobrowse "
ROWS = {
    "details/query": Row(
        "genesys",
        "/details/query",
        told(**GENESYS_SAYS, **CANNOT, no_json="can’t use Genesys’s answer"),
        after="/oauth/token",
    ),
    "conversation": Row(
        "genesys", LOOK, told(**GENESYS_SAYS, **CANNOT, no_json="can’t use Genesys’s answer"), after="/details/query"
    ),
    "offer": Row(
        "genesys",
        OFFER,
        told(**GENESYS_SAYS, unknown="don’t have a link for you", no_json="can’t use Genesys’s answer"),
        after=LOOK,
        wrong_types=b'{"id": 7, "joinCode": ["123"], "dateOfferEnds": {}}',
    ),
}


@pytest.mark.parametrize("world", [ENVIRON], indirect=True, ids=[""])
@pytest.mark.parametrize("name", ROWS)
async def test_each_fault_has_one_outcome_and_the_next_command_works(world: World, name: str) -> None:
    row, front = ROWS[name], world.fronts["genesys"]
    offers = world.servers.genesys.conversations.offers
    front.wrong_types = row.wrong_types
    for fault in ALL:
        world.clock.skipped += 200_000  # whatever was kept has run out
        for count in ("none", "one"):  # another conversation: in the same one the open session is given back
            world.servers.genesys.conversations.set_live_count(count)
        before = len(offers)
        await front.inject_fault(fault, row.on, row.after)
        message = await world.struck(front, fault, row.on, ANA, f"{name} {fault}")
        assert message, fault
        assert row.told[fault] in words(message), (fault, words(message))
        assert front.seen_of(row.on) or fault in UNREACHED, fault
        if name == "offer":
            assert len(front.seen_of(row.on)) <= CREATES.get(fault, 1), fault
        assert len(offers) - before == (name == "offer" and fault == "answer lost"), fault
        assert world.unforeseen() == [], fault
        assert front.sent_bytes < HUGE_BYTES / 4, fault
        world.clock.skipped += 120
        await front.inject_fault("")
        again = await world.outcome(ANA, f"after {name} {fault}")
        assert again
        assert link(again), fault
