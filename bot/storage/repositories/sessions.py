"""Store the sessions that the bot created, and the Slack messages that show the sessions."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from bot.core.errors import UnexpectedError
from bot.core.models import (
    UNKNOWN_STATE,
    ChannelId,
    ConversationId,
    HostId,
    PostedMessage,
    PostedMessageKind,
    Request,
    RequestId,
    Session,
    SessionEnding,
    SessionId,
    SessionPhase,
    SessionRecord,
    SessionState,
    TeamId,
    UserId,
    team_of,
)
from bot.core.validation.display import is_safe_url
from bot.storage.database import Database, Row
from bot.storage.encryption import Encryptor
from bot.storage.mapping import known_bool, time_of
from bot.storage.scope import unreadable

MAX_IN_CONVERSATIONS = 100
"""The maximum number of open sessions that `open_by_conversation` reads for each Slack id of an agent."""


class SessionTable:
    """Stores sessions, and the Slack messages that show sessions, in SQLite or Postgres.

    SessionRepository and PostedMessageRepository in bot/core/ports.py describe the methods.
    """

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database, self._encryptor = database, encryptor

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        found = await self._database.fetch("find_session", {"id": session_id})
        return self._record(found[0]) if found else None

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        person = {"team_id": team_id, "user_id": user_id}
        rows = [
            *await self._database.fetch("last_hosted_session", person),
            *await self._database.fetch("last_session_for_another", person),
        ]
        newest = max(rows, key=lambda row: float(row["created_at"]), default=None)
        return self._record(newest) if newest else None

    async def open_sessions(self, team_id: TeamId, user_id: UserId, most: int) -> Sequence[SessionRecord]:
        values = {"team_id": team_id, "user_id": user_id, "most": most}
        return self._readable(await self._database.fetch("open_sessions_of_user", values))

    async def live_sessions(
        self, team_id: TeamId, agents: Sequence[UserId], most: int, skipped: int
    ) -> tuple[Sequence[SessionRecord], int]:
        agent, other_agent, *_ = (*agents, None, None)
        values = {"team_id": team_id, "agent": agent, "other_agent": other_agent, "most": most, "skipped": skipped}
        rows = await self._database.fetch("live_sessions", values)
        return self._readable(rows), int(rows[0]["total"]) if rows else 0

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        rows: list[Row] = []
        for user_id in user_ids:
            values = {"team_id": team_id, "user_id": user_id, "most": MAX_IN_CONVERSATIONS}
            rows += await self._database.fetch("open_sessions_in_conversations", values)
        found: dict[ConversationId, SessionRecord] = {}
        for row in sorted(rows, key=lambda row: float(row["created_at"])):  # of two sessions, the newer one stays
            with suppress(UnexpectedError):
                found[ConversationId(row["conversation_id"])] = self._record(row)
        return found

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        person = {"team_id": team_of(request), "user_id": request.requester}
        values = person | {"request_id": request.id, "most": most}
        return self._readable(await self._database.fetch("sessions_meant_by", values))

    async def name_ending(self, request_id: RequestId, session_id: SessionId) -> None:
        values = {"id": request_id, "argument": self._encryptor.encrypt(session_id)}
        await self._database.fetch("name_ending", values)

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        # Make the posts due first, in case of a crash before the second statement: a post that is due too early does
        # no harm, but a post that never becomes due keeps a dead link.
        await self._database.fetch("make_posts_due", {"session_id": session_id})
        return bool(await self._database.fetch("end_session", {"id": session_id, "by": by}))

    async def record_joined(self, record: SessionRecord, joined_at: datetime | None, seconds: float) -> bool:
        session_id = record.session.id
        values = {
            "id": session_id,
            "request_id": record.request_id,
            "joined_at": joined_at and joined_at.timestamp(),
            "seconds": seconds,
        }
        await self._database.fetch("make_posts_due", {"session_id": session_id})  # first, as in `end_session`
        is_new = bool(await self._database.fetch("record_joined", values))
        if is_new:  # again, as in `record_over`
            await self._database.fetch("make_posts_due", {"session_id": session_id})
        return is_new

    async def keep_joined(self, session_id: SessionId, seconds: float) -> None:
        await self._database.fetch("keep_joined", {"id": session_id, "seconds": seconds})

    async def record_over(self, record: SessionRecord, state: SessionState) -> bool:
        session_id = record.session.id
        await self._database.fetch("make_posts_due", {"session_id": session_id})  # first, as in `end_session`
        values = {
            "id": session_id,
            "request_id": record.request_id,
            "live_state": state.phase.value,
            "ending": state.ending and state.ending.value,
            "joined_at": state.joined_at and state.joined_at.timestamp(),
            "ended_at": state.ended_at and state.ended_at.timestamp(),
        }
        is_new = bool(await self._database.fetch("record_over", values))
        if is_new:  # again, in case another replica postponed a post between the two
            await self._database.fetch("make_posts_due", {"session_id": session_id})
        return is_new

    async def postpone_post(self, post: PostedMessage) -> None:
        await self._database.fetch("postpone_post", _post_row(post))

    async def add_post(self, post: PostedMessage) -> bool:
        row = _post_row(post) | {"kind": post.kind.value, "request_id": post.request_id}
        return bool(await self._database.fetch("add_post", row))

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]:
        return [_post(row) for row in await self._database.fetch("posts_of_session", {"session_id": session_id})]

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        return [_post(row) for row in await self._database.fetch("take_due_posts", {"most": most})]

    async def drop_post(self, post: PostedMessage) -> None:
        await self._database.fetch("drop_post", _post_row(post))

    def _readable(self, rows: Sequence[Row]) -> list[SessionRecord]:
        """Convert rows to session records. Leave out unreadable rows, and log the id of each such row."""
        records = []
        for row in rows:
            with suppress(UnexpectedError):
                records.append(self._record(row))
        return records

    def _record(self, row: Row) -> SessionRecord:
        """Convert a row to a session record. If the row is unreadable, log the row's id and raise UnexpectedError."""
        try:
            return self._read(row)
        except Exception:
            unreadable("sessions", row["id"])
        raise UnexpectedError

    def _read(self, row: Row) -> SessionRecord:
        is_over, ended_at = bool(row["is_over"]), row["ended_at"]
        about = dict(row)  # the statements for one session read more than the session itself
        state = _state(row)
        is_gone = not is_over and state.is_link_dead
        join_url = "" if is_over or is_gone else self._encryptor.decrypt(row["join_url"]) or ""
        session = Session(
            id=SessionId(row["id"]),
            status=row["status"],
            host_id=HostId(row["host_id"]),
            name=row["name"],
            application_id=row["application_id"],
            ends_at=time_of(row["ends_at"]),
            join_url=join_url if is_safe_url(join_url) else "",
            join_code="" if is_over or is_gone else self._encryptor.decrypt(row["join_code"]) or "",
            conversation_id=ConversationId(about["conversation_id"]) if about.get("conversation_id") else None,
            is_call=known_bool(row["is_call"]),
        )
        return SessionRecord(
            session=session,
            team_id=TeamId(row["team_id"]),
            requester=UserId(row["requester"]),
            agent=UserId(row["agent"]),
            is_over=is_over,
            request_id=RequestId(row["request_id"]),
            channel_id=ChannelId(about.get("channel_id") or ""),
            started_at=time_of(row["created_at"]),
            read_at=time_of(row["read_at"]),
            ended_by=RequestId(row["ended_by"]) if row["ended_by"] else None,
            ender=UserId(about["ender"]) if about.get("ender") else None,
            ended_at=None if ended_at is None else time_of(ended_at),
            is_gone=is_gone,
            state=state,
        )


def _state(row: Row) -> SessionState:
    """Return the state that Genesys last reported for a session.

    Return UNKNOWN_STATE if Genesys has not reported a state, or if this version of the bot does not know the state.
    """
    try:
        phase = SessionPhase(row["live_state"])
        ending = SessionEnding(row["ending"]) if row["ending"] else None
    except ValueError:  # nothing was reported, or a newer version wrote it
        return UNKNOWN_STATE
    joined_at = None if row["joined_at"] is None else time_of(row["joined_at"])
    ended_at = None if row["ended_at"] is None else time_of(row["ended_at"])
    is_in_conversation = not row["application_id"]  # there, a code works once
    return SessionState(phase, joined_at, ended_at, ending, is_link_dead=is_in_conversation)


def _post(row: Row) -> PostedMessage:
    where = SessionId(row["session_id"]), ChannelId(row["channel_id"]), row["ts"]
    return PostedMessage(
        *where, PostedMessageKind(row["kind"]), RequestId(row["request_id"]) if row["request_id"] else None
    )


def _post_row(post: PostedMessage) -> dict[str, Any]:
    return {"session_id": post.session_id, "channel_id": post.channel_id, "ts": post.ts}
