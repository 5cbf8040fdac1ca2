"""Genesys: whether it can be reached, takes our sign-in, and lets the token do what the bot needs. Only asks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.check import permissions
from bot.check.reachability import Reached, reach
from bot.check.results import Finding, Mark, doubt, left_out, right, wrong
from bot.config.settings import ServiceSettings
from bot.core import errors
from bot.core.errors import ServiceError
from bot.core.models import HostId
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

PATIENCE_SECONDS = 30.0
NOBODY = "nobody@cobrowse-bot.invalid"
NOBODYS_ID = HostId("00000000-0000-4000-8000-000000000000")
"""Nobody's address and id, for searches whose answers do not matter."""
STATUS_PAGE = "status.mypurecloud.com"


async def look(
    service: ServiceSettings,
    *,
    match_email: bool,
    sending: MessagingConfig | None = None,
    timing: GenesysTiming = GENESYS_TIMING,
) -> tuple[list[Finding], list[Reached]]:
    """The lines about Genesys, and what was learnt about its clock. `sending`: what goes to customers."""
    urls = dict.fromkeys((service.login_url, service.api_url))
    reached = await asyncio.gather(*(reach("genesys", f"{url}/", service.proxies) for url in urls))
    if unreached := [each.unreached for each in reached if each.unreached]:
        return [*unreached, left_out("token", "Genesys was not reached")], list(reached)
    async with HttpClient(service.proxy, timing) as http:
        auth = TokenAuth(http, service.login_url, service.credentials, timing=timing)
        try:
            client, needed = (
                GenesysClient(http, service.api_url, auth, timing=timing),
                permissions.needs(service, sending),
            )
            return await _ask(service, auth, client, match_email, needed), list(reached)
        finally:
            await auth.close()


async def _ask(
    service: ServiceSettings, auth: TokenAuth, client: GenesysClient, match_email: bool, needed: list[permissions.Need]
) -> list[Finding]:
    found = [await _patiently("token", service, lambda: _token(service, auth))]
    if found[0].mark is Mark.WRONG:
        names = ("permissions", "conversations" if service.conversations else "application")
        return [*found, *(left_out(name, "there is no token") for name in (*names, *(["roles"] if needed else ())))]
    found.append(await _patiently("permissions", service, lambda: _permissions(service, client)))
    if service.conversations:
        found.append(await _patiently("conversations", service, lambda: _conversations(client)))
    else:
        found.append(await _patiently("application", service, lambda: _application(service, client)))
    if needed:
        found.append(await _patiently("roles", service, lambda: permissions.look(client, needed)))
    if match_email:
        found.append(await _patiently("users", service, lambda: _users(client)))
    return found


