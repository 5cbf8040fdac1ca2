"""Fixtures that the journeys share. A journey is a test's own world: nothing outlives the test."""

import gc
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bot.core.timing import CoreTiming, ReceiverBounds, SlackTiming
from tests.support.app import QUICK_SLACK, Journey, open_journey
from tests.support.translations import compile_all

gc.disable()  # until the tests are collected: what the collection makes is no garbage
compile_all()  # as `make` does: the bots of the tests load what the .po files say now
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first worker rewrites a file's asserts, and the others read it
sys.dont_write_bytecode = False
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # each load of the settings reads the machine's certificates: 0.2 s
    os.environ.pop(name, None)
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes its own folders there
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > 2**31
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
):  # with many workers, tests on a disk wait for it half of their time
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

TESTS = Path(__file__).parent
SLOWEST = (
    "resilience/fault_matrix sandbox/web/page_accessibility resilience/workspaces "
    "resilience/under_fire sandbox/web/page_tours resilience/send_crash packaging/benchmark resilience/upgrade "
    "resilience/notice_crash resilience/workspaces_growth docs/screenshots resilience/form_crash "
    "e2e/workspace_isolation resilience/secret_rotation packaging/shipping resilience/fault_matrix_conversations "
    "resilience/crash integration/slack/receivers/http_crowds resilience/cut_off resilience/workspaces_log "
    "resilience/workspaces_load e2e/access_requests integration/slack/receivers/socket_pacing e2e/form_result "
    "e2e/end_and_share integration/storage/workspaces resilience/failover sandbox/genesys/vendor_sdk docs/site_build "
    "resilience/session_crash integration/storage/statement_scopes e2e/attacks sandbox/web/page_surfaces "
    "resilience/tls integration/genesys/permission_holds integration/cli/commands e2e/session_form sandbox/web/page "
    "sandbox/web/page_elements integration/core/live/watcher sandbox/customer_page unit/slack/command_parser "
    "e2e/trickling_slack sandbox/web/page_alone resilience/access_crash resilience/fault_matrix_customer_messages "
    "integration/storage/key_rotation sandbox/web/page_like_slack integration/cli/init resilience/live_crash "
    "packaging/kubernetes resilience/soak resilience/lost_host resilience/backup_drill "
    "integration/genesys/notifications/channels integration/genesys/auth/client_credentials resilience/fault_moments "
    "integration/storage/sessions e2e/try_again e2e/failure_table e2e/unexpected_errors packaging/real_prometheus "
    "integration/slack/receivers/http resilience/traces e2e/fault_notices integration/storage/people "
    "integration/web/http_refusals resilience/replicas integration/storage/postgres/database_faults "
    "sandbox/web/page_live unit/slack/every_message e2e/repeated_session_ids integration/storage/session_ids "
    "e2e/secrets_in_logs integration/slack/receivers/http_random sandbox/web/page_modals resilience/stops "
    "e2e/waiting_note e2e/for_another resilience/process integration/observability/tracing integration/cli/slack_run "
    "integration/storage/store unit/core/stored_errors e2e/send integration/cli/db docs/alerts e2e/session_lists "
    "integration/genesys/api/probe integration/check/services e2e/session_commands integration/cli/manifest "
    "integration/genesys/rate_limit docs/repository e2e/home_tab sandbox/web/page_layout unit/config/workspaces/table "
    "e2e/addresses_in_names integration/slack/api/response_url e2e/grid"
)
"""Files that take seconds, the slowest first: none of them is begun when the other workers have nothing left to do."""


@cache
def name_of(path: Path) -> str:
    """Where a test file stands: `resilience/crash` for tests/resilience/test_crash.py."""
    return str(path.relative_to(TESTS).with_suffix("")).replace("test_", "")


def pytest_collection_finish() -> None:
    """Leave what the collection made out of each later search for garbage: it lives as long as the process."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by file, and leaves each file's own order alone."""
    rank = {name: place for place, name in enumerate(SLOWEST.split())}
    items.sort(key=lambda item: rank.get(name_of(item.path), len(rank)))


class Leaks(logging.Handler):
    """Lines of the bot's own loggers, tracebacks included, with what is a secret in every test; before any masking."""

    SECRET = re.compile(
        r"xox[a-z]-|xapp-|eyJ[\w-]{10}|PRIVATE KEY|/join/|/response/|/commands/T|cobrowse#|[\w.]@example\.com|"
        r"hooks\.(?!before_send|on_wait|fairness_key)"  # a host of Slack's; CallHooks are named so in tracebacks
    )

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{logging.Formatter().format(record)} {getattr(record, 'fields', '')}"
        if self.SECRET.search(line):
            self.lines.append(line)


@pytest.fixture(autouse=True)
def no_secret_in_the_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever traffic a test makes; but for the tests of the masking, which log what is masked."""
    if name_of(request.path) == "unit/observability/logging":
        yield
        return
    leaks, bots = Leaks(), logging.getLogger("bot")
    level = bots.level
    bots.setLevel(logging.DEBUG)
    bots.addHandler(leaks)
    yield
    bots.removeHandler(leaks)
    bots.setLevel(level)
    assert leaks.lines == []


@pytest.fixture
def timing() -> CoreTiming:
    """The bot's durations. A test passes shorter ones by parametrizing this."""
    return CoreTiming()


@pytest.fixture
def slack_timing() -> SlackTiming:
    """The bot's durations towards Slack; parametrized like `timing`."""
    return QUICK_SLACK


@pytest.fixture
def bounds() -> ReceiverBounds:
    """The bounds of what the bot takes in; parametrized like `timing`."""
    return ReceiverBounds()


@pytest.fixture
def journey_options(timing: CoreTiming, slack_timing: SlackTiming, bounds: ReceiverBounds) -> dict[str, Any]:
    """What open_journey takes of the fixtures above."""
    return {"timing": timing, "slack_timing": slack_timing, "bounds": bounds}


@pytest.fixture
async def journey(journey_options: dict[str, Any]) -> AsyncIterator[Journey]:
    """Over Socket Mode."""
    async with open_journey(**journey_options) as opened:
        yield opened


@pytest.fixture
async def over_http(journey_options: dict[str, Any]) -> AsyncIterator[Journey]:
    """Over signed HTTP."""
    async with open_journey(http=True, **journey_options) as opened:
        yield opened


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest, journey_options: dict[str, Any]) -> AsyncIterator[Journey]:
    """Over the one, and over the other."""
    async with open_journey(http=request.param == "http", **journey_options) as opened:
        yield opened
