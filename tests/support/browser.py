"""A real Chromium for the tests of the page: skipped with a reason where there is none, a failure in CI."""

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
]


@asynccontextmanager
async def open_browser() -> AsyncIterator[Any]:
    """Playwright's browser, over the Chromium that is installed."""
    chromium = next((found for name in NAMES if (found := shutil.which(name))), None)
    if chromium is None or importlib.util.find_spec("playwright") is None:
        missing = "there is no chromium on this machine" if chromium is None else "playwright is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{missing}, and CI must not do without")
        pytest.skip(missing)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()
