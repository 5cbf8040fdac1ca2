"""Build the tracer, the Genesys clients and the host rules that the settings select.

The bot (app.py), the command `check` and the commands without Slack (cli/sessions.py) use these functions.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.config.settings import ServiceSettings, Settings, TracingSettings, added_to_environment
from bot.core.hosts.resolver import EmailRule, ListedHostRule
from bot.core.ports import NULL_METRICS, NULL_TRACER, AccountRepository, HostRule, Metrics, Tracer
from bot.core.timing import GENESYS_TIMING, CoreTiming, GenesysTiming
from bot.genesys.api import conversations, customer_messages, permissions, sessions, users
from bot.genesys.api.conversations import CALLS_PER_SESSION, ConversationSessions
from bot.genesys.api.sessions import CobrowseSessions
from bot.genesys.api.users import UsersApi
from bot.genesys.auth import introspection
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient
from bot.genesys.rate_limit import RateLimiter

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_tracer(tracing: TracingSettings, timing: CoreTiming) -> AsyncIterator[Tracer]:
    """Open the tracer that the settings select. At the end, export its last spans.

    If the extra `otel` is not installed, or OpenTelemetry refuses a setting, log a warning and record no traces: a bot
    without traces serves people.
    """
    if not tracing.is_on:
        yield NULL_TRACER
        return
    try:
        from bot.observability.tracing import open_telemetry  # noqa: PLC0415 - only who exports traces loads it
    except ModuleNotFoundError as error:
        fields = {"missing": error.name, "hint": "install cobrowse-bot[otel]"}
        log.warning("traces need the extra otel", extra={"fields": fields})
        yield NULL_TRACER
        return
    async with AsyncExitStack() as stack:
        opening = open_telemetry(to_genesys=tracing.to_genesys, export_timeout=timing.trace_export_timeout)
        try:
            with added_to_environment(tracing.variables):
                tracer = await stack.enter_async_context(opening)
        except ValueError:  # of OpenTelemetry: its text may hold the value of a variable
            log.warning("a setting of the traces is wrong")
            tracer = NULL_TRACER
        yield tracer


@asynccontextmanager
async def open_genesys(
    service: ServiceSettings,
    metrics: Metrics = NULL_METRICS,
    timing: GenesysTiming = GENESYS_TIMING,
    tracer: Tracer = NULL_TRACER,
) -> AsyncIterator[GenesysClient]:
    """Open the Genesys client that calls the API with the bot's own token. Close it at the end."""
    async with HttpClient(service.proxy, timing, tracer) as http:
        auth = TokenAuth(http, service.login_url, service.credentials, timing=timing, metrics=metrics)
        calls = CALLS_PER_SESSION if service.conversations else 1
        limiter = RateLimiter(service.requests_per_minute, calls_per_session=calls, timing=timing)
        try:
            yield GenesysClient(
                http, service.api_url, auth, limiter=limiter, timing=timing, metrics=metrics, tracer=tracer
            )
        finally:
            await auth.close()


@asynccontextmanager
async def open_user_tokens(
    settings: Settings,
    accounts: AccountRepository,
    timing: GenesysTiming = GENESYS_TIMING,
    tracer: Tracer = NULL_TRACER,
) -> AsyncIterator[UserTokens]:
    """Open the token cache for users who link their own Genesys accounts. Close it at the end."""
    service, connect = settings.service, settings.connect
    async with HttpClient(service.proxy, timing, tracer) as http:
        login = AuthorizationCodeClient(
            http,
            login_url=service.login_url,
            api_url=service.api_url,
            credentials=connect.credentials,
            redirect_uri=connect.redirect_uri,
            timing=timing,
        )
        tokens = UserTokens(login, accounts, off=connect.off, timing=timing)
        try:
            yield tokens
        finally:
            await tokens.close()


def sessions_api(
    service: ServiceSettings, genesys: GenesysClient, user_tokens: UserTokens | None = None
) -> CobrowseSessions | ConversationSessions:
    """Return the implementation of SessionsApi that GENESYS_COBROWSE_API selects."""
    if service.conversations:
        return ConversationSessions(genesys, service.conversations.joining, user_tokens)
    return CobrowseSessions(genesys, service.join_hosts)


def required_permissions(settings: Settings) -> tuple[str, ...]:
    """Return the names of the scopes and permissions that the bot's calls to Genesys need with these settings.

    The metrics use them as the values of the label `needs`.
    """
    service, sending = settings.service, settings.sending
    of_sessions = conversations.NEEDS if service.conversations else sessions.NEEDS
    of_probe = introspection.NEEDS, permissions.NEEDS
    return (*of_sessions, users.VIEW, *(customer_messages.NEEDS if sending.any_on else ()), *of_probe)


def host_rules(settings: Settings, users: UsersApi) -> list[HostRule]:
    """Return the host rules that the settings select, in the order to try them."""
    rules: list[HostRule] = []
    if settings.listed_hosts is not None:
        rules.append(ListedHostRule(settings.listed_hosts))
    if settings.match_email:
        rules.append(EmailRule(users, settings.email_domains))
    return rules
