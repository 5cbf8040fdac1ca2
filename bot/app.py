"""Build the bot of one workspace from its settings: clients, use cases, request service, Bolt app.

This is the best file to start reading the code. Each function builds one layer from the layers below it. No function
contains business rules.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.config.reload.watcher import Mask, SecretWatcher, mask_nothing
from bot.config.settings import Settings
from bot.config.warnings import config_warnings
from bot.core.access import AccessPolicy
from bot.core.errors import CobrowseError
from bot.core.hosts.own_host import OwnHost
from bot.core.hosts.resolver import HostResolver
from bot.core.live.telling import StateTelling
from bot.core.live.watcher import SessionWatcher
from bot.core.models import LiveMode, Notice, NoticeKind, RequestKind, UserId
from bot.core.notices import NoticeBoard, ToldReaders
from bot.core.ports import StartHistory, Tracer
from bot.core.requests.events import (
    EventLog,
    RequestFinished,
    RequestRejected,
    RequestResumed,
    ServiceStatus,
    SessionClosed,
    SessionStateChanged,
    log_event,
)
from bot.core.requests.recovery import Recovery
from bot.core.requests.service import RequestLimiter, RequestService
from bot.core.requests.worker import RequestWorker
from bot.core.timing import (
    GENESYS_TIMING,
    RECEIVER_BOUNDS,
    SECRET_TIMING,
    SLACK_TIMING,
    CoreTiming,
    GenesysTiming,
    ReceiverBounds,
    SecretTiming,
    SlackTiming,
)
from bot.core.use_cases.access_requests import AccessRequests, read_access
from bot.core.use_cases.accounts import AccountLinking
from bot.core.use_cases.customer_messages import CustomerMessaging, LinkOffers
from bot.core.use_cases.diagnostics import Diagnostics
from bot.core.use_cases.faults import FaultReports
from bot.core.use_cases.help_requests import HelpRequests
from bot.core.use_cases.session_ends import SessionEnds, read_end
from bot.core.use_cases.session_status import SessionStates
from bot.core.use_cases.sessions import SessionService
from bot.core.use_cases.start_session import StartSession
from bot.core.validation.contact import ContactChannel
from bot.factories import (
    host_rules,
    live_source,
    open_genesys,
    open_user_tokens,
    required_permissions,
    sessions_api,
)
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
from bot.secret_changes import watch_bot_token
from bot.shared import Durations, Shared, open_shared
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages, SlackNotices
from bot.slack.api.directory import ContactName, Readers, SlackDirectory
from bot.slack.api.identity import BotIdentity, identify, missing
from bot.slack.api.responder import SlackResponder, new_http_session, new_web_client
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.api.token_watch import TokenWatch, WebClient
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
from bot.slack.listeners.actions import HelpPresses
from bot.slack.listeners.cards import CardPresses
from bot.slack.listeners.commands import EndQuestions, SlashCommand
from bot.slack.manifest import needed_scopes
from bot.slack.messages.catalogue.languages import LOCALES
from bot.slack.messages.catalogue.sentence import Language
from bot.slack.messages.error_copy import fault_name
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, contact_id, contact_markup, reader_mention
from bot.slack.messages.session_card import UsualNames
from bot.storage.open import Storage
from bot.web.health import Health
from bot.web.oauth_callback import OAuthCallback


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot of one workspace: the parts that server.py runs.

    - `shared`: the parts that all workspaces of the process share.
    - `app`: the Bolt app. It passes Slack's payloads to the listeners.
    - `requests`, `worker`: the request service, which accepts requests, and the worker, which processes them.
    - `health`: answers the health and metrics endpoints.
    - `metrics`: the metrics of this workspace.
    - `secrets`: reads the workspace's files of secrets again when they change.
    - `socket_web`: the client of Slack's Web API that asks Slack for Socket Mode connections.
    - `oauth_callback`: answers browsers that return from a Genesys sign-in; None if the settings allow no sign-in.
    """

    settings: Settings
    shared: Shared
    secrets: SecretWatcher[Settings]
    app: AsyncApp
    requests: RequestService
    worker: RequestWorker
    socket_web: AsyncWebClient
    health: Health
    oauth_callback: OAuthCallback | None
    metrics: PrometheusMetrics


