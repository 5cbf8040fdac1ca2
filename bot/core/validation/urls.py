"""Which links may be shown: asked of what the session service says, and again of what the database holds (pure)."""

import re

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
URL_LENGTH = 4000
_URL = re.compile(
    r"""(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][!#-;=?-\[\]^_a-{}~]*)?""",
    re.IGNORECASE | re.ASCII,
)
"""Behind the host anything that can be printed but a space and <>"`|\\, which could end a message's markup early."""


def is_safe_url(url: str) -> bool:
    """https with a host, and nobody's name before it; http only for this machine."""
    found = _URL.fullmatch(url) if len(url) <= URL_LENGTH else None
    return found is not None and (found["scheme"].lower() == "https" or found["host"].lower() in LOCAL_HOSTS)


def url_host(url: str) -> str:
    """Return the host of a safe URL, in lower case and without the dot at its end; "" for any other text."""
    found = _URL.fullmatch(url)
    return found["host"].lower().removesuffix(".") if found else ""
