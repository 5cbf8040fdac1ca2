"""Open the parts that all workspaces of a process share, such as the database, the audit log and the metrics."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.config.reload.watcher import Mask, SecretWatcher, mask_nothing
from bot.config.settings import ProcessSettings
from bot.core.ports import Tracer
from bot.core.timing import (
    GENESYS_TIMING,
    RECEIVER_BOUNDS,
    SECRET_TIMING,
    SLACK_TIMING,
    CoreTiming,
    GenesysTiming,
    ReceiverBounds,
    SecretTiming,
    SlackTiming,
)
from bot.factories import open_tracer
from bot.genesys import http as genesys_http
from bot.observability.audit import AuditLog
from bot.observability.metrics import MetricFamilies, PrometheusMetrics
from bot.secret_changes import watch_storage
from bot.slack.api import responder
from bot.slack.messages.catalogue.languages import LOCALES, load_languages
from bot.slack.messages.catalogue.sentence import Language
from bot.storage.open import Storage, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """The durations that each layer uses, such as time limits. Tests pass other values.

    `bounds` is not a duration. It limits the connections and the incoming data that the bot handles at the same time.
    """

    core: CoreTiming = field(default_factory=CoreTiming)
    genesys: GenesysTiming = GENESYS_TIMING
    slack: SlackTiming = SLACK_TIMING
    secrets: SecretTiming = SECRET_TIMING
    bounds: ReceiverBounds = RECEIVER_BOUNDS


@dataclass(frozen=True, slots=True)
class Shared:
    """The parts that all workspaces of a process share.

    - `store`, `metrics`: the data of all workspaces. Each workspace uses a view that contains only its own data.
    - `slack_pool`, `genesys_pool`: the connections to Slack and to Genesys. Any workspace may use an idle connection.
    - `secrets`: watches the files of the process's own secrets, such as the encryption keys of the database. Reads the
      files again when they change.
    - `mask`: a function that takes secrets and hides them in all later log lines.
    """

    settings: ProcessSettings
    durations: Durations
    languages: Mapping[str, Language]
    metrics: PrometheusMetrics
    tracer: Tracer
    audit: AuditLog
    store: Storage
    slack_pool: aiohttp.BaseConnector
    genesys_pool: aiohttp.BaseConnector
    secrets: SecretWatcher[ProcessSettings]
    mask: Mask


@asynccontextmanager
async def open_shared(
    settings: ProcessSettings,
    durations: Durations,
    *,
    locales: Path = LOCALES,
    mask: Mask = mask_nothing,
    by_workspace: bool = False,
) -> AsyncIterator[Shared]:
    """Open the parts that all workspaces share. Close them at the end of the `with` block.

    - `durations`: the durations that each layer uses, such as time limits. Tests pass other values.
    - `locales`: the folder with the translations of the bot's messages.
    - `mask`: a function that takes secrets and hides them in all later log lines.
    - `by_workspace`: whether the metrics have a label with the workspace's short name.

    Raises StorageSetupError if the database cannot be opened, and AuditSetupError if the audit log cannot be opened.
    """
    database = settings.database
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        tracer = await enter(open_tracer(settings.tracing, durations.core))
        families = MetricFamilies(by_workspace=by_workspace)
        metrics = PrometheusMetrics(exemplar=tracer.exemplar, families=families)
        audit = stack.enter_context(closing(AuditLog(settings.audit_log)))
        store = await enter(
            open_store(database.url, keys=database.keys, retention_days=database.retention_days, meter=metrics)
        )
        pools = await enter(responder.new_pool()), await enter(genesys_http.new_pool(durations.genesys))
        secrets = await enter(SecretWatcher(settings, metrics, audit, mask, timing=durations.secrets))
        watch_storage(secrets, store)
        languages = load_languages(locales)
        yield Shared(settings, durations, languages, metrics, tracer, audit, store, *pools, secrets, mask)
