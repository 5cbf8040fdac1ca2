"""Sessions: builds the request, sends it, reads the answer, names the failure. Step 4 of five.

The contract is "one call creates a session and returns a join URL". The contract names no path for reading and ending,
so ours are the REST reading of the create path. How often a call is sent is for client.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import quote

import httpx

from bot.core.errors import (
    BadRequestError,
    InvalidHostError,
    ServiceError,
    UnknownApplicationError,
    UnknownSessionError,
    UnusableAnswerError,
)
from bot.core.models import CreateSessionRequest, Session, SessionId, SessionStatus
from bot.core.ports import CallHooks
from bot.genesys import faults
from bot.genesys.client import GenesysClient
from bot.genesys.join_hosts import JoinHosts
from bot.genesys.parsing import answered_at, is_usable_id, named_things, plain_word, read_object

SESSIONS = "/api/v2/conversations/cobrowse"
APPLICATIONS = "/api/v2/cobrowse/applications"
NEEDS = WRITE, READ = "cobrowse:session:write", "cobrowse:session:read"
OVER = ("ended", "closed", "expired", "terminated", "completed", "disconnected")


@dataclass(frozen=True, slots=True)
class SessionView:
    """What the service says of a session now."""

    id: SessionId
    status: str


class CobrowseSessions:
    """Keeps to desk.SessionsApi."""

    def __init__(self, client: GenesysClient, join_hosts: JoinHosts = JoinHosts()) -> None:  # noqa: B008 - frozen
        """`join_hosts`: where its links may lead."""
        self._client, self._wrong_link = client, partial(join_hosts.fault, is_local=client.is_local)

    @property
    def is_free(self) -> bool:
        return self._client.is_free(WRITE)

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Creates a session.

        Raises ServiceError; InvalidHostError and UnknownApplicationError say which id was wrong.
        """
        try:
            response = await self._client.call("POST", SESSIONS, needs=WRITE, json=_body(order), hooks=hooks)
        except BadRequestError as error:
            raise await self._named(error, order) from None
        return _session(response, order, self._wrong_link)

    async def applications(self) -> list[tuple[str, str]]:
        """Ids and names of the applications there are. Raises ServiceError."""
        response = await self._client.call("GET", APPLICATIONS, needs=READ, safe=True)
        entities = read_object(response).get("entities")
        if not isinstance(entities, list):
            raise UnusableAnswerError(why="a list of applications without entities")
        return named_things(entities)

    async def read(self, session_id: SessionId, *, spare: bool = False) -> SessionView:
        """What has become of a session; `spare` as for GenesysClient.call. Raises UnknownSessionError, ServiceError."""
        response = await self._on(session_id, "GET", spare=spare)
        return SessionView(session_id, plain_word(read_object(response).get("status")))

    async def look(self, session_id: SessionId) -> SessionStatus:
        """Whether it is over, as the service says; where it tells nothing, open. Raises ServiceError."""
        try:
            return (
                SessionStatus.OVER
                if (await self.read(session_id, spare=True)).status.lower() in OVER
                else SessionStatus.OPEN
            )
        except UnknownSessionError:  # the contract names no path to read, so this need not mean the session
            return SessionStatus.OPEN

    async def end(self, session_id: SessionId) -> str | None:
        """Ends a session; returns the service's reference.

        Raises UnknownSessionError when it knows none or can end none.
        """
        return faults.reference_of(await self._on(session_id, "DELETE"))

    async def _on(self, session_id: SessionId, method: str, *, spare: bool = False) -> httpx.Response:
        if not is_usable_id(session_id):  # of a row that an older version wrote
            raise UnknownSessionError
        path = f"{SESSIONS}/{quote(session_id, safe='')}"
        try:
            return await self._client.call(method, path, needs=READ, safe=True, spare=spare)
        except BadRequestError as error:
            if error.status in (404, 405):
                raise UnknownSessionError(reference=error.reference) from None
            raise

    async def _named(self, error: BadRequestError, order: CreateSessionRequest) -> ServiceError:
        """A 400 by the name the contract gives it."""
        words = error.words.lower()
        if error.status == 400 and "invalid host user" in words:
            return InvalidHostError(host_id=order.host_id, reference=error.reference)
        if error.status == 400 and "application not found" in words:
            known = await self._known_applications()
            return UnknownApplicationError(application_id=order.application_id, known=known, reference=error.reference)
        return error

    async def _known_applications(self) -> tuple[str, ...]:
        try:
            return tuple(found for found, _ in await self.applications())
        except ServiceError:
            return ()


def _body(order: CreateSessionRequest) -> dict[str, object]:
    return {
        "hostUserId": order.host_id,
        "application": {"id": order.application_id, "type": order.application_type},
        "sessionName": order.name,
        "timeoutSeconds": order.timeout_seconds,
        "metadata": {"source": "cobrowse-bot", "context": order.context, "requestId": order.request_id},
    }


def _session(response: httpx.Response, order: CreateSessionRequest, wrong_link: Callable[[str], str]) -> Session:
    reference = faults.reference_of(response)
    try:
        body = read_object(response)
    except UnusableAnswerError as error:
        raise UnusableAnswerError(why=error.why, acted=True, reference=reference) from None
    session_id, join_url = body.get("id"), body.get("joinUrl")
    if not isinstance(session_id, str) or not is_usable_id(session_id):
        raise UnusableAnswerError(why="a session without a usable id", acted=True, reference=reference)
    if not isinstance(join_url, str) or not join_url:
        raise UnusableAnswerError(why="a session without a join URL", acted=True, reference=reference)
    if why := wrong_link(join_url):
        raise UnusableAnswerError(why=why, acted=True, reference=reference)
    host = str(body.get("hostUserId") or order.host_id)
    if host.lower() != order.host_id:
        raise UnusableAnswerError(why="a session for another host", acted=True, reference=reference)
    return Session(
        id=SessionId(session_id),
        status=plain_word(body.get("status")),
        host_id=order.host_id,
        name=order.name,
        application_id=order.application_id,
        ends_at=answered_at(response) + timedelta(seconds=order.timeout_seconds),
        lasts_seconds=order.timeout_seconds,
        join_url=join_url,
        reference=reference,
    )
