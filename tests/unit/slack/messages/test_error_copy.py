"""What people read about each error: what it means, what to do next, and for administrators how to fix it."""

import re
from dataclasses import replace
from itertools import product

import pytest

from bot.core import errors
from bot.core.errors import CobrowseError, RuleMiss
from bot.core.models import MembershipStatus
from bot.slack.messages.blocks import escape
from bot.slack.messages.catalogue.errors import ERRORS as ENTRIES
from bot.slack.messages.catalogue.errors import NOTHING_DONE, Situation
from bot.slack.messages.catalogue.repairs import REPAIRS
from bot.slack.messages.catalogue.sentence import ENGLISH, PLAIN_ENGLISH, channel_mention, mention
from bot.slack.messages.error_copy import Addressee, ErrorCopy, error_copy, fault_name, find_entry, find_repair
from tests.support.cases import each_case
from tests.support.errors import BASES, CARLA, ERRORS, HOST, NAMELESS, classes, name_of

CONTACT = "<#C0HELP>"
AGENT = Addressee(ENGLISH, contact=channel_mention("C0HELP"))
TOLD = replace(AGENT, told=mention("U0ADA"))
TELLING = replace(AGENT, telling=mention("U0ADA"))
ADMINISTRATOR = Addressee(ENGLISH, contact=channel_mention("C0HELP"), can_repair=True)
MAX_WORDS = 25
TECHNICAL = (
    r"COBROWSE_|GENESYS_|SLACK_|STORE_|BOT_MODE|\bscopes?\b|\btokens?\b|OAuth|\bhosts?\b|\boffers?\b|database|"
    r"\bAPI\b|HTTP|JSON|UUID|\b[45][0-9]{2}\b|\bregion\b|\brules?\b|\bdivision\b|permission `"
)
"""Words that an agent with a customer on the line does not need."""
MAY_BE_TRIED_AGAIN = {
    "slack_unavailable",
    "reconnect_required",
    "service_busy",
    "queue_too_long",
    "service_fault",
    "outcome_unknown",
    "service_unreachable",
    "unusable_answer",
    "no_conversation",
    "message_not_posted",
    "interrupted",
    "not_started",
    "session_over",
    "unexpected",
}


def read(error: CobrowseError, situation: Situation = Situation.START, to: Addressee = AGENT) -> ErrorCopy:
    return error_copy(error, situation, to)


def words(text: str) -> int:
    return len(re.sub(r"<[@#!][^>]*>", "somebody", text).split())


def test_these_tests_know_every_error_there_is():
    every = {(each, code) for each in classes(CobrowseError) - BASES for code in each.possible_codes()}
    assert {(type(error), error.code) for error in ERRORS} == every


CASES = list(product(ERRORS, Situation))


def test_every_error_has_an_entry_of_its_code():
    found = {error.code: re.split("[.@]", find_entry(error, situation).problem.key)[0] for error, situation in CASES}
    assert {code: of for code, of in found.items() if code != of} == {}


def test_every_entry_is_the_entry_of_some_error():
    reached = {find_entry(error, situation).problem.key for error in ERRORS for situation in Situation}
    assert set(ENTRIES) - reached == {"not_accepted", "service_error"}  # the bases of others


def test_every_repair_is_the_repair_of_some_error():
    reached = {repair.fix.key for error in ERRORS if (repair := find_repair(error))}
    assert set(REPAIRS) - reached == set()


def is_sentence(line: str) -> bool:
    whole = line[-1] in ".?”" and (line[0].isupper() or line.startswith(("<@", "`")))
    return whole and not re.search(r"None|[{}]|  ", re.sub("<!date[^>]*>", "", line))


@pytest.mark.parametrize("to", [AGENT, TOLD, TELLING, ADMINISTRATOR], ids=["agent", "told", "telling", "administrator"])
def test_every_line_is_whole_sentences(to):
    copies = [read(error, situation, to) for error, situation in CASES]
    assert {line for copy in copies for line in (copy.problem, *copy.lines) if not is_sentence(line)} == set()


