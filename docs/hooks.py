"""MkDocs hook: bring the files outside docs/ that pages link to into the site.

Pages link to files of the repository by relative paths, so a reader can follow them in the repository, too. In the
site, such a Markdown file is a page below `repository/`, and any other file is a copy there. A link to a folder leads
to its README.md.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PREFIX = "repository/"
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")
"""The target of a relative link, without its anchor."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ that pages link to, and those that these link to."""
    pending = [DOCS / file.src_uri for file in files.documentation_pages()]
    seen: set[Path] = set()
    while pending:
        page = pending.pop()
        for path in _outside(page):
            if path not in seen:
                seen.add(path)
                files.append(_file(path, config))
                pending += [path] if path.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files outside docs/ to their places in the site, and links of such files back."""
    place = page.file.src_uri
    source = ROOT / place.removeprefix(PREFIX) if place.startswith(PREFIX) else DOCS / place

    def led(link: re.Match[str]) -> str:
        path = _target(source, link[1])
        if path is None or (source.is_relative_to(DOCS) and path.is_relative_to(DOCS)):
            return link[1]
        uri = path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else _uri(path)
        return os.path.relpath(uri, Path(place).parent)

    return LINK.sub(led, markdown)


def _outside(page: Path) -> Iterator[Path]:
    """Yield the files outside docs/ that a page links to."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path = _target(page, link)
        if path is not None and not path.is_relative_to(DOCS):
            yield path


def _target(page: Path, link: str) -> Path | None:
    """Return the file of the repository that a link leads to; None if there is none."""
    path = Path(os.path.normpath(page.parent / link))
    path = path / "README.md" if path.is_dir() else path
    return path if path.is_file() and path.is_relative_to(ROOT) else None


def _uri(path: Path) -> str:
    """Return the place in the site. MkDocs leaves out names that begin with a dot."""
    relative = path.relative_to(ROOT)
    return PREFIX + "/".join(part.removeprefix(".") for part in relative.parts)


def _file(path: Path, config: MkDocsConfig) -> File:
    how: dict[str, Any] = {"abs_src_path": str(path)}
    return File.generated(config, _uri(path), **how)
