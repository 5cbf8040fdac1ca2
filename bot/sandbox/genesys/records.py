"""Define the records of the sandbox's Genesys (users, sessions, calls), and collections with a maximum size."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

MAX_ENTRIES = 100_000  # of each kind; new entries replace the oldest
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class GenesysUser:
    """A user in the sandbox's Genesys. `state` is "active", "inactive" or "deleted".

    `cobrowse`: whether the user may host sessions.
    """

    id: str
    name: str
    email: str = field(repr=False)
    state: str = "active"
    cobrowse: bool = True


@dataclass
class Session:
    """A co-browse session. `created_at` is in seconds since 1970. `status` is "active" or "ended"."""

    id: str
    host_user_id: str
    name: str
    join_url: str = field(repr=False)
    created_at: float
    timeout_seconds: int
    status: str
    application_id: str

    def expire_if_due(self) -> None:
        """Set the status to "ended" if `timeout_seconds` have passed since the session was created."""
        if time.time() >= self.created_at + self.timeout_seconds:
            self.status = "ended"


@dataclass
class Create:
    """A record of one call to create a session. The server records each such call, even if it sends no response.

    `created_session`: whether the call created a session. `session_id` is then its id.
    """

    at: float  # monotonic
    body: dict[str, Any]
    headers: Mapping[str, str] = field(repr=False)  # looked up without regard to case
    created_session: bool = False
    session_id: str | None = None


@dataclass
class Call:
    """A record of one request to the server. `status` is None if it got no response. `path` may contain secrets.

    `kind` is the kind of the call, such as "create". `note` says what a fault did to the response, "" without a fault.
    """

    at: float  # monotonic
    method: str
    path: str = field(repr=False)
    status: int | None
    kind: str
    note: str = ""


class BoundedList(list[T]):
    """A list with a maximum length. When it is full, it drops the oldest tenth of its items."""

    def append(self, entry: T) -> None:
        if len(self) >= MAX_ENTRIES:
            del self[: MAX_ENTRIES // 10]
        super().append(entry)


def add_bounded(entries: dict[K, T], key: K, value: T) -> None:
    """Add an entry to a dictionary. If the dictionary has its maximum size, first drop its oldest entry."""
    if len(entries) >= MAX_ENTRIES:
        del entries[next(iter(entries))]
    entries[key] = value
