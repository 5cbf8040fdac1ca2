"""Make requests for tests that store none: tests of the limits, of the audit log and of messages."""

from datetime import UTC, datetime
from typing import Any

from bot.core.models import Request, RequestKind, new_request_id
from tests.support.app import ANA


def start(who: str = ANA, **how: Any) -> Request:
    """Make a new START request. `how` replaces its fields."""
    parts: dict[str, Any] = {
        "id": new_request_id(),
        "key": new_request_id(),
        "kind": RequestKind.START,
        "team_id": "T1",
        "enterprise_id": None,
        "channel_id": "C1",
        "requester": who,
        "accepted_at": datetime.now(UTC),
    }
    return Request(**(parts | how))


def request(**how: Any) -> Request:
    """Make a request with the id `reference` and a secret response_url. `how` replaces its fields."""
    return start("U1", **({"id": "reference", "key": "k", "reply_url": "https://secret/"} | how))
