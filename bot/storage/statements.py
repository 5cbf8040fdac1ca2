"""Read the SQL files in `sql/`: named statements, and the scripts that create and migrate the tables.

`sql/README.md` describes the notation. The folder `sql/sqlite` has the statements for SQLite only, and `sql/postgres`
the statements for Postgres only.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal

DatabaseKind = Literal["sqlite", "postgres"]
SQL_FOLDER = Path(__file__).with_name("sql")
SWEEP = (
    "limit_session_ends",
    "wipe_ended_sessions",
    "delete_answered_requests",
    "delete_abandoned_requests",
    "delete_inquiries",
    "delete_ended_sessions",
    "delete_abandoned_posts",
    "wipe_old_replies",
    "delete_watches",
    "delete_found_hosts",
    "delete_sign_ins",
    "delete_unused_accounts",
    "delete_notices",
)
"""The names of the statements of `sweep.sql`, in order. Run each statement until it changes fewer than `:most` rows."""


@cache
def load_statements(database: DatabaseKind) -> dict[str, str]:
    """Return the SQL statements for this database by name, without comments.

    Raises ValueError if two statements have the same name.
    """
    found: dict[str, str] = {}
    for path in sorted([*SQL_FOLDER.glob("*.sql"), *SQL_FOLDER.joinpath(database).glob("*.sql")]):
        _, *parts = re.split(r"^-- name: (\w+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{path.name}: the statement {name} stands twice")
            found[name] = _for_database(text, database).rstrip(";")
    return found


def read_script(name: str, database: DatabaseKind) -> list[str]:
    """Return the SQL statements of a script, in order.

    `name`: the name of the script's file without `.sql`, such as `schema` or `migrate-5-to-6`.
    """
    text = _for_database(SQL_FOLDER.joinpath(f"{name}.sql").read_text(encoding="utf-8"), database)
    return [statement for part in text.split(";") if (statement := part.strip())]


def _for_database(text: str, database: DatabaseKind) -> str:
    """Remove the comments from an SQL text. For Postgres, keep the text inside `/*postgres … */`."""
    text = re.sub(r"/\*postgres\b(.*?)\*/", r"\1" if database == "postgres" else "", text, flags=re.DOTALL)
    return re.sub(r"--.*", "", text).strip()
