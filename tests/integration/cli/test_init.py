"""`cobrowse-bot init` and `keygen`, at a terminal and without one. Secrets stay off the screen."""

import asyncio
import io
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from dotenv import dotenv_values
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.cli.commands import RUN_INIT
from bot.cli.setup.env_file import create_private, merge, replace_private
from bot.config import settings
from bot.genesys.auth.private_keys import load_key
from tests.support.app import Servers, open_servers
from tests.support.cli import Run, typed
from tests.support.private_keys import pem
from tests.support.terminal import converse

SECRET = "a-genesys-secret-of-ours"
SIGNING = "0123456789abcdef" * 2


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers(client_secret=SECRET) as started:
        yield started


def elsewhere(servers: Servers) -> dict[str, str]:
    """Return the addresses of the sandbox's servers as environment variables."""
    names = ("SLACK_API_URL", "GENESYS_API_URL", "GENESYS_LOGIN_URL")
    return {name: servers.environ[name] for name in names} | {"COLUMNS": "110"}


def answers(servers: Servers, **other: str) -> str:
    """Return the text of a file of valid answers."""
    values = {
        "GENESYS_COBROWSE_API": "conversations",
        "GENESYS_REGION": "us-west-2",
        "GENESYS_CLIENT_ID": "sandbox-client",
        "GENESYS_CLIENT_SECRET": SECRET,
        "SLACK_BOT_TOKEN": servers.keys.bot_token,
        "SLACK_APP_TOKEN": servers.keys.app_token,
    } | other
    return "".join(f"{name}={value}\n" for name, value in values.items())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secrets(servers: Servers) -> list[str]:
    return [SECRET, servers.keys.bot_token, servers.keys.app_token, SIGNING, "PRIVATE KEY"]


async def init(directory: Path, servers: Servers, *arguments: str, interpreter: bool = False) -> Run:
    run = await typed(directory, ["init", *arguments], elsewhere(servers), interpreter=interpreter)
    assert not [secret for secret in secrets(servers) if secret in run.out + run.err]
    return run


async def test_a_file_of_answers_becomes_a_checked_env_file(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "given").write_text(answers(servers))
    run = await init(tmp_path, servers, "--answers", "given", interpreter=True)
    assert (run.code, run.err) == (0, ""), run.out
    assert mode(tmp_path / ".env") == 0o600
    values = dotenv_values(tmp_path / ".env")
    assert values.items() >= dotenv_values(stream=io.StringIO(answers(servers))).items()
    Fernet(values["STORE_ENCRYPTION_KEY"] or "")
    assert values["STORE_ENCRYPTION_KEY"] not in run.out
    assert "No errors" in run.out
    assert "cobrowse-bot run" in run.out
    assert "Delete given" in run.out
    assert sorted(os.listdir(tmp_path)) == [".env", "given"]


async def test_an_env_file_is_changed_only_with_update(servers: Servers, tmp_path: Path) -> None:
    before = "# mine\nGENESYS_CLIENT_SECRET_FILE=/run/secret\n\n# Slack\nSLACK_BOT_TOKEN=\nLOG_LEVEL=WARNING\n"
    (tmp_path / ".env").write_text(before)
    (tmp_path / "given").write_text(answers(servers))
    run = await init(tmp_path, servers, "--answers", "given")
    assert (run.code, run.out) == (1, "")
    assert "--update" in run.err
    assert (tmp_path / ".env").read_text() == before
    run = await init(tmp_path, servers, "--answers", "given", "--update", "--no-check")
    assert (run.code, run.err) == (0, "")
    assert run.out.index("1. Check it: ") < run.out.index("2. Start the bot: ")
    after = (tmp_path / ".env").read_text()
    token = servers.keys.bot_token
    assert after.startswith(
        f"# mine\nGENESYS_CLIENT_SECRET_FILE=\n\n# Slack\nSLACK_BOT_TOKEN={token}\nLOG_LEVEL=WARNING\n"
    )
    assert settings.load(settings.sources.read(str(tmp_path / ".env"), {}).values).logging.level == "WARNING"
    key = dotenv_values(tmp_path / ".env")["STORE_ENCRYPTION_KEY"]
    await init(tmp_path, servers, "--answers", "given", "--update", "--no-check")
    assert dotenv_values(tmp_path / ".env")["STORE_ENCRYPTION_KEY"] == key
    assert mode(tmp_path / ".env") == 0o600


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN: is missing"),
        ({"GENESYS_REGION": "us west"}, "GENESYS_REGION: 'us west' is neither"),
        ({"COBROWSE_SUPERVISOR": "U0SAM"}, "Did you mean COBROWSE_SUPERVISORS?"),
        ({"GENESYS_CLIENT_SECRET": "", "GENESYS_PRIVATE_KEY_PATH": "nowhere.pem"}, "GENESYS_ORG_ID: is missing"),
    ],
)
async def test_wrong_answers_are_named_and_write_nothing(
    servers: Servers, tmp_path: Path, other: dict[str, str], told: str
) -> None:
    (tmp_path / "given").write_text(answers(servers, **other))
    run = await init(tmp_path, servers, "--answers", "given")
    assert (run.code, run.out) == (1, "")
    assert told in run.err
    assert os.listdir(tmp_path) == ["given"]


