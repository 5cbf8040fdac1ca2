"""The sandbox's page where Slack is an Enterprise Grid organization: it shows the workspace, and acts in it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.slack.server import SandboxSlack, SlackChannel
from tests.support import sandbox_page
from tests.support.sandbox_page import say, until
from tests.support.toy_bot import ANA, ToyBot

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
slack, bot, served = sandbox_page.slack, sandbox_page.bot, sandbox_page.served
browser, page, port = sandbox_page.browser, sandbox_page.page, sandbox_page.port


async def test_page_shows_the_workspace_of_the_open_channel(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    workspace = slack.workspace
    workspace.enterprise_id, workspace.is_org_wide = "E0SANDBOX", True
    workspace.teams = {workspace.team_id: "Customer Care", "T0SALES": "Sales"}
    workspace.channels["C0SALES"] = SlackChannel("C0SALES", "sales-desk", team_id="T0SALES")
    workspace.channels["C0ALL"] = SlackChannel("C0ALL", "everyone", is_org_shared=True)
    workspace.users[ANA] = replace(workspace.users[ANA], enterprise_user_id="W0ANA", other_teams=("T0SALES",))
    await page.reload()
    channels = page.get_by_role("navigation", name="Conversations")
    await channels.get_by_role("heading", name="Customer Care").wait_for()
    await channels.get_by_role("button", name="sales-desk (Sales)").click()
    await channels.get_by_role("heading", name="Sales", exact=True).wait_for()
    await channels.get_by_role("button", name="helpdesk (Customer Care)").wait_for()
    await say(page, "/cobrowse Checkout")
    await until(lambda: slack.deliveries)
    typed = slack.deliveries[-1].payload
    assert (typed["team_id"], typed["user_id"]) == ("T0SALES", "W0ANA")
    await channels.get_by_role("button", name="everyone").click()
    await channels.get_by_role("heading", name="Sales", exact=True).wait_for()
    await channels.get_by_role("button", name="cobrowse").click()
    await page.get_by_role("tab", name="Home").click()
    await until(lambda: [kind for kind, _ in bot.heard][-1:] == ["app_home_opened"])
    assert slack.deliveries[-1].payload["team_id"] == "T0SALES"
