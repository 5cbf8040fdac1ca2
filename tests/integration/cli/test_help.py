"""`--help` of every command shows at least two examples, and the parser accepts each of them."""

import shlex
from collections.abc import Iterator

import click
from click.testing import CliRunner

from bot.cli.commands import main
from tests.support.cases import each_case


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


ALL = dict(commands(main))


def parse(command: click.Command, arguments: list[str]) -> click.Command:
    """Parse the arguments without running a command, and return the command that they name. Raises click's errors."""
    context = command.make_context("x", list(arguments))
    if not isinstance(command, click.Group):
        return command
    _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    assert inner is not None
    return parse(inner, rest)


def test_every_command_is_found() -> None:
    assert {("run",), ("keygen", "oauth"), ("hosts", "set"), ()} <= set(ALL)
    assert len(ALL) >= 17


@each_case("path", ALL, ids=" ".join)
def test_help_has_two_examples_that_the_parser_takes(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=200, max_content_width=200)
    assert shown.exit_code == 0
    lines = [line.strip() for line in shown.output.partition("Examples:\n")[2].splitlines() if line.strip()]
    assert len(lines) >= 2
    for line in lines:
        words = shlex.split(line)
        arguments = words[words.index("cobrowse-bot") + 1 :]
        end = next((place for place, word in enumerate(arguments) if word in ("|", ">")), len(arguments))
        try:
            found = parse(main, arguments[:end])
        except click.exceptions.Exit:  # --help
            continue
        group = ALL[path]
        assert found is group or found in (group.commands.values() if isinstance(group, click.Group) else ()), line
