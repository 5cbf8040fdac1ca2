"""The conversations a host is in, and what somebody pastes to say which they mean: an id, or its address (pure).

Whether it is a live conversation of theirs is for the session service to find out.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from bot.core.models import ConversationId

_UUID = re.compile(r"(?<![0-9A-Za-z-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z-])")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
TEXT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class LiveConversation:
    """A conversation a host is in. `customer` is a name, for display only, and "" when it is not known."""

    id: ConversationId
    since: datetime
    customer: str = field(default="", repr=False, compare=False)


def conversation_id(text: str) -> ConversationId | None:
    """A UUID, in lower case; None for anything else."""
    return ConversationId(text.lower()) if _UUID.fullmatch(text) else None


def is_address(text: str) -> bool:
    """Whether somebody meant it as a URL."""
    return bool(_ADDRESS.match(text))


@dataclass(frozen=True, slots=True)
class GenesysApp:
    """The region's own app, where interactions have addresses. Without a known `host`, ids alone are understood."""

    host: str = ""

    def conversation_id(self, text: str) -> ConversationId | None:
        """The conversation of an id, or of an address such as `https://apps.mypurecloud.com/directory/#/…/<id>/…`.

        None for another host than the app's, and for an address that holds no id before its query, or several.
        """
        if found := conversation_id(text):
            return found
        if not self.host or len(text) > TEXT_LENGTH or not text.isascii() or not text.isprintable():
            return None
        try:
            parts = urlsplit(text)
            here = parts.scheme == "https" and parts.netloc.lower() in (self.host, f"{self.host}:443")
        except ValueError:
            return None
        if not here:
            return None
        route = parts.path + "#" + parts.fragment.partition("?")[0]  # the app's route; a tab's id may follow the `?`
        ids = {found.lower() for found in _UUID.findall(route)}
        return ConversationId(ids.pop()) if len(ids) == 1 else None
