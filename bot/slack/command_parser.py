"""Parse the text after the slash command into one object, such as a Start or a Query (pure).

A text that is no command starts a session, and becomes the session's name. If the text may mean a command or a user
instead, the bot asks first. A session's name never contains a phone number or an email address. command_words.py
decides whether words mean a command.

Slack escapes `&`, `<` and `>` in the text and turns mentions into `<@U…|name>`, because the manifest sets
`should_escape`.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from bot.core.models import NAME_LENGTH, ConversationId, RequestKind, UserId
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import MAY_HOLD_ADDRESS, FoundAddress, find_addresses, without_addresses
from bot.core.validation.conversations import GenesysApp, is_address
from bot.core.validation.display import clean, one_line
from bot.slack import command_words
from bot.slack.command_words import ABOUT_IT, COMMANDS, EDGES, NOUNS, TRIGGERS, Meaning

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_MENTION = r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>"
_ID = r"(?:(?=\S*\d)[A-Za-z0-9._:~+/=-]{8,200}|`[A-Za-z0-9._:~+/=-]{1,200}`)"  # the session ids of both services
_EMAIL = r"(?:<mailto:[^>]+>|[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+)"
RESERVED = {
    # A reserved word is a subcommand only before an argument of this form: "End of month report" is a session's name.
    "help": r"\w*",
    "whoami": "",
    "why": rf"(?:{_MENTION})?",
    "status": "",
    "list": "",
    "last": "",
    "end": rf"(?:{_ID})?",
    "apps": "",
    "link": rf"{_MENTION}\s+(?:[0-9A-Fa-f-]{{36}}|{_EMAIL})",
    "unlink": _MENTION,
    "new": "",
    # Any text with a number or an address: a wrong one gets an error, and never becomes a session's name.
    "send": rf"(?!.*{_MENTION})(?:|.*@.*|.*<tel:.*|[+＋(\d][\d\s()./-]*|.*\d[\d\s()./-]{{5,}}\d.*)",
    "connect": "",
    "disconnect": "",
}
_FOR = r"(?:for\s*)?"
_TARGET = re.compile(rf"(?:for\s+)?{MENTION.pattern}(.*)", re.IGNORECASE | re.DOTALL)
_UNRESOLVED = re.compile(
    rf"{_FOR}(?:&lt;|<)?\s*[@＠﹫]|(?:to|with|{'|'.join(COMMANDS)})\s+(?:&lt;)?[@＠﹫]", re.IGNORECASE
)
_PERSON_ID = r"[UW](?:0[A-Z0-9]{2,10}|(?=[A-Z]*[0-9])[A-Z0-9]{8,10})(?![A-Za-z0-9])"
"""A Slack user id: https://docs.slack.dev/reference/objects/user-object . "USA" and "W3C" do not match."""
_BARE_PERSON = re.compile(
    rf"(?:^(?=\S+$)|^(?i:to|{'|'.join(COMMANDS)})\s+|\b(?i:for|with)\s+)(?P<id>{_PERSON_ID})|\b(?i:for|with)\s+@\S"
)
"""A pattern for a user id that is typed in place of a mention, and for an @ that Slack did not turn into a mention."""
_GROUP = re.compile(r"<!(?:subteam\^|here|channel|everyone)", re.IGNORECASE)
"""A mention of a user group, or of everybody in a channel."""
_NOT_A_PERSON = re.compile(rf"{_FOR}<[!#]", re.IGNORECASE)
_FIRST_WORD = re.compile(r"<([^<>|\s]+)(?:\|[^<>]*)?>|(\S+)")
_MARKUP = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_OPENING, _CLOSING = "\"'“”„‟‘’‚‛«»", "\"'“”‟‘’‛«»"
_QUOTATION = re.compile(f"[{_OPENING}][^{_OPENING}{_CLOSING}]*[{_CLOSING}]")
MIN_TYPO_LENGTH, MIN_TYPO_LENGTH_OF_ANY = 4, 6
"""The minimum lengths of a command word, in letters, for some kinds of typing errors (see `_is_slip`)."""
_TYPO_WORDS = (*RESERVED, "stop", "close", "cancel", "finish", "quit", "delete", "sessions")
_ADDRESS = re.compile(r"<(?:mailto|tel):([^>|]+)(?:\|[^>]*)?>")
_AT_WORD = re.compile(r"[@＠﹫]\s*([^\s<>|]*)")
ALL = "all"
"""The argument of a HELP request that asks for all commands."""
_HELP_FLAGS = ("?", "-h", "--help", "-help", "/help")
_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Invisible characters outside Unicode's format category (Unicode: Default_Ignorable_Code_Point)."""
MAX_TEXT_LENGTH = 2000
"""The maximum length of a text, in characters. The parser cuts a longer text to save time: Slack is still waiting for
the acknowledgement."""


