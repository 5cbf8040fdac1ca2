"""Where a customer can be reached: a phone number or an e-mail address as typed -> checked, or why not (pure).

Numbers are Google's libphonenumber's to know, addresses email-validator's: libraries that are loaded once there is
something to check, since most bots send nothing. Nobody is asked whether they exist.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.errors import SendRejectedError

TEXT_LENGTH = 254
_TAKE_SMS = ("MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP")
"""Neither premium-rate nor personal numbers, which would cost the company (+44 70 looks like a mobile, and costs more),
nor fixed lines, which would swallow the text."""


class ContactChannel(StrEnum):
    """How something gets to a customer."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """`text` is a number in E.164 or an e-mail address in ASCII; `country` the number's ISO code, "" for none."""

    medium: ContactChannel
    text: str = field(repr=False)
    country: str = ""

    @property
    def shown(self) -> str:
        """In full, the way people write it."""
        if self.medium is ContactChannel.EMAIL:
            return self.text
        import phonenumbers  # noqa: PLC0415 - see above

        number = phonenumbers.parse(self.text)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @property
    def masked(self) -> str:
        """What may stand in a log: the last four digits, or the domain."""
        return f"…{self.text[self.text.index('@') :] if self.medium is ContactChannel.EMAIL else self.text[-4:]}"


def read_address(text: str) -> ContactAddress:
    """Raises SendRejectedError."""
    text = text.strip()
    return _email(text) if "@" in text else _number(text)


def _email(text: str) -> ContactAddress:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - see above

    try:
        found = validate_email(text[: TEXT_LENGTH + 1], check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise SendRejectedError("invalid_address", "email") from None
    return ContactAddress(ContactChannel.EMAIL, found.ascii_email or found.normalized)


def _number(text: str) -> ContactAddress:
    if not text:
        raise SendRejectedError("invalid_address", "none")
    if not text.startswith(("+", "＋")):
        raise SendRejectedError("invalid_address", "country" if text[0].isdigit() or text[0] == "(" else "neither")
    import phonenumbers  # noqa: PLC0415 - see above

    try:
        number = phonenumbers.parse(text[: TEXT_LENGTH + 1])
    except phonenumbers.NumberParseException:
        raise SendRejectedError("invalid_address", "number") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise SendRejectedError("invalid_address", "number")
    if phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)) not in _TAKE_SMS:
        raise SendRejectedError("invalid_address", "sms")
    country = phonenumbers.region_code_for_number(number) or ""
    return ContactAddress(
        ContactChannel.SMS, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), country
    )
