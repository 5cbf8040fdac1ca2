"""Read single settings from the environment, and collect all faults instead of raising at the first fault."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot.config.variables import VARIABLES, Form, example
from bot.core.validation.text import hidden_character, odd_character, plain, unquoted
from bot.genesys.auth.key_forms import Unusable, convert_file

T = TypeVar("T")
EXAMPLE = " Example: "
KEYS = ("GENESYS_PRIVATE_KEY", "GENESYS_PRIVATE_KEY_NEXT")
"""The variables whose values are private keys. If a key is in a file, `read_key_file` reads the file and converts other
forms of a key to PEM."""
_NO_EXAMPLE = ("such as", "Write it as", "Write https:", "Keep one of them", "enableServiceLinks", "are swapped")
"""Phrases in the fixes of faults. If a fix contains one of them, the fix already has an example, or needs none."""
PREDICATE = re.compile(r"(is|has|must|can|holds|names|and) ")
"""A pattern for the start of a fix such as "must be on or off", which makes a sentence with the name before it."""
_KUBERNETES = re.compile(r"(tcp|udp|sctp)://")
"""Matches the start of a value that Kubernetes sets. For a Service with the name `health`, Kubernetes sets HEALTH_PORT
to `tcp://…`."""


class SettingsError(Exception):
    """The settings have faults.

    `faults`: one text for each fault. The text names the variable and the fix, and contains no secret.
    """

    code = "settings_invalid"

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that contains the value of a variable.

    - `name`: the variable whose value is in the file, such as SLACK_BOT_TOKEN.
    - `variable`: the variable that contains the path of the file, such as SLACK_BOT_TOKEN_FILE.
    - `path`: the path of the file.
    - `text`: the value; "" if the file has none. A file may be missing or empty only if `name` ends with _NEXT.
    """

    name: str
    variable: str
    path: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """The environment and the files from which settings were read.

    - `environ`: the environment variables.
    - `files`: the files of secrets, by the name of the variable whose value is in the file.
    """

    environ: Mapping[str, str] = field(repr=False)
    files: Mapping[str, SecretFile]