class Reason(Enum):
    """The reasons why the parser rejects a text."""

    NO_PERSON = "a group or a channel where a person belongs"
    TWO_PEOPLE = "more than one person"
    PERSON_LATER = "a person beyond the part of the text that is read"
    NO_CONVERSATION = "an address that names no conversation"


class Ambiguity(Enum):
    """The ways in which a text can be ambiguous."""

    COMMAND = "a command or a name"
    TYPO = "a typing error for a command word"
    FILLERS = "neither a command nor a name"
    PERSON = "for a person who does not stand first, or for oneself"
    UNKNOWN_PERSON = "looks like a person, but Slack knows nobody by that name"
    ADDRESS = "a phone number or an email address in a name"


@dataclass(frozen=True, slots=True)
class Start:
    """The command to start a session for the user `target`. If `target` is None, the session is for the requester.

    - `name`: the session's name, 1 to 100 characters of plain text; None for no name.
    - `conversation_id`: the id of the Genesys conversation that the requester typed; None for none.
    - `send_to`: the customer's address: a valid phone number in E.164, any other address as typed; None for none. The
      session card offers to send the link to this address.
    - `unless`: the command that the requester may have meant by `name`; None for none. For the name "stop Checkout
      demo", it is "end". If the name contains the name of an open session of the requester, such as "Checkout", the bot
      starts no session. It asks the requester whether the text is a command or a name.
    """

    target: UserId | None = None
    name: str | None = None
    conversation_id: ConversationId | None = None
    send_to: str | None = field(default=None, repr=False)
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A command that starts no session, such as `status` or `end`.

    - `target`: the user whom the text mentions; None for nobody.
    - `argument`: the text after the command word, without the user; None for none. The command `send` always has an
      argument: the result of `pack("", address)`. `address` is the customer's address as text; "" for none. `pack` is
      in core/use_cases/customer_messages.py.
    """

    kind: RequestKind
    target: UserId | None = None
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class New:
    """The command to open the form that starts a session."""


Option = Start | Query | New


@dataclass(frozen=True, slots=True)
class Choice:
    """The result for an ambiguous text: the bot asks which of the `options` the text means.

    - `ambiguity`: why the text is ambiguous.
    - `options`: the meanings that the question offers, one or two.
    - `subject`: the command word, person or address that the question is about, as plain text; "" for none.
    """

    code = "choice_offered"
    ambiguity: Ambiguity
    options: tuple[Option, ...]
    subject: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The result for a text that the bot rejects. `reason` says why."""

    code = "not_understood"
    reason: Reason


Command = Start | Query | New | Choice | NotUnderstood


@dataclass(frozen=True, slots=True)
class Grammar:
    """The rules of parsing that depend on the installation.

    - `genesys_app`: parses the ids and URLs of conversations. None if sessions belong to no conversation: then the
      parser finds no conversation in any text.
    - `countries`: ISO codes. A number without a plus counts as a phone number if it is valid in one of these countries.
    """

    genesys_app: GenesysApp | None = None
    countries: Collection[str] = ()


_PLAIN = Grammar()


