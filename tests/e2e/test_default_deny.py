"""If Slack's answer lacks a field, the bot allows nobody and shares nothing."""

from typing import Any

import pytest

from bot.core.access import Workspace
from bot.core.errors import SharingError, SlackUnavailableError
from bot.core.models import TeamId
from bot.slack.api.channels import share_refusal
from tests.support import session_messages
from tests.support.app import ANA, CARE, SAM, Journey, is_failure, link, words
from tests.support.cases import each_case
from tests.support.session_buttons import POST, confirms
from tests.support.session_messages import World

world = session_messages.world
HOME = Workspace(TeamId("T0HOME"))
GRID = Workspace(TeamId("T0HOME"), TeamId("E0ORG"))
ORG_WIDE = Workspace(TeamId("E0ORG"), TeamId("E0ORG"), org_wide=True)


def channel(**more: Any) -> dict[str, Any]:
    """Return a channel that is shared with nobody, as Slack's documentation shows it."""
    flags = dict.fromkeys(
        ("is_archived", "is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"), False
    )
    lists = {"pending_shared": [], "pending_connected_team_ids": [], "shared_team_ids": ["T0HOME"]}
    return {"id": "C0CARE", "context_team_id": "T0HOME", **flags, **lists} | more


@pytest.mark.parametrize("flag", ["deleted", "is_bot", "is_restricted", "is_ultra_restricted"])
async def test_person_with_parts_left_out_by_slack_starts_nothing(either: Journey, flag: str) -> None:
    methods = either.slack.api._methods
    asked = methods["users.info"]

    def incomplete(args: dict[str, Any]) -> dict[str, Any]:
        user = dict(asked(args)["user"])
        del user[flag]
        return {"user": user}

    methods["users.info"] = incomplete
    message = await either.asks(who=SAM)
    assert is_failure(message)
    assert "Slack didn’t answer my question. Nothing was started." in words(message)
    assert "(`an incomplete answer`)" in words(message)  # Sam is the contact
    assert either.genesys.creates == []
    methods["users.info"] = asked
    assert link(await either.asks(who=SAM))


@pytest.mark.parametrize(
    ("home", "told"),
    [
        (HOME, channel()),
        (HOME, channel(connected_team_ids=[], conversation_host_id="", enterprise_id="")),
        (GRID, channel()),
        (GRID, channel(is_shared=True, is_org_shared=True, shared_team_ids=["T0HOME", "T0SISTER"])),
        (GRID, channel(is_shared=True, is_org_shared=True, enterprise_id="E0ORG")),
        (ORG_WIDE, channel(shared_team_ids=["T0SISTER"], context_team_id="T0SISTER")),
    ],
)
def test_a_channel_of_our_own_may_be_shared_in(home: Workspace, told: dict[str, Any]) -> None:
    assert share_refusal(told, home) is None


@each_case(
    ("home", "told"),
    [
        (HOME, channel(is_ext_shared=True, is_shared=True)),
        (HOME, channel(is_pending_ext_shared=True)),
        (HOME, channel(is_shared=True)),
        (HOME, channel(is_shared=True, connected_team_ids=["T0HOME", "T0OTHER"])),
        (HOME, channel(connected_team_ids=["T0OTHER"])),
        (HOME, channel(connected_limited_team_ids=["T0OTHER"])),
        (HOME, channel(pending_connected_team_ids=["T0OTHER"])),
        (HOME, channel(pending_shared=["T0OTHER"])),
        (HOME, channel(shared_team_ids=["T0HOME", "T0OTHER"])),
        (HOME, channel(conversation_host_id="T0OTHER")),
        (HOME, channel(is_shared=True, is_org_shared=True)),
        (GRID, channel(is_shared=True, is_org_shared=True, enterprise_id="E0OTHER")),
        (GRID, channel(is_shared=True, is_org_shared=True, connected_team_ids=["T0OTHER"])),
        (GRID, channel(is_shared=True)),
        (ORG_WIDE, channel(is_shared=True)),
        (ORG_WIDE, channel(enterprise_id="E0OTHER")),
        (Workspace(TeamId("T0HOME"), None, org_wide=True), channel()),
    ],
)
def test_a_channel_that_others_read_may_not(home: Workspace, told: dict[str, Any]) -> None:
    assert share_refusal(told, home) == "outside"


@each_case("flag", ["is_ext_shared", "is_pending_ext_shared", "is_shared", "is_org_shared"])
@each_case("said", ["missing", None, 0, ""])
def test_a_channel_of_which_slack_does_not_say_it_may_not(flag: str, said: object) -> None:
    told = channel(**{flag: said})
    if said == "missing":
        del told[flag]
    assert share_refusal(told, HOME) == "unclear"


@pytest.mark.parametrize(
    ("left_out", "more", "why"),
    [
        ("is_ext_shared", {}, "unclear"),
        ("", {"is_shared": True, "connected_team_ids": ["T0OTHER"]}, "outside"),
        ("", {"is_shared": True, "is_org_shared": True, "enterprise_id": "E0OTHER"}, "outside"),
        ("", {"connected_team_ids": 7}, None),
    ],
)
async def test_nothing_is_shared_where_slack_does_not_deny_outsiders(
    world: World, left_out: str, more: dict[str, Any], why: str | None
) -> None:
    methods = world.servers.slack.api._methods
    asked = methods["conversations.info"]

    def told(args: dict[str, Any]) -> dict[str, Any]:
        shown = dict(asked(args)["channel"]) | more
        shown.pop(left_out, None)
        return {"channel": shown}

    methods["conversations.info"] = told
    error = await world.shares(await world.made(), CARE)
    if why:
        assert isinstance(error, SharingError)
        assert error.code == "share_refused"
        assert error.why == why
    else:
        assert isinstance(error, SlackUnavailableError)
    assert world.public() == []
    methods["conversations.info"] = asked
    assert await world.shares(await world.record(), CARE) is None


async def test_a_person_reads_why_an_unclear_channel_gets_nothing(journey: Journey) -> None:
    card = await journey.asks()
    methods = journey.slack.api._methods
    asked = methods["conversations.info"]

    def told(args: dict[str, Any]) -> dict[str, Any]:
        shown = dict(asked(args)["channel"])
        del shown["is_ext_shared"]
        return {"channel": shown}

    methods["conversations.info"] = told
    before = len(journey.slack.messages)
    await confirms(journey.slack, ANA, card, POST)
    message = await journey.reads(ANA, before)
    assert "Slack doesn’t tell me who is in this channel, so I don’t post links here" in words(message)
    assert [each for each in journey.slack.messages if each.visible_to is None] == []
