"""Secrets in files, as Kubernetes mounts them, and a watcher that looks at them often."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from bot.config import settings
from bot.config.reload.watcher import SecretWatcher
from bot.config.settings import Settings
from bot.core.timing import SecretTiming
from bot.observability.audit import AuditLog
from bot.observability.metrics import PrometheusMetrics

QUICK_SECRETS = SecretTiming(poll_seconds=0.05, retry_seconds=0.2)
NO_POLLS = SecretTiming(poll_seconds=3600.0, retry_seconds=0.0)
"""The test itself says when the watcher looks."""


class SecretMount:
    """A folder of links to the files of another folder, which one rename replaces, as Kubernetes mounts a Secret."""

    def __init__(self, folder: Path, **texts: str) -> None:
        self._folder, self._version = folder, 0
        self.texts: dict[str, str] = {}
        folder.mkdir()
        self.set(**texts)

    def set(self, **texts: str | None) -> None:
        """Replace all files at once; None removes a file."""
        self.texts = {name: text for name, text in {**self.texts, **texts}.items() if text is not None}
        self._version += 1
        target = self._folder / f"..{self._version}"
        target.mkdir()
        for name, text in self.texts.items():
            (target / name).write_text(text)
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        link = self._folder / "..new"
        link.symlink_to(target.name)
        os.replace(link, self._folder / "..data")

    def environ(self, *more: str) -> dict[str, str]:
        """Return the variables that name the files; `more` names files that may be missing."""
        return {f"{name}_FILE": str(self._folder / name) for name in (*self.texts, *more)}


class Reloads:
    """Takes the place of a part of the bot: records the settings it was given, and refuses them with `code`."""

    def __init__(self) -> None:
        self.given: list[Settings] = []
        self.code = ""

    async def accept(self, changed: Settings) -> str:
        self.given.append(changed)
        return self.code


@asynccontextmanager
async def watching(
    environ: dict[str, str],
    *names: str,
    mask: Callable[[Any], None] = lambda secrets: None,
    audit: str = "",
    timing: SecretTiming = NO_POLLS,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[tuple[SecretWatcher[Settings], Reloads, PrometheusMetrics]]:
    """Watch the files of these secrets. The first two looks, which see how the files are, are over."""
    metrics, reloads = PrometheusMetrics(), Reloads()
    with closing(AuditLog(audit)) as audit_log:
        watcher = SecretWatcher(settings.load(environ), metrics, audit_log, mask, timing=timing, clock=clock)
        async with watcher:
            watcher.subscribe(names, reloads.accept)
            await look_twice(watcher)
            yield watcher, reloads, metrics


def counted(metrics: PrometheusMetrics, name: str, result: str) -> float:
    """Return how often the metric counted this result of this secret; -1.0 if it does not have it."""
    start = f'cobrowse_secret_reloads_total{{name="{name}",result="{result}"}} '
    lines = metrics.exposition().decode().splitlines()
    return next((float(line.removeprefix(start)) for line in lines if line.startswith(start)), -1.0)


async def look_twice(watcher: SecretWatcher[Settings]) -> None:
    """See that a file changed, and then that it stays as it is."""
    await watcher.look()
    await watcher.look()
