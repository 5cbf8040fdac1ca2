"""Parse the text after the slash command into one typed command (pure).

Text that may mean a user or a subcommand never becomes a session's name.
Slack escapes `&`, `<` and `>` and turns mentions into `<@U…|name>` because the manifest says should_escape.
"""

import difflib
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from bot.core.models import ConversationId, RequestKind, UserId
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.conversations import GenesysApp, is_address
from bot.core.validation.display import clean, one_line

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
    rf"{_FOR}(?:&lt;|<)?\s*[@＠﹫]|(?:to|with|start|{'|'.join(RESERVED)})\s+(?:&lt;)?[@＠﹫]", re.IGNORECASE
)
_PERSON_ID = r"[UW](?:0[A-Z0-9]{2,10}|(?=[A-Z]*[0-9])[A-Z0-9]{8,10})(?![A-Za-z0-9])"
"""A Slack user id: https://docs.slack.dev/reference/objects/user-object . "USA" and "W3C" are none."""
_BARE_PERSON = re.compile(
    rf"(?:^(?i:to|start|{'|'.join(RESERVED)})\s+|\b(?i:for|with)\s+){_PERSON_ID}|\b(?i:for|with)\s+@\S"
)
"""A typed user id in the place of a mention, or an @ that Slack did not turn into a mention."""
_GROUP = re.compile(r"<!(?:subteam\^|here|channel|everyone)", re.IGNORECASE)
"""A mention of a user group or of everybody in a channel."""
_NOT_A_PERSON = re.compile(rf"{_FOR}<[!#]", re.IGNORECASE)
_FIRST_WORD = re.compile(r"<([^<>|\s]+)(?:\|[^<>]*)?>|(\S+)")
_MARKUP = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_OPENING, _CLOSING = "\"'“”„‟‘’‚‛«»", "\"'“”‟‘’‛«»"
_QUOTATION = re.compile(f"[{_OPENING}][^{_OPENING}{_CLOSING}]*[{_CLOSING}]")
_MIN_SIMILARITY, MAX_TYPO_LENGTH = 0.74, 20
_ADDRESS = re.compile(r"<(?:mailto|tel):([^>|]+)(?:\|[^>]*)?>")
_HELP_FLAGS = ("?", "-h", "--help", "-help", "/help")
_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Invisible characters outside Unicode's format category (Unicode: Default_Ignorable_Code_Point)."""
MAX_TEXT_LENGTH = 2000
"""The parser cuts longer text, because it runs before the acknowledgement."""


class Reason(Enum):
    """The reasons why the parser rejects a text."""

    UNRESOLVED = "looks like a person, but Slack knows nobody by that name"
    NO_PERSON = "a group or a channel where a person belongs"
    TWO_PEOPLE = "more than one person"
    PERSON_LATER = "a person who does not stand first"
    NO_CONVERSATION = "an address that names no conversation"


@dataclass(frozen=True, slots=True)
class Start:
    """Start a session for the user `target`, or for the requester when it is None.

    `name` is None or 1 to 100 characters of plain text. `conversation_id` is the conversation that the text names.
    """

    target: UserId | None = None
    name: str | None = None
    conversation_id: ConversationId | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """Show the help because the text, `instead_of`, looks like a misspelt subcommand."""

    code = "help"
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """Run a subcommand that starts no session; `target` and `argument` are its user and its other argument."""

    kind: RequestKind
    target: UserId | None = None
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class New:
    """Open the form that starts a session."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Reject the text, because it may mean something other than a session's name."""

    code = "not_understood"
    reason: Reason


Command = Start | Query | New | Help | NotUnderstood


