"""Read the messages about faults that administrators and channels get."""

from bot.core.timing import CoreTiming, NoticeTiming
from bot.sandbox.slack.server import Message
from tests.support.app import ADA, Journey, is_notice, words

QUICK = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1))
SECONDS = 6.0


def notices(journey: Journey, reader: str = ADA) -> list[Message]:
    """Return the messages about faults to this person or channel."""
    found = [one for one in journey.slack.messages if is_notice(one)]
    return [one for one in found if one.channel == reader or journey.slack.workspace.can_see(reader, one)]


async def notice(journey: Journey, says: str, reader: str = ADA) -> Message:
    """Wait until the only notice to this reader contains these words, and return it."""

    def found() -> Message | None:
        return next((one for one in notices(journey, reader) if says in words(one)), None)

    message = await journey.slack.workspace.until(found, SECONDS)
    assert len(notices(journey, reader)) == 1
    return message
