"""Read the state of a co-browse session from the conversation that it belongs to (pure).

In Genesys's answer, each participant has a list `cobrowsesessions`. A session has two entries with the same
`cobrowseSessionId`: one in the list of the customer, who shares the screen, and one in the list of the host, who views
it. https://developer.genesys.cloud/devapps/api-explorer (Conversation, Cobrowsesession)
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from bot.core.models import UNKNOWN_STATE, HostId, SessionEnding, SessionId, SessionPhase, SessionRecord, SessionState
from bot.core.validation.display import LOCAL_HOSTS, is_safe_url, url_host
from bot.genesys.api.live_conversations import MAX_AGE, MAX_AHEAD, read_time_within
from bot.genesys.parsing import objects
from bot.genesys.regions import DOMAINS

CONNECTED, SHARER, CUSTOMERS = "connected", "sharer", ("customer", "external")
TOLERANCE = timedelta(minutes=2)
"""How far Genesys's clock may be behind the database's clock."""
MAX_URL_LENGTH = 3000
"""Slack's limit for the URL of a button, in characters."""
ENDINGS: Mapping[str, SessionEnding] = {
    "client": SessionEnding.CUSTOMER,
    "endpoint": SessionEnding.CUSTOMER,
    "peer": SessionEnding.AGENT,
    "timeout": SessionEnding.TIMED_OUT,
    "error": SessionEnding.FAILED,
    "transport.failure": SessionEnding.FAILED,
}
"""The ending of a session for each `disconnectType` in the customer's entry. For any other value, the ending is
unknown."""
Part = dict[str, object]
"""A JSON object, such as an entry of `cobrowsesessions`."""


def read_state(body: Part, record: SessionRecord, now: datetime, *, is_local: bool = False) -> SessionState:
    """Read the state of the session in `record` from the body of Genesys's answer about the session's conversation.

    - `now`: the time at which Genesys sent the answer, by Genesys's clock.
    - `is_local`: whether the API runs on this machine. If True, the result's `viewer_url` may be on this machine, too.

    The phase of the result is one of these:

    - JOINED: a customer is in the session now.
    - OVER: a customer was in the session. The customer has left, or the conversation has ended.
    - WAITING: no customer has joined, and the conversation is open.
    - UNUSED: no customer has joined, and the conversation has ended.
    - UNKNOWN: no customer has joined under the session's id, but a customer is or was in a session with another id.
      Genesys may have given this other id to the same session.
    """
    parts, has_ended = list(_customer_parts(body)), bool(body.get("endTime"))
    mine = [part for part in parts if part.get("cobrowseSessionId") == record.session.id]
    if joined := [part for part in mine if _is_connected(part) or _time(part.get("connectedTime"), now)]:
        joined_at = min(_times(joined, "connectedTime", now), default=None)
        if not has_ended and any(_is_connected(part) for part in joined):
            viewer_url = _viewer_url(body, record.session.host_id, record.session.id, is_local=is_local)
            return SessionState(SessionPhase.JOINED, joined_at, is_link_dead=True, viewer_url=viewer_url)
        over_at = max(_times(joined, "disconnectedTime", now), default=_time(body.get("endTime"), now))
        last = max(joined, key=lambda part: str(part.get("disconnectedTime") or ""))
        ending = ENDINGS.get(str(last.get("disconnectType")).lower())
        return SessionState(SessionPhase.OVER, joined_at, over_at, ending, is_link_dead=True)
    if any(_may_be_of(part, record, now) for part in parts):
        return UNKNOWN_STATE  # Genesys may have given the session another id
    if has_ended:
        return SessionState(SessionPhase.UNUSED, ended_at=_time(body.get("endTime"), now), is_link_dead=True)
    return SessionState(SessionPhase.WAITING)


def is_viewer_url(url: object, *, is_local: bool = False) -> bool:
    """Return whether `url` is usable as the URL of the page at which the host views the customer's screen.

    The URL must be an https URL in the domain of a Genesys region, and have MAX_URL_LENGTH characters at most.
    `is_local`: if True, also accept an http or https URL of this machine.
    """
    if not isinstance(url, str) or len(url) > MAX_URL_LENGTH or not is_safe_url(url):
        return False
    host = url_host(url)
    if host in LOCAL_HOSTS:
        return is_local
    return url.lower().startswith("https:") and any(host.endswith(f".{domain}") for domain in DOMAINS.values())


def _customer_parts(body: Part) -> Iterator[Part]:
    for person in objects(body.get("participants")):
        if person.get("userId") or str(person.get("purpose")).lower() not in CUSTOMERS:
            continue
        yield from objects(person.get("cobrowsesessions"))


def _viewer_url(body: Part, host_id: HostId, session_id: SessionId, *, is_local: bool) -> str:
    """Return the URL at which the host views the customer's screen.

    Return "" if Genesys gives no URL that `is_viewer_url` accepts.
    """
    for person in objects(body.get("participants")):
        if str(person.get("userId") or "").lower() != host_id:
            continue
        for part in objects(person.get("cobrowsesessions")):
            url = part.get("viewerUrl")
            is_mine = part.get("cobrowseSessionId") == session_id and not part.get("disconnectedTime")
            if is_mine and is_viewer_url(url, is_local=is_local):
                return str(url)
    return ""


def _is_connected(part: Part) -> bool:
    return str(part.get("state")).lower() == CONNECTED and not part.get("disconnectedTime")


def _may_be_of(part: Part, record: SessionRecord, now: datetime) -> bool:
    """Return whether `part` may belong to the session in `record`, although `part` contains another session id.

    `part`: a customer's entry in `cobrowsesessions`. Return True in each of these cases:

    - The customer is connected now.
    - The customer connected after the session's start, or TOLERANCE at most before the start.
    - The session's start is unknown, and the entry contains a valid time of connection.
    """
    if _is_connected(part):
        return True
    at = _time(part.get("connectedTime"), now)
    return at is not None and (record.started_at is None or at >= record.started_at - TOLERANCE)


def _time(value: object, now: datetime) -> datetime | None:
    """Parse an ISO 8601 time between `now - MAX_AGE` and `now + MAX_AHEAD`. Return None for any other value."""
    return read_time_within(value, now, back=MAX_AGE, ahead=MAX_AHEAD)


def _times(parts: Iterable[Part], name: str, now: datetime) -> Iterator[datetime]:
    return filter(None, (_time(part.get(name), now) for part in parts))
