"""The fault matrix for messages to customers: each fault has a sentence, and the bot sends no message twice."""

import pytest

from bot.sandbox.slack.server import Message
from tests.support.app import ANA, buttons, words
from tests.support.fault_matrix import SLOW, World, clock, impatient, world
from tests.support.fault_rows import ALL, CREATES, told
from tests.support.faulty_server import UNREACHED
from tests.support.server_faults import HUGE_BYTES

__all__ = ["clock", "world"]

UNKNOWN, NOTHING = "may or may not be sent", "Nothing was sent"
SAYS = told(
    unreached=f"can’t reach Genesys. {NOTHING}",
    unknown=UNKNOWN,
    moved=NOTHING,
    no_json=UNKNOWN,
    f413="refused the request (413)",
    f429=f"too busy right now. {NOTHING}",
    f429_with_an_order=f"too busy right now. {NOTHING}",
    f503=f"too busy right now. {NOTHING}",
    f500=UNKNOWN,
)
SENDS = {**CREATES, "500": 1}
"""Once, where it may have gone out: nobody wants the same SMS three times."""
UNLIMITED = {"COBROWSE_PERSON_SENDS_PER_MINUTE": "0"}


def address(medium: str, number: int) -> str:
    return f"+1415555{100 + number:04}" if medium == "sms" else f"carla{number}@example.com"


async def question(world: World, to: str) -> Message:
    message = await world.outcome(ANA, f"send {to}")
    assert message
    assert "send_link" in buttons(message), words(message)
    return message


@pytest.mark.parametrize("world", [UNLIMITED], indirect=True, ids=[""])
@pytest.mark.parametrize(("medium", "on"), [("sms", "/messages/agentless"), ("email", "/emails/agentless")])
async def test_whatever_fails_it_is_told_and_nothing_is_sent_twice(world: World, medium: str, on: str) -> None:
    front, sent = world.fronts["genesys"], world.servers.genesys.outbox.sent
    assert await world.outcome(ANA, "Checkout")
    for number, fault in enumerate(ALL):
        to = address(medium, number)
        asked = await question(world, to)
        await front.inject_fault(fault, on)
        if fault in SLOW:
            with impatient():
                await world.press(asked, "send_link")
        else:
            await world.press(asked, "send_link")
        assert SAYS[fault] in words(asked), (fault, words(asked))
        assert front.seen_of(on) or fault in UNREACHED, fault
        assert len(front.seen_of(on)) <= SENDS.get(fault, 1), fault
        assert [each.to for each in sent].count(to) == (fault == "answer lost"), fault
        assert world.unforeseen() == [], fault
        assert front.sent_bytes < HUGE_BYTES / 4, fault
        world.clock.skipped += 120
        await front.inject_fault("")
        again = await question(world, to)
        await world.press(again, "send_link")
        assert "ed the link of" in words(again), (fault, words(again))
        assert [each.to for each in sent].count(to) == 1 + (fault == "answer lost"), fault