@asynccontextmanager
async def open_bot(
    settings: Settings,
    timing: CoreTiming | None = None,
    *,
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
    secret_timing: SecretTiming = SECRET_TIMING,
    bounds: ReceiverBounds = RECEIVER_BOUNDS,
    locales: Path = LOCALES,
    mask: Mask = mask_nothing,
) -> AsyncIterator[Bot]:
    """Build the bot of a process with a single workspace. Close the bot at the end of the `with` block.

    - `timing`, `genesys_timing`, `slack_timing`, `secret_timing`: the durations that the bot uses, such as time limits.
      The defaults are those of the real bot. Tests pass other values.
    - `bounds`: the maximum amounts of incoming data that the bot handles at the same time.
    - `locales`: the folder with the translations of the bot's messages.
    - `mask`: a function that takes secrets and hides them in all later log lines.

    Raises AuditSetupError if the audit log cannot be opened, StorageSetupError if the database cannot be opened,
    SlackSetupError if Slack refuses the bot token, and SlackUnreachableError if Slack does not answer.
    """
    durations = Durations(
        core=timing or CoreTiming(), genesys=genesys_timing, slack=slack_timing, secrets=secret_timing, bounds=bounds
    )
    async with (
        open_shared(settings.process, durations, locales=locales, mask=mask) as shared,
        open_workspace(shared, settings) as bot,
    ):
        yield bot


@asynccontextmanager
async def open_workspace(shared: Shared, settings: Settings) -> AsyncIterator[Bot]:
    """Build the bot of one workspace, and start its background tasks. Close the bot at the end of the `with` block.

    `shared`: the parts that all workspaces share. Raises SlackSetupError if Slack refuses the bot token, and
    SlackUnreachableError if Slack does not answer.
    """
    async with _open_resources(shared, settings) as resources:
        clients = _slack_clients(resources)
        identity = await resources.watch.start(clients.web, partial(identify, timing=resources.slack_timing))
        _watch_bot_token(resources, clients, identity)
        slack = _slack_parts(resources, clients, identity, shared.languages)
        board = _notice_board(resources, slack)
        use_cases = _use_cases(resources, slack, board)
        recovery, worker, requests = _request_parts(resources, slack, use_cases, board)
        tab = _home_tab(resources, slack, use_cases, board)
        _subscribe(resources, use_cases.status, tab, recovery)
        live = _live(resources, slack, use_cases)
        app = _bolt_app(resources, clients, identity, slack, use_cases, requests, tab)
        callback = _oauth_callback(resources, slack, use_cases)
        health = Health(resources.metrics, resources.store.find, lambda: resources.watch.refusal)
        board.start()
        if live:
            live.start()
        try:
            parts = requests, worker, clients.socket_web, health, callback, resources.metrics
            with resources.metrics.watching(
                under_way=lambda: requests.under_way, queue_length=lambda: resources.genesys.queue_length
            ):
                yield Bot(settings, shared, resources.secrets, app, *parts)
        finally:
            await resources.secrets.close()  # before the parts that take changed secrets
            if live:
                await live.stop()
            await board.stop()
            await slack.responder.close()


@dataclass(frozen=True, slots=True)
class _Resources:
    """The settings, connections and logs of one workspace, which every layer needs.

    - `metrics`, `store`: the metrics and the database of the process, limited to the data of this workspace.
    - `audit`: the audit log of this workspace.
    - `watch`: records whether Slack accepts the bot token.
    - `http`: the connections to Slack.
    - `tokens`: the tokens of linked accounts.
    - `events`: passes each event, such as a finished request, to the parts of the bot that subscribed to it.
    - `told`: holds for each notice the people and channels that have got a message, and those that will get one.
    """

    settings: Settings
    durations: Durations
    metrics: PrometheusMetrics
    tracer: Tracer
    secrets: SecretWatcher[Settings]
    watch: TokenWatch
    store: Storage
    http: aiohttp.ClientSession
    genesys: GenesysClient
    tokens: UserTokens
    audit: AuditLog
    events: EventLog
    told: ToldReaders

    @property
    def timing(self) -> CoreTiming:
        return self.durations.core

    @property
    def slack_timing(self) -> SlackTiming:
        return self.durations.slack


