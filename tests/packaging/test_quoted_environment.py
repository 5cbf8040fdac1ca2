"""A container whose environment file has quotation marks, which docker keeps: the bot still works."""

from pathlib import Path

from tests.support.app import ANA, ended, free_port, healthy, link, open_bot_between, open_servers, start
from tests.support.check import checked
from tests.support.message_buttons import presses

SECRET = "a$client$$secret"


def quoted(environ: dict[str, str], mark: str = '"') -> dict[str, str]:
    return {name: f"{mark}{value}{mark}" for name, value in environ.items() if value}


async def test_bot_with_quoted_values_answers_and_passes_check(tmp_path: Path) -> None:
    """The client secret has a `$`, which must reach Genesys unchanged."""
    async with open_servers(http=True, client_secret=SECRET) as servers:
        port = str(free_port())
        environ = servers.environ | {"PORT": port, "HOST": "127.0.0.1", "GENESYS_PRIVATE_KEY": "", "GENESYS_ORG_ID": ""}
        environ |= {"GENESYS_CLIENT_SECRET": SECRET, "HTTPS_PROXY": "http://127.0.0.1:9"}
        for mark in ('"', "'"):
            process = await start(tmp_path, quoted(environ, mark))
            try:
                await healthy(process, f"http://127.0.0.1:{port}/healthz")
                servers.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
                assert (await servers.slack.command(ANA, "")).acked
                assert link(await servers.slack.next_message(ANA))
                code, out, _ = await checked(tmp_path, quoted(environ, mark))
                assert code == 0, out
            finally:
                process.terminate()
                code, _, err = await ended(process)
            assert code == 0, err


async def test_the_customer_reads_the_text_without_quotes() -> None:
    async with open_servers() as servers:
        environ = servers.environ | {"COBROWSE_SMS_TEXT": "Your link: {joinUrl}"}
        async with open_bot_between(servers, quoted(environ), http=False) as journey:
            card = await journey.asks("Checkout")
            await presses(journey, await journey.asks("send +1 (415) 555-0123"), "send_link")
            (sms,) = journey.genesys.outbox.sent
    assert sms.text == f"Your link: {link(card)}"


async def test_socks_proxy_ends_run_by_the_name_of_its_variable(tmp_path: Path) -> None:
    async with open_servers() as servers:
        process = await start(tmp_path, servers.environ | {"ALL_PROXY": "socks5://127.0.0.1:9"})
        code, _, err = await ended(process, 9)
    assert (code, "ALL_PROXY: names a SOCKS proxy, which is not supported." in err) == (1, True), err


async def test_start_takes_quotes_off_too(tmp_path: Path) -> None:
    async with open_servers() as servers:
        environ = quoted(servers.environ | {"GENESYS_HOST_USER_ID": "11111111-1111-4111-8111-111111111111"})
        code, out, err = await ended(await start(tmp_path, environ, "start"))
    assert (code, err) == (0, ""), err
    assert "Join URL: " in out
