"""Render all messages of the bot: answers to requests, errors and notices (pure).

error_copy.py chooses the sentences about errors, session_card.py renders sessions, and replies.py renders the answers
to inquiries.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.errors import (
    CobrowseError,
    ConversationActiveError,
    HostNotFoundError,
    NotAcceptedError,
    RetryRejectedError,
    SendRejectedError,
    ServiceError,
    SessionActionError,
    SeveralConversationsError,
    SharingError,
)
from bot.core.models import (
    Notice,
    NoticeKind,
    Request,
    RequestId,
    RequestKind,
    SessionStarted,
    TeamId,
    UserId,
    WaitNotice,
)
from bot.core.results import (
    AccessReport,
    AccessRequested,
    AdministratorsTold,
    CommandSuggested,
    CustomerMessageSent,
    ListKind,
    ListPage,
    OpenSession,
    Result,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
)
from bot.core.start_details import details_of
from bot.slack.command_parser import Choice
from bot.slack.messages.ambiguity import end_question, offer, retry_argument, suggested
from bot.slack.messages.blocks import FAILURE_BLOCK, Block, Message, buttons, context, section
from bot.slack.messages.catalogue.errors import TELL, Situation
from bot.slack.messages.catalogue.sentence import (
    ENGLISH,
    Filled,
    Language,
    Markup,
    Value,
    channel_mention,
    group_mention,
    mention,
    said,
)
from bot.slack.messages.catalogue.slack_errors import reason, remedy
from bot.slack.messages.conversation_choice import open_already, picker
from bot.slack.messages.error_copy import (
    SOMEBODY,
    Addressee,
    ErrorCopy,
    error_copy,
    fault_name,
    reference_line,
    tell_sentence,
)
from bot.slack.messages.failures.buttons import ASKABLE, Offers, failure_buttons, highlighted
from bot.slack.messages.help import PLAIN, Capabilities
from bot.slack.messages.notices.access import access_notice, ask_button, connect_button, welcome
from bot.slack.messages.notices.ended import ended_notice
from bot.slack.messages.notices.faults import fault_notice
from bot.slack.messages.notices.help_requests import administrators_told, help_notice
from bot.slack.messages.replies import reply
from bot.slack.messages.session_card import CardRenderer, link_alone, place_of
from bot.slack.messages.session_list import list_message

NOT_REPEATABLE = (
    RequestKind.LINK,
    RequestKind.PROPOSE,
    RequestKind.SEND,
    RequestKind.CANCEL,
)  # their argument is an address, and the store deletes it once the request is answered
SITUATIONS = {RequestKind.START: Situation.START, RequestKind.SEND: Situation.SEND}
"""The situation of an error, by the kind of request. All other kinds have Situation.QUERY. A SendRejectedError always
has Situation.SEND."""
IN_THREAD = said("thread.posted", "Posted in the thread.")
NOT_IN_THREAD = said("thread.not_posted", "I couldn’t post it in the thread.")
TAB_OFF = "messages_tab_disabled"
"""Slack's error code if the app's Messages tab is off."""
DIRECT_IS_OFF = SharingError("message_not_posted", slack_error=TAB_OFF, passes=False)
DIRECT_OFF = said("card.direct_off", "I can’t send you direct messages here.")
STARTING = said("note.starting", "Starting your session…")
WORKING = said("note.working", "Working on it…")
WAITING_START = said("note.waiting_start", "Genesys is busy. Your link comes in {wait}.")
WAITING = said("note.waiting", "Genesys is busy. Your answer comes in {wait}.")


@dataclass(frozen=True, slots=True)
class MessageRenderer:
    """Renders the messages of one installation.

    - `command`: the slash command.
    - `contact`: the person or channel to ask for help.
    - `features`: the optional features.
    """

    command: str = "/cobrowse"
    contact: Value = SOMEBODY
    features: Capabilities = PLAIN
    language_of: Callable[[str | None], Language] = lambda reader: ENGLISH
    """Returns the language in which to write to a user or channel, by its id; None stands for an unknown reader."""
    can_repair: Callable[[UserId], bool] = lambda user_id: False
    """Returns whether a user can fix faults of the bot. Error messages to such a user say how to fix them."""
    told: Callable[[CobrowseError], Sequence[str]] = lambda error: ()
    """Returns the ids of the users and channels that have got a message about the fault that caused an error."""
    telling: Callable[[CobrowseError], Sequence[str]] = lambda error: ()
    """Returns the ids of the users and channels for whom a message about the fault is stored, but not sent yet."""
    can_tell: bool = False
    """Whether the bot can send a message to the contact or to an administrator."""
    genesys_url: str = ""
    """The address of the Genesys web app, "" if unknown."""
    can_connect: Callable[[UserId], bool] = lambda user_id: False
    """Returns whether a user can connect people to Genesys users."""
    has_administrators: bool = False
    """Whether at least one person can connect people to Genesys users."""
    access_contact: Value = ""
    """A mention of the person or channel that people ask to connect them to a Genesys user; "" for nobody.

    It equals `contact` if `contact` mentions a channel, an administrator, or a person who is perhaps in a user group of
    administrators. Otherwise it mentions an administrator.
    """
    contact_name: Callable[[], str] = lambda: ""
    """Returns the name of `access_contact`; "" if `access_contact` is no person, or if the name is unknown."""
    starts_anywhere: bool = True
    """Whether sessions can start anywhere; False if the settings allow only certain channels."""

    def addressee(self, reader: UserId | None, *, repairs: bool = True) -> Addressee:
        """Return what an error message needs to know about its reader.

        - `reader`: the user's id; None if unknown.
        - `repairs`: if False, the message does not say how to fix a fault, even to a reader who can fix faults.
        """
        can_repair = repairs and reader is not None and self.can_repair(reader)
        return Addressee(self.language_of(reader), self.command, self.contact, can_repair)

    def answer(self, request: Request, outcome: Result) -> Message:
        """Render the result of a request for its requester."""
        if isinstance(outcome, SessionStarted):
            return self._with_thread(self.card(request, outcome), outcome, request.requester)
        if request.is_on_card and (card := self._card_after(request, outcome)):
            return card
        if isinstance(outcome, SessionEnded) and outcome.card:
            cards, other = self.cards_for(request.requester), outcome.other_open
            done, place = cards.other_ended(outcome.record), place_of(request)
            return cards.of_record(outcome.card, request.requester, place, done=done, other=other)
        if isinstance(outcome, SessionActionError) and outcome.records:
            viewer = (request.team_id, request.requester)
            return list_message(_choice(outcome), viewer, self.cards_for(request.requester), self.command)
        if isinstance(outcome, CobrowseError):
            return self._failed(request, outcome)
        if isinstance(outcome, CommandSuggested):
            return suggested(request, outcome, self.cards_for(request.requester), self.command)
        if isinstance(outcome, OpenSession):
            session = outcome.record.session
            is_readable = bool(session.join_url or session.join_code)
            card = self.card(request, SessionStarted(session)) if is_readable else None
            return open_already(request, outcome, card, self.addressee(request.requester))
        if isinstance(outcome, AdministratorsTold):
            contact = told_markup(outcome.readers, self.contact) or self.contact
            return administrators_told(outcome, contact, self.addressee(request.requester).language)
        if isinstance(outcome, AccessReport):
            return self._access_report(request, outcome)
        is_access = isinstance(outcome, AccessRequested)
        to = self.access_addressee(request.requester) if is_access else self.addressee(request.requester)
        return reply(to, outcome, request, self.features)

    def _failed(self, request: Request, error: CobrowseError) -> Message:
        situation = SITUATIONS.get(request.kind, Situation.QUERY)
        if isinstance(error, SendRejectedError):  # PROPOSE raises it, too, before the person confirms
            situation = Situation.SEND
        return self.failure(
            error,
            request.id,
            reader=request.requester,
            is_repeatable=request.kind not in NOT_REPEATABLE,
            situation=situation,
            argument=retry_argument(request),
            is_stored=not isinstance(error, NotAcceptedError | RetryRejectedError),
            opens_form=request.view_id is None and self.features.in_conversations,
        )

    def _access_report(self, request: Request, report: AccessReport) -> Message:
        """Render the answer to the command `why`, which asks whether a person can start sessions."""
        if error := own_refusal(request, report):
            return self.failure(
                error,
                request.id,
                reader=request.requester,
                is_repeatable=False,
                situation=Situation.START if report.refusal else Situation.QUERY,
                has_reference=False,
            )
        message = reply(self.addressee(request.requester), report, request, self.features)
        if report.refusal or report.host:
            return message
        missing = HostNotFoundError(request.agent, is_target=request.for_another, tried=report.missed)
        row = self.access_buttons(missing, request.requester)
        return Message(message.text, [*message.blocks, *([buttons(*row)] if row else [])])

    def end_question(self, request: Request, choice: Choice, found: SessionList) -> Message:
        """Render the question about a text that may be a command to end a session.

        `found`: the requester's open sessions.
        """
        return end_question(request, choice, found, self.cards_for(request.requester), self.command)

    def _with_thread(self, card: Message, started: SessionStarted, reader: UserId) -> Message:
        """Return a copy of a card with a line about the thread: whether the bot has posted the session in the thread.

        Return the card unchanged if the requester chose no thread.
        """
        to = self.addressee(reader, repairs=False)
        if started.is_shared:
            note = context(f":white_check_mark: {to.language.say(IN_THREAD)}")
        elif isinstance(error := started.share_error, CobrowseError):
            copy = error_copy(error, Situation.QUERY, to)
            note = section(f":warning: *{to.language.say(NOT_IN_THREAD)}* {copy.text}")
        else:
            return card
        return Message(card.text, [*card.blocks, note])

    def card(self, request: Request, started: SessionStarted) -> Message:
        """Render the card of a started session for its requester."""
        session, cards = started.session, self.cards_for(request.requester)
        offered: list[Block] = []
        if request.argument:
            details, texts = details_of(request.argument), self.features.customer_texts
            offered = offer(session, details, request.id, cards.language, texts)
        return cards.started(request, session, agent_told=started.agent_told, offered=offered)

    def cards_for(self, reader: UserId | None) -> CardRenderer:
        """Return the renderer of session cards in the language of this reader."""
        return CardRenderer(self.features, self.language_of(reader))

    def _card_after(self, request: Request, outcome: Result) -> Message | None:
        """Render the card of a session again, after a press on one of the card's buttons.

        Return None for a result that does not change the card, such as most errors.
        """
        cards = self.cards_for(request.requester)
        match outcome:
            case SessionEnded(record=record):
                return cards.closed(record)
            case SessionActionError(code="already_ended", record=record) if record:
                return cards.closed(record)
            case SessionActionError(code="link_used_up", record=record) if record:
                return cards.used_up(record)
            case SessionActionError(code="customer_joined", record=record) if record:
                return cards.joined(record, request.requester)
            case SessionShared(record=record, channel_id=channel_id):
                done = cards.posted(channel_id)
            case SentDirect(record=record):
                done = cards.copied()
            case CustomerMessageSent(record=record, address=address):
                done = cards.sent(address)
            case _:
                return None
        return cards.of_record(record, request.requester, place_of(request), done=done)

    def failure(
        self,
        error: CobrowseError,
        request_id: RequestId,
        *,
        reader: UserId | None = None,
        is_repeatable: bool = True,
        situation: Situation = Situation.START,
        argument: str = "",
        is_stored: bool = False,
        opens_form: bool = False,
        has_reference: bool = True,
    ) -> Message:
        """Render an error: the problem, the next step, buttons, and the ids that support needs.

        - `reader`: the user who reads the message; None if unknown.
        - `is_repeatable`: whether *Try again* can repeat the request.
        - `situation`: what the person asked the bot to do.
        - `argument`: the argument of the new start that *Try again* sends; "" for none.
        - `is_stored`: whether the store holds the request and its error. Only then can a button tell the
          administrators.
        - `opens_form`: whether a button can open the form for a new session. A message in a modal has no such button.
        - `has_reference`: whether to show the ids that support needs. An error for which `is_plain_fact` is True never
          has ids.
        """
        if isinstance(error, SeveralConversationsError):
            return picker(error, self.addressee(reader), request_id, argument)
        describe = self.access_addressee if isinstance(error, HostNotFoundError) else self.addressee
        to = self._informed(describe(reader), error)
        copy = error_copy(error, situation, to)
        blocks = _problem_blocks(error, copy)
        offers = Offers(
            request_id,
            argument,
            situation,
            is_repeatable=is_repeatable,
            is_stored=is_stored and reader is not None,
            opens_form=opens_form,
            can_tell=self.can_tell,
            name="" if _names_another(to.contact, self.access_contact) else self.contact_name(),
            genesys_url=self.genesys_url,
        )
        first = self.access_buttons(error, reader) if isinstance(error, HostNotFoundError) else []
        if row := highlighted([*first, *failure_buttons(error, copy, offers, to.language)]):
            blocks.append(buttons(*row))
        if has_reference and not is_plain_fact(error):
            service = error.reference if isinstance(error, ServiceError) else None
            blocks.append(reference_line(to.language, request_id, service))
        return Message(copy.text, blocks)

    def _informed(self, to: Addressee, error: CobrowseError) -> Addressee:
        """Return a copy of `to` with new values of `told` and `telling`.

        `told` mentions a user or channel that has a message about the fault that caused the error. `telling` mentions
        one that will get a message. Each is "" if there is none.
        """
        told, telling = (told_markup(find(error), self.contact) for find in (self.told, self.telling))
        return replace(to, told=told, telling=telling)

    def without_direct(self, message: Message, reader: UserId) -> Message:
        """Return a copy of `message` with a last line. The line says that the bot cannot send direct messages.

        It also says how to turn direct messages on, if `reader` can fix faults. Otherwise it says whom to tell.
        """
        to = self._informed(self.addressee(reader), DIRECT_IS_OFF)
        if to.can_repair:
            why = f"{reason(to.language, TAB_OFF)} {remedy(to.language, TAB_OFF)}"
        else:
            sentence, contact = tell_sentence(TELL, to)
            why = f"{to.language.say(DIRECT_OFF)} {to.language.say(sentence, contact=contact)}"
        return Message(message.text, [*message.blocks, context(f":information_source: {why}")])

    def names_contact(self, outcome: object) -> bool:
        """Return whether a button in the message about `outcome` can show `contact_name`.

        If False, the caller need not ask Slack for the name.

        `outcome`: a result or an error.
        """
        if isinstance(outcome, AccessReport):
            return not outcome.refusal and not outcome.host
        if not isinstance(outcome, CobrowseError):
            return False
        if isinstance(outcome, HostNotFoundError) or outcome.code in ASKABLE:
            return True
        return fault_name(outcome) is not None and not (self.told(outcome) or self.telling(outcome))

    def access_addressee(self, reader: UserId | None) -> Addressee:
        """Return what a message about a person without a Genesys user needs to know about its reader.

        In the result, `contact` is this object's `access_contact`. If that is "", it is this object's `contact`.

        `reader`: the id of the user who reads the message; None if unknown.
        """
        to = self.addressee(reader)
        return replace(to, contact=self.access_contact) if self.access_contact else to

    def access_buttons(self, error: HostNotFoundError, reader: UserId | None) -> list[Block]:
        """Build the button that helps a person who has no Genesys user.

        - For an administrator, the button opens the dialog that connects the person.
        - For another reader, the button asks an administrator to connect the person.

        Return [] if `reader` is None, or if the installation has nobody who can connect people.
        """
        if reader is not None and self.can_connect(reader):
            return [connect_button((TeamId(""), error.user_id), self.language_of(reader), is_primary=True)]
        if reader is None or not self.has_administrators:
            return []
        return [ask_button(error, self.language_of(reader), self.contact_name())]

    def notice(self, notice: Notice, opened_at: datetime, reader: str) -> Message:
        """Render the message that shows a notice to one reader.

        - `opened_at`: the value of `notice.opened_at` when the bot posted the message; for a new message, the present
          value. If `notice.opened_at` has changed since, the bot has posted a newer message. The older message of a
          fault or of a request for access that is not over then refers to the newer one.
        - `reader`: the id of the user or channel.
        """
        to = self.addressee(UserId(reader), repairs=False)
        match notice.kind:
            case NoticeKind.ENDED:
                return ended_notice(notice, to.language)
            case NoticeKind.ACCESS:
                return access_notice(notice, to, opened_at)
            case NoticeKind.WELCOME:
                return welcome(notice, to, has_form=self.starts_anywhere)
            case NoticeKind.HELP:
                return help_notice(notice, replace(to, can_repair=True))
        return fault_notice(notice, replace(to, can_repair=True), opened_at, self.features.runbook_url)

    def note(self, request: Request, note: WaitNotice) -> Message:
        """Render an interim message to the requester: the request waits for Genesys, or is still being processed."""
        is_start, language = request.kind is RequestKind.START, self.language_of(request.requester)
        text = language.say(STARTING if is_start else WORKING)
        if note.wait_seconds is not None:
            wait = language.estimate(note.wait_seconds)
            text = language.say(WAITING_START if is_start else WAITING, wait=wait)
        return Message(text, [section(f":hourglass_flowing_sand: {text}")])


def is_plain_fact(error: CobrowseError) -> bool:
    """Return whether the error only states a fact and nothing has failed.

    Examples: the session has already ended, the request was already repeated, the customer's address is invalid.
    """
    return isinstance(error, SessionActionError | RetryRejectedError) or error.code == "invalid_address"


def own_refusal(request: Request, outcome: AccessReport) -> CobrowseError | None:
    """Return the error that keeps the requester from starting a session; None if the requester can start one.

    `outcome`: the result of the command `why`. Return None, too, if the requester asked about another person.
    """
    if request.for_another:
        return None
    if outcome.refusal or outcome.host:
        return outcome.refusal
    return HostNotFoundError(request.requester, is_target=False, tried=outcome.missed)


def _problem_blocks(error: CobrowseError, copy: ErrorCopy) -> list[Block]:
    """Build the first blocks of an error message: the problem, the next step, and the join URL if the error has one."""
    icon = ":information_source:" if is_plain_fact(error) else ":warning:"
    blocks = [section("\n".join((f"{icon} *{copy.problem}*", *copy.lines)), FAILURE_BLOCK)]
    return blocks + link_alone(error.join_url) if isinstance(error, ConversationActiveError) else blocks


def _choice(error: SessionActionError) -> SessionList:
    """Return the sessions in the error as a list that asks which session to end."""
    page = ListPage(ListKind.END, agent=error.agent)
    return SessionList(error.records[: page.size], page, len(error.records))


MAX_CONTACTS = 2
SEVERAL_CONTACTS = said("contact.either", "{first} or {second}")


def contact_markup(contact: str, admins: Collection[str] = (), groups: Collection[str] = ()) -> Value:
    """Return the words by which a sentence names the contact.

    - `contact`: the value of COBROWSE_HELP_CONTACT. If it is an id, return a mention. Return other text unchanged.
    - `admins`: the ids of administrators. If `contact` is "", mention the first two.
    - `groups`: the ids of user groups of administrators. If `contact` is "" and `admins` is empty, mention the first
      two.

    If all three are empty, return the sentence SOMEBODY: "the person who looks after this bot".
    """
    if contact_id(contact):
        return reader_mention(contact)
    if contact or not (admins or groups):
        return contact or SOMEBODY
    found = [mention(each) for each in sorted(admins)] or [group_mention(each) for each in groups]
    people = found[:MAX_CONTACTS]
    return people[0] if len(people) == 1 else Filled(SEVERAL_CONTACTS, {"first": people[0], "second": people[1]})


def _names_another(contact: Value, access_contact: Value) -> bool:
    """Return whether `contact` and `access_contact` are mentions of different people or channels.

    - `contact`: the contact in a sentence. Return False if it is not a mention.
    - `access_contact`: the person or channel that a button below the sentence names. Return False if it is "".
    """
    return isinstance(contact, Markup) and access_contact not in ("", contact)


def contact_id(contact: str) -> str:
    """Return `contact`, the value of COBROWSE_HELP_CONTACT, if it is the id of a user or channel; else ""."""
    return contact if re.fullmatch(r"[UWCG](?:[0-9][A-Z0-9]{2,}|(?=[A-Z]*[0-9])[A-Z0-9]{8,})", contact) else ""


def reader_mention(reader: str) -> Markup:
    """Return the mrkdwn mention of the user or channel with the id `reader`."""
    return channel_mention(reader) if reader[0] in "CG" else mention(reader)


def told_markup(readers: Sequence[str], contact: Value) -> Value:
    """Return a mention of one of `readers`, which are the ids of users and channels. Return "" if `readers` is empty.

    Choose `contact` if it is among the readers, else the first reader.
    """
    named = [reader_mention(reader) for reader in readers]
    return next((each for each in named if each == contact), named[0] if named else "")