def test_an_agent_reads_few_and_plain_words():
    lists = ("several_conversations", "several_open_sessions", "message_not_posted")
    cases = [(error, situation) for error, situation in CASES if error.code not in lists]
    texts = {read(error, situation, to).text for error, situation in cases for to in (AGENT, TOLD, TELLING)}
    assert {text for text in texts if words(text) > MAX_WORDS} == set()
    assert {text for text in texts if re.search(TECHNICAL, text)} == set()


@each_case("error", ERRORS, ids=name_of)
def test_nobody_is_asked_to_ask_themselves(error):
    for situation in Situation:
        assert CONTACT not in read(error, situation, ADMINISTRATOR).text


@each_case("error", [e for e in ERRORS if fault_name(e)], ids=name_of)
def test_nobody_is_asked_to_tell_who_has_been_told(error):
    for situation in Situation:
        before, after = read(error, situation), read(error, situation, TOLD)
        assert CONTACT not in after.text
        assert ("<@U0ADA> has been told" in after.text) == (CONTACT in before.text)
        assert before.asks_contact == (CONTACT in before.text)
        assert not after.asks_contact


@each_case("error", [e for e in ERRORS if fault_name(e)], ids=name_of)
def test_first_person_reads_that_the_bot_tells_the_administrators(error):
    for situation in Situation:
        before, telling = read(error, situation), read(error, situation, TELLING)
        assert CONTACT not in telling.text
        assert "has been told" not in telling.text
        assert ("I’m telling <@U0ADA> now." in telling.text) == (CONTACT in before.text)
        assert not telling.asks_contact


def test_faults_are_what_an_administrator_has_to_repair():
    names = {re.split(r"[ .]", name)[0] for error in ERRORS if (name := fault_name(error))}
    assert names == FAULTS


FAULTS = {
    "slack_unavailable",
    "token_refused",
    "oauth_refused",
    "connect_client_refused",
    "permission_missing",
    "unusable_answer",
    "invalid_host",
    "unknown_application",
    "bad_request",
    "create_call_missing",
    "connect_required",
    "user_permission_missing",
    "message_not_posted",
    "text_too_long",
    "unexpected",
}
"""The errors that make a message to administrators; refusals of one person are none."""


@each_case("error", [e for e in ERRORS if find_repair(e)], ids=name_of)
def test_an_administrator_reads_the_repair_and_an_agent_does_not(error):
    assert read(error, to=ADMINISTRATOR).repair
    assert read(error).repair == ""


@pytest.mark.parametrize("situation", Situation)
def test_an_answer_says_once_that_nothing_was_done(situation):
    nothing = {ENGLISH.say(sentence) for sentence in NOTHING_DONE.values()}
    for error in ERRORS:
        text = read(error, situation).text
        assert sum(text.count(each) for each in nothing) <= 1
        assert not any(each in text for each in nothing if each != _nothing(situation))


def _nothing(situation: Situation) -> str:
    return ENGLISH.say(NOTHING_DONE[situation]) if situation in NOTHING_DONE else ""


@pytest.mark.parametrize(
    "error",
    [
        errors.OutcomeUnknownError(),
        errors.UnusableAnswerError(why="no id", acted=True),
        errors.UnexpectedError(maybe_created=True),
        errors.InterruptedRequestError("interrupted", True),
        errors.MaybeAcceptedError(),
    ],
    ids=name_of,
)
def test_an_unknown_outcome_never_says_that_nothing_was_done(error):
    for situation in Situation:
        assert "Nothing was" not in read(error, situation).text
    if not isinstance(error, errors.MaybeAcceptedError):
        assert "may or may not be sent" in read(error, Situation.SEND).problem
        assert "Ask your customer" in read(error, Situation.SEND, ADMINISTRATOR).text


def test_no_two_problems_of_one_situation_read_alike():
    for situation in Situation:
        keys = {find_entry(error, situation).problem for error in ERRORS}
        alike = {"token_refused": "oauth_refused", "connect_client_refused": "oauth_refused"}
        texts = [entry.text for entry in keys if re.split("[.@]", entry.key)[0] not in alike]
        repeated = {text for text in texts if texts.count(text) > 1}
        assert repeated <= MAY_READ_ALIKE


MAY_READ_ALIKE = {
    "Genesys is too busy right now.",  # with and without the time it names
    "Something went wrong on my side.",
    "Genesys doesn’t know the co-browse application that I use.",
    "Sign in to Genesys once, then I can start sessions for you.",  # with and without the link
    "Your sign-in to Genesys has expired.",
}


