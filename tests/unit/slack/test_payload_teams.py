"""From which workspace a payload comes: what Slack leaves out or names otherwise in an Enterprise Grid organization."""

from typing import Any

import pytest

from bot.core.access import Workspace
from bot.core.models import TeamId
from bot.slack.listeners.actions import read_actor
from bot.slack.listeners.home_tab import read_visitor
from bot.slack.listeners.workflow_step import read_step

ORG, OTHER_ORG, HOME, OTHER = "E0ORG", "E0ELSE", "T0HOME", "T0OTHER"


def press(user_team: str | None, team: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a press. `team` is the workspace that it names, None for null as in an org-wide install."""
    named = {"id": team} if team else None
    return {"user": {"id": "U0ANA", "team_id": user_team}, "team": named, "enterprise": {"id": ORG}, **more}


@pytest.mark.parametrize(
    ("body", "team_id"),
    [
        (press(HOME, HOME), HOME),
        (press(OTHER, HOME), OTHER),  # a person of another workspace, in a shared channel
        (press(OTHER_ORG, HOME), OTHER_ORG),  # a person of another organization
        (press(ORG, HOME), HOME),
        (press(ORG, view={"team_id": HOME, "app_installed_team_id": ORG}), HOME),
        (press(ORG, message={"team": HOME}), HOME),
        (press(ORG), ORG),
        (press(None, HOME), HOME),
        (press(None), ORG),
    ],
)
def test_press_comes_from_the_persons_own_team(body: dict[str, Any], team_id: str) -> None:
    actor = read_actor(body)
    assert (actor.team_id, actor.enterprise_id) == (team_id, ORG)


@pytest.mark.parametrize(("user_team", "is_served"), [(ORG, True), (HOME, True), (OTHER, False), (OTHER_ORG, False)])
def test_bot_takes_presses_that_name_its_organization(user_team: str, is_served: bool) -> None:
    actor = read_actor(press(user_team, HOME))
    assert Workspace(TeamId(HOME), TeamId(ORG)).serves(actor.team_id, actor.enterprise_id) is is_served


@pytest.mark.parametrize(
    ("body", "team_id"),
    [
        ({"team_id": HOME, "enterprise_id": ORG}, HOME),
        ({"team_id": None, "enterprise_id": ORG}, ORG),
        ({"team_id": None, "authorizations": [{"team_id": HOME, "enterprise_id": ORG}]}, HOME),
        ({"authorizations": [{"team_id": None, "enterprise_id": ORG, "is_enterprise_install": True}]}, ORG),
    ],
)
def test_event_comes_from_its_workspace_or_organization(body: dict[str, Any], team_id: str) -> None:
    visitor = read_visitor({**body, "event": {"user": "W0ANA"}})
    step = read_step({**body, "event": {"function_execution_id": "Fx1", "inputs": {"agent": "W0ANA"}}})
    for request in (visitor, step):
        assert (request.team_id, request.enterprise_id, request.requester) == (team_id, ORG, "W0ANA")
