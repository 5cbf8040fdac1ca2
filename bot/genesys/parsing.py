"""What may be taken from an answer of the session service, which is not to be trusted blindly (pure)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

from bot.core.errors import UnusableAnswerError
from bot.genesys import faults

WORD_LENGTH = 40
TEXT_LENGTH = 200
YEARS = range(2020, 2100)
"""A date outside of these is no clock's."""


_ID = re.compile(r"[A-Za-z0-9._:~+/=-]{1,200}")
_FOLDED = re.compile(r"(?:^|/)\.*(?:/|$)")
"""An empty or dotted part between slashes: a client or a gateway on the way may fold it, and reach another resource."""


def is_usable_id(value: object) -> bool:
    """Whether it names one resource wherever it stands in a path, written as it is or percent-encoded."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None and not _FOLDED.search(value)


def named_things(entities: list[object]) -> list[tuple[str, str]]:
    """The ids and names of those that have an id which fits in one line."""
    found = [(each.get("id"), each.get("name")) for each in entities if isinstance(each, dict)]
    return [
        (one, str(name or "")[:TEXT_LENGTH])
        for one, name in found
        if isinstance(one, str) and 0 < len(one) <= TEXT_LENGTH and one.isprintable()
    ]


def read_object(response: httpx.Response) -> dict[str, object]:
    """A JSON object. Raises UnusableAnswerError."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        raise UnusableAnswerError(why="an answer that is no JSON", reference=faults.reference_of(response)) from None
    if not isinstance(body, dict):
        raise UnusableAnswerError(why="an answer of another shape", reference=faults.reference_of(response))
    return body


def answered_at(response: httpx.Response) -> datetime:
    """Return the service's time, since its time-out runs on it; our own when it does not say.

    Our own clock may be off by days, so it does not judge the service's. How long a session is open does not hang on
    either: the database counts Session.lasts_seconds on its own clock.
    """
    return _date(response.headers.get("Date", "")) or datetime.now(UTC)


@lru_cache(8)  # a second's answers say the same
def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.year in YEARS else None


def plain_word(value: object) -> str:
    """A short word that can be shown anywhere, such as a status."""
    return "".join(c for c in str(value or "unknown")[:WORD_LENGTH] if c.isalnum() or c in "_-. ")