async def test_without_a_terminal_or_a_file_it_says_what_to_do(servers: Servers, tmp_path: Path) -> None:
    run = await init(tmp_path, servers)
    assert (run.code, run.out) == (1, "")
    assert "init --answers FILE" in run.err
    run = await init(tmp_path, servers, "--answers", "nothing-here")
    assert (run.code, "no such file" in run.err) == (1, True)
    assert os.listdir(tmp_path) == []


async def test_failed_checks_leave_the_file_and_exit_with_1(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "given").write_text(answers(servers, SLACK_BOT_TOKEN="xoxb-of-somebody-else"))
    run = await init(tmp_path, servers, "--answers", "given")
    assert run.code == 1
    assert "SLACK_BOT_TOKEN" in run.out
    assert "cobrowse-bot check" in run.out
    assert (tmp_path / ".env").exists()


BOT_TOKEN = "SLACK_BOT_TOKEN is no bot token: one begins with xoxb-."


async def test_a_person_is_asked_and_secrets_do_not_show(servers: Servers, tmp_path: Path) -> None:
    said = [
        ("Number", "1"),
        ("Region or domain", "us west"),
        ("Region or domain", "us-west-2"),
        ("Client ID", "sandbox-client"),
        ("Secret or key", "secret"),
        ("Client secret", ""),
        ("Client secret", SECRET),
        ("Bot token", servers.keys.app_token),
        ("Bot token", servers.keys.bot_token),
        ("App-level token", "what is that"),
        ("App-level token", servers.keys.app_token),
    ]
    code, screen = await converse(tmp_path, elsewhere(servers), ["init"], said, interpreter=True)
    assert code == 0, screen
    for told in ("is neither a Genesys Cloud region", "An answer is needed.", BOT_TOKEN, "This is neither"):
        assert told in screen
    for secret in secrets(servers):
        assert secret not in screen
    assert "No errors" in screen
    values = dotenv_values(tmp_path / ".env")
    assert (values["GENESYS_REGION"], values["GENESYS_CLIENT_SECRET"]) == ("us-west-2", SECRET)
    assert values["SLACK_APP_TOKEN"] == servers.keys.app_token
    assert mode(tmp_path / ".env") == 0o600


async def test_a_person_can_have_a_key_pair_made_and_use_http(servers: Servers, tmp_path: Path) -> None:
    said = [
        ("Number", "2"),
        ("Region or domain", ""),
        ("Client ID", "sandbox-client"),
        ("Secret or key", ""),
        ("Private key file", "new.pem"),
        ("Make a key pair there?", "y"),
        ("Organization ID", "sandbox-org"),
        ("Bot token", servers.keys.bot_token),
        ("App-level token", SIGNING),
    ]
    code, screen = await converse(tmp_path, elsewhere(servers), ["init", "--no-check"], said)
    assert code == 0, screen
    assert "BEGIN PUBLIC KEY" in screen
    assert "Send this public key to the people who run the session service." in screen
    assert mode(tmp_path / "new.pem") == 0o600
    load_key((tmp_path / "new.pem").read_bytes())
    loaded = settings.load(
        settings.sources.read(str(tmp_path / ".env"), {}).values
        | {"GENESYS_PRIVATE_KEY_PATH": str(tmp_path / "new.pem")}
    )
    assert (loaded.slack.mode, loaded.service.conversations) == ("http", None)
    for secret in secrets(servers):
        assert secret not in screen


SLACK_NAMES = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")


