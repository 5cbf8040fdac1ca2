"""`check` and the services: clock, Genesys's login and permissions, Slack's tokens, scopes and socket."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.check.genesys import NOBODY
from bot.check.reachability import reach
from bot.check.results import CheckResult, Status
from bot.config.proxies import Proxies
from bot.genesys.api.permissions import ClientPermissions, read_permissions
from tests.support.app import QUICK_GENESYS, Servers, free_port, open_servers
from tests.support.check import right_environ, run_checks, untouched
from tests.support.conversations import PUBLIC, SECRET, TEMPLATE


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


@pytest.mark.parametrize(
    ("ahead", "mark"), [(0, Status.OK), (-15, Status.WARNING), (120, Status.FAILED), (-90, Status.FAILED)]
)
async def test_a_clock_that_is_off_is_told_with_by_how_much(
    servers: Servers, tmp_path: Path, ahead: int, mark: Status
) -> None:
    servers.genesys.clock_ahead_seconds = ahead
    clock = (await run_checks(right_environ(servers, tmp_path)))["clock"]
    assert clock.status is mark
    assert ("behind" in clock.message) is (ahead > 5)
    assert ("ahead" in clock.message) is (ahead < -5)
    assert "NTP" in clock.fix or mark is Status.OK


@pytest.mark.parametrize(
    ("area", "told"),
    [
        ("genesys", "Check the region or the URL for a slip. Check the network"),
        ("slack", "Check SLACK_API_URL, if you set it, for a slip. Check the network"),
        ("slack answers", "Check the network"),
    ],
)
async def test_unknown_name_is_explained_by_what_names_it(area: str, told: str) -> None:
    failure = (await reach(area, "https://nowhere.invalid/", Proxies(None, None))).failure
    assert failure
    assert failure.message == "nowhere.invalid is a name that cannot be looked up."
    assert failure.fix.startswith(told)


@pytest.mark.parametrize(
    ("fault", "on", "line", "told", "mend"),
    [
        ("invalid_client", "token", "token", "(invalid_client)", "GENESYS_CLIENT_ID"),
        ("invalid_scope", "token", "token", "(invalid_scope)", "GENESYS_SCOPES"),
        ("unauthorized_client", "token", "token", "(unauthorized_client)", "Client Credentials"),
        ("no-token", "token", "token", "without a token", "GENESYS_REGION"),
        ("429", "token", "token", "too busy", "status.mypurecloud.com"),
        ("500", "token", "token", "has a problem", "status.mypurecloud.com"),
        ("dropped", "token", "token", "no answer", "status.mypurecloud.com"),
        ("401", "me", "permissions", "refuses the token", "GENESYS_REGION"),
        ("403", "applications", "application", "lacks cobrowse:session:read", "Integrations › OAuth"),
        ("403", "search", "users", "lacks directory:user:view", "role with the permission directory:user:view"),
        ("not-json", "applications", "application", "not JSON", "GENESYS_REGION"),
        ("bad-request", "applications", "application", "refused (400)", "GENESYS_REGION"),
        ("404", "applications", "application", "does not have the calls", "GENESYS_COBROWSE_API=conversations"),
    ],
)
async def test_genesys_refusals_are_explained(
    servers: Servers,
    tmp_path: Path,
    fault: str,
    on: str,
    line: str,
    told: str,
    mend: str,
) -> None:
    how = {"retry_after": 181} if fault == "429" else {}
    await servers.genesys.inject_fault(fault, on=on, **how)
    timing = replace(QUICK_GENESYS, max_backoff_seconds=0.1)
    found = await run_checks(right_environ(servers, tmp_path), timing=timing)
    assert found[line].status is Status.FAILED
    assert told in found[line].message
    assert mend in found[line].fix
    assert untouched(servers)


@pytest.mark.parametrize("fault", ["403", "not-object"])
async def test_service_that_does_not_state_rights_is_a_warning(servers: Servers, tmp_path: Path, fault: str) -> None:
    await servers.genesys.inject_fault(fault, on="me")
    found = await run_checks(right_environ(servers, tmp_path))
    assert found["permissions"].status is Status.WARNING
    assert found["application"].status is Status.OK


async def test_token_without_a_scope_is_told_where_to_add_it(servers: Servers, tmp_path: Path) -> None:
    environ = right_environ(servers, tmp_path) | {"GENESYS_SCOPES": "cobrowse:session:read"}
    permissions = (await run_checks(environ))["permissions"]
    assert permissions.status is Status.FAILED
    assert permissions.message == "the token lacks cobrowse:session:write."
    assert "GENESYS_SCOPES" in permissions.fix


async def test_unknown_application_is_told_with_the_known_ones(servers: Servers, tmp_path: Path) -> None:
    servers.genesys.applications = {"shop": "Web shop", "portal": "Portal"}
    application = (await run_checks(right_environ(servers, tmp_path)))["application"]
    assert application.status is Status.FAILED
    assert "shop, portal" in application.message


@pytest.mark.parametrize("lacks", [False, True])
async def test_search_right_is_checked_for_conversations(tmp_path: Path, lacks: bool) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        if lacks:
            needed = {"analytics:conversationDetail:view", "analytics:agentConversationDetail:view"}
            servers.genesys.conversations.missing_permissions |= needed
        environ = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": ""}
        found = await run_checks(environ)
        assert found["conversations"].status is (Status.FAILED if lacks else Status.OK)
        assert ("role with the permission analytics:conversationDetail:view" in found["conversations"].fix) is lacks
        assert found["permissions"].status is Status.OK
        assert "application" not in found
        assert servers.genesys.count("applications") == 0
        assert untouched(servers)


@pytest.mark.parametrize("template", ["", TEMPLATE])
async def test_cards_without_a_customer_page_are_a_warning(tmp_path: Path, template: str) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        keyless = {"GENESYS_PRIVATE_KEY_PATH": "", "COBROWSE_JOIN_URL_TEMPLATE": template}
        found = (await run_checks(right_environ(servers, tmp_path) | PUBLIC | keyless))["customer page"]
        assert found.status is (Status.OK if template else Status.WARNING)
        assert ("cards show a code only" in found.message) is not bool(template)
        assert ("COBROWSE_JOIN_URL_TEMPLATE" in found.fix) is not bool(template)


async def test_customer_page_without_a_deployment_is_a_warning(tmp_path: Path) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        keyless = {"GENESYS_PRIVATE_KEY_PATH": "", "GENESYS_DEPLOYMENT_ID": ""}
        found = (await run_checks(right_environ(servers, tmp_path) | PUBLIC | keyless))["customer page"]
        assert found.status is Status.WARNING
        assert "cannot keep others from joining" in found.message
        assert "GENESYS_DEPLOYMENT_ID" in found.fix


async def test_session_service_brings_the_customer_page_itself(servers: Servers, tmp_path: Path) -> None:
    assert "customer page" not in await run_checks(right_environ(servers, tmp_path))


async def roles(tmp_path: Path, *lacking: str, **environ: str) -> tuple[CheckResult, bool]:
    """Return the result about the client's roles, and whether `check` created nothing."""
    async with open_servers(client_secret=SECRET) as servers:
        servers.genesys.conversations.missing_permissions |= set(lacking)
        whole = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": ""} | environ
        return (await run_checks(whole))["roles"], untouched(servers)


