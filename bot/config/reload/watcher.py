"""Watch the files of secrets while the bot runs, and pass changed secrets to the parts of the bot that use them.

A part of the bot subscribes with the names of settings, and gets all changed values of these settings together. The
part keeps the old values if a file has no value, if a value is malformed, or if the part refuses a value.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from bot.config.reader import SecretFile, SettingsError, Sources
from bot.config.reload.poll import Poll
from bot.config.reload.secret_files import FILE_UNREADABLE, S, Stamp, read_texts, stamps_of, with_texts
from bot.core.ports import INVALID, REFUSED, RELOADED, UNREADABLE
from bot.core.timing import SECRET_TIMING, SecretTiming
from bot.observability.audit import AuditLog
from bot.observability.metrics import PrometheusMetrics

log = logging.getLogger(__name__)

Accept = Callable[[S], Awaitable[str]]
"""A function that starts to use the secrets of new settings. Returns "", or the code of the reason for a refusal."""
Mask = Callable[[Iterable[str]], None]
"""A function that adds texts to the texts that the log masks."""


def mask_nothing(secrets: Iterable[str]) -> None:
    """Do nothing. This function is the default of the argument `mask`, for a process without a log."""


@dataclass(slots=True, eq=False)
class _Group(Generic[S]):
    """The secrets of one subscriber. The keys of all mappings are the names of secrets.

    - `files`: the files that contain the secrets.
    - `accept`: the function that the subscriber passed to `subscribe`.
    - `used`: the stamps of the files at the last read; empty before the first read.
    - `seen`: the stamps of the files at the last check; empty before the first check. A check does not always read the
      files.
    - `reported`: for each secret whose new value is not in use: the result that was logged last (UNREADABLE, INVALID or
      REFUSED), and the code of the reason.
    - `retry_at`: when the watcher reads the files again after a refusal, an unreadable file or an exception, as a time
      on the watcher's clock; infinite if no retry is necessary.
    - `retry_seconds`: the last wait before a retry, in seconds. The next wait is twice as long, up to a maximum. 0 if
      no retry was necessary since the files last changed.
    """

    files: tuple[SecretFile, ...]
    accept: Accept[S]
    used: Mapping[str, Stamp] = field(default_factory=dict)
    seen: Mapping[str, Stamp] = field(default_factory=dict)
    reported: dict[str, tuple[str, str]] = field(default_factory=dict)
    retry_at: float = float("inf")
    retry_seconds: float = 0.0


class SecretWatcher(Generic[S]):
    """Reads the files of secrets again when they change, and passes the new settings to the subscribers.

    The watcher starts to check the files at the first subscription, and stops at `close`.

    `settings`: the settings of one workspace or of the process, with the secrets that are in use.
    """

    def __init__(
        self,
        settings: S,
        metrics: PrometheusMetrics,
        audit: AuditLog,
        mask: Mask = mask_nothing,
        *,
        timing: SecretTiming = SECRET_TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings: S = settings
        self._metrics, self._audit, self._mask = metrics, audit, mask
        self._timing, self._clock = timing, clock
        self._groups: list[_Group[S]] = []
        self._poll = Poll(timing.poll_seconds)
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "SecretWatcher[S]":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop checking the files."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    def subscribe(self, names: Sequence[str], accept: Accept[S]) -> Callable[[], None]:
        """Subscribe to changes of these secrets, and return a function that ends the subscription.

        - `names`: the names of the secrets. A secret that does not come from a file is ignored.
        - `accept`: a function that starts to use new settings. The watcher calls it with the new settings when the
          file of one of the secrets has a new value. It returns "", or a code that says why it refuses the settings.
        """
        files = tuple(file for name, file in self.settings.sources.files.items() if name in names)
        group = _Group[S](files, accept)
        if files:
            self._groups.append(group)
            self._metrics.watch_secrets(file.name for file in files)
            self._watching = self._watching or asyncio.create_task(self._watch())

        def unsubscribe() -> None:
            if group in self._groups:
                self._groups.remove(group)

        return unsubscribe

    def read_now(self) -> None:
        """Make the watcher read all files now, even if they did not change. The process calls this on SIGHUP."""
        log.info("the files of secrets are read again")
        self._poll.ask()

    async def _watch(self) -> None:
        while True:
            await self.look(is_asked=await self._poll.wait())

    async def look(self, *, is_asked: bool = False) -> None:
        """Read the files of each subscriber that has a changed file. Pass new values to the subscriber.

        A file has changed if its stamp differs from the stamp at the last read. Read the changed files only when two
        calls in a row find the same stamps: before that, another program may still be writing the files.

        After a refusal, an unreadable file or an exception, also read the subscriber's files when the retry is due.

        `is_asked`: True to read all files now, changed or not.
        """
        groups = self._groups[:]
        looking = asyncio.create_task(stamps_of([file for group in groups for file in group.files]))
        for group in groups:
            try:
                await self._look(group, await looking, is_asked=is_asked)
            except Exception:
                self._retry_later(group)
                log.exception("reading a secret again failed")

    async def _look(self, group: _Group[S], found: Mapping[str, Stamp], *, is_asked: bool) -> None:
        """Read the files of one subscriber if necessary, and pass settings with new values to `group.accept`.

        The docstring of `look` says when to read the files. A retry is due from `group.retry_at` on.

        - `group`: the secrets of the subscriber.
        - `found`: the current stamps of all files.
        - `is_asked`: True to read the files in any case.
        """
        stamps = {file.name: found[file.name] for file in group.files}
        is_settled, group.seen = stamps == group.seen, stamps
        is_due = self._clock() >= group.retry_at
        if is_settled and stamps != group.used:
            group.retry_seconds, is_due = 0.0, True
        if is_asked or is_due:
            group.used, group.retry_at = stamps, float("inf")
            await self._read(group)

    async def _read(self, group: _Group[S]) -> None:
        texts, errors = await read_texts(group.files)
        for error in errors:
            self._report(group, error.name, UNREADABLE, error.code)
        if any(error.code == FILE_UNREADABLE for error in errors):
            self._retry_later(group)  # a share may fail for a moment, and its file stays the same
        changed = {name: new for name, new in texts.items() if new != self._text(name)}
        for name in texts.keys() - changed.keys():
            group.reported.pop(name, None)
        if not changed or errors:  # what belongs together changes together
            return
        self._mask(part for text in changed.values() for part in _parts(text))
        try:
            settings = with_texts(self.settings, changed)
        except SettingsError as error:
            self._report_all(group, changed, INVALID, error.code)
            return
        self._mask(settings.logging.secrets)
        if code := await group.accept(settings):
            self._retry_later(group)
            self._report_all(group, changed, REFUSED, code)
            return
        self.settings = settings
        group.reported.clear()
        for name in changed:
            log.info("a secret was changed", extra={"fields": {"setting": name}})
            self._count(name, RELOADED)

    def _retry_later(self, group: _Group[S]) -> None:
        timing = self._timing
        group.retry_seconds = min(2 * group.retry_seconds or timing.retry_seconds, timing.max_retry_seconds)
        group.retry_at = self._clock() + group.retry_seconds

    def _text(self, name: str) -> str:
        sources: Sources = self.settings.sources
        return sources.files[name].text

    def _report_all(self, group: _Group[S], names: Iterable[str], result: str, code: str) -> None:
        for name in names:
            self._report(group, name, result, code)

    def _report(self, group: _Group[S], name: str, result: str, code: str) -> None:
        """Log and count that the bot does not use the new value of a secret.

        - `name`: the name of the secret.
        - `result`: the constant UNREADABLE, INVALID or REFUSED.
        - `code`: the code of the reason.

        Do nothing if the last report about the secret had the same result and code.
        """
        if group.reported.get(name) == (result, code):
            return
        group.reported[name] = result, code
        fields = {"setting": name, "error": code}  # `check` says more; a sentence could show a part of the value
        log.warning("a changed secret is not used, and the old one stays", extra={"fields": fields})
        self._count(name, result, code)

    def _count(self, name: str, result: str, code: str = "") -> None:
        self._metrics.secret_reloaded(name, result)
        decision = "failed" if code else "allowed"
        outcome = {"decision": decision, "outcome": code or RELOADED}
        self._audit.record_command({"action": "change_secret", "setting": name, **outcome})


def _parts(text: str) -> list[str]:
    """Return the texts that the log has to mask: the secret `text`, and each part of it between commas.

    For example, the value of STORE_ENCRYPTION_KEY is a list of keys with commas between them.
    """
    return [part.strip() for part in (text, *text.split(",")) if part.strip()]
