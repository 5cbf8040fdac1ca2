"""Write docs/reference/messages.md: every sentence that people can read."""

from collections.abc import Iterator

from bot.core import errors
from bot.slack.messages.catalogue.sentence import Part, Reader, Sentence
from tests.support.catalogue import every_sentence

GROUPS = {
    "access": "An agent without a Genesys user asks to be connected: what the agent and the administrators read.",
    "answer": "What is wrong with an answer of Genesys.",
    "apps": "`/cobrowse apps`.",
    "button": "Buttons that several messages share.",
    "card": "The card of a session, and what it becomes.",
    "choice": "An agent talks to several customers, or has a session with this customer: which one?",
    "connect": "`/cobrowse connect` and `disconnect`, and an administrator's dialog that connects somebody.",
    "contact": "Whom people are told to ask.",
    "conversation": "How a conversation is named in a list.",
    "dialog": "The dialogs of a card: a question before a session ends or its link is posted, and the ids for support.",
    "duration": "How long a session lasts, in the form.",
    "ended": "Somebody else ended an agent's session: the direct message to the agent.",
    "fault": "The direct message to administrators about a fault, and the answers to *Check again*.",
    "form": "The form that starts a session, and its errors.",
    "form_not_opened": "A form that did not open.",
    "help": "`/cobrowse help`.",
    "help_request": "A person asks the administrators for what only they can do: the message, and the answer.",
    "home": "The Home tab.",
    "host_rules": "There is no rule that leads to a Genesys user.",
    "list": "`/cobrowse status`, `list` and `end`: rows of sessions. `list.comma` and `list.semicolon` join items.",
    "note": "A message that shows while a request takes long.",
    "nothing_done": "Added to an error: what did not happen.",
    "offer_refusal": "The command named a customer's number or email address, and the link cannot go there.",
    "option": "The buttons below a question.",
    "page": "The web page on which a sign-in to Genesys ends.",
    "people": "Two people in one sentence.",
    "question": "A text may mean two things: the question, and the answers to a press.",
    "reader": "Whom people are told to ask when nobody is set up for it.",
    "reference": "What a support team asks for.",
    "refusal": "A text that starts nothing, and why.",
    "role": "What a person may do, in `/cobrowse why`.",
    "row": "A session in a list.",
    "rule": "What a host rule is called.",
    "rule_miss": "Why a host rule found no Genesys user.",
    "send": "The question before a link goes to a customer, and what came of it.",
    "send_form": "The dialog that asks for a customer’s number or email address.",
    "customer_language": "The choice of the language of the text that a customer gets.",
    "session": "What a command or a press has done to a session.",
    "slack": "What an error code of Slack means, and what to do about it.",
    "state": "What Genesys says about a session: the customer joined, it has ended, or nobody joined.",
    "thread": "The form of the message shortcut: *Post in this thread*.",
    "time": "A time of another day, and a time that no calendar has.",
    "wait": "How long something takes.",
    "warning": "The set-up works, but deserves attention: what administrators read in the Home tab.",
    "who": "`/cobrowse whoami` and `why`.",
}
"""When the sentences of a group are read, by the first part of their keys. Errors say it in their docstrings."""
WHY = {
    "administrators_only": "The command or button is for administrators, and this person is none.",
    "already_ended": "The session was over before the press or the command.",
    "already_retried": "*Try again* was pressed twice, or by two people.",
    "already_shared": "The link is in this channel already: the button was pressed twice.",
    "connect_denied": "The person, or Genesys, did not allow access.",
    "connect_client_refused": "Genesys's login refused the OAuth client for people's sign-ins.",
    "connect_failed": "Genesys's login did not complete a person's sign-in.",
    "connect_link_expired": "The link to sign in was used, is older than its time, or is not the newest one.",
    "connect_off": "Nobody can sign in here: a setting is missing, or it is not needed.",
    "connect_wrong_user": "The person who signed in is not the Genesys user that the rules lead to.",
    "conversation_kind_not_supported": "The conversation is of a kind that has no co-browse in Genesys.",
    "country_not_allowed": "COBROWSE_SMS_COUNTRIES does not list the country of the number.",
    "interrupted": "The bot was restarted before it began with the request, or in the middle of it.",
    "invalid_address": "What was typed is no number or email that a link can go to.",
    "link_used_up": "Genesys no longer knows the link: it was used, was cancelled, or has expired.",
    "customer_joined": "The customer has joined, so nobody else can join by the link.",
    "may_not_act_for_others": "Somebody who is no supervisor named another person.",
    "may_not_check": "*Check again* is for administrators, and this person is none.",
    "may_not_end": "The session belongs to other people.",
    "may_not_read_link": "The link belongs to other people.",
    "message_not_posted": "Slack refused a message of the bot.",
    "no_conversation": "Genesys shows no conversation of the host with a customer.",
    "no_link_to_send": "The session has a code only: there is no page for customers.",
    "no_open_session": "There is no session to end, to show or to send.",
    "no_such_host": "Not exactly one active Genesys user fits what an administrator typed.",
    "not_a_member": "The person is a guest, a bot, deactivated, or of another organization.",
    "not_connected": "Somebody wanted to sign out of Genesys who had not signed in.",
    "not_in_conversation": "The conversation is over or unknown, or the host is not connected to it.",
    "not_linked": "An administrator wanted to remove a link that does not exist.",
    "not_listed": "COBROWSE_MEMBERS does not list the person.",
    "not_started": "The database failed before the bot could send anything to Genesys.",
    "not_your_request": "Somebody pressed *Try again* below the message of another person.",
    "oauth_refused": "Genesys's login refused the bot's OAuth client.",
    "overloaded": "COBROWSE_MAX_IN_FLIGHT requests are being processed.",
    "permission_missing": "The bot's OAuth client lacks a scope or permission.",
    "request_forgotten": "The store has deleted the request of this *Try again*.",
    "sending_off": "No sender is set for texts, or none for emails.",
    "session_not_found": "There is no session with this id, or it belongs to other people.",
    "session_over": "The bot stopped after it had started a session, and came back after that session had ended.",
    "several_open_sessions": "The command could mean several sessions.",
    "share_outcome_unknown": "Slack did not answer, so nobody knows whether the link was posted.",
    "share_refused": "The link may not be posted there: Slack, or the people who read it, do not allow it.",
    "shutting_down": "The bot is stopping.",
    "supervisors_only": "The command is about other people, and this person is no supervisor.",
    "text_too_long": "The text of the settings and the link are longer than an SMS may be.",
    "too_many_inquiries": "The person reached COBROWSE_PERSON_INQUIRIES_PER_MINUTE.",
    "too_many_sends": "The person reached COBROWSE_PERSON_SENDS_PER_MINUTE.",
    "too_many_starts": "The person, the supervisor or the workspace reached its limit of starts per minute.",
    "user_permission_missing": "The person's own Genesys account lacks a permission.",
}
"""Why people read an error, by its code, where one class has several codes. Other errors say it in their docstrings."""
INTRODUCTION = (
    "Every sentence that people can read in Slack, and on the page where a sign-in ends. `make reference` writes this",
    "page from the code; do not edit it.",
    "",
    "A key is the code of an error or a result, then `.variant`, then `@situation`: what was asked for. `{name}` is a",
    "placeholder. Administrators read what is broken and how to fix it, everybody else what happened and what to do.",
)
PARTS = {
    Part.PROBLEM: "what happened",
    Part.NEXT_STEP: "what to do",
    Part.FAULT: "what is broken",
    Part.FIX: "how to fix it",
    Part.LABEL: "label",
    Part.TEXT: "text",
}
READERS = {Reader.EVERYBODY: "everybody", Reader.ADMINISTRATOR: "administrators"}


