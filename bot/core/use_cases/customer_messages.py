"""Send a session's link to a customer by SMS or email: preview it first, then send it once.

Only the session's requester and its agent may send the link, and only while the session is open. A message whose
outcome is unknown is never sent again.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from bot.core.customer_texts import NO_TEXTS, CustomerTexts
from bot.core.errors import (
    ConversationActiveError,
    InterruptedRequestError,
    SendRejectedError,
    SessionActionError,
)
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind, SessionId, SessionRecord, UserId
from bot.core.ports import CallHooks, MessageSender, StoredRequest
from bot.core.requests.handlers import Handler, Handlers, QueryHandler
from bot.core.requests.run import RequestRun
from bot.core.results import CustomerMessageSent, SendCancelled, SendPreview
from bot.core.start_details import StartDetails, fingerprint
from bot.core.use_cases.sessions import SessionService
from bot.core.validation.contact import ContactAddress, ContactChannel, read_address

MAX_PREVIEWED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingConfig:
    """The settings of messages to customers.

    `sms_from` and `email_from` are the senders, "" if that medium is off. `sms_countries`: the ISO codes of the
    countries that may get an SMS.
    """

    sms_from: str = ""
    sms_countries: Collection[str] = ()
    email_from: str = field(default="", repr=False)
    texts: CustomerTexts = NO_TEXTS

    @property
    def any_on(self) -> bool:
        return bool(self.sms_from or self.email_from)

    def is_on(self, medium: ContactChannel) -> bool:
        return bool(self.sms_from if medium is ContactChannel.SMS else self.email_from)


def pack(session_id: str, address: str, language: str = "") -> str:
    """Join a session id, the customer's address and a language to one text, a request's `argument`.

    The id "" means the only open session. The language "" means the language of the default text.
    """
    line = f"{session_id} {address}"  # no session's id has a space: ID in genesys/api/sessions.py
    return f"{line}\n{language}" if language else line  # no typed text has a line break: the parser makes it one line


def in_language(argument: str, language: str) -> str:
    """Return an `argument` made by `pack`, with its language replaced by `language`."""
    session_id, address, _ = unpack(argument)
    return pack(session_id, address, language)


def unpack(argument: str | None) -> tuple[SessionId, str, str]:
    """Split a request's `argument` into the session id, the customer's address and the customer's language."""
    line, _, language = (argument or "").partition("\n")
    session_id, _, address = line.partition(" ")
    return SessionId(session_id), address, language


def usable_address(config: MessagingConfig, text: str) -> ContactAddress:
    """Parse a phone number or email address that a person typed, and check that the bot can send to it.

    Raises SendRejectedError if the address is invalid or the settings do not allow it.
    """
    if not config.any_on:
        raise SendRejectedError("sending_off", "email" if "@" in text else "sms")
    address = read_address(text, config.sms_countries)
    if not config.is_on(address.medium):
        raise SendRejectedError("sending_off", address.medium.value)
    if address.medium is ContactChannel.SMS and address.country not in config.sms_countries:
        raise SendRejectedError("country_not_allowed", address.country)
    return address


@dataclass(frozen=True, slots=True)
class LinkOffers:
    """Decides whether a new session's card offers to send the link to the customer's address in the command.

    `key` is the secret for the fingerprints of addresses.
    """

    config: MessagingConfig = MessagingConfig()
    key: bytes = field(default=b"", repr=False)

    def details(self, address: str, thread: str = "") -> StartDetails:
        """Return the StartDetails of a START request whose text names the customer's address.

        The details hold the address if the bot can send to it, else the reason why the bot cannot. They hold the
        address's fingerprint in both cases. `thread` is the id of the message in whose thread to post the session, ""
        for none.
        """
        mark = fingerprint(address, self.key)
        try:
            return StartDetails(send_to=usable_address(self.config, address).text, fingerprint=mark, thread=thread)
        except SendRejectedError as rejected:
            return StartDetails(rejected=rejected, fingerprint=mark, thread=thread)