@asynccontextmanager
async def _open_resources(shared: Shared, settings: Settings) -> AsyncIterator[_Resources]:
    """Open the workspace's audit log and its connections to Slack and Genesys. Yield them with the settings.

    Close them at the end of the `with` block.
    """
    name, durations, tracer = settings.workspace, shared.durations, shared.tracer
    metrics = shared.metrics.in_workspace(name, RequestKind, required_permissions(settings))
    store = shared.store.in_workspace(name)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        audit = _audit_log(shared, settings, stack)
        watch = await enter(TokenWatch(durations.slack))
        http = await enter(new_http_session(durations.slack, shared.slack_pool))
        secrets = await enter(SecretWatcher(settings, metrics, audit, shared.mask, timing=durations.secrets))
        service, pool = settings.service, shared.genesys_pool
        genesys = await enter(open_genesys(service, metrics, durations.genesys, tracer, secrets, pool))
        tokens = await enter(open_user_tokens(settings, store.connections, durations.genesys, tracer, secrets, pool))
        parts = tracer, secrets, watch, store, http, genesys, tokens, audit
        yield _Resources(settings, durations, metrics, *parts, EventLog(), ToldReaders())


def _audit_log(shared: Shared, settings: Settings, stack: AsyncExitStack) -> AuditLog:
    """Return the workspace's audit log, which writes the workspace's short name in each line.

    The audit log writes to the file that all workspaces share, unless the workspace's settings name another file.
    """
    own = shared.audit
    if settings.audit_log != shared.settings.audit_log:
        own = stack.enter_context(closing(AuditLog(settings.audit_log)))
    return own.in_workspace(settings.workspace)


@dataclass(frozen=True, slots=True)
class _SlackClients:
    """The clients of Slack's Web API. They differ in the token that they send, and in when they repeat a call.

    - `web`: sends the bot token. Repeats a call after a connection error, a 5xx, or a 429 with a short Retry-After.
    - `without_retries`: sends the bot token. Repeats a call only after a 429 with a short Retry-After, because Slack
      has not carried out such a call.
    - `without_waits`: sends the bot token. Repeats a call after a connection error or a 5xx, but not after a 429.
    - `socket_web`: sends the app-level token. Never repeats a call.
    - `without_token`: sends no token. Repeats a call in the same cases as `web`.
    """

    web: WebClient
    without_retries: WebClient
    without_waits: WebClient
    socket_web: AsyncWebClient
    without_token: AsyncWebClient


@dataclass(frozen=True, slots=True)
class _SlackParts:
    """The objects that read people, groups and channels from Slack, decide who may do what, and write to Slack."""

    people: SlackDirectory
    access: AccessPolicy
    renderer: MessageRenderer
    session_messages: SlackSessionMessages
    responder: SlackResponder
    views: Views
    notices: SlackNotices


@dataclass(frozen=True, slots=True)
class _UseCases:
    limiter: RequestLimiter
    status: ServiceStatus
    hosts: HostResolver
    directory: UsersApi
    sessions_api: CobrowseSessions | ConversationSessions
    start_session: StartSession
    sessions: SessionService
    states: SessionStates
    customer_messaging: CustomerMessaging
    accounts: AccountLinking[Grant]
    diagnostics: Diagnostics
    access_requests: AccessRequests
    starts: StartHistory


