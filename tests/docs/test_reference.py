"""The generated pages of docs/reference are what the code says today."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_messages_is_what_the_catalogue_says() -> None:
    """In a process alone: other tests enter sentences and errors, too."""
    code = f"import runpy, sys; sys.stdout.write(runpy.run_path({str(DOCS / 'messages.py')!r})['page']())"
    done = subprocess.run([sys.executable, "-c", code], cwd=DOCS.parent, capture_output=True, check=True)
    assert (DOCS / "reference" / "messages.md").read_bytes() == done.stdout, "run: make reference"


def test_each_sentence_says_when_it_is_read() -> None:
    page = (DOCS / "reference" / "messages.md").read_text(encoding="utf-8")
    assert page.count("\n### ") > 80
    assert page.count("Who acts: an administrator.") > 10
