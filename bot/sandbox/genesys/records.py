"""Define the users, sessions and call records of the sandbox's Genesys, and collections with a maximum size."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

MAX_ENTRIES = 100_000  # of each kind; new entries replace the oldest
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class GenesysUser:
    """A user in the sandbox's Genesys.

    - `state`: "active", "inactive" or "deleted".
    - `cobrowse`: whether the user can host sessions.
    """

    id: str
    name: str
    email: str = field(repr=False)
    state: str = "active"
    cobrowse: bool = True


@dataclass
class Session:
    """A co-browse session at the sandbox's session service.

    - `created_at`: in seconds since 1970.
    - `status`: "active" or "ended".
    """

    id: str
    host_user_id: str
    name: str
    join_url: str = field(repr=False)
    created_at: float
    timeout_seconds: int
    status: str
    application_id: str

    def expire_if_due(self) -> None:
        """Set the status to "ended" if `timeout_seconds` have passed since `created_at`."""
        if time.time() >= self.created_at + self.timeout_seconds:
            self.status = "ended"


@dataclass
class Create:
    """A record of one call that asks for a new session. Calls without a response have a record, too.

    - `at`: when the call arrived, a `time.monotonic()` value.
    - `body`: the JSON body of the call; {} if the body is not a JSON object.
    - `created_session`: whether the call created a session.
    - `session_id`: the id of the created session; None if the call created none.
    """

    at: float  # monotonic
    body: dict[str, Any]
    headers: Mapping[str, str] = field(repr=False)  # looked up without regard to case
    created_session: bool = False
    session_id: str | None = None


@dataclass
class Call:
    """A record of one HTTP request to the server.

    - `at`: when the HTTP request arrived, a `time.monotonic()` value.
    - `path`: the path of the URL. The path can contain secrets.
    - `status`: the HTTP status of the response; None if the server sent no response.
    - `kind`: the kind of the call, such as "create".
    - `note`: the description of a simulated fault or of an error; "" without a fault and without an error.
    """

    at: float  # monotonic
    method: str
    path: str = field(repr=False)
    status: int | None
    kind: str
    note: str = ""


class BoundedList(list[T]):
    """A list of at most MAX_ENTRIES items. `append` drops the oldest tenth of the items if the list is full."""

    def append(self, entry: T) -> None:
        if len(self) >= MAX_ENTRIES:
            del self[: MAX_ENTRIES // 10]
        super().append(entry)


def add_bounded(entries: dict[K, T], key: K, value: T) -> None:
    """Set `entries[key]` to `value`. If `entries` has MAX_ENTRIES entries, first drop the oldest entry."""
    if len(entries) >= MAX_ENTRIES:
        del entries[next(iter(entries))]
    entries[key] = value
