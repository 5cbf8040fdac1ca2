"""Open a real Chromium for the tests of the page. Without Chromium, a test is skipped with a reason; in CI it fails."""

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the shell has no window to draw
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--renderer-process-limit=1",  # a new process for each page takes a tenth of the CPU of a test
]


def installed_chromium() -> str:
    """Return the path of the installed Chromium. Skip the test if there is none, or no Playwright; in CI, fail it."""
    chromium = next((found for name in NAMES if (found := shutil.which(name))), None)
    if chromium is None or importlib.util.find_spec("playwright") is None:
        missing = "there is no chromium on this machine" if chromium is None else "playwright is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{missing}, and CI must not do without")
        pytest.skip(missing)
    return chromium


@asynccontextmanager
async def open_browser() -> AsyncIterator[Any]:
    """Yield a Playwright browser that uses the installed Chromium."""
    chromium = installed_chromium()
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()
