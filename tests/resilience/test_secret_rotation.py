"""Every secret changes under load, in a real process: each command is accepted and answered once, with one session."""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from cryptography.fernet import Fernet

from bot.sandbox.slack.server import Delivery
from tests.support.app import ANA, BEN, SAM, START_SECONDS, Servers, ended, free_port, open_servers, start
from tests.support.forked import ROOT, Forked, forked
from tests.support.postgres import new_database
from tests.support.replicas import is_refused, told, until
from tests.support.secret_files import SecretMount
from tests.support.settings import without

PAUSE_SECONDS = 0.05
"""Between an answer and the person's next command."""
ANSWER_SECONDS = 60.0
"""How long some commands may take in all, on a busy machine."""
CLIENT, SECRET, NEXT_CLIENT, NEXT_SECRET = "sandbox-client", "first-secret-1", "next-client", "next-secret-2"
SIGNING, NEXT_SIGNING = "SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET_NEXT"
GENESYS_NEXT = ("GENESYS_CLIENT_ID_NEXT", "GENESYS_CLIENT_SECRET_NEXT")


@dataclass
class Load:
    """People who type commands one after the other. A third of the commands also message an agent.

    Each person waits for an answer before they type again, so that a busy machine has no more to do than an idle one.
    """

    servers: Servers
    typed: list[Delivery] = field(default_factory=list)
    answered: int = 0
    is_over: bool = False
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def run(self) -> None:
        """Type until `is_over`."""
        await asyncio.gather(*(self._type(who, text) for who, text in ((ANA, ""), (BEN, ""), (SAM, "@ben "))))

    async def _type(self, who: str, text: str) -> None:
        while not self.is_over:
            delivery = await self.servers.slack.command(who, f"{text}Deal {next(self.numbers)}")
            self.typed.append(delivery)
            if delivery.acked and not is_refused(delivery):
                await until(lambda: told(self.servers, delivery))  # noqa: B023 - awaited in the same turn
            self.answered += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def more(self, count: int = 9) -> None:
        """Wait until so many further commands were answered."""
        wanted = self.answered + count
        await until(lambda: self.answered >= wanted, ANSWER_SECONDS)

    async def judge(self) -> None:
        """Check that each command was accepted, and ended with one link that no other command got."""
        assert [each.error for each in self.typed if not each.acked or is_refused(each)] == []
        await until(lambda: all(told(self.servers, each) for each in self.typed))
        outcomes = [told(self.servers, each) for each in self.typed]
        assert [each for each in outcomes if len(each) != 1 or not each[0].startswith("http")] == []
        assert len({each[0] for each in outcomes}) == len(self.typed)
        assert len(self.servers.genesys.sessions) == len(self.typed)


@dataclass
class Replica:
    """A running bot, and the folder with its secrets."""

    process: Forked
    mount: SecretMount

    async def change(self, used: Iterable[str], *, ask: bool, **texts: str | None) -> None:
        """Change files, and wait until the bot uses the secrets named `used`; see Rotation."""
        lines = [f"a secret was changed setting={name}\n" for name in used]
        before = {line: self.process.errors().count(line) for line in lines}
        self.mount.set(**texts)
        if ask:
            self.process.send_signal(signal.SIGHUP)
        await until(lambda: all(self.process.errors().count(line) > before[line] for line in lines))


@dataclass
class Rotation:
    """The servers, the bots, and the people who type. `environ` is the bots' environment, apart from their files."""

    servers: Servers
    environ: dict[str, str]
    replicas: list[Replica]
    load: Load

    async def change(self, *used: str, ask: bool = True, **texts: str | None) -> None:
        """Change files under load, on one replica after the other.

        Wait until each uses the secrets named `used`, by default all that changed. `ask`: send SIGHUP in place of
        waiting for the next looks.
        """
        for each in self.replicas:
            await each.change(used or texts, ask=ask, **texts)
            await self.load.more()

    def logged(self, text: str) -> int:
        """Return how often a text stands in the logs."""
        return sum(each.process.errors().count(text) for each in self.replicas)


@asynccontextmanager
async def rotating(
    tmp_path: Path,
    *,
    http: bool,
    database: str,
    names: tuple[str, ...],
    optional: tuple[str, ...] = (),
    count: int = 1,
) -> AsyncIterator[Rotation]:
    """Run bots whose secrets are in files, under load. At the end, judge what became of the commands."""
    async with open_servers(http=http, client_secret=SECRET) as servers:
        given = without(servers.environ, "GENESYS_PRIVATE_KEY") | {"GENESYS_CLIENT_SECRET": SECRET}
        given |= {"DATABASE_URL": database, "PORT": str(free_port()), "PYTHONPATH": ROOT}
        servers.slack.ack_seconds = 30.0  # a busy machine does not make Slack's own error one of the answers
        replicas: list[Replica] = []
        load, typing = Load(servers), None
        try:
            for number in range(count):
                mount = SecretMount(tmp_path / f"secrets-{number}", **{name: given[name] for name in names})
                environ = without(given, *names) | mount.environ(*optional)
                process = await forked(["-m", "bot", "run"], directory=tmp_path, environ=environ)
                replicas.append(Replica(process, mount))
            await until(lambda: all(" ready " in each.process.errors() for each in replicas), START_SECONDS)
            servers.slack.events_url = f"http://127.0.0.1:{given['PORT']}/slack/events" if http else None
            typing = asyncio.create_task(load.run())
            await load.more()
            yield Rotation(servers, without(given, *names), replicas, load)
            await load.more()
            load.is_over = True
            await typing
            await load.judge()
        finally:
            if typing:
                typing.cancel()
            logs = [await killed(each.process) for each in replicas]
        secrets = [text for each in replicas for text in each.mount.texts.values() if len(text) > 20]
        for log in logs:
            assert "Traceback" not in log
            assert not [text for text in secrets if text in log]


