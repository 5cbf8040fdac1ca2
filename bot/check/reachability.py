"""Whether a host can be reached at all, and how far our clock is off its own.

Knows why not: name, connection, proxy, certificate. What is asked there afterwards is for genesys.py and slack.py.
"""

import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from bot.check.results import Finding, doubt, left_out, right, wrong
from bot.config.proxies import Proxies
from bot.config.settings import untrusted_mend

ANSWER_SECONDS = 10.0
SMALL_SKEW_SECONDS = 5.0
LARGE_SKEW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reached:
    """`skew_seconds`: how far our clock is ahead; None when the answer had no date. `unreached`: why there was none."""

    host: str
    skew_seconds: float | None = None
    unreached: Finding | None = None


async def reach(name: str, url: str, proxies: Proxies) -> Reached:
    """Asks for `url` once, without a token. Any HTTP answer will do."""
    proxy = proxies.to(url)
    host = urlsplit(url).netloc
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            before = time.time()
            async with http.get(url, proxy=proxy.url if proxy else None, allow_redirects=False) as answer:
                return Reached(host, _skew(answer.headers.get("Date"), (before + time.time()) / 2))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        what, mend = _why(error, proxy.variable if proxy else "")
        return Reached(host, unreached=wrong(name, f"{host} {what}", mend))


def _skew(date: str | None, now: float) -> float | None:
    try:
        said = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError):
        return None
    return now - said - 0.5  # a Date is cut to the second


def _why(error: Exception, variable: str) -> tuple[str, str]:
    """What is wrong, and what to do. `variable`: what names the proxy on the way, if there is one."""
    through = f"Check {variable} and NO_PROXY." if variable else "Check the network, the firewall, and HTTPS_PROXY."
    certificate = getattr(error, "certificate_error", None) or error.__cause__
    if isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(certificate, ssl.SSLError):
        return "shows a certificate that is not trusted.", untrusted_mend()
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return "does not speak TLS as it should.", "Check the URL, its port, and what stands between."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "is a name that cannot be looked up.", f"Check the region or the URL for a slip. {through}"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "is behind a proxy that does not let us through.", through
    if isinstance(error, TimeoutError):
        return f"gave no answer in {ANSWER_SECONDS:.0f} seconds.", through
    return "cannot be connected to.", through


def clock(reached: list[Reached]) -> Finding:
    """One line about our clock: signed assertions and Slack's signatures are good for minutes only."""
    skews = {each.host: each.skew_seconds for each in reached if each.skew_seconds is not None}
    if not skews:
        return left_out("clock", "no service told the time")
    host, worst = max(skews.items(), key=lambda pair: abs(pair[1]))
    off = f"{abs(worst):.0f} seconds {'ahead of' if worst > 0 else 'behind'} {host}"
    mend = "Set this machine's clock, best by NTP: a sign-in and a Slack signature are good for minutes only."
    if abs(worst) > LARGE_SKEW_SECONDS:
        return wrong("clock", f"it is {off}.", mend)
    if abs(worst) > SMALL_SKEW_SECONDS:
        return doubt("clock", f"it is {off}.", mend)
    return right("clock", f"agrees with {', '.join(skews)}")
