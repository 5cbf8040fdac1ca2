"""Check the phone number or email address that a user types for a customer (pure). Uses no network.

The libraries phonenumbers (Google's libphonenumber) and email-validator are imported on first use, because most bots
send nothing to customers.
"""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.errors import SendRejectedError
from bot.core.models import NAME_LENGTH

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

TEXT_LENGTH = 254
MAY_HOLD_ADDRESS = re.compile(r"[@＠﹫]|(?:\d\D{0,3}){6}")
"""Matches every text that contains a phone number or an email address, and some other texts, too."""
_STRAIGHT = str.maketrans("＠﹫＋﹢．", "@@++.")
_OUTSIDE = r"\s@<>()\[\],;:\"'`“”„«»"
_EMAIL = re.compile(rf"(?<![^{_OUTSIDE}])[^{_OUTSIDE}]+@[^{_OUTSIDE}]+\.[^{_OUTSIDE}.!?]{{2,}}")
_WITH_PLUS = re.compile(r"\+[\s(]{0,2}\d(?:[\s()./\-‐-―]{0,3}\d){6,}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LINKING = re.compile(r"(?:\b(?:at|by|for|from|in|of|on|over|to|via|with)\b|[\s,:;/&–—-])+$", re.IGNORECASE)
"""Prepositions and punctuation directly before an address, such as " to" in "by SMS to"."""
_MAX_TRIES = 10
"""How many parts of a text are tried as a phone number, at most. The parts differ in where they begin or end."""
_TAKE_SMS = ("MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP")
"""The types of numbers that can receive an SMS at a normal price.

Premium-rate and personal numbers cost more (+44 70 looks like a mobile number). Fixed lines receive no SMS.
"""


class ContactChannel(StrEnum):
    """The media of messages to customers."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """A customer's address.

    - `text`: a phone number in E.164, or an email address in ASCII.
    - `country`: the ISO code of the phone number's country; "001" for an international number, such as +883…; "" for
      an email address, or if the country is unknown.
    """

    medium: ContactChannel
    text: str = field(repr=False)
    country: str = ""

    @property
    def shown(self) -> str:
        """Return the whole address for display. A phone number is in the international format, with spaces."""
        if self.medium is ContactChannel.EMAIL:
            return self.text
        import phonenumbers  # noqa: PLC0415 - see above

        number = phonenumbers.parse(self.text)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @property
    def masked(self) -> str:
        """Return the part of the address that a log may contain: the last four digits, or `@` and the domain."""
        return f"…{self.text[self.text.index('@') :] if self.medium is ContactChannel.EMAIL else self.text[-4:]}"


def read_address(text: str, countries: Collection[str] = ()) -> ContactAddress:
    """Parse a phone number or an email address that a person typed.

    `countries`: ISO codes. A number without a plus must be able to receive an SMS in exactly one of these countries.

    Raises SendRejectedError if the text is neither a valid phone number nor a valid email address, if the country of a
    number without a plus is not clear, or if the number cannot receive an SMS.
    """
    text = text.strip()
    return _email(text) if "@" in text else _number(text, countries)


@dataclass(frozen=True, slots=True)
class FoundAddress:
    """A phone number or email address at `whole[start:end]` of a longer text `whole`.

    The field `text` depends on what was found:

    - a valid phone number: the number in E.164
    - a number that is valid in several countries: ""
    - an email address, or an invalid number: as the person typed it
    """

    start: int
    end: int
    text: str = field(repr=False)


def find_addresses(text: str, countries: Collection[str] = ()) -> Sequence[FoundAddress]:
    """Return the email addresses and phone numbers in the first NAME_LENGTH + TEXT_LENGTH characters of a text.

    Return them in the order of the text, without overlaps. A number with a plus counts if it has seven digits or more,
    even if it is invalid. A number without a plus counts if it is valid in at least one of `countries` (ISO codes).
    """
    text = text[: NAME_LENGTH + TEXT_LENGTH].translate(_STRAIGHT)
    if not MAY_HOLD_ADDRESS.search(text):
        return ()
    text = _UUID.sub(lambda found: "x" * len(found[0]), text)
    found = [FoundAddress(one.start(), one.end(), one[0]) for one in _EMAIL.finditer(text)]
    _add(found, _numbers(text, countries))
    _add(found, [_with_plus(one.start(), one[0]) for one in _WITH_PLUS.finditer(text)])
    return sorted(found, key=lambda one: one.start)


def without_addresses(text: str, found: Sequence[FoundAddress], mark: str = "") -> str:
    """Return the text with each address in `found` replaced by `mark`. Each run of white space becomes one space.

    - `found`: the result of `find_addresses` for this text.
    - `mark`: the replacement. With "", also remove the punctuation around each address, and the prepositions directly
      before it, such as "to".
    """
    for one in reversed(found):
        before = text[: one.start] if mark else _LINKING.sub("", text[: one.start].rstrip("(<[\"'"))
        after = text[one.end :] if mark else text[one.end :].lstrip(")>]\"'.,:;-–— ")
        text = f"{before}{mark or ' '}{after}"
    return " ".join(text.split())


def _with_plus(start: int, run: str) -> FoundAddress:
    """Return the longest valid phone number that begins where `run` begins; if there is none, all of `run`.

    `run`: a plus and digits, with spaces or punctuation between them. `start`: the position of `run` in the whole text.
    """
    import phonenumbers  # noqa: PLC0415 - see above

    ends = [gap.start() for gap in re.finditer(r"\s", run)][-_MAX_TRIES:]
    for end in (len(run), *reversed(ends)):
        try:
            number = phonenumbers.parse(run[:end])
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return FoundAddress(start, start + end, text)
    return FoundAddress(start, start + len(run), run)


def _add(found: list[FoundAddress], more: Sequence[FoundAddress]) -> None:
    """Append each address of `more` to `found`, unless the address overlaps an address in `found`."""
    found += [one for one in more if not any(one.start < other.end and other.start < one.end for other in found)]


def _numbers(text: str, countries: Collection[str]) -> Sequence[FoundAddress]:
    """Return the valid phone numbers in a text, the longest first. If two numbers overlap, keep only the longer one.

    A number without a plus must be valid in at least one of `countries` (ISO codes).
    """
    if "+" not in text and not countries:
        return ()
    import phonenumbers  # noqa: PLC0415 - see above

    places: dict[tuple[int, int], set[str]] = {}
    for country in (None, *sorted(countries)):
        matcher = phonenumbers.PhoneNumberMatcher(text, country, phonenumbers.Leniency.VALID, _MAX_TRIES)
        for match in matcher:
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            places.setdefault((match.start, match.end), set()).add(number)
    longest_first = sorted(places, key=lambda place: place[0] - place[1])
    found: list[FoundAddress] = []
    for start, end in longest_first:
        numbers = places[start, end]
        _add(found, [FoundAddress(start, end, numbers.pop() if len(numbers) == 1 else "")])
    return found


def _email(text: str) -> ContactAddress:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - see above

    try:
        found = validate_email(text[: TEXT_LENGTH + 1], check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise SendRejectedError("invalid_address", "email") from None
    return ContactAddress(ContactChannel.EMAIL, found.ascii_email or found.normalized)


def _national(text: str, countries: Collection[str]) -> str:
    """Convert a phone number without a plus to E.164.

    Read the text as a number of each of `countries` (ISO codes), and keep the valid numbers. If some of them can
    receive an SMS, keep only these. Return "" unless exactly one number is left.
    """
    import phonenumbers  # noqa: PLC0415 - see above

    takes_sms: set[str] = set()
    valid: set[str] = set()
    for country in countries:
        with suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(text[: TEXT_LENGTH + 1], country)
            if phonenumbers.is_valid_number_for_region(number, country) and not number.extension:
                written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                (takes_sms if _takes_sms(number) else valid).add(written)
    found = takes_sms or valid
    return found.pop() if len(found) == 1 else ""


def _takes_sms(number: "PhoneNumber") -> bool:
    import phonenumbers  # noqa: PLC0415 - see above

    return phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)) in _TAKE_SMS


def _number(text: str, countries: Collection[str]) -> ContactAddress:
    if not text:
        raise SendRejectedError("invalid_address", "none")
    if not text.startswith(("+", "＋")):
        looks_national = text[0].isdigit() or text[0] == "("
        text = _national(text, countries) if looks_national else ""
        if not text:
            raise SendRejectedError("invalid_address", "country" if looks_national else "neither")
    import phonenumbers  # noqa: PLC0415 - see above

    try:
        number = phonenumbers.parse(text[: TEXT_LENGTH + 1])
    except phonenumbers.NumberParseException:
        raise SendRejectedError("invalid_address", "number") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise SendRejectedError("invalid_address", "number")
    if not _takes_sms(number):
        raise SendRejectedError("invalid_address", "sms")
    country = phonenumbers.region_code_for_number(number) or ""
    return ContactAddress(
        ContactChannel.SMS, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), country
    )
