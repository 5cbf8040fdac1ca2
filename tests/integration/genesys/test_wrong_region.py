"""Test a correct OAuth client in the wrong region: every message names the region first."""

import pytest

from bot.check.results import Status
from tests.support.app import SAM, open_journey, open_servers, words
from tests.support.check import right_environ, run_checks
from tests.support.cli import with_genesys


@pytest.mark.parametrize("secret", ["", "a-client-secret"])
async def test_check_names_the_region_first(tmp_path, secret: str) -> None:
    async with open_servers(client_secret="another-secret") as servers:
        environ = right_environ(servers, tmp_path)
        if secret:
            del environ["GENESYS_PRIVATE_KEY_PATH"]
            environ["GENESYS_CLIENT_SECRET"] = secret
        await servers.genesys.inject_fault("invalid_client", on="token")
        found = (await run_checks(environ))["token"]
    assert found.status is Status.FAILED
    assert "(invalid_client)" in found.message
    assert 0 <= found.fix.find("GENESYS_REGION") < found.fix.find("GENESYS_CLIENT_ID")


async def test_the_contact_and_start_name_the_region_first(tmp_path) -> None:
    async with open_journey() as journey:
        await journey.genesys.inject_fault("invalid_client", on="token")
        told = words(await journey.asks(who=SAM))
    run = await with_genesys(tmp_path / "start", ["start"], environ={"GENESYS_CLIENT_ID": "another"})
    assert (run.code, run.out) == (1, "")
    for text in (told, run.err):
        assert "invalid_client" in text
        assert 0 <= text.find("GENESYS_REGION") < text.find("ID, key or secret")
