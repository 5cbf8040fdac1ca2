"""Build the bot from its settings: clients, store, use cases, request service, Bolt app. Start reading here.

Each function builds one layer from the layer before, and decides nothing.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.config.settings import Settings
from bot.config.warnings import config_warnings
from bot.core.access import AccessPolicy
from bot.core.hosts.resolver import HostResolver
from bot.core.models import Notice, NoticeKind, RequestKind, UserId
from bot.core.notices import NoticeBoard, ToldReaders
from bot.core.requests.events import (
    EventLog,
    RequestFinished,
    RequestRejected,
    RequestResumed,
    ServiceStatus,
    SessionClosed,
    log_event,
)
from bot.core.requests.recovery import Recovery
from bot.core.requests.service import RequestLimiter, RequestService
from bot.core.requests.worker import RequestWorker
from bot.core.timing import (
    GENESYS_TIMING,
    RECEIVER_BOUNDS,
    SLACK_TIMING,
    CoreTiming,
    GenesysTiming,
    ReceiverBounds,
    SlackTiming,
)
from bot.core.use_cases.access_requests import AccessRequests, read_access
from bot.core.use_cases.accounts import AccountLinking
from bot.core.use_cases.customer_messages import CustomerMessaging, LinkOffers
from bot.core.use_cases.diagnostics import Diagnostics
from bot.core.use_cases.faults import FaultReports
from bot.core.use_cases.session_ends import SessionEnds, read_end
from bot.core.use_cases.sessions import SessionService
from bot.core.use_cases.start_session import StartSession
from bot.core.validation.contact import ContactChannel
from bot.factories import host_rules, open_genesys, open_user_tokens, required_permissions, sessions_api
from bot.genesys.api.conversations import ConversationSessions
from bot.genesys.api.customer_messages import CustomerMessagesApi
from bot.genesys.api.probe import GenesysProbe
from bot.genesys.api.sessions import CobrowseSessions
from bot.genesys.api.users import UsersApi
from bot.genesys.auth.authorization_code import Grant
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.client import GenesysClient
from bot.observability.audit import AuditLog
from bot.observability.metrics import PrometheusMetrics
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages, SlackNotices
from bot.slack.api.directory import ContactName, SlackDirectory
from bot.slack.api.identity import BotIdentity, identify, missing
from bot.slack.api.responder import SlackResponder, new_http_session, new_web_client
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.api.token_watch import TokenWatch
from bot.slack.api.views import Views
from bot.slack.app import new_bolt_app
from bot.slack.listeners import (
    actions,
    cards,
    choices,
    connect_person,
    customer_messages,
    errors,
    home_tab,
    lists,
    session_form,
    workflow_step,
)
from bot.slack.listeners.cards import CardPresses
from bot.slack.listeners.commands import SlashCommand
from bot.slack.manifest import needed_scopes
from bot.slack.messages.error_copy import fault_name
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, contact_id, contact_markup, reader_mention
from bot.storage.open import Storage, open_store
from bot.web.health import Health
from bot.web.oauth_callback import OAuthCallback


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts of the bot that server.py runs.

    `socket_web` is the Web API client that opens Socket Mode connections. `oauth_callback` handles the return of a
    browser from a Genesys sign-in; None if the settings allow no sign-in.
    """

    settings: Settings
    app: AsyncApp
    requests: RequestService
    worker: RequestWorker
    socket_web: AsyncWebClient
    health: Health
    oauth_callback: OAuthCallback | None
    slack_timing: SlackTiming
    bounds: ReceiverBounds


@asynccontextmanager
async def open_bot(
    settings: Settings,
    timing: CoreTiming | None = None,
    *,
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
    bounds: ReceiverBounds = RECEIVER_BOUNDS,
) -> AsyncIterator[Bot]:
    """Build the bot, open its connections and start its background tasks. Close everything at the end.

    Raises SlackSetupError, SlackUnreachableError, StorageSetupError, AuditSetupError.
    """
    timing, metrics = timing or CoreTiming(), PrometheusMetrics(RequestKind, required_permissions(settings))
    async with (
        TokenWatch(slack_timing) as watch,
        _open_store(settings, metrics) as store,
        new_http_session(slack_timing) as http,
        open_genesys(settings.service, metrics, genesys_timing) as genesys,
        open_user_tokens(settings, store.connections, genesys_timing) as tokens,
    ):
        clients = _slack_clients(settings, http, watch, slack_timing)
        identity = await watch.start(clients.web, partial(identify, timing=slack_timing))
        told = ToldReaders()
        slack = _slack_parts(settings, clients, identity, http, store, told, slack_timing)
        audit, events = AuditLog(settings.audit_log), EventLog()
        board = _notice_board(settings, slack, store, told, timing)
        use_cases = _use_cases(settings, slack, store, genesys, tokens, board, events, timing)
        faults = _fault_reports(slack, use_cases, genesys, board, timing)
        recovery, worker, requests = _request_parts(slack, store, use_cases, faults, events, timing)
        metrics.watch(under_way=lambda: requests.under_way, queue_length=lambda: genesys.queue_length)
        tab = _home_tab(settings, identity, slack, use_cases, board, slack_timing)
        _subscribe(events, metrics, audit if settings.audit_log else None, use_cases.status, tab, recovery)
        app = _bolt_app(settings, clients, identity, slack, use_cases, requests, tab, slack_timing)
        health = Health(metrics, store.find, lambda: watch.refusal)
        callback = _oauth_callback(settings, slack, use_cases, bounds)
        board.start()
        try:
            yield Bot(settings, app, requests, worker, clients.socket_web, health, callback, slack_timing, bounds)
        finally:
            await board.stop()
            await slack.responder.close()
            audit.close()


