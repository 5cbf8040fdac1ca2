"""Read those keys of the app's `manifest.yml` that change how Slack looks, so that the sandbox looks the same.

`bot/sandbox/manifest.yml` is a symbolic link to the file at the repository's root; a wheel contains a copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("manifest.yml")
_USAGE_HINT = re.compile(r'^ +usage_hint: "([^"]*)"', re.MULTILINE)
_READ_ONLY = re.compile(r"^ +messages_tab_read_only_enabled: true\b", re.MULTILINE)


@dataclass(frozen=True)
class AppManifest:
    """The keys of the manifest that the sandbox needs.

    `usage_hint` is the hint that Slack shows beside the command. `has_read_only_messages`: whether users cannot write
    to the app in its direct message.
    """

    usage_hint: str
    has_read_only_messages: bool


def load_manifest(path: Path = PATH) -> AppManifest:
    """Read the keys from the manifest. Use regular expressions, because the bot installs no YAML library."""
    text = path.read_text(encoding="utf-8")
    hint = _USAGE_HINT.search(text)
    return AppManifest(hint[1] if hint else "", bool(_READ_ONLY.search(text)))
