"""Format log records as single lines, and mask the secrets in them and in tracebacks.

Tokens, keys, email addresses, the paths of URLs and the secret values of the settings count as secrets.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

NOISY = ("httpx", "httpcore", "aiohttp", "slack_bolt", "slack_sdk", "asyncio", "urllib3")
"""Loggers that print URLs and bodies at INFO and DEBUG. The bot limits them to WARNING and above, at any LOG_LEVEL."""

workspace: ContextVar[str] = ContextVar("workspace", default="")
"""The short name of the workspace for which the current task works; "" if the process serves only one workspace. Each
log line contains the name, unless it is ""."""
MASK = "[redacted]"
MIN_SECRET_LENGTH = 6
MAX_LENGTH = 8_000
"""The maximum number of characters of a message or field in the log. Longer ones are cut."""
MAX_TRACEBACK_LENGTH = 32_000


def _bare(url: re.Match[str]) -> str:
    """Return the URL with everything masked except its scheme, host and port."""
    return f"{url[1]}{url[3]}/{MASK}" if url[2] or url[4] else url[0]


def _with_path(url: re.Match[str]) -> str:
    """Return the URL with its user name, password and query masked. The path stays."""
    path, question, _ = (url[4] or "").partition("?")
    return f"{url[1]}{MASK + '@' if url[2] else ''}{url[3]}{path}{'?' + MASK if question else ''}"


def _masked_jwt(run: re.Match[str]) -> str:
    """Return the mask for a JSON Web Token. Return the matched text unchanged if it is only the header of a token."""
    return MASK if "." in run[0][4:].rstrip(".") else run[0]


def _masked_address(run: re.Match[str]) -> str:
    """Return the mask for an email address. Return the matched text unchanged if its domain has no dot: `root@db`."""
    end = run[0].rstrip("@.%+'-")
    return MASK + run[0][len(end) :] if "." in end.partition("@")[2] else run[0]


_PRIVATE = r"[A-Z ]{0,40}PRIVATE KEY-----"
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"-----BEGIN {_PRIVATE}.*?(?:-----END {_PRIVATE}|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?ai:bearer|basic(?!\s++(?-i:[A-Z]?[a-z]++)(?!\.?[\w~+/=-])))\s++[\w.~+/=-]{6,}+"), MASK),
    (re.compile(r"((?ai:https?|wss?)://)([^\s/'\"]*@)?+([\w.:\[\]-]++)([/?#][^\s'\"]*+)?+"), _bare),
    (re.compile(r"x(?:ox[a-z]|app)[.-]++\w[\w.-]*+"), MASK),
    (re.compile(r"eyJ[\w.-]++"), _masked_jwt),
    (re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@[\w.%+'@-]++"), _masked_address),
)
"""Patterns of secrets, each with its replacement, or with the function that returns the replacement. The patterns use
possessive quantifiers (`++`), and the last one matches only from the start of a word (`(?<!`). Otherwise the time for
one match could grow with the square of the text's length. A plain word after "basic", as in "Basic Information", is no
secret: credentials are in Base64, which mixes upper and lower case."""
_RULES_KEEPING_PATHS = tuple((pattern, _with_path if mask is _bare else mask) for pattern, mask in _RULES)
_SUSPECT = ("-----begin", "xox", "xapp", "eyj", "bearer", "basic", "@", "://")
"""Every text that matches a pattern in `_RULES` contains one of these texts, in upper or lower case. Searching for
these texts first saves time, because nearly all lines contain none."""
_PLAIN = re.compile(r'[^\s"=]+')
"""A field's value that needs no quotation marks in a log line."""
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_SPACE_OR_QUOTE = "\"' \t\n\r"
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that could make one log record look like two lines: control characters and Unicode line separators."""


def _is_suspect(text: str) -> bool:
    """Return whether the text contains one of the texts in `_SUSPECT`. If not, no pattern of secrets matches it."""
    lower = text.lower()
    return any(sign in lower for sign in _SUSPECT)


class Redactor:
    """Masks secrets in texts: the texts in `secrets`, and every text that matches one of the patterns of secrets.

    Texts in `secrets` with fewer than MIN_SECRET_LENGTH characters are not masked.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask the texts in `secrets`, too, from now on. Ignore those with fewer than MIN_SECRET_LENGTH characters."""
        long = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
        forms = {form for secret in long for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])}
        forms |= {json.dumps(secret, ensure_ascii=False)[1:-1] for secret in long}
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, self._forms)))
        self._longest = len(self._forms[0]) if self._forms else 0
        self._inconspicuous = [form for form in self._forms if not _is_suspect(form)]

    def is_harmless(self, text: str) -> bool:
        """Return whether it is certain that the text contains no secret. False means that it may contain one.

        This test is faster than masking the text.
        """
        return not _is_suspect(text) and not any(form in text for form in self._inconspicuous)

    def __call__(self, text: str, max_length: int = MAX_LENGTH, *, keeps_paths: bool = False) -> str:
        """Return a text with all secrets masked.

        - `max_length`: the maximum number of characters to keep. The end of a longer text is cut off, and the number of
          removed characters takes its place.
        - `keeps_paths`: whether the paths of URLs stay. If False, a path is masked like a secret.
        """
        kept = text if len(text) <= max_length else text[: self._cut_at(text, max_length)]
        dropped = len(text) - len(kept)
        if not self.is_harmless(kept):
            if self._forms:
                kept = self._known.sub(MASK, kept)
            for pattern, mask in _RULES_KEEPING_PATHS if keeps_paths else _RULES:
                kept = pattern.sub(mask, kept)
        return f"{kept} … {dropped} characters more" if dropped else kept

    def _cut_at(self, text: str, max_length: int) -> int:
        """Return the number of characters to keep of a text that is longer than `max_length`: at most `max_length`.

        Never cut inside a word or a known secret: the caller masks the text after the cut, and the first part of a
        secret might match no pattern.
        """
        end = _word_start(text, max_length)
        if self._forms:
            spans = [found.span() for found in self._known.finditer(text, 0, max_length + self._longest)]
            for start, stop in reversed(spans):
                if start < end < stop:
                    end = _word_start(text, start)
        return end


def _word_start(text: str, end: int) -> int:
    """Return the position after the last white space or quotation mark before `end`; 0 if there is none."""
    return max(text.rfind(one, 0, end) for one in _SPACE_OR_QUOTE) + 1


ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """Formats a log record as one line of text or JSON, with all secrets masked.

    In text, the lines of a traceback follow. In JSON, the traceback is a field.

    Example of a text line: `2026-11-22T09:00:00.000Z INFO bot.core.requests.events answered request=…`.
    """

    def __init__(self, redact: Redactor, *, as_json: bool) -> None:
        super().__init__()
        self._redact = redact
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        given: dict[str, object] = getattr(record, "fields", {})
        if name := workspace.get():
            given = {"workspace": name, **given}
        if not self._as_json and not record.exc_info:  # nearly all lines: docs/develop/decisions/0004
            pairs = "".join([f" {name}={_value(value)}" for name, value in given.items()])
            line = f"{at} {record.levelname} {record.name} {record.getMessage()}{pairs}"
            if len(line) <= MAX_LENGTH and line.isprintable() and self._redact.is_harmless(line):
                return line
        return self._format_masked(record, at, given)

    def _format_masked(self, record: logging.LogRecord, at: str, given: dict[str, object]) -> str:
        fields = {name: self._clean(value) for name, value in given.items()}
        message = self._redact(record.getMessage())
        traceback = self._traceback(record.exc_info) if record.exc_info else ""
        if self._as_json:
            line: dict[str, object] = {"at": at, "level": record.levelname, "logger": record.name, "message": message}
            line |= fields | ({"traceback": traceback} if traceback else {})
            return json.dumps(line, ensure_ascii=False)
        pairs = "".join(f" {name}={_value(value)}" for name, value in fields.items())
        text = _BREAK.sub(lambda found: repr(found[0])[1:-1], f"{at} {record.levelname} {record.name} {message}{pairs}")
        return f"{text}\n{traceback}" if traceback else text

    def _traceback(self, exc_info: ExcInfo) -> str:
        """Return the traceback with all secrets masked.

        Cut the traceback to MAX_TRACEBACK_LENGTH characters. After a cut, append the name of the exception's class.
        """
        text = self.formatException(exc_info)
        masked = self._redact(text, MAX_TRACEBACK_LENGTH)
        return f"{masked}\n{type(exc_info[1]).__qualname__}" if len(text) > MAX_TRACEBACK_LENGTH else masked

    def _clean(self, value: object) -> object:
        if isinstance(value, dict | list | tuple) and len(text := str(value)) > MAX_LENGTH:
            return self._redact(text)
        if isinstance(value, dict):
            return {str(name): self._clean(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(each) for each in value]
        return value if isinstance(value, int | float | None) else self._redact(str(value))


def set_up(level: str, *, as_json: bool, secrets: Iterable[str] = (), stream: TextIO | None = None) -> Redactor:
    """Make the root logger write lines with masked secrets. Return the Redactor that masks the secrets.

    Also log uncaught exceptions and Python's warnings from now on.

    - `level`: a level of Python's logging, such as "INFO".
    - `as_json`: whether the lines are JSON; otherwise text.
    - `secrets`: texts to mask, in addition to the texts that match a pattern of a secret.
    - `stream`: the stream for the lines; None for standard error.
    """
    redactor = Redactor(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(redactor, as_json=as_json))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # slack_bolt warns that SLACK_BOT_TOKEN is set and passed to it. asyncpg logs a traceback for each failed try to
    # connect; the bot itself logs that the database does not answer.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    # No line names its place in the code, a thread or a process:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else a record that cannot be formatted would print its arguments
    sys.excepthook = _log_uncaught
    return redactor


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an uncaught exception with its secrets masked. Replaces `sys.excepthook`, which masks nothing."""
    logging.getLogger("bot").critical("uncaught", exc_info=(kind, error, traceback))


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else _quoted(text)
