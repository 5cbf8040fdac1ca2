"""One person with two ids in an Enterprise Grid: either id works in lists, groups, hosts and links."""

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.check.results import Status
from bot.core.access import Workspace
from bot.slack.api.directory import ids_in
from tests.support.accounts import BENS, connects, open_connecting
from tests.support.app import (
    ANA,
    BEN,
    HOSTS,
    SAM,
    Journey,
    Servers,
    buttons,
    link,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.check import right_environ, run_checks

TWIN = "W0ANA"
ADD_LINK = "INSERT INTO links (team_id, user_id, host_id, linked_at) VALUES ('T0SANDBOX', ?, ?, 0)"
OTHER_HOST = "33333333-3333-4333-8333-333333333333"


def in_grid(servers: Servers, user_id: str = ANA, **how: Any) -> None:
    """Give a person a second id."""
    users = servers.slack.workspace.users
    users[user_id] = replace(users[user_id], enterprise_user_id=f"W{user_id[1:]}", **how)


def org_wide(servers: Servers) -> None:
    servers.slack.workspace.enterprise_id, servers.slack.workspace.is_org_wide = "E0SANDBOX", True


async def asks(servers: Servers, text: str = "", who: str = ANA, **environ: str) -> Any:
    async with open_bot_between(servers, servers.environ | environ, http=False) as journey:
        return await journey.asks(text, who=who)


@pytest.mark.parametrize("group_has", [ANA, TWIN])
@pytest.mark.parametrize("is_org_wide", [False, True], ids=["workspace", "org-wide"])
async def test_group_of_members_knows_either_id(group_has: str, is_org_wide: bool) -> None:
    async with open_servers() as servers:
        in_grid(servers)
        if is_org_wide:
            org_wide(servers)
        servers.slack.workspace.usergroups["S0ALL"] = [group_has]
        assert link(await asks(servers, COBROWSE_MEMBERS="S0ALL"))
        (call,) = [call for call in servers.slack.calls if call.method == "usergroups.users.list"]
        assert call.args.get("team_id") == ("T0SANDBOX" if is_org_wide else None)
        assert "not on the list" in words(await asks(servers, who=BEN, COBROWSE_MEMBERS="S0ALL"))


async def test_supervisors_of_an_org_wide_group_act_for_others() -> None:
    async with open_servers() as servers:
        org_wide(servers)
        assert link(await asks(servers, "@ana", who=BEN, COBROWSE_SUPERVISORS="S0LEADS"))


@pytest.mark.parametrize("setting", ["COBROWSE_MEMBERS", "COBROWSE_SUPERVISORS", "COBROWSE_ADMINS"])
async def test_lists_of_people_know_the_other_id(setting: str) -> None:
    async with open_servers() as servers:
        in_grid(servers)
        environ = {"COBROWSE_MEMBERS": SAM} | {setting: TWIN}
        assert link(await asks(servers, **environ))
        if setting != "COBROWSE_MEMBERS":
            assert link(await asks(servers, "@sam", **environ))
        if setting == "COBROWSE_ADMINS":
            assert "This person isn’t connected by hand" in words(await asks(servers, "unlink @ben", **environ))


@pytest.mark.parametrize("listed", [ANA, TWIN])
async def test_hosts_file_knows_either_id(tmp_path: Path, listed: str) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text(f"slack_user_id,genesys_user_id\n{listed},{OTHER_HOST}\n")
    async with open_servers() as servers:
        in_grid(servers)
        assert OTHER_HOST in words(
            await asks(servers, "whoami", COBROWSE_HOSTS_FILE=str(file), COBROWSE_HELP_CONTACT=ANA)
        )


async def test_two_ids_with_two_hosts_start_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    ben = HOSTS[BEN] + OTHER_HOST[8:]
    file.write_text(f"slack_user_id,genesys_user_id\n{ANA},{OTHER_HOST}\n{TWIN},{ben}\n")
    async with open_servers() as servers:
        in_grid(servers)
        environ = {"COBROWSE_HOSTS_FILE": str(file), "COBROWSE_MATCH_EMAIL": "off", "COBROWSE_HELP_CONTACT": ANA}
        assert "U0ANA and W0ANA are the same person" in words(await asks(servers, **environ))
        assert servers.genesys.sessions == {}


async def test_link_by_the_other_id_works_and_is_removed(tmp_path: Path) -> None:
    async with open_servers() as servers:
        in_grid(servers)
        environ = {
            "COBROWSE_ADMINS": SAM,
            "COBROWSE_HELP_CONTACT": ANA,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
        }
        async with open_bot_between(servers, servers.environ | environ, http=False) as journey:
            servers.slack.workspace.users[TWIN] = replace(servers.slack.workspace.users[ANA], id=TWIN, name="twin")
            await journey.asks(f"link <@{TWIN}> {OTHER_HOST}", who=SAM, escape=False)
            assert OTHER_HOST in words(await journey.asks("whoami"))
            await journey.asks("unlink @ana", who=SAM)
            assert OTHER_HOST not in words(await journey.asks("whoami"))


async def test_links_of_both_ids_to_two_hosts_start_nothing_when_warm(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with open_servers() as servers:
        in_grid(servers)
        environ = servers.environ | {"DATABASE_URL": f"sqlite:///{path}", "COBROWSE_HELP_CONTACT": ANA}
        async with open_bot_between(servers, environ, http=False) as journey:
            assert link(await journey.asks("warm"))
            with contextlib.closing(sqlite3.connect(path)) as database, database:
                for user_id, host in ((ANA, OTHER_HOST), (TWIN, BENS)):
                    database.execute(ADD_LINK, (user_id, host))
            assert "U0ANA and W0ANA are the same person" in words(await journey.asks("Deal"))
            assert len(servers.genesys.sessions) == 1
            with contextlib.closing(sqlite3.connect(path)) as database, database:
                database.execute("DELETE FROM links WHERE user_id = ?", (ANA,))
            assert link(await journey.asks("Invoice"))  # by the link of the other id
            assert servers.genesys.creates[-1].body["hostUserId"] == BENS


async def test_link_of_one_workspace_holds_at_once_when_org_wide(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with open_servers() as servers:
        org_wide(servers)
        environ = servers.environ | {"DATABASE_URL": f"sqlite:///{path}"}
        async with open_bot_between(servers, environ, http=False) as journey:
            assert link(await journey.asks("warm"))
            with contextlib.closing(sqlite3.connect(path)) as database, database:
                database.execute(ADD_LINK, (ANA, OTHER_HOST))  # as `hosts set --team` does
            assert link(await journey.asks("Deal"))
            assert servers.genesys.creates[-1].body["hostUserId"] == OTHER_HOST


async def test_account_connected_by_one_id_is_the_persons_by_the_other(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with open_connecting(DATABASE_URL=f"sqlite:///{path}") as journey:
        users = journey.slack.workspace.users
        users[ANA] = replace(users[ANA], enterprise_user_id=TWIN)
        assert (await connects(journey)).status == 200
        assert link(await journey.asks("Checkout", who=TWIN))
        with (
            contextlib.closing(sqlite3.connect(path)) as database,
            database,
        ):  # as an earlier version may do
            database.execute("UPDATE connections SET user_id = ?", (TWIN,))
        assert "You signed in to Genesys yourself" in words(await journey.asks("whoami"))
        journey.genesys.conversations.set_live_count("one")
        assert link(await journey.asks("Refund"))
        assert "You’re signed out of Genesys here" in words(await journey.asks("disconnect"))


@pytest.mark.parametrize(("first", "second"), [(ANA, TWIN), (TWIN, ANA)])
async def test_person_retries_by_the_other_id(journey: Journey, first: str, second: str) -> None:
    users = journey.slack.workspace.users
    users[ANA] = replace(users[ANA], enterprise_user_id=TWIN)
    await journey.genesys.inject_fault("invalid-host", times=1)
    failed = await journey.asks("Deal", who=first)
    delivery = await journey.slack.press(second, failed, "try_again")
    assert delivery.payload["user"]["id"] == second
    await journey.slack.until(lambda: journey.genesys.sessions)


async def test_starts_by_both_ids_count_as_one_persons() -> None:
    async with open_journey(COBROWSE_PERSON_STARTS_PER_MINUTE="2") as journey:
        users = journey.slack.workspace.users
        users[ANA] = replace(users[ANA], enterprise_user_id=TWIN)
        assert link(await journey.asks("Deal"))
        assert link(await journey.asks("Invoice", who=TWIN))
        assert "too many sessions" in str((await journey.slack.command(ANA, "Refund")).body)


async def test_answer_by_the_twin_id_that_is_proven_is_the_person() -> None:
    async with open_servers() as servers:
        users = servers.slack.workspace.users
        users[ANA] = replace(users[ANA], reported_id=TWIN, enterprise_user_id=ANA)
        assert link(await asks(servers))


@pytest.mark.parametrize("grid_id", [None, TWIN, "W0BEN"])
async def test_answer_by_another_id_without_proof_is_refused(tmp_path: Path, grid_id: str | None) -> None:
    async with open_servers() as servers:
        users = servers.slack.workspace.users
        users[ANA] = replace(users[ANA], reported_id=TWIN, enterprise_user_id=grid_id)
        message = await asks(servers, COBROWSE_HELP_CONTACT=ANA)
        assert "knows this person by another id" in words(message)
        assert "try_again" not in buttons(message)
        assert "ry again" not in words(message)
        assert servers.genesys.sessions == {}
        found = (await run_checks(right_environ(servers, tmp_path), ANA))["person"]
        assert found.status is Status.FAILED
        assert "by another id" in found.message
        assert "ry again" not in found.fix


async def test_check_reads_groups_of_an_org_wide_token_in_a_workspace(tmp_path: Path) -> None:
    async with open_servers() as servers:
        org_wide(servers)
        found = await run_checks(right_environ(servers, tmp_path), BEN)
        assert found["user groups"].status is Status.OK
        assert "COBROWSE_SUPERVISORS (by group S0LEADS)" in found["person"].message


async def test_warm_command_of_two_ids_asks_slack_nothing(journey: Journey) -> None:
    users = journey.slack.workspace.users
    users[ANA] = replace(users[ANA], enterprise_user_id=TWIN)
    await journey.asks()
    before = len(journey.slack.calls)
    await journey.asks()
    assert [call.method for call in list(journey.slack.calls)[before:]] == ["response_url"]


def test_ids_of_another_organization_are_no_ids_of_ours() -> None:
    user = {"id": ANA, "enterprise_user": {"id": TWIN, "enterprise_id": "E0ELSE"}}
    assert ids_in(user, Workspace("T0HOME", "E0ORG")) == (ANA,)  # type: ignore[arg-type]
    assert ids_in(user, Workspace("T0HOME", "E0ELSE")) == (ANA, TWIN)  # type: ignore[arg-type]
    del user["enterprise_user"]["enterprise_id"]  # type: ignore[attr-defined]
    assert ids_in(user, Workspace("T0HOME", "E0ORG")) == (ANA,)  # type: ignore[arg-type]


async def test_sessions_are_a_persons_by_either_id() -> None:
    async with open_servers() as servers:
        in_grid(servers)
        twin = replace(servers.slack.workspace.users[ANA], id=TWIN, name="twin", enterprise_user_id=ANA)
        servers.slack.workspace.users[TWIN] = twin
        async with open_bot_between(servers, servers.environ, http=False) as journey:
            url = link(await journey.asks("Deal"))
            assert url in str((await journey.asks("last", who=TWIN)).blocks)
            assert "*Deal*" in words(await journey.asks("status", who=TWIN))
            assert "Ended *Deal*" in words(await journey.asks("end", who=TWIN))
            assert "no open session" in words(await journey.asks("end"))
