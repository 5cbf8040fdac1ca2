"""What `check` found: one finding a line, with what to do about it; as a screen for people and as JSON for machines."""

import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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
    """`name`: what was looked at. `what`: how it is. `mend`: one plain sentence, empty when all is right."""

    name: str
    mark: Mark
    what: str
    mend: str = ""


def right(name: str, what: str) -> Finding:
    """As it should be."""
    return Finding(name, Mark.RIGHT, what)


def doubt(name: str, what: str, mend: str) -> Finding:
    """Works, and is worth a look all the same."""
    return Finding(name, Mark.DOUBT, what, mend)


def wrong(name: str, what: str, mend: str) -> Finding:
    """Has to be mended."""
    return Finding(name, Mark.WRONG, what, mend)


def left_out(name: str, why: str) -> Finding:
    """Could not be looked at, mostly for something else that is wrong."""
    return Finding(name, Mark.LEFT_OUT, f"not looked at: {why}")


def as_text(findings: Sequence[Finding]) -> str:
    """The screen, with a line at its end that sums it up."""
    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    indent = " " * (NAME_WIDTH + 4)
    lines = []
    for found in findings:
        lines.append(_fill(found.what, width, f"{SIGNS[found.mark]} {found.name:<{NAME_WIDTH}}  ", indent))
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
    listed = [{"name": each.name, "mark": each.mark, "what": each.what, "mend": each.mend} for each in findings]
    return json.dumps({"ok": is_well(findings), "findings": listed}, ensure_ascii=False, indent=2)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(found.mark is not Mark.WRONG for found in findings)
