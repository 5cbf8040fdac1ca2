"""Export or delete the stored data about one person."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.models import TeamId, UserId
from bot.storage.database import Database, Row
from bot.storage.encryption import SECRET_COLUMNS
from bot.storage.mapping import MAX_SWEPT_ROWS

TABLES = ("requests", "sessions", "posts", "watches", "found_hosts", "links", "connects", "connections")
"""The tables from which an export takes all rows about the person. From notices, an export takes only the parts about
the person, because a notice may be about several people."""
FORGOTTEN_AT_ONCE = ("found_hosts", "links", "connects", "connections")
FORGOTTEN_IN_BATCHES = ("watches", "posts", "sessions", "requests")
"""The tables whose rows are deleted in several writes, in this order. The order matters, because a session is kept
while messages about it are stored, and a request is kept while its session is stored."""
HIDDEN = "(a secret, not exported)"
HIDDEN_COLUMNS = frozenset(("state_hash", *(column for columns in SECRET_COLUMNS.values() for column in columns)))
OUR_COLUMNS = frozenset(
    ("owner", "same", "same_as", "replaces", "due_at", "looks", "next_at", "reply_uses", "workspace")
)
"""Columns that an export leaves out, because they hold only what the bot needs for its work, such as due times."""
TIME_COLUMNS = ("_at", "_until")
MAX_PASSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The result of `PeopleTable.forget`.

    - `deleted`: the number of deleted rows, by table.
    - `anonymized`: the number of rows that stay stored without the data about the person, by table.
    - `sessions`: the number of the person's sessions that are still stored: open sessions, ended sessions that a Slack
      message still shows as open, and sessions of unanswered requests.
    - `requests`: the number of the person's requests that are still stored, because they are not answered yet.
    - `open_until`: the latest end of the sessions that are still stored; None if no session is stored.
    """

    deleted: Mapping[str, int]
    anonymized: Mapping[str, int]
    sessions: int
    requests: int
    open_until: datetime | None

    @property
    def is_complete(self) -> bool:
        return not self.sessions and not self.requests


