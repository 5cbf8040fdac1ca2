"""Write docs/reference/cli.md: the help of each command, as `--help` prints it."""

from collections.abc import Iterator

import click

from bot.cli.commands import main
from bot.sandbox.run import FAULTS, ROLES, faults_of

NAME = "cobrowse-bot"
WIDTH = 100
INTRODUCTION = """\
# Command line

The help of every command. `make reference` writes this page from the code; do not edit it.

In a clone, write `.venv/bin/cobrowse-bot`, which `make install` makes. A command that ends well exits with 0, a
failure with 1, and a mistake on the command line with 2.
"""


def page() -> str:
    """Return the text of docs/reference/cli.md."""
    parts = [INTRODUCTION]
    for path, command in commands(main, NAME):
        context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        parts.append(f"## {path}\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join([*parts, _sandbox()])


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a group and all commands below it, each with the words that call it."""
    yield path, group
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _sandbox() -> str:
    roles = ", ".join(f"`{role}`" for role in ROLES)
    sessions, conversations = faults_of(None), faults_of("one")
    rows = [f"| `{fault}` | {_mark(fault in sessions)} | {_mark(fault in conversations)} |" for fault in FAULTS]
    return "\n".join(
        [
            "## Roles and faults of the sandbox",
            "",
            f"`--as` takes {roles}. `--genesys` takes one of these faults:",
            "",
            "| Fault | Without `--conversations` | With `--conversations` |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _mark(is_there: bool) -> str:
    return "yes" if is_there else "–"