@dataclass(frozen=True, slots=True)
class _SlackClients:
    """The Web API clients, which differ in token and retries; see `new_web_client`."""

    web: AsyncWebClient
    without_retries: AsyncWebClient
    without_waits: AsyncWebClient
    socket_web: AsyncWebClient
    without_token: AsyncWebClient


@dataclass(frozen=True, slots=True)
class _SlackParts:
    """The objects that read from Slack and write to it."""

    access: AccessPolicy
    renderer: MessageRenderer
    session_messages: SlackSessionMessages
    responder: SlackResponder
    views: Views
    notices: SlackNotices


@dataclass(frozen=True, slots=True)
class _UseCases:
    """The use cases, and the objects that several of them share."""

    limiter: RequestLimiter
    status: ServiceStatus
    hosts: HostResolver
    directory: UsersApi
    sessions_api: CobrowseSessions | ConversationSessions
    start_session: StartSession
    sessions: SessionService
    customer_messaging: CustomerMessaging
    accounts: AccountLinking[Grant]
    diagnostics: Diagnostics
    access_requests: AccessRequests


def _open_store(settings: Settings, metrics: PrometheusMetrics) -> AbstractAsyncContextManager[Storage]:
    database = settings.database
    return open_store(database.url, keys=database.keys, retention_days=database.retention_days, meter=metrics)


def _slack_clients(
    settings: Settings, http: aiohttp.ClientSession, watch: TokenWatch, timing: SlackTiming
) -> _SlackClients:
    slack = settings.slack
    proxy = slack.proxies.of(slack.api_url)
    client = partial(new_web_client, base_url=slack.api_url, http=http, proxy=proxy, timing=timing)
    bot_client = partial(client, slack.bot_token, watch=watch)
    return _SlackClients(
        web=bot_client(),
        without_retries=bot_client(repeats=False),
        without_waits=bot_client(waits=False),
        socket_web=client(slack.app_token, waits=False, repeats=False),  # receivers/reconnect.py limits its rate
        without_token=client(None),
    )


def _slack_parts(
    settings: Settings,
    clients: _SlackClients,
    identity: BotIdentity,
    http: aiohttp.ClientSession,
    store: Storage,
    told: ToldReaders,
    timing: SlackTiming,
) -> _SlackParts:
    slack, web = settings.slack, clients.web
    conversations = settings.service.conversations
    capabilities = Capabilities(
        settings.sending.any_on,
        not settings.connect.off,
        conversations is not None,
        conversations.app if conversations else None,
        settings.sending.is_on(ContactChannel.SMS),
        settings.sending.is_on(ContactChannel.EMAIL),
    )
    people = SlackDirectory(clients.without_waits, identity.home, timing=timing)
    access = AccessPolicy(settings.rules, identity.home, people)
    access_contact = _access_contact(settings)
    contact = ContactName(people, UserId(access_contact) if access_contact[:1] in ("U", "W") else None, timing)
    renderer = MessageRenderer(
        slack.command,
        contact_markup(slack.help_contact, settings.rules.admins.users),
        capabilities,
        can_repair=lambda user_id: user_id == slack.help_contact or access.is_known_admin(user_id),
        told=lambda error: told.of(NoticeKind.FAULT, fault_name(error)),
        can_connect=access.is_known_admin,
        has_administrators=bool(settings.rules.admins),
        access_contact=reader_mention(access_contact) if access_contact else "",
        contact_name=contact.known,
        starts_anywhere=not settings.rules.channels,
    )
    direct, channels = DirectMessages(web, timing), ChannelDirectory(web, identity.home, timing)
    session_messages = SlackSessionMessages(
        web, clients.without_retries, direct, channels, store.sessions, cards=renderer.cards, timing=timing
    )
    return _SlackParts(
        access=access,
        renderer=renderer,
        session_messages=session_messages,
        responder=SlackResponder(
            web, http, renderer, direct, session_messages, slack.proxies.of, contact=contact, timing=timing
        ),
        views=Views(web, timing),
        notices=SlackNotices(web, direct, channels, renderer.notice, timing),
    )


