"""The wiring: settings -> clients -> store -> desk -> Bolt app. Step 1 of five; read it first.

Nothing here decides anything: each line names a part and what it is made of.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.config.settings import Settings
from bot.config.warnings import config_warnings
from bot.core.access import AccessPolicy
from bot.core.hosts.resolver import HostResolver
from bot.core.models import RequestKind
from bot.core.requests.events import (
    EventLog,
    RequestFinished,
    RequestRejected,
    RequestResumed,
    SessionClosed,
    log_event,
)
from bot.core.requests.limits import RequestLimiter
from bot.core.requests.recovery import Recovery
from bot.core.requests.service import RequestService
from bot.core.requests.status import ServiceStatus
from bot.core.requests.worker import RequestWorker
from bot.core.timing import GENESYS_TIMING, CoreTiming, GenesysTiming
from bot.core.use_cases.accounts import AccountLinking
from bot.core.use_cases.customer_messages import CustomerMessaging
from bot.core.use_cases.diagnostics import Diagnostics
from bot.core.use_cases.sessions import SessionService
from bot.core.use_cases.start_session import StartSession
from bot.genesys.api.customer_messages import CustomerMessagesApi
from bot.genesys.api.users import UsersApi
from bot.observability.audit import AuditLog
from bot.observability.metrics import PrometheusMetrics
from bot.slack.api.channels import ChannelDirectory
from bot.slack.api.direct_messages import DirectMessages
from bot.slack.api.directory import SlackDirectory
from bot.slack.api.identity import identify
from bot.slack.api.responder import SlackResponder, new_http_session, new_web_client
from bot.slack.api.scopes import missing
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.api.token_watch import TokenWatch
from bot.slack.api.views import Views
from bot.slack.app import new_bolt_app
from bot.slack.listeners import actions, errors, home_tab, session_form, workflow_step
from bot.slack.listeners import customer_messages as sending
from bot.slack.listeners.commands import SlashCommand
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer, contact_markup
from bot.storage.open import open_store
from bot.upstream import host_rules, needs, open_genesys, open_user_tokens, session_service
from bot.web.health import Health
from bot.web.oauth_callback import Callback


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that whoever runs the bot needs. `socket_web` is for Socket Mode's own calls; `callback` None: nobody
    can connect their own Genesys account."""

    settings: Settings
    app: AsyncApp
    desk: RequestService
    worker: RequestWorker
    socket_web: AsyncWebClient
    health: Health
    callback: Callback | None


