"""The bot sends links to customers only if the database encrypts their addresses: `run` and `check` require a key."""

from pathlib import Path

import pytest

from bot.config import settings
from tests.support.app import ended, start
from tests.support.settings import FERNET, SOCKET

SENDERS = {
    "COBROWSE_SMS_FROM": {"COBROWSE_SMS_FROM": "+14155550100", "COBROWSE_SMS_COUNTRIES": "US"},
    "COBROWSE_EMAIL_FROM": {"COBROWSE_EMAIL_FROM": "care@example.com"},
}


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("sender", SENDERS)
async def test_sending_needs_a_store_key(tmp_path: Path, command: str, sender: str) -> None:
    code, out, err = await ended(await start(tmp_path, {**SOCKET, **SENDERS[sender]}, command))
    said = out + err
    assert code
    assert f"STORE_ENCRYPTION_KEY: is missing. {sender} needs it" in " ".join(
        said.replace("→", "").replace("[settings_invalid]", "").split()
    )
    assert not (tmp_path / "cobrowse.db").exists()


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("kept", [{"STORE_ENCRYPTION_KEY": FERNET}, {"DATABASE_URL": "memory:"}])
def test_sending_is_on_where_addresses_are_encrypted(sender: str, kept: dict[str, str]) -> None:
    assert settings.load(SOCKET | SENDERS[sender] | kept).sending.any_on


def test_no_key_is_needed_where_nothing_is_sent() -> None:
    assert not settings.load(SOCKET).database.is_encrypted
