"""Let commands print on every terminal: replace the characters that the terminal cannot show."""

import codecs
import json
import sys

_ERRORS = "cobrowse-bot-ascii"
_ASCII = {
    **{"✓": "+", "✗": "x", "→": ">", "›": ">", "–": "-", "—": "-", "·": "-", "…": "...", "×": "x", "▾": "v"},
    **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "},
}


def make_safe() -> None:
    """Make standard output and standard error replace each character that their encoding cannot represent."""
    codecs.register_error(_ERRORS, _substitute)
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) and not is_utf8(stream.encoding):
            reconfigure(errors=_ERRORS)


def json_for_stdout(text: str) -> str:
    """Return a JSON text in a form that standard output can represent.

    If standard output is not UTF-8, the result has escape sequences in place of all characters beyond ASCII.
    """
    return text if is_utf8(sys.stdout.encoding) else json.dumps(json.loads(text), indent=2)


def is_utf8(encoding: str | None) -> bool:
    """Return whether the name of an encoding begins with "utf". Such an encoding can represent every character.

    Return False for None.
    """
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")


def examples(*commands: str) -> str:
    """Return the last part of a command's help: the given command lines as examples."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter, "?") for letter in lacking), error.end
