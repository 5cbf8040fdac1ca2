"""`check` reports whether somebody gets the messages about faults, and whether the contact can fix faults."""

from pathlib import Path

import pytest

from bot.check.results import Status
from tests.support.app import ADA, BEN, CARE, SAM, SHARED, open_servers
from tests.support.check import right_environ, run_checks, untouched


@pytest.mark.parametrize(
    ("contact", "admins", "status", "says"),
    [
        (ADA, ADA, Status.OK, "is an administrator"),
        (BEN, f"{ADA} S0LEADS", Status.OK, "is an administrator"),
        (SAM, ADA, Status.WARNING, "somebody who cannot help"),
        (SAM, "", Status.WARNING, "somebody who cannot help"),
        (SAM, f"{ADA} S0LEADS", Status.WARNING, "somebody who cannot help"),
        ("", ADA, Status.OK, "and are the contact"),
        ("the IT desk", ADA, Status.OK, "administrators are told"),
        ("", "", Status.WARNING, "Nobody is told"),
        ("the IT desk", "", Status.WARNING, "Nobody is told"),
        (CARE, ADA, Status.OK, "is told about faults"),
        (CARE, "", Status.WARNING, "nobody may press"),
        (SHARED, ADA, Status.WARNING, "other organizations"),
        ("C0NOWHERE", ADA, Status.WARNING, "cannot be seen"),
    ],
)
async def test_contact_has_to_be_able_to_act(
    contact: str, admins: str, status: Status, says: str, tmp_path: Path
) -> None:
    async with open_servers() as servers:
        environ = right_environ(servers, tmp_path) | {"COBROWSE_HELP_CONTACT": contact, "COBROWSE_ADMINS": admins}
        found = (await run_checks(environ))["contact"]
        assert untouched(servers)
    assert (found.status, says in found.message) == (status, True), found.message
