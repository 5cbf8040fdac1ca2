"""Render the help: a short introduction, and the list of all commands for a role (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.customer_texts import NO_TEXTS, CustomerTexts
from bot.core.models import Role
from bot.core.validation.conversations import GenesysApp
from bot.slack.command_parser import ALL
from bot.slack.messages.blocks import Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.sentence import Language, Sentence, label, said

HELP_START_ACTION, HELP_SESSIONS_ACTION, HELP_ALL_ACTION = "help_start", "help_sessions", "help_all"

INTRODUCTION = said(
    "help.introduction", "*Share a customer’s screen:* type `{command}` and give them the link or code."
)
INTRODUCTION_PLAIN = said("help.introduction_plain", "Type {command} to get a link or code for your customer.")
START_BUTTON = label("help.start_button", "Start a session")
SESSIONS_BUTTON = label("help.sessions_button", "My sessions")
ALL_BUTTON = label("help.all_button", "All commands")
ALL_PLAIN = said("help.all_plain", "All commands of {command}")
QUOTES = said("help.quotes", 'To use a command word as a name, put it in quotes: `{command} "help"`')

START_TITLE = said("help.start_title", "*Start*")
START = said("help.start", "`{command}` starts a session")
NAMED = said("help.named", "`{command} Checkout help` gives it a name, which your customer may see")
SENT = said("help.sent", "`{command} +14155550123` or `{command} name@example.com` offers to send the link, too")
IN_CONVERSATION = said(
    "help.in_conversation", "`{command}` and an interaction’s address or id starts a session in that interaction"
)
FORM = said("help.form", "`{command} new` opens a form; so do the message shortcut and my Home tab")
FOR_ANOTHER = said("help.for_another", "`{command} @agent Checkout help` starts a session for somebody else")
SEND_TITLE = said("help.send_title", "*Send*")
SEND = said("help.send", "`{command} send +14155550123` or `{command} send name@example.com` sends your link")
LAST = said("help.last", "`{command} last` shows your last link again")
END_TITLE = said("help.end_title", "*End*")
END = said("help.end", "`{command} end` ends your session")
END_ANOTHER = said("help.end_another", "`{command} @agent end` ends somebody else’s session")
FIND_TITLE = said("help.find_title", "*Find*")
STATUS = said("help.status", "`{command} status` shows your open sessions")
LIST = said("help.list", "`{command} list` shows everybody’s open sessions")
WHOAMI = said("help.whoami", "`{command} whoami` shows your Genesys user")
WHY = said("help.why", "`{command} why` shows whether you can start sessions, and why")
WHY_ANOTHER = said("help.why_another", "`{command} why @agent` shows the same for somebody else")
APPS = said("help.apps", "`{command} apps` shows the co-browse applications")
SET_UP_TITLE = said("help.set_up_title", "*Set up*")
CONNECT = said("help.connect", "`{command} connect` signs you in to Genesys, `{command} disconnect` signs you out")
LINK = said(
    "help.link", "`{command} link @agent name@example.com` connects somebody to a Genesys user, by email address or id"
)
UNLINK = said("help.unlink", "`{command} unlink @agent` takes that back")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The optional features of this installation.

    - `sends`: whether the bot can send links to customers.
    - `texts`: whether the bot can send links by text message.
    - `emails`: whether the bot can send links by email.
    - `connects`: whether people can sign in to Genesys with their own account.
    - `in_conversations`: whether sessions belong to Genesys conversations.
    - `genesys_app`: the web app that shows conversations; None if sessions belong to no conversation.
    - `customer_texts`: the texts of messages to customers, in all languages.
    - `runbook_url`: the page about faults that administrators can open; "" for none.
    """

    sends: bool = False
    connects: bool = False
    in_conversations: bool = False
    genesys_app: GenesysApp | None = None
    texts: bool = True
    emails: bool = True
    customer_texts: CustomerTexts = NO_TEXTS
    runbook_url: str = ""


PLAIN = Capabilities()


def short_help(command: str, language: Language) -> Message:
    """Render a short introduction to the bot, with buttons to start a session, list sessions and show all commands."""
    say = language.say
    row = buttons(
        button(say(START_BUTTON), HELP_START_ACTION, value=ALL, style="primary"),
        button(say(SESSIONS_BUTTON), HELP_SESSIONS_ACTION, value=ALL),
        button(say(ALL_BUTTON), HELP_ALL_ACTION, value=ALL),
    )
    return Message(say(INTRODUCTION_PLAIN, command=command), [section(say(INTRODUCTION, command=command)), row])


def all_commands(command: str, role: Role, features: Capabilities, language: Language) -> Message:
    """Render the list of all commands that a person with this role can type. `command` is the slash command."""
    blocks: list[Block] = []
    for title, *lines in _groups(role, features):
        told = "".join(f"\n• {language.say(line, command=command)}" for line in lines)
        blocks.append(section(f"{language.say(title)}{told}"))
    return Message(language.say(ALL_PLAIN, command=command), [*blocks, context(language.say(QUOTES, command=command))])


def _groups(role: Role, features: Capabilities) -> Iterator[list[Sentence]]:
    """Yield the groups of the command list. A group is a title and one sentence for each command."""
    leads = role is not Role.MEMBER

    def only(is_there: bool, *lines: Sentence) -> tuple[Sentence, ...]:
        return lines if is_there else ()

    in_conversation = only(features.in_conversations, IN_CONVERSATION)
    yield [START_TITLE, START, NAMED, *only(features.sends, SENT), *in_conversation, FORM, *only(leads, FOR_ANOTHER)]
    yield [SEND_TITLE, *only(features.sends, SEND), LAST]
    yield [END_TITLE, END, *only(leads, END_ANOTHER)]
    apps = only(not features.in_conversations, APPS)
    yield [FIND_TITLE, STATUS, *only(leads, LIST), WHOAMI, WHY, *only(leads, WHY_ANOTHER), *apps]
    if set_up := [*only(features.connects, CONNECT), *only(role is Role.ADMIN, LINK, UNLINK)]:
        yield [SET_UP_TITLE, *set_up]
