"""Read the settings of messages to customers: sender addresses, countries and texts."""

import re
from dataclasses import replace
from functools import partial

from bot.config.reader import Reader
from bot.config.variables import VARIABLES
from bot.core.customer_texts import LANGUAGES, MAX_NAME_LENGTH, CustomerText, CustomerTexts, check_text
from bot.core.use_cases.customer_messages import MessagingConfig
from bot.core.validation.display import clean

COMPANY_SMS_TEXT = "{company}: tap to share your screen with {agent}: {joinUrl}"
"""The text of an SMS when COBROWSE_COMPANY is set and COBROWSE_SMS_TEXT has its default."""
_TEXTS = {"sms": "COBROWSE_SMS_TEXT", "email_subject": "COBROWSE_EMAIL_SUBJECT", "email": "COBROWSE_EMAIL_TEXT"}


def read_messaging(reader: Reader, is_encrypted: bool) -> MessagingConfig:
    """Read the settings of messages to customers. Add each fault of a setting to `reader`.

    `is_encrypted`: whether the database encrypts secrets. Without encryption, a sender address is a fault, because
    the database must not store customers' addresses as plain text.
    """
    sms_from, email_from = reader.plain("COBROWSE_SMS_FROM"), reader.plain("COBROWSE_EMAIL_FROM")
    if email_from:
        reader.parsed("COBROWSE_EMAIL_FROM", partial(_check_email, email_from))
    countries = [country.upper() for country in reader.words("COBROWSE_SMS_COUNTRIES", "[A-Za-z]{2}", "ISO country")]
    if unknown := _unknown(countries):
        reader.fault("COBROWSE_SMS_COUNTRIES", f"{', '.join(unknown)} is no ISO country such as US or GB.")
    if sms_from and not re.fullmatch(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}", sms_from):
        reader.fault("COBROWSE_SMS_FROM", "must be a number such as +14155550100, or a short code.")
    elif sms_from and not countries:
        reader.fault("COBROWSE_SMS_COUNTRIES", "is missing. COBROWSE_SMS_FROM needs it: name the countries, as US, GB.")
    senders = {"COBROWSE_SMS_FROM": sms_from, "COBROWSE_EMAIL_FROM": email_from}
    on = [name for name, value in senders.items() if value and not reader.has_fault(name)]
    if on and not is_encrypted:
        wanted = f"is missing. {on[0]} needs it: customers' numbers and addresses are kept encrypted, or not at all."
        reader.fault("STORE_ENCRYPTION_KEY", wanted)
    return MessagingConfig(
        sms_from=sms_from, sms_countries=frozenset(countries), email_from=email_from, texts=_read_texts(reader)
    )


def _read_texts(reader: Reader) -> CustomerTexts:
    """Read the default texts, and the texts for single languages. Add each fault of a text to `reader`.

    A language is in the result only if a setting gives a text for this language. If the email subject for the language
    is missing, the result has the default email subject instead. Other missing texts are "".
    """
    company = clean(reader.text("COBROWSE_COMPANY"), MAX_NAME_LENGTH)
    sms = reader.text("COBROWSE_SMS_TEXT")
    is_usual = sms == VARIABLES["COBROWSE_SMS_TEXT"].default
    default = _checked(
        reader,
        company,
        sms=COMPANY_SMS_TEXT if company and is_usual else sms,
        email_subject=reader.text("COBROWSE_EMAIL_SUBJECT"),
        email=reader.text("COBROWSE_EMAIL_TEXT"),
    )
    others: dict[str, CustomerText] = {}
    for language in LANGUAGES:
        suffix = f"_{language.upper()}"
        values = {key: reader.text(f"{name}{suffix}") for key, name in _TEXTS.items()}
        if any(values.values()):
            subject = values["email_subject"] or default.email_subject
            others[language] = replace(_checked(reader, company, suffix, **values), email_subject=subject)
    return CustomerTexts(default, others=others, company=company)


def _checked(reader: Reader, company: str, suffix: str = "", **values: str) -> CustomerText:
    for key, value in values.items():
        if value:
            check = partial(check_text, value, company, has_link=key != "email_subject")
            reader.parsed(f"{_TEXTS[key]}{suffix}", check)
    return CustomerText(**values)


def _unknown(countries: list[str]) -> list[str]:
    if not countries:
        return []
    import phonenumbers  # noqa: PLC0415 - loaded only when needed

    return [country for country in countries if country not in phonenumbers.SUPPORTED_REGIONS]


def _check_email(text: str) -> None:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - loaded only when needed

    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("must be an email address") from None
