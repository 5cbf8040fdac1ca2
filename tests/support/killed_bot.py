"""Run the bot with a store that kills the process. argv[1] names the point, such as `after:creating:Deal`.

The name may be a pattern, such as `before:*:Deal 2?`. The first point that matches counts.
These points are calls of the store, so the bot itself contains no code for them.
"""

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import Any

from bot import app, shared
from bot.cli.commands import main
from bot.storage.open import open_store
from tests.support.live import QUICK_LIVE

WHERE = sys.argv.pop(1)


class KilledStore:
    """A real store that kills the process at one of its calls."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def in_workspace(self, name: str) -> Any:
        return KilledStore(self._store.in_workspace(name))

    @property
    def sessions(self) -> Any:
        return KilledTable(self._store.sessions)

    @property
    def notices(self) -> Any:
        return KilledTable(self._store.notices)

    @property
    def watches(self) -> Any:
        return KilledTable(self._store.watches)

    async def accept(self, request: Any, agent: Any = None) -> Any:
        die(f"before:accepted:{named(request)}")
        accepted = await self._store.accept(request, agent)
        die(f"after:{accepted.state}:{named(request)}")
        return accepted

    async def advance(self, request_id: Any, from_: Any, to: Any, **how: Any) -> Any:
        name = named((await self._store.find(request_id)).request)
        die(f"before:{to}:{name}")
        try:
            return await self._store.advance(request_id, from_, to, **how)
        finally:  # what it raises is on the disk, too
            die(f"after:{to}:{name}")


class KilledTable:
    """The store's sessions or notices.

    Each call is a possible point, such as `before:end_session` or `after:add_post:posted`.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **how: Any) -> Any:
            where = f"{name}:{'posted' if args[0].ts else 'intended'}" if name == "add_post" else name
            die(f"before:{where}")
            result = await getattr(self._table, name)(*args, **how)
            die(f"after:{where}")
            return result

        return call


def named(request: Any) -> str:
    """Return the name of a request: the session's name, else the request's kind."""
    return str(request.name or request.kind.value)


def die(where: str) -> None:
    if fnmatchcase(where, WHERE):
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.asynccontextmanager
async def open_killed(*args: Any, **how: Any) -> AsyncIterator[KilledStore]:
    async with open_store(*args, **how) as store:
        yield KilledStore(store)


vars(shared)["open_store"] = open_killed
vars(app)["CoreTiming"] = lambda: QUICK_LIVE
main(["run"])
