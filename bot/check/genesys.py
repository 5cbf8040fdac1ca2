"""Check whether Genesys is reachable, accepts the bot's OAuth client, and allows the bot's calls.

The checks only read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from bot.check import permissions
from bot.check.reachability import Reachability, reach
from bot.check.results import CheckResult, Status, failed, ok, skipped, warning
from bot.config.settings import ServiceSettings
from bot.core import errors
from bot.core.errors import ServiceError
from bot.core.models import HostId, LiveMode
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.core.use_cases.customer_messages import MessagingConfig
from bot.genesys.api.live_conversations import QUERY, VIEW_DETAILS, query
from bot.genesys.api.sessions import READ, WRITE, CobrowseSessions
from bot.genesys.api.users import VIEW, UsersApi
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.introspection import fetch_token_info
from bot.genesys.auth.private_keys import KeyCredentials
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient

CHECK_TIMEOUT = 30.0
NOBODY = "nobody@cobrowse-bot.invalid"
NOBODYS_ID = HostId("00000000-0000-4000-8000-000000000000")
"""The id of a Genesys user who does not exist.

The check searches for the conversations of this user, and for a user with the email address NOBODY. It only tests
whether the bot may search."""
STATUS_PAGE = "status.mypurecloud.com"


async def check_genesys(
    service: ServiceSettings,
    *,
    match_email: bool,
    sending: MessagingConfig | None = None,
    timing: GenesysTiming = GENESYS_TIMING,
) -> tuple[list[CheckResult], list[Reachability]]:
    """Check whether Genesys gives the bot a token, and allows the calls that these settings need.

    - `match_email`: whether the bot finds the host of a person by email address.
    - `sending`: the settings of messages to customers. None if the settings have faults; the permissions to send are
      then not checked.

    Return the results, and the reachability of each server of Genesys.
    """
    urls = dict.fromkeys((service.login_url, service.api_url))
    reached = await asyncio.gather(*(reach("genesys", f"{url}/", service.proxies) for url in urls))
    if failure := [each.failure for each in reached if each.failure]:
        return [*failure, skipped("token", "Genesys was not reached")], list(reached)
    async with HttpClient(service.proxy, timing) as http:
        auth = TokenAuth(http, service.login_url, service.credentials, timing=timing)
        try:
            client, needed = (
                GenesysClient(http, service.api_url, auth, timing=timing),
                permissions.needs(service, sending),
            )
            found = await _ask(service, auth, client, match_email, needed)
            return [*found, *(await _next_client(service, http, timing, match_email, needed))], list(reached)
        finally:
            await auth.close()


async def _ask(
    service: ServiceSettings, auth: TokenAuth, client: GenesysClient, match_email: bool, needed: list[permissions.Need]
) -> list[CheckResult]:
    found = [await _with_timeout("token", service, lambda: _token(service, auth))]
    if found[0].status is Status.FAILED:
        names = ["permissions", "conversations" if service.conversations else "application"]
        names += [*(["roles"] if needed else ()), *(["notifications"] if service.live is LiveMode.PUSH else ())]
        return [*found, *(skipped(name, "there is no token") for name in names)]
    found.append(await _with_timeout("permissions", service, lambda: _permissions(service, client)))
    if service.conversations:
        found.append(await _with_timeout("conversations", service, lambda: _conversations(client)))
    else:
        found.append(await _with_timeout("application", service, lambda: _application(service, client)))
    if needed:
        found.append(await _with_timeout("roles", service, lambda: permissions.check_roles(client, needed)))
    if service.live is LiveMode.PUSH:
        found.append(
            await _with_timeout(
                "notifications", service, lambda: permissions.check_notifications(client, service.api_url)
            )
        )
    if match_email:
        found.append(await _with_timeout("users", service, lambda: _users(client)))
    return found


async def _with_timeout(name: str, service: ServiceSettings, ask: Callable[[], Awaitable[CheckResult]]) -> CheckResult:
    """Run the check `ask`, and return its result.

    Return a failed result if `ask` raises ServiceError, or takes longer than CHECK_TIMEOUT seconds. `name`: the area
    that is checked, such as "token", for the failed result.
    """
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await ask()
    except ServiceError as error:
        message, fix = describe_error(error, service)
        if error.reference:
            message = f"{message} (Genesys reference {error.reference})"
        return failed(name, message, fix)
    except TimeoutError:
        fix = f"Try again later; {STATUS_PAGE} shows how Genesys is doing."
        return failed(name, f"Genesys kept us waiting for more than {CHECK_TIMEOUT:.0f} seconds.", fix)


async def _next_client(
    service: ServiceSettings, http: HttpClient, timing: GenesysTiming, match_email: bool, needed: list[permissions.Need]
) -> list[CheckResult]:
    """Check whether the OAuth client in GENESYS_CLIENT_ID_NEXT can replace the one in GENESYS_CLIENT_ID.

    Return one result; no result if GENESYS_CLIENT_ID_NEXT is empty. `needed`: the actions that the permissions
    of the next client must allow.
    """
    if service.next_credentials is None:
        return []
    auth = TokenAuth(http, service.login_url, service.next_credentials, timing=timing)
    client = GenesysClient(http, service.api_url, auth, timing=timing)
    try:
        found = await _ask(replace(service, credentials=service.next_credentials), auth, client, match_email, needed)
    finally:
        await auth.close()
    wrong = next((each for each in found if each.status is Status.FAILED), None)
    if wrong is None:
        return [ok("next client", "GENESYS_CLIENT_ID_NEXT signs in, so it can take the place of the first one")]
    fix = "Correct GENESYS_CLIENT_ID_NEXT and the secret or key of that client, or empty them."
    return [failed("next client", f"GENESYS_CLIENT_ID_NEXT: {wrong.message}", fix if wrong is found[0] else wrong.fix)]


async def _token(service: ServiceSettings, auth: TokenAuth) -> CheckResult:
    await auth.ready()
    method = "a signed assertion" if isinstance(service.credentials, KeyCredentials) else "a client secret"
    return ok("token", f"Genesys gave one for {method}")


async def _permissions(service: ServiceSettings, client: GenesysClient) -> CheckResult:
    try:
        token = await fetch_token_info(client)
    except (errors.BadRequestError, errors.PermissionMissingError, errors.UnusableAnswerError):
        fix = "The first session will show it: without a port to Slack, try `cobrowse-bot start`."
        return warning("permissions", "Genesys does not say what the token may do.", fix)
    credentials = service.credentials
    ours = credentials.org_id if isinstance(credentials, KeyCredentials) else ""
    if ours and token.organization_id and token.organization_id.lower() != ours.lower():
        message = f"the token is of the organization {token.organization_id}, not of GENESYS_ORG_ID."
        return failed("permissions", message, "Correct GENESYS_ORG_ID, or take a client of that organization.")
    of = f", of {token.organization}" if token.organization else ""
    if not token.scopes:
        return ok("permissions", f"it is a client with roles{of}; what they allow shows below")
    needed = () if service.conversations else (WRITE, READ)
    if missing := [scope for scope in needed if scope not in token.scopes]:
        return failed("permissions", f"the token lacks {' and '.join(missing)}.", _grant(missing[0], service))
    return ok("permissions", f"{', '.join(sorted(token.scopes))}{of}")


async def _application(service: ServiceSettings, client: GenesysClient) -> CheckResult:
    used = service.offer.application_id
    try:
        known = [found for found, _ in await CobrowseSessions(client).applications()]
    except errors.BadRequestError as error:
        if error.status != 404:
            raise
        message = "this organization does not have the calls of GENESYS_COBROWSE_API=sessions (404)."
        return failed("application", message, "Set GENESYS_COBROWSE_API=conversations.")
    if used in known:
        return ok(
            "application", f"{used} is there" if len(known) == 1 else f"{used} is one of the {len(known)} there are"
        )
    there = f"the ids there are: {', '.join(known[:20])}" if known else "there is none"
    message = f"Genesys knows no application {used}; {there}."
    return failed("application", message, "Put one that exists into COBROWSE_APPLICATION_ID.")


async def _conversations(client: GenesysClient) -> CheckResult:
    await client.call("POST", QUERY, needs=VIEW_DETAILS, json=query(NOBODYS_ID, datetime.now(UTC)), safe=True)
    return ok("conversations", "can be searched")


async def _users(client: GenesysClient) -> CheckResult:
    await UsersApi(client).by_email(NOBODY)
    return ok("users", "can be searched by email address")


def describe_error(error: ServiceError, service: ServiceSettings) -> tuple[str, str]:
    """Return two texts about an error: the problem, and the fix for an administrator."""
    later = f"Try again later; {STATUS_PAGE} shows how Genesys is doing."
    match error:
        case errors.LoginRefusedError(oauth_error=code, words=words):
            detail = f"({code}): “{words}”" if words else f"({code})."
            return f"Genesys's login refuses the client {detail}", _sign_in(error, service)
        case errors.TokenRefusedError():
            fix = "Check that GENESYS_REGION, or GENESYS_API_URL and GENESYS_LOGIN_URL, are of one organization."
            return "Genesys refuses the token that its login has just given.", fix
        case errors.PermissionMissingError(needs=needs, words=words) if words:
            fix = (
                f"Give the OAuth client a role with the permission {needs} in that division, {permissions.OAUTH_PAGE}."
            )
            return f"Genesys says 403: “{words}”", fix
        case errors.PermissionMissingError(needs=needs):
            return f"Genesys says 403: the client lacks {needs}.", _grant(needs, service)
        case errors.BadRequestError(status=status, words=words):
            return f"Genesys refused ({status}): {words}", "Check GENESYS_REGION, or GENESYS_API_URL if it is set."
        case errors.UnusableAnswerError(why=why):
            return f"Genesys answered with {why}.", "Check GENESYS_REGION, and what stands between us and Genesys."
        case errors.ServiceBusyError():
            return "Genesys is too busy, or the client's rate limit is used up.", later
        case errors.ServiceFailedError():
            return "Genesys has a problem (500).", later
    return "Genesys gave no answer that could be used, also when asked again.", later


def _sign_in(error: errors.LoginRefusedError, service: ServiceSettings) -> str:
    code = error.oauth_error
    if code == "invalid_scope":
        return "Add the scopes at the OAuth client in Genesys Cloud, or leave some out with GENESYS_SCOPES."
    if error.is_about_address:
        why = "Genesys may refuse the network address of this machine"
        where = f"that the OAuth client allows, {permissions.OAUTH_PAGE}"
        return f"{why}: check the addresses {where}, and what stands between."
    if code == "unauthorized_client":
        return "Give the OAuth client the grant type Client Credentials, in Genesys Cloud under Integrations › OAuth."
    first, then = "", "Check"
    if code == "invalid_client":
        asked = f"a client is known in its own region alone, and {service.login_url} was asked"
        first = f"Check GENESYS_REGION first: {asked}. "
        then = "Then check"
    if isinstance(service.credentials, KeyCredentials):
        named = "GENESYS_CLIENT_ID, GENESYS_ORG_ID, GENESYS_KEY_ID, whether the key is the client's, and the clock"
        return f"{first}{then} {named}."
    return f"{first}{then} GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET."


def _grant(needs: str, service: ServiceSettings) -> str:
    if isinstance(service.credentials, KeyCredentials) and needs != VIEW:
        also = ", and to GENESYS_SCOPES" if service.credentials.scopes.find(needs) < 0 else ""
        return f"Add the scope {needs} to the OAuth client, in Genesys Cloud under Integrations › OAuth{also}."
    return f"Give the OAuth client a role with the permission {needs}, in Genesys Cloud under Integrations › OAuth."
