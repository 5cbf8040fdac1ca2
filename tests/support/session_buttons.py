"""What the journeys of sessions share: pressing the buttons of one, and what is read then."""

from typing import Any

from bot.sandbox.slack.server import Message
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, is_note

LIVE = "/cobrowse"


async def presses(journey: Journey, message: Message, action: str, *, who: str = ANA, **how: Any) -> Message:
    """Presses a button of a message, and gives what comes of it: a new message for them, or this one, changed."""
    before, was = len(journey.slack.messages), str(message.blocks)
    delivery = await journey.slack.press(who, message, action, **how)
    assert delivery.acked, delivery.error
    assert not delivery.body

    def outcome() -> Message | None:
        new = [each for each in journey.slack.messages[before:] if journey.slack.workspace.can_see(who, each)]
        told = [each for each in new if not is_note(each) and each.visible_to == who]
        return message if str(message.blocks) != was and message.visible_to == who else next(iter(told), None)

    return await journey.slack.workspace.until(outcome, ANSWER_TIMEOUT)


async def says(journey: Journey, message: Message, text: str) -> None:
    """Until this message has that in it."""
    await journey.slack.workspace.until(lambda: text in str(message.blocks) or None, ANSWER_TIMEOUT)


def status(journey: Journey) -> list[str]:
    """What the service says of each session, in the order they were made."""
    return [session.status for session in journey.genesys.sessions.values()]
