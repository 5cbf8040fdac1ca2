"""Render the page after a sign-in to Genesys (pure). The page shows the result, the next step, and ids for support.

The page loads no resources and runs no script. HEADERS forbids caching, framing, indexing and referrers.
"""

import base64
import hashlib
import html

from bot.core.errors import CobrowseError, PermissionDeniedError, StorageUnavailableError
from bot.core.models import Request
from bot.core.results import AccountLinked, Result
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import Language, said
from bot.slack.messages.error_copy import Addressee, error_copy, references

STYLE = """
:root { color-scheme: light dark; font: 1.125rem/1.55 system-ui, sans-serif }
body { margin: 0; padding: 0 1.5rem; background: Canvas; color: CanvasText }
main { max-width: 34rem; margin: 16vh auto 2rem; overflow-wrap: anywhere }
.mark { font-size: 2.5rem; line-height: 1; margin: 0 0 1rem }
.done { color: #15803d } .not { color: #b45309 }
@media (prefers-color-scheme: dark) { .done { color: #4ade80 } .not { color: #fbbf24 } }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .75rem; text-wrap: balance }
p { margin: 0 0 .75rem }
small { opacity: .8 }
"""
_POLICY = (
    "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY.format(base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


CONNECTED = said("page.connected", "You’re signed in to Genesys.")
CONNECTED_NEXT = said(
    "page.connected_next", "You can close this page. In Slack, {command} now starts co-browse in your conversations."
)
BUSY = said("page.busy", "Too many people are signing in. Nothing has changed.")
BUSY_NEXT = said("page.busy_next", "Load this page again in a minute.")
CONNECT_LATER = said(
    "page.connect_later",
    "Wait a minute, then type {command} connect in Slack for a new link. If it keeps happening, tell {contact}.",
)


def page(outcome: Result, request: Request | None, to: Addressee) -> tuple[int, str]:
    """Return the HTTP status and the HTML of the page that shows the result of a sign-in.

    - `outcome`: the result.
    - `request`: the CONNECT request that the bot made for the sign-in; None if the bot does not know whose sign-in this
      is, because the link is invalid or the database fails.
    - `to`: the reader of the page, with their language.
    """
    if isinstance(outcome, AccountLinked):
        title, then = to.language.say(CONNECTED), to.language.say(CONNECTED_NEXT, command=to.command)
        return 200, _html(to.language, True, title, then, _references(outcome, request, to))
    if not isinstance(outcome, CobrowseError):  # a sign-in has no other results
        raise TypeError(outcome.code)
    problem, then = _copy(outcome, request is not None, to)
    return _status(outcome), _html(to.language, False, problem, then, _references(outcome, request, to))


def _copy(error: CobrowseError, is_used: bool, to: Addressee) -> tuple[str, str]:
    """Return the two texts of the page about an error: what the problem is, and what to do next.

    `is_used`: True if the sign-in link was valid, so that it is used up now.
    """
    copy = error_copy(error, Situation.CONNECT if is_used else Situation.QUERY, to)
    if is_used and (error.try_again or isinstance(error, StorageUnavailableError)):
        return copy.problem, to.language.say(CONNECT_LATER, command=to.command, contact=to.contact)
    return copy.problem, " ".join(copy.lines)


def _status(error: CobrowseError) -> int:
    if error.code == "connect_link_expired":
        return 400
    return 403 if isinstance(error, PermissionDeniedError) else 503


def _references(outcome: Result, request: Request | None, to: Addressee) -> str:
    """Return the line of the page with the ids that support needs to find the sign-in in logs; "" if there are none."""
    return references(to.language, request.id if request else None, getattr(outcome, "reference", None))


def _html(language: Language, done: bool, what: str, then: str, references: str) -> str:
    what, then, references = map(html.escape, (what, then, references))
    mark = '<p class="mark done" aria-hidden="true">✓</p>' if done else '<p class="mark not" aria-hidden="true">!</p>'
    small = f"<p><small>{references}</small></p>" if references else ""
    return f"""<!doctype html>
<html lang="{language.code.replace("_", "-")}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{what}</title><link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body><main>{mark}<h1>{what}</h1><p>{then}</p>{small}</main></body>
</html>
"""


def busy_page(language: Language) -> str:
    """Return the HTML of the page that asks the reader to wait, because too many people sign in at the same time."""
    return _html(language, False, language.say(BUSY), language.say(BUSY_NEXT), "")
