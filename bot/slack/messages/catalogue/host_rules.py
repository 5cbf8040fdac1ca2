"""Hold the sentences about host rules: the names of the rules, and the reasons why a rule found no host (pure)."""

from bot.core.errors import MissReason, RuleMiss
from bot.core.hosts.resolver import LINK, EmailRule, ListedHostRule
from bot.slack.messages.catalogue.sentence import Language, Markup, Sentence, Value, fault

RULES = {
    ListedHostRule.name: fault("rule.hosts_file", "hosts file"),
    EmailRule.name: fault("rule.same_email", "same email"),
    LINK: fault("rule.link", "linked by an administrator"),
}
"""The names that people read for the host rules, by the names of the rules in logs, audit log and database."""

MISSES = {
    MissReason.NOT_LISTED: fault("rule_miss.not_listed", "not listed"),
    MissReason.TWO_HOSTS: fault(
        "rule_miss.two_hosts",
        "{first} and {second} are the same person, and have two Genesys users. Remove one",
    ),
    MissReason.NO_EMAIL: fault(
        "rule_miss.no_email",
        "Slack shows me no email address. A Slack administrator can change that: the workspace’s setting Email"
        " display, or the app’s scope users:read.email",
    ),
    MissReason.EMAIL_UNCONFIRMED: fault(
        "rule_miss.email_unconfirmed",
        "Slack does not call the email address confirmed. The person confirms it by Slack’s email; where SSO or SCIM"
        " manages accounts, a Slack administrator does",
    ),
    MissReason.EMAIL_NOT_ASCII: fault("rule_miss.email_not_ascii", "the address has unusual letters"),
    MissReason.DOMAIN_NOT_ALLOWED: fault("rule_miss.domain_not_allowed", "the address is outside the allowed domains"),
    MissReason.NO_USER: fault(
        "rule_miss.no_user", "no Genesys user has this address, or none in a division that the bot may see"
    ),
    MissReason.SEVERAL_USERS: fault("rule_miss.several_users", "several Genesys users have this address"),
    MissReason.OTHER_EMAIL: fault("rule_miss.other_email", "Genesys answered with another address"),
    MissReason.USER_INACTIVE: fault("rule_miss.user_inactive", "the Genesys user is not active"),
    MissReason.USERS_INACTIVE: fault("rule_miss.users_inactive", "the Genesys users with this address are not active"),
    MissReason.ID_NOT_UUID: fault("rule_miss.id_not_uuid", "the Genesys user’s id is not a UUID"),
}

MISS = fault("rule_miss", "{rule}: {why}")


def rule_name(rule: str) -> Value:
    """Return the name that people read for a host rule; `rule` itself if this version of the bot has no such rule."""
    return RULES.get(rule, rule)


def miss_reason(why: str) -> Sentence | str:
    """Return the sentence that says why no host was found. `why`: the value of a MissReason.

    If `why` is any other text, return it unchanged. Such a text is already the sentence: earlier versions of the bot
    stored the sentence in the database.
    """
    return MISSES[MissReason(why)] if why in set(MissReason) else why


def explain_miss(language: Language, miss: RuleMiss) -> Markup:
    """Render the name of a host rule and the reason why the rule found no host."""
    first, second = (*miss.people, "", "")[:2]
    why = miss_reason(miss.why)
    told: Value = why if isinstance(why, str) else Markup(language.say(why, first=first, second=second))
    return Markup(language.say(MISS, rule=rule_name(miss.rule), why=told))
