"""What the bot is shipped in: image, composition, unit and proxy, as far as they can be tried without an engine."""

import asyncio
import io
import re
import shutil
import subprocess
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from connect_bench import asks_to_connect, open_connecting, opens, signs_in
from journey import ANA, ROOT, free_port, link, open_journey
from proxy_bench import Proxy, needs_caddy, proxy

from bot.settings.variables import VARIABLES

HOUSE = Path(ROOT)
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
UNIT = HOUSE / "deploy" / "cobrowse-bot.service"
CADDYFILE = HOUSE / "deploy" / "Caddyfile"
SHUTDOWN_SECONDS = int(VARIABLES["SHUTDOWN_SECONDS"].default)
LARGE_BODY_BYTES = 1024 * 1024
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on the path")


def is_setting(name: str) -> bool:
    return name in VARIABLES or (name.endswith("_FILE") and VARIABLES[name.removesuffix("_FILE")].secret)


def test_the_image_runs_as_nobody_in_particular_and_holds_only_what_is_named() -> None:
    stages = DOCKERFILE.split("\nFROM ")[1:]
    assert len(stages) == 2
    last = stages[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["cobrowse-bot"]\nCMD ["run"]' in last
    assert "HOST=0.0.0.0" in last
    assert "/healthz" in last
    assert_nothing_is_fetched_without_a_hash(stages[0])
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]}
    let_in = {line[1:] for line in (HOUSE / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((HOUSE / name).exists() for name in copied)


def assert_nothing_is_fetched_without_a_hash(stage: str) -> None:
    """Each of pip's commands asks for hashes, or has neither libraries nor tools to fetch."""
    commands = re.findall(r"\bpip (?:--python \S+ )?(?:install|wheel) .*", stage)
    assert len(commands) == 4
    for command in commands:
        closed = {"--no-index", "--no-deps"}, {"--no-build-isolation", "--no-deps"}, {"--require-hashes"}
        assert any(flags <= set(command.split()) for flags in closed), command


def test_the_composition_is_two_locked_up_replicas_that_are_given_time_to_stop() -> None:
    bot = COMPOSE["services"]["bot"]
    assert bot["deploy"]["replicas"] == 2
    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert int(bot["stop_grace_period"].removesuffix("s")) > SHUTDOWN_SECONDS
    assert all(is_setting(name) for name in bot["environment"])
    assert bot["environment"]["HOST"] == "0.0.0.0"  # noqa: S104 - inside a container
    assert "ports" not in bot
    assert "ports" not in COMPOSE["services"]["postgres"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for service in COMPOSE["services"].values():
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for path in (bot["environment"]["DATABASE_URL_FILE"], bot["environment"]["GENESYS_PRIVATE_KEY_PATH"]):
        assert path.removeprefix("/run/secrets/") in bot["secrets"]


@needs_systemd
def test_the_unit_is_one_that_systemd_takes_and_finds_locked_up(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(seconds) > SHUTDOWN_SECONDS
    assert "ExecStart=/opt/cobrowse-bot/bin/cobrowse-bot run\n" in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/cobrowse-bot/bin/cobrowse-bot run", "/bin/true"))
    for check in (["verify"], ["security", "--offline=yes", "--threshold=20"]):
        done = subprocess.run(["systemd-analyze", *check, str(unit)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert UNIT.name not in done.stderr, done.stderr


@needs_caddy
async def test_the_proxy_lets_slack_through_and_keeps_the_slow_the_large_and_the_lost_away(
    tmp_path: Path, quick: None
) -> None:
    async with open_journey(http=True) as journey, before(tmp_path, journey.url) as front:
        url = front.url
        slow = asyncio.create_task(sends_slowly(url))
        journey.slack.events_url = f"{url}/slack/events"
        assert link(await journey.asks(who=ANA))
        async with aiohttp.ClientSession() as http:
            assert await status(http.get(f"{url}/healthz")) == 404
            assert await status(http.get(f"{url}/slack/events")) == 404
            shaped = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": f"v0={'0' * 64}"}
            large = http.post(f"{url}/slack/events", data=io.BytesIO(b"x" * (LARGE_BODY_BYTES + 1)), headers=shaped)
            assert await status(large) in (400, 413, 502)
        assert await slow < 15


@needs_caddy
async def test_the_proxy_lets_those_through_who_come_back_from_a_sign_in(tmp_path: Path, quick: None) -> None:
    async with open_connecting() as journey, before(tmp_path, journey.url) as front:
        back = (await signs_in(await asks_to_connect(journey))).replace(journey.url, front.url)
        assert (await opens(back)).status == 200
        async with aiohttp.ClientSession() as http:
            assert await status(http.post(back)) == 404


def before(directory: Path, bot: str) -> AbstractAsyncContextManager[Proxy]:
    """Caddy with our settings before the bot at this URL."""
    host, port = bot.removeprefix("http://").split(":")
    return proxy(directory, host, port)


@needs_caddy
@pytest.mark.parametrize("path", ["/genesys/callback", "/slack/events", "/else"])
async def test_the_proxys_log_holds_neither_state_nor_code(tmp_path: Path, path: str) -> None:
    """While no bot is there: Caddy's error line names the request."""
    secrets = [f"{name}{'x' * 40}" for name in ("state", "code", "referer", "cookie")]
    state, code, referer, cookie = secrets
    address = f"{path}?state={state}&code={code}&more=%3Fstate={state}"
    async with before(tmp_path, f"http://127.0.0.1:{free_port()}") as front, aiohttp.ClientSession() as http:
        headers = {"Referer": f"https://login.example/?code={referer}", "Cookie": f"c={cookie}"}
        method = http.post if path == "/slack/events" else http.get
        assert await status(method(front.url + address, headers=headers)) == (404 if path == "/else" else 502)
    text = front.log.read_text(encoding="utf-8")
    assert (path in text) == (path != "/else")
    assert [secret for secret in secrets if secret in text] == []


@needs_caddy
async def test_the_proxy_names_no_software(tmp_path: Path, quick: None) -> None:
    async with open_connecting() as journey, before(tmp_path, journey.url) as front, aiohttp.ClientSession() as http:
        for method, path in (("GET", "/genesys/callback"), ("POST", "/slack/events"), ("GET", "/"), ("GET", "/readyz")):
            async with http.request(method, front.url + path) as answer:
                assert "Server" not in answer.headers, path


def test_the_proxys_version_is_named_where_it_is_chosen() -> None:
    text = CADDYFILE.read_text(encoding="utf-8")
    image = COMPOSE["services"]["proxy"]["image"]
    assert re.match(r"caddy:2\.(\d+)", image)
    for place in (
        text.partition("{")[0],
        (HOUSE / "README.md").read_text("utf-8").partition("- **The proxy**")[2][:600],
    ):
        assert "Caddy 2.11 or newer" in place
    assert "fail_duration" not in re.sub(r"#.*", "", text)


async def status(call: Any) -> int:
    async with call as response:
        return int(response.status)


async def sends_slowly(url: str) -> float:
    """One byte of a header each tenth of a second. Returns after how many seconds the other side had enough."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    gone = asyncio.create_task(reader.read())
    try:
        async with asyncio.timeout(20):
            while not gone.done():
                writer.write(b"x")
                await asyncio.sleep(0.1)
    except OSError:
        pass
    writer.close()
    return loop.time() - began
