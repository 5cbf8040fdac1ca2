"""A command reads the part of a table that it uses, and a fault elsewhere in the file does not stop it."""

from pathlib import Path

import pytest

from bot.config import settings
from bot.config.settings import SettingsError
from bot.config.workspaces.file import WorkspacesFile, open_file
from tests.support.workspaces import ACME, GLOBEX, KEPT


def opened(path: Path, text: str = ACME + GLOBEX, **environ: str) -> WorkspacesFile:
    path.write_text(text, encoding="utf-8")
    return open_file({**KEPT, "COBROWSE_WORKSPACES": str(path), **environ})


def test_part_is_that_of_the_table_and_of_the_environment(tmp_path: Path) -> None:
    text = f'{ACME}audit_log = "acme.jsonl"\nbot_mode = "http"\n{GLOBEX}'
    file = opened(tmp_path / "file.toml", text, AUDIT_LOG="all.jsonl")
    assert file.load_part(settings.read_audit_log, "acme") == "acme.jsonl"
    assert file.load_part(settings.read_audit_log, "globex") == "all.jsonl"
    assert file.load_part(settings.read_features, "acme").path == "/slack/events/acme"
    given = file.load_part(settings.read_features, "acme", {"cobrowse_command": "/screen"})
    assert given.command == "/screen"


def test_fault_of_another_key_or_table_does_not_stop_a_part(tmp_path: Path) -> None:
    wrong = f'{ACME}cobrowse_admin = "U012AB3CD"\nslack_app_token = "xapp-hush"\n'
    file = opened(tmp_path / "file.toml", wrong + GLOBEX.replace("genesys_region", "region"))
    assert file.load_part(settings.read_service_alone, "acme").credentials
    with pytest.raises(SettingsError) as caught:
        file.load_part(settings.read_slack, "acme")
    assert any("slack_app_token is a secret" in fault for fault in caught.value.faults)
    assert "hush" not in str(caught.value)
    with pytest.raises(SettingsError):
        file.load_part(settings.read_service_alone, "globex")


def test_keys_are_found_by_their_values(tmp_path: Path) -> None:
    more = 'cobrowse_admins = ["U0ANA", "S0LEADS"]\ncobrowse_members = "U0ANA2"\ncobrowse_help_contact = "U0ANA"\n'
    file = opened(tmp_path / "file.toml", f"{ACME}{more}{GLOBEX}")
    assert file.keys_with("acme", lambda value: "U0ANA" in value.split(",")) == [
        "cobrowse_admins",
        "cobrowse_help_contact",
    ]
    assert file.keys_with("globex", lambda value: "U0ANA" in value) == []


def test_table_has_no_variable_of_the_process(tmp_path: Path) -> None:
    file = opened(tmp_path / "file.toml", PORT="3000", ACME_UNUSED="x", DATABASE_URL="memory:")
    assert set(file.variables_of("acme")) == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "GENESYS_REGION",
        "GENESYS_CLIENT_ID",
        "GENESYS_CLIENT_SECRET",
    }
    assert file.named_variables == set(KEPT)


def test_repr_of_the_file_shows_no_value(tmp_path: Path) -> None:
    assert "hush" not in repr(opened(tmp_path / "file.toml", f'{ACME}slack_app_token = "hush"\n'))
