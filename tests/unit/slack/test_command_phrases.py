"""Phrases as people type them, and the meaning of each: a command, a name or a question."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.models import RequestKind
from bot.core.validation.contact import find_addresses
from bot.slack.command_languages import VOCABULARIES, words_of
from bot.slack.command_parser import Ambiguity, Choice, New, Query, Start, parse
from bot.slack.command_words import COMMANDS, FILLERS, NOUNS
from tests.support.cases import each_case

COUNTRIES = ("US", "DE")
BEN = "<@U0BEN|ben>"
many = settings(max_examples=400)

COMMAND_PHRASES = {
    "end": [
        *(
            "end",
            "End",
            "stop",
            "close",
            "cancel",
            "quit",
            "done",
            "finish",
            "delete",
            "end session",
            "end it",
            "stop!",
        ),
        *("end all", "end it please", "stop sharing", "stop sharing my screen", "close the session now", "please stop"),
        *("cancel that session", "can you end it please", "end the customer session", "finish session", "all done"),
        *("delete link", "quit cobrowsing", "close my open session", "stop 🙏", "end my last session", "stop stop"),
    ],
    "status": [
        *("status", "Status please", "status pls", "mine", "sessions", "open", "my sessions", "show my open sessions"),
        *("open sessions", "all sessions", "show status", "status of my session", "Status?", "open links"),
    ],
    "list": ["list", "list all", "list all sessions", "list sessions please", "list open sessions", "please list them"],
    "last": ["last", "last link", "share", "url", "share link", "share it", "my last session", "url please"],
    "link": ["link", "link please", "give me the link", "get link"],
    "whoami": ["whoami", "whoami please", "who am i", "Who am I?", "me", "me please"],
    "help": ["help", "help me", "help please", "i need help", "help status", "HELP!", "can you help me please"],
    "new": ["new", "new session", "start", "start session", "start a new session", "new link", "please start"],
    "send": [
        *("send", "send link", "send it", "text", "email", "invite", "invite customer", "send link to customer"),
        *("text the link to my customer", "email link please", "send text", "please send the link"),
    ],
    "apps": ["apps", "apps please", "show apps"],
    "why": ["why", "why please"],
    "connect": ["connect", "connect me", "please connect"],
    "disconnect": ["disconnect", "disconnect me now"],
}
KINDS = {
    **{word: RequestKind(word) for word in COMMAND_PHRASES if word not in ("new", "send", "link")},
    "link": RequestKind.LAST,
    "send": RequestKind.PROPOSE,
}
EITHER_PHRASES = {
    "end": [
        "end joe",
        "stop Carla",
        "end customer 12345678",
        "end `customer` claim",
        "close customer call review",
        "end 2",
    ],
    "status": ["open account", "status list", "open session with Carla"],
    "list": ["List price", "list B", "list customer complaints", "list status"],
    "last": ["Last claim", "share screen with Carla", "last customer of today"],
    "whoami": ["whoami Carla"],
    "help": ["help Carla", "help customer with checkout"],
    "new": ["new s", "start Carla", "new customer onboarding"],
    "send": ["send joe", "text joe", "email Carla", "invite bob", "send link to joe"],
    "link": ["link 3"],
    "unlink": ["Unlink account"],
    "why": ["why not"],
    "apps": ["apps team"],
    "connect": ["connect phones"],
}
NAMES = [
    *("End of month report", "Status page is down", "Open account with Carla", "Last payment missing"),
    *("List price question", "Help with checkout", "Checkout help", "Status of my order", "Send the forms to Carla"),
    *("Send 2 forms", "help with my order", "Close account for Carla", "Cancel order 4711", "Stop payment on check"),
    *("Delete account request", "Text message issue", "Email not working", "Share price question", "New phone setup"),
    *("Start page is broken", "my last invoice", "the last mile", "Customer 4711", "Order 20261128", "My order"),
    *(
        "Carla",
        "test",
        "link for Carla today",
        "Refund",
        "All hands",
        "Why was I charged",
        "Call @ 5pm",
        "W3C audit",
        "for USA customers",
    ),
    *("Invite friends bonus", "Done deal paperwork", "Finish checkout together", "Me and my broker", "I want my money"),
]
FILLER_PHRASES = ["please", "session", "customer", "my customer", "it", "now", "the session please", "for me", "hello"]


@each_case(("phrase", "word"), [(phrase, word) for word, phrases in COMMAND_PHRASES.items() for phrase in phrases])
def test_command_in_other_words_is_the_command(phrase: str, word: str) -> None:
    check_is_the_command(phrase, word)


def check_is_the_command(phrase: str, word: str) -> None:
    found = parse(phrase, None, COUNTRIES)
    if word == "new":
        assert found == New()
    else:
        assert isinstance(found, Query)
        assert (found.kind, found.target) == (KINDS[word], None)


@each_case(("phrase", "word"), [(phrase, word) for word, phrases in EITHER_PHRASES.items() for phrase in phrases])
def test_phrase_that_may_be_either_is_asked_about(phrase: str, word: str) -> None:
    found = parse(phrase, None, COUNTRIES)
    assert isinstance(found, Choice)
    assert (found.ambiguity, found.subject) == (Ambiguity.COMMAND, word)
    assert not isinstance(found.options[0], Start)
    assert found.options[1] == Start(name=phrase)


@each_case("phrase", NAMES)
def test_name_that_begins_like_a_command_is_a_name(phrase: str) -> None:
    check_is_a_name(phrase)


def check_is_a_name(phrase: str) -> None:
    found = parse(phrase, None, COUNTRIES)
    assert isinstance(found, Start)
    assert (found.name, found.target, found.send_to) == (phrase, None, None)


@pytest.mark.parametrize("phrase", FILLER_PHRASES)
def test_phrase_that_says_nothing_is_asked_about(phrase: str) -> None:
    assert parse(phrase) == Choice(Ambiguity.FILLERS, (Start(), Start(name=phrase)))


def test_phrases_of_the_table_are_at_least_120() -> None:
    tables = [*COMMAND_PHRASES.values(), *EITHER_PHRASES.values(), NAMES, FILLER_PHRASES]
    phrases = [phrase for table in tables for phrase in table]
    assert len(set(phrases)) == len(phrases) >= 120


def test_name_behind_a_command_word_says_which_command_it_may_be() -> None:
    assert parse("Close Refund with Carla") == Start(name="Close Refund with Carla", unless="end")
    assert parse("Refund with Carla") == Start(name="Refund with Carla")


@many
@given(st.lists(st.sampled_from(sorted({*COMMANDS, *FILLERS, *NOUNS, "who", "am"})), min_size=1, max_size=8))
@example(["end", "status", "list"])
@example(["open", "me"])
def test_command_words_and_fillers_alone_start_nothing(words: list[str]) -> None:
    known = {*COMMANDS, *FILLERS, *NOUNS, "who", "am"}
    if "who" in words or "am" in words:
        words = ["who", "am", "i", *(word for word in words if word in known - {"who", "am"})]
    phrase = " ".join(words)
    before_a_person = [] if words == ["for"] else [f"{phrase} {BEN}"]  # "for @ben" starts a session for Ben
    for text in (phrase, phrase.title(), f"{phrase}!", f"{BEN} {phrase}", f"for {BEN} {phrase}", *before_a_person):
        assert not isinstance(parse(text, None, COUNTRIES), Start), text


@each_case(
    ("text", "command"),
    [
        (f"{BEN} end", Query(RequestKind.END, "U0BEN")),
        (f"for {BEN} stop it please", Query(RequestKind.END, "U0BEN")),
        (f"{BEN} why", Query(RequestKind.WHY, "U0BEN")),
        (f"{BEN} who am i", Query(RequestKind.WHY, "U0BEN")),
        (
            f"{BEN} status",
            Choice(Ambiguity.COMMAND, (Query(RequestKind.LIST), Start(target="U0BEN", name="status")), "status"),
        ),
        (f"{BEN} start", Choice(Ambiguity.COMMAND, (Start("U0BEN"), Start("U0BEN", "start")), "new")),
        (
            f"{BEN} end Carla",
            Choice(Ambiguity.COMMAND, (Query(RequestKind.END, "U0BEN"), Start("U0BEN", "end Carla")), "end"),
        ),
        (f"{BEN} session please", Choice(Ambiguity.FILLERS, (Start("U0BEN"), Start("U0BEN", "session please")))),
        (f"{BEN} hepl", Choice(Ambiguity.TYPO, (Query(RequestKind.HELP), Start("U0BEN", "hepl")), "help")),
        (f"{BEN} End of month report", Start("U0BEN", "End of month report", unless="end")),
        (f'{BEN} "end"', Start("U0BEN", "end")),
        (f"end {BEN}", Choice(Ambiguity.COMMAND, (Query(RequestKind.END, "U0BEN"), Start(name="end @ben")), "end")),
        (
            f"start a session for {BEN}",
            Choice(Ambiguity.COMMAND, (Start("U0BEN"), Start(name="start a session for @ben")), "new"),
        ),
        (
            f"Checkout for {BEN}",
            Choice(Ambiguity.PERSON, (Start("U0BEN", "Checkout"), Start(name="Checkout for @ben")), "@ben"),
        ),
        (
            "for U0ANA Checkout",
            Choice(Ambiguity.PERSON, (Start("U0ANA", "Checkout"), Start(name="for U0ANA Checkout")), "U0ANA"),
        ),
        ("@nobody Checkout", Choice(Ambiguity.UNKNOWN_PERSON, (Start(name="@nobody Checkout"),), "@nobody")),
    ],
)
def test_person_beside_a_command_is_asked_about_when_ambiguous(text: str, command: object) -> None:
    assert parse(text) == command


# -- Other languages --

OTHER_LANGUAGES = {
    "es": {
        "new": ["iniciar", "Empezar", "nueva sesión", "nuevo por favor"],
        "end": ["fin", "Terminar", "cerrar la sesión", "terminar todas", "fin por favor"],
        "status": ["estado", "mis sesiones"],
        "last": ["último", "ultimo", "último enlace"],
        "help": ["ayuda", "Ayuda por favor"],
        "send": ["enviar", "enviar el enlace"],
    },
    "pt_BR": {
        "new": ["iniciar", "começar", "comecar", "nova sessão"],
        "end": ["encerrar", "fim", "encerrar a sessão", "fechar", "parar agora"],
        "status": ["situação", "sessões", "minhas sessões"],
        "last": ["última", "ultimo"],
        "help": ["ajuda", "ajuda por favor"],
        "send": ["enviar", "mandar"],
    },
    "fr": {
        "new": ["démarrer", "demarrer", "nouvelle session"],
        "end": ["fin", "arrêter", "terminer la session", "fermer svp", "fin s’il te plaît"],
        "status": ["état", "statut"],
        "last": ["dernier", "dernière session", "dernier lien"],
        "help": ["aide", "aide svp"],
        "send": ["envoyer", "envoyer le lien"],
    },
    "de": {
        "new": ["neu", "starten", "neue Sitzung", "Starten bitte"],
        "end": ["ende", "Beenden", "bitte beenden", "schließen", "stopp!", "Ende bitte"],
        "status": ["Sitzungen", "meine Sitzungen"],
        "last": ["letzte", "letzter Link", "letzte Sitzung"],
        "help": ["hilfe", "Hilfe bitte"],
        "send": ["senden", "schicken bitte"],
    },
    "ja": {
        "new": ["開始", "新規", "新規 セッション"],
        "end": ["終了", "セッション終了", "終了 お願いします"],
        "status": ["状態", "ステータス"],
        "last": ["前回", "最後 リンク"],
        "help": ["ヘルプ", "使い方"],
        "send": ["送信", "リンク送信"],
    },
}
OTHER_NAMES = {
    "es": ["Fin de mes", "Estado de cuenta Carla", "Ayuda con factura", "Nuevo contrato", "Última factura"],
    "pt_BR": ["Fim do mês", "Ajuda com boleto", "Nova conta", "Último pedido", "Fechar conta Ana"],
    "fr": ["Fin de mois", "Aide facture", "Nouveau contrat", "État des lieux", "Dernière facture"],
    "de": ["Ende Vertrag", "Neuer Vertrag", "Hilfe bei Kasse", "Hilfe für Ana", "Letzte Rechnung", "Die Bestellung"],
    "ja": ["新規 契約 田中様", "状況 確認", "最新 請求書"],
}


@each_case(
    ("phrase", "word"),
    [(phrase, word) for phrases in OTHER_LANGUAGES.values() for word, listed in phrases.items() for phrase in listed],
)
def test_command_of_another_language_is_the_command(phrase: str, word: str) -> None:
    check_is_the_command(phrase, word)


@each_case("phrase", [phrase for names in OTHER_NAMES.values() for phrase in names])
def test_name_of_another_language_stays_a_name(phrase: str) -> None:
    check_is_a_name(phrase)


@pytest.mark.parametrize("phrase", ["terminar Carla", "beenden Müller", "envoyer facture", "終了 田中様"])
def test_two_words_that_begin_with_a_command_of_another_language_are_asked_about(phrase: str) -> None:
    found = parse(phrase, None, COUNTRIES)
    assert isinstance(found, Choice)
    assert found.options[1] == Start(name=phrase)


def test_every_language_has_words_for_the_commands_that_agents_need() -> None:
    assert set(OTHER_LANGUAGES) == set(OTHER_NAMES) == set(VOCABULARIES)
    for vocabulary in VOCABULARIES.values():
        assert set(vocabulary.aliases.values()) == {"new", "end", "status", "last", "help", "send"}
        assert words_of("begins_names") <= set(COMMANDS)


def test_alias_means_the_same_in_every_language() -> None:
    meanings = [pair for vocabulary in VOCABULARIES.values() for pair in vocabulary.aliases.items()]
    assert all(COMMANDS[word] == command for word, command in meanings)


# -- Addresses --


@each_case(
    ("text", "command"),
    [
        ("+14155550123", Start(send_to="+14155550123")),
        ("+1 (415) 555-0123 Refund", Start(name="Refund", send_to="+14155550123")),
        ("<tel:+14155550123|+1 415 555 0123> 4711 claim", Start(name="4711 claim", send_to="+14155550123")),
        ("joe@example.com", Start(send_to="joe@example.com")),
        ("<mailto:joe@example.com|joe@example.com> Refund", Start(name="Refund", send_to="joe@example.com")),
        (f"{BEN} joe@example.com Refund", Start("U0BEN", "Refund", send_to="joe@example.com")),
        ("joe@example.com please", Start(send_to="joe@example.com")),
        ("+1 415 55", Start(name="+1 415 55")),
        ("+1 415 555 01", Start(send_to="+1 415 555 01")),
        ("text +14155550123", Query(RequestKind.PROPOSE, argument=" +14155550123")),
        ("invite bob@example.com", Query(RequestKind.PROPOSE, argument=" bob@example.com")),
        (
            "joe@example.com send link",
            Choice(
                Ambiguity.COMMAND,
                (Query(RequestKind.PROPOSE, argument=" joe@example.com"), Start(send_to="joe@example.com")),
                "send",
            ),
        ),
        ("end +14155550123", Choice(Ambiguity.COMMAND, (Query(RequestKind.END), Start(send_to="+14155550123")), "end")),
    ],
)
def test_address_that_stands_first_is_whom_the_link_goes_to(text: str, command: object) -> None:
    assert parse(text, None, COUNTRIES) == command


@pytest.mark.parametrize(
    ("text", "name", "send_to"),
    [
        ("Refund for joe@example.com", "Refund", "joe@example.com"),
        ("Refund joe＠example.com", "Refund", "joe@example.com"),
        ("sent +14155550123", "sent", "+14155550123"),
        ("415 555 0123", None, "+14155550123"),
        ("Carla 0170 1234567", "Carla", "+491701234567"),
        ('"joe@example.com"', None, "joe@example.com"),
        ("Call <https://x.example|joe@example.com> back", "Call back", "joe@example.com"),
    ],
)
def test_address_anywhere_else_is_asked_about(text: str, name: str | None, send_to: str) -> None:
    found = parse(text, None, COUNTRIES)
    assert found == Choice(Ambiguity.ADDRESS, (Start(name=name, send_to=send_to), Start(name=name)), send_to)


def test_two_addresses_can_only_be_left_out() -> None:
    assert parse("a@b.example c@d.example Refund") == Choice(Ambiguity.ADDRESS, (Start(name="Refund"),))


ADDRESSES = [
    "joe@example.com",
    "+14155550123",
    "+1 (415) 555-0123",
    "415-555-0123",
    "0170 1234567",
    "<tel:+49170123456|x>",
]
PARTS = [
    *ADDRESSES,
    "<mailto:a.b@c.example|Carla>",
    "Refund",
    "for",
    BEN,
    "end",
    '"',
    "“",
    "(",
    ")",
    ", ",
    " ",
    " ",
    "x" * 60,
]


@many
@given(
    st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
    | st.lists(st.sampled_from(PARTS), max_size=8).map(" ".join)
)
@example("x" * 87 + " 415-555-0123" + "x" * 60)  # cut to its length, the name ends in a number
@example("0170 1234567 " * 2 + "x" * 66 + "0170 1234567415-555-0123")
def test_no_name_holds_an_address(text: str) -> None:
    found = parse(text, None, COUNTRIES)
    options = found.options if isinstance(found, Choice) else (found,)
    for option in options:
        if isinstance(option, Start) and option.name:
            assert not find_addresses(option.name, COUNTRIES), option


@pytest.mark.parametrize(
    "name", ["Customer 4711", "Order 12-34", "2026-11-28 14:30", "Invoice 100200300400", "12.345.678,90 EUR", "1+1=2"]
)
def test_other_numbers_stay_in_names(name: str) -> None:
    assert parse(name, None, COUNTRIES) == Start(name=name)


def test_number_without_a_plus_is_one_only_in_the_countries() -> None:
    assert parse("Carla 4155550123") == Start(name="Carla 4155550123")
    assert isinstance(parse("Carla 4155550123", None, ["US"]), Choice)
