"""Press the buttons of a session's card for the tests of sessions, and read the results."""

from typing import Any

from bot.sandbox.slack.server import Delivery, Message, SandboxSlack, View
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, is_note

LIVE = "/cobrowse"


END, POST, COPY, DETAILS = "ask_end_session", "post", "copy", "details"
"""What can be pressed on a card: a button, and options of its menu."""


async def presses(journey: Journey, message: Message, action: str, *, who: str = ANA, **how: Any) -> Message:
    """Press a button of a message, or choose in its menu. If a dialog opens, confirm it.

    Return the outcome: a new message for the person, or this message after its change.
    """
    before, was, dialogs = len(journey.slack.messages), str(message.blocks), journey.slack.views_of(who)
    action, how = _pressed(action, how)
    delivery = await journey.slack.press(who, message, action, **how)
    assert delivery.acked, delivery.error
    assert not delivery.body
    is_private = message.visible_to == who or journey.slack.workspace.im_owner(message.channel) == who

    def outcome() -> Message | None:
        new = [each for each in journey.slack.messages[before:] if journey.slack.workspace.can_see(who, each)]
        told = [each for each in new if not is_note(each) and each.visible_to == who]
        return message if str(message.blocks) != was and is_private else next(iter(told), None)

    def dialog() -> View | None:
        return next((each for each in journey.slack.views_of(who) if each not in dialogs), None)

    found: Message | View = await journey.slack.workspace.until(lambda: dialog() or outcome(), ANSWER_TIMEOUT)
    if isinstance(found, Message):
        return found
    submitted = await journey.slack.submit(who, found)
    assert submitted.acked, submitted.error
    return await journey.slack.workspace.until(outcome, ANSWER_TIMEOUT)


async def opens(journey: Journey, message: Message | View, action: str, *, who: str = ANA, **how: Any) -> View:
    """Press a button, or choose in the menu. Return the dialog that opens."""
    return await _opened(journey.slack, who, message, action, how)


async def confirms(slack: SandboxSlack, who: str, message: Message | View, action: str, **how: Any) -> Delivery:
    """Press a button, or choose in the menu, and confirm the dialog that opens."""
    return await slack.submit(who, await _opened(slack, who, message, action, how))


async def _opened(slack: SandboxSlack, who: str, message: Message | View, action: str, how: dict[str, Any]) -> View:
    dialogs = slack.views_of(who)
    action, how = _pressed(action, how)
    delivery = await slack.press(who, message, action, **how)
    assert delivery.acked, delivery.error
    return await slack.workspace.until(
        lambda: next((each for each in slack.views_of(who) if each not in dialogs), None), ANSWER_TIMEOUT
    )


def _pressed(action: str, how: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return ("session_menu", {"chosen": action, **how}) if action in (POST, COPY, DETAILS) else (action, how)


def as_earlier_card(message: Message, session_id: str) -> None:
    """Give a card the buttons that cards had in earlier versions."""
    old = ("open", "end_session", "share_session", "send_session", "send_to_customer")
    text = {"type": "plain_text", "text": "Old"}
    row = [{"type": "button", "text": text, "action_id": action, "value": session_id} for action in old]
    message.blocks[-1] = {"type": "actions", "block_id": "b1", "elements": row}


def menu(message: Message) -> dict[str, dict[str, Any]]:
    """Return the options of a card's menu by their values."""
    elements = [element for block in message.blocks for element in block.get("elements", ())]
    elements += [block["accessory"] for block in message.blocks if "accessory" in block]
    found = [element for element in elements if element.get("type") == "overflow"]
    return {option["value"]: option for element in found for option in element["options"]}


async def says(journey: Journey, message: Message, text: str) -> None:
    """Wait until this message contains a text."""
    await journey.slack.workspace.until(lambda: text in str(message.blocks) or None, ANSWER_TIMEOUT)


def status(journey: Journey) -> list[str]:
    """Return the status of each session at the service, in the order of their creation."""
    return [session.status for session in journey.genesys.sessions.values()]
