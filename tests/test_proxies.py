"""Proxies: which one leads where, that this machine is never behind one, and that a whole command goes through one."""

import asyncio
import contextlib
import datetime
import json
import os
import signal
import ssl
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from journey import ANA, ROOT, ended, free_port, link, open_servers, start

from bot.settings.proxies import Proxies

ONE, TWO, EVERY = "http://one.example:3128", "http://two.example:3128", "http://every.example:3128"
SLACK, GENESYS = "slack.test", "genesys.test"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://slack.com/api/", None),
        ({"HTTPS_PROXY": ONE}, "https://slack.com/api/", ONE),
        ({"https_proxy": ONE}, "https://slack.com/api/", ONE),
        ({"HTTPS_PROXY": ONE}, "wss://wss-primary.slack.com/link/", ONE),
        ({"HTTPS_PROXY": ONE}, "http://slack.com/api/", None),
        ({"HTTPS_PROXY": ONE, "HTTP_PROXY": TWO}, "http://slack.com/api/", TWO),
        ({"HTTPS_PROXY": ONE, "HTTP_PROXY": TWO}, "ws://slack.com/api/", TWO),
        ({"HTTPS_PROXY": "", "HTTP_PROXY": ""}, "https://slack.com/api/", None),
        ({"ALL_PROXY": EVERY}, "https://slack.com/api/", EVERY),
        ({"all_proxy": EVERY}, "http://slack.com/api/", EVERY),
        ({"ALL_PROXY": EVERY, "HTTPS_PROXY": ONE}, "https://slack.com/api/", ONE),
        ({"ALL_PROXY": EVERY, "HTTPS_PROXY": ""}, "https://slack.com/api/", EVERY),
        *[
            ({"HTTPS_PROXY": ONE, "HTTP_PROXY": ONE, "ALL_PROXY": ONE}, f"{scheme}://{host}", None)
            for scheme in ("http", "https", "ws", "wss")
            for host in ("localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:80", "127.1.2.3", "[::1]:8080")
        ],
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "slack.com"}, "https://slack.com/api/", None),
        ({"HTTPS_PROXY": ONE, "no_proxy": "slack.com"}, "https://hooks.slack.com/x", None),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "a.example, .slack.com"}, "https://hooks.slack.com/x", None),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "SLACK.com"}, "wss://WSS.Slack.com/link", None),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "slack.com"}, "https://notslack.com/", ONE),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "slack.com"}, "https://slack.com.example/", ONE),
        ({"HTTPS_PROXY": ONE, "NO_PROXY": "*"}, "https://slack.com/", None),
        ({"HTTPS_PROXY": ONE}, "https://localhost.example/", ONE),
    ],
)
def test_the_proxy_that_leads_to_a_url(environ: dict[str, str], url: str, proxy: str | None) -> None:
    assert Proxies.of_environment(environ).of(url) == proxy


def test_a_proxys_password_is_not_shown() -> None:
    assert "hush" not in repr(Proxies.of_environment({"ALL_PROXY": "http://me:hush@proxy.example"}))


async def once(directory: Path, environ: dict[str, str]) -> dict[str, object]:
    """What `sandbox --once` prints in this environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "sandbox", "--once", "/cobrowse Checkout help", "--json"),
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environ},
        stdout=PIPE,
        stderr=PIPE,
    )
    code, out, err = await ended(process)
    assert (code, err) == (0, ""), err
    return dict(json.loads(out))


async def test_neither_a_dead_proxy_nor_a_netrc_is_in_the_sandboxs_way(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    dead = f"http://127.0.0.1:{free_port()}"
    proxied = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), dead)
    answers = await asyncio.gather(once(tmp_path, proxied), once(tmp_path, {"HOME": str(tmp_path)}))
    assert ["/join/" in json.dumps(answer) for answer in answers] == [True, True]


# -- The bot behind a proxy, and Slack and Genesys beyond it, under names that only the proxy knows --


def certify(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A TLS server for both names, and the certificate to trust."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(SLACK), x509.DNSName(GENESYS)])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    hidden = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    trusted, both = directory / "trusted.pem", directory / "server.pem"
    trusted.write_bytes(pem)
    both.write_bytes(hidden + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted


async def copy(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def join(reader: StreamReader, writer: StreamWriter, port: int) -> None:
    """Everything from the one side to a port of this machine, and back."""
    theirs, ours = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(copy(reader, ours), copy(theirs, writer))


@asynccontextmanager
async def open_proxy(context: ssl.SSLContext, ports: dict[str, int]) -> AsyncIterator[tuple[str, list[str]]]:
    """A CONNECT proxy that knows these names; its URL, and the hosts that it was asked for."""
    asked: list[str] = []
    inner: dict[str, int] = {}

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        asked.append(f"{method} {target}")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await join(reader, writer, inner[target.partition(":")[0]])

    async with contextlib.AsyncExitStack() as stack:
        for host, port in ports.items():

            async def serve_tls(reader: StreamReader, writer: StreamWriter, port: int = port) -> None:
                await join(reader, writer, port)

            server = await asyncio.start_server(serve_tls, "127.0.0.1", 0, ssl=context)
            stack.callback(server.close)
            inner[host] = server.sockets[0].getsockname()[1]
        proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
        stack.callback(proxy.close)
        yield f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}", asked


async def test_behind_a_proxy_everything_goes_through_it(tmp_path: Path) -> None:
    """Web API, web socket, response_url, sign-in and session service: over TLS, since http is for this machine."""
    context, trusted = certify(tmp_path)
    async with open_servers() as servers:
        slack, genesys = servers.slack, servers.genesys
        ports = {SLACK: int(slack.url.rpartition(":")[2]), GENESYS: int(genesys.url.rpartition(":")[2])}
        slack.url, genesys.url = f"https://{SLACK}", f"https://{GENESYS}"
        async with open_proxy(context, ports) as (proxy, asked):
            urls = {"SLACK_API_URL": f"{slack.url}/api/", "GENESYS_API_URL": genesys.url}
            ours = urls | {"GENESYS_LOGIN_URL": genesys.url, "HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(trusted)}
            process = await start(tmp_path, servers.environ | ours)
            try:
                await slack.connected(20)
                assert (await slack.command(ANA, "")).acked
                message = await slack.next_message(ANA)
                process.send_signal(signal.SIGTERM)
                code, _, err = await ended(process, 10)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        assert link(message).startswith(f"https://{GENESYS}/join/")
        assert message.via == "response_url"
        assert code == 0, err
        assert set(asked) == {f"CONNECT {SLACK}:443", f"CONNECT {GENESYS}:443"}
