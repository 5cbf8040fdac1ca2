"""Read `manifest.yml`, the manifest of the Slack app, for the sandbox.

`bot/sandbox/manifest.yml` is a symbolic link to `manifest.yml` in the repository's root. A wheel contains a copy of the
file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("manifest.yml")
# Regular expressions, because the bot installs no YAML library.
_USAGE_HINT = re.compile(r'^ +usage_hint: "([^"]*)"', re.MULTILINE)
_READ_ONLY = re.compile(r"^ +messages_tab_read_only_enabled: true\b", re.MULTILINE)


@dataclass(frozen=True)
class AppManifest:
    """The values in the Slack app's manifest that the sandbox uses.

    - `usage_hint`: the text that Slack shows beside the command's name; "" if the manifest has no such text.
    - `has_read_only_messages`: True if users cannot send direct messages to the app.
    """

    usage_hint: str
    has_read_only_messages: bool


def load_manifest(path: Path = PATH) -> AppManifest:
    """Read the manifest file at `path`, and return the values that the sandbox uses."""
    text = path.read_text(encoding="utf-8")
    hint = _USAGE_HINT.search(text)
    return AppManifest(hint[1] if hint else "", bool(_READ_ONLY.search(text)))