class PeopleTable:
    """Exports or deletes the stored data about one person, in SQLite or Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, user_id: UserId, team_id: TeamId | None) -> dict[str, Any]:
        """Return the stored data about the person. Replace secrets by HIDDEN.

        The keys of the result are the names of the tables. Each value is a list of the table's rows. A row is a dict of
        JSON values. The additional key `named_in_failures` has the id, kind and time of each request whose error names
        the person.

        `team_id`: the id of the Slack workspace whose data to export; None for the data of all Slack workspaces.
        Notices are exported for all of them in both cases. Raises StorageUnavailableError if the database fails.
        """
        person = _person(user_id, team_id)
        found: dict[str, Any] = {}
        for table in TABLES:
            rows = await self._database.fetch(f"{table}_of_person", person)
            found[table] = [_exported(row) for row in rows]
        notices = await self._database.fetch("notices_with_person", person)
        found["notices"] = [_exported_notice(row, user_id) for row in notices if _names(row, user_id)]
        failures = await self._database.fetch("failures_with_person", person)
        found["named_in_failures"] = [
            _exported({"id": row["id"], "kind": row["kind"], "accepted_at": row["accepted_at"]}) for row in failures
        ]
        return found

    async def forget(self, user_id: UserId, team_id: TeamId | None) -> Forgotten:
        """Delete the stored data about the person, except what the bot still needs.

        - Keep unanswered requests and their sessions.
        - Keep each session that is open or that a Slack message still shows as open, and the requests of this session.
        - Keep the keys of answered requests of the last hour, so that a second delivery by Slack is not a new request.
        - In rows about other people, delete only the person's id.

        `team_id`: the id of the Slack workspace whose data to delete; None for the data of all Slack workspaces.
        Notices are deleted for all of them in both cases. Raises StorageUnavailableError if the database fails; the
        next call continues the deletion.
        """
        person = _person(user_id, team_id)
        deleted: Counter[str] = Counter()
        anonymized: Counter[str] = Counter()
        for _ in range(MAX_PASSES):
            (before,) = await self._database.fetch("left_of_person", person)
            await self._forget_once(user_id, person, deleted, anonymized)
            (left,) = await self._database.fetch("left_of_person", person)
            if not _is_pending(before) or _is_pending(left):
                break  # otherwise the last request was answered during the pass, so its row is still there
        until = left["open_until"]
        return Forgotten(
            deleted={table: count for table, count in deleted.items() if count},
            anonymized={table: count for table, count in anonymized.items() if count},
            sessions=left["sessions"],
            requests=left["requests"],
            open_until=None if until is None else datetime.fromtimestamp(until, UTC),
        )

    async def _forget_once(
        self, user_id: UserId, person: Mapping[str, Any], deleted: Counter[str], anonymized: Counter[str]
    ) -> None:
        """Go through all tables one time, and delete or anonymize the rows with data about the person.

        Add the number of deleted rows to `deleted`, by table. Add the number of rows that stay without the data about
        the person to `anonymized`, by table.
        """
        for table in FORGOTTEN_AT_ONCE:
            deleted[table] += len(await self._database.fetch(f"forget_{table}", person))
        for table in FORGOTTEN_IN_BATCHES:
            deleted[table] += await self._in_batches(f"forget_{table}", person)
        anonymized["requests"] += await self._in_batches("anonymize_requests", person)
        anonymized["requests"] += await self._anonymize_failures(person, user_id)
        notices = await self._forget_notices(person, user_id)
        deleted["notices"] += notices[0]
        anonymized["notices"] += notices[1]

    async def _in_batches(self, name: str, person: Mapping[str, Any]) -> int:
        """Run an SQL statement, MAX_SWEPT_ROWS rows at a time, until no more rows match.

        Return the number of rows that all runs changed or deleted. `name`: the name of the statement.
        """
        changed, values = 0, {**person, "most": MAX_SWEPT_ROWS}
        while True:
            count = len(await self._database.fetch(name, values))
            changed += count
            if count < MAX_SWEPT_ROWS:
                return changed

    async def _anonymize_failures(self, person: Mapping[str, Any], user_id: UserId) -> int:
        """Remove the person's id from the errors of other people's requests. Return the number of changed rows."""
        changed = 0
        for row in await self._database.fetch("failures_with_person", person):
            without = json.dumps(_without(_json(row["failure"]), user_id))
            values = {"id": row["id"], "failure": without, "was": row["failure"]}
            changed += len(await self._database.fetch("anonymize_failure", values))
        return changed

    async def _forget_notices(self, person: Mapping[str, Any], user_id: UserId) -> tuple[int, int]:
        """Delete the notices about the person or with the person's id in their key. Remove the id from other notices.

        Return the number of deleted notices, and the number of notices from which only the id was removed. Repeat up to
        MAX_PASSES times, because another replica may change a notice at the same time.
        """
        deleted = anonymized = 0
        for _ in range(MAX_PASSES):
            rows = [row for row in await self._database.fetch("notices_with_person", person) if _names(row, user_id)]
            if not rows:
                break
            for row in rows:
                values = {name: row[name] for name in ("kind", "key", "version", "takes")}
                if _is_about(row, user_id) or user_id in row["key"].split():  # a key cannot be anonymized
                    deleted += len(await self._database.fetch("forget_notice", values))
                else:
                    values |= _without_person(row, user_id)
                    anonymized += len(await self._database.fetch("anonymize_notice", values))
        return deleted, anonymized


def _person(user_id: UserId, team_id: TeamId | None) -> dict[str, Any]:
    return {"user_id": user_id, "team_id": team_id, "mention": f'%"{user_id}"%'}


def _exported(row: Row) -> dict[str, Any]:
    """Convert a row to a dict of JSON values for an export.

    Leave out the columns in OUR_COLUMNS, and columns without a value. Replace secrets by HIDDEN. Write times as ISO
    8601.
    """
    return {
        name: HIDDEN if name in HIDDEN_COLUMNS else _time(value) if name.endswith(TIME_COLUMNS) else value
        for name, value in dict(row).items()
        if value is not None and name not in OUR_COLUMNS
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _exported_notice(row: Row, user_id: UserId) -> dict[str, Any]:
    """Convert a row of the table of notices to a dict of JSON values for an export.

    If the notice is about the person (see `_is_about`), include the notice's data. Otherwise, replace the data by the
    names of its fields that contain the person's id. In both cases, include the messages that the person got.
    """
    data, messages = _json(row["data"]), _json(row["messages"])
    shown = _exported({name: row[name] for name in ("kind", "team_id", "opened_at", "changed_at", "over_at")})
    if _is_about(row, user_id):
        shown["data"] = data
    elif named := sorted(name for name, value in data.items() if user_id in _texts(value)):
        shown["named_as"] = named
    shown["messages_to_person"] = [
        {"channel_id": message["channel_id"], "ts": message["ts"]}
        for message in messages
        if message["reader"] == user_id
    ]
    return shown


def _is_about(row: Row, user_id: UserId) -> bool:
    """Return whether a notice is about this person. Return True if the notice's data is empty or unreadable.

    - If the data has the field `people`: return True if this list contains nobody but the person.
    - If not: return True if one of the fields `agent`, `ender`, `person` and `ids` is the person's id, or is a list
      that contains the id.
    """
    data = _json(row["data"])
    if not data:
        return True
    if "people" in data:
        return set(data["people"]) <= {user_id}
    person = data.get("person") or ()  # a team and a user, or in a HELP notice the user alone
    named = [person] if isinstance(person, str) else person
    return user_id in (data.get("agent"), data.get("ender"), *named, *data.get("ids", ()))


def _without_person(row: Row, user_id: UserId) -> dict[str, str]:
    """Return the columns `data` and `messages` of a notice as JSON texts, without the person's id."""
    messages = [message for message in _json(row["messages"]) if message["reader"] != user_id]
    return {"data": json.dumps(_without(_json(row["data"]), user_id)), "messages": json.dumps(messages)}


def _names(row: Row, user_id: UserId) -> bool:
    """Return whether a notice contains the person's id: as a value in its data, or as the reader of a message.

    An id inside a longer text does not count. Return True if the notice's data is empty or unreadable.
    """
    data = _json(row["data"])
    return not data or user_id in (*_texts(data), *_texts(_json(row["messages"])))


def _json(text: str) -> Any:
    """Parse a JSON text. Return an empty dict if the text is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _texts(value: Any) -> list[str]:
    """Return all strings inside a JSON value, without the names of fields."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inside for text in _texts(each)]


def _without(value: Any, text: str) -> Any:
    """Return a copy of a JSON value without the string `text`.

    In lists, leave the string out. Elsewhere, replace the string by None.
    """
    if isinstance(value, dict):
        return {name: _without(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, text) for each in value if each != text]
    return None if value == text else value


def _is_pending(left: Mapping[str, Any]) -> bool:
    return bool(left["sessions"] or left["requests"])
