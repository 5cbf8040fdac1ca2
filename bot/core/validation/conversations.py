"""Read the id or URL of a Genesys conversation that a user pastes (pure)."""

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
    """A Genesys conversation in which a host takes part now.

    - `since`: when the host was connected; if Genesys does not say it, when the conversation began.
    - `customer`: the customer's name for display; "" if unknown.
    """

    id: ConversationId
    since: datetime
    customer: str = field(default="", repr=False, compare=False)


def conversation_id(text: str) -> ConversationId | None:
    """Convert a text to a conversation id, a UUID in lower case. Return None if the text is not a UUID."""
    return ConversationId(text.lower()) if _UUID.fullmatch(text) else None


def is_address(text: str) -> bool:
    """Return whether the text begins with a URL scheme and `://`."""
    return bool(_ADDRESS.match(text))


@dataclass(frozen=True, slots=True)
class GenesysApp:
    """The Genesys web app, whose URLs contain conversation ids.

    `host`: the server name in the web app's URLs; "" if unknown. With "", the bot accepts only ids, not URLs.
    """

    host: str = ""

    @property
    def home(self) -> str:
        """Return the URL of the web app's start page; "" if `host` is ""."""
        return f"https://{self.host}/directory/" if self.host else ""

    def address(self, conversation_id: ConversationId) -> str:
        """Return the URL of a conversation in the web app; "" if `host` is ""."""
        return f"https://{self.host}/directory/#/analytics/interactions/{conversation_id}/admin" if self.host else ""

    def conversation_id(self, text: str) -> ConversationId | None:
        """Return the conversation id in a pasted text: an id, or the URL of a conversation in the web app.

        Return None for any other text, and for a URL with several ids. An example of a URL is
        `https://apps.mypurecloud.com/directory/#/…/<id>/…`.
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
