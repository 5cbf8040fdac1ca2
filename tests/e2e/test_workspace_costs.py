"""A further workspace costs little, because the process loads what is large only once."""

import gc
import ssl
from pathlib import Path

from tests.support.app import link
from tests.support.several import open_workspaces


def tls_contexts() -> int:
    """Return how many TLS contexts there are, except those that the fork server of the tests loaded."""
    return sum(isinstance(each, ssl.SSLContext) for each in gc.get_objects())


async def test_workspaces_share_their_tls_context(tmp_path: Path) -> None:
    before = tls_contexts()
    async with open_workspaces(tmp_path, "acme", "globex") as several:
        for each in several.journeys.values():
            assert link(await each.asks())
        assert tls_contexts() == before
        another = ssl.create_default_context()
        assert tls_contexts() == before + 1, another
