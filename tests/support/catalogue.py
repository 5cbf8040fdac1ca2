"""Load every module that enters sentences into the catalogue."""

import importlib
import pkgutil
from collections.abc import Sequence

import bot.slack
import bot.web
from bot.slack.messages.catalogue.sentence import CATALOGUE, Sentence


def every_sentence() -> Sequence[Sentence]:
    """Return all sentences that a person can read, in a fixed order."""
    for package in (bot.slack, bot.web):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    return [CATALOGUE[place] for place in sorted(CATALOGUE, key=lambda each: (each[0], each[1].value))]
