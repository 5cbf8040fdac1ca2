"""The sandbox's Slack as an Enterprise Grid organization: what an org-wide token has to say, and what payloads name."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.run import run_once
from bot.sandbox.slack.payloads import app_home_opened, event_callback, shortcut
from bot.sandbox.slack.server import SandboxSlack
from bot.sandbox.slack.shapes import command_origin
from bot.sandbox.world import GRID_ID, LEADS_ID, SALES_ID, turn_into_grid
from tests.support.app import ANA, BEN, SAM, Servers, open_servers
from tests.support.sandbox_slack import error_of

HOME = "T0SANDBOX"


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers(grid=True) as opened:
        yield opened


@pytest.fixture
def web(servers: Servers) -> AsyncWebClient:
    return AsyncWebClient(servers.keys.bot_token, base_url=servers.slack.api_url)


async def test_org_wide_token_is_of_the_organization(web: AsyncWebClient) -> None:
    answer = await web.auth_test()
    assert (answer["team_id"], answer["enterprise_id"], answer["is_enterprise_install"]) == (GRID_ID, GRID_ID, True)
    teams = (await web.auth_teams_list())["teams"]
    assert [(each["id"], each["name"]) for each in teams] == [(HOME, "Customer Care"), (SALES_ID, "Sales")]


async def test_calls_that_need_a_workspace_are_refused_without_one(servers: Servers, web: AsyncWebClient) -> None:
    assert await error_of(web.usergroups_users_list(usergroup=LEADS_ID)) == "missing_argument"
    assert await error_of(web.users_list()) == "missing_argument"
    assert await error_of(web.bots_info(bot="B0BOT")) == "missing_argument"
    assert await error_of(web.usergroups_users_list(usergroup=LEADS_ID, team_id="T0ELSE")) == "team_not_found"


async def test_user_group_is_known_in_its_workspace_only(web: AsyncWebClient) -> None:
    assert await error_of(web.usergroups_users_list(usergroup=LEADS_ID, team_id=HOME)) == "no_such_subteam"
    assert (await web.usergroups_users_list(usergroup=LEADS_ID, team_id=SALES_ID))["users"] == [SAM]
    members = (await web.users_list(team_id=SALES_ID))["members"]
    assert BEN not in [each["id"] for each in members]


@pytest.mark.parametrize("asked", [ANA, "W0ANA"])
async def test_person_is_shown_with_both_ids(web: AsyncWebClient, asked: str) -> None:
    user = (await web.users_info(user=asked))["user"]
    assert (user["id"], user["enterprise_user"]["id"]) == (ANA, "W0ANA")
    assert user["enterprise_user"] == user["enterprise_user"] | {"enterprise_id": GRID_ID, "teams": [HOME, SALES_ID]}


def test_payloads_name_the_workspace_where_slack_does(servers: Servers) -> None:
    workspace = servers.slack.workspace
    typed = command_origin(workspace, ANA, "C0SALES", None)
    assert (typed["team_id"], typed["enterprise_id"], typed["user_id"]) == (SALES_ID, GRID_ID, "W0ANA")
    pressed = shortcut(workspace, ANA, "x", SALES_ID)
    assert (pressed["team"], pressed["enterprise"], pressed["is_enterprise_install"]) == (None, {"id": GRID_ID}, True)
    assert pressed["user"] == pressed["user"] | {"id": "W0ANA", "team_id": GRID_ID}
    event = event_callback(workspace, app_home_opened(workspace, ANA, "home", None, SALES_ID), SALES_ID)
    assert (event["team_id"], event["enterprise_id"], event["event"]["user"]) == (SALES_ID, GRID_ID, "W0ANA")
    assert event["authorizations"][0] == event["authorizations"][0] | {
        "team_id": None,
        "enterprise_id": GRID_ID,
        "is_enterprise_install": True,
    }


async def test_ephemeral_message_reaches_a_person_by_either_id(servers: Servers, web: AsyncWebClient) -> None:
    await web.chat_postEphemeral(channel="C0CARE", user="W0ANA", text="one")
    await web.views_publish(user_id="W0ANA", view={"type": "home", "blocks": []})
    assert [each.text for each in servers.slack.seen_by(ANA)] == ["one"]
    assert servers.slack.home_of(ANA)


def test_people_see_the_channels_of_their_workspaces(servers: Servers) -> None:
    sees = servers.slack.workspace.is_member
    assert [sees(ANA, each) for each in ("C0CARE", "C0SALES", "C0ALL")] == [True, True, True]
    assert [sees(BEN, each) for each in ("C0CARE", "C0SALES", "C0ALL")] == [True, False, True]


async def test_one_command_runs_in_a_grid() -> None:
    answer = await run_once("/cobrowse Checkout", "agent", grid=True)
    assert not answer.failed


def test_turning_names_the_group_that_leads(servers: Servers) -> None:
    slack: SandboxSlack = servers.slack
    assert turn_into_grid(slack) == {"COBROWSE_SUPERVISORS": LEADS_ID}
