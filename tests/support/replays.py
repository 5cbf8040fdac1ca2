"""Record what people press in one Slack workspace without delivering it, and deliver it from another workspace."""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.server import Delivery, SandboxSlack
from bot.sandbox.slack.shapes import new_trigger_id
from tests.support.app import ANA, CARE, Journey, is_note, words
from tests.support.views import said

NOWHERE = "http://127.0.0.1:1/"
SECONDS = 3.0
SETTLED_SECONDS = 0.15
CHANGING = (
    (re.compile(r"Reference:? *`?\S+"), "Reference"),
    (re.compile(r"<!date\^\d+"), "<!date"),
    (re.compile(r"\b\d+:\d\d\b"), "0:00"),
)
"""What differs between two answers to the same request."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payload that Slack would have sent, and its kind."""

    payload: dict[str, Any]
    kind: Any

    def with_ids(self, ids: Mapping[str, str]) -> "Recorded":
        """Return the payload with these ids in place of others."""
        text = json.dumps(self.payload)
        for old, new in ids.items():
            text = text.replace(old, new)
        return Recorded(json.loads(text), self.kind)


async def recorded(slack: SandboxSlack, act: Callable[[], Awaitable[object]]) -> Recorded:
    """Let people act, and return the last payload that this makes. The bot does not get it."""
    with _undelivered(slack):
        await act()
    return Recorded(slack.deliveries[-1].payload, slack.deliveries[-1].kind)


@contextmanager
def _undelivered(slack: SandboxSlack) -> Iterator[None]:
    url, slack.events_url = slack.events_url, NOWHERE
    try:
        yield
    finally:
        slack.events_url = url


async def replayed(journey: Journey, given: Recorded, from_: SandboxSlack) -> list[str]:
    """Deliver a payload of another workspace as this one's, and return all that people are told then.

    It gets response_urls and a trigger id of this workspace, as an attacker in it would have. It also gets a new view
    or message, because a press counts once in each.
    """
    trigger, view, container = new_trigger_id(), given.payload.get("view"), given.payload.get("container") or {}
    places = [str(place) for place in ((view or {}).get("id"), container.get("message_ts")) if place]
    given = given.with_ids({place: another(place) for place in places})
    own = journey.slack.url + journey.slack.response_urls.make(ANA, CARE, trigger)
    text = re.sub(re.escape(from_.url) + r"/response/[\w-]+", own, json.dumps(given.payload))
    payload = json.loads(text) | {"trigger_id": trigger}
    return await told(journey, lambda: journey.slack.send(payload, given.kind))


async def told(journey: Journey, act: Callable[[], Awaitable[Delivery]]) -> list[str]:
    """Return the texts of all messages and dialogs that follow from this delivery, and the text of its ack."""
    slack = journey.slack
    messages, views = len(slack.messages), slack.views_of(ANA)
    delivery = await act()
    assert delivery.status in (200, None), delivery.status

    def found() -> list[str]:
        new = [words(each) for each in slack.messages[messages:] if not is_note(each) and each.via != "slackbot"]
        opened = [said(view) for view in slack.views_of(ANA) if view not in views]
        return [*new, *opened] or ([json.dumps(delivery.body)] if delivery.body else [])

    await slack.until(lambda: found() or None, SECONDS)
    await asyncio.sleep(SETTLED_SECONDS)
    answer = found()
    for view in [view for view in slack.views_of(ANA) if view not in views]:
        slack.views.close(view)
    return [usual(text) for text in answer]


def usual(text: str) -> str:
    """Return a text without what differs between two answers to the same request."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return text


def another(identifier: str) -> str:
    """Return a random identifier of the same form."""
    kinds = ("0123456789", "abcdef", "ABCDEFGHJKMNPQRSTVWXYZ")
    return "".join(next((secrets.choice(kind) for kind in kinds if each in kind), each) for each in identifier)
