"""Proxies: which proxy serves which URL, and that connections to this machine use none.

test_tls.py tests connections through a proxy.
"""

import asyncio
import json
from pathlib import Path

from bot.config.proxies import Proxies
from tests.support.app import ended, free_port, start
from tests.support.cases import each_case

ONE, TWO, EVERY = "http://one.example:3128", "http://two.example:3128", "http://every.example:3128"


@each_case(
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
    """Return what `sandbox --once` prints in this environment."""
    command = ("sandbox", "--once", "/cobrowse Checkout help", "--json")
    code, out, err = await ended(await start(directory, environ, *command))
    assert (code, err) == (0, ""), err
    return dict(json.loads(out))


async def test_neither_a_dead_proxy_nor_a_netrc_is_in_the_sandboxs_way(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    dead = f"http://127.0.0.1:{free_port()}"
    proxied = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), dead)
    answers = await asyncio.gather(once(tmp_path, proxied), once(tmp_path, {"HOME": str(tmp_path)}))
    assert ["/join/" in json.dumps(answer) for answer in answers] == [True, True]