@asynccontextmanager
async def open_bot(
    settings: Settings, timing: CoreTiming | None = None, *, genesys_timing: GenesysTiming = GENESYS_TIMING
) -> AsyncIterator[Bot]:
    """A bot that is ready to take commands.

    Raises SlackSetupError, SlackUnreachableError, StorageSetupError, AuditSetupError.
    """
    timing = timing or CoreTiming()
    slack, database, can_connect = settings.slack, settings.database, not settings.connect.off
    metrics = PrometheusMetrics(RequestKind, needs(settings))
    async with (
        TokenWatch() as watch,
        open_store(database.url, keys=database.keys, retention_days=database.retention_days, meter=metrics) as store,
        new_http_session() as http,
        open_genesys(settings.service, metrics, genesys_timing) as genesys,
        open_user_tokens(settings, store.connections, genesys_timing) as tokens,
    ):
        client = partial(new_web_client, base_url=slack.api_url, http=http, proxy=slack.proxies.of(slack.api_url))
        bot_client = partial(client, slack.bot_token, watch=watch)
        web, once = bot_client(), bot_client(repeats=False)
        socket_web = client(slack.app_token, waits=False, repeats=False)  # slack/reconnect.py paces its calls
        identity = await watch.start(web, identify)
        people = SlackDirectory(bot_client(waits=False), identity.home)
        features = Capabilities(settings.sending.any_on, can_connect, settings.service.conversations is not None)
        words = MessageRenderer(slack.command, contact_markup(slack.help_contact), features)
        access, direct = AccessPolicy(settings.rules, identity.home, people), DirectMessages(web)
        herald = SlackSessionMessages(
            web, once, direct, ChannelDirectory(web, identity.home), store.sessions, sends=features.sends
        )
        delivery = SlackResponder(web, http, words, direct, herald, slack.proxies.of)
        users, sessions = UsersApi(genesys), session_service(settings.service, genesys, tokens)
        hosts, offer = HostResolver(host_rules(settings, users), store, waits=users.waits), settings.service.offer
        audit, condition, views = AuditLog(settings.audit_log), ServiceStatus(), Views(web)
        events = EventLog()
        register = SessionService(store.sessions, access, sessions, herald, events, timing)
        sendings = CustomerMessaging(register, CustomerMessagesApi(genesys), settings.sending)
        gatekeeper = RequestLimiter(settings.limits)
        connecting = AccountLinking(access, hosts, store.connections, tokens, events, timing)
        inquiries = Diagnostics(access, hosts, store, users, sessions, offer.application_id, connecting.connected)
        starting = StartSession(
            store=store, access=access, hosts=hosts, sessions=sessions, responder=delivery, defaults=offer,
            timing=timing.run,
        )  # fmt: skip
        use_cases = (starting, register, inquiries, sendings, connecting)
        handlers = {kind: handler for each in use_cases for kind, handler in each.handlers().items()}
        recovery = Recovery(store, store.sessions, herald, events, timing.recovery)
        worker = RequestWorker(
            store=store, handlers=handlers, responder=delivery, events=events, recovery=recovery, timing=timing,
        )  # fmt: skip
        desk = RequestService(store, worker, gatekeeper, events)
        metrics.watch(under_way=lambda: desk.under_way, queue_length=lambda: genesys.queue_length)
        genesys_app = settings.service.conversations.app if settings.service.conversations else None
        forms = session_form.SessionForm(views, access, sessions, offer, delivery, words, genesys_app)
        wrong = (*config_warnings(settings), *missing(identity.scopes))
        tab = home_tab.HomeTab(
            views, home_tab.Sources(access, inquiries, register, condition, gatekeeper, wrong), delivery, words
        )
        _subscribe(events, metrics, audit if settings.audit_log else None, condition, tab, recovery)
        command = SlashCommand(desk, words, forms, genesys_app)
        app = new_bolt_app(identity, slack.bot_token, client(None), command)
        _listen(app, desk, delivery, words, views, forms, tab)
        callback = Callback(connecting, settings.connect.path, delivery, words) if can_connect else None
        try:
            yield Bot(
                settings, app, desk, worker, socket_web, Health(metrics, store.find, lambda: watch.refusal), callback
            )
        finally:
            await delivery.close()
            audit.close()


def _subscribe(
    events: EventLog,
    metrics: PrometheusMetrics,
    audit: AuditLog | None,
    status: ServiceStatus,
    tab: home_tab.HomeTab,
    recovery: Recovery,
) -> None:
    """Subscribe to the events, the log first. `audit` None: there is no audit log."""
    audits = (audit.record_event,) if audit else ()
    events.subscribe(RequestFinished, log_event, metrics.record_event, *audits)
    events.subscribe(RequestFinished, status.record_event, tab.record_event)
    events.subscribe(RequestRejected, metrics.record_event, *audits)
    events.subscribe(RequestResumed, log_event, metrics.record_event)
    events.subscribe(SessionClosed, recovery.wake)


def _listen(
    app: AsyncApp,
    desk: RequestService,
    delivery: SlackResponder,
    words: MessageRenderer,
    views: Views,
    forms: session_form.SessionForm,
    tab: home_tab.HomeTab,
) -> None:
    """To what there is beside the command."""
    actions.register(app, desk, delivery, words)
    session_form.register(app, desk, forms)
    sending.register(app, desk, views, delivery, words)
    home_tab.register(app, tab, forms)
    workflow_step.register(app, desk, delivery)
    errors.register(app, delivery, words)
