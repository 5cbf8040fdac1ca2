"""Clean names and check URLs before the bot shows them to people (pure)."""

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import quote

from bot.core.models import NAME_LENGTH

_WORD = re.compile(r"\w+")
_JOINERS = "\u200c\u200d"
"""Zero-width joiners. Emoji, Persian and Indic scripts need them, so `clean` removes them only at the start and
the end of a name."""
_VISIBLE_FORMATS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
"""Matches the format characters that are visible (Unicode: Prepended_Concatenation_Mark). `one_line` keeps them."""
_BLANK = re.compile(
    "[\u034f\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""Matches invisible characters, most of which are not in the category Cf. `one_line` removes them.

The tag letters from U+E0000 on could hide a message in a text."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
URL_LENGTH = 4000
_URL = re.compile(
    r"""(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][!#-;=?-\[\]^_a-{}~]*)?""",
    re.IGNORECASE | re.ASCII,
)
"""Matches a safe URL. After the server name, the URL can contain all printable characters except a space and <>"`|\\,
which could end a message's markup early."""
JOIN_CODE = "{joinCode}"
_HOST_ENTRY = re.compile(r"\.?(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]")
_PUBLIC_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+(?!0x)[a-z0-9-]*[a-z-][a-z0-9-]*")
"""Matches a server name with a dot. The part after the last dot must not be a number: `127.1` is an IP address."""


def one_line(text: str) -> str:
    """Replace each white-space character of the text by a space. Remove control characters and invisible characters."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def clean(text: str, most: int = NAME_LENGTH) -> str:
    """Clean a name: one line, one space between words, at most `most` characters. Return "" if nothing is left.

    The caller has to escape the result for Slack.
    """
    return " ".join(one_line(text).split()).strip(_JOINERS + " ")[:most].strip(_JOINERS + " ")


def mentions(text: str, name: str) -> bool:
    """Return whether a text contains all words of a name, one directly after the other. Ignore case and punctuation.

    Return False if the name has no words.
    """
    wanted, words = (f" {' '.join(_WORD.findall(each.casefold()))} " for each in (name, text))
    return bool(wanted.strip()) and wanted in words


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or _BLANK.match(character):
        return ""
    if category == "Cf" and character not in _JOINERS and not _VISIBLE_FORMATS.match(character):
        return ""
    return character


def is_safe_url(url: str) -> bool:
    """Return whether the text is an https URL with a server name and without a user name.

    The URL must have URL_LENGTH characters at most. A URL of localhost, 127.0.0.1 or [::1] can also be http.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_LENGTH else None
    return found is not None and (found["scheme"].lower() == "https" or found["host"].lower() in LOCAL_HOSTS)


def url_host(url: str) -> str:
    """Return the server name of a URL, in lower case and without a final dot.

    Return "" if the text is not an http or https URL, or if the URL contains a user name or an unsafe character.
    """
    found = _URL.fullmatch(url)
    return found["host"].lower().removesuffix(".") if found else ""


@dataclass(frozen=True, slots=True)
class JoinTemplate:
    """A template for join URLs: the URL of the company's join page, with the placeholder JOIN_CODE in its fragment.

    Browsers do not send fragments, so no server's log contains the code.
    """

    text: str = field(repr=False)

    def url(self, join_code: str) -> str:
        """Return the join URL with this join code."""
        return self.text.replace(JOIN_CODE, quote(join_code, safe=""))


def parse_template(text: str) -> JoinTemplate:
    """Parse the value of COBROWSE_JOIN_URL_TEMPLATE. Raises ValueError with the reason if the value is invalid."""
    if text.count(JOIN_CODE) != 1 or set(text.replace(JOIN_CODE, "")) & set("{}"):
        raise ValueError(f"must hold {JOIN_CODE} exactly once, and no other braces")
    plain = text.replace(JOIN_CODE, "code")
    if not is_safe_url(plain):
        raise ValueError(f"must be an https URL such as https://help.example.com/cobrowse#{JOIN_CODE}")
    if JOIN_CODE not in text.partition("#")[2]:
        raise ValueError(f"must hold {JOIN_CODE} behind the #, where no server's log will show it")
    return JoinTemplate(text)


@dataclass(frozen=True, slots=True)
class JoinHosts:
    """The servers to which join URLs from Genesys may point.

    `allowed`: server names, or `.domain` for all servers below a domain. If empty, a server name is allowed if it
    contains a dot, is not an IP address, and does not end in `.localhost`.
    """

    allowed: tuple[str, ...] = ()

    def reject_reason(self, url: str, *, is_local: bool) -> str:
        """Return the reason why a join URL is not allowed; "" if it is allowed.

        The reason is a few words, such as "a join URL on a host that is not allowed".

        `is_local`: True if the session service runs on this machine. Only then a URL of localhost is allowed.
        """
        if not is_safe_url(url):
            return "a join URL that is not a plain https URL"
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
    """Parse the entries of COBROWSE_JOIN_HOSTS. Raises ValueError with the invalid entries."""
    hosts = tuple(entry.lower() for entry in entries)
    invalid = [repr(host[:40]) for host in hosts if not host.isascii() or not _HOST_ENTRY.fullmatch(host)]
    if invalid:
        example = "join.example.com, or .example.com for all below it"
        raise ValueError(f"{', '.join(invalid)} is no host such as {example}")
    return JoinHosts(hosts)
