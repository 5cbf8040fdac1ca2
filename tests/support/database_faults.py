"""What `run`, `hosts` and `check` say to one database, through the functions that they call; as a program, too.

As a program it first becomes another user, when all that is needed is imported: that user need not be able to read the
interpreter. `USER said BYTES URL…` prints a JSON object by address, where no file may be larger than so many bytes
(0: any); `USER bot ARGUMENT…` is the command line.
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
    """All three, one after the other."""
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
    """All three refuse for this reason, in the same words; these are among them, and nothing that is secret is."""
    assert {command: one[0] for command, one in found.items()} == dict.fromkeys(("run", "hosts", "check"), code)
    (sentence,) = {one[1] for one in found.values()}
    assert SECRET not in sentence
    assert not re.search(r"\w+(Error|Exception)\b", sentence), sentence
    for word in words:
        assert word in sentence, sentence


def work(found: Said) -> None:
    """None of them refuses."""
    assert set(found.values()) == {("", "")}, found


async def said_of(*urls: str) -> dict[str, Said]:
    return {url: await said(url) for url in urls}


def become(user: int) -> None:
    """Another user, without any group of root's."""
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
