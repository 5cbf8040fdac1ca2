"""Build the dialogs about one session: to end it, to post its link in the channel, to show its ids or its link (pure).

listeners/cards.py opens the dialogs and handles what people submit.
"""

import json
from dataclasses import dataclass

from bot.core.models import ChannelId, SessionId, SessionRecord, UserId
from bot.slack.messages.blocks import Block, Message, View, section
from bot.slack.messages.catalogue.sentence import (
    TITLE_LENGTH,
    Language,
    Sentence,
    channel_mention,
    label,
    mention,
    said,
)
from bot.slack.messages.session_card import CardRenderer

END_DIALOG, POST_DIALOG = "end_session_dialog", "post_link_dialog"

TITLE_END = label("dialog.end_title", "End session", limit=TITLE_LENGTH)
ASK_END = said("dialog.end", "End *{name}*?")
ASK_END_OF = said("dialog.end_of", "End *{name}* of {agent}?")
END_NOTE = said("dialog.end_note", "The customer’s screen stops being shared at once.")
WITHDRAW_NOTE = said(
    "dialog.withdraw_note",
    "After that, nobody else can join. If the customer’s screen is still shared, stop it in Genesys.",
)
END = label("dialog.end_yes", "End session", limit=TITLE_LENGTH)
KEEP = label("dialog.end_no", "Keep open", limit=TITLE_LENGTH)
TITLE_POST = label("dialog.post_title", "Post link", limit=TITLE_LENGTH)
ASK_POST = said("dialog.post", "Post the link in {channel}?")
ASK_POST_CODE = said("dialog.post_code", "Post the code in {channel}?")
POST_NOTE = said("dialog.post_note", "Everyone there will see it, and that you posted it.")
POST = label("dialog.post_yes", "Post link", limit=TITLE_LENGTH)
POST_CODE = label("dialog.post_code_yes", "Post code", limit=TITLE_LENGTH)
DONT_POST = label("dialog.post_no", "Don’t post", limit=TITLE_LENGTH)
TITLE_DETAILS = label("dialog.details_title", "Details for support", limit=TITLE_LENGTH)
DETAILS = said("dialog.details", "Session `{session}`\nGenesys user `{genesys_user}`\nReference `{reference}`")
DETAILS_CONVERSATION = said("dialog.details_conversation", "Interaction `{conversation}`")
TITLE_LINK = label("dialog.link_title", "For your customer", limit=TITLE_LENGTH)
CLOSE = label("dialog.close", "Close", limit=TITLE_LENGTH)
TITLE_NOTICE = label("dialog.notice_title", "Co-browse", limit=TITLE_LENGTH)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press on a button that opens a dialog about a session. The dialog carries these values until it is submitted.

    - `session_id`: the session that the button is about.
    - `channel_id`: the channel of the button's message; "" for a modal or the Home tab.
    - `reply_url`: Slack's response_url of the press, a secret; None for a modal or the Home tab.
    - `ts`: the id of the button's message; "" for an ephemeral message, a modal or the Home tab.
    - `replaces`: whether the result replaces the button's message.
    - `is_group_message`: whether the button's message is in a group message, a Slack conversation of several people.
    - `name`: the session's name; "" if the dialog does not show it.
    - `listing`: which list page or card contains the button, in the form of the first value that `read_row` in
      messages/session_list.py returns. The bot shows this page or card again after it has ended the session. "" for a
      button on the session's own card, and for a button that does not end a session.
    """

    session_id: SessionId
    channel_id: ChannelId
    reply_url: str | None
    ts: str = ""
    replaces: bool = False
    is_group_message: bool = False
    name: str = ""
    listing: str = ""

    def packed(self) -> str:
        """Encode this press as the `private_metadata` of a dialog."""
        return json.dumps([getattr(self, each) for each in self.__slots__])


def read_pressed(metadata: str) -> Pressed:
    """Decode the press that a dialog carries in its `private_metadata`.

    A dialog that an earlier version of the bot opened carries only the first three values. The other values get their
    defaults.
    """
    session_id, channel_id, reply_url, *more = json.loads(metadata)
    return Pressed(SessionId(session_id), ChannelId(channel_id), reply_url, *more)


def end_dialog(record: SessionRecord, pressed: Pressed, language: Language, *, is_own: bool) -> View:
    """Build the dialog that asks whether to end a session. `pressed` is the press that opens the dialog.

    `is_own`: whether the reader is the agent or the requester of the session. If not, the dialog names the agent.
    """
    ask = language.say(ASK_END if is_own else ASK_END_OF, name=record.session.name, agent=mention(record.agent))
    note = language.say(END_NOTE if record.session.application_id else WITHDRAW_NOTE)
    return _question(END_DIALOG, (TITLE_END, END, KEEP), [section(f"{ask}\n{note}")], pressed, language)


def post_dialog(record: SessionRecord, pressed: Pressed, language: Language) -> View:
    """Build the dialog that asks whether to post a session's link in the channel of the press `pressed`."""
    has_link, channel = bool(record.session.join_url), channel_mention(pressed.channel_id)
    ask = language.say(ASK_POST if has_link else ASK_POST_CODE, channel=channel)
    words = (TITLE_POST, POST if has_link else POST_CODE, DONT_POST)
    return _question(POST_DIALOG, words, [section(f"{ask}\n{language.say(POST_NOTE)}")], pressed, language)


def details(record: SessionRecord, language: Language) -> View:
    """Build the dialog that shows the ids of a session."""
    session = record.session
    ids = {"session": session.id, "genesys_user": session.host_id, "reference": record.request_id or ""}
    text = language.say(DETAILS, **ids)
    if session.conversation_id:
        text += f"\n{language.say(DETAILS_CONVERSATION, conversation=session.conversation_id)}"
    return _notice(TITLE_DETAILS, [section(text)], language)


def link(record: SessionRecord, viewer: UserId, cards: CardRenderer) -> View:
    """Build the dialog that shows the link and the join code of a session to `viewer`."""
    shown = cards.join_blocks(record.session, hints=record.agent == viewer)
    return _notice(TITLE_LINK, [section(cards.title(record, viewer)), *shown], cards.language)


def notice(message: Message, language: Language) -> View:
    """Build a dialog that shows a message, such as an error, without the message's buttons."""
    shown = [block for block in message.blocks if block["type"] != "actions"]
    blocks = [{key: value for key, value in block.items() if key != "accessory"} for block in shown]
    return _notice(TITLE_NOTICE, blocks, language)


def _question(
    callback_id: str,
    words: tuple[Sentence, Sentence, Sentence],
    blocks: list[Block],
    pressed: Pressed,
    language: Language,
) -> View:
    title, yes, no = (_plain(language.say(each)) for each in words)
    head = {"type": "modal", "callback_id": callback_id, "private_metadata": pressed.packed()}
    return {**head, "title": title, "submit": yes, "close": no, "blocks": blocks}


def _notice(title: Sentence, blocks: list[Block], language: Language) -> View:
    head = {"type": "modal", "title": _plain(language.say(title)), "close": _plain(language.say(CLOSE))}
    return {**head, "blocks": blocks}


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
