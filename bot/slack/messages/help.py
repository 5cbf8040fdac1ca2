"""What can be typed: by the role one has, and by what this installation can do (pure)."""

from dataclasses import dataclass

from bot.core.models import Role
from bot.slack.messages.blocks import Message, section


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Whether links are sent to customers, people sign in to Genesys themselves, sessions belong to conversations."""

    sends: bool = False
    connects: bool = False
    in_conversations: bool = False


PLAIN = Capabilities()


def help_(command: str, role: Role, features: Capabilities) -> Message:
    """List what a person in this role can type."""
    text = f"Type {command} to get a co-browse link for your customer."
    lines = [*_own(command, features)]
    if role is not Role.MEMBER:
        lines += [
            f"`{command} @agent` or `{command} for @agent Checkout help` starts one for somebody else",
            f"`{command} list` shows all open sessions of the workspace, `{command} why @agent` somebody's rules",
            f"`{command} @agent end` ends the one open session of somebody else",
        ]
    if role is Role.ADMIN:
        who = "the address or the id of a Genesys user; `unlink @agent` undoes it"
        lines.append(f"`{command} link @agent name@example.com` says as whom somebody hosts: {who}")
    return Message(text, [section(f"*{text}*"), section("\n".join(f"• {line}" for line in lines))])


def _own(command: str, features: Capabilities) -> list[str]:
    lines = [
        f"`{command}` starts a session with you as the host",
        f'`{command} Checkout help` gives it a name; quotes force one: `{command} "help"`',
        f"`{command} new` opens a form, as do the shortcut “Start co-browse session”, also in threads, and my Home tab",
        f"`{command} status` shows your open sessions, `{command} last` the link you lost",
        f"`{command} end` ends your session",
        f"`{command} whoami` tells which Genesys host you are, `{command} why` by which rules",
    ]
    if features.in_conversations:
        where = "with the interaction's address or id behind it starts it in that conversation"
        lines.insert(1, f"`{command}` {where}; without, in the one you are in")
    else:
        lines.append(f"`{command} apps` shows the co-browse applications")
    if features.sends:
        lines.append(f"`{command} +14155550123` or `{command} name@example.com` starts one and offers to send the link")
        lines.append(f"`{command} send +14155550123` or `{command} send name@example.com` sends your customer the link")
    if features.connects:
        lines.append(f"`{command} connect` lets you sign in to Genesys yourself, `{command} disconnect` takes it back")
    return lines