def parse(text: str, genesys_app: GenesysApp | None = None, countries: Collection[str] = ()) -> Command:
    """Parse the text after the slash command, as Slack delivers it. Never raises.

    - `genesys_app`: parses the ids and URLs of conversations. None if sessions belong to no conversation: then the
      parser finds no conversation in any text.
    - `countries`: ISO codes. A number without a plus counts as a phone number if it is valid in one of these countries.
    """
    if (
        len(text) > MAX_TEXT_LENGTH and "<@" in text[text.rfind(">", 0, MAX_TEXT_LENGTH) + 1 :]
    ):  # there is a mention after the cut, or the cut splits one
        return NotUnderstood(Reason.PERSON_LATER)
    text = one_line(text[:MAX_TEXT_LENGTH]).strip()
    if not text:
        return Start()
    grammar = Grammar(genesys_app, countries) if genesys_app or countries else _PLAIN
    if _is_quoted(text) and not _names_somebody(_QUOTATION.sub("", text)):
        return _named(Start(), text, grammar, is_forced=True)
    if target := _TARGET.fullmatch(text):
        return _for_target(UserId(target[1].upper()), target[3].strip(), grammar)
    plain = _normalized(text)
    if _UNRESOLVED.match(plain):
        return _unknown_person(plain, text, grammar)
    if _NOT_A_PERSON.match(plain) or _GROUP.search(plain):
        return NotUnderstood(Reason.NO_PERSON)
    if subcommand := _subcommand(text, grammar):
        return subcommand
    if bare := _BARE_PERSON.search(plain):
        if bare["id"]:
            return _person_later(plain, text, UserId(bare["id"]), bare.span("id"), grammar)
        return _unknown_person(plain[bare.start() :], text, grammar)
    if mention := MENTION.search(text):
        if MENTION.search(text, mention.end()):
            return NotUnderstood(Reason.TWO_PEOPLE)
        return _person_later(text, text, UserId(mention[1].upper()), mention.span(), grammar)
    if text in _HELP_FLAGS:
        return Query(RequestKind.HELP)
    return _read(Start(), text, grammar)


def clean_name(text: str, most: int = NAME_LENGTH) -> str | None:
    """Convert the typed name of a session to plain text, and cut the name to `most` characters.

    Remove control characters, and the quotes around the name. Replace markup, such as `<#C…|name>`, by the text that
    Slack shows. Return None if no visible character is left. Callers must escape the result for Slack.
    """
    text = one_line(text).strip()
    if _is_quoted(text):
        text = text[1:-1]
    return plain_name(_unescaped(_MARKUP.sub(_label, text)), most)


def plain_name(text: str, most: int = NAME_LENGTH) -> str | None:
    """Remove control characters from a session's name, and cut the name to `most` characters. Do not change markup.

    Return None if no visible character is left.

    `text`: plain text, such as a user's input in a form.
    """
    name = clean(text, most)
    return name if _is_visible(name) else None


def option_of(command: str, target: UserId | None = None) -> Option:
    """Return the meaning of a text that has only a command word, or only a command word and a user.

    - `command`: an English command word such as "end", a value of COMMANDS.
    - `target`: the user in the text; None for no user.
    """
    match command:
        case "new":
            return Start(target) if target else New()
        case "send":
            return Query(RequestKind.PROPOSE, argument=pack("", ""))
        case "link" if target is None:
            return Query(RequestKind.LAST)
        case "link" | "unlink":
            return Query(RequestKind.HELP)
        case "whoami" if target:
            return Query(RequestKind.WHY, target)
        case "status" | "last" if target:
            return Query(RequestKind.LIST)
    kind = RequestKind(command)
    return Query(kind, target if kind in _ABOUT_A_PERSON else None)


_ABOUT_A_PERSON = (RequestKind.END, RequestKind.WHY)


def _for_target(target: UserId, rest: str, grammar: Grammar) -> Command:
    if not _is_quoted(rest):
        if MENTION.search(rest):
            return NotUnderstood(Reason.TWO_PEOPLE)
        if _GROUP.search(rest):
            return NotUnderstood(Reason.NO_PERSON)
    return _read(Start(target), rest, grammar)


def _read(start: Start, text: str, grammar: Grammar) -> Command:
    """Parse a text as a command or as a session's name. Return a Choice if the bot has to ask what the text means.

    `start`: a Start whose `target` is the user that the requester mentioned before the text; None for nobody.
    """
    if not text or _is_quoted(text):
        return _named(start, text, grammar, is_forced=True)
    first, _, more = _normalized(text).partition(" ")
    if first.casefold().strip(EDGES) in TRIGGERS and (found := _from_words(start, text, grammar)):
        return found
    if not more and (word := _typo_of(first.lower())):
        command = option_of(COMMANDS[word], start.target)
        return Choice(Ambiguity.TYPO, (command, _option(start, text, grammar)), word)
    return _start(start, text, grammar)


