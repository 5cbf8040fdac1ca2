"""Slack: whether it can be reached, takes our tokens, granted the scopes, and lets us open a socket. Only asks."""

import asyncio
from collections.abc import Collection
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.check import slack_directory
from bot.check.reachability import Reached, reach
from bot.check.results import Finding, doubt, left_out, refusal, right, wrong
from bot.config.proxies import Proxies
from bot.config.settings import DatabaseSettings, Settings, SlackSettings
from bot.core.access import AccessRules
from bot.slack.api.identity import BotIdentity, SlackSetupError, SlackUnreachableError, identify
from bot.slack.api.responder import new_http_session, new_web_client
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.api.scopes import NEEDED
from bot.slack.api.token_watch import ROTATING, ROTATION_MEND
from bot.slack.api.trouble import word_for
from bot.slack.error_codes import REFUSALS
from bot.slack.receivers.socket_connection import connections_in

HELLO_SECONDS = 10.0
ANSWERS = "slack answers"
ANSWER_HOSTS = {"slack.com": "hooks.slack.com", "slack-gov.com": "hooks.slack-gov.com"}
"""Where the answers to commands go, by the host of SLACK_API_URL."""
MOST_SOCKETS = 10
"""Slack allows an app so many. A renewal takes two for a moment, so nine replicas are the most."""
TRIES = 2


async def look(
    slack: SlackSettings, whole: Settings | None, database: DatabaseSettings | None
) -> tuple[list[Finding], Reached, BotIdentity | None]:
    """The lines about Slack, what was learnt about its clock, and who the bot is there."""
    reached, answers = await asyncio.gather(
        reach("slack", f"{slack.api_url}api.test", slack.proxies), _answers(slack.api_url, slack.proxies)
    )
    if reached.unreached:
        return [reached.unreached, *answers, left_out("slack token", "Slack was not reached")], reached, None
    async with new_http_session() as http:
        found, identity = await _token(slack, http)
        if identity:
            found.append(_scopes(identity.scopes, _unused(whole)))
            if whole:
                web = new_web_client(slack.bot_token, slack.api_url, http, slack.proxies.of(slack.api_url))
                found += await slack_directory.look(web, identity, whole)
        found.append(await _door(slack, http, single_process=database is not None and not database.allows_replicas))
    return [*found, *answers], reached, identity


async def _answers(api_url: str, proxies: Proxies) -> list[Finding]:
    """Whether the host that takes the answers to commands can be reached; behind a gateway nobody knows which it is."""
    host = ANSWER_HOSTS.get(urlsplit(api_url).hostname or "")
    if host is None:
        return []
    reached = await reach(ANSWERS, f"https://{host}/", proxies)
    if reached.unreached is None:
        return [right(ANSWERS, f"{host} can be reached")]
    what = f"{reached.unreached.what} Until it can be reached, answers go another way."
    return [doubt(ANSWERS, what, f"Let https://{host} through, at port 443. {reached.unreached.mend}")]


async def _token(slack: SlackSettings, http: aiohttp.ClientSession) -> tuple[list[Finding], BotIdentity | None]:
    web = new_web_client(slack.bot_token, slack.api_url, http, slack.proxies.of(slack.api_url))
    try:
        identity = await identify(web, tries=TRIES)
    except SlackSetupError as refused:
        return [refusal("slack token", refused)], None
    except SlackUnreachableError as away:
        mend = "Check SLACK_API_URL; if it is right, try again later: status.slack.com shows how Slack is doing."
        return [wrong("slack token", "Slack gave no answer that could be used.", mend, away.code)], None
    home = identity.home
    where = f"the organisation {home.enterprise_id}" if home.org_wide else f"the workspace {home.team_id}"
    if slack.bot_token.startswith(ROTATING):
        what = "SLACK_BOT_TOKEN expires twelve hours after it was made, and the bot does not renew it."
        return [doubt("slack token", what, ROTATION_MEND)], identity
    return [right("slack token", f"of the bot {identity.bot_user_id} in {where}")], identity


