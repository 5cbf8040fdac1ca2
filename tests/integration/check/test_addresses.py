"""`check` shows the addresses that an administrator has to copy, and masks the secrets in them."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.observability.logging import MASK, Redactor
from tests.support.app import ended, open_servers, start
from tests.support.check import right_environ, run_checks

CALLBACK = "https://bot.example.com/base/genesys/callback"
CONNECTING = {
    "BOT_MODE": "http",
    "SLACK_SIGNING_SECRET": "signing-hush-1",
    "GENESYS_COBROWSE_API": "conversations",
    "GENESYS_CONNECT_CLIENT_ID": "people-client",
    "GENESYS_CONNECT_CLIENT_SECRET": "people-hush-1",
    "COBROWSE_PUBLIC_URL": "https://bot.example.com/base",
    "STORE_ENCRYPTION_KEY": Fernet.generate_key().decode(),
}


@pytest.mark.parametrize("as_json", [False, True], ids=["screen", "json"])
async def test_the_callback_address_is_shown_in_full(as_json: bool, tmp_path: Path) -> None:
    async with open_servers() as servers:
        environ = {**right_environ(servers, tmp_path), **CONNECTING}
        command = ["check", *(["--json"] if as_json else [])]
        _, text, err = await ended(await start(tmp_path, environ | {"COLUMNS": "80"}, *command))
    assert not err
    if as_json:
        (finding,) = [each for each in json.loads(text)["findings"] if each["name"] == "connect"]
        assert finding["what"].endswith(f" has to list {CALLBACK}")
    else:
        assert CALLBACK in text.split()
    assert "hush" not in text


async def test_an_example_of_a_template_is_shown_in_full(tmp_path: Path) -> None:
    async with open_servers() as servers:
        wrong = {"COBROWSE_JOIN_URL_TEMPLATE": "ftp://h/#{joinCode}"}
        found = await run_checks({**right_environ(servers, tmp_path), **wrong})
    assert "https://help.example.com/cobrowse#{joinCode}" in found["settings"].message


async def test_a_token_in_an_address_stays_masked(tmp_path: Path) -> None:
    async with open_servers() as servers:
        token = {"COBROWSE_PUBLIC_URL": "https://bot.example.com/xoxb-1-abcDEF/people-hush-1"}
        found = await run_checks({**right_environ(servers, tmp_path), **CONNECTING, **token})
    assert found["connect"].message.endswith(f"https://bot.example.com/{MASK}/{MASK}/genesys/callback")


def test_address_secrets_are_masked_where_paths_are_kept() -> None:
    redact = Redactor(["known-hush-1"])
    for text, shown in (
        ("https://ana:abcDEF@h.example/a/b", f"https://{MASK}@h.example/a/b"),
        ("https://h.example/a?code=abcDEF#x", f"https://h.example/a?{MASK}"),
        ("https://h.example/known-hush-1/b", f"https://h.example/{MASK}/b"),
        ("https://h.example/eyJa.b.c", f"https://h.example/{MASK}"),
        ("see ana@example.com", f"see {MASK}"),
    ):
        assert redact(text, keeps_paths=True) == shown
