"""Share a customer's addresses, and what the fake Genesys has sent to customers."""

from tests.support.app import Journey

NUMBER, EMAIL_ADDRESS = "+14155550123", "carla@example.com"


def sent(journey: Journey) -> list[tuple[str, str]]:
    """Return the kind and the address of each message, in the order they were sent."""
    return [(each.kind, each.to) for each in journey.genesys.outbox.sent]
