"""Make users as Slack's users.info gives them."""

from typing import Any

FLAGS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")


def user(**more: Any) -> dict[str, Any]:
    """Make Ana, a full member; `more` replaces her fields, and those of her profile one by one."""
    profile = {"real_name": "Ana Agent", "email": "ana@example.com"} | more.pop("profile", {})
    flags = dict.fromkeys(FLAGS, False)
    return {"id": "U0ANA", "team_id": "T0HOME", "name": "ana", "profile": profile, **flags} | more
