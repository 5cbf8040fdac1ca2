"""Which proxy leads to a URL: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in capitals or not.

Asked here for every library alike, since they read these variables each in their own way, or half of them. This
machine itself is never reached through a proxy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib import request
from urllib.parse import urlsplit

LOCAL = ("localhost", "::1")


@dataclass(frozen=True, slots=True)
class Proxies:
    """What the environment says. An address may hold a password."""

    http: str | None = field(repr=False)
    https: str | None = field(repr=False)
    no: str = ""

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> "Proxies":
        """Reads the variables."""
        lower = {name.lower(): value for name, value in environ.items() if name.lower().endswith("_proxy") and value}
        every = lower.get("all_proxy")
        return cls(lower.get("http_proxy", every), lower.get("https_proxy", every), lower.get("no_proxy", ""))

    def of(self, url: str) -> str | None:
        """The proxy's URL, None for none."""
        if not self.http and not self.https:
            return None
        parts = urlsplit(url)
        host = parts.hostname or ""
        bypassed: bool = request.proxy_bypass_environment(host, {"no": self.no})  # type: ignore[attr-defined]  # not in its stubs
        if bypassed or host in LOCAL or host.startswith("127."):
            return None
        return self.https if parts.scheme in ("https", "wss") else self.http