async def killed(process: Forked) -> str:
    """End a process, and return its log."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    return (await process.communicate())[1].decode()


async def rotate_signing_secret(rotation: Rotation) -> None:
    new, http = "5" * 32, rotation.servers.slack.dispatcher.http
    await rotation.change(SLACK_SIGNING_SECRET_NEXT=new)
    http.signing_secret = new
    await rotation.load.more()
    await rotation.change(NEXT_SIGNING, SIGNING, SLACK_SIGNING_SECRET=new, SLACK_SIGNING_SECRET_NEXT=None)


async def rotate_client(rotation: Rotation) -> None:
    """Let the second client take over when the first one is gone, and then make it the first one."""
    genesys = rotation.servers.genesys
    genesys.login.client_secrets[NEXT_CLIENT] = NEXT_SECRET
    await rotation.change(GENESYS_CLIENT_ID_NEXT=NEXT_CLIENT, GENESYS_CLIENT_SECRET_NEXT=NEXT_SECRET)
    del genesys.login.client_secrets[CLIENT]
    genesys.revoke_tokens()
    await rotation.load.more()
    assert rotation.logged("the other one took its place") == 1
    first = {"GENESYS_CLIENT_ID": NEXT_CLIENT, "GENESYS_CLIENT_SECRET": NEXT_SECRET}
    await rotation.change(*first, *GENESYS_NEXT, **first, **dict.fromkeys(GENESYS_NEXT))
    genesys.revoke_tokens()
    await rotation.load.more()
    assert rotation.logged("the other one took its place") == 1


async def rotate_bot_token(rotation: Rotation, *, ask: bool = True) -> None:
    new, api = "xoxb-sandbox-new-bot-token-2", rotation.servers.slack.api
    api.bot_tokens.append(new)
    await rotation.change(SLACK_BOT_TOKEN=new, ask=ask)
    del api.bot_tokens[0]
    await rotation.load.more()


async def rotate_keys(rotation: Rotation, tmp_path: Path) -> None:
    old, new = rotation.replicas[0].mount.texts["STORE_ENCRYPTION_KEY"], Fernet.generate_key().decode()
    for keys in (f"{old},{new}", f"{new},{old}"):
        await rotation.change(STORE_ENCRYPTION_KEY=keys)
    if rotation.environ["DATABASE_URL"].startswith("postgresql:"):  # a file is for one process
        environ = rotation.environ | {"STORE_ENCRYPTION_KEY": f"{new},{old}"}
        command = await start(tmp_path, environ, "db", "rotate-key")
        code, _, err = await ended(command)
        assert code == 0, err
        await rotation.change(STORE_ENCRYPTION_KEY=new)


async def rotate_app_token(rotation: Rotation) -> None:
    new, slack = "xapp-sandbox-new-app-token-2", rotation.servers.slack
    slack.api.app_tokens.append(new)
    await rotation.change(SLACK_APP_TOKEN=new)
    del slack.api.app_tokens[0]
    await slack.disconnect_sockets("refresh_requested", seconds=0.2)
    await rotation.load.more()


async def test_no_command_is_lost_over_http_with_postgres(tmp_path: Path) -> None:
    async with new_database() as url:
        admin = await asyncpg.connect(url)
        await admin.execute("CREATE ROLE rotate_a LOGIN; CREATE ROLE rotate_b LOGIN IN ROLE rotate_a")
        await admin.execute("GRANT ALL ON SCHEMA public TO rotate_a")
        try:
            names = (SIGNING, "SLACK_BOT_TOKEN", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET")
            first, second = (url.replace("//postgres@", f"//{role}:hush-{role}@") for role in ("rotate_a", "rotate_b"))
            async with rotating(
                tmp_path,
                http=True,
                database=first,
                names=(*names, "DATABASE_URL"),
                optional=(NEXT_SIGNING, *GENESYS_NEXT),
            ) as rotation:
                await rotate_signing_secret(rotation)
                await rotate_client(rotation)
                await rotate_bot_token(rotation)
                await rotation.change(DATABASE_URL=second)
                await admin.execute("ALTER ROLE rotate_a NOLOGIN")
                await rotation.load.more()
                query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'rotate_b'"
                assert await admin.fetchval(query) > 0
        finally:
            await admin.execute("DROP OWNED BY rotate_a, rotate_b; DROP ROLE rotate_b, rotate_a")
            await admin.close()


async def test_no_command_is_lost_over_socket_mode_with_sqlite(tmp_path: Path) -> None:
    names = ("SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "STORE_ENCRYPTION_KEY")
    async with rotating(tmp_path, http=False, database=f"sqlite:///{tmp_path / 'bot.db'}", names=names) as rotation:
        await rotate_app_token(rotation)
        await rotate_bot_token(rotation, ask=False)
        await rotate_keys(rotation, tmp_path)


async def test_keys_change_on_one_replica_after_the_other(tmp_path: Path) -> None:
    names = ("STORE_ENCRYPTION_KEY",)
    async with new_database() as url, rotating(tmp_path, http=False, database=url, names=names, count=2) as rotation:
        await rotate_keys(rotation, tmp_path)


async def test_wrong_secrets_change_nothing(tmp_path: Path) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "xoxb-of-nobody",
        "SLACK_APP_TOKEN": "xapp-of-nobody",
        "STORE_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with rotating(tmp_path, http=False, database=database, names=tuple(wrong)) as rotation:
        (replica,) = rotation.replicas
        replica.mount.set(**wrong)
        replica.process.send_signal(signal.SIGHUP)
        await until(lambda: all(rotation.logged(f"the old one stays setting={name} ") for name in wrong))
        await rotation.load.more()