class CustomerMessaging:
    """Previews, sends and cancels messages that bring a session's link to a customer."""

    def __init__(
        self,
        sessions: SessionService,
        sender: MessageSender,
        config: MessagingConfig,
        name_of: Callable[[UserId], Awaitable[str]],
    ) -> None:
        """Take `name_of`, which returns a Slack user's name.

        It raises SlackUnavailableError if the look-up in Slack fails.
        """
        self._sessions, self._sender, self._config, self._name_of = sessions, sender, config, name_of

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {
            RequestKind.PROPOSE: QueryHandler(self.preview),
            RequestKind.SEND: SendHandler(self),
            RequestKind.CANCEL: QueryHandler(self.cancel),
        }

    async def preview(self, request: Request) -> SendPreview:
        """Check the customer's address, and return it with the sessions whose link the requester may send.

        Send nothing. Raises SendRejectedError for an invalid address, and SessionActionError if there is no link to
        send.
        """
        session_id, text, _ = unpack(request.argument)
        records: Sequence[SessionRecord]
        more = 0
        if session_id:
            records = [await self._sessions.readable(replace(request, argument=session_id))]
        else:
            found = await self._sessions.status_or_access(replace(request, argument=None))
            records, more = found.records, found.total - len(found.records)
        if not records:
            raise SessionActionError("no_open_session")
        address = self._checked(text)
        with_links = tuple(record for record in records if record.session.join_url)
        if not with_links:
            raise SessionActionError("no_link_to_send")
        shown = with_links[:MAX_PREVIEWED]
        return SendPreview(shown, address, more + len(with_links) - len(shown))

    async def cancel(self, request: Request) -> SendCancelled:
        """Cancel a message in its preview, and return the result.

        The press on *Cancel* and the press that sends have the same key. So the store then accepts no SEND from that
        preview.
        """
        await self._sessions.check_member(request)
        return SendCancelled()

    async def send(self, request: Request, hooks: CallHooks) -> CustomerMessageSent:
        """Send the message to the customer, once, and return the result.

        Raises SlackUnavailableError if the text needs the agent's name and Slack does not return it. Raises another
        CobrowseError if the session or the address does not allow the message, or if Genesys does not accept it.
        """
        session_id, text, language = unpack(request.argument)
        record = await self._sessions.readable(replace(request, argument=session_id))
        address, link = self._checked(text), record.session.join_url
        if not link:
            raise SessionActionError("no_link_to_send")
        texts, medium, sender = self._config.texts, address.medium, self._sender
        found = texts.in_language(medium, language)
        agent = await self._name_of(record.agent) if texts.names_agent(medium, language) else ""
        whole = texts.fill(found.of(medium), link, agent)
        try:
            if medium is ContactChannel.SMS:
                reference = await sender.sms(self._config.sms_from, address.text, whole, hooks)
            else:
                subject = texts.fill(found.email_subject, link, agent)
                reference = await sender.email(self._config.email_from, address.text, subject, whole, hooks)
        except ConversationActiveError as error:
            error.join_url = link
            raise
        return CustomerMessageSent(record, address, reference)

    async def replay(self, request: Request) -> CustomerMessageSent:
        """Return the result of a message that was sent before a crash. The service's correlation id is lost.

        Raises InterruptedRequestError when the session is no longer stored.
        """
        session_id, text, _ = unpack(request.argument)
        record = await self._sessions.known(session_id)
        if record is None:
            raise InterruptedRequestError("interrupted", maybe_created=True)
        return CustomerMessageSent(record, read_address(text))

    def _checked(self, text: str) -> ContactAddress:
        return usable_address(self._config, text)


class SendHandler(Handler):
    """Carries out requests of the kind SEND, which send a session's link to a customer.

    The state `creating` is committed before the message is sent, so that the message is not sent again after a crash.
    """

    def __init__(self, messaging: CustomerMessaging) -> None:
        self._messaging = messaging

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> CustomerMessageSent:
        return await self._messaging.send(request, run)

    async def replay(self, stored: StoredRequest) -> CustomerMessageSent:
        return await self._messaging.replay(stored.request)
