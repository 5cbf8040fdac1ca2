"""Decide whether words mean a command, mean a session's name, or may mean either (pure).

Nobody should get a session by mistake, so the bot asks when a text is ambiguous. command_languages.py has the words of
other languages. command_parser.py parses the rest of the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bot.slack.command_languages import VOCABULARIES, without_marks, words_of


def _words(english: str, others: str = "") -> frozenset[str]:
    """Return the words in `english`, together with the words of the other languages.

    `others` names the field of Vocabulary that holds those words; "" adds none.
    """
    return frozenset(english.split()) | (words_of(others) if others else frozenset())


ALIASES = {
    **dict.fromkeys(("stop", "close", "cancel", "quit", "done", "finish", "finished", "exit", "delete"), "end"),
    **dict.fromkeys(("terminate", "kill", "hangup", "logout", "logoff"), "end"),
    **dict.fromkeys(("mine", "sessions", "open"), "status"),
    **dict.fromkeys(("share", "url"), "last"),
    **dict.fromkeys(("start", "begin", "create"), "new"),
    **dict.fromkeys(("invite", "text", "sms", "email", "e-mail", "mail", "resend"), "send"),
    "me": "whoami",
    "how": "help",
    **{word: command for vocabulary in VOCABULARIES.values() for word, command in vocabulary.aliases.items()},
}
"""Other words for a command, each with the command that it means."""
BEGINS_NAMES = words_of("begins_names")
"""Aliases that often begin a name. Followed by an unknown word, they are a name, and the bot does not ask."""
COMMANDS = {
    **{word: word for word in ("help", "whoami", "why", "status", "list", "last", "end", "apps", "link", "unlink")},
    **{word: word for word in ("new", "send", "connect", "disconnect")},
    **ALIASES,
}
"""All command words, the aliases among them, each with the command that it means."""
PARTICLES = {
    **dict.fromkeys(("turn", "switch"), ("off",)),
    **dict.fromkeys(("log", "sign"), ("out", "off")),
    "hang": ("up",),
    "shut": ("down", "off"),
}
"""Verbs, each with its particles. A verb together with one of its particles means *end*, as in "turn it off"."""
UNSURE = frozenset(("logout", "logoff", "log", "sign"))
"""Words that may mean *end* or something else, so the person is always asked."""
QUESTIONS = _words("what what's what’s whats which is are do does did")
"""Words that make a question. Behind them only a command that changes nothing is carried out without asking."""
CHANGES_NOTHING = frozenset(("help", "whoami", "why", "status", "list", "last"))
POLITE = _words("please pls plz kindly thanks thank thx ok okay hey hi hello now just right asap", "polite")
LEADING = (
    POLITE
    | QUESTIONS
    | _words(
        "can could would will you i i'm i’m im we we're we’re want wanna need like to lets let give get show see view "
        "display tell me my the all a an",
        "possessives",
    )
)
"""Words that may come before a command word, such as "please show me the"."""
FILLERS = LEADING | _words(
    "it its this that these those them any every each everything our us of for in on up with from at by and out off "
    "down here there also too again immediately away current active running latest recent newest existing open last "
    "mine",
    "fillers",
)
"""Words that do not change the meaning of a text with a command word."""
BEHIND_A_COMMAND = _words("one ones both two other others old first second")
"""Words that are FILLERS only behind a command word: "end the old one", but "First" is a name."""
NOUNS = _words(
    "session sessions link links url urls customer customers caller callers code codes screen screens sharing "
    "screenshare screenshares call calls chat chats conversation conversations interaction interactions "
    "cobrowse co-browse cobrowsing co-browsing co browse browsing",
    "nouns",
)
"""The things that commands are about. A command word, one of these nouns and an unknown word together are ambiguous."""
ABOUT_IT = frozenset(("it", "them", "this", "that", "him", "her"))
"""Pronouns that mean a session or a customer."""
TRIGGERS = frozenset(COMMANDS) | frozenset(PARTICLES) | FILLERS | NOUNS | {"who"}
"""The possible first words of a text that means, or may mean, a command."""
_WHO_AM_I = ("who", "am", "i")
EDGES = ".,!?;:…()[]{}\"'`“”„‟‘’«»*_~"
MIN_WORDS_OF_NAME = 3


class Meaning(Enum):
    """What the words of a text can mean: a command, a session's name, either, or nothing."""

    COMMAND = "a command, in other words"
    EITHER = "a command or a name"
    FILLERS = "nothing: no command and no name"
    NAME = "a name that begins with a command word"
    PLAIN_NAME = "a name"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of a text mean.

    `command` is the command that they mean or may mean, a value of COMMANDS; "" for FILLERS and PLAIN_NAME.
    """

    meaning: Meaning
    command: str = ""


PLAIN = Reading(Meaning.PLAIN_NAME)


def split(text: str) -> tuple[str, ...]:
    """Split a text into lower-case words without accents and punctuation. A word has at least one letter or digit."""
    words = (word.strip(EDGES) for word in without_marks(text).casefold().split())
    return tuple(word for word in words if any(letter.isalnum() for letter in word))


def read(words: Sequence[str]) -> Reading:
    """Decide what the words from `split` mean.

    The first word that is not in LEADING decides. If it is a command word, the words mean

    - the command, if all later words are fillers, nouns, or words for the same command. They mean the command or a name
      if the first word is in UNSURE, or if the words ask a question and the command changes something;
    - the command or a name, if one of these holds: a later word is a noun; all later words are fillers, nouns or
      command words; there are fewer than three words and the first one is not in BEGINS_NAMES;
    - a name otherwise.

    If the first word is not a command word, `_read_loose` decides. "who am I" and "me" mean `whoami`.
    """
    if tuple(words[:3]) == _WHO_AM_I:
        words = ("whoami", *words[3:])
    if "me" in words and all(word == "me" or word in POLITE for word in words):
        return Reading(Meaning.COMMAND, "whoami")
    ahead = next((place for place, word in enumerate(words) if word not in LEADING), len(words))
    first, rest = words[ahead : ahead + 1], words[ahead + 1 :]
    command = _command_of(first[0], rest) if first else ""
    if not command:
        return _read_loose(words)
    if all(_fits(word, command) for word in rest):
        is_question = command not in CHANGES_NOTHING and any(word in QUESTIONS for word in words[:ahead])
        is_unsure = is_question or first[0] in UNSURE
        return Reading(Meaning.EITHER if is_unsure else Meaning.COMMAND, command)
    is_known = all(word in FILLERS | NOUNS or word in COMMANDS for word in rest)
    is_short = len(words) < MIN_WORDS_OF_NAME and first[0] not in BEGINS_NAMES
    if is_known or is_short or any(word in NOUNS for word in rest):
        return Reading(Meaning.EITHER, command)
    return Reading(Meaning.NAME, command)


def _command_of(word: str, rest: Sequence[str]) -> str:
    """Return the command that the first word of a text means; "" if it means none.

    `rest` holds the later words: a first word such as "turn" means a command only with a particle such as "off".
    """
    if any(each in PARTICLES.get(word, ()) for each in rest):
        return "end"
    return COMMANDS.get(word, "")


def _read_loose(words: Sequence[str]) -> Reading:
    """Decide what a text means if its first word is not a command word.

    A word that the bot does not know makes the text a name.
    """
    if not all(word in FILLERS or word in NOUNS or word in COMMANDS for word in words):
        return PLAIN
    commands = [COMMANDS[word] for word in words if word in COMMANDS and word not in FILLERS and word not in NOUNS]
    return Reading(Meaning.EITHER, commands[0]) if commands else Reading(Meaning.FILLERS)


def _fits(word: str, command: str) -> bool:
    """Return whether `word` may follow a word for `command` without a change to the meaning of the text."""
    if word in FILLERS or word in NOUNS or word in BEHIND_A_COMMAND:
        return True
    return word in COMMANDS if command == "help" else COMMANDS.get(word) == command
