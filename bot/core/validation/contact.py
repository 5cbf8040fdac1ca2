"""Check the phone number or e-mail address that a user types for a customer (pure).

The libraries phonenumbers (Google's libphonenumber) and email-validator decide. The functions import them on first use,
since most bots send nothing to customers. No check asks the network whether an address exists.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.errors import SendRejectedError

TEXT_LENGTH = 254
_TAKE_SMS = ("MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP")
"""The types of numbers that can receive an SMS at a normal price.

Premium-rate and personal numbers cost more (+44 70 looks like a mobile number). Fixed lines receive no SMS.
"""


class ContactChannel(StrEnum):
    """The ways to send a message to a customer."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """A customer's address: `text` is a phone number in E.164 or an e-mail address in ASCII.

    `country` is the ISO code of the number's country, "" when there is none.
    """

    medium: ContactChannel
    text: str = field(repr=False)
    country: str = ""

    @property
    def shown(self) -> str:
        """Return the whole address; a phone number in its international format."""
        if self.medium is ContactChannel.EMAIL:
            return self.text
        import phonenumbers  # noqa: PLC0415 - see above

        number = phonenumbers.parse(self.text)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @property
    def masked(self) -> str:
        """Return the part that a log may contain: the last four digits, or `@` and the domain."""
        return f"…{self.text[self.text.index('@') :] if self.medium is ContactChannel.EMAIL else self.text[-4:]}"


def read_address(text: str) -> ContactAddress:
    """Parse a phone number or an e-mail address as typed. Raises SendRejectedError for any other text."""
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
