"""Convert the SQL statements of `sql/` for asyncpg, which takes `$1`, `$2` … instead of named parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.storage.statements import load_statements

NOW = "CAST(extract(epoch FROM statement_timestamp()) AS DOUBLE PRECISION)"
"""The SQL that replaces `:now`. Its value is constant within a statement, so that Postgres can use indexes."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An SQL text with the parameters `$1`, `$2` …

    `names`: the names of the parameters. The first name belongs to `$1`.
    """

    text: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values of `$1`, `$2` … as a list.

        `values`: the value of each parameter, by the name of the parameter.
        """
        return [values[name] for name in self.names]


def number_parameters(text: str) -> Statement:
    """Replace `:now` in an SQL text by the server's clock, and each `:name` by `$1`, `$2` …"""
    text = re.sub(r":now\b", NOW, text)
    names = tuple(dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", text)))
    for number, name in enumerate(names, 1):
        text = re.sub(rf"(?<![:\w]):{name}\b", f"${number}", text)
    return Statement(text, names)


STATEMENTS = {name: number_parameters(text) for name, text in load_statements("postgres").items()}
