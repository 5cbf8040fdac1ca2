"""Several customers at once: the agent chooses the conversation that the session is for."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, RequestId
from bot.core.validation.conversations import LiveConversation
from bot.sandbox.slack.server import Message
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.conversation_choice import PICK_ACTION, picker
from bot.slack.messages.error_copy import Addressee
from tests.support.accounts import BENS
from tests.support.app import ANA, BEN, SAM, Journey, is_failure, link, open_journey, words
from tests.support.conversations import KEY, codes, talk

ANSWER_TIMEOUT = 6


def rows(message: Message) -> list[dict[str, object]]:
    return [block for block in message.blocks if "accessory" in block]


async def picks(journey: Journey, message: Message, number: int, *, who: str = ANA) -> None:
    """Press the button of this row, and wait for the outcome."""
    before, was = len(journey.slack.messages), message.text
    delivery = await journey.slack.press(who, message, PICK_ACTION, block_id=str(rows(message)[number]["block_id"]))
    assert delivery.acked, delivery.error
    await journey.slack.workspace.until(
        lambda: message.text != was or len(journey.slack.messages) > before, ANSWER_TIMEOUT
    )


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_the_session_starts_with_the_customer_who_was_picked(http: bool) -> None:
    async with open_journey(http=http, **KEY) as journey:
        old, new = talk(journey, "Carla <b>", minutes=20), talk(journey, "Carl", medium="call")
        message = await journey.asks("Checkout")
        assert "Carla" not in message.text
        assert [row["accessory"]["text"]["text"] for row in rows(message)] == [  # type: ignore[index]
            "Start with Carl",
            "Start with Carla <b>",
        ]
        await picks(journey, message, 1)
        assert link(message) == f"https://help.example.com/cobrowse#{codes(journey)[0]}"
        assert "Checkout" in words(message)
        (made,) = journey.genesys.conversations.offers.values()
        assert made.conversation is old is not new


async def test_two_presses_start_one_session() -> None:
    async with open_journey(**KEY) as journey:
        talk(journey)
        talk(journey)
        message = await journey.asks()
        blocks = [str(row["block_id"]) for row in rows(message)]
        await asyncio.gather(*(journey.slack.press(ANA, message, PICK_ACTION, block_id=block) for block in blocks))
        await journey.slack.workspace.until(lambda: len(journey.slack.seen_by(ANA)) > 1, ANSWER_TIMEOUT)
        await journey.finish()
        assert len(codes(journey)) == 1
        assert "This was already tried again" in "\n".join(map(words, journey.slack.seen_by(ANA)))


async def test_supervisor_picks_a_conversation_and_the_agent_is_told() -> None:
    async with open_journey(**KEY) as journey:
        talk(journey, host=BENS)
        live = talk(journey, "Carl", host=BENS)
        message = await journey.asks("@ben", who=SAM)
        await picks(journey, message, [words_of(row) for row in rows(message)].index(live.id), who=SAM)
        await journey.slack.workspace.until(lambda: journey.slack.seen_by(BEN), ANSWER_TIMEOUT)
        (made,) = journey.genesys.conversations.offers.values()
        assert made.conversation is live


def words_of(row: dict[str, object]) -> str:
    """Return the id of the conversation that a row is about."""
    return str(row["accessory"]["value"]).split()[1]  # type: ignore[index]


async def test_a_conversation_that_ended_meanwhile_starts_nothing() -> None:
    async with open_journey(**KEY) as journey:
        one = talk(journey)
        talk(journey)
        message = await journey.asks()
        one.end()
        await picks(journey, message, [words_of(row) for row in rows(message)].index(one.id))
        assert is_failure(message)
        assert "You’re not in that conversation, or it is over." in words(message)
        assert codes(journey) == []


def test_nameless_customers_after_a_crash_can_be_picked() -> None:
    ids = [ConversationId(f"{n:08d}-1111-4111-8111-111111111111") for n in range(12)]
    candidates = tuple(LiveConversation(one, datetime.now(UTC)) for one in ids)
    message = picker(SeveralConversationsError(candidates=candidates), Addressee(ENGLISH), RequestId("abc"))
    buttons = [block["accessory"] for block in message.blocks if "accessory" in block]
    assert [button["value"].split()[1] for button in buttons] == ids[:10]
    assert {button["text"]["text"] for button in buttons} == {"Start"}
    assert "2 more" in "\n".join(str(block) for block in message.blocks)
