"""The README's pictures can be made: by the script in docs/, with the real bot in a real browser."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import open_browser

SCRIPT = Path(__file__).parents[2] / "docs" / "screenshots.py"


@pytest.fixture
def screenshots() -> Iterator[Any]:
    pytest.importorskip("playwright")
    spec = importlib.util.spec_from_file_location("screenshots", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["screenshots"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["screenshots"]


async def test_a_picture_is_made_and_small_enough(
    screenshots: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_browser():
        pass  # skips where there is none
    monkeypatch.setattr(screenshots, "IMAGES", tmp_path / "images")
    await screenshots.take(["card"])
    written = (tmp_path / "images" / "card.png").read_bytes()
    assert written.startswith(b"\x89PNG")
    assert len(written) < 150_000


def test_every_picture_in_the_repository_can_be_made_again(screenshots: Any) -> None:
    assert {path.stem for path in screenshots.IMAGES.glob("*.png")} == set(screenshots.SHOTS)


def test_a_picture_that_there_is_not_is_refused(screenshots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["screenshots.py", "nothing"])
    with pytest.raises(SystemExit, match="There is no picture nothing"):
        screenshots.main()
