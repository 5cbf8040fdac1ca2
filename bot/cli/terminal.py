"""Print on any terminal. Replace characters that the terminal cannot show, and format the examples of a help text."""

import codecs
import json
import sys

_ERRORS = "cobrowse-bot-ascii"
_ASCII = {
    **{"✓": "+", "✗": "x", "→": ">", "›": ">", "–": "-", "—": "-", "·": "-", "…": "...", "×": "x", "▾": "v"},
    **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "},
}


def make_safe() -> None:
    """Make standard output and standard error replace characters that their encoding cannot represent."""
    codecs.register_error(_ERRORS, _substitute)
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) and not is_utf8(stream.encoding):
            reconfigure(errors=_ERRORS)


def json_for_stdout(text: str) -> str:
    """Return JSON for standard output. Escape characters beyond ASCII unless the output is UTF-8."""
    return text if is_utf8(sys.stdout.encoding) else json.dumps(json.loads(text), indent=2)


def is_utf8(encoding: str | None) -> bool:
    """Return whether this is the name of a Unicode encoding, such as UTF-8. Return False for None."""
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")


def examples(*commands: str) -> str:
    """Return the text that ends a command's help: these command lines as examples, one on each line."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter, "?") for letter in lacking), error.end
