"""What a person reads who did not get as far as a request: the help, and why a text was not taken (pure)."""

from bot.core.models import RequestId, Role
from bot.slack.command_parser import Command, Help, NotUnderstood, Reason
from bot.slack.messages.blocks import FAILURE_BLOCK, Message, section
from bot.slack.messages.help import help_
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import reference_line


def parse_error(words: MessageRenderer, command: Command, reference: RequestId) -> Message:
    """The message for any command that starts nothing."""
    match command:
        case NotUnderstood():
            return not_understood(words, command, reference)
        case Help(instead_of=instead_of):
            return help_(words.command, Role.MEMBER, words.features, instead_of=instead_of or "")
    return help_(words.command, Role.MEMBER, words.features)


def not_understood(words: MessageRenderer, command: NotUnderstood, reference: RequestId) -> Message:
    """Nobody gets a session they did not mean."""
    what, then = _REASONS[command.reason]
    text = f"No session was started: {what}."
    hint = f'{then} If that was meant as a name, put it in quotes: `{words.command} "…"`.'
    return Message(text, [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


def other_command(words: MessageRenderer, reference: RequestId) -> Message:
    """For a slash command of the app's that is not COBROWSE_COMMAND."""
    text, hint = f"This bot answers to `{words.command}`.", "Nothing was started. Type that instead."
    return Message(f"{text} {hint}", [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


_REASONS = {
    Reason.UNRESOLVED: (
        "that looks like a person, but Slack knows nobody by that name",
        "Pick the person from the list that Slack shows while you type the @.",
    ),
    Reason.NO_PERSON: ("a group or a channel cannot host one", "Name one person instead."),
    Reason.TWO_PEOPLE: ("it can be for one person only", "Name one person, and then the session's name."),
    Reason.PERSON_LATER: (
        "it was not clear whether it is for you or for the person you mention",
        "Put the person first, or leave them out.",
    ),
    Reason.NO_CONVERSATION: (
        "that address is not of an interaction in your Genesys region",
        "Paste the interaction's own address, or its id.",
    ),
}
