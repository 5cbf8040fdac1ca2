"""How the customer gets in, as blocks: the join URL, the join code, or both (pure).

Both are the customer's. The URL stands in preformatted text, which Slack neither links nor crawls; neither of the two
ever stands in a message's top-level text, which notifications show.
"""

from bot.core.models import Session
from bot.slack.messages.blocks import OPEN_ACTION, Block, button, context, section

BUTTON_URL_LENGTH = 3000


def join_blocks(session: Session, aside: str = "") -> list[Block]:
    """What to hand to the customer; `aside` follows the words that say so."""
    if not session.join_url:
        how = "On your website they open the Messenger, choose to share their screen, and type it in."
        return [section(f"Tell your customer this code{aside}. {how}"), _preformatted(session.join_code)]
    return [section(f"Send this link to your customer{aside}:"), *bare_join_blocks(session)]


def bare_join_blocks(session: Session) -> list[Block]:
    """The same without the words, where several sessions stand below each other."""
    if not session.join_url:
        return [_preformatted(session.join_code)] if session.join_code else []
    blocks = [_preformatted(session.join_url)]
    if session.join_code:  # its letters can end no mark-up: see genesys/sessions.py, ID
        blocks.append(context(f"The code alone, if your customer is asked for one: `{session.join_code}`"))
    return blocks


def link_alone(url: str) -> list[Block]:
    """A link to copy; nothing where there is none."""
    return [_preformatted(url)] if url else []


def open_button(session: Session) -> list[Block]:
    """The link once more, to press; none where there is no link, or one that is too long for a button."""
    fits = session.join_url and len(session.join_url) <= BUTTON_URL_LENGTH
    return [button("Open as customer", OPEN_ACTION, url=session.join_url)] if fits else []


def join_label(session: Session) -> str:
    """What the customer gets, in a word."""
    return "link" if session.join_url else "code"


def ended_text(session: Session) -> str:
    """What is the case when `ends_at` has passed. A session in a conversation, which has no application, may go on."""
    return "is over. Nobody can join it any more" if session.application_id else "can be joined no more"


def until(session: Session) -> str:
    """What happens at `ends_at`, in words that its time follows."""
    return "can be joined until about" if session.join_code else "ends about"


def _preformatted(text: str) -> Block:
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [element]}
