"""Send a session's link to a customer by SMS or e-mail: preview it first, then send it once.

Only the session's requester and its host may send it, and only while the session is open. A message whose outcome is
unknown is never sent again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from bot.core.errors import (
    ConversationActiveError,
    InterruptedRequestError,
    SendRejectedError,
    SessionActionError,
)
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind, SessionId, SessionRecord
from bot.core.ports import CallHooks, MessageSender, StoredRequest
from bot.core.requests.handlers import Handler, Handlers, QueryHandler
from bot.core.requests.run import RequestRun
from bot.core.results import CustomerMessageSent, SendPreview
from bot.core.start_details import StartDetails, fingerprint
from bot.core.use_cases.sessions import SessionService
from bot.core.validation.contact import ContactAddress, ContactChannel, read_address

LINK = "{joinUrl}"
MAX_TEXT_LENGTH = 765
"""The maximum number of characters of an SMS at Genesys. The bot applies it to e-mails, too."""
MAX_PREVIEWED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingConfig:
    """The settings of customer messages. SMS or e-mail is off if its sender is "". `sms_countries` are ISO codes."""

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
    """Join a session id and a contact address to a request's `argument`. The id "" means the only open session."""
    return f"{session_id} {address}"  # no session's id has a space: ID in genesys/api/sessions.py


def unpack(argument: str | None) -> tuple[SessionId, str]:
    """Split a request's `argument` into the session id and the contact address."""
    session_id, _, address = (argument or "").partition(" ")
    return SessionId(session_id), address


def usable_address(config: MessagingConfig, text: str) -> ContactAddress:
    """Parse a contact address to which the settings allow messages. Raises SendRejectedError for any other text."""
    if not config.any_on:
        raise SendRejectedError("sending_off", "email" if "@" in text else "sms")
    address = read_address(text)
    if not config.is_on(address.medium):
        raise SendRejectedError("sending_off", address.medium.value)
    if address.medium is ContactChannel.SMS and address.country not in config.sms_countries:
        raise SendRejectedError("country_not_allowed", address.country)
    return address


@dataclass(frozen=True, slots=True)
class LinkOffers:
    """Decides whether the card of a new session offers to send its link. `key` is the secret for fingerprints."""

    config: MessagingConfig = MessagingConfig()
    key: bytes = field(default=b"", repr=False)

    def details(self, address: str) -> StartDetails:
        """Return the details for a start that names a contact address. Drop an address that the bot cannot send to."""
        mark = fingerprint(address, self.key)
        try:
            return StartDetails(send_to=usable_address(self.config, address).text, fingerprint=mark)
        except SendRejectedError as rejected:
            return StartDetails(rejected=rejected, fingerprint=mark)


class CustomerMessaging:
    """Previews and sends links to customers."""

    def __init__(self, sessions: SessionService, sender: MessageSender, config: MessagingConfig) -> None:
        self._sessions, self._sender, self._config = sessions, sender, config

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {RequestKind.PROPOSE: QueryHandler(self.preview), RequestKind.SEND: SendHandler(self)}

    async def preview(self, request: Request) -> SendPreview:
        """Return the sessions whose link can be sent, and the checked contact address. Send nothing."""
        session_id, text = unpack(request.argument)
        records: Sequence[SessionRecord]
        if session_id:
            records = [await self._sessions.readable(replace(request, argument=session_id))]
        else:
            records = (await self._sessions.status(request)).records
        if not records:
            raise SessionActionError("no_open_session")
        address = self._checked(text)
        with_links = tuple(record for record in records if record.session.join_url)
        if not with_links:
            raise SessionActionError("no_link_to_send")
        return SendPreview(with_links[:MAX_PREVIEWED], address)

    async def send(self, request: Request, hooks: CallHooks) -> CustomerMessageSent:
        """Send the message to the customer, once, and return the result."""
        session_id, text = unpack(request.argument)
        record = await self._sessions.readable(replace(request, argument=session_id))
        address = self._checked(text)
        if not record.session.join_url:
            raise SessionActionError("no_link_to_send")
        config, link = self._config, record.session.join_url
        if address.medium is ContactChannel.SMS:
            text_with_link = filled(config.sms_text, link)
            try:
                reference = await self._sender.sms(config.sms_from, address.text, text_with_link, hooks)
            except ConversationActiveError as error:
                error.join_url = link
                raise
        else:
            text_with_link = filled(config.email_text, link)
            reference = await self._sender.email(
                config.email_from, address.text, config.email_subject, text_with_link, hooks
            )
        return CustomerMessageSent(record, address, reference)

    async def replay(self, request: Request) -> CustomerMessageSent:
        """Build the result of a message that was sent before a crash. The service's correlation id is lost.

        Raises InterruptedRequestError when the session is no longer stored.
        """
        session_id, text = unpack(request.argument)
        record = await self._sessions.known(session_id)
        if record is None:
            raise InterruptedRequestError("interrupted", maybe_created=True)
        return CustomerMessageSent(record, read_address(text))

    def _checked(self, text: str) -> ContactAddress:
        return usable_address(self._config, text)


class SendHandler(Handler):
    """Carries out SEND. The state `creating` is committed before the message is sent, so a crash does not repeat it."""

    def __init__(self, messaging: CustomerMessaging) -> None:
        self._messaging = messaging

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> CustomerMessageSent:
        return await self._messaging.send(request, run)

    async def replay(self, stored: StoredRequest) -> CustomerMessageSent:
        return await self._messaging.replay(stored.request)


def check_text(text: str) -> str:
    """Return a message text of the settings if it is valid. Raises ValueError with the reason if it is not."""
    if text.count(LINK) != 1:
        raise ValueError(f"must hold {LINK} exactly once")
    if len(text) - len(LINK) > MAX_TEXT_LENGTH - 100:
        raise ValueError(f"must have {MAX_TEXT_LENGTH - 100} characters at most beside {LINK}, so that a link fits in")
    return text


def filled(text: str, link: str) -> str:
    """Return the text with {joinUrl} replaced by the link. Raises SendRejectedError when the result is too long."""
    whole = text.replace(LINK, link)
    if len(whole) > MAX_TEXT_LENGTH:
        raise SendRejectedError("text_too_long", str(MAX_TEXT_LENGTH))
    return whole