def _slack_clients(resources: _Resources) -> _SlackClients:
    slack, timing = resources.settings.slack, resources.slack_timing
    proxy = slack.proxies.of(slack.api_url)
    client = partial(
        new_web_client,
        base_url=slack.api_url,
        http=resources.http,
        proxy=proxy,
        timing=timing,
        tracer=resources.tracer,
    )
    bot_client = partial(client, slack.bot_token, watch=resources.watch)
    return _SlackClients(
        web=bot_client(),
        without_retries=bot_client(repeats=False),
        without_waits=bot_client(waits=False),
        socket_web=client(slack.app_token, waits=False, repeats=False),  # receivers/reconnect.py limits its rate
        without_token=client(None),
    )


def _watch_bot_token(resources: _Resources, clients: _SlackClients, identity: BotIdentity) -> None:
    slack, timing = resources.settings.slack, resources.slack_timing
    proxy = slack.proxies.of(slack.api_url)

    def new_client(token: str) -> WebClient:
        return new_web_client(token, slack.api_url, resources.http, proxy, waits=False, repeats=False, timing=timing)

    with_token = clients.web, clients.without_retries, clients.without_waits
    watch_bot_token(resources.secrets, with_token, new_client, identity, resources.watch, timing)


def _slack_parts(
    resources: _Resources, clients: _SlackClients, identity: BotIdentity, languages: Mapping[str, Language]
) -> _SlackParts:
    settings, timing, web = resources.settings, resources.slack_timing, clients.web
    people = SlackDirectory(clients.without_waits, identity.home, timing=timing)
    readers = Readers(people, languages, settings.language, timing)
    access = AccessPolicy(settings.rules, identity.home, people)
    access_contact = _access_contact(settings)
    contact = ContactName(people, UserId(access_contact) if access_contact[:1] in ("U", "W") else None, timing)
    direct, channels = DirectMessages(web, timing), ChannelDirectory(web, identity.home, timing)
    renderer = _renderer(settings, access, readers, contact, access_contact, resources.told, direct)
    sessions = resources.store.sessions
    session_messages = SlackSessionMessages(
        web, clients.without_retries, direct, channels, sessions, renderer.cards_for, readers, timing
    )
    proxies = settings.slack.proxies.of
    responder = SlackResponder(
        web,
        resources.http,
        renderer,
        direct,
        session_messages,
        proxies,
        contact=contact,
        readers=readers,
        timing=timing,
        tracer=resources.tracer,
    )
    notices = SlackNotices(web, direct, channels, renderer.notice, readers, timing)
    return _SlackParts(people, access, renderer, session_messages, responder, Views(web, timing), notices)


def _renderer(
    settings: Settings,
    access: AccessPolicy,
    readers: Readers,
    contact: ContactName,
    access_contact: str,
    told: ToldReaders,
    direct: DirectMessages,
) -> MessageRenderer:
    help_contact = settings.slack.help_contact

    def telling(error: CobrowseError) -> Sequence[str]:
        readers = told.expected(NoticeKind.FAULT, fault_name(error))
        return [each for each in readers if each[:1] in ("C", "G") or not direct.is_off]

    return MessageRenderer(
        settings.slack.command,
        contact_markup(help_contact, settings.rules.admins.users, groups=settings.rules.admins.groups),
        _capabilities(settings),
        language_of=readers.known,
        can_repair=lambda user_id: (
            access.known_id(user_id) == access.known_id(UserId(help_contact)) or access.is_known_admin(user_id)
        ),
        told=lambda error: told.of(NoticeKind.FAULT, fault_name(error)),
        telling=telling,
        can_tell=bool(settings.rules.admins or contact_id(help_contact)),
        genesys_url=settings.service.app.home,
        can_connect=access.is_known_admin,
        has_administrators=bool(settings.rules.admins),
        access_contact=reader_mention(access_contact) if access_contact else "",
        contact_name=contact.known,
        starts_anywhere=not settings.rules.channels,
    )


