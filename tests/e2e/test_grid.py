"""An Enterprise Grid organization with two workspaces, in which the app is installed: one bot, one person in both."""

import json
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Delivery, SlackChannel, SlackUser
from bot.sandbox.world import LEADS_ID, SALES_ID
from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support.app import (
    ADA,
    ANA,
    BEN,
    CARE,
    HOSTS,
    OUTSIDER,
    SAM,
    SHARED,
    UNA,
    Journey,
    buttons,
    link,
    open_journey,
    words,
)
from tests.support.session_buttons import DETAILS, END, POST, confirms, opens, presses
from tests.support.views import START, filled, home_says, opens_home, said, sends
from tests.support.workflow import over

SALES, EVERYWHERE = "C0SALES", "C0ALL"
UNAS_HOST = "55555555-5555-4555-8555-555555555555"


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def grid(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    async with open_journey(grid=True, http=request.param) as opened:
        yield opened


@pytest.fixture
async def socket():  # type: ignore[no-untyped-def]
    async with open_journey(grid=True) as opened:
        yield opened


def groups_asked(journey: Journey) -> list[tuple[str | None, str | None]]:
    """Each call about a user group: its workspace, and Slack's error."""
    calls = [call for call in journey.slack.calls if call.method == "usergroups.users.list"]
    return [(call.args.get("team_id"), call.error) for call in calls]


def ids_sent(*deliveries: Delivery) -> list[str]:
    """The user ids in what Slack delivered."""
    return [each.payload.get("user_id") or each.payload["user"]["id"] for each in deliveries]


def session_id(journey: Journey) -> str:
    (found,) = journey.genesys.sessions
    return str(found)


# -- Commands --


async def test_person_is_the_same_in_both_workspaces(grid: Journey) -> None:
    url = link(await grid.asks("Checkout"))
    assert url in str((await grid.asks("last", channel_id=SALES)).blocks)
    assert "*Checkout*" in words(await grid.asks("status", channel_id=SALES))
    assert link(await grid.asks("Invoice", channel_id=SALES)) != url
    assert "*Invoice*" in words(await grid.asks("status"))
    assert set(ids_sent(*grid.slack.deliveries)) == {ANA, "W0ANA"}
    assert {str(create.body["hostUserId"])[:8] for create in grid.genesys.creates} == {HOSTS[ANA]}


async def test_card_names_the_open_session_of_another_workspace(socket: Journey) -> None:
    await socket.asks("Checkout")
    await socket.asks("Invoice", channel_id=SALES)
    card = words(await socket.asks("Refund"))
    assert "*Invoice* is still open" in card
    assert "and so is 1 more" in card


async def test_supervisor_of_one_workspaces_group_leads_in_both(grid: Journey) -> None:
    for channel in (CARE, SALES, EVERYWHERE):
        assert link(await grid.asks("@ana", who=SAM, channel_id=channel))
    asked = groups_asked(grid)
    assert (SALES_ID, None) in asked
    assert not [error for _, error in asked if error not in (None, "no_such_subteam")]
    assert all(team for team, _ in asked)  # Slack answers missing_argument otherwise


@pytest.mark.parametrize("who", [ANA, BEN])
async def test_member_outside_the_group_leads_nowhere(socket: Journey, who: str) -> None:
    channel = SALES if who == ANA else CARE
    assert "supervisor" in words(await socket.asks("@una", who=who, channel_id=channel))
    assert socket.genesys.creates == []


async def test_warm_command_asks_slack_nothing_in_either_workspace(socket: Journey) -> None:
    await socket.asks("@ana", who=SAM, channel_id=SALES)
    before = len(socket.slack.calls)
    await socket.asks("@ana", who=SAM, channel_id=SALES)
    await socket.asks("@ana Other", who=SAM)
    asked = [call.method for call in list(socket.slack.calls)[before:]]
    assert set(asked) <= {"response_url", "conversations.open", "chat.postMessage"}


async def test_limit_of_starts_counts_both_workspaces() -> None:
    async with open_journey(grid=True, COBROWSE_PERSON_STARTS_PER_MINUTE="2") as journey:
        assert link(await journey.asks("one"))
        assert link(await journey.asks("two", channel_id=SALES))
        delivery = await journey.slack.command(ANA, "three", channel_id=SALES)
        assert "too many sessions" in str(delivery.body)
        assert len(journey.genesys.creates) == 2


async def test_audit_log_names_a_person_by_one_id(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    async with open_journey(grid=True, AUDIT_LOG=str(path)) as journey:
        await journey.asks("cold", channel_id=SALES)
        await journey.asks("warm")
        await journey.asks("@ana third", who=SAM, channel_id=SALES)
        await journey.finish()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["requester"], line["agent"]) for line in lines] == [(ANA, ANA), (ANA, ANA), (SAM, ANA)]


