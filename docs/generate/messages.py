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
    "thread": "The form of the message shortcut: *Post in this thread*.",
    "time": "A time of another day, and a time that no calendar has.",
    "wait": "How long something takes.",
    "warning": "The set-up works, but deserves attention: what administrators read in the Home tab.",
    "who": "`/cobrowse whoami` and `why`.",
}
"""When the sentences of a group are read, by the first part of their keys. Errors say it in their docstrings."""
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
    when = {code: _summary(kind) for kind in _kinds(errors.CobrowseError) for code in sorted(kind.possible_codes())}
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


def _table(sentences: list[Sentence]) -> Iterator[str]:
    yield "| key | read by | part | sentence |"
    yield "|---|---|---|---|"
    for each in sorted(sentences, key=lambda one: (one.key, list(PARTS).index(one.part))):
        text = each.text if not each.plural else f"{each.text} / {each.plural}"
        text = text.replace("|", "\\|").replace("\n", "<br>").replace("*", "\\*").replace("<", "&lt;")
        yield f"| `{each.key}` | {READERS[each.reader]} | {PARTS[each.part]} | {text} |"
    yield ""


def _who_acts(sentences: list[Sentence]) -> str:
    asks = any("{contact}" in each.text for each in sentences)
    if asks or any(each.part is Part.FIX for each in sentences):
        return "an administrator"
    return "the reader" if any(each.part is Part.NEXT_STEP for each in sentences) else "nobody"


def _summary(kind: type[errors.CobrowseError]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("|", "\\|")


def _kinds(kind: type[errors.CobrowseError]) -> Iterator[type[errors.CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
