"""Write docs/reference/commands.md from the help, the command words and the parser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.core.models import RequestKind, Role
from bot.core.validation.conversations import GenesysApp
from bot.slack.command_languages import VOCABULARIES
from bot.slack.command_parser import RESERVED, Choice, New, NotUnderstood, Query, Start, parse
from bot.slack.command_words import ALIASES
from bot.slack.manifest import ALL_FEATURES, build
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.help import Capabilities, all_commands

COMMAND = ALL_FEATURES.command
ROLES = {Role.MEMBER: "everybody", Role.SUPERVISOR: "supervisors, administrators", Role.ADMIN: "administrators"}
NOTHING = Capabilities()
EVERYTHING = Capabilities(sends=True, connects=True, in_conversations=True)
NEEDS = {
    "sending links is set up": Capabilities(sends=True),
    "people connect their accounts": Capabilities(connects=True),
    "`GENESYS_COBROWSE_API=conversations`": Capabilities(in_conversations=True),
}
EXAMPLES = (
    "",
    "Checkout help",
    '"help"',
    "End of month report",
    "Customer 4711",
    "<@U012AB3CD|ana>",
    "<@U012AB3CD|ana> Checkout help",
    "for <@U012AB3CD|ana>",
    "+14155550123 Refund",
    "name@example.com",
    "Refund for +14155550123",
    "11111111-2222-4333-8444-555555555555 Refund",
    "send +14155550123",
    "send joe",
    "send to joe@example.com",
    "stop",
    "end it please",
    "list all sessions",
    "who am i",
    "end customer 12345678",
    "hepl",
    "<@U012AB3CD|ana> end",
    "call with <@U012AB3CD|ana>",
    "@nobody",
    "new",
)
"""What people type, as Slack delivers it. The page shows what the parser says about each."""
INTRODUCTION = f"""\
# Commands

Everything that people can type, and how the bot behaves. `make reference` writes this page from the code; do not edit
it. `{COMMAND} help` shows the same in Slack, for the role that you have. Your command may have another name: see
`COBROWSE_COMMAND`.

"""
TEXTS = """\
## How the bot reads a text

If the bot is not sure what you mean, it asks instead of starting a session. The question has a button for each meaning.

- **Command words** are the words of the table above. Other words for a command, and polite words around it, mean
  the command.
- **A name** has 100 characters at most. Quotes force a name.
- **A text of one or two words that begins with a command word** may be either, so the bot asks. So may a text about
  a session, a link or a customer,
  a text that names one of your open sessions, and a word that looks like a typing error for a command.
- **A person** stands first. The bot asks about a person who stands later, or whom Slack does not know.
- **No name holds an address.** The bot offers to send the link to a number or an email address that stands first.
  It asks about one that stands
  elsewhere. A phone number has a plus, or is valid in `COBROWSE_SMS_COUNTRIES`.
- **A conversation** is its id, or the address of the interaction in your region's Genesys Cloud.

"""
PLACES = Path(__file__).with_name("places.md")
"""How each place behaves: the part of the page that no code can show."""


def page() -> str:
    """Return the text of docs/reference/commands.md."""
    parts = [*_by_role(), *_words(), TEXTS + "\n".join(_examples()), "", *_without_typing()]
    return INTRODUCTION + "\n".join(parts) + "\n" + PLACES.read_text(encoding="utf-8")


def _lines(role: Role, features: Capabilities) -> list[tuple[str, str]]:
    """Return the lines of the help for a role, each with its group."""
    found = []
    for block in all_commands(COMMAND, role, features, ENGLISH).blocks:
        title, *lines = block.get("text", {}).get("text", "").split("\n• ")
        found += [(title.strip("*"), line) for line in lines]
    return found


def _by_role() -> Iterator[str]:
    rows: dict[str, tuple[str, Role]] = {}
    for role in ROLES:
        for features in (EVERYTHING, replace(EVERYTHING, in_conversations=False)):
            for group, line in _lines(role, features):
                rows.setdefault(line, (group, role))
    order = list(dict.fromkeys(group for group, _ in rows.values()))
    for group in order:
        yield from (f"## {group}", "", "| Command | For | When |", "|---|---|---|")
        for line, (place, role) in rows.items():
            if place == group:
                yield f"| {line} | {ROLES[role]} | {_condition(line)} |"
        yield ""


def _condition(line: str) -> str:
    """Return the feature that a line of the help needs, "" if it needs none."""
    if _has(NOTHING, line):
        return "" if _has(EVERYTHING, line) else "`GENESYS_COBROWSE_API=sessions`"
    return next(need for need, features in NEEDS.items() if _has(features, line))


def _has(features: Capabilities, line: str) -> bool:
    return line in [each for _, each in _lines(Role.ADMIN, features)]


def _words() -> Iterator[str]:
    yield from ("## Command words", "", "| Command | Also |", "|---|---|")
    foreign = {alias for vocabulary in VOCABULARIES.values() for alias in vocabulary.aliases}
    for word in RESERVED:
        others = [alias for alias, meaning in ALIASES.items() if meaning == word and alias not in foreign]
        yield f"| `{COMMAND} {word}` | {_marked(others)} |"
    yield ""
    yield "Other languages have words for these commands, too. Each word counts for everybody, with or without accents."
    yield ""
    yield from (f"| Command | {' | '.join(VOCABULARIES)} |", f"|---{'|---' * len(VOCABULARIES)}|")
    for word in ("new", "end", "status", "last", "help", "send"):
        cells = (_marked(getattr(vocabulary, word).split()) for vocabulary in VOCABULARIES.values())
        yield f"| `{word}` | {' | '.join(cells)} |"
    yield ""


def _marked(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _examples() -> Iterator[str]:
    yield from ("| You type | The bot |", "|---|---|")
    app = GenesysApp("apps.usw2.pure.cloud")
    for text in EXAMPLES:
        shown = text.replace("<@U012AB3CD|ana>", "@ana")
        yield f"| `{f'{COMMAND} {shown}'.strip()}` | {_meaning(parse(text, app, ('US',)))} |"


def _meaning(command: Start | Query | New | Choice | NotUnderstood) -> str:
    match command:
        case Start():
            return _start(command)
        case Query(kind=kind, target=target):
            does = "asks before it sends the link" if kind is RequestKind.PROPOSE else f"means `{COMMAND} {kind.value}`"
            return does + (" for @ana" if target else "")
        case New():
            return "opens the form"
        case Choice(ambiguity=ambiguity):
            return f"asks: {ambiguity.value}"
        case NotUnderstood(reason=reason):
            return f"starts nothing: {reason.value}"


def _start(command: Start) -> str:
    parts = ["starts a session"]
    parts += ["for @ana"] if command.target else []
    parts += ["in this conversation"] if command.conversation_id else []
    parts += [f"with the name *{command.name}*"] if command.name else []
    parts += ["and offers to send the link there"] if command.send_to else []
    return " ".join(parts)


def _without_typing() -> Iterator[str]:
    yield from ("## Without typing", "", "| Where | What |", "|---|---|")
    for shortcut in build(ALL_FEATURES)["features"]["shortcuts"]:
        place = {"global": "the shortcuts menu", "message": "the menu of a message"}[shortcut["type"]]
        yield f"| *{shortcut['name']}* in {place} | {shortcut['description']} |"
    yield f"| the bot’s Home tab | your open sessions, and a button that opens the form; also `{COMMAND} new` |"
    yield ""
