"""Choose the sentences about an error for a reader, and fill in their placeholders (pure).

The sentences are in catalogue/.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core import errors
from bot.core.errors import CobrowseError
from bot.core.models import RequestId, UserId
from bot.core.validation.conversations import LiveConversation
from bot.slack.messages.blocks import Block, context
from bot.slack.messages.catalogue.answers import what_is_wrong
from bot.slack.messages.catalogue.errors import (
    ERRORS,
    NOTHING_DONE,
    REFERENCE,
    SERVICE_REFERENCE,
    TELL_IF_REPEATED,
    TELLING,
    TOLD,
    ErrorEntry,
    Situation,
)
from bot.slack.messages.catalogue.host_rules import explain_miss, miss_reason
from bot.slack.messages.catalogue.repairs import REPAIRS, Repair
from bot.slack.messages.catalogue.sentence import (
    Language,
    Markup,
    Sentence,
    Value,
    channel_mention,
    fault,
    mention,
    said,
)
from bot.slack.messages.catalogue.slack_errors import reason, remedy

MIN_TOLD_WAIT_SECONDS = 30.0
"""An error message names a wait of at least this length. For a shorter wait, it says "in a minute"."""
MAX_LISTED = 10
MAX_CHANNELS = 5
MAX_APPLICATIONS = 20
MAX_FAULT_NAME_LENGTH = 200

CUSTOMER = said("conversation.customer", "a customer")
CANDIDATE = said("conversation.candidate", "{customer} since {since}, `{id}`")
BOTH_PEOPLE = said("people.two", "{first} and {second}")
NO_RULE = fault("host_rules.none", "no rule is set up")
SOMEBODY = said("reader.contact", "the person who looks after this bot")


@dataclass(frozen=True, slots=True)
class Addressee:
    """What an error message needs to know about its reader.

    - `command`: the slash command of this installation.
    - `contact`: the person or channel to ask for help.
    - `can_repair`: whether the message says how to fix a fault, because the reader can fix faults.
    - `told`: the person or channel that has already got a message about the error; "" for none.
    - `telling`: the person or channel that will get a message about the error; "" for none. The message is stored, but
      not sent yet.
    """

    language: Language
    command: str = "/cobrowse"
    contact: Value = SOMEBODY
    can_repair: bool = False
    told: Value = ""
    telling: Value = ""


@dataclass(frozen=True, slots=True)
class ErrorCopy:
    """The sentences about an error for one reader. Each text but `problem` is "" if there is none.

    - `problem`: what went wrong.
    - `next_step`: what the reader can do, and who learns of the error.
    - `broken`: what is broken. Only for administrators.
    - `fix`: how to fix what is broken. Only for administrators.
    - `has_status_page`: whether the message links to the status page of Genesys.
    - `asks_contact`: whether a sentence asks the reader to tell or ask the contact.
    """

    problem: str
    next_step: str = ""
    broken: str = ""
    fix: str = ""
    has_status_page: bool = False
    asks_contact: bool = False

    @property
    def repair(self) -> str:
        """Return `broken` and `fix` on one line; "" if both are ""."""
        return f"{self.broken} {self.fix}".strip()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines of an error message below the problem: `repair` and `next_step`, without empty lines."""
        return tuple(line for line in (self.repair, self.next_step) if line)

    @property
    def text(self) -> str:
        """Return all sentences about the error on one line."""
        return " ".join((self.problem, *self.lines))


def error_copy(error: CobrowseError, situation: Situation, to: Addressee) -> ErrorCopy:
    """Return the sentences about an error for the reader `to`. `situation` is what the person asked the bot to do."""
    entry, repair = find_entry(error, situation), find_repair(error) if to.can_repair else None
    contact, named = _contact(entry, to)
    values: dict[str, Value] = {"command": to.command, "contact": named} | _values(error, to.language)

    def say(*sentences: Sentence | None) -> str:
        return " ".join(to.language.say(each, **values) for each in sentences if each).strip()

    names_contact = entry.next_step is not None and "{contact}" in entry.next_step.text
    next_step = None if repair and names_contact else entry.next_step
    contact = None if repair else contact
    is_last = entry.contact is TELL_IF_REPEATED
    return ErrorCopy(
        problem=say(entry.problem, NOTHING_DONE.get(situation) if entry.nothing_done else None),
        next_step=say(next_step, contact) if is_last else say(contact, next_step),
        broken=say(repair.fault) if repair else "",
        fix=say(repair.fix) if repair else "",
        has_status_page=entry.has_status_page,
        asks_contact=bool(contact and contact is entry.contact) or bool(next_step and names_contact),
    )


def _contact(entry: ErrorEntry, to: Addressee) -> tuple[Sentence | None, Value]:
    """Return the sentence that says who knows of the error or whom to tell, and the person or channel in this sentence.

    If `entry.contact` is None, the sentence is None, and the person or channel is `to.contact`.
    """
    return tell_sentence(entry.contact, to) if entry.contact else (None, to.contact)


