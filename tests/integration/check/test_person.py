"""`check --person`: the rule that allows or refuses the person, and their host. It starts no session."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.check.results import Status
from bot.core.models import HostId, UserId
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, BEN, GONE, GUS, HOSTS, OUTSIDER, SAM, UNA, Servers, open_servers
from tests.support.check import right_environ, run_checks, untouched

LINKED = HostId("99999999-9999-4999-8999-999999999999")


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


@pytest.mark.parametrize(
    ("who", "told"),
    [
        (ANA, "every full member may; for themselves only"),
        (SAM, "on COBROWSE_SUPERVISORS (by name); for others too"),
        (BEN, "on COBROWSE_SUPERVISORS (by group S0LEADS); for others too"),
    ],
)
async def test_admitted_person_is_told_the_rule_and_the_host(
    servers: Servers, tmp_path: Path, who: str, told: str
) -> None:
    found = await run_checks(right_environ(servers, tmp_path), who)
    assert found["person"].status is Status.OK
    assert told in found["person"].message
    assert found["host"].message.startswith(HOSTS[who])
    assert "same email" in found["host"].message
    assert untouched(servers)


@pytest.mark.parametrize(("who", "told"), [(GUS, "guest"), (OUTSIDER, "outsider"), (GONE, "deactivated")])
async def test_refused_person_is_told_their_membership(servers: Servers, tmp_path: Path, who: str, told: str) -> None:
    found = await run_checks(right_environ(servers, tmp_path), who)
    assert found["person"].status is Status.FAILED
    assert told in found["person"].message
    assert found["host"].status is Status.SKIPPED


async def test_id_that_slack_does_not_know_is_to_be_copied_again(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path), "U012ADA")
    assert found["person"].status is Status.FAILED
    assert found["person"].message == "Slack knows nobody with the id U012ADA here."
    assert "Copy member ID" in found["person"].fix
    assert found["host"].status is Status.SKIPPED


async def test_unlisted_person_is_told_which_list(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path) | {"COBROWSE_MEMBERS": "U0BEN", "COBROWSE_CHANNELS": "C0CARE"}
    assert "COBROWSE_MEMBERS" in (await run_checks(environ, ANA))["person"].fix
    assert "in C0CARE only" in (await run_checks(environ, BEN))["person"].message


async def test_unmapped_person_is_told_the_rules_and_how_to_link(servers: Servers, tmp_path: Path) -> None:
    host = (await run_checks(right_environ(servers, tmp_path), UNA))["host"]
    assert host.status is Status.FAILED
    assert "same email: no Genesys user has this address" in host.message
    assert f"hosts set {UNA}" in host.fix


async def test_hosts_file_beats_the_address_and_a_link_beats_both(servers: Servers, tmp_path: Path) -> None:
    listed = tmp_path / "hosts.csv"
    listed.write_text(f"slack_user_id,genesys_user_id\n{ANA},88888888-8888-4888-8888-888888888888\n")
    environ = right_environ(servers, tmp_path) | {"COBROWSE_HOSTS_FILE": str(listed)}
    found = await run_checks(environ, ANA)
    assert found["hosts file"].message == "1 people are listed"
    assert found["host"].message.startswith("88888888")
    store = SQLiteStore(str(tmp_path / "bot.db"))
    await store.link([(None, UserId(ANA), LINKED)])
    await store.close()
    assert (await run_checks(environ, ANA))["host"].message == f"{LINKED}, by the rule “linked by an administrator”"


async def test_a_bad_line_of_the_hosts_file_is_a_line_of_its_own(servers: Servers, tmp_path: Path) -> None:
    listed = tmp_path / "hosts.csv"
    listed.write_text("slack_user_id,genesys_user_id\nana,nobody\n")
    found = await run_checks(right_environ(servers, tmp_path) | {"COBROWSE_HOSTS_FILE": str(listed)}, ANA)
    assert found["hosts file"].status is Status.FAILED
    assert "line 2" in found["hosts file"].message
    assert found["person"].status is Status.SKIPPED


async def test_silence_of_slack_or_genesys_is_told_as_that(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path)
    servers.slack.inject_fault("users.info", "internal_error")
    assert "internal_error" in (await run_checks(environ, ANA))["person"].message
    servers.slack.inject_fault("users.info", None)
    await servers.genesys.inject_fault("403", on="search")
    assert "directory:user:view" in (await run_checks(environ, ANA))["host"].fix
