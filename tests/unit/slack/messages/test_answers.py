"""Each reason why an answer of Genesys is unusable has a sentence."""

import ast
from pathlib import Path

import bot
from bot.core.errors import ID_TAKEN
from bot.core.validation.display import JoinHosts
from bot.slack.messages.catalogue.answers import what_is_wrong
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH, Filled, Sentence


def reasons() -> set[str]:
    """Return the reasons that the code names where it raises UnusableAnswerError."""
    found = {ID_TAKEN}
    for path in (Path(bot.__file__).parent / "genesys").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UnusableAnswerError":
                words = [each.value for each in node.keywords if each.arg == "why"]
                found |= {each.value for each in words if isinstance(each, ast.Constant)}
    hosts = JoinHosts(("a.example",))
    return found | {hosts.reject_reason(url, is_local=False) for url in ("ftp://x", "https://b.example")}


def test_each_reason_has_a_sentence() -> None:
    assert len(reasons()) > 12
    assert [why for why in reasons() if not isinstance(what_is_wrong(why), Sentence)] == []


def test_redirect_keeps_its_status_and_an_unknown_reason_its_words() -> None:
    redirect = what_is_wrong("a redirect (302)")
    assert isinstance(redirect, Filled)
    assert PLAIN_ENGLISH.fill(redirect) == "a redirect (302)"
    assert what_is_wrong("something else") == "something else"