def tell_sentence(ask: Sentence, to: Addressee) -> tuple[Sentence, Value]:
    """Return the sentence about who learns of an error, and the person or channel that the sentence names.

    - If the bot has told the administrators or the contact: TOLD, which says so.
    - If the message to them is stored but not sent yet: TELLING, which says so.
    - Otherwise: `ask`, a sentence that asks the reader to tell the contact.
    """
    if to.told:
        return TOLD, to.told
    return (TELLING, to.telling) if to.telling else (ask, to.contact)


def field_error(error: CobrowseError, to: Addressee) -> str:
    """Return the text of an error below a field of a form, as plain text without mentions."""
    return error_copy(error, Situation.QUERY, replace(to, language=to.language.plain, contact=SOMEBODY)).text


def find_entry(error: CobrowseError, situation: Situation) -> ErrorEntry:
    """Return the catalogue's most specific entry for an error.

    An error has any number of variants, or none. Return the first entry found under one of these keys, in this order:

    - for each variant: the code with variant and situation, the code with the situation, the code with the variant
    - the code with the situation, if the error has no variant
    - the code alone
    - the code `unexpected`
    """
    keys = [f"{error.code}.{variant}" for variant in variants(error)] + [error.code]
    for key in keys:
        for found in (ERRORS.get(f"{key}@{situation}"), ERRORS.get(f"{error.code}@{situation}"), ERRORS.get(key)):
            if found:
                return found
    return ERRORS["unexpected"]


def fault_name(error: CobrowseError) -> str | None:
    """Return the name of the fault that caused an error; None if administrators need not or cannot fix the cause.

    Errors with the same cause and the same fix have the same name. A refusal, such as a missing role, is not a fault.
    """
    repair = find_repair(error)
    if repair is None or error.code == "connect_failed" or getattr(error, "passes", False):
        return None
    if repair.fault is None and not isinstance(error, errors.UnexpectedError):
        return None
    subjects = ("needs", "application_id", "oauth_error", "slack_error", "status", "setting")
    subject = next((str(value) for each in subjects if (value := getattr(error, each, ""))), "")
    return f"{repair.fix.key} {subject}".strip()[:MAX_FAULT_NAME_LENGTH]


def find_repair(error: CobrowseError) -> Repair | None:
    """Return the sentences that tell administrators how to fix an error's cause; None if the catalogue has none."""
    keys = (*(f"{error.code}.{variant}" for variant in variants(error)), error.code)
    return next((REPAIRS[key] for key in keys if key in REPAIRS), None)


def variants(error: CobrowseError) -> tuple[str, ...]:
    """Return the variants of an error, the most important first.

    The catalogue can have special sentences for a variant. For example, the error `host_not_found` has the variant
    `target` if it is about somebody else than the requester.
    """
    match error:
        case errors.RateLimitedError(everybody=True):
            return ("everybody",)
        case errors.SlackUnavailableError(passes=True) | errors.SharingError(code="message_not_posted", passes=True):
            return ("passes",)
        case errors.UnexpectedError(maybe_created=True) | errors.InterruptedRequestError(maybe_created=True):
            return ("maybe_done",)
        case errors.SessionActionError(agent=agent) if agent:
            return ("other",)
        case errors.SessionActionError(code="no_open_session", ever=False):
            return ("never",)
        case errors.SessionActionError(code="already_ended", record=record) if record and record.may_continue:
            return ("closed",)
        case errors.SharingError(code="share_refused", why=why) | errors.AccountLinkError(code="connect_off", why=why):
            return (why,)
        case errors.SharingError(code="share_outcome_unknown", is_direct=True):
            return ("direct",)
        case errors.SendRejectedError(code="sending_off" | "invalid_address", detail=detail):
            return (detail,)
        case errors.SendRejectedError(code="country_not_allowed", detail=""):
            return ("none",)
    return _person_variants(error) or _account_variants(error) or _service_variants(error)


def _person_variants(error: CobrowseError) -> tuple[str, ...]:
    """Return the variants of an error about what a person may do, or about a person's host."""
    match error:
        case errors.ChannelNotAllowedError(is_sharing=True):
            return ("share",)
        case errors.ChannelNotAllowedError(channel_id=""):
            return ("elsewhere",)
        case errors.PersonNotAllowedError(code="not_a_member", standing=standing, is_target=is_target):
            return (f"{standing}_target" if is_target else str(standing),)
        case errors.PersonNotAllowedError(is_target=True) | errors.HostNotFoundError(is_target=True):
            return ("target",)
        case errors.RoleRequiredError(code="supervisors_only", target=target) if target:
            return ("end",)
    return ()


def _account_variants(error: CobrowseError) -> tuple[str, ...]:
    """Return the variants of an error about the bot's OAuth client, or about a person's own account."""
    match error:
        case errors.LoginRefusedError(oauth_error="invalid_scope"):
            return ("scope",)
        case errors.LoginRefusedError(is_about_address=True):
            return ("address",)
        case errors.LoginRefusedError(oauth_error="unauthorized_client"):
            return ("grant",)
        case errors.PermissionMissingError(code="permission_missing", words=words) if words:
            return ("division",)
        case errors.PermissionMissingError(code="user_permission_missing", own=own, words=words):
            return (*(() if own else ("other",)), *(("division",) if words else ()))
        case errors.SignInRequiredError(off=off) if off:
            return (off, "off")
        case errors.SignInRequiredError(own=own, address=address) | errors.SignInExpiredError(own=own, address=address):
            return ("other",) if not own else ("link",) if address else ()
    return ()