@pytest.mark.parametrize(
    ("lacking", "mark", "told"),
    [
        (
            (),
            Status.OK,
            "the client's roles (Co-browse bot) allow conversation:communication:view (to look at a conversation)",
        ),
        (("conversation:communication:view",), Status.FAILED, "lack conversation:communication:view"),
        (("conversation:cobrowse:add",), Status.FAILED, "lack conversation:cobrowse:add (to offer co-browse in chats)"),
        (
            ("conversation:cobrowseVoice:add",),
            Status.WARNING,
            "lack conversation:cobrowseVoice:add (to offer it in calls)",
        ),
        (("conversation:message:create",), Status.FAILED, "lack conversation:message:create (to send SMS)"),
        (("conversation:email:create",), Status.OK, "conversation:agentlessEmail:send or conversation:email:create"),
        (
            ("conversation:email:create", "conversation:agentlessEmail:send"),
            Status.FAILED,
            "(to send email)",
        ),
    ],
)
async def test_right_known_only_by_use_is_looked_up_in_the_roles(
    tmp_path: Path, lacking: tuple[str, ...], mark: Status, told: str
) -> None:
    found, is_untouched = await roles(tmp_path, *lacking)
    assert (found.status, is_untouched) == (mark, True)
    assert told in found.message
    assert not lacking or mark is Status.OK or lacking[0] in f"{found.message} {found.fix}"


