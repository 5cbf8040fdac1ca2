"""The mapping file of the host chain: CSV text -> who is which host, or every bad line with its number (pure)."""

import csv
import io
import re
from collections.abc import Iterator

from bot.desk.hosts import host_id
from bot.desk.models import HostId, TeamId, UserId

USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
TEAM_ID = re.compile(r"[TE][A-Z0-9]{2,}")
HEADER = ("slack_user_id", "genesys_user_id")

Key = tuple[TeamId | None, UserId]


class BadHostsFile(ValueError):
    """The file cannot be used; `faults` holds a sentence for each bad line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(text: str) -> dict[Key, HostId]:
    """Reads `slack_user_id,genesys_user_id[,team_id]`. Raises BadHostsFile with every fault, not only the first."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), skipinitialspace=True)
    try:
        header = tuple(name.strip() for name in rows.fieldnames or ())
    except csv.Error as error:
        raise BadHostsFile([f"line 1: {error}"]) from None
    if header not in (HEADER, (*HEADER, "team_id")):
        raise BadHostsFile([f"line 1: the header must be {','.join(HEADER)} or {','.join(HEADER)},team_id"])
    rows.fieldnames = header
    hosts: dict[Key, HostId] = {}
    faults: list[str] = []
    first_seen: dict[Key, int] = {}
    for number, row in _rows(rows, faults):
        key, host, wrong = _read(row)
        if wrong:
            faults.extend(f"line {number}: {fault}" for fault in wrong)
        elif key in first_seen:
            faults.append(f"line {number}: {key[1]} stands in line {first_seen[key]} already")
        elif host:
            first_seen[key] = number
            hosts[key] = host
    if faults:
        raise BadHostsFile(faults)
    return hosts


def _rows(rows: "csv.DictReader[str]", faults: list[str]) -> Iterator[tuple[int, dict[str | None, object]]]:
    try:
        for row in rows:
            yield rows.line_num, dict(row)
    except csv.Error as error:
        faults.append(f"line {rows.line_num + 1}: {error}")


def _read(row: dict[str | None, object]) -> tuple[Key, HostId | None, list[str]]:
    user, uuid, team = (str(row.get(name) or "").strip() for name in (*HEADER, "team_id"))
    wrong = []
    if None in row:
        wrong.append("too many columns")
    if not USER_ID.fullmatch(user):
        wrong.append(f"{user[:40]!r} is no Slack user id (U… or W…)")
    host = host_id(uuid)
    if host is None:
        wrong.append(f"{uuid[:40]!r} is no UUID, as a Genesys user's id is")
    if team and not TEAM_ID.fullmatch(team):
        wrong.append(f"{team[:40]!r} is no Slack team id (T…)")
    return (TeamId(team) if team else None, UserId(user)), host, wrong
