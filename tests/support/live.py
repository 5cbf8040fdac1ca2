"""What the tests of live states share: quick looks, a customer who comes and goes, and what people read of it."""

from bot.core.timing import CoreTiming, LiveTiming, RecoveryTiming
from bot.sandbox.genesys.api.conversations import Offer
from bot.sandbox.slack.server import Message
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, Servers, words
from tests.support.conversations import KEY

QUICK_LOOKS = LiveTiming(
    poll_seconds=0.05,
    first_pause_seconds=0.1,
    pause_growth=1.0,
    busy_seconds=0.1,
    hint_gap_seconds=0.05,
    catch_up_seconds=0.0,
    end_margin_seconds=0.1,
)
QUICK_LIVE = CoreTiming(live=QUICK_LOOKS, recovery=RecoveryTiming(ended_poll_seconds=0.3), status_cache_seconds=0.0)
LIVE = KEY | {"GENESYS_LIVE": "poll", "GENESYS_REQUESTS_PER_MINUTE": "6000"}


def offers(servers: Servers | Journey) -> list[Offer]:
    """Return all offers, oldest first."""
    return list(servers.genesys.conversations.offers.values())


async def told(journey: Journey, text: str, *, who: str = ANA) -> Message:
    """Wait until this person reads this in any message, and return the message."""
    return await journey.slack.workspace.until(
        lambda: next((each for each in journey.slack.seen_by(who) if text in words(each)), None), ANSWER_TIMEOUT
    )


def count(journey: Journey, text: str, *, who: str = ANA) -> int:
    """Return how many messages that this person sees say this."""
    return sum(text in words(each) for each in journey.slack.seen_by(who))
