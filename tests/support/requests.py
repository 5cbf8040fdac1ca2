"""Make requests for tests that store none: of the limits, of the audit log and of what is told."""

from datetime import UTC, datetime
from typing import Any

from bot.core.models import Request, RequestKind, new_request_id
from tests.support.app import ANA


def start(who: str = ANA, **how: Any) -> Request:
    """Make a request for a session that nobody has made before; `how` replaces its fields."""
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
    """Make a request whose id is `reference`, and whose reply URL is a secret; `how` replaces its fields."""
    return start("U1", **({"id": "reference", "key": "k", "reply_url": "https://secret/"} | how))
