"""The sessions that the bot made, and the messages that speak of them: the same statements for both databases.

How a statement gets to its database is for sqlite.py and postgres.py.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from bot.core.errors import UnexpectedError
from bot.core.models import (
    ChannelId,
    HostId,
    PostedMessage,
    PostedMessageKind,
    Request,
    RequestId,
    Session,
    SessionId,
    SessionRecord,
    TeamId,
    UserId,
    team_of,
)
from bot.core.validation.urls import is_safe_url
from bot.storage.encryption import Encryptor
from bot.storage.mapping import time_of, unreadable

_OPEN = "s.ended_at IS NULL AND s.ends_at > :now"
_SEEN = f"SELECT s.*, NOT ({_OPEN}) AS is_over, :now AS read_at FROM sessions s"  # noqa: S608 - all of it is written here
_BY_AGE = "ORDER BY s.created_at DESC"
_OWN = "s.team_id = :team_id AND (s.agent = :user_id OR s.requester = :user_id)"
ONE = f"{_SEEN} WHERE s.id = :id"
LAST_HOSTED = f"{_SEEN} WHERE s.team_id = :team_id AND s.agent = :user_id {_BY_AGE} LIMIT 1"
LAST_GIVEN = f"""{_SEEN} WHERE s.team_id = :team_id AND s.requester = :user_id AND s.requester <> s.agent
    {_BY_AGE} LIMIT 1"""
OPEN_OF = f"{_SEEN} WHERE {_OPEN} AND {_OWN} {_BY_AGE} LIMIT :most"
OPEN_IN = f"{_SEEN} WHERE {_OPEN} AND s.team_id = :team_id {_BY_AGE} LIMIT :most"
_CAME_IN = "(SELECT accepted_at FROM requests WHERE id = :request_id)"
_MEANT = f"s.ended_by = :request_id OR ({_OPEN} AND s.created_at <= {_CAME_IN})"
MEANT = f"{_SEEN} WHERE {_OWN} AND s.created_at > :now - 86400 AND ({_MEANT}) {_BY_AGE} LIMIT :most"
END = """UPDATE sessions SET ended_at = :now, ended_by = :by, join_url = NULL, join_code = NULL
    WHERE id = :id AND ended_at IS NULL AND ends_at > :now RETURNING id"""
POST = """INSERT INTO posts (session_id, channel_id, ts, kind, request_id, due_at)
    SELECT id, :channel_id, :ts, :kind, :request_id,
    CASE WHEN CAST(:ts AS TEXT) = '' THEN :now + 60 ELSE coalesce(ended_at, ends_at) END
    FROM sessions WHERE id = :session_id ON CONFLICT (session_id, channel_id, ts) DO NOTHING RETURNING session_id"""
POSTS = "SELECT * FROM posts WHERE session_id = :session_id"
POSTS_OVER = "UPDATE posts SET due_at = :now WHERE session_id = :session_id AND due_at > :now"
TAKE_DUE_POSTS = """UPDATE posts SET due_at = :now + 60 WHERE due_at <= :now AND (session_id, channel_id, ts) IN
    (SELECT session_id, channel_id, ts FROM posts WHERE due_at <= :now ORDER BY due_at LIMIT :most)
    RETURNING session_id, channel_id, ts, kind, request_id"""
DROP_POST = "DELETE FROM posts WHERE session_id = :session_id AND channel_id = :channel_id AND ts = :ts"


class Database(Protocol):
    """A store, as far as this file needs it. Raises StorageUnavailableError."""

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Runs one statement, committed before it returns; `:now` is the database's clock."""


class SessionTable:
    """Keeps to desk.remembered.SessionRepository and desk.remembered.PostedMessageRepository."""

    def __init__(self, database: Database, sealer: Encryptor) -> None:
        self._database, self._sealer = database, sealer

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        found = await self._database.fetch(ONE, {"id": session_id})
        return self._record(found[0]) if found else None

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        who = {"team_id": team_id, "user_id": user_id}
        rows = [*await self._database.fetch(LAST_HOSTED, who), *await self._database.fetch(LAST_GIVEN, who)]
        newest = max(rows, key=lambda row: float(row["created_at"]), default=None)
        return self._record(newest) if newest else None

    async def open_sessions(self, team_id: TeamId, user_id: UserId | None, most: int) -> Sequence[SessionRecord]:
        values = {"team_id": team_id, "user_id": user_id, "most": most}
        return await self._records(OPEN_IN if user_id is None else OPEN_OF, values)

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        who = {"team_id": team_of(request), "user_id": request.requester}
        return await self._records(MEANT, who | {"request_id": request.id, "most": most})

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        # The posts first: due too early they are left alone, and forgotten they would show a dead link.
        await self._database.fetch(POSTS_OVER, {"session_id": session_id})
        return bool(await self._database.fetch(END, {"id": session_id, "by": by}))

    async def add_post(self, post: PostedMessage) -> bool:
        row = _post_row(post) | {"kind": post.kind.value, "request_id": post.request_id}
        return bool(await self._database.fetch(POST, row))

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        return [_post(row) for row in await self._database.fetch(POSTS, {"session_id": session_id})]

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        return [_post(row) for row in await self._database.fetch(TAKE_DUE_POSTS, {"most": most})]

    async def drop_post(self, post: PostedMessage) -> None:
        await self._database.fetch(DROP_POST, _post_row(post))

    async def _records(self, statement: str, values: Mapping[str, Any]) -> list[SessionRecord]:
        """One that cannot be read is left out, and does not keep the others from those who look."""
        records = []
        for row in await self._database.fetch(statement, values):
            with suppress(UnexpectedError):
                records.append(self._record(row))
        return records

    def _record(self, row: Mapping[str, Any]) -> SessionRecord:
        """Raises UnexpectedError for a row that cannot be read."""
        try:
            return self._read(row)
        except Exception:
            unreadable("sessions", row["id"])
        raise UnexpectedError

    def _read(self, row: Mapping[str, Any]) -> SessionRecord:
        is_over = bool(row["is_over"])
        join_url = "" if is_over else self._sealer.open(row["join_url"]) or ""
        session = Session(
            id=SessionId(row["id"]),
            status=row["status"],
            host_id=HostId(row["host_id"]),
            name=row["name"],
            application_id=row["application_id"],
            ends_at=time_of(row["ends_at"]),
            join_url=join_url if is_safe_url(join_url) else "",
            join_code="" if is_over else self._sealer.open(row["join_code"]) or "",
        )
        return SessionRecord(
            session=session,
            team_id=TeamId(row["team_id"]),
            requester=UserId(row["requester"]),
            agent=UserId(row["agent"]),
            is_over=is_over,
            read_at=time_of(row["read_at"]),
            ended_by=RequestId(row["ended_by"]) if row["ended_by"] else None,
        )


def _post(row: Mapping[str, Any]) -> PostedMessage:
    where = SessionId(row["session_id"]), ChannelId(row["channel_id"]), row["ts"]
    return PostedMessage(
        *where, PostedMessageKind(row["kind"]), RequestId(row["request_id"]) if row["request_id"] else None
    )


def _post_row(post: PostedMessage) -> dict[str, Any]:
    return {"session_id": post.session_id, "channel_id": post.channel_id, "ts": post.ts}
