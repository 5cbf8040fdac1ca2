"""Render the message which tells an agent that another person has ended the agent's session (pure)."""

from bot.core.models import Notice
from bot.core.use_cases.session_ends import read_end
from bot.slack.messages.blocks import NOTICE_BLOCK, Message, button, buttons, section
from bot.slack.messages.catalogue.sentence import Language, mention, said
from bot.slack.messages.session_card import START_NEW, START_NEW_ACTION, start_new_value

ENDED = said("ended.by", "{person} ended your session *{name}* at {time}.")
CLOSED = said("ended.closed_by", "{person} closed your session *{name}* at {time}. Nobody else can join it.")


def ended_notice(notice: Notice, language: Language) -> Message:
    """Render the message which tells an agent that another person has ended the agent's session.

    For a session in a conversation, the message says that nobody else can join, because a customer who has joined stays
    in the session. A button in the message starts a new session with the same name.
    """
    end = read_end(notice.data)
    text = language.say(ENDED if end.for_all else CLOSED, person=mention(end.ender), name=end.name, time=end.at)
    value = start_new_value(end.session_id, end.name, end.agent, end.channel_id)
    row = buttons(button(language.say(START_NEW), START_NEW_ACTION, value=value, style="primary"))
    return Message(text.replace("*", ""), [section(f":white_circle: {text}", NOTICE_BLOCK), row])
