"""What may be taken from an answer of the session service, which is not to be trusted blindly (pure)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

from bot.desk.errors import UnusableAnswer
from bot.genesys import faults

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
URL_LENGTH = 4000
WORD_LENGTH = 40
_URL = re.compile(
    r"""(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][!#-;=?-\[\]^_a-{}~]*)?""",
    re.IGNORECASE | re.ASCII,
)
"""Behind the host anything that can be printed but a space and <>"`|\\, which could end a message's markup early."""


def read_object(response: httpx.Response) -> dict[str, object]:
    """A JSON object. Raises UnusableAnswer."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        raise UnusableAnswer(why="an answer that is no JSON", reference=faults.reference_of(response)) from None
    if not isinstance(body, dict):
        raise UnusableAnswer(why="an answer of another shape", reference=faults.reference_of(response))
    return body


def is_safe_url(url: str) -> bool:
    """https with a host, and nobody's name before it; http only for this machine."""
    found = _URL.fullmatch(url) if len(url) <= URL_LENGTH else None
    return found is not None and (found["scheme"].lower() == "https" or found["host"].lower() in LOCAL_HOSTS)


def answered_at(response: httpx.Response) -> datetime:
    """The service's clock, since its time-out runs on it; ours when it does not say."""
    ours = datetime.now(UTC)
    said = _date(response.headers.get("Date", ""))
    return said if said and abs(said - ours) < timedelta(days=1) else ours


@lru_cache(8)  # a second's answers say the same
def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def plain_word(value: object) -> str:
    """A short word that can be shown anywhere, such as a status."""
    return "".join(c for c in str(value or "unknown")[:WORD_LENGTH] if c.isalnum() or c in "_-. ")