def _capabilities(settings: Settings) -> Capabilities:
    sending, conversations = settings.sending, settings.service.conversations
    return Capabilities(
        sending.any_on,
        not settings.connect.off,
        conversations is not None,
        conversations.app if conversations else None,
        sending.is_on(ContactChannel.SMS),
        sending.is_on(ContactChannel.EMAIL),
        sending.texts,
        settings.slack.runbook_url,
    )


def _access_contact(settings: Settings) -> str:
    """Return the id of the channel or person to which the bot sends people who have no Genesys user; "" for nobody.

    The first case that applies decides:

    - COBROWSE_ADMINS is empty: "", because only administrators can link people to Genesys users.
    - COBROWSE_HELP_CONTACT is the id of a channel or of an administrator: this id.
    - COBROWSE_HELP_CONTACT is the id of another person, and COBROWSE_ADMINS contains a user group: this id, because
      the person may be in the group.
    - COBROWSE_ADMINS contains people: the person with the lowest id.
    - In all other cases: "".
    """
    contact, admins = contact_id(settings.slack.help_contact), settings.rules.admins
    if not admins:
        return ""
    if contact[:1] in ("C", "G") or contact in admins.users or (contact and admins.groups):
        return contact
    return min(admins.users, default=UserId(contact))


def _use_cases(resources: _Resources, slack: _SlackParts, board: NoticeBoard) -> _UseCases:
    settings, timing, store, access = resources.settings, resources.timing, resources.store, slack.access
    users, api = UsersApi(resources.genesys), sessions_api(settings.service, resources.genesys, resources.tokens)
    rules, status = host_rules(settings, users), ServiceStatus()
    hosts = HostResolver(
        rules, store, waits=users.waits, found_seconds=timing.host_cache_seconds, tracer=resources.tracer
    )
    states = SessionStates(api, store.sessions, resources.events, timing)
    sessions = _session_service(resources, slack, hosts, api, states, board)
    accounts = AccountLinking(access, hosts, store.connections, resources.tokens, resources.events, timing)
    requests = AccessRequests(board, access, hosts, store, store.notices, status, users.name_of, timing.notices)
    application_id = settings.service.offer.application_id
    connected = accounts.connected, requests.connected
    return _UseCases(
        limiter=RequestLimiter(settings.limits),
        status=status,
        hosts=hosts,
        directory=users,
        sessions_api=api,
        start_session=_start_session(resources, slack, hosts, api, sessions, accounts),
        sessions=sessions,
        states=states,
        customer_messaging=CustomerMessaging(
            sessions, CustomerMessagesApi(resources.genesys), settings.sending, slack.people.name_of
        ),
        accounts=accounts,
        diagnostics=Diagnostics(
            access, hosts, store, users, api, application_id, *connected, newest_open=sessions.newest_open
        ),
        access_requests=requests,
        starts=store.notices,
    )


def _session_service(
    resources: _Resources,
    slack: _SlackParts,
    hosts: HostResolver,
    api: CobrowseSessions | ConversationSessions,
    states: SessionStates,
    board: NoticeBoard,
) -> SessionService:
    return SessionService(
        resources.store.sessions,
        slack.access,
        api,
        slack.session_messages,
        resources.events,
        resources.timing,
        states,
        SessionEnds(board).tell_agent,
        OwnHost(slack.access, hosts).require,
    )


def _start_session(
    resources: _Resources,
    slack: _SlackParts,
    hosts: HostResolver,
    api: CobrowseSessions | ConversationSessions,
    own_sessions: SessionService,
    accounts: AccountLinking[Grant],
) -> StartSession:
    settings = resources.settings
    return StartSession(
        store=resources.store,
        access=slack.access,
        hosts=hosts,
        sessions=api,
        own_sessions=own_sessions,
        responder=slack.responder,
        defaults=replace(settings.service.offer, phone_countries=settings.sending.sms_countries),
        names=UsualNames(slack.renderer.language_of),
        timing=resources.timing.run,
        in_conversations=settings.service.conversations is not None,
        offer_sign_in=None if settings.connect.off else accounts.connect,
    )