class Reader:
    """Reads the values of environment variables by name. Collects faults instead of raising exceptions.

    After a fault, a method still returns a value, so that the caller can read the other settings, too. An empty value
    counts as unset.

    - `environ`: the values of the variables, by name.
    - `workspace`: the short name of the workspace whose settings are read; "" if the process serves only one workspace.
    - `faults`: the faults that were found so far, one text for each.
    - `secrets`: the secrets that were read so far. The log has to mask them.
    - `files`: the files of secrets that were read so far, by the name of the variable whose value is in the file.
    """

    def __init__(self, environ: Mapping[str, str], workspace: str = "") -> None:
        self.environ, self.workspace = environ, workspace
        self.faults: list[str] = []
        self.secrets: list[str] = []
        self.files: dict[str, SecretFile] = {}
        self._faulty: set[str] = set()
        self._unreadable: set[str] = set()

    def sources(self) -> Sources:
        """Return the environment, and the files of secrets that this reader has read."""
        return Sources(dict(self.environ), dict(self.files))

    def fault(self, name: str, fix: str) -> None:
        """Add a fault of the variable `name`.

        Do nothing if `faults` already contains this fault, or a fault that explains why the value cannot be read: the
        value has invalid characters, or its file is unreadable or empty.

        `fix`: what is wrong with the value, and how to fix the value. If `needs_example` returns True for `fix`, the
        text of the fault ends with an example line such as `PORT=3000`.
        """
        if name in self._unreadable:
            return
        self._faulty.add(name)
        line = self._line(name, fix)
        if line not in self.faults:
            self.faults.append(line)

    def _line(self, name: str, fix: str) -> str:
        line = example(name)
        return f"{name}: {fix}{EXAMPLE}{line}" if line and needs_example(fix) else f"{name}: {fix}"

    def given(self, name: str) -> str:
        """Return the value of an environment variable, without quotes around it; "" if the variable is not set.

        Unlike `text`, ignore the variable's default, and the file that NAME_FILE names.
        """
        return unquoted(self.environ.get(name, ""))

    def is_named(self, name: str) -> bool:
        """Return whether the variable NAME or NAME_FILE is set. Read no file.

        `name`: the variable NAME.
        """
        return any(unquoted(self.environ.get(each, "")) for each in (name, f"{name}_FILE"))

    def has_fault(self, name: str) -> bool:
        """Return whether this reader has found a fault of the variable so far."""
        return name in self._faulty

    def has_fault_about(self, name: str) -> bool:
        """Return whether this reader has found a fault of the variable NAME or NAME_FILE so far.

        `name`: the variable NAME.
        """
        return self.has_fault(name) or self.has_fault(f"{name}_FILE")

    def text(self, name: str) -> str:
        """Return the value of a variable, or the variable's default if no value is set.

        The value of some variables may be in a file (`Variable.takes_file` is True). For such a variable NAME, the
        variable NAME_FILE contains the path of the file. If NAME ends with _NEXT, a missing or empty file means that no
        value is set.

        Add a fault in these cases:

        - NAME and NAME_FILE are both set. Return the value of NAME.
        - The file cannot be read or is empty. Return the default.
        - The value has invalid characters. Return the value.
        """
        variable = VARIABLES[name]
        value = self.given(name)
        if variable.takes_file:
            value = self._value_or_file(name, value)
        if variable.secret and value and value not in self.secrets:
            self.secrets.append(value)
        self._check_characters(name, value)
        return value or variable.default

    def plain(self, name: str) -> str:
        """Return the value of a variable, with dashes replaced by hyphens and without invisible characters.

        Use the method `text` for secrets and ids, because their values must stay unchanged.
        """
        return plain(self.text(name))

    def _check_characters(self, name: str, value: str) -> None:
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
        """Return the value of a variable. If there is no value, add a fault and return "".

        `how_to_get`: where the administrator finds the value, as a sentence. It is the end of the fault's text.
        """
        value = self.text(name)
        if not value:
            self.fault(name, f"is missing. {how_to_get}")
        return value

    def integer(self, name: str, minimum: int, maximum: int) -> int:
        text = self.plain(name)
        if _KUBERNETES.match(text):
            wanted = "is what Kubernetes sets for a Service of that name. Set enableServiceLinks: false in the pod."
            self.fault(name, wanted)
            return minimum
        if re.fullmatch(r"[0-9]{1,9}", text) and minimum <= int(text) <= maximum:
            return int(text)
        self.fault(name, f"must be a whole number from {minimum} to {maximum}, not {text[:40]!r}.")
        return minimum

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
        """Split the value of a variable into words, at commas and white space. Leave out repeated words.

        Add a fault if a word does not match `pattern`. The result contains such words, too.

        - `pattern`: a regular expression that has to match the whole word.
        - `what`: what each word has to be, for the text of the fault, such as "domain such as example.com".
        """
        words = tuple(dict.fromkeys(re.split(r"[,\s]+", self.text(name))) if self.text(name) else ())
        wrong = [word for word in words if word and not re.fullmatch(pattern, word)]
        if wrong:
            odd = odd_character(wrong[0])
            hint = f" It has {odd}." if odd else ""
            self.fault(name, f"{', '.join(repr(word[:40]) for word in wrong)} is no {what}.{hint}")
        return tuple(word for word in words if word)

    def url(self, name: str, *, is_page: bool = False) -> str:
        """Return the https URL in a variable, or the variable's default if no value is set.

        If the value is not an https URL, add a fault and return the value. An http URL is allowed for localhost only.
        If the URL has a user name or a password, add a fault and return "".

        `is_page`: whether people open the URL in a browser. With True, a URL that a button in Slack cannot have is a
        fault, too. With False, a query or a fragment is a fault, too, and the result has no slash at the end.
        """
        text = self.plain(name) if is_page else self.plain(name).rstrip("/")
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
            good = good and bool(re.fullmatch(r"[\w.:-]+", host))
            if is_page:
                good = good and bool(re.fullmatch(r"[!-~]{1,3000}", text))  # what Slack takes behind a button
            else:
                good = good and not parts.query and not parts.fragment
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
        """Return the address on which a server of the bot listens, without square brackets around it.

        The value of the variable `name` has to be an IP address, a server name or `*`. For any other value, add a fault
        and return the value. `*` and `::` mean all addresses of the machine.
        """
        text = self.plain(name)
        address = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        if re.fullmatch(r"[a-z]+://.*", text):
            self.fault(name, "is a URL. Give the address alone, such as 0.0.0.0 or ::.")
        elif re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):[0-9]+", text):
            self.fault(name, "holds a port, too. Give the address alone; the port belongs in PORT.")
        elif not re.fullmatch(r"\*|[0-9a-fA-F:.]+(%[\w.-]+)?|[A-Za-z0-9_.-]+", address):
            self.fault(name, f"must be an address such as 127.0.0.1, ::1 or localhost, not {text[:40]!r}.")
        return address

    def parsed(self, name: str, parse: Callable[[], T]) -> T | None:
        """Call `parse` and return its result. If `parse` raises ValueError or OSError, add a fault and return None.

        - `name`: the variable whose value `parse` checks. The fault belongs to this variable.
        - `parse`: a function without arguments. The text of its ValueError becomes the text of the fault. An OSError
          becomes a fault about a file that cannot be read.
        """
        try:
            return parse()
        except ValueError as error:
            self.fault(name, f"{error}.")
        except OSError as error:
            self.fault(name, f"the file cannot be read ({error.strerror}).")
        return None

    def key_file(self, name: str, variable: str) -> str:
        """Return the text of a private key from a file. Add the file to `files`.

        - `name`: the name under which `files` contains the file, such as GENESYS_PRIVATE_KEY.
        - `variable`: the variable that contains the path of the file, such as GENESYS_PRIVATE_KEY_PATH.

        If the file cannot be read, contains a key in DER or is not UTF-8 text, add a fault of `variable` and return "".
        """
        path = self.text(variable)
        pem = self.parsed(variable, lambda: read_key_file(path)) or ""
        self.files[name] = SecretFile(name, variable, path, unquoted(pem))
        return pem

    def _value_or_file(self, name: str, value: str) -> str:
        path = self.given(f"{name}_FILE")
        if path and value:
            self.fault(name, f"is set, and so is {name}_FILE. Keep one of them.")
        elif path:
            value = self.parsed(f"{name}_FILE", lambda: read_secret_file(name, path)) or ""
            if not value and not VARIABLES[name].is_next and not self.has_fault(f"{name}_FILE"):
                self.fault(f"{name}_FILE", "the file is empty.")
            if self.has_fault(f"{name}_FILE"):
                self._unreadable.add(name)
            self.files[name] = SecretFile(name, f"{name}_FILE", path, value)
        return value


