"""The site builds without a warning, has the files that pages link to, and refuses a broken link or anchor."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.app import ROOT
from tests.support.browser import open_browser

HOUSE = Path(ROOT)


def build(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(folder)]
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=HOUSE, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(HOUSE / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_has_the_pages_and_the_files_they_link_to(site: Path) -> None:
    copied = (site / "repository" / "deploy" / "Caddyfile").read_bytes()
    assert copied == (HOUSE / "deploy" / "Caddyfile").read_bytes()
    contributing = (site / "repository" / "CONTRIBUTING.html").read_text(encoding="utf-8")
    assert 'href="../develop/architecture.html"' in contributing
    architecture = (site / "develop" / "architecture.html").read_text(encoding="utf-8")
    assert architecture.count('<pre class="mermaid">') == 2
    assert not list(site.rglob("*.py"))


async def test_the_agents_page_is_one_sheet_of_readable_print(site: Path) -> None:
    """On the paper of either side of the Atlantic. The browser writes one object `/Type /Page` for each sheet."""
    async with open_browser() as browser:
        page = await browser.new_page()
        await page.goto((site / "use" / "agent.html").as_uri())
        for paper in ("A4", "Letter"):
            printed = await page.pdf(format=paper)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, paper
        await page.emulate_media(media="print")
        size = await page.eval_on_selector("article li", "one => parseFloat(getComputedStyle(one).fontSize)")
        assert size * 72 / 96 >= 8  # points
        assert not await page.locator("header, nav >> visible=true").count()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[page](gone.md), [anchor](#gone)",
            ["contains a link 'gone.md'", "contains a link '#gone'", "Aborted with 2 warnings in strict mode!"],
        ),
        ("[fine](#a-page)", []),
    ],
    ids=["broken", "fine"],
)
def test_a_broken_link_or_anchor_fails(tmp_path: Path, text: str, said: list[str]) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text(f"# A page\n\n{text}\n", encoding="utf-8")
    config = {"INHERIT": str(HOUSE / "mkdocs.yml"), "docs_dir": str(pages), "nav": ["index.md"], "hooks": []}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert (done.returncode != 0) is bool(said), done.stderr
    assert [each for each in said if each not in done.stderr + done.stdout] == []
