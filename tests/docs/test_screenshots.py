"""The script in docs/ makes the README's pictures, with the real bot in a real browser."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import installed_chromium

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


async def test_pictures_are_made_and_show_what_the_repository_shows(
    screenshots: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beside each picture holds its text. If this fails, check the surface and run `make screenshots`."""
    installed_chromium()  # skips where there is none
    kept = screenshots.IMAGES
    monkeypatch.setattr(screenshots, "IMAGES", tmp_path / "images")
    await screenshots.take(list(screenshots.SHOTS))
    for name in screenshots.SHOTS:
        written = (tmp_path / "images" / f"{name}.png").read_bytes()
        assert written.startswith(b"\x89PNG")
        assert len(written) < 150_000
        shown = (tmp_path / "images" / f"{name}.txt").read_text(encoding="utf-8")
        assert shown == (kept / f"{name}.txt").read_text(encoding="utf-8"), name


def test_every_picture_in_the_repository_can_be_made_again(screenshots: Any) -> None:
    for kind in ("png", "txt"):
        assert {path.stem for path in screenshots.IMAGES.glob(f"*.{kind}")} == set(screenshots.SHOTS)


def test_a_picture_that_there_is_not_is_refused(screenshots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["screenshots.py", "nothing"])
    with pytest.raises(SystemExit, match="There is no picture nothing"):
        screenshots.main()
