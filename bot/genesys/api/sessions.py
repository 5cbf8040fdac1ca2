"""Create, read and end co-browse sessions at the session service.

The service documents only one call for sessions: a POST creates a session and returns a join URL. The bot assumes that
GET and DELETE on the same path, followed by a session's id, read and end the session.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import quote

import httpx

from bot.core.errors import (
    BadRequestError,
    CreateCallMissingError,
    InvalidHostError,
    ServiceError,
    UnknownApplicationError,
    UnknownSessionError,
    UnusableAnswerError,
)
from bot.core.models import (
    UNKNOWN_STATE,
    CreateSessionRequest,
    Session,
    SessionId,
    SessionPhase,
    SessionRecord,
    SessionState,
)
from bot.core.ports import CallHooks
from bot.core.validation.display import JoinHosts
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import (
    answered_at,
    ids_and_names,
    is_invalid_host,
    is_usable_id,
    plain_word,
    read_object,
    reference_of,
)
from bot.genesys.rate_limit import LIVE, LOOK, Share

SESSIONS = "/api/v2/conversations/cobrowse"
APPLICATIONS = "/api/v2/cobrowse/applications"
NEEDS = WRITE, READ = "cobrowse:session:write", "cobrowse:session:read"
ENDED_STATUSES = ("ended", "closed", "expired", "terminated", "completed", "disconnected")


@dataclass(frozen=True, slots=True)
class SessionView:
    """The id and the status of a session.

    `status`: the status as the session service states it; `unknown` if it states none. For a co-browse offer: `open`,
    `ended`, or `gone` if Genesys does not find the offer.
    """

    id: SessionId
    status: str


class CobrowseSessions:
    """Creates, reads and ends sessions with the session service's own endpoints (GENESYS_COBROWSE_API=sessions)."""

    def __init__(
        self,
        client: GenesysClient,
        join_hosts: JoinHosts = JoinHosts(),  # noqa: B008 - frozen
        joined_statuses: Collection[str] = (),
    ) -> None:
        """Store the client that sends the calls.

        - `join_hosts`: the network hosts to which join URLs may lead.
        - `joined_statuses`: the values of `status`, in lower case, that mean that the customer has joined.
        """
        self._client, self._joined_statuses = client, joined_statuses
        self._has_ended_one = False
        self._reject_reason = partial(join_hosts.reject_reason, is_local=client.is_local)

    @property
    def can_send_now(self) -> bool:
        """Return whether a create call is expected to pass the rate limiter now without a wait."""
        return self._client.can_send_now(WRITE)

    async def create(self, request: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a session at the session service.

        Raises InvalidHostError if the session service rejects the host, UnknownApplicationError if the session service
        rejects the application, and another ServiceError if the call fails.
        """
        try:
            response = await self._client.call("POST", SESSIONS, needs=WRITE, json=_body(request), hooks=hooks)
        except BadRequestError as error:
            raise await self._specific_error(error, request) from None
        return _session(response, request, self._reject_reason)

    async def applications(self) -> list[tuple[str, str]]:
        """Return all applications as pairs of id and name. Raises ServiceError if the call fails."""
        response = await self._client.call("GET", APPLICATIONS, needs=READ, safe=True)
        entities = read_object(response).get("entities")
        if not isinstance(entities, list):
            raise UnusableAnswerError(why="a list of applications without entities")
        return ids_and_names(entities)

    async def read(self, session_id: SessionId) -> SessionView:
        """Read the status of a session.

        Raises UnknownSessionError after a 404 or 405, because the session service does not know the session, or has no
        call that reads sessions. Raises another ServiceError if the call fails.
        """
        response = await self._get(session_id)
        return SessionView(session_id, plain_word(read_object(response).get("status")))

    @property
    def tells_states(self) -> bool:
        """Return whether the settings say which values of `status` mean that a customer has joined.

        If they do not, `look` cannot find out that a customer has joined.
        """
        return bool(self._joined_statuses)

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        """Read the state of the session in `record`. Raises ServiceError if the call fails.

        Return UNKNOWN_STATE if the session service does not find the session, or if the session's status means neither
        joined nor ended.

        `live`: True if the bot watches the session in the background; False if a person waits for the answer. The two
        cases use different shares of the rate limit.
        """
        try:
            response = await self._get(record.session.id, share=LIVE if live else LOOK)
        except UnknownSessionError:  # a 404 may be about the path, since the service documents none to read a session
            return UNKNOWN_STATE
        status = plain_word(read_object(response).get("status")).lower()
        if status in ENDED_STATUSES:
            return SessionState(SessionPhase.OVER)
        return SessionState(SessionPhase.JOINED) if status in self._joined_statuses else UNKNOWN_STATE

    async def end(self, record: SessionRecord) -> str | None:
        """End a session. Return the session service's correlation id; None if the answer has none.

        Raises UnknownSessionError after a 404 or 405, because the session service does not know the session, or has no
        call that ends sessions. Raises another ServiceError if the call fails.

        Return after a 404, if the service may have carried out an earlier attempt of the call, and has ended another
        session before. Then it has this call, and the earlier attempt has ended the session.
        """
        try:
            response = await self._client.call("DELETE", _path(record.session.id), needs=READ, safe=True)
        except BadRequestError as error:
            if error.status not in (404, 405):
                raise
            if error.maybe_acted and error.status == 404 and self._has_ended_one:
                return error.reference
            raise UnknownSessionError(reference=error.reference) from None
        self._has_ended_one = True
        return reference_of(response)

    async def _get(self, session_id: SessionId, *, share: Share | None = None) -> httpx.Response:
        path, waits = _path(session_id), share is not LIVE
        try:
            return await self._client.call("GET", path, needs=READ, safe=True, share=share, waits=waits)
        except BadRequestError as error:
            if error.status in (404, 405):
                raise UnknownSessionError(reference=error.reference) from None
            raise

    async def _specific_error(self, error: BadRequestError, request: CreateSessionRequest) -> ServiceError:
        """Return an error that says why the session service refused a create call.

        - Status 404: CreateCallMissingError.
        - Status 400 about the host: InvalidHostError.
        - Status 400 about the application: UnknownApplicationError.
        - Any other answer: `error` itself.

        `error`: the error for the session service's answer, a 4xx.
        """
        if error.status == 404:
            return CreateCallMissingError(reference=error.reference)
        if is_invalid_host(error):
            own = not request.for_another
            return InvalidHostError(host_id=request.host_id, own=own, reference=error.reference)
        if error.status == 400 and "application not found" in error.words.lower():
            known = await self._known_applications()
            return UnknownApplicationError(
                application_id=request.application_id,
                known=tuple(found for found, _ in known),
                names=tuple(name for _, name in known),
                reference=error.reference,
            )
        return error

    async def _known_applications(self) -> list[tuple[str, str]]:
        try:
            return await self.applications()
        except ServiceError:
            return []


def _path(session_id: SessionId) -> str:
    """Return the path of a session. Raises UnknownSessionError if the id cannot be part of a URL."""
    if not is_usable_id(session_id):  # from a row that an older version wrote
        raise UnknownSessionError
    return f"{SESSIONS}/{quote(session_id, safe='')}"


def _body(request: CreateSessionRequest) -> dict[str, object]:
    return {
        "hostUserId": request.host_id,
        "application": {"id": request.application_id, "type": request.application_type},
        "sessionName": request.name,
        "timeoutSeconds": request.timeout_seconds,
        "metadata": {"source": "cobrowse-bot", "context": request.context, "requestId": request.request_id},
    }


def _session(response: httpx.Response, request: CreateSessionRequest, reject_reason: Callable[[str], str]) -> Session:
    """Return the created session, read from the session service's answer to the create call.

    `reject_reason`: returns why a join URL is not allowed; "" if the join URL is allowed.

    Raises UnusableAnswerError if the id or the join URL is missing or not allowed, or if the session has another host.
    The error's field `acted` is True, because the service may have created the session.
    """
    reference = reference_of(response)
    try:
        body = read_object(response)
    except UnusableAnswerError as error:
        raise UnusableAnswerError(why=error.why, acted=True, reference=reference) from None
    session_id, join_url = body.get("id"), body.get("joinUrl")
    if not isinstance(session_id, str) or not is_usable_id(session_id):
        raise UnusableAnswerError(why="a session without a usable id", acted=True, reference=reference)
    if not isinstance(join_url, str) or not join_url:
        raise UnusableAnswerError(why="a session without a join URL", acted=True, reference=reference)
    if why := reject_reason(join_url):
        raise UnusableAnswerError(why=why, acted=True, reference=reference)
    host = str(body.get("hostUserId") or request.host_id)
    if host.lower() != request.host_id:
        raise UnusableAnswerError(why="a session for another host", acted=True, reference=reference)
    return Session(
        id=SessionId(session_id),
        status=plain_word(body.get("status")),
        host_id=request.host_id,
        name=request.name,
        application_id=request.application_id,
        ends_at=answered_at(response) + timedelta(seconds=request.timeout_seconds),
        lasts_seconds=request.timeout_seconds,
        join_url=join_url,
        reference=reference,
    )
