"""Keep the workspaces of one database apart: store each identifier with the name of its workspace.

In the workspace `eu`, an identifier is stored as `eu|identifier`. Two workspaces may get the same identifier from Slack
or Genesys, by chance or from an attacker. If the process serves only one workspace, the name of the workspace is "",
and identifiers are stored unchanged. Exception: an identifier that contains `|` is stored with another `|` in front.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

log = logging.getLogger(__name__)

SEPARATOR = "|"
"""The character between the workspace's name and an identifier. No id of Slack contains this character. The bot rejects
ids of Genesys that contain it."""
IDENTIFIERS = frozenset(
    (
        *("id", "key", "same", "same_as", "session_id", "request_id", "by", "ended_by"),
        *("team_id", "enterprise_id", "link_team", "from_team", "state_hash"),
    )
)
"""The names of the parameters and columns that hold identifiers in their stored form.

Ids of users and channels are stored unchanged. A statement that looks for such an id also has a condition on one of
these columns, or on the column `workspace`. So it finds only rows of its workspace."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


class Scope:
    """Converts the identifiers of one workspace to their stored form, and stored identifiers back.

    In the workspace `eu`, the stored form of an identifier is `eu|identifier`.
    """

    def __init__(self, name: str = "") -> None:
        """Check and store the short name of the workspace; "" if the process serves only one.

        Raises ValueError for a malformed name.
        """
        if name and not _NAME.fullmatch(name):
            raise ValueError(f"no name of a workspace: {name!r}")
        self.name, self._prefix = name, f"{name}{SEPARATOR}"

    def to_stored(self, identifier: str) -> str:
        """Return the stored form of an identifier, such as `eu|identifier`.

        The stored forms of two workspaces are never equal.
        """
        if not self.name and SEPARATOR not in identifier:
            return identifier
        return self._prefix + identifier

    def from_stored(self, stored: str) -> str:
        """Return the identifier whose stored form is `stored`. Raises ValueError if it belongs to another workspace."""
        if not self.name and SEPARATOR not in stored:
            return stored
        if not stored.startswith(self._prefix):
            raise ValueError("an identifier of another workspace")
        return stored.removeprefix(self._prefix)

    def to_values(self, values: dict[str, Any]) -> dict[str, Any]:
        """Convert the identifiers in the parameters of a statement to their stored form.

        Change `values` in place, and return `values`. Add two parameters: `workspace`, the name of the workspace; and
        `every_team`, the stored team id of host links that apply to all Slack workspaces.
        """
        for name in IDENTIFIERS:
            if name in values and (identifier := values[name]) is not None:
                values[name] = self.to_stored(identifier)
        values["workspace"], values["every_team"] = self.name, self._prefix if self.name else ""
        return values

    def to_rows(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Convert the stored identifiers in rows to identifiers. Leave out and log the rows of other workspaces.

        `statement`: the name of the statement that returned the rows, for the log.
        """
        if not rows:
            return rows
        columns = [name for name in rows[0].keys() if name in IDENTIFIERS]  # noqa: SIM118 - a sqlite3.Row
        if not self.name and not any(SEPARATOR in (row[name] or "") for row in rows for name in columns):
            return rows
        found = []
        for row in rows:
            try:
                converted = {name: self.from_stored(row[name]) for name in columns if row[name] is not None}
            except ValueError:
                unreadable(statement, None)
                continue
            found.append({**dict(row), **converted})
        return found


class WholeDatabase(Scope):
    """A Scope that leaves identifiers in their stored form, for statements about the rows of all workspaces."""

    def to_values(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def to_rows(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return rows


def unreadable(table: str, row_id: object) -> None:
    """Log that a row of the database cannot be read. Log no values of the row, because a value may be secret.

    - `table`: the name of the row's table, or of the statement that returned the row.
    - `row_id`: the id of the row; None if the id is unknown.
    """
    log.error("a row of the database cannot be read", extra={"fields": {"table": table, "row": row_id}})
