"""What `check` found: one finding a line, with what to do about it; as a screen for people and as JSON for machines."""

import json
import re
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.core.errors import SetupError

NAME_WIDTH = 14
WIDEST = 110


class Mark(StrEnum):
    """`WRONG` alone makes the exit code 1; `DOUBT` is worth a look; `LEFT_OUT` could not be looked at."""

    RIGHT = "right"
    DOUBT = "doubt"
    WRONG = "wrong"
    LEFT_OUT = "left out"


SIGNS = {Mark.RIGHT: "✓", Mark.DOUBT: "!", Mark.WRONG: "✗", Mark.LEFT_OUT: "–"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`name`: what was looked at. `what`: how it is. `mend`: one plain sentence, empty when all is right.

    `code`: the stable code that `run` ends with for the same reason; empty when there is none.
    """

    name: str
    mark: Mark
    what: str
    mend: str = ""
    code: str = ""


def right(name: str, what: str) -> Finding:
    """As it should be."""
    return Finding(name, Mark.RIGHT, what)


def doubt(name: str, what: str, mend: str) -> Finding:
    """Works, and is worth a look all the same."""
    return Finding(name, Mark.DOUBT, what, mend)


def wrong(name: str, what: str, mend: str, code: str = "") -> Finding:
    """Has to be mended."""
    return Finding(name, Mark.WRONG, what, mend, code)


def refusal(name: str, error: SetupError) -> Finding:
    """Has to be mended, or `run` ends with the same sentence and code."""
    what, mend, *_ = (*re.split(r"(?<=\.) (?=[A-Z])", str(error), maxsplit=1), "")
    return wrong(name, what, mend, error.code)


def left_out(name: str, why: str) -> Finding:
    """Could not be looked at, mostly for something else that is wrong."""
    return Finding(name, Mark.LEFT_OUT, f"not looked at: {why}")


def as_text(findings: Sequence[Finding]) -> str:
    """The screen, with a line at its end that sums it up."""
    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    indent = " " * (NAME_WIDTH + 4)
    lines = []
    for found in findings:
        what = f"{found.what} [{found.code}]" if found.code else found.what
        lines.append(_fill(what, width, f"{SIGNS[found.mark]} {found.name:<{NAME_WIDTH}}  ", indent))
        if found.mend:
            lines.append(_fill(found.mend, width, f"{indent}→ ", f"{indent}  "))
    count = {mark: sum(found.mark is mark for found in findings) for mark in Mark}
    said = ", ".join(f"{number} {mark}" for mark, number in count.items() if number)
    lines += ["", f"{'Something is wrong' if count[Mark.WRONG] else 'Nothing is wrong'}: {said}."]
    return "\n".join(lines)


def _fill(text: str, width: int, first: str, later: str) -> str:
    """Wrapped between words: what somebody has to copy stays whole."""
    how = textwrap.TextWrapper(width, first, later, break_long_words=False, break_on_hyphens=False)
    return how.fill(text)


def as_json(findings: Sequence[Finding]) -> str:
    """`ok`, and the findings in order."""
    listed = [asdict(each) for each in findings]
    return json.dumps({"ok": is_well(findings), "findings": listed}, ensure_ascii=False, indent=2)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(found.mark is not Mark.WRONG for found in findings)