def _notice_board(resources: _Resources, slack: _SlackParts) -> NoticeBoard:
    """Build the notice board, which sends each notice to its readers. The readers depend on the notice's subject.

    - A fault, or a request for help: the administrators and the contact.
    - A request for access: the administrators, and the contact if the contact is a channel.
    - An ended session: the agent.
    - A new host link: the linked person.
    """
    contact = contact_id(resources.settings.slack.help_contact)

    async def readers(notice: Notice) -> tuple[Sequence[str], bool]:
        if notice.kind is NoticeKind.ENDED:
            return [read_end(notice.data).agent], True
        if notice.kind is NoticeKind.WELCOME:
            return (read_access(notice.data).person[1],), True
        channels, users = ([contact], []) if contact[:1] in ("C", "G") else ([], [UserId(contact)] if contact else [])
        if notice.kind is NoticeKind.ACCESS:  # its button is for administrators, whom a channel may hold
            users = []
        administrators, are_all = await slack.access.administrators(*users)
        return (*channels, *administrators), are_all

    return NoticeBoard(resources.store.notices, slack.notices, readers, resources.told, resources.timing.notices)


def _fault_reports(resources: _Resources, slack: _SlackParts, use_cases: _UseCases, board: NoticeBoard) -> FaultReports:
    timing = resources.timing
    probe = GenesysProbe(resources.genesys, use_cases.sessions_api, timeout=timing.lookup_timeout)
    worked = use_cases.status.worked, slack.people.answered, resources.genesys.accepted
    return FaultReports(board, worked, slack.access, probe, fault_name, timing.notices)


def _request_parts(
    resources: _Resources, slack: _SlackParts, use_cases: _UseCases, board: NoticeBoard
) -> tuple[Recovery, RequestWorker, RequestService]:
    events, timing, tracer = resources.events, resources.timing, resources.tracer
    store = tracer.storing(resources.store)
    faults = _fault_reports(resources, slack, use_cases, board)
    slack.responder.report_to(faults.record)
    help_requests = HelpRequests(board, slack.access, store, faults, fault_name, timing.notices)
    each = (
        use_cases.start_session,
        use_cases.sessions,
        use_cases.diagnostics,
        use_cases.customer_messaging,
        use_cases.accounts,
        use_cases.access_requests,
        faults,
        help_requests,
    )
    events.one_id = slack.access.with_known_ids
    handlers = {kind: handler for use_case in each for kind, handler in use_case.handlers().items()}
    recovery = Recovery(store, resources.store.sessions, slack.session_messages, events, timing.recovery)
    worker = RequestWorker(
        store=store,
        handlers=handlers,
        responder=slack.responder,
        events=events,
        recovery=recovery,
        timing=timing,
        report=faults.record,
        tracer=tracer,
    )
    requests = RequestService(store, worker, use_cases.limiter, events)
    return recovery, worker, requests


def _subscribe(resources: _Resources, status: ServiceStatus, tab: home_tab.HomeTab, recovery: Recovery) -> None:
    """Subscribe the log, metrics, audit log, traces, service status, Home tab and recovery to events.

    The log gets each event that it records before the other subscribers get the event.
    """
    events, metrics = resources.events, resources.metrics
    audits = (resources.audit.record_event,) if resources.settings.audit_log else ()
    tracers = resources.tracer.subscribers
    events.subscribe(RequestFinished, log_event, metrics.record_event, *audits)
    events.subscribe(RequestFinished, *tracers, status.record_event, tab.followers.record_event)
    events.subscribe(RequestRejected, metrics.record_event, *audits, *tracers)
    events.subscribe(RequestResumed, log_event, metrics.record_event)
    events.subscribe(SessionStateChanged, log_event, metrics.record_event)
    events.subscribe(SessionClosed, recovery.wake)


