"""Select the proxy for a URL from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case.

All HTTP libraries of the bot use this module, because each library reads the variables differently. Connections to
localhost use no proxy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib import request
from urllib.parse import urlsplit

from bot.config.reader import Reader
from bot.core.validation.text import plain, unquoted

LOCAL = ("localhost", "::1")
EXAMPLE = "http://proxy.example.com:3128"
_ESCAPES = "# / ? @ in a password as %23 %2F %3F %40"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy for HTTP connections.

    - `variable`: the environment variable that contains the proxy's URL.
    - `url`: the URL of the proxy. The URL may contain a password.
    """

    variable: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of the bot's connections.

    - `http`: the proxy for http and ws URLs; None for direct connections.
    - `https`: the proxy for https and wss URLs; None for direct connections.
    - `no`: the value of NO_PROXY, a list of servers that are reached without a proxy.
    """

    http: Proxy | None
    https: Proxy | None
    no: str = ""

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> "Proxies":
        """Return the proxies that the environment variables name, without a check of the URLs.

        A value without a scheme, such as `proxy:3128`, counts as `http://proxy:3128`.
        """
        found: dict[str, Proxy] = {}
        no = ""
        for name, value in environ.items():
            kind = name.lower()
            if not kind.endswith("_proxy"):
                continue
            given = plain(unquoted(value))
            if kind == "no_proxy":
                no = given or no
            elif kind in ("http_proxy", "https_proxy", "all_proxy") and given:
                found[kind] = Proxy(name, given if re.match(r"[A-Za-z][\w+.-]*:/", given) else f"http://{given}")
        every = found.get("all_proxy")
        return cls(found.get("http_proxy", every), found.get("https_proxy", every), no)

    def of(self, url: str) -> str | None:
        """Return the URL of the proxy for connections to `url`; None for a direct connection."""
        proxy = self.to(url)
        return proxy.url if proxy else None

    def to(self, url: str) -> Proxy | None:
        """Return the proxy for connections to `url`; None for a direct connection."""
        if not self.http and not self.https:
            return None
        parts = urlsplit(url)
        host = parts.hostname or ""
        bypassed: bool = request.proxy_bypass_environment(host, {"no": self.no})  # type: ignore[attr-defined]  # missing in the stubs
        if bypassed or host in LOCAL or host.startswith("127."):
            return None
        return self.https if parts.scheme in ("https", "wss") else self.http


def read_proxies(reader: Reader) -> Proxies:
    """Read the proxy variables. Add a fault to `reader` for each proxy whose URL is malformed or not supported.

    The text of a fault does not contain the URL, because the URL may contain a password.
    """
    proxies = Proxies.of_environment(reader.environ)
    for proxy in dict.fromkeys(each for each in (proxies.https, proxies.http) if each):
        if wrong := _find_fault(proxy.url):
            reader.fault(proxy.variable, wrong)
    return proxies


def _find_fault(url: str) -> str:
    """Return what is wrong with the URL of a proxy, and how to fix the URL; "" for a correct URL."""
    scheme = url.partition(":")[0].lower()
    if scheme.startswith("socks"):
        return "names a SOCKS proxy, which is not supported. Name an HTTP proxy, or empty the variable."
    if scheme not in ("http", "https"):
        return f"names a proxy of another kind than HTTP. Write it as {EXAMPLE}."
    try:
        parts = urlsplit(url)
        good = "://" in url and bool(re.fullmatch(r"[\w.:%-]+", parts.hostname or ""))
        good = good and (parts.port is None or parts.port > 0) and parts.path in ("", "/")
    except ValueError:
        good = False
    if not good:
        return f"is no proxy's address, or its port cannot be. Write it as {EXAMPLE}, and {_ESCAPES}."
    return ""
