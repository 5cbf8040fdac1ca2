"""Check whether a server is reachable, and compare the server's clock with this machine's clock.

The result names the step that failed: the name look-up, the connection, the proxy, TLS or the certificate.
"""

import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from bot.check.results import CheckResult, failed, ok, skipped, warning
from bot.config.proxies import Proxies
from bot.config.settings import untrusted_certificate_fix

ANSWER_TIMEOUT = 10.0
SMALL_SKEW_SECONDS = 5.0
LARGE_SKEW_SECONDS = 30.0
NAMED_BY = {"genesys": "the region or the URL", "slack": "SLACK_API_URL, if you set it,"}
"""The settings that name the server of an area."""


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether a server is reachable, and the difference between its clock and this machine's clock.

    - `host`: the server's host name, with the port if the checked URL contains one; "" if nothing was checked.
    - `skew_seconds`: how far this machine's clock is ahead of the server's clock; negative if it is behind. None if the
      server did not answer, or sent no valid header Date.
    - `failure`: a failed result if the server is unreachable; otherwise None.
    """

    host: str
    skew_seconds: float | None = None
    failure: CheckResult | None = None


async def reach(name: str, url: str, proxies: Proxies) -> Reachability:
    """Check whether the server at `url` is reachable, and compare its clock with this machine's clock.

    Send one HTTP request without a token. Any HTTP answer means that the server is reachable.

    - `name`: the area that is checked, such as "slack". If the server is unreachable, the failed result has this name.
    - `proxies`: decides which proxy the request uses.
    """
    proxy = proxies.to(url)
    host = urlsplit(url).netloc
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT)
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            before = time.time()
            async with http.get(url, proxy=proxy.url if proxy else None, allow_redirects=False) as answer:
                return Reachability(host, _skew(answer.headers.get("Date"), (before + time.time()) / 2))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        message, fix = _describe(name, error, proxy.variable if proxy else "")
        return Reachability(host, failure=failed(name, f"{host} {message}", fix))


def _skew(date: str | None, now: float) -> float | None:
    try:
        server_time = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError):
        return None
    return now - server_time - 0.5  # a Date header is truncated to seconds; half a second is the mean error


def _describe(name: str, error: Exception, variable: str) -> tuple[str, str]:
    """Return two texts about a failed connection: the problem, and the fix.

    - `name`: the area that was checked, such as "slack".
    - `variable`: the name of the environment variable with the proxy that was used; "" if no proxy was used.
    """
    through = f"Check {variable} and NO_PROXY." if variable else "Check the network, the firewall, and HTTPS_PROXY."
    certificate = getattr(error, "certificate_error", None) or error.__cause__
    if isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(certificate, ssl.SSLError):
        return "shows a certificate that is not trusted.", untrusted_certificate_fix()
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return "does not speak TLS as it should.", "Check the URL, its port, and what stands between."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        slip = f"Check {NAMED_BY[name]} for a slip. " if name in NAMED_BY else ""
        return "is a name that cannot be looked up.", f"{slip}{through}"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "is behind a proxy that does not let us through.", through
    if isinstance(error, TimeoutError):
        return f"gave no answer in {ANSWER_TIMEOUT:.0f} seconds.", through
    return "cannot be connected to.", through


def clock(reached: list[Reachability]) -> CheckResult:
    """Compare this machine's clock with the clocks of Slack and Genesys. Return the result.

    - Failed: the largest difference is more than LARGE_SKEW_SECONDS.
    - A warning: the largest difference is more than SMALL_SKEW_SECONDS.
    - Skipped: no server sent its time.
    - OK: in all other cases.

    A wrong clock is a problem, because Slack's signatures and the bot's signed assertions are valid for some minutes
    only.

    `reached`: the servers, with the differences between their clocks and this machine's clock.
    """
    skews = {each.host: each.skew_seconds for each in reached if each.skew_seconds is not None}
    if not skews:
        return skipped("clock", "no service told the time")
    host, worst = max(skews.items(), key=lambda pair: abs(pair[1]))
    off = f"{abs(worst):.0f} seconds {'ahead of' if worst > 0 else 'behind'} {host}"
    fix = "Set this machine's clock, best by NTP: a sign-in and a Slack signature are good for minutes only."
    if abs(worst) > LARGE_SKEW_SECONDS:
        return failed("clock", f"it is {off}.", fix)
    if abs(worst) > SMALL_SKEW_SECONDS:
        return warning("clock", f"it is {off}.", fix)
    return ok("clock", f"agrees with {', '.join(skews)}")
