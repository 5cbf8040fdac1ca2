"""Define the sentences of the catalogue, and fill in their placeholders in one language (pure).

A sentence is a gettext entry: `key` is the context (msgctxt), `text` the English original (msgid). The functions
`problem`, `next_step`, `fault`, `fix`, `label`, `said` and `counted` add a sentence to the catalogue, and return the
sentence. Each function sets the sentence's `part`. The functions raise ValueError if the catalogue already has a
sentence with this key and part.

Babel extracts the sentences from the calls of these functions, with the keywords `problem:1c,2 next_step:1c,2
fault:1c,2 fix:1c,2 label:1c,2 said:1c,2 counted:1c,2,3`. languages.py loads the translations.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cached_property
from gettext import NullTranslations

from bot.slack.messages.blocks import escape

FAR = timedelta(hours=6)
"""A time that is further from now than this, in the past or the future, is shown with its date."""


class Reader(Enum):
    """The readers of a sentence: everybody, or only administrators."""

    EVERYBODY = auto()
    ADMINISTRATOR = auto()


class Part(Enum):
    """The part of a message in which a sentence appears. Tests limit the length of a sentence by its part."""

    PROBLEM = auto()
    NEXT_STEP = auto()
    FAULT = auto()
    """What is broken, worded for administrators."""
    FIX = auto()
    """How to fix the fault, worded for administrators."""
    LABEL = auto()
    """Plain text of a button or field. It has no markup."""
    TEXT = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """A sentence of the catalogue, with named placeholders.

    - `key`: the context of the gettext entry.
    - `text`: the English text. If the sentence has a `{count}`, `text` is the form for a count of one.
    - `part`: the part of a message in which the sentence appears.
    - `plural`: the English form for any other `{count}`; "" for a sentence without a count.
    - `limit`: the maximum length of a label in characters, without its placeholders; 0 for no limit.
    """

    key: str
    text: str
    part: Part
    plural: str = ""
    limit: int = 0

    @property
    def reader(self) -> Reader:
        """Return who reads the sentence: administrators if its part is FAULT or FIX, everybody for any other part."""
        return Reader.ADMINISTRATOR if self.part in (Part.FAULT, Part.FIX) else Reader.EVERYBODY


CATALOGUE: dict[tuple[str, Part], Sentence] = {}
"""All sentences, by key and part."""


def _enter(sentence: Sentence) -> Sentence:
    if (sentence.key, sentence.part) in CATALOGUE:
        raise ValueError(f"two sentences for {sentence.key} ({sentence.part.name})")
    CATALOGUE[sentence.key, sentence.part] = sentence
    return sentence


def problem(key: str, text: str) -> Sentence:
    """Add to the catalogue a sentence that says what went wrong. Return the sentence.

    `key`: the error's code, then `.variant` and `@situation` if the sentence depends on them, such as
    `outcome_unknown@send`.
    """
    return _enter(Sentence(key, text, Part.PROBLEM))


def next_step(key: str, text: str) -> Sentence:
    """Add to the catalogue a sentence that says what the reader can do about an error. Return the sentence.

    `key`: the error's code, then `.variant` and `@situation` if the sentence depends on them.
    """
    return _enter(Sentence(key, text, Part.NEXT_STEP))


def fault(key: str, text: str) -> Sentence:
    """Add to the catalogue a sentence that tells administrators what is broken. Return the sentence.

    `key`: the error's code, then `.variant` if the sentence depends on more than the code.
    """
    return _enter(Sentence(key, text, Part.FAULT))


def fix(key: str, text: str) -> Sentence:
    """Add to the catalogue a sentence that tells administrators how to fix an error. Return the sentence.

    `key`: the error's code, then `.variant` if the sentence depends on more than the code.
    """
    return _enter(Sentence(key, text, Part.FIX))


BUTTON_LENGTH = 75
"""The maximum number of characters of a button's label.
https://docs.slack.dev/reference/block-kit/block-elements/button-element"""
TITLE_LENGTH = 24
"""The maximum number of characters of a modal's title, and of the label of each of its two buttons.
https://docs.slack.dev/reference/views/modal-views"""
HINT_LENGTH = 150
"""The maximum number of characters of a hint or an error below a field.
https://docs.slack.dev/reference/block-kit/composition-objects"""


def label(key: str, text: str, *, limit: int = BUTTON_LENGTH) -> Sentence:
    """Add to the catalogue the plain text of a button, a field or a title. Return the text as a Sentence.

    `limit`: the maximum length of the text in characters, without its placeholders.
    """
    return _enter(Sentence(key, text, Part.LABEL, limit=limit))


