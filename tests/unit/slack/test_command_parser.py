"""The text after /cobrowse: whatever people type, nobody gets a session that they did not want."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.models import RequestKind
from bot.core.validation.contact import find_addresses
from bot.slack import command_parser
from bot.slack.command_parser import (
    RESERVED,
    Ambiguity,
    Choice,
    New,
    NotUnderstood,
    Query,
    Reason,
    Start,
    clean_name,
    parse,
)
from tests.support.cases import each_case

HOST = "2f7b0c9e-0000-4000-8000-000000000001"
MENTIONS = ["<@U0BEN>", "<@U0BEN|ben>", "<@W0ANA9|ana.b>", "<@U0BEN|ben b.>"]
QUOTES = list("\"'“”„‟‘’‚‛«»")
INVISIBLE = ["\u200b", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad", "\u061c"]
BIDI = ["\u202a", "\u202e", "\u2066", "\u2069"]
CONTROLS = ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\t", "\n", "\u2028", "\ud800"]
MARKUP = [
    "<https://x.example/a|x>",
    "<mailto:a@b.example|a@b.example>",
    "<!here>",
    "<!subteam^S0ALL|@all>",
    "<#C0HELP|help>",
    "<tel:+123|1>",
]
WORDS = ["for", "for ", "FOR ", "@", "@ana", "＠", "Checkout help", "hepl", "é", "👩‍💻", "x" * 60, " ", "  "]
ENTITIES = ["&lt;", "&gt;", "&amp;", "<", ">", "|", "&"]
UNQUOTED = [*MENTIONS, *INVISIBLE, *BIDI, *CONTROLS, *MARKUP, *WORDS, *ENTITIES, *RESERVED]

unquoted_texts = st.lists(st.sampled_from(UNQUOTED), max_size=12).map("".join)
texts = st.text() | st.lists(st.sampled_from([*UNQUOTED, *QUOTES]), max_size=12).map("".join)
many = settings(max_examples=300)


def asked(text: str) -> Ambiguity | None:
    """Return the ambiguity of a text, None if it is clear."""
    command = parse(text)
    return command.ambiguity if isinstance(command, Choice) else None


PAIRS = [('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"), ("“", '"')]


@many
@given(texts)
def test_whatever_is_typed_is_understood_in_some_way(text):
    assert isinstance(parse(text), Start | Query | Choice | New | NotUnderstood)


@many
@given(texts)
def test_a_name_is_trimmed_short_and_free_of_control_characters(text):
    command = parse(text)
    name = command.name if isinstance(command, Start) else clean_name(text)
    if name is None:
        return
    assert 1 <= len(name) <= 100
    assert name == name.strip()
    assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in BIDI]


@many
@given(
    before=st.lists(st.sampled_from([*INVISIBLE, *BIDI, *CONTROLS, " "]), max_size=60).map("".join),
    word=st.sampled_from(["", "for", "FOR", "For"]),
    between=st.lists(st.sampled_from([*INVISIBLE, *BIDI, " ", "\t", "\u00a0"]), max_size=60).map("".join),
    at=st.sampled_from(["@", "＠", "﹫", "&lt;@"]),
    rest=texts,
)
@example(before="\u200b" * 41, word="", between="", at="@", rest="ana")
@example(before="", word="for", between="\u200b" * 41, at="@", rest="ana")
def test_text_that_begins_with_an_at_sign_starts_no_session(before, word, between, at, rest):
    assert not isinstance(parse(before + word + between + at + rest), Start)


@many
@given(before=unquoted_texts, mention=st.sampled_from(MENTIONS), after=unquoted_texts)
def test_a_mention_anywhere_never_starts_a_session_for_oneself(before, mention, after):
    command = parse(before + mention + after)
    assert not isinstance(command, Start) or command.target in ("U0BEN", "W0ANA9")


@many
@given(before=st.lists(st.sampled_from([*INVISIBLE, *CONTROLS, " "]), max_size=45).map("".join), rest=unquoted_texts)
def test_a_group_in_a_persons_place_never_starts_a_session(before, rest):
    assert not isinstance(parse(before + "<!subteam^S0ALL|@all>" + rest), Start)


@many
@given(st.sampled_from(PAIRS), unquoted_texts)
def test_quotes_force_a_name_for_oneself(pair, text):
    command = parse(pair[0] + text + pair[1])
    if isinstance(command, Choice):  # only since no name holds an address
        assert find_addresses(clean_name(text, 2000) or "")
    else:
        assert isinstance(command, Start)
        assert command.target is None


@each_case("pair", PAIRS)
@each_case("name", [*RESERVED, "@ana", "for @ana", "hepl", "help status"])
def test_straight_and_curly_quotes_make_a_name_of_any_words(pair, name):
    assert parse(f"{pair[0]}{name}{pair[1]}") == Start(name=name)


@pytest.mark.parametrize("text", ['"Checkout" <@U0BEN> "urgent"', "“Checkout” for <@U0BEN|ben> “urgent”"])
def test_a_mention_between_two_quotations_is_not_quoted(text):
    command = parse(text)
    assert not isinstance(command, Start) or command.target == "U0BEN"


@pytest.mark.parametrize("text", ["", "   ", "\n", "\x00", "\u2028"])
def test_nothing_typed_starts_an_unnamed_session(text):
    assert parse(text) == Start()


@pytest.mark.parametrize(
    ("text", "target", "name"),
    [
        ("<@U0BEN>", "U0BEN", None),
        ("<@U0BEN|ben> Checkout help", "U0BEN", "Checkout help"),
        ("for <@W0ANA9|ana>", "W0ANA9", None),
        ("FOR   <@U0BEN>   Checkout\thelp ", "U0BEN", "Checkout help"),
        ("<@U0BEN> “status”", "U0BEN", "status"),
        ('<@U0BEN> "<@U0ANA|ana> asked"', "U0BEN", "@ana asked"),
    ],
)
def test_a_person_who_stands_first_is_whom_it_is_for(text, target, name):
    assert parse(text) == Start(target=target, name=name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!here>", Reason.NO_PERSON),
        ("for <!subteam^S0ALL|@all> x", Reason.NO_PERSON),
        ("<#C0HELP|help>", Reason.NO_PERSON),
        ("<@U0BEN> <@U0ANA>", Reason.TWO_PEOPLE),
        ("Checkout for <@U0BEN> <@U0ANA>", Reason.TWO_PEOPLE),
    ],
)
def test_unclear_text_is_refused_with_the_reason(text, reason):
    assert parse(text) == NotUnderstood(reason)


@each_case(
    ("text", "ambiguity"),
    [
        ("@ana", Ambiguity.UNKNOWN_PERSON),
        ("for @ana Checkout", Ambiguity.UNKNOWN_PERSON),
        ("for\u00a0@ana", Ambiguity.UNKNOWN_PERSON),
        ("＠ana", Ambiguity.UNKNOWN_PERSON),
        ("for U0ANA", Ambiguity.PERSON),
        ("U0ANA", Ambiguity.PERSON),
        ("FOR  U0ANA Checkout", Ambiguity.PERSON),
        ("Checkout for U0ANA", Ambiguity.PERSON),
        ("with W0ANA9", Ambiguity.PERSON),
        ("why U0ANA", Ambiguity.COMMAND),
        ("end U0ANA", Ambiguity.COMMAND),
        ("link U0ANA a@b.example", Ambiguity.COMMAND),
        ("for U024BE7LH now", Ambiguity.PERSON),
        ("for U0\u200bANA", Ambiguity.PERSON),
        ('"a" for U0ANA "b"', Ambiguity.PERSON),
        ("with @agents", Ambiguity.UNKNOWN_PERSON),
        ("Checkout with @agents", Ambiguity.UNKNOWN_PERSON),
        ("\u0301@ana", Ambiguity.UNKNOWN_PERSON),
        ("\u20dd@ana", Ambiguity.UNKNOWN_PERSON),
        ("f\u0301or @ana", Ambiguity.UNKNOWN_PERSON),
        ("for\u0338 \u0308@ana", Ambiguity.UNKNOWN_PERSON),
        ("\u2800@ana", Ambiguity.UNKNOWN_PERSON),
        ("\U000e0041@ana", Ambiguity.UNKNOWN_PERSON),
        ("Checkout for <@U0BEN>", Ambiguity.PERSON),
        ("help <@U0BEN>", Ambiguity.COMMAND),
    ],
)
def test_what_may_be_a_person_is_asked_about(text, ambiguity):
    command = parse(text)
    assert isinstance(command, Choice)
    assert command.ambiguity is ambiguity


@pytest.mark.parametrize(
    "text",
    [
        "with <!subteam^S0ALL|@agents>",
        "Checkout with <!subteam^S0ALL|@agents>",
        "Checkout <!subteam^S0ALL> help",
        "tell <!here> of it",
        "<@U0BEN> with <!subteam^S0ALL|@agents>",
        '"a" <!subteam^S0ALL|@agents> "b"',
        "\u0301<!subteam^S0ALL|@all>",
    ],
)
def test_a_surprise_session_is_not_started(text):
    assert parse(text) == NotUnderstood(Reason.NO_PERSON)


@each_case(
    "name",
    [
        "for USA customers",
        "W3C audit",
        "Tickets for U2 fans",
        "for U100 bonus",
        "for update2024",
        "Call @ 5pm",
        "World tour",
        "Ürün demo",
        "Zoë's é",
        "for WORKSHOP20261",
        "Termin für Ana",
        "e\u0301te\u0301",
        "می‌خواهم",
        "葛\U000e0100飾区",
    ],
)
def test_a_name_that_names_nobody_still_starts_a_session(name):
    assert parse(name) == Start(name=name)


@pytest.mark.parametrize("name", ["for U0ANA", "with @agents", "\u0301@ana"])
def test_quotes_make_a_name_of_somebodys_id(name):
    assert parse(f'"{name}"') == Start(name=name)


@each_case("word", sorted(RESERVED))
@each_case("change", [str.lower, str.upper, str.title])
def test_a_reserved_word_alone_never_starts_a_session(word, change):
    assert not isinstance(parse(change(word)), Start)


@each_case(
    ("text", "command"),
    [
        ("help", Query(RequestKind.HELP)),
        ("Help ALL", Query(RequestKind.HELP, argument="all")),
        ("HELP status", Query(RequestKind.HELP)),
        ("whoami", Query(RequestKind.WHOAMI)),
        (" Whoami ", Query(RequestKind.WHOAMI)),
        ("why", Query(RequestKind.WHY)),
        ("why <@U0BEN|ben>", Query(RequestKind.WHY, "U0BEN")),
        ("status", Query(RequestKind.STATUS)),
        ("list", Query(RequestKind.LIST)),
        ("last", Query(RequestKind.LAST)),
        ("end", Query(RequestKind.END)),
        ("End 3f2b8c1d-77", Query(RequestKind.END, None, "3f2b8c1d-77")),
        ("end a.B:9~z+/=-", Query(RequestKind.END, None, "a.B:9~z+/=-")),
        ("end `sess-1`", Query(RequestKind.END, None, "sess-1")),
        ("apps", Query(RequestKind.APPS)),
        ("link <@U0BEN> 2f7b0c9e-0000-4000-8000-000000000001", Query(RequestKind.LINK, "U0BEN", HOST)),
        ("link <@U0BEN|ben> <mailto:a@b.example|a@b.example>", Query(RequestKind.LINK, "U0BEN", "a@b.example")),
        ("link <@U0BEN> a@b.example", Query(RequestKind.LINK, "U0BEN", "a@b.example")),
        ("unlink <@U0BEN>", Query(RequestKind.UNLINK, "U0BEN")),
        ("send +49 170 123456", Query(RequestKind.PROPOSE, None, " +49 170 123456")),
        ("send 12345", Query(RequestKind.PROPOSE, None, " 12345")),
        ("send 0151/234 567", Query(RequestKind.PROPOSE, None, " 0151/234 567")),
        ("send a@b", Query(RequestKind.PROPOSE, None, " a@b")),
        ("send a@b.example", Query(RequestKind.PROPOSE, None, " a@b.example")),
        ("send foo@", Query(RequestKind.PROPOSE, None, " foo@")),
        ("Send to a@b.example please", Query(RequestKind.PROPOSE, None, " a@b.example")),
        ("send +44 20 7946 0958 extra", Query(RequestKind.PROPOSE, None, " +44 20 7946 0958 extra")),
        ("send it to 0151/234 567", Query(RequestKind.PROPOSE, None, " it to 0151/234 567")),
        ("send", Query(RequestKind.PROPOSE, None, " ")),
        ("send <tel:12345|12345>", Query(RequestKind.PROPOSE, None, " 12345")),
        ("send it to <tel:12345|12345>", Query(RequestKind.PROPOSE, None, " it to <tel:12345|12345>")),
        ("new", New()),
        ("connect", Query(RequestKind.CONNECT)),
        ("Disconnect", Query(RequestKind.DISCONNECT)),
    ],
)
def test_a_reserved_word_with_what_it_takes_is_a_subcommand(text, command):
    assert parse(text) == command


@given(st.sampled_from(sorted(RESERVED)), st.from_regex(r"[a-z]{9,12} [a-z]{9,12}", fullmatch=True))
def test_a_sentence_that_begins_with_a_reserved_word_is_a_name(word, rest):
    assert parse(f"{word} {rest}") == Start(name=f"{word} {rest}", unless=word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("hepl", "help"),
        ("statsu", "status"),
        ("hlep", "help"),
        ("HELPP", "help"),
        ("whoam", "whoami"),
        ("disconect", "disconnect"),
        ("staus", "status"),
        ("unlnk", "unlink"),
        ("stpo", "stop"),
        ("cancle", "cancel"),
        ("ennd", "end"),
        ("closse", "close"),
        ("lst", "list"),
        ("clos", "close"),
        ("cabcel", "cancel"),
        ("discobnnect", "disconnect"),
    ],
)
def test_a_slip_of_the_finger_is_asked_about(text, word):
    command = parse(text)
    assert isinstance(command, Choice)
    assert (command.ambiguity, command.subject) == (Ambiguity.TYPO, word)
    assert command.options[1] == Start(name=text)


@pytest.mark.parametrize(
    "name",
    [
        *("Lisa", "Second", "Fast", "Ed", "Lin", "App", "Top", "Best", "Host", "Silt", "Lose", "Test", "News", "Life"),
        *("Cancer", "Statue", "Spend", "Ben", "Max", "Stella", "Linke", "Stopper"),
    ],
)
@pytest.mark.parametrize("target", [None, "U0BEN"])
def test_name_that_resembles_a_command_starts_a_session(name, target):
    assert parse(f"<@{target}> {name}" if target else name) == Start(target, name)


@pytest.mark.parametrize("name", ["A hepl", "hepl A", "statsu 2"])
def test_only_a_single_word_is_taken_for_a_slip_of_the_finger(name):
    assert parse(name) == Start(name=name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("a &amp;lt; b", "a &lt; b"),
        ("see <https://x.example/a|the page>", "see the page"),
        ("see <https://x.example/a>", "see https://x.example/a"),
        ("in <#C0HELP|help>", "in #help"),
        ("a\x00b\u202ec\u2066d", "abcd"),
        ("a \t\r\n\u2029 b", "a b"),
        ("x" * 99 + " y", "x" * 99),
        ("y" * 500, "y" * 100),
        ("👩‍💻 Checkout", "👩‍💻 Checkout"),
    ],
)
def test_a_name_reads_as_the_person_saw_it(text, name):
    assert parse(text) == Start(name=name)


@pytest.mark.parametrize("text", ["\u200b", "\u2060\ufeff", "“\u200b”", '"\u200b \u200b"'])
def test_a_name_that_nobody_could_see_is_none(text):
    assert parse(text) == Start()


MENTION = "<@U0BEN|ben>"


@pytest.mark.parametrize(
    "text", ["why @ana", "to @ana", "with @ana", "start @ana", "To  @ana", "link ＠ana", "end &lt;@ana"]
)
def test_person_unknown_to_slack_is_no_name_behind_a_word(text: str) -> None:
    assert asked(text) is Ambiguity.UNKNOWN_PERSON


@pytest.mark.parametrize("text", ["link &lt;@U0UNA&gt; una@example.com", "&lt;@U0UNA&gt;", "@U0UNA&gt;"])
def test_unknown_person_is_named_without_entities(text: str) -> None:
    assert isinstance(found := parse(text), Choice)
    assert (found.ambiguity, found.subject) == (Ambiguity.UNKNOWN_PERSON, "@U0UNA")


@pytest.mark.parametrize("hidden", ["\u034f", "\ufe0f", "\ufe00\u034f", "\u3164", "\u115f", "\U000e0100", "\u180b"])
def test_nothing_invisible_hides_an_at_sign(hidden: str) -> None:
    assert asked(f"{hidden}@ana") is Ambiguity.UNKNOWN_PERSON
    assert asked(f"for {hidden}@ana") is Ambiguity.UNKNOWN_PERSON
    assert command_parser.clean_name(hidden) is None


@pytest.mark.parametrize("text", ["nwe", "edn", "ned", "NWE", "hlep", "wyh"])
def test_two_letters_that_changed_places_are_asked_about(text: str) -> None:
    assert asked(text) is Ambiguity.TYPO


@pytest.mark.parametrize("text", ["?", "-h", "--help", "-help", "/help", " ? "])
def test_a_cry_for_help_gets_it(text: str) -> None:
    assert parse(text) == Query(RequestKind.HELP)


@each_case(
    "ahead",
    [command_parser.MAX_TEXT_LENGTH - 5, command_parser.MAX_TEXT_LENGTH - 1, command_parser.MAX_TEXT_LENGTH, 5000],
)
@each_case("start", ["", '"', MENTION])
def test_a_person_far_behind_starts_nothing(ahead: int, start: str) -> None:
    text = f"{start}{'x' * (ahead - len(start) - 1)} {MENTION}"
    assert not isinstance(parse(text), Start)


def test_a_long_name_for_a_person_who_stands_first_is_only_cut() -> None:
    assert parse(f"{MENTION} {'x' * 5000}") == Start("U0BEN", "x" * 100)
    assert parse(f"<https://example.com|{'x' * 5000}>") != NotUnderstood(Reason.PERSON_LATER)
