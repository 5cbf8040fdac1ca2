"""Build every message, view and page that people can read, in one language.

Names and other values contain no Latin words, so that tests find English words that no translation reached.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from bot.core import errors
from bot.core.customer_texts import LANGUAGES, CustomerText, CustomerTexts
from bot.core.errors import CobrowseError, HostNotFoundError, MissReason, RuleMiss
from bot.core.hosts.resolver import LINK, EmailRule, ListedHostRule
from bot.core.models import (
    CARD_KEY,
    ChannelId,
    ConversationId,
    DirectoryUser,
    Host,
    HostId,
    Identity,
    MembershipStatus,
    Notice,
    NoticeKind,
    OtherSession,
    Request,
    RequestId,
    RequestKind,
    Role,
    Session,
    SessionId,
    SessionRecord,
    SessionStarted,
    SlackUser,
    TeamId,
    UserId,
    WaitNotice,
)
from bot.core.requests.events import ServiceFailure
from bot.core.results import (
    AccessReport,
    AccessRequested,
    AccountLinked,
    AccountUnlinked,
    AdministratorsTold,
    Applications,
    CommandSuggested,
    CustomerMessageSent,
    FaultChecked,
    FaultState,
    Help,
    HostLinked,
    LastSession,
    ListKind,
    ListPage,
    OpenSession,
    Result,
    SendCancelled,
    SendPreview,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
    SignInOffered,
)
from bot.core.start_details import StartDetails
from bot.core.use_cases.access_requests import Unconnected
from bot.core.use_cases.faults import Hit, with_hits
from bot.core.use_cases.help_requests import with_help_request
from bot.core.use_cases.start_counts import StartCounts
from bot.core.validation.contact import read_address
from bot.core.validation.conversations import LiveConversation
from bot.slack.command_parser import New, Query, Start, parse
from bot.slack.messages import ambiguity, customer_message
from bot.slack.messages.blocks import Message
from bot.slack.messages.catalogue import setup_warnings
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.questions import NAME_ERROR, NAME_ERROR_HERE
from bot.slack.messages.catalogue.sentence import Language, Sentence
from bot.slack.messages.catalogue.setup_warnings import SetupWarning
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, contact_markup
from bot.slack.messages.session_card import CHANNEL
from bot.slack.views import confirmation, connect_person, customer_message_form, home_tab, session_form
from bot.slack.views.confirmation import Pressed
from bot.web.oauth_page import busy_page, page
from tests.support.errors import ERRORS

ANA, BEN, ADA = UserId("U0ANA"), UserId("U0BEN"), UserId("U0ADA")
TEAM, CARE = TeamId("T0"), ChannelId("C0CARE")
NAME = "Ñ 7"
ID = RequestId("234567")
HOST_ID = HostId("11111111-2222-4333-8444-555555555555")
NOW = datetime.now(UTC)
MOBILE, EMAIL = read_address("+14155550123"), read_address("a@b.example")
COMMAND = "/cobrowse"
PRESSED = Pressed(SessionId("1"), CARE, "7", name=NAME)


def request(kind: RequestKind = RequestKind.START, **more: Any) -> Request:
    """Return a request by Ana."""
    usual: dict[str, Any] = {"id": ID, "key": "1", "kind": kind, "team_id": TEAM, "enterprise_id": None}
    usual |= {"channel_id": CARE, "requester": ANA, "accepted_at": NOW, "reply_url": "7"}
    return Request(**(usual | more))


def session(**more: Any) -> Session:
    """Return an open session with a link."""
    usual: dict[str, Any] = {"id": SessionId("1"), "status": "1", "host_id": HOST_ID, "name": NAME}
    usual |= {"ends_at": NOW + timedelta(minutes=29), "join_url": "https://1.2/3", "application_id": "1"}
    return Session(**(usual | more))


CODE = session(join_url="", join_code="123456", application_id="")


def record(of: Session | None = None, **more: Any) -> SessionRecord:
    """Return the record of a session that Ben hosts and Ana started."""
    usual: dict[str, Any] = {"session": of or session(), "team_id": TEAM, "requester": ANA, "agent": BEN}
    return SessionRecord(**(usual | {"is_over": False, "started_at": NOW, "read_at": NOW} | more))


RECORDS = (
    record(session()),
    record(replace(CODE, id=SessionId("2"))),
    record(session(id=SessionId("3")), agent=ANA),
    *(
        record(replace(each, id=SessionId(f"{number}")), is_over=True, ended_at=NOW, ender=ender)
        for number, (each, ender) in enumerate(product((session(), CODE), (None, BEN)), 4)
    ),
)
PERSON = SlackUser(TEAM, ANA, NAME, MembershipStatus.MEMBER)
IDENTITY = Identity(PERSON, Host(HOST_ID, LINK))
MISSES = tuple(
    RuleMiss(rule, reason.value, (UserId("1"), UserId("2")))
    for rule, reason in product((ListedHostRule.name, EmailRule.name), MissReason)
)
LIVE = LiveConversation(ConversationId(HOST_ID), NOW, "")
RESULTS: tuple[Result, ...] = (
    *(SessionStarted(each, told) for each, told in product((session(), CODE), (None, True, False))),
    SessionStarted(session(), is_shared=True),
    SessionStarted(session(), share_error=errors.SharingError("share_refused", "outside")),
    *(replace(IDENTITY, connected=connected) for connected in (None, True, False)),
    *(Help(role) for role in Role),
    *(CommandSuggested(word, found) for word, found in product(("end", "last", "status"), (RECORDS[:1], RECORDS[:2]))),
    *(OpenSession(each, customer) for each, customer in product(RECORDS[:2], ("", NAME))),
    OpenSession(record(session(join_url="")), NAME),
    *(LastSession(each) for each in RECORDS),
    *(
        SessionList(found, ListPage(kind, 1, agent), total, ended)
        for found, kind, agent, total, ended in product(
            (RECORDS[:3], ()), ListKind, (None, BEN), (0, 1, 99), (None, RECORDS[-1])
        )
    ),
    *(SessionEnded(each) for each in RECORDS[3:]),
    SessionEnded(RECORDS[-1], card=RECORDS[0]),
    *(
        SessionEnded(RECORDS[-1], card=RECORDS[0], other_open=OtherSession(SessionId("9"), NAME, ends_at, count))
        for count, ends_at in product((1, 2, 3), (NOW, None))
    ),
    SessionEnded(RECORDS[-1], listing=SessionList(RECORDS[:2], total=2)),
    SessionShared(record(), CARE),
    SentDirect(record()),
    *(SendPreview(found, address) for found, address in product((RECORDS[:1], RECORDS[:2]), (MOBILE, EMAIL))),
    *(CustomerMessageSent(record(), address) for address in (MOBILE, EMAIL)),
    SendCancelled(),
    Applications(((HOST_ID, NAME),) * 60, "1"),
    Applications((), "1"),
    *(HostLinked(BEN, host, name) for host, name in ((None, ""), (HOST_ID, ""), (HOST_ID, NAME))),
    *(
        AccessRequested(BEN, is_new, asked_at, is_connected)
        for is_new, asked_at, is_connected in ((True, None, False), (False, NOW, False), (False, None, True))
    ),
    *(AdministratorsTold(told) for told in ((), (ADA,))),
    AccessReport(BEN, None, errors.PersonNotAllowedError("not_listed", BEN, is_target=True), None, ()),
    *(AccessReport(BEN, role, None, Host(HOST_ID, ListedHostRule.name), ()) for role in Role),
    AccessReport(BEN, Role.MEMBER, None, None, MISSES),
    AccessReport(BEN, Role.MEMBER, None, None, ()),
    *(FaultChecked(state) for state in FaultState),
    *(SignInOffered("https://1.2/3", NOW, already) for already in (True, False)),
    AccountLinked(HOST_ID),
    AccountUnlinked(HOST_ID),
)
KINDS = {Identity: RequestKind.WHOAMI, Help: RequestKind.HELP, SessionList: RequestKind.STATUS}
TEXTS = (
    *(
        "hepl",
        "end Müller",
        "please",
        "@bén @añá",
        "@here",
        "ñ for <@U0BEN> 7",
        "+14155550123",
        "ñ +14155550123",
        "@bén",
    ),
    *("<@U0ANA> <@U0BEN>", "hepl <@U0BEN>", "please <@U0BEN>", "<#C0CARE>"),
)
TEXTS_BY_LANGUAGE = CustomerTexts(others=dict.fromkeys(LANGUAGES, CustomerText("7", "7", "7")))
ALL = Capabilities(True, True, True, customer_texts=TEXTS_BY_LANGUAGE, runbook_url="https://1.2/3")


def renderer(language: Language, **more: Any) -> MessageRenderer:
    """Return the renderer of an installation whose people all read this language. Ada is an administrator."""
    usual: dict[str, Any] = {
        "contact": contact_markup("", (ADA, BEN)),
        "features": ALL,
        "language_of": lambda reader: language,
        "can_repair": lambda user_id: user_id == ADA,
        "can_connect": lambda user_id: user_id == ADA,
        "has_administrators": True,
    }
    return MessageRenderer(COMMAND, **(usual | more))


def error_messages(language: Language) -> Iterator[tuple[str, Message]]:
    """Yield the message about each error in each situation: to an agent, to an administrator, and to an unknown reader.

    Also yield the message to an agent after the bot has told an administrator.
    """
    told = renderer(language, told=lambda error: (ADA,))
    mine = renderer(language)
    for error, situation in product(ERRORS, Situation):
        for words, reader in ((mine, ANA), (mine, ADA), (told, ANA), (mine, None)):
            yield f"{error.code} {situation} {reader}", words.failure(error, ID, reader=reader, situation=situation)


def answers(language: Language) -> Iterator[tuple[str, Message]]:
    """Yield the answer to each request, in all variants."""
    more = {"other_open": OtherSession(SessionId("2"), NAME, NOW)}
    for outcome in RESULTS:
        kind = KINDS.get(type(outcome), RequestKind.START)
        asked = (
            request(kind),
            request(kind, target=BEN, **more),
            request(kind, requester=ADA, argument="all" if kind is RequestKind.HELP else None, **more),
            request(RequestKind.END, replaces=True, key=f"{CARD_KEY}1"),
        )
        for each, features in product(
            asked, (ALL, Capabilities(), replace(ALL, emails=False), replace(ALL, texts=False))
        ):
            yield f"{outcome.code} {each.requester}", renderer(language, features=features).answer(each, outcome)


def other_messages(language: Language) -> Iterator[tuple[str, Message]]:
    """Yield the other messages: wait notices, questions, notices that a question is already answered, and so on."""
    words = renderer(language)
    for kind, seconds in product((RequestKind.START, RequestKind.LAST), (None, 1, 2, 60, 600, float("inf"))):
        yield "note", words.note(request(kind), WaitNotice(seconds))
    for text in TEXTS:
        command = parse(text, None, ("US",))
        if not isinstance(command, Start | Query | New):
            yield f"question {text}", ambiguity.parse_error(command, ID, language)
    yield "other command", ambiguity.other_command(COMMAND, ID, language)
    yield "chosen", ambiguity.chosen_already(language)
    yield "sent", ambiguity.sent_already(language)
    yield "cancelled", customer_message.cancelled(language)
    cards = words.cards_for(ANA)
    for each in (session(), CODE):
        yield "for the agent", cards.for_agent(request(target=BEN), each)
        yield "from a workflow", cards.for_agent(request(RequestKind.STEP), each)
    for shown in RECORDS[:3]:
        yield "in a channel", cards.shared(shown, ANA)
        yield "copy in a channel", cards.of_record(shown, ANA, CHANNEL, done=cards.copied())
    for over in RECORDS[3:]:
        yield "closed", cards.closed(over, is_public=True)
    for address in (MOBILE, EMAIL):
        details = StartDetails(send_to=address.text)
        yield "offer", Message("-", ambiguity.offer(session(), details, ID, language, TEXTS_BY_LANGUAGE))
        yield "no link", Message("-", ambiguity.offer(CODE, details, ID, language))
    for rejected in (
        errors.SendRejectedError("country_not_allowed", "JP"),
        *(errors.SendRejectedError("sending_off", detail) for detail in ("sms", "email")),
        *(errors.SendRejectedError("invalid_address", detail) for detail in ("number", "email")),
    ):
        yield "no offer", Message("-", ambiguity.offer(session(), StartDetails(rejected=rejected), ID, language))
    for reader in (ANA, ADA):
        yield "no direct messages", words.without_direct(Message("-", []), reader)


def notices(language: Language) -> Iterator[tuple[str, Message]]:
    """Yield the messages of each kind of notice, in each state of the notice."""
    words = renderer(language)

    def notice(kind: NoticeKind, **more: Any) -> Notice:
        return Notice(kind=kind, key="1", team_id=TEAM, opened_at=NOW, read_at=NOW, **more)

    end = {"session_id": "1", "name": NAME, "agent": BEN, "ender": ANA, "at": NOW.timestamp()}
    found = [notice(NoticeKind.ENDED, data=end | {"for_all": for_all}) for for_all in (True, False)]
    asked = {"person": [TEAM, BEN], "ids": [BEN], "request": ID}
    tried = {"tried": [[each.rule, each.why, list(each.people)] for each in MISSES]}
    for data in (asked, asked | tried, asked | {"asked_by": ANA, "connected_by": ADA}, asked | {"host_name": NAME},
                 asked | {"connected_by": ADA, "host_name": NAME}):  # fmt: skip
        for kind, over_at in product((NoticeKind.ACCESS, NoticeKind.WELCOME), (None, NOW)):
            found.append(notice(kind, data=data, over_at=over_at))
    refused = (
        errors.RoleRequiredError("administrators_only"),
        errors.AccountLinkError("connect_off", "key"),
        errors.SendRejectedError("sending_off", "sms"),
    )
    for error, target in product(refused, (BEN, None)):
        asks = with_help_request(notice(NoticeKind.HELP), request(RequestKind.LINK, target=target), error)
        found += [asks] if asks else []
    for failed, people in product((RequestKind.START, RequestKind.SEND, RequestKind.LAST), (1, 9)):
        hits = [Hit(request(failed, requester=UserId(f"U{n}")), errors.TokenRefusedError()) for n in range(people)]
        fault = with_hits(notice(NoticeKind.FAULT), hits, 3600.0)
        checked = {"checked_at": NOW.timestamp(), "checked_by": ADA}
        found += [fault, replace(fault, over_at=NOW + timedelta(minutes=5))]
        found += [replace(fault, data={**fault.data, **checked, "state": state.value}) for state in FaultState]
    for each in found:
        for opened_at in (each.opened_at, NOW - timedelta(days=2)):
            yield f"notice {each.kind}", words.notice(each, opened_at, ADA)
            yield f"notice {each.kind} without form", replace(words, starts_anywhere=False).notice(each, opened_at, ADA)


def views(language: Language) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each modal."""
    words = renderer(language)
    cards, to = words.cards_for(ANA), words.addressee(ANA)
    for each in RECORDS[:2]:
        for is_own in (True, False):
            yield "end", confirmation.end_dialog(each, PRESSED, language, is_own=is_own)
        yield "post", confirmation.post_dialog(each, PRESSED, language)
        yield "details", confirmation.details(each, language)
        yield "link", confirmation.link(each, ANA, cards)
    yield (
        "details in a conversation",
        confirmation.details(record(session(conversation_id=ConversationId(HOST_ID))), language),
    )
    yield "notice", confirmation.notice(words.failure(errors.NotReadyError("overloaded"), ID, reader=ANA), language)
    for features in (ALL, replace(ALL, emails=False), replace(ALL, texts=False)):
        form = customer_message_form.form(PRESSED, replace(cards, features=features))
        yield "address", form
        for address in (MOBILE, EMAIL):
            yield "question", customer_message_form.question(form, address, replace(cards, features=features))
        yield "sending", customer_message_form.waiting(replace(cards, features=features))
    yield "loading", session_form.loading("1", language)
    for has_copy, doing in product((True, False), (session_form.STARTING, session_form.TRYING_AGAIN)):
        yield "starting", session_form.starting_view(language, has_copy=has_copy, doing=doing)
    yield "result", session_form.result_view(words.answer(request(), RESULTS[0]), language)
    for code in ("", "expired_trigger_id", "view_too_large"):
        for reader in (ANA, ADA):
            message = session_form.not_opened(words.addressee(reader), ID, code)
            yield "not opened", session_form.result_view(message, language)
    for takes, thread in product((True, False), ("", "1.2")):
        fields = session_form.Fields(CARE, ANA, ((HOST_ID, NAME), ("7", "8")), "7", 5461, takes, NAME, thread)
        for features in (Capabilities(), ALL, replace(ALL, emails=False), replace(ALL, texts=False)):
            form = session_form.form(replace(fields, features=features), language)
            yield "form", form
            yield "form with more", session_form.with_more(form, fields, language)
    person = (TEAM, BEN)
    yield "connect: loading", connect_person.loading("1", language)
    for chosen, problem in ((None, ""), (BEN, "7")):
        yield "connect: whom", connect_person.person_form(language, chosen, problem)
    for sentence in (connect_person.SEARCHING, connect_person.CONNECTING):
        yield "connect: note", connect_person.note(sentence, language)
    yield "connect: connected", connect_person.note(connect_person.CONNECTED, language, person="7")
    nobody = language.say(connect_person.NOBODY, text="7")
    yield "connect: find", connect_person.find_form(person, language, "7", nobody)
    users = [DirectoryUser(HOST_ID, True, "é@é.é", name=NAME)]
    yield "connect: choose", connect_person.choose_form(person, "7", users, language, more=True)
    yield "connect: id", connect_person.id_form(person, "1:2:3", language)
    assert to.language is language


