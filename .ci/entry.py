"""Runs the entry command of an installed package as the image does: as nobody, in a directory it may not write to.

Its data directory is all that may be written. argv[1] is the installed cobrowse-bot. Slack and Genesys are the
sandbox's.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from bot.sandbox.slack.server import SandboxSlack
from tests.support.app import ANA, free_port, healthy, link, open_servers

AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
AS_NOBODY += ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")  # Python itself may be in root's home


async def main(command: str) -> None:
    """Check that the bot answers a command with a link, exits with 0, and leaves only the database and its lock."""
    directory, working = Path(tempfile.mkdtemp()), tempfile.mkdtemp()
    os.chmod(working, 0o555)  # noqa: S103 - so that nobody can write there
    run = [command]
    if os.getuid() == 0:
        shutil.chown(directory, "nobody")
        run = [*AS_NOBODY, command]
    port = str(free_port())
    async with open_servers(http=True) as servers:
        environ = {name: value for name, value in servers.environ.items() if name != "DATABASE_URL"}
        environ |= {"PATH": os.environ["PATH"], "HOST": "0.0.0.0", "PORT": port}  # noqa: S104 - as in the image
        environ |= {"STATE_DIRECTORY": str(directory)}
        checked = await asyncio.create_subprocess_exec(*run, "check", cwd=working, env=environ)
        assert await checked.wait() == 0
        assert os.listdir(directory) == []
        process = await asyncio.create_subprocess_exec(*run, "run", cwd=working, env=environ)
        try:
            await healthy(process, f"http://127.0.0.1:{port}/healthz")
            await told(servers.slack, f"http://127.0.0.1:{port}/slack/events")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 20) == 0
        finally:
            if process.returncode is None:
                process.kill()
    left = sorted(os.listdir(directory))
    assert left == ["cobrowse.db", "cobrowse.db.lock"], left
    assert os.listdir(working) == []
    shutil.rmtree(directory)
    os.rmdir(working)


async def told(slack: SandboxSlack, url: str) -> None:
    """Type the command, and wait for the link."""
    slack.events_url = url
    assert (await slack.command(ANA, "")).acked
    assert link(await slack.next_message(ANA))


asyncio.run(main(str(Path(sys.argv[1]).absolute())))
