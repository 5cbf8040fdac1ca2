"""What can go wrong when a link is to be sent to a customer: one class each, as in errors.py."""

from dataclasses import dataclass

from bot.core.errors import CobrowseError, ServiceError


@dataclass(eq=False)
class SendingOff(CobrowseError):
    """The settings name no sender for this medium, "sms" or "email"."""

    code = "sending_off"
    medium: str


@dataclass(eq=False)
class BadAddress(CobrowseError):
    """Neither a number nor an e-mail address that can be sent to; `why`: "none", "neither", "country", "number", "sms"
    or "email"."""

    code = "invalid_address"
    why: str


@dataclass(eq=False)
class CountryNotAllowed(CobrowseError):
    """The number is of a country outside COBROWSE_SMS_COUNTRIES: its ISO code, "" for none."""

    code = "country_not_allowed"
    country: str


class NoLinkToSend(CobrowseError):
    """The session has a code alone, which says nothing without the page it is typed into."""

    code = "no_link_to_send"


class LinkUsedUp(CobrowseError):
    """The service knows the offer no more, so that its link would lead nowhere: see desk.remembered.Look."""

    code = "link_used_up"


@dataclass(eq=False)
class TextTooLong(CobrowseError):
    """With the link in it the text has more than `most` characters."""

    code = "text_too_long"
    most: int


class ConversationActive(ServiceError):
    """The customer is in an SMS conversation with the company already, so that Genesys sends nothing beside it.

    `join_url` is the link that was to be sent. It is for the answer alone: no record of the error holds it.
    """

    code = "conversation_active"
    join_url = ""