def home_tabs(language: Language) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Home tab in each of its states."""
    words = renderer(language)
    cards = words.cards_for(ADA)
    missing = HostNotFoundError(ANA, False, MISSES[:1])
    warnings = [SetupWarning(each, "1:2") for each in vars(setup_warnings).values() if isinstance(each, Sentence)]
    hits = [Hit(request(), errors.TokenRefusedError())]
    blank = Notice(kind=NoticeKind.FAULT, key="1", team_id=TEAM, opened_at=NOW, read_at=NOW)
    usual = home_tab.HomeTabData(
        visitor=(TEAM, ADA),
        identity=IDENTITY,
        role=Role.ADMIN,
        channel_refusal=None,
        own=SessionList(RECORDS[:3], total=99),
        live=SessionList(RECORDS, ListPage(ListKind.HOME, 1), 99),
        config_warnings=warnings[:9],
        failure=ServiceFailure(errors.ServiceFailedError(), NOW),
        faults=[with_hits(blank, hits, 3600.0)],
        unconnected=[Unconnected((TEAM, UserId(f"U{n}")), NOW) for n in range(9)],
        starts=StartCounts(7, 1),
    )
    yield "loading", home_tab.loading(language)
    states: dict[str, dict[str, Any]] = {
        "all": {},
        "newcomer": {"is_newcomer": True, "starts": StartCounts(0, 0)},
        "last warnings": {"config_warnings": warnings[-1:]},
        "nothing": {"own": SessionList((), total=0), "live": SessionList((), ListPage(ListKind.HOME)), "faults": (),
                    "config_warnings": [], "failure": None, "unconnected": ()},
        "passed": {"failure": ServiceFailure(errors.ServiceFailedError(), NOW, passed=True), "host_name": NAME},
        "broken": dict.fromkeys(("identity", "own", "live"), errors.ServiceBusyError()),
        "refused": {"channel_refusal": errors.ChannelNotAllowedError(ChannelId(""), (CARE, CARE))},
        "missing": {"identity": missing},
        "member": {"identity": missing, "role": Role.MEMBER},
        "asked": {"identity": missing, "asked_at": NOW},
    }  # fmt: skip
    for name, state in states.items():
        buttons = words.access_buttons(missing, ANA) if "identity" in state else []
        to = words.access_addressee(ADA)
        yield f"home {name}", home_tab.home(replace(usual, **state), to, cards, access=buttons)
    yield (
        "refused",
        home_tab.error_view(errors.PersonNotAllowedError("not_listed", ANA, is_target=False), words.addressee(ANA)),
    )
    named = replace(words, contact_name=lambda: NAME)
    for is_target in (True, False):
        row = named.access_buttons(HostNotFoundError(ANA, is_target, ()), ANA)
        yield "access", {"type": "home", "blocks": [{"type": "actions", "elements": row}]}


def field_errors(language: Language) -> Iterator[tuple[str, str]]:
    """Yield the error messages at the fields of forms."""
    for standing in MembershipStatus:
        error = errors.PersonNotAllowedError("not_a_member", BEN, standing, is_target=True)
        yield "standing", str(session_form.host_error(error, language))
    yield (
        "not listed",
        str(session_form.host_error(errors.PersonNotAllowedError("not_listed", BEN, is_target=True), language)),
    )
    for sentence in (
        session_form.NAME_EMPTY,
        NAME_ERROR,
        NAME_ERROR_HERE,
        session_form.DURATION_WRONG,
        session_form.CONVERSATION_WRONG,
        connect_person.NO_PERSON,
        connect_person.NO_TEXT,
        connect_person.NO_ID,
    ):
        yield sentence.key, language.say(sentence)


def pages(language: Language) -> Iterator[tuple[str, str]]:
    """Yield the HTML of each page that can end a sign-in."""
    to = replace(renderer(language).addressee(ANA), language=language.plain, contact="7")
    yield "busy", busy_page(language.plain)
    asked = request(RequestKind.CONNECT)
    outcomes: list[tuple[Request | None, Result]] = [(asked, AccountLinked(HOST_ID))]
    outcomes += [(each, error) for error in ERRORS for each in (asked, None)]
    for each, outcome in outcomes:
        if isinstance(outcome, AccountLinked | CobrowseError):
            yield outcome.code, page(outcome, each, to)[1]
