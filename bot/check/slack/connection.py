"""Check whether Slack is reachable, accepts the bot's tokens, grants the scopes and opens a Socket Mode connection.

The check changes nothing.
"""

import asyncio
from functools import partial
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check.reachability import Reachability, reach
from bot.check.results import CheckResult, failed, ok, setup_failed, skipped, warning
from bot.check.slack import app, directory
from bot.config.proxies import Proxies
from bot.config.settings import DatabaseSettings, Settings, SlackSettings
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.identity import BotIdentity, SlackSetupError, SlackUnreachableError, identify
from bot.slack.api.responder import new_http_session, new_web_client
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.api.token_watch import ROTATING, ROTATION_HINT
from bot.slack.error_codes import REFUSALS
from bot.slack.manifest import Features
from bot.slack.receivers.socket_connection import connections_in

HELLO_TIMEOUT = 10.0
ANSWERS = "slack answers"
ANSWER_HOSTS = {"slack.com": "hooks.slack.com", "slack-gov.com": "hooks.slack-gov.com"}
"""The host name in Slack's response URLs, by the host name in SLACK_API_URL."""
MAX_SOCKETS = 10
"""Slack's limit of open sockets for one app. Each replica has one, and briefly a second one while it renews the first.
Therefore at most nine replicas can run."""
MAX_TRIES = 2


async def check_slack(
    slack: SlackSettings,
    settings: Settings | None,
    database: DatabaseSettings | None,
    features: Features | None,
    timing: SlackTiming = SLACK_TIMING,
) -> tuple[list[CheckResult], Reachability, BotIdentity | None]:
    """Check whether Slack is reachable, accepts the tokens, grants the scopes and opens a Socket Mode connection.

    - `settings`: all settings. None if any has a fault; Slack workspaces, user groups, email addresses and the contact
      are then not checked.
    - `database`: the settings of the database, which decide whether several replicas can run. None if they have faults.
    - `features`: the settings that decide what the app's manifest needs. None if they have faults; the manifest is then
      not checked.

    Return the results, Slack's reachability, and the bot's identity. The identity is None if Slack is unreachable or
    refuses the bot token.
    """
    reached, answers = await asyncio.gather(
        reach("slack", f"{slack.api_url}api.test", slack.proxies), _check_answer_host(slack.api_url, slack.proxies)
    )
    if reached.failure:
        return [reached.failure, *answers, skipped("slack token", "Slack was not reached")], reached, None
    async with new_http_session(timing) as http:
        proxy = slack.proxies.of(slack.api_url)
        client = partial(new_web_client, base_url=slack.api_url, http=http, proxy=proxy, timing=timing)
        web = client(slack.bot_token)
        found, identity = await _token(web, timing)
        if identity:
            found.append(app.check_scopes(identity.scopes, features, slack.app_token))
            workspaces = await directory.list_workspaces(web, identity)
            if features:
                config, where = client(slack.config_token), next(iter(workspaces.arguments), {})
                found.append(
                    await app.check_app(web, config, identity, features, slack.app_token, where.get("team_id"))
                )
            if settings:
                found += await directory.check_directory(web, identity, settings, workspaces)
        single_process = database is not None and not database.allows_replicas
        found.append(await _socket_mode(slack, client(slack.app_token), http, single_process=single_process))
    return [*found, *answers], reached, identity


async def _check_answer_host(api_url: str, proxies: Proxies) -> list[CheckResult]:
    """Check whether the bot can reach the host of Slack's response URLs, to which the bot posts its answers.

    Return a list with one result; [] if ANSWER_HOSTS does not contain the host of `api_url`.

    `api_url`: the value of SLACK_API_URL.
    """
    host = ANSWER_HOSTS.get(urlsplit(api_url).hostname or "")
    if host is None:
        return []
    reached = await reach(ANSWERS, f"https://{host}/", proxies)
    if reached.failure is None:
        return [ok(ANSWERS, f"{host} can be reached")]
    message = f"{reached.failure.message} Until it can be reached, answers go another way."
    return [warning(ANSWERS, message, f"Let https://{host} through, at port 443. {reached.failure.fix}")]


