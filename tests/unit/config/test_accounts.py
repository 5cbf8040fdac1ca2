"""The settings for linking one's own Genesys account: each missing setting is named, with why nobody can connect."""

import pytest

from bot.check import configuration as check
from bot.check.results import Status
from bot.config import settings
from bot.config.warnings import config_warnings
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from tests.support.settings import FERNET, HTTP, SOCKET, faults, named

CLIENT = {"GENESYS_CONNECT_CLIENT_ID": "people-1", "GENESYS_CONNECT_CLIENT_SECRET": "people-hush-1"}
ALL = (
    HTTP
    | CLIENT
    | {
        "GENESYS_COBROWSE_API": "conversations",
        "COBROWSE_PUBLIC_URL": "https://bot.example.com/co/",
        "STORE_ENCRYPTION_KEY": FERNET,
    }
)


def test_with_all_of_it_people_can_connect_below_the_public_url():
    loaded = settings.load(ALL)
    assert loaded.connect.off == ""
    assert loaded.connect.redirect_uri == "https://bot.example.com/co/genesys/callback"
    assert loaded.connect.path == "/co/genesys/callback"
    (found,) = check.check_accounts(loaded)
    assert found.status is Status.OK
    assert loaded.connect.redirect_uri in found.message
    assert "people-hush-1" not in repr(loaded)


@pytest.mark.parametrize(
    ("changes", "off"),
    [
        ({"GENESYS_COBROWSE_API": ""}, "needless"),
        ({"GENESYS_CONNECT_CLIENT_ID": "", "GENESYS_CONNECT_CLIENT_SECRET": ""}, "client"),
        (SOCKET | {"COBROWSE_PUBLIC_URL": ""}, "socket"),
        ({"STORE_ENCRYPTION_KEY": ""}, "key"),
        ({"STORE_ENCRYPTION_KEY": "", "DATABASE_URL": "memory:"}, ""),  # which has a key of its own
    ],
)
def test_without_one_of_them_nobody_can_and_check_says_why(changes, off):
    loaded = settings.load(ALL | changes)
    assert loaded.connect.off == off
    if off in ("", "client"):
        assert all(found.status is Status.OK for found in check.check_accounts(loaded))
        return
    (found,) = check.check_accounts(loaded)
    assert found.status is Status.WARNING
    assert found.fix
    warnings = [warning.words(PLAIN_ENGLISH) for warning in config_warnings(loaded)]
    assert any("GENESYS_CONNECT_CLIENT_ID" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"GENESYS_CONNECT_CLIENT_SECRET": ""}, "GENESYS_CONNECT_CLIENT_SECRET"),
        ({"GENESYS_CONNECT_CLIENT_ID": "client-1"}, "GENESYS_CONNECT_CLIENT_ID"),
        ({"COBROWSE_PUBLIC_URL": ""}, "COBROWSE_PUBLIC_URL"),
        ({"COBROWSE_PUBLIC_URL": "http://bot.example.com"}, "COBROWSE_PUBLIC_URL"),
        ({"COBROWSE_PUBLIC_URL": "bot.example.com"}, "COBROWSE_PUBLIC_URL"),
    ],
)
def test_missing_or_wrong_files_are_named_at_the_start(changes, name):
    assert named(faults(ALL | changes)) == {name}
