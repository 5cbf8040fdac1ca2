"""The link in the customer's hand, by SMS or e-mail: asked about first, then sent once.

Who may is looked at anew each time: the session's requester and its host, while it is open. A message goes out like a
create: when nobody knows whether it went, it is not sent again. How it travels is for the service's side.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from bot.core.errors import (
    ConversationActiveError,
    CountryNotAllowedError,
    NoLinkToSendError,
    NoOpenSessionError,
    RequestInterruptedError,
    SendingOffError,
    TextTooLongError,
)
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind, SessionId, SessionRecord
from bot.core.ports import CallHooks, MessageSender, StoredRequest
from bot.core.requests.handlers import Handler, Handlers, QueryHandler
from bot.core.requests.run import RequestRun
from bot.core.results import CustomerMessageSent, SendPreview
from bot.core.use_cases.sessions import SessionService
from bot.core.validation.contact import ContactAddress, ContactChannel, read_address

LINK = "{joinUrl}"
TEXT_LENGTH = 765
"""As many characters as Genesys takes for an SMS; an e-mail is held to them, too."""
MOST_PROPOSED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingConfig:
    """From whom, in which words, and to which countries (ISO codes). Without a sender the medium is off."""

    sms_from: str = ""
    sms_text: str = ""
    sms_countries: Collection[str] = ()
    email_from: str = field(default="", repr=False)
    email_subject: str = ""
    email_text: str = ""

    @property
    def any_on(self) -> bool:
        return bool(self.sms_from or self.email_from)

    def is_on(self, medium: ContactChannel) -> bool:
        return bool(self.sms_from if medium is ContactChannel.SMS else self.email_from)


def pack(session_id: str, address: str) -> str:
    """A request's `argument`: whose link goes where. Without a session ("") it is for the one that is open."""
    return f"{session_id} {address}"  # no session's id has a space in it: see genesys/sessions.py, ID


def unpack(argument: str | None) -> tuple[SessionId, str]:
    """And back."""
    session_id, _, address = (argument or "").partition(" ")
    return SessionId(session_id), address


class CustomerMessaging:
    """Answers the wish, and the press that confirms it."""

    def __init__(self, register: SessionService, carrier: MessageSender, terms: MessagingConfig) -> None:
        self._register, self._carrier, self._terms = register, carrier, terms

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {RequestKind.PROPOSE: QueryHandler(self.propose), RequestKind.SEND: SendHandler(self)}

    async def propose(self, request: Request) -> SendPreview:
        """Which link would go where."""
        session_id, text = unpack(request.argument)
        records: Sequence[SessionRecord]
        if session_id:
            records = [await self._register.readable(replace(request, argument=session_id))]
        else:
            records = (await self._register.status(request)).records
        if not records:
            raise NoOpenSessionError
        address = self._checked(text)
        with_links = tuple(record for record in records if record.session.join_url)
        if not with_links:
            raise NoLinkToSendError
        return SendPreview(with_links[:MOST_PROPOSED], address)

    async def send(self, request: Request, hooks: CallHooks) -> CustomerMessageSent:
        """Sends it, once."""
        session_id, text = unpack(request.argument)
        record = await self._register.readable(replace(request, argument=session_id))
        address = self._checked(text)
        if not record.session.join_url:
            raise NoLinkToSendError
        terms, link = self._terms, record.session.join_url
        if address.medium is ContactChannel.SMS:
            words = filled(terms.sms_text, link)
            try:
                reference = await self._carrier.sms(terms.sms_from, address.text, words, hooks)
            except ConversationActiveError as error:
                error.join_url = link
                raise
        else:
            words = filled(terms.email_text, link)
            reference = await self._carrier.email(terms.email_from, address.text, terms.email_subject, words, hooks)
        return CustomerMessageSent(record, address, reference)

    async def recall(self, request: Request) -> CustomerMessageSent:
        """That it was sent, once more; the service's reference was not kept. Raises RequestInterruptedError."""
        session_id, text = unpack(request.argument)
        record = await self._register.known(session_id)
        if record is None:
            raise RequestInterruptedError(maybe_created=True)
        return CustomerMessageSent(record, read_address(text))

    def _checked(self, text: str) -> ContactAddress:
        """An address that may be sent to."""
        if not self._terms.any_on:
            raise SendingOffError("email" if "@" in text else "sms")
        address = read_address(text)
        if not self._terms.is_on(address.medium):
            raise SendingOffError(address.medium.value)
        if address.medium is ContactChannel.SMS and address.country not in self._terms.sms_countries:
            raise CountryNotAllowedError(address.country)
        return address


class SendHandler(Handler):
    """Carries out SEND. Its message goes out once: `creating` is committed before, and a crash does not repeat it."""

    def __init__(self, messaging: CustomerMessaging) -> None:
        self._messaging = messaging

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> CustomerMessageSent:
        return await self._messaging.send(request, run)

    async def replay(self, stored: StoredRequest) -> CustomerMessageSent:
        return await self._messaging.recall(stored.request)


def check_text(text: str) -> str:
    """A text as the settings may have it. Raises ValueError with what is wrong."""
    if text.count(LINK) != 1:
        raise ValueError(f"must hold {LINK} exactly once")
    if len(text) - len(LINK) > TEXT_LENGTH - 100:
        raise ValueError(f"must have {TEXT_LENGTH - 100} characters at most beside {LINK}, so that a link fits in")
    return text


def filled(text: str, link: str) -> str:
    """With the link in it. Raises TextTooLongError."""
    whole = text.replace(LINK, link)
    if len(whole) > TEXT_LENGTH:
        raise TextTooLongError(TEXT_LENGTH)
    return whole
