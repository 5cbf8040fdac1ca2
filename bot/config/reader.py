"""Reads single values out of a mapping of strings, and collects every fault instead of stopping at the first."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot.config.variables import VARIABLES, Form
from bot.core.validation.text import hidden_character, odd_character, plain, unquoted
from bot.genesys.auth.key_forms import Unusable, convert_file

T = TypeVar("T")
_KUBERNETES = re.compile(r"(tcp|udp|sctp)://")
"""How the value begins that Kubernetes gives NAME_PORT for a Service: HEALTH_PORT for one called `health`."""


class SettingsError(Exception):
    """The settings cannot be used; each of `faults` names a variable and how to mend it. Shows no value of a secret."""

    code = "settings_invalid"

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Reader:
    """Values by variable name. An empty value is the same as none; what cannot be read becomes a fault."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []
        self.secrets: list[str] = []
        self._unreadable: set[str] = set()

    def fault(self, name: str, how_to_mend: str) -> None:
        """Notes a fault of a variable, once. One with a character that cannot be meant has no other fault."""
        if name not in self._unreadable and (line := f"{name}: {how_to_mend}") not in self.faults:
            self.faults.append(line)

    def given(self, name: str) -> str:
        """Return a variable's value as it was meant: without quotes around it. Also for names that are not ours."""
        return unquoted(self.environ.get(name, ""))

    def has_fault(self, name: str) -> bool:
        """Whether something is wrong with a variable already."""
        return any(fault.startswith(f"{name}: ") for fault in self.faults)

    def text(self, name: str) -> str:
        """The value or its default, "" when there is neither; a secret also from NAME_FILE."""
        variable = VARIABLES[name]
        value = self.given(name)
        if variable.secret:
            value = self._secret(name, value)
        self._look_for_odd_characters(name, value)
        return value or variable.default

    def plain(self, name: str) -> str:
        """Return the text with hyphens for dashes and without invisible characters: for what is no secret and no id."""
        return plain(self.text(name))

    def _look_for_odd_characters(self, name: str, value: str) -> None:
        if not value or name in self._unreadable:
            return
        form = VARIABLES[name].form
        odd = odd_character(value) if form is Form.TOKEN else hidden_character(value) if form is Form.LINE else ""
        if odd:
            kind = "token, secret or id" if form is Form.TOKEN else "such value"
            source = f"{name}_FILE" if not self.given(name) else name
            self.fault(source, f"has {odd}, which no {kind} has. Copy it again, as plain text and on one line.")
            self._unreadable |= {name, source}

    def needed(self, name: str, how_to_get: str) -> str:
        """As text, and a fault when there is none."""
        value = self.text(name)
        if not value:
            self.fault(name, f"is missing. {how_to_get}")
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        text = self.plain(name)
        if _KUBERNETES.match(text):
            wanted = "is what Kubernetes sets for a Service of that name. Set enableServiceLinks: false in the pod."
            self.fault(name, wanted)
            return least
        if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
            return int(text)
        self.fault(name, f"must be a whole number from {least} to {most}, not {text[:40]!r}.")
        return least

    def flag(self, name: str) -> bool:
        text = self.plain(name).lower()
        if text in ("true", "yes", "on", "1"):
            return True
        if text not in ("false", "no", "off", "0"):
            self.fault(name, f"must be on or off, or true or false, not {text[:40]!r}.")
        return False

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.plain(name)
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        self.fault(name, f"must be {', '.join(choices[:-1])} or {choices[-1]}, not {text[:40]!r}.")
        return choices[0]

    def words(self, name: str, pattern: str, what: str) -> tuple[str, ...]:
        """A list, separated by commas or white space, each word of which must fit."""
        words = tuple(dict.fromkeys(re.split(r"[,\s]+", self.text(name))) if self.text(name) else ())
        wrong = [word for word in words if word and not re.fullmatch(pattern, word)]
        if wrong:
            odd = odd_character(wrong[0])
            mend = f" It has {odd}." if odd else ""
            self.fault(name, f"{', '.join(repr(word[:40]) for word in wrong)} is no {what}.{mend}")
        return tuple(word for word in words if word)

    def url(self, name: str) -> str:
        """An https URL (http only for this machine) without a slash at its end, "" when there is none. It holds no user
        name and no password: nothing here signs in by one, and it is shown on screens."""
        text = self.plain(name).rstrip("/")
        if not text:
            return ""
        if "://" not in text and "@" not in text and re.match(r"[\w.-]+(:\d+)?(/|$)", text):
            self.fault(name, f"has no scheme. Write https://{text}.")
            return text
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            local = host in ("localhost", "::1") or host.startswith("127.")
            good = parts.scheme == "https" or (parts.scheme == "http" and local)
            good = good and bool(re.fullmatch(r"[\w.:-]+", host)) and not parts.query and not parts.fragment
            if "@" in parts.netloc:
                self.fault(name, "must hold no user name and no password. Remove what stands before the @.")
                return ""
            good = good and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            self.fault(name, "must be a URL such as https://api.example.com; http only for this machine.")
        return text

    def host(self, name: str) -> str:
        """Return an address to listen on, without brackets. `*` and `::` both mean all addresses."""
        text = self.plain(name)
        address = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        if re.fullmatch(r"[a-z]+://.*", text):
            self.fault(name, "is a URL. Give the address alone, such as 0.0.0.0 or ::.")
        elif re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):[0-9]+", text):
            self.fault(name, "holds a port, too. Give the address alone; the port belongs into PORT.")
        elif not re.fullmatch(r"\*|[0-9a-fA-F:.]+(%[\w.-]+)?|[A-Za-z0-9_.-]+", address):
            self.fault(name, f"must be an address such as 127.0.0.1, ::1 or localhost, not {text[:40]!r}.")
        return address

    def parsed(self, name: str, parse: Callable[[], T]) -> T | None:
        """What `parse` makes; a fault of `name` when it raises ValueError or cannot read a file."""
        try:
            return parse()
        except ValueError as error:
            self.fault(name, f"{error}.")
        except OSError as error:
            self.fault(name, f"the file cannot be read ({error.strerror}).")
        return None

    def _secret(self, name: str, value: str) -> str:
        path = self.given(f"{name}_FILE")
        if path and value:
            self.fault(name, f"is set, and so is {name}_FILE. Keep one of them.")
        elif path:
            read = read_key_file if name == "GENESYS_PRIVATE_KEY" else read_file
            value = unquoted(self.parsed(f"{name}_FILE", lambda: read(path)) or "")
            if not value and not any(fault.startswith(f"{name}_FILE") for fault in self.faults):
                self.fault(f"{name}_FILE", "the file is empty.")
        if value and value not in self.secrets:
            self.secrets.append(value)
        return value


def read_file(path: str) -> str:
    """A small text file. Raises OSError, ValueError."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None


def read_key_file(path: str) -> str:
    """The same for a private key, which is named for what it is where it is no text."""
    held = convert_file(read_bytes(path))
    if isinstance(held, Unusable):
        raise ValueError(held.why)
    return held


def read_bytes(path: str) -> bytes:
    """A small file. Raises OSError, ValueError."""
    try:
        return Path(path).expanduser().read_bytes()
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