def said(key: str, text: str) -> Sentence:
    """Add to the catalogue a sentence of an answer, a card or other ordinary text. Return the sentence.

    Its `part` is Part.TEXT. For the other values of Part, use `problem`, `next_step`, `fault`, `fix` or `label`.
    """
    return _enter(Sentence(key, text, Part.TEXT))


def counted(key: str, text: str, plural: str) -> Sentence:
    """Add to the catalogue a sentence that depends on the number in its placeholder `{count}`. Return the sentence.

    - `text`: the form for a count of one.
    - `plural`: the form for any other count.
    """
    return _enter(Sentence(key, text, Part.TEXT, plural))


class Markup(str):
    """Text that is already mrkdwn, such as a mention. `Language.say` does not escape it."""

    __slots__ = ()


def mention(user_id: str) -> Markup:
    """Return the mrkdwn mention of a user."""
    return Markup(f"<@{user_id}>")


def channel_mention(channel_id: str) -> Markup:
    """Return the mrkdwn mention of a channel."""
    return Markup(f"<#{channel_id}>")


def group_mention(group_id: str) -> Markup:
    """Return the mrkdwn mention of a user group."""
    return Markup(f"<!subteam^{group_id}>")


@dataclass(frozen=True, slots=True)
class Filled:
    """A sentence and the values of its placeholders. It can fill a placeholder of another sentence."""

    sentence: Sentence
    values: Mapping[str, "Value"] = field(default_factory=dict)


Value = str | int | datetime | Sentence | Filled


class _Texts(dict[Sentence, str]):
    """The text of each sentence in one language. A text is looked up in the translations when it is first used.

    `plain`: True to remove the backquotes of mrkdwn from all texts, False to remove them from labels only.
    """

    def __init__(self, translations: NullTranslations, *, plain: bool) -> None:
        super().__init__()
        self._translations, self._plain = translations, plain

    def __missing__(self, sentence: Sentence) -> str:
        text = self._translations.pgettext(sentence.key, sentence.text)
        is_plain = self._plain or sentence.part is Part.LABEL
        self[sentence] = text = text.replace("`", "") if is_plain else text
        return text


