"""Decide whether the words of a text mean a command, a session's name, or either (pure).

If a text can mean either, the bot asks, so that no session starts by mistake. command_languages.py has the words of
other languages. command_parser.py handles mentions, addresses and quotes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bot.slack.command_languages import VOCABULARIES, without_marks, words_of


def _words(english: str, others: str = "") -> frozenset[str]:
    """Return the words in `english`, and the words of the other languages for the same purpose.

    `others`: the field of the class Vocabulary (command_languages.py) that has the words of the other languages; "" to
    return only the words in `english`.
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
"""A mapping from each alias of a command word to the command word."""
BEGINS_NAMES = words_of("begins_names")
"""Command words of other languages that often begin a session's name, such as the German "neue".

If such a word is the main word of a text (see `read`), the text can be a name even if it has only two words."""
COMMANDS = {
    **{word: word for word in ("help", "whoami", "why", "status", "list", "last", "end", "apps", "link", "unlink")},
    **{word: word for word in ("new", "send", "connect", "disconnect")},
    **ALIASES,
}
"""A mapping from each command word and each alias to the command word."""
PARTICLES = {
    **dict.fromkeys(("turn", "switch"), ("off",)),
    **dict.fromkeys(("log", "sign"), ("out", "off")),
    "hang": ("up",),
    "shut": ("down", "off"),
}
"""A mapping from verbs to particles. A verb and one of its particles in one text mean *end*, as in "turn it off"."""
UNSURE = frozenset(("logout", "logoff", "log", "sign"))
"""Words that can mean *end*, but also a sign-out. The bot asks even if all other words of the text fit *end*."""
QUESTIONS = _words("what what's what’s whats which is are do does did")
"""Words that begin a question. After such a word, the bot asks before it carries out a command, except the commands in
CHANGES_NOTHING."""
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
"""Words before a command word that do not change the meaning of the text, such as "please show me the"."""
FILLERS = LEADING | _words(
    "it its this that these those them any every each everything our us of for in on up with from at by and out off "
    "down here there also too again immediately away current active running latest recent newest existing open last "
    "mine",
    "fillers",
)
"""Words before or after a command word that do not change the meaning of the text."""
BEHIND_A_COMMAND = _words("one ones both two other others old first second")
"""Words that count as FILLERS only after a command word: "end the old one" is a command, "First" is a name."""
NOUNS = _words(
    "session sessions link links url urls customer customers caller callers code codes screen screens sharing "
    "screenshare screenshares call calls chat chats conversation conversations interaction interactions "
    "cobrowse co-browse cobrowsing co-browsing co browse browsing",
    "nouns",
)
"""The things on which commands act. A text with a command word, one of these nouns and an unknown word is ambiguous."""
ABOUT_IT = frozenset(("it", "them", "this", "that", "him", "her"))
"""Pronouns that mean a session or a customer."""
TRIGGERS = frozenset(COMMANDS) | frozenset(PARTICLES) | FILLERS | NOUNS | {"who"}
"""The words that can begin a command. A text with any other first word is a session's name."""
_WHO_AM_I = ("who", "am", "i")
EDGES = ".,!?;:…()[]{}\"'`“”„‟‘’«»*_~"
MIN_WORDS_OF_NAME = 3


class Meaning(Enum):
    """What a text after `/cobrowse` can mean as a whole."""

    COMMAND = "a command, in other words"
    EITHER = "a command or a name"
    FILLERS = "nothing: no command and no name"
    NAME = "a name that begins with a command word"
    PLAIN_NAME = "a name"


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of the words of a text.

    `command`: the command in the text, a value of COMMANDS; "" if `meaning` is FILLERS or PLAIN_NAME.
    """

    meaning: Meaning
    command: str = ""


PLAIN = Reading(Meaning.PLAIN_NAME)


def split(text: str) -> tuple[str, ...]:
    """Split a text into lower-case words without accents.

    Remove punctuation at the start and end of words, and leave out words that have no letter and no digit.
    """
    words = (word.strip(EDGES) for word in without_marks(text).casefold().split())
    return tuple(word for word in words if any(letter.isalnum() for letter in word))


def read(words: Sequence[str]) -> Reading:
    """Decide which Meaning the words of a text have. `words` is a result of `split`.

    The main word is the first word that is not in LEADING, such as "end" in "please end it". The later words are the
    words after it. They fit if `_fits` returns True for each of them, or if there are none. The first rule that applies
    decides:

    - The result of `_read_loose` if there is no main word, or if the main word is no command word.
    - EITHER if the later words fit, and the main word is in UNSURE.
    - EITHER if the later words fit, and a question asks for a command that changes something: a word before the main
      word is in QUESTIONS, and the command is not in CHANGES_NOTHING.
    - COMMAND if the later words fit.
    - EITHER if a later word is in NOUNS, or if each later word is in FILLERS or COMMANDS.
    - EITHER if the text has fewer than MIN_WORDS_OF_NAME words, and the main word is not in BEGINS_NAMES.
    - NAME in all other cases.

    "who am I" at the start counts as the word `whoami`. So does "me", alone or with polite words.
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
    """Return the command that a word means; "" if the word is not a command word.

    `rest`: the later words of the text. A verb such as "turn" means *end* if `rest` contains one of its particles, such
    as "off".
    """
    if any(each in PARTICLES.get(word, ()) for each in rest):
        return "end"
    return COMMANDS.get(word, "")


def _read_loose(words: Sequence[str]) -> Reading:
    """Decide what words mean if the main word (see `read`) is no command word.

    The first of these rules that applies decides:

    - PLAIN_NAME if at least one word is in none of FILLERS, NOUNS and COMMANDS.
    - EITHER if at least one word is in COMMANDS, but neither in FILLERS nor in NOUNS.
    - Meaning.FILLERS otherwise: the words are neither a name nor a command.
    """
    if not all(word in FILLERS or word in NOUNS or word in COMMANDS for word in words):
        return PLAIN
    commands = [COMMANDS[word] for word in words if word in COMMANDS and word not in FILLERS and word not in NOUNS]
    return Reading(Meaning.EITHER, commands[0]) if commands else Reading(Meaning.FILLERS)


def _fits(word: str, command: str) -> bool:
    """Return whether `word` fits after a word for `command`, as "session" fits after "end" in "end session".

    These words fit: the words in FILLERS, NOUNS and BEHIND_A_COMMAND, and all words for `command`. After "help", the
    words for every command fit.
    """
    if word in FILLERS or word in NOUNS or word in BEHIND_A_COMMAND:
        return True
    return word in COMMANDS if command == "help" else COMMANDS.get(word) == command
