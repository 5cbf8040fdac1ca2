"""The wiring: settings -> clients -> store -> desk -> Bolt app. Step 1 of five; read it first.

Nothing here decides anything: each line names a part and what it is made of.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.access import Access
from bot.desk.desk import Desk
from bot.desk.hosts import Hosts, ListedHosts, Rule, SameEmail
from bot.genesys.auth import TokenAuth
from bot.genesys.client import GenesysClient
from bot.genesys.connections import HttpClient
from bot.genesys.pace import Pace
from bot.genesys.sessions import Sessions
from bot.genesys.users import Users
from bot.settings import Service, Settings
from bot.slack import actions, boundary, commands
from bot.slack.delivery import Delivery, new_http_session, new_web_client
from bot.slack.identity import Identity, identify
from bot.slack.messages import Words, contact_markup
from bot.slack.people import SlackPeople
from bot.store.opening import open_store


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that whoever runs the bot needs. `socket_web` is for Socket Mode's own calls."""

    settings: Settings
    app: AsyncApp
    desk: Desk
    socket_web: AsyncWebClient


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Bot]:
    """A bot that is ready to take commands. Raises SlackRefused, SlackUnreachable, StoreRefused."""
    slack, database = settings.slack, settings.database
    async with (
        open_store(database.url, keys=database.keys, retention_days=database.retention_days) as store,
        new_http_session() as http,
        open_genesys(settings.service) as genesys,
    ):
        proxy = slack.proxies.of(slack.api_url)
        web = new_web_client(slack.bot_token, slack.api_url, http, proxy)
        identity = await identify(web)
        people = SlackPeople(new_web_client(slack.bot_token, slack.api_url, http, proxy, waits=False), identity.home)
        words = Words(slack.command, contact_markup(slack.help_contact))
        delivery = Delivery(web, http, words, slack.proxies.of)
        desk = Desk(
            store=store,
            access=Access(settings.rules, identity.home, people),
            hosts=Hosts(host_rules(settings, Users(genesys)), store),
            sessions=Sessions(genesys),
            teller=delivery,
            offer=settings.service.offer,
        )
        app = new_bolt_app(settings, identity, new_web_client(None, slack.api_url, http, proxy))
        commands.register(app, desk, words)
        actions.register(app, desk, delivery, words)
        boundary.register(app, delivery, words)
        try:
            yield Bot(settings, app, desk, new_web_client(slack.app_token, slack.api_url, http, proxy))
        finally:
            await delivery.close()


@asynccontextmanager
async def open_genesys(service: Service) -> AsyncIterator[GenesysClient]:
    """The session service alone: all that the commands without Slack need."""
    async with HttpClient(service.proxy) as http:
        auth = TokenAuth(http, service.login_url, service.credentials)
        try:
            yield GenesysClient(http, service.api_url, auth, pace=Pace(service.requests_per_minute))
        finally:
            await auth.close()


def host_rules(settings: Settings, users: Users) -> list[Rule]:
    """The chain, in order."""
    rules: list[Rule] = []
    if settings.listed_hosts is not None:
        rules.append(ListedHosts(settings.listed_hosts))
    if settings.match_email:
        rules.append(SameEmail(users, settings.email_domains))
    return rules


def new_bolt_app(settings: Settings, identity: Identity, web: AsyncWebClient) -> AsyncApp:
    """Bolt, told everything, so that it looks for nothing in the environment and asks Slack nothing during an ack."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=identity.home.enterprise_id,
            team_id=identity.home.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user_id,
            bot_token=settings.slack.bot_token,
        )

    return AsyncApp(
        name="cobrowse-bot",
        logger=logging.getLogger("slack_bolt"),
        client=web,
        authorize=authorize,
        signing_secret=settings.slack.signing_secret or "unused: Socket Mode is not signed",
        request_verification_enabled=False,  # slack/endpoint.py has done it
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
