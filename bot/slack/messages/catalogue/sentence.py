"""Define the catalogue's sentences, and fill in their placeholders (pure).

A sentence is a gettext entry: `key` is the context (msgctxt), `text` the English original (msgid). Babel extracts the
sentences from the calls of the functions below. Its keywords are `problem:1c,2 next_step:1c,2 told:1c,2 fault:1c,2
fix:1c,2 label:1c,2 said:1c,2 counted:1c,2,3`.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from bot.slack.messages.blocks import escape

FAR = timedelta(hours=6)
"""A time that is further away than this is shown with its date."""


class Reader(Enum):
    """The people who read a sentence."""

    EVERYBODY = auto()
    ADMINISTRATOR = auto()


class Part(Enum):
    """The part of a message that a sentence is for. Tests limit a sentence's length by its part."""

    PROBLEM = auto()
    NEXT_STEP = auto()
    TOLD = auto()
    """The next step, if somebody who can fix the fault already got a message about it."""
    FAULT = auto()
    """The fault, worded for administrators."""
    FIX = auto()
    """How to fix the fault, worded for administrators."""
    LABEL = auto()
    """Plain text of a button or field. It has no markup."""
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the catalogue, with named placeholders.

    `plural` is the form for any `{count}` but one; "" for a sentence without a count.
    """

    key: str
    text: str
    part: Part
    plural: str = ""

    @property
    def reader(self) -> Reader:
        """Return the people who read the sentence."""
        return Reader.ADMINISTRATOR if self.part in (Part.FAULT, Part.FIX) else Reader.EVERYBODY


CATALOGUE: dict[tuple[str, Part], Sentence] = {}
"""All sentences, by key and part."""


def _enter(sentence: Sentence) -> Sentence:
    if (sentence.key, sentence.part) in CATALOGUE:
        raise ValueError(f"two sentences for {sentence.key} ({sentence.part.name})")
    CATALOGUE[sentence.key, sentence.part] = sentence
    return sentence


def problem(key: str, text: str) -> Sentence:
    """Add the sentence that says what an error means to the person.

    `key` is the error's code, then `.variant` and `@situation` if the sentence depends on them.
    """
    return _enter(Sentence(key, text, Part.PROBLEM))


def next_step(key: str, text: str) -> Sentence:
    """Add the sentence that says what the person can do about an error. `key` is the same as for `problem`."""
    return _enter(Sentence(key, text, Part.NEXT_STEP))


def told(key: str, text: str) -> Sentence:
    """Add the next step for the case that the contact already got a message about the error."""
    return _enter(Sentence(key, text, Part.TOLD))


def fault(key: str, text: str) -> Sentence:
    """Add a sentence that tells administrators what is broken."""
    return _enter(Sentence(key, text, Part.FAULT))


def fix(key: str, text: str) -> Sentence:
    """Add a sentence that tells administrators how to fix an error."""
    return _enter(Sentence(key, text, Part.FIX))


def label(key: str, text: str) -> Sentence:
    """Add the plain text of a button, a field or a title."""
    return _enter(Sentence(key, text, Part.LABEL))


def said(key: str, text: str) -> Sentence:
    """Add a sentence that fits none of the other functions."""
    return _enter(Sentence(key, text, Part.TEXT))


def counted(key: str, text: str, plural: str) -> Sentence:
    """Add a sentence with a `{count}`. `text` is the form for one, `plural` the form for any other count."""
    return _enter(Sentence(key, text, Part.TEXT, plural))


class Markup(str):
    """Text that is already mrkdwn, such as a mention. `Language.say` escapes any other text."""

    __slots__ = ()


def mention(user_id: str) -> Markup:
    """Return the mrkdwn mention of a user."""
    return Markup(f"<@{user_id}>")


def channel_mention(channel_id: str) -> Markup:
    """Return the mrkdwn mention of a channel."""
    return Markup(f"<#{channel_id}>")


Value = str | int | datetime | Sentence


class Language:
    """Write sentences in one language: as Slack's mrkdwn or, with `plain`, as text for a terminal or a web page."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain

    def as_plain(self) -> "Language":
        """Return the same language for text without markup."""
        return Language(plain=True)

    def say(self, sentence: Sentence, **values: Value) -> str:
        """Return the sentence with its placeholders filled.

        A str is escaped, unless it is Markup or the text is plain. A datetime becomes a time in the reader's zone (UTC
        in plain text). A Sentence is filled in, too.
        """
        text = sentence.plural if sentence.plural and values["count"] != 1 else sentence.text
        plain = self._plain or sentence.part is Part.LABEL
        if plain:
            text = text.replace("`", "")
        if not values:
            return text
        return text.format_map({name: self._shown(value, plain) for name, value in values.items()})

    def wait(self, seconds: float) -> str:
        """Return a duration in words, such as "20 seconds". Infinity becomes "a few minutes"."""
        if math.isinf(seconds):
            return self.say(A_FEW_MINUTES)
        if seconds >= 90:
            return self.say(MINUTES, count=round(seconds / 60))
        return self.say(SECONDS, count=max(1, round(seconds)))

    def now(self) -> Markup:
        """Return the current time in the reader's zone."""
        return Markup(self.moment(datetime.now(UTC)))

    def moment(self, at: datetime) -> str:
        """Return a time in the reader's zone, with its date if it is more than six hours away.

        https://docs.slack.dev/messaging/formatting-message-text#date-formatting
        """
        return self._date(at, with_day=abs(at - datetime.now(UTC)) > FAR)

    def _shown(self, value: Value, plain: bool) -> str:
        match value:
            case Sentence():
                return self.say(value)
            case datetime():
                return self.moment(value)
            case Markup():
                return value
            case str():
                return value if plain else escape(value)
        return str(value)

    def _date(self, at: datetime, *, with_day: bool) -> str:
        try:
            at = at.astimezone(UTC)
        except OverflowError:  # in UTC, the time is beyond the years 1 to 9999
            return self.say(UNKNOWN_TIME)
        shown, plain = ("{date_short_pretty} at {time}", "%d %b %H:%M") if with_day else ("{time}", "%H:%M")
        text = f"{at.strftime(plain)} UTC"
        return text if self._plain else f"<!date^{int(at.timestamp())}^{shown}|{text}>"


A_FEW_MINUTES = said("wait.few_minutes", "a few minutes")
MINUTES = counted("wait.minutes", "{count} minute", "{count} minutes")
SECONDS = counted("wait.seconds", "{count} second", "{count} seconds")
UNKNOWN_TIME = said("time.unknown", "an unknown time")

ENGLISH = Language()
PLAIN_ENGLISH = Language(plain=True)
