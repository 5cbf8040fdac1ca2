"""A role that holds in another division only: people read Genesys's message, which names no missing permission."""

from pathlib import Path

import pytest

from bot.check.results import Status
from tests.support.app import ANA, SAM, Journey, is_failure, open_journey, open_servers, words
from tests.support.check import right_environ, run_checks
from tests.support.cli import typed
from tests.support.conversations import HOST, KEY, PUBLIC, SECRET
from tests.support.customer_messages import NUMBER
from tests.support.message_buttons import presses

OWN = "You are missing the following permission(s): conversation:communication:view in division Billing"
LACKS = "OAuth client lacks"


@pytest.mark.parametrize("call", ["conversation", "query", "create"])
async def test_the_contact_reads_the_division_in_genesys_words(call: str) -> None:
    async with open_journey(**KEY, COBROWSE_HELP_CONTACT=ANA) as journey:
        journey.genesys.conversations.begin(HOST, "Carla Customer")
        await journey.genesys.inject_fault("division", on=call)
        message = await journey.asks()
        assert is_failure(message)
        assert OWN in words(message)
        assert "in that division" in words(message)
        assert LACKS not in words(message)
        assert "Nothing was started" in words(message)


async def test_words_are_escaped_and_the_permission_is_named(journey: Journey) -> None:
    await journey.genesys.inject_fault("division", on="create", message="Not <b> like this.")
    shown = words(await journey.asks(who=SAM))
    assert "“Not &lt;b&gt; like this.”" in shown
    assert LACKS not in shown
    assert "`cobrowse:session:write`" in shown


async def test_an_sms_names_the_division_and_no_number(journey: Journey) -> None:
    await journey.asks("Checkout", who=SAM)
    question = await journey.asks(f"send {NUMBER}", who=SAM)
    await journey.genesys.inject_fault(
        "division", on="sms", message=f"No permission for {NUMBER} in division <Billing>"
    )
    await presses(journey, question, "send_link", who=SAM)
    assert "Genesys doesn’t let me send links yet. Nothing was sent." in words(question)
    assert "“No permission for … in division &lt;Billing&gt;”" in words(question)
    assert LACKS not in words(question)
    assert NUMBER not in words(question)


async def test_start_and_check_name_the_division(tmp_path: Path) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        servers.genesys.conversations.begin(HOST, "Carla Customer")
        await servers.genesys.inject_fault("division", on="query")
        environ = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": ""}
        started = await typed(tmp_path, ["start", "--host-user-id", HOST], environ)
        assert started.code == 1
        assert OWN in started.err
        assert LACKS not in started.err
        found = (await run_checks(environ))["conversations"]
        assert found.status is Status.FAILED
        assert OWN in found.message
        assert "in that division" in found.fix


async def test_a_person_not_found_may_be_in_another_division(journey: Journey) -> None:
    journey.genesys.users.clear()
    shown = words(await journey.asks("@ana", who=SAM))
    assert "same email: no Genesys user has this address, or none in a division that the bot may see" in shown


@pytest.mark.parametrize(("division", "mark"), [("", Status.OK), ("Billing", Status.WARNING)])
async def test_check_names_the_only_division_of_a_role(tmp_path: Path, division: str, mark: Status) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        servers.genesys.only_division = division
        environ = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": ""}
        found = (await run_checks(environ))["roles"]
        assert found.status is mark
        assert ("in the division Billing only: conversation:communication:view (to look" in found.message) is bool(
            division
        )
