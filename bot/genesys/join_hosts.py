"""Which hosts a customer's join link may lead to: COBROWSE_JOIN_HOSTS (pure).

The service says the link, and a customer opens it. So it leads to a host by its public name, or to one of those that
the settings list; to this machine only when the service itself runs here.
"""

import re
from dataclasses import dataclass

from bot.core.validation.urls import LOCAL_HOSTS, is_safe_url, url_host

_LISTED = re.compile(r"\.?(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]")
_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+(?!0x)[a-z0-9-]*[a-z-][a-z0-9-]*")
"""A host name with a dot whose last label is no number: browsers take `127.1` and `2130706433` for addresses."""


@dataclass(frozen=True, slots=True)
class JoinHosts:
    """`listed` are hosts, or `.domain` for all hosts below a domain; with none of them, any public name will do."""

    listed: tuple[str, ...] = ()

    def fault(self, url: str, *, is_local: bool) -> str:
        """Why a link must not be told, "" when it may. `is_local`: the service's API is on this machine, so its links
        may be, too."""
        if not is_safe_url(url):
            return "a join URL that is not https, or no plain one"
        host = url_host(url)
        if host in LOCAL_HOSTS:
            is_allowed = is_local
        elif self.listed:
            is_allowed = any(host == one or (one.startswith(".") and host.endswith(one)) for one in self.listed)
        else:
            is_allowed = _NAME.fullmatch(host) is not None and not host.endswith(".localhost")
        return "" if is_allowed else "a join URL on a host that is not allowed"


def parse_join_hosts(words: tuple[str, ...]) -> JoinHosts:
    """Raises ValueError with what is wrong."""
    hosts = tuple(word.lower() for word in words)
    wrong = [repr(host[:40]) for host in hosts if not host.isascii() or not _LISTED.fullmatch(host)]
    if wrong:
        example = "join.example.com, or .example.com for all below it"
        raise ValueError(f"{', '.join(wrong)} is no host such as {example}")
    return JoinHosts(hosts)
