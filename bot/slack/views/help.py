"""Build the dialog that lists all commands (pure). listeners/actions.py opens the dialog."""

from bot.core.models import Role
from bot.slack.messages.blocks import View
from bot.slack.messages.catalogue.sentence import Language
from bot.slack.messages.help import ALL_BUTTON, Capabilities, all_commands
from bot.slack.views.confirmation import CLOSE


def all_commands_dialog(command: str, role: Role, features: Capabilities, language: Language) -> View:
    """Build the dialog with all commands that a person with this role can type.

    - `command`: the slash command.
    - `features`: the optional features of this installation. The dialog leaves out the commands of features that are
      off.
    """
    title, close = ({"type": "plain_text", "text": language.say(each)} for each in (ALL_BUTTON, CLOSE))
    blocks = all_commands(command, role, features, language).blocks
    return {"type": "modal", "title": title, "close": close, "blocks": blocks}
