"""Render the message to administrators about a person who asks them for help, and the answer to this person (pure)."""

from bot.core.models import Notice, TeamId
from bot.core.results import AdministratorsTold
from bot.core.use_cases.help_requests import HelpRequest, read_help
from bot.slack.messages.blocks import NOTICE_BLOCK, Message, buttons, context, section
from bot.slack.messages.catalogue.errors import REFERENCE, Situation
from bot.slack.messages.catalogue.sentence import Language, Markup, Sentence, Value, mention, said
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.notices.access import connect_button
from bot.slack.messages.notices.faults import FIX

WANTS = {
    "administrators_only": said("help_request.administrators_only", "{asker} asks to connect {person} to Genesys."),
    "connect_off": said("help_request.connect_off", "{asker} wants to sign in to Genesys, and that isn’t set up yet."),
    "sending_off": said("help_request.sending_off", "{asker} wants to send a link, and sending isn’t set up yet."),
}
"""The sentences that say what the person wants, by the code of the error. The person pressed *Ask* below this error."""
ASKS = said("help_request.other", "{asker} asks for your help.")
HAVE_TOLD = said("help_request.told", "I’ve told {contact}.")
AM_TELLING = said("help_request.telling", "I’m telling {contact} now.")


def help_notice(notice: Notice, to: Addressee) -> Message:
    """Render the message that tells administrators what a person wants, and how they can make this possible."""
    asked, say = read_help(notice.data), to.language.say
    text = say(_wants(asked), asker=mention(asked.person), person=mention(asked.target or asked.person))
    row = []
    if asked.error.code == "administrators_only":
        fix = ""
        if asked.target:
            row = [buttons(connect_button((TeamId(""), asked.target), to.language, is_primary=True))]
    else:
        fix = error_copy(asked.error, Situation.QUERY, to).fix
    lines = [f":raising_hand: *{text}*", *([say(FIX, fix=Markup(fix))] if fix else [])]
    reference = context(say(REFERENCE, reference=asked.request_id))
    return Message(text, [section("\n".join(lines), NOTICE_BLOCK), *row, reference])


def administrators_told(outcome: AdministratorsTold, contact: Value, language: Language) -> Message:
    """Render the answer to the person who asked the administrators for help.

    `contact`: the name or mention of the recipient. `outcome.readers` is empty if no recipient has got the message yet.
    """
    text = language.say(HAVE_TOLD if outcome.readers else AM_TELLING, contact=contact)
    mark = ":white_check_mark: " if outcome.readers else ""
    return Message(text, [section(f"{mark}{text}")])


def _wants(asked: HelpRequest) -> Sentence:
    if asked.error.code == "administrators_only" and not asked.target:
        return ASKS
    return WANTS.get(asked.error.code, ASKS)
