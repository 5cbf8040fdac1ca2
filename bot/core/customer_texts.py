"""The texts of messages to customers, by language, and their placeholders (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.errors import SendRejectedError
from bot.core.validation.contact import ContactChannel
from bot.core.validation.display import clean

LINK, COMPANY, AGENT = "{joinUrl}", "{company}", "{agent}"
MAX_TEXT_LENGTH = 765
"""The maximum number of characters of an SMS at Genesys. The bot applies it to emails, too."""
MAX_LINK_LENGTH = 100
"""The number of characters that a text in the settings must leave free for the session's link."""
MAX_NAME_LENGTH = 60
"""The maximum length of the agent's name and of the company's name in a text. Longer names are cut."""
LANGUAGES = ("en", "es", "pt_BR", "fr", "de", "ja")
"""The languages that a text can be written in, as gettext names them."""
_PLACEHOLDER = re.compile(r"\{[A-Za-z_]+\}")


@dataclass(frozen=True, slots=True)
class CustomerText:
    """The texts of a message to a customer in one language: an SMS, and an email's subject and body.

    A text is "" if the settings have no such text in this language.
    """

    sms: str = ""
    email_subject: str = ""
    email: str = ""

    def of(self, medium: ContactChannel) -> str:
        """Return the text for a medium: the SMS or the body of the email."""
        return self.sms if medium is ContactChannel.SMS else self.email


@dataclass(frozen=True, slots=True)
class CustomerTexts:
    """The texts of messages to customers, in all languages.

    - `default`: the texts that customers get unless the agent chooses another language.
    - `language`: the language of `default`.
    - `others`: the texts in the other languages, by language.
    - `company`: the company's name, which replaces the placeholder COMPANY.
    """

    default: CustomerText = CustomerText()
    language: str = "en"
    others: Mapping[str, CustomerText] = field(default_factory=dict)
    company: str = ""

    def languages(self, medium: ContactChannel) -> tuple[str, ...]:
        """Return the default language, then the other languages that have a text for this medium."""
        others = [name for name, text in self.others.items() if text.of(medium) and name != self.language]
        return (self.language, *others)

    def in_language(self, medium: ContactChannel, language: str) -> CustomerText:
        """Return the texts in `language`. Return the default texts if `language` has no text for this medium."""
        other = self.others.get(language)
        return other if other and other.of(medium) else self.default

    def names_agent(self, medium: ContactChannel, language: str) -> bool:
        """Return whether a message to a customer contains the placeholder AGENT. For an email, also check the subject.

        - `medium`: the medium of the message.
        - `language`: the language of the message. The message has the texts that `in_language` returns.
        """
        text = self.in_language(medium, language)
        return AGENT in text.of(medium) or (medium is ContactChannel.EMAIL and AGENT in text.email_subject)

    def setting(self, medium: ContactChannel, language: str) -> str:
        """Return the name of the setting with the text that `in_language` returns, such as COBROWSE_SMS_TEXT_DE."""
        suffix = "" if self.in_language(medium, language) is self.default else f"_{language.upper()}"
        return f"COBROWSE_{medium.value.upper()}_TEXT{suffix}"

    def fill(self, text: str, link: str, agent: str = "", setting: str = "") -> str:
        """Return `text` with the session's link, the agent's name and the company's name in place of the placeholders.

        - `agent`: the agent's name; "" if `text` does not contain the placeholder AGENT.
        - `setting`: the name of the setting with the text, for the error.

        Raises SendRejectedError if the result is longer than MAX_TEXT_LENGTH.
        """
        values = {COMPANY: self.company, AGENT: clean(agent, MAX_NAME_LENGTH), LINK: link}
        whole = _PLACEHOLDER.sub(lambda found: values.get(found[0], found[0]), text)
        if len(whole) > MAX_TEXT_LENGTH:
            raise SendRejectedError("text_too_long", str(MAX_TEXT_LENGTH), setting)
        return whole


NO_TEXTS = CustomerTexts()


def check_text(text: str, company: str = "", *, has_link: bool = True) -> str:
    """Check a text from the settings and return it unchanged. Raises ValueError with the reason if the text is invalid.

    A text is invalid if it has an unknown placeholder, or if it is too long. Without the link, it can have at most
    MAX_TEXT_LENGTH - MAX_LINK_LENGTH characters. The agent's name counts as MAX_NAME_LENGTH characters.

    - `company`: the company's name. If it is "", a text with the placeholder COMPANY is invalid.
    - `has_link`: True to require the placeholder LINK exactly once, False to forbid it.
    """
    if text.count(LINK) != has_link:
        raise ValueError(f"must hold {LINK} exactly once" if has_link else f"must not hold {LINK}")
    unknown = [each for each in _PLACEHOLDER.findall(text) if each not in (LINK, COMPANY, AGENT)]
    if unknown:
        raise ValueError(f"holds {unknown[0]}. Only {LINK}, {COMPANY} and {AGENT} are filled")
    if COMPANY in text and not company:
        raise ValueError(f"holds {COMPANY}, and COBROWSE_COMPANY is not set")
    whole = text.replace(LINK, "").replace(COMPANY, company).replace(AGENT, "x" * MAX_NAME_LENGTH)
    if len(whole) > MAX_TEXT_LENGTH - MAX_LINK_LENGTH:
        most = MAX_TEXT_LENGTH - MAX_LINK_LENGTH
        raise ValueError(f"must have {most} characters at most beside {LINK}, so that a link fits in")
    return text
