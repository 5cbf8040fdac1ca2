"""Compile the translations whenever the package is built. All else about the package is in pyproject.toml."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithTranslations(build_py):
    """Compile `bot/locales/*/LC_MESSAGES/cobrowse.po` by Babel's command, then take the package's files."""

    def run(self) -> None:
        """Compile, then build."""
        self.run_command("compile_catalog")
        super().run()


setup(
    cmdclass={"build_py": BuildWithTranslations},
    options={"compile_catalog": {"domain": "cobrowse", "directory": "bot/locales"}},
)
