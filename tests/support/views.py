"""Wait for forms and for the Home tab in tests, and read their contents."""

import asyncio
import logging
from typing import Any

import pytest

from bot.sandbox.slack.server import Message, View
from tests.support.app import ANSWER_TIMEOUT, Journey, texts, words

START, HERE = "cobrowse_start", "cobrowse_start_here"


async def sends(journey: Journey, who: str, view: View, **values: Any) -> Message:
    """Fill in a form and submit it, and wait until the dialog shows the answer.

    Return the copy of the answer, which is a direct message.
    """
    before = len(journey.slack.messages)
    delivery = await journey.slack.submit(who, view, values)
    assert delivery.acked, delivery.error
    assert isinstance(delivery.body, dict)
    assert delivery.body["response_action"] == "update", delivery.body
    message = await copied(journey, who, before)
    await shown(journey, view, words(message))
    return message


async def copied(journey: Journey, who: str, before: int) -> Message:
    """Return the first direct message to this person. Ignore the first `before` messages."""

    def found() -> Message | None:
        new = journey.slack.messages[before:]
        return next((each for each in new if journey.slack.workspace.im_owner(each.channel) == who), None)

    return await journey.slack.until(found, ANSWER_TIMEOUT)


async def shown(journey: Journey, view: View, text: str) -> None:
    """Wait until an open dialog shows this text. Check that the dialog can only be closed."""
    await journey.slack.until(lambda: view.is_open and text in said(view), ANSWER_TIMEOUT)
    assert "submit" not in view.body
    assert view.body["close"]["text"] == "Close"


async def filled(journey: Journey, who: str) -> View:
    """Wait until this person's form can be submitted, and return it."""
    return await journey.slack.until(lambda: _newest(journey, who, "submit"), ANSWER_TIMEOUT)


async def with_all_fields(journey: Journey, who: str, view: View) -> View:
    """Press *More options*, and return the form with all fields."""
    assert (await journey.slack.press(who, view, "form_more")).acked
    await journey.slack.until(lambda: "form_more" not in presses(view), ANSWER_TIMEOUT)
    return view


async def told(journey: Journey, who: str) -> str:
    """Return the text of the view that this person gets instead of a form."""

    def found() -> View | None:
        return next((view for view in journey.slack.views_of(who) if "One moment" not in said(view)), None)

    view = await journey.slack.until(found, ANSWER_TIMEOUT)
    assert "submit" not in view.body
    return said(view)


def _newest(journey: Journey, who: str, key: str) -> View | None:
    return next((view for view in reversed(journey.slack.views_of(who)) if key in view.body), None)


async def asks_for_a_form(journey: Journey, who: str, text: str = "new", **how: Any) -> View:
    """Open the form with the command, and return it."""
    delivery = await journey.slack.command(who, text, **how)
    assert delivery.acked, delivery.error
    assert not delivery.body
    return await filled(journey, who)


async def opens_home(journey: Journey, who: str) -> View:
    """Open the Home tab, wait until it is complete, and return it."""
    published = journey.slack.count("views.publish")
    delivery = await journey.slack.open_home(who)
    assert delivery.acked, delivery.error

    def found() -> View | None:
        home = journey.slack.home_of(who)
        is_new = journey.slack.count("views.publish") > published
        return home if home and is_new and "One moment" not in said(home) else None

    return await journey.slack.until(found, ANSWER_TIMEOUT)


async def home_says(journey: Journey, who: str, words: str) -> View:
    """Wait until this person's Home tab contains these words, and return it."""

    def found() -> View | None:
        home = journey.slack.home_of(who)
        return home if home and words in said(home) else None

    return await journey.slack.until(found, ANSWER_TIMEOUT)


def said(view: View | dict[str, Any]) -> str:
    """Return all texts that a view shows, one on each line."""
    return "\n".join(texts(view.blocks if isinstance(view, View) else view["blocks"]))


def fields(view: View | dict[str, Any]) -> list[str]:
    """Return the block ids of a view's input blocks."""
    blocks = view.blocks if isinstance(view, View) else view["blocks"]
    return [block["block_id"] for block in blocks if block["type"] == "input"]


def presses(view: View | dict[str, Any]) -> list[str]:
    """Return the action ids of a view's buttons and menus."""
    blocks = view.blocks if isinstance(view, View) else view["blocks"]
    found = [[*(block.get("elements") or ()), block.get("accessory")] for block in blocks if block["type"] != "context"]
    return [each["action_id"] for row in found for each in row if each and each["type"] in ("button", "overflow")]


async def called(journey: Journey, method: str) -> None:
    """Wait until the bot has called this Web API method."""
    for _ in range(600):
        if journey.slack.count(method):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(method)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log messages of the level WARNING and above."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