def _from_words(start: Start, text: str, grammar: Grammar) -> Command | None:
    """Parse a text whose first word can begin a command. Return a Choice if the bot has to ask what the text means.

    Return None if the words of the text can only be a session's name, such as "Sharing problem".

    `start`: a Start whose `target` is the user that the requester mentioned before the text; None for nobody.
    """
    if send := _send(start, text, grammar):
        return send
    words = command_words.split(_normalized(text))
    reading = command_words.read(words)
    if reading.meaning is Meaning.PLAIN_NAME:
        return None
    is_about_it = any(word in NOUNS or word in ABOUT_IT for word in words)
    if reading.command == "disconnect" and is_about_it and not start.target:
        return Choice(Ambiguity.COMMAND, (Query(RequestKind.END), Query(RequestKind.DISCONNECT)), "end")
    if reading.meaning is Meaning.FILLERS:
        return Choice(Ambiguity.FILLERS, (start, _option(start, text, grammar)))
    if reading.meaning is Meaning.NAME:
        named = _start(start, text, grammar)
        if isinstance(named, Start) and not named.conversation_id and not named.send_to:
            return replace(named, unless=reading.command)
        return named
    option = option_of(reading.command, start.target)
    is_about = isinstance(option, Query) and option.target == start.target
    if reading.meaning is Meaning.COMMAND and (is_about or start.target is None):
        return option
    return Choice(Ambiguity.COMMAND, (option, _option(start, text, grammar)), reading.command)


def _send(start: Start, text: str, grammar: Grammar) -> Query | None:
    """Return the command `send` with the address in the text. Return None unless all of this is true:

    - The text means *send*.
    - The text contains exactly one phone number or email address, and does not begin with it.
    - The phone number is not valid in several countries.
    - The requester mentioned no user before the text: `start` has no `target`.
    """
    if start.target or not MAY_HOLD_ADDRESS.search(text):
        return None
    whole, found = _addresses(text, grammar)
    if len(found) != 1 or not found[0].start or not found[0].text:
        return None
    reading = command_words.read(command_words.split(without_addresses(whole, found)))
    if reading != command_words.Reading(Meaning.COMMAND, "send"):
        return None
    return Query(RequestKind.PROPOSE, argument=pack("", found[0].text))


def _start(start: Start, text: str, grammar: Grammar) -> Command:
    """Parse a text that is no command: an optional conversation, then the session's name.

    Return the result of `_named` for the name. The first word decides:

    - The id or URL of a conversation: the other words are the name.
    - Any other URL: return NotUnderstood.
    - Any other word: the whole text is the name.

    If sessions belong to no conversation, or if the text is in quotes, the whole text is the name in all cases.

    `start`: a Start whose `target` is the user that the requester mentioned before the text; None for nobody.
    """
    app = grammar.genesys_app
    first = _FIRST_WORD.match(text) if app and not _is_quoted(text) else None
    if first and app:
        word = (first[1] or first[2]).replace("&amp;", "&")
        if named := app.conversation_id(word):
            return _named(Start(start.target, conversation_id=named), text[first.end() :], grammar)
        if is_address(word):
            return NotUnderstood(Reason.NO_CONVERSATION)
    return _named(start, text, grammar)


def _named(start: Start, text: str, grammar: Grammar, *, is_forced: bool = False) -> Command:
    """Return a Start with the text as the session's name, or a Choice if the bot has to ask what the text means.

    - The text contains no address: a Start.
    - The text begins with its only address, as in "+14155550123 Checkout": a Start with the other words as the name and
      the address as `send_to`. A phone number must have a plus, and the other words must not mean a command.
    - Any other text with an address: a Choice.

    The parameters:

    - `start`: a Start with the user and the conversation that the requester named before the text. Each of them is None
      if the requester did not name it.
    - `is_forced`: True if the requester put the text in quotes, to mark it as a name, or if the text is empty. Then
      every text with an address leads to a Choice.
    """
    if not MAY_HOLD_ADDRESS.search(text):
        return Start(start.target, clean_name(text), start.conversation_id)
    whole, found = _addresses(text, grammar)
    if not found:
        return Start(start.target, _short_name(text, grammar), start.conversation_id)
    rest = command_words.split(without_addresses(whole, found))
    command = command_words.read(rest).command if rest else ""
    option = _without(start, whole, found, grammar)
    if command and not option.name:
        is_for_it = command == "send" and option.send_to
        meant = Query(RequestKind.PROPOSE, argument=pack("", is_for_it)) if is_for_it else None
        return Choice(Ambiguity.COMMAND, (meant or option_of(command, start.target), option), command)
    is_written_out = whole.startswith(("+", "＋")) or "@" in found[0].text
    if option.send_to and found[0].start == 0 and is_written_out and not is_forced:
        return option
    left_out = replace(option, send_to=None)
    return Choice(Ambiguity.ADDRESS, (option, left_out) if option.send_to else (left_out,), option.send_to or "")