async def _patiently(name: str, service: ServiceSettings, ask: Callable[[], Awaitable[Finding]]) -> Finding:
    """What `ask` found; what went wrong becomes a line."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await ask()
    except ServiceError as error:
        what, mend = in_words(error, service)
        if error.reference:
            what = f"{what} (Genesys reference {error.reference})"
        return wrong(name, what, mend)
    except TimeoutError:
        mend = f"Try again later; {STATUS_PAGE} shows how Genesys is doing."
        return wrong(name, f"Genesys kept us waiting for more than {PATIENCE_SECONDS:.0f} seconds.", mend)


async def _token(service: ServiceSettings, auth: TokenAuth) -> Finding:
    await auth.ready()
    way = "a signed assertion" if isinstance(service.credentials, KeyCredentials) else "a client secret"
    return right("token", f"Genesys gave one for {way}")


async def _permissions(service: ServiceSettings, client: GenesysClient) -> Finding:
    try:
        token = await fetch_token_info(client)
    except (errors.BadRequestError, errors.PermissionMissingError, errors.UnusableAnswerError):
        mend = "The first session will show it: without a port to Slack, try `cobrowse-bot start`."
        return doubt("permissions", "Genesys does not say what the token may do.", mend)
    credentials = service.credentials
    ours = credentials.org_id if isinstance(credentials, KeyCredentials) else ""
    if ours and token.organization_id and token.organization_id.lower() != ours.lower():
        what = f"the token is of the organisation {token.organization_id}, not of GENESYS_ORG_ID."
        return wrong("permissions", what, "Correct GENESYS_ORG_ID, or take a client of that organisation.")
    of = f", of {token.organization}" if token.organization else ""
    if not token.scopes:
        return right("permissions", f"it is a client with roles{of}; what they allow shows below")
    needed = () if service.conversations else (WRITE, READ)
    if missing := [scope for scope in needed if scope not in token.scopes]:
        return wrong("permissions", f"the token lacks {' and '.join(missing)}.", _grant(missing[0], service))
    return right("permissions", f"{', '.join(sorted(token.scopes))}{of}")


async def _application(service: ServiceSettings, client: GenesysClient) -> Finding:
    used = service.offer.application_id
    known = [found for found, _ in await CobrowseSessions(client).applications()]
    if used in known:
        return right(
            "application", f"{used} is there" if len(known) == 1 else f"{used} is one of the {len(known)} there are"
        )
    there = f"the ids there are: {', '.join(known[:20])}" if known else "there is none"
    what = f"Genesys knows no application {used}; {there}."
    return wrong("application", what, "Put one that exists into COBROWSE_APPLICATION_ID.")


async def _conversations(client: GenesysClient) -> Finding:
    """Looking at one and offering in it need a conversation to be tried on: see roles.py."""
    await client.call("POST", QUERY, needs=VIEW_DETAILS, json=query(NOBODYS_ID, datetime.now(UTC)), safe=True)
    return right("conversations", "can be searched")


async def _users(client: GenesysClient) -> Finding:
    await UsersApi(client).by_email(NOBODY)
    return right("users", "can be searched by e-mail address")


def in_words(error: ServiceError, service: ServiceSettings) -> tuple[str, str]:
    """What happened, and what the administrator can do."""
    later = f"Try again later; {STATUS_PAGE} shows how Genesys is doing."
    match error:
        case errors.LoginRefusedError(oauth_error=code, words=words):
            said = f"({code}): “{words}”" if words else f"({code})."
            return f"Genesys's login refuses the client {said}", _sign_in(error, service)
        case errors.TokenRefusedError():
            mend = "Check that GENESYS_REGION, or GENESYS_API_URL and GENESYS_LOGIN_URL, are of one organisation."
            return "Genesys refuses the token that its login has just given.", mend
        case errors.PermissionMissingError(needs=needs, words=words) if words:
            mend = f"Give the OAuth client a role with the permission {needs} in that division, {permissions.UNDER}."
            return f"Genesys says 403: “{words}”", mend
        case errors.PermissionMissingError(needs=needs):
            return f"Genesys says 403: the client lacks {needs}.", _grant(needs, service)
        case errors.BadRequestError(status=status, words=words):
            return f"Genesys refused ({status}): {words}", "Check GENESYS_REGION, or GENESYS_API_URL if it is set."
        case errors.UnusableAnswerError(why=why):
            return f"Genesys answered with {why}.", "Check GENESYS_REGION, and what stands between us and Genesys."
        case errors.ServiceBusyError():
            return "Genesys is too busy, or the client's rate limit is used up.", later
        case errors.ServiceFailedError():
            return "Genesys has a fault of its own (500).", later
    return "Genesys gave no answer that could be used, also when asked again.", later


def _sign_in(error: errors.LoginRefusedError, service: ServiceSettings) -> str:
    code = error.oauth_error
    if code == "invalid_scope":
        return "Add the scopes at the OAuth client in Genesys Cloud, or leave some out with GENESYS_SCOPES."
    if error.is_about_address:
        why = "Genesys may refuse the network address of this machine"
        return f"{why}: check the addresses that the OAuth client allows, {permissions.UNDER}, and what stands between."
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
