"""Read the buttons of any message, and press one of them."""

from typing import Any

from bot.sandbox.slack.server import Message
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, buttons


def labels(message: Message) -> list[str]:
    """Return the labels of a message's buttons, in order."""
    return [button["text"]["text"] for button in buttons(message).values()]


async def presses(journey: Journey, message: Message, action: str, *, who: str = ANA, **how: Any) -> None:
    """Press a button, and wait until the message changes or another message arrives."""
    before, was = len(journey.slack.messages), message.text
    delivery = await journey.slack.press(who, message, action, **how)
    assert delivery.acked, delivery.error
    await journey.slack.workspace.until(
        lambda: message.text != was or len(journey.slack.messages) > before, ANSWER_TIMEOUT
    )
