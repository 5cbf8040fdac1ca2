"""Store the watched sessions, each with the time of the next look and the response_url of the requester."""

from collections.abc import Sequence

from bot.core.models import ConversationId, HostId, SessionId
from bot.core.ports import WatchedSession
from bot.storage.database import Database, Row
from bot.storage.encryption import Encryptor


class WatchTable:
    """Stores the watched sessions, each with the time of the next look, in a SQLite or Postgres database.

    WatchRepository in bot/core/ports.py describes the methods.
    """

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database, self._encryptor = database, encryptor

    async def watch(
        self, session_id: SessionId, reply_url: str | None, uses: int, reply_seconds: float, seconds: float
    ) -> bool:
        values = {
            "session_id": session_id,
            "reply_url": self._encryptor.encrypt(reply_url),
            "reply_uses": uses,
            "reply_seconds": reply_seconds,
            "seconds": seconds,
        }
        return bool(await self._database.fetch("add_watch", values))

    async def take_due(self, most: int, lease_seconds: float) -> Sequence[WatchedSession]:
        rows = await self._database.fetch("take_watches", {"most": most, "lease": lease_seconds})
        return [_watched(row) for row in rows]

    async def pause(self, session_id: SessionId, seconds: float, *, looked: bool) -> None:
        values = {"session_id": session_id, "seconds": seconds, "looked": int(looked)}
        await self._database.fetch("pause_watch", values)

    async def hasten(self, conversation_id: ConversationId | None) -> Sequence[SessionId]:
        rows = await self._database.fetch("hasten_watches", {"conversation_id": conversation_id})
        return [SessionId(row["session_id"]) for row in rows]

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        return [_watched(row) for row in await self._database.fetch("watched_sessions", {"most": most})]

    async def take_reply(self, session_id: SessionId, *, is_last: bool) -> str | None:
        statement = "drop_watch" if is_last else "take_reply"
        rows = await self._database.fetch(statement, {"session_id": session_id})
        return self._encryptor.decrypt(rows[0]["reply_url"]) if rows else None


def _watched(row: Row) -> WatchedSession:
    conversation_id = ConversationId(row["conversation_id"]) if row["conversation_id"] else None
    return WatchedSession(SessionId(row["session_id"]), HostId(row["host_id"]), conversation_id, int(row["looks"]))
