"""Watch the file of workspaces while the bot runs, and read the file again when the file changes.

If the file cannot be read or is not valid TOML, all workspaces keep their settings. A fault in a table affects only the
workspace of the table.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from bot.config.process import ProcessSettings
from bot.config.reader import SettingsError
from bot.config.reload.poll import Poll
from bot.config.reload.secret_files import Stamp, stamp_of
from bot.config.reload.watcher import Mask, mask_nothing
from bot.config.workspaces.load import Workspaces, read_workspaces
from bot.core.ports import INVALID, RELOADED, UNREADABLE
from bot.core.timing import WORKSPACES_FILE_TIMING, WorkspacesFileTiming
from bot.observability.metrics import PrometheusMetrics

log = logging.getLogger(__name__)

Changed = Callable[[Workspaces], None]
"""A function that gets all workspaces after a change of at least one. A changed workspace has a new `fingerprint`."""


class WorkspacesWatcher:
    """Reads the file of workspaces again when one of the watched files has changed.

    The watched files are the file of workspaces and the CSV files of hosts (COBROWSE_HOSTS_FILE) that its tables name.
    If a table has a fault, the files of its secrets are watched, too.

    - `workspaces`: the workspaces at the last successful read.
    - `mask`: a function that takes secrets and makes the log mask them.
    """

    def __init__(
        self,
        process: ProcessSettings,
        workspaces: Workspaces,
        metrics: PrometheusMetrics,
        mask: Mask = mask_nothing,
        *,
        timing: WorkspacesFileTiming = WORKSPACES_FILE_TIMING,
    ) -> None:
        self.workspaces = workspaces
        self._process, self._metrics, self._mask = process, metrics, mask
        self._used: Mapping[str, Stamp] = {}
        self._seen: Mapping[str, Stamp] = {}
        self._reported: list[str] = []
        self._poll = Poll(timing.poll_seconds)
        metrics.watch_workspaces()

    @asynccontextmanager
    async def watching(self, changed: Changed) -> AsyncIterator[None]:
        """Watch the files until the `with` block ends.

        `changed`: a function that the watcher calls with all workspaces when one of them was changed, added or removed.
        """
        task = asyncio.create_task(self._watch(changed))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def read_now(self) -> None:
        """Make the watcher read the file of workspaces now, even if no watched file has changed.

        The process calls this function on SIGHUP.
        """
        self._poll.ask()

    async def look(self, changed: Changed, *, is_asked: bool = False) -> None:
        """Read the file of workspaces again if one of the watched files has changed since the last read.

        Also read the file again if the last read could not read it, or found a fault in a table. Read the file only
        when two calls in a row find the same stamps of the watched files. Until then, a change may not be complete.

        - `changed`: a function that this method calls with all workspaces if one was changed, added or removed.
        - `is_asked`: True to read the file of workspaces in any case.
        """
        paths = {self._process.workspaces_file, *(path for each in self.workspaces.values() for path in each.files)}
        stamps = await asyncio.to_thread(lambda: {path: stamp_of(path) for path in paths})
        is_settled, self._seen = stamps == self._seen, stamps
        if is_asked or (is_settled and stamps != self._used):
            self._used = stamps
            await self._read(changed)

    async def _watch(self, changed: Changed) -> None:
        while True:
            is_asked = await self._poll.wait()
            try:
                await self.look(changed, is_asked=is_asked)
            except Exception:
                log.exception("reading the workspaces again failed")

    async def _read(self, changed: Changed) -> None:
        try:
            found = await asyncio.to_thread(read_workspaces, self._process, self.workspaces)
        except SettingsError as error:
            if error.code != SettingsError.code:  # unreadable: its stamp may stay the same when it can be read
                self._used = {}
            self._report(error)
            return
        self._reported = []
        if any(each.error for each in found.values()):  # a file may be readable later, with the same stamp
            self._used = {}
        before, self.workspaces = self.workspaces, found
        different = _fingerprints(found).items() ^ _fingerprints(before).items()
        if not different:
            return
        self._mask(text for each in found.values() if each.settings for text in each.settings.logging.secrets)
        names = ",".join(sorted({name for name, _ in different}))
        log.info("changed workspaces were read", extra={"fields": {"workspaces": names}})
        self._metrics.workspaces_reloaded(RELOADED)
        changed(found)

    def _report(self, error: SettingsError) -> None:
        """Record in the log and in the metrics that the changed file is not used.

        Do nothing if the error of the last read had the same faults.
        """
        if self._reported == error.faults:
            return
        self._reported = error.faults
        fields = {"error": error.code, "why": " ".join(error.faults)}
        log.warning("a changed file of workspaces is not used, and all stay as they are", extra={"fields": fields})
        self._metrics.workspaces_reloaded(INVALID if error.code == SettingsError.code else UNREADABLE)


def _fingerprints(workspaces: Workspaces) -> dict[str, str]:
    return {name: each.fingerprint for name, each in workspaces.items()}
