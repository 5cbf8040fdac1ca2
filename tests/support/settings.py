"""What the tests of the settings share: environments that are enough, a private key, and the faults of a wrong one."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.config import settings
from bot.config.settings import SettingsError

FERNET = urlsafe_b64encode(bytes(range(32))).decode()
HOST = "2f7b0c9e-0000-4000-8000-000000000001"
GENESYS = {"GENESYS_REGION": "us-west-2", "GENESYS_CLIENT_ID": "client-1", "GENESYS_CLIENT_SECRET": "genesys-hush-1"}
SOCKET = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_APP_TOKEN": "xapp-hush-1"}
HTTP = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_SIGNING_SECRET": "signing-hush-1"}


def pem(passphrase: bytes | None = None) -> str:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def faults(environ: dict[str, str], read: Callable[[Any], Any] = settings.read_settings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load_part(read, environ)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def named(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}