def _unused(whole: Settings | None) -> Collection[str]:
    """Scopes that these settings make no use of."""
    if whole is None:
        return ()
    rules: AccessRules = whole.rules
    groups = any(roll.groups for roll in (rules.supervisors, rules.admins, rules.members))
    return [*(["usergroups:read"] if not groups else []), *(["users:read.email"] if not whole.match_email else [])]


def _scopes(granted: Collection[str], unused: Collection[str]) -> Finding:
    mend = "Put them into the app's manifest as in manifest.yml, and install the app to the workspace again."
    if not granted:
        return doubt("slack scopes", "Slack does not say which there are.", mend)
    missing = [scope for scope in NEEDED if scope not in granted]
    if lacking := [scope for scope in missing if scope not in unused]:
        return wrong("slack scopes", f"missing: {'; '.join(f'{each} ({NEEDED[each]})' for each in lacking)}.", mend)
    if missing:
        return doubt("slack scopes", f"missing, but these settings need none of them: {', '.join(missing)}.", mend)
    if more := sorted(set(granted) - set(NEEDED)):
        what = f"all that are needed, and more: {', '.join(more)}."
        return doubt("slack scopes", what, "Take them out of the app: the bot makes no use of them.")
    return right("slack scopes", f"all {len(NEEDED)} of the manifest")


async def _door(slack: SlackSettings, http: aiohttp.ClientSession, *, single_process: bool) -> Finding:
    """Open a socket for a moment. `single_process`: there can be no other replica."""
    if slack.mode == "http":
        return left_out(
            "slack door", "it is HTTP; only Slack itself can show that it reaches us and signs as we expect"
        )
    web = new_web_client(slack.app_token, slack.api_url, http, slack.proxies.of(slack.api_url))
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            url = str((await web.apps_connections_open(app_token=slack.app_token))["url"])
            hello = await _hello(url, slack.proxies.of(url), http)
    except SlackApiError as error:
        code = error_code(error) or "no usable answer"
        what, _, mend = REFUSALS.get(code, f"Slack opens no socket ({code}). Try again later.").partition(". ")
        return wrong("slack door", f"{what}.", mend)
    except (*TROUBLE, *MISSHAPEN, OSError) as error:
        what = f"no socket came about ({word_for(error)})."
        mend = "Let wss://*.slack.com through, at port 443; a proxy on the way has to allow web sockets."
        return wrong("slack door", what, mend)
    return _sockets(connections_in(hello) or 1, single_process=single_process)


def _sockets(sockets: int, *, single_process: bool) -> Finding:
    """Judge how many there are of this app, that of `check` included."""
    if single_process and sockets > 2:
        what = (
            f"Socket Mode says hello, but besides this check's there are {sockets - 1} sockets of this app, and without"
            " Postgres only one bot can run: another bot uses this app-level token, so commands go to either."
        )
        mend = (
            "Stop the other bot, or make a separate Slack app for it. If you know of none, check again in a few"
            " minutes: Slack also counts a socket that is just being renewed, and for hours one that died silently."
        )
        return doubt("slack door", what, mend)
    if sockets > MOST_SOCKETS - 1:
        what = f"Socket Mode says hello, with {sockets} sockets open, this check's included; Slack allows ten."
        mend = "Keep nine replicas at most, and no other program with this app's token: each renewal takes one more."
        return doubt("slack door", what, mend)
    return right("slack door", f"Socket Mode says hello; sockets of this app, this one included: {sockets}")


async def _hello(url: str, proxy: str | None, http: aiohttp.ClientSession) -> dict[str, object]:
    """Slack's first word on a new socket, which is closed at once, so that no command is sent to it."""
    async with http.ws_connect(url, proxy=proxy) as socket:
        hello = await socket.receive_json()
    if not isinstance(hello, dict) or hello.get("type") != "hello":
        raise ValueError("another word than hello")
    return hello