def _access_contact(settings: Settings) -> str:
    """Return the channel or person to name to people without a Genesys user: one that can connect them, if it is known.

    That is the contact where it is a channel or an administrator, else an administrator; "" without administrators.
    """
    contact, admins = contact_id(settings.slack.help_contact), settings.rules.admins
    if not admins:
        return ""
    if contact[:1] in ("C", "G") or contact in admins.users or (contact and admins.groups):
        return contact
    return min(admins.users, default=UserId(contact))


def _use_cases(
    settings: Settings,
    slack: _SlackParts,
    store: Storage,
    genesys: GenesysClient,
    tokens: UserTokens,
    board: NoticeBoard,
    events: EventLog,
    timing: CoreTiming,
) -> _UseCases:
    access, users, api = slack.access, UsersApi(genesys), sessions_api(settings.service, genesys, tokens)
    status = ServiceStatus()
    hosts = HostResolver(host_rules(settings, users), store, waits=users.waits, found_seconds=timing.host_cache_seconds)
    sessions = SessionService(
        store.sessions, access, api, slack.session_messages, events, timing, SessionEnds(board).tell_agent
    )
    start_session = _start_session(settings, slack, store, hosts, api, sessions, timing)
    accounts = AccountLinking(access, hosts, store.connections, tokens, events, timing)
    application_id = settings.service.offer.application_id
    requests = AccessRequests(board, access, hosts, store, store.notices, status, users.name_of, timing.notices)
    return _UseCases(
        limiter=RequestLimiter(settings.limits),
        status=status,
        hosts=hosts,
        directory=users,
        sessions_api=api,
        start_session=start_session,
        sessions=sessions,
        customer_messaging=CustomerMessaging(sessions, CustomerMessagesApi(genesys), settings.sending),
        accounts=accounts,
        diagnostics=Diagnostics(
            access, hosts, store, users, api, application_id, accounts.connected, requests.connected
        ),
        access_requests=requests,
    )


def _start_session(
    settings: Settings,
    slack: _SlackParts,
    store: Storage,
    hosts: HostResolver,
    api: CobrowseSessions | ConversationSessions,
    own_sessions: SessionService,
    timing: CoreTiming,
) -> StartSession:
    return StartSession(
        store=store,
        access=slack.access,
        hosts=hosts,
        sessions=api,
        own_sessions=own_sessions,
        responder=slack.responder,
        defaults=replace(settings.service.offer, phone_countries=settings.sending.sms_countries),
        timing=timing.run,
        in_conversations=settings.service.conversations is not None,
    )


def _notice_board(
    settings: Settings, slack: _SlackParts, store: Storage, told: ToldReaders, timing: CoreTiming
) -> NoticeBoard:
    """Build the notice board, and decide the readers of each notice. Faults are for administrators and the contact."""
    contact = contact_id(settings.slack.help_contact)

    async def readers(notice: Notice) -> tuple[Sequence[str], bool]:
        if notice.kind is NoticeKind.ENDED:
            return [read_end(notice.data).agent], True
        if notice.kind is NoticeKind.WELCOME:
            return (read_access(notice.data).person[1],), True
        channels, users = ([contact], []) if contact[:1] in ("C", "G") else ([], [UserId(contact)] if contact else [])
        if notice.kind is NoticeKind.ACCESS:  # its button is for administrators, whom a channel may hold
            users = []
        administrators, are_all = await slack.access.administrators(notice.team_id, *users)
        return (*channels, *administrators), are_all

    return NoticeBoard(store.notices, slack.notices, readers, told, timing.notices)


def _fault_reports(
    slack: _SlackParts, use_cases: _UseCases, genesys: GenesysClient, board: NoticeBoard, timing: CoreTiming
) -> FaultReports:
    probe = GenesysProbe(genesys, use_cases.sessions_api, timeout=timing.lookup_timeout)
    return FaultReports(board, use_cases.status, slack.access, probe, fault_name, timing.notices)


