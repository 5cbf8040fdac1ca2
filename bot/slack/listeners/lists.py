"""Listen for the buttons that show a page of a list of sessions, and for the menu that filters a list by person.

If only the person who pressed can see the message that contains the button, the new page replaces this message. If not,
the page is a new message. A button on a session card always opens the list in a new message. After a press in the Home
tab, the bot publishes the whole tab again. The worker checks what the person may do.
"""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.models import ROW_KEY, RequestKind, UserId
from bot.core.results import ListKind, ListPage
from bot.slack.listeners.actions import is_private, read_actor
from bot.slack.listeners.cards import CardPresses
from bot.slack.listeners.home_tab import HomeTab
from bot.slack.messages.session_card import OTHERS_ACTION
from bot.slack.messages.session_list import AGENT_ACTION, EVERYBODY_ACTION, FILTER, NEXT_ACTION, PREVIOUS_ACTION


def register(app: AsyncApp, presses: CardPresses, tab: HomeTab) -> None:
    """Register the listeners of the buttons that show a page of a list of sessions, and of the filter by person."""

    async def on_page(ack: AsyncAck, body: dict[str, Any]) -> None:
        page = read_page(body)
        if page.kind is ListKind.HOME:
            tab.show_soon(read_actor(body), page=page)
        else:
            press, action = read_actor(body), str(body["actions"][0]["action_id"])
            request = replace(
                press,
                kind=RequestKind.LIST if page.is_live else RequestKind.STATUS,
                key=f"{ROW_KEY}{action}:{body.get('trigger_id') or press.id}",
                argument=str(page),
                replaces=is_private(body) and action != OTHERS_ACTION,
            )
            await presses.submit(request)
        await ack()

    for action in (PREVIOUS_ACTION, NEXT_ACTION, AGENT_ACTION, EVERYBODY_ACTION, OTHERS_ACTION):
        app.action(action)(on_page)


def read_page(body: dict[str, Any]) -> ListPage:
    """Return which page of which list to show, after a press on a button or a choice in the menu (pure).

    `body` is the payload of the press or choice.
    """
    action = body["actions"][0]
    if action["action_id"] != AGENT_ACTION:
        return ListPage.read(action.get("value"), ListKind.OWN)
    shown = ListPage.read(str(action.get("block_id")).removeprefix(FILTER), ListKind.LIVE)
    chosen = action.get("selected_user")
    return ListPage(shown.kind, agent=UserId(chosen) if chosen else None)
