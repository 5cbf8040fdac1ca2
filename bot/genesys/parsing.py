"""Read values from Genesys's answers. The answers are untrusted input."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

from bot.core.errors import BadRequestError, UnusableAnswerError
from bot.encoding import decode_json

MAX_WORD_LENGTH = 40
MAX_NAME_LENGTH = 200
MAX_MESSAGE_LENGTH = 300
PLAUSIBLE_YEARS = range(2020, 2100)
"""The plausible years in an answer's header Date. The bot ignores a header with an earlier or a later year, because it
comes from a wrong clock."""
_ID = re.compile(r"[A-Za-z0-9._:~+/=-]{1,200}")
_FOLDED = re.compile(r"(?:^|/)\.*(?:/|$)")
"""Matches a path that has an empty part or a part of dots only. A client or a gateway may remove such a part, and call
another resource."""
_NOT_IN_REFERENCE = re.compile(r"[^\w.-]")


def is_usable_id(value: object) -> bool:
    """Return whether `value` is a text of 1 to 200 characters that is safe as an id in a URL's path."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None and not _FOLDED.search(value)


def objects(value: object) -> Iterator[dict[str, object]]:
    """Yield the items of a JSON list that are JSON objects. Yield nothing if `value` is not a list."""
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())


def ids_and_names(entities: list[object]) -> list[tuple[str, str]]:
    """Return the id and the name of each JSON object in `entities`. A missing name becomes "".

    Leave out objects whose id is missing, not printable, or longer than MAX_NAME_LENGTH.
    """
    found = [(entity.get("id"), entity.get("name")) for entity in objects(entities)]
    return [
        (entity_id, str(name or "")[:MAX_NAME_LENGTH])
        for entity_id, name in found
        if isinstance(entity_id, str) and 0 < len(entity_id) <= MAX_NAME_LENGTH and entity_id.isprintable()
    ]


def read_object(response: httpx.Response) -> dict[str, object]:
    """Return the JSON object in the answer's body. Raises UnusableAnswerError if the body is not a JSON object."""
    try:
        body = decode_json(response.content)
    except (ValueError, RecursionError):
        raise UnusableAnswerError(why="an answer that is not JSON", reference=reference_of(response)) from None
    if not isinstance(body, dict):
        raise UnusableAnswerError(why="an answer in an unknown form", reference=reference_of(response))
    return body


def object_or_empty(response: httpx.Response) -> dict[str, object]:
    """Return the JSON object in the answer's body; {} if the body is not a JSON object."""
    try:
        body = decode_json(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def reference_of(response: httpx.Response) -> str | None:
    """Return the correlation id in Genesys's answer; None if there is none.

    The id is in the header ININ-Correlation-Id, or in the field contextId of the body.
    """
    reference = response.headers.get("ININ-Correlation-Id") or object_or_empty(response).get("contextId")
    return _NOT_IN_REFERENCE.sub("", str(reference))[:64] or None if reference else None


def message_of(response: httpx.Response) -> str:
    """Return the error message in Genesys's answer, on one line of MAX_MESSAGE_LENGTH characters at most.

    If the answer has no message, return its error code or its HTTP reason phrase. The text is not escaped for Slack.
    """
    body = object_or_empty(response)
    message = body.get("message") or body.get("code") or response.reason_phrase
    return " ".join(str(message).split())[:MAX_MESSAGE_LENGTH]


def is_invalid_host(error: BadRequestError) -> bool:
    """Return whether an error says that the host may not host sessions: a 400 with the words "invalid host user"."""
    return error.status == 400 and "invalid host user" in error.words.lower()


def answered_at(response: httpx.Response) -> datetime:
    """Return the time at which Genesys answered, from the answer's header Date.

    Return this machine's time if the header is missing or malformed, or if its year is not in PLAUSIBLE_YEARS.
    """
    return _parse_date(response.headers.get("Date", "")) or datetime.now(UTC)


@lru_cache(8)  # answers within the same second have the same date
def _parse_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.year in PLAUSIBLE_YEARS else None


def plain_word(value: object) -> str:
    """Convert a value such as a status to a text of MAX_WORD_LENGTH characters at most.

    Keep only letters, digits, spaces and `_-.`. None and "" become "unknown".
    """
    return "".join(c for c in str(value or "unknown")[:MAX_WORD_LENGTH] if c.isalnum() or c in "_-. ")
