"""Connecting one's own Genesys account, as people see it in Slack (pure). The page they end at is connect_page.py."""

from bot.core.results import AccountLinked, AccountUnlinked, SignInOffered
from bot.slack.messages.blocks import OPEN_ACTION, Message, button, buttons, context, section
from bot.slack.messages.error_copy import clock

ALLOWED = "It lets me offer co-browse in your conversations as you; I do nothing else in your name."


def connecting(command: str, outcome: SignInOffered | AccountLinked | AccountUnlinked) -> Message:
    """The message for it."""
    match outcome:
        case SignInOffered(address=address, until=until, already=already):
            text = "Sign in to Genesys to connect your account."
            if already:
                text = "You are connected to Genesys already. Sign in again if something is wrong with it."
            return Message(
                text,
                [
                    section(f":link: *{text}*\n{ALLOWED} `{command} disconnect` takes it back."),
                    buttons(button("Sign in to Genesys", OPEN_ACTION, url=address, style="primary")),
                    context(f"The link is for you alone, good once, and until {clock(until)}."),
                ],
            )
        case AccountLinked(host_id=host_id):
            text = f"You are connected to Genesys as user `{host_id}`."
            then = f"{ALLOWED} Was that not you? `{command} disconnect` takes it back."
            return Message(text.replace("`", ""), [section(f":white_check_mark: *{text}*\n{then}")])
        case AccountUnlinked():
            text = "You are not connected to Genesys any more: your sign-in is forgotten here."
            then = "Another server of mine may go on using it for a minute."
            return Message(text, [section(f"{text} {then}")])