def parse(text: str, genesys_app: GenesysApp | None = None) -> Command:
    """Parse the text of a slash command's payload. Never raises.

    With a `genesys_app`, the first word of the session's name may be a conversation's id or URL.
    """
    if (
        len(text) > MAX_TEXT_LENGTH and "<@" in text[text.rfind(">", 0, MAX_TEXT_LENGTH) + 1 :]
    ):  # a mention after the cut, or one that the cut splits
        return NotUnderstood(Reason.PERSON_LATER)
    text = one_line(text[:MAX_TEXT_LENGTH]).strip()
    if not text:
        return Start()
    if _is_quoted(text) and not _names_somebody(_QUOTATION.sub("", text)):
        return Start(name=clean_name(text))
    if target := _TARGET.fullmatch(text):
        return _for_target(UserId(target[1].upper()), target[3], genesys_app)
    plain = _normalized(text)
    if _UNRESOLVED.match(plain):
        return NotUnderstood(Reason.UNRESOLVED)
    if _NOT_A_PERSON.match(plain) or _GROUP.search(plain):
        return NotUnderstood(Reason.NO_PERSON)
    if subcommand := _subcommand(text):
        return subcommand
    if _BARE_PERSON.search(plain):
        return NotUnderstood(Reason.UNRESOLVED)
    if MENTION.search(text):
        return NotUnderstood(Reason.PERSON_LATER)
    if text in _HELP_FLAGS:
        return Query(RequestKind.HELP)
    if " " not in text and _is_typo(text.lower()):
        return Help(instead_of=clean_name(text))
    return _start(None, text, genesys_app)


def clean_name(text: str) -> str | None:
    """Return a session's name without quotes, markup and control characters, at most 100 characters long.

    Return None when nothing is left. The result is plain text, so callers must escape it for Slack.
    """
    text = one_line(text).strip()
    if _is_quoted(text):
        text = text[1:-1]
    text = _MARKUP.sub(_label, text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain_name(text)


def plain_name(text: str) -> str | None:
    """Clean a name from a form, like `clean_name`; forms contain no markup."""
    name = clean(text)
    return name if _is_visible(name) else None


def _for_target(target: UserId, rest: str, genesys_app: GenesysApp | None) -> Command:
    if not _is_quoted(rest.strip()):
        if MENTION.search(rest):
            return NotUnderstood(Reason.TWO_PEOPLE)
        if _GROUP.search(rest):
            return NotUnderstood(Reason.NO_PERSON)
    return _start(target, rest.strip(), genesys_app)


def _start(target: UserId | None, text: str, genesys_app: GenesysApp | None) -> Command:
    first = _FIRST_WORD.match(text) if genesys_app and not _is_quoted(text) else None
    if first and genesys_app:
        word = (first[1] or first[2]).replace("&amp;", "&")
        if named := genesys_app.conversation_id(word):
            return Start(target, clean_name(text[first.end() :]), named)
        if is_address(word):
            return NotUnderstood(Reason.NO_CONVERSATION)
    return Start(target, clean_name(text))


def _subcommand(text: str) -> Command | None:
    word, _, rest = text.partition(" ")
    word, rest = word.lower(), rest.strip()
    if word not in RESERVED or not re.fullmatch(RESERVED[word], rest):
        return None
    if word == "help" and rest and rest.lower() not in RESERVED:
        return None
    if word == "new":
        return New()
    about = MENTION.match(rest)
    words = MENTION.sub("", rest).strip() if word != "help" else ""
    address = _ADDRESS.fullmatch(words)
    argument = address[1] if address else words.strip("`")
    if word == "send":
        return Query(RequestKind.PROPOSE, argument=pack("", argument))
    return Query(RequestKind(word), UserId(about[1].upper()) if about else None, argument or None)


def _names_somebody(text: str) -> bool:
    return bool(MENTION.search(text) or _GROUP.search(text) or _BARE_PERSON.search(_normalized(text)))


def _is_typo(word: str) -> bool:
    """Return whether the word resembles a reserved word, or has the same letters in another order."""
    if len(word) > MAX_TYPO_LENGTH:  # longer words resemble none
        return False
    close = difflib.get_close_matches(word, RESERVED, n=1, cutoff=_MIN_SIMILARITY)
    return bool(close) or any(sorted(word) == sorted(reserved) for reserved in RESERVED)


def _is_quoted(text: str) -> bool:
    return len(text) >= 2 and text[0] in _OPENING and text[-1] in _CLOSING


def _normalized(text: str) -> str:
    """Return the text in Unicode's form NFKD, without combining marks and invisible characters, for matching."""
    if text.isascii():
        return text.strip()
    letters = unicodedata.normalize("NFKD", text)[: 2 * MAX_TEXT_LENGTH]
    return "".join(c for c in letters if unicodedata.category(c)[0] not in "MC" and not _IGNORABLE.match(c)).strip()


def _is_visible(name: str) -> bool:
    """Return whether the name has a visible character."""
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
