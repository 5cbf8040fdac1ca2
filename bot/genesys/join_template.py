"""COBROWSE_JOIN_URL_TEMPLATE: the company's page that a join code leads to (pure).

The code stands in the fragment, which browsers keep to themselves: it reaches no server's log and no Referer header.
"""

from dataclasses import dataclass, field
from urllib.parse import quote

from bot.core.validation.urls import is_safe_url

CODE = "{joinCode}"


@dataclass(frozen=True, slots=True)
class JoinTemplate:
    """A template that was checked."""

    text: str = field(repr=False)

    def url(self, join_code: str) -> str:
        """The customer's join URL."""
        return self.text.replace(CODE, quote(join_code, safe=""))


def parse_template(text: str) -> JoinTemplate:
    """Raises ValueError with what is wrong."""
    if text.count(CODE) != 1 or set(text.replace(CODE, "")) & set("{}"):
        raise ValueError(f"must hold {CODE} exactly once, and no other braces")
    plain = text.replace(CODE, "code")
    if not is_safe_url(plain):
        raise ValueError(f"must be an https URL such as https://help.example.com/cobrowse#{CODE}")
    if CODE not in text.partition("#")[2]:
        raise ValueError(f"must hold {CODE} behind the #, where no server's log will show it")
    return JoinTemplate(text)
