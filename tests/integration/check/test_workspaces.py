"""What `check` says about an app that is installed in a whole Enterprise Grid organization."""

from pathlib import Path

import pytest

from bot.check.results import Status
from bot.sandbox.world import LEADS_ID, SALES_ID
from tests.support.app import ADA, ANA, SAM, open_servers
from tests.support.check import marks, right_environ, run_checks, untouched

GROUPS = {"COBROWSE_SUPERVISORS": LEADS_ID}


async def test_workspaces_are_listed_and_groups_found_in_theirs(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        found = await run_checks(right_environ(servers, tmp_path) | GROUPS, SAM)
        assert found["workspaces"].message == (
            "the app serves 2 of E0SANDBOX: Customer Care (T0SANDBOX), Sales (T0SALES)"
        )
        assert found["user groups"].message == "S0LEADS in Sales: the bot can read who is in them"
        assert "COBROWSE_SUPERVISORS (by group S0LEADS); for others too" in found["person"].message
        assert not {name for name, status in marks(found).items() if status is Status.FAILED}
        assert untouched(servers)
        assert "missing_argument" not in [call.error for call in servers.slack.calls]


@pytest.mark.parametrize("person", [ANA, "W0ANA"])
async def test_person_is_checked_by_either_id(tmp_path: Path, person: str) -> None:
    async with open_servers(grid=True) as servers:
        found = await run_checks(right_environ(servers, tmp_path) | GROUPS | {"COBROWSE_MEMBERS": ANA}, person)
        assert "may start sessions" in found["person"].message
        assert found["host"].status is Status.OK


async def test_group_that_no_workspace_has_is_wrong(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        environ = right_environ(servers, tmp_path) | {"COBROWSE_MEMBERS": f"S0NONE {LEADS_ID} {ADA}"}
        found = (await run_checks(environ))["user groups"]
        assert found.status is Status.FAILED
        assert "S0NONE (COBROWSE_MEMBERS) cannot be read in any of 2 workspaces (no_such_subteam)" in found.message


async def test_app_that_was_added_to_no_workspace_is_wrong(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        servers.slack.workspace.teams = {}
        found = await run_checks(right_environ(servers, tmp_path) | GROUPS)
        assert found["workspaces"].status is Status.FAILED
        assert "in no workspace" in found["workspaces"].message
        assert "administrator" in found["workspaces"].fix
        assert found["user groups"].status is Status.SKIPPED


async def test_list_of_workspaces_that_slack_refuses_is_a_warning(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        servers.slack.inject_fault("auth.teams.list", "internal_error")
        found = await run_checks(right_environ(servers, tmp_path) | GROUPS)
        assert found["workspaces"].status is Status.WARNING
        assert "internal_error" in found["workspaces"].message


async def test_empty_group_of_the_second_workspace_is_a_warning(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        servers.slack.workspace.usergroups[LEADS_ID] = []
        found = (await run_checks(right_environ(servers, tmp_path) | GROUPS))["user groups"]
        assert found.status is Status.WARNING
        assert "has no members" in found.message


async def test_ordinary_token_has_no_line_about_workspaces(tmp_path: Path) -> None:
    async with open_servers() as servers:
        assert "workspaces" not in await run_checks(right_environ(servers, tmp_path))


async def test_contact_can_be_administrator_by_the_other_id(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        environ = right_environ(servers, tmp_path) | {"COBROWSE_ADMINS": "W0ADA", "COBROWSE_HELP_CONTACT": ADA}
        assert (await run_checks(environ | GROUPS))["contact"].status is Status.OK


async def test_contact_in_the_group_of_the_second_workspace_can_help(tmp_path: Path) -> None:
    async with open_servers(grid=True) as servers:
        environ = right_environ(servers, tmp_path) | {"COBROWSE_ADMINS": LEADS_ID, "COBROWSE_HELP_CONTACT": SAM}
        assert (await run_checks(environ))["contact"].status is Status.OK
        assert servers.slack.workspace.group_teams[LEADS_ID] == SALES_ID
