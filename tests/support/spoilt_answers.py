"""Change answers of the sandbox's Genesys."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.genesys import faults
from bot.sandbox.genesys.fault_effects import change_body


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], web.Response]], None]:
    """Return a function that sets what the fault "not-json" does to an answer."""

    def become(change: Callable[[Any], web.Response]) -> None:
        kind = faults._FaultType("It answers oddly.", change_body(change))
        monkeypatch.setitem(faults._FAULT_TYPES, "not-json", kind)

    return become
