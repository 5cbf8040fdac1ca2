"""Test a login that refuses the client: the message names region and address, and shows no secret that was sent."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.core.errors import WEB_PAGE
from bot.genesys.auth.client_credentials import UNNAMED_ERROR, login_refused
from tests.support.app import SAM, Journey, Servers, is_failure, open_bot_between, open_servers, words
from tests.support.check import right_environ, run_checks
from tests.support.cli import typed
from tests.support.conversations import PUBLIC, SECRET

ADDRESS = "The IP address 203.0.113.7 is not in the client's allowed list."
FAULTS: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    (
        "invalid_client",
        {},
        ["(invalid_client: “Client authentication failed.”)", "GENESYS_REGION", "ID, key or secret"],
        ["network address"],
    ),
    ("unauthorized_client", {}, ["(unauthorized_client: “The client", "Client Credentials"], ["network address"]),
    ("unauthorized_client", {"message": ADDRESS}, [f"“{ADDRESS}”", "network address"], ["grant type", "key or secret"]),
    ("access_denied", {}, ["(access_denied: ", f"“{ADDRESS}”", "network address"], ["key or secret", "grant type"]),
    ("access_denied", {"message": "Denied."}, ["(access_denied: “Denied.”)", "network address"], ["key or secret"]),
    ("invalid_client", {"message": "Not on the allowlist"}, ["network address"], ["key or secret"]),
    ("firewall", {}, [f"({WEB_PAGE})", "network address"], ["key or secret", "Forbidden", "<h1>"]),
]


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


@pytest.mark.parametrize(("fault", "how", "told", "untold"), FAULTS)
async def test_the_contact_reads_the_logins_words_and_the_cause(
    journey: Journey, fault: str, how: dict[str, Any], told: list[str], untold: list[str]
) -> None:
    await journey.genesys.inject_fault(fault, on="token", **how)
    message = await journey.asks(who=SAM)
    shown = words(message)
    assert is_failure(message)
    assert [part for part in told if part not in shown] == []
    assert [part for part in untold if part in shown] == []
    assert "My connection to Genesys is broken. Nothing was started." in shown
    told_agent = words(await journey.asks())
    assert f"<@{SAM}>" in told_agent
    assert [part for part in told if part in told_agent] == []


async def test_the_region_is_named_before_everything_else(servers: Servers, tmp_path: Path) -> None:
    await servers.genesys.inject_fault("invalid_client", on="token")
    environ = right_environ(servers, tmp_path)
    mend = (await run_checks(environ))["token"].fix
    assert mend.startswith("Check GENESYS_REGION first")
    assert servers.genesys.url in mend
    for name in ("GENESYS_CLIENT_ID", "GENESYS_ORG_ID", "GENESYS_KEY_ID", "clock"):
        assert mend.index("GENESYS_REGION") < mend.index(name)
    arguments = ["start", "--host-user-id", "11111111-1111-4111-8111-111111111111"]
    started = await typed(tmp_path, arguments, environ)
    assert started.code == 1
    assert "(invalid_client: “Client authentication failed.”)" in started.err
    assert started.err.index("GENESYS_REGION") < started.err.index("ID, key or secret")


@pytest.mark.parametrize("how", [{}, {"message": "Denied."}])
async def test_check_names_the_address_as_a_cause(servers: Servers, tmp_path: Path, how: dict[str, str]) -> None:
    await servers.genesys.inject_fault("access_denied", on="token", **how)
    found = (await run_checks(right_environ(servers, tmp_path)))["token"]
    assert f"“{how.get('message', ADDRESS)}”" in found.message
    assert "network address of this machine" in found.fix
    assert "GENESYS_CLIENT_ID" not in found.fix


async def test_a_secret_that_the_login_quotes_is_not_shown(tmp_path: Path) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        said = f"<!channel> wrong secret {SECRET} & Basic c2VjcmV0OnNlY3JldA== for eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOjF9.x"
        await servers.genesys.inject_fault("invalid_client", on="token", message=said + " and so on" * 60)
        async with open_bot_between(servers, servers.environ | PUBLIC, http=False) as journey:
            shown = words(await journey.asks(who=SAM))
        assert "&lt;!channel&gt; wrong secret … &amp; … for …" in shown
        assert SECRET not in shown
        assert "<!channel>" not in shown
        quoted = shown.partition("“")[2].partition("”")[0]
        assert len(quoted.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= 300


def answer(body: object = None, *, text: str = "", kind: str = "application/json") -> httpx.Response:
    if text:
        return httpx.Response(403, text=text, headers={"Content-Type": kind})
    return httpx.Response(403, json=body)


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (answer({"error": "x", "description": "one", "error_description": "two"}), "x", "two"),
        (answer({"error": "x", "description": "one"}), "x", "one"),
        (answer({"error": "x", "error_description": "x"}), "x", ""),
        (answer({"error": "x", "error_description": ["y"]}), "x", ""),
        (
            answer({"error": {"x": 1}, "message": "No\n\n<b>\x00entry</b>", "code": "not.allowed"}),
            "not.allowed",
            "No <b> entry</b>",
        ),
        (answer({"error": "!" * 9}), UNNAMED_ERROR, ""),
        (answer({"error": "y" * 99}), UNNAMED_ERROR, ""),
        (answer(["x"]), UNNAMED_ERROR, ""),
        (answer(text="<html>no</html>", kind="text/plain"), WEB_PAGE, ""),
        (answer(text="no", kind="text/html; charset=utf-8"), WEB_PAGE, ""),
        (answer(text="no"), UNNAMED_ERROR, ""),
    ],
)
def test_an_answer_of_any_shape_is_read(response: httpx.Response, code: str, said: str) -> None:
    error = login_refused(response, ())
    assert (error.oauth_error, error.words) == (code, said)


def test_sent_secrets_are_masked_in_the_message() -> None:
    error = login_refused(
        answer({"error": "invalid_grant", "error_description": "code hush-hush is used"}), {"hush-hush"}
    )
    assert error.words == "code … is used"
