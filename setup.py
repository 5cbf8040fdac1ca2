"""Compile the translations whenever the package is built. All else about the package is in pyproject.toml."""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in every compiled file. With Babel's own, the time of the build, no two builds would be equal."""


class BuildWithTranslations(build_py):
    """Compile `bot/locales/*/LC_MESSAGES/cobrowse.po`, then take the package's files."""

    def run(self) -> None:
        """Compile, then build."""
        for path in sorted(Path("bot", "locales").glob("*/LC_MESSAGES/cobrowse.po")):
            with path.open("rb") as source:
                catalog = read_po(source, domain="cobrowse")
            catalog.creation_date = MADE_AT
            with path.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, catalog)
        super().run()


setup(cmdclass={"build_py": BuildWithTranslations})
