"""Call the session service without Slack: create a session, or list the applications."""

import sys

from bot.config.settings import ServiceSettings
from bot.core.errors import CobrowseError, ServiceError
from bot.core.models import ConversationId, CreateSessionRequest, HostId, Session, new_request_id
from bot.factories import open_genesys, sessions_api
from bot.genesys.api.sessions import CobrowseSessions
from bot.slack.command_parser import clean_name
from bot.slack.messages.blocks import escape
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.error_copy import Addressee, error_copy

MIN_NOTICE_SECONDS = 3.0
DEFAULT_NAME = "Co-browse session"


class OnTerminal:
    """The call hooks of a command: they tell the person at the terminal that a call to Genesys has to wait.

    `on_wait` prints a line to standard error if the wait is 3 seconds or longer.
    """

    fairness_key = ""

    async def before_send(self) -> None:
        """Do nothing. A session from the command line is not stored before the call."""

    async def on_wait(self, seconds: float) -> None:
        if seconds >= MIN_NOTICE_SECONDS:
            print(f"Genesys is busy; waiting {round(seconds)} seconds.", file=sys.stderr)  # noqa: T201 - for a person


async def start(
    service: ServiceSettings,
    host_id: HostId,
    name: str,
    application_id: str | None,
    timeout_seconds: int | None,
    conversation_id: ConversationId | None = None,
) -> Session:
    """Create a session without Slack.

    - `name`: the name of the session. If it contains no text that can be shown, the name is DEFAULT_NAME.
    - `application_id`, `timeout_seconds`: None for the default in the settings.
    - `conversation_id`: the conversation in which the public Genesys Cloud API creates the session. With None, the host
      must have exactly one live conversation. Another session service ignores this argument.

    Raises ServiceError if the creation fails, or if it is unknown whether Genesys created the session.
    """
    request = CreateSessionRequest(
        host_id=host_id,
        name=clean_name(escape(name)) or DEFAULT_NAME,
        application_id=application_id or service.offer.application_id,
        application_type=service.offer.application_type,
        timeout_seconds=timeout_seconds or service.offer.timeout_seconds,
        request_id=new_request_id(),
        context="command-line",
        conversation_id=conversation_id,
    )
    async with open_genesys(service) as genesys:
        return await sessions_api(service, genesys).create(request, OnTerminal())


async def applications(service: ServiceSettings) -> list[tuple[str, str]]:
    """Return the id and the name of each co-browse application. Raises ServiceError if the call to Genesys fails."""
    async with open_genesys(service) as genesys:
        return await CobrowseSessions(genesys).applications()


ADMINISTRATOR = "your Genesys administrator"


def error_text(error: CobrowseError, *, starting: bool = True) -> str:
    """Return a text about an error for a terminal: one line, without Slack's markup.

    `starting`: whether the command tried to create a session. With True, the text can also say that nothing was
    started.
    """
    to = Addressee(PLAIN_ENGLISH, contact=ADMINISTRATOR, can_repair=True)
    copy = error_copy(error, Situation.START if starting else Situation.QUERY, to)
    option = " Its link goes behind --conversation." if error.code == "no_conversation" else ""
    reference = f" (Genesys reference {error.reference})" if isinstance(error, ServiceError) and error.reference else ""
    return copy.text + option + reference
