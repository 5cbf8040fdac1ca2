"""What the sandbox's Genesys remembers: users, sessions, calls that came in; and how it lets go of the oldest."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

KEPT = 100_000  # entries of each kind; the oldest make room
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class GenesysUser:
    """A user of the org; `state` is active, inactive or deleted, `cobrowse` whether they hold the licence."""

    id: str
    name: str
    email: str = field(repr=False)
    state: str = "active"
    cobrowse: bool = True


@dataclass
class Session:
    """A co-browse session; `created_at` is seconds since 1970, `status` active or ended."""

    id: str
    host_user_id: str
    name: str
    join_url: str = field(repr=False)
    created_at: float
    timeout_seconds: int
    status: str
    application_id: str

    def let_expire(self) -> None:
        """Ends it when its time is over."""
        if time.time() >= self.created_at + self.timeout_seconds:
            self.status = "ended"


@dataclass
class Create:
    """A create whose body reached the server, whatever was answered; `acted`: a session exists because of it."""

    at: float  # monotonic
    body: dict[str, Any]
    headers: Mapping[str, str] = field(repr=False)  # looked up without regard to case
    acted: bool = False
    session_id: str | None = None


@dataclass
class Call:
    """One request; `status` stays None when nothing was answered, or not yet. `path` is not masked."""

    at: float  # monotonic
    method: str
    path: str = field(repr=False)
    status: int | None
    kind: str
    note: str = ""


class Recent(list[T]):
    """A list that lets go of its oldest tenth when it is full."""

    def append(self, entry: T) -> None:
        if len(self) >= KEPT:
            del self[: KEPT // 10]
        super().append(entry)


def keep(kept: dict[K, T], key: K, value: T) -> None:
    """Enters it; when the book is full, the oldest entry goes."""
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
