"""The bot in a separate process over TLS: through a proxy with a password, and with a private authority.

Slack's API, its sockets and response_urls, and Genesys each have a name that only the proxy can resolve.
"""

import asyncio
import base64
import contextlib
import signal
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.app import ANA, START_SECONDS, BotProcess, Servers, ended, is_note, link, open_servers, start, words
from tests.support.certificates import new_authority, self_signed
from tests.support.check import checked
from tests.support.conversations import talk
from tests.support.live import LIVE
from tests.support.notifications import until

API, SOCKET, GENESYS = "slack.test", "hooks.slack.com", "genesys.test"
"""The second one is for web sockets, too; response_urls may lead nowhere else but to the API's own name."""
NAMES = (API, SOCKET, GENESYS)
USER, PASSWORD = "somebody", "proxy-hush-hush"
PASS = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


async def copy(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def join(reader: StreamReader, writer: StreamWriter, port: int) -> None:
    """Forward all data between a connection and a port of this machine, in both directions."""
    theirs, ours = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(copy(reader, ours), copy(theirs, writer))


async def end_tls(stack: AsyncExitStack, context: ssl.SSLContext, url: str) -> int:
    """Start a TLS server before a plain one, and return its port."""
    port = int(url.rpartition(":")[2])
    server = await asyncio.start_server(lambda *sides: join(*sides, port), "127.0.0.1", 0, ssl=context)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


@dataclass
class Proxy:
    """The record of a proxy.

    `asked`: the hosts that it connected. `refused`: the number of requests without the password.
    """

    url: str
    asked: list[str]
    refused: int = 0


async def open_proxy(stack: AsyncExitStack, ports: Mapping[str, int]) -> Proxy:
    """Start a CONNECT proxy that resolves these names, and accepts requests with the password."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        if f"Proxy-Authorization: Basic {PASS}\r\n" not in head or method != "CONNECT":
            proxy.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        proxy.asked.append(target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await join(reader, writer, ports[target.partition(":")[0]])

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stack.callback(server.close)
    proxy = Proxy(f"http://{USER}:{PASSWORD}@127.0.0.1:{server.sockets[0].getsockname()[1]}", [])
    return proxy


@asynccontextmanager
async def behind_a_proxy(directory: Path, distrusted: str = "") -> AsyncIterator[tuple[Servers, Proxy, dict[str, str]]]:
    """Yield Slack and Genesys, the proxy, and the environment of a bot.

    The server `distrusted` has a self-signed certificate.
    """
    authority = new_authority(directory)
    async with open_servers() as servers, AsyncExitStack() as stack:
        slack, genesys = servers.slack, servers.genesys
        urls = {API: slack.url, SOCKET: slack.url, GENESYS: genesys.url}
        contexts = {name: authority.vouch(name) for name in NAMES if name != distrusted}
        if distrusted:
            contexts[distrusted] = self_signed(directory, distrusted)
        proxy = await open_proxy(stack, {name: await end_tls(stack, contexts[name], urls[name]) for name in NAMES})
        slack.url, genesys.url = f"https://{SOCKET}", f"https://{GENESYS}"
        ours = dict.fromkeys(("GENESYS_API_URL", "GENESYS_LOGIN_URL"), genesys.url)
        ours |= {"SLACK_API_URL": f"https://{API}/api/"}
        ours |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.trusted)}
        yield servers, proxy, servers.environ | ours


@asynccontextmanager
async def started(directory: Path, environ: dict[str, str], *, interpreter: bool = False) -> AsyncIterator[BotProcess]:
    process = await start(directory, environ, interpreter=interpreter)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def stopped(process: BotProcess) -> str:
    """Stop the process with SIGTERM, and return its log."""
    process.send_signal(signal.SIGTERM)
    code, _, err = await ended(process)
    assert code == 0, err
    return err


async def test_behind_a_proxy_everything_goes_through_it(tmp_path: Path) -> None:
    """These are the Web API, the socket, the response_url, the login and the session service."""
    async with (
        behind_a_proxy(tmp_path) as (servers, proxy, environ),
        started(tmp_path, environ, interpreter=True) as process,
    ):
        await servers.slack.connected(START_SECONDS)
        assert (await servers.slack.command(ANA, "")).acked
        message = await servers.slack.next_message(ANA)
        log = await stopped(process)
    assert link(message).startswith(f"https://{GENESYS}/join/")
    assert message.via == "response_url"
    assert set(proxy.asked) == {f"{name}:443" for name in NAMES}
    assert proxy.refused == 0
    assert PASSWORD not in log


async def test_notifications_come_through_the_proxy(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path) as (servers, proxy, environ):
        notifications = servers.genesys.notifications
        where = {name: environ[name] for name in ("GENESYS_API_URL", "GENESYS_LOGIN_URL")}
        push = LIVE | where | {"GENESYS_LIVE": "push"}
        async with started(tmp_path, environ | push, interpreter=True) as process:
            await servers.slack.connected(START_SECONDS)
            talk(servers)
            await servers.slack.command(ANA, "Deal")
            await until(notifications.subscribed)
            next(iter(servers.genesys.conversations.offers.values())).join()
            await until(lambda: any("Your customer joined" in words(each) for each in servers.slack.seen_by(ANA)))
            log = await stopped(process)
        assert set(proxy.asked) == {f"{name}:443" for name in NAMES}
        assert proxy.refused == 0
        assert [channel for channel in notifications.channels if channel in log] == []


async def test_without_a_proxy_too_a_private_authority_is_trusted(tmp_path: Path) -> None:
    context = new_authority(tmp_path).vouch("127.0.0.1")
    async with open_servers() as servers, AsyncExitStack() as stack:
        slack, genesys = servers.slack, servers.genesys
        slack.url = f"https://127.0.0.1:{await end_tls(stack, context, slack.url)}"
        genesys.url = f"https://127.0.0.1:{await end_tls(stack, context, genesys.url)}"
        urls = {"SLACK_API_URL": f"{slack.url}/api/", "GENESYS_API_URL": genesys.url, "GENESYS_LOGIN_URL": genesys.url}
        environ = servers.environ | urls | {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
        async with started(tmp_path, environ) as process:
            await slack.connected(START_SECONDS)
            assert (await slack.command(ANA, "")).acked
            assert link(await slack.next_message(ANA)).startswith(genesys.url)
            await stopped(process)


async def test_self_signed_certificate_is_refused(tmp_path: Path) -> None:
    """Three bots run side by side: for Slack's API, for its socket and for Genesys."""
    await asyncio.gather(_api(tmp_path / "api"), _socket(tmp_path / "socket"), _genesys(tmp_path / "genesys"))


async def _api(directory: Path) -> None:
    async with behind_a_proxy(directory, API) as (servers, proxy, environ), started(directory, environ) as process:
        await _tried(proxy, API, process)
        assert servers.slack.calls == []  # not one request, and no token, came through
        await stopped(process)


async def _socket(directory: Path) -> None:
    async with behind_a_proxy(directory, SOCKET) as (servers, proxy, environ), started(directory, environ) as process:
        await _tried(proxy, SOCKET, process)
        assert servers.slack.count("apps.connections.open") > 0
        assert (await servers.slack.command(ANA, "")).error == "dispatch_failed"  # there is no socket
        await stopped(process)


async def _genesys(directory: Path) -> None:
    async with behind_a_proxy(directory, GENESYS) as (servers, proxy, environ), started(directory, environ) as process:
        await servers.slack.connected(START_SECONDS)
        assert (await servers.slack.command(ANA, "")).acked
        messages = servers.slack.messages
        (told,) = await servers.slack.workspace.until(
            lambda: [each for each in messages if not is_note(each)], START_SECONDS
        )
        assert "can’t reach Genesys" in words(told)
        assert f"{GENESYS}:443" in proxy.asked
        assert servers.genesys.calls == []
        await stopped(process)


async def _tried(proxy: Proxy, name: str, process: BotProcess) -> None:
    """Wait until the bot has connected to this host, failed, and tried again."""
    async with asyncio.timeout(30):
        while proxy.asked.count(f"{name}:443") < 2:
            assert process.returncode is None
            await asyncio.sleep(0.05)


async def test_check_uses_the_proxy_and_names_the_untrusted_server(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path / "good") as (_, proxy, environ):
        code, out, err = await checked(tmp_path, environ, "--person", ANA, interpreter=True)
        assert (code, err) == (0, ""), out
        assert set(proxy.asked) == {f"{name}:443" for name in NAMES}
    async with behind_a_proxy(tmp_path / "bad", GENESYS) as (_, _, environ):
        code, out, _ = await checked(tmp_path, environ)
        assert code == 1
        assert f"{GENESYS} shows a certificate that is not trusted." in out
        assert "SSL_CERT_FILE" in out
        assert PASSWORD not in out


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", f"http://{USER}:wrong@{{}}"])
async def test_check_names_a_proxy_that_does_not_let_us_through(tmp_path: Path, proxy: str) -> None:
    async with behind_a_proxy(tmp_path) as (_, open_one, environ):
        address = open_one.url.partition("@")[2]
        code, out, _ = await checked(tmp_path, environ | {"HTTPS_PROXY": proxy.format(address)})
    assert code == 1
    assert f"{GENESYS} is behind a proxy that does not let us through." in out
    assert "wrong@" not in out


@pytest.mark.parametrize("written", ["{user}:{password}@{address}", '"http://{user}:{password}@{address}"'])
async def test_a_proxy_is_taken_as_curl_takes_it(tmp_path: Path, written: str) -> None:
    """The proxy's URL has no scheme, or the quotation marks of a container's environment file."""
    async with behind_a_proxy(tmp_path) as (servers, proxy, environ):
        address = proxy.url.partition("@")[2]
        environ |= {"HTTPS_PROXY": written.format(user=USER, password=PASSWORD, address=address)}
        async with started(tmp_path, environ) as process:
            await servers.slack.connected(START_SECONDS)
            await stopped(process)
        assert proxy.refused == 0


async def test_check_names_the_variable_that_names_the_proxy(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path) as (_, _, environ):
        del environ["HTTPS_PROXY"]
        code, out, _ = await checked(tmp_path, environ | {"ALL_PROXY": "http://127.0.0.1:9"})
    assert code == 1
    assert "Check ALL_PROXY and NO_PROXY." in " ".join(out.split())


async def test_a_certificate_file_without_the_authority_is_told_so(tmp_path: Path) -> None:
    """The variable is already set, so the message does not ask to set it."""
    (tmp_path / "other").mkdir()
    other = new_authority(tmp_path / "other").trusted
    async with behind_a_proxy(tmp_path / "real") as (_, _, environ):
        code, out, _ = await checked(tmp_path, environ | {"SSL_CERT_FILE": str(other)})
        words = " ".join(out.split())
        assert code == 1
        assert "SSL_CERT_FILE is set, but no certificate in" in words
        assert "Set SSL_CERT_FILE to a file" not in words
        del environ["SSL_CERT_FILE"]
        (tmp_path / ".env").write_text(f"SSL_CERT_FILE={tmp_path}/real/authority.pem\n")
        _, out, _ = await checked(tmp_path, environ)
        words = " ".join(out.split())
        assert "SSL_CERT_FILE is set in .env, where it does nothing." in words
        assert "Set it in the environment itself: in .env it does nothing." in words
