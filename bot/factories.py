"""Build the tracer, the clients for Genesys and the host rules from the settings.

Three callers share these functions: the bot (app.py), `cobrowse-bot check`, and the commands in cli/sessions.py.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from bot.config.settings import ServiceSettings, Settings, TracingSettings, added_to_environment
from bot.core.errors import ServiceError
from bot.core.hosts.resolver import EmailRule, ListedHostRule
from bot.core.models import LiveMode
from bot.core.ports import NULL_METRICS, NULL_TRACER, AccountRepository, HostRule, LiveSource, Metrics, Tracer
from bot.core.timing import GENESYS_TIMING, CoreTiming, GenesysTiming, PushTiming
from bot.genesys.api import channels, conversations, customer_messages, permissions, sessions, users
from bot.genesys.api.channels import ChannelsApi
from bot.genesys.api.conversations import CALLS_PER_SESSION, ConversationSessions
from bot.genesys.api.sessions import CobrowseSessions
from bot.genesys.api.users import UsersApi
from bot.genesys.auth import introspection
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.client import GenesysClient
from bot.genesys.http import HttpClient
from bot.genesys.notifications.source import NotificationChannels
from bot.genesys.rate_limit import RateLimiter

if TYPE_CHECKING:
    from bot.config.reload.watcher import SecretWatcher

log = logging.getLogger(__name__)

CLIENT_SECRETS = (
    "GENESYS_CLIENT_ID",
    "GENESYS_CLIENT_SECRET",
    "GENESYS_PRIVATE_KEY",
    "GENESYS_PRIVATE_KEY_PASSPHRASE",
    "GENESYS_KEY_ID",
)
"""The settings with the credentials of the bot's own OAuth client. Their values may change while the bot runs."""


@asynccontextmanager
async def open_tracer(tracing: TracingSettings, timing: CoreTiming) -> AsyncIterator[Tracer]:
    """Open the tracer that the settings select. At the end of the `with` block, export its last spans.

    Yield a tracer that records nothing if traces are off, if the extra `otel` is not installed, or if OpenTelemetry
    refuses a setting. Log a warning, except if traces are off.
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
    watcher: "SecretWatcher[Settings] | None" = None,
    pool: aiohttp.BaseConnector | None = None,
) -> AsyncIterator[GenesysClient]:
    """Open the client that calls Genesys with the bot's own token. Close the client at the end of the `with` block.

    - `watcher`: passes new credentials to the client when the files with the credentials change; None to always use the
      credentials in `service`.
    - `pool`: the connection pool to use; None to open a pool for this client alone.
    """
    async with HttpClient(service.proxy, timing, tracer, pool) as http:
        clients = service.credentials, service.next_credentials
        auth = TokenAuth(http, service.login_url, *clients, timing=timing, metrics=metrics)
        if watcher:
            watcher.subscribe([*CLIENT_SECRETS, *(f"{name}_NEXT" for name in CLIENT_SECRETS)], partial(_accept, auth))
        calls = CALLS_PER_SESSION if service.conversations else 1
        limiter = RateLimiter(service.requests_per_minute, calls_per_session=calls, timing=timing)
        try:
            yield GenesysClient(
                http, service.api_url, auth, limiter=limiter, timing=timing, metrics=metrics, tracer=tracer
            )
        finally:
            await auth.close()


async def _accept(auth: TokenAuth, settings: Settings) -> str:
    """Replace the credentials of the bot's OAuth client if Genesys accepts the credentials in `settings`.

    Return "" for success. Otherwise keep the previous credentials, and return the error's code.
    """
    try:
        await auth.use(settings.service.credentials, settings.service.next_credentials)
    except ServiceError as error:
        return error.code
    return ""


async def _accept_sign_ins(tokens: UserTokens, settings: Settings) -> str:
    """Use the secret in `settings` for people's sign-ins from now on.

    Always return "", which means success. Only a person's sign-in can show whether Genesys accepts the secret.
    """
    tokens.use(settings.connect.credentials)
    return ""


@asynccontextmanager
async def open_user_tokens(
    settings: Settings,
    accounts: AccountRepository,
    timing: GenesysTiming,
    tracer: Tracer,
    watcher: "SecretWatcher[Settings]",
    pool: aiohttp.BaseConnector,
) -> AsyncIterator[UserTokens]:
    """Open the cache for the tokens of linked accounts. Close the cache at the end of the `with` block.

    - `watcher`: passes the new secret to the cache when the secret of the OAuth client for people's sign-ins changes.
    - `pool`: the connection pool for the cache's calls to Genesys.
    """
    service, connect = settings.service, settings.connect
    async with HttpClient(service.proxy, timing, tracer, pool) as http:
        login = AuthorizationCodeClient(
            http,
            login_url=service.login_url,
            api_url=service.api_url,
            credentials=connect.credentials,
            redirect_uri=connect.redirect_uri,
            timing=timing,
        )
        tokens = UserTokens(login, accounts, off=connect.off, timing=timing)
        watcher.subscribe(["GENESYS_CONNECT_CLIENT_SECRET"], partial(_accept_sign_ins, tokens))
        try:
            yield tokens
        finally:
            await tokens.close()


def sessions_api(
    service: ServiceSettings, genesys: GenesysClient, user_tokens: UserTokens | None = None
) -> CobrowseSessions | ConversationSessions:
    """Build the object that calls the session service. GENESYS_COBROWSE_API says which service.

    `user_tokens`: the tokens of linked accounts; None to use the bot's own token only.
    """
    if service.conversations:
        return ConversationSessions(genesys, service.conversations.joining, user_tokens)
    return CobrowseSessions(genesys, service.join_hosts, service.joined_statuses)


def live_source(
    service: ServiceSettings, genesys: GenesysClient, metrics: Metrics, timing: PushTiming
) -> LiveSource | None:
    """Return the source of hints from Genesys's notifications; None if GENESYS_LIVE is not `push`."""
    if service.live is not LiveMode.PUSH:
        return None
    return NotificationChannels(ChannelsApi(genesys, service.api_url), service.proxies.of, metrics, timing)


def required_permissions(settings: Settings) -> tuple[str, ...]:
    """Return the scopes and permissions that the bot's calls to Genesys need with these settings.

    The metrics use each scope or permission as a value of the label `needs`.
    """
    service, sending = settings.service, settings.sending
    of_sessions = conversations.NEEDS if service.conversations else sessions.NEEDS
    of_push = channels.NEEDS if service.live is LiveMode.PUSH else ()
    of_probe = introspection.NEEDS, permissions.NEEDS
    return (*of_sessions, *of_push, users.VIEW, *(customer_messages.NEEDS if sending.any_on else ()), *of_probe)


def host_rules(settings: Settings, users: UsersApi) -> list[HostRule]:
    """Return the host rules that the settings select, in the order in which the bot tries them.

    The CSV file comes before the email address. The list does not contain the host links, which always come first.
    """
    rules: list[HostRule] = []
    if settings.listed_hosts is not None:
        rules.append(ListedHostRule(settings.listed_hosts))
    if settings.match_email:
        rules.append(EmailRule(users, settings.email_domains))
    return rules