def page() -> str:
    """Return the text of docs/reference/messages.md."""
    sentences: dict[str, list[Sentence]] = {}
    for each in every_sentence():
        sentences.setdefault(each.key.split("@")[0].split(".")[0], []).append(each)
    when = reasons()
    lines = [
        "# Messages",
        "",
        *INTRODUCTION,
        "",
        "## Errors",
        "",
    ]
    for group in sorted(set(sentences) & set(when)):
        told = f"{when[group]} Who acts: {_who_acts(sentences[group])}."
        lines += [f"### `{group}`", "", told, "", *_table(sentences[group])]
    lines += ["## All other messages", ""]
    for group in sorted(set(sentences) - set(when)):
        lines += [f"### `{group}`", "", GROUPS[group], "", *_table(sentences[group])]
    return "\n".join(lines).rstrip() + "\n"


def reasons() -> dict[str, str]:
    """Return why people read each error, by its code. Raises KeyError for a code without a reason."""
    found: dict[str, str] = {}
    for kind in _kinds(errors.CobrowseError):
        codes = sorted(kind.possible_codes())
        found |= {code: WHY[code] if len(codes) > 1 else _summary(kind) for code in codes}
    return found


def _table(sentences: list[Sentence]) -> Iterator[str]:
    yield "| key | read by | part | sentence |"
    yield "|---|---|---|---|"
    for each in sorted(sentences, key=lambda one: (one.key, list(PARTS).index(one.part))):
        text = each.text if not each.plural else f"{each.text} / {each.plural}"
        text = text.replace("|", "\\|").replace("\n", "<br>").replace("*", "\\*").replace("<", "&lt;")
        yield f"| `{each.key}` | {READERS[each.reader]} | {PARTS[each.part]} | {text} |"
    yield ""


def _who_acts(sentences: list[Sentence]) -> str:
    """Return who acts: the reader has a next step of their own, an administrator has a fix, or is asked."""
    steps = [each for each in sentences if each.part is Part.NEXT_STEP]
    is_asked = any("{contact}" in each.text for each in sentences)
    acting = ["the reader"] if any("{contact}" not in each.text for each in steps) else []
    acting += ["an administrator"] if is_asked or any(each.part is Part.FIX for each in sentences) else []
    return " and ".join(acting) or "nobody"


def _summary(kind: type[errors.CobrowseError]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("|", "\\|")


def _kinds(kind: type[errors.CobrowseError]) -> Iterator[type[errors.CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
