"""Define a sentence of the catalogue, and how its placeholders are filled (pure).

A sentence is a gettext entry: `key` is the context (msgctxt), `text` the English original (msgid). Babel extracts the
calls of the functions below by these keywords: `problem:1c,2 next_step:1c,2 told:1c,2 fault:1c,2 fix:1c,2
label:1c,2 said:1c,2 counted:1c,2,3`.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from bot.slack.messages.blocks import escape

FAR = timedelta(hours=6)
"""A time that is further away is shown with its day."""


class Reader(Enum):
    """Who reads a sentence."""

    EVERYBODY = auto()
    ADMINISTRATOR = auto()


class Part(Enum):
    """Where in a message a sentence stands, and so how long it may be."""

    PROBLEM = auto()
    NEXT_STEP = auto()
    TOLD = auto()
    """The next step once somebody who can repair it has been told."""
    FAULT = auto()
    """What is broken, for administrators."""
    FIX = auto()
    """How to repair it, for administrators."""
    LABEL = auto()
    """Plain text on a button or field, without markup."""
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Sentence:
    """Hold one sentence with named placeholders. `plural`: the form for counts other than one, or ""."""

    key: str
    text: str
    part: Part
    plural: str = ""

    @property
    def reader(self) -> Reader:
        """Who reads it."""
        return Reader.ADMINISTRATOR if self.part in (Part.FAULT, Part.FIX) else Reader.EVERYBODY


CATALOGUE: dict[tuple[str, Part], Sentence] = {}
"""Every sentence, by key and part."""


def _enter(sentence: Sentence) -> Sentence:
    if (sentence.key, sentence.part) in CATALOGUE:
        raise ValueError(f"two sentences for {sentence.key} ({sentence.part.name})")
    CATALOGUE[sentence.key, sentence.part] = sentence
    return sentence


def problem(key: str, text: str) -> Sentence:
    """Enter what an error means to the person. `key`: its code, then `.variant` and `@situation` where they matter."""
    return _enter(Sentence(key, text, Part.PROBLEM))


def next_step(key: str, text: str) -> Sentence:
    """Enter what the person can do about an error."""
    return _enter(Sentence(key, text, Part.NEXT_STEP))


def told(key: str, text: str) -> Sentence:
    """Enter the next step for an error about which the contact has been told."""
    return _enter(Sentence(key, text, Part.TOLD))


def fault(key: str, text: str) -> Sentence:
    """Enter what is broken, for administrators."""
    return _enter(Sentence(key, text, Part.FAULT))


def fix(key: str, text: str) -> Sentence:
    """Enter how an administrator repairs it."""
    return _enter(Sentence(key, text, Part.FIX))


def label(key: str, text: str) -> Sentence:
    """Enter the text of a button, field or title: plain text."""
    return _enter(Sentence(key, text, Part.LABEL))


def said(key: str, text: str) -> Sentence:
    """Enter any other sentence."""
    return _enter(Sentence(key, text, Part.TEXT))


def counted(key: str, text: str, plural: str) -> Sentence:
    """Enter a sentence with a `{count}`: the form for one, and the form for other counts."""
    return _enter(Sentence(key, text, Part.TEXT, plural))


class Markup(str):
    """Text that is mrkdwn already, such as a mention. Everything else is escaped when it fills a placeholder."""

    __slots__ = ()


def mention(user_id: str) -> Markup:
    """Return a user's mention."""
    return Markup(f"<@{user_id}>")


def channel_mention(channel_id: str) -> Markup:
    """Return a channel's mention."""
    return Markup(f"<#{channel_id}>")


Value = str | int | datetime | Sentence


class Language:
    """Say sentences in one language and one markup: Slack's mrkdwn, or plain text for terminal and web page."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain

    def say(self, sentence: Sentence, **values: Value) -> str:
        """Return the sentence with its placeholders filled.

        A str is escaped, unless it is Markup, or the sentence a label. A datetime becomes a time in the reader's zone.
        A Sentence is said, too.
        """
        text = sentence.plural if sentence.plural and values["count"] != 1 else sentence.text
        plain = self._plain or sentence.part is Part.LABEL
        if plain:
            text = text.replace("`", "")
        if not values:
            return text
        return text.format_map({name: self._shown(value, plain) for name, value in values.items()})

    def wait(self, seconds: float) -> str:
        """Return a duration the way people say it; it may be infinite, then it is "a few minutes"."""
        if math.isinf(seconds):
            return self.say(A_FEW_MINUTES)
        if seconds >= 90:
            return self.say(MINUTES, count=round(seconds / 60))
        return self.say(SECONDS, count=max(1, round(seconds)))

    def now(self) -> Markup:
        """Return the current time in the reader's zone."""
        return Markup(self.moment(datetime.now(UTC)))

    def moment(self, at: datetime) -> str:
        """Return a time in the reader's zone, with its day when it is far away.

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
        except OverflowError:  # at the ends of the calendar
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
