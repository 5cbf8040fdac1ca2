"""The changelog is for people who use or run the bot: by version and kind, in short items.

test_language holds its words and sentences.
"""

import re
from pathlib import Path

import bot
from tests.support.app import ROOT

PAGE = (Path(ROOT) / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = ("Added", "Changed", "Fixed", "Security")
MAX_ITEM_WORDS = 60


def headings(level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.*)$", PAGE, re.MULTILINE)


def test_versions_come_newest_first_and_this_one_is_among_them() -> None:
    first, *released = headings(2)
    assert first == "[Unreleased]"
    found = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", each) for each in released]
    assert all(found)
    numbers = [tuple(map(int, each.groups()[:3])) for each in found if each]
    assert numbers == sorted(numbers, reverse=True)
    assert f"\n## [{bot.__version__}] - " in PAGE


def test_each_change_is_of_one_of_four_kinds() -> None:
    assert set(headings(3)) <= set(KINDS)
    for version in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", version, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds], version.splitlines()[0]


def test_an_item_is_short_and_ends_with_a_full_stop() -> None:
    items = [" ".join(each.split()) for each in re.findall(r"^- (.*(?:\n  .*)*)", PAGE, re.MULTILINE)]
    assert len(items) > 50
    assert [each for each in items if len(each.split()) > MAX_ITEM_WORDS or not each.endswith(".")] == []
