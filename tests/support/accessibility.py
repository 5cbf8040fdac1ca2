"""Find accessibility faults in a page with axe-core.

`make test-slow` installs axe-core from npm into tests/support/axe, by the lock file there. Without axe-core, a test is
skipped with a reason; in CI it fails.
"""

import os
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).with_name("axe") / "node_modules" / "axe-core" / "axe.min.js"
EXPERIMENTAL = ("css-orientation-lock", "focus-order-semantics", "label-content-name-mismatch", "table-fake-caption")
"""Rules that axe leaves out unless they are asked for."""
ALL_RULES = {"rules": {rule: {"enabled": True} for rule in EXPERIMENTAL}}
COLOR_RULES = {"runOnly": ["color-contrast", "link-in-text-block"]}
RUN = """async (options) => {
  const { violations } = await axe.run(document, { ...options, resultTypes: ["violations"] });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 300)}`));
}"""


@cache
def axe_source() -> str:
    """Return the source text of axe-core. If it is not installed, skip the test; in CI, fail the test."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    installs = (
        "`make test-slow` installs it" if shutil.which("npm") else "there is no npm on this machine to install it with"
    )
    missing = f"axe-core is not in tests/support/axe: {installs}"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}, and CI must not do without")
    pytest.skip(missing)


async def violations(page: Any, schemes: Sequence[str] = ("light", "dark")) -> list[str]:
    """Return every fault that axe finds in the page as it is shown now, in each color scheme.

    A fault is one text: the rule, what is wrong, and the element. All rules are checked in the first color scheme. The
    others differ from it in colors only (a test of the styles checks that), so only the rules about colors are checked.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe_source())
    found: dict[str, None] = {}
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        rules = ALL_RULES if scheme == schemes[0] else COLOR_RULES
        found |= dict.fromkeys(await page.evaluate(RUN, rules))
    return list(found)
