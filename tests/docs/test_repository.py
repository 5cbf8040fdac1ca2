"""The documents match the code: settings, manifest, README, layout, changelog."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import bot
from bot.cli.commands import main
from bot.config.variables import VARIABLES
from bot.core.models import Session
from bot.sandbox import world
from bot.sandbox.run import FAULTS, ROLES
from bot.sandbox.world import SHORTCUTS
from bot.slack.api.workflow_steps import outputs_of
from bot.slack.command_parser import RESERVED
from bot.slack.listeners import session_form
from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support.cases import FailedCases, each_case

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "develop" / "architecture.md").read_text(encoding="utf-8")
REFERENCE = ROOT / "docs" / "reference"
COMMANDS = (REFERENCE / "commands.md").read_text(encoding="utf-8")
COMMAND_LINE = (REFERENCE / "cli.md").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack").rglob("*.py"))
SESSION = {"id": "s1", "status": "open", "host_id": "h1", "name": "n", "ends_at": datetime.now(UTC)}
SCOPES_OF = {
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write", "chat:write.public"),  # also where the bot is not: sharing
    "chat.update": ("chat:write",),
    "chat.getPermalink": (),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "users.info": ("users:read",),
    "usergroups.users.list": ("usergroups:read",),
    "views.open": (),
    "views.push": (),
    "views.update": (),
    "views.publish": (),
    "auth.test": (),
    "auth.teams.list": (),
    "apps.connections.open": (),  # of the app-level token
}


def test_the_env_example_holds_every_setting_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert pairs == {name: variable.default for name, variable in VARIABLES.items()}


def test_no_other_file_looks_at_the_environment() -> None:
    looking = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "bot").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|load_dotenv|dotenv_values", path.read_text(encoding="utf-8"))
    ]
    assert looking == ["bot/config/settings.py"]


def test_manifest_names_the_command_and_escapes_mentions() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == VARIABLES["COBROWSE_COMMAND"].default
    assert command["should_escape"] is True
    assert "url" not in command  # as it is, it is for Socket Mode
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["settings"]["interactivity"] == {"is_enabled": True}


def test_the_manifest_keeps_to_slacks_length_limits() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    display = MANIFEST["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert 174 <= len(display["long_description"]) <= 4000
    assert len(MANIFEST["features"]["bot_user"]["display_name"]) <= 80


def test_manifest_asks_for_the_scopes_the_code_needs_only() -> None:
    called = set(re.findall(r"\"((?:users|usergroups|conversations|chat|auth|views)\.[A-Za-z.]+)\"", SOURCES))
    called |= {
        found.replace("_", ".", 1)
        for found in re.findall(r"_(?:web|once)\.((?:chat|conversations|users|views)_\w+)\(", SOURCES)
    }
    assert called <= set(SCOPES_OF)
    needed = {scope for method in called for scope in SCOPES_OF[method]}
    needed |= {"commands", "users:read.email"}  # the slash command itself; the address inside users.info
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed


def test_manifest_subscribes_to_what_the_code_listens_for() -> None:
    assert not re.search(r"@app\.(message|shortcut)\(", SOURCES)
    listened = re.findall(r"@app\.event\(\"(\w+)\"\)", SOURCES)
    assert len(listened) == len(re.findall(r"@app\.event\(", SOURCES))
    assert MANIFEST["settings"]["event_subscriptions"] == {
        "bot_events": [*listened, "function_executed"]
    }  # no URL: it is for Socket Mode


def test_manifest_and_sandbox_have_the_codes_shortcuts() -> None:
    shortcuts = MANIFEST["features"]["shortcuts"]
    kinds = {each["callback_id"]: each["type"] for each in shortcuts}
    assert kinds == {session_form.SHORTCUT: "global", session_form.MESSAGE_SHORTCUT: "message"}
    assert {each.callback_id: each.type for each in SHORTCUTS} == kinds
    assert {each.name for each in SHORTCUTS} == {each["name"] for each in shortcuts}
    for shortcut in shortcuts:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert f"*{shortcut['name']}*" in COMMANDS


def test_manifest_has_a_home_tab_and_direct_messages() -> None:
    home = MANIFEST["features"]["app_home"]
    assert home == {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True}


def test_manifest_declares_the_step_with_its_outputs() -> None:
    (step,) = MANIFEST["functions"].items()
    assert re.findall(r"@app\.function\((\w+)", SOURCES) == ["CALLBACK_ID"]
    assert step[0] == CALLBACK_ID
    declared = {where: step[1][f"{where}_parameters"] for where in ("input", "output")}
    assert set(declared["input"]["properties"]) == {"agent", "name"}
    outputs = outputs_of(Session(**SESSION, join_url="https://example.com/j", join_code="c0de"))
    assert set(outputs) == set(declared["output"]["properties"])
    assert set(declared["output"]["required"]) == set(outputs_of(Session(**SESSION, join_url="https://example.com/j")))
    assert MANIFEST["settings"]["function_runtime"] == "remote"
    assert MANIFEST["settings"]["org_deploy_enabled"] is True  # or Slack offers no step


def test_the_sandboxs_step_is_the_manifests() -> None:
    (step,) = world.STEPS
    declared = MANIFEST["functions"][step.callback_id]
    for where, parameters in (("input", step.inputs), ("output", step.outputs)):
        properties = declared[f"{where}_parameters"]["properties"]
        assert {each.name: each.type for each in parameters} == {n: each["type"] for n, each in properties.items()}
        required = {each.name for each in parameters if each.is_required}
        assert required == set(declared[f"{where}_parameters"]["required"])


def test_pages_name_every_reserved_word_fault_and_role() -> None:
    for word in RESERVED:
        assert f"/cobrowse {word}`" in COMMANDS, word
    for word in (*FAULTS, *ROLES):
        assert f"`{word}`" in COMMAND_LINE, word


def test_the_architecture_shows_the_path_of_a_command() -> None:
    path = ARCHITECTURE.partition("## The path of one `/cobrowse`\n\n```\n")[2].partition("```")[0]
    steps = re.findall(r"^([\w/.]+) +([\w_]+\.py)?", path, re.MULTILINE)
    assert len(steps) >= 8
    for place, name in steps:
        assert (ROOT / "bot" / place / name if name else ROOT / "bot" / place).exists(), (place, name)


def test_pages_name_every_dependency_and_every_command() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert needed
    for name in re.findall(r'"([A-Za-z][\w-]*)', needed[1]):
        assert f"`{name}`" in ARCHITECTURE, name
    for name in main.commands:
        assert f"\n## cobrowse-bot {name}" in COMMAND_LINE, name


def test_every_folder_and_top_file_is_in_the_layout() -> None:
    layout = ARCHITECTURE.partition("## Layout")[2].partition("```\n\n")[0]
    for path in (ROOT / "bot").glob("*.py"):
        assert path.stem.startswith("__") or f"  {path.name} " in layout, path
    for package in (ROOT / "bot").rglob("__init__.py"):
        assert package.parent == ROOT / "bot" or f"{package.parent.name}/" in layout, package


def test_a_folder_holds_twelve_files_at_most_three_levels_deep() -> None:
    for package in (ROOT / "bot").rglob("__init__.py"):
        assert len(package.parent.relative_to(ROOT).parts) <= 4, package
        files = [path.name for path in package.parent.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 12, (package, files)


def test_every_module_begins_by_saying_what_it_is_for() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path


def modules_of_tests(source: str) -> Iterator[str]:
    """Yield each module of the tests that a source imports, outside tests/support."""
    suspicious = re.search(
        r"\bimport\b.*\btests\b|\bfrom +(?:\.|tests\b(?!\.support\b))", source
    )  # quicker than to parse
    for node in ast.walk(ast.parse(source)) if suspicious else ():
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] in ("", "tests") and parts[:2] != ["tests", "support"]:
                yield name


def test_what_tests_share_stands_in_support() -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in modules_of_tests(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(["Move what is shared into tests/support:", *found])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from tests.e2e.test_send import presses", ["tests.e2e.test_send.presses"]),
        ("from tests.e2e import test_send", ["tests.e2e.test_send"]),
        ("from tests import conftest", ["tests.conftest"]),
        ("import tests.e2e.test_send", ["tests.e2e.test_send"]),
        ("def late():\n    from .test_send import presses", [".test_send.presses"]),
        ("from tests.support.app import ANA", []),
        ("from tests.support import app", []),
        ("from tests import support", []),
        ("import testing, bot", []),
    ],
)
def test_imports_of_test_modules_are_found(line: str, found: list[str]) -> None:
    assert list(modules_of_tests(line)) == found


def test_each_case_runs_all_cases_and_names_those_that_fail() -> None:
    seen = []

    @each_case("last", [3, 4], ids=["three", "four"])
    @each_case(("one", "two"), [(1, 2), (2, 2)])
    def check(one: int, two: int, last: int) -> None:
        seen.append((one, two, last))
        assert one == two

    with pytest.raises(FailedCases, match="2 cases failed") as caught:
        check()
    assert seen == [(1, 2, 3), (2, 2, 3), (1, 2, 4), (2, 2, 4)]
    notes = [error.__notes__ for error in caught.value.exceptions]
    assert notes == [["case 1: one=1, two=2", "case 1: three"], ["case 1: one=1, two=2", "case 2: four"]]
    with pytest.raises(AssertionError, match="there is no case"):
        each_case("name", [])


def test_the_lock_files_name_no_address_of_a_registry() -> None:
    locks = ("requirements.txt", "requirements-image.txt", "requirements-dev.txt", "requirements-build.txt")
    for name in (*locks, "requirements-audit.txt", "requirements-release.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        assert all(
            "--hash=" in text.split(line, 1)[1][:200] for line in re.findall(r"^[a-z][\w.-]*==\S+.*$", text, re.M)
        )


def test_the_version_can_be_asked_for() -> None:
    answer = CliRunner().invoke(main, ["--version"])
    assert bot.__version__ in answer.output
    assert "Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_class_names_are_neither_logged_nor_shown() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        if "sandbox" not in path.parts:
            assert not re.search(r"type\(\w+(\.\w+)*\)\.__name__", path.read_text(encoding="utf-8")), path


def test_the_dev_container_has_what_ci_has_and_runs_the_tests() -> None:
    folder = ROOT / ".devcontainer"
    assert json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))["postCreateCommand"] == "make test"
    there = (folder / "Dockerfile").read_text(encoding="utf-8").split()
    (wanted,) = re.findall(
        r"--no-install-recommends (.*?) >/dev/null", (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    )
    assert [name for name in wanted.split() if name not in there] == []


def test_ci_runs_the_slow_tests_and_make_test_all_others() -> None:
    def selected(target: str) -> list[str]:
        planned = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        (last,) = [line for line in planned.splitlines() if " -m pytest " in line]
        return last.partition(" -m pytest -n 7 --dist loadfile ")[2].split()

    slow = selected("test-slow")
    assert slow == ["tests/resilience", "tests/sandbox/web"]
    assert all((ROOT / folder).is_dir() for folder in slow)
    assert selected("test") == [f"--ignore={folder}" for folder in slow]
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in commands if line.startswith("make test")] == ["make test", "make test-slow"]


def test_make_help_names_every_command_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([\w-]+)", shown, re.MULTILINE)) == set(phony[1].split())


def test_make_install_makes_the_command_that_runs_this_folder(tmp_path: Path) -> None:
    """The test uses a copy of the repository whose environment already exists."""
    folder, elsewhere = tmp_path / "a clone", tmp_path / "elsewhere"
    (folder / ".venv" / "bin").mkdir(parents=True)
    elsewhere.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-build.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / "bot").symlink_to(ROOT / "bot")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for stamp in ("run.stamp", "locales.stamp"):
        (folder / ".venv" / stamp).touch()
    subprocess.run(["make", "install"], cwd=folder, capture_output=True, check=True)
    command = [str(folder / ".venv" / "bin" / "cobrowse-bot"), "--version"]
    (elsewhere / "bot").mkdir()  # of somebody else
    (elsewhere / "bot" / "__init__.py").write_text("raise SystemExit('not ours')\n")
    shown = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("cobrowse-bot, version ")


def test_readme_is_a_front_page() -> None:
    assert len(README.splitlines()) <= 120
    assert README.index("](docs/images/card.png)") < README.index("\n## ")


def test_readme_needs_one_command_to_try_and_one_to_test() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in ("sandbox", "test"):
        assert command in targets
        assert re.search(rf"^make {command}$", README, re.MULTILINE)
