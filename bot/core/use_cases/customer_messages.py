"""Send a session's link to a customer by SMS or email, after a preview.

Only the session's requester and agent may send the link, and only while the session is open. If the outcome of a
message is unknown, the bot does not send the message again.
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

    - `sms_from`: the sender of SMS messages; "" switches SMS off.
    - `sms_countries`: the ISO codes of the countries whose phone numbers may get an SMS.
    - `email_from`: the sender of emails; "" switches email off.
    - `texts`: what the messages say, in all languages.
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
    """Join a session id, the customer's address and the message's language into the `argument` of a request.

    - `session_id`: "" means that the requester chooses a session in the preview.
    - `language`: the language as gettext names it, such as "pt_BR"; "" means the default language.
    """
    line = f"{session_id} {address}"  # no session's id has a space: ID in genesys/api/sessions.py
    return f"{line}\n{language}" if language else line  # no typed text has a line break: the parser makes it one line


def in_language(argument: str, language: str) -> str:
    """Replace the language in the argument of a SEND request. Return the new argument.

    - `argument`: a text that `pack` returned.
    - `language`: the new language as gettext names it; "" means the default language.
    """
    session_id, address, _ = unpack(argument)
    return pack(session_id, address, language)


def unpack(argument: str | None) -> tuple[SessionId, str, str]:
    """Split an `argument` that `pack` made into the session id, the customer's address and the language.

    All three are "" if `argument` is None.
    """
    line, _, language = (argument or "").partition("\n")
    session_id, _, address = line.partition(" ")
    return SessionId(session_id), address, language


def usable_address(config: MessagingConfig, text: str) -> ContactAddress:
    """Parse a typed phone number or email address, and check that the settings allow messages to this address.

    Raises SendRejectedError if the address is invalid, or if the settings do not allow messages to the address.
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
    """Decides whether a session card offers to send the link to the customer's address that the requester typed.

    - `config`: the settings of messages to customers.
    - `key`: the secret with which the bot hashes addresses. The bot compares the hashes to find duplicate requests.
    """

    config: MessagingConfig = MessagingConfig()
    key: bytes = field(default=b"", repr=False)

    def details(self, address: str, thread: str = "") -> StartDetails:
        """Return the details of a START request in which the requester typed the customer's address.

        The details contain a hash of the address. If the bot can send messages to the address, they also contain the
        address, else the reason why the bot cannot.

        `thread`: Slack's id of the message in whose thread to post the session; "" for no thread.
        """
        mark = fingerprint(address, self.key)
        try:
            return StartDetails(send_to=usable_address(self.config, address).text, fingerprint=mark, thread=thread)
        except SendRejectedError as rejected:
            return StartDetails(rejected=rejected, fingerprint=mark, thread=thread)


class CustomerMessaging:
    """Previews, sends and cancels messages that contain a session's link."""

    def __init__(
        self,
        sessions: SessionService,
        sender: MessageSender,
        config: MessagingConfig,
        name_of: Callable[[UserId], Awaitable[str]],
    ) -> None:
        """Take the dependencies of the use case.

        `name_of`: returns a Slack user's name; raises SlackUnavailableError if the look-up in Slack fails.
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
        """Return the customer's address and the sessions whose link the requester can send. Send nothing.

        If the argument of the request names a session, return only this session. Otherwise, return the requester's open
        sessions that have a link, MAX_PREVIEWED at most.

        Raises SendRejectedError if the address is invalid, or if the settings do not allow messages to the address.
        Raises SessionActionError if there is no link to send, and SessionAccessError if the requester may not read the
        link.
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
        with_links = tuple(record for record in records if record.session.join_url)
        if not with_links:  # comes first, because no other address would help
            raise SessionActionError("no_link_to_send")
        address = self._checked(text)
        shown = with_links[:MAX_PREVIEWED]
        return SendPreview(shown, address, more + len(with_links) - len(shown))

    async def cancel(self, request: Request) -> SendCancelled:
        """Send nothing, because the requester pressed *Cancel* in a preview.

        The bot ignores a later press of *Send* in this preview, because both buttons of a preview make the same key.
        """
        await self._sessions.check_member(request)
        return SendCancelled()

    async def send(self, request: Request, hooks: CallHooks) -> CustomerMessageSent:
        """Send the message with the session's link to the customer.

        Raises SlackUnavailableError if the text needs the agent's name and Slack does not return the name. Raises
        another CobrowseError if the session has no link that the requester may send, if the settings do not allow
        messages to the address, or if Genesys does not accept the message.
        """
        session_id, text, language = unpack(request.argument)
        record = await self._sessions.readable(replace(request, argument=session_id))
        link = record.session.join_url
        if not link:
            raise SessionActionError("no_link_to_send")
        address = self._checked(text)
        texts, medium, sender = self._config.texts, address.medium, self._sender
        found = texts.in_language(medium, language)
        agent = await self._name_of(record.agent) if texts.names_agent(medium, language) else ""
        setting = texts.setting(medium, language)
        whole = texts.fill(found.of(medium), link, agent, setting)
        try:
            if medium is ContactChannel.SMS:
                reference = await sender.sms(self._config.sms_from, address.text, whole, hooks)
            else:
                subject = texts.fill(found.email_subject, link, agent)
                reference = await sender.email(self._config.email_from, address.text, subject, whole, hooks)
        except ConversationActiveError as error:
            error.join_url = link
            raise
        return CustomerMessageSent(record, address, reference, setting)

    async def replay(self, request: Request) -> CustomerMessageSent:
        """Return the result of a message that the bot sent before a crash. The result has no correlation id.

        Raises InterruptedRequestError if the session is no longer stored.
        """
        session_id, text, _ = unpack(request.argument)
        record = await self._sessions.known(session_id)
        if record is None:
            raise InterruptedRequestError("interrupted", maybe_created=True)
        return CustomerMessageSent(record, read_address(text))

    def _checked(self, text: str) -> ContactAddress:
        return usable_address(self._config, text)


class SendHandler(Handler):
    """Carries out requests that send a session's link to a customer (SEND).

    The bot stores the state `creating` before it sends the message, so it does not send the message again after a
    crash.
    """

    def __init__(self, messaging: CustomerMessaging) -> None:
        self._messaging = messaging

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> CustomerMessageSent:
        return await self._messaging.send(request, run)

    async def replay(self, stored: StoredRequest) -> CustomerMessageSent:
        return await self._messaging.replay(stored.request)
