"""Read the id or URL of a Genesys conversation that a user pastes (pure).

The session service checks later whether the host takes part in this conversation.
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
    """A conversation in which a host takes part now, since the time `since`.

    `customer` is the customer's name for display, "" if unknown.
    """

    id: ConversationId
    since: datetime
    customer: str = field(default="", repr=False, compare=False)


def conversation_id(text: str) -> ConversationId | None:
    """Return the text as a conversation id, a UUID in lower case; None if it is not a UUID."""
    return ConversationId(text.lower()) if _UUID.fullmatch(text) else None


def is_address(text: str) -> bool:
    """Return whether the text begins like a URL: with a scheme and `://`."""
    return bool(_ADDRESS.match(text))


@dataclass(frozen=True, slots=True)
class GenesysApp:
    """The Genesys web app of the region, whose URLs contain conversation ids.

    If `host` is "", people can only paste ids.
    """

    host: str = ""

    @property
    def home(self) -> str:
        """Return the URL of the start page of the web app; "" if `host` is ""."""
        return f"https://{self.host}/directory/" if self.host else ""

    def address(self, conversation_id: ConversationId) -> str:
        """Return the URL of a conversation in the web app; "" without a host."""
        return f"https://{self.host}/directory/#/analytics/interactions/{conversation_id}/admin" if self.host else ""

    def conversation_id(self, text: str) -> ConversationId | None:
        """Return the id in a pasted id or in a URL like `https://apps.mypurecloud.com/directory/#/…/<id>/…`.

        Return None for any other text and for a URL of another host. Return None, too, if the part of the URL before
        its query has no id or several.
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