def _option(start: Start, text: str, grammar: Grammar) -> Start:
    """Return a copy of `start` that has the text as the session's name, without the addresses in the text.

    If the text contains exactly one address, the address becomes `send_to`. `_without` describes special cases.
    """
    whole, found = _addresses(text, grammar)
    return _without(start, whole, found, grammar) if found else replace(start, name=_short_name(text, grammar))


def _addresses(text: str, grammar: Grammar) -> tuple[str, Sequence[FoundAddress]]:
    """Clean a text with `clean_name`, and find the email addresses and phone numbers in it.

    Return the cleaned text and the addresses. The cleaned text still contains the addresses. It has at most
    MAX_TEXT_LENGTH characters, and is "" if no visible character is left.
    """
    whole = clean_name(text, MAX_TEXT_LENGTH) or ""
    return whole, find_addresses(whole, grammar.countries)


def _short_name(text: str, grammar: Grammar) -> str | None:
    """Clean a session's name with `clean_name`, and cut it to NAME_LENGTH. Return None if no visible character is left.

    Also return None if the cut name contains an address. `text` contains no address, but the cut can create one: the
    first half of a long number may be a phone number.
    """
    name = clean_name(text)
    return None if name and find_addresses(name, grammar.countries) else name


def _without(start: Start, whole: str, found: Sequence[FoundAddress], grammar: Grammar) -> Start:
    """Return a copy of `start` with the text `whole`, without its addresses, as the session's name.

    In the copy:

    - `name` is None if the remaining text can be a command, still contains an address, or has only words in FILLERS or
      NOUNS.
    - `send_to` is the only address. It is None if there are several addresses, or if the address is a phone number that
      is valid in several countries.
    - If the texts around a removed address form a new address, the new address is removed, too, and `send_to` is None.

    The parameters:

    - `start`: a Start that can already have a target and a conversation.
    - `whole`: the name that the requester typed, cut to MAX_TEXT_LENGTH.
    - `found`: the addresses in `whole`, at least one.
    """
    rest = without_addresses(whole, found)
    send_to = found[0].text or None if len(found) == 1 else None
    if more := find_addresses(rest, grammar.countries):  # the text around the removed addresses forms a new one
        rest, send_to = without_addresses(rest, more), None
    reading = command_words.read(command_words.split(rest))
    is_name = reading.meaning in (Meaning.PLAIN_NAME, Meaning.NAME) and not find_addresses(rest, grammar.countries)
    return replace(start, name=_short_name(rest, grammar) if is_name else None, send_to=send_to)


def _unknown_person(plain: str, text: str, grammar: Grammar) -> Choice:
    """Return the question about an `@name` that Slack did not turn into a mention.

    - `plain`: a part of the text that contains the `@name`, without accents and invisible characters.
    - `text`: the whole text as typed.
    """
    at = _AT_WORD.search(_unescaped(plain))
    return Choice(Ambiguity.UNKNOWN_PERSON, (_option(Start(), text, grammar),), f"@{clean(at[1]) if at else ''}")


def _person_later(text: str, typed: str, target: UserId, at: tuple[int, int], grammar: Grammar) -> Choice:
    """Return the question about a text that names a user after other words, such as "Checkout for @Ben".

    The first option is a session for this user; or a command for this user, if the other words can mean a command. The
    second option is a session for the requester, with the whole text as its name.

    - `text`: the text in which the user was found: `typed`, or `typed` without accents and invisible characters.
    - `typed`: the text as typed.
    - `at`: where the name of the user is in `text`: its start and its end, as for a slice.
    """
    label = _MARKUP.sub(_label, text[slice(*at)])
    rest = " ".join(_LEADS_TO_PERSON.sub(" ", text[: at[0]]).split() + text[at[1] :].split())
    reading = command_words.read(command_words.split(_normalized(rest)))
    mine = _as_start(Start(), typed, grammar)
    if reading.meaning in (Meaning.COMMAND, Meaning.EITHER):
        return Choice(Ambiguity.COMMAND, (option_of(reading.command, target), mine), reading.command)
    theirs = Start(target) if reading.meaning is Meaning.FILLERS else _as_start(Start(target), rest, grammar)
    return Choice(Ambiguity.PERSON, (theirs, mine), label)


