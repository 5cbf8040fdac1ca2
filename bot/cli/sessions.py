"""The session service without Slack: create one session, list the applications. For the commands and for scripts."""

import html
import re
import sys

from bot.config.settings import ServiceSettings
from bot.core.errors import CobrowseError, ServiceError
from bot.core.models import ConversationId, CreateSessionRequest, HostId, Session, new_request_id
from bot.genesys.api.sessions import CobrowseSessions
from bot.slack.command_parser import clean_name
from bot.slack.messages.blocks import escape
from bot.slack.messages.error_copy import error_copy
from bot.upstream import open_genesys, session_service

WORTH_TELLING_SECONDS = 3.0
DEFAULT_NAME = "Co-browse session"


class OnTerminal:
    """CallHooks that print on standard error when Genesys makes the command wait."""

    fairness_key = ""

    async def before_send(self) -> None:
        """Nothing to keep."""

    async def on_wait(self, seconds: float) -> None:
        if seconds >= WORTH_TELLING_SECONDS:
            print(f"Genesys is busy; waiting {round(seconds)} seconds.", file=sys.stderr)  # noqa: T201 - for a person


async def start(
    service: ServiceSettings,
    host_id: HostId,
    name: str,
    application_id: str | None,
    timeout_seconds: int | None,
    conversation_id: ConversationId | None = None,
) -> Session:
    """Creates a session; None means as the settings say. Raises ServiceError."""
    order = CreateSessionRequest(
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
        return await session_service(service, genesys).create(order, OnTerminal())


async def applications(service: ServiceSettings) -> list[tuple[str, str]]:
    """Ids and names. Raises ServiceError."""
    async with open_genesys(service) as genesys:
        return await CobrowseSessions(genesys).applications()


def in_words(error: CobrowseError, *, starting: bool = True) -> str:
    """An error as one plain line; `starting`: a session was to be started."""
    said = error_copy(error, "your Genesys administrator", starting=starting)
    reference = f" (Genesys reference {error.reference})" if isinstance(error, ServiceError) and error.reference else ""
    words = re.sub(r"<!date\^[^>|]*\|([^>]*)>", r"\1", f"{said.what} {said.next}")
    return html.unescape(words).replace("`", "") + reference
