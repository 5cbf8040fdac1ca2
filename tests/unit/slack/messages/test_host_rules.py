"""Each reason why a host rule found nobody has its sentence."""

from bot.core.errors import MissReason, RuleMiss
from bot.core.hosts.resolver import LINK, EmailRule, ListedHostRule
from bot.core.models import UserId
from bot.slack.messages.catalogue.host_rules import MISSES, RULES, explain_miss
from bot.slack.messages.catalogue.sentence import ENGLISH, PLAIN_ENGLISH
from tests.support.cases import each_case


def test_each_rule_and_reason_has_a_sentence() -> None:
    assert set(MISSES) == set(MissReason)
    assert set(RULES) == {ListedHostRule.name, EmailRule.name, LINK}


def test_two_hosts_names_both_accounts() -> None:
    miss = RuleMiss(LINK, MissReason.TWO_HOSTS, (UserId("U1"), UserId("W1")))
    assert explain_miss(ENGLISH, miss).startswith("linked by an administrator: U1 and W1 are the same person")


@each_case("reason", MissReason)
def test_a_reason_is_told_without_its_code(reason: MissReason) -> None:
    told = explain_miss(PLAIN_ENGLISH, RuleMiss("hosts file", reason.value))
    assert told.startswith("hosts file: ")
    assert reason.value not in told
    assert "{" not in told


def test_the_sentence_of_an_earlier_version_is_shown_as_it_is() -> None:
    assert explain_miss(ENGLISH, RuleMiss("same <email>", "no & none")) == "same &lt;email&gt;: no &amp; none"