def _request_parts(
    slack: _SlackParts,
    store: Storage,
    use_cases: _UseCases,
    faults: FaultReports,
    events: EventLog,
    timing: CoreTiming,
) -> tuple[Recovery, RequestWorker, RequestService]:
    each = (
        use_cases.start_session,
        use_cases.sessions,
        use_cases.diagnostics,
        use_cases.customer_messaging,
        use_cases.accounts,
        use_cases.access_requests,
        faults,
    )
    recovery = Recovery(store, store.sessions, slack.session_messages, events, timing.recovery)
    worker = RequestWorker(
        store=store,
        handlers={kind: handler for use_case in each for kind, handler in use_case.handlers().items()},
        responder=slack.responder,
        events=events,
        recovery=recovery,
        timing=timing,
        report=faults.record,
    )
    return recovery, worker, RequestService(store, worker, use_cases.limiter, events)


def _subscribe(
    events: EventLog,
    metrics: PrometheusMetrics,
    audit: AuditLog | None,
    status: ServiceStatus,
    tab: home_tab.HomeTab,
    recovery: Recovery,
) -> None:
    """Subscribe these objects to the events of requests, the log first. `audit` is None if there is no audit log."""
    audits = (audit.record_event,) if audit else ()
    events.subscribe(RequestFinished, log_event, metrics.record_event, *audits)
    events.subscribe(RequestFinished, status.record_event, tab.followers.record_event)
    events.subscribe(RequestRejected, metrics.record_event, *audits)
    events.subscribe(RequestResumed, log_event, metrics.record_event)
    events.subscribe(SessionClosed, recovery.wake)


def _bolt_app(
    settings: Settings,
    clients: _SlackClients,
    identity: BotIdentity,
    slack: _SlackParts,
    use_cases: _UseCases,
    requests: RequestService,
    tab: home_tab.HomeTab,
    timing: SlackTiming,
) -> AsyncApp:
    """Build the Bolt app, and register a listener for every payload that Slack sends."""
    responder, renderer, views = slack.responder, slack.renderer, slack.views
    conversations, bot_token = settings.service.conversations, settings.slack.bot_token
    genesys_app = conversations.app if conversations else None
    offers = LinkOffers(settings.sending, bot_token.encode())
    form = _session_form(settings, slack, use_cases, timing)
    command = SlashCommand(requests, renderer, form, genesys_app, offers)
    app = new_bolt_app(identity, bot_token, clients.without_token, command)
    actions.register(app, requests, responder, renderer)
    choices.register(app, requests, responder, renderer, form, offers)
    session_form.register(app, requests, form)
    presses = CardPresses(requests, use_cases.sessions, views, responder, renderer)
    cards.register(app, presses)
    lists.register(app, presses, tab)
    customer_messages.register(app, requests, responder, renderer, settings.sending)
    home_tab.register(app, tab, form)
    connect_person.register(app, requests, renderer, _connect_dialog(slack, use_cases, timing))
    workflow_step.register(app, requests, responder, settings.sending.sms_countries)
    errors.register(app, responder, renderer)
    return app


def _session_form(
    settings: Settings, slack: _SlackParts, use_cases: _UseCases, timing: SlackTiming
) -> session_form.SessionForm:
    conversations = settings.service.conversations
    return session_form.SessionForm(
        slack.views,
        slack.access,
        use_cases.sessions_api,
        settings.service.offer,
        slack.responder,
        slack.renderer,
        slack.session_messages,
        use_cases.hosts,
        conversations.app if conversations else None,
        timing,
        settings.sending.sms_countries,
    )


def _connect_dialog(slack: _SlackParts, use_cases: _UseCases, timing: SlackTiming) -> connect_person.ConnectDialog:
    return connect_person.ConnectDialog(
        slack.views,
        slack.responder,
        slack.renderer,
        access=slack.access,
        hosts=use_cases.hosts,
        directory=use_cases.directory,
        timing=timing,
    )


def _home_tab(
    settings: Settings,
    identity: BotIdentity,
    slack: _SlackParts,
    use_cases: _UseCases,
    board: NoticeBoard,
    timing: SlackTiming,
) -> home_tab.HomeTab:
    needed = needed_scopes(groups=settings.rules.uses_groups, emails=settings.match_email)
    warnings = (*config_warnings(settings), *missing(identity.scopes, needed))
    return home_tab.HomeTab(
        slack.views,
        slack.responder,
        slack.renderer,
        access=slack.access,
        diagnostics=use_cases.diagnostics,
        sessions=use_cases.sessions,
        status=use_cases.status,
        limiter=use_cases.limiter,
        access_requests=use_cases.access_requests,
        board=board,
        directory=use_cases.directory,
        config_warnings=warnings,
        timing=timing,
    )


def _oauth_callback(
    settings: Settings, slack: _SlackParts, use_cases: _UseCases, bounds: ReceiverBounds
) -> OAuthCallback | None:
    if settings.connect.off:
        return None
    return OAuthCallback(use_cases.accounts, settings.connect.path, slack.responder, slack.renderer, bounds)
