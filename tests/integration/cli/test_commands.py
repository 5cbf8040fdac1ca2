"""The commands that end by themselves, as somebody types them: `start`, `applications` and `sandbox --once`.

Every process of this file runs once, all at the same time. The tests read the results.
"""

import asyncio
import json
import re
from typing import Any

import pytest

from tests.support.cli import ANA, Run, typed, with_genesys

BEN = "22222222-2222-4222-8222-222222222222"
FAILING = ("401", "403", "invalid-host", "unknown-application", "500", "dropped", "no-join-url", "down")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return the result of every process, by its name."""
    directory = tmp_path_factory.mktemp("cli")
    once = ["sandbox", "--once"]
    shaped = ["start", "--json", "--name", "Checkout <help>", "--application", "shop", "--timeout", "600"]
    work = {
        "start": with_genesys(directory / "start", ["start"], interpreter=True),
        "start shaped": with_genesys(directory / "shaped", [*shaped, "--host-user-id", BEN.upper()]),
        "start failing": with_genesys(directory / "failing", ["start"], "403"),
        "start unknown": with_genesys(directory / "unknown", ["start", "--application", "<none> & co"]),
        "start addressed": with_genesys(directory / "addressed", ["start", "--name", "Refund for joe@example.com"]),
        "start no host": with_genesys(directory / "host", ["start", "--host-user-id", "ana"]),
        "applications": with_genesys(directory / "applications", ["applications"], interpreter=True),
        "start no settings": typed(directory, ["start"]),
        "once": typed(directory, [*once, "/cobrowse Checkout help", "--json"], interpreter=True),
        "once slow": typed(
            directory, [*once, "/cobrowse @ben Checkout", "--as", "supervisor", "--http", "--genesys", "slow"]
        ),
        "once 429": typed(directory, [*once, "/cobrowse", "--genesys", "429"]),
        "once 500-twice": typed(directory, [*once, "/cobrowse", "--genesys", "500-twice"]),
        "once unmapped": typed(directory, [*once, "/cobrowse", "--as", "unmapped"]),
        "once guest": typed(directory, [*once, "/cobrowse", "--as", "guest", "--http"]),
        "once unknown as admin": typed(
            directory, [*once, "/cobrowse", "--as", "admin", "--genesys", "unknown-application"]
        ),
        **{f"once {fault}": typed(directory, [*once, "/cobrowse", "--genesys", fault]) for fault in FAILING},
    }
    turns = asyncio.Semaphore(6)

    async def in_turn(coroutine: Any) -> Run:
        async with turns:
            return await coroutine

    async def all_of_them() -> list[Run]:
        return await asyncio.gather(*map(in_turn, work.values()))

    return dict(zip(work, asyncio.run(all_of_them()), strict=True))


def test_start_needs_nothing_but_the_seeds_own_settings(runs: dict[str, Run]) -> None:
    run = runs["start"]
    assert (run.code, run.err) == (0, "")
    (create,) = run.creates
    assert create.body["hostUserId"] == ANA
    assert create.body["application"] == {"id": "web", "type": "web"}
    assert create.body["timeoutSeconds"] == 1800
    assert create.body["metadata"]["context"] == "command-line"
    lines = dict(line.split(": ", 1) for line in run.out.splitlines())
    assert lines.pop("Join URL").startswith("http://127.0.0.1:")
    assert lines == {"Session ID": create.session_id, "Status": "active", "Host User ID": ANA}


def test_start_refuses_an_address_as_a_name(runs: dict[str, Run]) -> None:
    run = runs["start addressed"]
    assert (run.code, run.creates) == (1, [])
    assert "--name must hold no phone number" in run.err
    assert "joe" not in run.err


def test_start_prints_json_for_machines(runs: dict[str, Run]) -> None:
    run = runs["start shaped"]
    assert (run.code, run.err) == (0, "")
    (create,) = run.creates
    answer = json.loads(run.out)
    assert sorted(answer) == ["hostUserId", "id", "joinUrl", "status"]
    assert answer["id"] == create.session_id
    assert answer["hostUserId"] == create.body["hostUserId"] == BEN
    assert create.body["application"]["id"] == "shop"
    assert create.body["sessionName"] == "Checkout <help>"
    assert create.body["timeoutSeconds"] == 600


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("start failing", ["cobrowse:session:write", "Admin › Integrations › OAuth", "Genesys reference"]),
        ("start unknown", ["<none> & co", "COBROWSE_APPLICATION_ID", "web, shop"]),
        ("start no host", ["--host-user-id", "UUID"]),
    ],
)
def test_a_failure_of_start_is_one_line_and_exits_with_1(runs: dict[str, Run], name: str, told: list[str]) -> None:
    run = runs[name]
    assert (run.code, run.out) == (1, "")
    assert len(run.err.splitlines()) == 1
    assert "&lt;" not in run.err
    for phrase in told:
        assert phrase in run.err


def test_start_without_settings_lists_them_and_no_slack_one(runs: dict[str, Run]) -> None:
    run = runs["start no settings"]
    assert (run.code, run.out) == (1, "")
    assert "GENESYS_REGION" in run.err
    assert "GENESYS_CLIENT_ID" in run.err
    assert "SLACK" not in run.err
    assert "Traceback" not in run.err


def test_applications_are_listed(runs: dict[str, Run]) -> None:
    run = runs["applications"]
    assert (run.code, run.err) == (0, "")
    assert [line.split("\t")[0] for line in run.out.splitlines()] == ["web", "shop"]


def test_once_prints_what_the_person_reads_as_json(runs: dict[str, Run]) -> None:
    run = runs["once"]
    assert (run.code, run.err) == (0, "")
    answer = json.loads(run.out)
    assert answer["failed"] is False
    assert re.match(r"http://127\.0\.0\.1:\d+/join/\S+$", answer["joinUrl"])
    (message,) = answer["messages"]
    assert message["only_visible_to_you"] is True
    assert "Checkout help" in message["text"]
    assert answer["joinUrl"] not in message["text"]


def test_supervisors_command_for_another_waits_over_http(runs: dict[str, Run]) -> None:
    run = runs["once slow"]
    assert (run.code, run.err) == (0, "")
    assert "Starting your session" in run.out
    assert "For @Ben Brandt" in run.out
    assert "/join/" in run.out


def test_once_rides_out_what_passes(runs: dict[str, Run]) -> None:
    assert "Genesys is busy. Your link comes in about" in runs["once 429"].out
    for name in ("once 429", "once 500-twice"):
        assert (runs[name].code, runs[name].err) == (0, "")
        assert "/join/" in runs[name].out


TOLD = {
    "401": "My connection to Genesys is broken",
    "403": "Genesys doesn’t let me do this yet",
    "invalid-host": "a license is missing",
    "unknown-application": "doesn’t know the co-browse application that I use",
    "500": "Genesys status",
    "dropped": "don’t have a link for you",
    "no-join-url": "no link that I can use",
    "down": "can’t reach Genesys",
    "unmapped": "isn’t connected to Genesys",
    "guest": "Guests can’t use co-browse",
}


@pytest.mark.parametrize("name", TOLD)
def test_once_exits_with_1_when_the_person_is_told_of_a_failure(runs: dict[str, Run], name: str) -> None:
    run = runs[f"once {name}"]
    assert (run.code, run.err) == (1, "")
    assert TOLD[name] in run.out
    assert "/join/" not in run.out


def test_once_as_the_contact_reads_the_repair(runs: dict[str, Run]) -> None:
    run = runs["once unknown as admin"]
    assert (run.code, run.err) == (1, "")
    assert "COBROWSE_APPLICATION_ID" in run.out
    assert "shop, portal" in run.out


def test_unknown_choice_is_refused_with_the_choices() -> None:
    from click.testing import CliRunner

    from bot.cli.commands import main

    for option, value, choice in (("--genesys", "gremlins", "500-twice"), ("--as", "boss", "supervisor")):
        result = CliRunner().invoke(main, ["sandbox", "--once", "/cobrowse", option, value])
        assert result.exit_code == 2
        assert choice in result.output
    result = CliRunner().invoke(main, ["start", "--timeout", "5"])
    assert result.exit_code == 2
