"""What pages tell readers to type exists: commands and options of cobrowse-bot, targets of make, YAML files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from bot.cli.commands import main
from tests.support.app import ROOT
from tests.support.cases import each_case

HOUSE = Path(ROOT)
PAGES = sorted(str(path.relative_to(HOUSE)) for path in (*(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("*.md")))
OTHERS = re.compile(r"\b(?:docker|kubectl|systemctl|journalctl|install -m) ")
"""Programs to which our name is an argument."""
TARGETS = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def typed(page: str) -> Iterator[str]:
    """Yield each line of the blocks of code, and each inline code."""
    text = (HOUSE / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    yield from (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def words_after(line: str) -> Iterator[list[str]]:
    """Yield the words after each call of the bot in a line, up to a pipe, a comment or the next command."""
    for rest in re.findall(r"(?:^|[\s/])(?:cobrowse-bot|python -m bot) ([^|>#;&\"']*)", line):
        yield shlex.split(rest, posix=False)


def faults(words: list[str]) -> Iterator[str]:
    """Yield each part of a command line that does not exist."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0]):
        name = words.pop(0)
        if name not in command.commands:
            yield name
            return
        command = command.commands[name]
    options = {option for each in command.params for option in each.opts} | {"--help", "--version"}
    yield from (word for word in words if re.match(r"--[a-z]", word) and word.partition("=")[0] not in options)


@each_case("page", PAGES)
def test_each_command_and_option_of_a_page_exists(page: str) -> None:
    lines = [line for line in typed(page) if not OTHERS.search(line)]
    assert [(line, fault) for line in lines for words in words_after(line) for fault in faults(words)] == []


@each_case("page", PAGES)
def test_each_target_of_make_on_a_page_exists(page: str) -> None:
    named = [name for line in typed(page) for name in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", line)]
    assert [name for name in named if name not in TARGETS] == []


@each_case("page", PAGES)
def test_each_yaml_of_a_page_can_be_read(page: str) -> None:
    text = (HOUSE / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```ya?ml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        assert list(yaml.safe_load_all(block))


def test_wrong_commands_and_options_are_found() -> None:
    line = "cobrowse-bot check --persons U1 | cobrowse-bot start; bot/cobrowse-bot hosts drop"
    assert [fault for words in words_after(line) for fault in faults(words)] == ["--persons", "drop"]
    assert [fault for words in words_after("python -m bot runs") for fault in faults(words)] == ["runs"]
