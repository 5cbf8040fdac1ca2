"""Print to terminals that are not UTF-8: signs that they lack become ASCII, and no command ends in a traceback."""

import codecs
import json
import sys

_ERRORS = "cobrowse-bot-ascii"
_ASCII = {
    **{"✓": "+", "✗": "x", "→": ">", "›": ">", "–": "-", "—": "-", "·": "-", "…": "...", "×": "x", "▾": "v"},
    **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "},
}


def make_safe() -> None:
    """Let standard output and standard error write what their encoding lacks as ASCII."""
    codecs.register_error(_ERRORS, _instead)
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) and not is_utf8(stream.encoding):
            reconfigure(errors=_ERRORS)


def json_for_stdout(text: str) -> str:
    """Return JSON that standard output can hold: with escapes, where it is not UTF-8."""
    return text if is_utf8(sys.stdout.encoding) else json.dumps(json.loads(text), indent=2)


def is_utf8(encoding: str | None) -> bool:
    """Say whether an encoding holds every character."""
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter, "?") for letter in lacking), error.end
