"""Build and check the join URLs that customers open: COBROWSE_JOIN_URL_TEMPLATE and COBROWSE_JOIN_HOSTS (pure)."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from bot.core.validation.urls import LOCAL_HOSTS, is_safe_url, url_host

CODE = "{joinCode}"
_HOST_ENTRY = re.compile(r"\.?(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]")
_PUBLIC_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+(?!0x)[a-z0-9-]*[a-z-][a-z0-9-]*")
"""A host name with a dot whose last label is no number: browsers read `127.1` and `2130706433` as addresses."""


@dataclass(frozen=True, slots=True)
class JoinTemplate:
    """The company's page that a join code leads to: a checked template.

    The code stands in the fragment, which browsers do not send: it reaches no server's log and no Referer header.
    """

    text: str = field(repr=False)

    def url(self, join_code: str) -> str:
        """Return the customer's join URL."""
        return self.text.replace(CODE, quote(join_code, safe=""))


def parse_template(text: str) -> JoinTemplate:
    """Parse the setting. Raises ValueError with what is wrong."""
    if text.count(CODE) != 1 or set(text.replace(CODE, "")) & set("{}"):
        raise ValueError(f"must hold {CODE} exactly once, and no other braces")
    plain = text.replace(CODE, "code")
    if not is_safe_url(plain):
        raise ValueError(f"must be an https URL such as https://help.example.com/cobrowse#{CODE}")
    if CODE not in text.partition("#")[2]:
        raise ValueError(f"must hold {CODE} behind the #, where no server's log will show it")
    return JoinTemplate(text)


@dataclass(frozen=True, slots=True)
class JoinHosts:
    """Which hosts a join URL from Genesys may lead to, since a customer opens it.

    `allowed` lists hosts, or `.domain` for all hosts below a domain; empty allows any public name. A URL that leads to
    this machine is allowed only when the service runs here, too.
    """

    allowed: tuple[str, ...] = ()

    def reject_reason(self, url: str, *, is_local: bool) -> str:
        """Return why nobody may get this URL, "" when it is fine. `is_local`: the service's API is on this machine."""
        if not is_safe_url(url):
            return "a join URL that is not https, or no plain one"
        host = url_host(url)
        if host in LOCAL_HOSTS:
            is_allowed = is_local
        elif self.allowed:
            is_allowed = any(
                host == entry or (entry.startswith(".") and host.endswith(entry)) for entry in self.allowed
            )
        else:
            is_allowed = _PUBLIC_NAME.fullmatch(host) is not None and not host.endswith(".localhost")
        return "" if is_allowed else "a join URL on a host that is not allowed"


def parse_join_hosts(entries: tuple[str, ...]) -> JoinHosts:
    """Parse the setting. Raises ValueError with what is wrong."""
    hosts = tuple(entry.lower() for entry in entries)
    invalid = [repr(host[:40]) for host in hosts if not host.isascii() or not _HOST_ENTRY.fullmatch(host)]
    if invalid:
        example = "join.example.com, or .example.com for all below it"
        raise ValueError(f"{', '.join(invalid)} is no host such as {example}")
    return JoinHosts(hosts)