def _live(resources: _Resources, slack: _SlackParts, use_cases: _UseCases) -> SessionWatcher | None:
    """Build the watcher that reads the states of open sessions. Return None if GENESYS_LIVE is off.

    Subscribe the watcher to finished requests, and its StateTelling to changed states of sessions.
    """
    service, store, timing = resources.settings.service, resources.store, resources.timing.live
    if service.live is LiveMode.OFF:
        return None
    source = live_source(service, resources.genesys, resources.metrics, timing.push)
    telling = StateTelling(store.watches, slack.responder, timing)
    watcher = SessionWatcher(
        store.watches,
        store.sessions,
        use_cases.states,
        timing,
        leader=store,
        source=source,
        metrics=resources.metrics,
        telling=telling,
    )
    resources.events.subscribe(RequestFinished, watcher.record_event)
    resources.events.subscribe(SessionStateChanged, telling.record_event)
    return watcher


def _bolt_app(
    resources: _Resources,
    clients: _SlackClients,
    identity: BotIdentity,
    slack: _SlackParts,
    use_cases: _UseCases,
    requests: RequestService,
    tab: home_tab.HomeTab,
) -> AsyncApp:
    settings, responder, renderer = resources.settings, slack.responder, slack.renderer
    offers = LinkOffers(settings.sending, settings.slack.bot_token.encode())
    form = _session_form(resources, slack, use_cases, offers)
    conversations = settings.service.conversations
    questions = EndQuestions(renderer, use_cases.sessions.known_open, resources.slack_timing)
    genesys_app = conversations.app if conversations else None
    command = SlashCommand(requests, renderer, form, questions, genesys_app, offers)
    app = new_bolt_app(identity, lambda: clients.web.token or "", clients.without_token, command)
    actions.register(app, requests, responder, renderer)
    find_help, slack_timing = use_cases.diagnostics.help, resources.slack_timing
    help_presses = HelpPresses(requests, responder, renderer, slack.views, find_help, slack_timing)
    actions.register_help(app, help_presses)
    choices.register(app, requests, responder, renderer, form, offers)
    session_form.register(app, requests, form)
    presses = CardPresses(requests, use_cases.sessions, slack.views, responder, renderer)
    cards.register(app, presses)
    lists.register(app, presses, tab)
    customer_messages.register(app, requests, responder, renderer, settings.sending)
    home_tab.register(app, tab, form)
    connect_person.register(app, requests, renderer, _connect_dialog(resources, slack, use_cases))
    workflow_step.register(app, requests, responder, settings.sending.sms_countries)
    errors.register(app, responder, renderer)
    return app


def _session_form(
    resources: _Resources, slack: _SlackParts, use_cases: _UseCases, offers: LinkOffers
) -> session_form.SessionForm:
    settings, conversations = resources.settings, resources.settings.service.conversations
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
        resources.slack_timing,
        offers,
    )


def _connect_dialog(resources: _Resources, slack: _SlackParts, use_cases: _UseCases) -> connect_person.ConnectDialog:
    return connect_person.ConnectDialog(
        slack.views,
        slack.responder,
        slack.renderer,
        access=slack.access,
        hosts=use_cases.hosts,
        directory=use_cases.directory,
        timing=resources.slack_timing,
    )


def _home_tab(
    resources: _Resources,
    slack: _SlackParts,
    use_cases: _UseCases,
    board: NoticeBoard,
) -> home_tab.HomeTab:
    settings = resources.settings
    needed = needed_scopes(groups=settings.rules.uses_groups, emails=settings.match_email)
    of_settings = config_warnings(settings)
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
        starts=use_cases.starts,
        board=board,
        directory=use_cases.directory,
        config_warnings=lambda: (*of_settings, *missing(resources.watch.scopes, needed)),
        timing=resources.slack_timing,
    )


def _oauth_callback(resources: _Resources, slack: _SlackParts, use_cases: _UseCases) -> OAuthCallback | None:
    connect = resources.settings.connect
    if connect.off:
        return None
    return OAuthCallback(use_cases.accounts, connect.path, slack.responder, slack.renderer, resources.durations.bounds)
