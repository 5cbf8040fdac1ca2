"""Store notices and the Slack messages that show notices. Also read from the stored requests how starts ended."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from bot.core.errors import UnexpectedError
from bot.core.models import ChannelId, Notice, NoticeKind, NoticeMessage, TeamId, UserId
from bot.core.ports import StartOutcome
from bot.storage.database import Database, Row
from bot.storage.mapping import time_of
from bot.storage.scope import unreadable

KINDS = frozenset(kind.value for kind in NoticeKind)


class NoticeTable:
    """Stores notices, and reads which starts succeeded or failed, in SQLite or Postgres.

    NoticeRepository and StartHistory in bot/core/ports.py describe the methods.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        row = next(iter(await self._database.fetch("find_notice", {"kind": kind.value, "key": key})), None)
        if row is None:  # another workspace's, which is in the log
            raise UnexpectedError
        if row["key"] is not None:
            with suppress(UnexpectedError):
                return _notice(row)
        now = time_of(row["read_at"])
        return Notice(
            kind=kind,
            key=key,
            team_id=TeamId(""),
            opened_at=now,
            read_at=now,
            version=row["version"] or 0,  # an unreadable row can be replaced
        )

    async def save(self, notice: Notice) -> bool:
        values = {
            "kind": notice.kind.value,
            "key": notice.key,
            "team_id": notice.team_id,
            "opened_at": notice.opened_at.timestamp(),
            "over_at": notice.over_at.timestamp() if notice.over_at else None,
            "data": json.dumps(notice.data),
        }
        if notice.version == 0:
            return bool(await self._database.fetch("add_notice", values))
        return bool(await self._database.fetch("change_notice", values | {"version": notice.version}))

    async def pending(self, most: int) -> Sequence[Notice]:
        return _notices(await self._database.fetch("pending_notices", {"most": most}))

    async def take(self, notice: Notice, seconds: float) -> Notice | None:
        values = {"kind": notice.kind.value, "key": notice.key, "seconds": seconds}
        return next(iter(_notices(await self._database.fetch("take_notice", values))), None)

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        values: dict[str, Any] = {"kind": notice.kind.value, "key": notice.key, "takes": notice.takes}
        messages = json.dumps([_message_row(message) for message in notice.messages])
        values |= {"messages": messages, "shown": notice.shown, "seconds": seconds}
        return bool(await self._database.fetch("store_notice_messages", values))

    async def without_host(self, team_id: TeamId, seconds: float, most: int) -> Sequence[tuple[UserId, datetime]]:
        values: dict[str, Any] = {"team_id": team_id, "seconds": seconds, "most": most}
        rows = await self._database.fetch("people_without_host", values)
        return [(UserId(row["user_id"]), time_of(row["last_at"])) for row in rows]

    async def outcomes(self, team_id: TeamId, seconds: float) -> Sequence[StartOutcome]:
        rows = await self._database.fetch("start_outcomes", {"team_id": team_id, "seconds": seconds})
        return [StartOutcome(row["code"], row["sessions"], row["without_session"]) for row in rows]


def _notices(rows: Sequence[Row]) -> list[Notice]:
    """Convert rows to notices. Leave out rows with an unknown kind. Leave out unreadable rows, and log them."""
    found = []
    for row in rows:
        if row["kind"] not in KINDS:
            continue
        with suppress(UnexpectedError):
            found.append(_notice(row))
    return found


def _notice(row: Row) -> Notice:
    """Convert a row to a notice. If the row is unreadable, log the row's key and raise UnexpectedError."""
    try:
        return Notice(
            kind=NoticeKind(row["kind"]),
            key=row["key"],
            team_id=TeamId(row["team_id"]),
            opened_at=time_of(row["opened_at"]),
            read_at=time_of(row["read_at"]),
            over_at=time_of(row["over_at"]) if row["over_at"] is not None else None,
            data=dict(json.loads(row["data"])),
            version=int(row["version"]),
            shown=int(row["shown"]),
            takes=int(row["takes"]),
            messages=tuple(_message(each) for each in json.loads(row["messages"])),
        )
    except Exception:
        unreadable("notices", row["key"])
    raise UnexpectedError


def _message(row: dict[str, Any]) -> NoticeMessage:
    return NoticeMessage(
        reader=str(row["reader"]),
        channel_id=ChannelId(row["channel_id"]),
        ts=str(row["ts"]),
        version=int(row["version"]),
        opened_at=time_of(row["opened_at"]),
        is_over=bool(row["is_over"]),
    )


def _message_row(message: NoticeMessage) -> dict[str, Any]:
    return {
        "reader": message.reader,
        "channel_id": message.channel_id,
        "ts": message.ts,
        "version": message.version,
        "opened_at": message.opened_at.timestamp(),
        "is_over": message.is_over,
    }
