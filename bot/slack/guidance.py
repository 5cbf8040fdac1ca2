"""What a person reads who did not get as far as a request: the help, and why a text was not taken (pure)."""

from bot.desk.models import RequestId
from bot.slack.blocks import FAILURE_BLOCK, Message, section
from bot.slack.grammar import Command, Help, NotUnderstood, NotYet, Reason
from bot.slack.messages import Words, reference_line
from bot.slack.sentences import escape


def guide(words: Words, command: Command, reference: RequestId) -> Message:
    """The message for any command that starts nothing."""
    match command:
        case NotYet():
            return not_yet(words, command, reference)
        case NotUnderstood():
            return not_understood(words, command, reference)
        case Help():
            return help_(words, command)
    return help_(words, Help())


def help_(words: Words, command: Help) -> Message:
    """What can be typed."""
    lines = [
        f"`{words.command}` starts a session with you as the host",
        f'`{words.command} Checkout help` gives it a name; quotes force one: `{words.command} "help"`',
        f"`{words.command} @agent` or `{words.command} for @agent Checkout help` starts one for somebody else "
        "(supervisors)",
        f"`{words.command} whoami` tells which Genesys host you are",
    ]
    text = f"Type {words.command} to get a co-browse link for your customer."
    if command.instead_of:
        name = escape(command.instead_of)
        text = f"No session was started: “{name}” looks like a command that does not exist."
        lines.insert(0, f'If “{name}” was meant as a name: `{words.command} "{name.replace("`", "")}"`')
    return Message(text, [section(f"*{text}*"), section("\n".join(f"• {line}" for line in lines))])


def not_yet(words: Words, command: NotYet, reference: RequestId) -> Message:
    """A word that is kept for later."""
    text = f"`{words.command} {command.word}` is not available in this version, so nothing was done."
    hint = f"`{words.command} help` shows what is. If that was meant as a session's name, put it in quotes."
    return Message(text, [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


def not_understood(words: Words, command: NotUnderstood, reference: RequestId) -> Message:
    """Nobody gets a session they did not mean."""
    what, then = _REASONS[command.reason]
    text = f"No session was started: {what}."
    hint = f'{then} If that was meant as a name, put it in quotes: `{words.command} "…"`.'
    return Message(text, [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


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