async def test_slack_can_be_left_for_later_at_the_terminal(servers: Servers, tmp_path: Path) -> None:
    said = [
        ("Number", "1"),
        ("Region or domain", "us-west-2"),
        ("Client ID", "sandbox-client"),
        ("Secret or key", "secret"),
        ("Client secret", SECRET),
        ("Bot token", ""),
        ("App-level token", ""),
    ]
    code, screen = await converse(tmp_path, elsewhere(servers), ["init"], said)
    assert code == 1, screen
    checked, _, last = screen.partition("2 errors, no warnings.")
    assert "With Slack's secrets: cobrowse-bot init" in last
    for name in SLACK_NAMES[:2]:  # `check` has said it
        assert checked.count(f"✗ settings        {name}: is missing") == 1
        assert name not in last
    assert "Genesys gave one for a client secret" in screen  # Genesys was checked all the same
    values = dotenv_values(tmp_path / ".env")
    assert values["GENESYS_CLIENT_SECRET"] == SECRET
    assert not [name for name in SLACK_NAMES if values.get(name)]


async def test_answers_without_slack_are_taken_and_told(servers: Servers, tmp_path: Path) -> None:
    none = dict.fromkeys(SLACK_NAMES, "")
    (tmp_path / "given").write_text(answers(servers, **none))
    run = await init(tmp_path, servers, "--answers", "given", "--no-check")
    assert (run.code, run.err) == (0, "")
    assert "SLACK_BOT_TOKEN: is missing." in run.out.partition("Still missing:")[2]
    assert "Start the bot" not in run.out
    assert dotenv_values(tmp_path / ".env")["GENESYS_CLIENT_ID"] == "sandbox-client"
    (tmp_path / "slack").write_text(f"SLACK_BOT_TOKEN={servers.keys.bot_token}\n")
    run = await init(tmp_path, servers, "--answers", "slack", "--update", "--no-check")
    assert (run.code, "SLACK_APP_TOKEN: is missing" in run.err) == (1, True)


async def test_an_encrypted_key_is_asked_for_its_passphrase(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "locked.pem").write_text(pem(passphrase="hush-hush"))
    said = [
        ("Number", "1"),
        ("Region or domain", "mypurecloud.de"),
        ("Client ID", "sandbox-client"),
        ("Secret or key", "key"),
        ("Private key file", "nowhere.pem"),
        ("Make a key pair there?", "n"),
        ("Private key file", "locked.pem"),
        ("Its passphrase", "wrong-hush"),
        ("Private key file", "locked.pem"),
        ("Its passphrase", "hush-hush"),
        ("Organization ID", "sandbox-org"),
        ("Bot token", servers.keys.bot_token),
        ("App-level token", servers.keys.app_token),
    ]
    code, screen = await converse(tmp_path, elsewhere(servers), ["init", "--no-check"], said)
    assert code == 0, screen
    assert "the passphrase does not fit" in screen
    assert "hush" not in screen
    assert not (tmp_path / "nowhere.pem").exists()
    assert dotenv_values(tmp_path / ".env")["GENESYS_PRIVATE_KEY_PASSPHRASE"] == "hush-hush"


async def test_secrets_may_be_in_files_of_their_own(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(servers.keys.bot_token)
    (tmp_path / "given").write_text(answers(servers, SLACK_BOT_TOKEN_FILE="token", SLACK_BOT_TOKEN=""))
    run = await init(tmp_path, servers, "--answers", "given")
    assert (run.code, run.err) == (0, ""), run.out
    assert dotenv_values(tmp_path / ".env")["SLACK_BOT_TOKEN_FILE"] == "token"
    assert servers.keys.bot_token not in (tmp_path / ".env").read_text()


async def test_enter_keeps_each_setting_and_no_keeps_the_file(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        answers(servers, LOG_LEVEL="WARNING", STORE_ENCRYPTION_KEY=Fernet.generate_key().decode())
    )
    before = (tmp_path / ".env").read_text()
    code, screen = await converse(tmp_path, elsewhere(servers), ["init"], [("Change settings in it?", "")])
    assert (code, "Nothing was changed." in screen) == (1, True), screen
    assert (tmp_path / ".env").read_text() == before
    prompts = ("Number", "Region", "Client ID", "Secret or key", "Client secret", "Bot token", "App-level token")
    said = [("Change settings in it?", "y"), *((prompt, "") for prompt in prompts)]
    code, screen = await converse(tmp_path, elsewhere(servers), ["init", "--no-check"], said)
    assert code == 0, screen
    assert dotenv_values(tmp_path / ".env") == dotenv_values(stream=io.StringIO(before))


NAMES = ("SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN_FILE", "LOG_LEVEL", "COBROWSE_SMS_TEXT")
ONE_LINE = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20)
LINES = st.lists(
    st.sampled_from(
        ["", "# a comment", "OTHER=1", "LOG_LEVEL=DEBUG", "export SLACK_BOT_TOKEN=old", "TEXT='a\nb'", "odd"]
    ),
    max_size=6,
)