_LEADS_TO_PERSON = re.compile(r"\b(?:for|with|to)\s*$", re.IGNORECASE)


def _as_start(start: Start, text: str, grammar: Grammar) -> Start:
    found = _start(start, text, grammar)
    return found if isinstance(found, Start) else _option(start, text, grammar)


def _subcommand(text: str, grammar: Grammar) -> Command | None:
    word, _, rest = text.partition(" ")
    word, rest = COMMANDS.get(word.lower(), ""), rest.strip()
    if not word or not re.fullmatch(RESERVED[word], rest):
        return None
    if word == "help" and rest.lower() == ALL:
        return Query(RequestKind.HELP, argument=ALL)
    if word == "help" and rest and rest.lower() not in RESERVED:
        return None
    if word in ("new", "link", "send") and not rest:
        return option_of(word)
    if word == "send" and (sent := _send(Start(), text, grammar)):
        return sent
    about = MENTION.match(rest)
    words = MENTION.sub("", rest).strip() if word != "help" else ""
    address = _ADDRESS.fullmatch(words)
    argument = address[1] if address else words.strip("`")
    if word == "send":
        return Query(RequestKind.PROPOSE, argument=pack("", argument))
    if word == "end" and find_addresses(argument, grammar.countries):  # an address is no session id
        return None
    return Query(RequestKind(word), UserId(about[1].upper()) if about else None, argument or None)


def _names_somebody(text: str) -> bool:
    return bool(MENTION.search(text) or _GROUP.search(text) or _BARE_PERSON.search(_normalized(text)))


def _typo_of(word: str) -> str:
    """Return the command word that a lower-case word misspells; "" for none. Names such as "lisa" misspell none."""
    return next((each for each in _TYPO_WORDS if _is_slip(word, each)), "")


def _is_slip(word: str, command: str) -> bool:
    """Return whether `word` is `command` with one slip of a finger.

    The slip is one of these:

    - Two neighboring letters are swapped, or one letter is doubled.
    - One letter is missing, but not the first one. The last one may be missing only if `word` still has
      MIN_TYPO_LENGTH letters. `command` has MIN_TYPO_LENGTH letters or more: "Ed" is a name.
    - One letter is wrong or too many, but not the first or last one. `command` has MIN_TYPO_LENGTH_OF_ANY letters or
      more: "Fast" is a name.
    """
    if word == command or abs(len(word) - len(command)) > 1:
        return False
    shared = min(len(word), len(command))
    at = next((place for place in range(shared) if word[place] != command[place]), shared)
    # the slip is neither in the first letter nor in the last one
    is_inside = 0 < at < (shared - 1 if len(word) == len(command) else shared)
    is_long = len(command) >= MIN_TYPO_LENGTH_OF_ANY
    rest, wanted = word[at:], command[at:]
    if len(word) > len(command):
        return rest[1:] == wanted and (word[at - 1 : at] == rest[0] or (is_long and is_inside))
    if len(word) < len(command):
        is_known = is_inside or len(word) >= MIN_TYPO_LENGTH
        return rest == wanted[1:] and at > 0 and is_known and len(command) >= MIN_TYPO_LENGTH
    is_swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return is_swapped or (is_long and is_inside and rest[1:] == wanted[1:])


def _is_quoted(text: str) -> bool:
    return len(text) >= 2 and text[0] in _OPENING and text[-1] in _CLOSING


def _normalized(text: str) -> str:
    """Convert a text for comparisons: to Unicode's form NFKD, without combining marks and invisible characters."""
    if text.isascii():
        return text.strip()
    letters = unicodedata.normalize("NFKD", text)[: 2 * MAX_TEXT_LENGTH]
    return "".join(c for c in letters if unicodedata.category(c)[0] not in "MC" and not _IGNORABLE.match(c)).strip()


def _unescaped(text: str) -> str:
    """Replace the entities by which Slack escapes `<`, `>` and `&` (see the module's docstring)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _is_visible(name: str) -> bool:
    seen = (c for c in name if unicodedata.category(c)[0] not in "MZ" and unicodedata.category(c) != "Cf")
    return any(not _IGNORABLE.match(c) for c in seen)


def _label(markup: re.Match[str]) -> str:
    """Return the text that Slack shows for `<https://…|label>`, `<#C…|name>` or `<@U…|name>`."""
    target, label = markup[1], markup[2]
    if target.startswith("@"):
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    return label or target.removeprefix("!").removeprefix("mailto:")
