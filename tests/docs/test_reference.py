"""The generated pages of docs/reference are what the code says today."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_messages_is_what_the_catalogue_says() -> None:
    spec = importlib.util.spec_from_file_location("docs_messages", DOCS / "messages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "reference" / "messages.md").read_text(encoding="utf-8") == module.page(), "run: make reference"


def test_each_sentence_says_when_it_is_read() -> None:
    page = (DOCS / "reference" / "messages.md").read_text(encoding="utf-8")
    assert page.count("\n### ") > 80
    assert page.count("Who acts: an administrator.") > 10