@given(lines=LINES, values=st.dictionaries(st.sampled_from(NAMES[1:]), ONE_LINE))
def test_merged_text_reads_as_the_values_and_keeps_the_rest(lines: list[str], values: dict[str, str]) -> None:
    before = "\n".join(lines)
    try:
        after = merge(before, values)
    except ValueError:
        assume(False)
    was, now = (dotenv_values(stream=io.StringIO(text), interpolate=False) for text in (before, after))
    for name, value in values.items():
        assert (now.get(name) or "") == value
    for name in was.keys() - values.keys():
        other_form = name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE"
        assert (now[name] or "") == ("" if other_form in values else was[name] or "")
    for line in ("# a comment", "odd"):
        assert after.splitlines().count(line) == lines.count(line)


def test_a_value_of_two_lines_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="GENESYS_PRIVATE_KEY_FILE") as refused:
        merge("", {"GENESYS_PRIVATE_KEY": "hush'\nhush"})
    assert "hush" not in str(refused.value)


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - which one, the system decides
        replace_private(tmp_path / ".env", "text")
    assert os.listdir(tmp_path) == [".env"]


def test_a_link_is_followed_and_no_file_is_created_twice(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("old")
    (tmp_path / ".env").symlink_to(tmp_path / "settings")
    replace_private(tmp_path / ".env", "new")
    assert (tmp_path / ".env").is_symlink()
    assert ((tmp_path / "settings").read_text(), mode(tmp_path / "settings")) == ("new", 0o600)
    with pytest.raises(FileExistsError):
        create_private(tmp_path / "settings", "other")
    with pytest.raises(FileExistsError):
        create_private(tmp_path / ".env", "other")


async def test_keygen_makes_keys_that_the_bot_takes(tmp_path: Path) -> None:
    key, file, rsa, p256 = await asyncio.gather(
        typed(tmp_path, ["keygen", "encryption"], interpreter=True),
        typed(tmp_path, ["keygen", "encryption", "--out", "store.key"]),
        typed(tmp_path, ["keygen", "oauth"]),
        typed(tmp_path, ["keygen", "oauth", "--type", "p256", "--out", "p256.pem"]),
    )
    Fernet(key.out.strip())
    assert file.out == ""
    assert "STORE_ENCRYPTION_KEY_FILE=store.key" in file.err
    Fernet((tmp_path / "store.key").read_text().strip())
    for run, name, algorithm in ((rsa, "genesys.pem", "RS256"), (p256, "p256.pem", "ES256")):
        assert run.code == 0
        assert run.out.startswith("-----BEGIN PUBLIC KEY-----")
        assert "Send this public key to the people who run the session service." in run.err
        assert "PRIVATE" not in run.out + run.err.replace("GENESYS_PRIVATE_KEY_PATH", "")
        assert load_key((tmp_path / name).read_bytes()).algorithm == algorithm
        assert mode(tmp_path / name) == 0o600
    held = (tmp_path / "genesys.pem").read_text()
    again = await typed(tmp_path, ["keygen", "oauth"])
    assert (again.code, again.out) == (1, "")
    assert "There is a file genesys.pem already" in again.err
    assert (tmp_path / "genesys.pem").read_text() == held
    nowhere = await typed(tmp_path, ["keygen", "encryption", "--out", "nowhere/key"])
    assert (nowhere.code, nowhere.err) == (1, "nowhere/key cannot be written: No such file or directory.\n")


@pytest.mark.parametrize("command", ["run", "check"])
async def test_first_command_without_settings_names_init(tmp_path: Path, command: str) -> None:
    first = await typed(tmp_path, [command], {"PORT": "3000", "STATE_DIRECTORY": "data"})
    assert first.code == 1
    assert (first.err or first.out).endswith(f"\n{RUN_INIT}\n")
    assert "GENESYS_CLIENT_SECRET: is missing." in first.out + first.err
    with_one = await typed(tmp_path, [command], {"GENESYS_REGION": "us-west-2"})
    as_json = await typed(tmp_path, ["check", "--json"])
    (tmp_path / ".env").write_text("")
    with_file = await typed(tmp_path, [command])
    assert RUN_INIT not in with_one.out + with_one.err + with_file.out + with_file.err + as_json.out