class Language:
    """Writes sentences in one language, as mrkdwn or as plain text.

    The arguments of the constructor:

    - `code`: the name of the language, such as `pt_BR`.
    - `translations`: the gettext translations of the sentences; None for English.
    - `plain`: True to write plain text, which has no markup, for a terminal or a web page; False to write mrkdwn.
    """

    def __init__(self, code: str = "en", translations: NullTranslations | None = None, *, plain: bool = False) -> None:
        self.code = code
        self._translations = translations or NullTranslations()
        self._plain = plain
        self._texts = _Texts(self._translations, plain=plain)

    @cached_property
    def plain(self) -> "Language":
        """Return the Language that writes plain text, without markup, in the same language."""
        return self if self._plain else Language(self.code, self._translations, plain=True)

    def prepare(self, sentences: Sequence[Sentence]) -> None:
        """Look up the translations of these sentences now, so that later calls of `say` take less time."""
        for sentence in sentences:
            self._texts[sentence]

    def say(self, sentence: Sentence, **values: Value) -> str:
        """Return the sentence in this language, with its placeholders filled in.

        `values` are the values of the placeholders. A sentence from `counted` must have the value `count`.

        - A str is escaped, with three exceptions: Markup, a Language that writes plain text, and a sentence that is
          the plain text of a button or field (Part.LABEL).
        - A datetime becomes a time, as the method `moment` writes it.
        - A Sentence or Filled becomes its text.

        Return the English sentence if the translation has a placeholder without a value.
        """
        if not values:
            return self._texts[sentence]
        plain = self._plain or sentence.part is Part.LABEL
        shown = {name: self._shown(value, plain) for name, value in values.items()}
        try:
            return self._text(sentence, values, plain).format_map(shown)
        except (KeyError, ValueError, IndexError, AttributeError):
            return (ENGLISH.plain if plain else ENGLISH)._text(sentence, values, plain).format_map(shown)

    def fill(self, filled: Filled) -> str:
        """Return the sentence of `filled` in this language, with its placeholders filled in."""
        return self.say(filled.sentence, **filled.values)

    def wait(self, seconds: float) -> str:
        """Return a duration in words, such as "20 seconds". From 90 seconds on, round to minutes."""
        if seconds >= 90:
            return self.say(MINUTES, count=round(seconds / 60))
        return self.say(SECONDS, count=max(1, round(seconds)))

    def estimate(self, seconds: float) -> str:
        """Return an estimated duration in words, such as "about 20 seconds". From 90 seconds on, round to minutes.

        Infinity becomes "a few minutes".
        """
        if math.isinf(seconds):
            return self.say(A_FEW_MINUTES)
        if seconds >= 90:
            return self.say(ABOUT_MINUTES, count=round(seconds / 60))
        return self.say(ABOUT_SECONDS, count=max(1, round(seconds)))

    def duration(self, seconds: int) -> str:
        """Return a duration in words, exact to the second, such as "1 hour 30 minutes"."""
        hours, rest = divmod(seconds, 3600)
        counts = ((HOURS_LONG, hours), (MINUTES_LONG, rest // 60), (SECONDS_LONG, rest % 60))
        parts = [self.say(sentence, count=count) for sentence, count in counts if count]
        text = parts[0] if parts else self.say(SECONDS_LONG, count=0)
        for each in parts[1:]:
            text = self.say(TOGETHER_LONG, longer=Markup(text), shorter=Markup(each))
        return text

    def listed(self, items: Sequence[str], *, long: bool = False) -> Markup:
        """Join items to a list in this language, such as "A, B". Return "" if there are no items.

        Escape each item, unless the item is Markup or this Language writes plain text.

        `long`: whether to separate the items by semicolons, because an item may contain commas.
        """
        text = self._shown(items[0], self._plain) if items else ""
        for each in items[1:]:
            text = self.say(LISTED_LONG if long else LISTED, before=Markup(text), next=each)
        return Markup(text)

    def now(self) -> Markup:
        """Return the current time without a date, as markup that Slack shows in the reader's time zone.

        If this Language writes plain text, return the time in UTC, without markup.
        """
        return Markup(self.moment(datetime.now(UTC)))

    def moment(self, at: datetime) -> str:
        """Return a time as markup that Slack shows in the reader's time zone.

        If this Language writes plain text, return the time in UTC, without markup. In both forms, add the date if the
        time is more than six hours before or after now. A time that is outside the years 1 to 9999 in UTC becomes
        "an unknown time".
        https://docs.slack.dev/messaging/formatting-message-text#date-formatting
        """
        return self._date(at, with_day=abs(at - datetime.now(UTC)) > FAR)

    def _text(self, sentence: Sentence, values: Mapping[str, Value], plain: bool) -> str:
        if not sentence.plural:
            return self._texts[sentence]
        count = values["count"]
        assert isinstance(count, int)  # noqa: S101 - each counted sentence has one
        text = self._translations.npgettext(sentence.key, sentence.text, sentence.plural, count)
        return text.replace("`", "") if plain else text

    def _shown(self, value: Value, plain: bool) -> str:
        match value:
            case Markup():
                return value
            case str():
                return value if plain else escape(value)
            case datetime():
                return self.moment(value)
            case Sentence():
                return self.say(value)
            case Filled():
                return self.fill(value)
        return str(value)

    def _date(self, at: datetime, *, with_day: bool) -> str:
        try:
            at = at.astimezone(UTC)
        except OverflowError:  # in UTC, the time is beyond the years 1 to 9999
            return self.say(UNKNOWN_TIME)
        text = f"{at.hour:02}:{at.minute:02} UTC"
        if with_day:
            text = f"{at.strftime('%d %b' if self.code == ENGLISH.code else '%Y-%m-%d')} {text}"
        if self._plain:
            return text
        shown = self.say(DAY_AND_TIME, day="{date_short_pretty}", time="{time}") if with_day else "{time}"
        return f"<!date^{int(at.timestamp())}^{shown}|{text}>"


A_FEW_MINUTES = said("wait.few_minutes", "a few minutes")
MINUTES = counted("wait.minutes", "{count} minute", "{count} minutes")
SECONDS = counted("wait.seconds", "{count} second", "{count} seconds")
ABOUT_MINUTES = counted("wait.about_minutes", "about {count} minute", "about {count} minutes")
ABOUT_SECONDS = counted("wait.about_seconds", "about {count} second", "about {count} seconds")
HOURS_LONG = counted("duration.hours", "{count} hour", "{count} hours")
MINUTES_LONG = counted("duration.minutes", "{count} minute", "{count} minutes")
SECONDS_LONG = counted("duration.seconds", "{count} second", "{count} seconds")
TOGETHER_LONG = said("duration.together", "{longer} {shorter}")
LISTED = said("list.comma", "{before}, {next}")
LISTED_LONG = said("list.semicolon", "{before}; {next}")
DAY_AND_TIME = said("time.day_and_time", "{time} ({day})")
UNKNOWN_TIME = said("time.unknown", "an unknown time")

ENGLISH = Language()
PLAIN_ENGLISH = Language(plain=True)