async def test_disabled_message_needs_no_permission(tmp_path: Path) -> None:
    found, _ = await roles(tmp_path, "conversation:message:create", COBROWSE_SMS_FROM="", COBROWSE_EMAIL_FROM="")
    assert found.status is Status.OK


async def test_sending_beside_the_usual_service_is_looked_up_too(servers: Servers, tmp_path: Path) -> None:
    servers.genesys.conversations.missing_permissions.add("conversation:message:create")
    assert (await run_checks(right_environ(servers, tmp_path)))["roles"].status is Status.FAILED
    silent = right_environ(servers, tmp_path) | {"COBROWSE_SMS_FROM": "", "COBROWSE_EMAIL_FROM": ""}
    assert "roles" not in await run_checks(silent)


@pytest.mark.parametrize(
    ("missing", "fault", "status", "told"),
    [
        ((), None, Status.OK, "may subscribe to the conversations of agents"),
        (("conversation:communication:view",), None, Status.WARNING, "lack conversation:communication:view"),
        ((), ("403", "topics"), Status.WARNING, "does not say who may subscribe"),
        ((), ("not-object", "topics"), Status.WARNING, "does not say who may subscribe"),
        (("conversation:communication:view",), ("403", "roles"), Status.WARNING, "does not say who may subscribe"),
    ],
)
async def test_right_to_subscribe_is_told_without_a_channel(
    tmp_path: Path, missing: tuple[str, ...], fault: tuple[str, str] | None, status: Status, told: str
) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        environ = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": ""}
        assert "notifications" not in await run_checks(environ)
        servers.genesys.conversations.missing_permissions |= set(missing)
        if fault:
            await servers.genesys.inject_fault(fault[0], on=fault[1])
        found = (await run_checks(environ | {"GENESYS_LIVE": "push"}))["notifications"]
        assert (found.status, told in found.message) == (status, True)
        assert ("asks" in found.fix) == (status is Status.WARNING)
        assert servers.genesys.notifications.channels == {}
        assert untouched(servers)


async def test_right_to_subscribe_is_left_out_without_a_token(tmp_path: Path) -> None:
    async with open_servers(client_secret=SECRET) as servers:
        await servers.genesys.inject_fault("invalid_client", on="token")
        environ = right_environ(servers, tmp_path) | PUBLIC | {"GENESYS_PRIVATE_KEY_PATH": "", "GENESYS_LIVE": "push"}
        assert (await run_checks(environ))["notifications"].status is Status.SKIPPED


@pytest.mark.parametrize("fault", ["403", "user-context", "not-object"])
async def test_invisible_roles_are_told_with_what_is_needed(servers: Servers, tmp_path: Path, fault: str) -> None:
    await servers.genesys.inject_fault(fault, on="roles")
    found = (await run_checks(right_environ(servers, tmp_path)))["roles"]
    assert found.status is Status.WARNING
    assert "trying would create something" in found.message
    assert "conversation:message:create" in found.message


def test_a_role_may_allow_by_a_star() -> None:
    some = ClientPermissions(
        ("Some",), frozenset({("conversation", "message", "*"), ("routing", "*", "view")}), is_complete=True
    )
    assert some.allow("conversation:message:create")
    assert some.allow("routing:queue:view")
    assert not some.allow("conversation:email:create")


def test_a_right_without_a_permissions_three_parts_is_never_listed() -> None:
    whole = ClientPermissions(("Admin",), frozenset({("*", "*", "*")}), is_complete=True)
    assert whole.allow("conversation:message:create")
    assert not whole.allow("access to notification channels")


@pytest.mark.parametrize(
    "grants",
    [[], None, [{"role": {"name": "Unread"}}], [{"role": {"name": "Odd", "policies": [{"domain": 1}]}}, {}], ["x"]],
)
def test_partly_stated_roles_are_not_taken_for_all(grants: object) -> None:
    roles = read_permissions({"id": "x", "grants": grants})
    assert not roles.is_complete
    assert not roles.allow("conversation:message:create")


