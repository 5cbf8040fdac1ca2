"""Write all generated files, or only those that are named: `python -m docs.generate settings env`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from docs.generate import alerts, cli, commands, messages, metrics, scopes, settings

ROOT = Path(__file__).parents[2]
FILES: dict[str, tuple[str, Callable[[], str]]] = {
    "alerts": ("deploy/kubernetes/components/monitoring/alerts.yaml", alerts.page),
    "cli": ("docs/reference/cli.md", cli.page),
    "commands": ("docs/reference/commands.md", commands.page),
    "env": (".env.example", settings.env_example),
    "messages": ("docs/reference/messages.md", messages.page),
    "metrics": ("docs/reference/metrics.md", metrics.page),
    "scopes": ("docs/reference/scopes.md", scopes.page),
    "settings": ("docs/reference/settings.md", settings.page),
}
"""By short name: the file's path in the repository, and the function that returns its text."""


def main() -> None:
    """Write the files into the repository, or below the folder in --into."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *FILES], metavar="NAME", help=", ".join(FILES))
    parser.add_argument("--into", type=Path, default=ROOT, metavar="FOLDER", help="Default: the repository.")
    given = parser.parse_args()
    for name in given.names or FILES:
        path, make = FILES[name]
        file = given.into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{path} is written.\n")


if __name__ == "__main__":
    main()
