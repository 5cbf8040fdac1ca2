"""Run `run`, `hosts` and `check` on one database, through the functions that they call, and compare their errors.

The module is also a program, which first imports everything and then becomes another user. That user need not be able
to read the interpreter. `USER said BYTES URL…` prints a JSON object by URL; no file may be larger than BYTES (0 for no
limit). `USER bot ARGUMENT…` runs the command line.
"""

import asyncio
import json
import os
import re
import resource
import sys

from bot.check import database
from bot.check.results import Status
from bot.cli.database import open_database
from bot.config.settings import DatabaseSettings
from bot.core.errors import SetupError
from bot.core.timing import StorageTiming
from bot.storage.open import DEFAULT_TIMING, open_store

Said = dict[str, tuple[str, str]]
"""By command the code and the sentence, empty when it works."""
SECRET = "hush"
"""Stands in each password that the tests use."""


async def said(url: str, *keys: str, timing: StorageTiming = DEFAULT_TIMING) -> Said:
    """Run `run`, `hosts` and `check` one after the other.

    Return the code and the sentence of each, "" without an error.
    """
    settings = DatabaseSettings(retention_days=30, url=url, keys=keys)
    found = {"run": ("", ""), "hosts": ("", ""), "check": ("", "")}
    try:
        async with open_store(url, keys=keys, timing=timing):
            pass
    except SetupError as refused:
        found["run"] = refused.code, str(refused)
    try:
        async with open_database(settings, timing):  # as `hosts set` does; `hosts list` makes no database
            pass
    except SetupError as refused:
        found["hosts"] = refused.code, str(refused)
    for finding in await database.check_database(settings, timing):
        if finding.status is Status.FAILED:
            found["check"] = finding.code, f"{finding.message} {finding.fix}"
    return found


def agree(found: Said, code: str, *words: str) -> None:
    """Check that all three commands report this code, in the same sentence.

    The sentence contains all of `words`, and no secret.
    """
    assert {command: one[0] for command, one in found.items()} == dict.fromkeys(("run", "hosts", "check"), code)
    (sentence,) = {one[1] for one in found.values()}
    assert SECRET not in sentence
    assert not re.search(r"\w+(Error|Exception)\b", sentence), sentence
    for word in words:
        assert word in sentence, sentence


def work(found: Said) -> None:
    """Check that none of the three commands reports an error."""
    assert set(found.values()) == {("", "")}, found


async def said_of(*urls: str) -> dict[str, Said]:
    return {url: await said(url) for url in urls}


def become(user: int) -> None:
    """Switch the process to another user without any group. Import all modules first."""
    import encodings.idna
    import logging.handlers

    from bot import app, check, server
    from bot.cli import commands, sessions
    from bot.observability import audit
    from bot.observability import logging as logs

    assert all((encodings.idna, logging.handlers, app, audit, check, commands, logs, server, sessions))
    server.event_loop_factory()
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def main(user: str, what: str, *arguments: str) -> None:
    from bot.cli import commands

    asyncio.run(asyncio.sleep(0))
    if int(user):
        become(int(user))
    if what == "bot":
        commands.main(arguments, prog_name="cobrowse-bot")
    most, *urls = arguments
    if int(most):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    print(json.dumps(asyncio.run(said_of(*urls))))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
