"""Render the administrators' message about a fault: what is broken, how to fix it, and the people affected (pure)."""

from datetime import datetime

from bot.core.models import Notice, RequestKind
from bot.core.results import FaultChecked, FaultState
from bot.core.use_cases.faults import Fault, read_fault
from bot.slack.messages.blocks import NOTICE_BLOCK, OPEN_ACTION, Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.errors import REFERENCE, SERVICE_REFERENCE, Situation
from bot.slack.messages.catalogue.repairs import TITLES
from bot.slack.messages.catalogue.sentence import Language, Markup, Sentence, counted, label, mention, said
from bot.slack.messages.error_copy import Addressee, error_copy

CHECK_ACTION = "check_fault"
MAX_NAMED = 5
SENDING = frozenset((RequestKind.SEND, RequestKind.SHARE, RequestKind.DIRECT))
STARTING = frozenset((RequestKind.START, RequestKind.STEP))

CHECK_AGAIN = label("button.check_again", "Check again")
RUNBOOK = label("button.runbook", "Runbook")
FAILING_START = counted(
    "fault.failing_start",
    "Co-browse is failing for {count} person since {since}.",
    "Co-browse is failing for {count} people since {since}.",
)
FAILING_SEND = counted(
    "fault.failing_send",
    "Sending links is failing for {count} person since {since}.",
    "Sending links is failing for {count} people since {since}.",
)
FAILING_OTHER = counted(
    "fault.failing_other",
    "Commands are failing for {count} person since {since}.",
    "Commands are failing for {count} people since {since}.",
)
WORKING = counted(
    "fault.working",
    "Working again since {at} ({wait}, {count} person).",
    "Working again since {at} ({wait}, {count} people).",
)
TITLE_START = said("fault.title_start", "Co-browse is failing: {what}")
TITLE_SEND = said("fault.title_send", "Sending links is failing: {what}")
TITLE_OTHER = said("fault.title_other", "Commands are failing: {what}")
TITLE_UNKNOWN = said("fault.title_unknown", "Co-browse needs your help.")
WORKING_TITLE = said("fault.working_title", "Co-browse is working again.")
CONTINUED = said("fault.continued", "This still fails. My newer message below has the details.")
FIX = said("fault.fix", "*Fix:* {fix}")
HIT = said("fault.hit", "Affected: {people}")
HIT_MORE = said("fault.hit_more", "Affected: {people} and {more} more")
CHECKED = {
    FaultState.FAILING: said("fault.checked_failing", "Checked by {person} at {at}: it still fails."),
    FaultState.REPAIRED: said("fault.checked_repaired", "Checked by {person} at {at}: it works."),
    FaultState.UNKNOWN: said("fault.checked_unknown", "Checked by {person} at {at}: the next request will show it."),
}
ANSWERS = {
    FaultState.FAILING: said("fault.answer_failing", "It still fails."),
    FaultState.REPAIRED: said("fault.answer_repaired", "It works again."),
    FaultState.UNKNOWN: said("fault.answer_unknown", "I can’t tell yet. The next request will show it."),
}


def fault_notice(notice: Notice, to: Addressee, opened_at: datetime, runbook_url: str = "") -> Message:
    """Render a message that tells administrators about a fault, or about its end.

    - `opened_at`: `notice.opened_at` itself for a new message. For a message that the bot updates, the value that
      `notice.opened_at` had when the bot posted the message. If the two values differ, the bot has posted a newer
      message about the fault. The rendered message then refers to the newer one, and has no buttons.
    - `runbook_url`: the page that a button opens; "" for no button.

    The text for notifications contains no details, because a locked phone shows it.
    """
    fault, say = read_fault(notice.data), to.language.say
    if opened_at != notice.opened_at:
        text = say(CONTINUED)
        return Message(text, [section(f":white_circle: {text}", NOTICE_BLOCK), *_details(fault, to)])
    if notice.over_at:
        wait = to.language.wait((notice.over_at - fault.since).total_seconds())
        text = say(WORKING, at=notice.over_at, wait=wait, count=len(fault.people))
        return Message(
            say(WORKING_TITLE), [section(f":large_green_circle: *{text}*", NOTICE_BLOCK), *_details(fault, to)]
        )
    failing, title = _sentences(fault)
    what = TITLES.get(fault.error.code)
    notification = say(title, what=what) if what else say(TITLE_UNKNOWN)
    text = say(failing, count=len(fault.people), since=fault.since)
    row = [button(say(CHECK_AGAIN), CHECK_ACTION, value=notice.key)]
    if runbook_url:
        row.append(button(say(RUNBOOK), OPEN_ACTION, url=runbook_url))
    head = section(f":red_circle: *{text}*", NOTICE_BLOCK)
    return Message(notification, [head, *_details(fault, to), buttons(*row)])


def fault_checked(outcome: FaultChecked, language: Language) -> Message:
    """Render the answer to *Check again* for the person who pressed it."""
    text = language.say(ANSWERS[outcome.state])
    return Message(text, [section(text)])


def _sentences(fault: Fault) -> tuple[Sentence, Sentence]:
    """Return two sentences about what fails: the first line of the message, and the text of Slack's notification."""
    kinds = set(fault.kinds)
    if kinds & STARTING:
        return FAILING_START, TITLE_START
    return (FAILING_SEND, TITLE_SEND) if kinds <= SENDING else (FAILING_OTHER, TITLE_OTHER)


def _details(fault: Fault, to: Addressee) -> list[Block]:
    """Build the blocks below the first line: the fault, its fix, the people affected, references, the newest check."""
    say, lines = to.language.say, _what_and_fix(fault, to)
    named = to.language.listed([mention(person) for person in fault.people[:MAX_NAMED]])
    more = len(fault.people) - MAX_NAMED
    hit = say(HIT_MORE, people=named, more=more) if more > 0 else say(HIT, people=named)
    ours, service = fault.references[-1]
    references = [say(REFERENCE, reference=ours)] + ([say(SERVICE_REFERENCE, reference=service)] if service else [])
    print_ = [context(" · ".join((hit, *references)))]
    if fault.state and fault.checked_by and fault.checked_at:
        checked = say(CHECKED[fault.state], person=mention(fault.checked_by), at=fault.checked_at)
        print_.append(context(checked))
    return [section("\n".join(lines)), *print_]


def _what_and_fix(fault: Fault, to: Addressee) -> list[str]:
    copy = error_copy(fault.error, Situation.QUERY, to)
    if not copy.fix:  # another version stored the error, and this version has no repair for it
        return [copy.text]
    return [copy.broken or copy.problem, to.language.say(FIX, fix=Markup(copy.fix))]
