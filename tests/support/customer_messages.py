"""Share customers' addresses, the messages that the sandbox's Genesys has sent, and the question in a dialog."""

from dataclasses import replace

from bot.core.models import RequestId, SessionRecord
from bot.core.results import SendPreview
from bot.core.validation.contact import read_address
from bot.sandbox.slack.server import View
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.customer_message import question
from bot.slack.views.session_form import result_view
from tests.support.app import Journey
from tests.support.storage import ANA, TEAM, session

NUMBER, EMAIL_ADDRESS = "+14155550123", "carla@example.com"


def sent(journey: Journey) -> list[tuple[str, str]]:
    """Return the kind and the address of each sent message, in the order of sending."""
    return [(each.kind, each.to) for each in journey.genesys.outbox.sent]


def ask_in(view: View, session_id: str) -> None:
    """Show in a dialog the question whether to send the link of a session, as dialogs of earlier versions did.

    The session's name is Deal.
    """
    deal = replace(session(session_id), name="Deal")
    record = SessionRecord(session=deal, team_id=TEAM, requester=ANA, agent=ANA, is_over=False)
    asked = question(SendPreview((record,), read_address(NUMBER)), RequestId("earlierasked"), ENGLISH)
    view.show(result_view(asked, ENGLISH))