async def test_without_the_rule_by_address_nobody_is_searched(servers: Servers, tmp_path: Path) -> None:
    assert (await run_checks(right_environ(servers, tmp_path)))["users"].status is Status.OK
    before = servers.genesys.count("search")
    assert "users" not in await run_checks(right_environ(servers, tmp_path) | {"COBROWSE_MATCH_EMAIL": "no"})
    assert (before, servers.genesys.count("search")) == (1, 1)
    assert NOBODY.endswith(".invalid")


@pytest.mark.parametrize(
    ("token", "code", "line", "told"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-wrong-token", "slack token", "invalid_auth"),
        ("SLACK_APP_TOKEN", "xapp-wrong-token", "slack delivery", "invalid_auth"),
    ],
)
async def test_a_token_that_slack_refuses_is_named(
    servers: Servers, tmp_path: Path, token: str, code: str, line: str, told: str
) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {token: code})
    assert found[line].status is Status.FAILED
    assert told in found[line].message
    assert token in found[line].message
    assert code not in str(found)


@pytest.mark.parametrize(
    ("database", "others", "mark", "told"),
    [
        ("sqlite", 0, Status.OK, "this one included: 1"),
        ("sqlite", 1, Status.OK, "this one included: 2"),
        ("sqlite", 2, Status.WARNING, "there are 2 sockets of this app, and without Postgres only one bot can run"),
        ("sqlite", 10, Status.WARNING, "another bot uses this app-level token"),
        ("memory", 2, Status.WARNING, "commands go to either"),
        ("postgres", 2, Status.OK, "this one included: 3"),
        ("postgres", 8, Status.OK, "this one included: 9"),
        ("postgres", 9, Status.WARNING, "Slack allows ten"),
    ],
)
async def test_sockets_of_the_app_are_judged_by_the_database(
    servers: Servers, tmp_path: Path, database: str, others: int, mark: Status, told: str
) -> None:
    servers.slack.sockets.stale_connections = others
    nowhere = f"postgresql://bot@127.0.0.1:{free_port()}/bot"
    url = {"memory": "memory:", "postgres": nowhere, "sqlite": f"sqlite:///{tmp_path / 'bot.db'}"}[database]
    finding = (await run_checks(right_environ(servers, tmp_path) | {"DATABASE_URL": url}))["slack delivery"]
    assert finding.status is mark
    assert told in finding.message
    assert mark is Status.OK or "Stop the other bot" in finding.fix or "nine replicas at most" in finding.fix


async def test_over_http_no_socket_is_opened(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"BOT_MODE": "http"})
    assert found["slack delivery"].status is Status.SKIPPED
    assert servers.slack.count("apps.connections.open") == 0


@pytest.mark.parametrize(("known", "mark"), [("next-hush-hush", Status.OK), ("another", Status.FAILED)])
async def test_next_client_is_told_whether_it_signs_in(
    servers: Servers, tmp_path: Path, known: str, mark: Status
) -> None:
    servers.genesys.login.client_secrets["client-2"] = known
    next_client = {"GENESYS_CLIENT_ID_NEXT": "client-2", "GENESYS_CLIENT_SECRET_NEXT": "next-hush-hush"}
    found = await run_checks(right_environ(servers, tmp_path) | next_client)
    assert found["next client"].status is mark
    assert found["token"].status is Status.OK
    assert "GENESYS_CLIENT_ID_NEXT" in found["next client"].message
    assert "hush" not in str(found["next client"])
    assert untouched(servers)


async def test_next_client_is_told_what_it_may_not_do(servers: Servers, tmp_path: Path) -> None:
    servers.genesys.login.client_secrets["client-2"] = "next-hush-hush"
    await servers.genesys.inject_fault("403", on="search", times=2)
    next_client = {"GENESYS_CLIENT_ID_NEXT": "client-2", "GENESYS_CLIENT_SECRET_NEXT": "next-hush-hush"}
    found = await run_checks(right_environ(servers, tmp_path) | next_client)
    assert found["next client"].status is Status.FAILED
    assert "directory:user:view" in found["next client"].message
    assert "directory:user:view" in found["next client"].fix


async def test_half_set_next_client_is_told(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"GENESYS_CLIENT_ID_NEXT": "client-2"})
    assert found["settings"].status is Status.FAILED
    assert found["settings"].message.startswith("GENESYS_CLIENT_SECRET_NEXT: is missing")
