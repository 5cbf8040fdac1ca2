"""Define the results of `check`, and format them as text for people or as JSON for programs."""

import json
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from bot.core.errors import SetupError

NAME_WIDTH = 14
MAX_WIDTH = 110
SHARED = "Shared by all workspaces"
"""The heading of the results about the parts that all workspaces share."""
MAKE_KEY = "Run `cobrowse-bot keygen encryption`, and set STORE_ENCRYPTION_KEY to what it prints."


class Status(StrEnum):
    """The status of one check. The values of the members are part of the JSON output.

    Only FAILED makes the command exit with 1.
    """

    OK = "right"
    WARNING = "doubt"
    FAILED = "wrong"
    SKIPPED = "left out"


SIGNS = {Status.OK: "✓", Status.WARNING: "!", Status.FAILED: "✗", Status.SKIPPED: "–"}

PAGES = {
    **dict.fromkeys(("settings", "application", "parameters"), "docs/reference/settings.md"),
    **dict.fromkeys(("key", "token", "genesys", "login", "permissions", "roles"), "docs/start/genesys-client.md"),
    **dict.fromkeys(
        ("slack", "slack token", "slack app", "slack scopes", "slack answers", "workspaces"), "docs/start/slack-app.md"
    ),
    **dict.fromkeys(("conversations", "customers"), "docs/start/which-genesys.md"),
    **dict.fromkeys(
        ("hosts file", "host", "person", "users", "user groups", "contact", "addresses"), "docs/use/admin.md"
    ),
    **dict.fromkeys(("database", "file mode", "address", "slack delivery", "files"), "docs/run/deploy.md"),
    **dict.fromkeys(("secrets", "encryption", "next client"), "docs/run/secrets.md"),
    **dict.fromkeys(("clock", "everything else"), "docs/run/troubleshoot.md"),
    "audit log": "docs/run/monitor.md",
    "notifications": "docs/reference/genesys-calls.md",
    "connect": "docs/use/connect-account.md",
    "customer page": "docs/use/customer-page.md",
}
"""The documentation page about each area. The keys are values of `CheckResult.name`."""
PAGES_BY_CODE = {"database_key_mismatch": "docs/run/backup.md"}
"""The documentation pages about single errors, if it is not the page about their area."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    - `name`: the area that was checked, such as "settings".
    - `message`: what the check found.
    - `fix`: what to do; "" if there is nothing to do.
    - `code`: the code of the error if this problem prevents the command `run` from starting; otherwise "".
    - `workspace`: the short name of the workspace; "" if the process has only one, or if all workspaces share the area.
    """

    name: str
    status: Status
    message: str
    fix: str = ""
    code: str = ""
    workspace: str = ""

    @property
    def page(self) -> str:
        """Return the path of the documentation page about this problem, such as "docs/use/admin.md".

        Return "" if the check found no problem or was skipped.
        """
        has_problem = self.status in (Status.WARNING, Status.FAILED)
        return PAGES_BY_CODE.get(self.code) or PAGES[self.name] if has_problem else ""


def ok(name: str, message: str) -> CheckResult:
    """Build the result of a check that found no problem."""
    return CheckResult(name, Status.OK, message)


def warning(name: str, message: str, fix: str) -> CheckResult:
    """Build the result of a check that found a problem. The bot works in spite of this problem."""
    return CheckResult(name, Status.WARNING, message, fix)


def failed(name: str, message: str, fix: str, code: str = "") -> CheckResult:
    """Build the result of a check that found a problem that must be fixed.

    `code`: the code of the error if this problem prevents the command `run` from starting; otherwise "".
    """
    return CheckResult(name, Status.FAILED, message, fix, code)


def setup_failed(name: str, error: SetupError) -> CheckResult:
    """Build the failed result for an error that prevents the command `run` from starting."""
    message, fix, *_ = (*re.split(r"(?<=\.) (?=[A-Z])", str(error), maxsplit=1), "")
    return failed(name, message, fix, error.code)


def skipped(name: str, why: str) -> CheckResult:
    """Build the result of a check that did not run. `why`: the reason, such as the failure of an earlier check."""
    return CheckResult(name, Status.SKIPPED, f"not looked at: {why}")


def as_text(results: Sequence[CheckResult]) -> str:
    """Return the results as text for a terminal, with a summary as the last line.

    With several workspaces, the results of each workspace have a heading, and so have the results about shared parts.
    """
    parts = [(workspace, list(found)) for workspace, found in groupby(results, lambda each: each.workspace)]
    lines: list[str] = []
    for workspace, found in parts:
        if workspace or len(parts) > 1:
            lines += [*([""] if lines else []), f"[{workspace}]" if workspace else SHARED]
        lines += [line for each in found for line in _lines(each)]
    return "\n".join([*lines, "", _summary(results)])


def _lines(found: CheckResult) -> Iterator[str]:
    width = min(shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH)
    indent = " " * (NAME_WIDTH + 4)
    message = f"{found.message} [{found.code}]" if found.code else found.message
    yield _fill(message, width, f"{SIGNS[found.status]} {found.name:<{NAME_WIDTH}}  ", indent)
    if found.fix:
        yield _fill(found.fix, width, f"{indent}→ ", f"{indent}  ")
    if found.page:
        yield f"{indent}  More: {found.page}"


def _summary(results: Sequence[CheckResult]) -> str:
    """Return a sentence with the number of errors and the number of warnings, such as `5 errors, 2 warnings.`"""
    errors, warnings = (sum(found.status is status for found in results) for status in (Status.FAILED, Status.WARNING))
    summary = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}."
    return summary[0].upper() + summary[1:]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"


def _fill(text: str, width: int, first: str, later: str) -> str:
    """Wrap a text into lines of at most `width` characters. A word that is longer gets a longer line.

    Words are not split, so that people can copy commands and paths.

    - `first`: the start of the first line. It counts toward `width`.
    - `later`: the start of each other line. It counts toward `width`.
    """
    how = textwrap.TextWrapper(width, first, later, break_long_words=False, break_on_hyphens=False)
    return how.fill(text)


def as_json(results: Sequence[CheckResult]) -> str:
    """Return the results as JSON, in the same order. The field `ok` is true if no check failed.

    The names of the fields are stable, because programs read them.
    """
    listed = [
        {
            "workspace": each.workspace,
            "name": each.name,
            "mark": each.status,
            "what": each.message,
            "mend": each.fix,
            "code": each.code,
            "page": each.page,
        }
        for each in results
    ]
    return json.dumps({"ok": passed(results), "findings": listed}, ensure_ascii=False, indent=2)


def passed(results: Sequence[CheckResult]) -> bool:
    """Return whether no check failed. Warnings and skipped checks are not failures."""
    return all(found.status is not Status.FAILED for found in results)