async def _token(web: AsyncWebClient, timing: SlackTiming) -> tuple[list[CheckResult], BotIdentity | None]:
    try:
        identity = await identify(web, tries=MAX_TRIES, timing=timing)
    except SlackSetupError as refused:
        return [setup_failed("slack token", refused)], None
    except SlackUnreachableError as unreachable:
        fix = "Check SLACK_API_URL; if it is right, try again later: slack-status.com shows how Slack is doing."
        return [failed("slack token", "Slack gave no answer that could be used.", fix, unreachable.code)], None
    workspace = identity.home
    where = (
        f"the organization {workspace.enterprise_id}" if workspace.org_wide else f"the workspace {workspace.team_id}"
    )
    if (web.token or "").startswith(ROTATING):
        message = "SLACK_BOT_TOKEN expires twelve hours after it was made, and the bot does not renew it."
        return [warning("slack token", message, ROTATION_HINT)], identity
    return [ok("slack token", f"of the bot {identity.bot_user_id} in {where}")], identity


async def _socket_mode(
    slack: SlackSettings, web: AsyncWebClient, http: aiohttp.ClientSession, *, single_process: bool
) -> CheckResult:
    """Check whether Slack opens a Socket Mode connection, and close the connection at once. Return the result.

    If Slack sends payloads over HTTP, skip the check.

    `single_process`: whether the database allows only one replica.
    """
    if slack.mode == "http":
        return skipped("slack delivery", "it is HTTP, and only Slack itself can show that it reaches us")
    try:
        async with asyncio.timeout(HELLO_TIMEOUT):
            url = str((await web.apps_connections_open(app_token=slack.app_token))["url"])
            hello = await _hello(url, slack.proxies.of(url), http)
    except SlackApiError as error:
        code = error_code(error) or "no usable answer"
        message, _, fix = REFUSALS.get(code, f"Slack opens no socket ({code}). Try again later.").partition(". ")
        return failed("slack delivery", f"{message}.", fix)
    except (*CALL_ERRORS, *MALFORMED_ERRORS, OSError) as error:
        message = f"no socket came about ({error_label(error)})."
        fix = "Let wss://*.slack.com through, at port 443; a proxy on the way has to allow web sockets."
        return failed("slack delivery", message, fix)
    return _sockets(connections_in(hello) or 1, single_process=single_process)


def _sockets(sockets: int, *, single_process: bool) -> CheckResult:
    """Return a warning if the app has too many open sockets; otherwise a result without a problem.

    - `sockets`: the number of open sockets, including the socket of this check. More than nine are too many.
    - `single_process`: whether the database allows only one replica. Then more than two are too many: one socket is
      the bot's, and one is this check's.
    """
    if single_process and sockets > 2:
        message = (
            f"Socket Mode says hello, but besides this check's there are {sockets - 1} sockets of this app, and without"
            " Postgres only one bot can run: another bot uses this app-level token, so commands go to either."
        )
        fix = (
            "Stop the other bot, or make a separate Slack app for it. If you know of none, check again in a few"
            " minutes: Slack also counts a socket that is just being renewed, and for hours one that died silently."
        )
        return warning("slack delivery", message, fix)
    if sockets > MAX_SOCKETS - 1:
        message = f"Socket Mode says hello, with {sockets} sockets open, this check's included; Slack allows ten."
        fix = "Keep nine replicas at most, and no other program with this app's token: each renewal takes one more."
        return warning("slack delivery", message, fix)
    return ok("slack delivery", f"Socket Mode says hello; sockets of this app, this one included: {sockets}")


async def _hello(url: str, proxy: str | None, http: aiohttp.ClientSession) -> dict[str, object]:
    """Open a Socket Mode connection at `url`, read Slack's first message, and close the connection. Return the message.

    Close the connection at once, because Slack could send a person's command to it. Raises ValueError if the message is
    not a hello message.
    """
    async with http.ws_connect(url, proxy=proxy) as socket:
        hello = await socket.receive_json()
    if not isinstance(hello, dict) or hello.get("type") != "hello":
        raise ValueError("no hello")
    return hello
