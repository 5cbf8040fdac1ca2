"""Reads single values out of a mapping of strings, and collects every fault instead of stopping at the first."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot.settings.variables import VARIABLES

T = TypeVar("T")


class SettingsFault(Exception):
    """The settings cannot be used; each of `faults` names a variable and how to mend it. Shows no value of a secret."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Reader:
    """Values by variable name. An empty value is the same as none; what cannot be read becomes a fault."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []
        self.secrets: list[str] = []

    def fault(self, name: str, how_to_mend: str) -> None:
        """Notes a fault of a variable, once."""
        if (line := f"{name}: {how_to_mend}") not in self.faults:
            self.faults.append(line)

    def text(self, name: str) -> str:
        """The value or its default, "" when there is neither; a secret also from NAME_FILE."""
        variable = VARIABLES[name]
        value = self.environ.get(name, "").strip()
        if variable.secret:
            value = self._secret(name, value)
        return value or variable.default

    def needed(self, name: str, how_to_get: str) -> str:
        """As text, and a fault when there is none."""
        value = self.text(name)
        if not value:
            self.fault(name, f"is missing. {how_to_get}")
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        text = self.text(name)
        if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
            return int(text)
        self.fault(name, f"must be a whole number from {least} to {most}, not {text[:40]!r}.")
        return least

    def flag(self, name: str) -> bool:
        text = self.text(name).lower()
        if text in ("true", "yes", "on", "1"):
            return True
        if text not in ("false", "no", "off", "0"):
            self.fault(name, f"must be on or off, or true or false, not {text[:40]!r}.")
        return False

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.text(name)
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
            self.fault(name, f"{', '.join(repr(word[:40]) for word in wrong)} is no {what}.")
        return tuple(word for word in words if word)

    def url(self, name: str) -> str:
        """An https URL (http only for this machine) without a slash at its end, "" when there is none."""
        text = self.text(name).rstrip("/")
        if not text:
            return ""
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            local = host in ("localhost", "::1") or host.startswith("127.")
            good = parts.scheme == "https" or (parts.scheme == "http" and local)
            good = good and bool(re.fullmatch(r"[\w.:-]+", host)) and not parts.query and not parts.fragment
            good = good and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            self.fault(name, "must be a URL such as https://api.example.com; http only for this machine.")
        return text

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
        path = self.environ.get(f"{name}_FILE", "").strip()
        if path and value:
            self.fault(name, f"is set, and so is {name}_FILE. Keep one of them.")
        elif path:
            value = (self.parsed(f"{name}_FILE", lambda: read_file(path)) or "").strip()
            if not value and not any(fault.startswith(f"{name}_FILE") for fault in self.faults):
                self.fault(f"{name}_FILE", "the file is empty.")
        if value and value not in self.secrets:
            self.secrets.append(value)
        return value


def read_file(path: str) -> str:
    """A small text file. Raises OSError, ValueError."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig")
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
