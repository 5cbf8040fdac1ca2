"""Durations and limits are passed in: no test replaces a constant of a module of the bot."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FREE = ("PATH", "FOLDER", "IMAGES")
"""Names of places in the file system, which are neither."""


def replaced(source: str) -> Iterator[str]:
    """Yield the constants that a file replaces by `setattr` of a MonkeyPatch, those of the sandbox excluded."""
    for node in ast.walk(ast.parse(source)) if "setattr" in source else ():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "setattr":
            continue
        names = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        for name in (each.rpartition(".")[2] for each in names):
            if name.isupper() and not name.endswith(FREE):
                yield name


def test_no_test_replaces_a_duration_or_a_bound() -> None:
    found = {
        f"{path.relative_to(TESTS)}: {name}"
        for path in TESTS.rglob("*.py")
        if path.parent.parent.name != "sandbox"
        for name in replaced(path.read_text(encoding="utf-8"))
    }
    assert found == {"support/fault_matrix.py: _SSL_CONTEXT_VERIFIED"}  # of aiohttp, which takes none