def needs_example(fix: str) -> bool:
    """Return whether an example line of the variable, such as `PORT=3000`, should follow the text `fix` of a fault.

    Return False if `fix` contains a phrase of _NO_EXAMPLE, because `fix` then has an example or needs none.
    """
    return not any(words in fix for words in _NO_EXAMPLE)


def read_secret_file(name: str, path: str) -> str:
    """Return the value of the variable `name` from a file.

    If `name` ends with _NEXT, return "" for a missing or empty file. Raises OSError if the file cannot be read. Raises
    ValueError, with the reason, if the file is not UTF-8 text, or if the path begins with `~` and the home directory is
    unknown.
    """
    try:
        return unquoted(read_key_file(path) if name in KEYS else read_file(path))
    except FileNotFoundError:
        if VARIABLES[name].is_next:
            return ""
        raise
    except ValueError:
        if name in KEYS and VARIABLES[name].is_next and not read_bytes(path).strip():
            return ""
        raise


def read_file(path: str) -> str:
    """Return the text of a UTF-8 file.

    Raises OSError if the file cannot be read. Raises ValueError if the file is not UTF-8 text, or if the path begins
    with `~` and the home directory is unknown.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None


def read_key_file(path: str) -> str:
    """Return the text of a private key from a file, without a check that the text is a private key.

    Raises OSError if the file cannot be read. Raises ValueError, with the reason, if the file contains a key in DER or
    is not UTF-8 text, or if the path begins with `~` and the home directory is unknown.
    """
    held = convert_file(read_bytes(path))
    if isinstance(held, Unusable):
        raise ValueError(held.why)
    return held


def read_bytes(path: str) -> bytes:
    """Return the bytes of a file.

    Raises OSError if the file cannot be read. Raises ValueError if the path begins with `~` and the home directory is
    unknown.
    """
    try:
        return Path(path).expanduser().read_bytes()
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
