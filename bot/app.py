"""The wiring: settings -> clients -> store -> desk -> Bolt app. Step 1 of five; read it first.

Nothing here decides anything: each line names a part and what it is made of.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import AuditLog
from bot.desk.access import Access
from bot.desk.condition import Condition
from bot.desk.desk import Desk
from bot.desk.hosts import Hosts, ListedHosts, Rule, SameEmail
from bot.desk.inquiries import Inquiries
from bot.desk.journal import Journal
from bot.desk.limits import Gatekeeper
from bot.desk.meter import UNMEASURED, Meter
from bot.desk.register import Register
from bot.desk.sending import Sending
from bot.genesys.agentless import Agentless
from bot.genesys.auth import TokenAuth
from bot.genesys.client import GenesysClient
from bot.genesys.connections import HttpClient
from bot.genesys.conversations import CALLS, Conversations
from bot.genesys.pace import Pace
from bot.genesys.sessions import Sessions
from bot.genesys.users import Users
from bot.health import Health
from bot.metrics import Metrics
from bot.settings import Service, Settings
from bot.settings.doubts import doubts
from bot.slack import actions, boundary, commands, home, modals, sending, steps
from bot.slack.bolt import new_bolt_app
from bot.slack.delivery import Delivery, new_http_session, new_web_client
from bot.slack.direct import DirectMessages
from bot.slack.herald import Herald
from bot.slack.identity import identify
from bot.slack.messages import Words, contact_markup
from bot.slack.people import SlackPeople
from bot.slack.places import Places
from bot.slack.scopes import missing
from bot.slack.views import Views
from bot.store.opening import open_store


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that whoever runs the bot needs. `socket_web` is for Socket Mode's own calls."""

    settings: Settings
    app: AsyncApp
    desk: Desk
    socket_web: AsyncWebClient
    health: Health


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Bot]:
    """A bot that is ready to take commands. Raises SlackRefused, SlackUnreachable, StoreRefused, AuditRefused."""
    slack, database, metrics = settings.slack, settings.database, Metrics()
    async with (
        open_store(database.url, keys=database.keys, retention_days=database.retention_days, meter=metrics) as store,
        new_http_session() as http,
        open_genesys(settings.service, metrics) as genesys,
    ):
        proxy = slack.proxies.of(slack.api_url)
        web = new_web_client(slack.bot_token, slack.api_url, http, proxy)
        identity = await identify(web)
        people = SlackPeople(new_web_client(slack.bot_token, slack.api_url, http, proxy, waits=False), identity.home)
        words = Words(slack.command, contact_markup(slack.help_contact), settings.sending.any_on)
        access = Access(settings.rules, identity.home, people)
        users, sessions, offer = Users(genesys), session_service(settings.service, genesys), settings.service.offer
        hosts = Hosts(host_rules(settings, users), store)
        direct = DirectMessages(web)
        once = new_web_client(slack.bot_token, slack.api_url, http, proxy, repeats=False)
        herald = Herald(web, once, direct, Places(web), store.sessions, sends=words.sends)
        delivery = Delivery(web, http, words, direct, herald, slack.proxies.of)
        register = Register(store.sessions, access, sessions, herald)
        sendings = Sending(register, Agentless(genesys), settings.sending)
        inquiries = Inquiries(access, hosts, store, users, sessions, offer.application_id)
        audit, condition, views = AuditLog(settings.audit_log), Condition(), Views(web)
        desk = Desk(
            store=store,
            access=access,
            hosts=hosts,
            sessions=sessions,
            teller=delivery,
            offer=offer,
            gatekeeper=Gatekeeper(settings.limits),
            journal=Journal(metrics, audit),
            handlers={**register.handlers(), **inquiries.handlers(), **sendings.handlers()},
            deeds=sendings.deeds(),
        )
        metrics.watch(under_way=lambda: desk.under_way, queue_length=lambda: genesys.queue_length)
        health = Health(metrics, store.find)
        app = new_bolt_app(identity, slack.bot_token, new_web_client(None, slack.api_url, http, proxy))
        genesys_app = settings.service.conversations.app if settings.service.conversations else None
        forms = modals.Forms(views, access, sessions, offer, delivery, words, genesys_app)
        wrong = (*doubts(settings), *missing(identity.scopes))
        tab = home.Home(views, home.Sources(access, inquiries, register, condition, wrong), delivery, words)
        delivery.listeners += [condition.note, tab.follow]
        commands.register(app, desk, words, forms, genesys_app)
        actions.register(app, desk, delivery, words)
        modals.register(app, desk, forms)
        sending.register(app, desk, views, delivery, words)
        home.register(app, tab, forms)
        steps.register(app, desk, delivery)
        boundary.register(app, delivery, words)
        try:
            yield Bot(settings, app, desk, new_web_client(slack.app_token, slack.api_url, http, proxy), health)
        finally:
            await delivery.close()
            audit.close()


@asynccontextmanager
async def open_genesys(service: Service, meter: Meter = UNMEASURED) -> AsyncIterator[GenesysClient]:
    """The session service alone: all that the commands without Slack need."""
    async with HttpClient(service.proxy) as http:
        auth = TokenAuth(http, service.login_url, service.credentials, meter=meter)
        try:
            pace, calls_each = Pace(service.requests_per_minute), CALLS if service.conversations else 1
            yield GenesysClient(http, service.api_url, auth, pace=pace, calls_each=calls_each, meter=meter)
        finally:
            await auth.close()


def session_service(service: Service, genesys: GenesysClient) -> Sessions | Conversations:
    """The one that is chosen."""
    chosen = service.conversations
    return Conversations(genesys, chosen.joining) if chosen else Sessions(genesys)


def host_rules(settings: Settings, users: Users) -> list[Rule]:
    """The chain, in order."""
    rules: list[Rule] = []
    if settings.listed_hosts is not None:
        rules.append(ListedHosts(settings.listed_hosts))
    if settings.match_email:
        rules.append(SameEmail(users, settings.email_domains))
    return rules