# -- Links to Genesys users --


async def test_link_by_one_id_works_by_the_other(grid: Journey) -> None:
    assert "isn’t connected" in words(await grid.asks("whoami", who=UNA, channel_id=SALES))
    await grid.asks(f"link <@{UNA}> {UNAS_HOST}", who=ADA, escape=False)
    assert link(await grid.asks("Deal", who=UNA, channel_id=SALES))
    assert link(await grid.asks("Invoice", who=UNA))
    assert {create.body["hostUserId"] for create in grid.genesys.creates} == {UNAS_HOST}
    await grid.asks("unlink <@W0UNA>", who=ADA, escape=False, channel_id=SALES)
    assert "isn’t connected" in words(await grid.asks("whoami", who=UNA))


async def test_hosts_file_of_one_workspace_holds_in_the_organization(tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text(f"slack_user_id,genesys_user_id,team_id\nW0UNA,{UNAS_HOST},{SALES_ID}\n")
    async with open_journey(grid=True, COBROWSE_HOSTS_FILE=str(file)) as journey:
        assert link(await journey.asks("Deal", who=UNA))


# -- Others --


async def test_stranger_of_a_shared_channel_is_refused_everywhere(grid: Journey) -> None:
    card = await grid.asks("Deal", channel_id=SHARED)
    assert "other organizations" in words(await grid.asks("Deal", who=OUTSIDER, channel_id=SHARED))
    await grid.slack.press(OUTSIDER, card, END)
    await grid.slack.shortcut(OUTSIDER, START)
    await grid.slack.open_home(OUTSIDER)
    await grid.finish()
    assert len(grid.genesys.creates) == 1
    assert [each.status for each in grid.genesys.sessions.values()] == ["active"]
    assert grid.slack.home_of(OUTSIDER) is None
    assert grid.slack.views_of(OUTSIDER) == [] or "other organizations" in said(grid.slack.views_of(OUTSIDER)[0])


async def test_person_of_another_organization_is_refused(socket: Journey) -> None:
    other = SlackUser("U0OZZ", "ozz", "Ozz Other", "ana@example.com", team_id="T0ELSE")
    socket.slack.workspace.users[other.id] = other
    assert "other organizations" in words(await socket.asks("Deal", who=other.id, channel_id=SHARED))
    payload = {**socket.slack.deliveries[-1].payload, "trigger_id": "1.2.3", "enterprise_id": "E0ELSE"}
    delivery = await socket.slack.send({**payload, "user_id": ANA}, "slash_commands")
    assert delivery.acked
    await socket.finish()
    assert socket.genesys.creates == []


# -- Home, form, buttons, workflow --


async def test_home_in_one_workspace_follows_the_other(grid: Journey) -> None:
    delivery = await grid.slack.open_home(ANA, team_id=SALES_ID)
    assert delivery.payload["authorizations"][0]["team_id"] is None
    await home_says(grid, ANA, "Connected to Genesys as *Ana Agent*")
    await grid.asks("Deal")
    await home_says(grid, ANA, "*Deal*")
    home = await opens_home(grid, ANA)
    assert (await grid.slack.press(ANA, home, "home_refresh", team_id=SALES_ID)).acked
    await grid.asks("end", channel_id=SALES)
    await home_says(grid, ANA, "No open sessions.")


async def test_form_of_the_shortcut_starts_in_either_workspace(grid: Journey) -> None:
    for team_id in (None, SALES_ID):
        delivery = await grid.slack.shortcut(ANA, START, team_id=team_id)
        assert delivery.payload["team"] is None
        assert delivery.payload["is_enterprise_install"] is True
        assert link(await sends(grid, ANA, await filled(grid, ANA), name=f"Deal {team_id}"))
    assert len(grid.genesys.creates) == 2


async def test_supervisors_list_holds_sessions_of_both_workspaces(grid: Journey) -> None:
    await grid.asks("Deal")
    listed = await grid.asks("list", who=SAM, channel_id=SALES)
    assert "*Deal*" in words(listed)
    assert (await confirms(grid.slack, SAM, listed, "row_menu", chosen="end")).acked
    await grid.slack.until(lambda: "ended by" in words(listed) or "No open sessions" in words(listed))
    assert [each.status for each in grid.genesys.sessions.values()] == ["ended"]


async def test_buttons_work_where_slack_names_no_workspace(grid: Journey) -> None:
    card = await grid.asks("Deal", channel_id=SALES)
    delivery_count = len(grid.slack.deliveries)
    changed = await presses(grid, card, END)
    (press, *_) = grid.slack.deliveries[delivery_count:]
    assert press.payload["team"] is None
    assert press.payload["user"]["team_id"] == "E0SANDBOX"
    assert "*Deal* · ended by" in words(changed)


async def test_session_is_posted_in_a_channel_of_the_second_workspace(grid: Journey) -> None:
    card = await grid.asks("Deal", channel_id=SALES)
    await presses(grid, card, POST)
    shared = [each for each in grid.slack.messages if each.channel == SALES and each.visible_to is None]
    assert len(shared) == 1
    assert (await grid.slack.press(SAM, shared[0], END)).acked


async def test_try_again_works_by_the_other_id(socket: Journey) -> None:
    await socket.genesys.inject_fault("invalid-host", times=1)
    failed = await socket.asks("Deal", channel_id=SALES)
    assert "try_again" in buttons(failed)
    failed.channel = CARE  # the same person, by the other id
    assert (await socket.slack.press(ANA, failed, "try_again")).acked
    assert ids_sent(socket.slack.deliveries[0], socket.slack.deliveries[-1]) == ["W0ANA", ANA]
    await socket.slack.until(lambda: socket.genesys.sessions)


async def test_details_open_in_the_second_workspace(socket: Journey) -> None:
    card = await socket.asks("Deal", channel_id=SALES)
    assert session_id(socket) in said(await opens(socket, card, DETAILS))


async def test_workflow_step_of_the_second_workspace_starts(grid: Journey) -> None:
    execution = await grid.slack.function_executed(CALLBACK_ID, {"agent": "W0ANA"}, team_id=SALES_ID)
    await over(grid.slack, execution, 15.0)
    assert execution.status == "succeeded"
    assert link(await grid.asks("last")) == execution.outputs["link"]


# -- A group that no workspace has --


async def test_group_that_no_workspace_has_lets_nobody_in() -> None:
    async with open_journey(grid=True, COBROWSE_MEMBERS=f"S0NONE {LEADS_ID}") as journey:
        assert link(await journey.asks("Deal", who=SAM))
        message = await journey.asks("Deal", channel_id=SALES)
        assert "Nothing was started" in words(message)
        assert len(journey.genesys.creates) == 1


async def test_workspace_that_left_since_is_passed_over(socket: Journey) -> None:
    socket.slack.workspace.channels["C0LEFT"] = SlackChannel("C0LEFT", "left", team_id="T0LEFT")
    delivery = await socket.slack.command(SAM, "@ana", channel_id=CARE, team_id="T0LEFT")
    assert delivery.acked
    await socket.slack.until(lambda: socket.genesys.sessions)
