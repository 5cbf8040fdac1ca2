"""Parse the hosts file, a CSV file that maps Slack users to Genesys users (pure)."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from bot.core.hosts.resolver import host_id
from bot.core.models import HostId, TeamId, UserId

USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
TEAM_ID = re.compile(r"[TE][A-Z0-9]{2,}")
HEADER, TEAM = ("slack_user_id", "genesys_user_id"), "team_id"
HEADERS = (HEADER, (*HEADER, TEAM))
SEPARATORS = (",", ";", "\t", "|")
FOUND_LENGTH, CELL_LENGTH = 60, 40
_SEP_LINE = re.compile(r"""[ \t]*"?sep=(?P<separator>[,;|\t])"?[,;|\t ]*(?:\r\n|\r|\n|\Z)""", re.IGNORECASE)
"""A first line `sep=;`, which names the table's separator. Excel reads and writes such a line."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
_HASH = re.compile(r"\$\w{1,8}\$\S*")
"""A password hash in the form of crypt(5). The text of a fault must not show one: somebody may name a wrong file as
the CSV file, such as /etc/shadow."""
_SAVE_AS = "Save it as “CSV UTF-8” in the spreadsheet"

Key = tuple[TeamId | None, UserId]


class HostsFileError(ValueError):
    """The hosts file is invalid. `faults`: one sentence for each mistake."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(text: str) -> dict[Key, HostId]:
    """Parse the text of a hosts file, with rows of `slack_user_id,genesys_user_id[,team_id]`.

    Return the hosts by pairs of team and user. The team is None in a row without a team: it applies to every team.

    Accept the variants that spreadsheets write: another separator, a first line `sep=;`, capitals in the header, empty
    columns and rows. Raises HostsFileError if the header or a row is invalid, or if two rows have the same team and
    user.
    """
    separator, first, lines = _separator(text.removeprefix("\ufeff"))
    faults: list[str] = []
    rows = _rows(lines, separator, first, faults)
    header_line, header = next(rows, (first, []))
    if faults or not _is_header(header):
        raise HostsFileError(faults or [_wrong_header(header_line, header, separator)])
    hosts: dict[Key, HostId] = {}
    first_seen: dict[Key, int] = {}
    for number, row in rows:
        key, host, wrong = read_row(row, len(header))
        if wrong:
            faults.extend(f"line {number}: {fault}" for fault in wrong)
        elif key in first_seen:
            faults.append(f"line {number}: {key[1]} stands in line {first_seen[key]} already")
        elif host:
            first_seen[key] = number
            hosts[key] = host
    if faults:
        raise HostsFileError(faults)
    return hosts


def decode(data: bytes) -> str:
    """Decode the bytes of a CSV file as UTF-8.

    Raises ValueError if the bytes are not UTF-8 text. The error's message tells the user how to save the file.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"the file is UTF-16 text, not UTF-8. {_SAVE_AS}")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError(f"the file is a workbook, not CSV. {_SAVE_AS}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"the file is not UTF-8 text (line {line}). {_SAVE_AS}") from None


def _separator(text: str) -> tuple[str, int, str]:
    """Return the separator of a CSV text, the number of the table's first line, and the text from this line on.

    The number is 2 if the text has a first line `sep=…`, which is no part of the table; else 1.
    """
    named = _SEP_LINE.match(text)
    first, table = (2, text[named.end() :]) if named else (1, text)
    separators = (named["separator"], *SEPARATORS) if named else SEPARATORS
    columns = {one: _first_row(table, one) for one in separators}
    return max(separators, key=lambda one: (_is_header(columns[one]), max(len(columns[one]), 1))), first, table


def _first_row(text: str, separator: str) -> list[str]:
    return next(_rows(text, separator, 1, []), (1, []))[1]


def _rows(text: str, separator: str, first: int, faults: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row that is not empty.

    If the csv module cannot read a row, append the reason to `faults` and stop.

    `first`: the number of the line in the file at which `text` begins.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for row in rows:
            if cells := _trimmed(row):
                yield rows.line_num + first - 1, cells
    except csv.Error as error:
        faults.append(f"line {rows.line_num + first - 1}: {error}")


def _trimmed(row: list[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_header(cells: list[str]) -> bool:
    return tuple(cell.lower() for cell in cells) in HEADERS


def _wrong_header(line: int, found: list[str], separator: str) -> str:
    """Return a sentence that says what is wrong with a header row.

    - `line`: the header's line number.
    - `found`: the cells of the header; empty if the file is empty.
    """
    must = f"line {line}: the header must be {' or '.join(map(','.join, HEADERS))}"
    if not found:
        return f"{must}; the file is empty"
    shown = f"{must}, not {_shown(separator.join(found), FOUND_LENGTH)}"
    names = {cell.lower() for cell in found}
    if names <= {*HEADER, TEAM} and names >= {*HEADER} and len(names) == len(found):
        return f"{shown}: the columns stand in another order"
    if USER_ID.fullmatch(found[0]):
        return f"{shown}: the first line is a person's, so the header is missing"
    return shown


def read_row(cells: list[str], columns: int) -> tuple[Key, HostId | None, list[str]]:
    """Return the key and the host of one row, and a text for each error in the row.

    The key is the team (None for every team) and the user. If there are errors, the key may be invalid. The host is
    None if the cell of the host is not a UUID. `columns`: the number of columns in the header.
    """
    user, uuid, team = (*cells, "", "", "")[:3]
    wrong = []
    if len(cells) > columns:
        wrong.append("too many columns")
        team = team if columns > len(HEADER) else ""
    if not USER_ID.fullmatch(user):
        wrong.append(f"{_shown(user)} is no Slack user id (U… or W…){_hint(user)}")
    host = host_id(uuid)
    if host is None:
        wrong.append(f"{_shown(uuid)} is no UUID, as a Genesys user's id is{_hint(uuid)}")
    if team and not TEAM_ID.fullmatch(team):
        wrong.append(f"{_shown(team)} is no Slack team id (T…){_hint(team)}")
    return (TeamId(team) if team else None, UserId(user)), host, wrong


def _shown(found: str, length: int = CELL_LENGTH) -> str:
    """Return a cell for an error message: quoted, cut to `length` characters, with password hashes replaced by "…"."""
    return repr(_HASH.sub("…", found)[:length])


def _hint(cell: str) -> str:
    """Return how the spreadsheet program changed a cell, as the end of a sentence about the invalid cell.

    Return "" if the cell is neither a number such as 1.2E+10 nor an error such as #NAME?.
    """
    if _NUMBER.fullmatch(cell):
        return ": the spreadsheet has made a number of it, so format the column as text and paste the id again"
    return ": a formula of the spreadsheet failed" if cell.startswith("#") and cell.endswith(("!", "?", "A")) else ""