def test_retry_is_offered_where_it_may_help_and_nowhere_else():
    every = {code for each in classes(CobrowseError) if each.try_again for code in each.possible_codes()}
    found = {error.code for error in ERRORS if error.try_again}
    assert found == MAY_BE_TRIED_AGAIN | {"connect_required"}
    assert MAY_BE_TRIED_AGAIN - every <= {"message_not_posted", "no_conversation", "slack_unavailable"}


@pytest.mark.parametrize(
    "error",
    [
        errors.TokenRefusedError(),
        errors.LoginRefusedError(oauth_error="invalid_client"),
        errors.PermissionMissingError(needs="x:y"),
        errors.HostNotFoundError("U0BEN", False, ()),
        errors.InvalidHostError(host_id=HOST),
        errors.UnknownApplicationError(application_id="web2"),
        errors.UnusableAnswerError(why="no JSON"),
        errors.UnexpectedError(),
        errors.BadRequestError(status=400, words="no"),
    ],
    ids=name_of,
)
def test_problem_for_an_administrator_names_who_can_fix_it(error):
    assert CONTACT in read(error).next_step


@each_case(
    ("error", "parts"),
    [
        (errors.PermissionMissingError(needs="cobrowse:session:write"), ["`cobrowse:session:write`", "No restart"]),
        (
            errors.PermissionMissingError(needs="x:y", words="not in <Billing>"),
            ["&lt;Billing&gt;", "`x:y`", "division"],
        ),
        (errors.InvalidHostError(host_id=HOST), [HOST, "active", "license"]),
        (errors.UnknownApplicationError(application_id="web2", known=("web", "shop")), ["`web2`", "web, shop"]),
        (errors.UnknownApplicationError(application_id="web2"), ["`web2`", "exists in Genesys"]),
        (errors.CreateCallMissingError(), ["GENESYS_COBROWSE_API=conversations", "does not have the call"]),
        (errors.BadRequestError(status=422, words="<!channel> & co"), ["422", "&lt;!channel&gt; &amp; co"]),
        (errors.LoginRefusedError(oauth_error="invalid_client"), ["invalid_client", "key or secret"]),
        (errors.LoginRefusedError(oauth_error="invalid_scope"), ["invalid_scope", "GENESYS_SCOPES"]),
        (errors.LoginRefusedError(oauth_error="x", words="<!here> & co"), ["(x: “&lt;!here&gt; &amp; co”)"]),
        (errors.LoginRefusedError(oauth_error="unauthorized_client"), ["Client Credentials"]),
        (errors.LoginRefusedError(oauth_error="access_denied"), ["network address"]),
        (errors.LoginRefusedError(oauth_error=errors.WEB_PAGE), ["a web page", "network address"]),
        (errors.LoginRefusedError(code="connect_failed", oauth_error="x", words="<!here>"), ["(x: “&lt;!here&gt;”)"]),
        (errors.SignInRequiredError(), ["GENESYS_CONNECT_CLIENT_ID"]),
        (errors.SignInRequiredError(off="socket"), ["BOT_MODE"]),
        (errors.SignInRequiredError(off="key"), ["STORE_ENCRYPTION_KEY"]),
        (errors.UnusableAnswerError(why="a redirect (302)"), ["a redirect (302)"]),
        (errors.SlackUnavailableError("<oops>", passes=False), ["&lt;oops&gt;"]),
        (errors.SlackUnavailableError("missing_scope", passes=False), ["missing_scope", "manifest.yml"]),
        (errors.SendRejectedError("text_too_long", "765"), ["765", "`COBROWSE_SMS_TEXT`"]),
        (errors.SendRejectedError("text_too_long", "765", "COBROWSE_EMAIL_TEXT"), ["765", "`COBROWSE_EMAIL_TEXT`"]),
    ],
    ids=lambda value: name_of(value) if isinstance(value, CobrowseError) else "",
)
def test_a_repair_holds_what_an_administrator_needs(error, parts):
    assert not [part for part in parts if part not in read(error, to=ADMINISTRATOR).repair]


