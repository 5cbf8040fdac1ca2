"""Errors as plain data and back, so that what a request failed with can be kept (pure)."""

from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import Any

from bot.desk.errors import CobrowseError, Miss, Unexpected
from bot.desk.interactions import LiveConversation
from bot.desk.models import ConversationId, Standing


def to_record(error: CobrowseError) -> dict[str, Any]:
    """Its class and fields; none of them is a secret. Customers' names are left out."""
    values: dict[str, Any] = asdict(error) if is_dataclass(error) else {}
    if candidates := values.get("candidates"):
        values["candidates"] = [{"id": one["id"], "since": one["since"].isoformat()} for one in candidates]
    return {"error": type(error).__name__, **values}


def from_record(record: dict[str, Any]) -> CobrowseError:
    """The error again; Unexpected for one that this version does not know."""
    for kind in _kinds(CobrowseError):
        if kind.__name__ == record.get("error"):
            known: set[str] = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
            try:
                return kind(**{name: _value(name, record[name]) for name in known & set(record)})
            except (TypeError, ValueError):
                break
    return Unexpected()


def _kinds(kind: type[CobrowseError]) -> Iterator[type[CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _value(name: str, value: Any) -> Any:
    if name == "standing":
        return Standing(value)
    if name == "tried":
        return tuple(Miss(**miss) for miss in value)
    if name == "candidates":
        return tuple(_candidate(**candidate) for candidate in value)
    return tuple(value) if isinstance(value, list) else value


def _candidate(*, id: str, since: str, **_of_newer_versions: Any) -> LiveConversation:
    return LiveConversation(ConversationId(id), datetime.fromisoformat(since))
