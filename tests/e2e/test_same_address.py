"""Several Genesys users with one email address: the only active one hosts, and an ambiguous address maps nobody."""

import pytest

from bot.core.hosts.resolver import NoMatch, only_active
from bot.core.models import DirectoryUser
from bot.sandbox.genesys.server import GenesysUser
from tests.support.app import SAM, Journey, is_failure, link, words

FIRST, OTHER, THIRD = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "789")
SEVERAL = "same email: several Genesys users have this address"


def users(journey: Journey, *states: str) -> None:
    """Replace Ana's users in Genesys by one user for each of these states."""
    known = journey.genesys.users
    for user_id in [user.id for user in known.values() if user.email == "ana@example.com"]:
        del known[user_id]
    for user_id, state in zip((FIRST, OTHER, THIRD), states, strict=False):
        email = "Ana@Example.com" if user_id == OTHER else "ana@example.com"
        known[user_id] = GenesysUser(user_id, "Ana Agent", email, state)
    journey.genesys.search_includes_deleted = True


@pytest.mark.parametrize(
    ("states", "host"),
    [
        (("active", "inactive"), FIRST),
        (("inactive", "active"), OTHER),
        (("deleted", "active"), OTHER),
        (("active", "deleted"), FIRST),
    ],
)
async def test_the_one_active_user_hosts(journey: Journey, states: tuple[str, ...], host: str) -> None:
    users(journey, *states)
    assert link(await journey.asks())
    assert [create.body["hostUserId"] for create in journey.genesys.creates] == [host]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (("active", "active"), SEVERAL),
        (("inactive",), "same email: the Genesys user is not active"),
        (("inactive", "inactive"), "same email: the Genesys users with this address are not active"),
        (("deleted", "inactive"), "same email: the Genesys users with this address are not active"),
        (("active", "suspended"), SEVERAL),
        (("active", "inactive", "active"), SEVERAL),
        (("active", "inactive", "inactive"), SEVERAL),
        ((), "same email: no Genesys user has this address, or none in a division that the bot may see"),
    ],
)
async def test_nobody_hosts_if_unclear_and_the_contact_reads_why(
    journey: Journey, states: tuple[str, ...], told: str
) -> None:
    users(journey, *states)
    message = await journey.asks()
    assert is_failure(message)
    assert told not in words(message)
    message = await journey.asks("@ana", who=SAM)  # the contact
    assert is_failure(message)
    assert told in words(message)
    assert journey.genesys.creates == []


ANAS = "ana@example.com"
ACTIVE, INACTIVE = DirectoryUser(FIRST, True, ANAS), DirectoryUser(OTHER, False, ANAS)


@pytest.mark.parametrize(
    "found",
    [
        [ACTIVE, DirectoryUser(OTHER, False, "ben@example.com")],
        [DirectoryUser(FIRST, True, "ben@example.com"), INACTIVE],
        [ACTIVE, DirectoryUser(FIRST.upper(), False, ANAS)],
        [ACTIVE, INACTIVE, INACTIVE],
        [DirectoryUser("42", True, ANAS), INACTIVE],
    ],
)
def test_an_answer_that_contradicts_itself_maps_nobody(found: list[DirectoryUser]) -> None:
    assert isinstance(only_active(found, ANAS), NoMatch)