@each_case(
    ("error", "parts"),
    [
        (errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=("chat",)), ["a web chat"]),
        (errors.ServiceFailedError(), ["in a few minutes"]),
        (errors.ServiceBusyError(), ["Nothing was started", "in a minute"]),
        (errors.ServiceBusyError(retry_after=240.0), ["about 4 minutes"]),
        (errors.ServiceUnreachableError(), ["can’t reach Genesys", "Nothing was started"]),
        (errors.SeveralConversationsError(candidates=(CARLA, NAMELESS)), ["Carla &lt;C&gt; &amp; co", CARLA.id]),
        (errors.SeveralConversationsError(candidates=(CARLA, NAMELESS)), ["a customer since", "02 Jan 03:04 UTC"]),
        (errors.SignInRequiredError(off=""), ["Sign in", "`/cobrowse connect`"]),
        (errors.SignInRequiredError(off="", own=False), ["The agent", "`/cobrowse connect`"]),
        (errors.ChannelNotAllowedError("C0LOUNGE", ("C0DESK", "C0CARE")), ["<#C0DESK>, <#C0CARE>"]),
        (errors.RoleRequiredError("may_not_act_for_others", "U0BEN"), ["<@U0BEN>", "supervisors"]),
        (errors.SessionAccessError("may_not_end", "U0BEN", "U0ANA"), ["<@U0BEN> and <@U0ANA>", "supervisors"]),
        (errors.SessionAccessError("may_not_read_link", "U0BEN", "U0BEN"), ["Only <@U0BEN> can see"]),
        (errors.AccountLinkError("no_such_host", "<why>"), ["&lt;why&gt;"]),
        (errors.SendRejectedError("country_not_allowed", "JP"), ["(JP)"]),
    ],
    ids=lambda value: name_of(value) if isinstance(value, CobrowseError) else "",
)
def test_a_sentence_holds_what_its_reader_needs(error, parts):
    assert not [part for part in parts if part not in read(error).text]


@pytest.mark.parametrize(
    ("standing", "who"),
    [
        (MembershipStatus.GUEST, "guest"),
        (MembershipStatus.BOT, "bot"),
        (MembershipStatus.DEACTIVATED, "deactivated"),
        (MembershipStatus.OUTSIDER, "workspace"),
    ],
)
@pytest.mark.parametrize("is_target", [True, False])
def test_person_refused_by_membership_reads_which(standing, who, is_target):
    copy = read(errors.PersonNotAllowedError("not_a_member", "U0BEN", standing, is_target=is_target))
    assert who in copy.text.lower()
    assert ("<@U0BEN>" in copy.problem) == is_target


def test_a_guest_is_promised_nothing_that_nobody_can_change():
    for standing in MembershipStatus:
        error = errors.PersonNotAllowedError("not_a_member", "U0BEN", standing, is_target=False)
        assert CONTACT not in read(error).text


@pytest.mark.parametrize("is_target", [True, False])
def test_unlisted_or_unmapped_target_is_named(is_target):
    unlisted = errors.PersonNotAllowedError("not_listed", "U0BEN", is_target=is_target)
    for error in (unlisted, errors.HostNotFoundError("U0BEN", is_target, ())):
        assert ("<@U0BEN>" in read(error).text) == is_target


def test_an_administrator_reads_which_rules_were_tried():
    tried = (RuleMiss("hosts file", "not listed"), RuleMiss("same <email>", "no & none"))
    copy = read(errors.HostNotFoundError("U0BEN", False, tried), to=ADMINISTRATOR)
    assert "hosts file: not listed; same &lt;email&gt;: no &amp; none" in copy.repair


@each_case("error", ERRORS, ids=name_of)
def test_plain_text_holds_no_markup(error):
    for situation in Situation:
        text = read(error, situation, Addressee(PLAIN_ENGLISH, contact="Ada & Co", can_repair=False)).text
        assert not re.search(r"`|&amp;|&lt;|<!date", text)


@each_case("error", ERRORS, ids=name_of)
def test_own_text_of_an_error_is_its_code_alone(error):
    assert str(error) == error.code


def test_escaping_leaves_no_markup_and_is_undone_by_slack_once():
    assert escape("<!channel> & &lt;") == "&lt;!channel&gt; &amp; &amp;lt;"