def _service_variants(error: CobrowseError) -> tuple[str, ...]:
    match error:
        case errors.InvalidHostError(own=False):
            return ("other",)
        case errors.ServiceBusyError(retry_after=seconds) if seconds is not None:
            return ("wait",) if MIN_TOLD_WAIT_SECONDS <= seconds < math.inf else ()
        case errors.UnusableAnswerError(acted=True):
            return ("acted",)
        case errors.UnknownApplicationError(known=()):
            return ("unlisted",)
        case errors.UnknownSessionError(in_conversation=True):
            return ("conversation",)
        case errors.NoUsableConversationError(own=False):
            return ("other",)
        case errors.NoUsableConversationError(kinds=(kind,)):
            return (kind,)
    return ()


def _values(error: CobrowseError, language: Language) -> dict[str, Value]:
    """Return the values of the placeholders in an error's sentences, except `command` and `contact`."""
    match error:
        case errors.RateLimitedError(wait_seconds=seconds):
            return {"wait": language.wait(seconds)}
        case errors.QueueTooLongError(wait_seconds=seconds):
            return {"wait": language.estimate(seconds)}
        case errors.ServiceBusyError(retry_after=seconds):
            return {"wait": language.estimate(seconds or 0)}
        case errors.ChannelNotAllowedError(allowed=allowed):
            return {"channels": language.listed([channel_mention(each) for each in allowed[:MAX_CHANNELS]])}
        case errors.PersonNotAllowedError(user_id=user_id):
            return {"person": mention(user_id)}
        case errors.RoleRequiredError(target=target) if target:
            return {"person": mention(target)}
        case errors.HostNotFoundError(user_id=user_id, tried=tried):
            rules = language.listed([explain_miss(language, miss) for miss in tried], long=True)
            found = rules or Markup(language.say(NO_RULE))
            return {"person": mention(user_id), "mention": mention(user_id), "tried": found}
        case errors.SlackUnavailableError(slack_error=code) | errors.SharingError(slack_error=code):
            why, fix = Markup(reason(language, code)), Markup(remedy(language, code))
            return {"slack_error": code, "reason": why, "remedy": fix}
        case errors.SessionAccessError(agent=agent, requester=requester):
            return {"people": Markup(_people(agent, requester, language))}
        case errors.SessionActionError(agent=agent) if agent:
            return {"person": mention(agent)}
        case errors.SendRejectedError(detail=detail, setting=setting):
            return {"country": detail, "limit": detail, "setting": setting or "COBROWSE_SMS_TEXT"}
        case errors.AccountLinkError(why=why):
            return {"reason": miss_reason(why)}
    return _service_values(error, language)


def _service_values(error: CobrowseError, language: Language) -> dict[str, Value]:
    match error:
        case errors.LoginRefusedError(oauth_error=code, words=words):
            return {"details": f"{code}: “{words}”" if words else code}
        case errors.PermissionMissingError(needs=needs, words=words):
            return {"permission": needs, "details": words}
        case errors.InvalidHostError(host_id=host_id):
            return {"host": host_id}
        case errors.UnknownApplicationError(application_id=used, known=known):
            there = language.listed([each[:60] for each in known[:MAX_APPLICATIONS]])
            return {"application": used[:60], "known": there}
        case errors.BadRequestError(status=status, words=words):
            return {"status": status, "details": words}
        case errors.UnusableAnswerError(why=why):
            return {"reason": what_is_wrong(why)}
        case errors.SeveralConversationsError(candidates=candidates):
            shown = [candidate(one, language) for one in candidates[:MAX_LISTED]]
            return {"conversations": language.listed(shown, long=True)}
    return {}


def references(language: Language, ours: str | None, service: str | None = None) -> str:
    """Render the ids that support needs, on one line; "" if both are None.

    - `ours`: the request's id; None to leave it out.
    - `service`: Genesys's correlation id; None to leave it out.
    """
    told = ((REFERENCE, ours), (SERVICE_REFERENCE, service))
    return " · ".join(language.say(sentence, reference=found) for sentence, found in told if found)


def reference_line(language: Language, request_id: RequestId, service: str | None = None) -> Block:
    """Build the block with the ids that support needs.

    `service`: Genesys's correlation id; None to leave it out.
    """
    return context(references(language, request_id, service))


def candidate(one: LiveConversation, language: Language) -> Markup:
    """Render the customer, the start time and the id of a conversation."""
    return Markup(language.say(CANDIDATE, customer=one.customer or CUSTOMER, since=one.since, id=one.id))


def _people(agent: UserId, requester: UserId, language: Language) -> str:
    names: Sequence[str] = [mention(each) for each in dict.fromkeys((agent, requester))]
    return names[0] if len(names) == 1 else language.say(BOTH_PEOPLE, first=Markup(names[0]), second=Markup(names[1]))
